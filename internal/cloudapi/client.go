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

// Waiter is asked before every request, redirects included, and returns when
// the request may be sent. An error means it may not be sent at all. A *rate.Limiter of
// golang.org/x/time/rate is one; so is a *budget.Budget, which is a Lessor too.
type Waiter interface {
	Wait(ctx context.Context) error
}

// Lessor is a Waiter that is told of the end of each request it let go.
type Lessor interface {
	Waiter
	// Lease waits no longer than most. The caller calls settle once, with what came of
	// the request.
	Lease(ctx context.Context, most time.Duration) (settle func(budget.Answer), err error)
}

// leaser returns the Lease function of any Waiter, nil among them.
func leaser(w Waiter) func(context.Context, time.Duration) (func(budget.Answer), error) {
	if l, ok := w.(Lessor); ok {
		return l.Lease
	}
	return func(ctx context.Context, _ time.Duration) (settle func(budget.Answer), err error) {
		if w != nil {
			err = w.Wait(ctx)
		}
		return func(budget.Answer) {}, err
	}
}

// Limits bound what one listing may take in. A zero field takes the field of
// DefaultLimits. Past any limit a listing fails; nothing is dropped.
type Limits struct {
	// MaxPages is the number of pages of one listing.
	MaxPages int
	// MaxItems is the number of items of one listing.
	MaxItems int
	// MaxBodyBytes is the size of one page's body in bytes, after
	// decompression.
	MaxBodyBytes int64
	// RequestTimeout is how long one request may take, its whole answer included. It
	// is shorter where the listing has less than twice as much time left, so that a
	// page which hangs can be asked for again.
	RequestTimeout time.Duration
}

// DefaultLimits are far above any inventory known, and low enough that a
// runaway answer cannot exhaust the process.
var DefaultLimits = Limits{MaxPages: 5_000, MaxItems: 250_000, MaxBodyBytes: 32 << 20, RequestTimeout: 30 * time.Second}

// Call is one request and what came of it, for metrics.
type Call struct {
	Operation string
	// StatusCode is the HTTP status, 0 where no answer came.
	StatusCode int
	// Duration is the time from sending to the end of reading the body. The
	// wait for the budget is not in it.
	Duration  time.Duration
	RateLimit RateLimit
	// RetryAfter is how long the answer asked to wait, between 0 and MaxWait.
	RetryAfter time.Duration
	RequestID  string
}

// Options is what a Client is made from.
type Options struct {
	// Endpoint is where the API is, see ParseEndpoint.
	Endpoint string
	// Credential is sent with every request, to the endpoint's origin only.
	Credential Credential
	// Tokens gives the token that is sent in place of Credential; nil where that is used.
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
	Budget Waiter
	// Observe is told of every request after it; nil is told nothing. It is
	// called from the goroutine of the listing.
	Observe func(Call)

	// clock is set in tests only.
	clock *clock
}

// authorizer gives requests their Authorization header. It is made of closures, so that
// printing a Client does not print the credential.
type authorizer struct {
	// value returns the header's value as it is now.
	value func() string
	// fresh sees to it that the value is good for some time to come.
	fresh func(ctx context.Context) error
	// renew replaces a value that the cloud refused, and reports whether there is another
	// now.
	renew func(ctx context.Context, refused string) (bool, error)
	// cleaner returns what makes the cloud's words fit to show, of a request with that page
	// token.
	cleaner func(pageToken string) cleaner
	// advice says the way out where the cloud refuses the credential, by class; nil where it
	// is that of API keys.
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
	retry   Retry
	clock   clock
	lease   func(context.Context, time.Duration) (func(budget.Answer), error)
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
	origin := base.Scheme + "://" + base.Host
	transport := o.Transport
	if transport == nil {
		transport = defaultTransport()
	}
	clock := realClock
	if o.clock != nil {
		clock = *o.clock
	}
	return &Client{
		base:    base,
		origin:  origin,
		auth:    auth,
		guard:   newGuard(origin, auth.value, o.UserAgent, transport),
		limits:  limits,
		retry:   retry,
		clock:   clock,
		lease:   leaser(o.Budget),
		observe: o.Observe,
	}, nil
}

// Authorize sees to it that requests can be sent: it gets a token where one is used and
// there is none that is good for some time to come. Errors are those of TokenSource.
func (c *Client) Authorize(ctx context.Context) error { return c.auth.fresh(ctx) }

// authorizer returns that of the Tokens, or of the Credential.
func (o Options) authorizer() (authorizer, error) {
	if o.Tokens != nil {
		return o.Tokens.authorizer(), nil
	}
	return o.Credential.authorizer(), o.Credential.validate()
}

// orDefault fills in the default limits.
func (l Limits) orDefault() (Limits, error) {
	if l.MaxPages < 0 || l.MaxItems < 0 || l.MaxBodyBytes < 0 || l.RequestTimeout < 0 {
		return l, errors.New("Limits has a negative field; give a positive limit, or 0 for the default")
	}
	return Limits{
		MaxPages:       cmp.Or(l.MaxPages, DefaultLimits.MaxPages),
		MaxItems:       cmp.Or(l.MaxItems, DefaultLimits.MaxItems),
		MaxBodyBytes:   cmp.Or(l.MaxBodyBytes, DefaultLimits.MaxBodyBytes),
		RequestTimeout: cmp.Or(l.RequestTimeout, DefaultLimits.RequestTimeout),
	}, nil
}
