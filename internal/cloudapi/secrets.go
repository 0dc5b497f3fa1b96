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
	// startLength is the length of the shortest encoding of a secret that is remembered, in bytes.
	// A shorter text is often a part of an ordinary word.
	startLength = 8
	// secretsKept is the largest number of credentials and tokens in one remembered set.
	secretsKept = 5_000
)

// secrets has hashes of the credentials and tokens that this process used. With these hashes, it
// hides the credentials and tokens in every later answer of the cloud.
type secrets struct {
	mu sync.RWMutex
	// recent and former are two sets of at most secretsKept secrets. When recent is full, its
	// secrets replace the secrets in former, and recent starts empty. Each use of a secret adds the
	// secret to recent. So a secret that is still in use is never forgotten.
	recent, former *remembered
}

// remembered is a set of secrets. The field forms has hashes of the encodings of these secrets. The
// function forms makes the encodings.
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

// end looks for a secret that begins at index i of text, and returns the index where this secret
// ends. If several secrets begin there, the longest counts. If no secret begins there, end returns
// 0. text must be a result of fold.
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

// hide replaces every remembered secret in text by a placeholder. It also replaces every text in
// extra. It ignores the case of letters. Secrets that overlap become one placeholder.
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

// fold returns text in lower case. The letter at folded[i] comes from the letter at index at[i] of
// text. The two indexes can differ, because a letter can have more bytes in one case than in the
// other.
func fold(text string) (folded string, at []int) {
	out := make([]byte, 0, len(text))
	at = make([]int, 0, len(text)+1)
	for i, r := range text {
		// Some letters have two lower-case forms, but one upper-case form, for example s and ſ. So
		// convert to upper case first.
		out = utf8.AppendRune(out, unicode.ToLower(unicode.ToUpper(r)))
		for len(at) < len(out) {
			at = append(at, i)
		}
	}
	return string(out), append(at, len(text))
}
