// SPDX-License-Identifier: Apache-2.0

package main

import "time"

// bucket is a credential's request budget, counted from the outside: by when requests
// came in.
type bucket struct {
	perSecond, capacity, tokens float64
	at                          time.Time
}

// newBucket returns the bucket of a budget of perSecond requests and burst at once.
// slack is how much later than it was sent a request may come in: those behind it then
// seem to come faster than they were sent.
func newBucket(perSecond, burst float64, slack time.Duration) *bucket {
	b := &bucket{perSecond: perSecond, capacity: burst + perSecond*slack.Seconds()}
	b.refill()
	return b
}

// take counts a request that came in at a time, not before the one counted last, and
// reports whether the budget had it. One over budget is not taken out of what is left.
func (b *bucket) take(at time.Time) bool {
	if passed := at.Sub(b.at); passed > 0 {
		b.tokens = min(b.capacity, b.tokens+passed.Seconds()*b.perSecond)
		b.at = at
	}
	if b.tokens < 1 {
		return false
	}
	b.tokens--
	return true
}

// refill makes the bucket full, as that of a manager that just started.
func (b *bucket) refill() { b.tokens = b.capacity }

// span is a request while it was under way.
type span struct {
	begun time.Time
	// ended is when the last of the answer was sent; zero while it was not.
	ended time.Time
}

// atOnce returns the most requests that were under way at the same time when one came
// in, and which one that was. spans are in the order they came.
//
// Seen from the cloud, a request is under way a little longer than for who sent it. So
// one counts only if it went on for longer than tolerance, and one unanswered for
// longer than hangs no more.
func atOnce(spans []span, tolerance, hangs time.Duration) (most, which int) {
	for i, arriving := range spans {
		n := 1
		for _, other := range spans[:i] {
			open := other.ended.IsZero() || other.ended.Sub(arriving.begun) > tolerance
			if open && arriving.begun.Sub(other.begun) < hangs {
				n++
			}
		}
		if n > most {
			most, which = n, i
		}
	}
	return most, which
}
