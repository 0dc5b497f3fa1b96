// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"
)

// hashDigits is the number of hex digits of a hash in a name, a label value or a variable name.
const hashDigits = 8

// ObjectName turns a cloud ID into the name of an object in the cluster. If the ID is a valid name,
// ObjectName returns the ID.
//
// If not, ObjectName returns the ID in lower case and a suffix: "-" and the first 8 hex digits of
// the ID's SHA-256. Each invalid character becomes "-", and a long ID is cut.
func ObjectName(id string) string {
	if isSubdomain(id) {
		return id
	}
	hash := shortHash(id)
	base := strings.Map(validRune, strings.ToLower(id))
	if !isSubdomain(base + "-" + hash) {
		// Remove what can make the name invalid: dots, a "-" at the beginning, and too many
		// characters.
		base = strings.TrimLeft(strings.ReplaceAll(base, ".", "-"), "-")
		base = base[:min(len(base), validation.DNS1123SubdomainMaxLength-hashDigits-1)]
	}
	if base == "" {
		return hash
	}
	return base + "-" + hash
}

func isSubdomain(text string) bool { return len(validation.IsDNS1123Subdomain(text)) == 0 }

// shortHash returns the first 8 hex digits of a text's SHA-256.
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
