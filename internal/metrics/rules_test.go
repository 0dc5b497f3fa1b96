// SPDX-License-Identifier: Apache-2.0

package metrics

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
	"github.com/prometheus/client_golang/prometheus"
	"sigs.k8s.io/yaml"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
)

// rule is one alert.
type rule struct {
	Alert       string            `json:"alert"`
	Expr        string            `json:"expr"`
	Annotations map[string]string `json:"annotations"`
}

func rules(t *testing.T) []rule {
	text, err := os.ReadFile("../../config/prometheus/rules.yaml")
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	var file struct {
		Spec struct {
			Groups []struct{ Rules []rule } `json:"groups"`
		} `json:"spec"`
	}
	NewWithT(t).Expect(yaml.Unmarshal(text, &file)).To(Succeed())
	var all []rule
	for _, group := range file.Spec.Groups {
		all = append(all, group.Rules...)
	}
	NewWithT(t).Expect(all).NotTo(BeEmpty())
	return all
}

// declared returns the names of all metrics there are.
func declared() []string {
	var names []string
	descriptions := make(chan *prometheus.Desc, 100)
	registry, m := used()
	_ = registry
	for _, c := range []prometheus.Collector{&Collector{Kinds: kinds}, m.syncs, m.syncDuration, m.writes, m.skipped, m.requests, m.requestSeconds, m.remaining} {
		c.Describe(descriptions)
	}
	close(descriptions)
	name := regexp.MustCompile(`fqName: "([^"]*)"`)
	for d := range descriptions {
		names = append(names, name.FindStringSubmatch(d.String())[1])
	}
	return append(names, "ccloud_inventory_build_info", "leader_election_master_status") // The latter is controller-runtime's.
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

// Every reason for which a source is not ready has an alert that comes sooner than the
// one for any reason, but for those that only mean that it is at work.
func TestEveryReasonRaisesAnAlert(t *testing.T) {
	t.Parallel()
	reasons := regexp.MustCompile(`reason=~?"([^"]*)"`)
	var alerted []string
	for _, r := range rules(t) {
		for _, match := range reasons.FindAllStringSubmatch(r.Expr, -1) {
			alerted = append(alerted, strings.Split(match[1], "|")...)
		}
	}
	slices.Sort(alerted)
	want := []string{
		v1alpha1.ReasonSecretNotFound, v1alpha1.ReasonSecretInvalid, v1alpha1.ReasonEndpointNotAllowed, v1alpha1.ReasonUnauthenticated,
		v1alpha1.ReasonForbidden, v1alpha1.ReasonInvalidRequest, v1alpha1.ReasonRateLimited, v1alpha1.ReasonCloudUnavailable,
		v1alpha1.ReasonIncompleteListing, v1alpha1.ReasonMalformedResponse, v1alpha1.ReasonNameConflict, v1alpha1.ReasonWriteFailed,
		v1alpha1.ReasonServiceAccountTokenFailed, v1alpha1.ReasonTokenExchangeRefused, v1alpha1.ReasonConfigMapsOff,
	}
	slices.Sort(want)
	NewWithT(t).Expect(alerted).To(Equal(want))
}
