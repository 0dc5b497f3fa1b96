// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"context"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	"k8s.io/utils/ptr"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
)

const (
	// firstError is the wait after a first error of the API server. It doubles with
	// every further one, up to mostError.
	firstError = 5 * time.Millisecond
	mostError  = 10 * time.Second
)

// SetupWithManager registers the reconciler and the indexes it reads through. Where
// the manager may watch Secrets, it does, see watchSecrets.
func (r *Reconciler) SetupWithManager(ctx context.Context, mgr ctrl.Manager) error {
	b := ctrl.NewControllerManagedBy(mgr).
		Named("inventorysource").
		WithOptions(controller.Options{
			MaxConcurrentReconciles: r.ConcurrentSyncs,
			// A source listed at the start would keep its low priority, and wait behind
			// those created later.
			UsePriorityQueue: ptr.To(false),
			// An error of the API server puts no sync further off than the shortest
			// interval there is.
			RateLimiter: workqueue.NewTypedItemExponentialFailureRateLimiter[reconcile.Request](firstError, mostError),
		}).
		// A change of the status is the reconciler's own and asks for nothing.
		For(&v1alpha1.InventorySource{}, builder.WithPredicates(
			predicate.Or(predicate.GenerationChangedPredicate{}, predicate.AnnotationChangedPredicate{})))
	for i := range kinds {
		if err := IndexBySource(ctx, mgr.GetFieldIndexer(), kinds[i].object()); err != nil {
			return err
		}
		b = b.Watches(kinds[i].object(), handler.EnqueueRequestsFromMapFunc(r.interested(i)),
			builder.WithPredicates(r.drift(i)))
	}
	if err := r.watchSecrets(ctx, mgr, b); err != nil {
		return err
	}
	if r.ConfigMaps {
		if err := r.setupConfigMaps(mgr, b); err != nil {
			return err
		}
	}
	return b.Complete(r)
}

// IndexBySource lets a cache find the observations of a source.
func IndexBySource(ctx context.Context, indexer client.FieldIndexer, object client.Object) error {
	err := indexer.IndexField(ctx, object, sourceField, func(o client.Object) []string {
		return []string{o.(v1alpha1.Observation).Origin().SourceRef.Name}
	})
	if err != nil {
		return fmt.Errorf("indexing %T by source: %w", object, err)
	}
	return nil
}

// interested maps an observation of a kind to the sources it is of interest to: the
// one its spec names, and those that wait for its name to be free.
func (r *Reconciler) interested(kind int) handler.MapFunc {
	return func(_ context.Context, o client.Object) []reconcile.Request {
		requests := []reconcile.Request{{NamespacedName: sourceOf(o)}}
		for _, key := range r.states.awaiting(kind, o.GetNamespace(), o.GetName()) {
			if key != requests[0].NamespacedName {
				requests = append(requests, reconcile.Request{NamespacedName: key})
			}
		}
		return requests
	}
}

func sourceOf(o client.Object) types.NamespacedName {
	return types.NamespacedName{Namespace: o.GetNamespace(), Name: o.(v1alpha1.Observation).Origin().SourceRef.Name}
}

// drift lets through only what someone else did to an observation of a kind: a
// creation, a deletion, or a change away from what it should be. It notes its name for the pass
// that comes of it. The reconciler's own writes come by here too, 20,000 at a first
// sync, and must not wake it.
func (r *Reconciler) drift(kind int) predicate.Predicate {
	return predicate.Funcs{
		GenericFunc: func(event.GenericEvent) bool { return false },
		CreateFunc: func(e event.CreateEvent) bool {
			s := r.states.find(sourceOf(e.Object))
			strange := s != nil && s.inbox.strange(kind, e.Object.(v1alpha1.Observation))
			if strange {
				s.inbox.put(kind, e.Object.GetName())
			}
			return strange
		},
		DeleteFunc: func(e event.DeleteEvent) bool {
			s := r.states.find(sourceOf(e.Object))
			if s != nil {
				s.inbox.put(kind, e.Object.GetName())
			}
			return s != nil || len(r.states.awaiting(kind, e.Object.GetNamespace(), e.Object.GetName())) > 0
		},
		UpdateFunc: func(e event.UpdateEvent) bool {
			s := r.states.find(sourceOf(e.ObjectNew))
			drifted := s != nil && s.inbox.drifted(kind, e.ObjectNew.(v1alpha1.Observation))
			if drifted {
				s.inbox.put(kind, e.ObjectNew.GetName())
			}
			return drifted
		},
	}
}
