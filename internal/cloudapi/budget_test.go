// SPDX-License-Identifier: Apache-2.0

package cloudapi

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	"golang.org/x/time/rate"
)

// A limiter of the field's own library can be a budget.
var _ Waiter = (*rate.Limiter)(nil)

// countingWaiter counts how often it was asked. It refuses with err, or once
// it was asked more often than spentAfter.
type countingWaiter struct {
	mu         sync.Mutex
	n          int
	spentAfter int
	err        error
}

func (w *countingWaiter) Wait(context.Context) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.n++
	if w.spentAfter > 0 && w.n > w.spentAfter {
		return errors.New("spent")
	}
	return w.err
}

func (w *countingWaiter) asked() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.n
}

func TestEveryRequestAsksTheBudget(t *testing.T) {
	g := NewWithT(t)
	c := newCloud(t, inTurn(clusterPage(next("a")), clusterPage(next("b")), clusterPage(`{}`)))
	waiter := &countingWaiter{}
	_, err := c.list(t, func(o *Options) { o.Budget = waiter })
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(waiter.asked()).To(Equal(3))
}

func TestNothingIsSentWithoutBudget(t *testing.T) {
	g := NewWithT(t)
	c := newCloud(t, inTurn(clusterPage(`{}`)))
	calls := 0
	_, err := c.list(t, func(o *Options) {
		o.Budget = &countingWaiter{err: errors.New("no")}
		o.Observe = func(Call) { calls++ }
	})
	e := expectError(t, err, RateLimited)
	g.Expect(e.Error()).To(Equal("listCmkV2Clusters: not sent: no request budget within the time left"))
	g.Expect(c.asked()).To(BeEmpty())
	g.Expect(calls).To(BeZero())
}

func TestWaitingForBudgetEndsWithTheContext(t *testing.T) {
	g := NewWithT(t)
	c := newCloud(t, inTurn(clusterPage(`{}`)))
	empty := rate.NewLimiter(rate.Every(time.Hour), 1)
	empty.Allow()
	client := c.client(t, func(o *Options) { o.Budget = empty })

	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(20*time.Millisecond, cancel)
	_, err := client.ListClusters(ctx, ClusterFilter{Environment: "env-1"})
	expectError(t, err, Canceled)

	ctx, cancel = context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	_, err = client.ListClusters(ctx, ClusterFilter{Environment: "env-1"})
	expectError(t, err, RateLimited)
	g.Expect(c.asked()).To(BeEmpty())
}

func TestBudgetIsSharedByOriginAndCredential(t *testing.T) {
	first := Credential{Key: "ab", Secret: "c"}
	tests := map[string]struct {
		endpoint   string
		credential Credential
		shared     bool
	}{
		"the same":               {"https://api.example", first, true},
		"another path, its port": {"HTTPS://API.example:443/prefix", first, true},
		"another origin":         {"http://api.example", first, false},
		"another key":            {"https://api.example", Credential{Key: "xy", Secret: "c"}, false},
		"another secret":         {"https://api.example", Credential{Key: "ab", Secret: "d"}, false},
		"the same run together":  {"https://api.example", Credential{Key: "a", Secret: "bc"}, false},
		"no endpoint at all":     {"", first, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			budgets := NewBudgets(0.001, 1)
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			g.Expect(budgets.For("https://api.example", first).Wait(ctx)).To(Succeed())
			err := budgets.For(tt.endpoint, tt.credential).Wait(ctx)
			if tt.shared {
				g.Expect(err).To(HaveOccurred(), "the one request of the burst is spent")
			} else {
				g.Expect(err).NotTo(HaveOccurred())
			}
		})
	}
}

func TestBudgetsKeepNoSecret(t *testing.T) {
	g := NewWithT(t)
	budgets := NewBudgets(1, 1)
	waiter := budgets.For("https://api.example", testCredential)
	g.Expect(waiter.Wait(t.Context())).To(Succeed())
	for _, verb := range []string{"%v", "%+v", "%#v", "%d"} {
		expectNoCredential(t, fmt.Sprintf(verb, budgets))
		expectNoCredential(t, fmt.Sprintf(verb, budgets.accounts))
		expectNoCredential(t, fmt.Sprintf(verb, waiter))
	}
}

func TestUnusedBudgetsAreDroppedAndSpentOnesAreNot(t *testing.T) {
	g := NewWithT(t)
	budgets := NewBudgets(20, 1)
	kept := budgets.For("https://0.example", testCredential)
	for i := range 50 {
		g.Expect(budgets.For(fmt.Sprintf("https://%d.example", i), testCredential).Wait(t.Context())).To(Succeed())
	}
	g.Expect(budgets.accounts).NotTo(BeEmpty())
	time.Sleep(60 * time.Millisecond) // the burst of all of them is there again
	g.Expect(budgets.For("https://new.example", testCredential).Wait(t.Context())).To(Succeed())
	g.Expect(budgets.accounts).To(HaveLen(1), "only the one just spent is left")

	// A waiter from before draws on the same account as one from after.
	slow := NewBudgets(0.001, 1)
	before := slow.For("https://api.example", testCredential)
	after := slow.For("https://api.example", testCredential)
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	g.Expect(after.Wait(ctx)).To(Succeed())
	g.Expect(slow.For("https://other.example", testCredential).Wait(ctx)).To(Succeed())
	g.Expect(before.Wait(ctx)).NotTo(Succeed())
	g.Expect(kept.Wait(ctx)).To(Succeed(), "a waiter outlives its account")
}

func TestBudgetsBoundTheRateOfAllSourcesTogether(t *testing.T) {
	g := NewWithT(t)
	budgets := NewBudgets(200, 5)
	var sources sync.WaitGroup
	start := time.Now()
	for range 25 {
		sources.Go(func() {
			_ = budgets.For("https://api.example", testCredential).Wait(context.Background())
		})
	}
	sources.Wait()
	g.Expect(time.Since(start)).To(BeNumerically(">=", 95*time.Millisecond), "20 past the burst at 200 a second")
}

func TestBudgetsWithoutARateDoNotWait(t *testing.T) {
	g := NewWithT(t)
	waiter := NewBudgets(0, 0).For("https://api.example", testCredential)
	start := time.Now()
	for range 1000 {
		g.Expect(waiter.Wait(t.Context())).To(Succeed())
	}
	g.Expect(time.Since(start)).To(BeNumerically("<", time.Second))
}
