// SPDX-License-Identifier: Apache-2.0

package budget

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

// testBudget returns a budget of 5 requests a second, with a burst of 5.
func testBudget() *Budget { return New(5, 5).For("https://api.example", "key", "secret") }

// lease takes one request from the budget b. If it cannot, the test fails.
func lease(t *testing.T, b *Budget) func(Answer) {
	t.Helper()
	settle, err := b.Lease(t.Context(), time.Hour)
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	return settle
}

// spend takes one request from the budget b, and ends it at once with answer.
func spend(t *testing.T, b *Budget, answer Answer) {
	t.Helper()
	lease(t, b)(answer)
}

// left is an answer that reports a limit of 100 requests, how many of them remain, and the time to
// the next window.
func left(remaining int, reset time.Duration) Answer {
	return Answer{StatusCode: 200, RateLimit: RateLimit{Known: true, Limit: 100, Remaining: remaining, Reset: reset}}
}

func TestABudgetIsARateAndABurst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewWithT(t)
		b, start := testBudget(), time.Now()
		for i := range 15 {
			spend(t, b, Answer{})
			want := time.Duration(max(0, i-4)) * 200 * time.Millisecond
			g.Expect(time.Since(start)).To(BeNumerically("~", want, time.Microsecond))
		}
		time.Sleep(time.Hour)
		start = time.Now()
		for range 10 {
			spend(t, b, Answer{})
		}
		g.Expect(time.Since(start)).To(BeNumerically("~", time.Second, time.Microsecond), "no more than a burst is saved up")
	})
}

func TestNoMoreThanTwoRequestsAreInFlight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewWithT(t)
		b := New(1000, 1000).For("https://api.example", "key", "secret")
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
				settle(Answer{})
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
		spend(t, b, Answer{})
		g.Expect(time.Since(start)).To(Equal(hangsAfter))
		settleFirst(Answer{})
		settleSecond(Answer{})
		hanging := lease(t, b)
		spend(t, b, Answer{})
		g.Expect(time.Since(start)).To(Equal(hangsAfter), "what came after all is not counted twice")
		hanging(Answer{})
	})
}

func TestRequestsGoInTheOrderTheyCame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewWithT(t)
		b := New(5, 1).For("https://api.example", "key", "secret")
		var all sync.WaitGroup
		var order []int
		for i := range 20 {
			all.Go(func() {
				settle := lease(t, b)
				order = append(order, i)
				settle(Answer{})
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
					spend(t, b, Answer{})
				}
			})
		}
		time.Sleep(10 * time.Second)
		start := time.Now()
		spend(t, b, Answer{})
		g.Expect(time.Since(start)).To(BeNumerically("<=", 800*time.Millisecond), "one request of each is ahead")
		all.Wait()
	})
}

func TestAWaitForBudgetIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewWithT(t)
		start := time.Now()
		refusal := func(b *Budget, ctx context.Context, most time.Duration) *Refused {
			t.Helper()
			_, err := b.Lease(ctx, most)
			g.Expect(err).To(BeAssignableToTypeOf(&Refused{}))
			return err.(*Refused)
		}
		// A wait that is too long is refused at once. So is a wait past the deadline.
		b := New(0.1, 1).For("https://api.example", "key", "secret")
		spend(t, b, Answer{})
		g.Expect(refusal(b, t.Context(), 9*time.Second).For).To(Equal(10 * time.Second))
		ctx, cancel := context.WithTimeout(t.Context(), 9*time.Second)
		defer cancel()
		g.Expect(refusal(b, ctx, time.Hour).For).To(Equal(10 * time.Second))
		g.Expect(time.Since(start)).To(BeZero())
		// If it is not known when an answer comes, the refusal comes only after the wait.
		b = testBudget()
		settle, _ := lease(t, b), lease(t, b)
		g.Expect(refusal(b, t.Context(), 3*time.Second).For).To(BeNumerically(">=", minPause))
		g.Expect(time.Since(start)).To(Equal(3 * time.Second))
		settle(Answer{})
		spend(t, b, Answer{})
		g.Expect(time.Since(start)).To(Equal(3*time.Second), "what was given up is not in line")
	})
}

func TestGivingUpWaitingGivesUpThePlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewWithT(t)
		b := New(1, 1).For("https://api.example", "key", "secret")
		spend(t, b, Answer{})
		ctx, cancel := context.WithCancel(t.Context())
		for range 5 {
			go func() {
				_, err := b.Lease(ctx, time.Hour)
				g.Expect(err).To(MatchError(context.Canceled))
			}()
		}
		synctest.Wait()
		cancel()
		synctest.Wait()
		start := time.Now()
		spend(t, b, Answer{})
		g.Expect(time.Since(start)).To(Equal(time.Second))

		// A request that is let go at the moment when its caller gives up does not stay in flight.
		a := newLimiter(5, 5)
		for range 2 * maxInFlight {
			r := &pendingRequest{readyCh: make(chan struct{})}
			a.enqueue(r, 0)
			g.Expect(r.readyCh).To(BeClosed())
			a.abandon(r)
		}
	})
}

func TestRequestsSlowDownAsTheCloudsLimitNears(t *testing.T) {
	tests := map[string]struct {
		answer Answer
		want   []time.Duration // the times since the answer
	}{
		"far":            {left(25, time.Minute), []time.Duration{0, 0, 0, 0, 200 * time.Millisecond}},
		"near":           {left(24, time.Minute), []time.Duration{2500 * time.Millisecond, 5 * time.Second, 7500 * time.Millisecond}},
		"of no limit":    {Answer{RateLimit: RateLimit{Known: true, Remaining: 9, Reset: 18 * time.Second}}, []time.Duration{2 * time.Second, 4 * time.Second}},
		"in no hurry":    {left(24, time.Second), []time.Duration{time.Second / 24, time.Second / 12}},
		"to the window":  {left(2, 10*time.Second), []time.Duration{5 * time.Second, 10 * time.Second, 10 * time.Second, 10 * time.Second}},
		"none":           {left(0, 7*time.Second), []time.Duration{7 * time.Second, 7 * time.Second}},
		"none, no reset": {left(0, 0), []time.Duration{minPause, minPause}},
		"none, absurd":   {left(0, MaxWait), []time.Duration{maxPause, maxPause}},
		"429":            {Answer{StatusCode: 429, RetryAfter: 7 * time.Second}, []time.Duration{7 * time.Second, 7 * time.Second}},
		"429, no header": {Answer{StatusCode: 429}, []time.Duration{minPause, minPause}},
		"429, absurd":    {Answer{StatusCode: 429, RetryAfter: MaxWait}, []time.Duration{maxPause, maxPause}},
		"503":            {Answer{StatusCode: 503, RetryAfter: 7 * time.Second}, []time.Duration{0, 0}},
		"unknown":        {Answer{StatusCode: 200}, []time.Duration{0, 0}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := NewWithT(t)
				b := testBudget()
				spend(t, b, tt.answer)
				start := time.Now()
				for _, want := range tt.want {
					spend(t, b, Answer{})
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
		first(left(1, time.Minute)) // the second request, in flight, uses up this last one
		second(left(50, time.Second))
		spend(t, b, Answer{})
		g.Expect(time.Since(start)).To(Equal(time.Minute), "answers do not come in the order they were counted")

		start = time.Now()
		first, second = lease(t, b), lease(t, b)
		first(Answer{StatusCode: 429, RetryAfter: time.Minute})
		second(Answer{StatusCode: 429})
		spend(t, b, Answer{})
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
		spend(t, b, Answer{})
		for range 5 {
			spend(t, b, Answer{})
		}
		g.Expect(time.Since(start)).To(Equal(4*time.Second), "not 2 s after the last one")
	})
}

func TestAWaitSaysWhoAskedForIt(t *testing.T) {
	for name, tt := range map[string]struct {
		answer Answer
		before int // how many sources wait already
		cause  string
		cloud  bool
	}{
		"a 429":             {Answer{StatusCode: 429, RetryAfter: 40 * time.Second}, 0, "the cloud asked for a pause of 40s (HTTP 429)", true},
		"nothing left":      {left(0, 290*time.Second), 0, "the cloud asked for a pause of 4m50s (X-RateLimit-Remaining: 0)", true},
		"an absurd reset":   {left(0, MaxWait), 3, "the cloud asked for a pause of 5m0s (X-RateLimit-Remaining: 0)", true},
		"little left":       {left(2, time.Minute), 0, "the cloud's own rate limit is near", true},
		"others before it":  {Answer{}, 9, "syncs with the same credential are before it", false},
		"requests underway": {Answer{}, 3, "--requests-per-second", false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := NewWithT(t)
				b := testBudget()
				spend(t, b, tt.answer)
				for i := range tt.before {
					b.Turn(fmt.Sprint(i))
				}
				w := b.Turn("it")
				g.Expect(w.For).NotTo(BeZero())
				g.Expect(w.Cause).To(ContainSubstring(tt.cause))
				g.Expect(w.Cloud).To(Equal(tt.cloud))
				g.Expect((&Refused{w}).Error()).To(ContainSubstring(tt.cause))
			})
		})
	}
}

func TestARefusalAlwaysHasACause(t *testing.T) {
	for name, tt := range map[string]struct {
		perSecond float64
		inFlight  int
		meanwhile func(settle func(Answer))
		want      string
	}{
		"no answers": {1000, 2, func(func(Answer)) {}, "2 requests with the same credential are not answered yet"},
		"an answer at the last moment": {1000, 2, func(settle func(Answer)) {
			time.Sleep(time.Second)
			settle(Answer{})
		}, ""},
		"a 429 meanwhile": {1000, 2, func(settle func(Answer)) {
			settle(Answer{StatusCode: 429, RetryAfter: time.Minute})
		}, "the cloud asked for a pause of 1m0s (HTTP 429)"},
		"the rate": {0.1, 1, func(func(Answer)) {}, "--requests-per-second"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := NewWithT(t)
				b := New(tt.perSecond, 2).For(name)
				var settle func(Answer)
				for range tt.inFlight {
					settle = lease(t, b)
				}
				if tt.inFlight == 1 {
					lease(t, b)(Answer{})
				}
				go tt.meanwhile(settle)
				_, err := b.Lease(t.Context(), time.Second)
				var refused *Refused
				if err == nil {
					return // the answer came first: nothing was refused
				}
				g.Expect(err).To(BeAssignableToTypeOf(refused))
				g.Expect(err.Error()).To(MatchRegexp(`^no request budget for [0-9ms]+: [a-zA-Z0-9].*[^ :]$`))
				g.Expect(err.Error()).To(ContainSubstring(tt.want))
			})
		})
	}
}
