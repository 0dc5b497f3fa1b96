// SPDX-License-Identifier: Apache-2.0

package v1alpha1_test

import (
	"reflect"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
	apiequality "k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
	"github.com/ccloud-dev/inventory-operator/test/filled"
)

// observationKinds are the kinds of observations, each with the field that holds
// the cloud's ID.
var observationKinds = map[string]string{kindCluster: "clusterID", kindPeering: "peeringID", kindNetwork: "networkID", kindRegistry: "clusterID",
	kindGateway: "transitGatewayAttachmentID", kindLink: "privateLinkAccessID"}

func observation(kind, name, source, environment string) *unstructured.Unstructured {
	return object(kind, name, map[string]any{
		"sourceRef":            map[string]any{"name": source},
		"environment":          environment,
		observationKinds[kind]: name,
	})
}

func (s *server) observationRefused(t *testing.T) {
	for kind, id := range observationKinds {
		t.Run(kind, func(t *testing.T) {
			s.refuses(t, observation(kind, "x-1", "prod", "env-1"), []attempt{
				{"no id", "spec." + id, absent, "spec." + id + ": Required value"},
				{"empty id", "spec." + id, "", tooShort},
				{"long id", "spec." + id, strings.Repeat("i", 256), "may not be more than 255"},
				{"no source", "spec.sourceRef", absent, "spec.sourceRef: Required value"},
				{"no environment", "spec.environment", absent, "spec.environment: Required value"},
			})
		})
	}
}

func (s *server) specImmutable(t *testing.T) {
	for kind, id := range observationKinds {
		t.Run(kind, func(t *testing.T) {
			g := NewWithT(t)
			o := observation(kind, "immutable", "prod", "env-1")
			g.Expect(s.Create(t.Context(), o)).To(Succeed())
			for _, path := range []string{"spec." + id, "spec.environment", "spec.sourceRef.name"} {
				g.Expect(s.Update(t.Context(), with(o, path, "other"), client.DryRunAll)).To(MatchError(ContainSubstring(
					"spec is immutable: an observation is written by the operator; change the InventorySource instead")), path)
			}
			g.Expect(s.Update(t.Context(), with(o, "metadata.labels", map[string]any{"a": "b"}))).To(Succeed())
		})
	}
}

func (s *server) selectedByField(t *testing.T) {
	g := NewWithT(t)
	for kind, id := range observationKinds {
		for name, phase := range map[string]string{"select-1": "FIRST", "select-2": "SECOND"} {
			o := observation(kind, name, "source-of-"+name, "env-of-"+name)
			g.Expect(s.Create(t.Context(), o)).To(Succeed())
			g.Expect(s.Status().Update(t.Context(), with(with(o, "status.phase", phase), "status.observed", "observed-"+phase))).To(Succeed())
		}
		for field, value := range map[string]string{
			"spec." + id: "select-2", "spec.environment": "env-of-select-2",
			"spec.sourceRef.name": "source-of-select-2", "status.phase": "SECOND", "status.observed": "observed-SECOND",
		} {
			g.Expect(s.selected(t, kind, client.MatchingFields{field: value})).To(Equal([]string{"select-2"}), "%s by %s", kind, field)
		}
		g.Expect(s.selected(t, kind, client.MatchingFields{"spec." + id: "select-1", "status.phase": "FIRST"})).To(Equal([]string{"select-1"}))
		g.Expect(s.selected(t, kind, client.MatchingFields{"spec." + id: "select-1", "status.phase": "SECOND"})).To(BeEmpty())
	}
}

// selected returns the names of the observations that match.
func (s *server) selected(t *testing.T, kind string, fields client.MatchingFields) []string {
	list := &unstructured.UnstructuredList{}
	list.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind(kind + "List"))
	NewWithT(t).Expect(s.List(t.Context(), list, client.InNamespace(namespace), fields)).To(Succeed())
	var names []string
	for _, o := range list.Items {
		names = append(names, o.GetName())
	}
	return names
}

// full returns an observation whose spec and status have a value in every field. kind is the name by
// which filled knows the status.
func full[O any](t *testing.T, kind string) *O {
	o := new(O)
	filled.Fill(t, reflect.ValueOf(o).Elem().FieldByName("Spec"), "Spec")
	filled.Fill(t, reflect.ValueOf(o).Elem().FieldByName("Status"), kind)
	return o
}

// fullOfEach returns a full observation of each kind.
func fullOfEach(t *testing.T) []v1alpha1.Observation {
	return []v1alpha1.Observation{
		full[v1alpha1.KafkaClusterObservation](t, "KafkaCluster"),
		full[v1alpha1.PeeringObservation](t, "Peering"),
		full[v1alpha1.NetworkObservation](t, "Network"),
		full[v1alpha1.SchemaRegistryObservation](t, "SchemaRegistry"),
		full[v1alpha1.TransitGatewayAttachmentObservation](t, "TransitGatewayAttachment"),
		full[v1alpha1.PrivateLinkAccessObservation](t, "PrivateLinkAccess"),
	}
}

func statusOf(o v1alpha1.Observation) reflect.Value {
	return reflect.ValueOf(o).Elem().FieldByName("Status")
}

func (s *server) statusComesBack(t *testing.T) {
	for _, o := range fullOfEach(t) {
		g := NewWithT(t)
		o.SetNamespace(namespace)
		o.SetName("full")
		want := o.DeepCopyObject().(v1alpha1.Observation)
		g.Expect(s.Create(t.Context(), o)).To(Succeed())
		statusOf(o).Set(statusOf(want))
		g.Expect(s.Status().Update(t.Context(), o)).To(Succeed())
		got := reflect.New(reflect.TypeOf(o).Elem()).Interface().(v1alpha1.Observation)
		g.Expect(s.Get(t.Context(), client.ObjectKeyFromObject(o), got)).To(Succeed())
		g.Expect(apiequality.Semantic.DeepEqual(statusOf(got).Interface(), statusOf(want).Interface())).To(BeTrue(), "%+v\n%+v", statusOf(got), statusOf(want))
		g.Expect(got.CloudID()).To(Equal(want.CloudID()))
		g.Expect(got.Origin()).To(Equal(want.Origin()))
	}
}

func TestObservationsTellWhatTheyHold(t *testing.T) {
	t.Parallel()
	for _, o := range fullOfEach(t) {
		g := NewWithT(t)
		g.Expect(o.CloudID()).To(Equal("any"))
		g.Expect(o.Phase()).To(Equal("any"))
		g.Expect(*o.Origin()).To(Equal(v1alpha1.ObservationOrigin{
			SourceRef: v1alpha1.LocalReference{Name: "any"}, Environment: "any"}))
		g.Expect(*o.Conditions()).To(HaveLen(1))
	}
}
