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
	"github.com/ccloud-dev/inventory-operator/internal/cloudapi/budget"
	"github.com/ccloud-dev/inventory-operator/internal/mirror"
)

// subjectLife is how long a ServiceAccount's token is asked for, in seconds: the least that the
// API server gives. It is exchanged at once and then forgotten.
const subjectLife = 600

// tokens are what a source that uses workload identity asks the cloud with.
type tokens struct {
	source *cloudapi.TokenSource
	// of is what the source was made from.
	of v1alpha1.WorkloadIdentityCredential
}

// useToken has a client use tokens of the identity pool that the credential names. The last one is
// kept from sync to sync.
//
// Failures: EndpointNotAllowed. Those of the two steps to a token come once one is needed:
// ServiceAccountTokenFailed, TokenExchangeRefused, and those of any request to the cloud.
func (r *Reconciler) useToken(l login, o *cloudapi.Options) (identity string, share *budget.Budget, err error) {
	const field = "spec.credentials.workloadIdentity.tokenEndpoint"
	of := l.credentials.WorkloadIdentity.WithDefaults()
	if err := r.allowEndpoint(field, of.TokenEndpoint); err != nil {
		return "", nil, err
	}
	who := []string{string(of.IdentityPool), l.namespace, of.ServiceAccountName}
	identity = fmt.Sprintf("%s/%s/%s", who[0], who[1], who[2])
	share = cloudapi.BudgetFor(r.Budgets, o.Endpoint, who...)
	if l.tokens.source == nil || l.tokens.of != of {
		exchanger, err := cloudapi.NewTokenSource(cloudapi.TokenOptions{
			Endpoint:     of.TokenEndpoint,
			IdentityPool: string(of.IdentityPool),
			Subject:      r.subject(l.namespace, of),
			Now:          r.Clock.Now,
		})
		if err != nil {
			return "", nil, &failure{reason: v1alpha1.ReasonEndpointNotAllowed, message: field + ": " + err.Error()}
		}
		*l.tokens = tokens{exchanger, of}
	}
	*l.secret, o.Tokens = "", l.tokens.source
	return identity, share, nil
}

// subject returns what asks the API server for a token of a ServiceAccount.
func (r *Reconciler) subject(namespace string, of v1alpha1.WorkloadIdentityCredential) func(context.Context) (string, error) {
	return func(ctx context.Context) (string, error) {
		account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: of.ServiceAccountName}}
		request := &authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{
			Audiences: []string{of.Audience}, ExpirationSeconds: ptr.To[int64](subjectLife),
		}}
		err := r.Cluster.SubResource("token").Create(ctx, account, request)
		if err == nil {
			return request.Status.Token, nil
		}
		why := fmt.Sprintf("the API server gave no token: %s", mirror.Truncate(err.Error(), maxWords))
		switch {
		case apierrors.IsNotFound(err):
			why = "it does not exist; create it, or name another in spec.credentials.workloadIdentity.serviceAccountName"
		case apierrors.IsForbidden(err):
			why = "the operator may not ask for its tokens; apply config/workload-identity, or set workloadIdentity.enabled in the chart"
		}
		return "", &failure{reason: v1alpha1.ReasonServiceAccountTokenFailed, message: fmt.Sprintf(
			"ServiceAccount %q in namespace %q: %s", of.ServiceAccountName, namespace, why)}
	}
}
