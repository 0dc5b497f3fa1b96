// SPDX-License-Identifier: Apache-2.0

package budget

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	. "github.com/onsi/gomega"
)

func TestAFreeBudgetGivesLeaveAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewWithT(t)
		b := testBudget()
		for range 10 {
			g.Expect(b.Turn("a").For).To(BeZero())
			spend(t, b, Answer{})
			spend(t, b, Answer{})
			time.Sleep(400 * time.Millisecond)
		}
	})
}

func TestTurnNeverWaitsAndKeepsThePlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewWithT(t)
		b, start := testBudget(), time.Now()
		var told []time.Duration
		for i := range 6 {
			told = append(told, b.Turn(fmt.Sprint(i)).For)
		}
		const ms = time.Millisecond
		g.Expect(told).To(Equal([]time.Duration{0, 0, 0, 1200 * ms, 1600 * ms, 2000 * ms}), "two requests each at 5 a second")
		g.Expect(b.Turn("5").For).To(Equal(2000*ms), "asking again is no second place")
		g.Expect(time.Since(start)).To(BeZero())
		time.Sleep(1200 * ms)
		g.Expect(b.Turn("new").For).To(BeNumerically(">", b.Turn("5").For), "those who wait go first")
		g.Expect(b.Turn("3").For).To(BeZero())
		g.Expect(b.Turn("3").For).To(BeNumerically(">", turnPatience), "one who had a turn is a newcomer")
	})
}

func TestOneWhoNeverComesAgainLosesThePlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewWithT(t)
		b := testBudget()
		for i := range 1000 {
			b.Turn(fmt.Sprint(i))
		}
		g.Expect(b.Turn("new").For).To(Equal(maxPause), "no one is told more")
		time.Sleep(maxPause + turnGrace + time.Millisecond)
		g.Expect(b.Turn("another").For).To(BeZero())
	})
}

func TestNoTurnsWhileTheAccountIsPaused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewWithT(t)
		b := testBudget()
		spend(t, b, Answer{StatusCode: 429, RetryAfter: 40 * time.Second})
		g.Expect(b.Turn("a").For).To(Equal(40 * time.Second))
		g.Expect(b.Turn("b").For).To(Equal(40400*time.Millisecond), "nor do all come at once when it ends")
		time.Sleep(40 * time.Second)
		g.Expect(b.Turn("a").For).To(BeZero())
	})
}

func TestNoTurnsWhileRequestsAreInLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewWithT(t)
		b := testBudget()
		var all sync.WaitGroup
		for range 8 { // long listings
			all.Go(func() {
				for range 20 {
					spend(t, b, Answer{})
				}
			})
		}
		time.Sleep(10 * time.Second)
		g.Expect(b.Turn("a").For).To(BeNumerically(">", turnPatience))
		all.Wait()
		time.Sleep(time.Second)
		g.Expect(b.Turn("a").For).To(BeZero())
	})
}

func TestNoTurnsWhileRequestsHang(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewWithT(t)
		b := testBudget()
		first, second := lease(t, b), lease(t, b)
		go func() { spend(t, b, Answer{}) }()
		time.Sleep(3 * time.Second)
		g.Expect(b.Turn("a").For).To(Equal(3 * time.Second))
		first(Answer{})
		second(Answer{})
		synctest.Wait()
		g.Expect(b.Turn("a").For).To(BeZero())
	})
}

// TestFiveHundredSourcesShareOneKey runs 500 sources as the controller would. A source calls Turn
// again when the wait that Turn returned is over. Few sources sync at the same time, so few workers
// are enough.
func TestFiveHundredSourcesShareOneKey(t *testing.T) {
	const sources, requests, latency = 500, 2, 150 * time.Millisecond
	synctest.Test(t, func(t *testing.T) {
		g := NewWithT(t)
		b, start := testBudget(), time.Now()
		var (
			mu          sync.Mutex
			order       []int
			held, most  int
			asked       int
			longestHeld time.Duration
			all         sync.WaitGroup
		)
		for i := range sources {
			all.Go(func() {
				for {
					wait := b.Turn(fmt.Sprint(i)).For
					mu.Lock()
					asked++
					mu.Unlock()
					if wait == 0 {
						break
					}
					time.Sleep(wait)
				}
				mu.Lock()
				order = append(order, i)
				held++
				most = max(most, held)
				mu.Unlock()
				began := time.Now()
				for range requests {
					settle := lease(t, b)
					time.Sleep(latency)
					settle(Answer{})
				}
				mu.Lock()
				held--
				longestHeld = max(longestHeld, time.Since(began))
				mu.Unlock()
			})
			synctest.Wait()
		}
		all.Wait()
		ideal := (sources*requests - 5) * 200 * time.Millisecond
		g.Expect(time.Since(start)).To(BeNumerically("<", ideal*105/100), "next to none of the budget is left unused")
		g.Expect(time.Since(start)).To(BeNumerically(">=", ideal), "and none overdrawn")
		g.Expect(most).To(BeNumerically("<=", 4), "workers held at once")
		g.Expect(longestHeld).To(BeNumerically("<=", 2*time.Second))
		g.Expect(asked).To(BeNumerically("<", 3*sources), "asking again is rare")
		g.Expect(slices.IsSorted(order)).To(BeTrue(), "first come, first served")
	})
}
