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

// maxRedirects is how many redirects in a row are followed at most.
const maxRedirects = 5

// reader reads an answer with HTTP 200. It may return a *readError.
type reader func(context.Context, *http.Response) error

// get sends a GET to target, follows redirects within the origin, and calls read for an answer with
// HTTP 200. token is the page token in target; no error shows this token. get returns the Call of
// the last request, without its duration. Every error is an *Error.
func (c *Client) get(ctx context.Context, operation string, target *url.URL, token string, read reader) (Call, error) {
	for hops := 0; ; hops++ {
		call, redirect, err := c.send(ctx, operation, token, read, func(ctx context.Context) (*http.Request, error) {
			return http.NewRequestWithContext(ctx, http.MethodGet, target.String(), nil)
		})
		if err != nil || redirect == nil {
			return call, err
		}
		if hops == maxRedirects {
			return call, withCall(call, newError(Malformed, "too many redirects"))
		}
		target = redirect
	}
}

// send sends one request as soon as the budget allows it. For HTTP 200, send calls read. If the
// answer is a redirect within the origin, send returns the target of the redirect. No error shows
// token.
func (c *Client) send(ctx context.Context, operation, token string, read reader,
	request func(context.Context) (*http.Request, error),
) (Call, *url.URL, error) {
	m, sendCtx, err := c.newMeter(ctx, operation)
	if err != nil {
		call := Call{Operation: operation}
		return call, nil, withCall(call, err)
	}
	defer m.finish()
	// Take the authorization after the wait, because it may be replaced during the wait. The header
	// and the hidden texts are one value, so both belong to the same credential.
	auth := c.auth.value()
	m.call.sentWith = auth.id
	clean := auth.cleaner(token)
	req, err := request(sendCtx)
	if err != nil {
		return m.call, nil, withCall(m.call, newError(Malformed, "the request's URL is not usable"))
	}
	resp, err := c.guard.send(req, auth.header)
	if err != nil {
		return m.call, nil, withCall(m.call, transportFailure(ctx, err, clean))
	}
	defer func() { _ = resp.Body.Close() }()
	m.call.StatusCode = resp.StatusCode
	m.call.RateLimit = parseRateLimit(resp.Header)
	m.call.RetryAfter = retryAfter(resp, c.clock.now())

	if resp.StatusCode != http.StatusOK {
		// The body only explains the status, so it gets little time.
		hurry := time.AfterFunc(failureTimeout, m.abort)
		defer hurry.Stop()
	}
	redirect, err := c.judge(sendCtx, resp, clean, read)
	// Clean the request ID only after the body was read: the body may bring a token to hide.
	m.call.RequestID = clean(resp.Header.Get(headerRequestID), maxRequestIDLength)
	if lost, ok := errors.AsType[*readError](err); ok {
		err = transportFailure(ctx, lost.err, clean)
	}
	return m.call, redirect, withCall(m.call, err)
}

// judge handles an answer. For HTTP 200 it calls read. For a redirect within the origin it returns
// the target. For any other answer it returns an error.
func (c *Client) judge(ctx context.Context, resp *http.Response, clean cleaner, read reader) (*url.URL, error) {
	switch {
	case isRedirect(resp.StatusCode):
		return redirectTarget(resp, c.origin, clean)
	case resp.StatusCode != http.StatusOK:
		return nil, failure(resp, c.clock.now(), clean)
	}
	return nil, read(ctx, resp)
}

// await waits until the budget allows a request. If there is no error, the caller must call settle
// once, with the answer.
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
	// The class is RateLimited even if the time is up. Unavailable would be wrong, because the
	// request was not sent.
	if refused, ok := errors.AsType[*budget.Refused](err); ok {
		e := newError(RateLimited, "not sent: "+refused.Error())
		e.RetryAfter = clampWait(refused.For)
		return nil, e
	}
	return nil, newError(RateLimited, "not sent: no request budget within the time left")
}

// withCall returns err. If err is an *Error, withCall first copies the operation, the status, the
// authorization and the request ID of call into it. An empty request ID is not copied.
func withCall(call Call, err error) error {
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
