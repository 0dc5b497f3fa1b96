// SPDX-License-Identifier: Apache-2.0

package cloudapi

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"sync"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	"golang.org/x/time/rate"

	"github.com/ccloud-dev/inventory-operator/internal/cloudapi/budget"
)

// A limiter of the field's own library can be a budget.
var _ Waiter = (*rate.Limiter)(nil)

// A budget is told of answers.
var _ Lessor = (*budget.Budget)(nil)

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
			budgets := budget.New(0.001, 1)
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			g.Expect(Budget(budgets, "https://api.example", first).Wait(ctx)).To(Succeed())
			err := Budget(budgets, tt.endpoint, tt.credential).Wait(ctx)
			if tt.shared {
				g.Expect(err).To(HaveOccurred(), "the one request of the burst is spent")
			} else {
				g.Expect(err).NotTo(HaveOccurred())
			}
		})
	}
}

func TestWhatTheCloudSaysToOneClientIsHeededByAllOfItsCredential(t *testing.T) {
	tests := map[string]struct {
		code   int
		header http.Header
		want   time.Duration
	}{
		"429":                 {429, header("Retry-After", "60"), 60 * time.Second},
		"429 with an absurd":  {429, header("Retry-After", "99999999"), 5 * time.Minute},
		"none left":           {200, header("X-RateLimit-Remaining", "0", "X-RateLimit-Reset", "60"), 60 * time.Second},
		"an epoch by mistake": {200, header("X-RateLimit-Remaining", "0", "X-RateLimit-Reset", "1767322000"), 5 * time.Minute},
		"one left":            {200, header("X-RateLimit-Remaining", "1", "X-RateLimit-Reset", "60"), 60 * time.Second},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			c := newCloud(t, func(w http.ResponseWriter, _ *http.Request) {
				maps.Copy(w.Header(), tt.header)
				answer(w, tt.code, clusterPage(`{}`))
			})
			budgets := budget.New(5, 5)
			share := func(o *Options) { o.Budget = Budget(budgets, o.Endpoint, o.Credential) }
			_, _ = c.list(t, share)

			_, err := c.list(t, share)
			e := expectError(t, err, RateLimited)
			g.Expect(e.StatusCode).To(BeZero())
			g.Expect(e.RetryAfter).To(BeNumerically("~", tt.want, 2*time.Second))
			g.Expect(e.Error()).To(MatchRegexp("^listCmkV2Clusters: not sent: no request budget for [0-9ms]+: the cloud( asked for a pause of [0-9ms]+ [(](HTTP 429|X-RateLimit-Remaining: 0)[)]|'s own rate limit is near)$"))
			g.Expect(c.asked()).To(HaveLen(1))

			_, err = c.list(t, share, func(o *Options) {
				o.Budget = Budget(budgets, o.Endpoint, Credential{Key: "another", Secret: "key"})
			})
			g.Expect(err == nil).To(Equal(tt.code == 200))
			g.Expect(c.asked()).To(HaveLen(2), "another credential has its own")
		})
	}
}
