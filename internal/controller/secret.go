// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/resourceversion"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"
)

// secretField is the field by which the cache finds the sources or discoveries that use a Secret.
const secretField = "spec.credentials.apiKey.secretRef.name"

// secretRotated reports whether the Secret in the spec changed after the last sync had read it.
//
//   - If the manager watches Secrets, secretRotated reads the Secret from the cache.
//   - If the manager does not watch Secrets, secretRotated returns false while the cloud accepts
//     the credential. If the cloud refused the credential, secretRotated reads the Secret from
//     the API server, but at most once per spec.interval.
func (r *Reconciler) secretRotated(ctx context.Context, o owner, schedule *schedule) bool {
	settings := o.settings()
	if settings.suspend || settings.credentials.APIKey == nil {
		return false
	}
	reader := r.secretReader()
	if reader == nil {
		now := r.Clock.Now()
		if schedule.refusalWait == 0 || now.Before(schedule.checkSecretAt) {
			return false
		}
		schedule.checkSecretAt = now.Add(settings.interval)
		reader = r.APIReader
	}
	secret := &metav1.PartialObjectMetadata{}
	secret.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("Secret"))
	err := reader.Get(ctx, client.ObjectKey{Namespace: o.object().GetNamespace(), Name: settings.credentials.APIKey.SecretRef.Name}, secret)
	if err != nil {
		// Only log the error: if the Secret has a problem, the next sync reports it in the status.
		// If the Secret does not exist, log nothing.
		if !apierrors.IsNotFound(err) {
			log.FromContext(ctx).Info("Cannot tell whether the Secret changed", "cause", err.Error())
		}
		return false
	}
	return isNewer(secret.ResourceVersion, schedule.usedVersions.secretVersion)
}

// isNewer reports whether the first resourceVersion is newer than the second. Every resourceVersion
// is newer than "".
func isNewer(version, than string) bool {
	order, err := resourceversion.CompareResourceVersion(version, than)
	if err != nil {
		return version != than
	}
	return order > 0
}

// watchSecrets makes the controller c watch the metadata of Secrets, as soon as the manager has the
// right to do this. By default, the manager does not have this right. With the watch, a new
// credential in a Secret starts a sync at once.
func (r *Reconciler) watchSecrets(ctx context.Context, mgr ctrl.Manager, starter *watchStarter, c controller.Controller) error {
	secrets := &metav1.PartialObjectMetadata{}
	secrets.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("Secret"))
	return starter.whenAllowed(ctx, secrets, "", func(ctx context.Context) error {
		if err := c.Watch(source.Kind(mgr.GetCache(), client.Object(secrets), handler.EnqueueRequestsFromMapFunc(r.users), predicate.Funcs{
			// A deleted Secret has no new credential, so its deletion starts no reconcile.
			DeleteFunc: func(event.DeleteEvent) bool { return false },
		})); err != nil {
			return err
		}
		_, err := mgr.GetCache().GetInformer(ctx, secrets) // If the cache already runs, GetInformer waits until the cache has the Secrets.
		return err
	})
}

// secretReader returns a reader of the metadata of Secrets; nil if the option Secrets is nil and
// the manager does not watch Secrets.
func (r *Reconciler) secretReader() client.Reader {
	if r.Secrets == nil && r.watchRights.hasBegun(&metav1.PartialObjectMetadata{}) {
		return r.Cluster
	}
	return r.Secrets
}

// indexBySecret adds the cache index that finds sources or discoveries by the Secret in their spec.
func indexBySecret(ctx context.Context, indexer client.FieldIndexer, kind ownerKind) error {
	err := indexer.IndexField(ctx, kind.newObject(), secretField, func(o client.Object) []string {
		key := kind.wrap(o).settings().credentials.APIKey
		if key == nil {
			return nil
		}
		return []string{key.SecretRef.Name}
	})
	if err != nil {
		return fmt.Errorf("indexing %s by Secret: %w", kind.name, err)
	}
	return nil
}

// users returns a reconcile request for each source or discovery whose spec names the given Secret.
func (r *Reconciler) users(ctx context.Context, secret client.Object) []reconcile.Request {
	list := r.owners.newList()
	err := r.Cluster.List(ctx, list, client.InNamespace(secret.GetNamespace()),
		client.MatchingFields{secretField: secret.GetName()}, client.UnsafeDisableDeepCopy, client.DisableReadYourWritesConsistency)
	if err != nil {
		log.FromContext(ctx).Error(err, "Looking for the users of a Secret", "secret", secret.GetName())
	}
	return requestsFor(list)
}
