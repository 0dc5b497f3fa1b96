// SPDX-License-Identifier: Apache-2.0

package cloudapi

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/ccloud-dev/inventory-operator/internal/cloudapi/budget"
)

// failureTimeout is the longest time for reading the body of an answer other than 200.
const failureTimeout = 2 * time.Second

// maxRedirects is the most redirects in a row that are followed.
const maxRedirects = 5

// reader reads an answer with HTTP 200. It may return a *readError.
type reader func(context.Context, *http.Response) error

// get sends a GET to target, follows redirects within the origin, and calls read for the answer
// with HTTP 200. token is the page token in target; no error shows it. get returns the last Call,
// without its duration. Every error is an *Error.
func (c *Client) get(ctx context.Context, operation string, target *url.URL, token string, read reader) (Call, error) {
	for hops := 0; ; hops++ {
		call, redirect, err := c.send(ctx, operation, token, read, func(ctx context.Context) (*http.Request, error) {
			return http.NewRequestWithContext(ctx, http.MethodGet, target.String(), nil)
		})
		if err != nil || redirect == nil {
			return call, err
		}
		if hops == maxRedirects {
			return call, name(call, newError(Malformed, "too many redirects"))
		}
		target = redirect
	}
}

// send sends one request when the budget allows it. If the answer is a redirect, send returns the
// target and does not call read. No error shows token.
func (c *Client) send(ctx context.Context, operation, token string, read reader,
	request func(context.Context) (*http.Request, error),
) (Call, *url.URL, error) {
	m, sendCtx, err := c.newMeter(ctx, operation)
	if err != nil {
		call := Call{Operation: operation}
		return call, nil, name(call, err)
	}
	defer m.finish()
	// Take the authorization after the wait, because it may be replaced during the wait. One value
	// has the header and the hidden texts, so they fit each other.
	auth := c.auth.value()
	m.call.sentWith = auth.id
	clean := auth.cleaner(token)
	req, err := request(sendCtx)
	if err != nil {
		return m.call, nil, name(m.call, newError(Malformed, "the request's URL is not usable"))
	}
	resp, err := c.guard.send(req, auth.header)
	if err != nil {
		return m.call, nil, name(m.call, transportFailure(ctx, err, clean))
	}
	defer func() { _ = resp.Body.Close() }()
	m.call.StatusCode = resp.StatusCode
	m.call.RateLimit = parseRateLimit(resp.Header)
	m.call.RetryAfter = retryAfter(resp, c.clock.now())

	if resp.StatusCode != http.StatusOK { // The body only adds words to the status.
		hurry := time.AfterFunc(failureTimeout, m.abort)
		defer hurry.Stop()
	}
	redirect, err := c.judge(sendCtx, resp, clean, read)
	// Only after the body, which may bring a token to hide.
	m.call.RequestID = clean(resp.Header.Get(headerRequestID), maxRequestIDLength)
	if lost, ok := errors.AsType[*readError](err); ok {
		err = transportFailure(ctx, lost.err, clean)
	}
	return m.call, redirect, name(m.call, err)
}

// judge handles an answer. It returns the target of a redirect, calls read for HTTP 200, or returns
// a failure.
func (c *Client) judge(ctx context.Context, resp *http.Response, clean cleaner, read reader) (*url.URL, error) {
	switch {
	case isRedirect(resp.StatusCode):
		return redirectTarget(resp, c.origin, clean)
	case resp.StatusCode != http.StatusOK:
		return nil, failure(resp, c.clock.now(), clean)
	}
	return nil, read(ctx, resp)
}

// await waits until the budget allows a request. The caller must call settle once, with the answer.
func (c *Client) await(ctx context.Context) (settle func(budget.Answer), err error) {
	if ctx.Err() != nil {
		return nil, gaveUp(ctx)
	}
	if c.budget == nil {
		return func(budget.Answer) {}, nil
	}
	settle, err = c.budget.Lease(ctx, c.retry.Max)
	if err == nil {
		return settle, nil
	}
	if errors.Is(ctx.Err(), context.Canceled) {
		return nil, gaveUp(ctx)
	}
	// Not Unavailable, even if the time is up: the cloud was not asked.
	if refused, ok := errors.AsType[*budget.Refused](err); ok {
		e := newError(RateLimited, "not sent: "+refused.Error())
		e.RetryAfter = clampWait(refused.For)
		return nil, e
	}
	return nil, newError(RateLimited, "not sent: no request budget within the time left")
}

// name adds to err what call knows: operation, status, request ID and authorization.
func name(call Call, err error) error {
	e, ok := errors.AsType[*Error](err)
	if !ok {
		return err
	}
	e.Operation = call.Operation
	e.StatusCode = call.StatusCode
	e.sentWith = call.sentWith
	if call.RequestID != "" {
		e.RequestID = call.RequestID
	}
	return e
}
