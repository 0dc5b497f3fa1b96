// SPDX-License-Identifier: Apache-2.0

package budget

import (
	"slices"
	"time"
)

const (
	// turnPatience is how long a sync that begins may have to wait for the budget. If the wait is
	// longer, the sync waits in the queue. At 5 requests a second, about three sources of a
	// credential can then sync at once. More at once would not be faster: each sync would only take
	// longer, up to its timeout.
	turnPatience = time.Second
	// turnRequests is how many requests a sync is expected to send: one page of each of the two
	// kinds that a source mirrors by default. If a sync sends more, the line of requests gets
	// longer, and the next sync waits for that line.
	turnRequests = 2
	// turnGrace is how long after place.due the caller may still call Turn without losing the
	// place. A place must end at some time, because a deleted source never calls Turn again.
	turnGrace = 30 * time.Second
)

// queue has the syncs that wait to begin, in the order in which they came. The callers do not
// block: Turn returns how long to wait before they call it again.
type queue struct {
	waiting []place
	// next is the estimated time when the syncs that have begun will have sent their requests.
	next time.Time
}

// place is a place in the queue.
type place struct {
	name string
	// due is when the caller should call Turn again for this name.
	due time.Time
}

// turn does the work of Budget.Turn.
func (l *limiter) turn(name string) Wait {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	q := &l.queue
	q.waiting = slices.DeleteFunc(q.waiting, func(other place) bool { return other.lost(now) })
	at := slices.IndexFunc(q.waiting, func(other place) bool { return other.name == name })
	if at < 0 {
		at = len(q.waiting)
		q.waiting = append(q.waiting, place{name: name})
	}
	cost := turnRequests * l.interval(now)
	wait := max(l.delay(now), q.next.Sub(now)) + cost*time.Duration(at)
	if wait <= turnPatience {
		q.waiting = slices.Delete(q.waiting, at, at+1)
		q.next = later(q.next, now).Add(cost)
		return Wait{}
	}
	wait = min(wait, maxPause)
	q.waiting[at].due = now.Add(wait)
	return l.explain(wait, now, at)
}

// interval returns the average time between two requests, by the rate and by the cloud's limit.
func (l *limiter) interval(now time.Time) time.Duration {
	var apart time.Duration
	if l.perSecond > 0 {
		apart = nanoseconds(1 / l.perSecond)
	}
	if now.Before(l.spreadEnd) {
		apart = max(apart, l.spread)
	}
	return apart
}

// over reports whether no sync waits, and the syncs that have begun should have sent their
// requests.
func (q *queue) over(now time.Time) bool {
	return !now.Before(q.next) && !slices.ContainsFunc(q.waiting, func(other place) bool { return !other.lost(now) })
}

// lost reports whether the place is lost, because the caller did not call Turn again in time.
func (p place) lost(now time.Time) bool { return now.After(p.due.Add(turnGrace)) }

// later returns the later of two times.
func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
