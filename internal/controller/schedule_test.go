// SPDX-License-Identifier: Apache-2.0

package controller_test

import (
	"context"
	"errors"
	"net/http"
	"sync/atomic"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
	"github.com/ccloud-dev/inventory-operator/test/cloudsim"
)

// slow is a client whose writes of observations take time, by the world's clock.
type slow struct {
	client.Client
	w    *world
	each time.Duration
}

func (s *slow) Create(ctx context.Context, o client.Object, opts ...client.CreateOption) error {
	s.w.clock.SetTime(s.w.clock.Now().Add(s.each))
	return s.Client.Create(ctx, o, opts...)
}

var _ = Describe("Time", func() {
	var w *world
	BeforeEach(func(ctx SpecContext) { w = newWorld(ctx) })

	It("of the next sync and of staleness counts from one moment, however long the writes take", func(ctx SpecContext) {
		w.seed(30, 0)
		w.reconciler.Cluster, w.reconciler.Writers = &slow{k8s, w, time.Second}, make(chan struct{}, 1)
		w.createSource(ctx, func(s *v1alpha1.InventorySource) { s.Spec.Interval = &metav1.Duration{Duration: 10 * time.Second} })
		began := w.clock.Now()
		w.reconcile(ctx)
		Expect(w.clock.Now().Sub(began)).To(Equal(30 * time.Second))
		Expect(w.source(ctx).Status.NextSyncTime.Time).To(BeTemporally("==", began.Add(10*time.Second)))
		for range 3 { // As soon as the queue has it again.
			Expect(w.calls(func() { Expect(w.writes(func() { w.reconcile(ctx) })).To(BeEmpty()) })).To(Equal(2), "it syncs instead of turning stale")
			w.clock.SetTime(w.clock.Now().Add(35 * time.Second))
		}
	})

	It("read from the status is a claim: one to come counts as now", func(ctx SpecContext) {
		w.seed(3, 1)
		w.createSource(ctx)
		w.reconcile(ctx)
		source := w.source(ctx)
		source.Status.KafkaClusters.LastListTime = &metav1.Time{Time: w.clock.Now().Add(12 * 24 * time.Hour)}
		Expect(k8s.Status().Update(ctx, source)).To(Succeed())
		w.restart()
		w.cloud.FailNext(cloudsim.OpAny, 1000, cloudsim.Status(503, "", nil))
		w.reconcile(ctx)
		w.clock.SetTime(w.clock.Now().Add(16 * time.Minute))
		Expect(w.writes(func() { w.reconcile(ctx) })).To(HaveLen(4), "stale")
	})

	It("between confirming listings is bounded, and then the interval", func(ctx SpecContext) {
		w.seed(20, 0)
		w.createSource(ctx)
		w.reconcile(ctx)
		all := w.cloud.Clusters(environment)
		turn, early, row, longest := 0, 0, 0, 0
		for range 40 { // Each listing lacks the other of two.
			w.cloud.PutCluster(all[turn])
			turn = 1 - turn
			Expect(w.cloud.RemoveCluster(all[turn].ID)).To(Succeed())
			w.sync(ctx)
			if w.source(ctx).Status.NextSyncTime.Sub(w.clock.Now()) <= 15*time.Second {
				early++
				row++
				longest = max(longest, row)
			} else {
				row = 0
				Expect(w.message(ctx, v1alpha1.ConditionReady)).To(ContainSubstring("absent in turn"))
			}
		}
		Expect(longest).To(Equal(3))
		Expect(early).To(Equal(30))
		Expect(w.clusters(ctx)).To(HaveLen(20))
	})

})

var _ = Describe("A held prune", func() {
	var w *world
	BeforeEach(func(ctx SpecContext) {
		w = newWorld(ctx)
		w.seed(10, 4)
		w.createSource(ctx, func(s *v1alpha1.InventorySource) { s.Spec.StaleAfter = &metav1.Duration{Duration: 240 * time.Hour} })
		w.reconcile(ctx)
		for _, c := range w.cloud.Clusters(environment) {
			Expect(w.cloud.RemoveCluster(c.ID)).To(Succeed())
		}
		w.sync(ctx)
		w.sync(ctx)
		Expect(w.condition(ctx, v1alpha1.ConditionPruneHeld)).To(Equal("True/ListingEmpty"))
		w.recorded()
	})

	It("goes when its kind says so, whatever another kind waits for", func(ctx SpecContext) {
		w.change(ctx, func(s *v1alpha1.InventorySource) { s.Spec.Prune.AfterMisses = ptr.To[int32](20) })
		w.reconcile(ctx)
		w.cloud.ClearFaults()
		cloudsim.Seed(w.cloud, cloudsim.SeedOptions{Environment: environment, Clusters: 10, Peerings: 4, Seed: 1})
		Expect(w.cloud.RemovePeering(w.cloud.Peerings(environment)[0].ID)).To(Succeed())
		w.sync(ctx)
		Expect(w.source(ctx).Status.Peerings.Missing).To(BeEquivalentTo(1))
		Expect(w.condition(ctx, v1alpha1.ConditionPruneHeld)).To(BeEmpty())
	})

})

var _ = Describe("A name that is taken", func() {
	var w *world
	BeforeEach(func(ctx SpecContext) {
		w = newWorld(ctx)
		w.seed(3, 1)
		w.createSource(ctx)
	})

	// deleted deletes all clusters' observations and tells of it as the watch does. It
	// returns the sources that are woken.
	deleted := func(ctx SpecContext) map[reconcile.Request]bool {
		GinkgoHelper()
		woken := map[reconcile.Request]bool{}
		for _, o := range w.clusters(ctx) {
			Expect(k8s.Delete(ctx, o.DeepCopy())).To(Succeed())
			if w.reconciler.Drift(clusterKind).Delete(event.DeleteEvent{Object: &o}) {
				for _, request := range w.reconciler.Interested(clusterKind)(ctx, &o) {
					woken[request] = true
				}
			}
		}
		return woken
	}

	It("by another source is had once it is free, from the last listing", func(ctx SpecContext) {
		w.reconcile(ctx)
		second := w.newSource(func(s *v1alpha1.InventorySource) {
			s.Name, s.Spec.Peerings.Policy = "second", v1alpha1.MirrorPolicyIgnore
		})
		Expect(k8s.Create(ctx, second)).To(Succeed())
		_, err := w.reconciler.Reconcile(ctx, requestFor(second))
		Expect(err).NotTo(HaveOccurred())
		Expect(k8s.Get(ctx, client.ObjectKeyFromObject(second), second)).To(Succeed())
		Expect(brief(second.Status.Conditions, v1alpha1.ConditionReady)).To(Equal("False/NameConflict"))
		all := meta.FindStatusCondition(second.Status.Conditions, v1alpha1.ConditionKafkaClustersSynced).Message
		for name := range w.clusters(ctx) {
			Expect(all).To(ContainSubstring(name))
		}
		short := meta.FindStatusCondition(second.Status.Conditions, v1alpha1.ConditionReady).Message
		Expect(short).To(And(ContainSubstring("(controlled by InventorySource/"+sourceName+")"), HaveSuffix("; 2 more in condition KafkaClustersSynced")))
		Expect(len(short)).To(BeNumerically("<", len(all)))

		Expect(deleted(ctx)).To(HaveKey(requestFor(second)))
		Expect(w.calls(func() { _, err = w.reconciler.Reconcile(ctx, requestFor(second)) })).To(BeZero())
		Expect(err).NotTo(HaveOccurred())
		Expect(w.clusters(ctx)).To(HaveLen(3))
		Expect(k8s.Get(ctx, client.ObjectKeyFromObject(second), second)).To(Succeed())
		Expect(brief(second.Status.Conditions, v1alpha1.ConditionReady)).To(Equal("True/Succeeded"))
	})

	It("by a deleted source of the same name is waited for, and no person is asked to delete an object", func(ctx SpecContext) {
		w.reconcile(ctx)
		former := w.source(ctx)
		Expect(k8s.Delete(ctx, former)).To(Succeed()) // No garbage collector runs here.
		Expect(k8s.Create(ctx, w.newSource())).To(Succeed())
		Eventually(func() any { return w.source(ctx).UID }).ShouldNot(Equal(former.UID))
		w.reconcile(ctx)
		Expect(w.condition(ctx, v1alpha1.ConditionReady)).To(Equal("Unknown/Progressing"))
		Expect(w.condition(ctx, v1alpha1.ConditionReconciling)).To(Equal("True/Progressing"))
		Expect(w.message(ctx, v1alpha1.ConditionReady)).To(And(ContainSubstring("garbage collector"), Not(ContainSubstring("InventorySource/"+sourceName))))
		for _, o := range w.peerings(ctx) {
			Expect(k8s.Delete(ctx, &o)).To(Succeed())
		}
		deleted(ctx)
		Expect(w.calls(func() { w.reconcile(ctx) })).To(BeZero())
		Expect(w.clusters(ctx)).To(HaveLen(3))
		Expect(w.condition(ctx, v1alpha1.ConditionReady)).To(Equal("True/Succeeded"))
	})

	It("by another ID of the cloud's is told of", func(ctx SpecContext) {
		odd := cloudsim.Cluster{ID: "LKC_odd", Spec: cloudsim.ClusterSpec{Environment: cloudsim.Reference{ID: environment}},
			Status: cloudsim.ClusterStatus{Phase: "PROVISIONED"}}
		w.cloud.PutCluster(odd)
		w.reconcile(ctx)
		var name string
		for _, o := range w.clusters(ctx) {
			if o.Spec.ClusterID == odd.ID {
				name = o.Name
			}
		}
		Expect(w.cloud.RemoveCluster(odd.ID)).To(Succeed())
		w.cloud.PutCluster(cloudsim.Cluster{ID: name, Spec: odd.Spec, Status: odd.Status})
		w.cloud.PutCluster(odd)
		w.sync(ctx)
		Expect(w.condition(ctx, v1alpha1.ConditionReady)).To(Equal("False/NameConflict"))
		Expect(w.message(ctx, v1alpha1.ConditionReady)).To(And(ContainSubstring(odd.ID), Not(ContainSubstring("InventorySource/"+sourceName))))
	})
})

var _ = Describe("What a source no longer mirrors", func() {
	It("comes back by a listing alone, never from an old one", func(ctx SpecContext) {
		w := newWorld(ctx)
		w.seed(3, 1)
		w.createSource(ctx)
		w.reconcile(ctx)
		w.change(ctx, func(s *v1alpha1.InventorySource) { s.Spec.Suspend = true })
		w.reconcile(ctx)
		w.change(ctx, func(s *v1alpha1.InventorySource) { s.Spec.KafkaClusters.Policy = v1alpha1.MirrorPolicyIgnore })
		w.reconcile(ctx)
		Expect(w.clusters(ctx)).To(BeEmpty())
		w.clock.SetTime(w.clock.Now().Add(10 * 24 * time.Hour))
		w.change(ctx, func(s *v1alpha1.InventorySource) { s.Spec.KafkaClusters.Policy = v1alpha1.MirrorPolicyMirror })
		w.reconcile(ctx)
		Expect(w.clusters(ctx)).To(BeEmpty(), "suspended, it is not known what there is")
		w.change(ctx, func(s *v1alpha1.InventorySource) { s.Spec.Suspend = false })
		w.reconcile(ctx)
		Expect(w.clusters(ctx)).To(HaveLen(3))
	})

	It("and cannot be deleted is reported, and tried with growing waits", func(ctx SpecContext) {
		w := newWorld(ctx)
		w.seed(3, 1)
		w.createSource(ctx)
		w.reconcile(ctx)
		var tried atomic.Int32
		refused := true
		w.reconciler.Cluster = &gate{Client: k8s, refuse: func(verb, _ string) error {
			if refused && verb == "delete" {
				tried.Add(1)
				return errors.New("admission webhook denied the request")
			}
			return nil
		}}
		w.change(ctx, func(s *v1alpha1.InventorySource) { s.Spec.Peerings.Policy = v1alpha1.MirrorPolicyIgnore })
		w.reconcile(ctx)
		for range 20 {
			w.retry(ctx)
		}
		Expect(tried.Load()).To(BeEquivalentTo(9), "in 21 passes, one a second: the waits double from 50 ms")
		Expect(w.condition(ctx, v1alpha1.ConditionReady)).To(Equal("False/WriteFailed"))
		Expect(w.message(ctx, v1alpha1.ConditionReady)).To(ContainSubstring("admission webhook denied"))
		Expect(w.condition(ctx, v1alpha1.ConditionPeeringsSynced)).To(BeEmpty())
		Expect(w.condition(ctx, v1alpha1.ConditionKafkaClustersSynced)).To(Equal("True/Succeeded"))

		By("also if nothing is mirrored any more")
		w.change(ctx, func(s *v1alpha1.InventorySource) { s.Spec.KafkaClusters.Policy = v1alpha1.MirrorPolicyIgnore })
		w.reconcile(ctx)
		Expect(w.condition(ctx, v1alpha1.ConditionReady)).To(Equal("False/WriteFailed"))

		By("being ready once they are gone")
		refused = false
		w.clock.SetTime(w.clock.Now().Add(10 * time.Minute))
		w.reconcile(ctx)
		Expect(w.peerings(ctx)).To(BeEmpty())
		Expect(w.clusters(ctx)).To(BeEmpty())
		Expect(w.condition(ctx, v1alpha1.ConditionReady)).To(Equal("True/Succeeded"))
	})

	It("is the same whatever the order of a filter's values", func(ctx SpecContext) {
		w := newWorld(ctx)
		w.seed(3, 1)
		w.createSource(ctx, func(s *v1alpha1.InventorySource) {
			s.Spec.KafkaClusters.Networks = []v1alpha1.Identifier{"n-1", "n-2", "n-3"}
		})
		w.reconcile(ctx)
		scope := w.source(ctx).Status.KafkaClusters.Scope
		w.change(ctx, func(s *v1alpha1.InventorySource) {
			s.Spec.KafkaClusters.Networks = []v1alpha1.Identifier{"n-3", "n-1", "n-2"}
		})
		w.reconcile(ctx)
		Expect(w.source(ctx).Status.KafkaClusters.Scope).To(Equal(scope))
		w.change(ctx, func(s *v1alpha1.InventorySource) { s.Spec.KafkaClusters.Networks = []v1alpha1.Identifier{"n-3", "n-1"} })
		w.reconcile(ctx)
		Expect(w.source(ctx).Status.KafkaClusters.Scope).NotTo(Equal(scope))
	})
})

var _ = Describe("A manager that stops in the middle of a sync", func() {
	It("reports no error", func(ctx SpecContext) {
		w := newWorld(ctx)
		w.seed(3, 1)
		w.createSource(ctx)
		w.cloud.FailNext(cloudsim.OpAny, 2, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
		stopping, stop := context.WithCancel(ctx)
		go func() {
			defer GinkgoRecover()
			Eventually(func() int { return len(w.cloud.Calls()) }).Should(BeNumerically(">", 0))
			stop()
		}()
		result, err := w.reconciler.Reconcile(stopping, requestFor(w.newSource()))
		Expect(err).NotTo(HaveOccurred())
		Expect(result.RequeueAfter).To(BeZero())
	})
})

var _ = Describe("A sync in which every listing told the same", func() {
	var w *world
	var seen *observed
	BeforeEach(func(ctx SpecContext) {
		w = newWorld(ctx)
		seen = &observed{Client: k8s}
		w.reconciler.Cluster = seen
		w.seed(12, 4)
		w.createSource(ctx)
		w.reconcile(ctx)
	})

	It("reads no observation, and reports its time", func(ctx SpecContext) {
		seen.lists = 0
		for range 3 {
			Expect(w.writes(func() { w.sync(ctx) })).To(BeEmpty())
			Expect(w.source(ctx).Status.LastSyncTime.Time).To(BeTemporally("==", w.clock.Now()))
			Expect(w.source(ctx).Status.KafkaClusters.LastListTime.Time).To(BeTemporally("==", w.clock.Now()))
			Expect(w.source(ctx).Status.KafkaClusters.Observed).To(BeEquivalentTo(12))
		}
		Expect(seen.lists).To(BeZero())
		w.clock.SetTime(w.clock.Now().Add(16 * time.Minute))
		Expect(w.writes(func() { w.reconcile(ctx) })).To(BeEmpty(), "nor is anything stale")
	})

	It("is none where the cloud says that there is more", func(ctx SpecContext) {
		w.cloud.FailNext(cloudsim.OpListClusters, 1, replacing(w, `"total_size":12`, `"total_size":13`))
		w.sync(ctx)
		Expect(w.condition(ctx, v1alpha1.ConditionReady)).To(Equal("False/IncompleteListing"))
		Expect(w.clusters(ctx)).To(HaveLen(12))
		w.sync(ctx)
		Expect(w.condition(ctx, v1alpha1.ConditionReady)).To(Equal("True/Succeeded"))
	})

	It("is none after a change of the spec, which all observations are held against", func(ctx SpecContext) {
		seen.lists = 0
		w.change(ctx, func(s *v1alpha1.InventorySource) {
			s.Spec.Template.Labels = map[string]v1alpha1.LabelValue{"team": "data"}
		})
		Expect(w.writes(func() { w.reconcile(ctx) })).To(HaveLen(16))
		Expect(seen.lists).To(Equal(everyKind))
	})

	It("counts every miss while an object is away", func(ctx SpecContext) {
		Expect(w.cloud.RemoveCluster(w.anyCluster().ID)).To(Succeed())
		w.change(ctx, func(s *v1alpha1.InventorySource) { s.Spec.Prune.AfterMisses = ptr.To[int32](4) })
		w.reconcile(ctx)
		for range 3 {
			Expect(w.clusters(ctx)).To(HaveLen(12))
			w.sync(ctx)
		}
		Expect(w.clusters(ctx)).To(HaveLen(11))
	})
})
