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

// Greatest lengths of the cloud's texts in an error or a call, in runes.
const (
	maxCodeLength      = 64
	maxTitleLength     = 256
	maxRequestIDLength = 128
	maxCauseLength     = 256
	maxShownIDLength   = 64
)

// minHiddenLength is the least length of a key ID or a token to hide: hiding "2" would remove every
// 2 from a text. A secret of any length is hidden.
const minHiddenLength = 4

// authorization is the credential of one request, and the texts that must not show in its answer.
// It holds secrets and is never printed.
type authorization struct {
	// header is the value of the header Authorization; "" for none.
	header string
	// id identifies the authorization without showing it.
	id mark
	// hidden are the texts to hide, in each form in which they may come back, folded.
	hidden []string
}

// longEnough returns the key IDs and tokens among texts that are hidden.
func longEnough(texts ...string) []string {
	return slices.DeleteFunc(texts, func(text string) bool { return len(text) < minHiddenLength })
}

// newAuthorization returns an authorization that hides all forms of these texts, which are not
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

// cleaner makes a text from the cloud fit to show: valid UTF-8, one line, printable, at most limit
// runes, and without the hidden texts.
//
// It is a function, so that no verb of package fmt can print the hidden texts.
type cleaner func(text string, limit int) string

// cleaner returns a cleaner for the answer to a request. It hides this authorization, the request's
// page token, and every secret that the process has used. It also adds this authorization to those
// secrets.
func (a authorization) cleaner(pageToken string) cleaner {
	used.add(a.id, a.hidden)
	own := slices.Clone(a.hidden)
	for _, text := range longEnough(pageToken) {
		own = append(own, forms(text)...)
	}
	return func(text string, limit int) string {
		// It hides before and after, because making a text printable changes it.
		return truncate(used.hide(printable(used.hide(text, own...)), own...), limit)
	}
}

// forms returns a secret text as it is, and in the encodings of others: in a URL, in JSON, in HTML,
// in hex, and in base64 at any place in a longer text. They are folded, because others write a text
// in another case, too: the host of a URL, hex, the escapes of a query.
func forms(s string) []string {
	all := []string{s, html.EscapeString(s), hex.EncodeToString([]byte(s)), url.QueryEscape(s), url.PathEscape(s)}
	if quoted, err := json.Marshal(s); err == nil {
		inner := string(quoted[1 : len(quoted)-1])
		all = append(all, inner, strings.ReplaceAll(inner, "/", `\/`))
	}
	for shift := range 3 {
		// Leave out digits that depend on the neighbouring bytes.
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

// truncate returns the first limit runes of text, with an ellipsis if there are more.
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
