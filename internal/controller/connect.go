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

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
	"github.com/ccloud-dev/inventory-operator/internal/cloudapi"
	"github.com/ccloud-dev/inventory-operator/internal/cloudapi/budget"
	"github.com/ccloud-dev/inventory-operator/internal/mirror"
)

// connection is a client for a source's environment, and what it was made from.
type connection struct {
	*cloudapi.Client
	endpoint string
	// identity tells who asks, and holds no secret: an API key's ID, or an identity pool
	// and ServiceAccount.
	identity string
	budget   *budget.Budget
}

// connect reads the source's credential and returns a client that uses it. It notes
// which version of the Secret that was.
//
// Failures: EndpointNotAllowed, SecretNotFound, SecretInvalid. An error that is
// no *failure is the context's.
func (r *Reconciler) connect(ctx context.Context, p *pass) (*connection, error) {
	source, endpoint := p.source, p.source.GetEndpoint()
	if err := r.allowEndpoint("spec.endpoint", endpoint); err != nil {
		return nil, err
	}
	o := cloudapi.Options{
		Endpoint:  endpoint,
		UserAgent: r.UserAgent,
		Transport: r.Transport,
		Retry:     r.Retry,
		Observe:   r.Metrics.ObserveCalls(source.Namespace, source.Name),
	}
	var identity string
	var share *budget.Budget
	var err error
	if source.Spec.Credentials.WorkloadIdentity != nil {
		identity, share, err = r.useToken(p, &o)
	} else {
		p.state.tokens = tokens{}
		identity, share, err = r.useKey(ctx, p, &o)
	}
	if err != nil {
		return nil, err
	}
	o.Budget = share
	client, err := cloudapi.New(o)
	if wrong, ok := errors.AsType[*cloudapi.CredentialError](err); ok {
		key := source.Spec.Credentials.APIKey.SecretRef.GetAPIKeyKey()
		if wrong.Member == cloudapi.MemberSecret {
			key = source.Spec.Credentials.APIKey.SecretRef.GetAPISecretKey()
		}
		return nil, &failure{reason: v1alpha1.ReasonSecretInvalid, message: fmt.Sprintf(
			"Secret %q, key %q: %s", secretOf(source).Name, key, wrong.Problem)}
	}
	if err != nil {
		return nil, &failure{reason: v1alpha1.ReasonEndpointNotAllowed, message: "spec.endpoint: " + err.Error()}
	}
	return &connection{client, endpoint, identity, share}, nil
}

// useKey has a client use the API key that the source names. Errors are those of credential.
func (r *Reconciler) useKey(ctx context.Context, p *pass, o *cloudapi.Options) (identity string, share *budget.Budget, err error) {
	o.Credential, err = r.credential(ctx, p)
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

// credential reads the Secret that the source names, with nothing but the right
// to get it: its data is neither listed nor watched nor kept.
func (r *Reconciler) credential(ctx context.Context, p *pass) (cloudapi.Credential, error) {
	if p.source.Spec.Credentials.APIKey == nil {
		return cloudapi.Credential{}, &failure{reason: v1alpha1.ReasonSecretInvalid,
			message: "spec.credentials.apiKey.secretRef.name: no Secret is named"}
	}
	secret := &corev1.Secret{}
	key, ref := secretOf(p.source), p.source.Spec.Credentials.APIKey.SecretRef
	switch err := r.APIReader.Get(ctx, key, secret); {
	case apierrors.IsNotFound(err):
		p.secret = ""
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
	p.secret = secret.ResourceVersion
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
