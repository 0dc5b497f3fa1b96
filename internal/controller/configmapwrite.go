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
	// configMapKind stands for ConfigMaps in the metrics and the log.
	configMapKind = "ConfigMap"
	// takenAgain is the wait before the next look if another ConfigMap has the name, or if a
	// finalizer stops a deletion. The watch may not show when that ends: it shows only ConfigMaps
	// with the operator's label.
	takenAgain = time.Minute
	// goingAgain is the wait before the next look at a ConfigMap that will soon be gone.
	goingAgain = time.Second
)

// following has what one reconcile of an observation's ConfigMap needs.
type following struct {
	*Options
	*configMapState
	cluster *v1alpha1.KafkaClusterObservation
	source  *v1alpha1.InventorySource
}

// keep creates or corrects the ConfigMap. again is how long to wait before the next look; 0 if none
// is planned. why says what prevents the write: another ConfigMap has the name, or a finalizer
// keeps the old ConfigMap. If a write failed, why is nil and f.retry has the failure.
func (f *following) keep(ctx context.Context) (again time.Duration, why *failure, err error) {
	desired := mirror.ConfigMap(f.cluster, &f.source.Spec.KafkaClusters)
	existing, err := f.configMap(ctx, f.Cluster, desired)
	if err == nil && existing == nil && !f.retry.taken() {
		if again = f.write(ctx, configMapWrite{desired: desired}); !f.retry.taken() {
			return again, nil, nil
		}
	}
	if err == nil && existing == nil { // The ConfigMap may lack the label that the cache selects by.
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
		again, why = going(existing)
		return again, why, nil
	case precedes(controller, desired):
		return goingAgain, nil, nil // The garbage collector deletes it.
	case !mirror.OwnsConfigMap(f.cluster, existing):
		holder := "no controller"
		if controller != nil {
			holder = "controlled by " + controller.Kind + "/" + controller.Name
		}
		return takenAgain, &failure{reason: v1alpha1.ReasonNameConflict, message: fmt.Sprintf(
			"ConfigMap %s is not the operator's (%s); delete it, or set spec.kafkaClusters.configMaps to Disabled", existing.Name, holder)}, nil
	case mirror.SameConfigMap(existing, desired):
		f.retry = nil
		return 0, nil, nil
	}
	return f.write(ctx, configMapWrite{existing, desired}), nil, nil
}

// drop deletes the ConfigMap if it exists. again is how long to wait before the next look; 0 if
// none is planned. why says that a finalizer stops the deletion. If the deletion failed, why is nil
// and f.retry has the failure.
func (f *following) drop(ctx context.Context) (again time.Duration, why *failure, err error) {
	existing, err := f.configMap(ctx, f.Cluster, f.cluster)
	unseen := err == nil && existing == nil && f.source.Status.ConfigMaps
	if unseen { // The ConfigMap may lack the label that the cache selects by.
		existing, err = f.configMap(ctx, f.APIReader, f.cluster)
	}
	switch {
	case err != nil:
		return 0, nil, err
	case existing == nil || !mirror.OwnsConfigMap(f.cluster, existing):
		if f.retry = nil; f.idle(f.Clock.Now()) {
			f.configMaps.forget(client.ObjectKeyFromObject(f.cluster))
		}
		return 0, nil, nil
	case existing.DeletionTimestamp != nil:
		f.retry = nil
		again, why = going(existing)
		return again, why, nil
	}
	again = f.attempt(ctx, nil, func() error { return f.deleteConfigMap(ctx, existing) })
	if unseen && f.retry == nil { // The watch does not show this ConfigMap.
		again = goingAgain
	}
	return again, nil, nil
}

// write creates or changes the ConfigMap, unless it must wait, see attempt.
func (f *following) write(ctx context.Context, w configMapWrite) (again time.Duration) {
	return f.attempt(ctx, &w, func() error { return f.writeConfigMap(ctx, &w) })
}

// attempt calls do, which makes the write w of the ConfigMap. w is nil for a deletion. If a failed
// write is not due yet, or if the limit of repairs is reached, attempt does not call do. again is
// how long to wait if the limit is reached; otherwise 0. For a failed write, next returns the wait.
func (f *following) attempt(ctx context.Context, w *configMapWrite, do func() error) (again time.Duration) {
	now := f.Clock.Now()
	if !f.retry.repeats(w, sameConfigMapWrite) {
		f.retry = nil
	}
	if f.retry.waiting(now) {
		return 0
	}
	if !f.repairs.AllowN(now, 1) {
		return repairEvery
	}
	f.retry = f.retry.after(w, asStopped(do()), f.Clock.Now(), f.source.GetInterval())
	if why := f.failure(); why != nil && ctx.Err() == nil {
		log.FromContext(ctx).Info("Writing failed", "kind", configMapKind, "cause", why.message)
	}
	return 0
}

// writeConfigMap creates, changes or replaces a ConfigMap. If someone else changed the ConfigMap
// after it was read, the request fails.
func (o *Options) writeConfigMap(ctx context.Context, w *configMapWrite) error {
	answer := w.desired.DeepCopy()
	switch existing := w.existing; {
	case existing != nil && (existing.Immutable == nil || !*existing.Immutable):
		answer = existing.DeepCopy()
		mirror.RestoreConfigMap(answer, w.desired.DeepCopy())
		if err := o.countedMap("patch", o.Cluster.Patch(ctx, answer, optimistic(existing))); err != nil {
			return fmt.Errorf("changing ConfigMap %s: %w", existing.Name, err)
		}
	case existing != nil: // An immutable ConfigMap can only be replaced.
		if err := o.admitted(ctx, w.desired); err != nil {
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

// admitted returns the error with which the API server would refuse to create a ConfigMap, although
// one with this name exists: quotas and admission policies come before the name.
func (o *Options) admitted(ctx context.Context, c *corev1.ConfigMap) error {
	err := o.Cluster.Create(ctx, c.DeepCopy(), client.DryRunAll, client.DisableReadYourWritesConsistency)
	if apierrors.IsAlreadyExists(err) {
		return nil
	}
	return err
}

func unwritten(message string) *failure {
	return &failure{reason: v1alpha1.ReasonWriteFailed, message: mirror.Truncate(message, maxWords)}
}

// going returns how long to wait before the next look at a ConfigMap that is being deleted. If the
// ConfigMap waits for finalizers, why names them.
func going(c *corev1.ConfigMap) (again time.Duration, why *failure) {
	if len(c.Finalizers) == 0 {
		return goingAgain, nil
	}
	return takenAgain, unwritten(fmt.Sprintf("ConfigMap %s is being deleted and waits for its finalizers: %s", c.Name, mirror.Names(c.Finalizers)))
}

// precedes reports whether controller is a deleted observation that had the same name as the
// present owner of desired.
func precedes(controller *metav1.OwnerReference, desired *corev1.ConfigMap) bool {
	owner := desired.OwnerReferences[0]
	return controller != nil && mirror.SameNamed(*controller, owner) && controller.UID != owner.UID
}

// configMap reads the ConfigMap that has the name and namespace of object. It returns nil if there
// is none.
func (*Options) configMap(ctx context.Context, reader client.Reader, object client.Object) (*corev1.ConfigMap, error) {
	existing := &corev1.ConfigMap{}
	err := caughtUp(ctx, func(ctx context.Context, consistency ...client.GetOption) error {
		return reader.Get(ctx, client.ObjectKeyFromObject(object), existing, consistency...)
	}, client.GetOption(client.DisableReadYourWritesConsistency))
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	return existing, err
}

// deleteConfigMap deletes a ConfigMap. If someone else changed the ConfigMap after it was read, the
// request fails. NotFound is an error too: a webhook may have answered so, and the next look shows
// whether the ConfigMap is gone.
func (o *Options) deleteConfigMap(ctx context.Context, c *corev1.ConfigMap) error {
	err := o.Cluster.Delete(ctx, c, client.Preconditions{UID: &c.UID, ResourceVersion: &c.ResourceVersion})
	if o.countedMap("delete", err) != nil {
		return fmt.Errorf("deleting ConfigMap %s: %w", c.Name, err)
	}
	return nil
}

// countedMap counts a write of a ConfigMap in the metrics, and returns err.
func (o *Options) countedMap(verb string, err error) error {
	o.Metrics.Wrote(configMapKind, verb, err)
	return err
}
