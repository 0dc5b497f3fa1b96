// SPDX-License-Identifier: Apache-2.0

package cloudapi

import (
	"context"
	"maps"
	"net/http"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/ccloud-dev/inventory-operator/internal/cloudapi/budget"
)

// purse is a budget of 100 requests. Its method spent counts how many of them are spent.
type purse struct{ *budget.Budget }

func newPurse() purse { return purse{budget.New(0.0001, 100).For("purse")} }

// spent returns how many requests were spent. It also spends the remaining requests.
func (p purse) spent(t *testing.T) int {
	t.Helper()
	for left := 0; ; left++ {
		settle, err := p.Lease(t.Context(), time.Second)
		if err != nil {
			return 100 - left
		}
		settle(budget.Answer{})
	}
}

// emptyPurse is a budget with nothing left.
func emptyPurse(t *testing.T) *budget.Budget {
	t.Helper()
	p := newPurse()
	p.spent(t)
	return p.Budget
}

func TestEveryRequestAsksTheBudget(t *testing.T) {
	g := NewWithT(t)
	c := newCloud(t, inTurn(clusterPage(next("a")), clusterPage(next("b")), clusterPage(`{}`)))
	purse := newPurse()
	_, err := c.list(t, func(o *Options) { o.Budget = purse.Budget })
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(purse.spent(t)).To(Equal(3))
}

func TestNothingIsSentWithoutBudget(t *testing.T) {
	g := NewWithT(t)
	c := newCloud(t, inTurn(clusterPage(`{}`)))
	calls := 0
	_, err := c.list(t, func(o *Options) {
		o.Budget = emptyPurse(t)
		o.Observe = func(Call) { calls++ }
	})
	e := expectError(t, err, RateLimited)
	g.Expect(e.Error()).To(MatchRegexp("^listCmkV2Clusters: not sent: no request budget for [0-9hms]+: as many requests as --requests-per-second allows a credential are under way$"))
	g.Expect(c.asked()).To(BeEmpty())
	g.Expect(calls).To(BeZero())
}

func TestWaitingForBudgetEndsWithTheContext(t *testing.T) {
	g := NewWithT(t)
	c := newCloud(t, inTurn(clusterPage(`{}`)))
	slow := budget.New(0.2, 1).For("slow")
	settle, err := slow.Lease(t.Context(), time.Second)
	g.Expect(err).NotTo(HaveOccurred())
	settle(budget.Answer{})
	client := c.client(t, func(o *Options) { o.Budget = slow })

	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(20*time.Millisecond, cancel)
	_, err = listClusters(ctx, client, ClusterFilter{Environment: "env-1"}, nil)
	expectError(t, err, Canceled)

	ctx, cancel = context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	_, err = listClusters(ctx, client, ClusterFilter{Environment: "env-1"}, nil)
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
			_, err := Budget(budgets, "https://api.example", first).Lease(ctx, time.Second)
			g.Expect(err).NotTo(HaveOccurred())
			_, err = Budget(budgets, tt.endpoint, tt.credential).Lease(ctx, time.Second)
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
