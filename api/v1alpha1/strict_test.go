// SPDX-License-Identifier: Apache-2.0

package v1alpha1_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
	"github.com/ccloud-dev/inventory-operator/test/filled"
)

// odd are values that a field which Go decodes strictly might be given, by what it is. A schema that takes one
// of them which Go does not decode lets one object stop the cache of its kind.
var odd = map[string][]any{
	"duration": {"soon", "", " 1h", "1h ", "-5m", "1e9h", "300y", "9999999999999h", "1", int64(5), true, "1h1", "PT5M", nil},
	"time":     {"yesterday", "", "2026-13-01T00:00:00Z", "2026-01-01", "2026-01-01T00:00:60Z", "2026-01-01t00:00:00z", "10000-01-01T00:00:00Z", "2026-02-30T00:00:00Z", int64(5), nil},
	"int":      {int64(1) << 40, -(int64(1) << 40), 1.5, "2", true, nil, float64(1e300)},
	"bool":     {"true", int64(1), nil},
}

// strict returns what kind of value a type decodes strictly, "" for none.
func strict(t reflect.Type) string {
	switch {
	case t == reflect.TypeFor[metav1.Duration]():
		return "duration"
	case t == reflect.TypeFor[metav1.Time]():
		return "time"
	case t.Kind() == reflect.Bool:
		return "bool"
	case t.Kind() == reflect.Int32, t.Kind() == reflect.Int64:
		return "int"
	}
	return ""
}

// strictFields returns the paths of all fields that Go decodes strictly, and of what
// kind each is. Lists are "0" in a path.
func strictFields(t reflect.Type, path string, found map[string]string) {
	switch {
	case strict(t) != "":
		found[strings.TrimPrefix(path, ".")] = strict(t)
	case t.Kind() == reflect.Pointer:
		strictFields(t.Elem(), path, found)
	case t.Kind() == reflect.Slice:
		strictFields(t.Elem(), path+".0", found)
	case t.Kind() == reflect.Struct:
		for i := range t.NumField() {
			name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
			if name != "" {
				name = "." + name
			}
			strictFields(t.Field(i).Type, path+name, found)
		}
	}
}

// set sets a value at a path in what JSON decodes to.
func set(in any, path []string, value any) {
	switch in := in.(type) {
	case map[string]any:
		if len(path) == 1 {
			in[path[0]] = value
			return
		}
		set(in[path[0]], path[1:], value)
	case []any:
		set(in[0], path[1:], value)
	default:
		panic(fmt.Sprintf("nothing at %v", path))
	}
}

// fullSource returns a source with every field set.
func fullSource(t *testing.T) *unstructured.Unstructured {
	source := minimalSource("strict")
	status := &v1alpha1.InventorySourceStatus{}
	filled.Fill(t, reflect.ValueOf(status).Elem(), "Source")
	fields := map[string]any{}
	text, err := json.Marshal(status)
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	NewWithT(t).Expect(json.Unmarshal(text, &fields)).To(Succeed())
	source.Object["status"] = fields
	for path, value := range map[string]any{
		"spec.interval": "5m", "spec.timeout": "1m", "spec.staleAfter": "15m", "spec.suspend": false, "spec.prune.gracePeriod": "0s",
		"spec.prune.afterMisses": int64(2), "spec.prune.maxPercent": int64(20),
	} {
		source = with(source, path, value)
	}
	return source
}

// fullObject returns an observation as the API server is sent it.
func fullObject(t *testing.T, kind string, o v1alpha1.Observation) *unstructured.Unstructured {
	g := NewWithT(t)
	text, err := json.Marshal(o)
	g.Expect(err).NotTo(HaveOccurred())
	u := &unstructured.Unstructured{}
	g.Expect(json.Unmarshal(text, &u.Object)).To(Succeed())
	u.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind(kind))
	u.SetNamespace(namespace)
	u.SetName("strict")
	return u
}

func (s *server) decodes(t *testing.T) {
	for _, c := range []struct {
		object *unstructured.Unstructured
		typed  func() client.Object
	}{
		{fullSource(t), func() client.Object { return &v1alpha1.InventorySource{} }},
		{fullObject(t, "KafkaClusterObservation", full[v1alpha1.KafkaClusterObservation](t, "KafkaCluster")), func() client.Object { return &v1alpha1.KafkaClusterObservation{} }},
		{fullObject(t, "PeeringObservation", full[v1alpha1.PeeringObservation](t, "Peering")), func() client.Object { return &v1alpha1.PeeringObservation{} }},
	} {
		g := NewWithT(t)
		status := c.object.Object["status"]
		created := c.object.DeepCopy()
		g.Expect(s.Create(t.Context(), created)).To(Succeed())
		created.Object["status"] = status
		g.Expect(s.Status().Update(t.Context(), created)).To(Succeed(), "every field set is fine")
		fields := map[string]string{}
		kind := reflect.TypeOf(c.typed()).Elem()
		for _, part := range []string{"Spec", "Status"} {
			field, _ := kind.FieldByName(part)
			strictFields(field.Type, strings.ToLower(part), fields)
		}
		g.Expect(fields).NotTo(BeEmpty())
		for path, what := range fields {
			for _, value := range odd[what] {
				changed := created.DeepCopy()
				set(changed.Object, strings.Split(path, "."), value)
				var err error
				if strings.HasPrefix(path, "status.") {
					err = s.Status().Update(t.Context(), changed, &client.SubResourceUpdateOptions{UpdateOptions: client.UpdateOptions{DryRun: []string{metav1.DryRunAll}}})
				} else {
					err = s.Update(t.Context(), changed, client.DryRunAll)
				}
				if err != nil {
					continue // Refused by the server.
				}
				text, err := json.Marshal(changed)
				g.Expect(err).NotTo(HaveOccurred())
				g.Expect(json.Unmarshal(text, c.typed())).To(Succeed(), "%s: %s = %#v is taken by the server", kind.Name(), path, value)
			}
		}
	}
}
