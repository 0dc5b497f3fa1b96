// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"regexp"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
)

// The keys of a ConfigMap have one of two forms: the names that v1alpha1 declares, or names of
// shell variables. The name of a shell variable has only upper-case letters, digits and "_", and
// does not begin with a digit.

var (
	// variableID matches an ID that can be part of a variable's name if it is written in upper
	// case.
	variableID = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
	// hashedName matches a name that ends as if it had a hash: in "_" and 8 hex digits.
	hashedName = regexp.MustCompile(`_[0-9A-F]{8}$`)
)

// maxVariable is the largest size of the part of a variable's name that stands for an access point,
// in bytes.
const maxVariable = validation.DNS1123SubdomainMaxLength - len(longestSuffix)

// property returns a name as a key of the form Properties.
func property(name string) string { return name }

// variable returns a name as a key of the form Environment: in upper case, with "_" for each rune
// that is not an ASCII letter or a digit.
func variable(name string) string {
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

// variablesOf returns a function for the access points in endpoints. The function gets the ID of an
// access point. It returns the part of a variable's name that stands for this access point: the ID
// in upper case. In four cases the part ends in a hash, so that a new access point never takes the
// variable of another:
//
//   - The ID has other characters than ASCII letters, digits and "_", or begins with a digit.
//   - The ID is too long.
//   - The ID already ends in the form of such a hash.
//   - Another ID differs from the ID only in case.
//
// The hash is "_" and the first 8 hex digits of the ID's SHA-256. In the part before the hash, each
// invalid character becomes "_", a leading digit gets "_" in front, and a long ID is cut.
func variablesOf(endpoints []v1alpha1.KafkaEndpoint) func(id string) string {
	count := map[string]int{}
	for _, e := range endpoints {
		if plainVariable(e.AccessPointID) {
			count[variable(e.AccessPointID)]++
		}
	}
	return func(id string) string {
		name := variable(id)
		if plainVariable(id) && count[name] == 1 {
			return name
		}
		if name != "" && name[0] >= '0' && name[0] <= '9' {
			name = "_" + name
		}
		return name[:min(len(name), maxVariable-hashDigits-1)] + "_" + strings.ToUpper(shortHash(id))
	}
}

// plainVariable reports whether an ID needs no hash to be part of a variable's name. It does not
// compare the ID with other IDs.
func plainVariable(id string) bool {
	return len(id) <= maxVariable && variableID.MatchString(id) && !hashedName.MatchString(variable(id))
}

// fitsVariable reports whether a variable can have this value. A process cannot be started with a
// NUL in its environment.
func fitsVariable(value string) bool { return !strings.Contains(value, "\x00") }
