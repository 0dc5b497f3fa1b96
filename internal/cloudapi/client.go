// SPDX-License-Identifier: Apache-2.0

package cloudapi

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"
	"unicode"

	"github.com/ccloud-dev/inventory-operator/internal/cloudapi/budget"
)

// Limits bound what one listing may take in. A zero field means the value in DefaultLimits. A
// listing that exceeds a limit fails; nothing is dropped.
type Limits struct {
	// MaxPages is the most pages of one listing.
	MaxPages int
	// MaxItems is the most items of one listing.
	MaxItems int
	// MaxBodyBytes is the most bytes of one page's body, after decompression. A page is never held
	// whole.
	MaxBodyBytes int64
	// MaxBodiesBytes is the most bytes of all pages of one listing.
	MaxBodiesBytes int64
	// MaxHeldBytes is the most memory that the projected items of one listing may take, by
	// estimate. All listings of a process together have another bound, see room.
	MaxHeldBytes int64
	// RequestTimeout is how long one request may take, including reading and decoding its answer.
	// If the listing has less than twice that time left, the request gets half of the time left. So
	// a page that hangs can be asked for again.
	RequestTimeout time.Duration
}

// DefaultLimits are far above any known inventory. But no answer makes a manager with 20,000
// observations exceed the memory limit that it ships with. The estimate for a cluster is twice the
// size of its observation.
var DefaultLimits = Limits{
	MaxPages:       5_000,
	MaxItems:       250_000,
	MaxBodyBytes:   32 << 20,
	MaxBodiesBytes: 1 << 30,
	MaxHeldBytes:   128 << 20,
	RequestTimeout: 30 * time.Second,
}

// Call is one request and its result, for metrics.
type Call struct {
	Operation string
	// StatusCode is the HTTP status, 0 if no answer came.
	StatusCode int
	// Duration is the time from sending the request to the end of reading the body. It does not
	// include the wait for the budget.
	Duration  time.Duration
	RateLimit RateLimit
	// RetryAfter is how long the answer asked to wait, between 0 and MaxWait.
	RetryAfter time.Duration
	RequestID  string

	// sentWith identifies the authorization that the request carried.
	sentWith mark
}

// Options are the input of New.
type Options struct {
	// Endpoint is the address of the API, see ParseEndpoint.
	Endpoint string
	// Credential is sent with every request. It goes only to the endpoint's origin.
	Credential Credential
	// Tokens gives the token to send instead of Credential; nil to send Credential.
	Tokens *TokenSource
	// UserAgent names the program and its version.
	UserAgent string
	// Transport sends the requests, and sees the credential. If it is nil, a transport that all
	// clients share does.
	Transport Transport
	// Limits bound each listing.
	Limits Limits
	// Retry bounds how often a page is asked for, and every wait.
	Retry Retry
	// Budget is asked before every request. If it is nil, there is no budget.
	Budget *budget.Budget
	// Observe, if not nil, is called after every request. Calls may come from several
	// goroutines at once.
	Observe func(Call)

	// clock and room are set in tests only.
	clock *clock
	room  *room
}

// authorizer gives requests their authorization. Its fields are functions, so that printing a
// Client does not print the credential.
type authorizer struct {
	// value returns the present authorization.
	value func() authorization
	// refresh replaces an authorization that ends soon.
	refresh func(context.Context, *Client) error
	// renew replaces an authorization that the cloud refused. It reports whether there is another
	// one now.
	renew func(ctx context.Context, c *Client, refused mark) (bool, error)
	// advice says, by class, what to do if the cloud refuses the credential. If it is nil, the
	// advice for API keys applies.
	advice map[Class]string
}

// Client reads the inventory behind one endpoint with one credential. It is safe for concurrent use
// and needs no closing.
type Client struct {
	base   *url.URL
	origin string
	auth   authorizer
	// guard sends requests. No http.Client is used, because it would follow redirects by itself,
	// without the budget, and would repeat URLs in its errors.
	guard   *guard
	limits  Limits
	room    *room
	retry   Retry
	clock   clock
	budget  *budget.Budget
	observe func(Call)
}

// New returns a Client, or an error that names the wrong option and says what to give instead. It
// sends nothing.
func New(o Options) (*Client, error) {
	base, err := ParseEndpoint(o.Endpoint)
	if err != nil {
		return nil, fmt.Errorf("cloudapi: Options.Endpoint: %w", err)
	}
	auth, err := o.authorizer()
	if err != nil {
		return nil, fmt.Errorf("cloudapi: Options.%w", err)
	}
	if o.UserAgent == "" || strings.ContainsFunc(o.UserAgent, unicode.IsControl) {
		return nil, errors.New("cloudapi: Options.UserAgent is empty or has control characters; " +
			"give one such as inventory-operator/v0.1.0")
	}
	limits, err := o.Limits.orDefault()
	if err != nil {
		return nil, fmt.Errorf("cloudapi: Options.%w", err)
	}
	retry, err := o.Retry.orDefault()
	if err != nil {
		return nil, fmt.Errorf("cloudapi: Options.%w", err)
	}
	c := &Client{
		base:    base,
		origin:  base.Scheme + "://" + base.Host,
		auth:    auth,
		limits:  limits,
		room:    o.room,
		retry:   retry,
		clock:   realClock,
		budget:  o.Budget,
		observe: o.Observe,
	}
	if c.room == nil {
		c.room = processRoom()
	}
	if o.clock != nil {
		c.clock = *o.clock
	}
	c.guard = &guard{origin: c.origin, userAgent: o.UserAgent, next: o.Transport}
	if o.Transport == nil {
		c.guard.next = defaultTransport()
	}
	return c, nil
}

// Authorize makes sure that requests can be sent. If tokens are used, and there is none or it ends
// soon, it gets one. Errors are those of TokenSource.
func (c *Client) Authorize(ctx context.Context) error { return c.auth.refresh(ctx, c) }

// authorizer returns the authorizer of Tokens if that is set, otherwise of Credential.
func (o Options) authorizer() (authorizer, error) {
	if o.Tokens != nil {
		return o.Tokens.authorizer(), nil
	}
	return o.Credential.authorizer(), o.Credential.validate()
}

// orDefault fills in the default limits.
func (l Limits) orDefault() (Limits, error) {
	if l.MaxPages < 0 || l.MaxItems < 0 || l.MaxBodyBytes < 0 || l.MaxBodiesBytes < 0 || l.MaxHeldBytes < 0 || l.RequestTimeout < 0 {
		return l, errors.New("Limits has a negative field; give a positive limit, or 0 for the default")
	}
	return Limits{
		MaxPages:       cmp.Or(l.MaxPages, DefaultLimits.MaxPages),
		MaxItems:       cmp.Or(l.MaxItems, DefaultLimits.MaxItems),
		MaxBodyBytes:   cmp.Or(l.MaxBodyBytes, DefaultLimits.MaxBodyBytes),
		MaxBodiesBytes: cmp.Or(l.MaxBodiesBytes, DefaultLimits.MaxBodiesBytes),
		MaxHeldBytes:   cmp.Or(l.MaxHeldBytes, DefaultLimits.MaxHeldBytes),
		RequestTimeout: cmp.Or(l.RequestTimeout, DefaultLimits.RequestTimeout),
	}, nil
}
