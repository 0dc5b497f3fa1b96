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
	// maxPause is the longest time for which an answer of the cloud can stop a limiter. Without
	// this limit, a wrong header could stop a limiter for hours.
	maxPause = 5 * time.Minute
	// minPause is the shortest time for which an answer of the cloud can stop a limiter. If the
	// cloud asks for a pause and gives no time, the limiter stops for minPause.
	minPause = time.Second
	// If the cloud's own limit is near, the limiter sends requests more slowly. The limit is near
	// if fewer than a quarter of the allowed requests are left, or fewer than ten requests.
	nearShare, nearCount = 4, 10
)

// limiter limits the requests with one credential to one endpoint. The requests wait in one line,
// first come, first served.
//
// To limit the rate, the limiter has a bucket of tokens. The bucket fills at a steady rate, and
// each request takes one token.
type limiter struct {
	perSecond float64 // 0 for no limit
	burst     float64
	// userCount is the number of callers that called acquireLimiter and have not yet called
	// releaseLimiter. Budgets.mu guards this field.
	userCount int

	mu sync.Mutex
	// bucketTokens is the number of tokens that the bucket had at the time filledAt.
	bucketTokens float64
	filledAt     time.Time
	// waitLine has the requests that wait. inFlight has the requests in flight. In both lists, the
	// oldest request is first.
	waitLine, inFlight []*pendingRequest
	// lastSent is when the last request was sent.
	lastSent time.Time
	// wakeTimer fires when the first request in line may be sent.
	wakeTimer *time.Timer
	// The limiter sends no request before pausedUntil. pauseCause says why.
	pausedUntil time.Time
	pauseCause  string
	// minSpacing is the least time between two requests while the cloud's limit is near. It applies
	// until spacingEnd.
	minSpacing time.Duration
	spacingEnd time.Time
	queue      syncQueue
}

// pendingRequest is a request that waits in line or is in flight.
type pendingRequest struct {
	// readyCh is closed when the request may be sent. sentAt is when readyCh was closed.
	readyCh chan struct{}
	sentAt  time.Time
}

// newLimiter returns a limiter with a full bucket.
func newLimiter(perSecond float64, burst int) *limiter {
	return &limiter{perSecond: perSecond, burst: float64(burst), bucketTokens: float64(burst), filledAt: time.Now()}
}

// isLikeNew reports whether the limiter is in the same state as a new limiter.
func (l *limiter) isLikeNew() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	return l.tokensAt(now) >= l.burst && !now.Before(l.pausedUntil) && !now.Before(l.spacingEnd) && l.queue.isIdle(now)
}

// admit waits until a request may be sent, at most for maxDelay and at most until the deadline of
// ctx. If the request would have to wait longer, admit returns a *Refused.
func (l *limiter) admit(ctx context.Context, maxDelay time.Duration) (*pendingRequest, error) {
	if deadline, ok := ctx.Deadline(); ok {
		maxDelay = min(maxDelay, time.Until(deadline))
	}
	r := &pendingRequest{readyCh: make(chan struct{})}
	if wait := l.enqueue(r, maxDelay); wait.For > maxDelay {
		return nil, &Refused{wait}
	}
	patience := time.NewTimer(maxDelay)
	defer patience.Stop()
	select {
	case <-r.readyCh:
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
func (l *limiter) enqueue(r *pendingRequest, maxDelay time.Duration) Wait {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	wait := l.estimateWait(now)
	if wait <= maxDelay {
		l.waitLine = append(l.waitLine, r)
		l.dispatch(now)
	}
	return l.newWait(wait, now, 0)
}

// abandon removes a request whose caller stopped waiting. It returns how long a new request would
// have to wait.
func (l *limiter) abandon(r *pendingRequest) Wait {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	is := func(other *pendingRequest) bool { return other == r }
	l.waitLine = slices.DeleteFunc(l.waitLine, is)
	l.inFlight = slices.DeleteFunc(l.inFlight, is) // dispatch may have sent r just now
	l.dispatch(now)
	return l.newWait(l.estimateWait(now), now, 0)
}

// settle records the end of a request. If the answer reports the cloud's own limit, the limiter
// follows this limit.
func (l *limiter) settle(r *pendingRequest, answer Answer) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	l.inFlight = slices.DeleteFunc(l.inFlight, func(other *pendingRequest) bool { return other == r })
	l.followLimit(answer, now)
	l.dispatch(now)
}

// followLimit stops the limiter for a while if an answer says that the cloud's limit is reached. If
// the limit is near, followLimit slows the limiter down.
func (l *limiter) followLimit(answer Answer, now time.Time) {
	said := answer.RateLimit
	// The cloud may not have counted the requests in flight yet, so subtract them.
	left := said.Remaining - len(l.inFlight)
	reset := min(max(said.Reset, minPause), maxPause)
	switch {
	case answer.StatusCode == http.StatusTooManyRequests:
		l.pauseFor(now, min(max(answer.RetryAfter, minPause), maxPause), "HTTP 429")
	case !said.Known:
	case left <= 0:
		l.pauseFor(now, reset, "X-RateLimit-Remaining: 0")
	case left < max(said.Limit/nearShare, nearCount):
		l.minSpacing, l.spacingEnd = reset/time.Duration(left), now.Add(reset)
	default:
		l.spacingEnd = time.Time{}
	}
}

// pauseFor stops the limiter for a time. causeText names the part of the answer that asked for the
// pause, for example "HTTP 429". pauseFor never shortens an earlier pause, because answers can
// arrive in the wrong order.
func (l *limiter) pauseFor(now time.Time, wait time.Duration, causeText string) {
	if until := now.Add(wait); until.After(l.pausedUntil) {
		l.pausedUntil = until
		l.pauseCause = fmt.Sprintf("the cloud asked for a pause of %s (%s)", max(wait.Round(time.Second), time.Second), causeText)
	}
}

// newWait returns a Wait with the given time. The Wait has a cause even if the time is 0, because
// the caller may make the time longer. syncsAhead is how many syncs are before the waiting sync in
// the queue. It is 0 if a single request waits.
func (l *limiter) newWait(wait time.Duration, now time.Time, syncsAhead int) Wait {
	w := Wait{For: wait}
	switch {
	case l.pausedUntil.After(now):
		w.Cause, w.Cloud = l.pauseCause, true
	case syncsAhead > 0:
		w.Cause = fmt.Sprintf("%d syncs with the same credential are before it", syncsAhead)
	case now.Before(l.spacingEnd):
		w.Cause, w.Cloud = "the cloud's own rate limit is near", true
	case l.slotWait(now) > 0:
		w.Cause = fmt.Sprintf("%d requests with the same credential are not answered yet", maxInFlight)
	default:
		w.Cause = "as many requests as --requests-per-second allows a credential are under way"
	}
	return w
}

// dispatch releases the requests that may be sent now, and sets wakeTimer for the next request.
func (l *limiter) dispatch(now time.Time) {
	for len(l.waitLine) > 0 {
		if wait := max(l.paceWait(now, 0), l.slotWait(now)); wait > 0 {
			l.wakeIn(wait)
			return
		}
		r := l.waitLine[0]
		l.waitLine = slices.Delete(l.waitLine, 0, 1)
		l.bucketTokens, l.filledAt = l.tokensAt(now)-1, now
		l.lastSent, r.sentAt = now, now
		l.inFlight = append(l.inFlight, r)
		close(r.readyCh)
	}
}

// wakeIn runs dispatch after the given wait.
func (l *limiter) wakeIn(wait time.Duration) {
	if l.wakeTimer != nil {
		l.wakeTimer.Reset(wait)
		return
	}
	l.wakeTimer = time.AfterFunc(wait, func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.dispatch(time.Now())
	})
}

// estimateWait estimates how long a new request would have to wait.
func (l *limiter) estimateWait(now time.Time) time.Duration {
	wait := l.paceWait(now, len(l.waitLine))
	if len(l.waitLine) > 0 && l.slotWait(now) > 0 {
		// The time of the next answer is not known. As an estimate, take the time since the last
		// request was sent.
		wait = max(wait, now.Sub(l.lastSent))
	}
	return wait
}

// paceWait returns the longest of these waits of a request:
//
//   - until the end of a pause that the cloud asked for
//   - until the bucket has a token for the request
//   - if the cloud's limit is near, until minSpacing has passed since the previous request
//
// requestsAhead is how many requests in line are before this request.
func (l *limiter) paceWait(now time.Time, requestsAhead int) time.Duration {
	wait := max(l.pausedUntil.Sub(now), 0)
	if l.perSecond > 0 {
		missing := float64(requestsAhead+1) - l.tokensAt(now)
		wait = max(wait, nanoseconds(missing/l.perSecond))
	}
	if now.Before(l.spacingEnd) {
		next := l.lastSent.Add(l.minSpacing * time.Duration(requestsAhead+1))
		// The cloud's next time window begins at spacingEnd, so the wait ends then at the latest.
		wait = max(wait, min(next.Sub(now), l.spacingEnd.Sub(now)))
	}
	return wait
}

// slotWait returns how long the requests in flight may still block the first request in line; 0 if
// they do not block it.
func (l *limiter) slotWait(now time.Time) time.Duration {
	if len(l.inFlight) < maxInFlight {
		return 0
	}
	blocking := l.inFlight[len(l.inFlight)-maxInFlight]
	return max(blocking.sentAt.Add(hangsAfter).Sub(now), 0)
}

// tokensAt returns how many tokens the bucket has at the given time.
func (l *limiter) tokensAt(now time.Time) float64 {
	if l.perSecond == 0 {
		return l.burst
	}
	return min(l.burst, l.bucketTokens+now.Sub(l.filledAt).Seconds()*l.perSecond)
}

// nanoseconds turns seconds into a duration, at most MaxWait. It rounds up, because wakeTimer must
// not fire too early.
func nanoseconds(seconds float64) time.Duration {
	return time.Duration(math.Ceil(min(seconds, MaxWait.Seconds()) * float64(time.Second)))
}
