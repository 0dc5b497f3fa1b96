// SPDX-License-Identifier: Apache-2.0

package controller_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
	"github.com/ccloud-dev/inventory-operator/test/cloudsim"
)

// gate stands before the API server and refuses writes of observations and of sources, but not
// of a source's status, or lets something happen before a write of an owner's status.
type gate struct {
	client.Client
	// refuse returns the error of a write, by its verb and the object's name.
	refuse func(verb, name string) error
	// stored changes what the API server answered to a write.
	stored       func(o client.Object)
	beforeReport func()
}

func (g *gate) ask(verb string, o client.Object) error {
	if !kept(o) || g.refuse == nil {
		return nil
	}
	return g.refuse(verb, o.GetName())
}

func (g *gate) answer(o client.Object, err error) error {
	if kept(o) && err == nil && g.stored != nil {
		g.stored(o)
	}
	return err
}

// kept reports whether an object is of a kind that the operator keeps for an owner.
func kept(o client.Object) bool {
	_, observation := o.(v1alpha1.Observation)
	_, source := o.(*v1alpha1.InventorySource)
	return observation || source
}

func (g *gate) Create(ctx context.Context, o client.Object, opts ...client.CreateOption) error {
	if err := g.ask("create", o); err != nil {
		return err
	}
	return g.answer(o, g.Client.Create(ctx, o, opts...))
}

func (g *gate) Delete(ctx context.Context, o client.Object, opts ...client.DeleteOption) error {
	if err := g.ask("delete", o); err != nil {
		return err
	}
	return g.Client.Delete(ctx, o, opts...)
}

func (g *gate) Patch(ctx context.Context, o client.Object, patch client.Patch, opts ...client.PatchOption) error {
	if err := g.ask("patch", o); err != nil {
		return err
	}
	return g.answer(o, g.Client.Patch(ctx, o, patch, opts...))
}

func (g *gate) Status() client.SubResourceWriter { return gateStatus{g.Client.Status(), g} }

type gateStatus struct {
	client.SubResourceWriter
	gate *gate
}

func (s gateStatus) Patch(ctx context.Context, o client.Object, patch client.Patch, opts ...client.SubResourcePatchOption) error {
	if _, is := o.(v1alpha1.Observation); !is {
		if before := s.gate.beforeReport; before != nil {
			s.gate.beforeReport = nil
			before()
		}
		return s.SubResourceWriter.Patch(ctx, o, patch, opts...)
	}
	if err := s.gate.ask("patch_status", o); err != nil {
		return err
	}
	return s.gate.answer(o, s.SubResourceWriter.Patch(ctx, o, patch, opts...))
}

var observations = schema.GroupResource{Group: v1alpha1.GroupVersion.Group, Resource: "kafkaclusterobservations"}

var _ = Describe("A write of an observation", func() {
	var w *world
	var api *gate
	BeforeEach(func(ctx SpecContext) {
		w = newWorld(ctx)
		api = &gate{Client: k8s}
		w.reconciler.Cluster = api
		w.seed(7, 2)
		w.createSource(ctx)
	})

	// passes reconciles so many times, as soon as asked each time, and returns the
	// writes that were tried.
	passes := func(ctx SpecContext, n int) (tried int) {
		GinkgoHelper()
		refuse := api.refuse
		defer func() { api.refuse = refuse }()
		api.refuse = func(verb, name string) error { tried++; return refuse(verb, name) }
		for range n {
			w.clock.SetTime(w.clock.Now().Add(min(w.reconcile(ctx).RequeueAfter, time.Minute)))
		}
		return tried
	}

	It("that is refused forever waits longer each time, by itself", func(ctx SpecContext) {
		refused := w.anyCluster().ID
		api.refuse = func(_, name string) error {
			if name == refused {
				return apierrors.NewForbidden(observations, name, errors.New("a policy says no"))
			}
			return nil
		}
		w.reconcile(ctx)
		Expect(w.condition(ctx, v1alpha1.ConditionReady)).To(Equal("False/WriteFailed"))
		Expect(w.message(ctx, v1alpha1.ConditionReady)).To(And(ContainSubstring("a policy says no"), ContainSubstring(refused)))
		Expect(w.source(ctx).Status.KafkaClusters.Observed).To(BeEquivalentTo(6), "only what exists is counted")
		begun := w.clock.Now()
		tried := passes(ctx, 30)
		Expect(tried).To(BeNumerically("<=", 16))
		Expect(w.clock.Now().Sub(begun)).To(BeNumerically(">", 2*time.Minute))

		By("while another object is put back at a bounded pace, the refused one not sent with it")
		other := w.cloud.Clusters(environment)[1].ID
		edits, sent := 0, 0
		api.refuse = func(_, name string) error {
			switch name {
			case refused:
				sent++
				return apierrors.NewForbidden(observations, name, errors.New("a policy says no"))
			case other:
				edits++
			}
			return nil
		}
		for range 60 {
			o := w.clusters(ctx)[other]
			o.Labels[v1alpha1.LabelCloud] = "MARS"
			Expect(k8s.Update(ctx, &o)).To(Succeed())
			w.reconciler.Drift(clusterKind).Update(event.UpdateEvent{ObjectOld: &o, ObjectNew: &o})
			w.reconcile(ctx)
		}
		Expect(edits).To(BeNumerically("<=", 21), "20 at once, then one a second")
		Expect(sent).To(BeNumerically("<=", 1))

		By("at a change of the object at once")
		sent = 0
		Expect(w.cloud.SetClusterPhase(refused, "FAILED")).To(Succeed())
		w.sync(ctx)
		Expect(sent).To(Equal(1))
	})

	DescribeTable("that meets someone faster is reported only where it goes on", func(ctx SpecContext, refusal error) {
		w.reconcile(ctx)
		w.recorded()
		id := w.anyCluster().ID
		deleted := w.clusters(ctx)[id]
		Expect(k8s.Delete(ctx, deleted.DeepCopy())).To(Succeed())
		w.reconciler.Drift(clusterKind).Delete(event.DeleteEvent{Object: &deleted})
		api.refuse = func(_, name string) error {
			if name == id {
				return refusal
			}
			return nil
		}
		passes(ctx, 2)
		Expect(w.condition(ctx, v1alpha1.ConditionReady)).To(Equal("True/Succeeded"))
		passes(ctx, 3)
		Expect(w.condition(ctx, v1alpha1.ConditionReady)).To(Equal("False/WriteFailed"))
		Expect(w.source(ctx).Status.KafkaClusters.Observed).To(BeEquivalentTo(6))
		for i := range 5 {
			w.annotate(ctx, v1alpha1.AnnotationRequestedAt, fmt.Sprint(i))
			w.reconcile(ctx)
			Expect(w.condition(ctx, v1alpha1.ConditionReady)).To(Equal("False/WriteFailed"))
		}
		api.refuse = nil
		w.clock.SetTime(w.clock.Now().Add(time.Minute))
		w.reconcile(ctx)
		Expect(w.condition(ctx, v1alpha1.ConditionReady)).To(Equal("True/Succeeded"))
		Expect(w.source(ctx).Status.KafkaClusters.Observed).To(BeEquivalentTo(7))
	},
		Entry("a conflict", apierrors.NewConflict(observations, "x", errors.New("changed"))),
		Entry("no such resource", &apierrors.StatusError{ErrStatus: metav1.Status{Status: "Failure", Code: 404, Reason: metav1.StatusReasonNotFound,
			Message: "the server could not find the requested resource"}}),
		Entry("it exists already", apierrors.NewAlreadyExists(observations, "x")),
	)

	It("that is stored otherwise than sent is reported, and not repeated sync for sync", func(ctx SpecContext) {
		w.reconcile(ctx)
		api.stored = func(o client.Object) { // As an older CRD leaves it.
			if cluster, is := o.(*v1alpha1.KafkaClusterObservation); is {
				cluster.Status.Phase = ""
			}
		}
		id := w.anyCluster().ID
		Expect(w.cloud.SetClusterPhase(id, "FAILED")).To(Succeed())
		w.sync(ctx)
		Expect(w.condition(ctx, v1alpha1.ConditionReady)).To(Equal("False/WriteFailed"))
		Expect(w.message(ctx, v1alpha1.ConditionReady)).To(And(ContainSubstring(id), ContainSubstring("stored otherwise")))
		Expect(w.recorded()).To(ContainElement(ContainSubstring("stored otherwise")))
	})

	It("never costs the source's status, whatever words it is refused with", func(ctx SpecContext) {
		api.refuse = func(_, name string) error {
			return apierrors.NewForbidden(observations, name, errors.New(strings.Repeat("no ", 20_000)))
		}
		w.reconcile(ctx)
		Expect(w.condition(ctx, v1alpha1.ConditionReady)).To(Equal("False/WriteFailed"))
		Expect(len(w.message(ctx, v1alpha1.ConditionReady))).To(BeNumerically("<", 4096))
		Expect(w.recorded()).To(ContainElement(HavePrefix("Warning WriteFailed")))
	})

	It("is not a word of the cloud's too long to store", func(ctx SpecContext) {
		id := w.anyCluster().ID
		Expect(w.cloud.SetClusterPhase(id, strings.Repeat("X", 500_000))).To(Succeed())
		w.reconcile(ctx)
		Expect(w.condition(ctx, v1alpha1.ConditionReady)).To(Equal("True/Succeeded"))
		Expect(w.clusters(ctx)[id].Status.Phase).To(HaveSuffix("…"))
		Expect(w.writes(func() { w.sync(ctx) })).To(BeEmpty())
	})

	It("of an approved prune that meets a conflict needs no further approval", func(ctx SpecContext) {
		w.reconcile(ctx)
		for _, c := range w.cloud.Clusters(environment)[:4] {
			Expect(w.cloud.RemoveCluster(c.ID)).To(Succeed())
		}
		w.sync(ctx)
		w.sync(ctx)
		Expect(w.condition(ctx, v1alpha1.ConditionPruneHeld)).To(Equal("True/ShareExceeded"))
		conflicts := 2
		api.refuse = func(verb, name string) error {
			if verb == "delete" && conflicts > 0 {
				conflicts--
				return apierrors.NewConflict(observations, name, errors.New("changed"))
			}
			return nil
		}
		w.annotate(ctx, v1alpha1.AnnotationApprovePrune, w.source(ctx).Status.KafkaClusters.Held.Digest)
		w.reconciler.Writers = make(chan struct{}, 1)
		w.reconcile(ctx)
		Expect(w.clusters(ctx)).To(HaveLen(3 + 2))
		w.retry(ctx)
		Expect(w.clusters(ctx)).To(HaveLen(3), "an approval holds for what it named until that is done")
		Expect(w.condition(ctx, v1alpha1.ConditionPruneHeld)).To(BeEmpty())
	})
})

var _ = Describe("The source's status", func() {
	var w *world
	var api *gate
	BeforeEach(func(ctx SpecContext) {
		w = newWorld(ctx)
		api = &gate{Client: k8s}
		w.reconciler.Cluster = api
		w.seed(3, 1)
		w.createSource(ctx)
	})

	It("is never written to a source created again under the same name", func(ctx SpecContext) {
		former := w.source(ctx)
		api.beforeReport = func() { // Announced; the report of the listing comes later.
			api.beforeReport = func() {
				Expect(k8s.Delete(ctx, former)).To(Succeed())
				Expect(k8s.Create(ctx, w.newSource(func(s *v1alpha1.InventorySource) { s.Spec.Environment = "env-other" }))).To(Succeed())
			}
		}
		_, err := w.tryReconcile(ctx)
		Expect(err).To(HaveOccurred(), "so that the new one is looked at")
		Eventually(func() any { return w.source(ctx).UID }).ShouldNot(Equal(former.UID))
		successor := &v1alpha1.InventorySource{}
		Expect(reader.Get(ctx, client.ObjectKeyFromObject(former), successor)).To(Succeed())
		Expect(successor.Status.Conditions).To(BeEmpty())
		Expect(successor.Status.KafkaClusters).To(BeNil())
		Expect(successor.Status.ObservedGeneration).To(BeEquivalentTo(-1))
	})

	It("is not lost to someone who edits the source meanwhile", func(ctx SpecContext) {
		w.reconcile(ctx)
		api.beforeReport = func() { w.annotate(ctx, "example.com/edited", "meanwhile") }
		w.clock.SetTime(w.source(ctx).Status.NextSyncTime.Time)
		_, err := w.tryReconcile(ctx)
		Expect(err).NotTo(HaveOccurred())
		Expect(w.source(ctx).Annotations).To(HaveKey("example.com/edited"))
		Expect(w.source(ctx).Status.LastSyncTime.Time).To(BeTemporally("==", w.clock.Now()))
	})

	It("keeps the time of a condition that stays", func(ctx SpecContext) {
		for reason, spoil := range map[string]func(){
			"Stalled": func() { w.cloud.AddKey(cloudsim.Key{ID: apiKey, Secret: "other"}) },
			"Reconciling": func() {
				w.cloud.AddKey(cloudsim.Key{ID: apiKey, Secret: apiSecret})
				w.cloud.FailNext(cloudsim.OpAny, 1000, cloudsim.Status(503, "", nil))
			},
		} {
			spoil()
			w.sync(ctx)
			before := meta.FindStatusCondition(w.source(ctx).Status.Conditions, reason)
			Expect(before).NotTo(BeNil())
			written := len(requests.written(w.namespace, "inventorysources"))
			for range 10 {
				w.clock.SetTime(w.clock.Now().Add(500 * time.Millisecond))
				w.reconcile(ctx)
			}
			Expect(requests.written(w.namespace, "inventorysources")).To(HaveLen(written), "ten unchanged passes write nothing")
			w.sync(ctx)
			Expect(meta.FindStatusCondition(w.source(ctx).Status.Conditions, reason).LastTransitionTime).To(Equal(before.LastTransitionTime))
			w.cloud.ClearFaults()
		}
	})

	It("is no obstacle where someone emptied it but for a back-off", func(ctx SpecContext) {
		w.cloud.AddKey(cloudsim.Key{ID: apiKey, Secret: "other"})
		w.reconcile(ctx)
		source := w.source(ctx)
		Expect(source.Status.CredentialBackoff).NotTo(BeNil())
		source.Status.Conditions = nil
		Expect(k8s.Status().Update(ctx, source)).To(Succeed())
		w.restart()
		for range 3 {
			w.reconcile(ctx)
		}
		Expect(w.condition(ctx, v1alpha1.ConditionReady)).To(Equal("False/Unauthenticated"))
	})
})
