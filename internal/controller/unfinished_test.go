// SPDX-License-Identifier: Apache-2.0

package controller_test

import (
	"context"
	"errors"
	"reflect"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
)

// unreadable is a client that fails to get one object while the test wants that.
type unreadable struct {
	client.Client
	name    string
	failing bool
}

func (u *unreadable) Get(ctx context.Context, key client.ObjectKey, o client.Object, options ...client.GetOption) error {
	if u.failing && key.Name == u.name {
		return errors.New("the cache is out of order")
	}
	return u.Client.Get(ctx, key, o, options...)
}

// behind is a client whose cache still shows an owner as it was.
type behind struct {
	client.Client
	shows client.Object
}

func (b *behind) Get(ctx context.Context, key client.ObjectKey, o client.Object, options ...client.GetOption) error {
	if key != client.ObjectKeyFromObject(b.shows) || reflect.TypeOf(o) != reflect.TypeOf(b.shows) {
		return b.Client.Get(ctx, key, o, options...)
	}
	reflect.ValueOf(o).Elem().Set(reflect.ValueOf(b.shows.DeepCopyObject()).Elem())
	return nil
}

var _ = eachOwner("A pass that is not finished", func(under side) {
	It("because a plan failed loses no part of the sync", func(ctx SpecContext) {
		s := newSubject(ctx, under, 3)
		s.create(ctx, every(time.Hour))
		s.pass(ctx)
		s.put(11)
		broken := &unreadable{Client: k8s, name: s.id(11), failing: true}
		s.options().Cluster = broken
		s.edit(ctx, every(10*time.Second))
		_, err := s.try(ctx)
		Expect(err).To(HaveOccurred())
		broken.failing = false
		s.pass(ctx)
		Expect(s.objects(ctx)).To(HaveLen(4))
		Expect(s.next(ctx)).To(BeNumerically("<=", 15*time.Second))
	})

	It("because a plan failed asks the cloud once a minute, and counts no listing twice", func(ctx SpecContext) {
		s := newSubject(ctx, under, 3)
		s.create(ctx, every(time.Hour), func(f fields) {
			f.prune.Policy, f.prune.AfterMisses, f.prune.MaxPercent = v1alpha1.PrunePolicyDelete, ptr.To[int32](2), ptr.To[int32](100)
		})
		s.pass(ctx)
		s.put(11)
		s.gone(2)
		broken := &unreadable{Client: k8s, name: s.id(11), failing: true}
		s.options().Cluster = broken
		s.later(2 * time.Hour)
		fails := func() {
			for range 20 {
				_, err := s.try(ctx)
				Expect(err).To(HaveOccurred())
			}
		}
		Expect(s.asked(fails)).To(Equal(1))
		broken.failing = false
		Expect(s.asked(func() { s.pass(ctx) })).To(BeZero())
		Expect(s.objects(ctx)).To(And(HaveKey(s.id(11)), HaveKey(s.id(2))), "one listing lacked it")

		By("asking again when what was heard is too old to delete by")
		s.put(12)
		broken.name, broken.failing = s.id(12), true
		s.later(2 * time.Hour)
		Expect(s.asked(fails)).To(Equal(1))
		s.later(time.Minute)
		Expect(s.asked(fails)).To(Equal(1))

		s.edit(ctx, every(30*time.Minute))
		Expect(s.asked(fails)).To(Equal(1), "the spec has another question")
		s.later(-time.Hour)
		Expect(s.asked(fails)).To(Equal(1), "the clock was set back")
		broken.failing = false
		Expect(s.asked(func() { s.pass(ctx) })).To(BeZero())
		Expect(s.objects(ctx)).To(HaveKey(s.id(12)))
	})

	It("because one attempt failed while the clock was ahead is tried again once the clock is right", func(ctx SpecContext) {
		s := newSubject(ctx, under, 3)
		api := &gate{Client: k8s}
		s.options().Cluster = api
		s.create(ctx)
		s.pass(ctx)
		s.later(3 * time.Hour)
		s.put(11)
		refused := 0
		api.refuse = func(_, name string) error {
			if name != s.id(11) || refused > 0 {
				return nil
			}
			refused++
			return apierrors.NewConflict(observations, name, errors.New("it was changed"))
		}
		s.sync(ctx)
		Expect(refused).To(Equal(1))
		s.later(-3 * time.Hour)
		s.pass(ctx)
		Expect(s.objects(ctx)).To(HaveKey(s.id(11)))
		Expect(s.ready(ctx)).To(Equal("True/Succeeded"))
	})

	It("because its owner is gone, which the cache does not show yet, creates nothing again", func(ctx SpecContext) {
		s := newSubject(ctx, under, 3)
		s.create(ctx)
		s.pass(ctx)
		s.options().Cluster = &behind{Client: k8s, shows: s.read(ctx)}
		Expect(k8s.Delete(ctx, s.read(ctx))).To(Succeed())
		s.delete(ctx, 0) // As the garbage collector does.
		_, err := s.try(ctx)
		Expect(err).NotTo(HaveOccurred())
		Expect(s.objects(ctx)).To(HaveLen(2))
	})

	It("because its namespace is being deleted tries a write that failed before less and less often", func(ctx SpecContext) {
		s := newSubject(ctx, under, 3)
		api := &gate{Client: k8s}
		s.options().Cluster = api
		refusal := apierrors.NewForbidden(observations, s.id(0), errors.New("a policy says no"))
		tried := 0
		api.refuse = func(_, name string) error {
			if name != s.id(0) {
				return nil
			}
			tried++
			return refusal
		}
		s.create(ctx)
		s.pass(ctx)
		refusal.ErrStatus.Details = &metav1.StatusDetails{Causes: []metav1.StatusCause{{Type: corev1.NamespaceTerminatingCause}}}
		s.later(time.Second)
		tried = 0
		for begun := s.clock.Now(); s.clock.Now().Sub(begun) < time.Minute; {
			s.later(max(s.pass(ctx).RequeueAfter, time.Millisecond))
		}
		Expect(tried).To(BeNumerically("<=", 12))
	})
})
