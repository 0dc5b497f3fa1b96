// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"context"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
	"github.com/ccloud-dev/inventory-operator/internal/mirror"
)

// This file has no RBAC markers for ConfigMaps, because not every manager needs the rights on
// ConfigMaps. The folder config/endpoint-configmaps has these rights.

// setupConfigMaps starts the controller of ConfigMaps as soon as the manager has the rights to
// watch ConfigMaps and KafkaClusterObservations. sourceController is the controller of
// InventorySources. If a ConfigMap cannot be written, sourceController reports this in the
// InventorySource's status.
//
// If the flag --endpoint-configmaps is not set:
//
//   - The controller of ConfigMaps does not create or change ConfigMaps. It deletes ConfigMaps
//     that the source's spec no longer asks for.
//   - If the manager lacks one of the rights at its start, the controller of ConfigMaps never
//     starts.
func (o *Options) setupConfigMaps(ctx context.Context, mgr ctrl.Manager, starter *watchStarter, sourceController controller.Controller) error {
	o.configMaps.sourceEvents = make(chan event.GenericEvent)
	if err := sourceController.Watch(source.Channel(o.configMaps.sourceEvents, &handler.EnqueueRequestForObject{})); err != nil {
		return err
	}
	clusters := &v1alpha1.KafkaClusterObservation{}
	register := func(context.Context) error {
		return ctrl.NewControllerManagedBy(mgr).
			Named("configmap").
			WithOptions(controller.Options{
				MaxConcurrentReconciles: o.ConcurrentSyncs,
				RateLimiter:             workqueue.NewTypedItemExponentialFailureRateLimiter[reconcile.Request](retryFirst, retryMost),
			}).
			For(clusters).
			Owns(&corev1.ConfigMap{}).
			Watches(&v1alpha1.InventorySource{}, handler.EnqueueRequestsFromMapFunc(o.observationsOf), builder.WithPredicates(o.sourceEventFilter())).
			Complete(reconcile.Func(o.reconcileConfigMap))
	}
	if !o.ConfigMaps {
		if why, err := starter.missingRight(ctx, &corev1.ConfigMap{}, clusters); why != "" || err != nil {
			return nil
		}
		return register(ctx)
	}
	return starter.whenAllowed(ctx, &corev1.ConfigMap{}, "no ConfigMaps are kept", register, clusters)
}

// sourceEventFilter returns a filter for events about sources. Only these events pass:
//
//   - The source was deleted.
//   - The watch shows the source for the first time.
//   - The source's spec changed.
//   - A person changed the annotation requestedAt to ask for a sync.
//
// The last three pass only if the source has ConfigMaps, or if the flag --endpoint-configmaps is
// set and the source asks for ConfigMaps.
func (o *Options) sourceEventFilter() predicate.Predicate {
	keeps := func(object client.Object) bool {
		s := object.(*v1alpha1.InventorySource)
		return s.Status.ConfigMaps || o.ConfigMaps && s.Spec.KafkaClusters.ConfigMaps == v1alpha1.ConfigMapPolicyEnabled
	}
	return predicate.Funcs{
		CreateFunc: func(e event.CreateEvent) bool { return keeps(e.Object) },
		UpdateFunc: func(e event.UpdateEvent) bool {
			asked := e.ObjectOld.GetAnnotations()[v1alpha1.AnnotationRequestedAt] != e.ObjectNew.GetAnnotations()[v1alpha1.AnnotationRequestedAt]
			return (asked || e.ObjectOld.GetGeneration() != e.ObjectNew.GetGeneration()) && (keeps(e.ObjectOld) || keeps(e.ObjectNew))
		},
	}
}

// observationsOf returns a reconcile request for each KafkaClusterObservation of a source.
func (o *Options) observationsOf(ctx context.Context, source client.Object) []reconcile.Request {
	list := &v1alpha1.KafkaClusterObservationList{}
	err := o.Cluster.List(ctx, list, client.InNamespace(source.GetNamespace()), client.MatchingFields{sourceField: source.GetName()},
		client.UnsafeDisableDeepCopy, client.DisableReadYourWritesConsistency)
	if err != nil {
		log.FromContext(ctx).Error(err, "Looking for the observations of a source")
	}
	return requestsFor(list)
}

// reconcileConfigMap creates, changes or deletes the ConfigMap of one observation. If a write
// fails, the source's status reports the failure. If a read fails, reconcileConfigMap returns an
// error, and controller-runtime calls it again later.
func (o *Options) reconcileConfigMap(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
	again, failed, err := o.followConfigMap(ctx, req.NamespacedName)
	if ctx.Err() != nil {
		return reconcile.Result{}, nil
	}
	if source := o.configMaps.put(req.NamespacedName, failed); source != nil {
		o.tellSource(ctx, *source)
	}
	if err != nil {
		return reconcile.Result{}, err
	}
	return reconcile.Result{RequeueAfter: again}, nil
}

// tellSource starts a reconcile of a source, to update what its status says about ConfigMaps.
func (o *Options) tellSource(ctx context.Context, source client.ObjectKey) {
	if o.configMaps.sourceEvents == nil {
		return
	}
	about := &v1alpha1.InventorySource{ObjectMeta: metav1.ObjectMeta{Namespace: source.Namespace, Name: source.Name}}
	select {
	case <-ctx.Done():
	case o.configMaps.sourceEvents <- event.GenericEvent{Object: about}:
	}
}

// followConfigMap creates or corrects the ConfigMap of an observation. If the source's spec does
// not ask for ConfigMaps, followConfigMap deletes the ConfigMap. The first result is the wait
// before the next check; 0 if no check is planned. The second result is the failure that the
// source's status must report; nil if there is none.
func (o *Options) followConfigMap(ctx context.Context, key client.ObjectKey) (again time.Duration, failed *configMapFailure, err error) {
	cluster := &v1alpha1.KafkaClusterObservation{}
	if err := o.Cluster.Get(ctx, key, cluster, client.DisableReadYourWritesConsistency); err != nil {
		o.configMaps.forget(key)
		return 0, nil, client.IgnoreNotFound(err) // The garbage collector deletes the ConfigMap.
	}
	s := &v1alpha1.InventorySource{}
	of := client.ObjectKey{Namespace: key.Namespace, Name: cluster.Spec.SourceRef.Name}
	err = o.Cluster.Get(ctx, of, s, client.DisableReadYourWritesConsistency)
	if err != nil || !s.DeletionTimestamp.IsZero() || cluster.DeletionTimestamp != nil || !mirror.Owned(cluster, s) {
		return 0, nil, client.IgnoreNotFound(err)
	}
	wanted := s.Spec.KafkaClusters.ConfigMaps == v1alpha1.ConfigMapPolicyEnabled
	if wanted && (!o.ConfigMaps || cluster.Status.Observed == "") { // A new observation has no status yet.
		return 0, nil, nil
	}
	if wanted && !s.Status.ConfigMaps && hasSynced(&s.Status.SyncStatus) {
		// The manager got the rights on ConfigMaps after the last reconcile of the source. The next
		// reconcile sets status.configMaps of the source to true.
		o.tellSource(ctx, of)
	}
	f := &configMapSync{o, o.configMaps.get(key), cluster, s}
	f.retryIfRequested(s.Annotations[v1alpha1.AnnotationRequestedAt])
	var why *failure
	if wanted {
		again, why, err = f.keep(ctx)
	} else {
		again, why, err = f.drop(ctx)
	}
	switch {
	case err != nil:
		why = writeFailure(err.Error())
	case why == nil:
		why = f.failure()
	}
	if again == 0 {
		again = f.untilNextTry(o.Clock.Now())
	}
	if why != nil {
		failed = &configMapFailure{of, *why}
	}
	return again, failed, err
}
