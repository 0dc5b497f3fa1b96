// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"context"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
	"github.com/ccloud-dev/inventory-operator/test/cloudsim"
)

// sourcesIn returns the names of the sources in a namespace that are mirrored whole.
func sourcesIn(ctx context.Context, g Gomega, namespace string) (names []string) {
	list := &v1alpha1.InventorySourceList{}
	g.Expect(k8s.List(ctx, list, client.InNamespace(namespace))).To(Succeed())
	for _, s := range list.Items {
		if s.Status.LastSyncTime != nil {
			names = append(names, s.Name)
		}
	}
	return names
}

var _ = Describe("A discovery", func() {
	BeforeEach(func(ctx SpecContext) {
		start(ctx)
		for i, id := range []string{"env-org1", "env-org2"} {
			cloudsim.Seed(scene.Cloud, cloudsim.SeedOptions{Environment: id, Clusters: 2, Peerings: 1, Seed: int64(i)})
		}
	})
	takes := func(d *v1alpha1.EnvironmentDiscovery) {
		d.Spec.Selector.IDs = []v1alpha1.Identifier{"env-org1", "env-org2", "env-org3"}
	}

	It("mirrors an organization, what appears later too, and takes all along when it is deleted", func(ctx SpecContext) {
		namespace := newNamespace(ctx)
		createDiscovery(ctx, namespace, takes)
		Eventually(ctx, func(g Gomega) {
			g.Expect(sourcesIn(ctx, g, namespace)).To(ConsistOf("env-org1", "env-org2"))
			g.Expect(clusters(ctx, g, namespace)).To(HaveLen(4))
		}).Should(Succeed())
		cloudsim.Seed(scene.Cloud, cloudsim.SeedOptions{Environment: "env-org3", Clusters: 1, Seed: 9})
		Eventually(ctx, func(g Gomega) {
			g.Expect(sourcesIn(ctx, g, namespace)).To(ContainElement("env-org3"))
			g.Expect(clusters(ctx, g, namespace)).To(HaveLen(5))
		}).Should(Succeed())

		By("putting back a source that is deleted, with its observations")
		source := &v1alpha1.InventorySource{ObjectMeta: metav1.ObjectMeta{Name: "env-org1", Namespace: namespace}}
		Expect(k8s.Delete(ctx, source)).To(Succeed())
		Eventually(ctx, func(g Gomega) {
			g.Expect(k8s.Get(ctx, client.ObjectKeyFromObject(source), source)).To(Succeed())
			g.Expect(source.DeletionTimestamp).To(BeNil())
			g.Expect(clusters(ctx, g, namespace)).To(HaveLen(5))
		}).Should(Succeed())

		By("deleting it: Kubernetes' garbage collector takes sources and observations")
		Expect(k8s.Delete(ctx, discoveryIn(namespace))).To(Succeed())
		Eventually(ctx, func(g Gomega) {
			list := &v1alpha1.InventorySourceList{}
			g.Expect(k8s.List(ctx, list, client.InNamespace(namespace))).To(Succeed())
			g.Expect(list.Items).To(BeEmpty())
			g.Expect(clusters(ctx, g, namespace)).To(BeEmpty())
		}).Should(Succeed())
	})

	It("leaves its sources behind where it is deleted with orphaning", func(ctx SpecContext) {
		namespace := newNamespace(ctx)
		DeferCleanup(func(ctx SpecContext) { // Or the next spec's manager would mirror them too.
			Expect(k8s.DeleteAllOf(ctx, &v1alpha1.InventorySource{}, client.InNamespace(namespace))).To(Succeed())
		})
		createDiscovery(ctx, namespace, takes)
		Eventually(ctx, func(g Gomega) { g.Expect(len(sourcesIn(ctx, g, namespace))).To(BeNumerically(">=", 2)) }).Should(Succeed())
		Expect(k8s.Delete(ctx, discoveryIn(namespace), client.PropagationPolicy(metav1.DeletePropagationOrphan))).To(Succeed())
		Eventually(ctx, func(g Gomega) {
			list := &v1alpha1.InventorySourceList{}
			g.Expect(k8s.List(ctx, list, client.InNamespace(namespace))).To(Succeed())
			g.Expect(len(list.Items)).To(BeNumerically(">=", 2))
			for _, s := range list.Items {
				g.Expect(s.OwnerReferences).To(BeEmpty())
				g.Expect(s.DeletionTimestamp).To(BeNil())
			}
		}).Should(Succeed())
	})
})
