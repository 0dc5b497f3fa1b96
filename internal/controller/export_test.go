// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"context"

	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

// Drift returns what filters the watch of a kind, as numbered in kinds.
func (r *Reconciler) Drift(kind int) predicate.Predicate { return r.drift(kind) }

// Interested returns what maps an observation of a kind to sources.
func (r *Reconciler) Interested(kind int) handler.MapFunc { return r.interested(kind) }

// ReconcileConfigMap reconciles the ConfigMap of an observation.
func (r *Reconciler) ReconcileConfigMap(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
	return r.reconcileConfigMap(ctx, req)
}
