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

// Limits has the limits of one listing. A listing reads all pages of one list of cloud objects. It
// fails if it exceeds a limit. If a field is 0, the same field of DefaultLimits applies.
type Limits struct {
	// MaxPages is the largest number of pages of one listing.
	MaxPages int
	// MaxItems is the largest number of items of one listing.
	MaxItems int
	// MaxBodyBytes is the largest size of one page in bytes, after decompression.
	MaxBodyBytes int64
	// MaxBodiesBytes is the largest total size of all pages of one listing, in bytes. If the client
	// requests a page twice, the page counts twice.
	MaxBodiesBytes int64
	// MaxHeldBytes limits the estimated memory of the items of one listing, in bytes. Known items
	// do not count, see Item.Known.
	MaxHeldBytes int64
	// RequestTimeout is the longest time of one request, including the time for reading and
	// decoding the answer.
	RequestTimeout time.Duration
}

// DefaultLimits has the default of each limit. The limits are far above the size of every known
// environment. They also protect the memory: a manager with 20,000 observations stays below its
// default memory limit, even if the cloud sends far too much.
var DefaultLimits = Limits{
	MaxPages:       5_000,
	MaxItems:       250_000,
	MaxBodyBytes:   32 << 20,
	MaxBodiesBytes: 1 << 30,
	MaxHeldBytes:   128 << 20,
	RequestTimeout: 30 * time.Second,
}

// Call describes one request to the cloud and the cloud's answer. The client passes each Call to
// Options.Observe, for the metrics.
type Call struct {
	Operation string
	// StatusCode is the HTTP status; 0 if no answer came.
	StatusCode int
	// Duration is the time from the start of the request to the end of the answer.
	Duration  time.Duration
	RateLimit RateLimit
	// RetryAfter is how long the answer asked the client to wait; 0 if it did not ask. A wait
	// longer than MaxWait becomes MaxWait.
	RetryAfter time.Duration
	RequestID  string

	// sentWith identifies the API key or token of the request.
	sentWith mark
}

// Options are the input of New.
type Options struct {
	// Endpoint is the URL of the API, see ParseEndpoint.
	Endpoint string
	// Credential is the API key to send with every request. If Tokens is not nil, Credential is not
	// used.
	Credential Credential
	// Tokens provides the access tokens to send with the requests. If Tokens is nil, Credential is
	// sent.
	Tokens *TokenSource
	// UserAgent names the program and its version.
	UserAgent string
	// Transport sends the requests. If Transport is nil, a default transport is used.
	Transport Transport
	// Limits has the limits of each listing.
	Limits Limits
	// Retry limits the attempts for each page, and the waits between the attempts.
	Retry Retry
	// Budget limits the rate of the requests. nil means no limit.
	Budget *budget.Budget
	// Observe is called after every request, possibly by several goroutines at once. It may be nil.
	Observe func(Call)

	// The fields clock and memory are for tests. In production, they are nil.
	clock  *clock
	memory *memoryLimit
}

// authorizer provides the API key or token for requests. The secrets are inside functions, so that
// a printed Client does not show them.
type authorizer struct {
	// currentAuth returns the API key or token to send now.
	currentAuth func() authorization
	// ensureToken gets a token if there is none, or if the present token expires soon.
	ensureToken func(context.Context, *Client) error
	// tokenAccepted records that the cloud accepted a token for an API operation, such as
	// "listCmkV2Clusters". If the cloud refuses the same token later, renewToken reads this record.
	tokenAccepted func(c *Client, operation string, tokenID mark)
	// renewToken replaces a token that the cloud refused for an API operation. It returns true if
	// there is a new token.
	renewToken func(ctx context.Context, c *Client, operation string, refusedID mark) (bool, error)
	// adviceByClass says what a person can do if the cloud refuses the token. The map key is the
	// class of the error, such as Forbidden. If the client sends an API key, the map is nil.
	adviceByClass map[Class]string
}

// Client reads the lists of cloud objects from one endpoint, with one API key or one TokenSource.
// It is safe for concurrent use. It need not be closed.
type Client struct {
	base   *url.URL
	origin string
	auth   authorizer
	// guard sends the requests. http.Client is not used, because it follows redirects by itself and
	// repeats URLs in its errors.
	guard   *guard
	limits  Limits
	memory  *memoryLimit
	retry   Retry
	clock   clock
	budget  *budget.Budget
	observe func(Call)
}

// New returns a Client, or an error that names the wrong option. It sends no request.
func New(o Options) (*Client, error) {
	base, err := ParseEndpoint(o.Endpoint)
	if err != nil {
		return nil, fmt.Errorf("cloudapi: Options.Endpoint: %w", err)
	}
	auth, err := o.newAuthorizer()
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
		memory:  o.memory,
		retry:   retry,
		clock:   realClock,
		budget:  o.Budget,
		observe: o.Observe,
	}
	if c.memory == nil {
		c.memory = processMemory()
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

// Authorize makes sure that the client has a valid token. If the client uses an API key, Authorize
// does nothing. The error is an *Error, or an error that TokenOptions.Subject returned.
func (c *Client) Authorize(ctx context.Context) error { return c.auth.ensureToken(ctx, c) }

// newAuthorizer returns an authorizer for the access tokens of Options.Tokens. If Options.Tokens is
// nil, the authorizer is for the API key in Options.Credential, and an invalid API key is an error.
func (o Options) newAuthorizer() (authorizer, error) {
	if o.Tokens != nil {
		return o.Tokens.newAuthorizer(), nil
	}
	return o.Credential.newAuthorizer(), o.Credential.validate()
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
