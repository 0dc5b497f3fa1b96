// SPDX-License-Identifier: Apache-2.0

package cloudapi

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// OperationExchange is the API's name for the exchange of a token. Source: sts/v1.
const OperationExchange = "exchangeStsV1OauthToken"

const (
	// renewBefore is the time between the replacement of a token and its end. If a token is valid
	// for less than twice this time, it is replaced after half of its life.
	renewBefore = time.Minute
	// renewAgain is the wait after a failed replacement, while the old token is still valid.
	renewAgain = 10 * time.Second
	// exchangeTimeout is how long one exchange may take, including its retries. The timeout of the
	// caller does not apply, because other callers may wait for the same token.
	exchangeTimeout = time.Minute
	// renewRefused is the least time between two exchanges that only replace a refused token. If the
	// cloud refuses the new token too, another one is probably of no use, and all clients would ask
	// for one.
	renewRefused = time.Minute
)

// TokenOptions are the input of NewTokenSource.
type TokenOptions struct {
	// Endpoint is the URL of the exchange, with its path.
	Endpoint string
	// IdentityPool is the ID of the pool that gives the token its rights.
	IdentityPool string
	// Subject returns the token to exchange, such as the token of a ServiceAccount. It is called
	// once for each exchange, in the goroutine of the exchange. Its errors are returned unchanged.
	Subject func(context.Context) (string, error)
	// Now returns the current time. If Now is nil, time.Now is used.
	Now func() time.Time
}

// TokenSource gets tokens by token exchange (RFC 8693) and keeps the last token in memory. All
// clients of a TokenSource share this token. If several clients need a new token, they wait for the
// same exchange. While the present token is valid, they use it and do not wait. An exchange counts
// against the budget of the client that begins it. A TokenSource is safe for concurrent use. It
// prints as a placeholder, without the token.
type TokenSource struct {
	at      *url.URL
	origin  string
	pool    string
	subject func(context.Context) (string, error)
	now     func() time.Time
	// running is the exchange under way; nil if there is none. mu guards it.
	mu      sync.Mutex
	running *underWay
	// current is the last token; nil before the first.
	current atomic.Pointer[token]
}

// token is an access token.
type token struct {
	authorization
	// renew is the time to replace the token. ends is the time when the token is no longer valid.
	renew, ends time.Time
	// final is zero, or the time until which a refusal does not replace the token, because the token
	// itself replaced a refused one.
	final time.Time
}

// NewTokenSource returns a TokenSource. If an option is wrong, the error says what is wrong.
// NewTokenSource sends nothing.
func NewTokenSource(o TokenOptions) (*TokenSource, error) {
	at, err := ParseEndpoint(o.Endpoint)
	if err != nil {
		return nil, fmt.Errorf("token %w", err)
	}
	if o.Subject == nil {
		return nil, errors.New("cloudapi: TokenOptions lacks Subject")
	}
	now := o.Now
	if now == nil {
		now = time.Now
	}
	return &TokenSource{at: at, origin: at.Scheme + "://" + at.Host, pool: o.IdentityPool, subject: o.Subject, now: now}, nil
}

// Format prints a placeholder for every verb of package fmt.
func (t *TokenSource) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// LogValue returns a placeholder.
func (t *TokenSource) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalJSON returns a placeholder.
func (t *TokenSource) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }

// tokenAdvice says what a person can do if the cloud refuses a token.
var tokenAdvice = map[Class]string{
	Unauthenticated: "the identity pool's token was refused although it was just renewed; check that the pool is of this endpoint's organization",
	Forbidden:       "the identity pool needs a role that may see this environment",
}

func (t *TokenSource) authorizer() authorizer {
	return authorizer{value: t.value, refresh: t.refresh, renew: t.renew, advice: tokenAdvice}
}

func (t *TokenSource) value() authorization {
	if current := t.current.Load(); current != nil {
		return current.authorization
	}
	return authorization{}
}

// refresh gets a new token through c if there is none that is valid, and waits for it. If it is only
// time to replace the present token, refresh begins the exchange and does not wait: the present
// token is good enough, whether the exchange fails or hangs. Errors are those of Subject, or an
// *Error of the exchange.
func (t *TokenSource) refresh(ctx context.Context, c *Client) error {
	current := t.current.Load()
	switch now := t.now(); {
	case current == nil || !now.Before(current.ends):
		return t.replace(ctx, c, current, false)
	case !now.Before(current.renew):
		t.mu.Lock()
		defer t.mu.Unlock()
		t.begin(ctx, c, current, false)
	}
	return nil
}

// renew replaces a token that the cloud refused, through c. refused identifies this token. worked
// says that the cloud accepted the same token before. renew returns true if there is another token
// now. If another client has already replaced the refused token, there is no second exchange: the
// cloud refuses a shared token for all its clients at once, and one exchange is enough for all of
// them. If the refused token never worked and is itself the result of renew, renew makes no further
// exchange for some time, see renewRefused.
func (t *TokenSource) renew(ctx context.Context, c *Client, refused mark, worked bool) (bool, error) {
	current := t.current.Load()
	switch {
	case current != nil && current.id != refused:
		return true, nil
	case current != nil && !worked && t.now().Before(current.final):
		return false, nil
	}
	err := t.replace(ctx, c, current, true)
	return err == nil, err
}

// underWay is an exchange for which callers wait. TokenSource.mu guards its fields.
type underWay struct {
	// done is closed when err is set.
	done    chan struct{}
	err     error
	waiting int
	cancel  context.CancelFunc
}

// replace gets a new token instead of current. refused says that the cloud refused current. If an
// exchange is under way already, replace waits for that exchange. If a caller gives up, the exchange
// ends only if no other caller waits for it.
func (t *TokenSource) replace(ctx context.Context, c *Client, current *token, refused bool) error {
	t.mu.Lock()
	under := t.begin(ctx, c, current, refused)
	if under == nil { // Another caller replaced the token in between.
		t.mu.Unlock()
		return nil
	}
	under.waiting++
	t.mu.Unlock()
	select {
	case <-under.done:
		return under.err
	case <-ctx.Done():
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if under.waiting--; under.waiting == 0 {
		under.cancel()
		t.end(under)
	}
	return withCall(Call{Operation: OperationExchange}, gaveUp(ctx))
}

// begin begins an exchange to replace current, unless one is under way or current is replaced
// already. It returns the exchange under way; nil if there is none. The exchange has a timeout of its
// own: it does not end when ctx ends. refused says that the cloud refused current. t.mu must be held.
func (t *TokenSource) begin(ctx context.Context, c *Client, current *token, refused bool) *underWay {
	if t.running != nil || t.current.Load() != current {
		return t.running
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), exchangeTimeout)
	under := &underWay{done: make(chan struct{}), cancel: cancel}
	t.running = under
	go func() {
		defer cancel()
		next, err := t.exchange(ctx, c)
		t.mu.Lock()
		defer t.mu.Unlock()
		switch now := t.now(); {
		case err == nil && refused:
			next.final = now.Add(renewRefused)
			fallthrough
		case err == nil:
			t.current.Store(next)
		case current != nil && !now.Before(current.renew):
			t.current.CompareAndSwap(current, &token{current.authorization, now.Add(renewAgain), current.ends, current.final})
		}
		under.err = err
		close(under.done)
		t.end(under)
	}()
	return under
}

// end removes an exchange that is over, so that the next caller begins a new one. t.mu must be
// held.
func (t *TokenSource) end(under *underWay) {
	if t.running == under {
		t.running = nil
	}
}

// exchange makes one exchange and returns its token.
func (t *TokenSource) exchange(ctx context.Context, c *Client) (*token, error) {
	subject, err := t.subject(ctx)
	if err != nil {
		return nil, err
	}
	form := url.Values{
		"grant_type":           {"urn:ietf:params:oauth:grant-type:token-exchange"},
		"subject_token":        {subject},
		"subject_token_type":   {"urn:ietf:params:oauth:token-type:jwt"},
		"requested_token_type": {"urn:ietf:params:oauth:token-type:access_token"},
		"identity_pool_id":     {t.pool},
	}.Encode()
	hidden := newAuthorization("", longEnough(subject)...)
	exchanger := *c
	exchanger.origin = t.origin
	exchanger.guard = &guard{origin: t.origin, exchange: t.at.String(), userAgent: c.guard.userAgent, next: c.guard.next}
	exchanger.auth.value = func() authorization { return hidden }
	var next *token
	err = exchanger.persist(ctx, refusedInPassing, func() error {
		asked := t.now()
		call, redirect, err := exchanger.send(ctx, OperationExchange, "", func(_ context.Context, resp *http.Response) (err error) {
			next, err = readToken(resp, asked, hidden)
			return err
		}, func(ctx context.Context) (*http.Request, error) {
			req, err := http.NewRequestWithContext(ctx, http.MethodPost, t.at.String(), strings.NewReader(form))
			if err == nil {
				req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			}
			return req, err
		})
		if redirect != nil {
			return withCall(call, newError(Malformed, "redirect refused: the exchange answers itself"))
		}
		return withExchangeAdvice(err)
	})
	return next, err
}

// refusedInPassing reports whether a retry of the same exchange can help soon. This includes
// refusals with HTTP 400, 401 and 403: the cloud refuses a few exchanges in a hundred for no
// lasting reason. For example, it may not have read new keys of the identity provider yet.
func refusedInPassing(e *Error) bool {
	switch e.Class {
	case Unauthenticated, Forbidden, InvalidRequest:
		return e.StatusCode == http.StatusBadRequest || e.StatusCode == http.StatusUnauthorized || e.StatusCode == http.StatusForbidden
	}
	return mayPass(e)
}

// withExchangeAdvice corrects the advice in the error of an exchange. If an answer came, it removes
// the advice, because that advice is about lists and API keys. If no answer came, the advice is
// about the connection. It stays, but names the field that has the address of the exchange.
func withExchangeAdvice(err error) error {
	e, ok := errors.AsType[*Error](err)
	switch {
	case !ok:
	case e.StatusCode != 0:
		e.Advice = ""
	default:
		e.Advice = strings.Replace(e.Advice, "spec.endpoint", "spec.credentials.workloadIdentity.tokenEndpoint", 1)
	}
	return err
}
