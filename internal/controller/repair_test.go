// SPDX-License-Identifier: Apache-2.0

package controller_test

import (
	"context"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
)

// reading is a client that counts how often all observations are looked at.
type reading struct {
	client.Client
	lists int
}

func (r *reading) List(ctx context.Context, list client.ObjectList, opts ...client.ListOption) error {
	r.lists++
	return r.Client.List(ctx, list, opts...)
}

// Clusters come first in the table of kinds.
const clusterKind = 0

// tellChanged tells the reconciler of a cluster's observation as the watch does after
// an edit, and returns whether that wakes it.
func (w *world) tellChanged(ctx context.Context, id string) bool {
	now := w.clusters(ctx)[id]
	return w.reconciler.Drift(clusterKind).Update(event.UpdateEvent{ObjectOld: &now, ObjectNew: &now})
}

// tellDeleted does the same after a deletion.
func (w *world) tellDeleted(deleted v1alpha1.KafkaClusterObservation) bool {
	return w.reconciler.Drift(clusterKind).Delete(event.DeleteEvent{Object: &deleted})
}

var _ = Describe("Repair", func() {
	var w *world
	var all *reading
	var id string
	BeforeEach(func(ctx SpecContext) {
		w = newWorld(ctx)
		all = &reading{Client: k8s}
		w.reconciler.Cluster = all
		w.seed(4, 2)
		w.createSource(ctx)
		w.reconcile(ctx)
		id = w.anyCluster().ID
	})

	// looks returns how often do makes the reconciler look at all observations of a kind.
	looks := func(do func()) int {
		before := all.lists
		do()
		return all.lists - before
	}

	// looked is how often, by whether the watch told what changed.
	looked := map[bool]int{true: 0, false: 2}

	// edit lets a stranger edit the observation, status and all.
	edit := func(ctx SpecContext, change func(*v1alpha1.KafkaClusterObservation)) {
		GinkgoHelper()
		edited := w.clusters(ctx)[id]
		change(&edited)
		status := edited.Status
		Expect(k8s.Update(ctx, &edited)).To(Succeed())
		edited.Status = status
		Expect(k8s.Status().Update(ctx, &edited)).To(Succeed())
	}
	spoil := func(o *v1alpha1.KafkaClusterObservation) { o.Status.Phase = "GONE" }

	for name, change := range map[string]func(*v1alpha1.KafkaClusterObservation){
		"an edited status": func(o *v1alpha1.KafkaClusterObservation) {
			o.Status.Phase, o.Status.CKU = "GONE", ptr.To[int32](99)
			o.Status.Conditions[0].Message = "nonsense"
		},
		"a label":               func(o *v1alpha1.KafkaClusterObservation) { o.Labels[v1alpha1.LabelCloud] = "MARS" },
		"a lost ownerReference": func(o *v1alpha1.KafkaClusterObservation) { o.OwnerReferences = nil },
		"all that can be taken": func(o *v1alpha1.KafkaClusterObservation) {
			o.Labels, o.OwnerReferences, o.Status = nil, nil, v1alpha1.KafkaClusterObservationStatus{}
		},
	} {
		for _, told := range []bool{true, false} {
			text := "puts back " + name + " where the watch told of nothing"
			if told {
				text = "puts back " + name + " and looks at no other where the watch told of it"
			}
			It(text, func(ctx SpecContext) {
				before := w.clusters(ctx)[id]
				edit(ctx, change)
				if told {
					Expect(w.tellChanged(ctx, id)).To(BeTrue())
				}
				Expect(w.calls(func() {
					Expect(looks(func() { w.reconcile(ctx) })).To(Equal(looked[told]))
				})).To(BeZero())
				after := w.clusters(ctx)[id]
				Expect(after.Status).To(Equal(before.Status))
				Expect(after.Spec).To(Equal(before.Spec))
				Expect(after.Labels).To(Equal(before.Labels))
				Expect(after.OwnerReferences).To(Equal(before.OwnerReferences))
				Expect(after.UID).To(Equal(before.UID))
				Expect(w.tellChanged(ctx, id)).To(BeFalse(), "what the reconciler wrote is no drift")
				Expect(w.writes(func() { w.reconcile(ctx) })).To(BeEmpty())
			})
		}
	}

	It("leaves a stranger's labels", func(ctx SpecContext) {
		edit(ctx, func(o *v1alpha1.KafkaClusterObservation) { o.Labels = map[string]string{"theirs": "kept"} })
		w.tellChanged(ctx, id)
		w.reconcile(ctx)
		Expect(w.clusters(ctx)[id].Labels).To(And(HaveKeyWithValue("theirs", "kept"), HaveKeyWithValue(v1alpha1.LabelSource, sourceName)))
	})

	for _, told := range []bool{true, false} {
		text := "makes a deleted observation anew where the watch told of nothing"
		if told {
			text = "makes a deleted observation anew where the watch told of it"
		}
		It(text, func(ctx SpecContext) {
			before := w.clusters(ctx)[id]
			Expect(k8s.Delete(ctx, before.DeepCopy())).To(Succeed())
			if told {
				Expect(w.tellDeleted(before)).To(BeTrue())
			}
			Expect(w.calls(func() {
				Expect(looks(func() { w.reconcile(ctx) })).To(Equal(looked[told]))
			})).To(BeZero())
			after := w.clusters(ctx)[id]
			Expect(after.UID).NotTo(Equal(before.UID))
			Expect(after.Status.Phase).To(Equal(before.Status.Phase))
			Expect(after.OwnerReferences).To(Equal(before.OwnerReferences))
		})
	}

	for _, told := range []bool{true, false} {
		text := "does not fight at full speed against one who insists"
		if told {
			text += ", and forgets none of what the watch told"
		}
		It(text, func(ctx SpecContext) {
			undone := 0
			for range 40 {
				edit(ctx, spoil)
				if told {
					w.tellChanged(ctx, id)
				}
				undone += len(w.writes(func() { w.reconcile(ctx) }))
			}
			Expect(undone).To(Equal(20))
			w.clock.SetTime(w.clock.Now().Add(2 * time.Second))
			Expect(looks(func() { w.reconcile(ctx) })).To(Equal(looked[told]))
			Expect(w.clusters(ctx)[id].Status.Phase).NotTo(Equal("GONE"), "it gives way, but does not give up")
		})
	}

	It("looks at everything where one observation has a say in others", func(ctx SpecContext) {
		By("a missing one being gone")
		Expect(w.cloud.RemoveCluster(id)).To(Succeed())
		w.sync(ctx)
		gone := w.clusters(ctx)[id]
		Expect(brief(gone.Status.Conditions, v1alpha1.ConditionObserved)).To(Equal("False/Missing"))
		Expect(k8s.Delete(ctx, gone.DeepCopy())).To(Succeed())
		Expect(w.tellDeleted(gone)).To(BeTrue())
		Expect(looks(func() { w.reconcile(ctx) })).To(Equal(2))
		Expect(w.source(ctx).Status.KafkaClusters.Missing).To(BeZero())

		By("the spec having changed, which nobody has listed by while suspended")
		id = w.anyCluster().ID
		edit(ctx, spoil)
		w.tellChanged(ctx, id)
		w.change(ctx, func(s *v1alpha1.InventorySource) { s.Spec.Suspend = true })
		Expect(looks(func() { w.reconcile(ctx) })).To(Equal(2))
		Expect(w.condition(ctx, v1alpha1.ConditionReady)).To(Equal("Unknown/Suspended"))
		edit(ctx, spoil)
		w.tellChanged(ctx, id)
		Expect(looks(func() { w.reconcile(ctx) })).To(BeZero(), "a suspended source's observations are put back too")

		By("it being time to turn stale")
		edit(ctx, spoil)
		w.tellChanged(ctx, id)
		w.clock.SetTime(w.clock.Now().Add(15 * time.Minute))
		Expect(looks(func() { w.reconcile(ctx) })).To(Equal(2))
		for _, o := range w.clusters(ctx) {
			Expect(brief(o.Status.Conditions, v1alpha1.ConditionObserved)).To(Equal("Unknown/SourceStale"))
		}
	})

	It("comes back at the next sync after a repair", func(ctx SpecContext) {
		edit(ctx, spoil)
		w.tellChanged(ctx, id)
		w.clock.SetTime(w.clock.Now().Add(time.Minute))
		Expect(w.reconcile(ctx).RequeueAfter).To(Equal(4 * time.Minute))
	})

	It("looks at everything, and says so, after a repair that could not be written", func(ctx SpecContext) {
		writer := &flaky{Client: all, failing: true}
		w.reconciler.Cluster = writer
		deleted := w.clusters(ctx)[id]
		Expect(k8s.Delete(ctx, deleted.DeepCopy())).To(Succeed())
		w.tellDeleted(deleted)
		Expect(looks(func() {
			Expect(w.reconcile(ctx).RequeueAfter).To(Equal(50 * time.Millisecond))
		})).To(BeZero())
		Expect(looks(func() { w.reconcile(ctx) })).To(Equal(2))
		Expect(w.condition(ctx, v1alpha1.ConditionReady)).To(Equal("False/WriteFailed"))
		writer.failing = false
		w.reconcile(ctx)
		Expect(w.clusters(ctx)).To(HaveKey(id))
		Expect(w.condition(ctx, v1alpha1.ConditionReady)).To(Equal("True/Succeeded"))
	})

	It("refuses a change of the spec", func(ctx SpecContext) {
		edited := w.clusters(ctx)[id]
		edited.Spec.ClusterID = "lkc-other"
		Expect(k8s.Update(ctx, &edited)).To(MatchError(ContainSubstring("spec is immutable")))
	})

	It("never touches a namesake of someone else's, and says who has it", func(ctx SpecContext) {
		theirs := w.clusters(ctx)[id]
		Expect(k8s.Delete(ctx, theirs.DeepCopy())).To(Succeed())
		stranger := &v1alpha1.KafkaClusterObservation{
			ObjectMeta: metav1.ObjectMeta{Name: id, Namespace: w.namespace, OwnerReferences: []metav1.OwnerReference{{
				APIVersion: "v1", Kind: "ConfigMap", Name: "someone", UID: "0f5f0c9e", Controller: ptr.To(true),
			}}},
			Spec: theirs.Spec,
		}
		Expect(k8s.Create(ctx, stranger)).To(Succeed())
		Expect(w.tellDeleted(theirs)).To(BeTrue())
		Expect(w.writes(func() { w.reconcile(ctx) })).To(BeEmpty())
		Expect(w.condition(ctx, v1alpha1.ConditionReady)).To(Equal("False/NameConflict"))
		Expect(w.writes(func() { w.sync(ctx) })).To(BeEmpty())
		Expect(w.condition(ctx, v1alpha1.ConditionReady)).To(Equal("False/NameConflict"))
		Expect(w.message(ctx, v1alpha1.ConditionReady)).To(And(ContainSubstring(id), ContainSubstring("ConfigMap/someone")))
		Expect(w.condition(ctx, v1alpha1.ConditionStalled)).To(Equal("True/NameConflict"))
		Expect(w.condition(ctx, v1alpha1.ConditionPeeringsSynced)).To(Equal("True/Succeeded"))

		By("making its own, and saying so, once the other is gone")
		Expect(k8s.Delete(ctx, stranger)).To(Succeed())
		w.tellDeleted(*stranger)
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
