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

// Retry limits how often a client sends the same request, and how long the client waits before a
// retry. If a field is 0, the same field of DefaultRetry applies.
type Retry struct {
	// Attempts is the largest number of attempts for one request. 1 means no retry.
	Attempts int
	// Base is the upper limit of the wait after the first failure. Each further failure doubles
	// this limit. The wait itself is a random time below the limit.
	Base time.Duration
	// Max is the longest wait. If the cloud asks for a longer wait, the request fails at once. It
	// also fails at once if the operator's own limit on requests needs a longer wait. In both
	// cases, Error.RetryAfter is the longer wait.
	Max time.Duration
}

// DefaultRetry has the default of each field of Retry.
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

// clock provides time and randomness. Tests replace it.
type clock struct {
	now    func() time.Time
	random func() float64 // in [0, 1)
	// sleep waits. If ctx ends first, sleep returns the error of ctx.
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

// doWithRetries calls doRequest until doRequest succeeds, but at most Retry.Attempts times. It does
// not retry an error for which canRetry returns false. Before a retry, it waits as long as the
// error's RetryAfter says. If RetryAfter is 0, it waits for a random time, see Retry.Base.
//
// If the wait would be longer than Retry.Max, or would end after the deadline of ctx, doWithRetries
// does not wait. It returns the error, with the wait in RetryAfter.
func (c *Client) doWithRetries(ctx context.Context, canRetry func(*Error) bool, doRequest func() error) error {
	for attempt := 1; ; attempt++ {
		err := doRequest()
		e, ok := errors.AsType[*Error](err)
		if !ok || !canRetry(e) || attempt == c.retry.Attempts {
			return err
		}
		wait := e.RetryAfter
		if wait == 0 {
			wait = time.Duration(c.clock.random() * float64(c.retry.maxBackoff(attempt)))
		}
		deadline, bounded := ctx.Deadline()
		if wait > c.retry.Max || (bounded && c.clock.now().Add(wait).After(deadline)) {
			e.RetryAfter = wait
			return e
		}
		if c.clock.sleep(ctx, wait) != nil {
			return withCall(Call{Operation: e.Operation}, contextError(ctx))
		}
	}
}

// canRetryRequest reports whether it can help to send the same request again soon.
func canRetryRequest(e *Error) bool {
	switch e.Class {
	case RateLimited:
		return e.StatusCode == http.StatusTooManyRequests
	case Unavailable:
		return e.StatusCode != http.StatusNotImplemented
	}
	return false
}

// maxBackoff returns the upper limit of the wait after the given number of failures.
func (r Retry) maxBackoff(failures int) time.Duration {
	wait := r.Base
	for i := 1; i < failures && wait < r.Max; i++ {
		wait *= 2
	}
	return min(wait, r.Max)
}
