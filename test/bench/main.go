// SPDX-License-Identifier: Apache-2.0

// Command bench measures the operator on this machine: a real API server, the
// simulated cloud and the built manager as a process. Each scenario prints a table.
// Beside its own figures it measures, in the same run, the floor: the least that the
// same work costs. Machines differ, ratios less.
//
// `make bench` runs it with KUBEBUILDER_ASSETS set. It needs Linux, for /proc.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
)

// scenarios are in the order in which they are run. Those of the large source take it
// over from the one before.
var scenarios = []struct {
	name string
	// run fills in a section's setup and figures.
	run func(*bench, context.Context, *section) error
}{
	{"cold", (*bench).cold},
	{"steady", (*bench).steady},
	{"churn", (*bench).churn},
	{"restart", (*bench).restart},
	{"latency", (*bench).latency},
	{"memory", (*bench).memory},
	{"tokens", (*bench).tokens},
}

// bench is one run.
type bench struct {
	objects, runs int
	managerFlags  []string
	// machine describes it, and what is measured; "" before the first scene.
	machine string
	// steadyCPU is what a sync without a change costs, 0 if it was not measured.
	steadyCPU time.Duration
	// scene is what scenarios find and leave, source the large source on it, mirrored
	// whole; nil is none.
	scene  *scene
	source *v1alpha1.InventorySource
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "bench: FAILED:", err)
		os.Exit(1)
	}
}

// run runs the scenarios, or the process that reads the floor.
func run() error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	ctrl.SetLogger(zap.New(zap.WriteTo(io.Discard))) // What goes wrong comes back as an error.
	if len(os.Args) > 1 && os.Args[1] == floorCommand {
		return runFloor(ctx, os.Args[1:])
	}
	return runScenarios(ctx, os.Args[1:])
}

// runScenarios runs the scenarios that args name. One that fails does not stop the
// others; the error is all of theirs.
func runScenarios(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("bench", flag.ExitOnError)
	b := &bench{}
	flags.IntVar(&b.objects, "objects", 20_000, "Objects of the large source, half of them clusters, half peerings. At least 200; other sizes follow from it.")
	flags.IntVar(&b.runs, "runs", 2, "How often cold and its floor, and restart, are measured each.")
	names := flags.String("scenarios", "", "Scenarios to run, separated by commas; empty runs all: "+strings.Join(scenarioNames(), ", ")+".")
	doc := flags.String("doc", "", "Document whose tables to replace, between its markers; empty replaces none.")
	managerFlags := flags.String("manager-flags", "", "Further flags of the managers, separated by spaces, as --pprof-bind-address=127.0.0.1:6060.")
	if err := flags.Parse(args); err != nil {
		return err
	}
	b.managerFlags = strings.Fields(*managerFlags)
	if err := b.check(*names); err != nil {
		return err
	}
	began, report := time.Now(), ""
	var errs error
	for _, scenario := range scenarios {
		if *names != "" && !slices.Contains(strings.Split(*names, ","), scenario.name) {
			continue
		}
		s := &section{name: scenario.name}
		err := scenario.run(b, ctx, s)
		if err == nil {
			err = s.check()
		}
		if err != nil {
			errs = errors.Join(errs, fmt.Errorf("%s: %w", scenario.name, err), b.leave())
			if ctx.Err() != nil {
				break
			}
			continue
		}
		fmt.Print(s)
		report += s.page()
	}
	errs = errors.Join(errs, b.leave())
	if errs == nil && *doc != "" {
		return replaceTables(*doc, fmt.Sprintf("\n%s The run took %s.\n%s\n", b.machine, number(time.Since(began).Minutes(), "min"), report))
	}
	return errs
}

// check returns an error that names the flag or variable which does not do.
func (b *bench) check(names string) error {
	for name := range strings.SplitSeq(names, ",") {
		if name != "" && !slices.Contains(scenarioNames(), name) {
			return fmt.Errorf("-scenarios: no scenario %q; there are: %s", name, strings.Join(scenarioNames(), ", "))
		}
	}
	switch {
	case b.objects < smallest:
		return fmt.Errorf("-objects: %d are too few; take %d or more", b.objects, smallest)
	case b.runs < 1:
		return fmt.Errorf("-runs: %d measures nothing; take 1 or more", b.runs)
	case os.Getenv("KUBEBUILDER_ASSETS") == "":
		return errors.New(`KUBEBUILDER_ASSETS is not set; run make bench, or set it to "$(hack/controlplane/ensure)"`)
	}
	return nil
}

// smallest is the smallest large source: 1 % of each kind are to change in it.
const smallest = 2 * changedOf

func scenarioNames() []string {
	names := make([]string, len(scenarios))
	for i, s := range scenarios {
		names[i] = s.name
	}
	return names
}

// say tells of what goes on, apart from the tables.
func say(format string, args ...any) { fmt.Fprintf(os.Stderr, "bench: "+format+"\n", args...) }

// enter makes a new scene, with nothing of the former.
func (b *bench) enter(ctx context.Context) error {
	err := b.leave()
	if err == nil {
		b.scene, err = openScene(ctx)
	}
	if err == nil && b.machine == "" {
		b.machine, err = b.scene.describe(ctx)
	}
	return err
}

// leave ends the scene.
func (b *bench) leave() error {
	if b.scene == nil {
		return nil
	}
	scene := b.scene
	b.scene, b.source = nil, nil
	return scene.close()
}
