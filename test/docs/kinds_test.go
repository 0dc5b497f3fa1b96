// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/yaml"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
	"github.com/ccloud-dev/inventory-operator/internal/controller"
)

// kindsOfTheAPI returns the name of each kind, and whether it is an observation.
func kindsOfTheAPI(t *testing.T) map[string]bool {
	scheme := runtime.NewScheme()
	NewWithT(t).Expect(v1alpha1.AddToScheme(scheme)).To(Succeed())
	kinds := map[string]bool{}
	for kind, of := range scheme.KnownTypes(v1alpha1.GroupVersion) {
		_, hasSpec := of.FieldByName("Spec")
		if _, is := reflect.New(of).Interface().(v1alpha1.Observation); hasSpec {
			kinds[kind] = is
		}
	}
	return kinds
}

// namesOf returns what kubectl calls the objects of a kind.
func namesOf(t *testing.T, kind string) apiextensionsv1.CustomResourceDefinitionNames {
	plural, _ := meta.UnsafeGuessKindToResource(v1alpha1.GroupVersion.WithKind(kind))
	var defined apiextensionsv1.CustomResourceDefinition
	file := "config/crd/bases/" + plural.Group + "_" + plural.Resource + ".yaml"
	NewWithT(t).Expect(yaml.UnmarshalStrict([]byte(read(t, file)), &defined)).To(Succeed())
	return defined.Spec.Names
}

func TestReferenceOfKindsIsComplete(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	for kind := range kindsOfTheAPI(t) {
		page, names := strings.ToLower(kind)+".md", namesOf(t, kind)
		has(t, "README.md", "\n| ["+kind+"](docs/"+page+") | `"+names.ShortNames[0]+"` | ")
		has(t, "docs/README.md", "\n- ["+kind+"]("+page+"): ")
		has(t, "docs/kubectl.md", "`"+names.ShortNames[0]+"`")
		has(t, "CHANGELOG.md", "`"+kind+"`")
		g.Expect(pages).To(ContainElement("docs/" + page))
		for _, uninstalls := range []string{"README.md", "charts/inventory-operator/README.md.gotmpl"} {
			has(t, uninstalls, " "+names.Plural+"."+v1alpha1.GroupVersion.Group)
		}
	}
	functions, err := exported(filepath.Join(root, "api", "v1alpha1", "reading.go"))
	g.Expect(err).NotTo(HaveOccurred())
	for _, name := range functions {
		has(t, "docs/consumers.md", "."+name+"(")
	}
	for _, found := range regexp.MustCompile(`name: +"(list\w+)",\n\t+path: +"([^"]+)"`).FindAllStringSubmatch(read(t, "internal/cloudapi/operation.go"), -1) {
		has(t, "docs/metrics.md", "`"+found[1]+"`")
		has(t, "hack/cloudsim/admin/help.go", "/"+found[2])
	}
}

// Each place that names all kinds of observations names this one.
func TestListsOfKindsAreComplete(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	var short []string
	for _, k := range controller.Kinds() {
		kind := k.Name + "Observation"
		names := namesOf(t, kind)
		short = append(short, names.ShortNames[0])
		condition, _ := strings.CutSuffix(k.Condition, "Synced")
		selected, is := reflect.TypeFor[v1alpha1.InventorySourceSpec]().FieldByName(condition)
		g.Expect(is).To(BeTrue(), condition)
		selection, _, _ := strings.Cut(selected.Tag.Get("json"), ",")
		for page, text := range map[string]string{
			"docs/metrics.md":              "`" + k.Name + "`",
			"docs/gitops.md":               "- " + kind + "\n",
			"docs/environmentdiscovery.md": "`" + selection + "`",
			"config/samples/inventory_v1alpha1_inventorysource_full.yaml": "\n  " + selection + ":\n",
			"hack/demo/show.go":      "get " + names.ShortNames[0] + " -o wide",
			"hack/dashboard/main.go": `"` + k.Name + `"`,
		} {
			has(t, page, text)
		}
		for _, text := range []string{"a [" + kind + "](", "\n| `" + selection + ".policy` |", "`" + selection + "`"} {
			has(t, "docs/inventorysource.md", text)
		}
		for _, resource := range []string{names.Plural, names.Plural + "/status"} {
			has(t, "docs/security.md", "`"+resource+"`")
		}
		spec, _ := reflect.TypeOf(k.Object()).Elem().FieldByName("Spec")
		for field := range spec.Type.Fields() {
			if id, _, _ := strings.Cut(field.Tag.Get("json"), ","); strings.HasSuffix(id, "ID") {
				has(t, "docs/consumers.md", "`spec."+id+"`")
				has(t, "docs/kubectl.md", "`spec."+id+"`")
			}
		}
		words := strings.ToLower(regexp.MustCompile(`\B[A-Z]`).ReplaceAllString(k.Name, " $0"))
		for file, part := range introductions {
			g.Expect(strings.ToLower(strings.Join(strings.Fields(part.FindString(read(t, file))), " "))).To(
				MatchRegexp(`\b`+words+`(e?s)?\b`), "%s lacks the kind", file)
		}
	}
	for _, page := range []string{"config/cloud-alerts/rules.yaml", "docs/runbooks/InventoryObjectMissing.md", "docs/inventorysource.md"} {
		has(t, page, " "+strings.Join(short, ",")+" ")
	}
}

// introductions finds the sentences that say which kinds the project mirrors.
var introductions = map[string]*regexp.Regexp{
	"README.md":                            regexp.MustCompile(`(?s)^.*?\n\n.*?\n\n`),
	"charts/inventory-operator/Chart.yaml": regexp.MustCompile(`(?m)^description: .*$`),
}
