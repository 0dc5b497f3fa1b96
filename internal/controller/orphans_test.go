// SPDX-License-Identifier: Apache-2.0

package controller_test

import (
	"context"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
)

// liveReads counts the requests to the API server that read a ConfigMap or list objects.
type liveReads struct {
	client.Reader
	gets, lists int
}

func (r *liveReads) Get(ctx context.Context, key client.ObjectKey, o client.Object, options ...client.GetOption) error {
	if _, is := o.(*corev1.ConfigMap); is {
		r.gets++
	}
	return r.Reader.Get(ctx, key, o, options...)
}

func (r *liveReads) List(ctx context.Context, list client.ObjectList, options ...client.ListOption) error {
	r.lists++
	return r.Reader.List(ctx, list, options...)
}

// orphaning deletes an owner as `kubectl delete --cascade=orphan` does. A finalizer keeps the owner
// until the garbage collector has orphaned its objects.
func orphaning(ctx context.Context, owner client.Object) {
	GinkgoHelper()
	Expect(k8s.Delete(ctx, owner, client.PropagationPolicy(metav1.DeletePropagationOrphan))).To(Succeed())
}

// orphaned does what the garbage collector does when all objects of an owner are orphaned.
func orphaned(ctx context.Context, owner client.Object) {
	GinkgoHelper()
	Expect(owner.GetFinalizers()).To(Equal([]string{metav1.FinalizerOrphanDependents}))
	owner.SetFinalizers(nil)
	Expect(k8s.Update(ctx, owner)).To(Succeed())
}

var _ = eachOwner("The objects of an owner that is deleted with --cascade=orphan, which the cache does not show yet,", func(under side) {
	for name, wait := range map[string]time.Duration{"between two syncs": 0, "at a sync": 24 * time.Hour} {
		It("are not taken back "+name, func(ctx SpecContext) {
			s := newSubject(ctx, under, 3)
			s.create(ctx)
			s.pass(ctx)
			s.options().Cluster = &behind{Client: k8s, shows: s.read(ctx)}
			orphaning(ctx, s.read(ctx))
			o := s.objects(ctx)[s.id(0)]
			before := o.DeepCopyObject().(client.Object)
			o.SetOwnerReferences(nil)
			Expect(k8s.Update(ctx, o)).To(Succeed())
			s.side.reconciler(s.organization).Drift(0).Update(event.UpdateEvent{ObjectOld: before, ObjectNew: o})
			s.later(wait)
			Expect(s.written(func() {
				_, err := s.try(ctx)
				Expect(err).NotTo(HaveOccurred())
			})).To(BeZero())
			orphaned(ctx, s.read(ctx))
			Expect(s.objects(ctx)[s.id(0)].GetOwnerReferences()).To(BeEmpty(), "the garbage collector deletes what a gone owner owns")
		})
	}
})

var _ = eachOwner("The question whether an owner still exists", func(under side) {
	It("costs one request if objects get its ownerReference, and none otherwise", func(ctx SpecContext) {
		s := newSubject(ctx, under, 3)
		live := &liveReads{Reader: reader}
		s.options().APIReader = live
		asked := func() int {
			before := live.lists
			s.sync(ctx)
			return live.lists - before
		}
		s.create(ctx)
		s.pass(ctx)
		s.put(11)
		s.put(12)
		Expect(asked()).To(Equal(1))
		s.rename(0, "another name")
		Expect(s.written(func() { Expect(asked()).To(BeZero()) })).NotTo(BeZero())
	})
})

var _ = Describe("The ConfigMap of an observation that is deleted with --cascade=orphan, which the cache does not show yet,", func() {
	orphan := func(ctx context.Context, c *corev1.ConfigMap, immutable *bool) error {
		c.OwnerReferences, c.Immutable = nil, immutable
		return k8s.Update(ctx, c)
	}
	for name, change := range map[string]func(context.Context, *corev1.ConfigMap) error{
		"changed":                          func(ctx context.Context, c *corev1.ConfigMap) error { return orphan(ctx, c, nil) },
		"replaced because it is immutable": func(ctx context.Context, c *corev1.ConfigMap) error { return orphan(ctx, c, ptr.To(true)) },
		"created again":                    func(ctx context.Context, c *corev1.ConfigMap) error { return k8s.Delete(ctx, c) },
	} {
		It("is not "+name, func(ctx SpecContext) {
			w := newWorld(ctx)
			w.reconciler.ConfigMaps = true
			w.seed(1, 0)
			w.createSource(ctx, func(s *v1alpha1.InventorySource) { s.Spec.KafkaClusters.ConfigMaps = v1alpha1.ConfigMapPolicyEnabled })
			w.reconcile(ctx)
			w.expose(ctx)
			id := w.anyCluster().ID
			o := w.clusters(ctx)[id]
			w.reconciler.Cluster = &behind{Client: k8s, shows: o.DeepCopy()}
			orphaning(ctx, o.DeepCopy())
			c := w.configMaps(ctx)[id]
			Expect(change(ctx, &c)).To(Succeed())
			before := w.configMaps(ctx)
			Eventually(ctx, func() any { return shown(ctx, &c).ResourceVersion }).Should(Equal(before[id].ResourceVersion))
			result, err := w.reconciler.ReconcileConfigMap(ctx, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(&c)})
			Expect(err).NotTo(HaveOccurred())
			Expect(result.RequeueAfter).To(BeZero(), "the watch shows the deletion")
			gone := w.clusters(ctx)[id]
			orphaned(ctx, &gone)
			Expect(w.configMaps(ctx)).To(Equal(before))
		})
	}
})

// shown returns a ConfigMap as the cache shows it. It is empty if the cache does not have it.
func shown(ctx context.Context, c *corev1.ConfigMap) *corev1.ConfigMap {
	seen := &corev1.ConfigMap{}
	_ = k8s.Get(ctx, client.ObjectKeyFromObject(c), seen, client.DisableReadYourWritesConsistency)
	return seen
}
