// SPDX-License-Identifier: Apache-2.0

// Program mutate checks that a test holds each prune rule and each guard. It takes each rule out of
// its chain, and each guard out of its file, one at a time, and runs the tests of the package
// without it. If the tests still pass, no test holds this rule or guard.
//
// Names on the command line select the rules and guards whose names contain one of them. The
// program prints a line for each rule or guard: its name, how long the tests took, and the first
// test that failed. It exits with 1 if the tests pass without one of them, and with 2 if it cannot
// run the tests. It writes only to a temporary folder. The compiler reads the changed files from
// there (go test -overlay). It tests as many rules and guards at once as there are processors, all
// with the same control plane. Before that, the same tests must pass with every rule and guard in
// place.
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

// run takes out every rule and guard whose name contains one of names. If names is empty, it takes
// out each rule and guard. It returns those without which all tests pass. run must be called in the
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
		// One counterexample to a property is enough. The tests need no long search for it, do not
		// make it small, and do not keep it.
		"RAPID_CHECKS=100", "RAPID_NOFAILFILE=true", "RAPID_SHRINKTIME=0s")
	slow, err := whole(ctx, out, environment, subjects)
	if err != nil {
		return nil, err
	}
	outcomes := each(ctx, environment, scratch, subjects, slow)
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
	rules, err := withoutEach(source, chains)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", rulesFile, err)
	}
	var subjects []subject
	for _, m := range rules {
		subjects = append(subjects, subject{name: m.rule, file: rulesFile, source: m.source})
	}
	for _, g := range guards {
		source, err := os.ReadFile(g.file)
		if err != nil {
			return nil, err
		}
		if source, err = g.mutate(source); err != nil {
			return nil, err
		}
		subjects = append(subjects, subject{name: g.name, file: g.file, source: source, focus: g.focus})
	}
	return subjects, nil
}

// whole runs the same tests with every rule and guard in place. A test that already fails then
// would seem to fail because of whatever is taken out. whole returns the tests that take long; the
// key is the folder of their package.
func whole(ctx context.Context, out io.Writer, environment []string, subjects []subject) (slow map[string][]string, err error) {
	slow = map[string][]string{}
	focus := map[string][]string{}
	for _, s := range subjects {
		focus[s.folder()] = append(focus[s.folder()], s.focus)
	}
	for folder, parts := range focus {
		began := time.Now()
		joined := strings.Join(parts, "|")
		if slices.Contains(parts, "") {
			joined = ""
		}
		said, err := test(ctx, environment, folder, joined)
		if err != nil || said.failed != "" {
			return nil, fmt.Errorf("%s, with everything in place: %s fails: %w", folder, said.failed, err)
		}
		if joined == "" {
			slow[folder] = said.slow
		}
		_, _ = fmt.Fprintf(out, "%-44s %4.0f s  passes with everything in place\n", folder, time.Since(began).Seconds())
	}
	return slow, nil
}

// outcome is the result of the tests without one rule or guard.
type outcome struct {
	// failed is the first test that failed; "" if all tests passed.
	failed string
	took   time.Duration
	err    error
}

// each runs the tests without each of the subjects, several subjects at once. For each subject, the
// slow tests run last. The outcomes are in the order of the subjects.
func each(ctx context.Context, environment []string, scratch string, subjects []subject, slow map[string][]string) []chan outcome {
	outcomes := make([]chan outcome, len(subjects))
	for i := range outcomes {
		outcomes[i] = make(chan outcome, 1)
	}
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	go func() {
		for i, s := range subjects {
			group.Go(func() error {
				began := time.Now()
				failed, err := s.test(ctx, environment, filepath.Join(scratch, fmt.Sprint(i)), slow[s.folder()])
				outcomes[i] <- outcome{failed, time.Since(began), err}
				return nil
			})
		}
	}()
	return outcomes
}
