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

	"github.com/ccloud-dev/inventory-operator/test/cloudsim"
)

// scenario measures one thing.
type scenario struct {
	name string
	// run fills in a section's setup, figures and notes.
	run func(*bench, context.Context, *section) error
}

// scenarios are in the order in which they are run: the first leave behind what
// those after them need.
var scenarios = []scenario{
	{"cold", (*bench).cold},
	{"steady", (*bench).steady},
	{"churn", (*bench).churn},
	{"restart", (*bench).restart},
	{"latency", (*bench).latency},
	{"memory", (*bench).memoryUse},
	{"many", (*bench).many},
}

// bench is one run.
type bench struct {
	*sizes
	seed     int64
	patience time.Duration // with other work on the machine
	// disturbed is how busy the machine was at worst, of 1, when a measurement of the
	// present scenario began; 0 if it was quiet.
	disturbed float64
	// managerFlags are further flags of the managers.
	managerFlags []string
	// machine describes it, and what is measured; "" before the first scene.
	machine string
	// steadyCPU is what a sync without a change costs, 0 if it was not measured.
	steadyCPU time.Duration
	// scene, world and crowd are what scenarios find and leave; nil is none.
	scene *scene
	world *world
	crowd *crowd
}

func main() {
	if len(os.Args) > 1 && os.Args[1] == readFloorCommand {
		exit(readFloor(os.Args[2:]))
	}
	ctrl.SetLogger(zap.New(zap.WriteTo(io.Discard))) // What goes wrong comes back as an error.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	exit(run(ctx, os.Args[1:]))
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench: FAILED:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

// run runs the scenarios that args name.
func run(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("bench", flag.ExitOnError)
	names := flags.String("scenarios", "all", "Scenarios to run, separated by commas: "+strings.Join(scenarioNames(), ", ")+".")
	seed := flags.Int64("seed", 1, "Seed of the simulated inventory.")
	doc := flags.String("doc", "", "Document whose tables to replace, between its markers; empty replaces none.")
	patience := flags.Duration("quiet", 20*time.Second, "How long to wait at most for a quiet machine before each measurement.")
	managerFlags := flags.String("manager-flags", "", "Further flags of the managers, separated by spaces, as --pprof-bind-address=127.0.0.1:6060.")
	sizes := bindSizes(flags)
	if err := flags.Parse(args); err != nil {
		return err
	}
	chosen, err := choose(*names)
	if err != nil {
		return err
	}
	if os.Getenv("KUBEBUILDER_ASSETS") == "" {
		return errors.New(`KUBEBUILDER_ASSETS is not set; run make bench, or set it to "$(hack/controlplane/ensure)"`)
	}
	b := &bench{sizes: sizes, seed: *seed, patience: *patience, managerFlags: strings.Fields(*managerFlags)}
	began := time.Now()
	report, err := b.runAll(ctx, chosen)
	err = errors.Join(err, b.leave())
	if err == nil && *doc != "" {
		err = replaceTables(*doc, fmt.Sprintf("\n%s The run took %s.\n%s\n", b.machine, number(time.Since(began).Minutes(), "min"), report))
	}
	return err
}

// runAll runs scenarios one after another, prints the table of each and returns all of
// them. One that fails does not stop the others; the error is all of theirs.
func (b *bench) runAll(ctx context.Context, chosen []scenario) (report string, errs error) {
	for _, scenario := range chosen {
		s := &section{name: scenario.name}
		b.disturbed = 0
		err := scenario.run(b, ctx, s)
		if b.disturbed > 0 {
			s.note("Other work kept the machine %.0f %% busy when this was measured: the figures are worth little.", 100*b.disturbed)
		}
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
		report += s.String()
	}
	return report, errs
}

// say tells of what goes on, apart from the tables.
func (b *bench) say(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "bench: "+format+"\n", args...)
}

// choose returns the scenarios of those names, in the order they are run.
func choose(names string) ([]scenario, error) {
	if names == "all" {
		return scenarios, nil
	}
	wanted := strings.Split(names, ",")
	for _, name := range wanted {
		if !slices.Contains(scenarioNames(), name) {
			return nil, fmt.Errorf("-scenarios: no scenario %q; there are: %s", name, strings.Join(scenarioNames(), ", "))
		}
	}
	return slices.DeleteFunc(slices.Clone(scenarios), func(s scenario) bool { return !slices.Contains(wanted, s.name) }), nil
}

func scenarioNames() []string {
	names := make([]string, len(scenarios))
	for i, s := range scenarios {
		names[i] = s.name
	}
	return names
}

// enter makes a new scene, with nothing of the former.
func (b *bench) enter(ctx context.Context, cloud cloudsim.Options) error {
	err := b.leave()
	if err == nil {
		b.scene, err = openScene(ctx, cloud, os.Stderr)
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
	if b.crowd != nil {
		b.crowd.watched.stop()
	}
	b.scene, b.world, b.crowd = nil, nil, nil
	return scene.close()
}
