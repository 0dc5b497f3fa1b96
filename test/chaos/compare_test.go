// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"fmt"
	"maps"
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

// seeded returns the expected observations of a seeded environment.
func seeded() map[string]expected {
	cloud := cloudsim.New(cloudsim.Options{Mode: cloudsim.ModeWire})
	cloudsim.Seed(cloud, cloudsim.SeedOptions{Environment: environment, Clusters: 12, Peerings: 7, Seed: 1})
	return expect(cloud, environment)
}

// mirrored returns correct observations, kind by kind.
func mirrored(want map[string]expected) []v1alpha1.Observation {
	var out []v1alpha1.Observation
	for _, k := range kinds {
		for _, id := range slices.Sorted(maps.Keys(want)) {
			if want[id].kind == k {
				out = append(out, asExpected(id, want[id]))
			}
		}
	}
	return out
}

func asExpected(id string, want expected) v1alpha1.Observation {
	o := want.observation.DeepCopyObject().(v1alpha1.Observation)
	*o.Origin() = v1alpha1.ObservationOrigin{SourceRef: v1alpha1.LocalReference{Name: owner.Name}, Environment: environment}
	o.SetName(id)
	o.GetLabels()[v1alpha1.LabelSource], o.GetLabels()[v1alpha1.LabelEnvironment] = owner.Name, environment
	o.SetOwnerReferences([]metav1.OwnerReference{{UID: owner.UID, Controller: ptr.To(true)}})
	ready := metav1.ConditionFalse
	switch want.phase {
	case want.kind.ready:
		ready = metav1.ConditionTrue
	case want.kind.odd:
		ready = metav1.ConditionUnknown
	}
	if err := json.Unmarshal([]byte(`{"status":{"observed":"Listed"}}`), o); err != nil {
		panic(err) // An observation has no such field.
	}
	meta.SetStatusCondition(o.Conditions(), metav1.Condition{Type: v1alpha1.ConditionObserved, Status: metav1.ConditionTrue})
	meta.SetStatusCondition(o.Conditions(), metav1.Condition{Type: v1alpha1.ConditionReady, Status: ready})
	return o
}

func TestObservationsThatAreTheInventoryDoNotDiffer(t *testing.T) {
	t.Parallel()
	want := seeded()
	NewWithT(t).Expect(differences(owner, cloudsim.ModeStrict, want, mirrored(want))).To(BeEmpty())
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
	for difference, spoil := range map[string]func(all []v1alpha1.Observation) []v1alpha1.Observation{
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
		"has status.observed Missing": func(all []v1alpha1.Observation) []v1alpha1.Observation {
			cluster(all).Status.Observed = v1alpha1.ReasonMissing
			return all
		},
		"is not Ready=True but absent": func(all []v1alpha1.Observation) []v1alpha1.Observation {
			cluster(all).Status.Conditions = cluster(all).Status.Conditions[:1]
			return all
		},
	} {
		want := seeded()
		found := differences(owner, cloudsim.ModeStrict, want, spoil(mirrored(want)))
		NewWithT(t).Expect(found).To(ContainElement(ContainSubstring(difference)))
	}
}

func TestModeWireMayTellOfDeletionProtection(t *testing.T) {
	t.Parallel()
	want := seeded()
	all := mirrored(want)
	all[0].(*v1alpha1.KafkaClusterObservation).Status.DeletionProtection = ptr.To(true)
	NewWithT(t).Expect(differences(owner, cloudsim.ModeWire, want, all)).To(BeEmpty())
}

func TestObjectsOfANetworkAreJoined(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	cloud, here := cloudsim.New(cloudsim.Options{}), cloudsim.Reference{ID: environment}
	on := func(id string) cloudsim.Reference { return cloudsim.Reference{ID: id} }
	network := cloudsim.Network{ID: "n-1", Spec: cloudsim.NetworkSpec{Environment: here, CIDR: "10.0.0.0/16"},
		Status: cloudsim.NetworkStatus{Phase: "READY", DNSDomain: "example"}}
	cloud.AddInventory(cloudsim.Inventory{
		Clusters: []cloudsim.Cluster{
			{ID: "lkc-2", Spec: cloudsim.ClusterSpec{Environment: here, Network: &cloudsim.Reference{ID: "n-1"}, KafkaBootstrapEndpoint: "SASL_SSL://own:9092"}},
			{ID: "lkc-1", Status: cloudsim.ClusterStatus{Phase: "PROVISIONED"}, Spec: cloudsim.ClusterSpec{Environment: here, Network: &cloudsim.Reference{ID: "n-1"},
				Endpoints: map[string]cloudsim.Endpoint{"ap2": {KafkaBootstrapEndpoint: "two:9092"}, "ap1": {KafkaBootstrapEndpoint: "one:9092"}}}},
			{ID: "lkc-public", Spec: cloudsim.ClusterSpec{Environment: here}},
		},
		Peerings: []cloudsim.Peering{
			{ID: "p-2", Spec: cloudsim.PeeringSpec{Environment: here, Network: on("n-1")}},
			{ID: "p-1", Spec: cloudsim.PeeringSpec{Environment: here, Network: on("n-1")}, Status: cloudsim.PeeringStatus{Phase: "READY"}},
			{ID: "p-other", Spec: cloudsim.PeeringSpec{Environment: here, Network: on("n-2")}},
		},
		Networks: []cloudsim.Network{network},
		TransitGatewayAttachments: []cloudsim.TransitGatewayAttachment{
			{ID: "tgwa-1", Spec: cloudsim.TransitGatewayAttachmentSpec{Environment: here, Network: on("n-1")}, Status: cloudsim.TransitGatewayAttachmentStatus{Phase: "ERROR"}},
		},
		PrivateLinkAccesses: []cloudsim.PrivateLinkAccess{
			{ID: "pla-1", Spec: cloudsim.PrivateLinkAccessSpec{Environment: here, Network: on("n-1")}, Status: cloudsim.PrivateLinkAccessStatus{Phase: "READY"}},
			{ID: "pla-other", Spec: cloudsim.PrivateLinkAccessSpec{Environment: here, Network: on("n-2")}},
		},
	})
	want := expect(cloud, environment)
	peerings := []v1alpha1.ConnectionSummary{{Name: "p-1", Phase: "READY"}, {Name: "p-2"}}
	cluster := want["lkc-1"].observation.(*v1alpha1.KafkaClusterObservation).Status
	g.Expect(cluster.Peerings).To(Equal(peerings))
	g.Expect(cluster.PeeringCount).To(BeEquivalentTo(2))
	g.Expect(cluster.TransitGatewayAttachments).To(Equal([]v1alpha1.ConnectionSummary{{Name: "tgwa-1", Phase: "ERROR"}}))
	g.Expect(cluster.PrivateLinkAccesses).To(Equal([]v1alpha1.ConnectionSummary{{Name: "pla-1", Phase: "READY"}}))
	g.Expect([]string{cluster.Network.ID, cluster.Network.Phase, cluster.Network.CIDR, cluster.Network.DNSDomain}).To(
		Equal([]string{"n-1", "READY", "10.0.0.0/16", "example"}))
	public := want["lkc-public"].observation.(*v1alpha1.KafkaClusterObservation).Status
	g.Expect(public.Network).To(BeNil())
	g.Expect(public.Peerings).To(BeEmpty())
	peering := want["p-1"].observation.(*v1alpha1.PeeringObservation).Status
	var servers []string
	for _, e := range peering.Endpoints {
		servers = append(servers, e.ClusterID+" "+e.AccessPointID+" "+e.BootstrapServers)
	}
	g.Expect(servers).To(Equal([]string{"lkc-1 ap1 one:9092", "lkc-1 ap2 two:9092", "lkc-2  own:9092"}))
	g.Expect(peering.EndpointCount).To(BeEquivalentTo(3))
	g.Expect(want["p-other"].observation.(*v1alpha1.PeeringObservation).Status.Endpoints).To(BeEmpty())
	status := want["n-1"].observation.(*v1alpha1.NetworkObservation).Status
	g.Expect(status.KafkaClusters).To(Equal([]v1alpha1.KafkaClusterSummary{{Name: "lkc-1", Phase: "PROVISIONED"}, {Name: "lkc-2"}}))
	g.Expect(status.Peerings).To(Equal(peerings))
	g.Expect([]int32{status.KafkaClusterCount, status.PeeringCount, status.TransitGatewayAttachmentCount, status.PrivateLinkAccessCount}).To(Equal([]int32{2, 2, 1, 1}))
	g.Expect(want["tgwa-1"].observation.(*v1alpha1.TransitGatewayAttachmentObservation).Status.EndpointCount).To(BeEquivalentTo(3))
	g.Expect(want["pla-1"].observation.(*v1alpha1.PrivateLinkAccessObservation).Status.Network.CIDR).To(Equal("10.0.0.0/16"))
	g.Expect(want["pla-other"].observation.(*v1alpha1.PrivateLinkAccessObservation).Status.Endpoints).To(BeEmpty())
}

func TestASettledSourceHasNothingToSay(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	s, want := owner.DeepCopy(), seeded()
	g.Expect(unsettled(s, want)).NotTo(BeEmpty(), "no pass has looked at it")
	s.Status = v1alpha1.InventorySourceStatus{SyncStatus: v1alpha1.SyncStatus{ObservedGeneration: 1}}
	meta.SetStatusCondition(&s.Status.Conditions, metav1.Condition{Type: v1alpha1.ConditionReady, Status: metav1.ConditionTrue})
	for i, k := range kinds {
		g.Expect(unsettled(s, want)).To(HaveLen(2*(len(kinds)-i)), "condition and numbers of each kind")
		meta.SetStatusCondition(&s.Status.Conditions, metav1.Condition{Type: k.condition, Status: metav1.ConditionTrue})
		counted := fmt.Sprintf(`{"status":{"`+k.field+`":{"observed":%d}}}`, count(want, k))
		g.Expect(json.Unmarshal([]byte(counted), s)).To(Succeed())
	}
	g.Expect(unsettled(s, want)).To(BeEmpty())
	s.Status.Peerings.Observed++
	g.Expect(unsettled(s, want)).To(ConsistOf(ContainSubstring("peerings counts 8 observed")))
	s.Status.Peerings.Observed--
	meta.SetStatusCondition(&s.Status.Conditions, metav1.Condition{Type: v1alpha1.ConditionStalled, Status: metav1.ConditionTrue})
	g.Expect(unsettled(s, want)).To(ConsistOf(ContainSubstring("has Stalled")))
}

// count returns the expected number of observations of a kind.
func count(want map[string]expected, k *kind) int {
	n := 0
	for _, e := range want {
		if e.kind == k {
			n++
		}
	}
	return n
}
