// SPDX-License-Identifier: Apache-2.0

// Package prometheus holds the alerts and the dashboard against Prometheus itself.
package prometheus

import (
	"context"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
	"sigs.k8s.io/yaml"
)

const root = "../.."

// tool returns a command of one of the pinned tools, which is built if need be and then takes
// the script's place.
func tool(ctx context.Context, name string, args ...string) *exec.Cmd {
	return exec.CommandContext(ctx, filepath.Join(root, "hack", "tools", "run"), append([]string{name}, args...)...)
}

// rule is an alert.
type rule struct {
	Alert       string            `json:"alert"`
	Annotations map[string]string `json:"annotations"`
}

// groups writes the groups of the PrometheusRule into a file as Prometheus reads them.
func groups(t *testing.T, path string) (alerts []rule) {
	t.Helper()
	g := NewWithT(t)
	text, err := os.ReadFile(filepath.Join(root, "config", "prometheus", "rules.yaml"))
	g.Expect(err).NotTo(HaveOccurred())
	var file struct {
		Spec map[string]any `json:"spec"`
	}
	g.Expect(yaml.Unmarshal(text, &file)).To(Succeed())
	text, err = yaml.Marshal(file.Spec)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(os.WriteFile(path, text, 0o600)).To(Succeed())
	var typed struct {
		Groups []struct {
			Rules []rule `json:"rules"`
		} `json:"groups"`
	}
	g.Expect(yaml.Unmarshal(text, &typed)).To(Succeed())
	for _, group := range typed.Groups {
		alerts = append(alerts, group.Rules...)
	}
	g.Expect(alerts).NotTo(BeEmpty())
	return alerts
}

func TestAlertsFireWhenTheyShould(t *testing.T) {
	g := NewWithT(t)
	folder := t.TempDir()
	alerts := groups(t, filepath.Join(folder, "rules.yaml"))
	tests, err := os.ReadFile("alerts.yaml")
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(os.WriteFile(filepath.Join(folder, "alerts.yaml"), tests, 0o600)).To(Succeed())

	out, err := tool(t.Context(), "promtool", "check", "rules", "--lint=all", "--lint-fatal", filepath.Join(folder, "rules.yaml")).CombinedOutput()
	g.Expect(err).NotTo(HaveOccurred(), string(out))
	out, err = tool(t.Context(), "promtool", "test", "rules", filepath.Join(folder, "alerts.yaml")).CombinedOutput()
	g.Expect(err).NotTo(HaveOccurred(), string(out))
	for _, alert := range alerts {
		g.Expect(string(tests)).To(ContainSubstring("alertname: "+alert.Alert+"\n"), "it is seen to fire")
	}
}

// queries returns the queries of the runbooks, each with the page it is of.
func queries(t *testing.T) map[string]string {
	t.Helper()
	g := NewWithT(t)
	pages, err := filepath.Glob(filepath.Join(root, "docs", "runbooks", "*.md"))
	g.Expect(err).NotTo(HaveOccurred())
	block := regexp.MustCompile("(?ms)^ *```promql\n(.*?)^ *```$")
	found := map[string]string{}
	for _, page := range pages {
		text, err := os.ReadFile(page)
		g.Expect(err).NotTo(HaveOccurred())
		for _, match := range block.FindAllStringSubmatch(string(text), -1) {
			for query := range strings.SplitSeq(strings.TrimSpace(match[1]), "\n") {
				found[strings.TrimSpace(query)] = filepath.Base(page)
			}
		}
	}
	g.Expect(len(found)).To(BeNumerically(">", 2))
	return found
}

func TestTheQueriesOfRunbooksAreQueries(t *testing.T) {
	g := NewWithT(t)
	var rules []map[string]string
	for _, query := range slices.Sorted(maps.Keys(queries(t))) {
		rules = append(rules, map[string]string{"record": fmt.Sprintf("runbooks:query_%d", len(rules)), "expr": query})
	}
	text, err := yaml.Marshal(map[string]any{"groups": []any{map[string]any{"name": "runbooks", "rules": rules}}})
	g.Expect(err).NotTo(HaveOccurred())
	path := filepath.Join(t.TempDir(), "rules.yaml")
	g.Expect(os.WriteFile(path, text, 0o600)).To(Succeed())
	out, err := tool(t.Context(), "promtool", "check", "rules", path).CombinedOutput()
	g.Expect(err).NotTo(HaveOccurred(), string(out))
}

func TestEveryAlertHasARunbook(t *testing.T) {
	g := NewWithT(t)
	alerts := groups(t, filepath.Join(t.TempDir(), "rules.yaml"))
	pages, err := filepath.Glob(filepath.Join(root, "docs", "runbooks", "Inventory*.md"))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(pages).To(HaveLen(len(alerts)), "a page an alert")
	index, err := os.ReadFile(filepath.Join(root, "docs", "runbooks", "README.md"))
	g.Expect(err).NotTo(HaveOccurred())
	for _, alert := range alerts {
		g.Expect(alert.Annotations["runbook_url"]).To(Equal(
			"https://github.com/ccloud-dev/inventory-operator/blob/main/docs/runbooks/" + alert.Alert + ".md"))
		page, err := os.ReadFile(filepath.Join(root, "docs", "runbooks", alert.Alert+".md"))
		g.Expect(err).NotTo(HaveOccurred())
		for _, heading := range []string{"# " + alert.Alert + "\n", "\n## Impact\n", "\n## Look\n", "\n## Way out\n"} {
			g.Expect(string(page)).To(ContainSubstring(heading), alert.Alert)
		}
		g.Expect(string(index)).To(ContainSubstring("[" + alert.Alert + "]"))
	}
}
