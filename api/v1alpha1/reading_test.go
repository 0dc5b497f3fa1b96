// SPDX-License-Identifier: Apache-2.0

package v1alpha1_test

import (
	"testing"
	"time"

	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
)

func TestReadersAreToldWhetherAnObservationIsReadyAndFresh(t *testing.T) {
	t.Parallel()
	for _, o := range []v1alpha1.Observation{&v1alpha1.KafkaClusterObservation{}, &v1alpha1.PeeringObservation{}} {
		g := NewWithT(t)
		g.Expect([]bool{v1alpha1.IsReady(o), v1alpha1.IsFresh(o)}).To(Equal([]bool{false, false}), "of no conditions")
		for _, status := range []metav1.ConditionStatus{metav1.ConditionTrue, metav1.ConditionFalse, metav1.ConditionUnknown} {
			is := status == metav1.ConditionTrue
			*o.Conditions() = []metav1.Condition{{Type: v1alpha1.ConditionReady, Status: status}}
			g.Expect([]bool{v1alpha1.IsReady(o), v1alpha1.IsFresh(o)}).To(Equal([]bool{is, false}), string(status))
			*o.Conditions() = []metav1.Condition{{Type: v1alpha1.ConditionObserved, Status: status}}
			g.Expect([]bool{v1alpha1.IsReady(o), v1alpha1.IsFresh(o)}).To(Equal([]bool{false, is}), string(status))
		}
	}
}

func TestASourceTellsWhetherItsListingsAreFresh(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	now := time.Now()
	s := &v1alpha1.InventorySource{}
	s.Spec.StaleAfter = duration(10 * time.Minute)
	fresh := func() []bool {
		return []bool{s.KafkaClustersFresh(now), s.PeeringsFresh(now), s.NetworksFresh(now), s.SchemaRegistryFresh(now)}
	}
	g.Expect(append(fresh(), s.TransitGatewayAttachmentsFresh(now), s.PrivateLinkAccessesFresh(now))).To(HaveEach(false), "never listed")
	at := metav1.NewTime(now.Add(-10*time.Minute + time.Second))
	s.Status.KafkaClusters = &v1alpha1.InventorySummary{LastListTime: &at}
	s.Status.Peerings = &v1alpha1.InventorySummary{}
	g.Expect(fresh()).To(Equal([]bool{true, false, false, false}))
	at.Time = now.Add(-10 * time.Minute)
	s.Status.Peerings.LastListTime = &metav1.Time{Time: now.Add(time.Hour)}
	g.Expect(fresh()).To(Equal([]bool{false, true, false, false}), "a clock that is ahead is no reason to doubt")
	s.Status.Networks, s.Status.SchemaRegistry = s.Status.Peerings, s.Status.Peerings
	g.Expect(fresh()).To(Equal([]bool{false, true, true, true}))
}

func TestReadersPickAnEndpoint(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	first := v1alpha1.KafkaEndpoint{AccessPointID: "ap1", ConnectionType: v1alpha1.ConnectionTypePrivateLink, BootstrapServers: "one:9092"}
	second := v1alpha1.KafkaEndpoint{AccessPointID: "ap2", ConnectionType: v1alpha1.ConnectionTypePrivateLink, BootstrapServers: "two:9092"}
	o := &v1alpha1.KafkaClusterObservation{}
	o.Status.Endpoints = []v1alpha1.KafkaEndpoint{first, second}
	o.Status.Peerings = []v1alpha1.ConnectionSummary{{Name: "p-1", Phase: "READY"}, {Name: "p-2", Phase: "FAILED"}, {Name: "p-3", Phase: "READY"},
		{Name: "p-4", Phase: "READY", Observed: v1alpha1.ReasonMissing}}
	o.Status.TransitGatewayAttachments = []v1alpha1.ConnectionSummary{{Name: "p-1", Phase: "READY"}, {Name: "tgwa-2", Phase: "PENDING_ACCEPT"}}
	o.Status.PrivateLinkAccesses = []v1alpha1.ConnectionSummary{{Name: "pla-1", Phase: "READY"}}
	is := func(e v1alpha1.KafkaEndpoint, found bool) []any { return []any{e, found} }
	g.Expect(is(o.Endpoint("ap2"))).To(Equal(is(second, true)))
	g.Expect(is(o.Endpoint(v1alpha1.AccessPointPublic))).To(Equal(is(v1alpha1.KafkaEndpoint{}, false)))
	g.Expect(is(o.EndpointOfType(v1alpha1.ConnectionTypePrivateLink))).To(Equal(is(first, true)))
	g.Expect(is(o.EndpointOfType(v1alpha1.ConnectionTypePublic))).To(Equal(is(v1alpha1.KafkaEndpoint{}, false)))
	g.Expect(o.Status.ReachableThrough()).To(Equal([]v1alpha1.Connection{{Kind: "PeeringObservation", Name: "p-1"}, {Kind: "PeeringObservation", Name: "p-3"},
		{Kind: "TransitGatewayAttachmentObservation", Name: "p-1"}, {Kind: "PrivateLinkAccessObservation", Name: "pla-1"}}))

	p := &v1alpha1.PeeringObservation{}
	p.Status.Endpoints = []v1alpha1.ReachableEndpoint{{ClusterID: "lkc-1", KafkaEndpoint: first}, {ClusterID: "lkc-2"}, {ClusterID: "lkc-1", KafkaEndpoint: second}}
	g.Expect(p.Status.EndpointsOf("lkc-1")).To(Equal([]v1alpha1.KafkaEndpoint{first, second}))
	g.Expect(p.Status.EndpointsOf("lkc-3")).To(BeEmpty())
}

func TestReadersFindTheSchemaRegistry(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	o := &v1alpha1.KafkaClusterObservation{}
	g.Expect(o.SchemaRegistryURL()).To(BeEmpty(), "none is mirrored")
	o.Status.SchemaRegistry = &v1alpha1.SchemaRegistryReference{Name: "lsrc-1"}
	g.Expect(o.SchemaRegistryURL()).To(BeEmpty(), "it has none")
	o.Status.SchemaRegistry.HTTPEndpoint = "https://psrc-1"
	g.Expect(o.SchemaRegistryURL()).To(Equal("https://psrc-1"))

	r := &v1alpha1.SchemaRegistryObservation{}
	r.Status.PrivateRegionalEndpoints = []v1alpha1.PrivateRegionalEndpoint{{Region: "a", HTTPEndpoint: "https://a"}, {Region: "b", HTTPEndpoint: "https://b"}}
	g.Expect([]string{r.PrivateEndpointIn("b"), r.PrivateEndpointIn("c")}).To(Equal([]string{"https://b", ""}))
}
