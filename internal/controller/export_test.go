// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"context"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

// Drift returns what filters the watch of a kind, as numbered in the owner's kinds.
func (r *Reconciler) Drift(kind int) predicate.Predicate { return r.driftFilter(kind) }

// Interested returns what maps an object of a kind to owners.
func (r *Reconciler) Interested(kind int) handler.MapFunc { return r.requestsAfter(kind) }

// ShownBy takes for what the watches show what a client's cache holds, since specs have no watches of
// their own.
func (r *Reconciler) ShownBy(cached client.Client) {
	r.shownChecksum = func(kind int, namespace, name string) checksum {
		k := &r.owners.kinds[kind]
		o := r.owners.newObject()
		o.SetNamespace(namespace)
		o.SetName(name)
		shows := &Reconciler{Options: &Options{Cluster: cached}, owners: r.owners}
		_, all, err := shows.ownedObjects(context.Background(), r.owners.wrap(o), k)
		if err != nil {
			panic(err)
		}
		return all
	}
}

// IndexSecrets lets a cache find the owners of every kind that use a Secret.
func IndexSecrets(ctx context.Context, indexer client.FieldIndexer) error {
	if err := indexBySecret(ctx, indexer, sources); err != nil {
		return err
	}
	return indexBySecret(ctx, indexer, discoveries)
}

// ReconcileConfigMap reconciles the ConfigMap of an observation.
func (r *Reconciler) ReconcileConfigMap(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
	return r.reconcileConfigMap(ctx, req)
}

// Concerned returns what filters the watch of sources whose ConfigMaps are kept.
func (r *Reconciler) Concerned() predicate.Predicate { return r.sourceEventFilter() }

// AskAgain sets the time between two questions for rights that were missing.
func AskAgain(every time.Duration) { askAgain = every }

// MayNotWatch has a type of object not watched, for the reason why; "" has it watched again.
func (o *Options) MayNotWatch(object client.Object, why string) { o.watchRights.set(object, why) }
