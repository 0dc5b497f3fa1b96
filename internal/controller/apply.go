// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
	"github.com/ccloud-dev/inventory-operator/internal/mirror"
)

// writeResult says what one reconcile wrote.
type writeResult struct {
	written, deleted int
	// presentSources has the sources of a discovery as they are after the writes, by name.
	// Sources that are being deleted are not in the map. The map is nil if the reconcile did not
	// read all sources.
	presentSources map[string]mirror.Object
}

// apply makes the deletions and writes that are due. If one fails, apply goes on with the others,
// and a later reconcile tries the failed one again. The deletions come first, so that the owner
// has little time to change between the call of checkOwner and the deletions.
func (r *Reconciler) apply(ctx context.Context, o owner, s *state, todo plans) writeResult {
	var all writeResult
	present := make([]map[string]mirror.Object, len(todo))
	for i := range todo {
		k, state, plan := &r.owners.kinds[i], &s.kinds[i], &todo[i]
		r.Metrics.Skipped(k.Name, plan.changes.Unchanged)
		state.plannedWrites = len(plan.changes.Writes) + len(plan.changes.Deletes) + len(plan.changes.Deferred)
		present[i] = plan.presentObjects()
		deleted := r.deleteAll(ctx, o, k, state, plan, present[i])
		all.deleted += len(deleted)
		r.tellPruned(ctx, k, o, deleted)
	}
	for i := range todo {
		k, state, plan := &r.owners.kinds[i], &s.kinds[i], &todo[i]
		all.presentSources = present[i]
		written := r.writeAll(ctx, o, k, state, plan, present[i])
		all.written += len(written)
		r.tellObserved(k, o, written)
		if f := state.writeFailure(k.Name); f != nil {
			log.FromContext(ctx).Info("Writing failed", "kind", k.Name, "cause", f.message)
		}
	}
	return all
}

// presentObjects returns the plan's existing objects by name, without objects that are being
// deleted. If the plan does not cover all objects of the kind, presentObjects returns nil.
func (p *plan) presentObjects() map[string]mirror.Object {
	if !p.allObjects {
		return nil
	}
	present := make(map[string]mirror.Object, len(p.existing))
	for _, o := range p.existing {
		if o.GetDeletionTimestamp() == nil {
			present[o.GetName()] = o
		}
	}
	return present
}

// writeAll makes the writes that are due and returns the writes that succeeded. If the map of present
// objects is not nil, writeAll puts the written objects into the map.
func (r *Reconciler) writeAll(ctx context.Context, o owner, k *kind, state *kindState, plan *plan, present map[string]mirror.Object) []mirror.Write {
	writes := plan.dueWrites
	answers := make([]client.Object, len(writes))
	errs := r.inParallel(ctx, len(writes), func(n int) (err error) {
		answers[n], err = r.write(ctx, k, writes[n])
		return err
	})
	var written []mirror.Write
	for n, w := range writes {
		state.retries.noteResult(w.Desired.GetName(), &writes[n], errs[n], r.Clock.Now(), o.settings().interval)
		if errs[n] == nil {
			written = append(written, w)
		}
		if errs[n] == nil || errors.As(errs[n], new(notStored)) {
			state.appliedNames.Add(w)
		}
		if answers[n] == nil {
			continue
		}
		if w.Existing == nil {
			state.report.Created(k.Kind, w.Desired, plan.allObjects)
		}
		if present != nil {
			present[w.Desired.GetName()] = answers[n]
		}
		if w.Existing != nil {
			state.knownChecksum.remove(w.Existing)
		}
		state.knownChecksum.add(answers[n])
	}
	return written
}

// deleteAll makes the deletions that are due and returns the deleted objects. It removes them from the
// map of present objects.
func (r *Reconciler) deleteAll(ctx context.Context, owner owner, k *kind, state *kindState, plan *plan, present map[string]mirror.Object) []mirror.Object {
	deletes := plan.dueDeletes
	if len(deletes) > 0 {
		state.report.Approved.BeginDeletes()
	}
	errs := r.inParallel(ctx, len(deletes), func(n int) error { return r.delete(ctx, k, deletes[n]) })
	var deleted []mirror.Object
	for n, o := range deletes {
		state.retries.noteResult(o.GetName(), nil, errs[n], r.Clock.Now(), owner.settings().interval)
		if errs[n] == nil {
			deleted = append(deleted, o)
			delete(present, o.GetName())
			state.report.Deleted(o)
			state.knownChecksum.remove(o)
		}
	}
	return deleted
}

// notStored means that the API server accepted a write but stored something else, for example
// because an admission policy changed the object.
type notStored struct{ error }

func (e notStored) Unwrap() error { return e.error }

// errStopped means that a write was not made, because the manager stops or the namespace is being
// deleted.
var errStopped = errors.New("not written: the manager stops, or the namespace is being deleted")

// asStopped marks an error as errStopped if the API server says that the namespace is being
// deleted.
func asStopped(err error) error {
	if apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause) {
		return fmt.Errorf("%w: %w", errStopped, err)
	}
	return err
}

// inParallel calls doOne with each number from 0 to n-1. It returns the error of each call, in the
// order of the numbers. At most cap(r.Writers) calls run at the same time in the whole manager.
//
// If ctx ends, or if a call fails because the namespace is being deleted, no further call begins.
// The error of a call that did not begin is errStopped.
func (r *Reconciler) inParallel(ctx context.Context, n int, doOne func(int) error) []error {
	errs := make([]error, n)
	var stopped atomic.Bool
	var wait sync.WaitGroup
	for i := range n {
		acquired := false
		if ctx.Err() == nil { // If ctx has ended, select could still choose the second case.
			select {
			case <-ctx.Done():
			case r.Writers <- struct{}{}:
				acquired = true
			}
		}
		if !acquired || stopped.Load() {
			errs[i] = errStopped
			if acquired {
				<-r.Writers
			}
			continue
		}
		wait.Go(func() {
			defer func() { <-r.Writers }()
			errs[i] = doOne(i)
			if errs[i] = asStopped(errs[i]); errors.Is(errs[i], errStopped) {
				stopped.Store(true)
			}
		})
	}
	wait.Wait()
	return errs
}

// write creates or changes one object, and returns the object as the API server has it after the
// write. If the creation fails, the first result is nil. If another client changed the object after
// the manager read it, the API server refuses the write.
func (r *Reconciler) write(ctx context.Context, k *kind, w mirror.Write) (client.Object, error) {
	name := w.Desired.GetName()
	if err := r.checkVisible(w.Desired); err != nil {
		return asObject(w.Existing), err
	}
	answer := asObject(w.Existing)
	switch {
	case answer == nil:
		created := w.Desired.DeepCopyObject().(client.Object)
		if k.InStatus {
			k.CopyContent(created, k.newObject()) // The API server ignores the status in a create.
		}
		if err := r.countWrite(k, "create", r.Cluster.Create(ctx, created)); err != nil {
			return nil, fmt.Errorf("creating %s: %w", name, err)
		}
		answer = created
		w.Desired.SetUID(answer.GetUID()) // An event about the new object needs the UID.
	case w.Metadata || !k.InStatus:
		next := w.Desired.DeepCopyObject().(client.Object)
		if k.InStatus {
			k.CopyContent(next, answer)
		}
		if err := r.countWrite(k, "patch", r.Cluster.Patch(ctx, next, optimisticPatch(answer))); err != nil {
			part := "metadata"
			if w.Content && !k.InStatus {
				part = "spec"
			}
			return answer, fmt.Errorf("restoring %s of %s: %w", part, name, err)
		}
		answer = next
	}
	if w.Content && k.InStatus {
		next, patch := answer, client.Patch(firstStatus{k, w.Desired})
		if w.Existing != nil {
			next, patch = answer.DeepCopyObject().(client.Object), optimisticPatch(answer)
			k.CopyContent(next, w.Desired)
		}
		if err := r.countWrite(k, "patch_status", r.Cluster.Status().Patch(ctx, next, patch)); err != nil {
			return answer, fmt.Errorf("writing status of %s: %w", name, err)
		}
		answer = next
	}
	r.tellPhase(k, w)
	if !k.Stored(w, answer) {
		return answer, notStored{fmt.Errorf("%s was stored otherwise than it was sent: an older CRD drops a field, or an admission policy changes one", name)}
	}
	return answer, nil
}

// asObject converts o to a client.Object. If o is nil, the result is nil.
func asObject(o mirror.Object) client.Object {
	if o == nil {
		return nil
	}
	return o
}

// checkVisible returns an error for an InventorySource whose labels do not match r.Selector. The
// manager would not see such an InventorySource.
func (r *Reconciler) checkVisible(o mirror.Object) error {
	if _, is := o.(*v1alpha1.InventorySource); !is || r.Selector == nil || r.Selector.Matches(labels.Set(o.GetLabels())) {
		return nil
	}
	return fmt.Errorf("source %s would leave this manager's shard, whose sources have labels that match %s: add them to spec.template.metadata.labels",
		o.GetName(), r.Selector)
}

// delete deletes one object. If the object is already gone, delete returns nil. If another client
// changed or replaced the object after the manager read it, the API server refuses the deletion.
func (r *Reconciler) delete(ctx context.Context, k *kind, o mirror.Object) error {
	uid, version := o.GetUID(), o.GetResourceVersion()
	err := client.IgnoreNotFound(r.Cluster.Delete(ctx, o, client.Preconditions{UID: &uid, ResourceVersion: &version}))
	if r.countWrite(k, "delete", err) != nil {
		return fmt.Errorf("deleting %s: %w", o.GetName(), err)
	}
	return nil
}

// firstStatus is a patch that sets the whole status of a new object. If the object changed after
// its creation, the API server refuses the patch.
type firstStatus struct {
	kind    *kind
	desired mirror.Object
}

// Type implements client.Patch.
func (firstStatus) Type() types.PatchType { return types.MergePatchType }

// Data implements client.Patch.
func (p firstStatus) Data(created client.Object) ([]byte, error) {
	return json.Marshal(map[string]any{
		"metadata": map[string]string{"resourceVersion": created.GetResourceVersion()},
		"status":   p.kind.Content(p.desired),
	})
}

// optimisticPatch returns a merge patch from base to a changed copy of base. If the object in the
// cluster changed after the manager read base, the API server refuses the patch.
func optimisticPatch(base client.Object) client.Patch {
	return client.MergeFromWithOptions(base, client.MergeFromWithOptimisticLock{})
}

// countWrite counts one write in the metrics, and returns the error of the write.
func (r *Reconciler) countWrite(k *kind, verb string, err error) error {
	r.Metrics.Wrote(k.Name, verb, err)
	return err
}
