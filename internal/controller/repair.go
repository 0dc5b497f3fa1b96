// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/util/sets"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
	"github.com/ccloud-dev/inventory-operator/internal/mirror"
)

// repair puts back what someone else changed by looking at those observations alone
// that the watch named, where that is all there can be to do: between two syncs, after
// a whole pass that left nothing over. It decides of each as a whole pass would.
//
// It tells whether it is done, and the result to return then. Where it is not, it has
// written nothing and the pass looks at everything; after an error the next one does.
func (r *Reconciler) repair(ctx context.Context, p *pass) (done bool, result reconcile.Result, err error) {
	m := p.memory
	if p.syncing || p.putOff > 0 || m.unfinished > 0 || m.settled != p.source.Generation {
		return false, result, nil
	}
	drift, now := m.takeDrift(), r.Clock.Now()
	p.plans = make([]*mirror.Plan, len(kinds))
	for i := range kinds {
		changed, err := r.reread(ctx, &kinds[i], p.source, drift[i])
		if err != nil {
			m.settled = 0 // The names are lost.
			return false, result, err
		}
		if changed == nil {
			return false, result, nil
		}
		if p.plans[i] = m.views[i].Repair(changed, now); p.plans[i] == nil {
			return false, result, nil
		}
	}
	if wait := tooMany(p, now); wait > 0 {
		for i := range kinds {
			m.note(i, drift[i].UnsortedList()...)
		}
		return true, reconcile.Result{RequeueAfter: wait}, nil
	}
	r.apply(ctx, p)
	return true, reconcile.Result{RequeueAfter: r.wake(p)}, nil
}

// reread reads single observations of a source from the cache, by name, nil for one
// that is gone. They are the cache's: nobody may change them. It returns nil if one
// of them is not the source's.
func (r *Reconciler) reread(ctx context.Context, k *kind, source *v1alpha1.InventorySource, names sets.Set[string]) (map[string]v1alpha1.Observation, error) {
	observations := make(map[string]v1alpha1.Observation, names.Len())
	err := caughtUp(ctx, func(ctx context.Context, consistency ...client.GetOption) error {
		for name := range names {
			o := k.object()
			err := r.Cluster.Get(ctx, client.ObjectKey{Namespace: source.Namespace, Name: name}, o, append(consistency, client.UnsafeDisableDeepCopy)...)
			switch {
			case err == nil:
				observations[name] = o
			case apierrors.IsNotFound(err):
				observations[name] = nil
			default:
				return fmt.Errorf("reading observation %s of kind %s: %w", name, k.Name, err)
			}
		}
		return nil
	}, client.GetOption(client.DisableReadYourWritesConsistency))
	if err != nil {
		return nil, err
	}
	for _, o := range observations {
		if o != nil && !mirror.Owned(o, source) {
			return nil, nil
		}
	}
	return observations, nil
}
