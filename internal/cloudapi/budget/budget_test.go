// SPDX-License-Identifier: Apache-2.0

package budget

import (
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	. "github.com/onsi/gomega"
)

const testSecret = "very/secret+value=="

// one sends one request through the budget b, and ends the request at once.
func one(t *testing.T, b *Budget) error {
	settle, err := b.Lease(t.Context(), 10*time.Second)
	if err == nil {
		settle(Answer{})
	}
	return err
}

func TestBudgetsKeepNoSecret(t *testing.T) {
	g := NewWithT(t)
	budgets := New(1, 1)
	waiter := budgets.For("https://api.example", "key", testSecret)
	g.Expect(one(t, waiter)).To(Succeed())
	for _, verb := range []string{"%v", "%+v", "%#v", "%d"} {
		g.Expect(fmt.Sprintf(verb, budgets)).NotTo(ContainSubstring(testSecret))
		g.Expect(fmt.Sprintf(verb, budgets.limiters)).NotTo(ContainSubstring(testSecret))
		g.Expect(fmt.Sprintf(verb, waiter)).NotTo(ContainSubstring(testSecret))
	}
}

func TestUnusedBudgetsAreDroppedAndSpentOnesAreNot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewWithT(t)
		budgets := New(20, 1)
		kept := budgets.For("https://0.example", "key", testSecret)
		for i := range 50 {
			g.Expect(one(t, budgets.For(fmt.Sprintf("https://%d.example", i), "key", testSecret))).To(Succeed())
		}
		g.Expect(budgets.limiters).To(HaveLen(50), "none has its burst again")
		time.Sleep(time.Second)
		paused := budgets.For("https://1.example", "key", testSecret)
		spend(t, paused, Answer{StatusCode: 429, RetryAfter: time.Hour})
		slowed := budgets.For("https://3.example", "key", testSecret)
		spend(t, slowed, left(2, time.Hour))
		inFlight := budgets.For("https://4.example", "key", testSecret)
		defer lease(t, inFlight)(Answer{})
		waits := budgets.For("https://2.example", "key", testSecret)
		for waits.Turn("first").For == 0 {
			continue
		}
		time.Sleep(turnGrace)
		g.Expect(one(t, budgets.For("https://new.example", "key", testSecret))).To(Succeed())
		g.Expect(budgets.limiters).To(And(
			HaveLen(5), HaveKey(paused.key), HaveKey(slowed.key), HaveKey(inFlight.key), HaveKey(waits.key)))
		g.Expect(one(t, kept)).To(Succeed(), "a budget outlives its limiter")

		// Two Budgets with the same parts draw on the same limiter, even if the second one made the
		// limiter.
		slow := New(0.001, 1)
		before := slow.For("https://api.example", "key", testSecret)
		after := slow.For("https://api.example", "key", testSecret)
		g.Expect(one(t, after)).To(Succeed())
		g.Expect(one(t, slow.For("https://other.example", "key", testSecret))).To(Succeed())
		g.Expect(one(t, before)).NotTo(Succeed())
	})
}

func TestBudgetsBoundTheRateOfAllSourcesTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewWithT(t)
		budgets := New(20, 5)
		var sources sync.WaitGroup
		start := time.Now()
		for range 25 {
			sources.Go(func() {
				g.Expect(one(t, budgets.For("https://api.example", "key", testSecret))).To(Succeed())
			})
		}
		sources.Wait()
		g.Expect(time.Since(start)).To(BeNumerically("~", time.Second, time.Microsecond), "20 past the burst at 20 a second")
	})
}

func TestBudgetsWithoutARateDoNotWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewWithT(t)
		budget := New(0, 0).For("https://api.example", "key", testSecret)
		start := time.Now()
		for i := range 1000 {
			g.Expect(budget.Turn(fmt.Sprint(i))).To(BeZero())
			g.Expect(one(t, budget)).To(Succeed())
		}
		g.Expect(time.Since(start)).To(BeZero())
	})
}
