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

// answerReader reads the body of an answer with HTTP 200.
type answerReader func(context.Context, *http.Response) error

// sendGET sends a GET request to targetURL and follows redirects within the same origin. If the
// answer has status 200, sendGET calls readAnswer. The returned Call describes the last request.
// Error texts must not show hiddenToken, the page token in targetURL.
func (c *Client) sendGET(ctx context.Context, operation string, targetURL *url.URL, hiddenToken string, readAnswer answerReader) (Call, error) {
	for hops := 0; ; hops++ {
		call, redirect, err := c.sendRequest(ctx, operation, hiddenToken, readAnswer, func(ctx context.Context) (*http.Request, error) {
			return http.NewRequestWithContext(ctx, http.MethodGet, targetURL.String(), nil)
		})
		if err != nil || redirect == nil {
			return call, err
		}
		if hops == maxRedirects {
			return call, withCall(call, newError(Malformed, "too many redirects"))
		}
		targetURL = redirect
	}
}

// sendRequest waits until the request budget allows a request, and sends one request.
//
//   - If the answer has status 200, sendRequest calls readAnswer.
//   - If the answer is a redirect within the same origin, sendRequest returns the new URL.
//
// Error texts must not show hiddenToken, the page token of the request.
func (c *Client) sendRequest(ctx context.Context, operation, hiddenToken string, readAnswer answerReader,
	newRequest func(context.Context) (*http.Request, error),
) (Call, *url.URL, error) {
	m, sendCtx, err := c.newRequestMeter(ctx, operation)
	if err != nil {
		call := Call{Operation: operation}
		return call, nil, withCall(call, err)
	}
	defer m.finishCall()
	// Read the API key or token only now. While newRequestMeter waited for the request budget, the
	// token may have been replaced.
	auth := c.auth.currentAuth()
	m.call.sentWith = auth.id
	clean := auth.newCleaner(hiddenToken)
	req, err := newRequest(sendCtx)
	if err != nil {
		return m.call, nil, withCall(m.call, newError(Malformed, "the request's URL is not usable"))
	}
	resp, err := c.guard.sendChecked(req, auth.headerValue)
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
	redirect, err := c.handleAnswer(sendCtx, resp, clean, readAnswer)
	// Keep this line after the call of handleAnswer. The body of the answer may have a new token,
	// and the request ID may repeat this token. The function clean cannot hide a new token before
	// handleAnswer has read the body.
	m.call.RequestID = clean(resp.Header.Get(headerRequestID), maxRequestIDLength)
	if lost, ok := errors.AsType[*readError](err); ok {
		err = transportFailure(ctx, lost.err, clean)
	}
	return m.call, redirect, withCall(m.call, err)
}

// handleAnswer calls readAnswer if the status is 200. If the answer is a redirect within the same
// origin, handleAnswer returns the new URL. For any other answer it returns an error.
func (c *Client) handleAnswer(ctx context.Context, resp *http.Response, clean cleaner, readAnswer answerReader) (*url.URL, error) {
	switch {
	case isRedirect(resp.StatusCode):
		return redirectTarget(resp, c.origin, clean)
	case resp.StatusCode != http.StatusOK:
		return nil, statusError(resp, c.clock.now(), clean)
	}
	return nil, readAnswer(ctx, resp)
}

// awaitBudget waits until the request budget allows a request. After the request, the caller must
// call the returned function once, with the answer.
func (c *Client) awaitBudget(ctx context.Context) (settle func(budget.Answer), err error) {
	if ctx.Err() != nil {
		return nil, contextError(ctx)
	}
	if c.budget == nil {
		return func(budget.Answer) {}, nil
	}
	settle, err = c.budget.Lease(ctx, c.retry.Max)
	if err == nil {
		return settle, nil
	}
	if errors.Is(ctx.Err(), context.Canceled) {
		return nil, contextError(ctx)
	}
	// Return RateLimited even if the deadline of ctx has passed. Do not report a timeout of the
	// cloud: the request waited for the request budget, and was not sent.
	if refused, ok := errors.AsType[*budget.Refused](err); ok {
		e := newError(RateLimited, "not sent: "+refused.Error())
		e.RetryAfter = clampWait(refused.For)
		return nil, e
	}
	return nil, newError(RateLimited, "not sent: no request budget within the time left")
}

// withCall adds data of the call to an *Error, such as the operation and the status. It returns
// other errors unchanged.
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
