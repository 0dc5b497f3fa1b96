// SPDX-License-Identifier: Apache-2.0

package cloudapi

import (
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"unicode"

	"github.com/ccloud-dev/inventory-operator/internal/cloudapi/budget"
)

// redactedText is the placeholder that messages show for a secret.
const redactedText = "[redacted]"

// Credential is a Cloud API key and its secret. If a Credential is printed, logged or marshaled to
// JSON, the result is a placeholder.
type Credential struct {
	Key    string
	Secret string
}

// Format prints a placeholder for every verb of package fmt. Without Format, the verb %d would
// print the key and the secret.
func (Credential) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redactedText) }

// String returns a placeholder.
func (Credential) String() string { return redactedText }

// GoString returns a placeholder.
func (Credential) GoString() string { return redactedText }

// LogValue returns a placeholder.
func (Credential) LogValue() slog.Value { return slog.StringValue(redactedText) }

// MarshalJSON returns a placeholder.
func (Credential) MarshalJSON() ([]byte, error) { return []byte(`"` + redactedText + `"`), nil }

// The members of a Credential.
const (
	MemberKey    = "Key"
	MemberSecret = "Secret"
)

// CredentialError says why a Credential is invalid.
type CredentialError struct {
	// Member is MemberKey or MemberSecret.
	Member string
	// Problem says what is wrong and how to correct it. It never contains the key or the secret.
	Problem string
}

// Error implements error.
func (e *CredentialError) Error() string { return "Credential." + e.Member + " " + e.Problem }

// validate returns a *CredentialError if the key or the secret is invalid.
func (c Credential) validate() error {
	const control = "has a line break or another control character; remove it"
	switch {
	case c.Key == "":
		return &CredentialError{MemberKey, "is empty; give the ID of a Cloud API key"}
	case c.Secret == "":
		return &CredentialError{MemberSecret, "is empty; give the secret of the Cloud API key"}
	case strings.Contains(c.Key, ":"):
		return &CredentialError{MemberKey, "has a colon, which HTTP Basic authentication cannot carry; " +
			"give the key's ID alone, without the secret"}
	case strings.ContainsFunc(c.Key, unicode.IsControl):
		return &CredentialError{MemberKey, control}
	case strings.ContainsFunc(c.Secret, unicode.IsControl):
		return &CredentialError{MemberSecret, control}
	}
	return nil
}

// basicAuth returns the key and the secret, encoded for HTTP Basic authentication.
func (c Credential) basicAuth() string {
	return base64.StdEncoding.EncodeToString([]byte(c.Key + ":" + c.Secret))
}

// newAuthorizer returns an authorizer that sends the API key. An API key does not expire, so the
// authorizer never renews the key.
func (c Credential) newAuthorizer() authorizer {
	texts := append([]string{c.basicAuth(), c.Key + ":" + c.Secret, c.Secret}, longEnough(c.Key)...)
	auth := newAuthorization("Basic "+c.basicAuth(), texts...)
	return authorizer{
		currentAuth:   func() authorization { return auth },
		ensureToken:   func(context.Context, *Client) error { return nil },
		tokenAccepted: func(*Client, string, mark) {},
		renewToken:    func(context.Context, *Client, string, mark) (bool, error) { return false, nil },
	}
}

// Budget returns the request budget of a credential at an endpoint. A budget limits how many
// requests the operator sends. Callers with the same credential and the same endpoint share a
// budget, because the cloud counts requests by credential.
func Budget(budgets *budget.Budgets, endpoint string, c Credential) *budget.Budget {
	return BudgetFor(budgets, endpoint, c.Key, c.Secret)
}

// BudgetFor returns the request budget of a sender at an endpoint. identityTexts identify the
// sender, for example by an API key and its secret.
func BudgetFor(budgets *budget.Budgets, endpoint string, identityTexts ...string) *budget.Budget {
	origin, err := Origin(endpoint)
	if err != nil {
		// The endpoint is invalid. New and NewTokenSource reject this endpoint, so no request ever
		// uses this budget.
		origin = endpoint
	}
	return budgets.For(append([]string{origin}, identityTexts...)...)
}
