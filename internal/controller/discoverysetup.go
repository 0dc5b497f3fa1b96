// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"context"
	"maps"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
)

// +kubebuilder:rbac:groups=inventory.ccloud.dev,resources=environmentdiscoveries,verbs=list;watch
// +kubebuilder:rbac:groups=inventory.ccloud.dev,resources=environmentdiscoveries/status,verbs=patch
// +kubebuilder:rbac:groups=inventory.ccloud.dev,resources=environmentdiscoveries/finalizers,verbs=update
// +kubebuilder:rbac:groups=inventory.ccloud.dev,resources=inventorysources,verbs=create;patch;delete

// SetupWithManager registers the reconciler.
func (r *DiscoveryReconciler) SetupWithManager(mgr ctrl.Manager) error {
	return ctrl.NewControllerManagedBy(mgr).
		Named("environmentdiscovery").
		WithOptions(controller.Options{MaxConcurrentReconciles: r.ConcurrentSyncs, UsePriorityQueue: ptr.To(false)}).
		For(&v1alpha1.EnvironmentDiscovery{}, builder.WithPredicates(
			predicate.Or(predicate.GenerationChangedPredicate{}, predicate.AnnotationChangedPredicate{}))).
		Watches(&v1alpha1.InventorySource{}, handler.EnqueueRequestsFromMapFunc(r.interested), builder.WithPredicates(touched)).
		Complete(r)
}

// touched lets through what is done to a source: its status is no discovery's business, and a
// discovery that begins reads all that there are.
var touched = predicate.Funcs{
	CreateFunc:  func(event.CreateEvent) bool { return false },
	GenericFunc: func(event.GenericEvent) bool { return false },
	UpdateFunc: func(e event.UpdateEvent) bool {
		return e.ObjectOld.GetGeneration() != e.ObjectNew.GetGeneration() ||
			!maps.Equal(e.ObjectOld.GetLabels(), e.ObjectNew.GetLabels()) ||
			!maps.Equal(e.ObjectOld.GetAnnotations(), e.ObjectNew.GetAnnotations()) ||
			!equality.Semantic.DeepEqual(e.ObjectOld.GetOwnerReferences(), e.ObjectNew.GetOwnerReferences())
	},
}

// interested maps a source to the discoveries of its namespace: each of them may be the one
// that made it, or wait for its name to be free.
func (r *DiscoveryReconciler) interested(ctx context.Context, source client.Object) []reconcile.Request {
	list := &v1alpha1.EnvironmentDiscoveryList{}
	err := r.Cluster.List(ctx, list, client.InNamespace(source.GetNamespace()), client.UnsafeDisableDeepCopy, client.DisableReadYourWritesConsistency)
	if err != nil {
		log.FromContext(ctx).Error(err, "Looking for the discoveries of a source", "source", source.GetName())
		return nil
	}
	requests := make([]reconcile.Request, len(list.Items))
	for i := range list.Items {
		requests[i].NamespacedName = client.ObjectKeyFromObject(&list.Items[i])
	}
	return requests
}

// holdOff returns how long the first sync of a source has to wait because a discovery made
// others beside it: as long as all that were never synced take to ask, at random, and no
// longer than an interval. It decides once.
func (r *Reconciler) holdOff(ctx context.Context, p *pass) (time.Duration, error) {
	schedule, now := &p.state.schedule, r.Clock.Now()
	asked := p.source.Annotations[v1alpha1.AnnotationRequestedAt] != ""
	if schedule.answered.generation != 0 || asked || p.source.Spec.Suspend {
		return 0, nil
	}
	if schedule.next.IsZero() {
		wait, err := r.turnOf(ctx, p.source)
		if err != nil {
			return 0, err
		}
		schedule.next = now.Add(wait)
	}
	wait := schedule.next.Sub(now)
	if wait <= 0 {
		return 0, nil
	}
	if meta.FindStatusCondition(p.source.Status.Conditions, v1alpha1.ConditionReady) != nil {
		return wait, nil
	}
	before := p.source.DeepCopy()
	c := conditionSetter{&p.source.Status.Conditions, p.source.Generation, r.now()}
	c.setReady(verdict{reason: v1alpha1.ReasonProgressing, message: "the first sync waits for its turn beside other new sources, see status.nextSyncTime"})
	p.source.Status.NextSyncTime = &metav1.Time{Time: schedule.next}
	return wait, r.writeSourceStatus(ctx, p.source, before)
}

// mostTurns is how many sources of a discovery are looked at to tell how long one waits: the
// longest wait is an interval, which these fill.
const mostTurns = 500

// turnOf draws how long a new source of a discovery waits.
func (r *Reconciler) turnOf(ctx context.Context, source *v1alpha1.InventorySource) (time.Duration, error) {
	owner := metav1.GetControllerOf(source)
	if owner == nil || owner.Kind != "EnvironmentDiscovery" || source.Status.LastSyncTime != nil {
		return 0, nil
	}
	list := &v1alpha1.InventorySourceList{}
	err := r.Cluster.List(ctx, list, client.InNamespace(source.Namespace), client.MatchingLabels{v1alpha1.LabelDiscovery: owner.Name},
		client.Limit(mostTurns), client.UnsafeDisableDeepCopy, client.DisableReadYourWritesConsistency)
	if err != nil {
		return 0, err
	}
	requests := 0
	for i := range list.Items {
		if other := &list.Items[i]; other.Status.LastSyncTime == nil && other.UID != source.UID {
			requests += requestsOf(other)
		}
	}
	whole := time.Duration(float64(requests) / r.Budgets.PerSecond() * float64(time.Second))
	return time.Duration(r.Random() * float64(min(whole, source.GetInterval()))), nil
}

// requestsOf returns how many requests a small environment's sync takes: one for each kind.
func requestsOf(source *v1alpha1.InventorySource) int {
	n := 0
	for i := range kinds {
		if kinds[i].Mirrored(source) {
			n++
		}
	}
	return n
}
