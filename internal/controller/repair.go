// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/util/sets"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
	"github.com/ccloud-dev/inventory-operator/internal/mirror"
)

// repair plans to put back what someone else changed by looking at those observations
// alone that the watch named, where that is all there can be to do: after a whole pass
// that left nothing over, and with no listing since that told anything new. It decides
// of each as a whole pass would.
//
// It reports whether it made the plan. Where it did not, the pass looks at everything;
// after an error the next one does.
func (r *Reconciler) repair(ctx context.Context, p *pass) (bool, error) {
	s := p.state
	if s.settled != p.source.Generation || p.putOff.For > 0 || p.syncing && !r.again(p) {
		return false, nil
	}
	now := r.Clock.Now()
	p.drift = s.inbox.take()
	changes := make([]*mirror.Changes, len(kinds))
	for i := range kinds {
		changed, err := r.reread(ctx, &kinds[i], p.source, p.drift[i])
		if err != nil {
			s.settled = 0 // The names are lost.
			return false, err
		}
		if changed == nil || len(s.kinds[i].retries) > 0 {
			return false, nil
		}
		if changes[i] = s.inbox.view(i).Repair(changed, now); changes[i] == nil {
			return false, nil
		}
	}
	p.changes = changes
	return true, nil
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
