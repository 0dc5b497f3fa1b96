// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
	"github.com/ccloud-dev/inventory-operator/internal/mirror"
)

const (
	// configMapKind is the name that metrics and log lines use for ConfigMaps.
	configMapKind = "ConfigMap"
	// takenAgain is the wait before the next check of a ConfigMap in these cases:
	//
	//   - The ConfigMap belongs to someone else, but has the name that the operator needs.
	//   - Finalizers delay the deletion of the ConfigMap.
	//   - The ConfigMap's observation was deleted, and Kubernetes' garbage collector needs a
	//     minute or longer to delete the ConfigMap.
	takenAgain = time.Minute
	// goingAgain is the wait before the next check of a ConfigMap that is being deleted and has no
	// finalizers. If Kubernetes' garbage collector must delete the ConfigMap, the wait grows from
	// goingAgain to takenAgain.
	goingAgain = time.Second
)

// configMapSync has the values that one reconcile of a ConfigMap needs.
type configMapSync struct {
	*Options
	*configMapState
	cluster *v1alpha1.KafkaClusterObservation
	source  *v1alpha1.InventorySource
}

// keep creates or corrects the ConfigMap of the observation f.cluster.
//
//   - The first result is the wait before the next check; 0 if no check is planned.
//   - The second result says what prevents the write, for example another client's ConfigMap with
//     the same name.
//   - The third result is the error of a read of the ConfigMap.
//   - If the API server refuses the write for another reason, all results are zero, and
//     f.lastFailure has the error.
func (f *configMapSync) keep(ctx context.Context) (again time.Duration, why *failure, err error) {
	desired := mirror.ConfigMap(f.cluster, &f.source.Spec.KafkaClusters)
	existing, err := f.configMap(ctx, f.Cluster, desired)
	if err == nil && existing == nil && !f.lastFailure.nameTaken() {
		if again = f.write(ctx, configMapWrite{desired: desired}); !f.lastFailure.nameTaken() {
			return again, nil, nil
		}
	}
	if err == nil && existing == nil { // The cache has only ConfigMaps with the operator's label.
		existing, err = f.configMap(ctx, f.APIReader, desired)
	}
	if err != nil {
		return 0, nil, err
	}
	if existing == nil { // The name is free again.
		return f.write(ctx, configMapWrite{desired: desired}), nil, nil
	}
	switch controller := metav1.GetControllerOf(existing); {
	case existing.DeletionTimestamp != nil:
		again, why = deletionWait(existing)
		return again, why, nil
	case isPredecessor(controller, desired):
		again, why = f.predecessorWait(existing)
		return again, why, nil
	case !mirror.OwnsConfigMap(f.cluster, existing):
		holder := "no controller"
		if controller != nil {
			holder = "controlled by " + controller.Kind + "/" + controller.Name
		}
		return takenAgain, &failure{reason: v1alpha1.ReasonNameConflict, message: fmt.Sprintf(
			"ConfigMap %s is not the operator's (%s); delete it, or set spec.kafkaClusters.configMaps to Disabled", existing.Name, holder)}, nil
	case mirror.SameConfigMap(existing, desired):
		f.lastFailure = nil
		return 0, nil, nil
	}
	return f.write(ctx, configMapWrite{existing, desired}), nil, nil
}

// drop deletes the ConfigMap of the observation f.cluster, if there is one. Before that, it reads the
// source from the API server, because the cache may be out of date. It keeps a ConfigMap
// that someone else made. If status.configMaps of the source is false, it also keeps a ConfigMap
// without a controlling ownerReference, because a person made this ConfigMap.
//
//   - The first result is the wait before the next check; 0 if no check is planned.
//   - The second result is a failure if finalizers delay the deletion.
//   - The third result is the error of a read of the ConfigMap.
//   - If the read of the source or the deletion fails, all results are zero, and f.lastFailure has
//     the error.
func (f *configMapSync) drop(ctx context.Context) (again time.Duration, why *failure, err error) {
	existing, err := f.configMap(ctx, f.Cluster, f.cluster)
	unseen := err == nil && existing == nil && f.source.Status.ConfigMaps
	if unseen { // The cache has only ConfigMaps with the operator's label.
		existing, err = f.configMap(ctx, f.APIReader, f.cluster)
	}
	switch {
	case err != nil:
		return 0, nil, err
	case existing == nil || !mirror.OwnsConfigMap(f.cluster, existing),
		!f.source.Status.ConfigMaps && metav1.GetControllerOf(existing) == nil:
		if f.lastFailure = nil; f.repairsIdle(f.Clock.Now()) {
			f.configMaps.forget(client.ObjectKeyFromObject(f.cluster))
		}
		return 0, nil, nil
	case existing.DeletionTimestamp != nil:
		f.lastFailure = nil
		again, why = deletionWait(existing)
		return again, why, nil
	}
	again = f.attempt(ctx, nil, func() error {
		found, err := f.readUndeleted(ctx, &v1alpha1.InventorySourceList{}, f.source)
		if err != nil || found == nil || found.(*v1alpha1.InventorySource).Spec.KafkaClusters.ConfigMaps == v1alpha1.ConfigMapPolicyEnabled {
			return err // The watch will report how the source is now.
		}
		return f.deleteConfigMap(ctx, existing)
	})
	if unseen && f.lastFailure == nil { // The watch does not show this ConfigMap.
		again = goingAgain
	}
	return again, nil, nil
}

// write creates or changes the ConfigMap. If there were too many writes in a short time, write does
// nothing and returns the wait before the next try. In all other cases, the result is 0.
//
// If the write would make a deleted observation an owner of the ConfigMap, write does nothing. With
// a deleted owner, Kubernetes' garbage collector would delete the ConfigMap.
func (f *configMapSync) write(ctx context.Context, w configMapWrite) (again time.Duration) {
	return f.attempt(ctx, &w, func() error {
		if w.existing == nil || mirror.Claims(f.cluster, w.existing, w.desired) {
			if found, err := f.readUndeleted(ctx, &v1alpha1.KafkaClusterObservationList{}, f.cluster); err != nil || found == nil {
				return err
			}
		}
		return f.writeConfigMap(ctx, &w)
	})
}

// attempt calls doWrite, which writes or deletes the ConfigMap. w is the write; nil for a deletion.
// If doWrite fails, attempt stores the error in f.lastFailure. In two cases attempt does not call
// doWrite:
//
//   - The same write failed before, and it is too early for the next try. The result is 0.
//   - There were too many writes in a short time. The result is the wait before the next try.
//
// If attempt calls doWrite, the result is 0.
func (f *configMapSync) attempt(ctx context.Context, w *configMapWrite, doWrite func() error) (again time.Duration) {
	now := f.Clock.Now()
	if !f.lastFailure.repeatsFailedWrite(w, sameConfigMapWrite) {
		f.lastFailure = nil
	}
	if f.lastFailure.mustWait(now) {
		return 0
	}
	if !f.repairs.AllowN(now, 1) {
		return repairEvery
	}
	f.lastFailure = f.lastFailure.afterAttempt(w, asStopped(doWrite()), f.Clock.Now(), f.source.GetInterval())
	if why := f.failure(); why != nil && ctx.Err() == nil {
		log.FromContext(ctx).Info("Writing failed", "kind", configMapKind, "cause", why.message)
	}
	return 0
}

// writeConfigMap creates, changes or replaces a ConfigMap. If another client changed the ConfigMap
// after the manager read it, the API server refuses the write.
func (o *Options) writeConfigMap(ctx context.Context, w *configMapWrite) error {
	answer := w.desired.DeepCopy()
	switch existing := w.existing; {
	case existing != nil && (existing.Immutable == nil || !*existing.Immutable || mirror.SameConfigMapData(existing, w.desired)):
		answer = existing.DeepCopy()
		mirror.RestoreConfigMap(answer, w.desired.DeepCopy())
		if err := o.countedMap("patch", o.Cluster.Patch(ctx, answer, optimisticPatch(existing))); err != nil {
			return fmt.Errorf("changing ConfigMap %s: %w", existing.Name, err)
		}
	case existing != nil: // The data of an immutable ConfigMap cannot be changed.
		merged := existing.DeepCopy()
		mirror.RestoreConfigMap(merged, w.desired.DeepCopy())
		answer.Labels, answer.Annotations, answer.OwnerReferences = merged.Labels, merged.Annotations, merged.OwnerReferences
		if err := o.checkAdmission(ctx, answer); err != nil {
			return fmt.Errorf("replacing ConfigMap %s, which is immutable: %w", existing.Name, o.countedMap("create", err))
		}
		if err := o.deleteConfigMap(ctx, existing); err != nil {
			return err
		}
		fallthrough
	default:
		if err := o.countedMap("create", o.Cluster.Create(ctx, answer)); err != nil {
			return fmt.Errorf("creating ConfigMap %s: %w", w.desired.Name, err)
		}
	}
	if w.existing = answer; !mirror.SameConfigMap(answer, w.desired) {
		return notStored{fmt.Errorf("ConfigMap %s was stored otherwise than it was sent: an admission policy changes it", answer.Name)}
	}
	return nil
}

// checkAdmission creates a ConfigMap as a dry run. The result is the API server's error, for
// example that a quota is used up. For the error AlreadyExists, the result is nil, because the
// caller deletes the old ConfigMap before it creates the new one.
func (o *Options) checkAdmission(ctx context.Context, c *corev1.ConfigMap) error {
	err := o.Cluster.Create(ctx, c.DeepCopy(), client.DryRunAll, client.DisableReadYourWritesConsistency)
	if apierrors.IsAlreadyExists(err) {
		return nil
	}
	return err
}

func writeFailure(message string) *failure {
	return &failure{reason: v1alpha1.ReasonWriteFailed, message: mirror.Truncate(message, maxWords)}
}

// deletionWait returns the wait before the next check of a ConfigMap that is being deleted. If the
// ConfigMap has finalizers, the second result names them. If not, the second result is nil.
func deletionWait(c *corev1.ConfigMap) (again time.Duration, why *failure) {
	if len(c.Finalizers) == 0 {
		return goingAgain, nil
	}
	return takenAgain, writeFailure(fmt.Sprintf("ConfigMap %s is being deleted and waits for its finalizers: %s", c.Name, mirror.Names(c.Finalizers)))
}

// isPredecessor reports whether controllerRef refers to a deleted observation: controllerRef has
// the same name as the ownerReference of the desired ConfigMap, but another UID.
func isPredecessor(controllerRef *metav1.OwnerReference, desired *corev1.ConfigMap) bool {
	owner := desired.OwnerReferences[0]
	return controllerRef != nil && mirror.SameNamed(*controllerRef, owner) && controllerRef.UID != owner.UID
}

// predecessorWait returns the wait before the next check of a ConfigMap that the garbage collector
// must delete, because its observation was deleted. The wait grows from goingAgain to takenAgain.
// When the wait reaches takenAgain, the second result is a failure; before that, nil.
func (f *configMapSync) predecessorWait(c *corev1.ConfigMap) (again time.Duration, why *failure) {
	since := f.cluster.CreationTimestamp.Time
	if c.CreationTimestamp.After(since) { // For example, a backup tool restored the ConfigMap.
		since = c.CreationTimestamp.Time
	}
	again = min(max(f.Clock.Now().Sub(since), goingAgain), takenAgain)
	if again == takenAgain {
		why = writeFailure(fmt.Sprintf("ConfigMap %s belongs to a deleted KafkaClusterObservation of the same name, and waits for the garbage collector", c.Name))
	}
	return again, why
}

// configMap reads the ConfigMap with the namespace and name of an object. If there is none,
// configMap returns nil.
func (*Options) configMap(ctx context.Context, reader client.Reader, object client.Object) (*corev1.ConfigMap, error) {
	existing := &corev1.ConfigMap{}
	err := readCaughtUp(ctx, func(ctx context.Context, consistency ...client.GetOption) error {
		return reader.Get(ctx, client.ObjectKeyFromObject(object), existing, consistency...)
	}, client.GetOption(client.DisableReadYourWritesConsistency))
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	return existing, err
}

// deleteConfigMap deletes a ConfigMap. If another client changed the ConfigMap after the manager
// read it, the API server refuses the deletion. Do not ignore the error NotFound, because a webhook
// can answer NotFound for a ConfigMap that exists.
func (o *Options) deleteConfigMap(ctx context.Context, c *corev1.ConfigMap) error {
	err := o.Cluster.Delete(ctx, c, client.Preconditions{UID: &c.UID, ResourceVersion: &c.ResourceVersion})
	if o.countedMap("delete", err) != nil {
		return fmt.Errorf("deleting ConfigMap %s: %w", c.Name, err)
	}
	return nil
}

// countedMap counts one write of a ConfigMap in the metrics. err is the result of the write;
// countedMap returns err unchanged.
func (o *Options) countedMap(verb string, err error) error {
	o.Metrics.Wrote(configMapKind, verb, err)
	return err
}
