// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"context"
	"errors"
	"fmt"
	"maps"
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

// sourceField is the field by which the cache finds the observations of a source. A person can edit
// a label, but not this field.
const sourceField = "spec.sourceRef.name"

// catchUp is the longest time that a read waits until the cache has the operator's own writes.
// After this time, the read returns what the cache has. An old cache does no harm, because the API
// server rejects a write to an object that has changed.
const catchUp = 5 * time.Second

// get reads a source or discovery from the cache. It returns nil if the object does not exist.
func (r *Reconciler) get(ctx context.Context, key client.ObjectKey) (owner, error) {
	object := r.owners.newObject()
	err := readCaughtUp(ctx, func(ctx context.Context, consistency ...client.GetOption) error {
		return r.Cluster.Get(ctx, key, object, consistency...)
	}, client.GetOption(client.DisableReadYourWritesConsistency))
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	return r.owners.wrap(object), err
}

// ownedObjects returns the objects of one kind that belong to o. The objects are part of the cache
// and must not be changed.
//
// The second result is a checksum. It covers more objects than the first result: also those of a
// deleted owner with the same name as o.
func (r *Reconciler) ownedObjects(ctx context.Context, o owner, k *kind) (ownedObjects []mirror.Object, all checksum, err error) {
	list, name := k.newList(), o.object().GetName()
	err = readCaughtUp(ctx, func(ctx context.Context, consistency ...client.ListOption) error {
		options := append(k.listOptions(name), client.InNamespace(o.object().GetNamespace()), client.UnsafeDisableDeepCopy)
		return r.Cluster.List(ctx, list, append(options, consistency...)...)
	}, client.ListOption(client.DisableReadYourWritesConsistency))
	if err != nil {
		return nil, 0, fmt.Errorf("listing %s: %w", k.noun, err)
	}
	ownedObjects, owner := make([]mirror.Object, 0, meta.LenList(list)), o.mirrorOwner()
	err = meta.EachListItem(list, func(item runtime.Object) error {
		object := item.(client.Object)
		if k.ownerNameIn(object) == k.comparableName(name) {
			all.add(object)
		}
		if k.Owned(object, owner) {
			ownedObjects = append(ownedObjects, object)
		}
		return nil
	})
	return ownedObjects, all, err
}

// reread reads the objects with these names from the cache. The result maps each name to its
// object, or to nil if no object has the name. If one of the objects does not belong to o, the map
// is nil. The objects are part of the cache and must not be changed.
func (r *Reconciler) reread(ctx context.Context, o owner, k *kind, names sets.Set[string]) (map[string]mirror.Object, error) {
	objects := make(map[string]mirror.Object, names.Len())
	err := readCaughtUp(ctx, func(ctx context.Context, consistency ...client.GetOption) error {
		for name := range names {
			object := k.newObject()
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
		if object != nil && !k.Owned(object, o.mirrorOwner()) {
			return nil, nil
		}
	}
	return objects, nil
}

// readCaughtUp reads from the cache with the function readCache. readCache first waits until the
// cache has the operator's own writes. If the wait is longer than catchUp, readCaughtUp calls
// readCache again with the option withoutWait. This option turns off the wait.
func readCaughtUp[Option any](ctx context.Context, readCache func(context.Context, ...Option) error, withoutWait Option) error {
	bounded, cancel := context.WithTimeout(ctx, catchUp)
	defer cancel()
	err := readCache(bounded)
	if err != nil && ctx.Err() == nil && errors.Is(bounded.Err(), context.DeadlineExceeded) {
		log.FromContext(ctx).Info("The cache does not show the latest writes; going on with what it has", "waited", catchUp.String())
		return readCache(ctx, withoutWait)
	}
	return err
}

// occupants finds objects whose names o needs for new objects:
//
//   - The first result has the objects that do not belong to o. The map key is the object's name.
//   - The second result has the objects that belong to o but are not in the cache. For example, a
//     person removed the label that the flag --watch-label-selector asks for.
//
// occupants looks for each name in the cache. If the cache has no object with this name, but an
// earlier creation failed because this name is in use, occupants asks the API server.
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
		found := k.newObject()
		err := r.Cluster.Get(ctx, client.ObjectKey{Namespace: o.object().GetNamespace(), Name: name}, found, client.DisableReadYourWritesConsistency)
		if apierrors.IsNotFound(err) && s.retries[name].nameTaken() {
			if found, err = r.readLive(ctx, k.newList(), o.object().GetNamespace(), name); err == nil && k.Owned(found, o.mirrorOwner()) {
				unseen = append(unseen, found)
			}
		}
		switch {
		case err == nil && !k.Owned(found, o.mirrorOwner()):
			occupants[name] = found
		case client.IgnoreNotFound(err) != nil:
			return nil, nil, fmt.Errorf("looking for %s of %s: %w", name, k.noun, err)
		}
	}
	return occupants, unseen, nil
}

// mostPlans is the largest number of plans that one reconcile makes. If checkOwner finds that a
// person changed the spec or took an approval back, the reconcile makes another plan.
const mostPlans = 3

// errOwnerChanges means that a person changed the spec or took an approval back, and that the
// reconcile cannot go on: the new spec needs a new listing, or there were mostPlans plans.
var errOwnerChanges = errors.New("the spec or the annotation " + v1alpha1.AnnotationApprovePrune + " changes before an object is written")

// checkOwner reads o again, from the API server, before writes that can do harm:
//
//   - A deletion.
//   - A new spec for a source, because the spec can make the source delete its observations.
//   - A write that makes o the owner of an object. If o was deleted, the garbage collector would delete
//     the object.
//
// The cloud may have taken minutes to answer, and the cache may be out of date. The result is o if the
// plan is still right. If the spec changed, or if a person took an approval back, the result is o as it
// is now, and the plan is out of date. If o was deleted, the result is nil.
//
// The result leaves out approvals that o does not have. Before such an approval is used, the next
// reconcile must list the cloud objects again.
//
// If no write in the list above is due, checkOwner sends no request.
func (r *Reconciler) checkOwner(ctx context.Context, o owner, todo plans) (owner, error) {
	object, harmful := o.object(), false
	for i, p := range todo {
		harmful = harmful || len(p.dueDeletes) > 0
		for _, w := range p.dueWrites {
			harmful = harmful || mirror.Claims(object, w.Existing, w.Desired) || w.Content && !r.owners.kinds[i].InStatus
		}
	}
	if !harmful {
		return o, nil
	}
	found, err := r.readUndeleted(ctx, r.owners.newList(), object)
	if err != nil || found == nil {
		return nil, err
	}
	approvals := mirror.SharedApprovals(object, found)
	if found.GetGeneration() == object.GetGeneration() && approvals == mirror.SharedApprovals(object, object) {
		return o, nil
	}
	annotations := maps.Clone(found.GetAnnotations())
	if delete(annotations, v1alpha1.AnnotationApprovePrune); approvals != "" {
		annotations[v1alpha1.AnnotationApprovePrune] = approvals
	}
	found.SetAnnotations(annotations)
	return r.owners.wrap(found), nil
}

// readUndeleted reads an object again, from the API server. It returns nil if the object was
// deleted. cachedObject is the object from the cache. emptyList is an empty list of the object's
// type, such as an InventorySourceList.
func (o *Options) readUndeleted(ctx context.Context, emptyList client.ObjectList, cachedObject client.Object) (client.Object, error) {
	found, err := o.readLive(ctx, emptyList, cachedObject.GetNamespace(), cachedObject.GetName())
	switch {
	case apierrors.IsNotFound(err):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("looking for %s: %w", cachedObject.GetName(), err)
	case found.GetUID() != cachedObject.GetUID() || !found.GetDeletionTimestamp().IsZero():
		return nil, nil
	}
	return found, nil
}

// readLive reads one object from the API server. It sends a list request, because the manager has
// no right to send a get request. emptyList is an empty list of the object's type, such as an
// InventorySourceList.
func (o *Options) readLive(ctx context.Context, emptyList client.ObjectList, namespace, name string) (found client.Object, err error) {
	if err := o.APIReader.List(ctx, emptyList, client.InNamespace(namespace), client.MatchingFields{"metadata.name": name}); err != nil {
		return nil, err
	}
	err = meta.EachListItem(emptyList, func(item runtime.Object) error {
		found = item.(client.Object)
		return nil
	})
	if err == nil && found == nil {
		err = apierrors.NewNotFound(schema.GroupResource{Group: v1alpha1.GroupVersion.Group}, name)
	}
	return found, err
}

// requestsFor returns a reconcile request for each object in a list.
func requestsFor(list client.ObjectList) []reconcile.Request {
	requests := make([]reconcile.Request, 0, meta.LenList(list))
	_ = meta.EachListItem(list, func(item runtime.Object) error { // EachListItem fails only if this function fails.
		requests = append(requests, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(item.(client.Object))})
		return nil
	})
	return requests
}
