// SPDX-License-Identifier: Apache-2.0

package cloudapi

import (
	"cmp"
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"time"
)

// Retry says how often a page is requested, and how long to wait between two requests. A zero field
// means the value in DefaultRetry.
type Retry struct {
	// Attempts is how often a page is requested at most. The first request counts, so 1 means that
	// there is no retry.
	Attempts int
	// Base is the longest wait after the first failure. Each further failure doubles the longest
	// wait. The actual wait is random, between 0 and the longest wait.
	Base time.Duration
	// Max is the longest wait of any kind. It holds for a wait after a failure, a wait that the
	// cloud asks for, and a wait for the budget. A longer wait does not begin. Instead the error
	// comes at once and has the wait in RetryAfter, so the caller can do something else until then.
	Max time.Duration
}

// DefaultRetry is long enough for a restart of the cloud's server, and short enough not to block a
// worker for long.
var DefaultRetry = Retry{Attempts: 4, Base: 250 * time.Millisecond, Max: 10 * time.Second}

// orDefault fills in the defaults.
func (r Retry) orDefault() (Retry, error) {
	if r.Attempts < 0 || r.Base < 0 || r.Max < 0 {
		return r, errors.New("Retry has a negative field; give a positive value, or 0 for the default")
	}
	return Retry{
		Attempts: cmp.Or(r.Attempts, DefaultRetry.Attempts),
		Base:     cmp.Or(r.Base, DefaultRetry.Base),
		Max:      cmp.Or(r.Max, DefaultRetry.Max),
	}, nil
}

// clock is time and randomness. Tests replace it.
type clock struct {
	now    func() time.Time
	random func() float64 // in [0, 1)
	// sleep waits. If the context ends first, it returns the context's error.
	sleep func(ctx context.Context, wait time.Duration) error
}

var realClock = clock{now: time.Now, random: rand.Float64, sleep: sleep}

func sleep(ctx context.Context, wait time.Duration) error {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// persist calls ask until ask succeeds, until mayPass returns false for its error, or until there
// were as many calls as Retry allows. Between two calls, persist waits as long as the cloud asked.
// If the cloud did not ask for a wait, persist waits for a backoff with full jitter. If a wait
// would be longer than Retry.Max, or would end after the context's deadline, persist returns the
// error at once, with the wait in RetryAfter.
func (c *Client) persist(ctx context.Context, mayPass func(*Error) bool, ask func() error) error {
	for attempt := 1; ; attempt++ {
		err := ask()
		e, ok := errors.AsType[*Error](err)
		if !ok || !mayPass(e) || attempt == c.retry.Attempts {
			return err
		}
		wait := e.RetryAfter
		if wait == 0 {
			wait = time.Duration(c.clock.random() * float64(c.retry.backoff(attempt)))
		}
		deadline, bounded := ctx.Deadline()
		if wait > c.retry.Max || (bounded && c.clock.now().Add(wait).After(deadline)) {
			e.RetryAfter = wait
			return e
		}
		if c.clock.sleep(ctx, wait) != nil {
			return withCall(Call{Operation: e.Operation}, gaveUp(ctx))
		}
	}
}

// mayPass reports whether a retry of the same request can help soon. If the budget refused the
// request, a retry cannot help, because the request has already waited for the budget. If the cloud
// does not support the request, a retry cannot help either.
func mayPass(e *Error) bool {
	switch e.Class {
	case RateLimited:
		return e.StatusCode == http.StatusTooManyRequests
	case Unavailable:
		return e.StatusCode != http.StatusNotImplemented
	}
	return false
}

// backoff returns the longest wait after the given number of failures.
func (r Retry) backoff(failures int) time.Duration {
	wait := r.Base
	for i := 1; i < failures && wait < r.Max; i++ {
		wait *= 2
	}
	return min(wait, r.Max)
}
