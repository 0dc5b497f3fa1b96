// SPDX-License-Identifier: Apache-2.0

package cloudapi

import (
	"context"
	"crypto/sha256"
	"fmt"
	"sync"

	"golang.org/x/time/rate"
)

// Budgets hands out request budgets, one for each pair of endpoint origin and
// credential: the cloud counts requests by credential, however many sources
// share it. It is safe for concurrent use.
type Budgets struct {
	perSecond rate.Limit
	burst     int

	mu sync.Mutex
	// accounts is keyed by a digest, so that no secret is kept.
	accounts map[budgetKey]*account
}

// budgetKey is a digest of an origin and a credential.
type budgetKey [sha256.Size]byte

// account is the one limiter behind a key.
type account struct {
	limiter *rate.Limiter
	// waiting is how many are asking the limiter now.
	waiting int
}

// NewBudgets returns Budgets of perSecond requests a second each, and burst at
// once after a pause. A perSecond of 0 or less is no limit; a burst below 1
// is 1.
func NewBudgets(perSecond float64, burst int) *Budgets {
	limit := rate.Limit(perSecond)
	if perSecond <= 0 {
		limit = rate.Inf
	}
	return &Budgets{perSecond: limit, burst: max(burst, 1), accounts: map[budgetKey]*account{}}
}

// For returns the budget for an endpoint and a credential. Two of one origin
// and one credential draw on the same account. It needs no giving back and may
// be kept for any time.
func (b *Budgets) For(endpoint string, c Credential) Waiter {
	origin, err := Origin(endpoint)
	if err != nil {
		// No client can be made for it, so its budget is never asked.
		origin = endpoint
	}
	return &budget{of: b, key: newBudgetKey(origin, c.Key, c.Secret)}
}

// newBudgetKey digests parts, each with its length: "ab", "c" is not "a", "bc".
func newBudgetKey(parts ...string) budgetKey {
	h := sha256.New()
	for _, part := range parts {
		_, _ = fmt.Fprintf(h, "%d:%s", len(part), part)
	}
	return budgetKey(h.Sum(nil))
}

// budget finds its account anew at every request. Keeping it would make two
// limiters of one, once an unused account was dropped and another opened.
type budget struct {
	of  *Budgets
	key budgetKey
}

// Wait implements Waiter.
func (b *budget) Wait(ctx context.Context) error {
	a := b.of.enter(b.key)
	defer b.of.leave(a)
	return a.limiter.Wait(ctx)
}

// enter returns the account for key. Opening one, it drops those that are not
// in use and have their whole burst again: a new one would be no different.
func (b *Budgets) enter(key budgetKey) *account {
	b.mu.Lock()
	defer b.mu.Unlock()
	a, ok := b.accounts[key]
	if !ok {
		for other, unused := range b.accounts {
			if unused.waiting == 0 && unused.limiter.Tokens() >= float64(b.burst) {
				delete(b.accounts, other)
			}
		}
		a = &account{limiter: rate.NewLimiter(b.perSecond, b.burst)}
		b.accounts[key] = a
	}
	a.waiting++
	return a
}

// leave is the end of what enter began.
func (b *Budgets) leave(a *account) {
	b.mu.Lock()
	defer b.mu.Unlock()
	a.waiting--
}
