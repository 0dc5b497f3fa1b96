// SPDX-License-Identifier: Apache-2.0

package cloudapi

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
	// accounts is keyed by a digest, so that no secret is kept.
	accounts map[budgetKey]*account
}

// budgetKey is a digest of an origin and a credential.
type budgetKey [sha256.Size]byte

// NewBudgets returns Budgets of perSecond requests a second each, and burst at
// once after a pause. A perSecond of 0 or less is no limit; a burst below 1
// is 1. Whatever the rate, no more than two requests of a budget are in flight,
// and fewer are sent where the cloud says that its own limit is near.
func NewBudgets(perSecond float64, burst int) *Budgets {
	return &Budgets{perSecond: max(perSecond, 0), burst: max(burst, 1), accounts: map[budgetKey]*account{}}
}

// For returns the budget for an endpoint and a credential. Two of one origin
// and one credential draw on the same account. It needs no giving back and may
// be kept for any time.
func (b *Budgets) For(endpoint string, c Credential) *Budget {
	origin, err := Origin(endpoint)
	if err != nil {
		// No client can be made for it, so its budget is never asked.
		origin = endpoint
	}
	return &Budget{of: b, key: newBudgetKey(origin, c.Key, c.Secret)}
}

// newBudgetKey digests parts, each with its length: "ab", "c" is not "a", "bc".
func newBudgetKey(parts ...string) budgetKey {
	h := sha256.New()
	for _, part := range parts {
		_, _ = fmt.Fprintf(h, "%d:%s", len(part), part)
	}
	return budgetKey(h.Sum(nil))
}

// Budget is what one credential may send to one endpoint. A Client that has it
// as Options.Budget also tells it of every answer, and so what the cloud says
// to one client is heeded by all that share the account.
//
// It finds its account anew at every request. Keeping it would make two
// accounts of one, once an unused one was dropped and another opened.
type Budget struct {
	of  *Budgets
	key budgetKey
}

// Turn asks for leave to begin the requests of one sync. 0 is leave. Anything
// else is how long to do something else before asking again under the same
// name, at most 5 minutes; who keeps the place in line meanwhile, and loses it
// by not asking again. Names are the caller's; one that is given leave and
// asks again is a newcomer.
//
// It never waits: a caller that holds one of few workers gives it back instead.
// One that does not ask may send all the same, and waits in Wait.
func (b *Budget) Turn(who string) time.Duration {
	a := b.of.enter(b.key)
	defer b.of.leave(a)
	return a.turn(who)
}

// Wait implements Waiter, for a request whose end the budget is not told of: it
// counts towards the rate and not as in flight. See lease for the errors.
func (b *Budget) Wait(ctx context.Context) error {
	settle, err := b.lease(ctx, DefaultRetry.Max)
	if err != nil {
		return err
	}
	settle(Call{})
	return nil
}

// lease implements lessor. The error is the context's, or an *Error of class
// RateLimited with the time to wait, where that is longer than most or than the
// context has left.
func (b *Budget) lease(ctx context.Context, most time.Duration) (func(Call), error) {
	a := b.of.enter(b.key)
	r, err := a.admit(ctx, most)
	if err != nil {
		b.of.leave(a)
		return nil, err
	}
	return func(call Call) {
		a.settle(r, call)
		b.of.leave(a)
	}, nil
}

// enter returns the account for key. Opening one, it drops those that are not
// in use and no different from a new one.
func (b *Budgets) enter(key budgetKey) *account {
	b.mu.Lock()
	defer b.mu.Unlock()
	a, ok := b.accounts[key]
	if !ok {
		for other, unused := range b.accounts {
			if unused.users == 0 && unused.asNew() {
				delete(b.accounts, other)
			}
		}
		a = newAccount(b.perSecond, b.burst)
		b.accounts[key] = a
	}
	a.users++
	return a
}

// leave is the end of what enter began.
func (b *Budgets) leave(a *account) {
	b.mu.Lock()
	defer b.mu.Unlock()
	a.users--
}

// lessor is a Waiter that is told of the end of each request it let go.
type lessor interface {
	// lease waits for a request's turn, no longer than most. The caller calls
	// settle once, with what came of the request.
	lease(ctx context.Context, most time.Duration) (settle func(Call), err error)
}

// leaser returns the lease function for any Waiter, nil for none.
func leaser(w Waiter) func(context.Context, time.Duration) (func(Call), error) {
	if w == nil {
		return func(context.Context, time.Duration) (func(Call), error) { return func(Call) {}, nil }
	}
	if l, ok := w.(lessor); ok {
		return l.lease
	}
	return func(ctx context.Context, _ time.Duration) (func(Call), error) { return func(Call) {}, w.Wait(ctx) }
}
