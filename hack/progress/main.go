// SPDX-License-Identifier: Apache-2.0

// Command progress reads what go test -json prints and says what is running, what passed and how
// long it took, and of what failed all that it printed. It exits with 1 if anything failed.
//
//	go test -json ./... | go run ./hack/progress
package main

import (
	"bufio"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"os/signal"
	"slices"
	"strings"
	"time"
)

// silence is how long nothing may be said.
const silence = 30 * time.Second

func main() {
	// A terminal's interrupt also ends go test; what that says then is still read.
	signal.Notify(make(chan os.Signal, 1), os.Interrupt)
	lines := make(chan string)
	go func() {
		defer close(lines)
		scanner := bufio.NewScanner(os.Stdin)
		scanner.Buffer(nil, 16<<20)
		for scanner.Scan() {
			lines <- scanner.Text()
		}
	}()
	s := newSummary(os.Stdout)
	tick := time.NewTicker(time.Second)
	for {
		select {
		case line, more := <-lines:
			if !more {
				os.Exit(s.end(time.Now()))
			}
			s.line(line, time.Now())
		case now := <-tick.C:
			s.tick(now)
		}
	}
}

// event is a line of go test -json.
type event struct {
	Action, Package, ImportPath, Test, Output, FailedBuild string
	Elapsed                                                float64
}

// name is what of an event's package is shown.
func (e event) name() string {
	return strings.TrimPrefix(e.Package, "github.com/ccloud-dev/inventory-operator/")
}

// summary keeps account of a run.
type summary struct {
	out   io.Writer
	began time.Time
	// said is when something was last printed.
	said time.Time
	// running has the packages that run, and since when.
	running map[string]time.Time
	// output is what a test printed, by package and test: that of the package itself under "".
	output map[string]map[string]*strings.Builder
	// builds is what compilers and linkers printed, by import path.
	builds map[string]*strings.Builder
	// broken are the tests that failed, by package.
	broken         map[string][]string
	passed, failed int
}

func newSummary(out io.Writer) *summary {
	now := time.Now()
	return &summary{out: out, began: now, said: now, running: map[string]time.Time{}, output: map[string]map[string]*strings.Builder{},
		builds: map[string]*strings.Builder{}, broken: map[string][]string{}}
}

func (s *summary) say(now time.Time, format string, args ...any) {
	s.said = now
	_, _ = fmt.Fprintf(s.out, format+"\n", args...)
}

// line takes a line into account. One that is no event is passed on.
func (s *summary) line(line string, now time.Time) {
	var e event
	if json.Unmarshal([]byte(line), &e) != nil || e.Action == "" {
		s.say(now, "%s", line)
		return
	}
	switch e.Action {
	case "start":
		s.running[e.name()] = now
		s.say(now, "  running  %s", e.name())
	case "build-output":
		write(s.builds, e.ImportPath, e.Output)
	case "output":
		if s.output[e.Package] == nil {
			s.output[e.Package] = map[string]*strings.Builder{}
		}
		write(s.output[e.Package], e.Test, e.Output)
	case "pass", "skip", "fail":
		s.finished(e, now)
	}
}

func write(to map[string]*strings.Builder, key, text string) {
	if to[key] == nil {
		to[key] = &strings.Builder{}
	}
	_, _ = to[key].WriteString(text) // Never fails.
}

// finished takes the end of a test or of a package into account.
func (s *summary) finished(e event, now time.Time) {
	switch {
	case e.Test != "" && e.Action == "fail":
		s.broken[e.name()] = append(s.broken[e.name()], e.Test)
		return
	case e.Test != "":
		delete(s.output[e.Package], e.Test)
		return
	case e.Action == "fail":
		s.failed++
		s.say(now, "  FAILED   %s  %.1f s", e.name(), e.Elapsed)
		s.explain(e)
	case e.Action == "pass":
		s.passed++
		s.say(now, "  ok       %s  %.1f s", e.name(), e.Elapsed)
	}
	delete(s.running, e.name())
	delete(s.output, e.Package)
}

// explain prints all that a package printed that failed, tests that passed left out.
func (s *summary) explain(e event) {
	if text := s.builds[e.FailedBuild]; text != nil {
		_, _ = io.WriteString(s.out, text.String())
	}
	for _, test := range slices.Sorted(maps.Keys(s.output[e.Package])) {
		_, _ = io.WriteString(s.out, s.output[e.Package][test].String())
	}
}

// tick says what is running if nothing was said for long.
func (s *summary) tick(now time.Time) {
	if now.Sub(s.said) < silence {
		return
	}
	var all []string
	for _, name := range slices.SortedFunc(maps.Keys(s.running), func(a, b string) int { return s.running[a].Compare(s.running[b]) }) {
		all = append(all, fmt.Sprintf("%s for %.0f s", name, now.Sub(s.running[name]).Seconds()))
	}
	s.say(now, "  running  %s", cmp.Or(strings.Join(all, ", "), "nothing yet: what the first tests need is being compiled"))
}

// end prints the summary and returns the exit status.
func (s *summary) end(now time.Time) int {
	for _, name := range slices.Sorted(maps.Keys(s.running)) {
		s.failed++
		s.say(now, "  FAILED   %s  ended before its tests did", name)
	}
	seconds := now.Sub(s.began).Seconds()
	if s.failed == 0 {
		s.say(now, "  %d packages passed in %.0f s", s.passed, seconds)
		return 0
	}
	s.say(now, "  %d packages FAILED, %d passed, in %.0f s", s.failed, s.passed, seconds)
	for _, name := range slices.Sorted(maps.Keys(s.broken)) {
		for _, test := range s.broken[name] {
			s.say(now, "    %s  %s", name, test)
		}
	}
	return 1
}
