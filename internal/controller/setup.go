// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/types"
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

// SetupWithManager registers the reconciler and the indexes it reads through. Where
// the manager may watch Secrets, it does, see watchSecrets.
func (r *Reconciler) SetupWithManager(ctx context.Context, mgr ctrl.Manager) error {
	b := ctrl.NewControllerManagedBy(mgr).
		Named("inventorysource").
		WithOptions(controller.Options{
			MaxConcurrentReconciles: r.ConcurrentSyncs,
			// A source listed at the start would keep its low priority for ever, and
			// wait behind those made later.
			UsePriorityQueue: ptr.To(false),
		}).
		// A change of the status is the reconciler's own and asks for nothing.
		For(&v1alpha1.InventorySource{}, builder.WithPredicates(
			predicate.Or(predicate.GenerationChangedPredicate{}, predicate.AnnotationChangedPredicate{})))
	for i := range kinds {
		if err := IndexBySource(ctx, mgr.GetFieldIndexer(), kinds[i].object()); err != nil {
			return err
		}
		b = b.Watches(kinds[i].object(), handler.EnqueueRequestsFromMapFunc(toSource),
			builder.WithPredicates(r.drift(i)))
	}
	if err := r.watchSecrets(ctx, mgr, b); err != nil {
		return err
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

// toSource maps an observation to the source its spec names.
func toSource(_ context.Context, o client.Object) []reconcile.Request {
	return []reconcile.Request{{NamespacedName: sourceOf(o)}}
}

func sourceOf(o client.Object) types.NamespacedName {
	return types.NamespacedName{Namespace: o.GetNamespace(), Name: o.(v1alpha1.Observation).Origin().SourceRef.Name}
}

// drift lets through only what someone else did to an observation of a kind, a
// deletion or a change away from what it should be, and notes its name for the pass
// that comes of it. The reconciler's own writes come by here too, 20,000 at a first
// sync, and must not wake it.
func (r *Reconciler) drift(kind int) predicate.Predicate {
	return predicate.Funcs{
		CreateFunc:  func(event.CreateEvent) bool { return false },
		GenericFunc: func(event.GenericEvent) bool { return false },
		DeleteFunc: func(e event.DeleteEvent) bool {
			m := r.memories.find(sourceOf(e.Object))
			if m != nil {
				m.note(kind, e.Object.GetName())
			}
			return m != nil
		},
		UpdateFunc: func(e event.UpdateEvent) bool {
			m := r.memories.find(sourceOf(e.ObjectNew))
			drifted := m != nil && m.drifted(kind, e.ObjectNew.(v1alpha1.Observation))
			if drifted {
				m.note(kind, e.ObjectNew.GetName())
			}
			return drifted
		},
	}
}
