// SPDX-License-Identifier: Apache-2.0

package cloudapi

import (
	"net/url"
	"strings"
	"unicode"
)

// Longest texts, in runes, taken over from the cloud into an error or a call.
const (
	maxCodeLength      = 64
	maxTitleLength     = 256
	maxRequestIDLength = 128
	maxCauseLength     = 256
	maxShownIDLength   = 64
)

// minHiddenLength is the length below which a key ID or a page token is not
// searched for in a text: "2" would blot out every number. A secret is
// searched for at any length.
const minHiddenLength = 4

// cleaner makes text from the cloud fit to show: valid UTF-8, one line,
// printable, at most limit runes, and without what must not be shown.
//
// It is a closure so that no verb of package fmt, applied to whatever holds
// it, prints what it hides.
type cleaner func(text string, limit int) string

// newCleaner returns a cleaner that hides the credential in each form it may
// come back in, and the page token if there is one.
func newCleaner(c Credential, pageToken string) cleaner {
	hidden := []string{c.basic()}
	if c.Secret != "" {
		hidden = append(hidden, c.Secret, url.QueryEscape(c.Secret))
	}
	for _, s := range []string{c.Key, pageToken, url.QueryEscape(pageToken)} {
		if len(s) >= minHiddenLength {
			hidden = append(hidden, s)
		}
	}
	return func(text string, limit int) string {
		// Hidden before and after, since making a text printable changes it.
		return truncate(hide(printable(hide(text, hidden)), hidden), limit)
	}
}

// hide replaces every occurrence of every hidden string.
func hide(text string, hidden []string) string {
	for _, s := range hidden {
		text = strings.ReplaceAll(text, s, redacted)
	}
	return text
}

// printable returns text on one line, each run of spaces and of characters
// that do not print as one space.
func printable(text string) string {
	text = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, string(unicode.ReplacementChar)))
	return strings.Join(strings.Fields(text), " ")
}

// truncate returns the first limit runes of text, with an ellipsis if there
// were more.
func truncate(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	runes := []rune(text)
	if len(runes) <= limit {
		return text
	}
	return string(runes[:limit]) + "…"
}
