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
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/sets"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/ccloud-dev/inventory-operator/internal/mirror"
)

// sourceField indexes observations by the source that their spec names. The spec never changes, so
// no edit can hide an observation from its source; a change of its labels could.
const sourceField = "spec.sourceRef.name"

// catchUp bounds the wait for the cache to show this client's own writes. Without a bound it could
// wait for an event that never comes, if an object was deleted while the watch was down. It is safe
// to plan from an older state, because every write is conditional.
const catchUp = 5 * time.Second

// get reads an owner from the cache; nil if there is none.
func (r *Reconciler) get(ctx context.Context, key client.ObjectKey) (owner, error) {
	object := r.owners.empty()
	err := caughtUp(ctx, func(ctx context.Context, consistency ...client.GetOption) error {
		return r.Cluster.Get(ctx, key, object, consistency...)
	}, client.GetOption(client.DisableReadYourWritesConsistency))
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	return r.owners.as(object), err
}

// owned reads an owner's own objects of a kind, and the checksum of all objects that claim the
// owner. They belong to the cache and must not be changed.
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

// reread reads single objects of an owner from the cache, by name; nil for a deleted one. They
// belong to the cache and must not be changed. It returns nil if one of them is not the owner's.
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

// caughtUp reads from the cache once it shows this client's own writes. After catchUp it reads the
// cache as it is, with the option given.
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

// occupants finds objects that have a name the owner wants and are not its own. It looks in the
// cache, or in the API server if that said the name is taken. unseen are the owner's own objects
// that only the API server shows, such as a source that lost the labels of this manager's shard.
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
			if found, err = r.live(ctx, k, o.object().GetNamespace(), name); err == nil && k.Owned(found, o.planned()) {
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

// live reads an object from the API server. It needs only the right to list.
func (r *Reconciler) live(ctx context.Context, k *kind, namespace, name string) (client.Object, error) {
	list, found := k.objects(), client.Object(nil)
	if err := r.APIReader.List(ctx, list, client.InNamespace(namespace), client.MatchingFields{"metadata.name": name}); err != nil {
		return nil, err
	}
	err := meta.EachListItem(list, func(item runtime.Object) error {
		found = item.(client.Object)
		return nil
	})
	if err == nil && found == nil {
		err = apierrors.NewNotFound(schema.GroupResource{Resource: k.Name}, name)
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
