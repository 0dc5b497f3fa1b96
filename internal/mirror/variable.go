// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"regexp"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
)

// The keys of a ConfigMap have one of two forms: names such as bootstrap.servers, or names of shell
// variables such as BOOTSTRAP_SERVERS. The source's spec selects the form.

var (
	// variableID matches an ID that is a valid part of a shell variable's name if it is in upper
	// case.
	variableID = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
	// hashedName matches a name that ends in "_" and 8 hex digits, as names with a hash do.
	hashedName = regexp.MustCompile(`_[0-9A-F]{8}$`)
)

// maxVariable is the largest size of the part of a variable's name that stands for an access point,
// in bytes. The rest of the name is a suffix.
const maxVariable = validation.DNS1123SubdomainMaxLength - len(longestSuffix)

// property returns the key for a name if the source selects the form bootstrap.servers.
func property(name string) string { return name }

// variable returns the key for a name if the source selects the form BOOTSTRAP_SERVERS: upper case,
// with "_" for each character that is not an ASCII letter or a digit.
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

// variablesOf returns a function that gets the ID of an access point, and returns the part of a
// variable's name that stands for this access point. This part is the ID in upper case. To make the
// part valid and unique, "_" and the first 8 hex digits of the ID's SHA-256 are added if
//
//   - the ID has characters other than ASCII letters, digits and "_", or begins with a digit,
//   - the ID is too long,
//   - the ID already ends in "_" and 8 hex digits,
//   - another ID differs only in case.
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

// plainVariable reports whether an ID in upper case is a valid part of a variable's name. It does
// not check whether another ID gives the same part.
func plainVariable(id string) bool {
	return len(id) <= maxVariable && variableID.MatchString(id) && !hashedName.MatchString(variable(id))
}

// fitsVariable reports whether an environment variable can have this value. The value must not have
// a NUL byte.
func fitsVariable(value string) bool { return !strings.Contains(value, "\x00") }
