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
	// startLength is the length of the shortest text that secrets remembers, in bytes. Shorter
	// texts are often parts of ordinary words.
	startLength = 8
	// secretsKept is the least number of credentials and tokens that are remembered.
	secretsKept = 5_000
)

// secrets remembers hashes of the credentials and tokens that this process used, to hide them in
// every later answer.
type secrets struct {
	mu sync.RWMutex
	// recent and former have up to secretsKept secrets each. When recent is full, it replaces
	// former, and an empty recent begins. Each use of a secret adds it to recent, so a secret that
	// is still used is never forgotten.
	recent, former *remembered
}

// remembered is a set of secrets. forms has the hashes of all encodings of these secrets, see the
// function forms.
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

// end returns the end of the longest secret that begins at index i of text; 0 if none begins there.
// text must come from fold.
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

// hide replaces every remembered secret, and every text in extra, by a placeholder. It ignores the
// case of letters. Secrets that overlap are replaced as one.
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

// fold returns text in lower case. at[i] is the index in text of the letter at folded[i]. The two
// indexes can differ, because changing the case can change the length of a letter in bytes.
func fold(text string) (folded string, at []int) {
	out := make([]byte, 0, len(text))
	at = make([]int, 0, len(text)+1)
	for i, r := range text {
		// Some letters, such as s, have two lower-case forms but one upper-case form. So convert to
		// upper case first.
		out = utf8.AppendRune(out, unicode.ToLower(unicode.ToUpper(r)))
		for len(at) < len(out) {
			at = append(at, i)
		}
	}
	return string(out), append(at, len(text))
}
