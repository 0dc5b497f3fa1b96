// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
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

// The rights for this feature are in config/endpoint-configmaps.

const (
	// configMapKind names ConfigMaps in metrics, and in messages about them.
	configMapKind = "ConfigMap"
	// takenAgain is the wait before trying again a name that another ConfigMap has. No watch shows
	// when the name is free: the manager watches only the operator's own ConfigMaps.
	takenAgain = time.Minute
	// goingAgain is the wait before looking again at a ConfigMap that is being deleted.
	goingAgain = time.Second
)

// configMapsOf returns why the ConfigMaps of a source are not as its spec asks; nil if they are.
func (o *Options) configMapsOf(ctx context.Context, owner owner, k *kind) *failure {
	source := owner.object().(*v1alpha1.InventorySource)
	if !k.withConfigMaps {
		return nil
	}
	if source.Spec.KafkaClusters.ConfigMaps == v1alpha1.ConfigMapPolicyEnabled {
		if !o.ConfigMaps {
			return &failure{reason: v1alpha1.ReasonConfigMapsOff, message: "spec.kafkaClusters.configMaps is Enabled, and the manager keeps none: " +
				"its flag --endpoint-configmaps is not set"}
		}
		if why := o.watches.why(&corev1.ConfigMap{}); why != "" {
			return &failure{reason: v1alpha1.ReasonConfigMapsOff, message: "spec.kafkaClusters.configMaps is Enabled, and the manager keeps none: " + why +
				", as config/endpoint-configmaps does"}
		}
	}
	if f := o.configMaps.failure(client.ObjectKeyFromObject(source)); f != nil || o.ConfigMaps && o.Watched(&corev1.ConfigMap{}) {
		return f
	}
	return o.leftConfigMaps(ctx, source)
}

// setupConfigMaps registers the controller of ConfigMaps once the manager may watch them. It also
// makes the controller of sources watch for failures that a source must report. If the flag is not
// set but the rights are there, the controller only deletes ConfigMaps that are no longer wanted.
func (o *Options) setupConfigMaps(ctx context.Context, mgr ctrl.Manager, begin *beginner, sources controller.Controller) error {
	o.configMaps.wake = make(chan event.GenericEvent)
	if err := sources.Watch(source.Channel(o.configMaps.wake, &handler.EnqueueRequestForObject{})); err != nil {
		return err
	}
	register := func(context.Context) error {
		return ctrl.NewControllerManagedBy(mgr).
			Named("configmap").
			WithOptions(controller.Options{
				MaxConcurrentReconciles: o.ConcurrentSyncs,
				RateLimiter:             workqueue.NewTypedItemExponentialFailureRateLimiter[reconcile.Request](retryFirst, retryMost),
			}).
			For(&v1alpha1.KafkaClusterObservation{}).
			Owns(&corev1.ConfigMap{}).
			Watches(&v1alpha1.InventorySource{}, handler.EnqueueRequestsFromMapFunc(o.observationsOf),
				builder.WithPredicates(predicate.Or(predicate.GenerationChangedPredicate{}, requested))).
			Complete(reconcile.Func(o.reconcileConfigMap))
	}
	if !o.ConfigMaps {
		if why, err := begin.lacking(ctx, &corev1.ConfigMap{}); why != "" || err != nil {
			return nil
		}
		return register(ctx)
	}
	return begin.whenAllowed(ctx, &corev1.ConfigMap{}, "no ConfigMaps are kept", register)
}

// requested lets a source through if its annotation requestedAt changed.
var requested = predicate.Funcs{
	CreateFunc: func(event.CreateEvent) bool { return false },
	DeleteFunc: func(event.DeleteEvent) bool { return false },
	UpdateFunc: func(e event.UpdateEvent) bool {
		return e.ObjectOld.GetAnnotations()[v1alpha1.AnnotationRequestedAt] != e.ObjectNew.GetAnnotations()[v1alpha1.AnnotationRequestedAt]
	},
}

// observationsOf returns requests for the clusters' observations of a source.
func (o *Options) observationsOf(ctx context.Context, source client.Object) []reconcile.Request {
	list := &v1alpha1.KafkaClusterObservationList{}
	err := o.Cluster.List(ctx, list, client.InNamespace(source.GetNamespace()), client.MatchingFields{sourceField: source.GetName()},
		client.UnsafeDisableDeepCopy, client.DisableReadYourWritesConsistency)
	if err != nil {
		log.FromContext(ctx).Error(err, "Looking for the observations of a source")
	}
	return requestsFor(list)
}

// reconcileConfigMap makes the ConfigMap of one observation agree with the observation and the
// source's spec. If that fails, the source is woken and reports it in its status. The error is the
// API server's; the request is then tried again.
func (o *Options) reconcileConfigMap(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
	result, failed, err := o.followConfigMap(ctx, req.NamespacedName)
	if ctx.Err() != nil || apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause) {
		return reconcile.Result{}, nil
	}
	if err != nil && passing(err) {
		return reconcile.Result{RequeueAfter: retryFirst}, nil
	}
	if tell := o.configMaps.put(req.NamespacedName, failed); tell != nil && o.configMaps.wake != nil {
		about := &v1alpha1.InventorySource{ObjectMeta: metav1.ObjectMeta{Namespace: tell.Namespace, Name: tell.Name}}
		select {
		case <-ctx.Done():
		case o.configMaps.wake <- event.GenericEvent{Object: about}:
		}
	}
	return result, err
}

// followConfigMap keeps or deletes the ConfigMap of an observation, as its source's spec says.
// failed says what prevents that; nil if nothing does.
func (o *Options) followConfigMap(ctx context.Context, key client.ObjectKey) (result reconcile.Result, failed *configMapFailure, err error) {
	cluster := &v1alpha1.KafkaClusterObservation{}
	if err := o.Cluster.Get(ctx, key, cluster, client.DisableReadYourWritesConsistency); err != nil {
		o.configMaps.forget(key)
		return result, nil, client.IgnoreNotFound(err) // The garbage collector does the rest.
	}
	s := &v1alpha1.InventorySource{}
	of := client.ObjectKey{Namespace: key.Namespace, Name: cluster.Spec.SourceRef.Name}
	err = o.Cluster.Get(ctx, of, s, client.DisableReadYourWritesConsistency)
	if err != nil || !s.DeletionTimestamp.IsZero() || cluster.DeletionTimestamp != nil || !mirror.Owned(cluster, s) {
		return result, nil, client.IgnoreNotFound(err)
	}
	wanted := s.Spec.KafkaClusters.ConfigMaps == v1alpha1.ConfigMapPolicyEnabled
	var why *failure
	switch {
	case !wanted:
		why, err = o.dropConfigMap(ctx, cluster)
	case !o.ConfigMaps, cluster.Status.Observed == "": // The status of a new observation comes in a moment.
		return result, nil, nil
	default:
		result, why, err = o.keepConfigMap(ctx, cluster, &s.Spec.KafkaClusters)
	}
	switch {
	case err != nil:
		failed = &configMapFailure{of, failure{reason: v1alpha1.ReasonWriteFailed, message: mirror.Truncate(err.Error(), maxWords)}}
	case why != nil:
		failed = &configMapFailure{of, *why}
	}
	return result, failed, err
}

// keepConfigMap creates or corrects an observation's ConfigMap. why says what prevents that:
// another object has the name, a finalizer keeps the old ConfigMap, or an admission policy changes
// it. It is nil if nothing does.
func (o *Options) keepConfigMap(ctx context.Context, cluster *v1alpha1.KafkaClusterObservation, selection *v1alpha1.KafkaClusterSelection) (result reconcile.Result, why *failure, err error) {
	desired := mirror.ConfigMap(cluster, selection)
	existing, err := o.configMap(ctx, o.Cluster, desired)
	if err == nil && existing == nil {
		created := desired.DeepCopy()
		err = o.countedMap("create", o.Cluster.Create(ctx, created))
		if err == nil {
			return o.sent(created, desired)
		}
		if !apierrors.IsAlreadyExists(err) {
			return result, nil, err
		}
		// It may lack the label by which the cache finds the operator's ConfigMaps.
		existing, err = o.configMap(ctx, o.APIReader, desired)
	}
	if err != nil || existing == nil {
		return result, nil, err
	}
	switch controller := metav1.GetControllerOf(existing); {
	case existing.DeletionTimestamp != nil:
		return reconcile.Result{RequeueAfter: goingAgain}, stuck(existing), nil
	case precedes(controller, desired):
		return reconcile.Result{RequeueAfter: goingAgain}, nil, nil // The garbage collector deletes it.
	case !mirror.OwnsConfigMap(cluster, existing):
		holder := "no controller"
		if controller != nil {
			holder = "controlled by " + controller.Kind + "/" + controller.Name
		}
		return reconcile.Result{RequeueAfter: takenAgain}, &failure{reason: v1alpha1.ReasonNameConflict, message: fmt.Sprintf(
			"ConfigMap %s is not the operator's (%s); delete it, or set spec.kafkaClusters.configMaps to Disabled", existing.Name, holder)}, nil
	case mirror.SameConfigMap(existing, desired):
		return o.sent(existing, desired)
	case !o.configMaps.allow(client.ObjectKeyFromObject(existing), o.Clock.Now()):
		return reconcile.Result{RequeueAfter: repairEvery}, nil, nil
	case existing.Immutable != nil && *existing.Immutable: // Someone else set it; the ConfigMap can only be replaced.
		return reconcile.Result{RequeueAfter: retryFirst}, nil, o.deleteConfigMap(ctx, existing)
	}
	if wait, why := o.configMaps.waiting(desired, o.Clock.Now()); wait > 0 {
		return reconcile.Result{RequeueAfter: wait}, unstored(why), nil
	}
	next := existing.DeepCopy()
	mirror.RestoreConfigMap(next, desired)
	if err := o.countedMap("patch", o.Cluster.Patch(ctx, next, optimistic(existing))); err != nil {
		return result, nil, err
	}
	return o.sent(next, desired)
}

// sent compares the API server's answer to a write with the ConfigMap that was sent. If they
// differ, it returns when to send it again, and why.
func (o *Options) sent(answer, desired *corev1.ConfigMap) (result reconcile.Result, why *failure, err error) {
	if !mirror.SameConfigMap(answer, desired) {
		err = fmt.Errorf("ConfigMap %s was stored otherwise than it was sent: an admission policy changes it", desired.Name)
		why = unstored(err.Error())
	}
	wait := o.configMaps.stored(desired, err, o.Clock.Now())
	return reconcile.Result{RequeueAfter: wait}, why, nil
}

func unstored(message string) *failure {
	return &failure{reason: v1alpha1.ReasonWriteFailed, message: message}
}

// stuck returns a failure if a ConfigMap that is being deleted waits for its finalizers; nil if it
// has none.
func stuck(c *corev1.ConfigMap) *failure {
	if len(c.Finalizers) == 0 {
		return nil
	}
	return unstored(fmt.Sprintf("ConfigMap %s is being deleted and waits for its finalizers: %s", c.Name, mirror.Names(c.Finalizers)))
}

// precedes reports whether controller refers to a deleted observation that had the same name as the
// ConfigMap's present owner.
func precedes(controller *metav1.OwnerReference, desired *corev1.ConfigMap) bool {
	owner := desired.OwnerReferences[0]
	return controller != nil && mirror.SameNamed(*controller, owner) && controller.UID != owner.UID
}

// dropConfigMap deletes an observation's ConfigMap, if there is one. why says what prevents that;
// nil if nothing does.
func (o *Options) dropConfigMap(ctx context.Context, cluster *v1alpha1.KafkaClusterObservation) (why *failure, err error) {
	existing, err := o.configMap(ctx, o.Cluster, cluster)
	switch {
	case err != nil || existing == nil || !mirror.OwnsConfigMap(cluster, existing):
		return nil, err
	case existing.DeletionTimestamp == nil:
		return nil, o.deleteConfigMap(ctx, existing)
	}
	return stuck(existing), nil
}

// configMap reads the ConfigMap that has an object's name; nil if there is none.
func (*Options) configMap(ctx context.Context, reader client.Reader, of client.Object) (*corev1.ConfigMap, error) {
	existing := &corev1.ConfigMap{}
	err := caughtUp(ctx, func(ctx context.Context, consistency ...client.GetOption) error {
		return reader.Get(ctx, client.ObjectKeyFromObject(of), existing, consistency...)
	}, client.GetOption(client.DisableReadYourWritesConsistency))
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	return existing, err
}

func (o *Options) deleteConfigMap(ctx context.Context, c *corev1.ConfigMap) error {
	err := o.Cluster.Delete(ctx, c, client.Preconditions{UID: &c.UID, ResourceVersion: &c.ResourceVersion})
	return o.countedMap("delete", client.IgnoreNotFound(err))
}

// countedMap counts a write of a ConfigMap and returns its error.
func (o *Options) countedMap(verb string, err error) error {
	o.Metrics.Wrote(configMapKind, verb, err)
	return err
}
