// SPDX-License-Identifier: Apache-2.0

package controller_test

import (
	"os"
	"path/filepath"
	"reflect"
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

// observationKinds returns every kind of the API that is an observation.
func observationKinds(g Gomega) []string {
	scheme := runtime.NewScheme()
	g.Expect(v1alpha1.AddToScheme(scheme)).To(Succeed())
	var kinds []string
	for kind, t := range scheme.KnownTypes(v1alpha1.GroupVersion) {
		if _, is := reflect.New(t).Interface().(v1alpha1.Observation); is {
			kinds = append(kinds, kind)
		}
	}
	return kinds
}

// What a kind costs outside the table in kinds.go cannot be derived from it: markers are
// read by a tool, manifests by kustomize.
func TestKindsAreWiredEverywhere(t *testing.T) {
	g := NewWithT(t)
	root := filepath.Join("..", "..")
	kinds := observationKinds(g)
	g.Expect(kinds).To(HaveLen(len(controller.Kinds())), "every kind of observation is in the table in kinds.go, and registered in addKnownTypes")
	for _, kind := range kinds {
		plural, _ := meta.UnsafeGuessKindToResource(v1alpha1.GroupVersion.WithKind(kind))
		resource := plural.Resource
		for file, lines := range map[string][]string{
			"config/rbac/role.yaml":                     {"- " + resource + "\n", "- " + resource + "/status\n"}, // from the markers in reconciler.go
			"config/rbac/observation_viewer_role.yaml":  {"- " + resource + "\n"},
			"config/crd/kustomization.yaml":             {"bases/inventory.ccloud.dev_" + resource + ".yaml"},
			"config/policy/observations_read_only.yaml": {"- " + resource + "\n", "- " + resource + "/status\n"},
			"PROJECT":        {"kind: " + kind + "\n"},
			"docs/README.md": {strings.ToLower(kind) + ".md"},
		} {
			text, err := os.ReadFile(filepath.Join(root, file))
			g.Expect(err).NotTo(HaveOccurred())
			for _, line := range lines {
				g.Expect(string(text)).To(ContainSubstring(line), "%s lacks the kind %s", file, kind)
			}
		}
		text, err := os.ReadFile(filepath.Join(root, "config", "crd", "bases", "inventory.ccloud.dev_"+resource+".yaml"))
		g.Expect(err).NotTo(HaveOccurred())
		var crd apiextensionsv1.CustomResourceDefinition
		g.Expect(yaml.UnmarshalStrict(text, &crd)).To(Succeed())
		for _, member := range []string{"spec", "status"} {
			g.Expect(crd.Spec.Versions[0].Schema.OpenAPIV3Schema.Properties[member].XMapType).To(HaveValue(Equal("atomic")),
				"%s of %s lacks +structType=atomic, see docs/decisions/0023", member, kind)
		}
	}
	for _, k := range controller.Kinds() {
		// The condition, the selection and the summary have the same name, which need not end in s.
		name, _ := strings.CutSuffix(k.Condition, "Synced")
		selection, _ := reflect.TypeFor[v1alpha1.InventorySourceSpec]().FieldByName(name)
		summary, _ := reflect.TypeFor[v1alpha1.InventorySourceStatus]().FieldByName(name)
		g.Expect(selection.Name).NotTo(BeEmpty(), "the source's spec lacks a selection of %s", k.Name)
		g.Expect(summary.Name).NotTo(BeEmpty(), "the source's status lacks a summary of %s", k.Name)
		g.Expect(k.Condition).To(And(HavePrefix(k.Name), HaveSuffix("Synced")))
		g.Expect(k.InfoMetric).To(HaveSuffix("_info"))
		objects, err := meta.ExtractList(k.Objects())
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(objects).To(BeEmpty())
	}
}
