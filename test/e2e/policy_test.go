// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"path/filepath"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
	"github.com/ccloud-dev/inventory-operator/test/cloudsim"
)

// The administrator of these specs is one of the whole cluster, whom no role stops.
var _ = Describe("The policy that makes observations read-only", Ordered, func() {
	var namespace, id string
	BeforeAll(func(ctx SpecContext) {
		cloudsim.Seed(scene.Cloud, cloudsim.SeedOptions{Environment: environment, Clusters: 250, Peerings: 20, Seed: 1})
		folder := filepath.Join("..", "..", "config", "policy")
		_, err := scene.Kubectl(ctx, "apply", "-k", folder)
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(func(ctx SpecContext) {
			_, err := scene.Kubectl(ctx, "delete", "-k", folder)
			Expect(err).NotTo(HaveOccurred())
			// What is refused no longer tells that nothing is, in the specs to come.
			Eventually(ctx, func() error { return k8s.Create(ctx, planted("default"), client.DryRunAll) }).Should(Succeed())
		})
		Eventually(ctx, func() error { return k8s.Create(ctx, planted("default"), client.DryRunAll) }).Should(
			MatchError(ContainSubstring("the inventory operator alone writes them")), "in force")
	})
	BeforeEach(func(ctx SpecContext) {
		namespace = newNamespace(ctx)
		start(ctx)
		createSource(ctx, namespace)
		awaitSyncs(ctx, namespace, 1)
		id = scene.Cloud.Clusters(environment)[0].ID
	})

	It("refuses what anyone else writes, and says where to look", func(ctx SpecContext) {
		observation := readCluster(ctx, Default, namespace, id)
		refused := And(MatchError(apierrors.IsForbidden, "forbidden"), MatchError(And(
			ContainSubstring("change the object there, or the InventorySource here"), ContainSubstring("docs/security.md"))))
		// edit tries a change of what is there now.
		edit := func(change func(*v1alpha1.KafkaClusterObservation)) error {
			edited := readCluster(ctx, Default, namespace, id)
			change(edited)
			return k8s.Update(ctx, edited)
		}
		Expect(k8s.Create(ctx, planted(namespace))).To(refused)
		Expect(edit(func(o *v1alpha1.KafkaClusterObservation) { o.Labels["mine"] = "yes" })).To(refused)
		Expect(edit(func(o *v1alpha1.KafkaClusterObservation) { metav1.SetMetaDataAnnotation(&o.ObjectMeta, "mine", "yes") })).To(refused)
		Expect(edit(func(o *v1alpha1.KafkaClusterObservation) { o.Finalizers = []string{"example.com/mine"} })).To(refused)
		Expect(edit(func(o *v1alpha1.KafkaClusterObservation) { o.OwnerReferences = nil })).To(refused)
		Expect(k8s.Delete(ctx, observation.DeepCopy())).To(refused)
		Expect(k8s.DeleteAllOf(ctx, &v1alpha1.KafkaClusterObservation{}, client.InNamespace(namespace))).To(refused)
		changed := readCluster(ctx, Default, namespace, id)
		changed.Status.Phase = "GONE"
		Expect(k8s.Status().Update(ctx, changed)).To(refused)
		peerings := &v1alpha1.PeeringObservationList{}
		Expect(k8s.List(ctx, peerings, client.InNamespace(namespace))).To(Succeed())
		Expect(k8s.Delete(ctx, &peerings.Items[0])).To(MatchError(ContainSubstring("change the object there")))

		By("letting a write pass that changes nothing, such as a migration of what is stored")
		Expect(edit(func(*v1alpha1.KafkaClusterObservation) {})).To(Succeed())
		Expect(readCluster(ctx, Default, namespace, id).ResourceVersion).To(Equal(observation.ResourceVersion))
	})

	It("lets the operator do all it does", func(ctx SpecContext) {
		gone := scene.Cloud.Clusters(environment)[1]
		Expect(scene.Cloud.RemoveCluster(gone.ID)).To(Succeed())
		DeferCleanup(scene.Cloud.PutCluster, gone)
		Expect(scene.Cloud.SetClusterPhase(id, "RESTING")).To(Succeed())
		DeferCleanup(scene.Cloud.SetClusterPhase, id, cloudsim.PhaseProvisioned)
		patch(ctx, sourceIn(namespace), `{"spec":{"template":{"labels":{"team":"data"}}}}`)
		Eventually(ctx, func(g Gomega) {
			o := readCluster(ctx, g, namespace, id)
			g.Expect(o.Status.Phase).To(Equal("RESTING"))
			g.Expect(o.Labels).To(HaveKeyWithValue("team", "data"))
			g.Expect(clusters(ctx, g, namespace)).To(HaveLen(249))
		}).Should(Succeed())
		Eventually(ctx, func(g Gomega) {
			source := readSource(ctx, g, namespace)
			g.Expect(source.Status.ObservedGeneration).To(Equal(source.Generation))
			g.Expect(meta.IsStatusConditionTrue(source.Status.Conditions, v1alpha1.ConditionReady)).To(BeTrue())
		}).Should(Succeed())
	})

	DescribeTable("lets the garbage collector clean up behind a source", func(ctx SpecContext, how metav1.DeletionPropagation) {
		source := readSource(ctx, Default, namespace)
		Expect(k8s.Delete(ctx, source, client.PropagationPolicy(how))).To(Succeed())
		Eventually(ctx, func(g Gomega) {
			g.Expect(clusters(ctx, g, namespace)).To(BeEmpty())
			g.Expect(apierrors.IsNotFound(k8s.Get(ctx, client.ObjectKeyFromObject(source), source))).To(BeTrue())
		}).Should(Succeed())
	},
		Entry(nil, metav1.DeletePropagationBackground),
		Entry(nil, metav1.DeletePropagationForeground),
	)

	It("lets the garbage collector leave observations without an owner, and the namespace controller delete them", func(ctx SpecContext) {
		source := readSource(ctx, Default, namespace)
		Expect(k8s.Delete(ctx, source, client.PropagationPolicy(metav1.DeletePropagationOrphan))).To(Succeed())
		Eventually(ctx, func(g Gomega) {
			g.Expect(apierrors.IsNotFound(k8s.Get(ctx, client.ObjectKeyFromObject(source), source))).To(BeTrue())
			g.Expect(readCluster(ctx, g, namespace, id).OwnerReferences).To(BeEmpty())
		}).Should(Succeed())
		Expect(clusters(ctx, Default, namespace)).To(HaveLen(250))

		object := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}}
		Expect(k8s.Delete(ctx, object)).To(Succeed())
		Eventually(ctx, func(g Gomega) {
			g.Expect(apierrors.IsNotFound(k8s.Get(ctx, client.ObjectKeyFromObject(object), object))).To(BeTrue())
		}).WithPolling(time.Second).Should(Succeed())
	})
})

// planted is an observation that somebody makes by hand.
func planted(namespace string) *v1alpha1.KafkaClusterObservation {
	return &v1alpha1.KafkaClusterObservation{
		ObjectMeta: metav1.ObjectMeta{Name: "lkc-planted", Namespace: namespace},
		Spec: v1alpha1.KafkaClusterObservationSpec{
			ObservationOrigin: v1alpha1.ObservationOrigin{SourceRef: v1alpha1.LocalReference{Name: sourceName}, Environment: environment},
			ClusterID:         "lkc-planted",
		},
	}
}
