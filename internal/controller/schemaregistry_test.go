// SPDX-License-Identifier: Apache-2.0

package controller_test

import (
	"fmt"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
	"github.com/ccloud-dev/inventory-operator/test/cloudsim"
)

func mirrorSchemaRegistry(s *v1alpha1.InventorySource) {
	s.Spec.SchemaRegistry.Policy = v1alpha1.MirrorPolicyMirror
}

var _ = Describe("Schema Registry", func() {
	var w *world
	BeforeEach(func(ctx SpecContext) {
		w = newWorld(ctx)
		w.seed(12, 7)
	})
	seeded := func() cloudsim.SchemaRegistry { return w.cloud.SchemaRegistries(environment)[0] }
	refuse := func() {
		w.cloud.AddKey(cloudsim.Key{ID: apiKey, Secret: apiSecret, Refused: []cloudsim.Op{cloudsim.OpListSchemaRegistries}})
	}

	It("is asked for by no source that does not want it", func(ctx SpecContext) {
		w.createSource(ctx)
		w.reconcile(ctx)
		w.sync(ctx)
		Expect(w.condition(ctx, v1alpha1.ConditionReady)).To(Equal("True/Succeeded"))
		Expect(w.cloud.Count(cloudsim.OpListSchemaRegistries)).To(BeZero(), "an upgrade asks the cloud nothing new")
		Expect(w.registries(ctx)).To(BeEmpty())
		Expect(w.source(ctx).Status.SchemaRegistry).To(BeNil())
		Expect(w.condition(ctx, v1alpha1.ConditionSchemaRegistrySynced)).To(BeEmpty())
		for name, o := range w.clusters(ctx) {
			Expect(o.Status.SchemaRegistry).To(BeNil(), name)
		}
	})

	It("is mirrored whole, and shown by the clusters of its environment", func(ctx SpecContext) {
		w.createSource(ctx, mirrorSchemaRegistry)
		w.reconcile(ctx)
		Expect(w.condition(ctx, v1alpha1.ConditionReady)).To(Equal("True/Succeeded"))
		Expect(w.condition(ctx, v1alpha1.ConditionSchemaRegistrySynced)).To(Equal("True/Succeeded"))
		Expect(w.source(ctx).Status.SchemaRegistry.Observed).To(BeEquivalentTo(1))
		want := seeded()
		o, there := w.registries(ctx)[want.ID]
		Expect(there).To(BeTrue())
		Expect(o.Spec.ClusterID).To(Equal(want.ID))
		Expect([]string{o.Status.Phase, o.Status.DisplayName, o.Status.Package, o.Status.Cloud, o.Status.Region, o.Status.HTTPEndpoint,
			o.Status.CatalogHTTPEndpoint, o.Status.PrivateHTTPEndpoint, o.Status.ResourceName, o.Status.Self}).To(Equal([]string{
			want.Status.Phase, want.Spec.DisplayName, want.Spec.Package, want.Spec.Cloud, want.Spec.Region, want.Spec.HTTPEndpoint,
			want.Spec.CatalogHTTPEndpoint, want.Spec.PrivateHTTPEndpoint, want.Metadata.ResourceName, want.Metadata.Self}))
		Expect(o.Status.PrivateRegionalEndpointCount).To(BeEquivalentTo(len(want.Spec.PrivateNetworkingConfig.RegionalEndpoints)))
		for region, url := range want.Spec.PrivateNetworkingConfig.RegionalEndpoints {
			Expect(o.PrivateEndpointIn(region)).To(Equal(url))
		}
		Expect(w.clusters(ctx)).To(HaveLen(12))
		for name, c := range w.clusters(ctx) {
			Expect(c.Status.SchemaRegistry).To(HaveValue(Equal(v1alpha1.SchemaRegistryReference{
				Name: want.ID, Phase: cloudsim.PhaseProvisioned, HTTPEndpoint: want.Spec.HTTPEndpoint})), name)
		}
		Expect(w.writes(func() { w.sync(ctx) })).To(BeEmpty())
	})

	It("that moves is one write to each cluster, and its clusters' ConfigMaps follow", func(ctx SpecContext) {
		w.reconciler.ConfigMaps = true
		w.createSource(ctx, mirrorSchemaRegistry, func(s *v1alpha1.InventorySource) {
			s.Spec.KafkaClusters.ConfigMaps = v1alpha1.ConfigMapPolicyEnabled
		})
		w.reconcile(ctx)
		w.expose(ctx)
		Expect(w.configMaps(ctx)).To(HaveLen(12))
		Expect(w.configMaps(ctx)[w.anyCluster().ID].Data).To(HaveKeyWithValue("schema.registry.url", seeded().Spec.HTTPEndpoint))
		Expect(w.cloud.UpdateSchemaRegistry(seeded().ID, func(r *cloudsim.SchemaRegistry) { r.Spec.HTTPEndpoint = "https://psrc-new.example" })).To(Succeed())
		Expect(w.writes(func() { w.sync(ctx) })).To(HaveLen(13))
		Eventually(ctx, func(g Gomega) {
			w.expose(ctx)
			g.Expect(w.configMaps(ctx)[w.anyCluster().ID].Data).To(HaveKeyWithValue("schema.registry.url", "https://psrc-new.example"))
		}).Should(Succeed())

		By("using names that a shell takes")
		w.change(ctx, func(s *v1alpha1.InventorySource) {
			s.Spec.KafkaClusters.ConfigMapKeys = v1alpha1.ConfigMapKeysEnvironment
		})
		w.reconcile(ctx)
		Eventually(ctx, func(g Gomega) {
			w.expose(ctx)
			data := w.configMaps(ctx)[w.anyCluster().ID].Data
			g.Expect(data).To(And(HaveKey("SCHEMA_REGISTRY_URL"), Not(HaveKey("schema.registry.url"))))
			g.Expect(readByShell(ctx, data, "SCHEMA_REGISTRY_URL")).To(HaveKeyWithValue("SCHEMA_REGISTRY_URL", "https://psrc-new.example"))
		}).Should(Succeed())
	})

	It("that a key may not list leaves the other kinds as they are", func(ctx SpecContext) {
		w.createSource(ctx, mirrorSchemaRegistry)
		refuse()
		w.reconcile(ctx)
		Expect(w.clusters(ctx)).To(HaveLen(12))
		Expect(w.peerings(ctx)).To(HaveLen(7))
		Expect(w.condition(ctx, v1alpha1.ConditionSchemaRegistrySynced)).To(Equal("False/Forbidden"))
		Expect(w.condition(ctx, v1alpha1.ConditionKafkaClustersSynced)).To(Equal("True/Succeeded"))
		Expect(w.condition(ctx, v1alpha1.ConditionReady)).To(Equal("False/Forbidden"))
		Expect(w.message(ctx, v1alpha1.ConditionReady)).To(ContainSubstring("listSrcmV3Clusters"))
		Expect(w.source(ctx).Status.CredentialBackoff).To(BeNil(), "the other kinds are asked for as usual")
	})

	It("that can no longer be listed stays shown, and turns stale", func(ctx SpecContext) {
		w.createSource(ctx, mirrorSchemaRegistry)
		w.reconcile(ctx)
		refuse()
		for range 4 {
			w.sync(ctx)
		}
		for _, o := range w.registries(ctx) {
			Expect(brief(o.Status.Conditions, v1alpha1.ConditionReady)).To(Equal("Unknown/SourceStale"))
		}
		for _, o := range w.clusters(ctx) {
			Expect(brief(o.Status.Conditions, v1alpha1.ConditionObserved)).To(Equal("True/Listed"))
			Expect(o.SchemaRegistryURL()).To(Equal(seeded().Spec.HTTPEndpoint), "what was known last stays")
		}
	})

	It("takes no token of an identity pool, which says so and costs no token", func(ctx SpecContext) {
		w.trust(ctx)
		Expect(k8s.Create(ctx, &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: accountName, Namespace: w.namespace}})).To(Succeed())
		Expect(k8s.Create(ctx, w.newSource(mirrorSchemaRegistry, func(s *v1alpha1.InventorySource) {
			s.Spec.Credentials = v1alpha1.Credentials{WorkloadIdentity: &v1alpha1.WorkloadIdentityCredential{
				IdentityPool: poolID, ServiceAccountName: accountName, TokenEndpoint: w.url + "/sts/v1/oauth2/token"}}
		}))).To(Succeed())
		w.reconcile(ctx)
		w.sync(ctx)
		Expect(w.clusters(ctx)).To(HaveLen(12))
		Expect(w.condition(ctx, v1alpha1.ConditionPeeringsSynced)).To(Equal("True/Succeeded"))
		Expect(w.condition(ctx, v1alpha1.ConditionSchemaRegistrySynced)).To(Equal("False/Unauthenticated"))
		Expect(w.message(ctx, v1alpha1.ConditionSchemaRegistrySynced)).To(ContainSubstring("a source with a Cloud API key"))
		Expect(w.cloud.Count(cloudsim.OpExchange)).To(Equal(1))
	})

	It("has 200 private regions, phases and packages of a newer cloud, or none, all the same", func(ctx SpecContext) {
		regions := map[string]string{}
		for i := range 200 {
			regions[fmt.Sprintf("region-%03d", i)] = fmt.Sprintf("https://lsrc-abc.region-%03d.aws.private.confluent.cloud", i)
		}
		Expect(w.cloud.UpdateSchemaRegistry(seeded().ID, func(r *cloudsim.SchemaRegistry) {
			r.Status.Phase, r.Spec.Package = cloudsim.OddSchemaRegistryPhase, cloudsim.OddSchemaRegistryPackage
			r.Spec.HTTPEndpoint, r.Spec.PrivateNetworkingConfig = "", &cloudsim.PrivateNetworking{RegionalEndpoints: regions}
		})).To(Succeed())
		w.createSource(ctx, mirrorSchemaRegistry)
		w.reconcile(ctx)
		o := w.registries(ctx)[seeded().ID]
		Expect([]string{o.Status.Phase, o.Status.Package}).To(Equal([]string{cloudsim.OddSchemaRegistryPhase, cloudsim.OddSchemaRegistryPackage}))
		Expect(brief(o.Status.Conditions, v1alpha1.ConditionReady)).To(Equal("Unknown/UnknownPhase"))
		Expect(o.Status.PrivateRegionalEndpoints).To(HaveLen(100))
		Expect(o.Status.PrivateRegionalEndpointCount).To(BeEquivalentTo(200))
		Expect(w.clusters(ctx)[w.anyCluster().ID].Status.SchemaRegistry).To(HaveValue(Equal(
			v1alpha1.SchemaRegistryReference{Name: seeded().ID, Phase: cloudsim.OddSchemaRegistryPhase})))
		Expect(w.writes(func() { w.sync(ctx) })).To(BeEmpty())
		Expect(w.condition(ctx, v1alpha1.ConditionReady)).To(Equal("True/Succeeded"))
	})

	It("passes through all its phases, has the ID of a cluster, and goes as others do", func(ctx SpecContext) {
		alike := seeded()
		Expect(w.cloud.RemoveSchemaRegistry(alike.ID)).To(Succeed())
		alike.ID, alike.Metadata = w.anyCluster().ID, cloudsim.Metadata{}
		w.cloud.PutSchemaRegistry(alike)
		w.createSource(ctx, mirrorSchemaRegistry)
		for _, phase := range []string{cloudsim.PhaseProvisioning, cloudsim.PhaseFailed, cloudsim.PhaseProvisioned} {
			Expect(w.cloud.UpdateSchemaRegistry(alike.ID, func(r *cloudsim.SchemaRegistry) { r.Status.Phase = phase })).To(Succeed())
			w.sync(ctx)
			Expect(w.registries(ctx)[alike.ID].Status.Phase).To(Equal(phase))
			Expect(w.clusters(ctx)[alike.ID].Status.SchemaRegistry.Phase).To(Equal(phase))
		}
		Expect(w.cloud.RemoveSchemaRegistry(alike.ID)).To(Succeed())
		w.sync(ctx)
		w.sync(ctx)
		Expect(w.registries(ctx)).To(HaveKey(alike.ID), "an empty listing is held")
		Expect(w.condition(ctx, v1alpha1.ConditionPruneHeld)).To(Equal("True/ListingEmpty"))
		Expect(w.clusters(ctx)[alike.ID].Status.SchemaRegistry.HTTPEndpoint).To(Equal(alike.Spec.HTTPEndpoint))
		w.change(ctx, func(s *v1alpha1.InventorySource) { s.Spec.SchemaRegistry.Policy = v1alpha1.MirrorPolicyIgnore })
		w.reconcile(ctx)
		Expect(w.registries(ctx)).To(BeEmpty())
		Expect(w.clusters(ctx)).To(HaveLen(12), "a cluster of that ID stays")
	})

	It("that is no longer mirrored is soon shown no more, without a listing", func(ctx SpecContext) {
		direct, err := client.New(config, client.Options{Scheme: k8s.Scheme()})
		Expect(err).NotTo(HaveOccurred())
		w.createSource(ctx, mirrorSchemaRegistry)
		w.manage(ctx, nil, nil)
		shown := func() int {
			n := 0
			for _, o := range w.clusters(ctx) {
				if o.Status.SchemaRegistry != nil {
					n++
				}
			}
			return n
		}
		Eventually(ctx, shown).WithTimeout(time.Minute).Should(Equal(12))
		w.patch(ctx, direct, `{"spec":{"schemaRegistry":{"policy":"Ignore"}}}`)
		Eventually(ctx, shown).WithTimeout(time.Minute).Should(BeZero())
		Eventually(ctx, func() any { return w.registries(ctx) }).WithTimeout(time.Minute).Should(BeEmpty())
		Expect(w.cloud.Count(cloudsim.OpListClusters)).To(BeNumerically("<=", 2), "a change of the spec may list once")
	})
})
