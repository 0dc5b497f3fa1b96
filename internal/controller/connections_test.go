// SPDX-License-Identifier: Apache-2.0

package controller_test

import (
	"bytes"
	"context"
	"encoding/json"
	"net/url"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
	"github.com/ccloud-dev/inventory-operator/internal/controller"
	"github.com/ccloud-dev/inventory-operator/test/cloudsim"
)

// connection is a kind whose objects connect networks, and that is off by default.
type connection struct {
	name string
	// plural is the simulated cloud's name for the documents, op lists them.
	plural string
	op     cloudsim.Op
	// phases are the known ones, odd is one that is not known.
	phases    []string
	odd       string
	condition string
	selection func(*v1alpha1.InventorySource) *v1alpha1.ConnectionSelection
	summary   func(*v1alpha1.InventorySource) *v1alpha1.InventorySummary
	shown     func(v1alpha1.NetworkConnections) []v1alpha1.ConnectionSummary
	// parts returns the network and the endpoints that an observation shows.
	parts func(v1alpha1.Observation) (*v1alpha1.NetworkReference, v1alpha1.ReachableEndpoints)
	// strange gives an object of the cloud an ID, a network and a cloud of an unknown kind.
	strange func(s *cloudsim.Sim, id, network string)
}

var connections = []connection{attachments, accesses}

// attachments are transit gateway attachments.
var attachments = connection{
	name: "TransitGatewayAttachment", plural: "transitGatewayAttachments", op: cloudsim.OpListTransitGatewayAttachments,
	phases: []string{cloudsim.PhaseProvisioning, cloudsim.PhasePendingAccept, cloudsim.PhaseFailed, cloudsim.PhaseDeprovisioning,
		cloudsim.PhaseDisconnected, cloudsim.PhaseError, cloudsim.PhaseReady},
	odd:       cloudsim.OddTransitGatewayPhase,
	condition: v1alpha1.ConditionTransitGatewayAttachmentsSynced,
	selection: func(s *v1alpha1.InventorySource) *v1alpha1.ConnectionSelection {
		return &s.Spec.TransitGatewayAttachments
	},
	summary: func(s *v1alpha1.InventorySource) *v1alpha1.InventorySummary {
		return s.Status.TransitGatewayAttachments
	},
	shown: func(c v1alpha1.NetworkConnections) []v1alpha1.ConnectionSummary {
		Expect(c.TransitGatewayAttachmentCount).To(BeEquivalentTo(len(c.TransitGatewayAttachments)))
		return c.TransitGatewayAttachments
	},
	parts: func(o v1alpha1.Observation) (*v1alpha1.NetworkReference, v1alpha1.ReachableEndpoints) {
		status := o.(*v1alpha1.TransitGatewayAttachmentObservation).Status
		return status.Network, status.ReachableEndpoints
	},
	strange: func(s *cloudsim.Sim, id, network string) {
		a := s.TransitGatewayAttachments(environment)[0]
		a.ID, a.Metadata, a.Spec.Network = id, cloudsim.Metadata{}, cloudsim.Reference{ID: network}
		a.Spec.Cloud = cloudsim.TransitGatewayAttachmentCloud{Kind: cloudsim.OddTransitGatewayCloud}
		s.PutTransitGatewayAttachment(a)
	},
}

// accesses are private link accesses.
var accesses = connection{
	name: "PrivateLinkAccess", plural: "privateLinkAccesses", op: cloudsim.OpListPrivateLinkAccesses,
	phases:    []string{cloudsim.PhaseProvisioning, cloudsim.PhaseFailed, cloudsim.PhaseDeprovisioning, cloudsim.PhaseReady},
	odd:       cloudsim.OddPrivateLinkPhase,
	condition: v1alpha1.ConditionPrivateLinkAccessesSynced,
	selection: func(s *v1alpha1.InventorySource) *v1alpha1.ConnectionSelection { return &s.Spec.PrivateLinkAccesses },
	summary:   func(s *v1alpha1.InventorySource) *v1alpha1.InventorySummary { return s.Status.PrivateLinkAccesses },
	shown: func(c v1alpha1.NetworkConnections) []v1alpha1.ConnectionSummary {
		Expect(c.PrivateLinkAccessCount).To(BeEquivalentTo(len(c.PrivateLinkAccesses)))
		return c.PrivateLinkAccesses
	},
	parts: func(o v1alpha1.Observation) (*v1alpha1.NetworkReference, v1alpha1.ReachableEndpoints) {
		status := o.(*v1alpha1.PrivateLinkAccessObservation).Status
		return status.Network, status.ReachableEndpoints
	},
	strange: func(s *cloudsim.Sim, id, network string) {
		a := s.PrivateLinkAccesses(environment)[0]
		a.ID, a.Metadata, a.Spec.Network = id, cloudsim.Metadata{}, cloudsim.Reference{ID: network}
		a.Spec.Cloud = cloudsim.PrivateLinkAccessCloud{Kind: cloudsim.OddPrivateLinkCloud}
		s.PutPrivateLinkAccess(a)
	},
}

// documents returns the simulated cloud's documents of the kind.
func (c connection) documents(s *cloudsim.Sim) cloudsim.Documents {
	for _, d := range s.Documents() {
		if d.Plural == c.plural {
			return d
		}
	}
	panic("no such documents: " + c.plural)
}

// mirror makes a source mirror the kind.
func (c connection) mirror(s *v1alpha1.InventorySource) {
	c.selection(s).Policy = v1alpha1.MirrorPolicyMirror
}

// observations returns those of the kind, by name.
func (c connection) observations(ctx context.Context, w *world) map[string]v1alpha1.Observation {
	found := map[string]v1alpha1.Observation{}
	for _, kind := range controller.Kinds() {
		if kind.Name == c.name {
			list := kind.Objects()
			Expect(k8s.List(ctx, list, client.InNamespace(w.namespace))).To(Succeed())
			Expect(meta.EachListItem(list, func(o runtime.Object) error {
				found[o.(v1alpha1.Observation).GetName()] = o.(v1alpha1.Observation)
				return nil
			})).To(Succeed())
		}
	}
	return found
}

// mirrorAll makes a source mirror every kind.
func mirrorAll(s *v1alpha1.InventorySource) {
	mirrorNetworks(s)
	mirrorSchemaRegistry(s)
	for _, c := range connections {
		c.mirror(s)
	}
}

// idOf returns the ID in a document of the simulated cloud.
func idOf(document json.RawMessage) string {
	var read struct{ ID string }
	Expect(json.Unmarshal(document, &read)).To(Succeed())
	return read.ID
}

var _ = Describe("What connects networks", func() {
	var w *world
	BeforeEach(func(ctx SpecContext) {
		w = newWorld(ctx)
		w.seed(12, 7)
	})
	for _, c := range connections {
		It("is asked for by no source that does not want it: "+c.plural, func(ctx SpecContext) {
			w.createSource(ctx, mirrorNetworks)
			w.reconcile(ctx)
			Expect(w.cloud.Count(c.op)).To(BeZero(), "an upgrade asks the cloud nothing new")
			Expect(c.observations(ctx, w)).To(BeEmpty())
			Expect(c.summary(w.source(ctx))).To(BeNil())
			Expect(w.condition(ctx, c.condition)).To(BeEmpty())
			Expect(w.writes(func() { w.sync(ctx) })).To(BeEmpty())
		})

		It("is mirrored, and shown by networks and clusters: "+c.plural, func(ctx SpecContext) {
			w.createSource(ctx, mirrorNetworks, c.mirror)
			w.reconcile(ctx)
			Expect(w.condition(ctx, v1alpha1.ConditionReady)).To(Equal("True/Succeeded"))
			Expect(w.condition(ctx, c.condition)).To(Equal("True/Succeeded"))
			all := c.observations(ctx, w)
			Expect(all).To(HaveLen(len(c.documents(w.cloud).IDs(environment))))
			Expect(all).NotTo(BeEmpty())
			Expect(c.summary(w.source(ctx)).Observed).To(BeEquivalentTo(len(all)))
			networks, clusters, shown := w.networks(ctx), w.clusters(ctx), 0
			for name, o := range all {
				network, reachable := c.parts(o)
				at := networks[network.ID]
				Expect(network.CIDR+network.Phase+network.DNSDomain).To(Equal(at.Status.CIDR+at.Status.Phase+at.Status.DNSDomain), name)
				Expect(c.shown(at.Status.NetworkConnections)).To(ContainElement(v1alpha1.ConnectionSummary{Name: name, Phase: o.Phase()}))
				for _, e := range reachable.Endpoints {
					cluster := clusters[e.ClusterID]
					Expect(cluster.Status.Network.ID).To(Equal(network.ID))
					Expect(c.shown(cluster.Status.NetworkConnections)).To(Equal(c.shown(at.Status.NetworkConnections)))
					shown++
				}
			}
			Expect(shown).NotTo(BeZero())
			Expect(w.writes(func() { w.sync(ctx) })).To(BeEmpty())
		})

		It("is filtered as its source says: "+c.plural, func(ctx SpecContext) {
			some := c.documents(w.cloud).IDs(environment)[0]
			w.createSource(ctx, c.mirror, func(s *v1alpha1.InventorySource) { c.selection(s).Phases = []v1alpha1.Identifier{"READY"} })
			w.reconcile(ctx)
			all := c.observations(ctx, w)
			Expect(all).To(HaveKey(some))
			for _, o := range all {
				Expect(o.Phase()).To(Equal(cloudsim.PhaseReady))
			}
			network, _ := c.parts(all[some])
			w.change(ctx, func(s *v1alpha1.InventorySource) {
				c.selection(s).Networks, c.selection(s).DisplayNames = []v1alpha1.Identifier{v1alpha1.Identifier(network.ID)}, []v1alpha1.Identifier{"nothing has this name"}
			})
			w.reconcile(ctx)
			asked := ""
			for _, call := range w.cloud.Calls() {
				if call.Op == c.op {
					asked = call.Query
				}
			}
			query, err := url.ParseQuery(asked)
			Expect(err).NotTo(HaveOccurred())
			Expect(query).To(And(HaveKeyWithValue("spec.network", []string{network.ID}), HaveKeyWithValue("status.phase", []string{"READY"}),
				HaveKeyWithValue("spec.display_name", []string{"nothing has this name"})))
			Expect(c.observations(ctx, w)).To(HaveLen(len(all)), "a change of the filter deletes nothing by itself")
		})

		It("turns stale alone if it can no longer be listed: "+c.plural, func(ctx SpecContext) {
			w.createSource(ctx, mirrorNetworks, c.mirror)
			w.reconcile(ctx)
			w.cloud.AddKey(cloudsim.Key{ID: apiKey, Secret: apiSecret, Refused: []cloudsim.Op{c.op}})
			for range 4 {
				w.sync(ctx)
			}
			all := c.observations(ctx, w)
			Expect(all).NotTo(BeEmpty())
			for _, o := range all {
				Expect(brief(*o.Conditions(), v1alpha1.ConditionReady)).To(Equal("Unknown/SourceStale"))
			}
			for _, o := range w.networks(ctx) {
				Expect(brief(o.Status.Conditions, v1alpha1.ConditionObserved)).To(Equal("True/Listed"))
			}
		})

		It("fails alone if the key may not list it: "+c.plural, func(ctx SpecContext) {
			w.createSource(ctx, c.mirror, mirrorNetworks)
			w.cloud.AddKey(cloudsim.Key{ID: apiKey, Secret: apiSecret, Refused: []cloudsim.Op{c.op}})
			w.reconcile(ctx)
			Expect(w.clusters(ctx)).To(HaveLen(12))
			Expect(w.peerings(ctx)).To(HaveLen(7))
			Expect(w.networks(ctx)).NotTo(BeEmpty())
			Expect(w.condition(ctx, c.condition)).To(Equal("False/Forbidden"))
			Expect(w.condition(ctx, v1alpha1.ConditionPeeringsSynced)).To(Equal("True/Succeeded"))
			Expect(w.condition(ctx, v1alpha1.ConditionNetworksSynced)).To(Equal("True/Succeeded"))
			Expect(w.condition(ctx, v1alpha1.ConditionReady)).To(Equal("False/Forbidden"))
			Expect(w.message(ctx, v1alpha1.ConditionReady)).To(ContainSubstring(string(c.op)))
		})

		It("passes through all its phases, says what is wrong, and goes as others do: "+c.plural, func(ctx SpecContext) {
			w.createSource(ctx, c.mirror, func(s *v1alpha1.InventorySource) { s.Spec.Prune.MaxPercent = new(int32(100)) })
			id := c.documents(w.cloud).IDs(environment)[0]
			for _, phase := range append(c.phases, c.odd) {
				Expect(c.documents(w.cloud).SetPhase(id, phase, true)).To(Succeed())
				w.sync(ctx)
				o := c.observations(ctx, w)[id]
				Expect(o.Phase()).To(Equal(phase))
				ready := meta.FindStatusCondition(*o.Conditions(), v1alpha1.ConditionReady)
				Expect(ready.Message).To(ContainSubstring(phase))
				if phase == c.odd {
					Expect(ready.Reason).To(Equal(v1alpha1.ReasonUnknownPhase))
				}
			}
			wrong := 0
			for _, o := range c.observations(ctx, w) {
				if o.Phase() == cloudsim.PhaseFailed {
					ready := meta.FindStatusCondition(*o.Conditions(), v1alpha1.ConditionReady)
					Expect(ready.Message).To(MatchRegexp(`FAILED: \w+: .+`), "the code and the message of the API's error")
					wrong++
				}
			}
			Expect(wrong).NotTo(BeZero())
			Expect(c.documents(w.cloud).Remove(id)).To(Succeed())
			w.sync(ctx)
			Expect(c.observations(ctx, w)).To(HaveKey(id), "it is missing once")
			w.sync(ctx)
			Expect(c.observations(ctx, w)).NotTo(HaveKey(id))
			w.change(ctx, func(s *v1alpha1.InventorySource) { c.selection(s).Policy = v1alpha1.MirrorPolicyIgnore })
			w.reconcile(ctx)
			Expect(c.observations(ctx, w)).To(BeEmpty())
		})

		It("may be in a network that is not mirrored, of an unknown kind, with the ID of an object of another kind: "+c.plural, func(ctx SpecContext) {
			ids := []string{w.anyCluster().ID, w.cloud.Peerings(environment)[0].ID, w.cloud.Networks(environment)[0].ID}
			for _, id := range ids {
				c.strange(w.cloud, id, "n-nowhere")
			}
			mirrored := []func(*v1alpha1.InventorySource){c.mirror, mirrorNetworks}
			w.createSource(ctx, mirrored...)
			w.reconcile(ctx)
			Expect(w.condition(ctx, v1alpha1.ConditionReady)).To(Equal("True/Succeeded"))
			Expect(w.clusters(ctx)).To(HaveKey(ids[0]))
			Expect(w.peerings(ctx)).To(HaveKey(ids[1]))
			Expect(w.networks(ctx)).To(HaveKey(ids[2]))
			for _, id := range ids {
				o := c.observations(ctx, w)[id]
				Expect(o.CloudID()).To(Equal(id))
				network, reachable := c.parts(o)
				Expect(network.ID).To(Equal("n-nowhere"))
				Expect(network.Phase + network.CIDR + network.DNSDomain).To(BeEmpty())
				Expect(reachable.EndpointCount).To(BeZero())
				Expect(o.GetLabels()).NotTo(HaveKey(v1alpha1.LabelCloud))
			}
			Expect(w.writes(func() { w.sync(ctx) })).To(BeEmpty())
		})
	}

	It("is shown no more once it is ignored, also while the source is suspended and after a restart", func(ctx SpecContext) {
		w.createSource(ctx, mirrorAll)
		w.reconcile(ctx)
		w.change(ctx, func(s *v1alpha1.InventorySource) { s.Spec.Suspend = true })
		w.restart()
		w.reconcile(ctx)
		all := w.clusters(ctx)
		shown := 0
		for _, o := range all {
			Expect(o.Status.SchemaRegistry).NotTo(BeNil())
			shown += len(o.Status.ReachableThrough())
		}
		Expect(shown).NotTo(BeZero())
		w.change(ctx, func(s *v1alpha1.InventorySource) {
			s.Spec.SchemaRegistry.Policy, s.Spec.Networks.Policy, s.Spec.Peerings.Policy = v1alpha1.MirrorPolicyIgnore, v1alpha1.MirrorPolicyIgnore, v1alpha1.MirrorPolicyIgnore
			for _, c := range connections {
				c.selection(s).Policy = v1alpha1.MirrorPolicyIgnore
			}
		})
		w.reconcile(ctx)
		Expect(w.clusters(ctx)).To(HaveLen(len(all)))
		for _, o := range w.clusters(ctx) {
			Expect(o.Status.SchemaRegistry).To(BeNil())
			Expect(o.Status.NetworkConnections).To(BeZero())
			if o.Status.Network != nil {
				Expect(o.Status.Network.Phase + o.Status.Network.CIDR).To(BeEmpty())
			}
			Expect(o.Status.BootstrapServers).To(Equal(all[o.Name].Status.BootstrapServers))
		}
	})

	It("leaves Ready readable if of every kind others are absent in turn", func(ctx SpecContext) {
		w.createSource(ctx, mirrorAll, func(s *v1alpha1.InventorySource) { s.Spec.Prune.MaxPercent = new(int32(100)) })
		w.reconcile(ctx)
		documents := map[string][]json.RawMessage{} // Two of each kind, of which each listing lacks one.
		for _, d := range w.cloud.Documents() {
			for _, id := range d.IDs(environment) {
				if document, err := d.Get(id); len(documents[d.Plural]) < 2 {
					Expect(err).NotTo(HaveOccurred())
					documents[d.Plural] = append(documents[d.Plural], document)
				}
			}
		}
		longest, whole := "", ""
		for turn := range 10 {
			for _, d := range w.cloud.Documents() {
				if two := documents[d.Plural]; len(two) == 2 {
					_, _, err := d.Put("", bytes.NewReader(two[turn%2]), true)
					Expect(err).NotTo(HaveOccurred())
					Expect(d.Remove(idOf(two[1-turn%2]))).To(Succeed())
				}
			}
			w.sync(ctx)
			if message := w.message(ctx, v1alpha1.ConditionReady); len(message) > len(longest) {
				longest, whole = message, w.message(ctx, v1alpha1.ConditionKafkaClustersSynced)
			}
		}
		Expect(longest).To(HaveSuffix("… see condition KafkaClustersSynced and those of the other kinds"))
		Expect(len(longest)).To(BeNumerically("<=", 320), "kubectl shows it in a column")
		Expect(whole).To(HaveSuffix("these are confirmed at the interval only"))
	})

	It("leaves the status of a source readable, all kinds mirrored or all refused", func(ctx SpecContext) {
		w.createSource(ctx, mirrorAll)
		w.reconcile(ctx)
		message := w.message(ctx, v1alpha1.ConditionReady)
		Expect(len(message)).To(BeNumerically("<", 320), "kubectl shows it in a column")
		for _, c := range connections {
			Expect(message).To(MatchRegexp(c.name + `: \d+ observed`))
		}
		var refused []cloudsim.Op
		for _, op := range cloudsim.Ops() {
			if strings.HasPrefix(string(op), "listNetworkingV1") {
				refused = append(refused, op)
			}
		}
		w.cloud.AddKey(cloudsim.Key{ID: apiKey, Secret: apiSecret, Refused: refused})
		w.sync(ctx)
		Expect(w.condition(ctx, v1alpha1.ConditionReady)).To(Equal("False/Forbidden"))
		Expect(len(w.message(ctx, v1alpha1.ConditionReady))).To(BeNumerically("<=", 320))
		for _, c := range connections {
			Expect(w.condition(ctx, c.condition)).To(Equal("False/Forbidden"))
			Expect(w.message(ctx, c.condition)).To(ContainSubstring(string(c.op)))
		}
	})
})
