// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"context"
	"fmt"
	"time"

	authorizationv1 "k8s.io/api/authorization/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/manager"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
)

// askAgain is how long the manager waits before it checks again for a missing RBAC right.
var askAgain = 30 * time.Second

// Watched reports whether the manager watches objects of this type. The result is false while the
// manager lacks a right to list or watch them.
func (o *Options) Watched(object client.Object) bool { return o.watchRights.whyDenied(object) == "" }

// rightsFailure returns a failure if the manager lacks a right to list or watch the objects of a
// kind. If the manager has the rights, the result is nil.
func (o *Options) rightsFailure(k *kind) *failure {
	if why := o.watchRights.whyDenied(k.newObject()); why != "" {
		return &failure{reason: v1alpha1.ReasonWriteFailed, message: k.Name + ": " + why}
	}
	return nil
}

// watchStarter begins a watch as soon as the manager has the rights to list and watch the objects.
type watchStarter struct {
	*Options
	mgr ctrl.Manager
	// rightsClient is a client without a cache. It asks the API server which rights the manager has.
	rightsClient client.Client
}

func newBeginner(mgr ctrl.Manager, o *Options) (*watchStarter, error) {
	asking, err := client.New(mgr.GetConfig(), client.Options{HTTPClient: mgr.GetHTTPClient(), Scheme: mgr.GetScheme(), Mapper: mgr.GetRESTMapper()})
	if err != nil {
		return nil, fmt.Errorf("a client to ask for rights: %w", err)
	}
	return &watchStarter{o, mgr, asking}, nil
}

// whenAllowed calls beginWatch as soon as the manager has the rights to list and watch objects of
// this type. It also waits until the manager watches all of earlierTypes. Do not begin a watch
// without the rights: the manager would not start.
//
// missingFeature is a text for the log. The text says what does not work without the rights. If the
// text is "", the watch is optional.
//
// Sometimes the API server does not say which rights the manager has. Then an optional watch waits,
// and any other watch begins at once.
func (b *watchStarter) whenAllowed(ctx context.Context, object client.Object, missingFeature string, beginWatch func(context.Context) error, earlierTypes ...client.Object) error {
	why, err := b.missingRight(ctx, object, earlierTypes...)
	if err != nil {
		log.FromContext(ctx).Info("The API server does not say which rights there are", "type", fmt.Sprintf("%T", object), "cause", err.Error())
		if missingFeature == "" {
			why = err.Error()
		}
	}
	if why == "" {
		err := beginWatch(ctx)
		b.watchRights.set(object, "")
		return err
	}
	b.watchRights.set(object, why)
	if missingFeature != "" {
		log.FromContext(ctx).Info("Rights are missing", "cause", why, "follows", missingFeature)
	}
	return b.mgr.Add(rightsWaiter(func(ctx context.Context) error {
		for {
			select {
			case <-ctx.Done():
				return nil
			case <-time.After(askAgain):
			}
			if why, err := b.missingRight(ctx, object, earlierTypes...); why != "" || err != nil {
				continue
			}
			log.FromContext(ctx).Info("Rights that were missing are there", "type", fmt.Sprintf("%T", object))
			err := beginWatch(ctx)
			b.watchRights.set(object, "")
			return err
		}
	}))
}

// missingRight returns why the manager cannot watch objects of this type yet; "" if it can. There
// are two possible reasons:
//
//   - The manager lacks a right to list or watch these objects.
//   - The manager does not watch one of earlierTypes yet.
//
// If the API server gives no answer, missingRight returns an error.
func (b *watchStarter) missingRight(ctx context.Context, object client.Object, earlierTypes ...client.Object) (why string, err error) {
	for _, other := range earlierTypes {
		if why := b.watchRights.whyDenied(other); why != "" {
			return why, nil
		}
	}
	gvk, err := b.mgr.GetClient().GroupVersionKindFor(object)
	if err != nil {
		return "", err
	}
	mapping, err := b.mgr.GetRESTMapper().RESTMapping(gvk.GroupKind(), gvk.Version)
	if err != nil {
		return "", err
	}
	namespaces := b.Namespaces
	if len(namespaces) == 0 {
		namespaces = []string{metav1.NamespaceAll}
	}
	resource := mapping.Resource.Resource
	for _, namespace := range namespaces {
		for _, verb := range []string{"list", "watch"} {
			review := &authorizationv1.SelfSubjectAccessReview{Spec: authorizationv1.SelfSubjectAccessReviewSpec{
				ResourceAttributes: &authorizationv1.ResourceAttributes{Namespace: namespace, Verb: verb, Group: gvk.Group, Resource: resource},
			}}
			if err := b.rightsClient.Create(ctx, review); err != nil {
				return "", err
			}
			if !review.Status.Allowed {
				where := "in any namespace"
				if namespace != "" {
					where = "in namespace " + namespace
				}
				return fmt.Sprintf("the operator may not %s %s %s; give its ServiceAccount that right", verb, resource, where), nil
			}
		}
	}
	return "", nil
}

// rightsWaiter waits for missing rights, and then begins a watch. It also runs while the manager is
// not the leader. So the cache is already full when the manager becomes the leader.
type rightsWaiter func(context.Context) error

var _ manager.LeaderElectionRunnable = rightsWaiter(nil)

// Start implements manager.Runnable.
func (w rightsWaiter) Start(ctx context.Context) error { return w(ctx) }

// NeedLeaderElection implements manager.LeaderElectionRunnable.
func (rightsWaiter) NeedLeaderElection() bool { return false }
