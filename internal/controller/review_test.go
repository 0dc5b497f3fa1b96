// SPDX-License-Identifier: Apache-2.0

package controller_test

import (
	"fmt"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/event"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
	"github.com/ccloud-dev/inventory-operator/internal/cloudapi/budget"
)

var _ = Describe("A pass", func() {
	It("lets a source go that a person marked while the discovery lists nothing", func(ctx SpecContext) {
		o := newOrganization(ctx)
		o.environments("env-a", "a")
		o.discovery(ctx, "org")
		o.pass(ctx, "org")
		o.edit(ctx, "org", func(d *v1alpha1.EnvironmentDiscovery) { d.Spec.Suspend = true })
		o.restart()
		o.pass(ctx, "org")
		s := o.sources(ctx)["env-a"]
		before := s.DeepCopy()
		s.Annotations[v1alpha1.AnnotationUnmanaged] = "true"
		Expect(k8s.Update(ctx, &s)).To(Succeed())
		Expect(o.discoverer.Drift(0).Update(event.UpdateEvent{ObjectOld: before, ObjectNew: &s})).To(BeTrue())
		o.pass(ctx, "org")
		Expect(o.sources(ctx)["env-a"].OwnerReferences).To(BeEmpty())
	})

	It("asks a person once the grace period of what is out of scope is over", func(ctx SpecContext) {
		o := newOrganization(ctx)
		o.environments("env-a", "payments-prod", "env-b", "payments-dev")
		o.discovery(ctx, "org", prunes, taking(named("payments-*")), func(d *v1alpha1.EnvironmentDiscovery) {
			d.Spec.Prune.GracePeriod = &metav1.Duration{Duration: time.Hour}
		})
		o.pass(ctx, "org")
		Expect(o.cloud.RenameEnvironment("env-b", "other")).To(Succeed())
		for range 6 {
			o.list(ctx, "org")
		}
		Expect(o.held(ctx)).To(Equal("True/ScopeChanged"))
	})

	It("carries out no approval on the word of an old listing while the new one is put off", func(ctx SpecContext) {
		o := newOrganization(ctx)
		o.environments("env-a", "payments-prod", "env-b", "payments-dev")
		o.discovery(ctx, "org", prunes, taking(named("payments-*")))
		o.pass(ctx, "org")
		Expect(o.cloud.RenameEnvironment("env-b", "other")).To(Succeed())
		o.list(ctx, "org")
		Expect(o.held(ctx)).To(Equal("True/ScopeChanged"))
		Expect(o.cloud.RenameEnvironment("env-b", "payments-dev")).To(Succeed())
		o.edit(ctx, "org", func(d *v1alpha1.EnvironmentDiscovery) {
			metav1.SetMetaDataAnnotation(&d.ObjectMeta, v1alpha1.AnnotationApprovePrune, d.Status.Environments.Held.Digest)
		})
		o.reconciler.Budgets = budget.New(0.1, 10)
		Expect(k8s.Create(ctx, o.newSource())).To(Succeed())
		for i := range 12 {
			o.annotate(ctx, v1alpha1.AnnotationRequestedAt, fmt.Sprint(i))
			_, err := o.tryReconcile(ctx)
			Expect(err).NotTo(HaveOccurred())
		}
		Expect(o.calls(func() { o.pass(ctx, "org") })).To(BeZero())
		Expect(o.names(ctx)).To(ContainElement("env-b"))
	})

	It("shares nothing with event filters that it still changes", func(ctx SpecContext) {
		w := newWorld(ctx)
		w.seed(1, 0)
		labels := map[string]v1alpha1.LabelValue{}
		for i := range 30 {
			labels[fmt.Sprintf("team-%d", i)] = "x"
		}
		w.createSource(ctx, func(s *v1alpha1.InventorySource) { s.Spec.Template.Labels = labels })
		w.reconcile(ctx)
		o := w.clusters(ctx)[w.anyCluster().ID]
		stop, filters := make(chan struct{}), sync.WaitGroup{}
		for range 2 {
			filters.Go(func() {
				for {
					select {
					case <-stop:
						return
					default:
						w.reconciler.Drift(0).Update(event.UpdateEvent{ObjectOld: &o, ObjectNew: &o})
					}
				}
			})
		}
		defer filters.Wait()
		defer close(stop)
		for i := range 30 {
			w.seed(2+i%2, 0) // Else the pass makes no new view.
			w.sync(ctx)
		}
	})
})
