// SPDX-License-Identifier: Apache-2.0

package chart

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// watched is the namespace that config/namespaced is for.
const watched = "platform"

// feature is what a feature of config adds.
type feature struct {
	rights  []string // Of the manager, where it works.
	args    []string // Of the manager.
	objects []string
}

var features = map[string]feature{
	"endpoint-configmaps": {
		rights: []string{"create configmaps", "delete configmaps", "get configmaps", "list configmaps", "patch configmaps", "watch configmaps"},
		args:   []string{"--endpoint-configmaps"},
	},
	"secret-watch":      {rights: []string{"list secrets", "watch secrets"}},
	"workload-identity": {rights: []string{"create serviceaccounts/token"}},
	"network-policy":    {objects: []string{"NetworkPolicy " + namespace + "/inventory-operator-controller-manager"}},
	"policy": {objects: []string{"ValidatingAdmissionPolicy /inventory-operator-observations-read-only",
		"ValidatingAdmissionPolicyBinding /inventory-operator-observations-read-only"}},
	"cloud-alerts": {objects: []string{"PrometheusRule " + namespace + "/inventory-operator-controller-manager-cloud-rules"}},
	"push": {objects: []string{"ValidatingAdmissionPolicy /inventory-operator-push-requests-only",
		"ValidatingAdmissionPolicyBinding /inventory-operator-push-requests-only"}},
	"prometheus": {objects: []string{"PrometheusRule " + namespace + "/inventory-operator-controller-manager-rules",
		"ServiceMonitor " + namespace + "/inventory-operator-controller-manager-metrics-monitor"}},
}

// deployed renders a base of config with features, as `make deploy` does.
func deployed(t *testing.T, base string, features ...string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), filepath.Join(root, "hack", "render"), append([]string{"manager:v1", base}, features...)...).Output()
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	return string(out)
}

// apply applies manifests as `make deploy` does, but for the kinds, which no feature changes, and for
// what already is as they have it.
func (s server) apply(manifests, applied string) {
	s.Helper()
	are := strings.Split(applied, "\n---\n")
	command := s.kubectl("apply", "-f", "-")
	command.Stdin = strings.NewReader(strings.Join(slices.DeleteFunc(strings.Split(manifests, "\n---\n"), func(document string) bool {
		return strings.Contains(document, "\nkind: CustomResourceDefinition\n") || slices.Contains(are, document)
	}), "\n---\n"))
	out, err := command.CombinedOutput()
	NewWithT(s.T).Expect(err).NotTo(HaveOccurred(), string(out))
}

// rights are what the manager may in a namespace, as `kubectl auth can-i --list` tells it: a verb
// and a resource each, with the names it is kept to.
func (s server) rights(g Gomega, namespaceOfRights string) (rights []string) {
	config := s.plane.Config()
	config.Impersonate.UserName = "system:serviceaccount:" + namespace + ":inventory-operator-controller-manager"
	config.Impersonate.Groups = []string{"system:serviceaccounts", "system:serviceaccounts:" + namespace, "system:authenticated"}
	manager, err := client.New(config, client.Options{Scheme: s.Scheme()})
	g.Expect(err).NotTo(HaveOccurred())
	review := &authorizationv1.SelfSubjectRulesReview{Spec: authorizationv1.SelfSubjectRulesReviewSpec{Namespace: namespaceOfRights}}
	g.Expect(manager.Create(s.Context(), review)).To(Succeed())
	for _, rule := range review.Status.ResourceRules {
		for _, resource := range rule.Resources {
			for _, verb := range rule.Verbs {
				right := verb + " " + resource
				if len(rule.ResourceNames) > 0 {
					right += " " + strings.Join(rule.ResourceNames, ",")
				}
				rights = append(rights, right)
			}
		}
	}
	slices.Sort(rights)
	return slices.Compact(rights)
}

// beyond are the members of one list that another has not.
func beyond(some, others []string) []string {
	return slices.DeleteFunc(slices.Clone(some), func(one string) bool { return slices.Contains(others, one) })
}

func (s server) namespace(name string) {
	s.Helper()
	NewWithT(s.T).Expect(s.Create(s.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}})).To(Succeed())
}

func TestAllFeaturesAreTested(t *testing.T) {
	g := NewWithT(t)
	folders, err := filepath.Glob(filepath.Join(root, "config", "*", "kustomization.yaml"))
	g.Expect(err).NotTo(HaveOccurred())
	var components []string
	for _, folder := range folders {
		text, err := os.ReadFile(folder)
		g.Expect(err).NotTo(HaveOccurred())
		if strings.Contains(string(text), "\nkind: Component\n") {
			components = append(components, filepath.Base(filepath.Dir(folder)))
		}
	}
	g.Expect(components).To(ConsistOf(slices.Collect(maps.Keys(features))))
}

// What differs after a feature was added is that feature alone, on both bases: no binding comes,
// and no flag, object or right goes.
func TestAFeatureAddsItselfAlone(t *testing.T) {
	s := startServer(t, "testdata/prometheus-operator")
	s.namespace(watched)
	for _, base := range []string{"namespaced", "default"} {
		places := map[string]bool{watched: true, "kube-system": base == "default", namespace: base == "default"}
		before := deployed(t, base)
		s.apply(before, "")
		had := map[string][]string{}
		for place := range places {
			NewWithT(t).Eventually(func(g Gomega) {
				had[place] = s.rights(g, place)
				g.Expect(slices.Contains(had[place], "get secrets")).To(Equal(places[place]), place)
			}).WithTimeout(eventually).Should(Succeed())
		}
		for name, want := range features {
			t.Run(base+" with "+name, func(t *testing.T) {
				g := NewWithT(t)
				after := deployed(t, base, name)
				expectAdded(t, parse(t, before), parse(t, after), want)
				server{t, s.Client, s.plane}.apply(after, before)
				for place, works := range places {
					more := want.rights
					if !works {
						more = nil
					}
					g.Eventually(func(g Gomega) {
						has := s.rights(g, place)
						g.Expect(beyond(has, had[place])).To(ConsistOf(more), "more in %s", place)
						g.Expect(beyond(had[place], has)).To(BeEmpty(), "less in %s", place)
					}).WithTimeout(eventually).Should(Succeed())
					t.Logf("the manager's rights in %s: %d before, %d after: and %q", place, len(had[place]), len(had[place])+len(more), more)
				}
				server{t, s.Client, s.plane}.apply(before, after)
			})
		}
	}
}

// expectAdded expects manifests to differ by a feature.
func expectAdded(t *testing.T, before, after objects, want feature) {
	t.Helper()
	g := NewWithT(t)
	var added []string
	for key, object := range after {
		old, was := before[key]
		if !was {
			added = append(added, key)
			continue
		}
		delete(before, key)
		switch {
		case key == deploymentKey:
			args := func(o *unstructured.Unstructured) []string {
				containers, _, err := unstructured.NestedSlice(o.Object, "spec", "template", "spec", "containers")
				g.Expect(err).NotTo(HaveOccurred())
				args, _, err := unstructured.NestedStringSlice(containers[0].(map[string]any), "args")
				g.Expect(err).NotTo(HaveOccurred())
				containers[0].(map[string]any)["args"] = nil
				g.Expect(unstructured.SetNestedSlice(o.Object, containers, "spec", "template", "spec", "containers")).To(Succeed())
				return args
			}
			g.Expect(args(object)).To(Equal(append(args(old), want.args...)))
		case key == "ClusterRole /inventory-operator-manager-role" && want.rights != nil:
			continue // The server tells what the manager may.
		}
		g.Expect(object.Object).To(Equal(old.Object), key)
	}
	g.Expect(before).To(BeEmpty(), "nothing goes")
	g.Expect(added).To(ConsistOf(want.objects))
}

func TestAFeatureOverInstallYAMLIsAnOverlay(t *testing.T) {
	g := NewWithT(t)
	overlay := yamlOf(g, "installing.md", "# kustomization.yaml")
	folder := t.TempDir()
	install := deployed(t, "namespaced")
	g.Expect(os.WriteFile(filepath.Join(folder, "kustomization.yaml"), []byte(overlay), 0o600)).To(Succeed())
	g.Expect(os.WriteFile(filepath.Join(folder, "install.yaml"), []byte(install), 0o600)).To(Succeed())
	g.Expect(os.CopyFS(filepath.Join(folder, "inventory-operator", "config"), os.DirFS(filepath.Join(root, "config")))).To(Succeed())
	built, err := kubectlKustomize(t.Context(), folder)
	g.Expect(err).NotTo(HaveOccurred())
	expectAdded(t, parse(t, install), parse(t, built), features["endpoint-configmaps"])
}

// A right that is added to a role which does not exist would be granted to no one, without an
// error.
func TestAFeatureByItselfIsRefusedIfItNeedsABase(t *testing.T) {
	for name, want := range features {
		_, err := kubectlKustomize(t.Context(), filepath.Join(root, "config", name))
		if want.rights == nil {
			NewWithT(t).Expect(err).NotTo(HaveOccurred(), name)
			continue
		}
		NewWithT(t).Expect(err).To(MatchError(ContainSubstring("no matches for Id ClusterRole")), name)
	}
}

func TestTokensCanBeKeptToSomeServiceAccounts(t *testing.T) {
	g := NewWithT(t)
	for values, want := range map[string]any{
		"workloadIdentity.enabled=true": nil,
		"workloadIdentity.enabled=true,workloadIdentity.serviceAccounts={reader,other}": []any{"reader", "other"},
	} {
		rules, _, err := unstructured.NestedSlice(render(t, values)["ClusterRole /inventory-operator-manager-role"].Object, "rules")
		g.Expect(err).NotTo(HaveOccurred())
		last := rules[len(rules)-1].(map[string]any)
		g.Expect(last["resources"]).To(Equal([]any{"serviceaccounts/token"}), values)
		if want == nil {
			g.Expect(last).NotTo(HaveKey("resourceNames"))
		} else {
			g.Expect(last).To(HaveKeyWithValue("resourceNames", want))
		}
	}
}

// The chart's features are kustomize's, in every namespace and in some.
func TestTheChartAddsFeaturesAsKustomizeDoes(t *testing.T) {
	t.Parallel()
	for value, name := range map[string]string{"endpointConfigMaps": "endpoint-configmaps", "secretWatch": "secret-watch", "workloadIdentity": "workload-identity",
		"readOnlyPolicy": "policy", "pushPolicy": "push", "networkPolicy": "network-policy", "metrics.cloudAlerts": "cloud-alerts"} {
		chart := bare(render(t, value+".enabled=true"))
		kustomized := without(bare(parse(t, deployed(t, "default", name))), "Namespace")
		for _, all := range []objects{chart, kustomized} { // The list of writers is written in two ways.
			if policy, is := all["ValidatingAdmissionPolicy /inventory-operator-observations-read-only"]; is {
				variables, _, _ := unstructured.NestedSlice(policy.Object, "spec", "variables")
				writers := variables[0].(map[string]any)
				writers["expression"] = strings.ReplaceAll(writers["expression"].(string), `"`, `'`)
				_ = unstructured.SetNestedSlice(policy.Object, variables, "spec", "variables")
			}
		}
		expectAlike(t, chart, kustomized)

		some := render(t, value+".enabled=true", fmt.Sprintf("watchNamespaces={%s}", watched))
		rules := kustomized["ClusterRole /inventory-operator-manager-role"].Object["rules"]
		NewWithT(t).Expect(some["Role "+watched+"/inventory-operator-manager-role"].Object["rules"]).To(Equal(rules), value)
		for key := range some {
			if strings.HasPrefix(key, "ClusterRoleBinding ") {
				NewWithT(t).Expect(key).To(Equal("ClusterRoleBinding /inventory-operator-metrics-auth-rolebinding"), value)
			}
		}
	}
}
