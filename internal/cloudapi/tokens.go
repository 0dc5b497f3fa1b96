// SPDX-License-Identifier: Apache-2.0

package cloudapi

import (
	"fmt"
	"sync"
	"time"
)

// Tokens returns the same TokenSource for every client with the same identity. So these clients
// share one token and one exchange under way. Tokens is safe for concurrent use. The zero Tokens is
// empty.
type Tokens struct {
	mu sync.Mutex
	// sources are the TokenSources, by identity.
	sources map[string]*sharedSource
}

// sharedSource is a TokenSource, and the time when For last returned it.
type sharedSource struct {
	*TokenSource
	asked time.Time
}

// forgetAfter is how long an unused TokenSource is kept. It is longer than any request with a token
// of that TokenSource.
const forgetAfter = time.Hour

// For returns the TokenSource of an identity. If there is none, For makes one from o. The identity
// consists of the endpoint of the exchange, the pool, and the parts in subject: namespace,
// ServiceAccount and audience. If TokenOptions.Subject of two calls returns different tokens, the
// calls must differ in these parts too. Errors are those of NewTokenSource.
//
// A caller should use For again for each new client, and need not give a TokenSource back. Tokens
// forgets a TokenSource if For has not returned it for an hour and its token has ended.
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
