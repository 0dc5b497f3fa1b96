// SPDX-License-Identifier: Apache-2.0

package controller_test

import (
	"context"
	"fmt"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
	"github.com/ccloud-dev/inventory-operator/test/cloudsim"
)

var _ = Describe("An observation that was not last seen under the present filter", func() {
	var w *world
	in := func(network string, ids ...string) {
		for _, id := range ids {
			w.cloud.PutCluster(cloudsim.Cluster{ID: id, Spec: cloudsim.ClusterSpec{DisplayName: id, Environment: cloudsim.Reference{ID: environment},
				Network: &cloudsim.Reference{ID: network}}, Status: cloudsim.ClusterStatus{Phase: cloudsim.PhaseProvisioned}})
		}
	}
	filtered := func(network v1alpha1.Identifier) func(*v1alpha1.InventorySource) {
		return func(s *v1alpha1.InventorySource) { s.Spec.KafkaClusters.Networks = []v1alpha1.Identifier{network} }
	}
	kept := func(ctx context.Context, name string) {
		GinkgoHelper()
		for range 4 {
			w.sync(ctx)
		}
		Expect(w.clusters(ctx)).To(HaveKey(name))
		Expect(w.condition(ctx, v1alpha1.ConditionPruneHeld)).To(Equal("True/" + v1alpha1.ReasonScopeChanged))
	}
	BeforeEach(func(ctx SpecContext) {
		w = newWorld(ctx)
		for n := range 10 {
			in("n-1", fmt.Sprint("lkc-", n))
		}
	})

	DescribeTable("waits for a person when the filter is changed back", func(ctx SpecContext, restart bool) {
		in("n-2", "lkc-other")
		w.createSource(ctx, filtered("n-1"))
		w.reconcile(ctx)
		w.change(ctx, filtered("n-2"))
		w.sync(ctx)
		w.sync(ctx)
		Expect(w.clusters(ctx)).To(HaveLen(11), "one of them new, ten of them held")
		if restart {
			w.restart()
		}
		w.change(ctx, filtered("n-1"))
		kept(ctx, "lkc-other")
	},
		Entry("in one process", false),
		Entry("after a restart", true),
	)

	It("waits for a person if only incomplete listings of another process had it", func(ctx SpecContext) {
		w.createSource(ctx, filtered("n-1"))
		w.reconcile(ctx)
		w.restart()
		w.change(ctx, filtered("n-2"))
		in("n-2", "lkc-other", "")
		w.sync(ctx)
		Expect(w.clusters(ctx)).To(HaveKey("lkc-other"))
		w.restart()
		w.change(ctx, filtered("n-1"))
		kept(ctx, "lkc-other")
	})

	DescribeTable("waits for a person if the source does not say who saw it", func(ctx SpecContext, forgets func(ctx SpecContext, source *v1alpha1.InventorySource)) {
		w.createSource(ctx)
		w.reconcile(ctx)
		Expect(w.clusters(ctx)).To(HaveLen(10))
		forgets(ctx, w.source(ctx))
		in("n-2", "lkc-9")
		w.change(ctx, filtered("n-1"))
		w.reconcile(ctx)
		kept(ctx, "lkc-9")
	},
		Entry("since the source was made again after a deletion that leaves orphans", func(ctx SpecContext, source *v1alpha1.InventorySource) {
			for _, o := range w.clusters(ctx) {
				o.OwnerReferences = nil
				Expect(k8s.Update(ctx, &o)).To(Succeed())
			}
			Expect(k8s.Delete(ctx, source)).To(Succeed())
			Eventually(ctx, func() error { return k8s.Get(ctx, client.ObjectKeyFromObject(source), source) }).ShouldNot(Succeed())
			Expect(k8s.Create(ctx, w.newSource())).To(Succeed())
		}),
		Entry("since the source was restored without its status", func(ctx SpecContext, source *v1alpha1.InventorySource) {
			source.Status = v1alpha1.InventorySourceStatus{}
			Expect(k8s.Status().Update(ctx, source)).To(Succeed())
			w.restart()
		}),
	)
})
