// SPDX-License-Identifier: Apache-2.0

// Program mutate takes each prune rule out of its chain by itself, and each guard out of
// its file, and runs the test that is named beside it. If that still passes, no test holds
// the rule or guard.
//
// Names given on the command line narrow it to those that contain one of them.
// It prints a line for each: its name, how long it took, and the test that failed first.
// It exits with 1 if one can be taken out unnoticed, with 2 if it could not tell of one.
// It writes to a temporary folder only: the compiler is told to read from there
// (go test -overlay). The tests of a package are built once, with all that is taken out of it
// one by one; an environment variable says what is. Several run at once, and all against one
// control plane. The same tests must pass with everything in place.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
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

// The prune rules, and the test that tries each by itself.
const (
	rulesFile = "internal/mirror/prune.go"
	rulesTest = "TestEveryRuleAloneKeepsAnObservation"
)

// specsFolder is the package whose tests are the specs of one suite.
const specsFolder = "internal/controller"

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
	suites, err := buildAll(ctx, environment, scratch, subjects)
	if err != nil {
		return nil, err
	}
	trials := trialsOf(subjects)
	outcomes := each(ctx, suites, trials)
	for i, t := range trials {
		o := <-outcomes[i]
		switch failed := o.said.failed; {
		case o.err != nil:
			err = errors.Join(err, fmt.Errorf("%s: %w", t.name, o.err))
			continue
		case t.id == "" && failed != "":
			err = errors.Join(err, fmt.Errorf("%s: %s fails:\n%s", t.name, failed, o.said.output))
			continue
		case t.id != "" && failed == "":
			unnoticed = append(unnoticed, t.name)
		}
		_, _ = fmt.Fprintf(out, "%-44s %4.0f s  %s\n", t.name, o.took.Seconds(), o.said.failed)
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
		subjects = append(subjects, subject{name: r.name, file: rulesFile, edit: r.edit, test: rulesTest})
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
		subjects = append(subjects, subject{name: g.name, file: g.file, edit: e, test: g.test})
	}
	return subjects, nil
}

// buildAll builds the suites of the subjects. The key is the folder of the package.
func buildAll(ctx context.Context, environment []string, scratch string, subjects []subject) (map[string]*suite, error) {
	suites := map[string]*suite{}
	for _, s := range subjects {
		folder := s.folder()
		if suites[folder] != nil {
			continue
		}
		t, err := build(ctx, environment, filepath.Join(scratch, strings.ReplaceAll(folder, "/", "-")), folder, subjects)
		if err != nil {
			return nil, err
		}
		suites[folder] = t
	}
	return suites, nil
}

// trial is one run of tests of a package: with a mutant, or, if id is "", with everything in place.
type trial struct {
	name, folder, id string
	tests            []string
}

// originalTests is how many tests are run with everything in place in one trial, so that several trials
// share them.
const originalTests = 20

// trialsOf returns the trials of the subjects, the last subject first: the last ones are of the
// controller, whose specs take longest. Before them, it has the same tests with everything in place: a
// test that fails then would seem to miss whatever is taken out.
func trialsOf(subjects []subject) []trial {
	var originals, mutants []trial
	tests := map[string][]string{}
	for i, s := range slices.Backward(subjects) {
		mutants = append(mutants, trial{s.name, s.folder(), strconv.Itoa(i), []string{s.test}})
		if !slices.Contains(tests[s.folder()], s.test) {
			tests[s.folder()] = append(tests[s.folder()], s.test)
		}
	}
	for _, folder := range slices.Sorted(maps.Keys(tests)) {
		for some := range slices.Chunk(tests[folder], originalTests) {
			originals = append(originals, trial{folder + ", with everything in place", folder, "", some})
		}
	}
	return append(originals, mutants...)
}

// outcome is what the tests of a trial said.
type outcome struct {
	said said
	took time.Duration
	err  error
}

// atOnce is how many trials a processor has at once: specs wait for the API server.
const atOnce = 3

// each runs the trials, some at once. The outcomes come in their order.
func each(ctx context.Context, suites map[string]*suite, trials []trial) []chan outcome {
	outcomes := make([]chan outcome, len(trials))
	for i := range outcomes {
		outcomes[i] = make(chan outcome, 1)
	}
	var group errgroup.Group
	group.SetLimit(atOnce * runtime.GOMAXPROCS(0))
	go func() {
		for i, t := range trials {
			group.Go(func() error {
				began := time.Now()
				found, err := suites[t.folder].run(ctx, t.id, t.tests...)
				outcomes[i] <- outcome{found, time.Since(began), err}
				return nil
			})
		}
	}()
	return outcomes
}
