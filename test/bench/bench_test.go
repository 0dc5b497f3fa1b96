// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
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

func TestMedian(t *testing.T) {
	g := NewWithT(t)
	values := []float64{5, 1, 4, 2, 3}
	g.Expect(median(values)).To(Equal(3.0))
	g.Expect(median(values[:2])).To(Equal(3.0), "of an even number the mean of both")
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

func TestTheTablesOfADocumentAreReplaced(t *testing.T) {
	g := NewWithT(t)
	s := section{name: "cold", setup: "10 objects"}
	s.goal("share", 0.95, "", ">=", 0.9)
	s.goal("writes", 3, "", "=", 2)
	s.add("ours", 812.4, "objects/s")
	g.Expect(s.String()).To(Equal("\n### cold\n\n10 objects.\n\n| figure | measured | goal | |\n| --- | ---: | ---: | --- |\n" +
		"| share | 0.950 | at least 0.900 | met |\n| writes | 3 | exactly 2 | missed |\n| ours | 812 objects/s |  |  |\n"))
	g.Expect(s.page()).To(Equal(strings.Replace(s.String(), "10 objects.\n\n", "10 objects.\n\n"+plots["cold"], 1)))
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

func TestBadFlagsAreNamed(t *testing.T) {
	g := NewWithT(t)
	t.Setenv("KUBEBUILDER_ASSETS", "")
	g.Expect((&bench{objects: 200, runs: 1}).check("cold,warm")).To(MatchError(ContainSubstring(`no scenario "warm"; there are: cold`)))
	g.Expect((&bench{objects: 199, runs: 1}).check("")).To(MatchError(ContainSubstring("-objects")))
	g.Expect((&bench{objects: 200}).check("")).To(MatchError(ContainSubstring("-runs")))
	g.Expect((&bench{objects: 200, runs: 1}).check("cold")).To(MatchError(ContainSubstring("KUBEBUILDER_ASSETS is not set")))
}

func TestChurnTellsWhoShowsAChange(t *testing.T) {
	g := NewWithT(t)
	cloud := cloudsim.New(cloudsim.Options{})
	cloudsim.Seed(cloud, cloudsim.SeedOptions{Environment: environment, Clusters: 300, Peerings: 300, Seed: 1})
	before := map[string]any{}
	for _, one := range cloud.Clusters(environment) {
		before[one.ID] = one
	}
	for _, one := range cloud.Peerings(environment) {
		before[one.ID] = one
	}
	c := newChurn(cloud, 1)
	g.Expect(c.clusters).To(HaveLen(3))
	g.Expect(c.peerings).To(HaveLen(3))
	g.Expect(c.affected.HasAll(append(c.clusters, c.peerings...)...)).To(BeTrue())
	g.Expect(len(c.affected)).To(BeNumerically(">", 6), "networks join some")
	g.Expect(c.apply(cloud, 1)).To(Succeed())
	var clusters, peerings []string
	for _, one := range cloud.Clusters(environment) {
		if !reflect.DeepEqual(one, before[one.ID]) {
			clusters = append(clusters, one.ID)
		}
	}
	for _, one := range cloud.Peerings(environment) {
		if !reflect.DeepEqual(one, before[one.ID]) {
			peerings = append(peerings, one.ID)
		}
	}
	g.Expect(clusters).To(Equal(c.clusters), "these and no others")
	g.Expect(peerings).To(Equal(c.peerings), "these and no others")
}

func TestAModelIsWhatAWriterGives(t *testing.T) {
	g := NewWithT(t)
	m := model{resource: resources[0]}
	g.Expect(json.Unmarshal([]byte(`{"apiVersion":"inventory.ccloud.dev/v1alpha1","kind":"KafkaClusterObservation",
		"metadata":{"name":"lkc-1","namespace":"old","uid":"u","resourceVersion":"5","generation":1,"creationTimestamp":"2026-01-02T03:04:05Z",
			"managedFields":[{"manager":"m"}],"labels":{"a":"b"},
			"ownerReferences":[{"apiVersion":"v","kind":"InventorySource","name":"large","uid":"old"}]},
		"spec":{"clusterID":"lkc-1"},"status":{"phase":"PROVISIONED"}}`), &m.object)).To(Succeed())
	owner := &v1alpha1.InventorySource{ObjectMeta: metav1.ObjectMeta{Namespace: "new", Name: "large", UID: "owner"}}
	body, err := m.body(owner)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(body.name).To(Equal("lkc-1"))
	g.Expect(body.object).To(MatchJSON(`{"apiVersion":"inventory.ccloud.dev/v1alpha1","kind":"KafkaClusterObservation",
		"metadata":{"name":"lkc-1","namespace":"new","labels":{"a":"b"},
			"ownerReferences":[{"apiVersion":"v","kind":"InventorySource","name":"large","uid":"owner"}]},
		"spec":{"clusterID":"lkc-1"}}`))
	g.Expect(body.status).To(MatchJSON(`{"status":{"phase":"PROVISIONED"}}`))
	key, value, err := m.stored(owner)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(string(key)).To(Equal("/registry/inventory.ccloud.dev/kafkaclusterobservations/new/lkc-1"))
	g.Expect(string(value)).To(And(ContainSubstring(`"managedFields"`), ContainSubstring(`"generation":1`), Not(ContainSubstring("resourceVersion"))))
}
