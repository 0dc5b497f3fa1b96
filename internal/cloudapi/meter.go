// SPDX-License-Identifier: Apache-2.0

package cloudapi

import (
	"context"
	"net/http/httptrace"
	"time"
)

// meter sees to it that each time a request goes out, the budget is asked
// before and Observe is told after.
//
// That is more than once per request: net/http sends a GET again by itself
// where a connection it had kept alive turns out to be dead. Uncounted, those
// would double the rate on a network that loses connections.
type meter struct {
	client *Client
	ctx    context.Context
	abort  context.CancelFunc
	call   Call
	sent   bool
	start  time.Time
}

// newMeter asks the budget for one request and returns the meter for it, with
// the context to send it under. The caller calls finish in the end.
func (c *Client) newMeter(ctx context.Context, operation string) (*meter, context.Context, error) {
	if err := c.await(ctx); err != nil {
		return nil, nil, err
	}
	sendCtx, abort := context.WithCancel(ctx)
	m := &meter{client: c, ctx: ctx, abort: abort, call: Call{Operation: operation}, start: time.Now()}
	return m, httptrace.WithClientTrace(sendCtx, &httptrace.ClientTrace{GotConn: m.sending}), nil
}

// sending is called when the transport is about to send the request, in the
// goroutine that sends it.
func (m *meter) sending(httptrace.GotConnInfo) {
	if !m.sent {
		m.sent = true
		return
	}
	m.observe() // the one before, which had no answer
	if err := m.client.await(m.ctx); err != nil {
		m.abort()
	}
	m.start = time.Now()
}

// finish is called when the answer was read or given up.
func (m *meter) finish() {
	m.observe()
	m.abort()
}

// observe tells Observe of the request that was sent last.
func (m *meter) observe() {
	if m.client.observe == nil {
		return
	}
	m.call.Duration = time.Since(m.start)
	m.client.observe(m.call)
}
