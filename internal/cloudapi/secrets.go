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
	// startLength is the length in bytes of the shortest text that a secretSet remembers. A
	// secretSet remembers no shorter text, because a short text could be part of an ordinary word.
	startLength = 8
	// maxSecretsInSet is the largest number of credentials and tokens in one set of secrets.
	maxSecretsInSet = 5_000
)

// secretStore has hashes and the first bytes of the credentials and tokens that this process used.
// With both, hideSecrets finds the credentials and tokens in the answers of the cloud.
type secretStore struct {
	mu sync.RWMutex
	// Each use of a secret adds the secret to recentSet. A full recentSet becomes formerSet, and a
	// new, empty recentSet begins. So the store never forgets a secret that is still in use.
	recentSet, formerSet *secretSet
}

// secretSet is a set of secrets. secretIDs and formMarks have hashes, not the secrets:
//
//   - secretIDs has one hash for each secret.
//   - formMarks has one hash for each encoding of a secret, for example for its base64 text. It
//     leaves out encodings that are shorter than startLength.
type secretSet struct {
	secretIDs, formMarks map[mark]bool
	// formLengths has the lengths of the encodings in formMarks. The key is the first startLength
	// bytes of an encoding. The value has the lengths of all encodings that begin with the key.
	formLengths map[[startLength]byte][]int
}

func newSecretSet() *secretSet {
	return &secretSet{map[mark]bool{}, map[mark]bool{}, map[[startLength]byte][]int{}}
}

// usedSecrets has the secrets that this process has used.
var usedSecrets = &secretStore{recentSet: newSecretSet(), formerSet: newSecretSet()}

// add remembers a secret. id is a hash that identifies the secret. forms has all encodings of the
// secret, for example its base64 text.
func (s *secretStore) add(id mark, forms []string) {
	s.mu.RLock()
	known := s.recentSet.secretIDs[id]
	s.mu.RUnlock()
	if known {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.recentSet.secretIDs) == maxSecretsInSet {
		s.recentSet, s.formerSet = newSecretSet(), s.recentSet
	}
	s.recentSet.add(id, forms)
}

func (r *secretSet) add(id mark, forms []string) {
	r.secretIDs[id] = true
	for _, form := range forms {
		if m := markOfText(form); len(form) >= startLength && !r.formMarks[m] {
			r.formMarks[m] = true
			start := [startLength]byte([]byte(form[:startLength]))
			if lengths := r.formLengths[start]; !slices.Contains(lengths, len(form)) {
				r.formLengths[start] = append(lengths, len(form))
			}
		}
	}
}

// secretEnd finds the longest secret that begins at index i of a text. It returns the index after
// the secret; 0 if no secret begins at i. The text must be a result of foldCase.
func (r *secretSet) secretEnd(text string, i int) (end int) {
	if i+startLength > len(text) {
		return 0
	}
	for _, n := range r.formLengths[[startLength]byte([]byte(text[i:i+startLength]))] {
		if i+n <= len(text) && i+n > end && r.formMarks[markOfText(text[i:i+n])] {
			end = i + n
		}
	}
	return end
}

// hideSecrets replaces each remembered secret in a text by a placeholder. Upper and lower case make
// no difference. It also hides extraForms, which must be in lower case. Secrets that overlap become
// one placeholder.
func (s *secretStore) hideSecrets(text string, extraForms ...string) string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	folded, at := foldCase(text)
	var out []byte
	shown := 0 // the text before this index is done
	for i, end := 0, 0; i < len(folded); i++ {
		to := max(s.recentSet.secretEnd(folded, i), s.formerSet.secretEnd(folded, i))
		for _, form := range extraForms {
			if form[0] == folded[i] && strings.HasPrefix(folded[i:], form) {
				to = max(to, i+len(form))
			}
		}
		if to > end {
			if i >= end {
				out = append(append(out, text[shown:at[i]]...), redactedText...)
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

// foldCase returns a text in lower case. The byte at folded[i] comes from the letter at index
// textIndex[i] of the text. The two indexes can differ, because some letters need more bytes, or
// fewer, in lower case than in upper case.
func foldCase(text string) (folded string, textIndex []int) {
	out := make([]byte, 0, len(text))
	textIndex = make([]int, 0, len(text)+1)
	for i, r := range text {
		// Convert to upper case first, because some letters have two lower-case forms. For example,
		// both s and ſ become S.
		out = utf8.AppendRune(out, unicode.ToLower(unicode.ToUpper(r)))
		for len(textIndex) < len(out) {
			textIndex = append(textIndex, i)
		}
	}
	return string(out), append(textIndex, len(text))
}
