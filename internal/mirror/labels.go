// SPDX-License-Identifier: Apache-2.0

package mirror

import "k8s.io/apimachinery/pkg/util/validation"

// The two checks here say what validation.IsValidLabelValue and
// validation.IsDNS1123Subdomain say, without a regular expression: they are made for
// every object in every sync.

// isLabelValue reports whether the API server takes a text for the value of a label:
// at most 63 letters, digits, '-', '_' or '.', beginning and ending with a letter or
// digit.
func isLabelValue(text string) bool {
	if text == "" {
		return true
	}
	if len(text) > validation.LabelValueMaxLength || !isAlphanumeric(text[0]) || !isAlphanumeric(text[len(text)-1]) {
		return false
	}
	for i := range len(text) {
		if c := text[i]; !isAlphanumeric(c) && c != '-' && c != '_' && c != '.' {
			return false
		}
	}
	return true
}

// isSubdomain reports whether a text is a DNS-1123 subdomain, as names of objects are:
// at most 253 lower-case letters, digits, '-' or '.', each part between dots
// beginning and ending with a letter or digit.
func isSubdomain(text string) bool {
	if text == "" || len(text) > validation.DNS1123SubdomainMaxLength {
		return false
	}
	before := byte('.')
	for i := range len(text) {
		c := text[i]
		switch {
		case isLower(c):
		case c == '-' && before != '.':
		case c == '.' && isLower(before):
		default:
			return false
		}
		before = c
	}
	return isLower(before)
}

func isLower(c byte) bool { return 'a' <= c && c <= 'z' || '0' <= c && c <= '9' }

func isAlphanumeric(c byte) bool { return isLower(c) || 'A' <= c && c <= 'Z' }
