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

// Limits bound what one listing may take in. A zero field takes the field of
// DefaultLimits. Past any limit a listing fails; nothing is dropped.
type Limits struct {
	// MaxPages is the number of pages of one listing.
	MaxPages int
	// MaxItems is the number of items of one listing.
	MaxItems int
	// MaxBodyBytes is the size of one page's body in bytes, after decompression. No page
	// is ever held whole.
	MaxBodyBytes int64
	// MaxBodiesBytes is the size of all pages of one listing.
	MaxBodiesBytes int64
	// MaxHeldBytes is how much memory the items of one listing may take, by estimate, once
	// they are projected. All listings of a process share a bound, too.
	MaxHeldBytes int64
	// RequestTimeout is how long one request may take, reading and decoding its answer
	// included. It is shorter if the listing has less than twice as much time left, so
	// that a page which hangs can be asked for again.
	RequestTimeout time.Duration
}

// DefaultLimits are far above any inventory known, and low enough that no answer takes a
// manager with 20,000 observations past the memory limit that it ships with. By the
// estimate, a cluster holds twice what its observation takes.
var DefaultLimits = Limits{
	MaxPages:       5_000,
	MaxItems:       250_000,
	MaxBodyBytes:   32 << 20,
	MaxBodiesBytes: 1 << 30,
	MaxHeldBytes:   128 << 20,
	RequestTimeout: 30 * time.Second,
}

// Call is one request and what came of it, for metrics.
type Call struct {
	Operation string
	// StatusCode is the HTTP status, 0 if no answer came.
	StatusCode int
	// Duration is the time from sending to the end of reading the body. The
	// wait for the budget is not in it.
	Duration  time.Duration
	RateLimit RateLimit
	// RetryAfter is how long the answer asked to wait, between 0 and MaxWait.
	RetryAfter time.Duration
	RequestID  string

	// sentWith identifies the authorization that the request carried.
	sentWith mark
}

// Options is what a Client is made from.
type Options struct {
	// Endpoint is where the API is, see ParseEndpoint.
	Endpoint string
	// Credential is sent with every request, to the endpoint's origin only.
	Credential Credential
	// Tokens gives the token that is sent in place of Credential. If it is nil, Credential
	// is used.
	Tokens *TokenSource
	// UserAgent names the program and its version.
	UserAgent string
	// Transport does the exchanges; nil takes one shared by all clients. It
	// sees the credential.
	Transport Transport
	// Limits bound each listing.
	Limits Limits
	// Retry bounds asking for a page again, and every wait.
	Retry Retry
	// Budget is asked before every request; nil asks nothing.
	Budget *budget.Budget
	// Observe, if not nil, is called after every request. Calls may come from several
	// goroutines at once.
	Observe func(Call)

	// clock and room are set in tests only.
	clock *clock
	room  *room
}

// authorizer gives requests their authorization. It is made of closures, so that
// printing a Client does not print the credential.
type authorizer struct {
	// value returns the authorization as it is now.
	value func() authorization
	// refresh has the value replaced by the client if it is not good for some time to come.
	refresh func(context.Context, *Client) error
	// renew has a value replaced that the cloud refused, and reports whether there is
	// another one now.
	renew func(ctx context.Context, c *Client, refused mark) (bool, error)
	// advice is the way out if the cloud refuses the credential, by class. If it is nil,
	// the advice for API keys is right.
	advice map[Class]string
}

// Client reads the inventory behind one endpoint with one credential. It is
// safe for concurrent use and needs no closing.
type Client struct {
	base   *url.URL
	origin string
	auth   authorizer
	// guard sends requests. There is no http.Client around it: that would
	// follow redirects on its own, unbudgeted, and repeat URLs in its errors.
	guard   *guard
	limits  Limits
	room    *room
	retry   Retry
	clock   clock
	budget  *budget.Budget
	observe func(Call)
}

// New returns a Client, or an error that names the option at fault and what to
// give instead. It sends nothing.
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

// Authorize sees to it that requests can be sent: it gets a token if tokens are used and
// there is none that is good for some time to come. Errors are those of TokenSource.
func (c *Client) Authorize(ctx context.Context) error { return c.auth.refresh(ctx, c) }

// authorizer returns that of the Tokens, or of the Credential.
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
