// SPDX-License-Identifier: Apache-2.0

package budget

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
	// maxInFlight is how many requests of one limiter may be under way at once.
	maxInFlight = 2
	// hangsAfter is when a request without an answer no longer counts as in flight. Otherwise two
	// requests that hang would stop all others of the credential until a listing's timeout.
	hangsAfter = 5 * time.Second
	// maxPause is the longest pause that an answer can cause. A wrong header must not stop a
	// limiter for a day.
	maxPause = 5 * time.Minute
	// minPause is the shortest pause when the cloud refuses requests, or will soon, and does not
	// say for how long.
	minPause = time.Second
	// The cloud's limit is near if fewer than a quarter of its requests are left, or fewer than
	// ten.
	nearShare, nearCount = 4, 10
)

// limiter is the one budget behind a key: a bucket of requests that fills steadily, the requests in
// flight, and the cloud's own limit as last reported. Requests wait in one line, in the order in
// which they came. A listing has one request in the line at a time, so a short listing does not
// wait for all of a long one.
type limiter struct {
	perSecond float64 // 0 for no limit
	burst     float64
	// users counts the callers that entered and have not left. Budgets.mu guards it.
	users int

	mu sync.Mutex
	// tokens is how many requests could be sent at once, at the time filled.
	tokens float64
	filled time.Time
	// line are the requests that wait. flying are those in flight, oldest first.
	line, flying []*request
	// sent is when the last request was sent.
	sent time.Time
	// alarm rings when the first request in line may be sent.
	alarm *time.Timer
	// paused is when the pause ends. pauseCause says why there is a pause.
	paused     time.Time
	pauseCause string
	// Until spreadEnd, there is at least the time spread between two requests.
	spread    time.Duration
	spreadEnd time.Time
	queue     queue
}

// request is a request's place in the limiter.
type request struct {
	// ready is closed when the request may be sent. sent is when that was.
	ready chan struct{}
	sent  time.Time
}

// newLimiter returns a limiter with a full bucket.
func newLimiter(perSecond float64, burst int) *limiter {
	return &limiter{perSecond: perSecond, burst: float64(burst), tokens: float64(burst), filled: time.Now()}
}

// asNew reports whether the limiter is in the same state as a new one.
func (l *limiter) asNew() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	return l.tokensAt(now) >= l.burst && !now.Before(l.paused) && !now.Before(l.spreadEnd) && l.queue.over(now)
}

// admit waits until a request may be sent, but not longer than maxDelay and not past the context's
// deadline. If the wait is sure to be longer, admit does not begin it.
func (l *limiter) admit(ctx context.Context, maxDelay time.Duration) (*request, error) {
	if deadline, ok := ctx.Deadline(); ok {
		maxDelay = min(maxDelay, time.Until(deadline))
	}
	r := &request{ready: make(chan struct{})}
	if wait := l.enqueue(r, maxDelay); wait.For > maxDelay {
		return nil, &Refused{wait}
	}
	patience := time.NewTimer(maxDelay)
	defer patience.Stop()
	select {
	case <-r.ready:
		return r, nil
	case <-ctx.Done():
	case <-patience.C:
	}
	wait := l.abandon(r)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	wait.For = max(wait.For, minPause)
	return nil, &Refused{wait}
}

// enqueue puts a request in line, unless it would have to wait longer than maxDelay. It returns the
// wait.
func (l *limiter) enqueue(r *request, maxDelay time.Duration) Wait {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	wait := l.delay(now)
	if wait <= maxDelay {
		l.line = append(l.line, r)
		l.dispatch(now)
	}
	return l.explain(wait, now, 0)
}

// abandon takes back a request that was not sent, and returns how long a new one would have to
// wait.
func (l *limiter) abandon(r *request) Wait {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	is := func(other *request) bool { return other == r }
	l.line = slices.DeleteFunc(l.line, is)
	l.flying = slices.DeleteFunc(l.flying, is) // it was let go at the last moment
	l.dispatch(now)
	return l.explain(l.delay(now), now, 0)
}

// settle ends a request, with its answer.
func (l *limiter) settle(r *request, answer Answer) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	l.flying = slices.DeleteFunc(l.flying, func(other *request) bool { return other == r })
	l.heed(answer, now)
	l.dispatch(now)
}

// heed applies the cloud's limit, as an answer reports it.
func (l *limiter) heed(answer Answer, now time.Time) {
	said := answer.RateLimit
	// The cloud had not counted the requests in flight yet.
	left := said.Remaining - len(l.flying)
	reset := min(max(said.Reset, minPause), maxPause)
	switch {
	case answer.StatusCode == http.StatusTooManyRequests:
		l.pause(now, min(max(answer.RetryAfter, minPause), maxPause), "HTTP 429")
	case !said.Known:
	case left <= 0:
		l.pause(now, reset, "X-RateLimit-Remaining: 0")
	case left < max(said.Limit/nearShare, nearCount):
		l.spread, l.spreadEnd = reset/time.Duration(left), now.Add(reset)
	default:
		l.spreadEnd = time.Time{}
	}
}

// pause stops the limiter for some time, because the cloud asked for it. It never shortens a pause:
// answers do not come in the order in which the cloud counted the requests.
func (l *limiter) pause(now time.Time, wait time.Duration, said string) {
	if until := now.Add(wait); until.After(l.paused) {
		l.paused = until
		l.pauseCause = fmt.Sprintf("the cloud asked for a pause of %s (%s)", max(wait.Round(time.Second), time.Second), said)
	}
}

// explain returns a wait with its cause. It gives a cause even for a wait of 0, because abandon may
// ask after a wait that was too long. ahead is how many syncs are before this one in the queue.
func (l *limiter) explain(wait time.Duration, now time.Time, ahead int) Wait {
	w := Wait{For: wait}
	switch {
	case l.paused.After(now):
		w.Cause, w.Cloud = l.pauseCause, true
	case ahead > 0:
		w.Cause = fmt.Sprintf("%d syncs with the same credential are before it", ahead)
	case now.Before(l.spreadEnd):
		w.Cause, w.Cloud = "the cloud's own rate limit is near", true
	case l.room(now) > 0:
		w.Cause = fmt.Sprintf("%d requests with the same credential are not answered yet", maxInFlight)
	default:
		w.Cause = "as many requests as --requests-per-second allows a credential are under way"
	}
	return w
}

// dispatch sends the requests that are due, and sets the alarm for the next one.
func (l *limiter) dispatch(now time.Time) {
	for len(l.line) > 0 {
		if wait := max(l.pace(now, 0), l.room(now)); wait > 0 {
			l.wakeIn(wait)
			return
		}
		r := l.line[0]
		l.line = slices.Delete(l.line, 0, 1)
		l.tokens, l.filled = l.tokensAt(now)-1, now
		l.sent, r.sent = now, now
		l.flying = append(l.flying, r)
		close(r.ready)
	}
}

// wakeIn sets the alarm. When it rings, dispatch runs.
func (l *limiter) wakeIn(wait time.Duration) {
	if l.alarm != nil {
		l.alarm.Reset(wait)
		return
	}
	l.alarm = time.AfterFunc(wait, func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.dispatch(time.Now())
	})
}

// delay estimates how long a new request would have to wait.
func (l *limiter) delay(now time.Time) time.Duration {
	wait := l.pace(now, len(l.line))
	if len(l.line) > 0 && l.room(now) > 0 {
		// Nothing says when an answer comes. A fair guess is as long as the last request has been
		// under way.
		wait = max(wait, now.Sub(l.sent))
	}
	return wait
}

// pace returns how long a request must wait for the rate, for the cloud's limit and for the end of
// a pause, if ahead requests are sent before it.
func (l *limiter) pace(now time.Time, ahead int) time.Duration {
	wait := max(l.paused.Sub(now), 0)
	if l.perSecond > 0 {
		missing := float64(ahead+1) - l.tokensAt(now)
		wait = max(wait, nanoseconds(missing/l.perSecond))
	}
	if now.Before(l.spreadEnd) {
		next := l.sent.Add(l.spread * time.Duration(ahead+1))
		// A new window begins at spreadEnd.
		wait = max(wait, min(next.Sub(now), l.spreadEnd.Sub(now)))
	}
	return wait
}

// room returns how long the requests in flight may block the first one in line; 0 if they do not.
func (l *limiter) room(now time.Time) time.Duration {
	if len(l.flying) < maxInFlight {
		return 0
	}
	blocking := l.flying[len(l.flying)-maxInFlight]
	return max(blocking.sent.Add(hangsAfter).Sub(now), 0)
}

// tokensAt returns how full the bucket is.
func (l *limiter) tokensAt(now time.Time) float64 {
	if l.perSecond == 0 {
		return l.burst
	}
	return min(l.burst, l.tokens+now.Sub(l.filled).Seconds()*l.perSecond)
}

// nanoseconds turns seconds into a wait. It rounds up, because an alarm must not ring too early.
func nanoseconds(seconds float64) time.Duration {
	return time.Duration(math.Ceil(min(seconds, MaxWait.Seconds()) * float64(time.Second)))
}
