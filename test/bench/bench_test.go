// SPDX-License-Identifier: Apache-2.0

package main

import (
	"flag"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	"github.com/prometheus/procfs"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
	"github.com/ccloud-dev/inventory-operator/test/cloudsim"
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
		var f figures
		f.goal("it", tc.value, "", tc.relation, tc.want)
		NewWithT(t).Expect(f[0].goal.met).To(Equal(tc.met), "%v %s %v", tc.value, tc.relation, tc.want)
	}
}

func TestFiguresThatCannotBe(t *testing.T) {
	g := NewWithT(t)
	var none, zero, nan, negative, fine, unmeasured figures
	zero.add("speed", 0, "objects/s")
	nan.add("speed", math.NaN(), "")
	negative.add("speed", -1, "")
	fine.goal("writes", 0, "", "=", 0)
	fine.goal("share", 0.5, "", ">=", 0.9)
	unmeasured.goal("time", 0, "s", "<=", 1.5)
	g.Expect(none.check()).To(MatchError("nothing was measured"))
	g.Expect(zero.check()).To(MatchError(ContainSubstring("speed: 0")))
	g.Expect(nan.check()).To(MatchError(ContainSubstring("NaN")))
	g.Expect(negative.check()).To(MatchError(ContainSubstring("-1")))
	g.Expect(fine.check()).To(Succeed())
	g.Expect(unmeasured.check()).NotTo(Succeed(), "zero meets the goal, but nothing takes no time")
}

func TestQuantiles(t *testing.T) {
	g := NewWithT(t)
	values := []float64{5, 1, 4, 2, 3}
	g.Expect(quantile(values, 0.5)).To(Equal(3.0))
	g.Expect(quantile(values, 0.99)).To(Equal(5.0))
	g.Expect(quantile(values, 1)).To(Equal(5.0))
	g.Expect(quantile(nil, 0.5)).To(BeZero())
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
	set := flag.NewFlagSet("bench", flag.ContinueOnError)
	set.SetOutput(&strings.Builder{})
	sizes := bindSizes(set)
	g.Expect(set.Parse([]string{"-objects=7", "-memory=10,20"})).To(Succeed())
	g.Expect(sizes.objects).To(Equal(7))
	g.Expect(sizes.memory).To(Equal(numbers{10, 20}))
	g.Expect(sizes.memory.String()).To(Equal("10,20"))
	g.Expect(set.Parse([]string{"-memory=20,10"})).To(MatchError(ContainSubstring("ascending")))
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

func TestTheTablesOfADocumentAreReplaced(t *testing.T) {
	g := NewWithT(t)
	s := section{name: "cold", setup: "10 objects"}
	s.goal("share", 0.95, "", ">=", 0.9)
	s.goal("writes", 3, "", "=", 2)
	s.add("ours", 812.4, "objects/s")
	s.note("A %s.", "note")
	g.Expect(s.String()).To(Equal("\n### cold\n\n10 objects.\n\n| figure | measured | goal | |\n| --- | ---: | ---: | --- |\n" +
		"| share | 0.950 | at least 0.900 | met |\n| writes | 3 | exactly 2 | missed |\n| ours | 812 objects/s |  |  |\n\nA note.\n"))
	path := filepath.Join(t.TempDir(), "doc.md")
	g.Expect(os.WriteFile(path, []byte("before\n"+beginMark+"of an earlier run\n"+endMark+"after\n"), 0o600)).To(Succeed())
	for range 2 {
		g.Expect(replaceTables(path, "new\n")).To(Succeed())
	}
	g.Expect(os.ReadFile(path)).To(BeEquivalentTo("before\n" + beginMark + "new\n" + endMark + "after\n"))
	g.Expect(os.WriteFile(path, []byte("no marks\n"), 0o600)).To(Succeed())
	g.Expect(replaceTables(path, "")).To(MatchError(ContainSubstring("lacks the lines")))
}

func TestSamples(t *testing.T) {
	g := NewWithT(t)
	before, err := parseSamples(strings.NewReader(`# HELP apiserver_request_total Requests.
# TYPE apiserver_request_total counter
apiserver_request_total{resource="inventorysources",subresource="status",verb="PATCH"} 2
apiserver_request_total{resource="inventorysources",subresource="",verb="GET"} 7
process_start_time_seconds 1.7e+09
# TYPE seconds histogram
seconds_bucket{le="+Inf"} 2
seconds_sum 0.5
seconds_count 2
`))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(before.sum("apiserver_request_total")).To(Equal(9.0))
	g.Expect(before.sum("seconds")).To(Equal(0.5))
	g.Expect(before.sum("process_start_time_seconds")).To(Equal(1.7e9))
	g.Expect(before.sum("apiserver_request_total", label{"verb", "PATCH"})).To(Equal(2.0))
	g.Expect(before.sum("apiserver_request_total", label{"source", "inventorysources"})).To(BeZero(), "a label is matched whole")
	after, err := parseSamples(strings.NewReader(`apiserver_request_total{resource="inventorysources",subresource="status",verb="PATCH"} 5
apiserver_request_total{resource="kafkaclusterobservations",subresource="",verb="POST"} 3
apiserver_request_total{resource="peeringobservations",subresource="status",verb="PATCH"} 4
`))
	g.Expect(err).NotTo(HaveOccurred())
	counted := after.since(before)
	g.Expect(counted.writes("inventorysources")).To(Equal(3.0))
	g.Expect(counted.observationWrites()).To(Equal(7.0), "what first came between both counts from zero")
}

func TestThisProcessUsesSomething(t *testing.T) {
	g := NewWithT(t)
	used, err := usageOf(os.Getpid())
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(used.resident).To(BeNumerically(">", mebibyte))
	g.Expect(used.peak).To(BeNumerically(">=", used.resident))
	g.Expect(used.resident).To(BeNumerically(">", used.binary))
}

func TestBusy(t *testing.T) {
	g := NewWithT(t)
	before := procfs.CPUStat{User: 1, System: 0.5, Idle: 8, Iowait: 0.5}
	after := procfs.CPUStat{User: 1.25, System: 0.5, Idle: 8.5, Iowait: 0.75}
	g.Expect(busyBetween(before, after)).To(BeNumerically("~", 0.25, 1e-9), "waiting for a disk is idle")
	g.Expect(busyBetween(before, before)).To(BeZero())
}

func TestMostWithin(t *testing.T) {
	g := NewWithT(t)
	at := func(seconds ...int) []cloudsim.Call {
		calls := make([]cloudsim.Call, len(seconds))
		for i, s := range seconds {
			calls[i].Time = time.Unix(int64(s), 0)
		}
		return calls
	}
	g.Expect(mostWithin(at())).To(BeZero())
	g.Expect(mostWithin(at(0, 10, 20))).To(Equal(1.0), "the window's end is not in it")
	g.Expect(mostWithin(at(0, 8, 9, 10, 11, 30))).To(Equal(4.0))
}

func TestCrowdSeesSyncs(t *testing.T) {
	g := NewWithT(t)
	c := &crowd{seen: map[string]*sighting{}}
	source := &v1alpha1.InventorySource{ObjectMeta: metav1.ObjectMeta{Name: "one"}}
	see := func(due time.Time) {
		source.Status.LastSyncTime = &metav1.Time{Time: time.Now()}
		source.Status.NextSyncTime = &metav1.Time{Time: due}
		c.see(source.DeepCopy())
	}
	c.see(source.DeepCopy())
	g.Expect(c.seen).To(BeEmpty(), "it was not synced yet")
	due := time.Now().Add(-time.Minute)
	see(due)
	see(due)
	g.Expect(c.syncs).To(Equal(1), "an event without a sync is none")
	g.Expect(c.late).To(BeZero())
	see(time.Now())
	g.Expect(c.syncs).To(Equal(2))
	g.Expect(c.late).To(BeNumerically("~", time.Minute, time.Second), "the second sync came a minute after it was due")
}
