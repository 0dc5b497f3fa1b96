// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"context"
	"fmt"
	"time"

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
	"sigs.k8s.io/controller-runtime/pkg/source"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
)

const (
	// firstError is the wait after the first error of a reconcile. The wait doubles with each
	// further error, up to mostError.
	firstError = 5 * time.Millisecond
	mostError  = 10 * time.Second
)

// SetupWithManager adds the controllers of sources, discoveries and ConfigMaps to the manager. The
// watch of sources begins at once. All further watches begin as soon as the manager has the rights
// for them.
func SetupWithManager(ctx context.Context, mgr ctrl.Manager, o *Options) error {
	if err := indexBySecret(ctx, mgr.GetFieldIndexer(), sources); err != nil {
		return err
	}
	starter, err := newBeginner(mgr, o)
	if err != nil {
		return err
	}
	kept, err := NewSources(o).register(ctx, mgr, starter)
	if err != nil {
		return err
	}
	err = starter.whenAllowed(ctx, &v1alpha1.EnvironmentDiscovery{}, "no discovery is worked on", func(ctx context.Context) error {
		if err := indexBySecret(ctx, mgr.GetFieldIndexer(), discoveries); err != nil {
			return err
		}
		_, err := NewDiscoveries(o).register(ctx, mgr, starter)
		return err
	})
	if err != nil {
		return err
	}
	return o.setupConfigMaps(ctx, mgr, starter, kept)
}

// register adds a controller for sources or for discoveries to the manager. The controller also
// watches Secrets, and the objects that the controller writes. Each of these additional watches
// begins as soon as the manager has the rights to list and watch the type.
func (r *Reconciler) register(ctx context.Context, mgr ctrl.Manager, starter *watchStarter) (controller.Controller, error) {
	c, err := ctrl.NewControllerManagedBy(mgr).
		Named(r.owners.name).
		WithOptions(controller.Options{
			MaxConcurrentReconciles: r.ConcurrentSyncs,
			// With a priority queue, the sources that exist at the manager's start would wait in
			// the queue behind new sources.
			UsePriorityQueue: ptr.To(false),
			// The wait after an error is never longer than the shortest allowed spec.interval.
			RateLimiter: workqueue.NewTypedItemExponentialFailureRateLimiter[reconcile.Request](firstError, mostError),
		}).
		// A change of the spec or of an annotation starts a reconcile. A change of the status does
		// not, because the reconciler itself writes the status.
		For(r.owners.newObject(), builder.WithPredicates(
			predicate.Or(predicate.GenerationChangedPredicate{}, predicate.AnnotationChangedPredicate{}))).
		Build(r)
	if err != nil {
		return nil, err
	}
	for i := range r.owners.kinds {
		k := &r.owners.kinds[i]
		err := starter.whenAllowed(ctx, k.newObject(), "none of its objects are mirrored", func(ctx context.Context) error {
			if err := IndexBySource(ctx, mgr.GetFieldIndexer(), k.newObject()); err != nil {
				return err
			}
			return c.Watch(source.Kind(mgr.GetCache(), k.newObject(), handler.EnqueueRequestsFromMapFunc(r.requestsAfter(i)), r.driftFilter(i)))
		})
		if err != nil {
			return nil, err
		}
	}
	return c, r.watchSecrets(ctx, mgr, starter, c)
}

// IndexBySource adds an index to the cache. The index finds the observations of a source. For types
// that are not observations, IndexBySource does nothing.
func IndexBySource(ctx context.Context, indexer client.FieldIndexer, object client.Object) error {
	if _, is := object.(v1alpha1.Observation); !is {
		return nil
	}
	err := indexer.IndexField(ctx, object, sourceField, func(o client.Object) []string {
		return []string{o.(v1alpha1.Observation).Origin().SourceRef.Name}
	})
	if err != nil {
		return fmt.Errorf("indexing %T by source: %w", object, err)
	}
	return nil
}

// requestsAfter returns a function that says what to reconcile after an event about an object:
//
//   - the source or discovery to which the object belongs
//   - each source or discovery that waits until the object's name is free
func (r *Reconciler) requestsAfter(kind int) handler.MapFunc {
	return func(_ context.Context, o client.Object) []reconcile.Request {
		var requests []reconcile.Request
		key, known := r.states.find(o.GetNamespace(), r.owners.kinds[kind].ownerNameIn(o))
		if known != nil || key.Name != "" {
			requests = append(requests, reconcile.Request{NamespacedName: key})
		}
		for _, waiting := range r.states.ownersAwaiting(kind, o.GetNamespace(), o.GetName()) {
			if waiting != key {
				requests = append(requests, reconcile.Request{NamespacedName: waiting})
			}
		}
		return requests
	}
}

// driftFilter returns a filter for events about objects of one kind. If an event starts a
// reconcile, the filter stores the object's name, so that the reconcile reads this object. These
// events start a reconcile:
//
//   - An object was deleted, or its deletion began.
//   - Another client created an object.
//   - Another client changed an object, and the object differs from the plan.
//   - An object now names another owner.
//
// Other events start no reconcile, for example after the reconciler itself changed an object.
func (r *Reconciler) driftFilter(kind int) predicate.Predicate {
	k := &r.owners.kinds[kind]
	inboxOf := func(o client.Object) *inbox {
		if _, s := r.states.find(o.GetNamespace(), k.ownerNameIn(o)); s != nil {
			return s.kinds[kind].inbox
		}
		return nil
	}
	return predicate.Funcs{
		GenericFunc: func(event.GenericEvent) bool { return false },
		CreateFunc: func(e event.CreateEvent) bool {
			r.census.recordChange(kind, k.ownerNameIn, nil, e.Object)
			in := inboxOf(e.Object)
			strange := in != nil && in.lastView().Strange(e.Object)
			if strange {
				in.put(e.Object.GetName())
			}
			return strange
		},
		DeleteFunc: func(e event.DeleteEvent) bool {
			r.census.recordChange(kind, k.ownerNameIn, e.Object, nil)
			in := inboxOf(e.Object)
			if in != nil {
				in.put(e.Object.GetName())
			}
			return in != nil || len(r.states.ownersAwaiting(kind, e.Object.GetNamespace(), e.Object.GetName())) > 0
		},
		UpdateFunc: func(e event.UpdateEvent) bool {
			r.census.recordChange(kind, k.ownerNameIn, e.ObjectOld, e.ObjectNew)
			going := e.ObjectOld.GetDeletionTimestamp() == nil && e.ObjectNew.GetDeletionTimestamp() != nil
			in := inboxOf(e.ObjectNew)
			drifted := in != nil && (going || in.hasDrifted(e.ObjectNew)) &&
				(e.ObjectOld.GetResourceVersion() == e.ObjectNew.GetResourceVersion() || !k.Alike(e.ObjectOld, e.ObjectNew))
			if drifted {
				in.put(e.ObjectNew.GetName())
			}
			if k.ownerNameIn(e.ObjectOld) != k.ownerNameIn(e.ObjectNew) { // The object now names another owner.
				if former := inboxOf(e.ObjectOld); former != nil {
					former.put(e.ObjectNew.GetName())
					drifted = true
				}
			}
			return drifted
		},
	}
}
