// SPDX-License-Identifier: Apache-2.0

package controller_test

import (
	"context"
	"errors"
	"net/http"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
	"github.com/ccloud-dev/inventory-operator/internal/cloudapi"
	"github.com/ccloud-dev/inventory-operator/internal/cloudapi/budget"
	"github.com/ccloud-dev/inventory-operator/test/cloudsim"
)

// leaveOut edits an owner so that it asks for an item no longer.
func leaveOut(ctx context.Context, s *subject, n int, suspend bool) {
	GinkgoHelper()
	switch o := s.read(ctx).(type) {
	case *v1alpha1.InventorySource:
		o.Spec.KafkaClusters.Networks, o.Spec.Suspend = []v1alpha1.Identifier{"n-1"}, suspend
		Expect(k8s.Update(ctx, o)).To(Succeed())
	case *v1alpha1.EnvironmentDiscovery:
		o.Spec.Selector.Exclude.IDs, o.Spec.Suspend = []v1alpha1.Identifier{v1alpha1.Identifier(s.id(n))}, suspend
		Expect(k8s.Update(ctx, o)).To(Succeed())
	}
}

var _ = Describe("A discovery that leaves an environment out while the cloud is asked", func() {
	It("creates no source for it", func(ctx SpecContext) {
		s := newSubject(ctx, discoverySide{}, 3)
		s.create(ctx)
		s.pass(ctx)
		s.put(3)
		s.fail(1, meanwhile(s.world, func() {
			d := s.read(ctx).(*v1alpha1.EnvironmentDiscovery)
			d.Spec.Selector.Exclude.IDs = []v1alpha1.Identifier{v1alpha1.Identifier(s.id(3))}
			Expect(k8s.Update(ctx, d)).To(Succeed())
		}))
		s.clock.SetTime(s.status(ctx).NextSyncTime.Add(time.Second))
		for range 3 {
			_, _ = s.try(ctx)
			Expect(s.objects(ctx)).To(HaveLen(3))
		}
		Expect(s.ready(ctx)).To(Equal("True/Succeeded"))
	})
})

var _ = eachOwner("An item that an owner leaves out while the cloud is asked", func(under side) {
	for name, suspend := range map[string]bool{"whose next sync is put off": false, "that is suspended": true} {
		It("gets no object, of an owner "+name, func(ctx SpecContext) {
			s := newSubject(ctx, under, 3)
			s.create(ctx)
			s.pass(ctx)
			s.put(3)
			s.fail(1, meanwhile(s.world, func() { leaveOut(ctx, s, 3, suspend) }))
			s.clock.SetTime(s.status(ctx).NextSyncTime.Add(time.Second))
			_, err := s.try(ctx)
			Expect(err).To(MatchError(ContainSubstring("changes before")))
			if !suspend { // Others with the same key come first.
				s.options().Budgets = budget.New(0.1, 1)
				of := cloudapi.Budget(s.options().Budgets, s.url, cloudapi.Credential{Key: apiKey, Secret: apiSecret})
				of.Turn("another")
				of.Turn("one more")
			}
			s.later(time.Second)
			Expect(s.asked(func() { s.pass(ctx) })).To(BeZero())
			Expect(s.objects(ctx)).NotTo(HaveKey(s.id(3)))
		})
	}
})

// incompletely answers a listing as the cloud does, but says that there is one more.
func incompletely(s *subject) http.Handler {
	if s.side.op() == cloudsim.OpListClusters { // Its filter takes none.
		return replacing(s.world, `"data":[]`, `"data":[{"id":7}]`)
	}
	return replacing(s.world, `"data":[`, `"data":[{"id":7},`)
}

var _ = eachOwner("An item that an owner leaves out", func(under side) {
	It("gets no object by an incomplete listing for the new spec, while the cloud is asked", func(ctx SpecContext) {
		s := newSubject(ctx, under, 3)
		s.create(ctx)
		s.pass(ctx)
		s.put(3)
		s.fail(1, meanwhile(s.world, func() { leaveOut(ctx, s, 3, false) }))
		s.clock.SetTime(s.status(ctx).NextSyncTime.Add(time.Second))
		_, err := s.try(ctx)
		Expect(err).To(MatchError(ContainSubstring("changes before")))
		s.later(time.Second)
		s.gone(3) // The incomplete listing lacks it.
		s.fail(1, incompletely(s))
		Expect(s.asked(func() { s.pass(ctx) })).To(Equal(1))
		Expect(s.ready(ctx)).To(Equal("False/IncompleteListing"))
		Expect(s.objects(ctx)).NotTo(HaveKey(s.id(3)))
	})

	It("has its object not put back once a person deletes it", func(ctx SpecContext) {
		s := newSubject(ctx, under, 3)
		s.create(ctx, every(time.Hour))
		s.pass(ctx)
		leaveOut(ctx, s, 1, false)
		s.later(time.Second)
		s.gone(1)
		s.fail(1, incompletely(s))
		Expect(s.asked(func() { s.pass(ctx) })).To(Equal(1))
		Expect(s.objects(ctx)).To(HaveKey(s.id(1)))
		s.delete(ctx, 1)
		Expect(s.asked(func() { s.pass(ctx) })).To(BeZero())
		Expect(s.objects(ctx)).NotTo(HaveKey(s.id(1)))
	})

	It("whose object a quota refused, gets none by an incomplete listing either", func(ctx SpecContext) {
		s := newSubject(ctx, under, 3)
		api := &gate{Client: k8s}
		s.options().Cluster = api
		s.create(ctx)
		s.pass(ctx)
		s.put(3)
		api.refuse = func(verb, name string) error {
			if verb == "create" {
				return apierrors.NewForbidden(observations, name, errors.New("a quota says no"))
			}
			return nil
		}
		s.sync(ctx)
		Expect(s.objects(ctx)).To(HaveLen(3))
		leaveOut(ctx, s, 3, false)
		s.later(time.Second)
		api.refuse = nil
		s.gone(3)
		s.fail(1, incompletely(s))
		Expect(s.asked(func() { s.pass(ctx) })).To(Equal(1))
		Expect(s.objects(ctx)).NotTo(HaveKey(s.id(3)))
	})
})

var _ = Describe("An environment that a discovery excludes, and whose item cannot be read,", func() {
	It("gets no source", func(ctx SpecContext) {
		s := newSubject(ctx, discoverySide{}, 3)
		api := &gate{Client: k8s}
		s.options().Cluster = api
		s.create(ctx)
		s.pass(ctx)
		s.put(3)
		api.refuse = func(verb, name string) error {
			if verb == "create" {
				return apierrors.NewForbidden(observations, name, errors.New("a quota says no"))
			}
			return nil
		}
		s.sync(ctx)
		leaveOut(ctx, s, 3, false)
		s.later(time.Second)
		api.refuse = nil
		s.fail(1, replacing(s.world, `"display_name":"item 3"`, `"display_name":7`))
		Expect(s.asked(func() { s.pass(ctx) })).To(Equal(1))
		Expect(s.ready(ctx)).To(Equal("False/IncompleteListing"))
		Expect(s.objects(ctx)).NotTo(HaveKey(s.id(3)))
	})

	It("is not put back once a person deletes it", func(ctx SpecContext) {
		s := newSubject(ctx, discoverySide{}, 3)
		s.create(ctx, every(time.Hour))
		s.pass(ctx)
		leaveOut(ctx, s, 1, false)
		s.later(time.Second)
		s.fail(1, replacing(s.world, `"display_name":"item 1"`, `"display_name":7`))
		Expect(s.asked(func() { s.pass(ctx) })).To(Equal(1))
		s.delete(ctx, 1)
		Expect(s.asked(func() { s.pass(ctx) })).To(BeZero())
		Expect(s.objects(ctx)).NotTo(HaveKey(s.id(1)))
	})
})

var _ = Describe("A preview of a suspended discovery", func() {
	It("creates nothing that the selector leaves out", func(ctx SpecContext) {
		s := newSubject(ctx, discoverySide{}, 3)
		s.create(ctx)
		change := func(how func(*v1alpha1.EnvironmentDiscovery)) {
			d := s.read(ctx).(*v1alpha1.EnvironmentDiscovery)
			how(d)
			Expect(k8s.Update(ctx, d)).To(Succeed())
		}
		change(func(d *v1alpha1.EnvironmentDiscovery) { d.Spec.Preview = true })
		s.pass(ctx)
		Expect(s.read(ctx).(*v1alpha1.EnvironmentDiscovery).Status.Preview.CreateCount).To(BeEquivalentTo(3))
		leaveOut(ctx, s, 1, true)
		s.later(time.Second)
		s.pass(ctx)
		for _, c := range s.read(ctx).(*v1alpha1.EnvironmentDiscovery).Status.Preview.Create {
			Expect(c.Name).NotTo(Equal(s.id(1)), c.Why)
		}
	})
})
