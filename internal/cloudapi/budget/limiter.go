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
	// maxInFlight is how many requests of one credential may be under way at once.
	maxInFlight = 2
	// hangsAfter is how long a request without an answer counts as in flight. Without this limit,
	// two requests that hang could block all other requests of the credential for a long time.
	hangsAfter = 5 * time.Second
	// maxPause is the longest pause that an answer can cause. A wrong header must not stop a
	// limiter for hours.
	maxPause = 5 * time.Minute
	// minPause is the shortest pause. If the cloud asks for a pause and gives no time, the pause is
	// minPause.
	minPause = time.Second
	// The cloud's own limit counts as near if fewer than a quarter of the allowed requests are
	// left, or fewer than ten requests.
	nearShare, nearCount = 4, 10
)

// limiter does the work of all Budgets with the same key. Requests wait in one line, first come,
// first served.
//
// To limit the rate, the limiter has a bucket of tokens. The bucket fills at a steady rate, and
// each request takes one token.
type limiter struct {
	perSecond float64 // 0 for no limit
	burst     float64
	// users is the number of callers that called enter and have not called leave. Budgets.mu guards
	// this field.
	users int

	mu sync.Mutex
	// The field tokens is the number of tokens in the bucket at the time in the field filled.
	tokens float64
	filled time.Time
	// The field line has the requests that wait. The field flying has the requests in flight, the
	// oldest first.
	line, flying []*request
	// sent is when the last request was sent.
	sent time.Time
	// alarm rings when the first request in line may be sent.
	alarm *time.Timer
	// The limiter sends no request before the time in the field paused. The field pauseCause says
	// why.
	paused     time.Time
	pauseCause string
	// The field spread is the least time between two requests. It applies until the time in the
	// field spreadEnd.
	spread    time.Duration
	spreadEnd time.Time
	queue     queue
}

// request is a request that waits in the line or is in flight.
type request struct {
	// The channel ready is closed when the request may be sent. The field sent is when the channel
	// was closed.
	ready chan struct{}
	sent  time.Time
}

// newLimiter returns a limiter with a full bucket.
func newLimiter(perSecond float64, burst int) *limiter {
	return &limiter{perSecond: perSecond, burst: float64(burst), tokens: float64(burst), filled: time.Now()}
}

// asNew reports whether the limiter is in the same state as a new limiter.
func (l *limiter) asNew() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	return l.tokensAt(now) >= l.burst && !now.Before(l.paused) && !now.Before(l.spreadEnd) && l.queue.over(now)
}

// admit waits until a request may be sent, at most for maxDelay and at most until the deadline of
// ctx. If the request would have to wait longer, admit returns a *Refused.
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

// enqueue returns the estimated wait of a request. If the wait is at most maxDelay, enqueue puts
// the request in line.
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

// abandon removes a request that must not be sent any more. It returns how long a new request would
// have to wait.
func (l *limiter) abandon(r *request) Wait {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	is := func(other *request) bool { return other == r }
	l.line = slices.DeleteFunc(l.line, is)
	l.flying = slices.DeleteFunc(l.flying, is) // dispatch may have sent r just now
	l.dispatch(now)
	return l.explain(l.delay(now), now, 0)
}

// settle records the end of a request. If the answer reports the cloud's own limit, the limiter
// follows this limit.
func (l *limiter) settle(r *request, answer Answer) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	l.flying = slices.DeleteFunc(l.flying, func(other *request) bool { return other == r })
	l.heed(answer, now)
	l.dispatch(now)
}

// heed slows the limiter down if an answer says that the cloud's limit is near. If the limit is
// reached, heed stops the limiter for a while.
func (l *limiter) heed(answer Answer, now time.Time) {
	said := answer.RateLimit
	// The cloud may not have counted the requests in flight yet, so subtract them.
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

// pause stops the limiter for a time. The parameter said names the part of the answer that asked
// for the pause. pause never shortens an earlier pause, because an older answer can arrive after a
// newer answer.
func (l *limiter) pause(now time.Time, wait time.Duration, said string) {
	if until := now.Add(wait); until.After(l.paused) {
		l.paused = until
		l.pauseCause = fmt.Sprintf("the cloud asked for a pause of %s (%s)", max(wait.Round(time.Second), time.Second), said)
	}
}

// explain returns a Wait with the given time and a cause, even if the time is 0. The parameter
// ahead is how many syncs are before the waiting sync in the queue; 0 if a request waits.
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

// dispatch releases the requests that may be sent now, and sets the alarm for the next request.
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

// wakeIn runs dispatch after the given wait.
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
		// It is not known when the next answer comes. The estimate is the time that has passed
		// since the last request was sent.
		wait = max(wait, now.Sub(l.sent))
	}
	return wait
}

// pace returns how long a request must wait because of the rate, the cloud's limit and a pause. The
// parameter ahead is how many requests in line are before this request.
func (l *limiter) pace(now time.Time, ahead int) time.Duration {
	wait := max(l.paused.Sub(now), 0)
	if l.perSecond > 0 {
		missing := float64(ahead+1) - l.tokensAt(now)
		wait = max(wait, nanoseconds(missing/l.perSecond))
	}
	if now.Before(l.spreadEnd) {
		next := l.sent.Add(l.spread * time.Duration(ahead+1))
		// The wait ends at spreadEnd at the latest, because the cloud then allows new requests.
		wait = max(wait, min(next.Sub(now), l.spreadEnd.Sub(now)))
	}
	return wait
}

// room returns how long the requests in flight may still block the first request in line; 0 if they
// do not block it.
func (l *limiter) room(now time.Time) time.Duration {
	if len(l.flying) < maxInFlight {
		return 0
	}
	blocking := l.flying[len(l.flying)-maxInFlight]
	return max(blocking.sent.Add(hangsAfter).Sub(now), 0)
}

// tokensAt returns how many tokens the bucket has at the given time.
func (l *limiter) tokensAt(now time.Time) float64 {
	if l.perSecond == 0 {
		return l.burst
	}
	return min(l.burst, l.tokens+now.Sub(l.filled).Seconds()*l.perSecond)
}

// nanoseconds turns seconds into a duration, at most MaxWait. It rounds up, because an alarm must
// not ring too early.
func nanoseconds(seconds float64) time.Duration {
	return time.Duration(math.Ceil(min(seconds, MaxWait.Seconds()) * float64(time.Second)))
}
