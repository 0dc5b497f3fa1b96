// SPDX-License-Identifier: Apache-2.0

package budget

import (
	"slices"
	"time"
)

const (
	// turnPatience is the longest wait that counts as no wait: the sync begins at once. If the wait
	// is longer, the sync stays in the queue.
	turnPatience = time.Second
	// turnRequests is how many requests a sync is expected to send. By default, a source mirrors
	// two kinds of objects, and each kind needs one request or more.
	turnRequests = 2
	// A sync loses its place in the queue if the caller of Turn never calls Turn again, or calls
	// Turn more than turnGrace late. Without this limit, the place of a deleted source would stay
	// forever.
	turnGrace = 30 * time.Second
)

// syncQueue has the syncs that wait to begin, in the order in which they came.
type syncQueue struct {
	waiting []queuePlace
	// The syncs that have already begun probably send requests until nextBegin. The next sync may
	// begin at nextBegin, or up to turnPatience earlier.
	nextBegin time.Time
}

// queuePlace is the place of a sync in the queue.
type queuePlace struct {
	syncName string
	// turnDue is when the caller should call Turn again for this sync.
	turnDue time.Time
}

// turn does the work of Budget.Turn.
func (l *limiter) turn(syncName string) Wait {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	q := &l.queue
	q.waiting = slices.DeleteFunc(q.waiting, func(other queuePlace) bool { return other.isLost(now) })
	at := slices.IndexFunc(q.waiting, func(other queuePlace) bool { return other.syncName == syncName })
	if at < 0 {
		at = len(q.waiting)
		q.waiting = append(q.waiting, queuePlace{syncName: syncName})
	}
	cost := turnRequests * l.requestInterval(now)
	wait := max(l.estimateWait(now), q.nextBegin.Sub(now)) + cost*time.Duration(at)
	if wait <= turnPatience {
		q.waiting = slices.Delete(q.waiting, at, at+1)
		q.nextBegin = laterOf(q.nextBegin, now).Add(cost)
		return Wait{}
	}
	wait = min(wait, maxPause)
	q.waiting[at].turnDue = now.Add(wait)
	return l.newWait(wait, now, at)
}

// requestInterval returns the average time between two requests. It uses the configured rate or the
// rate that the cloud's own limit allows, whichever is lower.
func (l *limiter) requestInterval(now time.Time) time.Duration {
	var apart time.Duration
	if l.perSecond > 0 {
		apart = nanoseconds(1 / l.perSecond)
	}
	if now.Before(l.spacingEnd) {
		apart = max(apart, l.minSpacing)
	}
	return apart
}

// isIdle reports whether the queue is empty and the next sync may begin at once.
func (q *syncQueue) isIdle(now time.Time) bool {
	return !now.Before(q.nextBegin) && !slices.ContainsFunc(q.waiting, func(other queuePlace) bool { return !other.isLost(now) })
}

// isLost reports whether the sync has lost its place, because the caller did not call Turn in time.
func (p queuePlace) isLost(now time.Time) bool { return now.After(p.turnDue.Add(turnGrace)) }

// laterOf returns the later of two times.
func laterOf(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
