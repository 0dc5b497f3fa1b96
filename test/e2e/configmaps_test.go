// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"os"
	"path/filepath"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
	"github.com/ccloud-dev/inventory-operator/test/cloudsim"
)

const environmentOfMaps = "env-maps"

var _ = Describe("ConfigMaps with endpoints", Ordered, func() {
	var namespace string
	BeforeAll(func(ctx SpecContext) {
		cloudsim.Seed(scene.Cloud, cloudsim.SeedOptions{Environment: environmentOfMaps, Clusters: 3, Seed: 5})
		Expect(scene.Grant(ctx, "endpoint-configmaps")).To(Succeed())
		DeferCleanup(func(ctx SpecContext) { Expect(scene.Grant(ctx)).To(Succeed()) })
		awaitRight(ctx, "create", "configmaps", "")
		namespace = newNamespace(ctx)
	})

	// configMap returns one of the namespace's, nil if it is not there.
	configMap := func(ctx SpecContext, g Gomega, name string) *corev1.ConfigMap {
		c := &corev1.ConfigMap{}
		err := k8s.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, c)
		g.Expect(client.IgnoreNotFound(err)).To(Succeed())
		if err != nil {
			return nil
		}
		return c
	}

	It("live and go with the observations", func(ctx SpecContext) {
		start(ctx, "--endpoint-configmaps")
		createSource(ctx, namespace, func(s *v1alpha1.InventorySource) {
			s.Spec.Environment = environmentOfMaps
			s.Spec.KafkaClusters.ConfigMaps = v1alpha1.ConfigMapPolicyEnabled
			s.Spec.Prune.MaxPercent = ptr.To[int32](100)
		})
		all := scene.Cloud.Clusters(environmentOfMaps)
		Eventually(ctx, func(g Gomega) {
			for _, c := range all {
				got, o := configMap(ctx, g, c.ID), readCluster(ctx, g, namespace, c.ID)
				g.Expect(got).NotTo(BeNil())
				g.Expect(got.Data).To(HaveKeyWithValue("phase", c.Status.Phase))
				g.Expect(got.Data["bootstrap.servers"]).To(Equal(o.Status.BootstrapServers))
			}
		}).Should(Succeed())
		awaitWrites(ctx, namespace, "configmaps", 3)
		Expect(managerWrites(namespace, "configmaps")).To(HaveEach("create configmaps"))

		By("writing nothing while nothing changes")
		awaitSyncs(ctx, namespace, 1)
		Expect(managerWrites(namespace, "configmaps")).To(HaveLen(3))

		By("putting back at once what someone changed, whatever it is")
		for _, patch := range []string{
			`{"data":{"phase":"X"}}`, `{"data":{"more":"x"}}`, `{"metadata":{"labels":null}}`, `{"metadata":{"ownerReferences":null}}`,
			`{"immutable":true,"data":{"phase":"X"}}`,
		} {
			before := configMap(ctx, Default, all[0].ID)
			Expect(k8s.Patch(ctx, before.DeepCopy(), client.RawPatch(types.MergePatchType, []byte(patch)))).To(Succeed())
			Eventually(ctx, func(g Gomega) {
				after := configMap(ctx, g, all[0].ID)
				g.Expect(after).NotTo(BeNil())
				g.Expect(after.Data).To(Equal(before.Data), patch)
				g.Expect(after.Labels).To(Equal(before.Labels), patch)
				g.Expect(after.OwnerReferences).To(Equal(before.OwnerReferences), patch)
				g.Expect(after.ResourceVersion).NotTo(Equal(before.ResourceVersion))
			}).Should(Succeed())
		}
		Expect(k8s.Delete(ctx, configMap(ctx, Default, all[0].ID))).To(Succeed())
		Eventually(ctx, func(g Gomega) { g.Expect(configMap(ctx, g, all[0].ID)).NotTo(BeNil()) }).Should(Succeed())

		By("a foreign one being left alone and named in the source's status, until it is gone")
		foreign := &corev1.ConfigMap{Data: map[string]string{"mine": "yes"}}
		foreign.Name, foreign.Namespace = "lkc-foreign", namespace
		Expect(k8s.Create(ctx, foreign)).To(Succeed())
		scene.Cloud.PutCluster(cloudsim.Cluster{ID: foreign.Name, Spec: cloudsim.ClusterSpec{
			Environment: cloudsim.Reference{ID: environmentOfMaps}}, Status: cloudsim.ClusterStatus{Phase: "PROVISIONED"}})
		Eventually(ctx, func(g Gomega) {
			text, err := scene.Kubectl(ctx, "-n", namespace, "get", "isrc", sourceName)
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(text).To(ContainSubstring("NameConflict"))
		}).Should(Succeed())
		Expect(configMap(ctx, Default, foreign.Name).Data).To(Equal(foreign.Data))
		Expect(k8s.Delete(ctx, foreign)).To(Succeed())
		Expect(scene.Cloud.RemoveCluster(foreign.Name)).To(Succeed())
		Eventually(ctx, func(g Gomega) {
			text, err := scene.Kubectl(ctx, "-n", namespace, "get", "isrc", sourceName)
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(text).To(ContainSubstring("Succeeded"))
		}).Should(Succeed())

		By("feeding a Deployment that kubectl applies")
		example, err := os.ReadFile(filepath.Join("..", "..", "examples", "endpoints", "deployment.yaml"))
		Expect(err).NotTo(HaveOccurred())
		Expect(scene.Apply(ctx, strings.ReplaceAll(string(example), "  name: orders\n  labels:", "  name: orders\n  namespace: "+namespace+"\n  labels:"))).To(Succeed())

		By("its observation feeding another operator's object")
		_, err = scene.Kubectl(ctx, "apply", "-f", filepath.Join("testdata", "kafkarestclasses.yaml"))
		Expect(err).NotTo(HaveOccurred())
		_, err = scene.Kubectl(ctx, "wait", "crd/kafkarestclasses.platform.confluent.io", "--for=condition=Established")
		Expect(err).NotTo(HaveOccurred())
		made, err := scene.Kubectl(ctx, "-n", namespace, "get", "kco", all[1].ID,
			"-o", "go-template-file="+filepath.Join("..", "..", "examples", "confluent-for-kubernetes", "kafkarestclass.gotmpl"))
		Expect(err).NotTo(HaveOccurred())
		Eventually(ctx, func() error { return scene.Apply(ctx, made) }).Should(Succeed())
		endpoint, err := scene.Kubectl(ctx, "-n", namespace, "get", "kafkarestclass", all[1].ID, "-o", "jsonpath={.spec.kafkaRest.endpoint}")
		Expect(err).NotTo(HaveOccurred())
		Expect(endpoint).To(Equal(readCluster(ctx, Default, namespace, all[1].ID).Status.HTTPEndpoint))

		By("going with an observation, by the garbage collector")
		Expect(scene.Cloud.RemoveCluster(all[0].ID)).To(Succeed())
		Eventually(ctx, func(g Gomega) { g.Expect(configMap(ctx, g, all[0].ID)).To(BeNil()) }).Should(Succeed())
		Expect(configMap(ctx, Default, all[1].ID)).NotTo(BeNil())

		By("going where the source no longer asks for them, and no observation with them")
		patch(ctx, sourceIn(namespace), `{"spec":{"kafkaClusters":{"configMaps":"Disabled"}}}`)
		Eventually(ctx, func(g Gomega) { g.Expect(configMap(ctx, g, all[1].ID)).To(BeNil()) }).Should(Succeed())
		Expect(readCluster(ctx, Default, namespace, all[1].ID).UID).NotTo(BeEmpty())
	})
})
