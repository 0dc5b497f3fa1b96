// SPDX-License-Identifier: Apache-2.0

package controller_test

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
	"github.com/ccloud-dev/inventory-operator/test/cloudsim"
)

// setSecret gives the Secret a new api-secret and returns its new version.
func (w *world) setSecret(ctx context.Context, value string) string {
	GinkgoHelper()
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: secretName, Namespace: w.namespace}}
	patch := client.RawPatch("application/merge-patch+json", []byte(`{"stringData":{"api-secret":`+strconv.Quote(value)+`}}`))
	Expect(k8s.Patch(ctx, secret, patch)).To(Succeed())
	return secret.ResourceVersion
}

var _ = Describe("A refused credential", func() {
	const wrong = "wrong-secret"
	var w *world
	BeforeEach(func(ctx SpecContext) {
		w = newWorld(ctx)
		w.seed(3, 1)
		w.createSecret(ctx, apiKey, wrong)
		Expect(k8s.Create(ctx, w.newSource())).To(Succeed())
		Expect(w.calls(func() { w.reconcile(ctx) })).To(Equal(2))
	})

	// next returns how long from now the next sync is due.
	next := func(ctx SpecContext) time.Duration { return w.source(ctx).Status.NextSyncTime.Sub(w.clock.Now()) }

	It("puts nothing off where the other kind can still be listed", func(ctx SpecContext) {
		w.setSecret(ctx, apiSecret)
		w.sync(ctx)
		w.cloud.FailNext(cloudsim.OpListPeerings, 3, cloudsim.Status(403, "", nil))
		for range 3 {
			w.sync(ctx)
			Expect(w.condition(ctx, v1alpha1.ConditionPeeringsSynced)).To(Equal("False/Forbidden"))
			Expect(w.condition(ctx, v1alpha1.ConditionKafkaClustersSynced)).To(Equal("True/Succeeded"))
			Expect(w.source(ctx).Status.CredentialBackoff).To(BeNil())
			Expect(next(ctx)).To(Equal(5 * time.Minute))
		}
	})
})

var _ = Describe("A manager that watches Secrets", func() {
	var w *world
	BeforeEach(func(ctx SpecContext) {
		w = newWorld(ctx)
		w.seed(3, 1)
		w.createSource(ctx)
		w.reconciler.Secrets = k8s
		w.reconcile(ctx)
	})

	// seen waits until the watch has brought a version of the Secret.
	seen := func(ctx SpecContext, version string) *metav1.PartialObjectMetadata {
		GinkgoHelper()
		secret := &metav1.PartialObjectMetadata{}
		secret.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("Secret"))
		Eventually(func(g Gomega) {
			g.Expect(k8s.Get(ctx, client.ObjectKey{Namespace: w.namespace, Name: secretName}, secret)).To(Succeed())
			g.Expect(secret.ResourceVersion).To(Equal(version))
		}).Should(Succeed())
		return secret
	}

	It("keeps nothing of a Secret but its name and version", func(ctx SpecContext) {
		secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: secretName, Namespace: w.namespace}}
		patch := client.RawPatch("application/merge-patch+json",
			[]byte(`{"metadata":{"labels":{"a":"b"},"annotations":{"kubectl.kubernetes.io/last-applied-configuration":"`+apiSecret+`"}}}`))
		Expect(k8s.Patch(ctx, secret, patch)).To(Succeed())
		cached := seen(ctx, secret.ResourceVersion)
		Expect(cached.Annotations).To(BeEmpty())
		Expect(cached.Labels).To(BeEmpty())
		Expect(cached.ManagedFields).To(BeEmpty())
		Expect(cached.UID).To(Equal(secret.UID))
	})
})

var _ = Describe("What a source sees by", func() {
	It("is remembered over restarts, so that what went out of sight is held", func(ctx SpecContext) {
		w := newWorld(ctx)
		w.seed(10, 2)
		w.createSource(ctx)
		w.reconcile(ctx)
		scope := w.source(ctx).Status.KafkaClusters.Scope
		Expect(scope).To(HaveLen(12))
		By("changing the filters while the manager is down")
		networks := map[v1alpha1.Identifier]bool{}
		for _, c := range w.cloud.Clusters(environment) {
			if c.Spec.Network != nil {
				networks[v1alpha1.Identifier(c.Spec.Network.ID)] = true
			}
		}
		w.change(ctx, func(s *v1alpha1.InventorySource) {
			s.Spec.KafkaClusters.Networks = slices.Collect(maps.Keys(networks))
			s.Spec.Prune.MaxPercent = ptr.To[int32](99)
		})
		w.restart()
		w.reconcile(ctx)
		w.sync(ctx)
		Expect(w.source(ctx).Status.KafkaClusters.Scope).To(Equal("several"), "some were last seen without the filter")

		By("and restarting once more")
		w.restart()
		for range 4 {
			w.sync(ctx)
		}
		Expect(w.condition(ctx, v1alpha1.ConditionPruneHeld)).To(Equal("True/ScopeChanged"))
		Expect(w.clusters(ctx)).To(HaveLen(10))

		By("until all is seen again")
		w.change(ctx, func(s *v1alpha1.InventorySource) {
			s.Spec.KafkaClusters.Networks = nil
		})
		w.reconcile(ctx)
		Expect(w.condition(ctx, v1alpha1.ConditionPruneHeld)).To(BeEmpty())
		Expect(w.source(ctx).Status.KafkaClusters.Scope).To(Equal(scope))
	})
})

var _ = Describe("A credential that is refused beside a kind that the manager may not watch", func() {
	It("is used less and less often", func(ctx SpecContext) {
		w := newWorld(ctx)
		w.seed(2, 3)
		w.createSource(ctx, func(s *v1alpha1.InventorySource) { s.Spec.Interval = &metav1.Duration{Duration: 10 * time.Minute} })
		w.reconcile(ctx)
		w.restart()
		observation := &v1alpha1.PeeringObservation{}
		w.reconciler.MayNotWatch(observation, "the operator may not list peeringobservations")
		DeferCleanup(func() { w.reconciler.MayNotWatch(observation, "") })
		w.cloud.FailNext(cloudsim.OpListClusters, 1000, cloudsim.Status(http.StatusUnauthorized, "", nil))
		for _, wait := range []time.Duration{10 * time.Minute, 20 * time.Minute, 30 * time.Minute, 30 * time.Minute} {
			w.sync(ctx)
			status := w.source(ctx).Status
			Expect(status.NextSyncTime.Sub(w.clock.Now())).To(BeNumerically("~", wait, 2*time.Second))
			Expect(status.CredentialBackoff).NotTo(BeNil())
		}
	})
})

var _ = Describe("A refused credential at a restart", func() {
	DescribeTable("is what Ready goes on saying, beside an ignored kind", func(ctx SpecContext, denied bool) {
		w := newWorld(ctx)
		w.seed(2, 3)
		w.createSource(ctx, func(s *v1alpha1.InventorySource) { s.Spec.Interval = &metav1.Duration{Duration: 10 * time.Minute} })
		w.reconcile(ctx)
		deny := func() {
			if denied {
				w.reconciler.MayNotWatch(&v1alpha1.PeeringObservation{}, "the operator may not list peeringobservations")
			}
		}
		deny()
		for _, o := range w.peerings(ctx) {
			if denied {
				break
			}
			o.Finalizers = []string{"example.com/stuck"}
			Expect(k8s.Update(ctx, &o)).To(Succeed())
			DeferCleanup(func(ctx SpecContext) {
				Expect(k8s.Patch(ctx, &o, client.RawPatch(types.MergePatchType, []byte(`{"metadata":{"finalizers":null}}`)))).To(Succeed())
			})
		}
		w.change(ctx, func(s *v1alpha1.InventorySource) { s.Spec.Peerings.Policy = v1alpha1.MirrorPolicyIgnore })
		w.sync(ctx)
		w.sync(ctx)
		Expect(w.condition(ctx, v1alpha1.ConditionReady)).To(Equal("False/WriteFailed"))
		w.cloud.FailNext(cloudsim.OpListClusters, 1000, cloudsim.Status(http.StatusUnauthorized, "", nil))
		w.sync(ctx)
		Expect(w.condition(ctx, v1alpha1.ConditionReady)).To(Equal("False/Unauthenticated"))
		w.restart()
		deny()
		Expect(w.calls(func() { w.reconcile(ctx) })).To(BeZero())
		Expect(w.condition(ctx, v1alpha1.ConditionReady)).To(Equal("False/Unauthenticated"))
		Expect(w.condition(ctx, v1alpha1.ConditionStalled)).To(Equal("True/Unauthenticated"))
	}, Entry("that may not be read", true), Entry("whose objects finalizers keep", false))
})
