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

// These are the largest lengths of the cloud's texts in an error or a call, in runes.
const (
	maxCodeLength      = 64
	maxTitleLength     = 256
	maxRequestIDLength = 128
	maxCauseLength     = 256
	maxShownIDLength   = 64
)

// minHiddenLength is the least length of a key ID or a token that is hidden. Hiding a shorter one,
// such as "2", would remove every 2 from a text. The secret of an API key is hidden at any length.
const minHiddenLength = 4

// authorization is the credential of one request. It also has the texts to hide when the answer is
// shown. It contains secrets, so it is never printed.
type authorization struct {
	// header is the value of the header Authorization; "" for none.
	header string
	// id identifies the authorization without showing it.
	id mark
	// hidden has the texts to hide: all forms of each secret, see forms.
	hidden []string
}

// longEnough returns the texts that are long enough to hide, see minHiddenLength. texts are key IDs
// or tokens.
func longEnough(texts ...string) []string {
	return slices.DeleteFunc(texts, func(text string) bool { return len(text) < minHiddenLength })
}

// newAuthorization returns an authorization that hides all forms of texts. No text may be empty.
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
// A cleaner is a function, so that no verb of package fmt can print the hidden texts.
type cleaner func(text string, limit int) string

// cleaner returns a cleaner for the answer to a request with this authorization. The cleaner hides
// the authorization, the request's page token, and every secret in used. The authorization is also
// added to used.
func (a authorization) cleaner(pageToken string) cleaner {
	used.add(a.id, a.hidden)
	own := slices.Clone(a.hidden)
	for _, text := range longEnough(pageToken) {
		own = append(own, forms(text)...)
	}
	return func(text string, limit int) string {
		// Hide before and after printable, because printable changes the text.
		return truncate(used.hide(printable(used.hide(text, own...)), own...), limit)
	}
}

// forms returns every text in which an answer may repeat s: s itself, and s encoded for a URL, for
// JSON, for HTML, in hex, and in base64. In base64, s may be at any place in a longer text. The
// texts are folded, because a server may change the case: of the host in a URL, of hex digits, of
// the escapes in a query.
func forms(s string) []string {
	all := []string{s, html.EscapeString(s), hex.EncodeToString([]byte(s)), url.QueryEscape(s), url.PathEscape(s)}
	if quoted, err := json.Marshal(s); err == nil {
		inner := string(quoted[1 : len(quoted)-1])
		all = append(all, inner, strings.ReplaceAll(inner, "/", `\/`))
	}
	for shift := range 3 {
		// Leave out the digits that also depend on the neighbouring bytes.
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

// truncate returns the first limit runes of text. If text has more runes, an ellipsis follows.
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
