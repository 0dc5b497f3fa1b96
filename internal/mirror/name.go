// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"
)

// hashDigits is how many hex digits of the ID's SHA-256 end a name that is not the ID.
const hashDigits = 8

// ObjectName returns the name in the cluster for the cloud object with this ID. It is the ID if
// that is a valid DNS-1123 subdomain. Otherwise it is the ID in lower case, with "-" for each
// invalid rune, followed by "-" and the first 8 hex digits of the ID's SHA-256. The result is a
// valid object name for any ID.
func ObjectName(id string) string {
	if isSubdomain(id) {
		return id
	}
	hash := shortHash(id)
	base := strings.Map(validRune, strings.ToLower(id))
	if !isSubdomain(base + "-" + hash) {
		// A dot must be between letters or digits. A name must begin with a letter or digit, and
		// must not be too long.
		base = strings.TrimLeft(strings.ReplaceAll(base, ".", "-"), "-")
		base = base[:min(len(base), validation.DNS1123SubdomainMaxLength-hashDigits-1)]
	}
	if base == "" {
		return hash
	}
	return base + "-" + hash
}

func isSubdomain(text string) bool { return len(validation.IsDNS1123Subdomain(text)) == 0 }

// shortHash returns the first hex digits of a text's SHA-256.
func shortHash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])[:hashDigits]
}

func validRune(r rune) rune {
	if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '-' || r == '.' {
		return r
	}
	return '-'
}
