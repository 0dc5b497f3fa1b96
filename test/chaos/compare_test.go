// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"testing"

	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
	"github.com/ccloud-dev/inventory-operator/test/cloudsim"
)

const environment = "env-1"

var owner = &v1alpha1.InventorySource{
	ObjectMeta: metav1.ObjectMeta{Name: "prod", Namespace: "chaos-0", UID: "uid-1", Generation: 1},
	Spec:       v1alpha1.InventorySourceSpec{Environment: environment},
}

// inventory returns a seeded inventory, with everything there is to have.
func inventory() cloudsim.Inventory {
	sim := cloudsim.New(cloudsim.Options{Mode: cloudsim.ModeWire})
	cloudsim.Seed(sim, cloudsim.SeedOptions{Environment: environment, Clusters: 12, Peerings: 7, Seed: 1})
	return sim.Inventory()
}

// mirrored returns observations that are as they should be, kind by kind.
func mirrored(held cloudsim.Inventory) []v1alpha1.Observation {
	var out []v1alpha1.Observation
	for _, k := range kinds {
		want := k.expect(held)
		for _, id := range slices.Sorted(maps.Keys(want)) {
			out = append(out, asExpected(k, id, want[id]))
		}
	}
	return out
}

func asExpected(k *kind, id string, want expected) v1alpha1.Observation {
	o := k.object(id)
	reflect.ValueOf(o.GetStatus()).Elem().Set(reflect.ValueOf(want.status).Elem())
	*o.Origin() = v1alpha1.ObservationOrigin{SourceRef: v1alpha1.LocalReference{Name: owner.Name}, Environment: environment}
	o.SetName(id)
	o.SetLabels(map[string]string{v1alpha1.LabelSource: owner.Name, v1alpha1.LabelEnvironment: environment})
	for key, value := range want.labels {
		o.GetLabels()[key] = value
	}
	o.SetOwnerReferences([]metav1.OwnerReference{{UID: owner.UID, Controller: ptr.To(true)}})
	ready := metav1.ConditionFalse
	switch want.phase {
	case k.ready:
		ready = metav1.ConditionTrue
	case k.odd:
		ready = metav1.ConditionUnknown
	}
	*o.Observed() = v1alpha1.ReasonListed
	meta.SetStatusCondition(o.Conditions(), metav1.Condition{Type: v1alpha1.ConditionObserved, Status: metav1.ConditionTrue})
	meta.SetStatusCondition(o.Conditions(), metav1.Condition{Type: v1alpha1.ConditionReady, Status: ready})
	return o
}

func TestObservationsThatAreTheInventoryDoNotDiffer(t *testing.T) {
	t.Parallel()
	held := inventory()
	NewWithT(t).Expect(differences(owner, cloudsim.ModeStrict, expect(environment, held), mirrored(held))).To(BeEmpty())
}

func TestEveryDifferenceIsFound(t *testing.T) {
	t.Parallel()
	cluster := func(all []v1alpha1.Observation) *v1alpha1.KafkaClusterObservation {
		return all[0].(*v1alpha1.KafkaClusterObservation)
	}
	peering := func(all []v1alpha1.Observation) *v1alpha1.PeeringObservation {
		for _, o := range all {
			if p, is := o.(*v1alpha1.PeeringObservation); is {
				return p
			}
		}
		return nil
	}
	for want, spoil := range map[string]func(all []v1alpha1.Observation) []v1alpha1.Observation{
		"has no observation": func(all []v1alpha1.Observation) []v1alpha1.Observation { return all[1:] },
		"nothing in the inventory is like it": func(all []v1alpha1.Observation) []v1alpha1.Observation {
			other := cluster(all).DeepCopy()
			other.Name, other.Spec.ClusterID = "lkc-other", "lkc-other"
			return append(all, other)
		},
		"is named otherwise": func(all []v1alpha1.Observation) []v1alpha1.Observation {
			cluster(all).Name = "another"
			return all
		},
		"says it is of": func(all []v1alpha1.Observation) []v1alpha1.Observation {
			cluster(all).Spec.SourceRef.Name = "dev"
			return all
		},
		"is controlled by": func(all []v1alpha1.Observation) []v1alpha1.Observation {
			cluster(all).OwnerReferences = nil
			return all
		},
		"has labels": func(all []v1alpha1.Observation) []v1alpha1.Observation {
			delete(cluster(all).Labels, v1alpha1.LabelCloud)
			return all
		},
		`status.phase is "STRANGE"`: func(all []v1alpha1.Observation) []v1alpha1.Observation {
			cluster(all).Status.Phase = "STRANGE"
			return all
		},
		"status.network is null": func(all []v1alpha1.Observation) []v1alpha1.Observation {
			peering(all).Status.Network = nil
			return all
		},
		"status.deletionProtection is true": func(all []v1alpha1.Observation) []v1alpha1.Observation {
			cluster(all).Status.DeletionProtection = ptr.To(true)
			return all
		},
		"is not Observed=True but False": func(all []v1alpha1.Observation) []v1alpha1.Observation {
			peering(all).Status.Conditions[0].Status = metav1.ConditionFalse
			return all
		},
		"is not Ready=True but absent": func(all []v1alpha1.Observation) []v1alpha1.Observation {
			cluster(all).Status.Conditions = cluster(all).Status.Conditions[:1]
			return all
		},
	} {
		held := inventory()
		found := differences(owner, cloudsim.ModeStrict, expect(environment, held), spoil(mirrored(held)))
		NewWithT(t).Expect(found).To(ContainElement(ContainSubstring(want)))
	}
}

func TestModeWireMayTellOfDeletionProtection(t *testing.T) {
	t.Parallel()
	held := inventory()
	all := mirrored(held)
	all[0].(*v1alpha1.KafkaClusterObservation).Status.DeletionProtection = ptr.To(true)
	NewWithT(t).Expect(differences(owner, cloudsim.ModeWire, expect(environment, held), all)).To(BeEmpty())
}

func TestAPrivateClusterIsExpectedAtItsBestEndpoint(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	c := cloudsim.Cluster{ID: "lkc-1", Spec: cloudsim.ClusterSpec{
		Network: &cloudsim.Reference{ID: "n-1"},
		Endpoints: map[string]cloudsim.Endpoint{
			"ap1":          {KafkaBootstrapEndpoint: "SASL_SSL://first:9092"},
			"PRIVATE_LINK": {KafkaBootstrapEndpoint: "link:9092", HTTPEndpoint: "https://link"},
		}}}
	p := cloudsim.Peering{ID: "p-1", Spec: cloudsim.PeeringSpec{Network: cloudsim.Reference{ID: "n-1"}}, Status: cloudsim.PeeringStatus{Phase: "READY"}}
	cluster := expectCluster(c, cloudsim.Inventory{Peerings: []cloudsim.Peering{p}})
	g.Expect(cluster.BootstrapServers).To(Equal("link:9092"))
	g.Expect(cluster.Endpoints[1].BootstrapServers).To(Equal("first:9092"))
	g.Expect(cluster.Peerings).To(Equal([]v1alpha1.PeeringSummary{{Name: "p-1", Phase: "READY"}}))
	g.Expect(expectPeering(p, cloudsim.Inventory{Clusters: []cloudsim.Cluster{c}}).Endpoints).To(HaveLen(2))
}

func TestASettledSourceHasNothingToSay(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	s, want := owner.DeepCopy(), expect(environment, inventory())
	g.Expect(unsettled(s, want)).NotTo(BeEmpty(), "nobody has looked at it")
	s.Status = v1alpha1.InventorySourceStatus{ObservedGeneration: 1}
	meta.SetStatusCondition(&s.Status.Conditions, metav1.Condition{Type: v1alpha1.ConditionReady, Status: metav1.ConditionTrue})
	for i, k := range kinds {
		g.Expect(unsettled(s, want)).To(HaveLen(2*(len(kinds)-i)), "condition and numbers of each kind")
		meta.SetStatusCondition(&s.Status.Conditions, metav1.Condition{Type: k.condition, Status: metav1.ConditionTrue})
		counted := fmt.Sprintf(`{"status":{"`+k.field+`":{"observed":%d}}}`, len(k.expect(inventory())))
		g.Expect(json.Unmarshal([]byte(counted), s)).To(Succeed())
	}
	g.Expect(unsettled(s, want)).To(BeEmpty())
	s.Status.Peerings.Observed++
	g.Expect(unsettled(s, want)).To(ConsistOf(ContainSubstring("peerings counts 8 observed")))
	s.Status.Peerings.Observed--
	meta.SetStatusCondition(&s.Status.Conditions, metav1.Condition{Type: v1alpha1.ConditionStalled, Status: metav1.ConditionTrue})
	g.Expect(unsettled(s, want)).To(ConsistOf(ContainSubstring("has Stalled")))
}
