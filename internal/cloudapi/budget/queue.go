// SPDX-License-Identifier: Apache-2.0

package cloudapi

import (
	"slices"
	"time"
)

const (
	// turnPatience is the wait for budget that is no reason to put off a sync.
	// At 5 requests a second it lets some three sources of a credential sync at
	// once. More of them would not be done sooner, and each would take longer,
	// up to its timeout.
	turnPatience = time.Second
	// turnRequests is what a sync is taken to cost before it has begun: a page
	// of each kind. One that costs more makes the line of requests longer, and
	// the next turn waits for that.
	turnRequests = 2
	// turnGrace is how late one may come back and still have the place. Who was
	// deleted meanwhile never comes.
	turnGrace = 30 * time.Second
)

// turns are those who wait to begin a sync, in the order they came. They do not
// wait here: each was told when to come again.
type turns struct {
	waiting []turn
	// next is when those who were given leave last will have sent what a sync
	// is taken to cost.
	next time.Time
}

// turn is a place in line.
type turn struct {
	who string
	// due is when who was told to come again.
	due time.Time
}

// turn is Budget.Turn.
func (a *account) turn(who string) time.Duration {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := time.Now()
	t := &a.turns
	t.waiting = slices.DeleteFunc(t.waiting, func(other turn) bool { return other.lost(now) })
	place := slices.IndexFunc(t.waiting, func(other turn) bool { return other.who == who })
	if place < 0 {
		place = len(t.waiting)
		t.waiting = append(t.waiting, turn{who: who})
	}
	cost := turnRequests * a.interval(now)
	wait := max(a.delay(now), t.next.Sub(now)) + cost*time.Duration(place)
	if wait <= turnPatience {
		t.waiting = slices.Delete(t.waiting, place, place+1)
		t.next = later(t.next, now).Add(cost)
		return 0
	}
	wait = min(wait, maxPause)
	t.waiting[place].due = now.Add(wait)
	return wait
}

// interval returns how far apart requests go in the long run.
func (a *account) interval(now time.Time) time.Duration {
	var apart time.Duration
	if a.perSecond > 0 {
		apart = nanoseconds(1 / a.perSecond)
	}
	if now.Before(a.spreadEnd) {
		apart = max(apart, a.spread)
	}
	return apart
}

// over says whether no one waits and no one was just given leave.
func (t *turns) over(now time.Time) bool {
	return !now.Before(t.next) && !slices.ContainsFunc(t.waiting, func(other turn) bool { return !other.lost(now) })
}

// lost says whether a place is no longer kept.
func (t turn) lost(now time.Time) bool { return now.After(t.due.Add(turnGrace)) }

// later returns the later of two times.
func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
