// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"errors"
	"time"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
	"github.com/ccloud-dev/inventory-operator/internal/cloudapi"
	"github.com/ccloud-dev/inventory-operator/internal/mirror"
)

// failure is an error with the reason and the message for a condition in the status.
type failure struct {
	// reason is the reason of the condition.
	reason string
	// message says what failed. It never contains a credential.
	message string
	// retryAfter is how long the cloud asked the operator to wait; 0 if the cloud asked for no
	// wait.
	retryAfter time.Duration
}

// Error implements error.
func (f *failure) Error() string { return f.message }

// verdict returns the reason and the message of the failure for a condition; nil if f is nil.
func (f *failure) verdict() *verdict {
	if f == nil {
		return nil
	}
	return &verdict{reason: f.reason, message: f.message}
}

// withOthers adds all names except the first one to a message. The message already has the first
// name.
func withOthers(message string, names []string) string {
	if len(names) > 1 {
		message += "; the others: " + mirror.Names(names[1:])
	}
	return message
}

// classReasons maps each class of cloud errors to the reason of a condition.
var classReasons = map[cloudapi.Class]string{
	cloudapi.Unauthenticated: v1alpha1.ReasonUnauthenticated,
	cloudapi.Forbidden:       v1alpha1.ReasonForbidden,
	cloudapi.InvalidRequest:  v1alpha1.ReasonInvalidRequest,
	cloudapi.RateLimited:     v1alpha1.ReasonRateLimited,
	cloudapi.Unavailable:     v1alpha1.ReasonCloudUnavailable,
	cloudapi.Malformed:       v1alpha1.ReasonMalformedResponse,
	cloudapi.Incomplete:      v1alpha1.ReasonIncompleteListing,
	cloudapi.Canceled:        v1alpha1.ReasonCloudUnavailable,
}

// failureOf turns an error of the cloud client into a failure. If err is nil, the result is nil.
func failureOf(err error) *failure {
	if err == nil {
		return nil
	}
	if own, ok := errors.AsType[*failure](err); ok { // The operator could not send the request.
		return own
	}
	f := &failure{reason: classReasons[cloudapi.ClassOf(err)], message: err.Error()}
	if cloud, ok := errors.AsType[*cloudapi.Error](err); ok {
		f.retryAfter = cloud.RetryAfter
		if cloud.Advice != "" {
			f.message += "; " + cloud.Advice
		}
		if cloud.Operation == cloudapi.OperationExchange && needsPerson(f.reason) {
			f.reason, f.message = v1alpha1.ReasonTokenExchangeRefused, err.Error()+"; "+exchangeAdvice
		}
	}
	return f
}

// exchangeAdvice says what to check if the cloud refuses to exchange a ServiceAccount token.
const exchangeAdvice = "check in Confluent Cloud that the identity provider has this cluster's issuer and keys, " +
	"that the identity pool's filter lets the ServiceAccount through, and that spec.credentials.workloadIdentity.audience is what they expect"

// needsPerson returns true if a retry cannot succeed before a person changes something. For a
// missing Secret, it returns false, because GitOps tools often create the Secret a little later.
func needsPerson(reason string) bool {
	switch reason {
	case v1alpha1.ReasonUnauthenticated, v1alpha1.ReasonForbidden, v1alpha1.ReasonInvalidRequest,
		v1alpha1.ReasonEndpointNotAllowed, v1alpha1.ReasonNameConflict, v1alpha1.ReasonConfigMapsOff,
		v1alpha1.ReasonTokenExchangeRefused:
		return true
	}
	return false
}
