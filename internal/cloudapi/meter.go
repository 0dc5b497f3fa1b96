// SPDX-License-Identifier: Apache-2.0

package cloudapi

import (
	"context"
	"net/http/httptrace"
	"time"

	"github.com/ccloud-dev/inventory-operator/internal/cloudapi/budget"
)

// meter asks the budget before each sending of a request. After each it reports to the budget and
// to Observe.
//
// One request may be sent more than once: net/http sends a GET again if a kept connection turns out
// to be dead. If only the first sending counted, a network that loses connections would double the
// rate.
type meter struct {
	client *Client
	ctx    context.Context
	abort  context.CancelFunc
	call   Call
	sent   bool
	start  time.Time
	// settle ends the budget's lease for the request under way; nil if there is none.
	settle func(budget.Answer)
}

// newMeter asks the budget for one request. It returns the request's meter, and the context to send
// the request with. The caller must call finish.
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

// minRequestTimeout is the least time that a request gets, even if its listing has less time left.
const minRequestTimeout = time.Second

// sending is called in the transport's goroutine when it is about to send the request.
func (m *meter) sending(httptrace.GotConnInfo) {
	if !m.sent {
		m.sent = true
		return
	}
	m.end() // the request before, which had no answer
	if err := m.begin(); err != nil {
		m.abort()
	}
}

// finish is called when the answer was read or was given up.
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

// end reports the request under way; nothing if there is none.
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
