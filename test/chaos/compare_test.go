// SPDX-License-Identifier: Apache-2.0

package main

import (
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
	ObjectMeta: metav1.ObjectMeta{Name: "prod", Namespace: "cell-0", UID: "uid-1", Generation: 1},
	Spec:       v1alpha1.InventorySourceSpec{Environment: environment},
}

// inventory returns a seeded inventory, with everything there is to have.
func inventory() ([]cloudsim.Cluster, []cloudsim.Peering) {
	sim := cloudsim.New(cloudsim.Options{Mode: cloudsim.ModeWire})
	cloudsim.Seed(sim, cloudsim.SeedOptions{Environment: environment, Clusters: 12, Peerings: 7, Seed: 1})
	return sim.Clusters(environment), sim.Peerings(environment)
}

// mirrored returns observations that are as they should be.
func mirrored(clusters []cloudsim.Cluster, peerings []cloudsim.Peering) []v1alpha1.Observation {
	want := expect(environment, clusters, peerings)
	var out []v1alpha1.Observation
	add := func(o v1alpha1.Observation, id string) {
		*o.Origin() = v1alpha1.ObservationOrigin{SourceRef: v1alpha1.LocalReference{Name: owner.Name}, Environment: environment}
		o.SetName(id)
		o.SetLabels(map[string]string{v1alpha1.LabelSource: owner.Name})
		for key, value := range want[id].labels {
			o.GetLabels()[key] = value
		}
		o.SetOwnerReferences([]metav1.OwnerReference{{UID: owner.UID, Controller: ptr.To(true)}})
		ready := metav1.ConditionUnknown
		switch want[id].phase {
		case want[id].ready:
			ready = metav1.ConditionTrue
		case cloudsim.OddClusterPhase, cloudsim.OddPeeringPhase:
		default:
			ready = metav1.ConditionFalse
		}
		*o.Observed() = v1alpha1.ReasonListed
		meta.SetStatusCondition(o.Conditions(), metav1.Condition{Type: v1alpha1.ConditionObserved, Status: metav1.ConditionTrue})
		meta.SetStatusCondition(o.Conditions(), metav1.Condition{Type: v1alpha1.ConditionReady, Status: ready})
		out = append(out, o)
	}
	for _, c := range clusters {
		o := &v1alpha1.KafkaClusterObservation{Status: *want[c.ID].status.(*v1alpha1.KafkaClusterObservationStatus)}
		o.Spec.ClusterID = c.ID
		add(o, c.ID)
	}
	for _, p := range peerings {
		o := &v1alpha1.PeeringObservation{Status: *want[p.ID].status.(*v1alpha1.PeeringObservationStatus)}
		o.Spec.PeeringID = p.ID
		add(o, p.ID)
	}
	return out
}

func TestObservationsThatAreTheInventoryDoNotDiffer(t *testing.T) {
	t.Parallel()
	clusters, peerings := inventory()
	NewWithT(t).Expect(differences(owner, cloudsim.ModeStrict, expect(environment, clusters, peerings), mirrored(clusters, peerings))).To(BeEmpty())
}

func TestEveryDifferenceIsFound(t *testing.T) {
	t.Parallel()
	cluster := func(all []v1alpha1.Observation) *v1alpha1.KafkaClusterObservation {
		return all[0].(*v1alpha1.KafkaClusterObservation)
	}
	peering := func(all []v1alpha1.Observation) *v1alpha1.PeeringObservation {
		return all[len(all)-1].(*v1alpha1.PeeringObservation)
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
		clusters, peerings := inventory()
		found := differences(owner, cloudsim.ModeStrict, expect(environment, clusters, peerings), spoil(mirrored(clusters, peerings)))
		NewWithT(t).Expect(found).To(ContainElement(ContainSubstring(want)))
	}
}

func TestModeWireMayTellOfDeletionProtection(t *testing.T) {
	t.Parallel()
	clusters, peerings := inventory()
	all := mirrored(clusters, peerings)
	all[0].(*v1alpha1.KafkaClusterObservation).Status.DeletionProtection = ptr.To(true)
	NewWithT(t).Expect(differences(owner, cloudsim.ModeWire, expect(environment, clusters, peerings), all)).To(BeEmpty())
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
	cluster := expectCluster(c, []cloudsim.Peering{p})
	g.Expect(cluster.BootstrapServers).To(Equal("link:9092"))
	g.Expect(cluster.Endpoints[1].BootstrapServers).To(Equal("first:9092"))
	g.Expect(cluster.Peerings).To(Equal([]v1alpha1.PeeringSummary{{Name: "p-1", Phase: "READY"}}))
	g.Expect(expectPeering(p, []cloudsim.Cluster{c}).Endpoints).To(HaveLen(2))
}

func TestASettledSourceHasNothingToSay(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	s := owner.DeepCopy()
	g.Expect(unsettled(s, 1, 2)).NotTo(BeEmpty(), "nobody has looked at it")
	s.Status = v1alpha1.InventorySourceStatus{ObservedGeneration: 1,
		KafkaClusters: &v1alpha1.InventorySummary{Observed: 1}, Peerings: &v1alpha1.InventorySummary{Observed: 2}}
	for _, name := range []string{v1alpha1.ConditionReady, v1alpha1.ConditionKafkaClustersSynced, v1alpha1.ConditionPeeringsSynced} {
		meta.SetStatusCondition(&s.Status.Conditions, metav1.Condition{Type: name, Status: metav1.ConditionTrue})
	}
	g.Expect(unsettled(s, 1, 2)).To(BeEmpty())
	g.Expect(unsettled(s, 1, 3)).To(ConsistOf(ContainSubstring("peerings counts 2 observed")))
	meta.SetStatusCondition(&s.Status.Conditions, metav1.Condition{Type: v1alpha1.ConditionStalled, Status: metav1.ConditionTrue})
	g.Expect(unsettled(s, 1, 2)).To(ConsistOf(ContainSubstring("has Stalled")))
}
