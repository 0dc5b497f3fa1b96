// SPDX-License-Identifier: Apache-2.0

// Package budget limits the requests that the operator sends to the cloud with one credential. It
// limits the rate and the number of requests in flight. It also follows the rate limit that the
// cloud reports.
//
// A sync lists the cloud objects of one InventorySource or EnvironmentDiscovery, with one or more
// requests. The limits and earlier syncs can make a sync wait. If the wait is longer than a second,
// the sync does not begin yet, and waits in a queue.
package budget

import (
	"context"
	"crypto/sha256"
	"fmt"
	"sync"
	"time"
)

// Budgets has the request budgets of all credentials. Callers with the same credential and the same
// endpoint share a budget, because the cloud counts requests by credential. Budgets is safe for
// concurrent use.
type Budgets struct {
	perSecond float64
	burst     int

	mu sync.Mutex
	// limiters has the limiter of each budget. The map key is a digest of the credential, so it
	// shows no secret.
	limiters map[key]*limiter
}

// key is a digest of a credential and of an endpoint's scheme, host and port.
type key [sha256.Size]byte

// New returns Budgets with the given limits. ratePerSecond is how many requests a second each
// budget allows on average; 0 or less means no limit. maxBurst is how many requests each budget
// allows at once after a time without requests. A maxBurst below 1 counts as 1.
//
// Each budget allows at most two requests in flight, and follows the rate limit that the cloud
// reports.
func New(ratePerSecond float64, maxBurst int) *Budgets {
	return &Budgets{perSecond: max(ratePerSecond, 0), burst: max(maxBurst, 1), limiters: map[key]*limiter{}}
}

// PerSecond returns how many requests a second each budget allows on average; 0 if the rate has no
// limit.
func (b *Budgets) PerSecond() float64 { return b.perSecond }

// For returns the budget for the requests with one credential to one endpoint. keyTexts has the
// origin of the endpoint and the parts of the credential, for example an API key and its secret.
// Calls with the same keyTexts return budgets that share their limits. A Budget need not be closed.
func (b *Budgets) For(keyTexts ...string) *Budget {
	return &Budget{of: b, key: digest(keyTexts)}
}

// digest returns a hash of texts. The hash includes the length of each text, so that the texts "ab"
// and "c" do not have the same hash as the texts "a" and "bc".
func digest(texts []string) key {
	h := sha256.New()
	for _, text := range texts {
		_, _ = fmt.Fprintf(h, "%d:%s", len(text), text)
	}
	return key(h.Sum(nil))
}

// Budget limits the requests of one credential to one endpoint. If several Budget values have the
// same key, they share one limiter.
//
// Do not store a pointer to the limiter in a Budget: an unused limiter is dropped, and a new
// limiter replaces it.
type Budget struct {
	of  *Budgets
	key key
}

// Wait says how long a caller must wait before a request or a sync, and why. A sync is a group of
// requests. If Wait.For is 0, no wait is needed.
type Wait struct {
	// For is the time to wait. The method Turn returns at most 5 minutes.
	For time.Duration
	// Cause is the reason for the wait, for example "the cloud's own rate limit is near".
	Cause string
	// Cloud is true if the reason for the wait is the cloud's own rate limit.
	Cloud bool
}

// Refused is the error of a request that was not sent, because its wait would be longer than the
// caller allows.
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
	// Known is true if the answer had a valid header X-RateLimit-Remaining. If Known is false, the
	// other fields mean nothing.
	Known bool
	// Limit is the number of requests in one time window; 0 if the answer did not report it.
	Limit int
	// Remaining is how many requests are left in the present time window, at least 0.
	Remaining int
	// Reset is the time from the answer until the next time window, between 0 and MaxWait.
	Reset time.Duration
}

// MaxWait is the upper limit of each wait that an answer of the cloud asks for. Without this limit,
// a wrong header could stop the requests for too long.
const MaxWait = 24 * time.Hour

// Turn returns how long a sync, a group of requests, must wait before it may begin. syncName
// identifies the sync. Turn never blocks, so the caller can do other work during the wait.
//
// If the wait is 0, the sync may begin. If not, the sync has a place in a queue, and the caller
// must call Turn again after the wait. A sync loses its place if the caller calls Turn more than 30
// seconds late.
func (b *Budget) Turn(syncName string) Wait {
	l := b.of.acquireLimiter(b.key)
	defer b.of.releaseLimiter(l)
	return l.turn(syncName)
}

// Lease waits until the caller may send one request. After the request, the caller must call the
// returned function once, with the cloud's answer. Lease returns these errors:
//
//   - a *Refused if the wait would be longer than maxDelay
//   - a *Refused if the wait would end after the deadline of ctx
//   - the error of ctx if ctx ends during the wait
func (b *Budget) Lease(ctx context.Context, maxDelay time.Duration) (settle func(Answer), err error) {
	l := b.of.acquireLimiter(b.key)
	r, err := l.admit(ctx, maxDelay)
	if err != nil {
		b.of.releaseLimiter(l)
		return nil, err
	}
	return func(answer Answer) {
		l.settle(r, answer)
		b.of.releaseLimiter(l)
	}, nil
}

// acquireLimiter returns the limiter of a key. If the key has no limiter, acquireLimiter makes one.
// It then also drops each unused limiter that is in the same state as a new limiter.
func (b *Budgets) acquireLimiter(k key) *limiter {
	b.mu.Lock()
	defer b.mu.Unlock()
	l, ok := b.limiters[k]
	if !ok {
		for other, unused := range b.limiters {
			if unused.userCount == 0 && unused.isLikeNew() {
				delete(b.limiters, other)
			}
		}
		l = newLimiter(b.perSecond, b.burst)
		b.limiters[k] = l
	}
	l.userCount++
	return l
}

// releaseLimiter ends the use of a limiter that the caller got from acquireLimiter.
func (b *Budgets) releaseLimiter(l *limiter) {
	b.mu.Lock()
	defer b.mu.Unlock()
	l.userCount--
}
