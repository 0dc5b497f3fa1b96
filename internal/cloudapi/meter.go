// SPDX-License-Identifier: Apache-2.0

package cloudapi

import (
	"context"
	"net/http/httptrace"
	"time"

	"github.com/ccloud-dev/inventory-operator/internal/cloudapi/budget"
)

// requestMeter waits until the request budget allows a request. After the request, it reports the
// result to the budget and to Options.Observe.
//
// If an idle connection is dead, net/http sends a GET again by itself. The requestMeter then waits
// for the budget again.
type requestMeter struct {
	client *Client
	ctx    context.Context
	abort  context.CancelFunc
	call   Call
	sent   bool
	start  time.Time
	// settleLease reports to the request budget what the cloud answered. It is nil if no request is
	// under way.
	settleLease func(budget.Answer)
}

// newRequestMeter waits until the request budget allows one request. It returns a requestMeter and
// the context for the request. After the request, the caller must call finishCall.
func (c *Client) newRequestMeter(ctx context.Context, operation string) (*requestMeter, context.Context, error) {
	m := &requestMeter{client: c, ctx: ctx, call: Call{Operation: operation}}
	if err := m.beginRequest(); err != nil {
		return nil, nil, err
	}
	sendCtx, abort := context.WithTimeout(ctx, c.requestTimeout(ctx))
	m.abort = abort
	return m, httptrace.WithClientTrace(sendCtx, &httptrace.ClientTrace{GotConn: m.beforeSend}), nil
}

// requestTimeout returns the timeout of the next request. If ctx has a deadline, the timeout is at
// most half of the time that is left, so that there is time for a retry. If this half is shorter
// than minRequestTimeout, minRequestTimeout applies instead.
func (c *Client) requestTimeout(ctx context.Context) time.Duration {
	if deadline, ok := ctx.Deadline(); ok {
		return min(c.limits.RequestTimeout, max(time.Until(deadline)/2, minRequestTimeout))
	}
	return c.limits.RequestTimeout
}

// minRequestTimeout is the timeout of a request if the deadline of ctx is very near.
const minRequestTimeout = time.Second

// net/http calls beforeSend before each attempt to send the request. Before a further attempt,
// beforeSend waits for the request budget again.
func (m *requestMeter) beforeSend(httptrace.GotConnInfo) {
	if !m.sent {
		m.sent = true
		return
	}
	m.endRequest() // The previous attempt got no answer.
	if err := m.beginRequest(); err != nil {
		m.abort()
	}
}

// finishCall reports the result of the request and ends the request's context.
func (m *requestMeter) finishCall() {
	m.endRequest()
	m.abort()
}

// beginRequest waits for the budget.
func (m *requestMeter) beginRequest() error {
	settle, err := m.client.awaitBudget(m.ctx)
	if err != nil {
		return err
	}
	m.settleLease, m.start = settle, time.Now()
	return nil
}

// endRequest reports the result of the request under way, if there is one.
func (m *requestMeter) endRequest() {
	if m.settleLease == nil {
		return
	}
	m.call.Duration = time.Since(m.start)
	m.settleLease(budget.Answer{StatusCode: m.call.StatusCode, RateLimit: m.call.RateLimit, RetryAfter: m.call.RetryAfter})
	m.settleLease = nil
	if m.client.observe != nil {
		m.client.observe(m.call)
	}
}
