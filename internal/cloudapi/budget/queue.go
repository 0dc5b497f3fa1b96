// SPDX-License-Identifier: Apache-2.0

package budget

import (
	"slices"
	"time"
)

const (
	// A sync may begin if its first request would wait for at most turnPatience. If the wait is
	// longer, the sync waits in the queue.
	turnPatience = time.Second
	// turnRequests is how many requests a sync is expected to send. By default, a source mirrors
	// two kinds of objects, and each kind needs one request or more.
	turnRequests = 2
	// turnGrace is how late Turn may be called again before the sync loses its place in the queue.
	// Without this limit, the place of a deleted source would never go away.
	turnGrace = 30 * time.Second
)

// queue has the syncs that wait to begin, in the order in which they came.
type queue struct {
	waiting []place
	// The field next is when the next sync may begin. Until this time, the last sync that began
	// probably still sends requests.
	next time.Time
}

// place is a place in the queue.
type place struct {
	name string
	// due is when Turn should be called again for the sync with this name.
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

// interval returns the average time between two requests. The slower of the configured rate and the
// cloud's limit counts.
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

// over reports whether the queue is empty and the next sync may begin at once.
func (q *queue) over(now time.Time) bool {
	return !now.Before(q.next) && !slices.ContainsFunc(q.waiting, func(other place) bool { return !other.lost(now) })
}

// lost reports whether it is too late to call Turn again for this place.
func (p place) lost(now time.Time) bool { return now.After(p.due.Add(turnGrace)) }

// later returns the later of two times.
func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
