// SPDX-License-Identifier: Apache-2.0

package controller_test

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
	"github.com/ccloud-dev/inventory-operator/test/cloudsim"
)

func mirrorNetworks(s *v1alpha1.InventorySource) {
	s.Spec.Networks.Policy = v1alpha1.MirrorPolicyMirror
}

var _ = Describe("Networks", func() {
	var w *world
	BeforeEach(func(ctx SpecContext) {
		w = newWorld(ctx)
		w.seed(12, 7)
	})

	It("are asked for by no source that does not want them", func(ctx SpecContext) {
		w.createSource(ctx)
		w.reconcile(ctx)
		Expect(w.cloud.Count(cloudsim.OpListNetworks)).To(BeZero(), "an upgrade asks the cloud nothing new")
		Expect(w.networks(ctx)).To(BeEmpty())
		Expect(w.source(ctx).Status.Networks).To(BeNil())
		Expect(w.condition(ctx, v1alpha1.ConditionNetworksSynced)).To(BeEmpty())
		for name, o := range w.clusters(ctx) {
			if o.Status.Network != nil {
				Expect(o.Status.Network.CIDR+o.Status.Network.Phase+o.Status.Network.DNSDomain).To(BeEmpty(), name)
			}
		}
	})

	It("are mirrored, and told by clusters and peerings on them", func(ctx SpecContext) {
		w.createSource(ctx, mirrorNetworks)
		w.reconcile(ctx)
		Expect(w.condition(ctx, v1alpha1.ConditionReady)).To(Equal("True/Succeeded"))
		Expect(w.condition(ctx, v1alpha1.ConditionNetworksSynced)).To(Equal("True/Succeeded"))
		networks, clusters := w.networks(ctx), w.clusters(ctx)
		Expect(networks).To(HaveLen(3))
		Expect(w.source(ctx).Status.Networks.Observed).To(BeEquivalentTo(3))
		told := 0
		for name, p := range w.peerings(ctx) {
			at := networks[p.Status.Network.ID]
			Expect(p.Status.Network.CIDR).To(Equal(at.Status.CIDR), name)
			Expect(p.Status.Network.Phase).To(Equal(at.Status.Phase), name)
			Expect(p.Status.Network.DNSDomain).To(Equal(at.Status.DNSDomain), name)
			Expect(at.Status.Peerings).To(ContainElement(HaveField("Name", name)))
		}
		for name, n := range networks {
			for _, c := range n.Status.KafkaClusters {
				Expect(clusters[c.Name].Status.Network.ID).To(Equal(name))
				Expect(clusters[c.Name].Status.Network.CIDR).To(Equal(n.Status.CIDR))
				told++
			}
		}
		Expect(told).To(BeNumerically(">", 1))
		Expect(w.writes(func() { w.sync(ctx) })).To(BeEmpty())
	})

	It("that a key may not list leave the other kinds as they are", func(ctx SpecContext) {
		w.createSource(ctx, mirrorNetworks)
		w.cloud.AddKey(cloudsim.Key{ID: apiKey, Secret: apiSecret, Refused: []cloudsim.Op{cloudsim.OpListNetworks}})
		w.reconcile(ctx)
		Expect(w.clusters(ctx)).To(HaveLen(12))
		Expect(w.peerings(ctx)).To(HaveLen(7))
		Expect(w.condition(ctx, v1alpha1.ConditionNetworksSynced)).To(Equal("False/Forbidden"))
		Expect(w.condition(ctx, v1alpha1.ConditionPeeringsSynced)).To(Equal("True/Succeeded"))
		Expect(w.condition(ctx, v1alpha1.ConditionReady)).To(Equal("False/Forbidden"))
		Expect(w.message(ctx, v1alpha1.ConditionReady)).To(ContainSubstring("listNetworkingV1Networks"))
	})

	It("keep the unknown phases and connection types of a newer cloud", func(ctx SpecContext) {
		for _, n := range w.cloud.Networks(environment) {
			n.Status.Phase, n.Spec.ConnectionTypes = cloudsim.OddNetworkPhase, []string{cloudsim.OddNetworkConnection}
			w.cloud.PutNetwork(n)
		}
		w.createSource(ctx, mirrorNetworks)
		w.reconcile(ctx)
		for _, o := range w.networks(ctx) {
			Expect(o.Status.Phase).To(Equal(cloudsim.OddNetworkPhase))
			Expect(o.Status.ConnectionTypes).To(ConsistOf(cloudsim.OddNetworkConnection))
			Expect(brief(o.Status.Conditions, v1alpha1.ConditionReady)).To(Equal("Unknown/UnknownPhase"))
		}
	})

	It("turn stale where they cannot be listed for long, and the other kinds do not", func(ctx SpecContext) {
		w.createSource(ctx, mirrorNetworks)
		w.reconcile(ctx)
		w.cloud.AddKey(cloudsim.Key{ID: apiKey, Secret: apiSecret, Refused: []cloudsim.Op{cloudsim.OpListNetworks}})
		for range 4 {
			w.sync(ctx)
		}
		for _, o := range w.networks(ctx) {
			Expect(brief(o.Status.Conditions, v1alpha1.ConditionReady)).To(Equal("Unknown/SourceStale"))
		}
		for _, o := range w.peerings(ctx) {
			Expect(brief(o.Status.Conditions, v1alpha1.ConditionObserved)).To(Equal("True/Listed"))
			Expect(o.Status.Network.Phase).NotTo(BeEmpty(), "what was known last stays")
		}
	})

	It("pass through all their phases, and go as others do", func(ctx SpecContext) {
		w.createSource(ctx, mirrorNetworks)
		id := w.cloud.Networks(environment)[0].ID
		for _, phase := range []string{cloudsim.PhaseProvisioning, cloudsim.PhaseFailed, cloudsim.PhaseReady, cloudsim.PhaseDeprovisioning} {
			Expect(w.cloud.UpdateNetwork(id, func(n *cloudsim.Network) { n.Status.Phase = phase })).To(Succeed())
			w.sync(ctx)
			Expect(w.networks(ctx)[id].Status.Phase).To(Equal(phase))
		}
		Expect(w.cloud.RemoveNetwork(id)).To(Succeed())
		w.sync(ctx)
		Expect(w.networks(ctx)).To(HaveKey(id), "it is missing once")
		w.sync(ctx)
		Expect(w.networks(ctx)).NotTo(HaveKey(id))
		w.change(ctx, func(s *v1alpha1.InventorySource) { s.Spec.Networks.Policy = v1alpha1.MirrorPolicyIgnore })
		w.reconcile(ctx)
		Expect(w.networks(ctx)).To(BeEmpty())
	})
})
