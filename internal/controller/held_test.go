// SPDX-License-Identifier: Apache-2.0

package controller_test

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
	"github.com/ccloud-dev/inventory-operator/internal/cloudapi/budget"
)

var _ = eachOwner("A missing object that a person deletes in the foreground", func(under side) {
	DescribeTable("is no failure while the garbage collector is at work", func(ctx SpecContext, policy v1alpha1.PrunePolicy, finalizers []string, ready string) {
		s := newSubject(ctx, under, 3)
		s.create(ctx, func(f fields) { f.prune.Policy = policy })
		s.pass(ctx)
		o := s.objects(ctx)[s.id(2)]
		o.SetFinalizers(finalizers)
		Expect(k8s.Update(ctx, o)).To(Succeed())
		DeferCleanup(func(ctx SpecContext) {
			if o := s.objects(ctx)[s.id(2)]; o != nil {
				o.SetFinalizers(nil)
				Expect(k8s.Update(ctx, o)).To(Succeed())
			}
		})
		s.gone(2)
		s.sync(ctx)
		s.sync(ctx)
		if policy == v1alpha1.PrunePolicyRetain {
			Expect(k8s.Delete(ctx, s.objects(ctx)[s.id(2)], client.PropagationPolicy(metav1.DeletePropagationForeground))).To(Succeed())
		}
		s.sync(ctx)
		Expect(s.objects(ctx)[s.id(2)].GetDeletionTimestamp()).NotTo(BeNil())
		Expect(s.ready(ctx)).To(Equal(ready))
		Expect(s.says(ctx, v1alpha1.ConditionReady)).NotTo(ContainSubstring(metav1.FinalizerDeleteDependents))
	},
		Entry("with no finalizer of others", v1alpha1.PrunePolicyRetain, nil, "True/Succeeded"),
		Entry("unless others keep it", v1alpha1.PrunePolicyRetain, []string{"example.com/stuck"}, "False/WriteFailed"),
		Entry("nor is one that the operator deleted while it had the finalizer", v1alpha1.PrunePolicyDelete, []string{metav1.FinalizerDeleteDependents}, "True/Succeeded"))
})

var _ = eachOwner("A held prune", func(under side) {
	var s *subject
	var api *gate
	BeforeEach(func(ctx SpecContext) {
		s = newSubject(ctx, under, 10)
		api = &gate{Client: k8s}
		s.options().Cluster = api
		s.create(ctx)
		s.pass(ctx)
		for n := range 4 {
			s.gone(n)
		}
		s.sync(ctx)
		s.sync(ctx)
		Expect(s.condition(ctx, v1alpha1.ConditionPruneHeld)).To(Equal("True/ShareExceeded"))
	})
	held := func(ctx SpecContext) string { return s.condition(ctx, v1alpha1.ConditionPruneHeld) }

	It("that is approved is not held again while some of its deletions are refused", func(ctx SpecContext) {
		api.refuse = func(verb, name string) error {
			if verb == "delete" && name != s.id(0) {
				return apierrors.NewForbidden(observations, name, errors.New("a policy says no"))
			}
			return nil
		}
		s.annotate(ctx, v1alpha1.AnnotationApprovePrune, s.summary(ctx).Held.Digest)
		s.pass(ctx)
		Expect(s.objects(ctx)).To(HaveLen(9))
		s.recorded()
		for begun := s.clock.Now(); s.clock.Now().Sub(begun) < 30*time.Minute; {
			s.options().Budgets = budget.New(1000, 1000)
			s.later(max(s.pass(ctx).RequeueAfter, time.Millisecond))
			Expect(held(ctx)).To(BeEmpty())
			Expect(s.ready(ctx)).To(Equal("False/WriteFailed"))
		}
		Expect(s.recorded()).To(BeEmpty(), "no event repeats it")

		By("deleting the rest, once that is allowed, without another approval")
		api.refuse = nil
		s.sync(ctx)
		Expect(s.objects(ctx)).To(HaveLen(6))
		Expect(s.ready(ctx)).To(Equal("True/Succeeded"))
	})

	DescribeTable("whose objects are all back is not held any more, whatever else is absent in turn", func(ctx SpecContext, restart bool) {
		for n := range 4 {
			s.put(n)
		}
		if restart {
			s.restart()
		}
		for i := range 4 {
			s.gone(5 + i)
			if i > 0 {
				s.put(5 + i - 1)
			}
			s.sync(ctx)
		}
		Expect(s.summary(ctx).Missing).To(BeEquivalentTo(1))
		Expect(held(ctx)).To(BeEmpty())
	}, Entry("in one process", false), Entry("after a restart", true))

	DescribeTable("whose objects are back is not held any more, though as many others went missing", func(ctx SpecContext, restart bool) {
		s.edit(ctx, func(f fields) { f.prune.AfterMisses = ptr.To[int32](12) })
		s.sync(ctx)
		Expect(held(ctx)).To(Equal("True/ShareExceeded"))
		for n := range 4 {
			s.put(n)
			s.gone(n + 5)
		}
		if restart {
			s.restart()
		}
		s.sync(ctx)
		Expect(s.summary(ctx).Missing).To(BeEquivalentTo(4))
		Expect(held(ctx)).To(BeEmpty())
		Expect(s.summary(ctx).Held).To(BeNil())
	}, Entry("in one process", false), Entry("after a restart", true))

	DescribeTable("stays held while others go missing, until one of its objects is back", func(ctx SpecContext, restart bool) {
		s.edit(ctx, func(f fields) { f.prune.AfterMisses = ptr.To[int32](12) })
		s.gone(6)
		s.sync(ctx)
		if restart {
			s.restart()
		}
		s.gone(7)
		s.sync(ctx)
		Expect(s.summary(ctx).Missing).To(BeEquivalentTo(6))
		Expect(held(ctx)).To(Equal("True/ShareExceeded"))
		s.put(3)
		s.sync(ctx)
		Expect(held(ctx)).To(BeEmpty(), "its digest would approve nothing")
	}, Entry("in one process", false), Entry("after a restart", true))

	It("stays held if more misses are asked for, and at a restart", func(ctx SpecContext) {
		s.edit(ctx, func(f fields) { f.prune.AfterMisses = ptr.To[int32](5) })
		for range 3 {
			s.sync(ctx)
			Expect(held(ctx)).To(Equal("True/ShareExceeded"))
		}
		s.restart()
		for range 6 {
			s.sync(ctx)
			Expect(held(ctx)).To(Equal("True/ShareExceeded"))
		}
	})
})

// times returns since when the owner's status says that objects are missing. A source's status has
// the times in one list, a discovery's status has them in the entries of its sources.
func (s *subject) times(ctx context.Context) []v1alpha1.MissingObject {
	GinkgoHelper()
	missing := s.summary(ctx).MissingObjects
	if d, is := s.read(ctx).(*v1alpha1.EnvironmentDiscovery); is {
		for _, entry := range d.Status.Sources {
			if entry.MissingSince != nil {
				missing = append(missing, v1alpha1.MissingObject{Name: entry.Name, Since: *entry.MissingSince})
			}
		}
	}
	return missing
}

// unrecorded is a client to which the API server refuses the owner's status from the first write of
// an object on: the status is then that of a manager which ended between the two writes.
type unrecorded struct {
	client.Client
	owner, object string
	refuses       atomic.Bool
}

func (u *unrecorded) note(o client.Object) {
	if o.GetName() == u.object {
		u.refuses.Store(true)
	}
}

func (u *unrecorded) Patch(ctx context.Context, o client.Object, patch client.Patch, options ...client.PatchOption) error {
	u.note(o)
	return u.Client.Patch(ctx, o, patch, options...)
}

func (u *unrecorded) Status() client.SubResourceWriter { return unrecordedStatus{u.Client.Status(), u} }

type unrecordedStatus struct {
	client.SubResourceWriter
	of *unrecorded
}

func (s unrecordedStatus) Patch(ctx context.Context, o client.Object, patch client.Patch, options ...client.SubResourcePatchOption) error {
	if o.GetName() == s.of.owner && s.of.refuses.Load() {
		return errors.New("a policy refuses the status")
	}
	s.of.note(o)
	return s.SubResourceWriter.Patch(ctx, o, patch, options...)
}

// lacking makes an owner with ten objects and a grace period of a day, and has the cloud lose the
// last of them.
func lacking(ctx context.Context, under side) *subject {
	GinkgoHelper()
	s := newSubject(ctx, under, 10)
	s.create(ctx, every(5*time.Minute), func(f fields) {
		f.prune.Policy, f.prune.GracePeriod = v1alpha1.PrunePolicyDelete, &metav1.Duration{Duration: 24 * time.Hour}
	})
	s.pass(ctx)
	s.gone(9)
	s.sync(ctx)
	Expect(s.times(ctx)).To(HaveLen(1))
	return s
}

// holds expects that an object stays which the first listings after a restart lack.
func (s *subject) holds(ctx context.Context, n int) {
	GinkgoHelper()
	s.restart()
	for range 4 {
		s.pass(ctx)
		Expect(s.objects(ctx)).To(HaveKey(s.id(n)), "missing for seconds, the grace period is a day")
		s.later(11 * time.Second)
	}
}

// holding makes an owner with ten objects, of which the cloud loses four: their deletion is held.
func holding(ctx context.Context, under side, interval time.Duration) *subject {
	GinkgoHelper()
	s := newSubject(ctx, under, 10)
	s.create(ctx, every(interval), func(f fields) { f.prune.Policy = v1alpha1.PrunePolicyDelete })
	s.pass(ctx)
	for n := range 4 {
		s.gone(n)
	}
	for range 3 {
		s.sync(ctx)
	}
	Expect(s.condition(ctx, v1alpha1.ConditionPruneHeld)).To(Equal("True/ShareExceeded"))
	return s
}

var _ = eachOwner("A grace period", func(under side) {
	It("starts again if the manager ends before the status says that the object is back", func(ctx SpecContext) {
		s := lacking(ctx, under)
		api := &unrecorded{Client: k8s, owner: sourceName, object: s.id(9)}
		s.options().Cluster = api
		s.put(9)
		s.later(time.Hour)
		_, err := s.try(ctx)
		Expect(err).To(HaveOccurred())
		Expect(api.refuses.Load()).To(BeTrue(), "the object was written")
		Expect(s.times(ctx)).To(BeEmpty(), "and the status before it")

		s.gone(9)
		s.later(48 * time.Hour)
		s.options().Cluster = k8s
		s.holds(ctx, 9)
	})

	It("is not cut short by the status of an absence that ended, which a stalled watch still shows", func(ctx SpecContext) {
		s := lacking(ctx, under)
		s.gone(8)
		s.sync(ctx)
		api := &unrecorded{Client: &behind{Client: k8s, shows: s.read(ctx)}, owner: sourceName, object: s.id(8)}
		s.options().Cluster = api
		list := func() {
			s.later(6 * time.Minute)
			_, err := s.try(ctx)
			Expect(err).NotTo(HaveOccurred())
		}
		s.put(9)
		list()
		s.gone(9)
		list()
		began := s.clock.Now()
		Expect(s.times(ctx)).To(HaveLen(2))

		By("ending the manager after it wrote another object that came back")
		s.put(8)
		s.later(6 * time.Minute)
		_, err := s.try(ctx)
		Expect(err).To(HaveOccurred())
		Expect(api.refuses.Load()).To(BeTrue())
		Expect(s.times(ctx)).To(HaveExactElements(HaveField("Since.Time", BeTemporally("~", began, 2*time.Second))))
	})

	It("starts again if an incomplete listing has the object", func(ctx SpecContext) {
		s := lacking(ctx, under)

		By("restarting; the cloud lists it again, beside an item that cannot be read")
		s.put(9)
		s.restart()
		s.fail(10000, replacing(s.world, `"data":[`, `"data":[{"id":7},`))
		for range 5 {
			s.sync(ctx)
		}
		Expect(s.ready(ctx)).To(Equal("False/IncompleteListing"))
		Expect(s.times(ctx)).To(BeEmpty())
		for range 20 {
			s.later(6 * time.Minute)
			s.pass(ctx)
		}
		s.later(48 * time.Hour)
		s.pass(ctx)

		By("restarting; the cloud answers well, and it is gone just now")
		s.gone(9)
		s.cloud.ClearFaults()
		s.holds(ctx, 9)
	})

	It("gives no approval of an earlier absence to a later one", func(ctx SpecContext) {
		s := holding(ctx, under, 5*time.Minute)

		By("approving what is back in the sync that the approval starts")
		s.annotate(ctx, v1alpha1.AnnotationApprovePrune, s.summary(ctx).Held.Digest)
		api := &unrecorded{Client: k8s, owner: sourceName, object: s.id(3)}
		s.options().Cluster = api
		for n := range 4 {
			s.put(n)
		}
		_, err := s.try(ctx)
		Expect(err).To(HaveOccurred())
		Expect(api.refuses.Load()).To(BeTrue(), "the objects were written")

		By("restarting days later, as all of them go again")
		for n := range 4 {
			s.gone(n)
		}
		s.later(72 * time.Hour)
		s.options().Cluster = k8s
		s.restart()
		for range 4 {
			s.pass(ctx)
			Expect(s.objects(ctx)).To(HaveLen(10), "the approval was for the earlier absence")
			s.later(11 * time.Second)
		}
	})
})
