// SPDX-License-Identifier: Apache-2.0

// Package budget limits the requests that a credential sends. There are four limits: a rate, the
// number of requests in flight, the cloud's own limit as the cloud reports it, and a queue of syncs
// that wait to begin. The package does not know the content of the requests.
package budget

import (
	"context"
	"crypto/sha256"
	"fmt"
	"sync"
	"time"
)

// Budgets returns the same request budget for every source with the same credential and the same
// endpoint origin. Sources with the same credential must share a budget, because the cloud counts
// requests by credential. Budgets is safe for concurrent use.
type Budgets struct {
	perSecond float64
	burst     int

	mu sync.Mutex
	// limiters has the limiter of each budget. The key is a digest, so it shows no secret.
	limiters map[key]*limiter
}

// key is a digest of what identifies a budget.
type key [sha256.Size]byte

// New returns Budgets. On average, each budget allows perSecond requests a second. After a pause it
// allows burst requests at once. If perSecond is 0 or less, the rate has no limit. A burst below 1
// counts as 1. With or without a rate, a budget has at most two requests in flight. It slows down
// when the cloud reports that its own limit is near.
func New(perSecond float64, burst int) *Budgets {
	return &Budgets{perSecond: max(perSecond, 0), burst: max(burst, 1), limiters: map[key]*limiter{}}
}

// PerSecond returns how many requests a second each budget allows on average; 0 for no limit.
func (b *Budgets) PerSecond() float64 { return b.perSecond }

// For returns the budget that parts identify. parts are the origin of an endpoint, and the parts of
// an identity, such as the key and the secret of a credential. Budgets with the same parts share a
// limiter. The caller need not give a budget back, and may keep it for any time.
func (b *Budgets) For(parts ...string) *Budget {
	return &Budget{of: b, key: digest(parts)}
}

// digest returns a hash of parts. It includes the length of each part, so that "ab", "c" and "a",
// "bc" have different digests.
func digest(parts []string) key {
	h := sha256.New()
	for _, part := range parts {
		_, _ = fmt.Fprintf(h, "%d:%s", len(part), part)
	}
	return key(h.Sum(nil))
}

// Budget limits the requests of one credential to one endpoint. If an answer reports the cloud's
// limit, this limit holds for all Budgets with the same parts.
//
// A Budget looks up its limiter for every request. If it kept the limiter, there could be two
// limiters for one key: an unused limiter is dropped, and the next request makes a new one.
type Budget struct {
	of  *Budgets
	key key
}

// Wait says how long to wait before the next attempt, and why. If For is 0, no wait is needed.
type Wait struct {
	// For is the wait. A wait from Turn is at most 5 minutes.
	For time.Duration
	// Cause is the reason for the wait, as a part of a sentence.
	Cause string
	// Cloud reports whether the cloud asked for the wait.
	Cloud bool
}

// Refused is the error of a request that would have to wait too long.
type Refused struct{ Wait }

// Error implements error.
func (r *Refused) Error() string {
	return fmt.Sprintf("no request budget for %s: %s", max(r.For.Round(time.Second), time.Second), r.Cause)
}

// Answer has the parts of an answer that budgets use. A part that the answer does not have is zero.
type Answer struct {
	// StatusCode is the HTTP status; 0 if no answer came.
	StatusCode int
	RateLimit  RateLimit
	// RetryAfter is the wait that the cloud asked for, between 0 and MaxWait. 0 means that the
	// cloud asked for no wait.
	RetryAfter time.Duration
}

// RateLimit is the cloud's own limit, as an answer reported it.
type RateLimit struct {
	// Known reports whether the answer had a readable X-RateLimit-Remaining. If not, the other
	// fields mean nothing.
	Known bool
	// Limit is the number of requests per window; 0 if the answer did not say.
	Limit int
	// Remaining is how many requests are left in the window, at least 0.
	Remaining int
	// Reset is the time from the answer to the next window, between 0 and MaxWait.
	Reset time.Duration
}

// MaxWait is the longest wait that is taken from an answer, so that absurd values do no harm. A
// pause has a smaller maximum, see maxPause.
const MaxWait = 24 * time.Hour

// Turn returns how long a sync must wait before it may begin. name identifies the sync. If the wait
// is zero, the sync may begin, and leaves the queue. Otherwise the sync has a place in the queue.
// It keeps this place if the caller calls Turn again in time.
//
// Turn itself never blocks, so a caller with one of few workers can give the worker back. A caller
// may also send requests without calling Turn. Such a caller waits only in Lease.
func (b *Budget) Turn(name string) Wait {
	l := b.of.enter(b.key)
	defer b.of.leave(l)
	return l.turn(name)
}

// Lease waits until the caller may send one request. If there is no error, the caller must call
// settle once, with the answer. The wait is at most maxDelay. If a longer wait is needed, or a wait
// past the context's deadline, the error is a *Refused. If the context ends first, the error is the
// context's error.
func (b *Budget) Lease(ctx context.Context, maxDelay time.Duration) (settle func(Answer), err error) {
	l := b.of.enter(b.key)
	r, err := l.admit(ctx, maxDelay)
	if err != nil {
		b.of.leave(l)
		return nil, err
	}
	return func(answer Answer) {
		l.settle(r, answer)
		b.of.leave(l)
	}, nil
}

// enter returns the limiter of a key. When it makes a new limiter, it drops each limiter that has
// no users and is in the same state as a new one.
func (b *Budgets) enter(k key) *limiter {
	b.mu.Lock()
	defer b.mu.Unlock()
	l, ok := b.limiters[k]
	if !ok {
		for other, unused := range b.limiters {
			if unused.users == 0 && unused.asNew() {
				delete(b.limiters, other)
			}
		}
		l = newLimiter(b.perSecond, b.burst)
		b.limiters[k] = l
	}
	l.users++
	return l
}

// leave ends what enter began.
func (b *Budgets) leave(l *limiter) {
	b.mu.Lock()
	defer b.mu.Unlock()
	l.users--
}
