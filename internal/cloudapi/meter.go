// SPDX-License-Identifier: Apache-2.0

package cloudapi

import (
	"context"
	"net/http/httptrace"
	"time"

	"github.com/ccloud-dev/inventory-operator/internal/cloudapi/budget"
)

// meter asks the budget each time before a request is sent. Afterwards it reports to the budget and
// to Observe.
//
// One request may be sent more than once: if an idle connection turns out to be dead, net/http
// sends a GET again. Every sending counts. Otherwise a network that loses connections could double
// the rate.
type meter struct {
	client *Client
	ctx    context.Context
	abort  context.CancelFunc
	call   Call
	sent   bool
	start  time.Time
	// settle ends the budget's lease for the request under way. It is nil if no request is under
	// way.
	settle func(budget.Answer)
}

// newMeter waits until the budget allows one request. It returns the meter of the request, and the
// context for sending it. If there is no error, the caller must call finish.
func (c *Client) newMeter(ctx context.Context, operation string) (*meter, context.Context, error) {
	m := &meter{client: c, ctx: ctx, call: Call{Operation: operation}}
	if err := m.begin(); err != nil {
		return nil, nil, err
	}
	sendCtx, abort := context.WithTimeout(ctx, c.requestTimeout(ctx))
	m.abort = abort
	return m, httptrace.WithClientTrace(sendCtx, &httptrace.ClientTrace{GotConn: m.sending}), nil
}

// requestTimeout returns how long the next request may take.
func (c *Client) requestTimeout(ctx context.Context) time.Duration {
	if deadline, ok := ctx.Deadline(); ok {
		return min(c.limits.RequestTimeout, max(time.Until(deadline)/2, minRequestTimeout))
	}
	return c.limits.RequestTimeout
}

// minRequestTimeout is the shortest timeout of a request, even if its listing has less time left.
const minRequestTimeout = time.Second

// sending is called each time the transport is about to send the request, in a goroutine of the
// transport.
func (m *meter) sending(httptrace.GotConnInfo) {
	if !m.sent {
		m.sent = true
		return
	}
	m.end() // of the first sending, which got no answer
	if err := m.begin(); err != nil {
		m.abort()
	}
}

// finish is called when the answer was read, or when the caller gave up.
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

// end reports the request under way. If no request is under way, it does nothing.
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
