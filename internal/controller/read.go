// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/sets"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
	"github.com/ccloud-dev/inventory-operator/internal/mirror"
)

// sourceField indexes observations by the source in their spec. The spec never changes, so no edit
// can hide an observation from its source. A label could be edited.
const sourceField = "spec.sourceRef.name"

// catchUp bounds the wait until the cache shows this client's own writes. If an object was deleted
// while the watch was down, the event for a write may never come. Planning from an older state is
// safe, because every write is conditional.
const catchUp = 5 * time.Second

// get reads an owner from the cache; nil if it does not exist.
func (r *Reconciler) get(ctx context.Context, key client.ObjectKey) (owner, error) {
	object := r.owners.empty()
	err := caughtUp(ctx, func(ctx context.Context, consistency ...client.GetOption) error {
		return r.Cluster.Get(ctx, key, object, consistency...)
	}, client.GetOption(client.DisableReadYourWritesConsistency))
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	return r.owners.wrap(object), err
}

// owned reads an owner's own objects of a kind, and the checksum of all objects that claim the
// owner. The objects belong to the cache and must not be changed.
func (r *Reconciler) owned(ctx context.Context, o owner, k *kind) (owned []mirror.Object, all checksum, err error) {
	list, name := k.objects(), o.object().GetName()
	err = caughtUp(ctx, func(ctx context.Context, consistency ...client.ListOption) error {
		options := append(k.candidates(name), client.InNamespace(o.object().GetNamespace()), client.UnsafeDisableDeepCopy)
		return r.Cluster.List(ctx, list, append(options, consistency...)...)
	}, client.ListOption(client.DisableReadYourWritesConsistency))
	if err != nil {
		return nil, 0, fmt.Errorf("listing %s: %w", k.noun, err)
	}
	owned, owner := make([]mirror.Object, 0, meta.LenList(list)), o.planned()
	err = meta.EachListItem(list, func(item runtime.Object) error {
		object := item.(client.Object)
		if k.claimant(object) == k.claimed(name) {
			all.add(object)
		}
		if k.Owned(object, owner) {
			owned = append(owned, object)
		}
		return nil
	})
	return owned, all, err
}

// reread reads single objects of an owner from the cache. The map key is the name; the value is nil
// if the object does not exist. The objects belong to the cache and must not be changed. If one of
// them does not belong to the owner, reread returns a nil map.
func (r *Reconciler) reread(ctx context.Context, o owner, k *kind, names sets.Set[string]) (map[string]mirror.Object, error) {
	objects := make(map[string]mirror.Object, names.Len())
	err := caughtUp(ctx, func(ctx context.Context, consistency ...client.GetOption) error {
		for name := range names {
			object := k.object()
			err := r.Cluster.Get(ctx, client.ObjectKey{Namespace: o.object().GetNamespace(), Name: name}, object, append(consistency, client.UnsafeDisableDeepCopy)...)
			switch {
			case err == nil:
				objects[name] = object
			case apierrors.IsNotFound(err):
				objects[name] = nil
			default:
				return fmt.Errorf("reading %s of %s: %w", name, k.noun, err)
			}
		}
		return nil
	}, client.GetOption(client.DisableReadYourWritesConsistency))
	if err != nil {
		return nil, err
	}
	for _, object := range objects {
		if object != nil && !k.Owned(object, o.planned()) {
			return nil, nil
		}
	}
	return objects, nil
}

// caughtUp reads from the cache when it shows this client's own writes. If that takes longer than
// catchUp, it reads the cache as it is, with the option asItIs.
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

// occupants returns the objects that have a name the owner wants, but do not belong to the owner.
// The map key is the name. It reads from the cache; if the API server said that a name is taken,
// from the API server. unseen are the owner's own objects that only the API server shows, such as a
// source that lost the labels of this manager's shard.
func (r *Reconciler) occupants(ctx context.Context, o owner, k *kind, s *kindState, desired mirror.Desired, existing []mirror.Object) (occupants map[string]mirror.Object, unseen []mirror.Object, err error) {
	own := make(map[string]bool, len(existing))
	for _, object := range existing {
		own[object.GetName()] = true
	}
	occupants = map[string]mirror.Object{}
	for name := range desired {
		if own[name] {
			continue
		}
		found := k.object()
		err := r.Cluster.Get(ctx, client.ObjectKey{Namespace: o.object().GetNamespace(), Name: name}, found, client.DisableReadYourWritesConsistency)
		if apierrors.IsNotFound(err) && s.retries[name].taken() {
			if found, err = r.live(ctx, k.objects(), o.object().GetNamespace(), name); err == nil && k.Owned(found, o.planned()) {
				unseen = append(unseen, found)
			}
		}
		switch {
		case err == nil && !k.Owned(found, o.planned()):
			occupants[name] = found
		case client.IgnoreNotFound(err) != nil:
			return nil, nil, fmt.Errorf("looking for %s of %s: %w", name, k.noun, err)
		}
	}
	return occupants, unseen, nil
}

// gone reports whether an owner was deleted although the cache still shows it. It asks the API
// server, and only before a repair creates an object: perhaps the garbage collector just deleted
// that object, because its owner is gone.
func (r *Reconciler) gone(ctx context.Context, o owner, asked answers, todo plans) (bool, error) {
	creates := func(w mirror.Write) bool { return w.Existing == nil }
	if asked.synced() || !slices.ContainsFunc(todo, func(p plan) bool { return slices.ContainsFunc(p.changes.Writes, creates) }) {
		return false, nil
	}
	found, err := r.live(ctx, r.owners.list(), o.object().GetNamespace(), o.object().GetName())
	switch {
	case apierrors.IsNotFound(err):
		return true, nil
	case err != nil:
		return false, fmt.Errorf("looking for %s: %w", o.object().GetName(), err)
	}
	return found.GetUID() != o.object().GetUID() || !found.GetDeletionTimestamp().IsZero(), nil
}

// live reads the object with a name from the API server, into an empty list of its kind. It needs
// only the right to list.
func (r *Reconciler) live(ctx context.Context, list client.ObjectList, namespace, name string) (found client.Object, err error) {
	if err := r.APIReader.List(ctx, list, client.InNamespace(namespace), client.MatchingFields{"metadata.name": name}); err != nil {
		return nil, err
	}
	err = meta.EachListItem(list, func(item runtime.Object) error {
		found = item.(client.Object)
		return nil
	})
	if err == nil && found == nil {
		err = apierrors.NewNotFound(schema.GroupResource{Group: v1alpha1.GroupVersion.Group}, name)
	}
	return found, err
}

// requestsFor returns a request for each object of a list.
func requestsFor(list client.ObjectList) []reconcile.Request {
	requests := make([]reconcile.Request, 0, meta.LenList(list))
	_ = meta.EachListItem(list, func(item runtime.Object) error { // Fails if the function does.
		requests = append(requests, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(item.(client.Object))})
		return nil
	})
	return requests
}
