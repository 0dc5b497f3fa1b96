// SPDX-License-Identifier: Apache-2.0

package controller_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
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

	It("stay where the source asks for them again, and the cache does not show it yet", func(ctx SpecContext) {
		kept := w.configMaps(ctx)
		w.change(ctx, func(s *v1alpha1.InventorySource) { s.Spec.KafkaClusters.ConfigMaps = v1alpha1.ConfigMapPolicyDisabled })
		w.reconciler.Cluster = &behind{Client: k8s, shows: w.source(ctx)}
		w.change(ctx, func(s *v1alpha1.InventorySource) { s.Spec.KafkaClusters.ConfigMaps = v1alpha1.ConfigMapPolicyEnabled })
		w.expose(ctx)
		Expect(w.configMaps(ctx)).To(Equal(kept))
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
		Eventually(ctx, func() any { w.reconcile(ctx); return w.clusters(ctx)["lkc-1"].UID }).ShouldNot(Or(BeZero(), Equal(o.UID)))
		w.clock.SetTime(w.clusters(ctx)["lkc-1"].CreationTimestamp.Time)
		Expect(w.expose(ctx)["lkc-1"].RequeueAfter).To(BeNumerically("~", 3*time.Second, 2*time.Second))
		Expect(w.configMaps(ctx)["lkc-1"]).To(Equal(before))
		Expect(w.condition(ctx, v1alpha1.ConditionReady)).To(Equal("True/Succeeded"))
	})

	for name, labels := range map[string]bool{"": true, ", though it lost its labels": false} {
		It("wait longer and longer for a garbage collector that deletes none, which the source says"+name, func(ctx SpecContext) {
			c := w.configMaps(ctx)["lkc-1"]
			c.OwnerReferences[0].UID = "of-a-former-one"
			if !labels {
				c.Labels = nil
			}
			Expect(k8s.Update(ctx, &c)).To(Succeed())
			Eventually(ctx, func() any { return shown(ctx, &c).ResourceVersion }).Should(Or(Equal(c.ResourceVersion), BeEmpty()))
			live := &liveReads{Reader: reader}
			w.reconciler.APIReader = live
			w.clock.SetTime(w.clusters(ctx)["lkc-1"].CreationTimestamp.Time)
			looks := 0
			for begun := w.clock.Now(); w.clock.Now().Sub(begun) < 5*time.Minute; looks++ {
				result, err := w.reconciler.ReconcileConfigMap(ctx, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(&c)})
				Expect(err).NotTo(HaveOccurred())
				Expect(result.RequeueAfter).To(And(BeNumerically(">=", time.Second), BeNumerically("<=", time.Minute)))
				if w.clock.SetTime(w.clock.Now().Add(result.RequeueAfter)); w.clock.Now().Sub(begun) < time.Minute {
					w.reconcile(ctx)
					Expect(w.condition(ctx, v1alpha1.ConditionReady)).To(Equal("True/Succeeded"))
				}
			}
			Expect(looks).To(BeNumerically("<=", 15))
			Expect(live.gets).To(BeNumerically("<=", 15))
			w.reconcile(ctx)
			Expect(w.condition(ctx, v1alpha1.ConditionReady)).To(Equal("False/WriteFailed"))
			Expect(w.message(ctx, v1alpha1.ConditionReady)).To(ContainSubstring("ConfigMap lkc-1 belongs to a deleted KafkaClusterObservation"))

			By("being ready once it is deleted")
			Expect(k8s.Delete(ctx, &c)).To(Succeed())
			Eventually(ctx, func() any { w.expose(ctx); return w.condition(ctx, v1alpha1.ConditionReady) }).Should(Equal("True/Succeeded"))
			Expect(w.configMaps(ctx)["lkc-1"].OwnerReferences).To(HaveExactElements(HaveField("UID", w.clusters(ctx)["lkc-1"].UID)))
		})
	}

	It("that cannot be written cost nothing else", func(ctx SpecContext) {
		limited := rest.CopyConfig(config)
		limited.Impersonate.UserName = "nobody"
		unprivileged, err := client.New(limited, client.Options{})
		Expect(err).NotTo(HaveOccurred())
		w.reconciler.Cluster = writingAs{k8s, unprivileged}
		Expect(w.cloud.SetClusterPhase("lkc-1", "FAILED")).To(Succeed())
		w.sync(ctx)
		result, err := w.reconciler.ReconcileConfigMap(ctx, reconcile.Request{NamespacedName: client.ObjectKey{Namespace: w.namespace, Name: "lkc-1"}})
		Expect(err).NotTo(HaveOccurred())
		Expect(result.RequeueAfter).To(Equal(50*time.Millisecond), "it is tried again")
		w.retry(ctx)
		Expect(w.condition(ctx, v1alpha1.ConditionReady)).To(Equal("False/WriteFailed"))
		Expect(w.message(ctx, v1alpha1.ConditionReady)).To(ContainSubstring("1 ConfigMaps are not written, the first: changing ConfigMap lkc-1: configmaps"))
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

// refusing is a client to which a webhook answers writes of ConfigMaps with an error.
type refusing struct {
	client.Client
	err  error
	seen *int // how many
}

func (r refusing) ask(o client.Object) error {
	if _, is := o.(*corev1.ConfigMap); !is {
		return nil
	}
	*r.seen++
	return r.err
}

func (r refusing) Patch(ctx context.Context, o client.Object, patch client.Patch, options ...client.PatchOption) error {
	if err := r.ask(o); err != nil {
		return err
	}
	return r.Client.Patch(ctx, o, patch, options...)
}

func (r refusing) Delete(ctx context.Context, o client.Object, options ...client.DeleteOption) error {
	if err := r.ask(o); err != nil {
		return err
	}
	return r.Client.Delete(ctx, o, options...)
}

// readingMaps is a reader that counts, and may refuse, reads of ConfigMaps.
type readingMaps struct {
	client.Reader
	err  error
	seen int
}

func (r *readingMaps) ask(kind string) error {
	if kind != "ConfigMap" && kind != "ConfigMapList" {
		return nil
	}
	r.seen++
	return r.err
}

func (r *readingMaps) Get(ctx context.Context, key client.ObjectKey, o client.Object, options ...client.GetOption) error {
	if _, is := o.(*corev1.ConfigMap); is {
		if err := r.ask("ConfigMap"); err != nil {
			return err
		}
	}
	return r.Reader.Get(ctx, key, o, options...)
}

func (r *readingMaps) List(ctx context.Context, list client.ObjectList, options ...client.ListOption) error {
	if err := r.ask(list.GetObjectKind().GroupVersionKind().Kind); err != nil {
		return err
	}
	return r.Reader.List(ctx, list, options...)
}

// unpatchable is a client whose patches meet a conflict.
type unpatchable struct{ client.Client }

func (unpatchable) Patch(_ context.Context, o client.Object, _ client.Patch, _ ...client.PatchOption) error {
	return apierrors.NewConflict(observations, o.GetName(), errors.New("it was changed"))
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
	// turn changes the cluster's phase in the cloud and waits until the cache shows it.
	turn := func(ctx SpecContext, phase string) {
		GinkgoHelper()
		Expect(w.cloud.SetClusterPhase("lkc-1", phase)).To(Succeed())
		w.sync(ctx)
		Eventually(ctx, func() string {
			o := &v1alpha1.KafkaClusterObservation{}
			Expect(k8s.Get(ctx, key("lkc-1"), o, client.DisableReadYourWritesConsistency)).To(Succeed())
			return o.Status.Phase
		}).Should(Equal(phase))
	}
	// later follows the ConfigMap for so many seconds.
	later := func(ctx SpecContext, seconds int) {
		GinkgoHelper()
		for range seconds {
			w.clock.SetTime(w.clock.Now().Add(time.Second))
			Expect(follow(ctx)).Error().NotTo(HaveOccurred())
		}
	}
	// stripped has an admission policy take the address out of what is written, and change it further,
	// and the ConfigMap be created again.
	stripped := func(ctx SpecContext, further func(*corev1.ConfigMap)) {
		GinkgoHelper()
		w.reconciler.Cluster = policy{k8s, func(o client.Object) {
			if c, is := o.(*corev1.ConfigMap); is {
				delete(c.Data, "bootstrap.servers")
				further(c)
			}
		}}
		mine := w.configMaps(ctx)["lkc-1"]
		Expect(k8s.Delete(ctx, &mine)).To(Succeed())
		Eventually(ctx, func() any { _, _ = follow(ctx); return w.configMaps(ctx)["lkc-1"].UID }).ShouldNot(Or(Equal(mine.UID), BeZero()))
	}
	written := func(do func()) []string {
		before := len(requests.written(w.namespace, "configmaps"))
		do()
		return requests.written(w.namespace, "configmaps")[before:]
	}
	remove := func(ctx SpecContext) {
		GinkgoHelper()
		mine := w.configMaps(ctx)["lkc-1"]
		Expect(k8s.Delete(ctx, &mine)).To(Succeed())
	}
	edit := func(ctx SpecContext, change func(*corev1.ConfigMap)) {
		GinkgoHelper()
		c := w.configMaps(ctx)["lkc-1"]
		change(&c)
		Expect(k8s.Update(ctx, &c)).To(Succeed())
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

	It("that someone makes again after each deletion is not deleted at full speed", func(ctx SpecContext) {
		begin(ctx, sourceName)
		mine := w.configMaps(ctx)["lkc-1"]
		cached := func() error { // The controller of ConfigMaps reads the cache as it is.
			return k8s.Get(ctx, key("lkc-1"), &corev1.ConfigMap{}, client.DisableReadYourWritesConsistency)
		}
		again := func() {
			Eventually(ctx, cached).Should(MatchError(apierrors.IsNotFound, "NotFound"))
			Expect(follow(ctx)).Error().NotTo(HaveOccurred(), "the event of its deletion")
			next := mine.DeepCopy()
			next.UID, next.ResourceVersion = "", ""
			Expect(k8s.Create(ctx, next)).To(Succeed())
			Eventually(ctx, cached).Should(Succeed())
		}
		set(ctx, v1alpha1.ConfigMapPolicyDisabled)
		limited := false
		deletes := written(func() {
			for range 40 {
				Eventually(ctx, func() bool {
					result, err := follow(ctx)
					Expect(err).NotTo(HaveOccurred())
					_, there := w.configMaps(ctx)["lkc-1"]
					limited = there && result.RequeueAfter == time.Second
					return limited || !there
				}).Should(BeTrue())
				if limited {
					break
				}
				again()
			}
		})
		Expect(limited).To(BeTrue())
		deletes = slices.DeleteFunc(deletes, func(w string) bool { return !strings.HasPrefix(w, "DELETE") })
		Expect(len(deletes)).To(BeNumerically("~", 20, 3))
	})

	It("that is being deleted without its label and waits for a finalizer is looked at once a minute", func(ctx SpecContext) {
		begin(ctx, sourceName)
		edit(ctx, func(c *corev1.ConfigMap) { c.Labels, c.Finalizers = nil, []string{"example.com/kept"} })
		remove(ctx)
		DeferCleanup(func(ctx SpecContext) { edit(ctx, func(c *corev1.ConfigMap) { c.Finalizers = nil }) })
		Eventually(ctx, func() (time.Duration, error) {
			result, err := follow(ctx)
			return result.RequeueAfter, err
		}).Should(Equal(time.Minute))
		pass(ctx)
		Expect(w.message(ctx, v1alpha1.ConditionReady)).To(ContainSubstring("example.com/kept"))
	})

	It("whose write failed while the clock was ahead is written once the clock is right", func(ctx SpecContext) {
		begin(ctx, sourceName)
		w.clock.SetTime(w.clock.Now().Add(3 * time.Hour))
		w.reconciler.Cluster = unpatchable{k8s}
		edit(ctx, func(c *corev1.ConfigMap) { c.Data["phase"] = "spoilt" })
		Eventually(ctx, func() (time.Duration, error) {
			result, err := follow(ctx)
			return result.RequeueAfter, err
		}).Should(Equal(50 * time.Millisecond))
		w.reconciler.Cluster = k8s
		w.clock.SetTime(w.clock.Now().Add(-3 * time.Hour))
		Expect(follow(ctx)).Error().NotTo(HaveOccurred())
		Expect(w.configMaps(ctx)["lkc-1"].Data["phase"]).To(Equal("PROVISIONED"))
	})

	It("that is to go and may not be deleted is told of", func(ctx SpecContext) {
		begin(ctx, sourceName)
		limited := rest.CopyConfig(config)
		limited.Impersonate.UserName = "nobody"
		unprivileged, err := client.New(limited, client.Options{})
		Expect(err).NotTo(HaveOccurred())
		w.reconciler.Cluster = writingAs{k8s, unprivileged}
		set(ctx, v1alpha1.ConfigMapPolicyDisabled)
		Expect(follow(ctx)).To(Equal(reconcile.Result{RequeueAfter: 50 * time.Millisecond}))
		pass(ctx)
		Expect(w.configMaps(ctx)).To(HaveKey("lkc-1"))
		Expect(ready(ctx)).To(Equal("False/WriteFailed"))
		Expect(w.message(ctx, v1alpha1.ConditionReady)).To(ContainSubstring("deleting ConfigMap lkc-1: configmaps"))
	})

	It("is told of while it stays because the manager's flag is off again, until it is gone", func(ctx SpecContext) {
		begin(ctx, sourceName)
		w.restart() // Without the flag.
		pass(ctx)
		Expect(ready(ctx)).To(Equal("False/ConfigMapsOff"))
		set(ctx, v1alpha1.ConfigMapPolicyDisabled)
		pass(ctx)
		Expect(ready(ctx)).To(Equal("False/ConfigMapsOff"))
		Expect(w.message(ctx, v1alpha1.ConditionReady)).To(HaveSuffix("kubectl -n " + w.namespace + " delete configmap lkc-1"))
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
		Expect(w.message(ctx, v1alpha1.ConditionKafkaClustersSynced)).To(HaveSuffix("kubectl -n " + w.namespace + " patch inventorysource " + sourceName +
			` --subresource status --type merge -p '{"status":{"configMaps":false}}'`))
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
		for range 30 { // More than may be written at once.
			Expect(follow(ctx)).Error().NotTo(HaveOccurred())
			pass(ctx)
			Expect(ready(ctx)).To(Equal("False/WriteFailed"))
		}
		Expect(requests.written(w.namespace, "configmaps")[before:]).To(BeEmpty())

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

	for answer, err := range map[string]error{
		"409": apierrors.NewConflict(corev1.Resource("configmaps"), "lkc-1", errors.New("another tool manages this")),
		"404": apierrors.NewNotFound(corev1.Resource("policies"), "another tool manages this"),
	} {
		It("that a webhook refuses by "+answer+" is told of, and tried again with growing waits", func(ctx SpecContext) {
			begin(ctx, sourceName)
			attempts := 0
			refused := func(does string) {
				attempts = 0
				w.reconciler.Cluster = refusing{k8s, err, &attempts}
				later(ctx, 200)
				Expect(attempts).To(And(BeNumerically(">", 5), BeNumerically("<", 20)))
				pass(ctx)
				Expect(ready(ctx)).To(Equal("False/WriteFailed"))
				Expect(w.message(ctx, v1alpha1.ConditionReady)).To(And(ContainSubstring(does+" ConfigMap lkc-1: "), ContainSubstring("another tool manages this")))
				w.reconciler.Cluster = k8s
			}
			turn(ctx, "FAILED")
			refused("changing")
			later(ctx, 200)
			Expect(w.configMaps(ctx)["lkc-1"].Data).To(HaveKeyWithValue("phase", "FAILED"))
			pass(ctx)
			Expect(ready(ctx)).To(Equal("True/Succeeded"))

			set(ctx, v1alpha1.ConfigMapPolicyDisabled)
			refused("deleting")
			later(ctx, 200)
			Expect(w.configMaps(ctx)).To(BeEmpty())
			pass(ctx)
			Expect(ready(ctx)).To(Equal("True/Succeeded"))
		})
	}

	It("that is stored without an address and immutable is not replaced again and again", func(ctx SpecContext) {
		begin(ctx, sourceName)
		stripped(ctx, func(c *corev1.ConfigMap) { c.Immutable = ptr.To(true) })
		Expect(written(func() { later(ctx, 60) })).To(BeEmpty())
		pass(ctx)
		Expect(ready(ctx)).To(Equal("False/WriteFailed"))
		replaced := HaveExactElements(HavePrefix("DELETE"), HavePrefix("POST"))
		w.clock.SetTime(w.clock.Now().Add(5 * time.Minute))
		Expect(written(func() { later(ctx, 60) })).To(replaced)
		w.clock.SetTime(w.clock.Now().Add(8 * time.Minute))
		Expect(written(func() { later(ctx, 30) })).To(BeEmpty(), "the wait has doubled")
		w.clock.SetTime(w.clock.Now().Add(time.Minute))
		Expect(written(func() { later(ctx, 1) })).To(replaced)
	})

	It("that is immutable is replaced with the labels and annotations that others added", func(ctx SpecContext) {
		begin(ctx, sourceName)
		edit(ctx, func(c *corev1.ConfigMap) {
			metav1.SetMetaDataLabel(&c.ObjectMeta, "theirs", "x")
			metav1.SetMetaDataAnnotation(&c.ObjectMeta, "example.com/theirs", "x")
			c.Immutable = ptr.To(true)
		})
		before := w.configMaps(ctx)["lkc-1"].UID
		change(ctx, func(c *v1alpha1.KafkaClusterSelection) { c.ConfigMapKeys = v1alpha1.ConfigMapKeysEnvironment })
		later(ctx, 60)
		after := w.configMaps(ctx)["lkc-1"]
		Expect(after.UID).NotTo(Equal(before))
		Expect(after.Labels).To(HaveKeyWithValue("theirs", "x"))
		Expect(after.Annotations).To(HaveKeyWithValue("example.com/theirs", "x"))
		Expect(after.Data).To(HaveKey("CLUSTER_ID"))
	})

	It("that is immutable is changed where its labels alone are to change", func(ctx SpecContext) {
		begin(ctx, sourceName)
		edit(ctx, func(c *corev1.ConfigMap) {
			delete(c.Labels, v1alpha1.LabelSource)
			c.Immutable = ptr.To(true)
		})
		before := w.configMaps(ctx)["lkc-1"].UID
		for range 60 {
			later(ctx, 1)
			Expect(w.configMaps(ctx)["lkc-1"].UID).To(Equal(before))
		}
		after := w.configMaps(ctx)["lkc-1"]
		Expect(after.Labels).To(HaveKeyWithValue(v1alpha1.LabelSource, sourceName))
		Expect(after.Immutable).To(HaveValue(BeTrue()))
	})

	It("that a person made for a source that no longer asks for any stays", func(ctx SpecContext) {
		begin(ctx, sourceName)
		set(ctx, v1alpha1.ConfigMapPolicyDisabled)
		Eventually(ctx, func() any {
			w.expose(ctx)
			return w.configMaps(ctx)
		}).Should(BeEmpty())
		w.sync(ctx)
		Expect(w.source(ctx).Status.ConfigMaps).To(BeFalse())
		own := &corev1.ConfigMap{
			ObjectMeta: metav1.ObjectMeta{Name: "lkc-1", Namespace: w.namespace, Labels: map[string]string{v1alpha1.LabelSource: sourceName}},
			Data:       map[string]string{"cluster.id": "lkc-1", "environment.id": environment, "mine": "yes"},
		}
		Expect(k8s.Create(ctx, own)).To(Succeed())
		Eventually(ctx, func() error {
			return w.reconciler.Cluster.Get(ctx, client.ObjectKeyFromObject(own), &corev1.ConfigMap{})
		}).Should(Succeed())
		for range 3 {
			w.expose(ctx)
			w.sync(ctx)
		}
		Expect(w.configMaps(ctx)).To(HaveKey("lkc-1"))
	})

	It("that is immutable stays while its replacement is refused", func(ctx SpecContext) {
		begin(ctx, sourceName)
		edit(ctx, func(c *corev1.ConfigMap) { c.Immutable = ptr.To(true) })
		before := w.configMaps(ctx)["lkc-1"]
		one := corev1.ResourceList{corev1.ResourceConfigMaps: resource.MustParse("1")}
		quota := &corev1.ResourceQuota{ObjectMeta: metav1.ObjectMeta{Name: "full", Namespace: w.namespace}, Spec: corev1.ResourceQuotaSpec{Hard: one}}
		Expect(k8s.Create(ctx, quota)).To(Succeed())
		quota.Status = corev1.ResourceQuotaStatus{Hard: one, Used: one}
		Expect(k8s.Status().Update(ctx, quota)).To(Succeed())
		refused := func() error {
			another := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "another", Namespace: w.namespace}}
			return k8s.Create(ctx, another, client.DryRunAll, client.DisableReadYourWritesConsistency)
		}
		Eventually(ctx, refused).Should(MatchError(ContainSubstring("exceeded quota")))

		Expect(written(func() {
			change(ctx, func(c *v1alpha1.KafkaClusterSelection) { c.ConfigMapKeys = v1alpha1.ConfigMapKeysEnvironment })
			later(ctx, 60)
		})).To(BeEmpty())
		Expect(w.configMaps(ctx)["lkc-1"]).To(Equal(before), "pods that start now have what they had")
		pass(ctx)
		Expect(ready(ctx)).To(Equal("False/WriteFailed"))
		Expect(w.message(ctx, v1alpha1.ConditionReady)).To(And(ContainSubstring("replacing ConfigMap lkc-1, which is immutable: "), ContainSubstring("exceeded quota")))

		By("replacing it when there is room")
		Expect(k8s.Delete(ctx, quota)).To(Succeed())
		Eventually(ctx, refused).Should(Succeed())
		Expect(written(func() { later(ctx, 300) })).To(HaveExactElements(HavePrefix("DELETE"), HavePrefix("POST")))
		Expect(w.configMaps(ctx)["lkc-1"].Data).To(HaveKeyWithValue("BOOTSTRAP_SERVERS", "public:9092"))
		pass(ctx)
		Expect(ready(ctx)).To(Equal("True/Succeeded"))
	})

	It("that is stored without an address is tried at a change, when it is gone, and when a sync is asked for", func(ctx SpecContext) {
		begin(ctx, sourceName)
		stripped(ctx, func(*corev1.ConfigMap) {})
		var waits []time.Duration
		for range 6 {
			result, err := follow(ctx)
			Expect(err).NotTo(HaveOccurred())
			waits = append(waits, result.RequeueAfter)
			w.clock.SetTime(w.clock.Now().Add(result.RequeueAfter))
			Expect(written(func() { Expect(follow(ctx)).Error().NotTo(HaveOccurred()) })).To(HaveLen(1))
		}
		Expect(waits).To(HaveExactElements(5*time.Minute, 10*time.Minute, 20*time.Minute, 40*time.Minute, time.Hour, time.Hour))

		By("a change")
		turn(ctx, "FAILED")
		Expect(written(func() { later(ctx, 5) })).To(HaveLen(1))
		Expect(w.configMaps(ctx)["lkc-1"].Data).To(HaveKeyWithValue("phase", "FAILED"))
		By("its deletion")
		remove(ctx)
		Eventually(ctx, func() any { _, _ = follow(ctx); return w.configMaps(ctx) }).Should(HaveKey("lkc-1"))
		Expect(written(func() { later(ctx, 5) })).To(BeEmpty())
		By("a person")
		w.reconciler.Cluster = k8s
		Expect(written(func() { later(ctx, 5) })).To(BeEmpty())
		w.annotate(ctx, v1alpha1.AnnotationRequestedAt, "now")
		Eventually(ctx, func() any { _, _ = follow(ctx); return w.configMaps(ctx)["lkc-1"].Data }).Should(HaveKeyWithValue("bootstrap.servers", "public:9092"))
		pass(ctx)
		Expect(ready(ctx)).To(Equal("True/Succeeded"))
	})

	It("that the operator may not look for any more is reported, with the command that ends it", func(ctx SpecContext) {
		begin(ctx, sourceName)
		pass(ctx)
		w.restart() // Without the flag and the rights.
		set(ctx, v1alpha1.ConfigMapPolicyDisabled)
		maps := &readingMaps{Reader: reader, err: apierrors.NewForbidden(corev1.Resource("configmaps"), "", errors.New("no right"))}
		w.reconciler.APIReader = maps
		w.sync(ctx)
		Expect(ready(ctx)).To(Equal("False/ConfigMapsOff"))
		Expect(w.message(ctx, v1alpha1.ConditionReady)).NotTo(ContainSubstring("kubectl"), "a command that is cut would do something else")
		remove(ctx)
		w.sync(ctx)
		Expect(ready(ctx)).To(Equal("False/ConfigMapsOff"), "it is not known")
		Expect(w.source(ctx).Status.ConfigMaps).To(BeTrue())
		_, command, found := strings.Cut(w.message(ctx, v1alpha1.ConditionKafkaClustersSynced), "kubectl -n "+w.namespace+" patch inventorysource "+sourceName+" --subresource status --type merge -p ")
		Expect(found).To(BeTrue())
		Expect(k8s.Status().Patch(ctx, w.source(ctx), client.RawPatch(types.MergePatchType, []byte(strings.Trim(command, "'"))))).To(Succeed())
		w.sync(ctx)
		Expect(ready(ctx)).To(Equal("True/Succeeded"))
		before := maps.seen
		w.sync(ctx)
		Expect(maps.seen).To(Equal(before))
	})

	It("that cannot be looked for in passing is told of as that", func(ctx SpecContext) {
		begin(ctx, sourceName)
		pass(ctx)
		w.restart()
		set(ctx, v1alpha1.ConfigMapPolicyDisabled)
		remove(ctx)
		maps := &readingMaps{Reader: reader, err: apierrors.NewInternalError(errors.New("out of order"))}
		w.reconciler.APIReader = maps
		w.sync(ctx)
		Expect(ready(ctx)).To(Equal("False/WriteFailed"))
		Expect(w.message(ctx, v1alpha1.ConditionReady)).To(ContainSubstring("out of order"))
		Expect(w.source(ctx).Status.ConfigMaps).To(BeTrue())
		maps.err = nil
		w.sync(ctx)
		Expect(ready(ctx)).To(Equal("True/Succeeded"))
		Expect(w.source(ctx).Status.ConfigMaps).To(BeFalse())
	})

	It("is not confused with a stranger's that has its label", func(ctx SpecContext) {
		begin(ctx, sourceName)
		pass(ctx)
		theirs := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "theirs", Namespace: w.namespace, Labels: map[string]string{v1alpha1.LabelSource: sourceName}}}
		Expect(k8s.Create(ctx, theirs)).To(Succeed())
		w.restart()
		set(ctx, v1alpha1.ConfigMapPolicyDisabled)
		w.sync(ctx)
		Expect(w.message(ctx, v1alpha1.ConditionReady)).To(HaveSuffix(" delete configmap lkc-1"))
		remove(ctx)
		named := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "lkc-1", Namespace: w.namespace, Labels: theirs.Labels}}
		Expect(k8s.Create(ctx, named)).To(Succeed())
		w.sync(ctx)
		Expect(ready(ctx)).To(Equal("True/Succeeded"))
		Expect(w.source(ctx).Status.ConfigMaps).To(BeFalse())
		Expect(w.configMaps(ctx)).To(HaveLen(2))
	})

	It("is known to the status until it is gone, whichever controller comes first", func(ctx SpecContext) {
		begin(ctx, sourceName)
		pass(ctx)
		edit(ctx, func(c *corev1.ConfigMap) { c.Finalizers = []string{"example.com/stuck"} })
		set(ctx, v1alpha1.ConfigMapPolicyDisabled)
		pass(ctx)
		Expect(w.source(ctx).Status.ConfigMaps).To(BeTrue(), "nothing is deleted yet")
		Eventually(ctx, func() string { _, _ = follow(ctx); pass(ctx); return ready(ctx) }).Should(Equal("False/WriteFailed"))
		Expect(w.message(ctx, v1alpha1.ConditionReady)).To(ContainSubstring("example.com/stuck"))
		Expect(w.source(ctx).Status.ConfigMaps).To(BeTrue())
		w.restart() // Without the flag.
		w.sync(ctx)
		Expect(ready(ctx)).To(Equal("False/ConfigMapsOff"))
		edit(ctx, func(c *corev1.ConfigMap) { c.Finalizers = nil })
		Expect(w.configMaps(ctx)).To(BeEmpty())
		w.sync(ctx)
		Expect(ready(ctx)).To(Equal("True/Succeeded"))
		Expect(w.source(ctx).Status.ConfigMaps).To(BeFalse())
	})

	for lost, change := range map[string]func(*corev1.ConfigMap){
		"its label":  func(c *corev1.ConfigMap) { c.Labels = nil },
		"its owner":  func(c *corev1.ConfigMap) { c.OwnerReferences = nil },
		"a new name": func(c *corev1.ConfigMap) { c.Labels[v1alpha1.LabelSource] = "another" },
	} {
		It("that lost "+lost+" goes when the source no longer asks for it, which then costs nothing", func(ctx SpecContext) {
			begin(ctx, sourceName)
			pass(ctx)
			maps := &readingMaps{Reader: reader}
			w.reconciler.APIReader = maps
			edit(ctx, change)
			set(ctx, v1alpha1.ConfigMapPolicyDisabled)
			Eventually(ctx, func() any {
				w.clock.SetTime(w.clock.Now().Add(time.Second)) // A conflict with the edit may come first.
				_, _ = follow(ctx)
				return w.configMaps(ctx)
			}).Should(BeEmpty())
			w.sync(ctx)
			Expect(w.source(ctx).Status.ConfigMaps).To(BeFalse())
			Expect(ready(ctx)).To(Equal("True/Succeeded"))
			Eventually(ctx, func() bool { // The controller of ConfigMaps reads the cache as it is.
				seen := &v1alpha1.InventorySource{}
				Expect(k8s.Get(ctx, key(source), seen, client.DisableReadYourWritesConsistency)).To(Succeed())
				return seen.Status.ConfigMaps
			}).Should(BeFalse())
			before := maps.seen
			for range 3 {
				w.sync(ctx)
				Expect(follow(ctx)).To(Equal(reconcile.Result{}))
			}
			Expect(maps.seen).To(Equal(before))
		})
	}

	It("is looked at for a person who asks only if there is one, or may be", func(ctx SpecContext) {
		w = newWorld(ctx)
		change := func(flag, kept bool, p v1alpha1.ConfigMapPolicy, change func(*v1alpha1.InventorySource)) bool {
			w.reconciler.ConfigMaps = flag
			before := w.newSource()
			before.Status.ConfigMaps, before.Spec.KafkaClusters.ConfigMaps = kept, p
			after := before.DeepCopy()
			change(after)
			return w.reconciler.Concerned().Update(event.UpdateEvent{ObjectOld: before, ObjectNew: after})
		}
		const disabled, enabled = v1alpha1.ConfigMapPolicyDisabled, v1alpha1.ConfigMapPolicyEnabled
		asks := func(s *v1alpha1.InventorySource) {
			s.Annotations = map[string]string{v1alpha1.AnnotationRequestedAt: "now"}
		}
		Expect(change(true, false, enabled, asks)).To(BeTrue())
		Expect(change(false, true, disabled, asks)).To(BeTrue())
		Expect(change(false, false, disabled, asks)).To(BeFalse())
		Expect(change(false, false, enabled, asks)).To(BeFalse())
		Expect(change(true, false, disabled, asks)).To(BeFalse())
		Expect(change(true, true, enabled, func(*v1alpha1.InventorySource) {})).To(BeFalse())
		Expect(change(true, false, enabled, func(s *v1alpha1.InventorySource) { s.Generation, s.Spec.KafkaClusters.ConfigMaps = 2, disabled })).To(BeTrue())
	})
})
