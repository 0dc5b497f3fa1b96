// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"cmp"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client/config"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
	"sigs.k8s.io/yaml"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
	"github.com/ccloud-dev/inventory-operator/internal/controller"
	"github.com/ccloud-dev/inventory-operator/internal/metrics"
	"github.com/ccloud-dev/inventory-operator/internal/options"
)

func TestReferenceOfFlagsIsComplete(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	want := map[string]string{}
	flags := flag.NewFlagSet("manager", flag.ContinueOnError)
	options.Bind(flags)
	flags.VisitAll(func(f *flag.Flag) { want["--"+f.Name] = f.DefValue })
	have := map[string]string{}
	for _, row := range rows(read(t, "docs/flags.md"), "flag") {
		have[inCode(row[0])] = inCode(row[1])
		g.Expect(row[2]).NotTo(BeEmpty(), "docs/flags.md: meaning of %s", row[0])
	}
	// Libraries declare these. They choose some defaults only when they read the flags.
	libraries := flag.NewFlagSet("manager", flag.ContinueOnError)
	(&zap.Options{}).BindFlags(libraries)
	config.RegisterFlags(libraries)
	libraries.VisitAll(func(f *flag.Flag) { want["--"+f.Name] = have["--"+f.Name] })
	same(t, "docs/flags.md", have, want)
}

func TestReferenceOfMetricsIsComplete(t *testing.T) {
	t.Parallel()
	have := map[string]string{}
	for _, row := range rows(read(t, "docs/metrics.md"), "metric") {
		kind, _, _ := strings.Cut(row[1], ",")
		have[inCode(row[0])] = kind + " " + inCode(row[2])
	}
	same(t, "docs/metrics.md", have, registered())
}

// registered returns type and labels of all metrics of the operator, by name.
func registered() map[string]string {
	r := &registry{}
	metrics.New(r, metrics.Build{})
	r.MustRegister(&metrics.Collector{Kinds: controller.Kinds()})
	out := map[string]string{}
	for _, c := range r.collectors {
		kind := "gauge"
		switch c.(type) {
		case *prometheus.CounterVec:
			kind = "counter"
		case *prometheus.HistogramVec:
			kind = "histogram"
		}
		described := make(chan *prometheus.Desc, 100)
		c.Describe(described)
		close(described)
		for d := range described {
			found := describedAs.FindStringSubmatch(d.String())
			out[found[1]] = kind + " " + strings.ReplaceAll(found[2], ",", " ")
		}
	}
	return out
}

// describedAs finds name and labels in what a prometheus.Desc prints.
var describedAs = regexp.MustCompile(`fqName: "ccloud_inventory_([a-z_]+)".* variableLabels: \{([a-z_,]*)\}`)

// registry notes what is registered.
type registry struct{ collectors []prometheus.Collector }

func (r *registry) Register(c prometheus.Collector) error {
	r.collectors = append(r.collectors, c)
	return nil
}

func (r *registry) MustRegister(collectors ...prometheus.Collector) {
	r.collectors = append(r.collectors, collectors...)
}

func (r *registry) Unregister(prometheus.Collector) bool { return false }

// Conditions, reasons and annotations stand on the page of the kind that has them, by the
// comment of the group of constants they are declared in.
func TestReferenceOfConditionsAndReasonsIsComplete(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	declared, err := constants(filepath.Join(root, "api", "v1alpha1", "conditions.go"))
	g.Expect(err).NotTo(HaveOccurred())
	for kind, observation := range kindsOfTheAPI(t) {
		page, discovery := "docs/"+strings.ToLower(kind)+".md", kind == "EnvironmentDiscovery"
		for _, c := range declared {
			if discovery != strings.Contains(c.group, "EnvironmentDiscovery's") {
				continue // Its page refers to the source's page for all that both have.
			}
			ofObservations := strings.Contains(c.group, "observation's") || strings.Contains(c.group, "of an observation")
			switch {
			case strings.HasPrefix(c.name, "Annotation") && !observation:
			case strings.HasPrefix(c.name, "Condition"), strings.HasPrefix(c.name, "Reason"):
				if observation != ofObservations {
					continue
				}
			default:
				continue
			}
			has(t, page, "`"+c.value+"`")
		}
	}
}

// withoutAlert are the reasons of Ready that ask nothing of anyone.
var withoutAlert = []string{v1alpha1.ReasonSucceeded, v1alpha1.ReasonProgressing, v1alpha1.ReasonSuspended}

// Every reason for which a source is not ready is named by one alert, which comes sooner than
// the one for any reason.
func TestEveryReasonRaisesAnAlert(t *testing.T) {
	t.Parallel()
	declared, err := constants(filepath.Join(root, "api", "v1alpha1", "conditions.go"))
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	var want, alerted []string
	for _, c := range declared {
		if strings.HasPrefix(c.group, "Reasons of an InventorySource's Ready") && !slices.Contains(withoutAlert, c.value) {
			want = append(want, c.value)
		}
	}
	for _, match := range regexp.MustCompile(`reason=~?"([^"]*)"`).FindAllStringSubmatch(read(t, "config/prometheus/rules.yaml"), -1) {
		alerted = append(alerted, strings.Split(match[1], "|")...)
	}
	NewWithT(t).Expect(want).NotTo(BeEmpty())
	NewWithT(t).Expect(alerted).To(ConsistOf(want))
}

func TestReferenceOfPruneRulesIsComplete(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	numbered := regexp.MustCompile(`(?m)^\d+\. \*\*(\w+)\.\*\*`)
	section := regexp.MustCompile(`(?s)\n## Pruning\n(.*?)\n## `).FindStringSubmatch(read(t, "docs/inventorysource.md"))
	g.Expect(section).NotTo(BeNil(), "docs/inventorysource.md has a section Pruning")
	rules, asking, err := elements(filepath.Join(root, "internal", "mirror"), "pruneChain", "asks")
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(rules).NotTo(BeEmpty())
	g.Expect(asking).NotTo(BeEmpty())
	var titles []string
	for i, found := range numbered.FindAllStringSubmatch(section[1], -1) {
		titles = append(titles, fmt.Sprint(i+1, " ", found[1]))
	}
	g.Expect(titles).To(HaveLen(len(rules)),
		"docs/inventorysource.md, Pruning: each rule of the chain in internal/mirror, with a number")
	drawn := diagrams(section[1])
	g.Expect(drawn).To(HaveLen(1), "docs/inventorysource.md, Pruning: a diagram of the chain")
	g.Expect(drawn[0].nodes).To(Equal(rules), "each rule of the chain, in order")
	g.Expect(drawn[0].labels).To(Equal(titles), "each with the number and name that it has below")
	g.Expect(drawn[0].groups["batch"]).To(Equal(asking), "those that lead to PruneHeld are those that ask")
}

// The diagram of a pass has each method that Reconcile calls, in order of the first call.
func TestReferenceOfAPassIsComplete(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	want, err := steps(filepath.Join(root, "internal", "controller", "reconciler.go"), "Reconcile")
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(want).NotTo(BeEmpty())
	section := regexp.MustCompile(`(?s)\n## How a pass works\n(.*?)\n## `).FindStringSubmatch(read(t, "docs/architecture.md"))
	g.Expect(section).NotTo(BeNil(), "docs/architecture.md has a section How a pass works")
	drawn := diagrams(section[1])
	g.Expect(drawn).To(HaveLen(1), "docs/architecture.md, How a pass works: a diagram")
	var once []string
	for _, step := range want {
		if !slices.Contains(once, step) {
			once = append(once, step)
		}
	}
	g.Expect(drawn[0].nodes).To(Equal(once))
}

// Every picture is there, is shown, and has words for those who cannot see it.
func TestPicturesHaveWords(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	image := regexp.MustCompile(`!\[([^\]]*)\]\(([^)]+)\)`)
	shown := map[string]bool{}
	g.Expect(everyPage(func(path, text string) {
		for _, found := range image.FindAllStringSubmatch(text, -1) {
			file := filepath.Join(filepath.Dir(path), found[2])
			g.Expect(file).To(BeARegularFile(), path)
			g.Expect(strings.Fields(found[1])).NotTo(BeEmpty(), "%s: words for %s", path, found[2])
			shown[filepath.Base(file)] = true
		}
		for _, found := range drawn.FindAllStringSubmatch(text, -1) {
			g.Expect(found[1]).To(MatchRegexp(`(?m)^  accTitle: \S+ \S+`), "%s: words for a diagram", path)
		}
	})).To(Succeed())
	pictures, err := os.ReadDir(filepath.Join(root, "docs", "pictures"))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(pictures).NotTo(BeEmpty())
	for _, picture := range pictures {
		g.Expect(shown).To(HaveKey(picture.Name()), "no page shows it")
	}
}

func TestDiagramsAreRead(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	page := "text\n```mermaid\nflowchart LR\n  a([start]) --> one\n  subgraph one [first]\n    b[1 B] --> c[\"2<br>C\"]\n  end\n" +
		"  subgraph two [second]\n    d[3 D]\n  end\n  one -->|then| two\n```\n"
	all := diagrams(page)
	g.Expect(all).To(HaveLen(1))
	g.Expect(all[0].nodes).To(Equal([]string{"b", "c", "d"}))
	g.Expect(all[0].labels).To(Equal([]string{"1 B", "2<br>C", "3 D"}))
	g.Expect(all[0].groups).To(Equal(map[string][]string{"one": {"b", "c"}, "two": {"d"}}))
	g.Expect(diagrams("text\n")).To(BeEmpty())
}

// Kinds that people write have a sample that the API's types take.
func TestEveryKindToWriteHasASample(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	scheme := runtime.NewScheme()
	g.Expect(v1alpha1.AddToScheme(scheme)).To(Succeed())
	var list struct{ Resources []string }
	g.Expect(yaml.Unmarshal([]byte(read(t, "config/samples/kustomization.yaml")), &list)).To(Succeed())
	sampled := map[string]bool{}
	for _, file := range list.Resources {
		text := []byte(read(t, filepath.Join("config", "samples", file)))
		var object runtime.TypeMeta
		g.Expect(yaml.Unmarshal(text, &object)).To(Succeed())
		if object.APIVersion != v1alpha1.GroupVersion.String() {
			continue
		}
		typed, err := scheme.New(object.GroupVersionKind())
		g.Expect(err).NotTo(HaveOccurred(), file)
		g.Expect(yaml.UnmarshalStrict(text, typed)).To(Succeed(), file)
		sampled[object.Kind] = true
	}
	for kind, observation := range kindsOfTheAPI(t) {
		g.Expect(sampled[kind]).To(Equal(!observation), "config/samples: %s", kind)
	}
}

// A blank line ends a table: the rows after it show as text.
func TestTablesAreWhole(t *testing.T) {
	t.Parallel()
	separator := regexp.MustCompile(`^\s*\|( *:?-+:? *\|)+$`)
	NewWithT(t).Expect(everyPage(func(path, text string) {
		fenced := false
		lines := strings.Split(text, "\n")
		for i, line := range lines {
			if strings.HasPrefix(strings.TrimSpace(line), "```") {
				fenced = !fenced
			}
			isRow := func(line string) bool { return strings.HasPrefix(strings.TrimSpace(line), "|") }
			if i > 0 && isRow(line) && line == lines[i-1] {
				t.Errorf("%s:%d: the row stands twice: %s", path, i+1, line)
			}
			if fenced || !isRow(line) || i > 0 && isRow(lines[i-1]) {
				continue
			}
			if i+1 == len(lines) || !separator.MatchString(lines[i+1]) {
				t.Errorf("%s:%d: a table begins here that has no header: %s", path, i+1, line)
			}
		}
	})).To(Succeed())
}

// everyPage calls look with the path and the text of each page of the project.
func everyPage(look func(path, text string)) error {
	return filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() && strings.HasPrefix(entry.Name(), ".") && path != root {
			return cmp.Or(err, fs.SkipDir)
		}
		if filepath.Ext(path) != ".md" {
			return nil
		}
		text, err := os.ReadFile(path)
		if err == nil {
			look(path, string(text))
		}
		return err
	})
}

// same fails the test for each entry of a page that is not as it should be.
func same(t *testing.T, page string, have, want map[string]string) {
	for name, value := range want {
		if there, is := have[name]; !is || there != value {
			t.Errorf("%s: %s has %q, not %q (in the page at all: %t)", page, name, there, value, is)
		}
	}
	for name := range have {
		if _, is := want[name]; !is {
			t.Errorf("%s: there is no %s", page, name)
		}
	}
}

// has fails the test if a page lacks a text.
func has(t *testing.T, page, text string) {
	if !strings.Contains(read(t, page), text) {
		t.Errorf("%s lacks %s", page, strings.TrimSpace(text))
	}
}

func read(t *testing.T, file string) string {
	text, err := os.ReadFile(filepath.Join(root, file))
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	return string(text)
}

func TestRowsAreFoundByTheirHeader(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	page := "| a | b |\n| --- | --- |\n| `x` | `1`, `2` |\n| `y` | |\n\n| c | b |\n| --- | --- |\n| z | |\n"
	g.Expect(rows(page, "a")).To(Equal([][]string{{"`x`", "`1`, `2`"}, {"`y`", ""}}))
	g.Expect(rows(page, "c")).To(Equal([][]string{{"z", ""}}))
	g.Expect(inCode("`1`, `2`")).To(Equal("1 2"))
	g.Expect(inCode("none")).To(BeEmpty())
}
