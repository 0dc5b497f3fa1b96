// SPDX-License-Identifier: Apache-2.0

package controller_test

import (
	"context"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
	"github.com/ccloud-dev/inventory-operator/test/cloudsim"
)

// expose reconciles the ConfigMaps of all observations until that writes nothing more, and
// returns the results of the last round by name.
func (w *world) expose(ctx context.Context) map[string]reconcile.Result {
	GinkgoHelper()
	var results map[string]reconcile.Result
	Eventually(ctx, func(g Gomega) {
		before := len(requests.written(w.namespace, "configmaps"))
		results = map[string]reconcile.Result{}
		for name := range w.clusters(ctx) {
			result, err := w.reconciler.ReconcileConfigMap(ctx, reconcile.Request{NamespacedName: client.ObjectKey{Namespace: w.namespace, Name: name}})
			g.Expect(err).NotTo(HaveOccurred())
			results[name] = result
		}
		w.clock.SetTime(w.clock.Now().Add(time.Second))
		g.Expect(w.tryReconcile(ctx)).Error().NotTo(HaveOccurred())
		// What the API server refuses changes nothing.
		g.Expect(len(requests.written(w.namespace, "configmaps")) - before).To(BeNumerically("<=", w.foreign(ctx)))
	}).Should(Succeed())
	w.expectSane(ctx)
	return results
}

// foreign counts the ConfigMaps that are not the operator's.
func (w *world) foreign(ctx context.Context) (count int) {
	for _, c := range w.configMaps(ctx) {
		if metav1.GetControllerOf(&c) == nil {
			count++
		}
	}
	return count
}

// configMaps returns those of the namespace, by name, as the API server has them.
func (w *world) configMaps(ctx context.Context) map[string]corev1.ConfigMap {
	list := &corev1.ConfigMapList{}
	Expect(reader.List(ctx, list, client.InNamespace(w.namespace))).To(Succeed())
	out := map[string]corev1.ConfigMap{}
	for _, c := range list.Items {
		if c.Name != "kube-root-ca.crt" {
			out[c.Name] = c
		}
	}
	return out
}

var _ = Describe("ConfigMaps with endpoints", func() {
	var w *world
	enable := func(s *v1alpha1.InventorySource) {
		s.Spec.KafkaClusters.ConfigMaps = v1alpha1.ConfigMapPolicyEnabled
		s.Spec.Template = v1alpha1.ObservationTemplate{
			Labels: map[string]v1alpha1.LabelValue{"team": "payments"}, Annotations: map[string]string{"example.com/note": "a note"}}
	}
	BeforeEach(func(ctx SpecContext) {
		w = newWorld(ctx)
		w.reconciler.ConfigMaps = true
		w.cloud.PutCluster(cloudsim.Cluster{ID: "lkc-1", Spec: cloudsim.ClusterSpec{
			DisplayName: "orders", Environment: cloudsim.Reference{ID: environment}, Cloud: "AWS",
			HTTPEndpoint: "https://lkc-1:443",
			Endpoints: map[string]cloudsim.Endpoint{
				"PRIVATE_LINK": {KafkaBootstrapEndpoint: "SASL_SSL://private:9092", ConnectionType: "PRIVATELINK"},
				"PUBLIC":       {KafkaBootstrapEndpoint: "SASL_SSL://public:9092", HTTPEndpoint: "https://public:443", ConnectionType: "PUBLIC"},
				"no key/here":  {KafkaBootstrapEndpoint: "SASL_SSL://odd:9092"},
			},
		}, Status: cloudsim.ClusterStatus{Phase: "PROVISIONED"}})
		w.cloud.PutCluster(cloudsim.Cluster{ID: "LKC_odd", Spec: cloudsim.ClusterSpec{
			Environment: cloudsim.Reference{ID: environment}}, Status: cloudsim.ClusterStatus{Phase: "FAILED"}})
		w.createSource(ctx, enable)
		w.reconcile(ctx)
		w.expose(ctx)
	})

	// putBack changes a ConfigMap and expects it to be as it was.
	putBack := func(ctx SpecContext, change func(*corev1.ConfigMap)) {
		GinkgoHelper()
		before := w.configMaps(ctx)["lkc-1"]
		changed := before.DeepCopy()
		change(changed)
		Expect(k8s.Update(ctx, changed)).To(Succeed())
		Eventually(ctx, func(g Gomega) {
			w.expose(ctx)
			after := w.configMaps(ctx)["lkc-1"]
			g.Expect(after.Data).To(Equal(before.Data))
			g.Expect(after.BinaryData).To(BeEmpty())
			g.Expect(after.OwnerReferences).To(Equal(before.OwnerReferences))
			for key, value := range before.Labels {
				g.Expect(after.Labels).To(HaveKeyWithValue(key, value))
			}
		}).Should(Succeed())
	}

	It("tell what the observations tell, and are owned by them", func(ctx SpecContext) {
		Expect(w.condition(ctx, v1alpha1.ConditionReady)).To(Equal("True/Succeeded"))
		Expect(w.configMaps(ctx)).To(HaveLen(2))
		o, c := w.clusters(ctx)["lkc-1"], w.configMaps(ctx)["lkc-1"]
		Expect(c.Data).To(Equal(map[string]string{
			"cluster.id": "lkc-1", "environment.id": environment, "display.name": "orders", "phase": "PROVISIONED",
			"bootstrap.servers": "public:9092", "http.endpoint": "https://lkc-1:443",
			"PRIVATE_LINK.bootstrap.servers": "private:9092", "PRIVATE_LINK.connection.type": "PRIVATE_LINK",
			"PUBLIC.bootstrap.servers": "public:9092", "PUBLIC.http.endpoint": "https://public:443", "PUBLIC.connection.type": "PUBLIC",
		}))
		Expect(c.Labels).To(Equal(o.Labels))
		Expect(c.Annotations).To(Equal(o.Annotations))
		Expect(c.OwnerReferences).To(ConsistOf(metav1.OwnerReference{APIVersion: v1alpha1.GroupVersion.String(),
			Kind: "KafkaClusterObservation", Name: "lkc-1", UID: o.UID, Controller: ptr.To(true)}))

		By("absent keys where the cloud tells nothing")
		for name, c := range w.configMaps(ctx) {
			if name != "lkc-1" {
				Expect(c.Data).To(Equal(map[string]string{"cluster.id": "LKC_odd", "environment.id": environment, "phase": "FAILED"}))
			}
		}
	})

	It("are written where something changed, and only then", func(ctx SpecContext) {
		writes := func(do func()) []string {
			before := len(requests.written(w.namespace, "configmaps"))
			do()
			return requests.written(w.namespace, "configmaps")[before:]
		}
		Expect(writes(func() { w.sync(ctx); w.expose(ctx) })).To(BeEmpty())
		Expect(w.cloud.SetClusterPhase("lkc-1", "FAILED")).To(Succeed())
		Expect(writes(func() { w.sync(ctx); w.expose(ctx) })).To(ConsistOf(HaveSuffix("/configmaps/lkc-1")))
		Expect(w.configMaps(ctx)["lkc-1"].Data).To(HaveKeyWithValue("phase", "FAILED"))

		By("following the template")
		w.change(ctx, func(s *v1alpha1.InventorySource) { s.Spec.Template = v1alpha1.ObservationTemplate{} })
		w.reconcile(ctx)
		w.expose(ctx)
		Expect(w.configMaps(ctx)["lkc-1"].Labels).NotTo(HaveKey("team"))
		Expect(w.configMaps(ctx)["lkc-1"].Annotations).To(BeEmpty())

		By("keeping what others put there")
		theirs := w.configMaps(ctx)["lkc-1"]
		metav1.SetMetaDataAnnotation(&theirs.ObjectMeta, "example.com/theirs", "x")
		metav1.SetMetaDataLabel(&theirs.ObjectMeta, "theirs", "x")
		Expect(k8s.Update(ctx, &theirs)).To(Succeed())
		Expect(writes(func() { w.expose(ctx) })).To(BeEmpty())
	})

	It("are put back where someone changed them", func(ctx SpecContext) {
		putBack(ctx, func(c *corev1.ConfigMap) { c.Data["bootstrap.servers"] = "evil:9092" })
		putBack(ctx, func(c *corev1.ConfigMap) { c.Data["more"] = "x" })
		putBack(ctx, func(c *corev1.ConfigMap) { delete(c.Data, "phase") })
		putBack(ctx, func(c *corev1.ConfigMap) { c.BinaryData = map[string][]byte{"b": {1}} })
		putBack(ctx, func(c *corev1.ConfigMap) { c.Labels = nil })
		putBack(ctx, func(c *corev1.ConfigMap) { c.OwnerReferences = nil })
		putBack(ctx, func(c *corev1.ConfigMap) { c.Immutable, c.Data["phase"] = ptr.To(true), "X" })
		deleted := w.configMaps(ctx)["lkc-1"]
		Expect(k8s.Delete(ctx, &deleted)).To(Succeed())
		Eventually(ctx, func() any { w.expose(ctx); return w.configMaps(ctx) }).Should(HaveKey("lkc-1"))
		Expect(w.condition(ctx, v1alpha1.ConditionReady)).To(Equal("True/Succeeded"))
	})

	It("are put back no faster than observations where someone changes them again and again", func(ctx SpecContext) {
		request := reconcile.Request{NamespacedName: client.ObjectKey{Namespace: w.namespace, Name: "lkc-1"}}
		var result reconcile.Result
		for range 30 {
			c := w.configMaps(ctx)["lkc-1"]
			c.Data["phase"] = "X"
			Expect(k8s.Update(ctx, &c)).To(Succeed())
			Eventually(ctx, func(g Gomega) { // The cache shows it.
				seen := &corev1.ConfigMap{}
				g.Expect(k8s.Get(ctx, request.NamespacedName, seen)).To(Succeed())
				g.Expect(seen.Data).To(HaveKeyWithValue("phase", "X"))
			}).Should(Succeed())
			var err error
			result, err = w.reconciler.ReconcileConfigMap(ctx, request)
			Expect(err).NotTo(HaveOccurred())
		}
		Expect(result.RequeueAfter).To(Equal(time.Second))
		Expect(w.configMaps(ctx)["lkc-1"].Data).To(HaveKeyWithValue("phase", "X"))
		w.clock.SetTime(w.clock.Now().Add(time.Second))
		Expect(w.reconciler.ReconcileConfigMap(ctx, request)).To(BeZero())
		Expect(w.configMaps(ctx)["lkc-1"].Data).To(HaveKeyWithValue("phase", "PROVISIONED"))
	})

	It("go where the source no longer asks for them", func(ctx SpecContext) {
		w.change(ctx, func(s *v1alpha1.InventorySource) { s.Spec.KafkaClusters.ConfigMaps = v1alpha1.ConfigMapPolicyDisabled })
		w.reconcile(ctx)
		w.expose(ctx)
		Expect(w.configMaps(ctx)).To(BeEmpty())
		Expect(w.clusters(ctx)).To(HaveLen(2))
	})

	It("leave alone what has their name and is not theirs, and say so", func(ctx SpecContext) {
		for name, foreign := range map[string]*corev1.ConfigMap{
			"lkc-2": {Data: map[string]string{"mine": "yes"}},
			"lkc-3": {ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{v1alpha1.LabelSource: sourceName}, OwnerReferences: []metav1.OwnerReference{
				{APIVersion: "apps/v1", Kind: "Deployment", Name: "app", UID: "uid-of-app", Controller: ptr.To(true)}}}},
		} {
			foreign.Name, foreign.Namespace = name, w.namespace
			Expect(k8s.Create(ctx, foreign)).To(Succeed())
			w.cloud.PutCluster(cloudsim.Cluster{ID: name, Spec: cloudsim.ClusterSpec{Environment: cloudsim.Reference{ID: environment}},
				Status: cloudsim.ClusterStatus{Phase: "PROVISIONED"}})
		}
		before := w.configMaps(ctx)
		w.sync(ctx)
		results := w.expose(ctx)
		Expect(w.condition(ctx, v1alpha1.ConditionReady)).To(Equal("False/NameConflict"))
		Expect(w.condition(ctx, v1alpha1.ConditionPeeringsSynced)).To(Equal("True/Succeeded"))
		Expect(w.message(ctx, v1alpha1.ConditionReady)).To(ContainSubstring("2 ConfigMaps are not written, the first: ConfigMap lkc-2 is not the operator's (no controller)"))
		Expect(w.message(ctx, v1alpha1.ConditionKafkaClustersSynced)).To(ContainSubstring("lkc-3"), "all are named")
		Expect(w.configMaps(ctx)["lkc-2"]).To(Equal(before["lkc-2"]))
		Expect(w.configMaps(ctx)["lkc-3"]).To(Equal(before["lkc-3"]))
		Expect(results["lkc-2"].RequeueAfter).To(Equal(time.Minute))

		By("taking the names once they are free, and keeping the status of what is gone out of it")
		mine := before["lkc-2"]
		// By someone else's client: this one's cache shows no ConfigMap but the operator's, and would wait for it.
		strangers, err := client.New(config, client.Options{Scheme: k8s.Scheme()})
		Expect(err).NotTo(HaveOccurred())
		Expect(strangers.Delete(ctx, &mine)).To(Succeed())
		Eventually(ctx, func() any { w.expose(ctx); return w.message(ctx, v1alpha1.ConditionReady) }).Should(
			ContainSubstring("1 ConfigMaps are not written, the first: ConfigMap lkc-3 is not the operator's (controlled by Deployment/app)"))
		o := w.clusters(ctx)["lkc-3"]
		Expect(w.cloud.RemoveCluster("lkc-3")).To(Succeed())
		Expect(k8s.Delete(ctx, &o)).To(Succeed())
		Eventually(ctx, func() map[string]v1alpha1.KafkaClusterObservation { w.sync(ctx); return w.clusters(ctx) }).ShouldNot(HaveKey("lkc-3"))
		Expect(w.reconciler.ReconcileConfigMap(ctx, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(&o)})).To(BeZero())
		w.retry(ctx)
		Expect(w.condition(ctx, v1alpha1.ConditionReady)).To(Equal("True/Succeeded"))
	})

	It("wait for the garbage collector where an observation was made again", func(ctx SpecContext) {
		before := w.configMaps(ctx)["lkc-1"]
		o := w.clusters(ctx)["lkc-1"]
		Expect(k8s.Delete(ctx, &o)).To(Succeed())
		w.reconciler.Drift(clusterKind).Delete(event.DeleteEvent{Object: &o})
		Eventually(ctx, func() any { w.sync(ctx); return w.clusters(ctx)["lkc-1"].UID }).ShouldNot(Or(BeZero(), Equal(o.UID)))
		Expect(w.expose(ctx)["lkc-1"].RequeueAfter).To(Equal(time.Second))
		Expect(w.configMaps(ctx)["lkc-1"]).To(Equal(before))
		Expect(w.condition(ctx, v1alpha1.ConditionReady)).To(Equal("True/Succeeded"))
	})

	It("that cannot be written cost nothing else", func(ctx SpecContext) {
		limited := rest.CopyConfig(config)
		limited.Impersonate.UserName = "nobody"
		unprivileged, err := client.New(limited, client.Options{})
		Expect(err).NotTo(HaveOccurred())
		w.reconciler.Cluster = writingAs{k8s, unprivileged}
		Expect(w.cloud.SetClusterPhase("lkc-1", "FAILED")).To(Succeed())
		w.sync(ctx)
		_, err = w.reconciler.ReconcileConfigMap(ctx, reconcile.Request{NamespacedName: client.ObjectKey{Namespace: w.namespace, Name: "lkc-1"}})
		Expect(apierrors.IsForbidden(err)).To(BeTrue(), "it is tried again: %v", err)
		w.retry(ctx)
		Expect(w.condition(ctx, v1alpha1.ConditionReady)).To(Equal("False/WriteFailed"))
		Expect(w.message(ctx, v1alpha1.ConditionReady)).To(ContainSubstring("1 ConfigMaps are not written, the first: configmaps"))
		Expect(w.clusters(ctx)["lkc-1"].Status.Phase).To(Equal("FAILED"))
	})

	It("are not kept where the manager's flag is not set, and the source says so", func(ctx SpecContext) {
		w.reconciler.ConfigMaps = false
		w.sync(ctx)
		Expect(w.condition(ctx, v1alpha1.ConditionReady)).To(Equal("False/ConfigMapsOff"))
		Expect(w.message(ctx, v1alpha1.ConditionReady)).To(ContainSubstring("--endpoint-configmaps"))
		Expect(w.condition(ctx, v1alpha1.ConditionStalled)).To(Equal("True/ConfigMapsOff"))
		Expect(w.clusters(ctx)).To(HaveLen(2))
	})
})

// writingAs is a client that changes and deletes ConfigMaps as someone else.
type writingAs struct {
	client.Client
	other client.Client
}

func (c writingAs) Delete(ctx context.Context, o client.Object, options ...client.DeleteOption) error {
	if _, is := o.(*corev1.ConfigMap); is {
		return c.other.Delete(ctx, o, options...)
	}
	return c.Client.Delete(ctx, o, options...)
}

func (c writingAs) Patch(ctx context.Context, o client.Object, patch client.Patch, options ...client.PatchOption) error {
	if _, is := o.(*corev1.ConfigMap); is {
		return c.other.Patch(ctx, o, patch, options...)
	}
	return c.Client.Patch(ctx, o, patch, options...)
}

// listingAs is a reader that lists ConfigMaps as another user.
type listingAs struct {
	client.Reader
	other client.Reader
}

func (r listingAs) List(ctx context.Context, list client.ObjectList, options ...client.ListOption) error {
	if list.GetObjectKind().GroupVersionKind().Kind == "ConfigMapList" {
		return r.other.List(ctx, list, options...)
	}
	return r.Reader.List(ctx, list, options...)
}

// policy is a client to which the API server answers, by an admission policy, with objects that it
// changed.
type policy struct {
	client.Client
	mutate func(client.Object)
}

func (p policy) Create(ctx context.Context, o client.Object, options ...client.CreateOption) error {
	p.mutate(o)
	return p.Client.Create(ctx, o, options...)
}

func (p policy) Patch(ctx context.Context, o client.Object, patch client.Patch, options ...client.PatchOption) error {
	p.mutate(o)
	return p.Client.Patch(ctx, o, patch, options...)
}

var _ = Describe("The ConfigMap of a cluster", func() {
	var w *world
	var source string
	key := func(name string) client.ObjectKey { return client.ObjectKey{Namespace: w.namespace, Name: name} }
	// pass reconciles the source, follow the ConfigMap.
	pass := func(ctx SpecContext) {
		GinkgoHelper()
		_, err := w.reconciler.Reconcile(ctx, reconcile.Request{NamespacedName: key(source)})
		Expect(err).NotTo(HaveOccurred())
	}
	follow := func(ctx SpecContext) (reconcile.Result, error) {
		return w.reconciler.ReconcileConfigMap(ctx, reconcile.Request{NamespacedName: key("lkc-1")})
	}
	change := func(ctx SpecContext, change func(*v1alpha1.KafkaClusterSelection)) {
		GinkgoHelper()
		s := &v1alpha1.InventorySource{}
		Expect(reader.Get(ctx, key(source), s)).To(Succeed())
		change(&s.Spec.KafkaClusters)
		Expect(k8s.Update(ctx, s)).To(Succeed())
		// The controller of ConfigMaps reads the cache as it is.
		Eventually(ctx, func() v1alpha1.KafkaClusterSelection {
			seen := &v1alpha1.InventorySource{}
			Expect(k8s.Get(ctx, key(source), seen, client.DisableReadYourWritesConsistency)).To(Succeed())
			return seen.Spec.KafkaClusters
		}).Should(Equal(s.Spec.KafkaClusters))
	}
	set := func(ctx SpecContext, p v1alpha1.ConfigMapPolicy) {
		GinkgoHelper()
		change(ctx, func(c *v1alpha1.KafkaClusterSelection) { c.ConfigMaps = p })
	}
	ready := func(ctx SpecContext) string {
		s := &v1alpha1.InventorySource{}
		Expect(reader.Get(ctx, key(source), s)).To(Succeed())
		return brief(s.Status.Conditions, v1alpha1.ConditionReady)
	}
	// resting waits until nothing is left to write.
	resting := func(ctx SpecContext) {
		GinkgoHelper()
		Eventually(ctx, func() []string {
			before := len(requests.written(w.namespace, "configmaps"))
			Expect(follow(ctx)).Error().NotTo(HaveOccurred())
			return requests.written(w.namespace, "configmaps")[before:]
		}).Should(BeEmpty())
	}
	begin := func(ctx SpecContext, name string) {
		GinkgoHelper()
		source = name
		w = newWorld(ctx)
		w.reconciler.ConfigMaps = true
		w.cloud.PutCluster(cloudsim.Cluster{ID: "lkc-1", Spec: cloudsim.ClusterSpec{
			DisplayName: "orders", Environment: cloudsim.Reference{ID: environment}, Cloud: "AWS",
			KafkaBootstrapEndpoint: "SASL_SSL://public:9092",
		}, Status: cloudsim.ClusterStatus{Phase: "PROVISIONED"}})
		w.createSecret(ctx, apiKey, apiSecret)
		Expect(k8s.Create(ctx, w.newSource(func(s *v1alpha1.InventorySource) {
			s.Name, s.Spec.KafkaClusters.ConfigMaps = name, v1alpha1.ConfigMapPolicyEnabled
		}))).To(Succeed())
		pass(ctx)
		Eventually(ctx, func() any { _, _ = follow(ctx); return w.configMaps(ctx) }).Should(HaveKey("lkc-1"))
		resting(ctx)
		Expect(requests.written(w.namespace, "/configmaps")).To(HaveExactElements(HavePrefix("POST")), "it is created once, however far behind the cache is")
	}

	It("costs no request while nothing changes, and goes when no source asks for it, however long the source's name", func(ctx SpecContext) {
		begin(ctx, strings.Repeat("s", 64))
		before := len(requests.written(w.namespace, "configmaps"))
		for range 5 {
			Expect(follow(ctx)).Error().NotTo(HaveOccurred())
		}
		Expect(requests.written(w.namespace, "configmaps")[before:]).To(BeEmpty())
		set(ctx, v1alpha1.ConfigMapPolicyDisabled)
		pass(ctx)
		Expect(follow(ctx)).Error().NotTo(HaveOccurred())
		Expect(w.configMaps(ctx)).NotTo(HaveKey("lkc-1"))
	})

	It("that is to go and may not be deleted is told of", func(ctx SpecContext) {
		begin(ctx, sourceName)
		limited := rest.CopyConfig(config)
		limited.Impersonate.UserName = "nobody"
		unprivileged, err := client.New(limited, client.Options{})
		Expect(err).NotTo(HaveOccurred())
		w.reconciler.Cluster = writingAs{k8s, unprivileged}
		set(ctx, v1alpha1.ConfigMapPolicyDisabled)
		_, err = follow(ctx)
		Expect(apierrors.IsForbidden(err)).To(BeTrue(), "%v", err)
		pass(ctx)
		Expect(w.configMaps(ctx)).To(HaveKey("lkc-1"))
		Expect(ready(ctx)).To(Equal("False/WriteFailed"))
	})

	It("is told of while it stays because the manager's flag is off again, until it is gone", func(ctx SpecContext) {
		begin(ctx, sourceName)
		w.restart() // Without the flag.
		pass(ctx)
		Expect(ready(ctx)).To(Equal("False/ConfigMapsOff"))
		set(ctx, v1alpha1.ConfigMapPolicyDisabled)
		pass(ctx)
		Expect(ready(ctx)).To(Equal("False/ConfigMapsOff"))
		Expect(w.message(ctx, v1alpha1.ConditionReady)).To(ContainSubstring("delete configmap -l inventory.ccloud.dev/source=" + sourceName))
		mine := w.configMaps(ctx)["lkc-1"]
		Expect(k8s.Delete(ctx, &mine)).To(Succeed())
		w.sync(ctx)
		Expect(ready(ctx)).To(Equal("True/Succeeded"))
	})

	It("is reported until a person says that it is gone, if the manager may not list ConfigMaps", func(ctx SpecContext) {
		begin(ctx, sourceName)
		set(ctx, v1alpha1.ConfigMapPolicyDisabled)
		w.restart() // Without the flag.
		limited := rest.CopyConfig(config)
		limited.Impersonate.UserName = "nobody"
		unprivileged, err := client.New(limited, client.Options{})
		Expect(err).NotTo(HaveOccurred())
		w.reconciler.APIReader = listingAs{reader, unprivileged}
		mine := w.configMaps(ctx)["lkc-1"]
		Expect(k8s.Delete(ctx, &mine)).To(Succeed())
		w.sync(ctx)
		Expect(ready(ctx)).To(Equal("False/ConfigMapsOff"))
		Expect(w.message(ctx, v1alpha1.ConditionKafkaClustersSynced)).To(HaveSuffix("kubectl -n " + w.namespace + " delete configmap -l inventory.ccloud.dev/source=" + sourceName +
			", and then set status.configMaps to false, because the manager may not list ConfigMaps"))
		s := &v1alpha1.InventorySource{ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: sourceName}}
		Expect(k8s.Status().Patch(ctx, s, client.RawPatch(types.MergePatchType, []byte(`{"status":{"configMaps":false}}`)))).To(Succeed())
		w.sync(ctx)
		Expect(ready(ctx)).To(Equal("True/Succeeded"))
	})

	It("that is stored without an address is told of, and not written pass for pass", func(ctx SpecContext) {
		begin(ctx, sourceName)
		w.reconciler.Cluster = policy{k8s, func(o client.Object) {
			if c, is := o.(*corev1.ConfigMap); is {
				delete(c.Data, "bootstrap.servers")
			}
		}}
		mine := w.configMaps(ctx)["lkc-1"]
		Expect(k8s.Delete(ctx, &mine)).To(Succeed())
		Eventually(ctx, func() any { _, _ = follow(ctx); return w.configMaps(ctx)["lkc-1"].UID }).ShouldNot(Or(Equal(mine.UID), BeZero()))
		Expect(w.configMaps(ctx)["lkc-1"].Data).NotTo(HaveKey("bootstrap.servers"))
		before := len(requests.written(w.namespace, "configmaps"))
		for range 10 {
			Expect(follow(ctx)).Error().NotTo(HaveOccurred())
		}
		Expect(requests.written(w.namespace, "configmaps")[before:]).To(BeEmpty())
		pass(ctx)
		Expect(ready(ctx)).To(Equal("False/WriteFailed"))

		By("sending it at once if it is to be another")
		change(ctx, func(c *v1alpha1.KafkaClusterSelection) { c.ConfigMapKeys = v1alpha1.ConfigMapKeysEnvironment })
		Expect(follow(ctx)).To(Equal(reconcile.Result{}))
		Expect(w.configMaps(ctx)["lkc-1"].Data).To(HaveKeyWithValue("BOOTSTRAP_SERVERS", "public:9092"))
		change(ctx, func(c *v1alpha1.KafkaClusterSelection) { c.ConfigMapKeys = "" })
		Eventually(ctx, func() any { _, _ = follow(ctx); return w.configMaps(ctx)["lkc-1"].Data }).Should(HaveKey("cluster.id"))
		resting(ctx)

		By("writing it whole when the policy is gone")
		w.reconciler.Cluster = k8s
		w.clock.SetTime(w.clock.Now().Add(5 * time.Minute))
		Expect(follow(ctx)).Error().NotTo(HaveOccurred())
		Expect(w.configMaps(ctx)["lkc-1"].Data).To(HaveKeyWithValue("bootstrap.servers", "public:9092"))
		pass(ctx)
		Expect(ready(ctx)).To(Equal("True/Succeeded"))
	})

	It("that is being deleted and stuck is told of", func(ctx SpecContext) {
		begin(ctx, sourceName)
		c := w.configMaps(ctx)["lkc-1"]
		c.Finalizers = []string{"example.com/stuck"}
		Expect(k8s.Update(ctx, &c)).To(Succeed())
		Expect(k8s.Delete(ctx, c.DeepCopy())).To(Succeed())
		Eventually(ctx, func() any {
			seen := &corev1.ConfigMap{}
			Expect(k8s.Get(ctx, key("lkc-1"), seen)).To(Succeed())
			return seen.DeletionTimestamp
		}).ShouldNot(BeNil())
		Expect(follow(ctx)).Error().NotTo(HaveOccurred())
		pass(ctx)
		Expect(ready(ctx)).To(Equal("False/WriteFailed"))
		Expect(w.message(ctx, v1alpha1.ConditionReady)).To(ContainSubstring("example.com/stuck"))
		c = w.configMaps(ctx)["lkc-1"]
		c.Finalizers = nil
		Expect(k8s.Update(ctx, &c)).To(Succeed())
		Eventually(ctx, func() any { _, _ = follow(ctx); return w.configMaps(ctx)["lkc-1"].UID }).ShouldNot(Or(Equal(c.UID), BeZero()))
		pass(ctx)
		Expect(ready(ctx)).To(Equal("True/Succeeded"))
	})
})
