// SPDX-License-Identifier: Apache-2.0

package prometheus

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	"github.com/prometheus/common/model"
	"github.com/prometheus/common/promslog"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/template"
	"go.yaml.in/yaml/v3"
)

const root = "../.."

// scenario is a test of alerts, in the words of Prometheus' own unit tests.
type scenario struct {
	Name        string         `yaml:"name"`
	Interval    model.Duration `yaml:"interval"`
	InputSeries []struct {
		Series string `yaml:"series"`
		Values string `yaml:"values"` // 0x30 is text here, not a number
	} `yaml:"input_series"`
	AlertRuleTest []expectation `yaml:"alert_rule_test"`
	// NothingRaised is a time at which no alert is pending or firing.
	NothingRaised model.Duration `yaml:"nothing_raised"`
	// NothingFires is a time until which no alert fires.
	NothingFires model.Duration `yaml:"nothing_fires"`
}

// expectation is what of an alert fires at a time.
type expectation struct {
	Alertname string         `yaml:"alertname"`
	EvalTime  model.Duration `yaml:"eval_time"`
	ExpAlerts []raised       `yaml:"exp_alerts"`
}

// raised is an alert that fires.
type raised struct {
	Labels      map[string]string `yaml:"exp_labels"`
	Annotations map[string]string `yaml:"exp_annotations"`
}

// operatorsOwn and aboutTheCloud are the folders of config that have alerts.
const (
	operatorsOwn  = "prometheus"
	aboutTheCloud = "cloud-alerts"
)

// alerts returns all alerts.
func alerts(t *testing.T) []rulefmt.Rule {
	t.Helper()
	g := NewWithT(t)
	files, err := filepath.Glob(filepath.Join(root, "config", "*", "rules.yaml"))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(files).To(HaveLen(2))
	all := append(alertsOf(t, operatorsOwn), alertsOf(t, aboutTheCloud)...)
	names := map[string]bool{}
	for _, rule := range all {
		g.Expect(names).NotTo(HaveKey(rule.Alert), "an alert is there once")
		names[rule.Alert] = true
	}
	return all
}

// alertsOf returns the alerts of a PrometheusRule, as Prometheus accepts them.
func alertsOf(t *testing.T, folder string) (all []rulefmt.Rule) {
	t.Helper()
	g := NewWithT(t)
	text, err := os.ReadFile(filepath.Join(root, "config", folder, "rules.yaml"))
	g.Expect(err).NotTo(HaveOccurred())
	var file struct {
		Spec map[string]any `yaml:"spec"`
	}
	g.Expect(yaml.Unmarshal(text, &file)).To(Succeed())
	text, err = yaml.Marshal(file.Spec)
	g.Expect(err).NotTo(HaveOccurred())
	groups, errs := rulefmt.Parse(text, false, model.UTF8Validation, language, promslog.NewNopLogger())
	g.Expect(errs).To(BeEmpty())
	for _, group := range groups.Groups {
		for _, rule := range group.Rules {
			g.Expect(rule.Record).To(BeEmpty(), "these tests know alerts only")
			g.Expect(rule.KeepFiringFor).To(BeZero(), "and none that stays when its reason is gone")
			all = append(all, rule)
		}
	}
	g.Expect(all).NotTo(BeEmpty())
	return all
}

// load returns the series of a scenario, and when the last expectation is.
func (s scenario) load(g Gomega) (samples *series, end time.Duration) {
	samples = newSeries()
	for _, input := range s.InputSeries {
		of, values, err := language.ParseSeriesDesc(input.Series + " " + input.Values)
		g.Expect(err).NotTo(HaveOccurred(), input.Series)
		for i, value := range values {
			if !value.Omitted {
				g.Expect(samples.add(of, epoch.Add(time.Duration(i)*time.Duration(s.Interval)), value.Value)).To(Succeed())
			}
		}
	}
	end = time.Duration(max(s.NothingRaised, s.NothingFires))
	for _, e := range s.AlertRuleTest {
		end = max(end, time.Duration(e.EvalTime))
	}
	return samples, end
}

// since returns for how long a series has had a point at every step until a time, and the value
// then; false if it has none then.
func since(of promql.Series, step, at time.Duration) (active time.Duration, value float64, is bool) {
	last, is := slices.BinarySearchFunc(of.Floats, at.Milliseconds(), func(p promql.FPoint, t int64) int { return cmp.Compare(p.T, t) })
	if !is {
		return 0, 0, false
	}
	first := last
	for first > 0 && of.Floats[first].T-of.Floats[first-1].T == step.Milliseconds() {
		first--
	}
	return time.Duration(of.Floats[last].T-of.Floats[first].T) * time.Millisecond, of.Floats[last].F, true
}

// fires returns what of an alert fires at a time, its texts expanded as Prometheus does.
func fires(ctx context.Context, rule rulefmt.Rule, whole promql.Matrix, step, at time.Duration) (all []raised, err error) {
	for _, of := range whole {
		active, value, is := since(of, step, at)
		if !is || active < time.Duration(rule.For) {
			continue
		}
		sample := promql.Sample{Metric: of.Metric, T: at.Milliseconds(), F: value}
		expand := func(text string) (string, error) {
			const names = "{{$labels := .Labels}}{{$value := .Value}}"
			data := template.AlertTemplateData(of.Metric.Map(), nil, "", sample)
			return template.NewTemplateExpander(ctx, names+text, rule.Alert, data, model.Time(at.Milliseconds()), nil, nil, nil).Expand()
		}
		alert := raised{Labels: of.Metric.DropReserved(func(name string) bool { return name == model.MetricNameLabel }).Map(), Annotations: map[string]string{}}
		for name, text := range rule.Labels {
			if alert.Labels[name], err = expand(text); err != nil {
				return nil, err
			}
		}
		for name, text := range rule.Annotations {
			if alert.Annotations[name], err = expand(text); err != nil {
				return nil, err
			}
		}
		all = append(all, alert)
	}
	return all, nil
}

func TestAlertsFireWhenTheyShould(t *testing.T) {
	g := NewWithT(t)
	text, err := os.Open("alerts.yaml")
	g.Expect(err).NotTo(HaveOccurred())
	defer text.Close()
	decode := yaml.NewDecoder(text)
	decode.KnownFields(true)
	var file struct {
		Tests []scenario `yaml:"tests"`
	}
	g.Expect(decode.Decode(&file)).To(Succeed())
	rules := alerts(t)
	seen := map[string]bool{}
	for _, s := range file.Tests {
		t.Run(s.Name, func(t *testing.T) {
			g := NewWithT(t)
			samples, end := s.load(g)
			step := time.Duration(s.Interval)
			for _, rule := range rules {
				whole, err := samples.every(t.Context(), rule.Expr, step, end)
				g.Expect(err).NotTo(HaveOccurred(), rule.Alert)
				if s.NothingRaised != 0 {
					for _, of := range whole {
						_, _, is := since(of, step, time.Duration(s.NothingRaised))
						g.Expect(is).To(BeFalse(), "%s: %s", rule.Alert, of.Metric)
					}
				}
				for at := time.Duration(0); at <= time.Duration(s.NothingFires); at += step {
					got, err := fires(t.Context(), rule, whole, step, at)
					g.Expect(err).NotTo(HaveOccurred())
					g.Expect(got).To(BeEmpty(), "%s at %s", rule.Alert, at)
				}
				for _, e := range s.AlertRuleTest {
					if e.Alertname != rule.Alert {
						continue
					}
					got, err := fires(t.Context(), rule, whole, step, time.Duration(e.EvalTime))
					g.Expect(err).NotTo(HaveOccurred())
					g.Expect(got).To(ConsistOf(e.ExpAlerts), fmt.Sprintf("%s at %s", e.Alertname, e.EvalTime))
					seen[e.Alertname] = seen[e.Alertname] || len(e.ExpAlerts) > 0
				}
			}
		})
	}
	for _, rule := range rules {
		g.Expect(seen).To(HaveKeyWithValue(rule.Alert, true), "it is seen to fire")
		delete(seen, rule.Alert)
	}
	g.Expect(seen).To(BeEmpty(), "what is expected is an alert")
}

// queries returns the queries of the runbooks, each with the page it is of.
func queries(t *testing.T) map[string]string {
	t.Helper()
	g := NewWithT(t)
	pages, err := filepath.Glob(filepath.Join(root, "docs", "runbooks", "*.md"))
	g.Expect(err).NotTo(HaveOccurred())
	block := regexp.MustCompile("(?ms)^ *```promql\n(.*?)\n *```$")
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
	for query, page := range queries(t) {
		_, err := language.ParseExpr(query)
		NewWithT(t).Expect(err).NotTo(HaveOccurred(), "%s: %s", page, query)
	}
}

// Several clusters may share one Prometheus. The label cluster tells their series apart, and each
// expression must keep them apart when it aggregates or matches. The dashboard may also take the
// clusters that a person chose.
func TestNoExpressionMixesClusters(t *testing.T) {
	all := queries(t)
	for _, rule := range alerts(t) {
		all[rule.Expr] = rule.Alert
	}
	for _, p := range panels(t) {
		for _, target := range p.Targets {
			all[strings.ReplaceAll(target.Expr, "$__rate_interval", "5m")] = p.Title
		}
	}
	for expression, where := range all {
		parsed, err := language.ParseExpr(expression)
		NewWithT(t).Expect(err).NotTo(HaveOccurred(), "%s: %s", where, expression)
		for _, mixed := range mixes(parsed) {
			t.Errorf("%s: %s mixes clusters in\n%s", where, mixed, expression)
		}
	}
	for expression, want := range map[string]int{
		"sum(a)": 1, "sum by (b) (a)": 1, "sum without (b) (a)": 0, "sum by (cluster) (a)": 0, `sum(a{cluster=~"$cluster"})`: 0,
		"sum without (cluster) (a)": 1, "a and on (b) c": 1, "a and ignoring (cluster) c": 1, "a and on (cluster) c": 0, "a and c": 0,
	} {
		parsed, err := language.ParseExpr(expression)
		NewWithT(t).Expect(err).NotTo(HaveOccurred())
		NewWithT(t).Expect(mixes(parsed)).To(HaveLen(want), expression)
	}
}

// mixes returns the parts of an expression that treat series of several clusters as one.
func mixes(expression parser.Expr) (parts []string) {
	parser.Inspect(expression, func(node parser.Node, _ []parser.Node) error {
		switch node := node.(type) {
		case *parser.AggregateExpr:
			if slices.Contains(node.Grouping, "cluster") == node.Without && !chosen(node.Expr) {
				parts = append(parts, node.String())
			}
		case *parser.BinaryExpr:
			if m := node.VectorMatching; m != nil && (m.On || len(m.MatchingLabels) > 0) && slices.Contains(m.MatchingLabels, "cluster") != m.On {
				parts = append(parts, node.String())
			}
		}
		return nil
	})
	return parts
}

// chosen reports whether all series of an expression are of clusters that a person chose.
func chosen(expression parser.Expr) bool {
	all := true
	parser.Inspect(expression, func(node parser.Node, _ []parser.Node) error {
		if selector, is := node.(*parser.VectorSelector); is {
			all = all && slices.ContainsFunc(selector.LabelMatchers, func(m *labels.Matcher) bool { return m.Name == "cluster" })
		}
		return nil
	})
	return all
}

func TestEveryAlertHasARunbook(t *testing.T) {
	g := NewWithT(t)
	rules := alerts(t)
	pages, err := filepath.Glob(filepath.Join(root, "docs", "runbooks", "Inventory*.md"))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(pages).To(HaveLen(len(rules)), "a page an alert")
	index, err := os.ReadFile(filepath.Join(root, "docs", "runbooks", "README.md"))
	g.Expect(err).NotTo(HaveOccurred())
	for _, rule := range rules {
		g.Expect(rule.Annotations["runbook_url"]).To(Equal(
			"https://github.com/ccloud-dev/inventory-operator/blob/main/docs/runbooks/" + rule.Alert + ".md"))
		page, err := os.ReadFile(filepath.Join(root, "docs", "runbooks", rule.Alert+".md"))
		g.Expect(err).NotTo(HaveOccurred())
		for _, heading := range []string{"# " + rule.Alert + "\n", "\n## Impact\n", "\n## Look\n", "\n## Way out\n"} {
			g.Expect(string(page)).To(ContainSubstring(heading), rule.Alert)
		}
		g.Expect(string(index)).To(ContainSubstring("[" + rule.Alert + "]"))
	}
}
