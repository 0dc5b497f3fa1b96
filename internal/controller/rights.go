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

// askAgain is the wait before the manager checks again for a right that it lacks.
var askAgain = 30 * time.Second

// Watched reports whether the manager watches objects of this type. The result is false while the
// manager lacks the rights to watch them.
func (o *Options) Watched(object client.Object) bool { return o.watches.why(object) == "" }

// denied returns a failure if the manager lacks the rights to watch the objects of a kind. If the
// manager has the rights, denied returns nil.
func (o *Options) denied(k *kind) *failure {
	if why := o.watches.why(k.newObject()); why != "" {
		return &failure{reason: v1alpha1.ReasonWriteFailed, message: k.Name + ": " + why}
	}
	return nil
}

// beginner begins a watch as soon as the manager has the rights for this watch.
type beginner struct {
	*Options
	mgr ctrl.Manager
	// asking is a client without a cache. It asks the API server which rights the manager has.
	asking client.Client
}

func newBeginner(mgr ctrl.Manager, o *Options) (*beginner, error) {
	asking, err := client.New(mgr.GetConfig(), client.Options{HTTPClient: mgr.GetHTTPClient(), Scheme: mgr.GetScheme(), Mapper: mgr.GetRESTMapper()})
	if err != nil {
		return nil, fmt.Errorf("a client to ask for rights: %w", err)
	}
	return &beginner{o, mgr, asking}, nil
}

// whenAllowed calls the function begin, which begins a watch, as soon as the manager may list and
// watch objects of this type. A watch without these rights would prevent the manager's start. The
// parameter after has the types that the manager must watch first.
//
// The parameter follows is a text for the log. It says what does not work without the rights. If
// the text is "", the watch is optional. If the API server does not say which rights there are, an
// optional watch waits, and a watch that is not optional begins.
func (b *beginner) whenAllowed(ctx context.Context, object client.Object, follows string, begin func(context.Context) error, after ...client.Object) error {
	why, err := b.lacking(ctx, object, after...)
	if err != nil {
		log.FromContext(ctx).Info("The API server does not say which rights there are", "type", fmt.Sprintf("%T", object), "cause", err.Error())
		if follows == "" {
			why = err.Error()
		}
	}
	if why == "" {
		err := begin(ctx)
		b.watches.set(object, "")
		return err
	}
	b.watches.set(object, why)
	if follows != "" {
		log.FromContext(ctx).Info("Rights are missing", "cause", why, "follows", follows)
	}
	return b.mgr.Add(waiting(func(ctx context.Context) error {
		for {
			select {
			case <-ctx.Done():
				return nil
			case <-time.After(askAgain):
			}
			if why, err := b.lacking(ctx, object, after...); why != "" || err != nil {
				continue
			}
			log.FromContext(ctx).Info("Rights that were missing are there", "type", fmt.Sprintf("%T", object))
			err := begin(ctx)
			b.watches.set(object, "")
			return err
		}
	}))
}

// lacking returns why the manager cannot watch objects of this type; "" if it can. Either a right
// to list or watch them is missing, or the manager does not watch a type in the parameter after.
// If the API server gives no answer, lacking returns an error.
func (b *beginner) lacking(ctx context.Context, object client.Object, after ...client.Object) (why string, err error) {
	for _, other := range after {
		if why := b.watches.why(other); why != "" {
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
			if err := b.asking.Create(ctx, review); err != nil {
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

// waiting is a function that waits for rights. The manager runs this function even before it
// becomes the leader, so that its cache is full when it becomes the leader.
type waiting func(context.Context) error

var _ manager.LeaderElectionRunnable = waiting(nil)

// Start implements manager.Runnable.
func (w waiting) Start(ctx context.Context) error { return w(ctx) }

// NeedLeaderElection implements manager.LeaderElectionRunnable.
func (waiting) NeedLeaderElection() bool { return false }
