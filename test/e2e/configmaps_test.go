// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/validation"
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

		By("replacing their data at once where the source chooses keys for a shell, without asking the cloud")
		patch(ctx, sourceIn(namespace), `{"spec":{"suspend":true,"kafkaClusters":{"configMapKeys":"Environment","configMapContent":"Endpoints"}}}`)
		for _, c := range all {
			before, o := configMap(ctx, Default, c.ID), readCluster(ctx, Default, namespace, c.ID)
			Eventually(ctx, func(g Gomega) {
				after := configMap(ctx, g, c.ID)
				g.Expect(after).NotTo(BeNil())
				g.Expect(after.UID).To(Equal(before.UID))
				g.Expect(after.Data).To(HaveKeyWithValue("BOOTSTRAP_SERVERS", o.Status.BootstrapServers))
				g.Expect(after.Data).To(HaveKeyWithValue("CLUSTER_ID", c.ID))
				for key := range after.Data {
					g.Expect(key).To(And(MatchRegexp("^[A-Z_][A-Z0-9_]*$"), Not(Equal("PHASE")), Not(Equal("DISPLAY_NAME"))))
				}
			}).Should(Succeed())
		}

		By("which the shell of a Deployment reads")
		example, err = os.ReadFile(filepath.Join("..", "..", "examples", "endpoints", "environment.yaml"))
		Expect(err).NotTo(HaveOccurred())
		Expect(scene.Apply(ctx, strings.NewReplacer("\n  name: orders-sh\n", "\n  name: orders-sh\n  namespace: "+namespace+"\n",
			"lkc-12345", all[1].ID).Replace(string(example)))).To(Succeed())
		deployment := &appsv1.Deployment{}
		Expect(k8s.Get(ctx, client.ObjectKey{Namespace: namespace, Name: "orders-sh"}, deployment)).To(Succeed())
		container := &deployment.Spec.Template.Spec.Containers[0]
		Expect(container.EnvFrom).To(ConsistOf(corev1.EnvFromSource{ConfigMapRef: &corev1.ConfigMapEnvSource{
			LocalObjectReference: corev1.LocalObjectReference{Name: all[1].ID}}}))
		status := readCluster(ctx, Default, namespace, all[1].ID).Status
		address := status.BootstrapServers
		if data := configMap(ctx, Default, all[1].ID).Data; data["PRIVATE_LINK_BOOTSTRAP_SERVERS"] != "" {
			address = data["PRIVATE_LINK_BOOTSTRAP_SERVERS"]
		}
		Expect(startContainer(ctx, container, configMap(ctx, Default, all[1].ID))).To(Equal(
			"Cluster " + all[1].ID + " is at " + status.BootstrapServers + "\norders --bootstrap-servers=" + address + "\n"))

		patch(ctx, sourceIn(namespace), `{"spec":{"suspend":null,"kafkaClusters":{"configMapKeys":null,"configMapContent":null}}}`)
		Eventually(ctx, func(g Gomega) {
			g.Expect(configMap(ctx, g, all[1].ID).Data).To(And(HaveKey("phase"), HaveKey("bootstrap.servers"), Not(HaveKey("BOOTSTRAP_SERVERS"))))
		}).Should(Succeed())

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

// startContainer runs a container's command on this machine and returns what it prints. Its variables
// are those that a kubelet makes from the ConfigMap by envFrom. The only program that the command finds
// is orders, which prints its arguments.
func startContainer(ctx SpecContext, container *corev1.Container, from *corev1.ConfigMap) string {
	GinkgoHelper()
	programs := GinkgoT().TempDir()
	Expect(os.WriteFile(filepath.Join(programs, "orders"), []byte("#!/bin/sh\necho orders \"$@\"\n"), 0o700)).To(Succeed())
	Expect(container.Command[0]).To(Equal("sh"))
	command := exec.CommandContext(ctx, "/bin/sh", container.Command[1:]...)
	command.Env = []string{"PATH=" + programs}
	for key, value := range from.Data {
		if len(validation.IsEnvVarName(key)) == 0 { // A kubelet leaves out other keys.
			command.Env = append(command.Env, key+"="+value)
		}
	}
	out, err := command.CombinedOutput()
	Expect(err).NotTo(HaveOccurred(), string(out))
	return string(out)
}
