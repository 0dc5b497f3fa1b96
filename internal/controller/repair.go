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
// that the watch named, where that is all there is to do: between two syncs, after a
// whole pass that left nothing over. It decides of each as a whole pass would.
//
// It tells whether it is done, and the result to return then. Where it is not, it has
// written nothing and the pass looks at everything. So it does after an error, since
// the names are not kept.
func (r *Reconciler) repair(ctx context.Context, p *pass) (done bool, result reconcile.Result, err error) {
	m := p.memory
	if p.syncing || p.putOff > 0 || m.unfinished > 0 || m.settled != p.source.Generation {
		return false, result, nil
	}
	drift := m.takeDrift()
	if !named(drift) { // Something else woke the pass.
		return false, result, nil
	}
	p.plans = make([]*mirror.Plan, len(kinds))
	for i := range kinds {
		changed, err := r.reread(ctx, &kinds[i], p.source, drift[i])
		if err != nil || changed == nil {
			return false, result, err
		}
		if p.plans[i] = m.views[i].Repair(changed, r.Clock.Now()); p.plans[i] == nil {
			return false, result, nil
		}
	}
	if wait := tooMany(p, r.Clock.Now()); wait > 0 {
		for i := range kinds {
			m.note(i, drift[i].UnsortedList()...)
		}
		return true, reconcile.Result{RequeueAfter: wait}, nil
	}
	r.apply(ctx, p)
	return true, reconcile.Result{RequeueAfter: r.wake(p)}, nil
}

func named(drift []sets.Set[string]) bool {
	for _, names := range drift {
		if names.Len() > 0 {
			return true
		}
	}
	return false
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

// settle notes whether a whole pass left nothing to do until the next but repairs.
func (p *pass) settle() {
	p.memory.settled = p.source.Generation
	for _, plan := range p.plans {
		if len(plan.Conflicts) > 0 {
			p.memory.settled = 0
		}
	}
}
