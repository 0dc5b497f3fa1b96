// SPDX-License-Identifier: Apache-2.0

package cloudapi

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"unicode"
)

// redacted stands wherever a credential would have been shown.
const redacted = "[redacted]"

// Credential is a Cloud API key with its secret. However it is printed, logged
// or marshalled to JSON, only a placeholder shows.
type Credential struct {
	Key    string
	Secret string
}

// Format covers every verb of package fmt. String and GoString alone would
// leave %d, which prints the fields.
func (Credential) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// String returns a placeholder.
func (Credential) String() string { return redacted }

// GoString returns a placeholder.
func (Credential) GoString() string { return redacted }

// LogValue returns a placeholder.
func (Credential) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalJSON returns a placeholder.
func (Credential) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }

// validate says what about the credential can never work. The error names the
// member, never its value.
func (c Credential) validate() error {
	switch {
	case c.Key == "":
		return errors.New("Credential.Key is empty; give the ID of a Cloud API key")
	case c.Secret == "":
		return errors.New("Credential.Secret is empty; give the secret of the Cloud API key")
	case strings.Contains(c.Key, ":"):
		return errors.New("Credential.Key has a colon, which HTTP Basic authentication cannot carry; " +
			"give the key's ID alone, without the secret")
	case strings.ContainsFunc(c.Key, unicode.IsControl):
		return errors.New("Credential.Key has a line break or another control character; remove it")
	case strings.ContainsFunc(c.Secret, unicode.IsControl):
		return errors.New("Credential.Secret has a line break or another control character; remove it")
	}
	return nil
}

// basic is the credential as HTTP Basic authentication sends it, without the
// scheme.
func (c Credential) basic() string {
	return base64.StdEncoding.EncodeToString([]byte(c.Key + ":" + c.Secret))
}
