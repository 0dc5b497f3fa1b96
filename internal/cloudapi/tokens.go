// SPDX-License-Identifier: Apache-2.0

package cloudapi

import (
	"fmt"
	"sync"
	"time"
)

// Tokens hands out one TokenSource for each identity. So all clients with the same identity share
// one token and one exchange under way. It is safe for concurrent use. The zero Tokens is empty.
type Tokens struct {
	mu sync.Mutex
	// sources are the TokenSources, by identity.
	sources map[string]*sharedSource
}

// sharedSource is a TokenSource and the time when it was last asked for.
type sharedSource struct {
	*TokenSource
	asked time.Time
}

// forgetAfter is how long an unused TokenSource is kept. No request with its token takes so long.
const forgetAfter = time.Hour

// For returns the TokenSource of an identity. If there is none, it makes one from o. An identity is
// the endpoint of the exchange, the pool, and the parts in subject: namespace, ServiceAccount and
// audience. These parts must differ if TokenOptions.Subject returns another token. Errors are those
// of NewTokenSource.
//
// A TokenSource need not be given back. Call For for each new client. A TokenSource is forgotten
// when For has not returned it for an hour and its token has ended.
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
