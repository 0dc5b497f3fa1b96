// SPDX-License-Identifier: Apache-2.0

package cloudapi

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	. "github.com/onsi/gomega"
)

// testBudget is a budget of 5 requests a second and as many at once.
func testBudget() *Budget { return NewBudgets(5, 5).For("https://api.example", testCredential) }

// lease takes one request of a budget, or fails the test.
func lease(t *testing.T, b *Budget) func(Call) {
	t.Helper()
	settle, err := b.lease(t.Context(), time.Hour)
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	return settle
}

// spend takes one request of a budget and ends it at once with call.
func spend(t *testing.T, b *Budget, call Call) {
	t.Helper()
	lease(t, b)(call)
}

// left is an answer that says how many requests are left of 100, and till when.
func left(remaining int, reset time.Duration) Call {
	return Call{StatusCode: 200, RateLimit: RateLimit{Known: true, Limit: 100, Remaining: remaining, Reset: reset}}
}

func TestABudgetIsARateAndABurst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewWithT(t)
		b, start := testBudget(), time.Now()
		for i := range 15 {
			spend(t, b, Call{})
			want := time.Duration(max(0, i-4)) * 200 * time.Millisecond
			g.Expect(time.Since(start)).To(BeNumerically("~", want, time.Microsecond))
		}
		time.Sleep(time.Hour)
		start = time.Now()
		for range 10 {
			spend(t, b, Call{})
		}
		g.Expect(time.Since(start)).To(BeNumerically("~", time.Second, time.Microsecond), "no more than a burst is saved up")
	})
}

func TestNoMoreThanTwoRequestsAreInFlight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewWithT(t)
		b := NewBudgets(1000, 1000).For("https://api.example", testCredential)
		var all sync.WaitGroup
		var mu sync.Mutex
		inFlight, most, start := 0, 0, time.Now()
		for range 20 {
			all.Go(func() {
				settle := lease(t, b)
				mu.Lock()
				inFlight++
				most = max(most, inFlight)
				mu.Unlock()
				time.Sleep(300 * time.Millisecond)
				mu.Lock()
				inFlight--
				mu.Unlock()
				settle(Call{})
			})
		}
		all.Wait()
		g.Expect(most).To(Equal(2))
		g.Expect(time.Since(start)).To(Equal(3*time.Second), "two at a time, without a gap")
	})
}

func TestRequestsThatHangDoNotKeepBackAllOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewWithT(t)
		b, start := testBudget(), time.Now()
		settleFirst, settleSecond := lease(t, b), lease(t, b)
		spend(t, b, Call{})
		g.Expect(time.Since(start)).To(Equal(hangsAfter))
		settleFirst(Call{})
		settleSecond(Call{})
		hanging := lease(t, b)
		spend(t, b, Call{})
		g.Expect(time.Since(start)).To(Equal(hangsAfter), "what came after all is not counted twice")
		hanging(Call{})
	})
}

func TestRequestsGoInTheOrderTheyCame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewWithT(t)
		b := NewBudgets(5, 1).For("https://api.example", testCredential)
		var all sync.WaitGroup
		var order []int
		for i := range 20 {
			all.Go(func() {
				settle := lease(t, b)
				order = append(order, i)
				settle(Call{})
			})
			synctest.Wait()
		}
		all.Wait()
		g.Expect(order).To(HaveLen(20))
		g.Expect(slices.IsSorted(order)).To(BeTrue(), fmt.Sprint(order))
	})
}

func TestAShortListingIsNotBehindAllOfALongOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewWithT(t)
		b := testBudget()
		var all sync.WaitGroup
		for range 3 {
			all.Go(func() {
				for range 100 {
					spend(t, b, Call{})
				}
			})
		}
		time.Sleep(10 * time.Second)
		start := time.Now()
		spend(t, b, Call{})
		g.Expect(time.Since(start)).To(BeNumerically("<=", 800*time.Millisecond), "one request of each is ahead")
		all.Wait()
	})
}

func TestAWaitForBudgetIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewWithT(t)
		start := time.Now()
		refusal := func(b *Budget, ctx context.Context, most time.Duration) *Error {
			t.Helper()
			_, err := b.lease(ctx, most)
			return expectError(t, err, RateLimited)
		}
		// Longer than allowed is known at once, and so is past the deadline.
		b := NewBudgets(0.1, 1).For("https://api.example", testCredential)
		spend(t, b, Call{})
		g.Expect(refusal(b, t.Context(), 9*time.Second).RetryAfter).To(Equal(10 * time.Second))
		ctx, cancel := context.WithTimeout(t.Context(), 9*time.Second)
		defer cancel()
		g.Expect(refusal(b, ctx, time.Hour).RetryAfter).To(Equal(10 * time.Second))
		g.Expect(time.Since(start)).To(BeZero())
		// When an answer comes is not known.
		b = testBudget()
		settle, _ := lease(t, b), lease(t, b)
		g.Expect(refusal(b, t.Context(), 3*time.Second).RetryAfter).To(BeNumerically(">=", minPause))
		g.Expect(time.Since(start)).To(Equal(3 * time.Second))
		settle(Call{})
		spend(t, b, Call{})
		g.Expect(time.Since(start)).To(Equal(3*time.Second), "what was given up is not in line")
	})
}

func TestGivingUpWaitingGivesUpThePlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewWithT(t)
		b := NewBudgets(1, 1).For("https://api.example", testCredential)
		spend(t, b, Call{})
		ctx, cancel := context.WithCancel(t.Context())
		for range 5 {
			go func() {
				_, err := b.lease(ctx, time.Hour)
				g.Expect(err).To(MatchError(context.Canceled))
			}()
		}
		synctest.Wait()
		cancel()
		synctest.Wait()
		start := time.Now()
		spend(t, b, Call{})
		g.Expect(time.Since(start)).To(Equal(time.Second))

		// One that is let go as it gives up is not in flight.
		a := newAccount(5, 5)
		for range 2 * maxInFlight {
			r := &request{ready: make(chan struct{})}
			a.queue(r, 0)
			g.Expect(r.ready).To(BeClosed())
			a.abandon(r)
		}
	})
}

func TestRequestsSlowDownAsTheCloudsLimitNears(t *testing.T) {
	tests := map[string]struct {
		answer Call
		want   []time.Duration // from the answer on
	}{
		"far":            {left(25, time.Minute), []time.Duration{0, 0, 0, 0, 200 * time.Millisecond}},
		"near":           {left(24, time.Minute), []time.Duration{2500 * time.Millisecond, 5 * time.Second, 7500 * time.Millisecond}},
		"of no limit":    {Call{RateLimit: RateLimit{Known: true, Remaining: 9, Reset: 18 * time.Second}}, []time.Duration{2 * time.Second, 4 * time.Second}},
		"in no hurry":    {left(24, time.Second), []time.Duration{time.Second / 24, time.Second / 12}},
		"to the window":  {left(2, 10*time.Second), []time.Duration{5 * time.Second, 10 * time.Second, 10 * time.Second, 10 * time.Second}},
		"none":           {left(0, 7*time.Second), []time.Duration{7 * time.Second, 7 * time.Second}},
		"none, no reset": {left(0, 0), []time.Duration{minPause, minPause}},
		"none, absurd":   {left(0, MaxWait), []time.Duration{maxPause, maxPause}},
		"429":            {Call{StatusCode: 429, RetryAfter: 7 * time.Second}, []time.Duration{7 * time.Second, 7 * time.Second}},
		"429, no header": {Call{StatusCode: 429}, []time.Duration{minPause, minPause}},
		"429, absurd":    {Call{StatusCode: 429, RetryAfter: MaxWait}, []time.Duration{maxPause, maxPause}},
		"503":            {Call{StatusCode: 503, RetryAfter: 7 * time.Second}, []time.Duration{0, 0}},
		"unknown":        {Call{StatusCode: 200}, []time.Duration{0, 0}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := NewWithT(t)
				b := testBudget()
				spend(t, b, tt.answer)
				start := time.Now()
				for _, want := range tt.want {
					spend(t, b, Call{})
					g.Expect(time.Since(start)).To(BeNumerically("~", want, time.Microsecond))
				}
			})
		})
	}
}

func TestRequestsInFlightCountAgainstWhatIsLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewWithT(t)
		b, start := testBudget(), time.Now()
		first, second := lease(t, b), lease(t, b)
		first(left(1, time.Minute)) // which the second one has by now
		second(left(50, time.Second))
		spend(t, b, Call{})
		g.Expect(time.Since(start)).To(Equal(time.Minute), "answers do not come in the order they were counted")

		start = time.Now()
		first, second = lease(t, b), lease(t, b)
		first(Call{StatusCode: 429, RetryAfter: time.Minute})
		second(Call{StatusCode: 429})
		spend(t, b, Call{})
		g.Expect(time.Since(start)).To(Equal(time.Minute), "the longer of two pauses")
	})
}

func TestALimitIsForgottenWithItsWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewWithT(t)
		b := testBudget()
		spend(t, b, left(2, 4*time.Second))
		start := time.Now()
		time.Sleep(3 * time.Second)
		spend(t, b, Call{})
		for range 5 {
			spend(t, b, Call{})
		}
		g.Expect(time.Since(start)).To(Equal(4*time.Second), "not 2 s after the last one")
	})
}
