// SPDX-License-Identifier: Apache-2.0

package cloudapi

import (
	"fmt"
	"sync"
	"time"
)

// Tokens keeps one TokenSource for each identity, so that all clients with the same identity share
// a token. Tokens is safe for concurrent use. The zero value is empty and ready for use.
type Tokens struct {
	mu sync.Mutex
	// sources maps each identity to its TokenSource.
	sources map[string]*sharedSource
}

// sharedSource is a TokenSource that clients share. The field asked is when Tokens.For last
// returned this TokenSource.
type sharedSource struct {
	*TokenSource
	asked time.Time
}

// forgetAfter is how long Tokens keeps a TokenSource that no client asks for.
const forgetAfter = time.Hour

// For returns the TokenSource of an identity, and makes it if there is none. The identity consists
// of the endpoint and the identity pool in the options, and of the texts in the parameter subject:
// namespace, ServiceAccount and audience.
//
// For each new client, call this method again: Tokens forgets a TokenSource that was not used for
// an hour.
func (t *Tokens) For(o TokenOptions, subject ...string) (*TokenSource, error) {
	made, err := NewTokenSource(o)
	if err != nil {
		return nil, err
	}
	identity := fmt.Sprintf("%q", append([]string{made.at.String(), made.pool}, subject...))
	now := made.now()
	t.mu.Lock()
	defer t.mu.Unlock()
	if shared, ok := t.sources[identity]; ok {
		shared.asked = now
		return shared.TokenSource, nil
	}
	if t.sources == nil {
		t.sources = map[string]*sharedSource{}
	}
	for other, s := range t.sources {
		if s.unused(now) {
			delete(t.sources, other)
		}
	}
	t.sources[identity] = &sharedSource{made, now}
	return made, nil
}

// unused reports whether the TokenSource can be forgotten.
func (s *sharedSource) unused(now time.Time) bool {
	current := s.current.Load()
	return now.Sub(s.asked) > forgetAfter && (current == nil || now.After(current.ends))
}
