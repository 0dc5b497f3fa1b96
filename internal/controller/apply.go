// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
	"github.com/ccloud-dev/inventory-operator/internal/mirror"
)

// apply carries out the plans and notes in the source's memory what could not be
// written: a pass soon after goes on with it, without asking the cloud. A write
// that fails stops no other.
func (r *Reconciler) apply(ctx context.Context, p *pass) {
	unfinished := false
	for i, plan := range p.plans {
		r.Metrics.Skipped(kinds[i].Name, plan.Unchanged)
		var errs failures
		r.each(ctx, len(plan.Writes), &errs, func(n int) error { return r.write(ctx, &kinds[i], plan.Writes[n]) })
		r.prune(ctx, &kinds[i], p.source, plan.Deletes, &errs)
		unfinished = unfinished || errs.count > 0 && !errs.terminating.Load()
		p.memory.outcomes[i].unwritten = errs.failure(kinds[i].Name, len(plan.Writes)+len(plan.Deletes))
		if f := p.memory.outcomes[i].unwritten; f != nil {
			log.FromContext(ctx).Info("Writing failed", "kind", kinds[i].Name, "cause", f.message)
		}
	}
	p.memory.unfinished++
	if !unfinished {
		p.memory.unfinished = 0
	}
}

// prune deletes observations and tells which.
func (r *Reconciler) prune(ctx context.Context, k *kind, source *v1alpha1.InventorySource, observations []v1alpha1.Observation, errs *failures) {
	deleted := make([]string, len(observations))
	r.each(ctx, len(observations), errs, func(n int) error {
		err := r.delete(ctx, k, observations[n])
		if err == nil {
			deleted[n] = observations[n].GetName()
		}
		return err
	})
	deleted = slices.DeleteFunc(deleted, func(name string) bool { return name == "" })
	if len(deleted) > 0 {
		log.FromContext(ctx).Info("Deleted observations", "kind", k.Name, "names", deleted)
		r.tellPruned(k, source, deleted)
	}
}

// each calls do for 0 to n-1, as many at once as there are writers free, and
// waits for all. When the context ends, or the namespace does, it begins no more.
func (r *Reconciler) each(ctx context.Context, n int, errs *failures, do func(int) error) {
	var wait sync.WaitGroup
	defer wait.Wait()
	for i := range n {
		select {
		case <-ctx.Done():
			errs.add(ctx.Err())
			return
		case r.Writers <- struct{}{}:
		}
		if errs.terminating.Load() {
			<-r.Writers
			return
		}
		wait.Go(func() {
			defer func() { <-r.Writers }()
			errs.add(do(i))
		})
	}
}

// write creates or changes one observation.
func (r *Reconciler) write(ctx context.Context, k *kind, w mirror.Write) error {
	if w.Existing == nil {
		return r.create(ctx, k, w.Desired)
	}
	base := w.Existing
	if w.Metadata {
		next := w.Desired.DeepCopyObject().(v1alpha1.Observation)
		next.CopyStatus(base)
		err := r.Cluster.Patch(ctx, next, optimistic(base))
		if r.counted(k, "patch", err) != nil {
			return fmt.Errorf("restoring metadata of %s: %w", base.GetName(), err)
		}
		base = next
	}
	if !w.Status {
		return nil
	}
	next := base.DeepCopyObject().(v1alpha1.Observation)
	next.CopyStatus(w.Desired)
	err := r.Cluster.Status().Patch(ctx, next, optimistic(base))
	if r.counted(k, "patch_status", err) != nil {
		return fmt.Errorf("writing status of %s: %w", base.GetName(), err)
	}
	r.tellPhase(w)
	return nil
}

// create creates an observation and writes its status, which the API server does
// not take with the creation. The patch names the UID, so that it never lands on
// an object that someone put in its place.
func (r *Reconciler) create(ctx context.Context, k *kind, desired v1alpha1.Observation) error {
	created := desired.DeepCopyObject().(v1alpha1.Observation)
	err := r.Cluster.Create(ctx, created)
	if r.counted(k, "create", err) != nil {
		return fmt.Errorf("creating %s: %w", desired.GetName(), err)
	}
	patch, err := json.Marshal(map[string]any{
		"metadata": map[string]any{"uid": created.GetUID()},
		"status":   desired.GetStatus(),
	})
	if err != nil {
		return fmt.Errorf("encoding status of %s: %w", desired.GetName(), err)
	}
	err = r.Cluster.Status().Patch(ctx, created, client.RawPatch(types.MergePatchType, patch))
	if r.counted(k, "patch_status", err) != nil {
		return fmt.Errorf("writing status of %s: %w", desired.GetName(), err)
	}
	return nil
}

// delete deletes one observation, if it is still the one, and in the state, that
// the plan was made from.
func (r *Reconciler) delete(ctx context.Context, k *kind, o v1alpha1.Observation) error {
	uid, version := o.GetUID(), o.GetResourceVersion()
	err := client.IgnoreNotFound(r.Cluster.Delete(ctx, o, client.Preconditions{UID: &uid, ResourceVersion: &version}))
	if r.counted(k, "delete", err) != nil {
		return fmt.Errorf("deleting %s: %w", o.GetName(), err)
	}
	return nil
}

// optimistic makes a patch that fails if the object changed since it was read.
func optimistic(base client.Object) client.Patch {
	return client.MergeFromWithOptions(base, client.MergeFromWithOptimisticLock{})
}

// counted counts a write and returns its error.
func (r *Reconciler) counted(k *kind, verb string, err error) error {
	r.Metrics.Wrote(k.Name, verb, err)
	return err
}

// failures collects what went wrong with writes that run at the same time.
type failures struct {
	// terminating tells that the namespace is going: nothing more can be created.
	terminating atomic.Bool

	mu sync.Mutex
	// count is of all, refused of those that no newer reading mends.
	count, refused int
	first          error // of those refused
}

func (f *failures) add(err error) {
	if err == nil {
		return
	}
	if apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause) {
		f.terminating.Store(true)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.count++
	// Someone else was faster, or the cache is behind: the next pass sees it.
	if apierrors.IsConflict(err) || apierrors.IsAlreadyExists(err) || apierrors.IsNotFound(err) {
		return
	}
	if f.refused++; f.first == nil {
		f.first = err
	}
}

// failure returns what to report of so many writes of a kind: nil unless some were
// refused.
func (f *failures) failure(kind string, writes int) *failure {
	if f.first == nil {
		return nil
	}
	return &failure{reason: v1alpha1.ReasonWriteFailed,
		message: fmt.Sprintf("%s: %d of %d writes failed, the first: %v", kind, f.refused, writes, f.first)}
}
