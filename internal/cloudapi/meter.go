// SPDX-License-Identifier: Apache-2.0

package cloudapi

import (
	"context"
	"net/http/httptrace"
	"time"

	"github.com/ccloud-dev/inventory-operator/internal/cloudapi/budget"
)

// meter waits until the request budget allows a request. After the request, it reports the result
// to the budget and to Options.Observe.
//
// If an idle connection is dead, net/http sends a GET again by itself. The meter then waits for the
// budget again.
type meter struct {
	client *Client
	ctx    context.Context
	abort  context.CancelFunc
	call   Call
	sent   bool
	start  time.Time
	// settle reports the end of the request to the request budget. It is nil if no request is under
	// way.
	settle func(budget.Answer)
}

// newMeter waits until the request budget allows one request. It returns a meter and the context
// for the request. After the request, the caller must call finish.
func (c *Client) newMeter(ctx context.Context, operation string) (*meter, context.Context, error) {
	m := &meter{client: c, ctx: ctx, call: Call{Operation: operation}}
	if err := m.begin(); err != nil {
		return nil, nil, err
	}
	sendCtx, abort := context.WithTimeout(ctx, c.requestTimeout(ctx))
	m.abort = abort
	return m, httptrace.WithClientTrace(sendCtx, &httptrace.ClientTrace{GotConn: m.sending}), nil
}

// requestTimeout returns the timeout of the next request. If the deadline of ctx is near, the
// timeout is half of the time that is left, so that there is time for a retry.
func (c *Client) requestTimeout(ctx context.Context) time.Duration {
	if deadline, ok := ctx.Deadline(); ok {
		return min(c.limits.RequestTimeout, max(time.Until(deadline)/2, minRequestTimeout))
	}
	return c.limits.RequestTimeout
}

// minRequestTimeout is the timeout of a request if the deadline of ctx is very near.
const minRequestTimeout = time.Second

// sending runs each time before the transport sends the request.
func (m *meter) sending(httptrace.GotConnInfo) {
	if !m.sent {
		m.sent = true
		return
	}
	m.end() // The first sending got no answer.
	if err := m.begin(); err != nil {
		m.abort()
	}
}

// finish reports the result of the request and ends the request's context.
func (m *meter) finish() {
	m.end()
	m.abort()
}

// begin waits for the budget.
func (m *meter) begin() error {
	settle, err := m.client.await(m.ctx)
	if err != nil {
		return err
	}
	m.settle, m.start = settle, time.Now()
	return nil
}

// end reports the result of the request under way, if there is one.
func (m *meter) end() {
	if m.settle == nil {
		return
	}
	m.call.Duration = time.Since(m.start)
	m.settle(budget.Answer{StatusCode: m.call.StatusCode, RateLimit: m.call.RateLimit, RetryAfter: m.call.RetryAfter})
	m.settle = nil
	if m.client.observe != nil {
		m.client.observe(m.call)
	}
}
