// SPDX-License-Identifier: Apache-2.0

package cloudapi

import (
	"fmt"
	"sync"
	"time"
)

// Tokens hands out TokenSources, one for each identity: all clients with the same identity
// share one token and one exchange under way. It is safe for concurrent use. The zero
// Tokens is empty.
type Tokens struct {
	mu sync.Mutex
	// sources are by identity.
	sources map[string]*sharedSource
}

// sharedSource is a TokenSource and when it was last asked for.
type sharedSource struct {
	*TokenSource
	asked time.Time
}

// forgetAfter is how long an unused TokenSource is kept. It is longer than any request
// with its token takes.
const forgetAfter = time.Hour

// For returns the TokenSource of an identity, made from o if there is none. An identity
// is the endpoint of the exchange, the pool, and the parts in subject, which distinguish
// the tokens that TokenOptions.Subject returns: namespace, ServiceAccount and audience.
// Errors are those of NewTokenSource.
//
// A TokenSource needs no giving back. Call For for each new client: a TokenSource that For
// did not return for an hour, and whose token is over, is forgotten.
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

// unused reports whether the TokenSource can be made anew without loss.
func (s *sharedSource) unused(now time.Time) bool {
	current := s.current.Load()
	return now.Sub(s.asked) > forgetAfter && (current == nil || now.After(current.ends))
}
