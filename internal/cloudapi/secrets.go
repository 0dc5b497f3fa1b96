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
	// startLength is the length of the shortest text that is remembered as a secret, in bytes. A
	// shorter text could be a part of an ordinary word.
	startLength = 8
	// secretsKept is the largest number of credentials and tokens in one set of secrets.
	secretsKept = 5_000
)

// secrets has hashes of the credentials and tokens that this process used. With these hashes, it
// hides the credentials and tokens in every later answer of the cloud.
type secrets struct {
	mu sync.RWMutex
	// A secret is added to the set recent each time it is used. When this set is full, it replaces
	// the set former, and a new set recent starts empty. So a secret that is still in use is never
	// forgotten.
	recent, former *remembered
}

// remembered is a set of secrets, stored as hashes. The field forms has a hash of each encoding of
// a secret, such as base64.
type remembered struct {
	secrets, forms map[mark]bool
	// lengths maps the first startLength bytes of an encoding to the lengths of all encodings that
	// begin with these bytes.
	lengths map[[startLength]byte][]int
}

func newRemembered() *remembered {
	return &remembered{map[mark]bool{}, map[mark]bool{}, map[[startLength]byte][]int{}}
}

// used has the secrets that this process has used.
var used = &secrets{recent: newRemembered(), former: newRemembered()}

// add remembers a secret and its encodings.
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

// end returns the index where the longest secret that begins at index i ends; 0 if no secret begins
// there. The text must be in lower case, see the function fold.
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

// hide replaces each remembered secret in a text by a placeholder. It ignores the case of letters.
// The parameter extra has more secrets to hide, in lower case. Secrets that overlap become one
// placeholder.
func (s *secrets) hide(text string, extra ...string) string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	folded, at := fold(text)
	var out []byte
	shown := 0 // out has text up to this index
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

// fold returns a text in lower case. The byte at folded[i] comes from the letter at index at[i] of
// the text. The two indexes can differ, because a letter can have more bytes in upper case than in
// lower case, or fewer.
func fold(text string) (folded string, at []int) {
	out := make([]byte, 0, len(text))
	at = make([]int, 0, len(text)+1)
	for i, r := range text {
		// Convert to upper case first, because some letters have two lower-case forms. For example,
		// s and ſ are the same letter in upper case.
		out = utf8.AppendRune(out, unicode.ToLower(unicode.ToUpper(r)))
		for len(at) < len(out) {
			at = append(at, i)
		}
	}
	return string(out), append(at, len(text))
}
