// SPDX-License-Identifier: Apache-2.0

package cloudapi

import (
	"slices"
	"sync"
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

// remembered is a set of secrets, with each form in which an answer may have them.
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

// end returns the end of the longest form that begins at i in text; 0 if there is none.
func (r *remembered) end(text string, i int) (end int) {
	for _, n := range r.lengths[[startLength]byte([]byte(text[i:i+startLength]))] {
		if i+n <= len(text) && i+n > end && r.forms[markOfText(text[i:i+n])] {
			end = i + n
		}
	}
	return end
}

// hide replaces every form of every secret in text. Forms that overlap are replaced as one, so that
// no part of them is left.
func (s *secrets) hide(text string) string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var out []byte
	shown := 0 // how much of text is in out
	for i, end := 0, 0; i < len(text); i++ {
		if i+startLength <= len(text) {
			if to := max(s.recent.end(text, i), s.former.end(text, i)); to > end {
				if i >= end {
					out = append(append(out, text[shown:i]...), redacted...)
				}
				end = to
				shown = end
			}
		}
	}
	if out == nil {
		return text
	}
	return string(append(out, text[shown:]...))
}
