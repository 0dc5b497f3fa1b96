// SPDX-License-Identifier: Apache-2.0

package chart

import (
	"maps"
	"slices"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// bare takes away what sets a release of helm's apart, and the image.
func bare(all objects) objects {
	own := []string{"app.kubernetes.io/instance", "app.kubernetes.io/version", "app.kubernetes.io/managed-by", "helm.sh/chart"}
	for key, object := range all {
		if object.GetAnnotations()["helm.sh/hook"] != "" {
			delete(all, key)
			continue
		}
		for _, path := range [][]string{
			{"metadata", "labels"},
			{"spec", "selector"},
			{"spec", "selector", "matchLabels"},
			{"spec", "podSelector", "matchLabels"},
			{"spec", "template", "metadata", "labels"},
		} {
			labels, _, _ := unstructured.NestedMap(object.Object, path...)
			for _, label := range own {
				delete(labels, label)
			}
			if labels["app.kubernetes.io/name"] == release && path[0] == "metadata" {
				delete(labels, "app.kubernetes.io/name")
			}
			if len(labels) == 0 {
				unstructured.RemoveNestedField(object.Object, path...)
			} else {
				_ = unstructured.SetNestedMap(object.Object, labels, path...)
			}
		}
		annotations := object.GetAnnotations()
		delete(annotations, "helm.sh/resource-policy")
		object.SetAnnotations(annotations)
		if containers, ok, _ := unstructured.NestedSlice(object.Object, "spec", "template", "spec", "containers"); ok {
			containers[0].(map[string]any)["image"] = "image"
			_ = unstructured.SetNestedSlice(object.Object, containers, "spec", "template", "spec", "containers")
		}
	}
	return all
}

// without returns the objects but for those of a kind.
func without(all objects, kind string) objects {
	maps.DeleteFunc(all, func(key string, _ *unstructured.Unstructured) bool { return strings.HasPrefix(key, kind+" ") })
	return all
}

// only returns the objects of these kinds.
func only(all objects, kinds ...string) objects {
	maps.DeleteFunc(all, func(key string, _ *unstructured.Unstructured) bool {
		return !slices.Contains(kinds, strings.Fields(key)[0])
	})
	return all
}

// expectAlike compares object by object, so that a failure shows the one that differs.
func expectAlike(t *testing.T, chart, kustomized objects) {
	t.Helper()
	g := NewWithT(t)
	g.Expect(chart).NotTo(BeEmpty())
	g.Expect(slices.Sorted(maps.Keys(chart))).To(Equal(slices.Sorted(maps.Keys(kustomized))))
	for key, object := range chart {
		g.Expect(object.Object).To(Equal(kustomized[key].Object), key)
	}
}

func TestTheChartInstallsWhatKustomizeDoes(t *testing.T) {
	t.Parallel()
	// Helm makes the namespace itself, by --create-namespace.
	expectAlike(t, bare(render(t)), without(bare(kustomize(t, "default")), "Namespace"))
}

func TestTheChartsMonitoringIsThatOfKustomize(t *testing.T) {
	t.Parallel()
	chart := bare(only(render(t, "metrics.serviceMonitor.enabled=true", "metrics.prometheusRule.enabled=true"), "ServiceMonitor", "PrometheusRule"))
	expectAlike(t, chart, bare(kustomize(t, "prometheus")))
}

func TestTheChartBoundToNamespacesGrantsWhatKustomizeDoes(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	chart, everywhere := render(t, "watchNamespaces={platform,data}"), kustomize(t, "default")
	rules := everywhere["ClusterRole /inventory-operator-manager-role"].Object["rules"]
	g.Expect(rules).NotTo(BeEmpty())
	for _, watched := range []string{"platform", "data"} {
		g.Expect(chart["Role "+watched+"/inventory-operator-manager-role"].Object["rules"]).To(Equal(rules))
		g.Expect(chart["RoleBinding "+watched+"/inventory-operator-manager-rolebinding"].Object["roleRef"]).To(HaveKeyWithValue("kind", "Role"))
	}
	for key := range chart {
		g.Expect(key).NotTo(MatchRegexp("^Cluster.*manager-role"), "nothing is granted elsewhere")
	}
}
