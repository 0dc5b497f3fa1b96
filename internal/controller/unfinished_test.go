// SPDX-License-Identifier: Apache-2.0

package controller_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
	"github.com/ccloud-dev/inventory-operator/test/cloudsim"
)

var errOutOfOrder = errors.New("the cache is out of order")

// unreadable is a client that fails to get one object, or to list objects, while the test wants that.
type unreadable struct {
	client.Client
	name           string
	lists, failing bool
}

func (u *unreadable) Get(ctx context.Context, key client.ObjectKey, o client.Object, options ...client.GetOption) error {
	if u.failing && key.Name == u.name {
		return errOutOfOrder
	}
	return u.Client.Get(ctx, key, o, options...)
}

func (u *unreadable) List(ctx context.Context, list client.ObjectList, options ...client.ListOption) error {
	if u.failing && u.lists {
		return errOutOfOrder
	}
	return u.Client.List(ctx, list, options...)
}

// unanswering is an API server that fails to list objects while the client does not read either.
type unanswering struct {
	client.Reader
	while *unreadable
}

func (m *unanswering) List(ctx context.Context, list client.ObjectList, options ...client.ListOption) error {
	if m.while.failing {
		return errOutOfOrder
	}
	return m.Reader.List(ctx, list, options...)
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

	It("because a plan failed asks the cloud no more often than it is due, and counts no listing twice", func(ctx SpecContext) {
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
		Expect(s.next(ctx)).To(BeNumerically("<=", 15*time.Second))

		By("asking again when the next sync is due")
		s.put(2)
		s.put(12)
		broken.name, broken.failing = s.id(12), true
		s.later(2 * time.Hour)
		Expect(s.asked(fails)).To(Equal(1))
		s.later(59 * time.Minute)
		Expect(s.asked(fails)).To(BeZero())
		s.later(time.Minute)
		Expect(s.asked(fails)).To(Equal(1))

		s.edit(ctx, every(30*time.Minute))
		Expect(s.asked(fails)).To(Equal(1), "the spec has another question")
		s.later(-time.Hour)
		Expect(s.asked(fails)).To(Equal(1), "the clock was set back")
		broken.failing = false
		Expect(s.asked(func() { s.pass(ctx) })).To(BeZero())
		Expect(s.objects(ctx)).To(HaveKey(s.id(12)))
		Expect(s.next(ctx)).To(Equal(30 * time.Minute))
	})

	It("because a plan failed waits longer after each listing that failed", func(ctx SpecContext) {
		s := newSubject(ctx, under, 3)
		s.create(ctx, every(time.Hour))
		s.pass(ctx)
		s.delete(ctx, 0)
		s.options().Cluster = &unreadable{Client: k8s, name: s.id(0), failing: true}
		s.fail(1000, cloudsim.Status(503, "", nil))
		s.later(2 * time.Hour)
		Expect(s.asked(func() {
			for range 360 {
				_, err := s.try(ctx)
				Expect(err).To(HaveOccurred())
				s.later(10 * time.Second)
			}
		})).To(BeNumerically("~", 16, 1), "10 s, 20 s, ... 5 min")
	})

	for code, next := range map[int]time.Duration{503: 10 * time.Second, 401: 10 * time.Minute} {
		It(fmt.Sprintf("because a plan failed counts a listing that failed with HTTP %d once", code), func(ctx SpecContext) {
			s := newSubject(ctx, under, 3)
			s.create(ctx, every(10*time.Minute))
			s.pass(ctx)
			s.delete(ctx, 0)
			broken := &unreadable{Client: k8s, name: s.id(0), failing: true}
			s.options().Cluster = broken
			s.fail(1000, cloudsim.Status(code, "", nil))
			s.later(2 * time.Hour)
			_, err := s.try(ctx)
			Expect(err).To(HaveOccurred())
			broken.failing = false
			Expect(s.asked(func() { s.pass(ctx) })).To(BeZero())
			Expect(s.next(ctx)).To(Equal(next))
		})
	}

	It("for longer than its answers may delete by has what they lack confirmed soon", func(ctx SpecContext) {
		s := newSubject(ctx, under, 10)
		s.create(ctx, every(12*time.Hour))
		s.pass(ctx)
		broken := &unreadable{Client: k8s, lists: true}
		s.options().Cluster = broken
		fails := func() {
			broken.failing = true
			for range 8 {
				_, err := s.try(ctx)
				Expect(err).To(HaveOccurred())
				s.later(10 * time.Second)
			}
			broken.failing = false
		}
		s.gone(9)
		s.later(13 * time.Hour)
		fails()
		s.pass(ctx)
		Expect(s.summary(ctx).Missing).To(BeEquivalentTo(1))
		Expect(s.next(ctx)).To(BeNumerically("<=", 15*time.Second))

		By("being approved")
		for n := range 3 {
			s.gone(n)
		}
		for range 3 {
			s.sync(ctx)
		}
		Expect(s.condition(ctx, v1alpha1.ConditionPruneHeld)).To(Equal("True/ShareExceeded"))
		s.annotate(ctx, v1alpha1.AnnotationApprovePrune, s.summary(ctx).Held.Digest)
		fails()
		for range 3 {
			s.pass(ctx)
			s.later(15 * time.Second)
		}
		Expect(s.objects(ctx)).To(HaveLen(6))
	})

	for name, breaks := range map[string]func(ctx context.Context, s *subject, broken *unreadable) (listings int){
		"because a plan goes on failing": func(_ context.Context, s *subject, broken *unreadable) int {
			s.put(11)
			broken.name = s.id(11)
			s.later(2 * time.Hour)
			return 1
		},
		"because a repair goes on failing": func(ctx context.Context, s *subject, broken *unreadable) int {
			s.delete(ctx, 0)
			broken.name = s.id(0)
			return 0
		},
		"because its objects cannot be listed": func(_ context.Context, s *subject, broken *unreadable) int {
			s.put(11)
			broken.lists = true
			s.later(2 * time.Hour)
			return 1
		},
		"because it is not known whether its owner is gone": func(_ context.Context, s *subject, broken *unreadable) int {
			s.put(11)
			s.options().APIReader = &unanswering{reader, broken}
			s.later(2 * time.Hour)
			return 1
		},
	} {
		It(name+" is told within a minute, with the time of the next sync", func(ctx SpecContext) {
			s := newSubject(ctx, under, 3)
			s.create(ctx, every(time.Hour))
			s.pass(ctx)
			s.later(time.Second)
			broken := &unreadable{Client: k8s, failing: true}
			s.options().Cluster = broken
			listings, statuses := breaks(ctx, s, broken), func() int { return len(requests.written(s.namespace, "/"+sourceName+"/status")) }
			due, before := s.clock.Now().Add(time.Hour), statuses()
			if listings == 0 {
				due = s.status(ctx).NextSyncTime.Time
			}
			Expect(s.asked(func() {
				for begun := s.clock.Now(); s.clock.Now().Sub(begun) < 30*time.Minute; s.later(10 * time.Second) {
					_, err := s.try(ctx)
					Expect(err).To(HaveOccurred())
					switch failing := s.clock.Now().Sub(begun); {
					case failing < 30*time.Second:
						Expect(s.ready(ctx)).To(Equal("True/Succeeded"))
					case failing >= 50*time.Second:
						Expect(s.ready(ctx)).To(Equal("False/WriteFailed"))
					}
				}
			})).To(Equal(listings))
			Expect(s.says(ctx, v1alpha1.ConditionReady)).To(And(HavePrefix("nothing can be written: "), ContainSubstring("out of order")))
			Expect(s.status(ctx).NextSyncTime.Time).To(BeTemporally("==", due))
			Expect(statuses() - before).To(Equal(1))
			Expect(strings.Count(strings.Join(s.recorded(), "\n"), v1alpha1.ReasonWriteFailed)).To(Equal(1))

			By("being ready once it is over")
			broken.failing = false
			Expect(s.asked(func() { s.pass(ctx) })).To(BeZero())
			Expect(s.ready(ctx)).To(Equal("True/Succeeded"))
			Expect(s.objects(ctx)).To(HaveLen(3 + listings))
			Expect(s.status(ctx).NextSyncTime.Time).To(BeTemporally("==", due))
		})
	}

	It("because a plan fails says nothing else of a suspended owner, or of a credential that was refused before a restart", func(ctx SpecContext) {
		s := newSubject(ctx, under, 3)
		s.create(ctx)
		s.pass(ctx)
		broken := &unreadable{Client: k8s, name: s.id(0), lists: true}
		s.options().Cluster = broken
		stays := func(ready string) {
			Expect(s.ready(ctx)).To(Equal(ready))
			broken.failing = true
			for range 10 {
				_, err := s.try(ctx)
				Expect(err).To(HaveOccurred())
				s.later(10 * time.Second)
			}
			broken.failing = false
			s.pass(ctx)
			Expect(s.ready(ctx)).To(Equal(ready))
		}
		s.cloud.AddKey(cloudsim.Key{ID: apiKey, Secret: "other"})
		s.sync(ctx)
		s.restart()
		stays("False/Unauthenticated")
		s.edit(ctx, suspended(true))
		s.pass(ctx)
		s.edit(ctx, every(2*time.Hour))
		stays("Unknown/Suspended")
	})

	It("because a plan failed uses a Secret that was put right since", func(ctx SpecContext) {
		s := newSubject(ctx, under, 3)
		s.options().Secrets = k8s
		s.create(ctx, every(time.Hour))
		s.pass(ctx)
		s.delete(ctx, 0)
		broken := &unreadable{Client: k8s, name: s.id(0), failing: true}
		s.options().Cluster = broken
		s.seen(ctx, s.setSecret(ctx, "wrong"))
		_, err := s.try(ctx)
		Expect(err).To(HaveOccurred())
		broken.failing = false
		s.seen(ctx, s.setSecret(ctx, apiSecret))
		s.pass(ctx)
		Expect(s.ready(ctx)).To(Equal("True/Succeeded"))
	})

	It("because a plan failed uses a Secret that was put right meanwhile", func(ctx SpecContext) {
		s := newSubject(ctx, under, 3)
		s.options().Secrets = k8s
		rotate := func(apiSecret string) {
			version := s.setSecret(ctx, apiSecret)
			secret := &metav1.PartialObjectMetadata{}
			secret.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("Secret"))
			Eventually(ctx, func(g Gomega) {
				g.Expect(k8s.Get(ctx, client.ObjectKey{Namespace: s.namespace, Name: secretName}, secret)).To(Succeed())
				g.Expect(secret.ResourceVersion).To(Equal(version))
			}).Should(Succeed())
		}
		s.create(ctx, every(time.Hour))
		s.pass(ctx)
		Expect(k8s.Delete(ctx, s.objects(ctx)[s.id(0)])).To(Succeed())
		broken := &unreadable{Client: k8s, name: s.id(0), failing: true}
		s.options().Cluster = broken
		rotate("wrong")
		Expect(s.asked(func() {
			for range 2 {
				_, err := s.try(ctx)
				Expect(err).To(HaveOccurred())
			}
		})).To(Equal(1))
		broken.failing = false
		rotate(apiSecret)
		s.pass(ctx)
		Expect(s.ready(ctx)).To(Equal("True/Succeeded"))
		Expect(s.objects(ctx)).To(HaveLen(3))
	})

	It("because a plan failed keeps the answers that a Secret that was put right got", func(ctx SpecContext) {
		s := newSubject(ctx, under, 3)
		s.create(ctx)
		s.pass(ctx)
		s.setSecret(ctx, "wrong")
		for range 2 {
			s.later(s.next(ctx) + time.Second)
			s.pass(ctx)
			Expect(s.ready(ctx)).To(Equal("False/Unauthenticated"))
		}
		s.setSecret(ctx, apiSecret)
		result := s.pass(ctx)
		Expect(result.RequeueAfter).To(BeNumerically("<", s.next(ctx)), "the pass that looks for a new Secret comes before the sync")
		Expect(k8s.Delete(ctx, s.objects(ctx)[s.id(0)])).To(Succeed())
		broken := &unreadable{Client: k8s, name: s.id(0), failing: true}
		s.options().Cluster = broken
		s.later(result.RequeueAfter)
		Expect(s.asked(func() {
			_, err := s.try(ctx)
			Expect(err).To(HaveOccurred())
		})).To(Equal(1))
		broken.failing = false
		Expect(s.asked(func() { s.pass(ctx) })).To(BeZero())
		Expect(s.ready(ctx)).To(Equal("True/Succeeded"))
		Expect(s.status(ctx).CredentialBackoff).To(BeNil())
		Expect(s.objects(ctx)).To(HaveLen(3))
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
