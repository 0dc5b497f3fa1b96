// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"context"
	"errors"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
	"github.com/ccloud-dev/inventory-operator/internal/mirror"
)

// sourceField indexes observations by the source named in their spec. The spec
// never changes, so no edit hides an observation from its source, as a change of
// its labels would.
const sourceField = "spec.sourceRef.name"

// catchUp bounds the wait for the cache to show this client's own writes. It could
// otherwise wait for an event that never comes: that of an object which was deleted
// while the watch was down. An older state is safe to plan from, since every write
// is conditional.
const catchUp = 5 * time.Second

// get reads a source from the cache.
func (r *Reconciler) get(ctx context.Context, key client.ObjectKey) (*v1alpha1.InventorySource, error) {
	source := &v1alpha1.InventorySource{}
	err := caughtUp(ctx, func(ctx context.Context, consistency ...client.GetOption) error {
		return r.Cluster.Get(ctx, key, source, consistency...)
	}, client.GetOption(client.DisableReadYourWritesConsistency))
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	return source, err
}

// read begins a whole pass: it reads the source's own observations of every kind.
// They are the cache's: nobody may change them.
func (r *Reconciler) read(ctx context.Context, p *pass) error {
	p.state.settled = 0
	p.state.inbox.begin()
	p.existing = make([][]v1alpha1.Observation, len(kinds))
	for i := range kinds {
		var err error
		if p.existing[i], err = r.owned(ctx, &kinds[i], p.source); err != nil {
			return err
		}
	}
	return nil
}

func (r *Reconciler) owned(ctx context.Context, k *kind, source *v1alpha1.InventorySource) ([]v1alpha1.Observation, error) {
	list := k.objects()
	err := caughtUp(ctx, func(ctx context.Context, consistency ...client.ListOption) error {
		return r.Cluster.List(ctx, list, append(consistency, client.InNamespace(source.Namespace),
			client.MatchingFields{sourceField: source.Name}, client.UnsafeDisableDeepCopy)...)
	}, client.ListOption(client.DisableReadYourWritesConsistency))
	if err != nil {
		return nil, fmt.Errorf("listing observations of kind %s: %w", k.Name, err)
	}
	owned := make([]v1alpha1.Observation, 0, meta.LenList(list))
	err = meta.EachListItem(list, func(item runtime.Object) error {
		if o := item.(v1alpha1.Observation); mirror.Owned(o, source) {
			owned = append(owned, o)
		}
		return nil
	})
	return owned, err
}

// caughtUp reads from the cache once it shows this client's own writes, or after
// catchUp as it is (the option given).
func caughtUp[Option any](ctx context.Context, read func(context.Context, ...Option) error, asItIs Option) error {
	bounded, cancel := context.WithTimeout(ctx, catchUp)
	defer cancel()
	err := read(bounded)
	if err != nil && ctx.Err() == nil && errors.Is(bounded.Err(), context.DeadlineExceeded) {
		log.FromContext(ctx).Info("The cache does not show the latest writes; going on with what it has", "waited", catchUp.String())
		return read(ctx, asItIs)
	}
	return err
}

// occupants finds objects that have a name the source wants and are not its own.
func (r *Reconciler) occupants(ctx context.Context, k *kind, source *v1alpha1.InventorySource, desired mirror.Desired, existing []v1alpha1.Observation) (map[string]v1alpha1.Observation, error) {
	own := make(map[string]bool, len(existing))
	for _, o := range existing {
		own[o.GetName()] = true
	}
	occupants := map[string]v1alpha1.Observation{}
	for name := range desired {
		if own[name] {
			continue
		}
		found := k.object()
		err := r.Cluster.Get(ctx, client.ObjectKey{Namespace: source.Namespace, Name: name}, found, client.DisableReadYourWritesConsistency)
		switch {
		case err == nil && !mirror.Owned(found, source):
			occupants[name] = found
		case client.IgnoreNotFound(err) != nil:
			return nil, fmt.Errorf("looking for %s %s: %w", k.Name, name, err)
		}
	}
	return occupants, nil
}
