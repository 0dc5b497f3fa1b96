// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
	"github.com/ccloud-dev/inventory-operator/internal/mirror"
)

// apply carries out the plans. A write that fails stops no other; the error joins
// the first few.
func (r *Reconciler) apply(ctx context.Context, p *pass) error {
	var errs failures
	for i, plan := range p.plans {
		k := &kinds[i]
		r.Metrics.Skipped(k.Name, plan.Unchanged)
		r.each(ctx, len(plan.Writes), &errs, func(n int) error { return r.write(ctx, k, plan.Writes[n]) })
		deleted := make([]string, len(plan.Deletes))
		r.each(ctx, len(plan.Deletes), &errs, func(n int) error {
			err := r.delete(ctx, k, plan.Deletes[n])
			if err == nil {
				deleted[n] = plan.Deletes[n].GetName()
			}
			return err
		})
		r.tellPruned(k, p.source, slices.DeleteFunc(deleted, func(name string) bool { return name == "" }))
	}
	return errs.join()
}

// each calls do for 0 to n-1, as many at once as there are writers free, and
// waits for all. When the context ends it begins no more.
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
		err := r.Patch(ctx, next, optimistic(base))
		if r.counted(k, "patch", err) != nil {
			return fmt.Errorf("restoring metadata of %s %s: %w", k.Name, base.GetName(), err)
		}
		base = next
	}
	if !w.Status {
		return nil
	}
	next := base.DeepCopyObject().(v1alpha1.Observation)
	next.CopyStatus(w.Desired)
	err := r.Status().Patch(ctx, next, optimistic(base))
	if r.counted(k, "patch_status", err) != nil {
		return fmt.Errorf("writing status of %s %s: %w", k.Name, base.GetName(), err)
	}
	r.tellPhase(w)
	return nil
}

// create creates an observation and writes its status, which the API server does
// not take with the creation. The patch names the UID, so that it never lands on
// an object that someone put in its place.
func (r *Reconciler) create(ctx context.Context, k *kind, desired v1alpha1.Observation) error {
	created := desired.DeepCopyObject().(v1alpha1.Observation)
	err := r.Create(ctx, created)
	if r.counted(k, "create", err) != nil {
		return fmt.Errorf("creating %s %s: %w", k.Name, desired.GetName(), err)
	}
	patch, err := json.Marshal(map[string]any{
		"metadata": map[string]any{"uid": created.GetUID()},
		"status":   desired.GetStatus(),
	})
	if err != nil {
		return fmt.Errorf("encoding status of %s %s: %w", k.Name, desired.GetName(), err)
	}
	err = r.Status().Patch(ctx, created, client.RawPatch(types.MergePatchType, patch))
	if r.counted(k, "patch_status", err) != nil {
		return fmt.Errorf("writing status of %s %s: %w", k.Name, desired.GetName(), err)
	}
	return nil
}

// delete deletes one observation, if it is still the one, and in the state, that
// the plan was made from.
func (r *Reconciler) delete(ctx context.Context, k *kind, o v1alpha1.Observation) error {
	uid, version := o.GetUID(), o.GetResourceVersion()
	err := client.IgnoreNotFound(r.Delete(ctx, o, client.Preconditions{UID: &uid, ResourceVersion: &version}))
	if r.counted(k, "delete", err) != nil {
		return fmt.Errorf("deleting %s %s: %w", k.Name, o.GetName(), err)
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

// maxErrors is how many errors of one pass are told.
const maxErrors = 5

// failures collects errors of writes that run at the same time.
type failures struct {
	mu    sync.Mutex
	first []error
	count int
}

func (f *failures) add(err error) {
	if err == nil {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.count++; len(f.first) < maxErrors {
		f.first = append(f.first, err)
	}
}

func (f *failures) join() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.count > len(f.first) {
		return fmt.Errorf("%d writes failed, the first of them: %w", f.count, errors.Join(f.first...))
	}
	return errors.Join(f.first...)
}
