// SPDX-License-Identifier: Apache-2.0

package budget

import (
	"slices"
	"time"
)

const (
	// turnPatience is the longest wait for the budget with which a sync may begin. If the wait is
	// longer, the sync waits in the queue. At 5 requests a second, about three sources of a
	// credential can then sync at once. More syncs at once would not be faster, because they would
	// share the same rate.
	turnPatience = time.Second
	// turnRequests is how many requests a sync is expected to send: one page of each of the two
	// kinds that a source mirrors by default. If a sync sends more requests, the next sync waits
	// longer.
	turnRequests = 2
	// turnGrace is the time after place.due in which the caller must call Turn again. If the caller
	// does not, the place is lost. Without this limit, the place of a deleted source would never go
	// away.
	turnGrace = 30 * time.Second
)

// queue has the syncs that wait to begin, in the order in which they came.
type queue struct {
	waiting []place
	// next is when the next sync may begin. By then, the syncs before it have probably sent their
	// requests.
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

// over reports whether no sync waits and the time in the field next has passed.
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
