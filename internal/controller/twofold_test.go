// SPDX-License-Identifier: Apache-2.0

package controller_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
	"github.com/ccloud-dev/inventory-operator/internal/cloudapi/budget"
	"github.com/ccloud-dev/inventory-operator/test/cloudsim"
)

var _ = eachOwner("The schedule", func(under side) {
	var s *subject
	BeforeEach(func(ctx SpecContext) { s = newSubject(ctx, under, 3) })

	It("asks only at the interval, or when it is told to", func(ctx SpecContext) {
		s.create(ctx)
		Expect(s.written(func() { Expect(s.asked(func() { s.pass(ctx) })).To(Equal(1)) })).To(Equal(3 * under.creation()))
		Expect(s.ready(ctx)).To(Equal("True/Succeeded"))
		Expect(s.summary(ctx).Observed).To(BeEquivalentTo(3))

		By("waiting for the interval")
		s.later(299 * time.Second)
		var result reconcile.Result
		Expect(s.asked(func() { result = s.pass(ctx) })).To(BeZero())
		Expect(result.RequeueAfter).To(Equal(time.Second))
		s.later(time.Second)
		Expect(s.written(func() { Expect(s.asked(func() { s.pass(ctx) })).To(Equal(1)) })).To(BeZero())
		Expect(s.status(ctx).LastSyncTime.Time).To(BeTemporally("==", s.clock.Now()))

		By("not waiting where requestedAt is set")
		s.annotate(ctx, v1alpha1.AnnotationRequestedAt, "now")
		Expect(s.asked(func() { s.pass(ctx) })).To(Equal(1))
		Expect(s.status(ctx).LastHandledReconcileAt).To(Equal("now"))
		Expect(s.asked(func() { s.pass(ctx) })).To(BeZero())

		By("not waiting where the spec changed")
		s.edit(ctx, every(time.Hour))
		Expect(s.asked(func() { s.pass(ctx) })).To(Equal(1))
		Expect(s.next(ctx)).To(Equal(time.Hour))

		By("asking once after a restart, and writing nothing")
		s.restart()
		Expect(s.written(func() { Expect(s.asked(func() { s.pass(ctx); s.pass(ctx) })).To(Equal(1)) })).To(BeZero())
	})

	It("asks nothing while suspended, and at once after that", func(ctx SpecContext) {
		s.create(ctx)
		s.pass(ctx)
		s.edit(ctx, suspended(true))
		Expect(s.asked(func() { s.sync(ctx) })).To(BeZero())
		Expect(s.ready(ctx)).To(Equal("Unknown/Suspended"))
		Expect(s.status(ctx).NextSyncTime).To(BeNil())
		s.later(time.Hour)
		Expect(s.asked(func() { Expect(s.pass(ctx).RequeueAfter).To(Or(BeZero(), BeNumerically(">", time.Hour))) })).To(BeZero())
		s.edit(ctx, suspended(false))
		Expect(s.asked(func() { s.pass(ctx) })).To(Equal(1))
		Expect(s.ready(ctx)).To(Equal("True/Succeeded"))
	})

	It("counts from one moment, however long the writes take", func(ctx SpecContext) {
		s.options().Cluster, s.options().Writers = &slow{k8s, s.world, 10 * time.Second}, make(chan struct{}, 1)
		s.create(ctx, every(10*time.Second))
		began := s.clock.Now()
		s.pass(ctx)
		Expect(s.clock.Now().Sub(began)).To(Equal(30 * time.Second))
		Expect(s.status(ctx).NextSyncTime.Time).To(BeTemporally("==", began.Add(10*time.Second)))
		for range 3 { // As soon as the queue has it again.
			Expect(s.asked(func() { Expect(s.written(func() { s.pass(ctx) })).To(BeZero()) })).To(Equal(1))
			s.later(35 * time.Second)
		}
	})

	It("leaves no sync undone where the clock steps back", func(ctx SpecContext) {
		s.create(ctx)
		s.pass(ctx)
		s.later(-24 * time.Hour)
		Expect(s.asked(func() { s.pass(ctx) })).To(Equal(1))
		Expect(s.asked(func() { s.pass(ctx) })).To(BeZero())
		Expect(s.next(ctx)).To(Equal(5 * time.Minute))
	})

	It("waits longer after each failure, up to the interval", func(ctx SpecContext) {
		s.create(ctx)
		s.pass(ctx)
		s.fail(1000, cloudsim.Status(503, "", nil))
		for _, want := range []time.Duration{10, 20, 40, 80, 160, 300, 300} {
			var result reconcile.Result
			Expect(s.asked(func() { result = s.sync(ctx) })).To(Equal(1))
			Expect(result.RequeueAfter).To(BeNumerically("<=", want*time.Second))
			Expect(s.next(ctx)).To(Equal(want * time.Second))
			Expect(s.ready(ctx)).To(Equal("False/CloudUnavailable"))
		}
		s.cloud.ClearFaults()
		Expect(s.written(func() { s.sync(ctx) })).To(BeZero())
		Expect(s.next(ctx)).To(Equal(5 * time.Minute))
	})

	It("waits as long as the cloud asks, but for no longer than the interval or five minutes", func(ctx SpecContext) {
		s.create(ctx, every(30*time.Second))
		s.pass(ctx)
		for after, want := range map[string]time.Duration{"77": 77 * time.Second, "86400": 5 * time.Minute, "-5": 10 * time.Second} {
			s.fail(1, cloudsim.Status(429, "", http.Header{"Retry-After": {after}}))
			s.sync(ctx)
			Expect(s.next(ctx)).To(Equal(want), "Retry-After: %s", after)
			s.sync(ctx)
		}
	})

	It("has listings that confirm an absence follow soon, a few times, and then at the interval", func(ctx SpecContext) {
		s.create(ctx)
		for n := 3; n < 20; n++ {
			s.put(n)
		}
		s.pass(ctx)
		turn, early, row, longest := 0, 0, 0, 0
		for range 40 { // Each listing lacks the other of two.
			s.put(turn)
			turn = 1 - turn
			s.gone(turn)
			s.sync(ctx)
			if s.next(ctx) <= 15*time.Second {
				early++
				row++
				longest = max(longest, row)
			} else {
				row = 0
			}
		}
		Expect(longest).To(Equal(3))
		Expect(early).To(Equal(30))
		Expect(s.objects(ctx)).To(HaveLen(20))
	})

	It("is put off, and holds no worker, while others use up the request budget", func(ctx SpecContext) {
		s.create(ctx)
		s.createNamed(ctx, "second")
		s.options().Budgets = budget.New(0.1, 10)
		Expect(s.asked(func() { s.pass(ctx) })).To(Equal(1))
		var result reconcile.Result
		Expect(s.asked(func() {
			var err error
			result, err = s.tryNamed(ctx, "second")
			Expect(err).NotTo(HaveOccurred())
		})).To(BeZero())
		Expect(result.RequeueAfter).To(And(BeNumerically(">", time.Second), BeNumerically("<=", 5*time.Minute)))
		Expect(brief(under.fields(s.readNamed(ctx, "second")).status.Conditions, v1alpha1.ConditionReady)).To(Equal("Unknown/Progressing"))

		By("not saying that it saw a new spec which it has not synced")
		s.edit(ctx, every(time.Hour))
		before := s.read(ctx)
		s.pass(ctx)
		Expect(s.read(ctx)).To(Equal(before))
		Expect(under.fields(before).status.ObservedGeneration).To(BeNumerically("<", before.GetGeneration()))

		By("syncing it once there is budget")
		s.options().Budgets = budget.New(1000, 1000)
		Expect(s.asked(func() { Expect(s.tryNamed(ctx, "second")).Error().NotTo(HaveOccurred()) })).To(Equal(1))
	})

	It("tells that a sync waits for the request budget, who asked for that, and when it ends", func(ctx SpecContext) {
		s.create(ctx)
		s.createNamed(ctx, "second")
		s.pass(ctx)
		Expect(s.tryNamed(ctx, "second")).Error().NotTo(HaveOccurred())
		s.fail(1, cloudsim.Status(429, "", http.Header{"Retry-After": {"100"}}))
		s.sync(ctx)
		Expect(s.ready(ctx)).To(Equal("False/RateLimited"))
		told := func(name string) (string, string, time.Duration) {
			GinkgoHelper()
			var result reconcile.Result
			Expect(s.asked(func() {
				var err error
				result, err = s.tryNamed(ctx, name)
				Expect(err).NotTo(HaveOccurred())
			})).To(BeZero())
			status := under.fields(s.readNamed(ctx, name)).status
			Expect(status.NextSyncTime.Sub(s.clock.Now())).To(BeNumerically("~", result.RequeueAfter, time.Second))
			ready := meta.FindStatusCondition(status.Conditions, v1alpha1.ConditionReady)
			return brief(status.Conditions, v1alpha1.ConditionReady), ready.Message, result.RequeueAfter
		}
		ready, message, wait := told("second")
		Expect(ready).To(Equal("False/RateLimited"))
		Expect(message).To(ContainSubstring("the cloud asked for a pause of "))
		Expect(wait).To(BeNumerically(">", time.Minute))

		By("by one created meanwhile too, before its first listing")
		s.createNamed(ctx, "third")
		ready, _, _ = told("third")
		Expect(ready).To(Equal("Unknown/Progressing"))

		By("until the budget is there again")
		s.options().Budgets = budget.New(1000, 1000)
		Expect(s.asked(func() { Expect(s.tryNamed(ctx, "second")).Error().NotTo(HaveOccurred()) })).To(Equal(1))
		Expect(brief(under.fields(s.readNamed(ctx, "second")).status.Conditions, v1alpha1.ConditionReady)).To(Equal("True/Succeeded"))
	})
})

var _ = eachOwner("A credential that is refused", func(under side) {
	var s *subject
	BeforeEach(func(ctx SpecContext) {
		s = newSubject(ctx, under, 3)
		s.setSecret(ctx, "wrong-secret")
		s.create(ctx)
		Expect(s.asked(func() { s.pass(ctx) })).To(Equal(1))
		Expect(s.ready(ctx)).To(Equal("False/Unauthenticated"))
	})
	It("is used less and less often, and the status keeps how often", func(ctx SpecContext) {
		for _, want := range []time.Duration{5, 10, 20, 30, 30} {
			Expect(s.next(ctx)).To(Equal(want * time.Minute))
			Expect(s.status(ctx).CredentialBackoff.Delay.Duration).To(Equal(want * time.Minute))
			Expect(s.asked(func() { s.sync(ctx) })).To(Equal(1))
		}
	})

	It("is not used by a restarted manager until it is time, and nothing it said is lost", func(ctx SpecContext) {
		s.sync(ctx)
		before := s.read(ctx)
		s.restart()
		s.later(9 * time.Minute)
		Expect(s.asked(func() { Expect(s.pass(ctx).RequeueAfter).To(BeNumerically("<=", time.Minute)) })).To(BeZero())
		Expect(s.read(ctx)).To(Equal(before))

		By("going on where the earlier one was")
		Expect(s.asked(func() { s.sync(ctx) })).To(Equal(1))
		Expect(s.next(ctx)).To(Equal(20 * time.Minute))
	})

	It("is used again within an interval of a change of the Secret, with the right to get it only", func(ctx SpecContext) {
		s.sync(ctx)
		Expect(s.next(ctx)).To(Equal(10 * time.Minute))
		s.setSecret(ctx, apiSecret)
		Expect(s.asked(func() { s.pass(ctx) })).To(BeZero())
		s.later(5 * time.Minute)
		Expect(s.asked(func() { s.pass(ctx) })).To(Equal(1))
		Expect(s.ready(ctx)).To(Equal("True/Succeeded"))
		Expect(s.status(ctx).CredentialBackoff).To(BeNil())
		Expect(s.next(ctx)).To(Equal(5 * time.Minute))
	})

	It("is used at once by a restarted manager if the Secret was changed meanwhile", func(ctx SpecContext) {
		s.sync(ctx)
		s.setSecret(ctx, apiSecret)
		s.restart()
		Expect(s.asked(func() { s.pass(ctx) })).To(Equal(1))
		Expect(s.ready(ctx)).To(Equal("True/Succeeded"))
	})

	It("is used at once on request, and the waits start over", func(ctx SpecContext) {
		s.sync(ctx)
		s.annotate(ctx, v1alpha1.AnnotationRequestedAt, "now")
		Expect(s.asked(func() { s.pass(ctx) })).To(Equal(1))
		Expect(s.status(ctx).LastHandledReconcileAt).To(Equal("now"))
		Expect(s.next(ctx)).To(Equal(5 * time.Minute))

		By("but not once more because the manager was restarted")
		s.restart()
		Expect(s.asked(func() { s.pass(ctx) })).To(BeZero())

		By("unless it was asked for while it was down")
		s.restart()
		s.annotate(ctx, v1alpha1.AnnotationRequestedAt, "again")
		Expect(s.asked(func() { s.pass(ctx) })).To(Equal(1))
	})

	It("is used at once where the spec changed, also while the manager was down", func(ctx SpecContext) {
		s.sync(ctx)
		s.restart()
		s.edit(ctx, every(time.Hour))
		Expect(s.asked(func() { s.pass(ctx) })).To(Equal(1))
		Expect(s.next(ctx)).To(Equal(time.Hour))
	})

	It("does not put off forever, whatever someone writes in the status", func(ctx SpecContext) {
		s.editStatus(ctx, func(f fields) {
			f.status.NextSyncTime = &metav1.Time{Time: s.clock.Now().Add(1000 * time.Hour)}
			f.status.CredentialBackoff.Delay.Duration = 1000 * time.Hour
		})
		s.restart()
		s.pass(ctx)
		Expect(s.next(ctx)).To(Equal(time.Hour))
		s.sync(ctx)
		Expect(s.next(ctx)).To(Equal(30 * time.Minute))
	})

	It("says nothing of a back-off while suspended, and asks at once when resumed", func(ctx SpecContext) {
		s.edit(ctx, suspended(true))
		Expect(s.asked(func() { s.pass(ctx) })).To(BeZero())
		Expect(s.status(ctx).CredentialBackoff).To(BeNil())
		s.edit(ctx, suspended(false))
		Expect(s.asked(func() { s.pass(ctx) })).To(Equal(1))
	})

	It("is no obstacle where someone emptied the status but for the back-off", func(ctx SpecContext) {
		s.editStatus(ctx, func(f fields) { f.status.Conditions = nil })
		s.restart()
		for range 3 {
			s.pass(ctx)
		}
		Expect(s.ready(ctx)).To(Equal("False/Unauthenticated"))
	})

	Context("by a manager that watches Secrets", func() {
		BeforeEach(func() { s.options().Secrets = k8s })

		It("ends its back-off at once, and asks once for it", func(ctx SpecContext) {
			s.seen(ctx, s.setSecret(ctx, apiSecret))
			Expect(s.asked(func() { s.pass(ctx) })).To(Equal(1))
			Expect(s.ready(ctx)).To(Equal("True/Succeeded"))
			Expect(s.asked(func() { s.pass(ctx) })).To(BeZero())
			s.cloud.AddKey(cloudsim.Key{ID: apiKey, Secret: "rotated"})
			s.seen(ctx, s.setSecret(ctx, "rotated"))
			Expect(s.asked(func() { s.pass(ctx) })).To(Equal(1))
			Expect(s.ready(ctx)).To(Equal("True/Succeeded"))
		})

		It("goes on with what is known while the Secret is away, and uses its successor at once", func(ctx SpecContext) {
			secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: secretName, Namespace: s.namespace}}
			Expect(k8s.Delete(ctx, secret)).To(Succeed())
			s.sync(ctx)
			Expect(s.ready(ctx)).To(Equal("False/SecretNotFound"))
			s.seen(ctx, s.createSecret(ctx, apiKey, apiSecret).ResourceVersion)
			Expect(s.asked(func() { s.pass(ctx) })).To(Equal(1))
			Expect(s.ready(ctx)).To(Equal("True/Succeeded"))
		})
	})
})

var _ = eachOwner("Pruning the objects", func(under side) {
	var s *subject
	BeforeEach(func(ctx SpecContext) {
		s = newSubject(ctx, under, 10)
		s.create(ctx)
		s.pass(ctx)
	})
	pruneHeld := func(ctx SpecContext) string { return s.condition(ctx, v1alpha1.ConditionPruneHeld) }
	digest := func(ctx SpecContext) string {
		GinkgoHelper()
		_, digest, found := strings.Cut(s.says(ctx, v1alpha1.ConditionPruneHeld), v1alpha1.AnnotationApprovePrune+"=")
		Expect(found).To(BeTrue())
		return digest
	}
	empty := func() {
		for n := range 10 {
			s.gone(n)
		}
	}

	It("deletes after two complete listings without the object, the second within 15 s", func(ctx SpecContext) {
		s.gone(4)
		Expect(s.written(func() { s.sync(ctx) })).To(Equal(1), "it is said that it is missing")
		Expect(s.summary(ctx).Missing).To(BeEquivalentTo(1))
		Expect(s.next(ctx)).To(BeNumerically("<=", 15*time.Second))
		Expect(s.written(func() { s.sync(ctx) })).To(Equal(1))
		Expect(s.objects(ctx)).To(And(HaveLen(9), Not(HaveKey(s.id(4)))))
		Expect(s.summary(ctx).Missing).To(BeZero())
		Expect(s.next(ctx)).To(Equal(5 * time.Minute))
		Expect(s.recorded()).To(ContainElement(And(ContainSubstring("Pruned"), ContainSubstring(s.id(4)))))
	})

	It("deletes once what a finalizer keeps, and names it until it is gone", func(ctx SpecContext) {
		finalizers := func(n int, finalizers ...string) client.Object {
			o := s.objects(ctx)[s.id(n)]
			o.SetFinalizers(finalizers)
			Expect(k8s.Update(ctx, o)).To(Succeed())
			return o
		}
		finalizers(4, "example.com/stuck")
		s.gone(4)
		s.sync(ctx)
		Expect(s.ready(ctx)).To(Equal("True/Succeeded"))
		s.sync(ctx)
		for range 3 {
			Expect(s.ready(ctx)).To(Equal("False/WriteFailed"))
			Expect(s.says(ctx, v1alpha1.ConditionReady)).To(ContainSubstring("kept by finalizers: " + s.id(4) + " (example.com/stuck)"))
			Expect(s.summary(ctx)).To(And(HaveField("Observed", int32(9)), HaveField("Missing", int32(1))))
			Expect(s.written(func() { s.sync(ctx) })).To(BeZero())
		}
		told := strings.Join(s.recorded(), "\n")
		Expect(strings.Count(told, "Pruned")).To(Equal(1))
		Expect(told).To(And(ContainSubstring("Began to delete "), ContainSubstring(", which finalizers keep: "+s.id(4)), Not(ContainSubstring("Deleted"))))

		By("being ready once it is gone")
		o := finalizers(4)
		Eventually(ctx, func() error { return k8s.Get(ctx, client.ObjectKeyFromObject(o), o.DeepCopyObject().(client.Object)) }).ShouldNot(Succeed(), "the cache knows it too")
		Expect(s.side.reconciler(s.organization).Drift(0).Delete(event.DeleteEvent{Object: o})).To(BeTrue())
		Expect(s.asked(func() { s.pass(ctx) })).To(BeZero())
		Expect(s.ready(ctx)).To(Equal("True/Succeeded"))
		Expect(s.summary(ctx).Missing).To(BeZero())
	})

	It("counts no failed listing, and none again after the object came back", func(ctx SpecContext) {
		s.gone(4)
		s.sync(ctx)
		s.fail(3, cloudsim.Status(503, "", nil))
		for range 3 {
			Expect(s.written(func() { s.sync(ctx) })).To(BeZero())
		}
		Expect(s.objects(ctx)).To(HaveKey(s.id(4)))
		s.put(4)
		Expect(s.written(func() { s.sync(ctx) })).To(Equal(1))
		Expect(s.summary(ctx).Missing).To(BeZero())
		s.gone(4)
		s.sync(ctx)
		Expect(s.objects(ctx)).To(HaveKey(s.id(4)))
	})

	It("does not count the first listing since the start", func(ctx SpecContext) {
		s.gone(4)
		s.restart()
		s.pass(ctx)
		s.sync(ctx)
		Expect(s.objects(ctx)).To(HaveKey(s.id(4)))
		s.sync(ctx)
		Expect(s.objects(ctx)).NotTo(HaveKey(s.id(4)))
	})

	It("does not delete between two syncs", func(ctx SpecContext) {
		s.edit(ctx, func(f fields) { f.prune.GracePeriod = &metav1.Duration{Duration: time.Minute} })
		s.pass(ctx)
		s.gone(4)
		s.sync(ctx)
		s.sync(ctx)
		s.later(2 * time.Minute)
		s.fail(1000, cloudsim.Status(503, "", nil))
		s.pass(ctx)
		s.sync(ctx)
		Expect(s.objects(ctx)).To(HaveKey(s.id(4)), "the grace period is over, but nothing fresh confirms")
		s.cloud.ClearFaults()
		s.sync(ctx)
		Expect(s.objects(ctx)).NotTo(HaveKey(s.id(4)))
	})

	It("is held for an empty listing until it is approved", func(ctx SpecContext) {
		empty()
		for range 5 {
			s.sync(ctx)
		}
		Expect(s.objects(ctx)).To(HaveLen(10))
		Expect(pruneHeld(ctx)).To(Equal("True/ListingEmpty"))
		Expect(s.ready(ctx)).To(Equal("True/Succeeded"))
		Expect(s.recorded()).To(ContainElement(ContainSubstring("PruneHeld")))
		s.annotate(ctx, v1alpha1.AnnotationApprovePrune, "0123456789ab")
		Expect(s.asked(func() { s.pass(ctx) })).To(BeZero())
		Expect(s.objects(ctx)).To(HaveLen(10), "another digest approves nothing")
		s.annotate(ctx, v1alpha1.AnnotationApprovePrune, digest(ctx))
		Expect(s.written(func() { Expect(s.asked(func() { s.pass(ctx) })).To(Equal(1)) })).To(Equal(10))
		Expect(s.objects(ctx)).To(BeEmpty())
		Expect(pruneHeld(ctx)).To(BeEmpty())
	})

	It("is held for more than maxPercent, until the objects come back", func(ctx SpecContext) {
		for n := range 3 {
			s.gone(n)
		}
		for range 4 {
			s.sync(ctx)
		}
		Expect(s.objects(ctx)).To(HaveLen(10))
		Expect(pruneHeld(ctx)).To(Equal("True/ShareExceeded"))
		for n := range 3 {
			s.put(n)
		}
		s.sync(ctx)
		Expect(pruneHeld(ctx)).To(BeEmpty())
	})

	It("is held for what vanished as the key was exchanged, until it is approved", func(ctx SpecContext) {
		s.cloud.AddKey(cloudsim.Key{ID: "OTHERKEY", Secret: apiSecret})
		secret := &corev1.Secret{}
		Expect(reader.Get(ctx, client.ObjectKey{Namespace: s.namespace, Name: secretName}, secret)).To(Succeed())
		secret.Data[v1alpha1.SecretKeyAPIKey] = []byte("OTHERKEY")
		Expect(k8s.Update(ctx, secret)).To(Succeed())
		s.gone(4)
		for range 4 {
			s.sync(ctx)
		}
		Expect(s.objects(ctx)).To(HaveKey(s.id(4)))
		Expect(pruneHeld(ctx)).To(Equal("True/ScopeChanged"))

		By("staying held while the cloud cannot be asked, though approved")
		s.annotate(ctx, v1alpha1.AnnotationApprovePrune, digest(ctx))
		s.fail(1, cloudsim.Status(503, "", nil))
		s.pass(ctx)
		Expect(s.objects(ctx)).To(HaveKey(s.id(4)))
		Expect(pruneHeld(ctx)).To(Equal("True/ScopeChanged"))
		s.sync(ctx)
		Expect(s.objects(ctx)).NotTo(HaveKey(s.id(4)))
		Expect(pruneHeld(ctx)).To(BeEmpty())
	})

	It("is none where the policy says Retain", func(ctx SpecContext) {
		s.edit(ctx, func(f fields) { f.prune.Policy = v1alpha1.PrunePolicyRetain })
		s.gone(4)
		for range 5 {
			s.sync(ctx)
		}
		Expect(s.objects(ctx)).To(HaveKey(s.id(4)))
		Expect(s.summary(ctx).Missing).To(BeEquivalentTo(1))
		Expect(s.next(ctx)).To(Equal(5*time.Minute), "nothing to confirm")
	})

	It("takes everything at once where maxPercent is 100", func(ctx SpecContext) {
		s.edit(ctx, func(f fields) { f.prune.MaxPercent = ptr.To[int32](100) })
		empty()
		for range 3 {
			s.sync(ctx)
		}
		Expect(s.objects(ctx)).To(BeEmpty())
		Expect(s.recorded()).To(ContainElement(And(ContainSubstring("Pruned"), ContainSubstring(s.id(0)))))
	})

	for name, trouble := range map[string]func(context.Context){
		"whose first listing fails":   func(context.Context) { s.fail(3, cloudsim.Status(503, "", nil)) },
		"whose credential is refused": func(context.Context) { s.cloud.AddKey(cloudsim.Key{ID: apiKey, Secret: "other"}) },
		"that is suspended":           func(ctx context.Context) { s.edit(ctx, suspended(true)) },
		"without any trouble":         func(context.Context) {},
	} {
		It("is still held after a restart of one "+name, func(ctx SpecContext) {
			empty()
			s.sync(ctx)
			s.sync(ctx)
			Expect(pruneHeld(ctx)).To(Equal("True/ListingEmpty"))
			s.recorded()
			message := s.says(ctx, v1alpha1.ConditionPruneHeld)
			trouble(ctx)
			s.restart()
			for range 3 {
				s.sync(ctx)
				Expect(s.says(ctx, v1alpha1.ConditionPruneHeld)).To(Equal(message))
			}
			s.cloud.AddKey(cloudsim.Key{ID: apiKey, Secret: apiSecret})
			s.edit(ctx, suspended(false))
			for range 5 {
				s.sync(ctx)
				Expect(s.says(ctx, v1alpha1.ConditionPruneHeld)).To(Equal(message))
			}
			Expect(s.recorded()).NotTo(ContainElement(ContainSubstring("PruneHeld")), "it is told once")
			Expect(s.objects(ctx)).To(HaveLen(10))
		})
	}

	It("that is held and approved asks the cloud once, however often a pass comes", func(ctx SpecContext) {
		empty()
		s.sync(ctx)
		s.sync(ctx)
		held := s.summary(ctx).Held
		Expect(held.Message).To(ContainSubstring("kubectl -n " + s.namespace + " annotate --overwrite "))
		Expect(held.Message).To(ContainSubstring("/" + sourceName + " inventory.ccloud.dev/approvePrune=" + held.Digest))
		s.cloud.AddKey(cloudsim.Key{ID: apiKey, Secret: "other"})
		s.annotate(ctx, v1alpha1.AnnotationApprovePrune, held.Digest)
		passes := func() {
			for range 20 {
				s.pass(ctx)
			}
		}
		Expect(s.asked(passes)).To(Equal(1), "a refused key is not asked with again and again")
		s.restart()
		Expect(s.asked(passes)).To(BeZero(), "nor by the next manager")
		s.cloud.AddKey(cloudsim.Key{ID: apiKey, Secret: apiSecret})
		for range 4 {
			s.sync(ctx)
		}
		Expect(s.objects(ctx)).To(BeEmpty())
	})

	It("waits from now on where the status says that the object will be missing in time to come", func(ctx SpecContext) {
		s.edit(ctx, func(f fields) { f.prune.GracePeriod = &metav1.Duration{Duration: time.Hour} })
		s.gone(4)
		s.sync(ctx)
		s.restart()
		s.later(-12 * time.Hour) // What was written is time to come now.
		s.pass(ctx)
		began := s.clock.Now()
		s.later(time.Hour)
		for range 4 {
			s.pass(ctx)
			s.later(5 * time.Minute)
		}
		Expect(s.clock.Now().Sub(began)).To(BeNumerically("<", 2*time.Hour))
		Expect(s.objects(ctx)).NotTo(HaveKey(s.id(4)), "a time to come counts as now")
	})
})

var _ = eachOwner("A write of an object", func(under side) {
	var s *subject
	var api *gate
	BeforeEach(func(ctx SpecContext) {
		s = newSubject(ctx, under, 7)
		api = &gate{Client: k8s}
		s.options().Cluster = api
	})
	forbidden := func(name string) error {
		return apierrors.NewForbidden(observations, name, errors.New("a policy says no"))
	}
	only := func(n int, err error) func(string, string) error {
		return func(_, name string) error {
			if name == s.id(n) {
				return err
			}
			return nil
		}
	}
	// passes reconciles so many times, as soon as asked each time, and returns the writes that were tried.
	passes := func(ctx SpecContext, n int) (tried int) {
		GinkgoHelper()
		refuse := api.refuse
		defer func() { api.refuse = refuse }()
		api.refuse = func(verb, name string) error { tried++; return refuse(verb, name) }
		for range n {
			s.later(min(s.pass(ctx).RequeueAfter, time.Minute))
		}
		return tried
	}

	It("that is refused forever waits longer each time, by itself", func(ctx SpecContext) {
		s.create(ctx)
		api.refuse = only(0, forbidden("x"))
		s.pass(ctx)
		Expect(s.ready(ctx)).To(Equal("False/WriteFailed"))
		Expect(s.says(ctx, v1alpha1.ConditionReady)).To(And(ContainSubstring("1 of 7 writes failed"), ContainSubstring("a policy says no"), ContainSubstring(s.id(0))))
		Expect(s.summary(ctx).Observed).To(BeEquivalentTo(6), "only what exists is counted")
		begun := s.clock.Now()
		Expect(passes(ctx, 30)).To(BeNumerically("<=", 16))
		Expect(s.clock.Now().Sub(begun)).To(BeNumerically(">", 2*time.Minute))

		By("while another object is put back at a bounded pace, the refused one not sent with it")
		repairs, sent := 0, 0
		api.refuse = func(_, name string) error {
			switch name {
			case s.id(0):
				sent++
				return forbidden(name)
			case s.id(1):
				repairs++
			}
			return nil
		}
		for range 40 {
			s.spoil(ctx, 1)
			s.pass(ctx)
		}
		Expect(repairs).To(BeNumerically("<=", 21), "20 at once, then one a second")
		Expect(sent).To(BeNumerically("<=", 1))

		By("at a change of the object at once")
		sent = 0
		s.rename(0, "another")
		s.sync(ctx)
		Expect(sent).To(Equal(1))

		By("counting it when it is there")
		api.refuse = nil
		s.later(5 * time.Minute)
		s.pass(ctx)
		Expect(s.ready(ctx)).To(Equal("True/Succeeded"))
		Expect(s.summary(ctx).Observed).To(BeEquivalentTo(7))
	})

	DescribeTable("that meets someone faster is reported only where it goes on", func(ctx SpecContext, refusal error) {
		s.create(ctx)
		s.pass(ctx)
		s.delete(ctx, 2)
		api.refuse = only(2, refusal)
		passes(ctx, 2)
		Expect(s.ready(ctx)).To(Equal("True/Succeeded"))
		passes(ctx, 3)
		Expect(s.ready(ctx)).To(Equal("False/WriteFailed"))
		Expect(s.summary(ctx).Observed).To(BeEquivalentTo(6))
		for _, at := range []string{"a", "b", "c", "d", "e"} {
			s.annotate(ctx, v1alpha1.AnnotationRequestedAt, at)
			s.pass(ctx)
			Expect(s.ready(ctx)).To(Equal("False/WriteFailed"))
		}
		api.refuse = nil
		s.later(time.Minute)
		s.pass(ctx)
		Expect(s.ready(ctx)).To(Equal("True/Succeeded"))
		Expect(s.summary(ctx).Observed).To(BeEquivalentTo(7))
	},
		Entry("a conflict", apierrors.NewConflict(observations, "x", errors.New("changed"))),
		Entry("no such resource", &apierrors.StatusError{ErrStatus: metav1.Status{Status: "Failure", Code: 404, Reason: metav1.StatusReasonNotFound,
			Message: "the server could not find the requested resource"}}),
		Entry("it exists already", apierrors.NewAlreadyExists(observations, "x")),
	)

	It("that is stored otherwise than sent is reported, and tried again with growing waits, and at a change", func(ctx SpecContext) {
		s.create(ctx, func(f fields) { *f.labels = map[string]v1alpha1.LabelValue{"team": "platform"} })
		s.options().Cluster = policy{k8s, func(o client.Object) {
			if kept(o) && o.GetName() != sourceName {
				labels := o.GetLabels()
				delete(labels, "team")
				o.SetLabels(labels)
			}
		}}
		s.pass(ctx)
		Expect(s.ready(ctx)).To(Equal("False/WriteFailed"))
		Expect(s.says(ctx, v1alpha1.ConditionReady)).To(And(ContainSubstring(s.id(0)), ContainSubstring("stored otherwise")))
		Expect(s.summary(ctx).Observed).To(BeEquivalentTo(7))
		var writes []int
		for range 8 {
			writes = append(writes, s.written(func() { s.sync(ctx) }))
		}
		Expect(writes).To(Equal([]int{7, 0, 7, 0, 0, 0, 7, 0}), "after 5, 10 and 20 minutes")
		Expect(s.ready(ctx)).To(Equal("False/WriteFailed"))

		By("keeping its waits where the bytes of the item differ in something that nothing is made of")
		for _, more := range []string{"1", "2", "3"} {
			s.fail(1, replacing(s.world, `"display_name":"item 0"`, `"display_name":"item 0","newer":`+more))
			Expect(s.written(func() { s.sync(ctx) })).To(BeZero())
			Expect(s.ready(ctx)).To(Equal("False/WriteFailed"))
		}

		By("writing what the cloud changed at once")
		s.rename(0, "another")
		Expect(s.written(func() { s.sync(ctx) })).To(BeNumerically("<=", 2), "its metadata and, of an observation, its status")
		Expect(under.shownName(s.objects(ctx)[s.id(0)])).To(Equal("another"))

		By("writing it when the policy is gone")
		s.options().Cluster = k8s
		s.annotate(ctx, v1alpha1.AnnotationRequestedAt, "now")
		Expect(s.written(func() { s.pass(ctx) })).To(Equal(7))
		Expect(s.ready(ctx)).To(Equal("True/Succeeded"))
		Expect(s.written(func() { s.sync(ctx) })).To(BeZero())
	})

	It("never costs the owner's status, whatever words it is refused with", func(ctx SpecContext) {
		s.create(ctx)
		api.refuse = func(_, name string) error {
			return apierrors.NewForbidden(observations, name, errors.New(strings.Repeat("no ", 20_000)))
		}
		s.pass(ctx)
		Expect(s.ready(ctx)).To(Equal("False/WriteFailed"))
		Expect(len(s.says(ctx, v1alpha1.ConditionReady))).To(BeNumerically("<=", s.mostReady()))
		Expect(s.recorded()).To(ContainElement(HavePrefix("Warning WriteFailed")))
	})

	It("of an approved prune that meets a conflict needs no further approval", func(ctx SpecContext) {
		s.create(ctx)
		s.pass(ctx)
		for n := range 4 {
			s.gone(n)
		}
		s.sync(ctx)
		s.sync(ctx)
		Expect(s.condition(ctx, v1alpha1.ConditionPruneHeld)).To(Equal("True/ShareExceeded"))
		conflicts := 2
		api.refuse = func(verb, name string) error {
			if verb == "delete" && conflicts > 0 {
				conflicts--
				return apierrors.NewConflict(observations, name, errors.New("changed"))
			}
			return nil
		}
		s.annotate(ctx, v1alpha1.AnnotationApprovePrune, s.summary(ctx).Held.Digest)
		s.options().Writers = make(chan struct{}, 1)
		s.pass(ctx)
		Expect(s.objects(ctx)).To(HaveLen(3 + 2))
		s.later(time.Second)
		s.pass(ctx)
		Expect(s.objects(ctx)).To(HaveLen(3), "an approval holds for what it named until that is done")
		Expect(s.condition(ctx, v1alpha1.ConditionPruneHeld)).To(BeEmpty())
	})

	DescribeTable("that deletes and is refused says so all the time, until it is not", func(ctx SpecContext, interval time.Duration) {
		s.create(ctx, every(interval))
		for n := 7; n < 10; n++ {
			s.put(n)
		}
		s.pass(ctx)
		s.gone(4)
		deletions := 0
		api.refuse = func(verb, name string) error {
			if verb != "delete" {
				return nil
			}
			deletions++
			return forbidden(name)
		}
		s.sync(ctx)
		s.sync(ctx)
		Expect(s.ready(ctx)).To(Equal("False/WriteFailed"))
		s.recorded()
		for begun := s.clock.Now(); s.clock.Now().Sub(begun) < min(30*time.Minute, 20*interval); {
			s.options().Budgets = budget.New(1000, 1000)
			s.later(max(s.pass(ctx).RequeueAfter, time.Millisecond))
			Expect(s.ready(ctx)).To(Equal("False/WriteFailed"), "after %v", s.clock.Now().Sub(begun))
		}
		Expect(s.recorded()).To(BeEmpty())
		Expect(deletions).To(And(BeNumerically(">=", 5), BeNumerically("<=", 30)))
		api.refuse = nil
		s.later(5 * time.Minute) // The longest wait there is.
		s.pass(ctx)
		Expect(s.objects(ctx)).NotTo(HaveKey(s.id(4)))
		Expect(s.ready(ctx)).To(Equal("True/Succeeded"))
	},
		Entry("at an interval of 5 minutes", 5*time.Minute), Entry("of 170 seconds", 170*time.Second), Entry("of 30 seconds", 30*time.Second))

	It("is sent at once as a corrected template has it, and the status says nothing old", func(ctx SpecContext) {
		s.create(ctx, func(f fields) {
			*f.annotations = map[string]string{"a": strings.Repeat("x", 200<<10), "b": strings.Repeat("x", 100<<10)}
		})
		for range 12 { // It waits for minutes then.
			s.later(s.pass(ctx).RequeueAfter)
		}
		s.pass(ctx)
		Expect(s.ready(ctx)).To(Equal("False/WriteFailed"))
		Expect(s.objects(ctx)).To(BeEmpty())
		s.edit(ctx, func(f fields) { *f.annotations = nil })
		s.pass(ctx)
		Expect(s.objects(ctx)).To(HaveLen(7))
		Expect(s.ready(ctx)).To(Equal("True/Succeeded"))
		Expect(s.status(ctx).ObservedGeneration).To(Equal(s.read(ctx).GetGeneration()))
	})

	It("that the API server has no time for is made when it has, with no request to the cloud", func(ctx SpecContext) {
		s.create(ctx)
		s.annotate(ctx, v1alpha1.AnnotationRequestedAt, "token")
		writer := &flaky{Client: k8s, failing: true}
		s.options().Cluster = writer
		Expect(s.pass(ctx).RequeueAfter).To(BeNumerically("<", time.Second))
		Expect(s.ready(ctx)).To(Equal("False/WriteFailed"))
		Expect(s.says(ctx, v1alpha1.ConditionReady)).To(And(ContainSubstring("7 of 7 writes failed"), ContainSubstring("out of order")))
		Expect(s.status(ctx).NextSyncTime).NotTo(BeNil())
		writer.failing = false
		s.later(time.Second)
		Expect(s.asked(func() { s.pass(ctx) })).To(BeZero())
		Expect(s.objects(ctx)).To(HaveLen(7))
		Expect(s.ready(ctx)).To(Equal("True/Succeeded"))
		Expect(s.status(ctx).LastSyncTime).NotTo(BeNil())
		Expect(s.status(ctx).LastHandledReconcileAt).To(Equal("token"))
	})
})

var _ = eachOwner("The status", func(under side) {
	var s *subject
	var api *gate
	BeforeEach(func(ctx SpecContext) {
		s = newSubject(ctx, under, 3)
		api = &gate{Client: k8s}
		s.options().Cluster = api
		s.create(ctx)
	})

	It("is never written to an owner created again under the same name", func(ctx SpecContext) {
		former := s.read(ctx)
		api.beforeReport = func() { // Announced; the report of the listing comes later.
			api.beforeReport = func() {
				Expect(k8s.Delete(ctx, former)).To(Succeed())
				s.create(ctx, suspended(true))
			}
		}
		_, err := s.try(ctx)
		Expect(err).To(HaveOccurred(), "so that the new one is looked at")
		successor := s.read(ctx)
		Expect(successor.GetUID()).NotTo(Equal(former.GetUID()))
		Expect(s.status(ctx).Conditions).To(BeEmpty())
		Expect(s.summary(ctx)).To(BeNil())
		Expect(s.status(ctx).ObservedGeneration).To(BeEquivalentTo(-1))
	})

	It("is not lost to someone who edits the owner meanwhile", func(ctx SpecContext) {
		s.pass(ctx)
		api.beforeReport = func() { s.annotate(ctx, "example.com/edited", "meanwhile") }
		s.clock.SetTime(s.status(ctx).NextSyncTime.Time)
		s.pass(ctx)
		Expect(s.read(ctx).GetAnnotations()).To(HaveKey("example.com/edited"))
		Expect(s.status(ctx).LastSyncTime.Time).To(BeTemporally("==", s.clock.Now()))
	})

	It("keeps the time of a condition that stays", func(ctx SpecContext) {
		for condition, spoil := range map[string]func(){
			v1alpha1.ConditionStalled: func() { s.cloud.AddKey(cloudsim.Key{ID: apiKey, Secret: "other"}) },
			v1alpha1.ConditionReconciling: func() {
				s.cloud.AddKey(cloudsim.Key{ID: apiKey, Secret: apiSecret})
				s.fail(1000, cloudsim.Status(503, "", nil))
			},
		} {
			spoil()
			s.sync(ctx)
			before := meta.FindStatusCondition(s.status(ctx).Conditions, condition)
			Expect(before).NotTo(BeNil())
			was := s.read(ctx)
			for range 10 {
				s.later(500 * time.Millisecond)
				s.pass(ctx)
			}
			Expect(s.read(ctx)).To(Equal(was), "ten unchanged passes write nothing")
			s.sync(ctx)
			Expect(meta.FindStatusCondition(s.status(ctx).Conditions, condition).LastTransitionTime).To(Equal(before.LastTransitionTime))
			s.cloud.ClearFaults()
		}
	})

	It("fits, however many words the cloud fails with", func(ctx SpecContext) {
		s.fail(1000, cloudsim.Status(500, `{"errors":[{"title":"`+strings.Repeat("w", 2_000)+`","detail":"`+strings.Repeat("d", 2_000)+`"}]}`,
			http.Header{"Content-Type": {"application/json"}}))
		s.pass(ctx)
		Expect(s.ready(ctx)).To(Equal("False/CloudUnavailable"))
		Expect(len(s.says(ctx, v1alpha1.ConditionReady))).To(BeNumerically("<=", s.mostReady()))
		Expect(s.says(ctx, v1alpha1.ConditionReady)).To(ContainSubstring("…"))
	})

	It("tells once what goes on, however often a pass comes and the manager restarts", func(ctx SpecContext) {
		s.pass(ctx)
		s.gone(1)
		s.edit(ctx, func(f fields) { f.prune.Policy = v1alpha1.PrunePolicyRetain })
		s.sync(ctx)
		object := s.objects(ctx)[s.id(1)]
		Expect(s.written(func() {
			for range 3 {
				s.later(time.Minute)
				s.pass(ctx)
				s.restart()
				s.pass(ctx)
				s.sync(ctx)
			}
		})).To(BeZero(), "since when an object is missing is written once")
		Expect(s.objects(ctx)[s.id(1)]).To(Equal(object))
	})
})
