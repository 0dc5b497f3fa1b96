// SPDX-License-Identifier: Apache-2.0

// Command bench measures the operator on this machine: a real API server, the
// simulated cloud and the built manager as a process. Each scenario prints a row of
// a table and appends a record to a file. Beside its own figures it measures, in the
// same run, the floor: the least that the same work costs. Machines differ, ratios less.
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
	"path/filepath"
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
	// run fills in a record's setup, figures and notes.
	run func(*bench, context.Context, *record) error
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
	sizes
	seed     int64
	quick    bool
	patience time.Duration // with other work on the machine
	// disturbed is how busy the machine was at worst, of 1, when a measurement of the
	// present scenario began; 0 if it was quiet.
	disturbed float64
	profiles  string
	log       io.Writer

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
	quick := flags.Bool("quick", false, "Small sizes, for a look in minutes.")
	seed := flags.Int64("seed", 1, "Seed of the simulated inventory.")
	records := flags.String("records", filepath.Join("dist", "benchmarks.jsonl"), "File to append the records to.")
	doc := flags.String("doc", "", "Document whose table to replace, between its markers; empty replaces none.")
	patience := flags.Duration("quiet", 20*time.Second, "How long to wait at most for a quiet machine before each measurement.")
	profiles := flags.String("profiles", "", "Folder for profiles of the manager in cold and steady; empty takes none.")
	size := bindSizes(flags)
	if err := flags.Parse(args); err != nil {
		return err
	}
	chosen, err := choose(*names)
	if err != nil {
		return err
	}
	b := &bench{sizes: size.of(flags, *quick), seed: *seed, quick: *quick, patience: *patience, profiles: *profiles, log: os.Stderr}
	done, err := b.runAll(ctx, chosen, *records)
	err = errors.Join(err, b.leave())
	if err == nil && *doc != "" {
		err = replaceTable(*doc, done)
	}
	return err
}

// runAll runs scenarios one after another. One that fails does not stop the others;
// the error is all of theirs.
func (b *bench) runAll(ctx context.Context, chosen []scenario, path string) ([]record, error) {
	assets := os.Getenv("KUBEBUILDER_ASSETS")
	if assets == "" {
		return nil, errors.New(`KUBEBUILDER_ASSETS is not set; run make bench, or set it to "$(hack/controlplane/ensure)"`)
	}
	machine, err := thisMachine()
	if err != nil {
		return nil, err
	}
	version, err := readVersions(ctx, filepath.Join(assets, "kubectl"))
	if err != nil {
		return nil, err
	}
	var done []record
	var errs error
	fmt.Print(header)
	for _, s := range chosen {
		r := record{Scenario: s.name, Time: time.Now().UTC(), Quick: b.quick, Machine: machine, Version: version}
		b.disturbed = 0
		err := s.run(b, ctx, &r)
		if b.disturbed > 0 {
			r.Notes = append(r.Notes, fmt.Sprintf("Other work kept the machine %.0f %% busy when this was measured: the figures are worth little.", 100*b.disturbed))
		}
		r.Seconds = time.Since(r.Time).Seconds()
		if err == nil {
			err = r.appendTo(path)
		}
		if err != nil {
			errs = errors.Join(errs, fmt.Errorf("%s: %w", s.name, err), b.leave())
			if ctx.Err() != nil {
				break
			}
			continue
		}
		done = append(done, r)
		fmt.Print(r.row())
	}
	return done, errs
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
	if err := b.leave(); err != nil {
		return err
	}
	var err error
	b.scene, err = openScene(ctx, cloud, b.log)
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

// say tells what is going on, beside the table.
func (b *bench) say(format string, args ...any) {
	_, _ = fmt.Fprintf(b.log, "bench: "+format+"\n", args...)
}
