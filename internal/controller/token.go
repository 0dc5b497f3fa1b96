// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"context"
	"fmt"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
	"github.com/ccloud-dev/inventory-operator/internal/cloudapi"
	"github.com/ccloud-dev/inventory-operator/internal/mirror"
)

// subjectLife is how long a ServiceAccount's token is asked for, in seconds: the least that the
// API server gives. It is exchanged at once and then forgotten.
const subjectLife = 600

// useToken has a connection use tokens of the identity pool that the credential names. All owners
// of one namespace, pool, ServiceAccount, audience and token endpoint share one token.
//
// Failures: EndpointNotAllowed. Those of the two steps to a token come once one is needed:
// ServiceAccountTokenFailed, TokenExchangeRefused, and those of any request to the cloud.
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
		Subject:      o.subject(l.namespace, of),
		Now:          o.Clock.Now,
	}, l.namespace, of.ServiceAccountName, of.Audience)
	if err != nil {
		return nil, &failure{reason: v1alpha1.ReasonEndpointNotAllowed, message: field + ": " + err.Error()}
	}
	return shared, nil
}

// subject returns what asks the API server for a token of a ServiceAccount.
func (o *Options) subject(namespace string, of v1alpha1.WorkloadIdentityCredential) func(context.Context) (string, error) {
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
