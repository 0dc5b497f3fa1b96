// SPDX-License-Identifier: Apache-2.0

package controller_test

import (
	"fmt"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	eventsv1 "k8s.io/api/events/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
	"github.com/ccloud-dev/inventory-operator/test/cloudsim"
)

var _ = Describe("Mirroring", func() {
	var w *world
	BeforeEach(func(ctx SpecContext) { w = newWorld(ctx) })

	It("writes one observation for each cluster and peering", func(ctx SpecContext) {
		w.seed(12, 4)
		w.createSource(ctx)
		w.reconcile(ctx)

		clusters, peerings := w.clusters(ctx), w.peerings(ctx)
		Expect(clusters).To(HaveLen(12))
		Expect(peerings).To(HaveLen(4))
		for _, c := range w.cloud.Clusters(environment) {
			o := clusters[c.ID]
			Expect(o.Spec.ClusterID).To(Equal(c.ID))
			Expect(o.Status.Phase).To(Equal(c.Status.Phase))
			Expect(o.Status.DisplayName).To(Equal(c.Spec.DisplayName))
			Expect(o.Status.Endpoints).To(HaveLen(len(c.Spec.Endpoints)))
			Expect(o.Labels).To(HaveKeyWithValue(v1alpha1.LabelSource, sourceName))
			Expect(metav1.IsControlledBy(&o, w.source(ctx))).To(BeTrue())
			Expect(brief(o.Status.Conditions, v1alpha1.ConditionObserved)).To(Equal("True/Listed"))
		}
		source := w.source(ctx)
		Expect(source.Status.KafkaClusters.Observed).To(BeEquivalentTo(12))
		Expect(source.Status.Peerings.Observed).To(BeEquivalentTo(4))
		Expect(source.Status.LastSyncTime.Time).To(BeTemporally("==", w.clock.Now()))
		Expect(source.Status.NextSyncTime.Time).To(BeTemporally("==", w.clock.Now().Add(5*time.Minute)))
		Expect(w.condition(ctx, v1alpha1.ConditionReady)).To(Equal("True/Succeeded"))
		Expect(w.condition(ctx, v1alpha1.ConditionKafkaClustersSynced)).To(Equal("True/Succeeded"))
		Expect(w.condition(ctx, v1alpha1.ConditionPeeringsSynced)).To(Equal("True/Succeeded"))
	})

	It("makes no write to 1,000 unchanged observations, and one to the source", func(ctx SpecContext) {
		w.seed(1000, 20)
		w.createSource(ctx)
		Expect(w.writes(func() { w.reconcile(ctx) })).To(HaveLen(2*1000+2*20), "each is created, then its status written")
		for range 3 {
			before := len(requests.written(w.namespace, "inventorysources"))
			var calls int
			Expect(w.writes(func() { calls = w.calls(func() { w.sync(ctx) }) })).To(BeEmpty())
			Expect(calls).To(Equal(10+1), "ceil(1000/100) + ceil(20/1000) requests")
			Expect(requests.written(w.namespace, "inventorysources")[before:]).To(HaveLen(1))
		}
	})

	It("writes only what changed, and tells a change of phase", func(ctx SpecContext) {
		w.seed(12, 0)
		w.createSource(ctx)
		w.reconcile(ctx)
		w.recorded()
		changed := w.anyCluster()
		Expect(w.cloud.SetClusterPhase(changed.ID, "FAILED")).To(Succeed())

		Expect(w.writes(func() { w.sync(ctx) })).To(ConsistOf(HaveSuffix("/" + changed.ID + "/status")))
		o := w.clusters(ctx)[changed.ID]
		Expect(o.Status.Phase).To(Equal("FAILED"))
		Expect(brief(o.Status.Conditions, v1alpha1.ConditionReady)).To(Equal("False/Failed"))
		Expect(w.recorded()).To(ConsistOf(ContainSubstring("Phase changed from %s to FAILED", changed.Status.Phase)))
	})

	It("says nothing in events while nothing changes", func(ctx SpecContext) {
		w.seed(3, 1)
		w.createSource(ctx)
		w.reconcile(ctx)
		Expect(w.recorded()).To(ConsistOf(ContainSubstring("Succeeded"), HavePrefix("Normal Created"), HavePrefix("Normal Created"),
			HavePrefix("Normal Created"), HavePrefix("Normal Created")))
		w.sync(ctx)
		w.sync(ctx)
		Expect(w.recorded()).To(BeEmpty())
	})

	It("tells an observation's story in events about it", func(ctx SpecContext) {
		w.recordEvents(ctx)
		w.seed(12, 0)
		w.createSource(ctx)
		w.reconcile(ctx)
		var gone []cloudsim.Cluster
		for _, c := range w.cloud.Clusters(environment)[:3] {
			gone = append(gone, c)
			Expect(w.cloud.RemoveCluster(c.ID)).To(Succeed())
		}
		w.sync(ctx) // missed once
		w.sync(ctx) // held
		w.sync(ctx)
		about := w.clusters(ctx)[gone[0].ID]
		for _, c := range gone {
			w.cloud.PutCluster(c)
		}
		w.sync(ctx)
		Expect(w.cloud.SetClusterPhase(about.Name, "FAILED")).To(Succeed())
		w.sync(ctx)
		w.cloud.FailNext(cloudsim.OpListClusters, 1, cloudsim.FaultInternalError)
		w.clock.SetTime(w.clock.Now().Add(16 * time.Minute))
		w.reconcile(ctx)
		w.sync(ctx)
		Eventually(ctx, func(g Gomega) {
			list := &eventsv1.EventList{}
			g.Expect(k8s.List(ctx, list, client.InNamespace(w.namespace))).To(Succeed())
			var story []string
			for _, e := range list.Items {
				if e.Regarding.UID == about.UID {
					story = append(story, fmt.Sprintf("%s %s: %s", e.Type, e.Reason, e.Note))
				}
			}
			g.Expect(story).To(ConsistOf(
				"Normal Created: listed in environment "+environment,
				"Warning Missing: absent from the last complete listing of environment "+environment,
				ContainSubstring("Warning PruneHeld: KafkaCluster: 3 of 12 are missing"),
				"Normal Listed: listed in environment "+environment,
				ContainSubstring("PhaseChanged: Phase changed from "),
				ContainSubstring("Warning SourceStale: no complete listing of environment "+environment+" for too long"),
				"Normal Listed: listed in environment "+environment,
			))
		}).Should(Succeed())
	})

	It("tells what happened to many in one event about the source", func(ctx SpecContext) {
		w.seed(101, 100)
		w.createSource(ctx)
		w.reconcile(ctx)
		Expect(w.recorded()).To(And(HaveLen(102), ContainElement(MatchRegexp("^Normal Created Created observations of kind KafkaCluster: lkc-.* and 91 more"))))
	})

	It("tells each prune in an event of its own", func(ctx SpecContext) {
		w.recordEvents(ctx)
		w.seed(20, 20)
		w.createSource(ctx, func(s *v1alpha1.InventorySource) { s.Spec.Prune.AfterMisses = ptr.To[int32](1) })
		w.reconcile(ctx)
		var pruned []string
		for range 2 {
			cluster, peering := w.cloud.Clusters(environment)[0].ID, w.cloud.Peerings(environment)[0].ID
			Expect(w.cloud.RemoveCluster(cluster)).To(Succeed())
			Expect(w.cloud.RemovePeering(peering)).To(Succeed())
			w.sync(ctx)
			pruned = append(pruned, "Deleted observations of kind KafkaCluster: "+cluster, "Deleted observations of kind Peering: "+peering)
		}
		Eventually(ctx, func(g Gomega) {
			list := &eventsv1.EventList{}
			g.Expect(k8s.List(ctx, list, client.InNamespace(w.namespace))).To(Succeed())
			var notes []string
			for _, e := range list.Items {
				if e.Reason == "Pruned" {
					g.Expect(e.Related).NotTo(BeNil())
					notes = append(notes, e.Note)
				}
			}
			g.Expect(notes).To(ConsistOf(pruned))
		}).Should(Succeed())
	})

	It("joins clusters and peerings of one network both ways", func(ctx SpecContext) {
		network := &cloudsim.Reference{ID: "n-00001"}
		w.cloud.PutCluster(cloudsim.Cluster{ID: "lkc-1", Spec: cloudsim.ClusterSpec{
			Environment: cloudsim.Reference{ID: environment}, Network: network,
			Endpoints: map[string]cloudsim.Endpoint{"ap1": {KafkaBootstrapEndpoint: "SASL_SSL://lkc-1:9092", ConnectionType: "PRIVATELINK"}},
		}, Status: cloudsim.ClusterStatus{Phase: "PROVISIONED"}})
		w.cloud.PutPeering(cloudsim.Peering{ID: "p-1", Spec: cloudsim.PeeringSpec{
			Environment: cloudsim.Reference{ID: environment}, Network: *network,
		}, Status: cloudsim.PeeringStatus{Phase: "READY"}})
		w.createSource(ctx)
		w.reconcile(ctx)
		Expect(w.clusters(ctx)["lkc-1"].Status.Peerings).To(Equal([]v1alpha1.ConnectionSummary{{Name: "p-1", Phase: "READY"}}))
		Expect(w.peerings(ctx)["p-1"].Status.Endpoints).To(Equal([]v1alpha1.ReachableEndpoint{{
			ClusterID: "lkc-1", KafkaEndpoint: v1alpha1.KafkaEndpoint{
				AccessPointID: "ap1", ConnectionType: "PRIVATE_LINK", BootstrapServers: "lkc-1:9092",
			}}}))

		By("following a change on one side with one write on each")
		Expect(w.cloud.SetPeeringPhase("p-1", "DISCONNECTED")).To(Succeed())
		Expect(w.writes(func() { w.sync(ctx) })).To(HaveLen(2))
		Expect(w.clusters(ctx)["lkc-1"].Status.Peerings).To(Equal([]v1alpha1.ConnectionSummary{{Name: "p-1", Phase: "DISCONNECTED"}}))

		By("keeping the join while the other kind cannot be listed, after a restart too")
		w.cloud.FailNext(cloudsim.OpListClusters, 100, cloudsim.Status(503, "", nil))
		Expect(w.writes(func() { w.sync(ctx) })).To(BeEmpty())
		w.restart()
		Expect(w.writes(func() { w.reconcile(ctx) })).To(BeEmpty())
	})

	It("asks nothing while suspended, and its observations turn stale", func(ctx SpecContext) {
		w.seed(3, 1)
		w.createSource(ctx)
		w.reconcile(ctx)
		w.change(ctx, func(s *v1alpha1.InventorySource) { s.Spec.Suspend = true })
		Expect(w.calls(func() { w.sync(ctx) })).To(BeZero())
		Expect(w.condition(ctx, v1alpha1.ConditionReady)).To(Equal("Unknown/Suspended"))
		Expect(w.source(ctx).Status.NextSyncTime).To(BeNil())

		w.clock.SetTime(w.clock.Now().Add(15 * time.Minute))
		Expect(w.writes(func() { w.reconcile(ctx) })).To(HaveLen(4))
		Expect(w.writes(func() { w.reconcile(ctx) })).To(BeEmpty(), "stale is written once")
		for _, o := range w.clusters(ctx) {
			Expect(brief(o.Status.Conditions, v1alpha1.ConditionObserved)).To(Equal("Unknown/SourceStale"))
			Expect(brief(o.Status.Conditions, v1alpha1.ConditionReady)).To(Equal("Unknown/SourceStale"))
		}

		w.change(ctx, func(s *v1alpha1.InventorySource) { s.Spec.Suspend = false })
		Expect(w.writes(func() { w.reconcile(ctx) })).To(HaveLen(4))
		Expect(w.condition(ctx, v1alpha1.ConditionReady)).To(Equal("True/Succeeded"))
	})

	It("passes every filter to the cloud", func(ctx SpecContext) {
		w.createSource(ctx, func(s *v1alpha1.InventorySource) {
			s.Spec.KafkaClusters.Networks = []v1alpha1.Identifier{"n-1", "n-2"}
			s.Spec.Peerings.Networks = []v1alpha1.Identifier{"n-3"}
			s.Spec.Peerings.DisplayNames = []v1alpha1.Identifier{"a b", "c"}
			s.Spec.Peerings.Phases = []v1alpha1.Identifier{"READY"}
		})
		w.reconcile(ctx)
		queries := map[cloudsim.Op]string{}
		for _, call := range w.cloud.Calls() {
			queries[call.Op] = call.Query
		}
		Expect(queries[cloudsim.OpListClusters]).To(Equal("environment=env-abc123&page_size=100&spec.network=n-1&spec.network=n-2"))
		Expect(queries[cloudsim.OpListPeerings]).To(Equal(
			"environment=env-abc123&page_size=1000&spec.display_name=a+b&spec.display_name=c&spec.network=n-3&status.phase=READY"))
	})

	It("deletes the observations of a kind that is ignored, and lists nothing of it", func(ctx SpecContext) {
		w.seed(5, 2)
		w.createSource(ctx)
		w.reconcile(ctx)
		w.change(ctx, func(s *v1alpha1.InventorySource) { s.Spec.KafkaClusters.Policy = v1alpha1.MirrorPolicyIgnore })
		Expect(w.calls(func() { w.reconcile(ctx) })).To(Equal(1))
		Expect(w.clusters(ctx)).To(BeEmpty())
		Expect(w.peerings(ctx)).To(HaveLen(2))
		Expect(w.condition(ctx, v1alpha1.ConditionKafkaClustersSynced)).To(BeEmpty())
		Expect(w.condition(ctx, v1alpha1.ConditionReady)).To(Equal("True/Succeeded"))
		Expect(w.source(ctx).Status.KafkaClusters).To(BeNil())
	})

	It("names the observations of an ignored kind that finalizers keep, until they are gone", func(ctx SpecContext) {
		w.seed(2, 1)
		w.createSource(ctx)
		w.reconcile(ctx)
		o := w.clusters(ctx)[w.anyCluster().ID]
		o.Finalizers = []string{"example.com/stuck"}
		Expect(k8s.Update(ctx, &o)).To(Succeed())
		w.change(ctx, func(s *v1alpha1.InventorySource) { s.Spec.KafkaClusters.Policy = v1alpha1.MirrorPolicyIgnore })
		w.reconcile(ctx)
		for _, again := range []func(){func() {}, func() { w.sync(ctx) }, func() { w.restart(); w.reconcile(ctx) }} {
			again()
			Expect(w.clusters(ctx)).To(And(HaveLen(1), HaveKey(o.Name)))
			Expect(w.condition(ctx, v1alpha1.ConditionReady)).To(Equal("False/WriteFailed"))
			Expect(w.message(ctx, v1alpha1.ConditionReady)).To(ContainSubstring("KafkaCluster: being deleted, and kept by finalizers: " + o.Name + " (example.com/stuck)"))
		}
		o = w.clusters(ctx)[o.Name]
		o.Finalizers = nil
		Expect(k8s.Update(ctx, &o)).To(Succeed())
		Eventually(func() any { return w.clusters(ctx) }).Should(BeEmpty())
		Expect(w.reconciler.Drift(clusterKind).Delete(event.DeleteEvent{Object: &o})).To(BeTrue())
		w.reconcile(ctx)
		Expect(w.condition(ctx, v1alpha1.ConditionReady)).To(Equal("True/Succeeded"))
	})

	It("gives observations the template's metadata and takes it off again", func(ctx SpecContext) {
		w.seed(1, 0)
		w.createSource(ctx, func(s *v1alpha1.InventorySource) {
			s.Labels = map[string]string{"argocd.argoproj.io/instance": "platform"}
			s.Spec.Template.Labels = map[string]v1alpha1.LabelValue{"team": "streaming", "tier": "1"}
			s.Spec.Template.Annotations = map[string]string{"example.com/owner": "us"}
		})
		w.reconcile(ctx)
		id := w.anyCluster().ID
		o := w.clusters(ctx)[id]
		Expect(o.Labels).To(And(HaveKeyWithValue("team", "streaming"), HaveKeyWithValue("tier", "1")))
		Expect(o.Labels).NotTo(HaveKey("argocd.argoproj.io/instance"), "a GitOps tool's mark is never copied")
		Expect(o.Annotations).To(HaveKeyWithValue("example.com/owner", "us"))

		w.change(ctx, func(s *v1alpha1.InventorySource) {
			s.Spec.Template = v1alpha1.ObservationTemplate{Labels: map[string]v1alpha1.LabelValue{"team": "data"}}
		})
		Expect(w.writes(func() { w.reconcile(ctx) })).To(HaveLen(1))
		o = w.clusters(ctx)[id]
		Expect(o.Labels).To(HaveKeyWithValue("team", "data"))
		Expect(o.Labels).NotTo(HaveKey("tier"))
		Expect(o.Annotations).NotTo(HaveKey("example.com/owner"))
		Expect(w.writes(func() { w.sync(ctx) })).To(BeEmpty())
	})

	It("does nothing for a source that is gone", func(ctx SpecContext) {
		result, err := w.tryReconcile(ctx)
		Expect(err).NotTo(HaveOccurred())
		Expect(result.RequeueAfter).To(BeZero())
	})
})
