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

// failureTimeout is the longest time for reading the body of an error answer.
const failureTimeout = 2 * time.Second

// maxRedirects is the largest number of redirects that one request follows.
const maxRedirects = 5

// reader reads the body of an answer with HTTP 200.
type reader func(context.Context, *http.Response) error

// get sends a GET request to the URL in target and follows redirects within the same origin. If the
// answer has status 200, get calls the function read. The parameter token is the page token in the
// URL. No error shows this token. The result is the Call of the last request.
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

// send sends one request as soon as the request budget allows it. If the answer has status 200,
// send calls the function read. If the answer is a redirect within the same origin, send returns
// the new URL. The parameter token is the page token of the request. No error shows this token.
func (c *Client) send(ctx context.Context, operation, token string, read reader,
	request func(context.Context) (*http.Request, error),
) (Call, *url.URL, error) {
	m, sendCtx, err := c.newMeter(ctx, operation)
	if err != nil {
		call := Call{Operation: operation}
		return call, nil, withCall(call, err)
	}
	defer m.finish()
	// Read the API key or token after newMeter, because a token can be replaced while newMeter
	// waits.
	auth := c.auth.value()
	m.call.sentWith = auth.id
	clean := auth.newCleaner(token)
	req, err := request(sendCtx)
	if err != nil {
		return m.call, nil, withCall(m.call, newError(Malformed, "the request's URL is not usable"))
	}
	resp, err := c.guard.send(req, auth.headerValue)
	if err != nil {
		return m.call, nil, withCall(m.call, transportFailure(ctx, err, clean))
	}
	defer func() { _ = resp.Body.Close() }()
	m.call.StatusCode = resp.StatusCode
	m.call.RateLimit = parseRateLimit(resp.Header)
	m.call.RetryAfter = retryAfter(resp, c.clock.now())

	if resp.StatusCode != http.StatusOK {
		// The status already says that the request failed, so do not wait long for the body.
		hurry := time.AfterFunc(failureTimeout, m.abort)
		defer hurry.Stop()
	}
	redirect, err := c.judge(sendCtx, resp, clean, read)
	// Clean the request ID after judge has read the body. If the body has a new token, the function
	// clean now hides this token too.
	m.call.RequestID = clean(resp.Header.Get(headerRequestID), maxRequestIDLength)
	if lost, ok := errors.AsType[*readError](err); ok {
		err = transportFailure(ctx, lost.err, clean)
	}
	return m.call, redirect, withCall(m.call, err)
}

// judge handles an answer. If the status is 200, judge calls the function read. If the answer is a
// redirect within the same origin, judge returns the new URL. For any other answer it returns an
// error.
func (c *Client) judge(ctx context.Context, resp *http.Response, clean cleaner, read reader) (*url.URL, error) {
	switch {
	case isRedirect(resp.StatusCode):
		return redirectTarget(resp, c.origin, clean)
	case resp.StatusCode != http.StatusOK:
		return nil, failure(resp, c.clock.now(), clean)
	}
	return nil, read(ctx, resp)
}

// await waits until the request budget allows a request. After the request, the caller must call
// the function settle once, with the answer.
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
	// The class is RateLimited even if the deadline has passed, because the request waited for the
	// budget and not for the cloud.
	if refused, ok := errors.AsType[*budget.Refused](err); ok {
		e := newError(RateLimited, "not sent: "+refused.Error())
		e.RetryAfter = clampWait(refused.For)
		return nil, e
	}
	return nil, newError(RateLimited, "not sent: no request budget within the time left")
}

// withCall returns the given error. If it is an *Error, withCall first adds data of the call, such
// as the operation and the status.
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
