// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
	"github.com/ccloud-dev/inventory-operator/internal/cloudapi"
	"github.com/ccloud-dev/inventory-operator/internal/cloudapi/budget"
	"github.com/ccloud-dev/inventory-operator/internal/mirror"
)

// connection is a client of the cloud for one endpoint and one credential.
type connection struct {
	*cloudapi.Client
	endpoint string
	// identity says who sends the requests: the ID of an API key, or an identity pool with a
	// namespace and a ServiceAccount. It contains no secret value.
	identity string
	budget   *budget.Budget
	// secretVersion is the resourceVersion of the Secret that connect read; "" if connect read no
	// Secret.
	secretVersion string
}

// login says which endpoint and which credential a connection to the cloud uses.
type login struct {
	settings
	namespace string
	// observe is called after each request to the cloud.
	observe func(cloudapi.Call)
}

// connect reads the credential and returns a connection to the cloud. If connect fails after it
// read a Secret, secretVersion is set in the result.
//
// The error is the error of ctx, or a *failure with one of these reasons: EndpointNotAllowed,
// SecretNotFound, SecretInvalid.
func (o *Options) connect(ctx context.Context, l login) (connection, error) {
	c := connection{endpoint: l.endpoint}
	if err := o.allowEndpoint("spec.endpoint", l.endpoint); err != nil {
		return c, err
	}
	with := cloudapi.Options{
		Endpoint:  l.endpoint,
		UserAgent: o.UserAgent,
		Transport: o.Transport,
		Retry:     o.Retry,
		Observe:   l.observe,
	}
	var err error
	if l.credentials.WorkloadIdentity != nil {
		with.Tokens, err = o.useToken(l, &c)
	} else {
		with.Credential, c.secretVersion, err = o.credential(ctx, l)
		c.identity, c.budget = with.Credential.Key, cloudapi.Budget(o.Budgets, l.endpoint, with.Credential)
	}
	if err != nil {
		return c, err
	}
	with.Budget = c.budget
	c.Client, err = cloudapi.New(with)
	if wrong, ok := errors.AsType[*cloudapi.CredentialError](err); ok {
		ref := l.credentials.APIKey.SecretRef
		key := ref.GetAPIKeyKey()
		if wrong.Member == cloudapi.MemberSecret {
			key = ref.GetAPISecretKey()
		}
		return c, &failure{reason: v1alpha1.ReasonSecretInvalid, message: fmt.Sprintf(
			"Secret %q, key %q: %s", ref.Name, key, wrong.Problem)}
	}
	if err != nil {
		return c, &failure{reason: v1alpha1.ReasonEndpointNotAllowed, message: "spec.endpoint: " + err.Error()}
	}
	return c, nil
}

// allowEndpoint returns a failure if the manager's flag --allowed-endpoints does not allow the
// endpoint. fieldPath is the endpoint's path in the spec, for the message.
func (o *Options) allowEndpoint(fieldPath, endpoint string) error {
	origin, err := cloudapi.Origin(endpoint)
	if err != nil {
		return &failure{reason: v1alpha1.ReasonEndpointNotAllowed, message: fieldPath + ": " + err.Error()}
	}
	if slices.Contains(o.AllowedOrigins, origin) {
		return nil
	}
	return &failure{reason: v1alpha1.ReasonEndpointNotAllowed, message: fmt.Sprintf(
		"%s: origin %s is not allowed; the manager's flag --allowed-endpoints allows %s",
		fieldPath, origin, strings.Join(o.AllowedOrigins, ", "))}
}

// credential reads the API key from the Secret that the spec names. The second result is the
// Secret's resourceVersion; "" if the Secret could not be read. The manager needs the right to get
// Secrets, but not to list or watch them.
func (o *Options) credential(ctx context.Context, l login) (c cloudapi.Credential, version string, err error) {
	if l.credentials.APIKey == nil {
		return c, "", &failure{reason: v1alpha1.ReasonSecretInvalid,
			message: "spec.credentials.apiKey.secretRef.name: no Secret is named"}
	}
	secret := &corev1.Secret{}
	ref := l.credentials.APIKey.SecretRef
	key := types.NamespacedName{Namespace: l.namespace, Name: ref.Name}
	switch err := o.APIReader.Get(ctx, key, secret); {
	case apierrors.IsNotFound(err):
		return c, "", &failure{reason: v1alpha1.ReasonSecretNotFound, message: fmt.Sprintf(
			"Secret %q does not exist in namespace %q; create it with the keys %s and %s",
			key.Name, key.Namespace, ref.GetAPIKeyKey(), ref.GetAPISecretKey())}
	case apierrors.IsForbidden(err):
		return c, "", &failure{reason: v1alpha1.ReasonSecretNotFound, message: fmt.Sprintf(
			"Secret %q: the operator may not get Secrets in namespace %q; give its ServiceAccount that right", key.Name, key.Namespace)}
	case ctx.Err() != nil:
		return c, "", ctx.Err()
	case err != nil:
		// Return a *failure. Any other error would end the reconcile before it marks outdated
		// observations as stale.
		return c, "", &failure{reason: v1alpha1.ReasonSecretNotFound, message: fmt.Sprintf(
			"Secret %q in namespace %q cannot be read: %v", key.Name, key.Namespace, err)}
	}
	values := make([]string, 2)
	for i, name := range []string{ref.GetAPIKeyKey(), ref.GetAPISecretKey()} {
		// A person who makes the Secret with the command `echo` adds a newline: remove it. No API
		// key begins or ends with white space.
		values[i] = strings.TrimSpace(string(secret.Data[name]))
		if values[i] == "" {
			return c, secret.ResourceVersion, &failure{reason: v1alpha1.ReasonSecretInvalid, message: fmt.Sprintf(
				"Secret %q has no value under the key %q%s", key.Name, name, keysOf(secret))}
		}
	}
	return cloudapi.Credential{Key: values[0], Secret: values[1]}, secret.ResourceVersion, nil
}

// keysOf returns a text that names the keys of the Secret, for the end of a message.
func keysOf(secret *corev1.Secret) string {
	if len(secret.Data) == 0 {
		return "; it has no keys at all"
	}
	return "; it has the keys " + mirror.Names(slices.Sorted(maps.Keys(secret.Data)))
}

// subjectLife is the lifetime of the ServiceAccount tokens that the operator requests, in seconds.
// The API server accepts no shorter lifetime.
const subjectLife = 600

// useToken sets c.identity and c.budget for workload identity, and returns the TokenSource for the
// connection. It does not request a token. Connections with the same namespace, pool,
// ServiceAccount, audience and token endpoint share one token.
//
// If the token endpoint is not allowed, useToken returns a *failure with the reason
// EndpointNotAllowed.
func (o *Options) useToken(l login, c *connection) (*cloudapi.TokenSource, error) {
	const field = "spec.credentials.workloadIdentity.tokenEndpoint"
	of := l.credentials.WorkloadIdentity.WithDefaults()
	if err := o.allowEndpoint(field, of.TokenEndpoint); err != nil {
		return nil, err
	}
	who := []string{string(of.IdentityPool), l.namespace, of.ServiceAccountName}
	c.identity = fmt.Sprintf("%s/%s/%s", who[0], who[1], who[2])
	c.budget = cloudapi.BudgetFor(o.Budgets, l.endpoint, who...)
	shared, err := o.tokens.For(cloudapi.TokenOptions{
		Endpoint:     of.TokenEndpoint,
		IdentityPool: string(of.IdentityPool),
		Subject:      o.subjectToken(l.namespace, of),
		Budget:       cloudapi.BudgetFor(o.Budgets, of.TokenEndpoint, append([]string{"exchange"}, who...)...),
		Now:          o.Clock.Now,
	}, l.namespace, of.ServiceAccountName, of.Audience)
	if err != nil {
		return nil, &failure{reason: v1alpha1.ReasonEndpointNotAllowed, message: field + ": " + err.Error()}
	}
	return shared, nil
}

// subjectToken returns a function that asks the API server for a token of a ServiceAccount.
func (o *Options) subjectToken(namespace string, of v1alpha1.WorkloadIdentityCredential) func(context.Context) (string, error) {
	return func(ctx context.Context) (string, error) {
		account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: of.ServiceAccountName}}
		request := &authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{
			Audiences: []string{of.Audience}, ExpirationSeconds: ptr.To[int64](subjectLife),
		}}
		err := o.Cluster.SubResource("token").Create(ctx, account, request)
		if err == nil {
			return request.Status.Token, nil
		}
		why := fmt.Sprintf("the API server gave no token: %s", mirror.Truncate(err.Error(), maxWords))
		switch {
		case apierrors.IsNotFound(err):
			why = "it does not exist; create it, or name another in spec.credentials.workloadIdentity.serviceAccountName"
		case apierrors.IsForbidden(err):
			why = "the operator may not ask for its tokens; add config/workload-identity to what is deployed, or set workloadIdentity.enabled in the chart"
		}
		return "", &failure{reason: v1alpha1.ReasonServiceAccountTokenFailed, message: fmt.Sprintf(
			"ServiceAccount %q in namespace %q: %s", of.ServiceAccountName, namespace, why)}
	}
}
