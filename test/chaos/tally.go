// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/ccloud-dev/inventory-operator/test/cloudsim"
)

// counter is something that is counted. Its value is its printed name.
type counter string

const (
	inventoryChanges    counter = "changes in the cloud"
	strangerEdits       counter = "edits by a stranger"
	credentialFaults    counter = "faults of a credential"
	kills               counter = "managers killed"
	apiRestarts         counter = "API server restarts"
	apiFaults           counter = "faults of the API server"
	furtherDisturbances counter = "disturbances in steps"
	leaderChanges       counter = "leaders ended"
	approvals           counter = "prunes approved"
	observationWrites   counter = "writes of observations"
)

// counters has all counters, in the order of printing.
var counters = []counter{inventoryChanges, strangerEdits, credentialFaults, kills, apiRestarts, apiFaults, furtherDisturbances, leaderChanges, approvals, observationWrites}

// tally counts what was done and what was found, and prints the counts.
type tally struct {
	settings
	out   io.Writer
	start time.Time

	mu         sync.Mutex
	counts     map[counter]int
	round      int // the current round
	done       int // how many rounds were checked
	violations int
	longest    time.Duration
	last       time.Time // end of the last round
}

func newTally(set settings, out io.Writer) *tally {
	return &tally{settings: set, out: out, start: time.Now(), counts: map[counter]int{}}
}

func (t *tally) say(format string, args ...any) { _, _ = fmt.Fprintf(t.out, format+"\n", args...) }

func (t *tally) count(c counter) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.counts[c]++
}

func (t *tally) begin() {
	t.say("chaos: seed %d, %d rounds, on %s", t.seed, t.rounds, machine())
	t.say("chaos: building the manager, starting a control plane and the simulated cloud")
}

func (t *tally) ready() {
	t.last = time.Now()
	t.say("chaos: ready after %s", t.since())
}

// report prints the violations of a round. From time to time it also prints a line about the run.
func (t *tally) report(h *harness, violations []violation) {
	number := t.round
	t.done++
	t.longest = max(t.longest, time.Since(t.last))
	t.last = time.Now()
	t.violations += len(violations)
	for _, v := range violations {
		t.say("VIOLATION in round %d: %s: %s", number, v.where, v.what)
	}
	if len(violations) > 0 {
		t.say("  see round %d in %s/journal.log, and what the cluster held then in %s/round-%d-*.yaml", number, h.dir, h.dir, number)
	}
	if t.whole(t.every) {
		faults := 0
		for _, n := range h.Cloud.FaultCounts() {
			faults += n
		}
		t.mu.Lock()
		defer t.mu.Unlock()
		t.say("round %3d  %5s  %d faults, %d changes, %d edits, %d kills, %d API restarts, %d leader changes, %d requests, %d violations",
			number, t.since(), faults, t.counts[inventoryChanges], t.counts[strangerEdits], t.counts[kills],
			t.counts[apiRestarts], t.counts[leaderChanges], h.cloudProxy.count(), t.violations)
	}
}

// whole reports whether the number of the current round is a multiple of every, or whether the
// round is the last of the run.
func (t *tally) whole(every int) bool { return t.round%every == 0 || t.round == t.rounds }

// end prints the sums at the end of the run.
func (t *tally) end(h *harness) {
	t.say("\n%-28s %d", "rounds", t.done)
	for _, c := range counters {
		t.say("%-28s %d", c, t.counts[c])
	}
	t.say("%-28s %d", "requests to the cloud", h.cloudProxy.count())
	counts := h.Cloud.FaultCounts()
	sum := 0
	for _, n := range counts {
		sum += n
	}
	t.say("%-28s %d, of %d of the %d kinds", "faults", sum, len(counts), len(cloudsim.Faults()))
	for _, f := range slices.Sorted(maps.Keys(counts)) {
		t.say("  %-26s %d", f, counts[f])
	}
	t.say("%-28s %s, the longest round %s", "time", t.since(), t.longest.Round(100*time.Millisecond))
	t.say("%-28s %s", "machine", machine())
	t.say("%-28s %d", "seed", t.seed)
	t.say("%-28s %d", "violations", t.violations)
	if t.violations > 0 {
		t.say("To repeat it: make chaos SEED=%d ROUNDS=%d", t.seed, t.rounds)
	}
}

func (t *tally) since() time.Duration { return time.Since(t.start).Round(time.Second) }

// machine describes the machine of the run.
func machine() string {
	text := fmt.Sprintf("%d processors, %s/%s, %s", runtime.NumCPU(), runtime.GOOS, runtime.GOARCH, runtime.Version())
	if model := field("/proc/cpuinfo", "model name"); model != "" {
		text += ", " + model
	}
	if memory := field("/proc/meminfo", "MemTotal"); memory != "" {
		text += ", memory " + memory
	}
	return text
}

// field returns the value of the first line "name: value" in a file; "" if there is none.
func field(path, name string) string {
	file, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer file.Close()
	for scanner := bufio.NewScanner(file); scanner.Scan(); {
		if key, value, found := strings.Cut(scanner.Text(), ":"); found && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return ""
}
