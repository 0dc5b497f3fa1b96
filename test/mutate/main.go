// SPDX-License-Identifier: Apache-2.0

// Program mutate takes each prune rule out of its chain by itself, and each guard out of
// its file, and runs the tests of the package without it. If they still pass, no test holds
// the rule or guard.
//
// Names given on the command line narrow it to those that contain one of them.
// It prints a line for each: its name, how long it took, and the test that failed first.
// It exits with 1 if one can be taken out unnoticed, with 2 if it could not tell of one.
// It writes to a temporary folder only: the compiler is told to read from there
// (go test -overlay). The tests of a package are built once, with all that is taken out of it
// one by one; an environment variable says what is. Several run at once, and all against one
// control plane; before that, the same tests must pass with everything in place.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/ccloud-dev/inventory-operator/test/controlplane"
)

const rulesFile = "internal/mirror/prune.go"

// chains are the fields of the prune chain that hold the rules.
var chains = []string{"each", "batch"}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	unnoticed, err := run(ctx, os.Stdout, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "mutate:", err)
		os.Exit(2)
	}
	if len(unnoticed) > 0 {
		fmt.Fprintf(os.Stderr, "mutate: no test misses %s\n", strings.Join(unnoticed, ", "))
		os.Exit(1)
	}
}

// run tries every rule and guard whose name contains one of names, all if there are
// none, and returns those that can be taken out unnoticed. It is to be run at the
// module's root.
func run(ctx context.Context, out io.Writer, names []string) (unnoticed []string, err error) {
	subjects, err := all()
	if err != nil {
		return nil, err
	}
	subjects = slices.DeleteFunc(subjects, func(s subject) bool {
		return len(names) > 0 && !slices.ContainsFunc(names, func(part string) bool { return strings.Contains(s.name, part) })
	})
	scratch, err := os.MkdirTemp("", "mutate-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(scratch)) }()
	plane, err := controlplane.Start(ctx, controlplane.Options{CRDPaths: []string{filepath.Join("config", "crd", "bases")}})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, plane.Stop()) }()
	environment := append(os.Environ(), controlplane.Running+"="+plane.Kubeconfig(),
		// A property that fails is enough: it needs no long search, and is neither made
		// small nor kept.
		"RAPID_CHECKS=100", "RAPID_NOFAILFILE=true", "RAPID_SHRINKTIME=0s",
		// A wait that fails does so for the whole of its time.
		"GOMEGA_DEFAULT_EVENTUALLY_TIMEOUT=10s")
	suites, err := whole(ctx, out, environment, scratch, subjects)
	if err != nil {
		return nil, err
	}
	outcomes := each(ctx, suites, subjects)
	for i, s := range subjects {
		o := <-outcomes[i]
		switch {
		case o.err != nil:
			err = errors.Join(err, fmt.Errorf("without %s: %w", s.name, o.err))
			continue
		case o.failed == "":
			unnoticed = append(unnoticed, s.name)
		}
		_, _ = fmt.Fprintf(out, "%-44s %4.0f s  %s\n", s.name, o.took.Seconds(), o.failed)
	}
	return unnoticed, err
}

// all returns every rule and guard.
func all() ([]subject, error) {
	source, err := os.ReadFile(rulesFile)
	if err != nil {
		return nil, fmt.Errorf("reading the rules, from the module's root: %w", err)
	}
	found, err := rules(source, chains)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", rulesFile, err)
	}
	var subjects []subject
	for _, r := range found {
		subjects = append(subjects, subject{name: r.name, file: rulesFile, edit: r.edit})
	}
	for _, g := range guards {
		source, err := os.ReadFile(g.file)
		if err != nil {
			return nil, err
		}
		e, err := g.place(source)
		if err != nil {
			return nil, err
		}
		subjects = append(subjects, subject{name: g.name, file: g.file, edit: e, focus: g.focus})
	}
	return subjects, nil
}

// whole builds the suites of the subjects, by the folder of their package, and runs them with
// everything in place: a test that fails then would seem to miss whatever is taken out.
func whole(ctx context.Context, out io.Writer, environment []string, scratch string, subjects []subject) (map[string]*suite, error) {
	suites := map[string]*suite{}
	focus := map[string][]string{}
	for _, s := range subjects {
		focus[s.folder()] = append(focus[s.folder()], s.focus)
	}
	for folder, parts := range focus {
		began := time.Now()
		t, err := build(ctx, environment, filepath.Join(scratch, strings.ReplaceAll(folder, "/", "-")), folder, subjects)
		if err != nil {
			return nil, err
		}
		built := time.Since(began)
		joined := strings.Join(parts, "|")
		if slices.Contains(parts, "") {
			joined = ""
		}
		said, err := t.run(ctx, "", joined)
		if err != nil {
			return nil, fmt.Errorf("%s, with everything in place: %w", folder, err)
		}
		if said.failed != "" {
			return nil, fmt.Errorf("%s, with everything in place: %s fails:\n%s", folder, said.failed, said.output)
		}
		if joined == "" {
			t.slow = said.slow
		}
		suites[folder] = t
		_, _ = fmt.Fprintf(out, "%-44s %4.0f s  passes with everything in place, built in %.0f s\n", folder, time.Since(began).Seconds(), built.Seconds())
	}
	return suites, nil
}

// outcome is what the tests said without a rule or guard.
type outcome struct {
	// failed is the test that missed it, "" if none did.
	failed string
	took   time.Duration
	err    error
}

// atOnce is how many mutants a processor runs at once: specs wait for the API server.
const atOnce = 2

// each runs the tests without each of the subjects, some at once, the slow ones last. The outcomes
// come in their order.
func each(ctx context.Context, suites map[string]*suite, subjects []subject) []chan outcome {
	outcomes := make([]chan outcome, len(subjects))
	for i := range outcomes {
		outcomes[i] = make(chan outcome, 1)
	}
	var group errgroup.Group
	group.SetLimit(atOnce * runtime.GOMAXPROCS(0))
	go func() {
		for i, s := range subjects {
			group.Go(func() error {
				began := time.Now()
				failed, err := suites[s.folder()].test(ctx, strconv.Itoa(i), s.focus)
				outcomes[i] <- outcome{failed, time.Since(began), err}
				return nil
			})
		}
	}()
	return outcomes
}
