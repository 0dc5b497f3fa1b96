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
	// startLength is the least length of a text that is remembered, in bytes. A shorter text is
	// hidden only in the answers to its own requests, because it could be a part of other words.
	startLength = 8
	// secretsKept is how many credentials and tokens are remembered at least. Sources with 500
	// identities use that many within three hours, because a token lives 15 minutes.
	secretsKept = 5_000
)

// secrets remembers every credential and token that this process sent, so that none is ever shown:
// the cloud may repeat one that was replaced long ago. It keeps only hashes.
type secrets struct {
	mu sync.RWMutex
	// recent and former have up to secretsKept secrets each. When recent is full, it becomes
	// former, and the old former is forgotten. A secret in use is always in recent.
	recent, former *remembered
}

// remembered is a set of secrets, with each form in which they may come back, folded.
type remembered struct {
	secrets, forms map[mark]bool
	// lengths are the lengths of the forms, by their first bytes.
	lengths map[[startLength]byte][]int
}

func newRemembered() *remembered {
	return &remembered{map[mark]bool{}, map[mark]bool{}, map[[startLength]byte][]int{}}
}

// used are the secrets that this process has used.
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

// end returns the end of the longest form that begins at i in a folded text; 0 if none does.
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

// hide replaces, in a text of any case, every form of every secret and the further forms in also. It
// replaces forms that overlap as one, so that nothing is left of either.
func (s *secrets) hide(text string, also ...string) string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	folded, at := fold(text)
	var out []byte
	shown := 0 // how much of text is in out
	for i, end := 0, 0; i < len(folded); i++ {
		to := max(s.recent.end(folded, i), s.former.end(folded, i))
		for _, form := range also {
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

// fold returns a text in which letters of either case are alike. at[i] is where the letter of
// folded[i] begins in text; the two differ where a letter's cases differ in length.
func fold(text string) (folded string, at []int) {
	out := make([]byte, 0, len(text))
	at = make([]int, 0, len(text)+1)
	for i, r := range text {
		// Some letters have one upper case and two lower cases, such as s.
		out = utf8.AppendRune(out, unicode.ToLower(unicode.ToUpper(r)))
		for len(at) < len(out) {
			at = append(at, i)
		}
	}
	return string(out), append(at, len(text))
}
