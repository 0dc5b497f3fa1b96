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
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/retry"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
	"github.com/ccloud-dev/inventory-operator/test/cloudsim"
	"github.com/ccloud-dev/inventory-operator/test/stage"
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
		// edit tries a change of what is there now, again where the operator wrote meanwhile.
		edit := func(change func(*v1alpha1.KafkaClusterObservation)) error {
			return retry.RetryOnConflict(retry.DefaultBackoff, func() error {
				edited := readCluster(ctx, Default, namespace, id)
				change(edited)
				return k8s.Update(ctx, edited)
			})
		}
		Expect(k8s.Create(ctx, planted(namespace))).To(refused)
		Expect(edit(func(o *v1alpha1.KafkaClusterObservation) { o.Labels["mine"] = "yes" })).To(refused)
		Expect(edit(func(o *v1alpha1.KafkaClusterObservation) { metav1.SetMetaDataAnnotation(&o.ObjectMeta, "mine", "yes") })).To(refused)
		Expect(edit(func(o *v1alpha1.KafkaClusterObservation) { o.Finalizers = []string{"example.com/mine"} })).To(refused)
		Expect(edit(func(o *v1alpha1.KafkaClusterObservation) { o.OwnerReferences = nil })).To(refused)
		Expect(k8s.Delete(ctx, observation.DeepCopy())).To(refused)
		Expect(k8s.DeleteAllOf(ctx, &v1alpha1.KafkaClusterObservation{}, client.InNamespace(namespace))).To(refused)
		Expect(retry.RetryOnConflict(retry.DefaultBackoff, func() error {
			changed := readCluster(ctx, Default, namespace, id)
			changed.Status.Phase = "GONE"
			return k8s.Status().Update(ctx, changed)
		})).To(refused)
		peerings := &v1alpha1.PeeringObservationList{}
		Expect(k8s.List(ctx, peerings, client.InNamespace(namespace))).To(Succeed())
		Expect(k8s.Delete(ctx, &peerings.Items[0])).To(MatchError(ContainSubstring("change the object there")))

		By("refusing a server-side apply of other content, forced or not")
		applied := func(content string) client.Patch {
			return client.RawPatch(types.ApplyPatchType, []byte(`{"apiVersion":"inventory.ccloud.dev/v1alpha1","kind":"KafkaClusterObservation",`+content+`}`))
		}
		stranger := client.FieldOwner("stranger")
		Expect(k8s.Patch(ctx, observation.DeepCopy(), applied(`"metadata":{"labels":{"mine":"yes"}}`), stranger)).To(refused)
		Expect(k8s.Patch(ctx, observation.DeepCopy(), applied(`"metadata":{"labels":{"inventory.ccloud.dev/source":"mine"}}`), stranger, client.ForceOwnership)).To(refused)
		Expect(k8s.Status().Patch(ctx, observation.DeepCopy(), applied(`"status":{"phase":"GONE"}`), stranger, client.ForceOwnership)).To(refused)

		By("letting a write pass that changes nothing, such as a migration of what is stored")
		observation = readCluster(ctx, Default, namespace, id)
		Expect(edit(func(*v1alpha1.KafkaClusterObservation) {})).To(Succeed())
		Expect(readCluster(ctx, Default, namespace, id).ResourceVersion).To(Equal(observation.ResourceVersion))
		Expect(k8s.Patch(ctx, observation.DeepCopy(), applied(`"metadata":{"labels":{"inventory.ccloud.dev/source":"`+sourceName+`"}}`), stranger)).To(
			Succeed(), "the content stays, and has one owner more")
		after := readCluster(ctx, Default, namespace, id)
		Expect(after.Labels).To(Equal(observation.Labels))
		Expect(after.Spec).To(Equal(observation.Spec))
	})

	It("lets the operator's account do what its role grants, and no more", func(ctx SpecContext) {
		operator := operatorsAccount()
		forbidden := MatchError(apierrors.IsForbidden, "forbidden")
		Expect(operator.Create(ctx, planted(namespace))).To(Succeed())
		Expect(operator.Status().Patch(ctx, planted(namespace), client.RawPatch(types.MergePatchType, []byte(`{"status":{"phase":"GONE"}}`)))).To(Succeed())
		Expect(operator.Patch(ctx, planted(namespace), client.RawPatch(types.MergePatchType, []byte(`{"metadata":{"labels":{"team":"data"}}}`)))).To(Succeed())
		Expect(operator.Update(ctx, readCluster(ctx, Default, namespace, planted(namespace).Name))).To(forbidden)
		Expect(operator.DeleteAllOf(ctx, &v1alpha1.KafkaClusterObservation{}, client.InNamespace(namespace))).To(forbidden)
		Expect(operator.Delete(ctx, planted(namespace))).To(Succeed())
	})

	// Each is what a message or a page advises.
	It("lets anyone delete what nothing makes again", func(ctx SpecContext) {
		operator := operatorsAccount()
		retain := client.RawPatch(types.MergePatchType, []byte(`{"spec":{"prune":{"policy":"Retain"}}}`))
		Expect(k8s.Patch(ctx, readSource(ctx, Default, namespace), retain)).To(Succeed())

		By("an observation that is retained although its cluster is gone")
		gone := scene.Cloud.Clusters(environment)[2]
		Expect(k8s.Delete(ctx, readCluster(ctx, Default, namespace, gone.ID))).NotTo(Succeed(), "while it is listed")
		Expect(scene.Cloud.RemoveCluster(gone.ID)).To(Succeed())
		DeferCleanup(scene.Cloud.PutCluster, gone)
		Eventually(ctx, func(g Gomega) {
			g.Expect(readCluster(ctx, g, namespace, gone.ID).Status.Observed).To(Equal(v1alpha1.ReasonMissing))
		}).Should(Succeed())
		Expect(k8s.Delete(ctx, readCluster(ctx, Default, namespace, gone.ID))).To(Succeed())
		awaitSyncs(ctx, namespace, 1)
		Expect(clusters(ctx, Default, namespace)).To(HaveLen(249))

		By("observations that have the names of listed ones: one without a controller, one that its source did not make")
		stray, other := planted(namespace), planted(namespace)
		stray.Name, stray.Spec.SourceRef.Name, stray.Spec.ClusterID = "lkc-stray", "no-more", "lkc-stray"
		other.Name, other.Spec.ClusterID = "lkc-other", "lkc-OTHER"
		Expect(controllerutil.SetControllerReference(readSource(ctx, Default, namespace), other, k8s.Scheme())).To(Succeed())
		for _, o := range []*v1alpha1.KafkaClusterObservation{stray, other} {
			Expect(operator.Create(ctx, o)).To(Succeed())
			scene.Cloud.PutCluster(cloudsim.Cluster{ID: o.Name, Spec: cloudsim.ClusterSpec{Environment: cloudsim.Reference{ID: environment}},
				Status: cloudsim.ClusterStatus{Phase: cloudsim.PhaseProvisioned}})
			DeferCleanup(func() error { return scene.Cloud.RemoveCluster(o.Name) })
		}
		Eventually(ctx, func(g Gomega) {
			conditions := readSource(ctx, g, namespace).Status.Conditions
			g.Expect(meta.FindStatusCondition(conditions, v1alpha1.ConditionReady).Reason).To(Equal(v1alpha1.ReasonNameConflict))
			g.Expect(meta.FindStatusCondition(conditions, v1alpha1.ConditionKafkaClustersSynced).Message).To(And(
				ContainSubstring("lkc-stray (no controller); delete those without a controller"), ContainSubstring("lkc-other")))
		}).Should(Succeed())
		Expect(k8s.Delete(ctx, stray)).To(Succeed())
		Expect(k8s.Delete(ctx, other)).To(Succeed())
		Eventually(ctx, func(g Gomega) {
			g.Expect(meta.IsStatusConditionTrue(readSource(ctx, g, namespace).Status.Conditions, v1alpha1.ConditionReady)).To(BeTrue())
			g.Expect(readCluster(ctx, g, namespace, other.Name).Spec.ClusterID).To(BeEquivalentTo(other.Name))
		}).WithTimeout(2 * soon).Should(Succeed())
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
		Expect(k8s.Delete(ctx, readCluster(ctx, Default, namespace, id))).To(Succeed(), "nothing makes it again")

		object := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}}
		Expect(k8s.Delete(ctx, object)).To(Succeed())
		Eventually(ctx, func(g Gomega) {
			g.Expect(apierrors.IsNotFound(k8s.Get(ctx, client.ObjectKeyFromObject(object), object))).To(BeTrue())
		}).WithPolling(time.Second).Should(Succeed())
	})
})

// operatorsAccount returns a client that has the operator's account.
func operatorsAccount() client.Client {
	GinkgoHelper()
	config := scene.Plane.Config()
	config.Impersonate.UserName = "system:serviceaccount:" + stage.Namespace + ":" + stage.ServiceAccount
	c, err := client.New(config, client.Options{Scheme: k8s.Scheme()})
	Expect(err).NotTo(HaveOccurred())
	return c
}

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
