// SPDX-License-Identifier: Apache-2.0

// Package budget bounds how many requests a credential sends: by a rate, by the number of requests
// in flight, by the cloud's own limit as the cloud reports it, and by a queue of syncs that wait to
// begin. It knows nothing about what the requests ask.
package budget

import (
	"context"
	"crypto/sha256"
	"fmt"
	"sync"
	"time"
)

// Budgets hands out request budgets, one for each pair of endpoint origin and
// credential: the cloud counts requests by credential, however many sources
// share it. It is safe for concurrent use.
type Budgets struct {
	perSecond float64
	burst     int

	mu sync.Mutex
	// limiters is keyed by a digest, so that it holds no secret.
	limiters map[key]*limiter
}

// key is a digest of what distinguishes a budget.
type key [sha256.Size]byte

// New returns Budgets of perSecond requests a second each, and of burst requests at once after a
// pause. A perSecond of 0 or less is no limit; a burst below 1 is 1. At any rate, at most two
// requests of a budget are in flight, and fewer are sent if the cloud says that its own limit is
// near.
func New(perSecond float64, burst int) *Budgets {
	return &Budgets{perSecond: max(perSecond, 0), burst: max(burst, 1), limiters: map[key]*limiter{}}
}

// PerSecond returns how many requests a second each budget lets through in the long run.
func (b *Budgets) PerSecond() float64 { return b.perSecond }

// For returns the budget that these parts identify: the origin of an endpoint, and the key and
// secret of a credential. Budgets of the same parts share a limiter. A budget need not be given
// back and may be kept for any time.
func (b *Budgets) For(parts ...string) *Budget {
	return &Budget{of: b, key: digest(parts)}
}

// digest digests parts, each with its length: "ab", "c" is not "a", "bc".
func digest(parts []string) key {
	h := sha256.New()
	for _, part := range parts {
		_, _ = fmt.Fprintf(h, "%d:%s", len(part), part)
	}
	return key(h.Sum(nil))
}

// Budget is what one credential may send to one endpoint. If an answer reports the cloud's limit,
// that holds for all that share the limiter.
//
// It looks its limiter up at every request. If it kept the limiter, one key could have two: an
// unused limiter is dropped, and the next request opens another.
type Budget struct {
	of  *Budgets
	key key
}

// Wait is how long to do something else before asking again, and why. If For is 0, the caller may
// go on.
type Wait struct {
	// For is at most 5 minutes.
	For time.Duration
	// Cause says why, as part of a sentence.
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

// Answer is the part of an answer that budgets use. It is zero if there is nothing to use.
type Answer struct {
	// StatusCode is the HTTP status, 0 if no answer came.
	StatusCode int
	RateLimit  RateLimit
	// RetryAfter is the wait the cloud asked for, between 0 and MaxWait.
	RetryAfter time.Duration
}

// RateLimit is the cloud's own limit, as an answer reported it.
type RateLimit struct {
	// Known reports whether the answer had a readable X-RateLimit-Remaining.
	// Without it the other fields mean nothing.
	Known bool
	// Limit is the number of requests per window, 0 if not given.
	Limit int
	// Remaining is how many of them are left, never negative.
	Remaining int
	// Reset is the time from the answer to the next window, between 0 and
	// MaxWait.
	Reset time.Duration
}

// MaxWait is the longest wait taken from an answer. It keeps absurd values out of arithmetic;
// pauses have their own bound.
const MaxWait = 24 * time.Hour

// Turn asks whether a sync may begin its requests. A name that has to wait keeps its place in the
// queue if it asks again in time. A name that may begin leaves the queue. The caller chooses the
// names.
//
// Turn itself never waits: a caller that holds one of few workers should give the worker back. A
// caller that does not ask may send requests too, and waits in Lease.
func (b *Budget) Turn(name string) Wait {
	l := b.of.enter(b.key)
	defer b.of.leave(l)
	return l.turn(name)
}

// Lease waits until one request may be sent, at most the time given. The caller then calls settle
// once, with the answer. The error is the context's, or a *Refused if the wait is longer than most
// or than the context allows.
func (b *Budget) Lease(ctx context.Context, most time.Duration) (settle func(Answer), err error) {
	l := b.of.enter(b.key)
	r, err := l.admit(ctx, most)
	if err != nil {
		b.of.leave(l)
		return nil, err
	}
	return func(answer Answer) {
		l.settle(r, answer)
		b.of.leave(l)
	}, nil
}

// enter returns the limiter of a key. When it opens one, it drops the limiters that are not in use
// and in the state of a new one.
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
