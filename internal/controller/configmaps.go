// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"context"
	"fmt"
	"sync"
	"time"

	"golang.org/x/time/rate"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
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

// The rights are in config/endpoint-configmaps, for those who switch this on.

const (
	// configMapKind names ConfigMaps in metrics, and in messages about them.
	configMapKind = "ConfigMap"
	// takenAgain is when a ConfigMap's name that someone else has is tried again. Nobody
	// tells when it is free: only ConfigMaps of the operator's own are watched.
	takenAgain = time.Minute
	// goingAgain is when one that is being deleted is looked at again.
	goingAgain = time.Second
)

// configMaps knows which ConfigMaps could not be written. It is safe for concurrent use.
type configMaps struct {
	mu sync.Mutex
	// failures are why, by the observation.
	failures map[types.NamespacedName]configMapFailure
	// repairs bound how often a ConfigMap is changed that someone else may change back, by
	// the observation.
	repairs map[types.NamespacedName]*rate.Limiter
	// wake has a source reported of; nil where there is no manager.
	wake chan event.GenericEvent
}

type configMapFailure struct {
	source types.NamespacedName
	failure
}

// allow reports whether a ConfigMap may be changed now: as often as observations are put back,
// so that two who disagree do not go at full speed.
func (c *configMaps) allow(key types.NamespacedName, now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.repairs == nil {
		c.repairs = map[types.NamespacedName]*rate.Limiter{}
	}
	if c.repairs[key] == nil {
		c.repairs[key] = rate.NewLimiter(rate.Every(repairEvery), repairsAtOnce)
	}
	return c.repairs[key].AllowN(now, 1)
}

// forget drops what is known of an observation that is gone.
func (c *configMaps) forget(key types.NamespacedName) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.repairs, key)
}

// put notes why an observation's ConfigMap could not be written, nil where it was, and
// returns the source to report that of, nil if it is not new.
func (c *configMaps) put(key types.NamespacedName, f *configMapFailure) *types.NamespacedName {
	c.mu.Lock()
	defer c.mu.Unlock()
	before, failed := c.failures[key]
	switch {
	case f == nil && !failed, f != nil && before == *f:
		return nil
	case f == nil:
		delete(c.failures, key)
		return &before.source
	case c.failures == nil:
		c.failures = map[types.NamespacedName]configMapFailure{}
	}
	c.failures[key] = *f
	return &f.source
}

// failure says of a source's ConfigMaps how many could not be written and why the first,
// nil if all were.
func (c *configMaps) failure(source types.NamespacedName) *failure {
	c.mu.Lock()
	defer c.mu.Unlock()
	var first string
	var count int
	for key, f := range c.failures {
		if f.source != source {
			continue
		}
		if count++; count == 1 || key.Name < first {
			first = key.Name
		}
	}
	if count == 0 {
		return nil
	}
	why := c.failures[types.NamespacedName{Namespace: source.Namespace, Name: first}]
	return &failure{reason: why.reason, message: fmt.Sprintf("%d ConfigMaps are not written, the first: %s", count, why.message)}
}

// configMapsOf says why ConfigMaps of a source are not written, nil if all that it asks for
// are.
func (r *Reconciler) configMapsOf(source *v1alpha1.InventorySource) *failure {
	switch {
	case source.Spec.KafkaClusters.ConfigMaps != v1alpha1.ConfigMapPolicyEnabled:
		return nil
	case !r.ConfigMaps:
		return &failure{reason: v1alpha1.ReasonConfigMapsOff, message: "spec.kafkaClusters.configMaps is Enabled, and the manager keeps none: " +
			"its flag --endpoint-configmaps is not set"}
	}
	return r.configMaps.failure(client.ObjectKeyFromObject(source))
}

// setupConfigMaps registers the controller of ConfigMaps, and has b watch for sources that
// it has to tell of.
func (r *Reconciler) setupConfigMaps(mgr ctrl.Manager, b *builder.Builder) error {
	r.configMaps.wake = make(chan event.GenericEvent)
	b.WatchesRawSource(source.Channel(r.configMaps.wake, &handler.EnqueueRequestForObject{}))
	return ctrl.NewControllerManagedBy(mgr).
		Named("configmap").
		WithOptions(controller.Options{
			MaxConcurrentReconciles: r.ConcurrentSyncs,
			RateLimiter:             workqueue.NewTypedItemExponentialFailureRateLimiter[reconcile.Request](retryFirst, retryMost),
		}).
		For(&v1alpha1.KafkaClusterObservation{}).
		Owns(&corev1.ConfigMap{}).
		Watches(&v1alpha1.InventorySource{}, handler.EnqueueRequestsFromMapFunc(r.observationsOf),
			builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		Complete(reconcile.Func(r.reconcileConfigMap))
}

// observationsOf maps a source to its clusters' observations.
func (r *Reconciler) observationsOf(ctx context.Context, source client.Object) []reconcile.Request {
	list := &v1alpha1.KafkaClusterObservationList{}
	err := r.Cluster.List(ctx, list, client.InNamespace(source.GetNamespace()), client.MatchingFields{sourceField: source.GetName()},
		client.UnsafeDisableDeepCopy, client.DisableReadYourWritesConsistency)
	if err != nil {
		log.FromContext(ctx).Error(err, "Looking for the observations of a source")
		return nil
	}
	requests := make([]reconcile.Request, len(list.Items))
	for i := range list.Items {
		requests[i].NamespacedName = client.ObjectKeyFromObject(&list.Items[i])
	}
	return requests
}

// reconcileConfigMap makes the ConfigMap of one observation what the source's spec and the
// observation say. What keeps it from that is told in the source's status, by the source's
// next pass. The error is the API server's, and has the request tried again.
func (r *Reconciler) reconcileConfigMap(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
	result, failed, err := r.followConfigMap(ctx, req.NamespacedName)
	if ctx.Err() != nil || apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause) {
		return reconcile.Result{}, nil
	}
	if err != nil && passing(err) {
		return reconcile.Result{RequeueAfter: retryFirst}, nil
	}
	if tell := r.configMaps.put(req.NamespacedName, failed); tell != nil && r.configMaps.wake != nil {
		about := &v1alpha1.InventorySource{ObjectMeta: metav1.ObjectMeta{Namespace: tell.Namespace, Name: tell.Name}}
		select {
		case <-ctx.Done():
		case r.configMaps.wake <- event.GenericEvent{Object: about}:
		}
	}
	return result, err
}

// followConfigMap keeps or deletes the ConfigMap of an observation, as its source's spec says.
func (r *Reconciler) followConfigMap(ctx context.Context, key client.ObjectKey) (result reconcile.Result, failed *configMapFailure, err error) {
	o := &v1alpha1.KafkaClusterObservation{}
	if err := r.Cluster.Get(ctx, key, o, client.DisableReadYourWritesConsistency); err != nil {
		r.configMaps.forget(key)
		return result, nil, client.IgnoreNotFound(err) // The garbage collector does the rest.
	}
	s := &v1alpha1.InventorySource{}
	err = r.Cluster.Get(ctx, sourceOf(o), s, client.DisableReadYourWritesConsistency)
	if err != nil || !s.DeletionTimestamp.IsZero() || o.DeletionTimestamp != nil || !mirror.Owned(o, s) {
		return result, nil, client.IgnoreNotFound(err)
	}
	if s.Spec.KafkaClusters.ConfigMaps != v1alpha1.ConfigMapPolicyEnabled {
		return result, nil, r.dropConfigMap(ctx, o)
	}
	if o.Status.Observed == "" { // Its status comes in a moment.
		return result, nil, nil
	}
	result, taken, err := r.keepConfigMap(ctx, o)
	switch {
	case err != nil:
		failed = &configMapFailure{sourceOf(o), failure{reason: v1alpha1.ReasonWriteFailed, message: mirror.Truncate(err.Error(), maxWords)}}
	case taken != "":
		failed = &configMapFailure{sourceOf(o), failure{reason: v1alpha1.ReasonNameConflict, message: taken}}
	}
	return result, failed, err
}

// keepConfigMap creates or corrects an observation's ConfigMap. taken says who else has its
// name, "" if nobody has.
func (r *Reconciler) keepConfigMap(ctx context.Context, o *v1alpha1.KafkaClusterObservation) (result reconcile.Result, taken string, err error) {
	desired := mirror.ConfigMap(o)
	existing, err := r.configMap(ctx, r.Cluster, desired)
	if err == nil && existing == nil {
		created := desired.DeepCopy()
		err = r.countedMap("create", r.Cluster.Create(ctx, created))
		if !apierrors.IsAlreadyExists(err) {
			return result, "", err
		}
		// It has none of the labels by which the cache knows ours.
		existing, err = r.configMap(ctx, r.APIReader, desired)
	}
	if err != nil || existing == nil {
		return result, "", err
	}
	switch controller := metav1.GetControllerOf(existing); {
	case existing.DeletionTimestamp != nil, precedes(controller, desired):
		return reconcile.Result{RequeueAfter: goingAgain}, "", nil // The garbage collector is at it.
	case !mirror.OwnsConfigMap(o, existing):
		holder := "no controller"
		if controller != nil {
			holder = "controlled by " + controller.Kind + "/" + controller.Name
		}
		return reconcile.Result{RequeueAfter: takenAgain}, fmt.Sprintf("ConfigMap %s is not the operator's (%s); "+
			"delete it, or set spec.kafkaClusters.configMaps to Disabled", existing.Name, holder), nil
	case mirror.SameConfigMap(existing, desired):
		return result, "", nil
	case !r.configMaps.allow(client.ObjectKeyFromObject(existing), r.Clock.Now()):
		return reconcile.Result{RequeueAfter: repairEvery}, "", nil
	case existing.Immutable != nil && *existing.Immutable: // By someone else; it can only be replaced.
		return reconcile.Result{RequeueAfter: retryFirst}, "", r.deleteConfigMap(ctx, existing)
	}
	next := existing.DeepCopy()
	mirror.RestoreConfigMap(next, desired)
	return result, "", r.countedMap("patch", r.Cluster.Patch(ctx, next, optimistic(existing)))
}

// precedes reports whether a controller is a deleted observation of the name of the one that
// is to own a ConfigMap.
func precedes(controller *metav1.OwnerReference, desired *corev1.ConfigMap) bool {
	owner := desired.OwnerReferences[0]
	return controller != nil && mirror.SameNamed(*controller, owner) && controller.UID != owner.UID
}

// dropConfigMap deletes an observation's ConfigMap, if there is one.
func (r *Reconciler) dropConfigMap(ctx context.Context, o *v1alpha1.KafkaClusterObservation) error {
	existing, err := r.configMap(ctx, r.Cluster, o)
	if err != nil || existing == nil || existing.DeletionTimestamp != nil || !mirror.OwnsConfigMap(o, existing) {
		return err
	}
	return r.deleteConfigMap(ctx, existing)
}

// configMap reads the ConfigMap of an object's name, nil if there is none.
func (r *Reconciler) configMap(ctx context.Context, reader client.Reader, of client.Object) (*corev1.ConfigMap, error) {
	existing := &corev1.ConfigMap{}
	err := reader.Get(ctx, client.ObjectKeyFromObject(of), existing, client.DisableReadYourWritesConsistency)
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	return existing, err
}

func (r *Reconciler) deleteConfigMap(ctx context.Context, c *corev1.ConfigMap) error {
	err := r.Cluster.Delete(ctx, c, client.Preconditions{UID: &c.UID, ResourceVersion: &c.ResourceVersion})
	return r.countedMap("delete", client.IgnoreNotFound(err))
}

// countedMap counts a write of a ConfigMap and returns its error.
func (r *Reconciler) countedMap(verb string, err error) error {
	r.Metrics.Wrote(configMapKind, verb, err)
	return err
}
