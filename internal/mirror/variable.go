// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"regexp"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
)

// The keys of a ConfigMap have one of two forms: bootstrap.servers, or BOOTSTRAP_SERVERS. The
// second form is a valid name of a shell variable. The spec of the InventorySource selects the
// form.

var (
	// variableID matches an ID that is a valid name of a shell variable.
	variableID = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
	// hashedName matches a name that ends in "_" and 8 hex digits. The function that variablesOf
	// returns adds such an end to some names.
	hashedName = regexp.MustCompile(`_[0-9A-F]{8}$`)
)

// maxVariable is the largest size of the first part of a variable's name, in bytes. The second part
// is a suffix such as _BOOTSTRAP_SERVERS.
const maxVariable = validation.DNS1123SubdomainMaxLength - len(longestSuffix)

// propertyKey returns the ConfigMap key for a name. The key has the form bootstrap.servers.
func propertyKey(name string) string { return name }

// variableKey returns the ConfigMap key for a name. The key has the form BOOTSTRAP_SERVERS: letters
// become upper case, and each character that is not an ASCII letter or digit becomes "_".
func variableKey(name string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z':
			return r - 'a' + 'A'
		case r >= 'A' && r <= 'Z', r >= '0' && r <= '9':
			return r
		}
		return '_'
	}, name)
}

// variablesOf returns a function that makes the first part of a variable's name from the ID of an
// access point. Usually the first part is the ID in upper case. In these cases, the function adds
// "_" and the first 8 hex digits of the ID's SHA-256:
//
//   - The ID is not a valid name of a shell variable.
//   - The ID is too long.
//   - The ID already ends in "_" and 8 hex digits.
//   - Another ID is the same in upper case.
func variablesOf(endpoints []v1alpha1.KafkaEndpoint) func(id string) string {
	count := map[string]int{}
	for _, e := range endpoints {
		if plainVariable(e.AccessPointID) {
			count[variableKey(e.AccessPointID)]++
		}
	}
	return func(id string) string {
		name := variableKey(id)
		if plainVariable(id) && count[name] == 1 {
			return name
		}
		if name != "" && name[0] >= '0' && name[0] <= '9' {
			name = "_" + name
		}
		return name[:min(len(name), maxVariable-hashDigits-1)] + "_" + strings.ToUpper(shortHash(id))
	}
}

// plainVariable reports whether an ID in upper case, without a hash, can be the first part of a
// variable's name. It does not compare the ID with other IDs.
func plainVariable(id string) bool {
	return len(id) <= maxVariable && variableID.MatchString(id) && !hashedName.MatchString(variableKey(id))
}

// fitsVariable returns true if an environment variable can have this value: a value without a NUL
// byte.
func fitsVariable(value string) bool { return !strings.Contains(value, "\x00") }
