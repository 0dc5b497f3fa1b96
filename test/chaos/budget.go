// SPDX-License-Identifier: Apache-2.0

package main

import "time"

// bucket is the request budget of a credential. It is measured from outside, by the times at which
// requests came in.
type bucket struct {
	perSecond, capacity, tokens float64
	at                          time.Time
}

// newBucket returns the bucket of a budget that allows perSecond requests a second and burst
// requests at once. slack is the longest time from sending a request to its arrival. If a request
// is late, the requests after it seem to follow faster than they were sent.
func newBucket(perSecond, burst float64, slack time.Duration) *bucket {
	b := &bucket{perSecond: perSecond, capacity: burst + perSecond*slack.Seconds()}
	b.refill()
	return b
}

// take counts a request that came in at the time at. It returns false if the request is over the
// budget. Such a request does not reduce the budget. The times of the calls must be in order.
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

// refill fills the bucket, because a manager that has just started begins with a full bucket.
func (b *bucket) refill() { b.tokens = b.capacity }

// span is the time in which a request was under way.
type span struct {
	begun time.Time
	// ended is when the last part of the answer was sent; zero if it was not sent yet.
	ended time.Time
}

// atOnce returns the largest number of requests that were under way at the same time, and the index
// of the request that came in then. spans are in the order of arrival.
//
// The cloud sees a request a little longer than its sender does. So when a request comes in, an
// earlier one counts only if it ended more than tolerance after that. A request that began hangs
// ago or earlier no longer counts.
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
