// SPDX-License-Identifier: Apache-2.0

package cloudapi

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	. "github.com/onsi/gomega"
	"golang.org/x/time/rate"
)

// A limiter of the field's own library can be a budget.
var _ Waiter = (*rate.Limiter)(nil)

// A Budget is told of answers.
var _ lessor = (*Budget)(nil)

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
	_, err := client.ListClusters(ctx, ClusterFilter{Environment: "env-1"}, nil)
	expectError(t, err, Canceled)

	ctx, cancel = context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	_, err = client.ListClusters(ctx, ClusterFilter{Environment: "env-1"}, nil)
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
	synctest.Test(t, func(t *testing.T) {
		g := NewWithT(t)
		budgets := NewBudgets(20, 1)
		kept := budgets.For("https://0.example", testCredential)
		for i := range 50 {
			g.Expect(budgets.For(fmt.Sprintf("https://%d.example", i), testCredential).Wait(t.Context())).To(Succeed())
		}
		g.Expect(budgets.accounts).To(HaveLen(50), "none has its burst again")
		time.Sleep(time.Second)
		paused := budgets.For("https://1.example", testCredential)
		spend(t, paused, Call{StatusCode: 429, RetryAfter: time.Hour})
		slowed := budgets.For("https://3.example", testCredential)
		spend(t, slowed, left(2, time.Hour))
		inFlight := budgets.For("https://4.example", testCredential)
		defer lease(t, inFlight)(Call{})
		waits := budgets.For("https://2.example", testCredential)
		for waits.Turn("first") == 0 {
			continue
		}
		time.Sleep(turnGrace)
		g.Expect(budgets.For("https://new.example", testCredential).Wait(t.Context())).To(Succeed())
		g.Expect(budgets.accounts).To(And(
			HaveLen(5), HaveKey(paused.key), HaveKey(slowed.key), HaveKey(inFlight.key), HaveKey(waits.key)))
		g.Expect(kept.Wait(t.Context())).To(Succeed(), "a budget outlives its account")

		// A budget from before draws on the same account as one from after.
		slow := NewBudgets(0.001, 1)
		before := slow.For("https://api.example", testCredential)
		after := slow.For("https://api.example", testCredential)
		g.Expect(after.Wait(t.Context())).To(Succeed())
		g.Expect(slow.For("https://other.example", testCredential).Wait(t.Context())).To(Succeed())
		g.Expect(before.Wait(t.Context())).NotTo(Succeed())
	})
}

func TestBudgetsBoundTheRateOfAllSourcesTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewWithT(t)
		budgets := NewBudgets(20, 5)
		var sources sync.WaitGroup
		start := time.Now()
		for range 25 {
			sources.Go(func() {
				g.Expect(budgets.For("https://api.example", testCredential).Wait(t.Context())).To(Succeed())
			})
		}
		sources.Wait()
		g.Expect(time.Since(start)).To(BeNumerically("~", time.Second, time.Microsecond), "20 past the burst at 20 a second")
	})
}

func TestBudgetsWithoutARateDoNotWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewWithT(t)
		budget := NewBudgets(0, 0).For("https://api.example", testCredential)
		start := time.Now()
		for i := range 1000 {
			g.Expect(budget.Turn(fmt.Sprint(i))).To(BeZero())
			g.Expect(budget.Wait(t.Context())).To(Succeed())
		}
		g.Expect(time.Since(start)).To(BeZero())
	})
}

func TestWhatTheCloudSaysToOneClientIsHeededByAllOfItsCredential(t *testing.T) {
	tests := map[string]struct {
		code   int
		header http.Header
		want   time.Duration
	}{
		"429":                 {429, header("Retry-After", "60"), 60 * time.Second},
		"429 with an absurd":  {429, header("Retry-After", "99999999"), maxPause},
		"none left":           {200, header("X-RateLimit-Remaining", "0", "X-RateLimit-Reset", "60"), 60 * time.Second},
		"an epoch by mistake": {200, header("X-RateLimit-Remaining", "0", "X-RateLimit-Reset", "1767322000"), maxPause},
		"one left":            {200, header("X-RateLimit-Remaining", "1", "X-RateLimit-Reset", "60"), 60 * time.Second},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			c := newCloud(t, func(w http.ResponseWriter, _ *http.Request) {
				maps.Copy(w.Header(), tt.header)
				answer(w, tt.code, clusterPage(`{}`))
			})
			budgets := NewBudgets(5, 5)
			share := func(o *Options) { o.Budget = budgets.For(o.Endpoint, o.Credential) }
			_, _ = c.list(t, share)

			_, err := c.list(t, share)
			e := expectError(t, err, RateLimited)
			g.Expect(e.StatusCode).To(BeZero())
			g.Expect(e.RetryAfter).To(BeNumerically("~", tt.want, 2*time.Second))
			g.Expect(e.Error()).To(MatchRegexp("^listCmkV2Clusters: not sent: no request budget for [0-9ms]+$"))
			g.Expect(c.asked()).To(HaveLen(1))

			_, err = c.list(t, share, func(o *Options) {
				o.Budget = budgets.For(o.Endpoint, Credential{Key: "another", Secret: "key"})
			})
			g.Expect(err == nil).To(Equal(tt.code == 200))
			g.Expect(c.asked()).To(HaveLen(2), "another credential has its own")
		})
	}
}
