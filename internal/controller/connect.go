// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
	"github.com/ccloud-dev/inventory-operator/internal/cloudapi"
	"github.com/ccloud-dev/inventory-operator/internal/cloudapi/budget"
	"github.com/ccloud-dev/inventory-operator/internal/mirror"
)

// connection is a client of the cloud, and what it was made from.
type connection struct {
	*cloudapi.Client
	endpoint string
	// identity tells who asks, and holds no secret: an API key's ID, or an identity pool
	// and ServiceAccount.
	identity string
	budget   *budget.Budget
}

// login is who asks the cloud where: a source, or a discovery.
type login struct {
	namespace, name, endpoint string
	credentials               v1alpha1.Credentials
	// tokens are kept from sync to sync, where there are any.
	tokens *tokens
	// secret is set to the version of the Secret that was read, "" if there is none.
	secret *string
}

// connect reads the credential and returns a client that uses it. It notes which version of
// the Secret that was.
//
// Failures: EndpointNotAllowed, SecretNotFound, SecretInvalid. An error that is
// no *failure is the context's.
func (r *Reconciler) connect(ctx context.Context, l login) (*connection, error) {
	if err := r.allowEndpoint("spec.endpoint", l.endpoint); err != nil {
		return nil, err
	}
	o := cloudapi.Options{
		Endpoint:  l.endpoint,
		UserAgent: r.UserAgent,
		Transport: r.Transport,
		Retry:     r.Retry,
		Observe:   r.Metrics.ObserveCalls(l.namespace, l.name),
	}
	var identity string
	var share *budget.Budget
	var err error
	if l.credentials.WorkloadIdentity != nil {
		identity, share, err = r.useToken(l, &o)
	} else {
		*l.tokens = tokens{}
		identity, share, err = r.useKey(ctx, l, &o)
	}
	if err != nil {
		return nil, err
	}
	o.Budget = share
	client, err := cloudapi.New(o)
	if wrong, ok := errors.AsType[*cloudapi.CredentialError](err); ok {
		ref := l.credentials.APIKey.SecretRef
		key := ref.GetAPIKeyKey()
		if wrong.Member == cloudapi.MemberSecret {
			key = ref.GetAPISecretKey()
		}
		return nil, &failure{reason: v1alpha1.ReasonSecretInvalid, message: fmt.Sprintf(
			"Secret %q, key %q: %s", ref.Name, key, wrong.Problem)}
	}
	if err != nil {
		return nil, &failure{reason: v1alpha1.ReasonEndpointNotAllowed, message: "spec.endpoint: " + err.Error()}
	}
	return &connection{client, l.endpoint, identity, share}, nil
}

// useKey has a client use the API key that the credential names. Errors are those of credential.
func (r *Reconciler) useKey(ctx context.Context, l login, o *cloudapi.Options) (identity string, share *budget.Budget, err error) {
	o.Credential, err = r.credential(ctx, l)
	return o.Credential.Key, cloudapi.Budget(r.Budgets, o.Endpoint, o.Credential), err
}

// allowEndpoint holds the endpoint in a field against --allowed-endpoints, by origin.
func (r *Reconciler) allowEndpoint(field, endpoint string) error {
	origin, err := cloudapi.Origin(endpoint)
	if err != nil {
		return &failure{reason: v1alpha1.ReasonEndpointNotAllowed, message: field + ": " + err.Error()}
	}
	if slices.Contains(r.AllowedOrigins, origin) {
		return nil
	}
	return &failure{reason: v1alpha1.ReasonEndpointNotAllowed, message: fmt.Sprintf(
		"%s: origin %s is not allowed; the manager's flag --allowed-endpoints allows %s",
		field, origin, strings.Join(r.AllowedOrigins, ", "))}
}

// credential reads the Secret that is named, with nothing but the right
// to get it: its data is neither listed nor watched nor kept.
func (r *Reconciler) credential(ctx context.Context, l login) (cloudapi.Credential, error) {
	if l.credentials.APIKey == nil {
		return cloudapi.Credential{}, &failure{reason: v1alpha1.ReasonSecretInvalid,
			message: "spec.credentials.apiKey.secretRef.name: no Secret is named"}
	}
	secret := &corev1.Secret{}
	ref := l.credentials.APIKey.SecretRef
	key := types.NamespacedName{Namespace: l.namespace, Name: ref.Name}
	switch err := r.APIReader.Get(ctx, key, secret); {
	case apierrors.IsNotFound(err):
		*l.secret = ""
		return cloudapi.Credential{}, &failure{reason: v1alpha1.ReasonSecretNotFound, message: fmt.Sprintf(
			"Secret %q does not exist in namespace %q; create it with the keys %s and %s",
			key.Name, key.Namespace, ref.GetAPIKeyKey(), ref.GetAPISecretKey())}
	case apierrors.IsForbidden(err):
		return cloudapi.Credential{}, &failure{reason: v1alpha1.ReasonSecretNotFound, message: fmt.Sprintf(
			"Secret %q: the operator may not get Secrets in namespace %q; give its ServiceAccount that right", key.Name, key.Namespace)}
	case ctx.Err() != nil:
		return cloudapi.Credential{}, ctx.Err()
	case err != nil:
		// Not an error of the pass: observations must turn stale all the same.
		return cloudapi.Credential{}, &failure{reason: v1alpha1.ReasonSecretNotFound, message: fmt.Sprintf(
			"Secret %q in namespace %q cannot be read: %v", key.Name, key.Namespace, err)}
	}
	*l.secret = secret.ResourceVersion
	values := make([]string, 2)
	for i, name := range []string{ref.GetAPIKeyKey(), ref.GetAPISecretKey()} {
		// A newline at the end is what `echo` leaves behind; no key has one.
		values[i] = strings.TrimSpace(string(secret.Data[name]))
		if values[i] == "" {
			return cloudapi.Credential{}, &failure{reason: v1alpha1.ReasonSecretInvalid, message: fmt.Sprintf(
				"Secret %q has no value under the key %q%s", key.Name, name, keysOf(secret))}
		}
	}
	return cloudapi.Credential{Key: values[0], Secret: values[1]}, nil
}

// keysOf names the keys that a Secret has, as the end of a sentence about one it lacks.
func keysOf(secret *corev1.Secret) string {
	if len(secret.Data) == 0 {
		return "; it has no keys at all"
	}
	return "; it has the keys " + mirror.Names(slices.Sorted(maps.Keys(secret.Data)))
}
