// SPDX-License-Identifier: Apache-2.0

package controller_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/types"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
	"github.com/ccloud-dev/inventory-operator/internal/cloudapi"
	"github.com/ccloud-dev/inventory-operator/internal/cloudapi/budget"
	"github.com/ccloud-dev/inventory-operator/test/cloudsim"
)

// meanwhile answers as the cloud does, after it did something.
func meanwhile(w *world, do func()) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		defer GinkgoRecover()
		do()
		w.cloud.Usual().ServeHTTP(rw, r)
	})
}

var _ = eachOwner("A spec that changes while the cloud is asked", func(under side) {
	DescribeTable("is worked on at once", func(ctx SpecContext, back bool) {
		s := lacking(ctx, under)
		s.edit(ctx, every(12*time.Hour))
		s.pass(ctx)
		if back {
			s.put(9)
		}
		s.fail(1, meanwhile(s.world, func() {
			s.edit(ctx, func(f fields) { *f.labels = map[string]v1alpha1.LabelValue{"team": "blue"} })
			s.annotate(ctx, v1alpha1.AnnotationRequestedAt, "now")
			s.put(11)
		}))
		s.sync(ctx)
		Expect(s.status(ctx).ObservedGeneration).To(BeNumerically("<", s.read(ctx).GetGeneration()))
		Expect(s.status(ctx).LastHandledReconcileAt).To(BeEmpty())
		s.later(time.Second)
		Expect(s.asked(func() { s.pass(ctx) })).To(Equal(1))
		Expect(s.objects(ctx)[s.id(0)].GetLabels()).To(HaveKeyWithValue("team", "blue"))
		Expect(s.status(ctx).LastHandledReconcileAt).To(Equal("now"))
	}, Entry("while nothing is back", false), Entry("while an object is back", true))

	It("is not said to be handled by a pass that drops the answers", func(ctx SpecContext) {
		s := newSubject(ctx, under, 3)
		s.create(ctx, every(time.Hour))
		s.pass(ctx)
		s.put(3)
		s.later(time.Minute)
		s.annotate(ctx, v1alpha1.AnnotationRequestedAt, "now")
		s.fail(1, meanwhile(s.world, func() { leaveOut(ctx, s, 3, true) }))
		_, err := s.try(ctx)
		Expect(err).To(MatchError(ContainSubstring("changes before")))
		s.later(time.Second)
		s.pass(ctx)
		Expect(s.ready(ctx)).To(Equal("Unknown/Suspended"))
		Expect(s.status(ctx).LastHandledReconcileAt).To(BeEmpty())
	})

	It("is worked on although it suspends the owner, while an object is back", func(ctx SpecContext) {
		s := lacking(ctx, under)
		s.put(9)
		s.fail(1, meanwhile(s.world, func() {
			s.edit(ctx, func(f fields) { *f.suspend, *f.labels = true, map[string]v1alpha1.LabelValue{"team": "blue"} })
		}))
		s.sync(ctx)
		s.later(time.Second)
		Expect(s.asked(func() { s.pass(ctx) })).To(BeZero())
		Expect(s.objects(ctx)[s.id(0)].GetLabels()).To(HaveKeyWithValue("team", "blue"))
	})
})

var _ = Describe("A kind that is ignored while the cloud is asked", func() {
	It("goes with the next pass, although a cluster came back in this one", func(ctx SpecContext) {
		w := newWorld(ctx)
		w.seed(10, 3)
		w.createSource(ctx, func(s *v1alpha1.InventorySource) { s.Spec.Interval = &metav1.Duration{Duration: 12 * time.Hour} })
		w.reconcile(ctx)
		lost := w.anyCluster()
		Expect(w.cloud.RemoveCluster(lost.ID)).To(Succeed())
		w.sync(ctx)
		w.cloud.PutCluster(lost)
		w.cloud.FailNext(cloudsim.OpListClusters, 1, meanwhile(w, func() {
			w.change(ctx, func(s *v1alpha1.InventorySource) { s.Spec.Peerings.Policy = v1alpha1.MirrorPolicyIgnore })
		}))
		w.clock.SetTime(w.source(ctx).Status.NextSyncTime.Add(time.Second))
		for range 2 {
			_, err := w.tryReconcile(ctx)
			Expect(err).NotTo(HaveOccurred())
		}
		Expect(w.peerings(ctx)).To(BeEmpty())
	})
})

// aboutToDelete makes an owner of ten objects, of which the next listing is the second that lacks one.
func aboutToDelete(ctx context.Context, under side) *subject {
	GinkgoHelper()
	s := newSubject(ctx, under, 10)
	s.create(ctx, func(f fields) { f.prune.Policy = v1alpha1.PrunePolicyDelete })
	s.pass(ctx)
	s.gone(9)
	s.sync(ctx)
	s.later(time.Minute)
	return s
}

// restless is an API server on which someone edits the owner before each look at it.
type restless struct {
	client.Reader
	edit func()
}

func (r *restless) List(ctx context.Context, list client.ObjectList, options ...client.ListOption) error {
	r.edit()
	return r.Reader.List(ctx, list, options...)
}

var _ = eachOwner("A deletion that is called off while the cloud is asked", func(under side) {
	for name, off := range map[string]func(ctx SpecContext, s *subject){
		"by the policy": func(ctx SpecContext, s *subject) {
			s.edit(ctx, func(f fields) { f.prune.Policy = v1alpha1.PrunePolicyRetain })
		},
		"by suspend": func(ctx SpecContext, s *subject) { s.edit(ctx, suspended(true)) },
		"by a longer grace period": func(ctx SpecContext, s *subject) {
			s.edit(ctx, func(f fields) { f.prune.GracePeriod = &metav1.Duration{Duration: 24 * time.Hour} })
		},
	} {
		It("is not made, "+name, func(ctx SpecContext) {
			s := aboutToDelete(ctx, under)
			s.fail(1, meanwhile(s.world, func() { off(ctx, s) }))
			for range 4 {
				s.pass(ctx)
				Expect(s.objects(ctx)).To(HaveKey(s.id(9)))
				s.later(time.Minute)
			}
		})

		It("is not made by a pass that the cache shows the old spec either, "+name, func(ctx SpecContext) {
			s := aboutToDelete(ctx, under)
			s.options().Cluster = &behind{Client: k8s, shows: s.read(ctx)}
			s.fail(1, meanwhile(s.world, func() { off(ctx, s) }))
			Expect(s.asked(func() { s.pass(ctx) })).To(Equal(1))
			s.later(time.Second)
			Expect(s.asked(func() { s.pass(ctx) })).To(BeZero())
			Expect(s.objects(ctx)).To(HaveKey(s.id(9)))
		})
	}

	It("is not made by a listing with another credential, and by the next with this one", func(ctx SpecContext) {
		s := aboutToDelete(ctx, under)
		secret := &corev1.Secret{}
		Expect(k8s.Get(ctx, client.ObjectKey{Namespace: s.namespace, Name: secretName}, secret)).To(Succeed())
		Expect(k8s.Create(ctx, &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: s.namespace, Name: "other"}, Data: secret.Data})).To(Succeed())
		s.fail(1, meanwhile(s.world, func() { s.edit(ctx, func(f fields) { *f.secret = "other" }) }))
		_, err := s.try(ctx)
		Expect(err).To(MatchError(ContainSubstring("changes before")))
		Expect(s.objects(ctx)).To(HaveKey(s.id(9)))
		Expect(s.asked(func() { s.pass(ctx) })).To(Equal(1))
		Expect(s.objects(ctx)).NotTo(HaveKey(s.id(9)))
	})

	It("is made if what changes has nothing to do with it, however often", func(ctx SpecContext) {
		s := aboutToDelete(ctx, under)
		s.annotate(ctx, v1alpha1.AnnotationRequestedAt, "before")
		s.fail(1, meanwhile(s.world, func() {
			s.edit(ctx, every(20*time.Minute))
			s.annotate(ctx, v1alpha1.AnnotationRequestedAt, "meanwhile")
		}))
		s.pass(ctx)
		Expect(s.objects(ctx)).NotTo(HaveKey(s.id(9)))
		Expect(s.status(ctx).ObservedGeneration).To(Equal(s.read(ctx).GetGeneration()-1), "the sync was for the spec before")
		Expect(s.status(ctx).LastHandledReconcileAt).To(Equal("before"))
		s.later(time.Second)
		Expect(s.asked(func() { s.pass(ctx) })).To(Equal(1))
		Expect(s.status(ctx).ObservedGeneration).To(Equal(s.read(ctx).GetGeneration()))
		Expect(s.status(ctx).LastHandledReconcileAt).To(Equal("meanwhile"))
	})

	It("is not made while the spec changes with each plan, and says so", func(ctx SpecContext) {
		s := aboutToDelete(ctx, under)
		edited, minutes := s.options().APIReader, 20
		s.options().APIReader = &restless{Reader: edited, edit: func() {
			minutes++
			s.edit(ctx, every(time.Duration(minutes)*time.Minute))
		}}
		_, err := s.try(ctx)
		Expect(err).To(MatchError(ContainSubstring("changes before")))
		Expect(s.objects(ctx)).To(HaveKey(s.id(9)))
		s.options().APIReader = edited
		s.pass(ctx)
		Expect(s.objects(ctx)).NotTo(HaveKey(s.id(9)))
	})

	It("is not made by its retry, which becomes due in the middle of the pass", func(ctx SpecContext) {
		s := newSubject(ctx, under, 10)
		api := &gate{Client: k8s}
		s.options().Cluster = api
		s.create(ctx, every(12*time.Hour), func(f fields) { f.prune.Policy = v1alpha1.PrunePolicyDelete })
		s.pass(ctx)
		s.gone(9)
		s.sync(ctx)
		api.refuse = func(verb, name string) error {
			if verb == "delete" {
				return apierrors.NewForbidden(observations, name, errors.New("a policy says no"))
			}
			return nil
		}
		result := s.sync(ctx)
		for result.RequeueAfter < 3*time.Second {
			s.later(result.RequeueAfter)
			result = s.pass(ctx)
		}
		due := s.clock.Now().Add(result.RequeueAfter)
		api.refuse = nil
		s.rename(0, "new")
		s.edit(ctx, func(f fields) { *f.annotations = map[string]string{"irrelevant": "edit"} })
		s.fail(1, meanwhile(s.world, func() {
			s.edit(ctx, func(f fields) { f.prune.Policy = v1alpha1.PrunePolicyRetain })
			s.clock.SetTime(due.Add(-10 * time.Millisecond))
		}))
		api.stored = func(client.Object) { s.later(time.Second) }
		Expect(s.asked(func() { s.pass(ctx) })).To(Equal(1))
		Expect(s.objects(ctx)).To(HaveKey(s.id(9)))
	})

	It("is not made, by taking the approval back", func(ctx SpecContext) {
		s := newSubject(ctx, under, 10)
		s.create(ctx, func(f fields) { f.prune.Policy = v1alpha1.PrunePolicyDelete })
		s.pass(ctx)
		for n := range 4 {
			s.gone(n)
		}
		for range 3 {
			s.sync(ctx)
		}
		digest := s.summary(ctx).Held.Digest
		s.annotate(ctx, v1alpha1.AnnotationApprovePrune, digest)
		s.fail(1, meanwhile(s.world, func() { s.annotate(ctx, v1alpha1.AnnotationApprovePrune, "") }))
		s.pass(ctx)
		Expect(s.asked(func() { s.pass(ctx) })).To(BeZero(), "the answers are still right")
		Expect(s.objects(ctx)).To(HaveLen(10))
		Expect(s.condition(ctx, v1alpha1.ConditionPruneHeld)).To(Equal("True/ShareExceeded"))

		By("suspending while it is carried out, so that nothing is deleted")
		s.annotate(ctx, v1alpha1.AnnotationApprovePrune, digest)
		s.fail(1, meanwhile(s.world, func() { s.edit(ctx, suspended(true)) }))
		for range 3 {
			s.pass(ctx)
		}
		Expect(s.objects(ctx)).To(HaveLen(10))
		Expect(s.condition(ctx, v1alpha1.ConditionPruneHeld)).To(Equal("True/ShareExceeded"))
		s.annotate(ctx, v1alpha1.AnnotationApprovePrune, "")
		s.edit(ctx, suspended(false))
		s.pass(ctx)
		Expect(s.objects(ctx)).To(HaveLen(10))

		By("approving it again")
		s.annotate(ctx, v1alpha1.AnnotationApprovePrune, digest)
		s.pass(ctx)
		Expect(s.objects(ctx)).To(HaveLen(6))
	})
})

var _ = Describe("A change of sources that is called off while the cloud is asked", func() {
	for name, off := range map[string]func(d *v1alpha1.EnvironmentDiscovery){
		"by correcting the template": func(d *v1alpha1.EnvironmentDiscovery) {
			d.Spec.Template.Spec.Peerings.Policy = v1alpha1.MirrorPolicyMirror
		},
		"by a preview": func(d *v1alpha1.EnvironmentDiscovery) { d.Spec.Preview = true },
	} {
		It("is not made, "+name, func(ctx SpecContext) {
			s := newSubject(ctx, discoverySide{}, 3)
			s.create(ctx)
			s.pass(ctx)
			change := func(how func(*v1alpha1.EnvironmentDiscovery)) {
				d := s.read(ctx).(*v1alpha1.EnvironmentDiscovery)
				how(d)
				Expect(k8s.Update(ctx, d)).To(Succeed())
			}
			change(func(d *v1alpha1.EnvironmentDiscovery) {
				d.Spec.Template.Spec.Peerings.Policy = v1alpha1.MirrorPolicyIgnore
			})
			s.fail(1, meanwhile(s.world, func() { change(off) }))
			for range 3 {
				s.pass(ctx)
				for _, o := range s.objects(ctx) {
					Expect(o.(*v1alpha1.InventorySource).Spec.Peerings.Policy).NotTo(Equal(v1alpha1.MirrorPolicyIgnore))
				}
				s.later(time.Minute)
			}
		})
	}
})

var _ = Describe("A source that someone edits while an approval changes", func() {
	It("is put back, although the cache still shows an approval that was taken back", func(ctx SpecContext) {
		s := newSubject(ctx, discoverySide{}, 3)
		s.create(ctx, every(time.Hour))
		s.annotate(ctx, v1alpha1.AnnotationApprovePrune, "000000000000")
		s.pass(ctx)
		wanted := s.objects(ctx)[s.id(1)].(*v1alpha1.InventorySource).Spec
		s.options().Cluster = &behind{Client: k8s, shows: s.read(ctx)}
		s.annotate(ctx, v1alpha1.AnnotationApprovePrune, "")
		s.spoil(ctx, 1)
		Expect(s.objects(ctx)[s.id(1)].(*v1alpha1.InventorySource).Spec).NotTo(Equal(wanted))
		Expect(s.asked(func() { s.pass(ctx) })).To(BeZero())
		Expect(s.objects(ctx)[s.id(1)].(*v1alpha1.InventorySource).Spec).To(Equal(wanted))
	})
})

var _ = Describe("An approval that is given meanwhile", func() {
	It("waits for a listing that begins after it, where another kind takes minutes", func(ctx SpecContext) {
		w := newWorld(ctx)
		w.seed(10, 10)
		w.createSource(ctx, func(s *v1alpha1.InventorySource) {
			s.Spec.Timeout, s.Spec.Interval = &metav1.Duration{Duration: time.Hour}, &metav1.Duration{Duration: 2 * time.Hour}
		})
		w.reconcile(ctx)
		var lost []cloudsim.Cluster
		for range 4 {
			lost = append(lost, w.anyCluster())
			Expect(w.cloud.RemoveCluster(lost[len(lost)-1].ID)).To(Succeed())
		}
		for range 3 {
			w.sync(ctx)
		}
		digest := w.source(ctx).Status.KafkaClusters.Held.Digest
		for _, p := range w.peerings(ctx) {
			Expect(k8s.Delete(ctx, &p)).To(Succeed())
			break
		}
		slowPeerings(w, 4*time.Minute, http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			defer GinkgoRecover()
			for _, c := range lost {
				w.cloud.PutCluster(c)
			}
			w.annotate(ctx, v1alpha1.AnnotationApprovePrune, digest)
			w.cloud.Usual().ServeHTTP(rw, r)
		}))
		w.sync(ctx)
		Expect(w.clusters(ctx)).To(HaveLen(10))
	})
})

var _ = eachOwner("An approval that is given meanwhile", func(under side) {
	It("waits for a listing, where the cache does not show it yet", func(ctx SpecContext) {
		s := holding(ctx, under, time.Hour)
		s.later(20 * time.Second)
		for n := range 4 {
			s.put(n)
		}
		s.options().Cluster = &behind{Client: k8s, shows: s.read(ctx)}
		s.annotate(ctx, v1alpha1.AnnotationApprovePrune, s.summary(ctx).Held.Digest)
		s.delete(ctx, 7)
		Expect(s.asked(func() { s.pass(ctx) })).To(BeZero())
		Expect(s.objects(ctx)).To(HaveLen(10), "item-07 is put back")
		Expect(s.condition(ctx, v1alpha1.ConditionPruneHeld)).To(Equal("True/ShareExceeded"))
	})
})

var _ = eachOwner("An owner that is no longer suspended, which the cache does not show yet", func(under side) {
	It("has the generation that it observed in its status", func(ctx SpecContext) {
		s := newSubject(ctx, under, 3)
		s.create(ctx, every(time.Hour))
		s.pass(ctx)
		s.edit(ctx, suspended(true))
		s.pass(ctx)
		before := s.status(ctx).ObservedGeneration
		s.options().Cluster = &behind{Client: k8s, shows: s.read(ctx)}
		s.edit(ctx, suspended(false))
		s.delete(ctx, 1)
		Expect(s.asked(func() { s.pass(ctx) })).To(BeZero())
		Expect(s.status(ctx).ObservedGeneration).To(Equal(before))
	})

	It("has its objects put back, although many were put back before", func(ctx SpecContext) {
		s := newSubject(ctx, under, 3)
		s.create(ctx, every(time.Hour))
		s.pass(ctx)
		for range 20 {
			s.delete(ctx, 0)
			s.pass(ctx)
		}
		s.edit(ctx, suspended(true))
		s.pass(ctx)
		s.later(time.Second)
		s.options().Cluster = &behind{Client: k8s, shows: s.read(ctx)}
		s.edit(ctx, suspended(false))
		s.delete(ctx, 1)
		for range 5 {
			s.later(max(s.pass(ctx).RequeueAfter, time.Second))
		}
		Expect(s.objects(ctx)).To(HaveLen(3))
	})

	It("has not observed the spec after a restart either", func(ctx SpecContext) {
		s := newSubject(ctx, under, 3)
		s.create(ctx, every(time.Hour))
		s.pass(ctx)
		s.edit(ctx, suspended(true))
		s.pass(ctx)
		o := s.objects(ctx)[s.id(1)]
		o.SetOwnerReferences(nil)
		Expect(k8s.Update(ctx, o)).To(Succeed())
		s.restart()
		before := s.status(ctx).ObservedGeneration
		s.options().Cluster = &behind{Client: k8s, shows: s.read(ctx)}
		s.edit(ctx, suspended(false))
		Expect(s.asked(func() { _, _ = s.try(ctx) })).To(BeZero())
		Expect(s.status(ctx).ObservedGeneration).To(Equal(before), s.ready(ctx))
	})
})

// Environment 1 is renamed to dev-1, and a person ignores the clusters of dev-*: by rule that needs an
// approval, if the source has its settings by another name.
var _ = Describe("A name that a plan decided, and that no source got,", func() {
	ignoreDev := func(ctx SpecContext, s *subject) {
		d := s.read(ctx).(*v1alpha1.EnvironmentDiscovery)
		overriding(`[{"selector": {"displayNames": ["dev-*"]}, "spec": {"kafkaClusters": {"policy": "Ignore"}}}]`)(d)
		Expect(k8s.Update(ctx, d)).To(Succeed())
	}
	begin := func(ctx SpecContext) *subject {
		s := newSubject(ctx, discoverySide{}, 3)
		s.create(ctx)
		s.pass(ctx)
		s.rename(1, "dev-1")
		s.clock.SetTime(s.status(ctx).NextSyncTime.Add(time.Second))
		return s
	}
	expectKept := func(ctx SpecContext, s *subject) {
		GinkgoHelper()
		s.later(time.Second)
		s.pass(ctx)
		Expect(s.objects(ctx)[s.id(1)].(*v1alpha1.InventorySource).Spec.KafkaClusters.Policy).NotTo(Equal(v1alpha1.MirrorPolicyIgnore))
	}
	for _, restart := range []bool{false, true} {
		It(fmt.Sprintf("counts for nothing if the overrides come while the cloud is asked, restart %v", restart), func(ctx SpecContext) {
			s := begin(ctx)
			s.put(3)
			s.fail(1, meanwhile(s.world, func() { ignoreDev(ctx, s) }))
			if restart {
				s.restart()
			}
			s.pass(ctx)
			expectKept(ctx, s)
		})
	}

	It("counts for nothing after a pass that failed", func(ctx SpecContext) {
		s := begin(ctx)
		s.put(3)
		usual := s.options().APIReader
		s.options().APIReader = &unanswering{usual, &unreadable{Client: k8s, failing: true}}
		_, err := s.try(ctx)
		Expect(err).To(HaveOccurred())
		s.options().APIReader = usual
		ignoreDev(ctx, s)
		expectKept(ctx, s)
	})

	It("is not what someone wrote into a source while the manager was down", func(ctx SpecContext) {
		s := begin(ctx)
		source := s.objects(ctx)[s.id(1)]
		metav1.SetMetaDataAnnotation(&source.(*v1alpha1.InventorySource).ObjectMeta, v1alpha1.AnnotationEnvironmentName, "dev-1")
		Expect(k8s.Update(ctx, source)).To(Succeed())
		ignoreDev(ctx, s)
		s.restart()
		s.pass(ctx)
		expectKept(ctx, s)
	})

	It("is not that of a write which was stored otherwise than it was sent: that name counts", func(ctx SpecContext) {
		s := begin(ctx)
		s.pass(ctx)
		s.options().Cluster = &gate{Client: k8s, stored: func(o client.Object) {
			if source, is := o.(*v1alpha1.InventorySource); is && o.GetName() == s.id(1) {
				source.Spec.Interval = &metav1.Duration{Duration: 13 * time.Minute}
				Expect(k8s.Update(ctx, source)).To(Succeed())
			}
		}}
		s.rename(1, "prod-1")
		s.sync(ctx)
		s.options().Cluster = k8s
		d := s.read(ctx).(*v1alpha1.EnvironmentDiscovery)
		overriding(`[{"selector": {"displayNames": ["dev-*"]}, "spec": {"kafkaClusters": {"policy": "Ignore"}, "networks": {"policy": "Mirror"}}}]`)(d)
		Expect(k8s.Update(ctx, d)).To(Succeed())
		expectKept(ctx, s)
	})

	It("is not that of a write whose answer was lost: that name counts in the next rename", func(ctx SpecContext) {
		s := begin(ctx)
		d := s.read(ctx).(*v1alpha1.EnvironmentDiscovery)
		overriding(`[{"selector": {"displayNames": ["dev-*"]}, "spec": {"networks": {"policy": "Mirror"}}}]`)(d)
		Expect(k8s.Update(ctx, d)).To(Succeed())
		s.options().Cluster = &gate{Client: k8s, lost: func(name string) error {
			if name == s.id(1) {
				return apierrors.NewTimeoutError("no answer in time", 1)
			}
			return nil
		}}
		s.pass(ctx)
		networks := func() v1alpha1.MirrorPolicy {
			return s.objects(ctx)[s.id(1)].(*v1alpha1.InventorySource).Spec.Networks.Policy
		}
		Expect(networks()).To(Equal(v1alpha1.MirrorPolicyMirror))
		s.options().Cluster = k8s
		s.rename(1, "prod-1")
		s.sync(ctx)
		Expect(networks()).To(Equal(v1alpha1.MirrorPolicyMirror))
	})

	It("counts for nothing if the API server refuses the write", func(ctx SpecContext) {
		s := begin(ctx)
		s.options().Cluster = &gate{Client: k8s, refuse: func(_, name string) error {
			if name == s.id(1) {
				return apierrors.NewConflict(observations, name, errors.New("it was changed"))
			}
			return nil
		}}
		s.pass(ctx)
		s.options().Cluster = k8s
		ignoreDev(ctx, s)
		expectKept(ctx, s)
	})
})

// slowPeerings has each listing of peerings end a while after the one of clusters, with an answer.
func slowPeerings(w *world, later time.Duration, answer http.Handler) {
	listed := make(chan struct{}, 10)
	w.cloud.FailNext(cloudsim.OpListClusters, 1000, http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.cloud.Usual().ServeHTTP(rw, r)
		listed <- struct{}{}
	}))
	w.cloud.FailNext(cloudsim.OpListPeerings, 1000, http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		<-listed
		time.Sleep(300 * time.Millisecond) // The listing of clusters ends meanwhile, by the clock as it is.
		w.clock.SetTime(w.clock.Now().Add(later))
		answer.ServeHTTP(rw, r)
	}))
}

var _ = Describe("A kind whose listing takes longer than the others", func() {
	slow := func(s *v1alpha1.InventorySource) {
		s.Spec.Timeout, s.Spec.Interval = &metav1.Duration{Duration: time.Hour}, &metav1.Duration{Duration: 2 * time.Hour}
	}
	DescribeTable("has missing objects of another kind deleted by a recent listing only", func(ctx SpecContext, longer time.Duration, want types.GomegaMatcher) {
		w := newWorld(ctx)
		w.seed(10, 10)
		w.createSource(ctx, slow)
		w.reconcile(ctx)
		lost := w.anyCluster()
		Expect(w.cloud.RemoveCluster(lost.ID)).To(Succeed())
		slowPeerings(w, longer, w.cloud.Usual())
		for range 3 {
			w.sync(ctx)
		}
		Expect(w.clusters(ctx)).To(want)
	},
		Entry("that is 90 seconds old", 90*time.Second, HaveLen(9)),
		Entry("that is 50 minutes old", 50*time.Minute, HaveLen(10)),
	)

	It("delays no approval if it fails", func(ctx SpecContext) {
		w := newWorld(ctx)
		w.seed(10, 10)
		w.createSource(ctx, slow)
		w.reconcile(ctx)
		for range 4 {
			Expect(w.cloud.RemoveCluster(w.anyCluster().ID)).To(Succeed())
		}
		slowPeerings(w, 90*time.Second, cloudsim.Status(http.StatusGatewayTimeout, "", nil))
		for range 3 {
			w.sync(ctx)
		}
		w.annotate(ctx, v1alpha1.AnnotationApprovePrune, w.source(ctx).Status.KafkaClusters.Held.Digest)
		w.sync(ctx)
		Expect(w.clusters(ctx)).To(HaveLen(6))
	})
})

var _ = eachOwner("A spec that allows a deletion, and that the cache does not show yet,", func(under side) {
	It("deletes nothing without a listing, with a maxPercent of 100", func(ctx SpecContext) {
		s := holding(ctx, under, time.Hour)
		s.later(20 * time.Second)
		for n := range 4 {
			s.put(n)
		}
		s.options().Cluster = &behind{Client: k8s, shows: s.read(ctx)}
		s.edit(ctx, func(f fields) { f.prune.MaxPercent = new(int32(100)) })
		s.delete(ctx, 7)
		Expect(s.asked(func() { s.pass(ctx) })).To(BeZero())
		Expect(s.objects(ctx)).To(HaveLen(10))
	})

	It("deletes nothing without a listing, with a shorter grace period", func(ctx SpecContext) {
		s := lacking(ctx, under)
		s.sync(ctx)
		s.later(20 * time.Second)
		s.put(9)
		s.options().Cluster = &behind{Client: k8s, shows: s.read(ctx)}
		s.edit(ctx, func(f fields) { f.prune.GracePeriod = nil })
		s.delete(ctx, 7)
		s.pass(ctx)
		Expect(s.objects(ctx)).To(HaveKey(s.id(9)))
	})

	It("deletes nothing without a listing, with Delete instead of Retain", func(ctx SpecContext) {
		s := newSubject(ctx, under, 10)
		s.create(ctx, every(time.Hour), func(f fields) { f.prune.Policy = v1alpha1.PrunePolicyRetain })
		s.pass(ctx)
		s.gone(9)
		s.sync(ctx)
		s.sync(ctx)
		s.sync(ctx)
		s.later(20 * time.Second)
		s.put(9)
		s.options().Cluster = &behind{Client: k8s, shows: s.read(ctx)}
		s.edit(ctx, func(f fields) { f.prune.Policy = v1alpha1.PrunePolicyDelete })
		s.delete(ctx, 7)
		Expect(s.asked(func() { s.pass(ctx) })).To(BeZero())
		Expect(s.objects(ctx)).To(HaveKey(s.id(9)))
	})

	It("deletes nothing without a listing, if it ends a suspension during which an approval was given", func(ctx SpecContext) {
		s := holding(ctx, under, time.Hour)
		digest := s.summary(ctx).Held.Digest
		s.edit(ctx, suspended(true))
		s.pass(ctx)
		for n := range 4 {
			s.put(n)
		}
		s.later(20 * time.Second)
		s.annotate(ctx, v1alpha1.AnnotationApprovePrune, digest)
		s.pass(ctx)
		Expect(s.objects(ctx)).To(HaveLen(10))
		s.options().Cluster = &behind{Client: k8s, shows: s.read(ctx)}
		s.edit(ctx, suspended(false))
		s.delete(ctx, 7)
		Expect(s.asked(func() { s.pass(ctx) })).To(BeZero())
		Expect(s.objects(ctx)).To(HaveLen(10))
	})
})

var _ = Describe("A spec that allows a deletion, while another kind takes minutes,", func() {
	It("deletes nothing by the listings before it", func(ctx SpecContext) {
		w := newWorld(ctx)
		w.seed(10, 10)
		w.createSource(ctx, func(s *v1alpha1.InventorySource) {
			s.Spec.Timeout, s.Spec.Interval = &metav1.Duration{Duration: time.Hour}, &metav1.Duration{Duration: 2 * time.Hour}
		})
		w.reconcile(ctx)
		var lost []cloudsim.Cluster
		for range 4 {
			lost = append(lost, w.anyCluster())
			Expect(w.cloud.RemoveCluster(lost[len(lost)-1].ID)).To(Succeed())
		}
		for range 3 {
			w.sync(ctx)
		}
		for _, p := range w.peerings(ctx) {
			Expect(k8s.Delete(ctx, &p)).To(Succeed())
			break
		}
		slowPeerings(w, 4*time.Minute, http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			defer GinkgoRecover()
			for _, c := range lost {
				w.cloud.PutCluster(c)
			}
			w.change(ctx, func(s *v1alpha1.InventorySource) { s.Spec.Prune.MaxPercent = new(int32(100)) })
			w.cloud.Usual().ServeHTTP(rw, r)
		}))
		w.clock.SetTime(w.source(ctx).Status.NextSyncTime.Add(time.Second))
		_, err := w.tryReconcile(ctx)
		Expect(err).NotTo(HaveOccurred())
		Expect(w.clusters(ctx)).To(HaveLen(10))
	})
})

var _ = eachOwner("The answers of a failed pass, which a sync that waits for budget drops,", func(under side) {
	It("were no sync", func(ctx SpecContext) {
		s := newSubject(ctx, under, 3)
		s.create(ctx, every(5*time.Minute))
		s.pass(ctx)
		s.put(3)
		s.later(time.Minute)
		s.annotate(ctx, v1alpha1.AnnotationRequestedAt, "now")
		usual := s.options().Cluster
		s.options().Cluster = &withoutLists{usual}
		Expect(s.asked(func() {
			_, err := s.try(ctx)
			Expect(err).To(HaveOccurred())
		})).To(Equal(1))
		s.options().Cluster = usual
		s.later(7 * time.Minute)
		s.options().Budgets = budget.New(0.1, 1)
		of := cloudapi.Budget(s.options().Budgets, s.url, cloudapi.Credential{Key: apiKey, Secret: apiSecret})
		of.Turn("another")
		of.Turn("one more")
		Expect(s.asked(func() { s.pass(ctx) })).To(BeZero())
		Expect(s.objects(ctx)).NotTo(HaveKey(s.id(3)))
		Expect(s.status(ctx).LastHandledReconcileAt).To(BeEmpty())
	})
})

var _ = Describe("A new credential that", func() {
	var o *organization
	BeforeEach(func(ctx SpecContext) {
		o = newOrganization(ctx)
		o.environments("env-b", "payments-b")
	})
	for _, fails := range []bool{false, true} {
		It(fmt.Sprintf("is refused waits for an interval, after a pass that failed %v", fails), func(ctx SpecContext) {
			o.cloud.RemoveKey(apiKey)
			o.discovery(ctx, "org", func(d *v1alpha1.EnvironmentDiscovery) { d.Spec.Interval = &metav1.Duration{Duration: 5 * time.Minute} })
			o.pass(ctx, "org")
			o.list(ctx, "org")
			usual := o.reconciler.Cluster
			o.clock.SetTime(o.read(ctx, "org").Status.NextSyncTime.Add(time.Second))
			if fails {
				o.reconciler.Cluster = &withoutLists{usual}
			}
			_, err := o.discoverer.Reconcile(ctx, requestFor(o.read(ctx, "org")))
			Expect(err != nil).To(Equal(fails))
			o.reconciler.Cluster = usual
			o.clock.SetTime(o.clock.Now().Add(time.Second))
			o.edit(ctx, "org", func(d *v1alpha1.EnvironmentDiscovery) {
				d.Spec.Template.Spec.Peerings.Policy = v1alpha1.MirrorPolicyIgnore
			})
			Expect(o.calls(func() { o.pass(ctx, "org") })).NotTo(BeZero())
			Expect(o.read(ctx, "org").Status.CredentialBackoff.Delay.Duration).To(Equal(5 * time.Minute))
		})
	}
})

// withoutLists reads no lists.
type withoutLists struct{ client.Client }

func (w *withoutLists) List(context.Context, client.ObjectList, ...client.ListOption) error {
	return errOutOfOrder
}
