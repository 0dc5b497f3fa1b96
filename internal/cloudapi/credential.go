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

// redacted is shown instead of a credential.
const redacted = "[redacted]"

// Credential is a Cloud API key with its secret. If code prints it, logs it or marshals it to JSON,
// the result is only a placeholder.
type Credential struct {
	Key    string
	Secret string
}

// Format prints a placeholder for every verb of package fmt. String and GoString alone are not
// enough: without Format, %d prints the fields.
func (Credential) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// String returns a placeholder.
func (Credential) String() string { return redacted }

// GoString returns a placeholder.
func (Credential) GoString() string { return redacted }

// LogValue returns a placeholder.
func (Credential) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalJSON returns a placeholder.
func (Credential) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }

// The members of a Credential.
const (
	MemberKey    = "Key"
	MemberSecret = "Secret"
)

// CredentialError says why a credential can never work.
type CredentialError struct {
	// Member is MemberKey or MemberSecret.
	Member string
	// Problem says what is wrong and how to correct it. It never contains the member's value.
	Problem string
}

// Error implements error.
func (e *CredentialError) Error() string { return "Credential." + e.Member + " " + e.Problem }

// validate returns a *CredentialError if the credential can never work.
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

// basic returns the value that HTTP Basic authentication sends, without the word Basic.
func (c Credential) basic() string {
	return base64.StdEncoding.EncodeToString([]byte(c.Key + ":" + c.Secret))
}

// authorizer returns the authorizer of the credential. An API key does not expire and cannot be
// renewed.
func (c Credential) authorizer() authorizer {
	texts := append([]string{c.basic(), c.Key + ":" + c.Secret, c.Secret}, longEnough(c.Key)...)
	auth := newAuthorization("Basic "+c.basic(), texts...)
	return authorizer{
		value:   func() authorization { return auth },
		refresh: func(context.Context, *Client) error { return nil },
		renew:   func(context.Context, *Client, mark, bool) (bool, error) { return false, nil },
	}
}

// Budget returns the request budget of a credential at an endpoint. All sources with the same
// credential share this budget, because the cloud counts requests by credential.
func Budget(of *budget.Budgets, endpoint string, c Credential) *budget.Budget {
	return BudgetFor(of, endpoint, c.Key, c.Secret)
}

// BudgetFor returns the request budget of an identity at an endpoint. who has the parts of the
// identity. A renewed token does not change the budget.
func BudgetFor(of *budget.Budgets, endpoint string, who ...string) *budget.Budget {
	origin, err := Origin(endpoint)
	if err != nil {
		// New returns no Client for such an endpoint, so this budget is never used.
		origin = endpoint
	}
	return of.For(append([]string{origin}, who...)...)
}
