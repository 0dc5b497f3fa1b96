// SPDX-License-Identifier: Apache-2.0

package cloudapi

import (
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

const (
	// startLength is the least length in bytes of a text that is remembered. A shorter text could
	// be a part of other words. So it is hidden only in the answers to the requests that used it.
	startLength = 8
	// secretsKept is how many credentials and tokens are remembered at least. For example, 500
	// identities use that many within three hours, because a token lives 15 minutes.
	secretsKept = 5_000
)

// secrets remembers the credentials and tokens that this process sent, so that none of them is ever
// shown. Even a secret that was replaced long ago may come back in an answer. secrets keeps only
// hashes.
type secrets struct {
	mu sync.RWMutex
	// recent and former have up to secretsKept secrets each. When recent is full, it becomes
	// former, a new recent begins, and the old former is forgotten. Every use of a secret adds it
	// to recent, so a secret in use is never forgotten.
	recent, former *remembered
}

// remembered is a set of secrets. forms has the hash of every text in which an answer may repeat
// one of them. These texts are folded, see fold.
type remembered struct {
	secrets, forms map[mark]bool
	// lengths maps the first bytes of a form to the lengths of all forms that begin with them.
	lengths map[[startLength]byte][]int
}

func newRemembered() *remembered {
	return &remembered{map[mark]bool{}, map[mark]bool{}, map[[startLength]byte][]int{}}
}

// used has the secrets that this process has used.
var used = &secrets{recent: newRemembered(), former: newRemembered()}

// add remembers a secret and its forms.
func (s *secrets) add(id mark, forms []string) {
	s.mu.RLock()
	known := s.recent.secrets[id]
	s.mu.RUnlock()
	if known {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.recent.secrets) == secretsKept {
		s.recent, s.former = newRemembered(), s.recent
	}
	s.recent.add(id, forms)
}

func (r *remembered) add(id mark, forms []string) {
	r.secrets[id] = true
	for _, form := range forms {
		if m := markOfText(form); len(form) >= startLength && !r.forms[m] {
			r.forms[m] = true
			start := [startLength]byte([]byte(form[:startLength]))
			if lengths := r.lengths[start]; !slices.Contains(lengths, len(form)) {
				r.lengths[start] = append(lengths, len(form))
			}
		}
	}
}

// end returns the end of the longest form that begins at index i of text; 0 if no form begins
// there. text must be folded.
func (r *remembered) end(text string, i int) (end int) {
	if i+startLength > len(text) {
		return 0
	}
	for _, n := range r.lengths[[startLength]byte([]byte(text[i:i+startLength]))] {
		if i+n <= len(text) && i+n > end && r.forms[markOfText(text[i:i+n])] {
			end = i + n
		}
	}
	return end
}

// hide returns text with all secrets hidden. It replaces every form of every secret, and every form
// in extra. The case of letters does not matter. If two forms overlap, hide replaces both together,
// so that no part of either is left.
func (s *secrets) hide(text string, extra ...string) string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	folded, at := fold(text)
	var out []byte
	shown := 0 // how much of text is in out
	for i, end := 0, 0; i < len(folded); i++ {
		to := max(s.recent.end(folded, i), s.former.end(folded, i))
		for _, form := range extra {
			if form[0] == folded[i] && strings.HasPrefix(folded[i:], form) {
				to = max(to, i+len(form))
			}
		}
		if to > end {
			if i >= end {
				out = append(append(out, text[shown:at[i]]...), redacted...)
			}
			end = to
			shown = at[end]
		}
	}
	if out == nil {
		return text
	}
	return string(append(out, text[shown:]...))
}

// fold returns text with upper and lower case made equal. at[i] is the index in text of the letter
// to which folded[i] belongs. at[i] can differ from i, because the two cases of a letter may differ
// in length.
func fold(text string) (folded string, at []int) {
	out := make([]byte, 0, len(text))
	at = make([]int, 0, len(text)+1)
	for i, r := range text {
		// First to upper case: some letters, such as s, have one upper case but two lower cases.
		out = utf8.AppendRune(out, unicode.ToLower(unicode.ToUpper(r)))
		for len(at) < len(out) {
			at = append(at, i)
		}
	}
	return string(out), append(at, len(text))
}
