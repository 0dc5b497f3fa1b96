// SPDX-License-Identifier: Apache-2.0

package cloudapi

import (
	"fmt"
	"sync"
	"time"
)

// Tokens keeps one TokenSource for each identity, so that all clients with the same identity share
// a token. An identity is, for example, a ServiceAccount that uses an identity pool of the cloud.
// Tokens is safe for concurrent use. The zero value is empty and ready for use.
type Tokens struct {
	mu sync.Mutex
	// tokenSources maps each identity to its TokenSource.
	tokenSources map[string]*sharedSource
}

// sharedSource is a TokenSource that clients share. lastAsked is when Tokens.For last returned this
// TokenSource.
type sharedSource struct {
	*TokenSource
	lastAsked time.Time
}

// forgetAfter is the shortest time for which Tokens keeps a TokenSource after For returned it.
const forgetAfter = time.Hour

// For returns the TokenSource of an identity, and makes it if there is none. The identity consists
// of these parts:
//
//   - the endpoint and the identity pool, from the options
//   - the subjectTexts: the namespace and the name of a ServiceAccount, and the audience of the
//     ServiceAccount's token
//
// Each new client needs a new call of For: Tokens can forget a TokenSource one hour after For last
// returned it.
func (t *Tokens) For(o TokenOptions, subjectTexts ...string) (*TokenSource, error) {
	made, err := NewTokenSource(o)
	if err != nil {
		return nil, err
	}
	identity := fmt.Sprintf("%q", append([]string{made.at.String(), made.pool}, subjectTexts...))
	now := made.now()
	t.mu.Lock()
	defer t.mu.Unlock()
	if shared, ok := t.tokenSources[identity]; ok {
		shared.lastAsked = now
		return shared.TokenSource, nil
	}
	if t.tokenSources == nil {
		t.tokenSources = map[string]*sharedSource{}
	}
	for other, s := range t.tokenSources {
		if s.canForget(now) {
			delete(t.tokenSources, other)
		}
	}
	t.tokenSources[identity] = &sharedSource{made, now}
	return made, nil
}

// canForget returns true if the TokenSource has no valid token and no client has asked for the
// TokenSource in the last hour.
func (s *sharedSource) canForget(now time.Time) bool {
	current := s.currentToken.Load()
	return now.Sub(s.lastAsked) > forgetAfter && (current == nil || now.After(current.endsAt))
}
