// SPDX-License-Identifier: Apache-2.0

package cloudapi

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"slices"
	"sync"
	"time"
)

const (
	// maxInFlight is how many requests of one account are under way at once.
	maxInFlight = 2
	// hangsAfter is when an unanswered request no longer counts as in flight.
	// Two that hang would keep back all others of the credential, those of
	// another kind among them, until a listing's timeout.
	hangsAfter = 5 * time.Second
	// maxPause is the longest the cloud's word stops an account: a wrong header
	// must not stop it for a day.
	maxPause = 5 * time.Minute
	// minPause is the shortest, where the cloud refused or is about to, and said
	// nothing of use on how long.
	minPause = time.Second
	// The cloud's limit is near where fewer requests are left than a quarter of
	// it, or than ten.
	nearShare, nearCount = 4, 10
)

// account is the one budget behind a key: a bucket of requests that fills
// steadily, the requests in flight, and what the cloud last said of its own
// limit. Requests wait in one line and go in the order they came: a listing has
// one request there at a time, so that a short one is not behind all of a long
// one.
type account struct {
	perSecond float64 // 0 for no limit
	burst     float64
	// users is how many have entered and not left, guarded by Budgets.mu.
	users int

	mu sync.Mutex
	// tokens are the requests that could go at once, as of filled.
	tokens float64
	filled time.Time
	// line are the requests that wait, flying those under way, oldest first.
	line, flying []*request
	// sent is when the last one went.
	sent time.Time
	// alarm looks at the line again when its head may go.
	alarm *time.Timer
	// paused is until when nothing goes.
	paused time.Time
	// Until spreadEnd, requests go at least spread apart.
	spread    time.Duration
	spreadEnd time.Time
	turns     turns
}

// request is a request's place in the account.
type request struct {
	// ready is closed when the request may go, at the time sent.
	ready chan struct{}
	sent  time.Time
}

// newAccount returns an account with its whole burst.
func newAccount(perSecond float64, burst int) *account {
	return &account{perSecond: perSecond, burst: float64(burst), tokens: float64(burst), filled: time.Now()}
}

// asNew says whether a new account would do as well.
func (a *account) asNew() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := time.Now()
	return a.tokensAt(now) >= a.burst && !now.Before(a.paused) && !now.Before(a.spreadEnd) && a.turns.over(now)
}

// admit waits until a request may go, no longer than most and not past the
// context's deadline. A wait that is sure to be longer is not begun.
func (a *account) admit(ctx context.Context, most time.Duration) (*request, error) {
	if deadline, ok := ctx.Deadline(); ok {
		most = min(most, time.Until(deadline))
	}
	r := &request{ready: make(chan struct{})}
	if wait := a.queue(r, most); wait > most {
		return nil, refused(wait)
	}
	patience := time.NewTimer(most)
	defer patience.Stop()
	select {
	case <-r.ready:
		return r, nil
	case <-ctx.Done():
	case <-patience.C:
	}
	wait := a.abandon(r)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	return nil, refused(max(wait, minPause))
}

// refused is the error for a request that would have to wait so long.
func refused(wait time.Duration) *Error {
	e := newError(RateLimited, fmt.Sprintf("not sent: no request budget for %s", max(wait.Round(time.Second), time.Second)))
	e.RetryAfter = clampWait(wait)
	return e
}

// queue puts a request in line, unless it would have to wait longer than most.
// It returns the wait.
func (a *account) queue(r *request, most time.Duration) time.Duration {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := time.Now()
	wait := a.delay(now)
	if wait <= most {
		a.line = append(a.line, r)
		a.dispatch(now)
	}
	return wait
}

// abandon takes back a request that was not sent, and returns how long a new
// one would have to wait.
func (a *account) abandon(r *request) time.Duration {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := time.Now()
	is := func(other *request) bool { return other == r }
	a.line = slices.DeleteFunc(a.line, is)
	a.flying = slices.DeleteFunc(a.flying, is) // it was let go at the last moment
	a.dispatch(now)
	return a.delay(now)
}

// settle ends a request with what came of it.
func (a *account) settle(r *request, call Call) {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := time.Now()
	a.flying = slices.DeleteFunc(a.flying, func(other *request) bool { return other == r })
	a.heed(call, now)
	a.dispatch(now)
}

// heed takes in what an answer says of the cloud's limit.
func (a *account) heed(call Call, now time.Time) {
	said := call.RateLimit
	// Those in flight were not counted yet.
	left := said.Remaining - len(a.flying)
	reset := min(max(said.Reset, minPause), maxPause)
	switch {
	case call.StatusCode == http.StatusTooManyRequests:
		a.pause(now.Add(min(max(call.RetryAfter, minPause), maxPause)))
	case !said.Known:
	case left <= 0:
		a.pause(now.Add(reset))
	case left < max(said.Limit/nearShare, nearCount):
		a.spread, a.spreadEnd = reset/time.Duration(left), now.Add(reset)
	default:
		a.spreadEnd = time.Time{}
	}
}

// pause stops the account until then. A later end that was set before stays:
// answers do not come in the order the cloud counted them.
func (a *account) pause(until time.Time) {
	if until.After(a.paused) {
		a.paused = until
	}
}

// dispatch lets those go whose time has come, and sets the alarm for the next.
func (a *account) dispatch(now time.Time) {
	for len(a.line) > 0 {
		if wait := max(a.pace(now, 0), a.room(now)); wait > 0 {
			a.wakeIn(wait)
			return
		}
		r := a.line[0]
		a.line = slices.Delete(a.line, 0, 1)
		a.tokens, a.filled = a.tokensAt(now)-1, now
		a.sent, r.sent = now, now
		a.flying = append(a.flying, r)
		close(r.ready)
	}
}

// wakeIn has the line looked at again.
func (a *account) wakeIn(wait time.Duration) {
	if a.alarm != nil {
		a.alarm.Reset(wait)
		return
	}
	a.alarm = time.AfterFunc(wait, func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.dispatch(time.Now())
	})
}

// delay returns how long a request that came now would have to wait, as far as
// one can tell.
func (a *account) delay(now time.Time) time.Duration {
	wait := a.pace(now, len(a.line))
	if len(a.line) > 0 && a.room(now) > 0 {
		// When an answer comes nobody knows. Waiting as long again as it has
		// been already is a fair guess.
		wait = max(wait, now.Sub(a.sent))
	}
	return wait
}

// pace returns how long a request with so many ahead in line must wait for the
// rate, for the cloud's limit and for a pause to end.
func (a *account) pace(now time.Time, ahead int) time.Duration {
	wait := max(a.paused.Sub(now), 0)
	if a.perSecond > 0 {
		missing := float64(ahead+1) - a.tokensAt(now)
		wait = max(wait, nanoseconds(missing/a.perSecond))
	}
	if now.Before(a.spreadEnd) {
		next := a.sent.Add(a.spread * time.Duration(ahead+1))
		// A new window begins then.
		wait = max(wait, min(next.Sub(now), a.spreadEnd.Sub(now)))
	}
	return wait
}

// room returns how long requests in flight may keep back the head of the line,
// 0 if there is room for it.
func (a *account) room(now time.Time) time.Duration {
	if len(a.flying) < maxInFlight {
		return 0
	}
	blocking := a.flying[len(a.flying)-maxInFlight]
	return max(blocking.sent.Add(hangsAfter).Sub(now), 0)
}

// tokensAt returns how full the bucket is.
func (a *account) tokensAt(now time.Time) float64 {
	if a.perSecond == 0 {
		return a.burst
	}
	return min(a.burst, a.tokens+now.Sub(a.filled).Seconds()*a.perSecond)
}

// nanoseconds rounds seconds up to a wait: rounded down, the alarm would ring
// too early.
func nanoseconds(seconds float64) time.Duration {
	return time.Duration(math.Ceil(min(seconds, MaxWait.Seconds()) * float64(time.Second)))
}
