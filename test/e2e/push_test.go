// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"path/filepath"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
	"github.com/ccloud-dev/inventory-operator/test/cloudsim"
)

// pusher returns a client that has the account of those who push in a namespace.
func pusher(namespace string) client.Client {
	GinkgoHelper()
	config := scene.Plane.Config()
	config.Impersonate.UserName = "system:serviceaccount:" + namespace + ":inventory-push"
	config.Impersonate.Groups = []string{"system:serviceaccounts", "system:serviceaccounts:" + namespace, "system:authenticated"}
	c, err := client.New(config, client.Options{Scheme: k8s.Scheme()})
	Expect(err).NotTo(HaveOccurred())
	return c
}

// allow gives the account of those who push rights in a namespace.
func allow(ctx SpecContext, namespace string, rules ...rbacv1.PolicyRule) {
	GinkgoHelper()
	meta := metav1.ObjectMeta{Name: "inventory-push", Namespace: namespace}
	Expect(k8s.Create(ctx, &rbacv1.Role{ObjectMeta: meta, Rules: rules})).To(Succeed())
	Expect(k8s.Create(ctx, &rbacv1.RoleBinding{
		ObjectMeta: meta,
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: meta.Name},
		Subjects:   []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Name: "inventory-push", Namespace: namespace}},
	})).To(Succeed())
}

// merge is a merge patch of a source.
func merge(content string, args ...any) client.Patch {
	return client.RawPatch(types.MergePatchType, fmt.Appendf(nil, content, args...))
}

// applied is a server-side apply of a source.
func applied(content string) client.Patch {
	return client.RawPatch(types.ApplyPatchType, []byte(`{"apiVersion":"inventory.ccloud.dev/v1alpha1","kind":"InventorySource",`+content+`}`))
}

// environmentOfPushes is mirrored by the sources that are pushed alone.
const environmentOfPushes = "env-pushes"

const asks = `{"metadata":{"annotations":{"inventory.ccloud.dev/requestedAt":"%s"}}}`

var _ = Describe("Those who push", Ordered, func() {
	var namespace string
	BeforeAll(func(ctx SpecContext) {
		cloudsim.Seed(scene.Cloud, cloudsim.SeedOptions{Environment: environmentOfPushes, Clusters: 12, Peerings: 4, Seed: 1})
		folder := filepath.Join("..", "..", "config", "push")
		_, err := scene.Kubectl(ctx, "apply", "-k", folder)
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(func(ctx SpecContext) {
			_, err := scene.Kubectl(ctx, "delete", "-k", folder)
			Expect(err).NotTo(HaveOccurred())
		})
	})
	BeforeEach(func(ctx SpecContext) {
		namespace = newNamespace(ctx)
		start(ctx)
		createSource(ctx, namespace, func(s *v1alpha1.InventorySource) {
			s.Spec.Environment, s.Spec.Interval = environmentOfPushes, &metav1.Duration{Duration: time.Hour}
			s.Labels = map[string]string{"team": "data"}
			s.Annotations = map[string]string{"note": "kept"}
			s.Finalizers = []string{"example.com/held"}
		})
		DeferCleanup(func(ctx SpecContext) {
			Expect(k8s.Patch(ctx, sourceIn(namespace), merge(`{"metadata":{"finalizers":null}}`))).To(Succeed())
		})
		Eventually(ctx, func(g Gomega) { g.Expect(readSource(ctx, g, namespace).Status.LastSyncTime).NotTo(BeNil()) }).Should(Succeed())
	})

	// The policy alone is what refuses here: the account may do everything in its namespace.
	It("may set the annotation, and change nothing else, whatever their role", func(ctx SpecContext) {
		allow(ctx, namespace, rbacv1.PolicyRule{APIGroups: []string{"*"}, Resources: []string{"*"}, Verbs: []string{"*"}})
		c, source := pusher(namespace), sourceIn(namespace)
		refused := And(MatchError(apierrors.IsForbidden, "forbidden"), MatchError(And(
			ContainSubstring("inventory-operator-push-requests-only"), ContainSubstring("and change nothing else"))))
		Eventually(ctx, func() error {
			return c.Patch(ctx, source.DeepCopy(), merge(`{"metadata":{"labels":{"a":"b"}}}`), client.DryRunAll)
		}).Should(refused, "in force")

		for what, change := range map[string]client.Patch{
			"the spec":                          merge(`{"spec":{"interval":"10s"}}`),
			"where the key goes":                merge(`{"spec":{"endpoint":"https://elsewhere.example"}}`),
			"the spec beside the annotation":    merge(`{"spec":{"suspend":true},"metadata":{"annotations":{"inventory.ccloud.dev/requestedAt":"x"}}}`),
			"a label":                           merge(`{"metadata":{"labels":{"a":"b"}}}`),
			"a label away":                      merge(`{"metadata":{"labels":null}}`),
			"another annotation":                merge(`{"metadata":{"annotations":{"a":"b"}}}`),
			"another annotation's value":        merge(`{"metadata":{"annotations":{"note":"changed","inventory.ccloud.dev/requestedAt":"x"}}}`),
			"another annotation away":           merge(`{"metadata":{"annotations":{"note":null}}}`),
			"an approval":                       merge(`{"metadata":{"annotations":{"inventory.ccloud.dev/approvePrune":"0123456789ab"}}}`),
			"all annotations away":              merge(`{"metadata":{"annotations":null}}`),
			"a finalizer":                       merge(`{"metadata":{"finalizers":["example.com/mine"]}}`),
			"an owner":                          merge(`{"metadata":{"ownerReferences":[{"apiVersion":"v1","kind":"ConfigMap","name":"a","uid":"b"}]}}`),
			"who owns the spec":                 merge(`{"metadata":{"managedFields":[{}],"annotations":{"inventory.ccloud.dev/requestedAt":"x"}}}`),
			"a label, by server-side apply":     applied(`"metadata":{"labels":{"a":"b"}}`),
			"the spec, by server-side apply":    applied(`"spec":{"suspend":true}`),
			"the same spec, to be its co-owner": applied(`"spec":{"interval":"1h0m0s"},"metadata":{"annotations":{"inventory.ccloud.dev/requestedAt":"x"}}`),
			"the same label":                    applied(`"metadata":{"labels":{"team":"data"},"annotations":{"inventory.ccloud.dev/requestedAt":"x"}}`),
			"the same other annotation":         applied(`"metadata":{"annotations":{"note":"kept","inventory.ccloud.dev/requestedAt":"x"}}`),
			"the same finalizer":                applied(`"metadata":{"finalizers":["example.com/held"],"annotations":{"inventory.ccloud.dev/requestedAt":"x"}}`),
		} {
			options := []client.PatchOption{}
			if change.Type() == types.ApplyPatchType {
				options = append(options, client.FieldOwner("ci"), client.ForceOwnership)
			}
			Expect(c.Patch(ctx, source.DeepCopy(), change, options...)).To(refused, what)
		}
		Expect(c.Status().Patch(ctx, source.DeepCopy(), merge(`{"status":{"lastHandledReconcileAt":"x"}}`))).To(refused)
		Expect(c.Delete(ctx, source.DeepCopy())).To(refused)
		Expect(c.DeleteAllOf(ctx, source.DeepCopy(), client.InNamespace(namespace))).To(refused)
		other := readSource(ctx, Default, namespace)
		other.ObjectMeta = metav1.ObjectMeta{Name: "other", Namespace: namespace}
		Expect(c.Create(ctx, other)).To(refused)
		observation := &v1alpha1.KafkaClusterObservation{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: scene.Cloud.Clusters(environmentOfPushes)[0].ID}}
		Expect(c.Patch(ctx, observation, merge(asks, "x"))).To(refused)
		Expect(c.Patch(ctx, source.DeepCopy(), merge(asks, strings.Repeat("a", 129)))).To(MatchError(ContainSubstring("from 1 to 128 characters")))
		Expect(c.Patch(ctx, source.DeepCopy(), merge(asks, ""))).To(MatchError(ContainSubstring("from 1 to 128 characters")))

		By("taking the annotation, by a merge patch and by server-side apply")
		before := readSource(ctx, Default, namespace)
		Expect(c.Patch(ctx, source.DeepCopy(), merge(asks, "merged"))).To(Succeed())
		handled(ctx, namespace, "merged")
		Expect(c.Patch(ctx, source.DeepCopy(), applied(`"metadata":{"annotations":{"inventory.ccloud.dev/requestedAt":"applied"}}`),
			client.FieldOwner("ci"), client.ForceOwnership)).To(Succeed())
		handled(ctx, namespace, "applied")
		after := readSource(ctx, Default, namespace)
		Expect(after.Spec).To(Equal(before.Spec))
		Expect(after.Labels).To(Equal(before.Labels))
		Expect(after.Annotations).To(Equal(map[string]string{"note": "kept", v1alpha1.AnnotationRequestedAt: "applied"}))
		Expect(after.Generation).To(Equal(before.Generation))

		By("leaving everyone else alone")
		Expect(k8s.Patch(ctx, source.DeepCopy(), merge(`{"metadata":{"labels":{"a":"b"}}}`))).To(Succeed())
	})

	It("need the right to patch sources, and no other", func(ctx SpecContext) {
		allow(ctx, namespace, rbacv1.PolicyRule{
			APIGroups: []string{v1alpha1.GroupVersion.Group}, Resources: []string{"inventorysources"}, ResourceNames: []string{sourceName}, Verbs: []string{"patch"}})
		c := pusher(namespace)
		Eventually(ctx, func() error { return c.Patch(ctx, sourceIn(namespace), merge(asks, "pushed")) }).Should(Succeed())
		handled(ctx, namespace, "pushed")
		forbidden := MatchError(apierrors.IsForbidden, "forbidden")
		Expect(c.Get(ctx, client.ObjectKeyFromObject(sourceIn(namespace)), sourceIn(namespace))).To(forbidden)
		Expect(c.Status().Patch(ctx, sourceIn(namespace), merge(`{"status":{"lastHandledReconcileAt":"x"}}`))).To(forbidden)
		other := sourceIn(namespace)
		other.Name = "other"
		Expect(c.Patch(ctx, other, merge(asks, "x"))).To(forbidden)
		Expect(c.Delete(ctx, sourceIn(namespace))).To(forbidden)
	})

	It("cost requests within the budget, however often they push", func(ctx SpecContext) {
		allow(ctx, namespace, rbacv1.PolicyRule{APIGroups: []string{v1alpha1.GroupVersion.Group}, Resources: []string{"inventorysources"}, Verbs: []string{"patch"}})
		c := pusher(namespace)
		Eventually(ctx, func() error { return c.Patch(ctx, sourceIn(namespace), merge(asks, "first")) }).Should(Succeed())
		handled(ctx, namespace, "first")
		count := func() int {
			return scene.Cloud.Count(cloudsim.OpListClusters) + scene.Cloud.Count(cloudsim.OpListPeerings)
		}
		asked, began := count(), time.Now()
		const pushes = 200
		for i := range pushes {
			Expect(c.Patch(ctx, sourceIn(namespace), merge(asks, fmt.Sprint(i)))).To(Succeed())
		}
		handled(ctx, namespace, fmt.Sprint(pushes-1))
		// 5 requests a second, and those of one second at once after a pause.
		most := int(5*time.Since(began).Seconds()) + 5 + 1
		Expect(count() - asked).To(And(BeNumerically(">=", 2), BeNumerically("<=", min(most, 2*pushes))))
		GinkgoWriter.Printf("%d pushes in %s cost %d requests\n", pushes, time.Since(began).Round(time.Second), count()-asked)
	})
})

// handled waits until a request was answered.
func handled(ctx SpecContext, namespace, request string) {
	GinkgoHelper()
	Eventually(ctx, func(g Gomega) {
		g.Expect(readSource(ctx, g, namespace).Status.LastHandledReconcileAt).To(Equal(request))
	}).Should(Succeed())
}
