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

// sourceField is the index of observations by the source that their spec names. No edit can hide an
// observation from its source, because the spec cannot be changed. A label could be changed.
const sourceField = "spec.sourceRef.name"

// catchUp is the longest wait until the cache shows this client's own writes. The wait must end: if
// an object was deleted while the watch was down, the event for a write to it may never come. A
// plan from an older state does no harm, because a write fails if the object has changed.
const catchUp = 5 * time.Second

// get returns an owner from the cache; nil if the owner does not exist.
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

// owned returns the objects of a kind that belong to an owner, and the checksum of all objects that
// claim the owner. The caller must not change the objects, because the cache uses them.
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

// reread reads the objects with these names from the cache. The map key is the name; the value is
// nil if the object does not exist. The map itself is nil if one of the objects does not belong to
// the owner. The caller must not change the objects, because the cache uses them.
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

// caughtUp calls read, which waits until the cache shows this client's own writes. If the wait is
// longer than catchUp, caughtUp calls read again with the option asItIs, so that it reads the cache
// without waiting.
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

// occupants returns the objects that have a name which the owner wants, and do not belong to the
// owner. The map key is the name. occupants reads the objects from the cache. If the API server
// refused a creation because the name is taken, but the cache shows no object with this name,
// occupants asks the API server. unseen are the owner's own objects that only the API server shows,
// such as a source that lost the labels of this manager's shard.
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

// gone reports whether the owner was deleted although the cache still shows it. It asks the API
// server only if a pass between two syncs is about to create an object. The garbage collector may
// have deleted that object a moment ago, because its owner is gone. Then the object must not be
// created again.
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

// live reads the object with this name from the API server. list is an empty list of the object's
// kind. live needs only the right to list objects of this kind.
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
	_ = meta.EachListItem(list, func(item runtime.Object) error { // Fails only if the function fails.
		requests = append(requests, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(item.(client.Object))})
		return nil
	})
	return requests
}
