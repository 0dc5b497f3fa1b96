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

// Budgets hands out one request budget for each endpoint origin and credential. All sources with
// the same credential share it, because the cloud counts requests by credential. It is safe for
// concurrent use.
type Budgets struct {
	perSecond float64
	burst     int

	mu sync.Mutex
	// limiters are the limiters of the budgets. The key is a digest, so it shows no secret.
	limiters map[key]*limiter
}

// key is a digest of what identifies a budget.
type key [sha256.Size]byte

// New returns Budgets. Each budget allows perSecond requests a second, and after a pause burst
// requests at once. If perSecond is 0 or less, there is no such limit. A burst below 1 counts as 1.
// In any case a budget has at most two requests in flight, and sends fewer when the cloud says that
// its own limit is near.
func New(perSecond float64, burst int) *Budgets {
	return &Budgets{perSecond: max(perSecond, 0), burst: max(burst, 1), limiters: map[key]*limiter{}}
}

// PerSecond returns how many requests a second each budget allows on average; 0 for no limit.
func (b *Budgets) PerSecond() float64 { return b.perSecond }

// For returns the budget that these parts identify: the origin of an endpoint, and the key and
// secret of a credential. Budgets with the same parts share a limiter. A budget need not be given
// back and may be kept for any time.
func (b *Budgets) For(parts ...string) *Budget {
	return &Budget{of: b, key: digest(parts)}
}

// digest digests parts, each with its length: "ab", "c" differs from "a", "bc".
func digest(parts []string) key {
	h := sha256.New()
	for _, part := range parts {
		_, _ = fmt.Fprintf(h, "%d:%s", len(part), part)
	}
	return key(h.Sum(nil))
}

// Budget is what one credential may send to one endpoint. If an answer reports the cloud's limit,
// that limit holds for all that share the limiter.
//
// A Budget looks up its limiter for every request. If it kept the limiter, there could be two for
// one key: an unused limiter is dropped, and the next request makes another.
type Budget struct {
	of  *Budgets
	key key
}

// Wait is how long to wait before asking again, and why. If For is 0, there is nothing to wait for.
type Wait struct {
	// For is at most 5 minutes.
	For time.Duration
	// Cause says why, as a part of a sentence.
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

// Answer is the part of an answer that budgets use. It is zero if the answer has none of it.
type Answer struct {
	// StatusCode is the HTTP status; 0 if no answer came.
	StatusCode int
	RateLimit  RateLimit
	// RetryAfter is the wait that the cloud asked for, between 0 and MaxWait. 0 means that it asked
	// for none.
	RetryAfter time.Duration
}

// RateLimit is the cloud's own limit, as an answer reported it.
type RateLimit struct {
	// Known reports whether the answer had a readable X-RateLimit-Remaining. If not, the other
	// fields mean nothing.
	Known bool
	// Limit is the number of requests per window; 0 if the answer did not say.
	Limit int
	// Remaining is how many of these requests are left, at least 0.
	Remaining int
	// Reset is the time from the answer to the next window, between 0 and MaxWait.
	Reset time.Duration
}

// MaxWait is the longest wait that is taken from an answer, so that absurd values do no harm.
// Pauses have a bound of their own.
const MaxWait = 24 * time.Hour

// Turn asks whether a sync may begin. name identifies the sync. If it has to wait, it keeps its
// place in the queue if it asks again in time. If it may begin, it leaves the queue.
//
// Turn itself never waits: a caller that holds one of few workers should give the worker back. A
// caller that does not call Turn may send requests too, and waits in Lease.
func (b *Budget) Turn(name string) Wait {
	l := b.of.enter(b.key)
	defer b.of.leave(l)
	return l.turn(name)
}

// Lease waits until one request may be sent, but not longer than maxDelay. The caller must then call
// settle once, with the answer. The error is the context's, or a *Refused if the wait is longer
// than maxDelay or than the context allows.
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

// enter returns the limiter of a key. If it makes a new one, it drops the limiters that are not in
// use and in the same state as a new one.
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
