// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
	"github.com/ccloud-dev/inventory-operator/internal/mirror"
)

// apply carries out the changes and counts what exists then. A write that fails stops
// no other; it is noted, and a pass soon after tries it again without asking the cloud.
func (r *Reconciler) apply(ctx context.Context, p *pass) {
	for i, changes := range p.changes {
		k, state, now := &kinds[i], &p.state.kinds[i], r.Clock.Now()
		r.Metrics.Skipped(k.Name, changes.Unchanged)
		state.planned = len(changes.Writes) + len(changes.Deletes)
		writes := slices.DeleteFunc(slices.Clone(changes.Writes), func(w mirror.Write) bool { return state.retries.waiting(w.Desired.GetName(), now) })
		errs := r.each(ctx, len(writes), func(n int) error { return r.write(ctx, k, writes[n]) })
		var done []mirror.Write
		for n, w := range writes {
			state.note(w.Desired.GetName(), errs[n], r.Clock.Now())
			if errs[n] == nil {
				done = append(done, w)
			}
			if w.Existing == nil && !notCreated(errs[n]) && p.drift == nil {
				state.report.Created(w.Desired)
			}
		}
		p.written += len(done)
		r.tellObserved(k, p.source, done)
		r.prune(ctx, p, i)
		if f := state.unwritten(k.Name); f != nil {
			log.FromContext(ctx).Info("Writing failed", "kind", k.Name, "cause", f.message)
		}
	}
}

// note takes in how the write of an observation went.
func (k *kindState) note(name string, err error, now time.Time) {
	switch {
	case err == nil:
		delete(k.retries, name)
	case !errors.Is(err, errStopped):
		k.retries.failed(name, err, now)
	}
}

// prune deletes observations and tells which.
func (r *Reconciler) prune(ctx context.Context, p *pass, i int) {
	k, state, now := &kinds[i], &p.state.kinds[i], r.Clock.Now()
	deletes := slices.DeleteFunc(slices.Clone(p.changes[i].Deletes), func(o v1alpha1.Observation) bool { return state.retries.waiting(o.GetName(), now) })
	errs := r.each(ctx, len(deletes), func(n int) error { return r.delete(ctx, k, deletes[n]) })
	var deleted []v1alpha1.Observation
	for n, o := range deletes {
		state.note(o.GetName(), errs[n], r.Clock.Now())
		if errs[n] == nil {
			deleted = append(deleted, o)
			state.report.Deleted(o)
		}
	}
	p.deleted += len(deleted)
	if len(deleted) > 0 {
		log.FromContext(ctx).Info("Deleted observations", "kind", k.Name, "names", names(deleted))
		r.tellPruned(k, p.source, deleted)
	}
}

// errStopped is the error of a write that was not begun, because the manager stops or
// the namespace is being deleted.
var errStopped = errors.New("not written: the manager stops, or the namespace is being deleted")

// each calls do for 0 to n-1, as many at once as there are writers free, waits for all
// and returns their errors. When the context ends, or the namespace does, it begins no
// more.
func (r *Reconciler) each(ctx context.Context, n int, do func(int) error) []error {
	errs := make([]error, n)
	var stopped atomic.Bool
	var wait sync.WaitGroup
	for i := range n {
		acquired := false
		select {
		case <-ctx.Done():
		case r.Writers <- struct{}{}:
			acquired = true
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
			errs[i] = do(i)
			if apierrors.HasStatusCause(errs[i], corev1.NamespaceTerminatingCause) {
				errs[i] = fmt.Errorf("%w: %w", errStopped, errs[i])
				stopped.Store(true)
			}
		})
	}
	wait.Wait()
	return errs
}

// creation is the error of an observation that could not be created.
type creation struct{ error }

func (e creation) Unwrap() error { return e.error }

// notCreated reports whether an error means that the observation does not exist.
func notCreated(err error) bool {
	return errors.Is(err, errStopped) || errors.As(err, new(creation))
}

// write creates or changes one observation. Each of its requests fails if the object is
// not, or is no longer, the one that the plan was made from.
func (r *Reconciler) write(ctx context.Context, k *kind, w mirror.Write) error {
	answer := w.Existing
	switch {
	case answer == nil:
		answer = w.Desired.DeepCopyObject().(v1alpha1.Observation)
		answer.CopyStatus(k.object()) // The API server drops a status that comes with a create.
		if err := r.counted(k, "create", r.Cluster.Create(ctx, answer)); err != nil {
			return creation{fmt.Errorf("creating %s: %w", w.Desired.GetName(), err)}
		}
		w.Desired.SetUID(answer.GetUID()) // An event about it names this one.
	case w.Metadata:
		next := w.Desired.DeepCopyObject().(v1alpha1.Observation)
		next.CopyStatus(answer)
		if err := r.counted(k, "patch", r.Cluster.Patch(ctx, next, optimistic(answer))); err != nil {
			return fmt.Errorf("restoring metadata of %s: %w", w.Desired.GetName(), err)
		}
		answer = next
	}
	if w.Status {
		next, patch := answer, client.Patch(firstStatus{w.Desired})
		if w.Existing != nil {
			next, patch = answer.DeepCopyObject().(v1alpha1.Observation), optimistic(answer)
			next.CopyStatus(w.Desired)
		}
		if err := r.counted(k, "patch_status", r.Cluster.Status().Patch(ctx, next, patch)); err != nil {
			return fmt.Errorf("writing status of %s: %w", w.Desired.GetName(), err)
		}
		answer = next
	}
	r.tellPhase(w)
	if !w.Stored(answer) {
		return fmt.Errorf("%s was stored otherwise than it was sent: an older CRD drops a field, or an admission policy changes one",
			w.Desired.GetName())
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

// firstStatus is the patch that gives an observation that was just created the status of
// the desired one. It fails if the observation changed since. There is no earlier
// status to compare with, which spares marshalling both.
type firstStatus struct{ desired v1alpha1.Observation }

// Type implements client.Patch.
func (firstStatus) Type() types.PatchType { return types.MergePatchType }

// Data implements client.Patch.
func (p firstStatus) Data(created client.Object) ([]byte, error) {
	return json.Marshal(map[string]any{
		"metadata": map[string]string{"resourceVersion": created.GetResourceVersion()},
		"status":   p.desired.GetStatus(),
	})
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
