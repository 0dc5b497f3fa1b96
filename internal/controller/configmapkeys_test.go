// SPDX-License-Identifier: Apache-2.0

package controller_test

import (
	"context"
	"os/exec"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
	"github.com/ccloud-dev/inventory-operator/test/cloudsim"
)

// readByShell returns what a shell reads from variables of these names in a container that has the
// data by envFrom. A kubelet leaves out a key that is not a variable name.
func readByShell(ctx context.Context, data map[string]string, names ...string) map[string]string {
	GinkgoHelper()
	script := &strings.Builder{}
	for _, name := range names {
		script.WriteString(`printf '%s\0' "$` + name + "\"\n")
	}
	shell := exec.CommandContext(ctx, "/bin/sh", "-c", script.String())
	shell.Env = []string{}
	for key, value := range data {
		if len(validation.IsEnvVarName(key)) == 0 {
			shell.Env = append(shell.Env, key+"="+value)
		}
	}
	out, err := shell.Output()
	Expect(err).NotTo(HaveOccurred())
	values := strings.Split(string(out), "\x00")
	Expect(values).To(HaveLen(len(names) + 1))
	read := map[string]string{}
	for i, name := range names {
		read[name] = values[i]
	}
	return read
}

var _ = Describe("The data of a ConfigMap", func() {
	var w *world
	request := func() reconcile.Request {
		return reconcile.Request{NamespacedName: client.ObjectKey{Namespace: w.namespace, Name: "lkc-1"}}
	}
	stored := func(ctx SpecContext) corev1.ConfigMap { return w.configMaps(ctx)["lkc-1"] }
	// written returns the ConfigMap that following the observation writes, once the cache shows
	// the stored one.
	written := func(ctx SpecContext) []string {
		GinkgoHelper()
		Eventually(ctx, func(g Gomega) {
			seen := &corev1.ConfigMap{}
			g.Expect(k8s.Get(ctx, request().NamespacedName, seen, client.DisableReadYourWritesConsistency)).To(Succeed())
			g.Expect(seen.ResourceVersion).To(Equal(stored(ctx).ResourceVersion))
		}).Should(Succeed())
		before := len(requests.written(w.namespace, "/"))
		Expect(w.reconciler.ReconcileConfigMap(ctx, request())).To(BeZero())
		return requests.written(w.namespace, "/")[before:]
	}
	// choose changes the source, and waits until the cache shows it.
	choose := func(ctx SpecContext, keys v1alpha1.ConfigMapKeys, content v1alpha1.ConfigMapContent) {
		GinkgoHelper()
		w.change(ctx, func(s *v1alpha1.InventorySource) {
			s.Spec.KafkaClusters.ConfigMapKeys, s.Spec.KafkaClusters.ConfigMapContent = keys, content
		})
		Eventually(ctx, func() v1alpha1.KafkaClusterSelection {
			seen := &v1alpha1.InventorySource{}
			Expect(k8s.Get(ctx, client.ObjectKeyFromObject(w.source(ctx)), seen, client.DisableReadYourWritesConsistency)).To(Succeed())
			return seen.Spec.KafkaClusters
		}).Should(And(HaveField("ConfigMapKeys", keys), HaveField("ConfigMapContent", content)))
	}
	oneWrite := HaveExactElements(And(HavePrefix("PATCH "), HaveSuffix("/configmaps/lkc-1")))
	properties := map[string]string{
		"cluster.id": "lkc-1", "environment.id": environment, "display.name": "orders\nof $(all)", "phase": "PROVISIONED",
		"bootstrap.servers": "public:9092", "http.endpoint": "https://public:443",
		"PUBLIC.bootstrap.servers": "public:9092", "PUBLIC.http.endpoint": "https://public:443", "PUBLIC.connection.type": "PUBLIC",
		"PRIVATE_LINK.bootstrap.servers": "private:9092", "PRIVATE_LINK.connection.type": "PRIVATE_LINK",
		"1ap.bootstrap.servers": "digit:9092", "ap1.bootstrap.servers": "lower:9092", "AP1.bootstrap.servers": "upper:9092",
	}
	variables := map[string]string{
		"CLUSTER_ID": "lkc-1", "ENVIRONMENT_ID": environment, "DISPLAY_NAME": "orders\nof $(all)", "PHASE": "PROVISIONED",
		"BOOTSTRAP_SERVERS": "public:9092", "HTTP_ENDPOINT": "https://public:443",
		"PUBLIC_BOOTSTRAP_SERVERS": "public:9092", "PUBLIC_HTTP_ENDPOINT": "https://public:443", "PUBLIC_CONNECTION_TYPE": "PUBLIC",
		"PRIVATE_LINK_BOOTSTRAP_SERVERS": "private:9092", "PRIVATE_LINK_CONNECTION_TYPE": "PRIVATE_LINK",
		"_1AP_32021A46_BOOTSTRAP_SERVERS": "digit:9092", "AP1_1B91B567_BOOTSTRAP_SERVERS": "lower:9092", "AP1_9D0C6962_BOOTSTRAP_SERVERS": "upper:9092",
		"NO_KEY_HERE_680FD364_BOOTSTRAP_SERVERS": "odd:9092",
	}

	BeforeEach(func(ctx SpecContext) {
		w = newWorld(ctx)
		w.reconciler.ConfigMaps = true
		w.cloud.PutCluster(cloudsim.Cluster{ID: "lkc-1", Spec: cloudsim.ClusterSpec{
			DisplayName: "orders\nof $(all)", Environment: cloudsim.Reference{ID: environment},
			Endpoints: map[string]cloudsim.Endpoint{
				"PRIVATE_LINK": {KafkaBootstrapEndpoint: "private:9092", ConnectionType: "PRIVATE_LINK"},
				"PUBLIC":       {KafkaBootstrapEndpoint: "public:9092", HTTPEndpoint: "https://public:443", ConnectionType: "PUBLIC"},
				"no key/here":  {KafkaBootstrapEndpoint: "odd:9092"},
				"1ap":          {KafkaBootstrapEndpoint: "digit:9092"},
				"ap1":          {KafkaBootstrapEndpoint: "lower:9092"},
				"AP1":          {KafkaBootstrapEndpoint: "upper:9092"},
			},
		}, Status: cloudsim.ClusterStatus{Phase: "PROVISIONED"}})
		w.createSource(ctx, func(s *v1alpha1.InventorySource) { s.Spec.KafkaClusters.ConfigMaps = v1alpha1.ConfigMapPolicyEnabled })
		w.reconcile(ctx)
		w.expose(ctx)
		Expect(stored(ctx).Data).To(Equal(properties))
	})

	It("is replaced at once where a source chooses other keys, and nothing else is", func(ctx SpecContext) {
		for range 2 {
			for _, to := range []struct {
				keys v1alpha1.ConfigMapKeys
				data map[string]string
			}{{v1alpha1.ConfigMapKeysEnvironment, variables}, {v1alpha1.ConfigMapKeysProperties, properties}} {
				before, observation := stored(ctx), w.clusters(ctx)["lkc-1"]
				choose(ctx, to.keys, "")
				Expect(w.calls(func() { Expect(written(ctx)).To(oneWrite) })).To(BeZero(), "calls to the cloud")
				after := stored(ctx)
				Expect(after.Data).To(Equal(to.data))
				after.Data, after.ResourceVersion, after.ManagedFields = before.Data, before.ResourceVersion, before.ManagedFields
				Expect(after).To(Equal(before))
				Expect(w.clusters(ctx)["lkc-1"]).To(Equal(observation))

				By("writing no observation and no ConfigMap when the cloud is asked, or not")
				Expect(written(ctx)).To(BeEmpty())
				Expect(w.writes(func() { w.sync(ctx) })).To(BeEmpty())
				Expect(written(ctx)).To(BeEmpty())
				Expect(w.condition(ctx, v1alpha1.ConditionReady)).To(Equal("True/Succeeded"))
			}
		}
		choose(ctx, "", "")
		Expect(written(ctx)).To(BeEmpty(), "what is absent is Properties and All")
	})

	It("is replaced while the source is suspended", func(ctx SpecContext) {
		w.change(ctx, func(s *v1alpha1.InventorySource) { s.Spec.Suspend = true })
		choose(ctx, v1alpha1.ConfigMapKeysEnvironment, v1alpha1.ConfigMapContentEndpoints)
		w.reconcile(ctx)
		Expect(written(ctx)).To(oneWrite)
		Expect(stored(ctx).Data).To(And(HaveKeyWithValue("BOOTSTRAP_SERVERS", "public:9092"), Not(HaveKey("PHASE"))))
	})

	for keys, key := range map[v1alpha1.ConfigMapKeys]struct{ name, phase string }{
		v1alpha1.ConfigMapKeysProperties:  {"display.name", "phase"},
		v1alpha1.ConfigMapKeysEnvironment: {"DISPLAY_NAME", "PHASE"},
	} {
		It("does not change with a cluster's name and phase if it is to be the endpoints alone, with keys as "+string(keys), func(ctx SpecContext) {
			choose(ctx, keys, v1alpha1.ConfigMapContentEndpoints)
			Expect(written(ctx)).To(oneWrite)
			before := stored(ctx)
			Expect(before.Data).NotTo(Or(HaveKey(key.name), HaveKey(key.phase)))
			turn := func(name, phase string) {
				Expect(w.cloud.UpdateCluster("lkc-1", func(c *cloudsim.Cluster) { c.Spec.DisplayName, c.Status.Phase = name, phase })).To(Succeed())
				Expect(w.writes(func() { w.sync(ctx) })).NotTo(BeEmpty())
			}
			turn("renamed", "FAILED")
			Expect(written(ctx)).To(BeEmpty())
			Expect(stored(ctx)).To(Equal(before))

			By("having them as they are where it is to be all again")
			choose(ctx, keys, v1alpha1.ConfigMapContentAll)
			Expect(written(ctx)).To(oneWrite)
			Expect(stored(ctx).Data).To(And(HaveKeyWithValue(key.name, "renamed"), HaveKeyWithValue(key.phase, "FAILED"), HaveLen(len(before.Data)+2)))
			turn("once more", "PROVISIONED")
			Expect(written(ctx)).To(oneWrite)
			Expect(stored(ctx).Data).To(HaveKeyWithValue(key.name, "once more"))
		})
	}

	It("has no key of someone else, or of the other form, in either form", func(ctx SpecContext) {
		edit := func(change func(*corev1.ConfigMap)) {
			c := stored(ctx)
			change(&c)
			Expect(k8s.Update(ctx, &c)).To(Succeed())
		}
		edit(func(c *corev1.ConfigMap) { c.Data["MORE"], c.Data["PHASE"] = "x", "x" })
		choose(ctx, v1alpha1.ConfigMapKeysEnvironment, "")
		Expect(written(ctx)).To(oneWrite)
		Expect(stored(ctx).Data).To(Equal(variables))
		edit(func(c *corev1.ConfigMap) { c.Data["more"], c.Data["phase"] = "x", "x" })
		Expect(written(ctx)).To(oneWrite)
		Expect(stored(ctx).Data).To(Equal(variables))

		By("being known by its keys of the other form if its owner is lost at the same time")
		for _, to := range []v1alpha1.ConfigMapKeys{v1alpha1.ConfigMapKeysProperties, v1alpha1.ConfigMapKeysEnvironment} {
			before := stored(ctx)
			edit(func(c *corev1.ConfigMap) { c.OwnerReferences = nil })
			choose(ctx, to, "")
			Expect(written(ctx)).To(oneWrite)
			Expect(stored(ctx).OwnerReferences).To(Equal(before.OwnerReferences))
			Expect(stored(ctx).UID).To(Equal(before.UID))
		}
		Expect(stored(ctx).Data).To(Equal(variables))
	})

	It("is what a shell reads by envFrom, if the keys are names of variables", func(ctx SpecContext) {
		choose(ctx, v1alpha1.ConfigMapKeysEnvironment, "")
		Expect(written(ctx)).To(oneWrite)
		var names []string
		for name := range variables {
			names = append(names, name)
		}
		Expect(readByShell(ctx, stored(ctx).Data, names...)).To(Equal(variables))

		By("which finds nothing by them if the keys are properties")
		choose(ctx, "", "")
		Expect(written(ctx)).To(oneWrite)
		Expect(readByShell(ctx, stored(ctx).Data, names...)).To(HaveEach(BeEmpty()))
	})
})
