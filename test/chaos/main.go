// SPDX-License-Identifier: Apache-2.0

// Command chaos disturbs everything that the operator depends on, at random. The seed decides how.
// After every round, chaos checks what must always hold. It runs the built manager with a real API
// server and the simulated cloud. docs/chaos.md says what it does, what it checks, and how to read
// its output.
//
// `make chaos` runs the command with KUBEBUILDER_ASSETS set. The exit status is 0 if all rounds ran
// without a violation. It is 1 if there were violations or the run could not go on, and 2 if the
// flags are wrong.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"syscall"

	"k8s.io/klog/v2"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
)

// Exit statuses.
const (
	exitOK = iota
	exitFailed
	exitUsage
)

// settings are the command's flags.
type settings struct {
	seed   uint64
	rounds int
	every  int
	keep   bool
	// only is a disturbance that is done in every round, instead of the one in the schedule.
	only disturbance
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := execute(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// execute runs the rounds and returns the exit status.
func execute(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	set, err := parse(args, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return exitOK
	}
	if err != nil {
		_, _ = fmt.Fprintln(stderr, "chaos:", err)
		return exitUsage
	}
	log.SetLogger(zap.New(zap.WriteTo(io.Discard))) // client-go logs every restart of the API server.
	klog.SetLogger(log.Log)
	dir, err := os.MkdirTemp("", "inventory-operator-chaos-")
	if err != nil {
		_, _ = fmt.Fprintln(stderr, "chaos:", err)
		return exitFailed
	}
	violations, err := run(ctx, set, dir, stdout)
	failed := err != nil || violations > 0
	if err != nil {
		_, _ = fmt.Fprintln(stderr, "\nchaos: FAILED:", err)
	}
	if failed || set.keep {
		_, _ = fmt.Fprintf(stderr, "chaos: the managers' logs, the API server's audit log and the log of what was done are kept in %s\n", dir)
	} else {
		_ = os.RemoveAll(dir) // A folder that is left does no harm.
	}
	if failed {
		return exitFailed
	}
	return exitOK
}

func parse(args []string, stderr io.Writer) (settings, error) {
	var set settings
	flags := flag.NewFlagSet("chaos", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Uint64Var(&set.seed, "seed", 1, "seed of all random numbers: the same seed does the same things")
	flags.IntVar(&set.rounds, "rounds", 200, "how many rounds to run")
	flags.IntVar(&set.every, "every", 20, "print a line after so many rounds")
	flags.BoolVar(&set.keep, "keep", false, "keep the folder of logs even without a violation")
	flags.Func("disturbance", fmt.Sprintf("do one of %q in every round, in place of the scheduled ones", disturbances), func(name string) error {
		set.only = disturbance(name)
		if name != string(noDisturbance) && !slices.Contains(disturbances, set.only) {
			return fmt.Errorf("use one of %q or %q", disturbances, noDisturbance)
		}
		return nil
	})
	if err := flags.Parse(args); err != nil {
		return set, err
	}
	switch {
	case flags.NArg() > 0:
		return set, fmt.Errorf("unexpected argument %q: there are flags only", flags.Arg(0))
	case set.rounds < 1:
		return set, fmt.Errorf("--rounds is %d: use 1 or more", set.rounds)
	case set.every < 1:
		return set, fmt.Errorf("--every is %d: use 1 or more", set.every)
	}
	return set, nil
}

// mostViolations is the number of violations that ends a run. More violations would show nothing
// new.
const mostViolations = 20

// run starts everything, runs the rounds, and stops everything. It returns the number of
// violations. The error says why the run could not go on.
func run(ctx context.Context, set settings, dir string, stdout io.Writer) (violations int, err error) {
	t := newTally(set, stdout)
	t.begin()
	h, err := newHarness(ctx, set, dir, t)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, h.close()) }()
	t.ready()
	for number, planned := range schedule(set.seed, set.rounds) {
		planned.disturbance = cmp.Or(set.only, planned.disturbance)
		if err := h.round(ctx, number+1, planned); err != nil {
			t.end(h)
			if ctx.Err() != nil { // The run was interrupted, so the failure is no news.
				err = ctx.Err()
			}
			return t.violations, fmt.Errorf("given up in round %d: %w", number+1, err)
		}
		if t.violations >= mostViolations {
			break
		}
	}
	t.end(h)
	return t.violations, nil
}
