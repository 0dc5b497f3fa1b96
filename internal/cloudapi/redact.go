// SPDX-License-Identifier: Apache-2.0

package cloudapi

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"html"
	"net/url"
	"slices"
	"strings"
	"unicode"
)

// Texts from the cloud are cut to these lengths, in runes, before they are shown.
const (
	maxCodeLength      = 64
	maxTitleLength     = 256
	maxRequestIDLength = 128
	maxCauseLength     = 256
	maxShownIDLength   = 64
)

// minHiddenLength is the length of the shortest key ID or token that is hidden in messages, in
// bytes. If a key ID such as "2" were hidden, no message could show a 2.
const minHiddenLength = 4

// authorization is the API key or token that a request sends. It also has the secrets that messages
// must not show, even if the cloud's answer contains them. An authorization must never be printed.
type authorization struct {
	// headerValue is the value of the HTTP header Authorization; "" if the request has no such
	// header.
	headerValue string
	// id identifies the API key or token, but does not show it.
	id mark
	// hiddenForms has all encodings of the secrets to hide, see encodedForms.
	hiddenForms []string
}

// longEnough drops the key IDs and tokens that are too short to hide, see minHiddenLength.
func longEnough(texts ...string) []string {
	return slices.DeleteFunc(texts, func(text string) bool { return len(text) < minHiddenLength })
}

// newAuthorization returns an authorization. headerValue is the value of the HTTP header
// Authorization. secretTexts has the secrets to hide; no secret may be empty.
func newAuthorization(headerValue string, secretTexts ...string) authorization {
	a := authorization{headerValue: headerValue, id: markOfText(headerValue)}
	if headerValue == "" {
		a.id = markOfText(strings.Join(secretTexts, "\x00"))
	}
	for _, text := range secretTexts {
		a.hiddenForms = append(a.hiddenForms, encodedForms(text)...)
	}
	return a
}

// cleaner removes the secrets from a text of the cloud. The result is one printable line. A line of
// more than maxRunes runes is cut to maxRunes runes, and "…" is added. A cleaner is a function,
// because a function shows no secret when it is printed.
type cleaner func(text string, maxRunes int) string

// newCleaner returns a cleaner for the answer to one request. The cleaner hides the secrets of this
// authorization, the page token of the request, and the secrets that the process used before.
func (a authorization) newCleaner(pageToken string) cleaner {
	usedSecrets.add(a.id, a.hiddenForms)
	own := slices.Clone(a.hiddenForms)
	for _, text := range longEnough(pageToken) {
		own = append(own, encodedForms(text)...)
	}
	return func(text string, maxRunes int) string {
		// Call hideSecrets before and after printableLine, because printableLine changes spaces.
		// Some secrets can be found only before this change, some only after it.
		return truncate(usedSecrets.hideSecrets(printableLine(usedSecrets.hideSecrets(text, own...)), own...), maxRunes)
	}
}

// encodedForms returns all forms of s that an answer may contain: s itself, s escaped for URLs,
// JSON and HTML, and s in hex and in base64. All forms are in lower case, see foldCase.
func encodedForms(s string) []string {
	all := []string{s, html.EscapeString(s), hex.EncodeToString([]byte(s)), url.QueryEscape(s), url.PathEscape(s)}
	if quoted, err := json.Marshal(s); err == nil {
		inner := string(quoted[1 : len(quoted)-1])
		all = append(all, inner, strings.ReplaceAll(inner, "/", `\/`))
	}
	for shift := range 3 {
		// An answer may have s inside a longer text in base64. Base64 encodes groups of 3 bytes,
		// and s can start at any of the 3 bytes. Each start gives s a different form. Leave out the
		// first or last character of a form if it also encodes a byte next to s.
		text := base64.RawStdEncoding.EncodeToString(append(make([]byte, shift), s...))
		const bitsOfByte, bitsOfDigit = 8, 6
		from, to := (shift*bitsOfByte+bitsOfDigit-1)/bitsOfDigit, (shift+len(s))*bitsOfByte/bitsOfDigit
		if to-from >= minHiddenLength {
			all = append(all, text[from:to], strings.NewReplacer("+", "-", "/", "_").Replace(text[from:to]))
		}
	}
	for i, form := range all {
		all[i], _ = foldCase(form)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// printableLine returns a text on one line. Each run of spaces and unprintable characters becomes
// one space.
func printableLine(text string) string {
	text = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, string(unicode.ReplacementChar)))
	return strings.Join(strings.Fields(text), " ")
}

// truncate cuts a text to at most maxRunes runes. If it cuts anything, it adds "…".
func truncate(text string, maxRunes int) string {
	if len(text) <= maxRunes {
		return text
	}
	runes := []rune(text)
	if len(runes) <= maxRunes {
		return text
	}
	return string(runes[:maxRunes]) + "…"
}
