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

// Limits bounds a listing. A zero field means the value in DefaultLimits. A listing that exceeds a
// limit fails; it does not drop items.
type Limits struct {
	// MaxPages is the largest number of pages of one listing.
	MaxPages int
	// MaxItems is the largest number of items of one listing.
	MaxItems int
	// MaxBodyBytes is the largest size of one page's body in bytes, after decompression. A page is
	// decoded while it comes in, so it is never in memory as a whole.
	MaxBodyBytes int64
	// MaxBodiesBytes is the largest total size of the pages of one listing, in bytes. A page that
	// is requested again counts again.
	MaxBodiesBytes int64
	// MaxHeldBytes bounds the estimated memory of the projected items of one listing, in bytes. All
	// listings of a process together have another bound, see room.
	MaxHeldBytes int64
	// RequestTimeout is how long one request may take. This includes reading and decoding the
	// answer. If the listing has less than twice this time left, the request gets only half of the
	// time left. So if a page hangs, there is time to request it again.
	RequestTimeout time.Duration
}

// DefaultLimits are far above any known inventory. Yet they are low enough: no answer can make a
// manager with 20,000 observations exceed its default memory limit. For MaxHeldBytes, a cluster
// counts as twice the size of its observation.
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
	// StatusCode is the HTTP status; 0 if no answer came.
	StatusCode int
	// Duration is the time from sending the request to the end of reading the body. It does not
	// include the wait for the budget.
	Duration  time.Duration
	RateLimit RateLimit
	// RetryAfter is the wait that the answer asked for, between 0 and MaxWait.
	RetryAfter time.Duration
	RequestID  string

	// sentWith identifies the authorization that the request carried.
	sentWith mark
}

// Options are the input of New.
type Options struct {
	// Endpoint is the address of the API, see ParseEndpoint.
	Endpoint string
	// Credential is sent with every request, unless Tokens is set. It goes only to the endpoint's
	// origin.
	Credential Credential
	// Tokens provides the token that is sent instead of Credential. If Tokens is nil, Credential is
	// sent.
	Tokens *TokenSource
	// UserAgent names the program and its version.
	UserAgent string
	// Transport sends the requests. It sees the credential. If Transport is nil, the client uses a
	// default transport, which it shares with other clients.
	Transport Transport
	// Limits bound each listing.
	Limits Limits
	// Retry bounds how often a page is requested, and how long each wait is.
	Retry Retry
	// Budget is asked before every request. If Budget is nil, requests do not wait for a budget.
	Budget *budget.Budget
	// Observe is called after every request. It may be nil. Several goroutines may call it at once.
	Observe func(Call)

	// clock and room are set in tests only.
	clock *clock
	room  *room
}

// authorizer provides the authorization of requests. Its fields are functions, so that a printed
// Client does not show the credential.
type authorizer struct {
	// value returns the authorization to use now.
	value func() authorization
	// refresh gets an authorization if there is none, and replaces one that ends soon.
	refresh func(context.Context, *Client) error
	// renew replaces an authorization that the cloud refused. worked says that the cloud accepted the
	// same authorization before. renew returns true if there is another authorization now.
	renew func(ctx context.Context, c *Client, refused mark, worked bool) (bool, error)
	// advice maps the class of an error to what a person can do if the cloud refuses the
	// credential. If advice is nil, the advice for API keys applies.
	advice map[Class]string
}

// Client reads the inventory of one endpoint with one credential. It is safe for concurrent use. A
// Client need not be closed.
type Client struct {
	base   *url.URL
	origin string
	auth   authorizer
	// guard sends the requests. No http.Client is used: it would follow redirects without asking
	// the budget, and its errors would repeat URLs.
	guard   *guard
	limits  Limits
	room    *room
	retry   Retry
	clock   clock
	budget  *budget.Budget
	observe func(Call)
}

// New returns a Client. If an option is wrong, the error names the option and says what to give
// instead. New sends nothing.
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

// Authorize gets a token if the client uses tokens and has none, or if its token ends soon. With an
// API key it does nothing. The error is that of TokenOptions.Subject, or an *Error of the exchange.
func (c *Client) Authorize(ctx context.Context) error { return c.auth.refresh(ctx, c) }

// authorizer returns the authorizer of Tokens. If Tokens is nil, it returns the authorizer of
// Credential, and an error if Credential can never work.
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
