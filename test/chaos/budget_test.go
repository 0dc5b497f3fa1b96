// SPDX-License-Identifier: Apache-2.0

package main

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	. "github.com/onsi/gomega"
)

var noon = time.Date(2026, time.January, 2, 12, 0, 0, 0, time.UTC)

// over sends n requests to the bucket, with the time apart between two requests. It returns how
// many of them are over the budget.
func over(b *bucket, from time.Time, n int, apart time.Duration) int {
	refused := 0
	for i := range n {
		if !b.take(from.Add(time.Duration(i) * apart)) {
			refused++
		}
	}
	return refused
}

func TestABucketHasItsBurstAndThenItsRate(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	b := newBucket(10, 5, 0)
	g.Expect(over(b, noon, 5, 0)).To(BeZero(), "the burst")
	g.Expect(over(b, noon, 3, 0)).To(Equal(3), "no more than the burst at once")
	g.Expect(over(b, noon.Add(100*time.Millisecond), 50, 100*time.Millisecond)).To(BeZero(), "the rate")
	g.Expect(over(b, noon.Add(time.Hour), 6, 0)).To(Equal(1), "the burst again, no more, after a pause")
	b.refill()
	g.Expect(over(b, noon.Add(time.Hour), 5, 0)).To(BeZero(), "another manager has a burst of its own")
}

func TestABucketTwiceAsFastAsAllowedIsFound(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	g.Expect(over(newBucket(50, 50, slack), noon, 400, 20*time.Millisecond)).To(BeZero())
	g.Expect(over(newBucket(50, 50, slack), noon, 400, 10*time.Millisecond)).To(BeNumerically(">", 100))
}

// under returns spans. Each pair has the begin and the end of a span, in milliseconds after noon.
// An end of 0 means that the span has not ended.
func under(times ...[2]int) []span {
	out := make([]span, len(times))
	for i, at := range times {
		out[i].begun = noon.Add(time.Duration(at[0]) * time.Millisecond)
		if at[1] != 0 {
			out[i].ended = noon.Add(time.Duration(at[1]) * time.Millisecond)
		}
	}
	return out
}

func TestRequestsUnderWayAtOnceAreCounted(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		spans []span
		most  int
	}{
		"none":                         {nil, 0},
		"one after the other":          {under([2]int{0, 100}, [2]int{100, 200}, [2]int{200, 300}), 1},
		"two":                          {under([2]int{0, 200}, [2]int{100, 300}), 2},
		"three":                        {under([2]int{0, 300}, [2]int{50, 300}, [2]int{100, 300}), 3},
		"three, one ends at that time": {under([2]int{0, 140}, [2]int{50, 300}, [2]int{100, 300}), 2},
		"three, two without an end":    {under([2]int{0, 0}, [2]int{50, 0}, [2]int{100, 300}), 3},
		"one that hangs":               {under([2]int{0, 0}, [2]int{6000, 6300}, [2]int{6100, 6300}), 2},
	} {
		most, _ := atOnce(c.spans, 50*time.Millisecond, hangsAfter)
		NewWithT(t).Expect(most).To(Equal(c.most), name)
	}
}

func TestTheFrontNotesWhatItLetsThrough(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	f, err := startCloudProxy(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) }))
	g.Expect(err).NotTo(HaveOccurred())
	defer f.close()
	began := time.Now()
	for range 3 {
		request := httptest.NewRequest(http.MethodGet, clusters.path+"?environment=env-1", nil)
		request.SetBasicAuth("key", "secret")
		answer := httptest.NewRecorder()
		f.ServeHTTP(answer, request)
		g.Expect(answer.Code).To(Equal(http.StatusTeapot))
	}
	g.Expect(f.count()).To(Equal(3))
	g.Expect(f.listings("env-1", began, time.Now())).To(HaveLen(3))
	g.Expect(f.listings("env-2", began, time.Now())).To(BeEmpty())
	g.Expect(f.judge(nil)).To(BeEmpty())
	g.Expect(f.listings("env-1", began, time.Now())).To(BeEmpty(), "what was judged is forgotten")
}

func TestAnotherManagerHasAnotherBudget(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	sent := func(n int) *account {
		a := &account{bucket: newBucket(perSecond, perSecond, 0)}
		for i := range n {
			at := noon.Add(time.Duration(i) * time.Millisecond)
			a.exchanges = append(a.exchanges, &exchange{span: span{at, at}})
		}
		return a
	}
	restarted := []time.Time{noon.Add(60 * time.Millisecond)}
	g.Expect(sent(100).judge(nil)).To(ConsistOf(ContainSubstring("more than 50 a second")))
	g.Expect(sent(100).judge(restarted)).To(ConsistOf(ContainSubstring("more than 50 a second")), "the first had too many already")
	restarted[0] = noon.Add(50 * time.Millisecond)
	g.Expect(sent(100).judge(restarted)).To(BeEmpty())
}
