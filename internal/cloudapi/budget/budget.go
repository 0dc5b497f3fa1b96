// SPDX-License-Identifier: Apache-2.0

// Package budget limits the requests that a credential sends. There are three limits: a rate, the
// number of requests in flight, and the cloud's own limit. If the requests of a new sync would have
// to wait too long, the sync waits in a queue before it begins. The package does not know the
// content of the requests.
package budget

import (
	"context"
	"crypto/sha256"
	"fmt"
	"sync"
	"time"
)

// Budgets has the request budgets of all credentials. Sources with the same credential and the same
// endpoint origin share a budget, because the cloud counts requests by credential. Budgets is safe
// for concurrent use.
type Budgets struct {
	perSecond float64
	burst     int

	mu sync.Mutex
	// limiters has the limiter of each budget. The map key is a digest, so it shows no secret.
	limiters map[key]*limiter
}

// key is a digest of the texts that identify a budget, see Budgets.For.
type key [sha256.Size]byte

// New returns Budgets. On average, each budget allows perSecond requests a second. After a pause it
// allows burst requests at once. If perSecond is 0 or less, the rate has no limit. If burst is less
// than 1, it counts as 1. A budget always has at most two requests in flight, and always follows
// the cloud's own limit.
func New(perSecond float64, burst int) *Budgets {
	return &Budgets{perSecond: max(perSecond, 0), burst: max(burst, 1), limiters: map[key]*limiter{}}
}

// PerSecond returns how many requests a second each budget allows on average; 0 if the rate has no
// limit.
func (b *Budgets) PerSecond() float64 { return b.perSecond }

// For returns the budget of an identity at an endpoint. parts has the origin of the endpoint and
// the texts of the identity, such as an API key and its secret. Budgets with the same parts share
// one limiter. The caller may keep the budget for any time, and need not return it.
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

// Budget limits the requests of one credential to one endpoint. Budgets with the same key share one
// limiter. If an answer reports the cloud's limit, the limiter uses this limit.
//
// Limiters that are not used for some time are dropped. So a Budget holds no pointer to its limiter,
// and looks up the limiter for every request.
type Budget struct {
	of  *Budgets
	key key
}

// Wait says how long to wait before the next attempt, and why. If the field For is 0, no wait is
// needed.
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

// Answer is the part of a cloud's answer that a budget uses. If the cloud's answer lacks a value,
// the field is zero.
type Answer struct {
	// StatusCode is the HTTP status; 0 if no answer came.
	StatusCode int
	RateLimit  RateLimit
	// RetryAfter is the wait that the cloud asked for, between 0 and MaxWait. 0 means that the
	// cloud asked for no wait.
	RetryAfter time.Duration
}

// RateLimit is the cloud's own limit on requests, as an answer reported it.
type RateLimit struct {
	// Known reports whether the answer had a valid header X-RateLimit-Remaining. If not, the other
	// fields mean nothing.
	Known bool
	// Limit is the number of requests per window; 0 if the answer did not report it.
	Limit int
	// Remaining is how many requests are left in the window, at least 0.
	Remaining int
	// Reset is the time from the answer to the next window, between 0 and MaxWait.
	Reset time.Duration
}

// MaxWait is the longest wait that is taken from an answer. A longer wait counts as MaxWait, so
// that absurd values do no harm.
const MaxWait = 24 * time.Hour

// Turn returns how long a sync must wait before it may begin. name identifies the sync. If the wait
// is zero, the sync may begin, and leaves the queue. If not, the sync has a place in the queue.
// After the wait, the caller must call Turn again within 30 seconds, or the sync loses its place.
//
// Turn never blocks, so the caller can do other work during the wait. A caller may also send
// requests without a call of Turn. Then only Lease limits these requests.
func (b *Budget) Turn(name string) Wait {
	l := b.of.enter(b.key)
	defer b.of.leave(l)
	return l.turn(name)
}

// Lease waits until the caller may send one request. The caller must then call settle once, with
// the answer. If the wait would be longer than maxDelay, or end after the deadline of ctx, Lease
// returns a *Refused. If ctx ends during the wait, Lease returns the error of ctx.
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

// enter returns the limiter of a key. When it makes a new limiter, it drops the unused limiters. A
// limiter is unused if it has no users and is in the same state as a new limiter.
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

// leave ends the use of a limiter that the caller got from enter.
func (b *Budgets) leave(l *limiter) {
	b.mu.Lock()
	defer b.mu.Unlock()
	l.users--
}
