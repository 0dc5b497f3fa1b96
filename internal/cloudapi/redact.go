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

// minHiddenLength is the length of the shortest key ID or token that is hidden, in bytes. Hiding a
// key ID such as "2" would remove every 2 from a text.
const minHiddenLength = 4

// authorization is the API key or token of one request, with the texts to hide in its answer. It
// contains secrets, so it is never printed.
type authorization struct {
	// header is the value of the header Authorization; "" for none.
	header string
	// id identifies the credential without showing it.
	id mark
	// hidden has every encoding of each secret, see forms.
	hidden []string
}

// longEnough returns the texts that are long enough to hide. texts are key IDs or tokens.
func longEnough(texts ...string) []string {
	return slices.DeleteFunc(texts, func(text string) bool { return len(text) < minHiddenLength })
}

// newAuthorization returns an authorization that hides texts in all their encodings. No text may be
// empty.
func newAuthorization(header string, texts ...string) authorization {
	a := authorization{header: header, id: markOfText(header)}
	if header == "" {
		a.id = markOfText(strings.Join(texts, "\x00"))
	}
	for _, text := range texts {
		a.hidden = append(a.hidden, forms(text)...)
	}
	return a
}

// cleaner makes a text from the cloud safe to show: without secrets, on one printable line of at
// most limit runes. It is a function, so that printing it shows no secret.
type cleaner func(text string, limit int) string

// cleaner returns a cleaner for the answer to one request. It hides this authorization, the page
// token of the request, and every secret that the process sent before.
func (a authorization) cleaner(pageToken string) cleaner {
	used.add(a.id, a.hidden)
	own := slices.Clone(a.hidden)
	for _, text := range longEnough(pageToken) {
		own = append(own, forms(text)...)
	}
	return func(text string, limit int) string {
		// Hide twice: a secret may be visible only before printable changes the text, or only
		// after.
		return truncate(used.hide(printable(used.hide(text, own...)), own...), limit)
	}
}

// forms returns s and its encodings: for URLs, JSON and HTML, in hex and in base64. An answer may
// contain any of these texts. The texts are in lower case, see fold.
func forms(s string) []string {
	all := []string{s, html.EscapeString(s), hex.EncodeToString([]byte(s)), url.QueryEscape(s), url.PathEscape(s)}
	if quoted, err := json.Marshal(s); err == nil {
		inner := string(quoted[1 : len(quoted)-1])
		all = append(all, inner, strings.ReplaceAll(inner, "/", `\/`))
	}
	for shift := range 3 {
		// Inside a longer base64 text, the first and the last digit of s also depend on the bytes
		// around s. Leave such digits out.
		text := base64.RawStdEncoding.EncodeToString(append(make([]byte, shift), s...))
		const bitsOfByte, bitsOfDigit = 8, 6
		from, to := (shift*bitsOfByte+bitsOfDigit-1)/bitsOfDigit, (shift+len(s))*bitsOfByte/bitsOfDigit
		if to-from >= minHiddenLength {
			all = append(all, text[from:to], strings.NewReplacer("+", "-", "/", "_").Replace(text[from:to]))
		}
	}
	for i, form := range all {
		all[i], _ = fold(form)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// printable returns text on one line. Each run of spaces and unprintable characters becomes one
// space.
func printable(text string) string {
	text = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, string(unicode.ReplacementChar)))
	return strings.Join(strings.Fields(text), " ")
}

// truncate cuts a text that is longer than limit runes, and adds "…".
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
