// SPDX-License-Identifier: Apache-2.0

package controller_test

import (
	"context"
	"errors"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
	"github.com/ccloud-dev/inventory-operator/internal/cloudapi/budget"
)

// The kinds as the table of kinds numbers them.
const (
	clusterKind = iota
	peeringKind
)

// observed is a client that tells what is done with it, and lets specs come between.
type observed struct {
	client.Client
	lists        int    // how often all observations of a kind were looked at
	unreadable   bool   // single observations cannot be read
	unlistable   bool   // nor can all of a kind
	beforeReport func() // comes once, before the next write of the source's status
}

func (c *observed) List(ctx context.Context, list client.ObjectList, opts ...client.ListOption) error {
	c.lists++
	if c.unlistable {
		return errors.New("the cache is out of order")
	}
	return c.Client.List(ctx, list, opts...)
}

func (c *observed) Get(ctx context.Context, key client.ObjectKey, o client.Object, opts ...client.GetOption) error {
	if _, is := o.(v1alpha1.Observation); is && c.unreadable {
		return errors.New("the cache is out of order")
	}
	return c.Client.Get(ctx, key, o, opts...)
}

func (c *observed) Status() client.SubResourceWriter { return observedStatus{c.Client.Status(), c} }

type observedStatus struct {
	client.SubResourceWriter
	by *observed
}

func (s observedStatus) Patch(ctx context.Context, o client.Object, patch client.Patch, opts ...client.SubResourcePatchOption) error {
	if _, is := o.(*v1alpha1.InventorySource); is && s.by.beforeReport != nil {
		s.by.beforeReport()
		s.by.beforeReport = nil
	}
	return s.SubResourceWriter.Patch(ctx, o, patch, opts...)
}

var _ = Describe("Repair", func() {
	var w *world
	var seen *observed
	var id string
	BeforeEach(func(ctx SpecContext) {
		w = newWorld(ctx)
		seen = &observed{Client: k8s}
		w.reconciler.Cluster = seen
		w.seed(4, 2)
		w.createSource(ctx)
		w.reconcile(ctx)
		id = w.anyCluster().ID
	})

	// looks returns how often do looks at all observations of a kind: twice in a whole
	// pass, in a repair never.
	looks := func(do func()) int {
		before := seen.lists
		do()
		return seen.lists - before
	}

	// wakes tells the reconciler of the observation as the watch does after an edit, and
	// returns whether that wakes it.
	wakes := func(ctx SpecContext) bool {
		now := w.clusters(ctx)[id]
		return w.reconciler.Drift(clusterKind).Update(event.UpdateEvent{ObjectOld: &now, ObjectNew: &now})
	}

	// editUntold lets a stranger edit the observation, status and all.
	editUntold := func(ctx SpecContext, change func(*v1alpha1.KafkaClusterObservation)) {
		GinkgoHelper()
		edited := w.clusters(ctx)[id]
		change(&edited)
		status := edited.Status
		Expect(k8s.Update(ctx, &edited)).To(Succeed())
		edited.Status = status
		Expect(k8s.Status().Update(ctx, &edited)).To(Succeed())
	}
	edit := func(ctx SpecContext, change func(*v1alpha1.KafkaClusterObservation)) {
		GinkgoHelper()
		editUntold(ctx, change)
		Expect(wakes(ctx)).To(BeTrue())
	}
	spoil := func(o *v1alpha1.KafkaClusterObservation) { o.Status.Phase = "GONE" }

	// remove deletes the observation and tells of it.
	remove := func(ctx SpecContext) {
		GinkgoHelper()
		deleted := w.clusters(ctx)[id]
		Expect(k8s.Delete(ctx, deleted.DeepCopy())).To(Succeed())
		Expect(w.reconciler.Drift(clusterKind).Delete(event.DeleteEvent{Object: &deleted})).To(BeTrue())
	}

	for name, change := range map[string]func(*v1alpha1.KafkaClusterObservation){
		"an edited status": func(o *v1alpha1.KafkaClusterObservation) {
			o.Status.Phase, o.Status.CKU = "GONE", ptr.To[int32](99)
			o.Status.Conditions[0].Message = "nonsense"
		},
		"a label":               func(o *v1alpha1.KafkaClusterObservation) { o.Labels[v1alpha1.LabelCloud] = "MARS" },
		"a lost ownerReference": func(o *v1alpha1.KafkaClusterObservation) { o.OwnerReferences = nil },
		"all that can be taken": func(o *v1alpha1.KafkaClusterObservation) {
			o.Labels, o.OwnerReferences = nil, nil
			o.Status = v1alpha1.KafkaClusterObservationStatus{Conditions: o.Status.Conditions}
		},
	} {
		expectBack := func(ctx SpecContext, before v1alpha1.KafkaClusterObservation) {
			GinkgoHelper()
			after := w.clusters(ctx)[id]
			Expect(after.Status).To(Equal(before.Status))
			Expect(after.Spec).To(Equal(before.Spec))
			Expect(after.Labels).To(Equal(before.Labels))
			Expect(after.OwnerReferences).To(Equal(before.OwnerReferences))
			Expect(after.UID).To(Equal(before.UID))
			Expect(wakes(ctx)).To(BeFalse(), "what the reconciler wrote is no drift")
			Expect(w.writes(func() { w.reconcile(ctx) })).To(BeEmpty())
		}

		It("puts back "+name+", with no call to the cloud and no look at anything else", func(ctx SpecContext) {
			before := w.clusters(ctx)[id]
			edit(ctx, change)
			Expect(w.calls(func() {
				Expect(looks(func() { w.reconcile(ctx) })).To(BeZero())
			})).To(BeZero())
			expectBack(ctx, before)
		})

		It("puts back "+name+" in a whole pass too", func(ctx SpecContext) {
			before := w.clusters(ctx)[id]
			editUntold(ctx, change)
			Expect(w.cloud.SetClusterPhase(w.cloud.Clusters(environment)[1].ID, "PROVISIONING")).To(Succeed())
			Expect(looks(func() { w.sync(ctx) })).To(Equal(everyKind))
			expectBack(ctx, before)
		})
	}

	It("leaves a stranger's labels", func(ctx SpecContext) {
		edit(ctx, func(o *v1alpha1.KafkaClusterObservation) { o.Labels = map[string]string{"theirs": "kept"} })
		Expect(looks(func() { w.reconcile(ctx) })).To(BeZero())
		Expect(w.clusters(ctx)[id].Labels).To(And(HaveKeyWithValue("theirs", "kept"), HaveKeyWithValue(v1alpha1.LabelSource, sourceName)))
	})

	It("makes a deleted observation again", func(ctx SpecContext) {
		before := w.clusters(ctx)[id]
		remove(ctx)
		Expect(w.calls(func() {
			Expect(looks(func() { w.reconcile(ctx) })).To(BeZero())
		})).To(BeZero())
		after := w.clusters(ctx)[id]
		Expect(after.UID).NotTo(Equal(before.UID))
		Expect(after.Status.Phase).To(Equal(before.Status.Phase))
		Expect(after.OwnerReferences).To(Equal(before.OwnerReferences))
	})

	It("counts an observation that a finalizer keeps as what it will be again", func(ctx SpecContext) {
		edit(ctx, func(o *v1alpha1.KafkaClusterObservation) { o.Finalizers = []string{"example.com/stay"}; spoil(o) })
		w.reconcile(ctx)
		remove(ctx)
		w.sync(ctx)
		Expect(w.clusters(ctx)[id].DeletionTimestamp).NotTo(BeNil())
		Expect(w.source(ctx).Status.KafkaClusters.Observed).To(BeEquivalentTo(4))
		kept := w.clusters(ctx)[id]
		kept.Finalizers = nil
		Expect(k8s.Update(ctx, &kept)).To(Succeed())
		Eventually(func() any { return w.clusters(ctx) }).ShouldNot(HaveKey(id), "the watch tells after the cache knows")
		Expect(w.reconciler.Drift(clusterKind).Delete(event.DeleteEvent{Object: &kept})).To(BeTrue())
		Expect(looks(func() { w.reconcile(ctx) })).To(BeZero())
		Expect(w.clusters(ctx)[id].UID).NotTo(Equal(kept.UID))
		Expect(w.source(ctx).Status.KafkaClusters.Observed).To(BeEquivalentTo(4))
	})

	It("puts back peerings while clusters are ignored", func(ctx SpecContext) {
		w.change(ctx, func(s *v1alpha1.InventorySource) { s.Spec.KafkaClusters.Policy = v1alpha1.MirrorPolicyIgnore })
		w.reconcile(ctx)
		for name, o := range w.peerings(ctx) {
			phase := o.Status.Phase
			o.Status.Phase = "GONE"
			Expect(k8s.Status().Update(ctx, &o)).To(Succeed())
			Expect(w.reconciler.Drift(peeringKind).Update(event.UpdateEvent{ObjectOld: &o, ObjectNew: &o})).To(BeTrue())
			Expect(looks(func() { w.reconcile(ctx) })).To(BeZero())
			Expect(w.peerings(ctx)[name].Status.Phase).To(Equal(phase))
		}
	})

	It("does nothing where an earlier pass did it already, and comes back at the next sync", func(ctx SpecContext) {
		edit(ctx, spoil)
		w.clock.SetTime(w.clock.Now().Add(time.Minute))
		for range 2 {
			Expect(looks(func() {
				Expect(w.reconcile(ctx).RequeueAfter).To(Equal(4 * time.Minute))
			})).To(BeZero())
		}
	})

	// insist spoils the observation again and again, and returns how often that is undone.
	insist := func(ctx SpecContext) int {
		undone := 0
		for range 40 {
			edit(ctx, spoil)
			undone += len(w.writes(func() { w.reconcile(ctx) }))
		}
		return undone
	}

	It("does not fight at full speed against one who insists, and forgets nothing", func(ctx SpecContext) {
		Expect(insist(ctx)).To(Equal(20))
		w.clock.SetTime(w.clock.Now().Add(2 * time.Second))
		Expect(looks(func() { w.reconcile(ctx) })).To(BeZero())
		Expect(w.clusters(ctx)[id].Status.Phase).NotTo(Equal("GONE"), "it gives way, but does not give up")
	})

	It("does not fight at full speed where it has to look at everything either", func(ctx SpecContext) {
		w.occupy(ctx, "lkc-theirs")
		w.sync(ctx)
		Expect(w.condition(ctx, v1alpha1.ConditionReady)).To(Equal("False/NameConflict"))
		Expect(insist(ctx)).To(Equal(20))
		w.clock.SetTime(w.clock.Now().Add(2 * time.Second))
		Expect(looks(func() { w.reconcile(ctx) })).To(Equal(everyKind))
		Expect(w.clusters(ctx)[id].Status.Phase).NotTo(Equal("GONE"))
	})

	It("does not delete at full speed what one insists on making again, of a kind that is ignored", func(ctx SpecContext) {
		w.change(ctx, func(s *v1alpha1.InventorySource) { s.Spec.KafkaClusters.Policy = v1alpha1.MirrorPolicyIgnore })
		w.reconcile(ctx)
		deletes := 0
		for deletes < 40 && len(w.clusters(ctx)) == 0 {
			planted := &v1alpha1.KafkaClusterObservation{
				ObjectMeta: metav1.ObjectMeta{Name: "lkc-x", Namespace: w.namespace},
				Spec: v1alpha1.KafkaClusterObservationSpec{ClusterID: "lkc-x", ObservationOrigin: v1alpha1.ObservationOrigin{
					SourceRef: v1alpha1.LocalReference{Name: sourceName}, Environment: environment}},
			}
			Expect(k8s.Create(ctx, planted)).To(Succeed())
			Expect(w.reconciler.Drift(clusterKind).Delete(event.DeleteEvent{Object: planted})).To(BeTrue(), "of the one before")
			w.reconcile(ctx)
			deletes++
		}
		Expect(deletes).To(BeNumerically("~", 20, 2))
		w.clock.SetTime(w.clock.Now().Add(2 * time.Second))
		w.reconcile(ctx)
		Expect(w.clusters(ctx)).To(BeEmpty(), "it does not give up")
	})

	It("looks at everything where a missing one is gone, since others told of it", func(ctx SpecContext) {
		Expect(w.cloud.RemoveCluster(id)).To(Succeed())
		w.sync(ctx)
		Expect(brief(w.clusters(ctx)[id].Status.Conditions, v1alpha1.ConditionObserved)).To(Equal("False/Missing"))
		remove(ctx)
		Expect(looks(func() { w.reconcile(ctx) })).To(Equal(everyKind))
		Expect(w.source(ctx).Status.KafkaClusters.Missing).To(BeZero())
	})

	It("looks at everything where the spec changed, and puts back a suspended source's too", func(ctx SpecContext) {
		edit(ctx, spoil)
		w.change(ctx, func(s *v1alpha1.InventorySource) { s.Spec.Suspend = true })
		Expect(looks(func() { w.reconcile(ctx) })).To(Equal(everyKind))
		Expect(w.condition(ctx, v1alpha1.ConditionReady)).To(Equal("Unknown/Suspended"))
		edit(ctx, spoil)
		Expect(looks(func() { w.reconcile(ctx) })).To(BeZero())
		Expect(w.clusters(ctx)[id].Status.Phase).NotTo(Equal("GONE"))
	})

	It("looks at everything where the spec changed while a pass was reported", func(ctx SpecContext) {
		seen.beforeReport = func() {
			w.change(ctx, func(s *v1alpha1.InventorySource) { s.Spec.Suspend = true })
		}
		w.clock.SetTime(w.clock.Now().Add(5 * time.Minute))
		_, err := w.tryReconcile(ctx)
		Expect(err).NotTo(HaveOccurred())
		Expect(w.condition(ctx, v1alpha1.ConditionReady)).To(Equal("True/Succeeded"))
		edit(ctx, spoil)
		w.reconcile(ctx)
		Expect(w.condition(ctx, v1alpha1.ConditionReady)).To(Equal("Unknown/Suspended"))
	})

	It("looks at everything where it is time to turn stale", func(ctx SpecContext) {
		w.change(ctx, func(s *v1alpha1.InventorySource) { s.Spec.Suspend = true })
		w.reconcile(ctx)
		edit(ctx, spoil)
		w.clock.SetTime(w.clock.Now().Add(15 * time.Minute))
		Expect(looks(func() { w.reconcile(ctx) })).To(Equal(everyKind))
		for _, o := range w.clusters(ctx) {
			Expect(brief(o.Status.Conditions, v1alpha1.ConditionObserved)).To(Equal("Unknown/SourceStale"))
		}
	})

	It("looks at everything where a sync is put off", func(ctx SpecContext) {
		second := w.newSource(func(s *v1alpha1.InventorySource) { s.Name = "second" })
		Expect(k8s.Create(ctx, second)).To(Succeed())
		w.reconciler.Budgets = budget.New(0.1, 10)
		_, err := w.reconciler.Reconcile(ctx, requestFor(second))
		Expect(err).NotTo(HaveOccurred())
		w.clock.SetTime(w.clock.Now().Add(5 * time.Minute))
		edit(ctx, spoil)
		Expect(w.calls(func() {
			Expect(looks(func() { w.reconcile(ctx) })).To(Equal(everyKind))
		})).To(BeZero())
		Expect(w.clusters(ctx)[id].Status.Phase).NotTo(Equal("GONE"))
	})

	DescribeTable("looks at everything after someone made an observation of nothing, and prunes that", func(ctx SpecContext, pass func(SpecContext)) {
		planted := &v1alpha1.KafkaClusterObservation{ObjectMeta: metav1.ObjectMeta{Name: "lkc-planted", Namespace: w.namespace},
			Spec: v1alpha1.KafkaClusterObservationSpec{ClusterID: "lkc-planted", ObservationOrigin: v1alpha1.ObservationOrigin{
				SourceRef: v1alpha1.LocalReference{Name: sourceName}, Environment: environment}}}
		Expect(k8s.Create(ctx, planted)).To(Succeed())
		Expect(w.reconciler.Drift(clusterKind).Delete(event.DeleteEvent{Object: planted})).To(BeTrue(), "of the one before")
		own := w.clusters(ctx)[id]
		Expect(w.reconciler.Drift(clusterKind).Create(event.CreateEvent{Object: &own})).To(BeFalse(), "what the reconciler made is no drift")
		Expect(looks(func() { pass(ctx) })).To(Equal(everyKind))
		Expect(brief(w.clusters(ctx)["lkc-planted"].Status.Conditions, v1alpha1.ConditionObserved)).To(Equal("False/Missing"))
		for range 3 {
			w.sync(ctx)
		}
		Expect(w.clusters(ctx)).NotTo(HaveKey("lkc-planted"))
	},
		Entry("met by a sync", func(ctx SpecContext) { w.sync(ctx) }),
		Entry("met between two", func(ctx SpecContext) { w.retry(ctx) }),
	)

	Context("of observations of a kind that is not mirrored", func() {
		// plant makes an observation of a peering that the cloud does not have, and tells of it.
		plant := func(ctx SpecContext, changes ...func(*v1alpha1.PeeringObservation)) *v1alpha1.PeeringObservation {
			GinkgoHelper()
			o := planted(w)
			for _, change := range changes {
				change(o)
			}
			Expect(k8s.Create(ctx, o)).To(Succeed())
			Expect(w.reconciler.Drift(peeringKind).Create(event.CreateEvent{Object: o})).To(BeTrue())
			return o
		}

		DescribeTable("deletes one that came after the pass that ignored its kind, at the next sync", func(ctx SpecContext, told bool) {
			w.change(ctx, func(s *v1alpha1.InventorySource) { s.Spec.Peerings.Policy = v1alpha1.MirrorPolicyIgnore })
			w.reconcile(ctx)
			o := planted(w)
			Expect(k8s.Create(ctx, o)).To(Succeed())
			if told {
				w.reconciler.Drift(peeringKind).Create(event.CreateEvent{Object: o})
			}
			w.sync(ctx)
			Expect(w.peerings(ctx)).To(BeEmpty())
		}, Entry("told by the watch", true), Entry("missed by the watch", false))

		It("prunes one whose kind is mirrored", func(ctx SpecContext) {
			plant(ctx)
			for range 3 {
				w.sync(ctx)
			}
			Expect(w.peerings(ctx)).NotTo(HaveKey("p-planted"))
		})

		It("prunes one that became the source's when a stranger let go of it", func(ctx SpecContext) {
			o := plant(ctx, func(o *v1alpha1.PeeringObservation) {
				o.OwnerReferences = []metav1.OwnerReference{{APIVersion: "v1", Kind: "ConfigMap", Name: "someone", UID: "0f5f0c9e", Controller: ptr.To(true)}}
			})
			w.reconcile(ctx)
			w.sync(ctx)
			before := o.DeepCopy()
			o.OwnerReferences = nil
			Expect(k8s.Update(ctx, o)).To(Succeed())
			w.reconciler.Drift(peeringKind).Update(event.UpdateEvent{ObjectOld: before, ObjectNew: o})
			for range 4 {
				w.sync(ctx)
			}
			Expect(w.peerings(ctx)).NotTo(HaveKey("p-planted"))
		})
	})

	It("loses no sync that was asked for where the cache could not be read after the listing", func(ctx SpecContext) {
		Expect(w.cloud.SetClusterPhase(id, "RESTING")).To(Succeed())
		w.annotate(ctx, v1alpha1.AnnotationRequestedAt, "now")
		seen.unlistable = true
		_, err := w.tryReconcile(ctx)
		Expect(err).To(MatchError(ContainSubstring("out of order")))
		Expect(w.source(ctx).Status.LastHandledReconcileAt).To(BeEmpty(), "what was not recorded is not acknowledged")
		seen.unlistable = false
		Expect(w.calls(func() { w.reconcile(ctx) })).To(BeZero(), "the cloud has answered")
		Expect(w.clusters(ctx)[id].Status.Phase).To(Equal("RESTING"))
		Expect(w.source(ctx).Status.LastHandledReconcileAt).To(Equal("now"))
	})

	It("looks at everything, and says so, after a repair that could not be written", func(ctx SpecContext) {
		writer := &flaky{Client: seen, failing: true}
		w.reconciler.Cluster = writer
		remove(ctx)
		Expect(looks(func() {
			Expect(w.reconcile(ctx).RequeueAfter).To(Equal(50 * time.Millisecond))
		})).To(BeZero())
		Expect(looks(func() { w.reconcile(ctx) })).To(Equal(everyKind))
		Expect(w.condition(ctx, v1alpha1.ConditionReady)).To(Equal("False/WriteFailed"))
		writer.failing = false
		w.retry(ctx)
		Expect(w.clusters(ctx)).To(HaveKey(id))
		Expect(w.condition(ctx, v1alpha1.ConditionReady)).To(Equal("True/Succeeded"))
	})

	It("looks at everything after a repair that could not be read", func(ctx SpecContext) {
		edit(ctx, spoil)
		seen.unreadable = true
		_, err := w.tryReconcile(ctx)
		Expect(err).To(MatchError(And(ContainSubstring(id), ContainSubstring("out of order"))))
		seen.unreadable = false
		Expect(looks(func() { w.reconcile(ctx) })).To(Equal(everyKind))
		Expect(w.clusters(ctx)[id].Status.Phase).NotTo(Equal("GONE"))
	})

	It("refuses a change of the spec", func(ctx SpecContext) {
		edited := w.clusters(ctx)[id]
		edited.Spec.ClusterID = "lkc-other"
		Expect(k8s.Update(ctx, &edited)).To(MatchError(ContainSubstring("spec is immutable")))
	})

	It("never touches a namesake of someone else's, and says who has it", func(ctx SpecContext) {
		remove(ctx)
		stranger := w.occupy(ctx, id)
		Expect(w.writes(func() { w.reconcile(ctx) })).To(BeEmpty())
		Expect(w.condition(ctx, v1alpha1.ConditionReady)).To(Equal("False/NameConflict"))
		Expect(w.writes(func() { w.sync(ctx) })).To(BeEmpty())
		Expect(w.condition(ctx, v1alpha1.ConditionReady)).To(Equal("False/NameConflict"))
		Expect(w.message(ctx, v1alpha1.ConditionReady)).To(And(ContainSubstring(id), ContainSubstring("ConfigMap/someone")))
		Expect(w.condition(ctx, v1alpha1.ConditionStalled)).To(Equal("True/NameConflict"))
		Expect(w.condition(ctx, v1alpha1.ConditionPeeringsSynced)).To(Equal("True/Succeeded"))

		By("making its own, and saying so, once the other is gone")
		Expect(k8s.Delete(ctx, stranger)).To(Succeed())
		Expect(w.reconciler.Drift(clusterKind).Delete(event.DeleteEvent{Object: stranger})).To(BeTrue())
		w.reconcile(ctx)
		Expect(metav1.IsControlledBy(ptr.To(w.clusters(ctx)[id]), w.source(ctx))).To(BeTrue())
		Expect(w.condition(ctx, v1alpha1.ConditionReady)).To(Equal("True/Succeeded"))
	})

	It("keeps to the first of two sources on one environment", func(ctx SpecContext) {
		second := w.newSource(func(s *v1alpha1.InventorySource) { s.Name = "second" })
		Expect(k8s.Create(ctx, second)).To(Succeed())
		Expect(w.writes(func() {
			_, err := w.reconciler.Reconcile(ctx, requestFor(second))
			Expect(err).NotTo(HaveOccurred())
		})).To(BeEmpty())
		Expect(k8s.Get(ctx, client.ObjectKeyFromObject(second), second)).To(Succeed())
		Expect(brief(second.Status.Conditions, v1alpha1.ConditionReady)).To(Equal("False/NameConflict"))
	})
})

// occupy puts a stranger's observation under a name, of a cluster that the cloud has
// then at the latest.
func (w *world) occupy(ctx context.Context, id string) *v1alpha1.KafkaClusterObservation {
	GinkgoHelper()
	c := w.anyCluster()
	c.ID = id
	w.cloud.PutCluster(c)
	stranger := &v1alpha1.KafkaClusterObservation{
		ObjectMeta: metav1.ObjectMeta{Name: id, Namespace: w.namespace, OwnerReferences: []metav1.OwnerReference{{
			APIVersion: "v1", Kind: "ConfigMap", Name: "someone", UID: "0f5f0c9e", Controller: ptr.To(true),
		}}},
		Spec: v1alpha1.KafkaClusterObservationSpec{ObservationOrigin: v1alpha1.ObservationOrigin{
			SourceRef: v1alpha1.LocalReference{Name: sourceName}, Environment: environment,
		}, ClusterID: id},
	}
	Expect(k8s.Create(ctx, stranger)).To(Succeed())
	return stranger
}

// planted returns an observation of a peering that no cloud has.
func planted(w *world) *v1alpha1.PeeringObservation {
	return &v1alpha1.PeeringObservation{ObjectMeta: metav1.ObjectMeta{Name: "p-planted", Namespace: w.namespace},
		Spec: v1alpha1.PeeringObservationSpec{PeeringID: "p-planted", ObservationOrigin: v1alpha1.ObservationOrigin{
			SourceRef: v1alpha1.LocalReference{Name: sourceName}, Environment: environment}}}
}
