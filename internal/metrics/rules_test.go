// SPDX-License-Identifier: Apache-2.0

package metrics

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
	"github.com/prometheus/client_golang/prometheus"
	"sigs.k8s.io/yaml"
)

// rule is one alert.
type rule struct {
	Alert       string            `json:"alert"`
	Expr        string            `json:"expr"`
	Annotations map[string]string `json:"annotations"`
}

func rules(t *testing.T) []rule {
	files, err := filepath.Glob("../../config/*/rules.yaml")
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	var all []rule
	for _, name := range files {
		text, err := os.ReadFile(name)
		NewWithT(t).Expect(err).NotTo(HaveOccurred())
		var file struct {
			Spec struct {
				Groups []struct{ Rules []rule } `json:"groups"`
			} `json:"spec"`
		}
		NewWithT(t).Expect(yaml.Unmarshal(text, &file)).To(Succeed())
		for _, group := range file.Spec.Groups {
			all = append(all, group.Rules...)
		}
	}
	NewWithT(t).Expect(all).NotTo(BeEmpty())
	return all
}

// recorder records the collectors that are registered.
type recorder struct{ collectors []prometheus.Collector }

func (r *recorder) Register(c prometheus.Collector) error { r.MustRegister(c); return nil }

func (r *recorder) MustRegister(all ...prometheus.Collector) {
	r.collectors = append(r.collectors, all...)
}

func (r *recorder) Unregister(prometheus.Collector) bool { return false }

// namesOf returns the names of the metrics of these collectors.
func namesOf(collectors ...prometheus.Collector) []string {
	var names []string
	descriptions := make(chan *prometheus.Desc, 100)
	for _, c := range collectors {
		c.Describe(descriptions)
	}
	close(descriptions)
	name := regexp.MustCompile(`fqName: "([^"]*)"`)
	for d := range descriptions {
		names = append(names, name.FindStringSubmatch(d.String())[1])
	}
	return names
}

// declared returns the names of all metrics of the manager.
func declared() []string {
	r := &recorder{}
	New(r, testBuild)
	r.MustRegister(&Collector{Kinds: kinds})
	return append(namesOf(r.collectors...), "leader_election_master_status") // controller-runtime declares this metric
}

func TestEveryMetricHasASeriesInATest(t *testing.T) {
	t.Parallel()
	r := &recorder{}
	New(r, testBuild)
	registry, _ := used()
	families, err := registry.Gather()
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	var gathered []string
	for _, family := range families {
		gathered = append(gathered, family.GetName())
	}
	NewWithT(t).Expect(gathered).To(ConsistOf(namesOf(r.collectors...)), "used in metrics_test.go")
}

func TestEveryAlertAsksForMetricsThereAreAndNamesItsSource(t *testing.T) {
	t.Parallel()
	metric := regexp.MustCompile(`(ccloud_inventory|leader_election)_[a-z_]+`)
	names := declared()
	for _, r := range rules(t) {
		g := NewWithT(t)
		asked := metric.FindAllString(r.Expr, -1)
		g.Expect(asked).NotTo(BeEmpty(), r.Alert)
		for _, name := range asked {
			g.Expect(names).To(ContainElement(name), r.Alert)
		}
		if !strings.HasPrefix(r.Alert, "InventoryOperator") {
			g.Expect(r.Annotations["summary"]).To(ContainSubstring("{{ $labels.namespace }}/{{ $labels.name }}"), r.Alert)
		}
	}
}

func TestEveryRunbookAsksForMetricsThereAre(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	pages, err := filepath.Glob("../../docs/runbooks/*.md")
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(pages).NotTo(BeEmpty())
	metric := regexp.MustCompile(`(ccloud_inventory|leader_election)_[a-z_]+`)
	names := declared()
	for _, page := range pages {
		text, err := os.ReadFile(page)
		g.Expect(err).NotTo(HaveOccurred())
		for _, name := range metric.FindAllString(string(text), -1) {
			g.Expect(names).To(ContainElement(name), page)
		}
	}
}
