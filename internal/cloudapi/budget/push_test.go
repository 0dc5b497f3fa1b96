// SPDX-License-Identifier: Apache-2.0

package budget

import (
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	. "github.com/onsi/gomega"
)

// hour counts the cost of an hour of pushes.
type hour struct {
	syncs, requests int
	// longest is how long the longest sync of the other source took.
	longest time.Duration
}

// pushHour simulates one hour with two sources that share a credential. A push requests a sync of
// the first source every second. The other source syncs every five minutes. Before a sync, the
// simulation asks the budget for a turn, as the controller does. One sync answers all pushes that
// came before it began. A sync of the first source sends the given number of requests. A sync of
// the other source sends two.
func pushHour(t *testing.T, requests int) (h hour) {
	const latency = 150 * time.Millisecond
	b := testBudget()
	sync := func(name string, requests int) {
		for wait := b.Turn(name).For; wait > 0; wait = b.Turn(name).For {
			time.Sleep(wait)
		}
		for range requests {
			settle := lease(t, b)
			time.Sleep(latency)
			settle(Answer{})
		}
	}
	var asked atomic.Int64
	over := time.Now().Add(time.Hour)
	go func() {
		for ; time.Now().Before(over); time.Sleep(time.Second) {
			asked.Add(1)
		}
	}()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for time.Now().Before(over) {
			time.Sleep(5 * time.Minute)
			began := time.Now()
			sync("other", 2)
			h.longest = max(h.longest, time.Since(began))
		}
	}()
	for answered := int64(0); time.Now().Before(over); {
		request := asked.Load()
		if request == answered {
			time.Sleep(10 * time.Millisecond)
			continue
		}
		sync("pushed", requests)
		answered = request
		h.syncs++
		h.requests += requests
	}
	<-ended
	return h
}

func TestAPushASecondStaysWithinTheBudget(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "..", "..", "docs", "guides", "push.md"))
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	for requests, what := range map[int]string{2: "2 requests a sync, a page of each kind", 20: "20 requests a sync"} {
		synctest.Test(t, func(t *testing.T) {
			g := NewWithT(t)
			h := pushHour(t, requests)
			t.Logf("a push a second for an hour, %s: %d syncs, %d requests; the other source's sync takes at most %s", what, h.syncs, h.requests, h.longest)
			g.Expect(h.requests).To(BeNumerically("<=", 5*3600+5), "the budget of an hour, and its burst")
			g.Expect(h.longest).To(BeNumerically("<", time.Second), "who shares the credential goes on")
			g.Expect(string(page)).To(ContainSubstring("| %s | %d | %d | less than a second |", what, h.syncs, h.requests))
		})
	}
}
