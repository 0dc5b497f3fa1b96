// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"regexp"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
)

// The keys of a ConfigMap are the names that v1alpha1 declares, or names of shell variables. A shell
// variable's name has only upper-case letters, digits and "_", and does not begin with a digit.

var (
	// variableID matches an ID that is part of a variable's name in upper case.
	variableID = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
	// hashedName matches a name that ends like one to which a hash was added.
	hashedName = regexp.MustCompile(`_[0-9A-F]{8}$`)
)

// maxVariable is the most bytes that a variable's name has for its access point.
const maxVariable = validation.DNS1123SubdomainMaxLength - len(longestSuffix)

// property returns a name as a key of the form Properties.
func property(name string) string { return name }

// variable returns a name as a key of the form Environment: in upper case, with "_" for each rune
// that is neither an ASCII letter nor a digit.
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

// variablesOf returns a function. For the ID of one of these access points, the function returns the
// part of a variable's name that stands for the access point. It is the ID in upper case if the ID
// has only ASCII letters, digits and "_", and does not begin with a digit. Any other ID gets "_" and
// the first 8 hex digits of its SHA-256 at the end. An ID that already ends like this gets them too.
// If IDs differ only in case, all of them get them, so that a new access point never takes the
// variable of another.
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

// plainVariable reports whether an ID needs no hash to be part of a variable's name.
func plainVariable(id string) bool {
	return len(id) <= maxVariable && variableID.MatchString(id) && !hashedName.MatchString(variable(id))
}

// fitsVariable reports whether a variable can have a value. A process with a NUL in its environment
// cannot be started.
func fitsVariable(value string) bool { return !strings.Contains(value, "\x00") }
