// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"flag"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"
)

func TestGoals(t *testing.T) {
	for _, tc := range []struct {
		value    float64
		relation string
		want     float64
		met      bool
	}{
		{0.9, ">=", 0.9, true}, {0.89, ">=", 0.9, false},
		{1.5, "<=", 1.5, true}, {1.51, "<=", 1.5, false},
		{110, "=", 110, true}, {111, "=", 110, false}, {109, "=", 110, false},
		{0, "=", 0, true}, {1, "=", 0, false},
	} {
		g := NewWithT(t)
		var f figures
		f.goal("it", tc.value, "", tc.relation, tc.want)
		g.Expect(f[0].Goal.Met).To(Equal(tc.met), "%v %s %v", tc.value, tc.relation, tc.want)
	}
}

func TestFiguresThatCannotBe(t *testing.T) {
	g := NewWithT(t)
	var none, zero, nan, negative, fine figures
	zero.add("speed", 0, "objects/s")
	nan.add("speed", math.NaN(), "")
	negative.add("speed", -1, "")
	fine.goal("writes", 0, "", "=", 0)
	fine.goal("share", 0.5, "", ">=", 0.9)
	g.Expect(none.check()).To(MatchError("nothing was measured"))
	g.Expect(zero.check()).To(MatchError(ContainSubstring("speed: 0")))
	g.Expect(nan.check()).To(MatchError(ContainSubstring("NaN")))
	g.Expect(negative.check()).To(MatchError(ContainSubstring("-1")))
	g.Expect(fine.check()).To(Succeed())
	var unmeasured figures
	unmeasured.goal("time", 0, "s", "<=", 1.5)
	g.Expect(unmeasured.check()).NotTo(Succeed(), "zero meets the goal, but nothing takes no time")
}

func TestQuantiles(t *testing.T) {
	g := NewWithT(t)
	values := []float64{5, 1, 4, 2, 3}
	g.Expect(quantile(values, 0.5)).To(Equal(3.0))
	g.Expect(quantile(values, 0.99)).To(Equal(5.0))
	g.Expect(quantile(values, 1)).To(Equal(5.0))
	g.Expect(quantile(nil, 0.5)).To(BeZero())
	g.Expect(median(values)).To(Equal(3.0))
	g.Expect(median([]float64{1, 2})).To(Equal(1.5))
	g.Expect(median(nil)).To(BeZero())
	g.Expect(values).To(Equal([]float64{5, 1, 4, 2, 3}), "the values stay as they were")
}

func TestNumbers(t *testing.T) {
	g := NewWithT(t)
	g.Expect(number(1234.5, "objects/s")).To(Equal("1234 objects/s"))
	g.Expect(number(12.34, "MiB")).To(Equal("12.3 MiB"))
	g.Expect(number(1.234, "x")).To(Equal("1.23 x"))
	g.Expect(number(0.8765, "")).To(Equal("0.876"))
	g.Expect(number(2, "")).To(Equal("2"))
}

func TestSizes(t *testing.T) {
	g := NewWithT(t)
	parse := func(quick bool, args ...string) (sizes, error) {
		set := flag.NewFlagSet("bench", flag.ContinueOnError)
		set.SetOutput(&strings.Builder{})
		bound := bindSizes(set)
		err := set.Parse(args)
		return bound.of(set, quick), err
	}
	g.Expect(parse(false)).To(Equal(fullSizes))
	g.Expect(parse(true)).To(Equal(quickSizes))
	given, err := parse(true, "-clusters=7", "-memory=10,20")
	g.Expect(err).NotTo(HaveOccurred())
	want := quickSizes
	want.clusters, want.memory = 7, numbers{10, 20}
	g.Expect(given).To(Equal(want), "what was given wins over quick")
	_, err = parse(false, "-memory=20,10")
	g.Expect(err).To(MatchError(ContainSubstring("ascending")))
	g.Expect(fullSizes.memory).To(Equal(numbers{1000, 10_000, 20_000, 100_000}))
}

func TestChoose(t *testing.T) {
	g := NewWithT(t)
	g.Expect(choose("all")).To(HaveLen(len(scenarios)))
	chosen, err := choose("steady,cold")
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect([]string{chosen[0].name, chosen[1].name}).To(Equal([]string{"cold", "steady"}))
	_, err = choose("cold,warm")
	g.Expect(err).To(MatchError(ContainSubstring(`no scenario "warm"; there are: cold`)))
}

// sample is a record with a goal met and one missed.
func sample() record {
	r := record{Scenario: "cold", Time: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Seconds: 60, Setup: "10 objects",
		Machine: machine{CPU: "A CPU", Cores: 2, Memory: "8 GiB", Kernel: "6.1", OS: "linux/amd64"},
		Version: versions{Operator: "v1", Go: "go1", Kubernetes: "v1.2"}, Notes: []string{"A note."}}
	r.Figures.goal("share", 0.95, "", ">=", 0.9)
	r.Figures.goal("writes", 3, "", "=", 2)
	r.Figures.add("ours", 812.4, "objects/s")
	return r
}

func TestRow(t *testing.T) {
	r := sample()
	NewWithT(t).Expect(r.row()).To(Equal(
		"| cold | share: 0.950 (at least 0.900, met); writes: 3 (exactly 2, missed); ours: 812 objects/s | 1 of 2 met |\n"))
}

func TestReplaceTable(t *testing.T) {
	g := NewWithT(t)
	path := filepath.Join(t.TempDir(), "doc.md")
	g.Expect(os.WriteFile(path, []byte("before\n"+beginMark+"of an earlier run\n"+endMark+"after\n"), 0o600)).To(Succeed())
	for range 2 {
		g.Expect(replaceTable(path, []record{sample()})).To(Succeed())
	}
	text, err := os.ReadFile(path)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(string(text)).To(And(HavePrefix("before\n"+beginMark), HaveSuffix(endMark+"after\n"),
		Not(ContainSubstring("of an earlier run")), ContainSubstring("A CPU, 2 cores"),
		ContainSubstring("| writes | 3 | exactly 2 | missed |"), ContainSubstring("\nA note.\n")))
	g.Expect(os.WriteFile(path, []byte("no marks\n"), 0o600)).To(Succeed())
	g.Expect(replaceTable(path, nil)).To(MatchError(ContainSubstring("lacks the lines")))
}

func TestRecords(t *testing.T) {
	g := NewWithT(t)
	path := filepath.Join(t.TempDir(), "sub", "records.jsonl")
	r := sample()
	for range 2 {
		g.Expect(r.appendTo(path)).To(Succeed())
	}
	text, err := os.ReadFile(path)
	g.Expect(err).NotTo(HaveOccurred())
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	g.Expect(lines).To(HaveLen(2))
	var read record
	g.Expect(json.Unmarshal([]byte(lines[1]), &read)).To(Succeed())
	g.Expect(read).To(Equal(r))
	r.Figures.add("nothing", 0, "")
	g.Expect(r.appendTo(path)).To(MatchError(ContainSubstring("cold: nothing: 0")), "a figure that cannot be is not recorded")
}
