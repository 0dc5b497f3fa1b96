// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"context"
	"fmt"

	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/resourceversion"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
)

// secretField indexes sources by the Secret they name.
const secretField = "spec.credentials.apiKey.secretRef.name"

// rotated reports whether the source's Secret is newer than the one the last sync
// used. Where the manager watches Secrets, the cache knows. Elsewhere only a source
// whose credential is refused looks, once an interval, with the right to get: all
// others read the Secret at their next sync anyway.
func (r *Reconciler) rotated(ctx context.Context, p *pass) bool {
	source, schedule := p.source, &p.state.schedule
	if source.Spec.Suspend || source.Spec.Credentials.APIKey == nil {
		return false
	}
	reader := r.Secrets
	if reader == nil {
		now := r.Clock.Now()
		if schedule.refused == 0 || now.Before(schedule.look) {
			return false
		}
		schedule.look = now.Add(source.GetInterval())
		reader = r.APIReader
	}
	secret := &metav1.PartialObjectMetadata{}
	secret.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("Secret"))
	err := reader.Get(ctx, secretOf(source), secret)
	if err != nil {
		// The sync that is due in time says what is wrong with the Secret.
		if !apierrors.IsNotFound(err) {
			log.FromContext(ctx).Info("Cannot tell whether the Secret changed", "cause", err.Error())
		}
		return false
	}
	return newer(secret.ResourceVersion, schedule.answered.secret)
}

// newer reports whether a resourceVersion is newer than another; "" is none yet.
func newer(version, than string) bool {
	order, err := resourceversion.CompareResourceVersion(version, than)
	if err != nil {
		return version != than
	}
	return order > 0
}

func secretOf(source *v1alpha1.InventorySource) types.NamespacedName {
	return types.NamespacedName{Namespace: source.Namespace, Name: source.Spec.Credentials.APIKey.SecretRef.Name}
}

// watchSecrets adds a watch of the Secrets' metadata, if the manager may, so that
// a changed credential is used at once. It has no such right by default.
func (r *Reconciler) watchSecrets(ctx context.Context, mgr ctrl.Manager, b *builder.Builder) error {
	asking, err := client.New(mgr.GetConfig(), client.Options{HTTPClient: mgr.GetHTTPClient(), Scheme: mgr.GetScheme()})
	if err != nil {
		return fmt.Errorf("a client to ask for rights: %w", err)
	}
	if !r.mayWatchSecrets(ctx, asking) {
		return nil
	}
	if err := IndexBySecret(ctx, mgr.GetFieldIndexer()); err != nil {
		return err
	}
	r.Secrets = mgr.GetClient()
	b.WatchesMetadata(&corev1.Secret{}, handler.EnqueueRequestsFromMapFunc(r.users), builder.WithPredicates(predicate.Funcs{
		// What is gone gives no new credential.
		DeleteFunc: func(event.DeleteEvent) bool { return false },
	}))
	return nil
}

// mayWatchSecrets asks the API server whether the manager may watch Secrets in all
// its namespaces. Where the answer cannot be had, it may not.
func (r *Reconciler) mayWatchSecrets(ctx context.Context, c client.Client) bool {
	namespaces := r.Namespaces
	if len(namespaces) == 0 {
		namespaces = []string{metav1.NamespaceAll}
	}
	for _, namespace := range namespaces {
		for _, verb := range []string{"list", "watch"} {
			review := &authorizationv1.SelfSubjectAccessReview{Spec: authorizationv1.SelfSubjectAccessReviewSpec{
				ResourceAttributes: &authorizationv1.ResourceAttributes{Namespace: namespace, Verb: verb, Resource: "secrets"},
			}}
			if err := c.Create(ctx, review); err != nil {
				log.FromContext(ctx).Info("Secrets are not watched: the API server does not say whether that is allowed", "cause", err.Error())
				return false
			}
			if !review.Status.Allowed {
				return false
			}
		}
	}
	return true
}

// IndexBySecret lets a cache find the sources that use a Secret.
func IndexBySecret(ctx context.Context, indexer client.FieldIndexer) error {
	err := indexer.IndexField(ctx, &v1alpha1.InventorySource{}, secretField, func(o client.Object) []string {
		source := o.(*v1alpha1.InventorySource)
		if source.Spec.Credentials.APIKey == nil {
			return nil
		}
		return []string{source.Spec.Credentials.APIKey.SecretRef.Name}
	})
	if err != nil {
		return fmt.Errorf("indexing sources by Secret: %w", err)
	}
	return nil
}

// users maps a Secret to the sources that use it.
func (r *Reconciler) users(ctx context.Context, secret client.Object) []reconcile.Request {
	sources := &v1alpha1.InventorySourceList{}
	err := r.Cluster.List(ctx, sources, client.InNamespace(secret.GetNamespace()),
		client.MatchingFields{secretField: secret.GetName()}, client.UnsafeDisableDeepCopy, client.DisableReadYourWritesConsistency)
	if err != nil {
		log.FromContext(ctx).Error(err, "Looking for the sources of a Secret", "secret", secret.GetName())
		return nil
	}
	requests := make([]reconcile.Request, len(sources.Items))
	for i := range sources.Items {
		requests[i].NamespacedName = client.ObjectKeyFromObject(&sources.Items[i])
	}
	return requests
}
