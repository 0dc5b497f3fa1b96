// SPDX-License-Identifier: Apache-2.0

package cloudapi

import (
	"cmp"
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

	"github.com/ccloud-dev/inventory-operator/internal/cloudapi/budget"
)

// OperationExchange is the API's name for the request that gets an access token.
const OperationExchange = "exchangeStsV1OauthToken"

const (
	// renewBefore is the time from the replacement of a token to the end of the token's life. If
	// the life is less than two minutes in all, the token is replaced after half of its life.
	renewBefore = time.Minute
	// renewAgain is how long to wait after a failed token exchange before the next token exchange.
	// The wait applies only while the old token is still valid.
	renewAgain = 10 * time.Second
	// exchangeTimeout is the longest time for a token exchange, including retries.
	exchangeTimeout = time.Minute
	// renewRefused is the least time between two exchanges if the cloud refuses each new token.
	// Without this limit, every refused request would cause an exchange.
	renewRefused = time.Minute
)

// TokenOptions are the input of NewTokenSource.
type TokenOptions struct {
	// Endpoint is the URL of the token exchange.
	Endpoint string
	// IdentityPool is the ID of the identity pool that gives the token its rights.
	IdentityPool string
	// Subject returns the token to exchange, such as the token of a ServiceAccount. It is called
	// once for each exchange. If Subject fails, the exchange fails with the same error.
	Subject func(context.Context) (string, error)
	// Budget limits the rate of the exchanges. If the exchanges and the listings have separate
	// budgets, a pause of the exchanges does not delay the listings that have a valid token. nil
	// means the budget of the Client that needs the token.
	Budget *budget.Budget
	// Now returns the current time. nil means time.Now.
	Now func() time.Time
}

// TokenSource gets access tokens by token exchange (RFC 8693). All clients of a TokenSource share
// the newest token. If several clients need a new token at the same time, they wait for the same
// exchange. A TokenSource is safe for concurrent use.
type TokenSource struct {
	at      *url.URL
	origin  string
	pool    string
	subject func(context.Context) (string, error)
	budget  *budget.Budget
	now     func() time.Time
	// runningExchange is the exchange that has not ended yet; nil if there is none. mu guards this
	// field.
	mu              sync.Mutex
	runningExchange *tokenExchange
	// currentToken is the newest token; nil if there was no token yet.
	currentToken atomic.Pointer[token]
}

// token is an access token.
type token struct {
	authorization
	// renewAt is when the token should be replaced. endsAt is when the token becomes invalid.
	renewAt, endsAt time.Time
	// keepUntil is set only if this token replaced a refused token. If the cloud then refuses this
	// token for an operation, renewToken keeps this token until keepUntil. But if this token worked
	// earlier for this operation, renewToken replaces this token at once.
	keepUntil time.Time
	// workedFor has the operations for which the cloud accepted the token. operationKey makes the
	// map keys.
	workedFor *sync.Map
}

// operationKey returns a map key for an operation at the client's endpoint. The cloud may accept a
// token for one operation and refuse the same token for another operation.
func operationKey(c *Client, operation string) string { return c.origin + " " + operation }

// NewTokenSource returns a TokenSource, or an error if an option is wrong. It sends no request.
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
	return &TokenSource{at: at, origin: at.Scheme + "://" + at.Host, pool: o.IdentityPool, subject: o.Subject, budget: o.Budget, now: now}, nil
}

// Format prints a placeholder for every verb, so that fmt never prints a token.
func (t *TokenSource) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redactedText) }

// LogValue returns a placeholder.
func (t *TokenSource) LogValue() slog.Value { return slog.StringValue(redactedText) }

// MarshalJSON returns a placeholder.
func (t *TokenSource) MarshalJSON() ([]byte, error) { return []byte(`"` + redactedText + `"`), nil }

// tokenAdvice says what a person can do if the cloud refuses a token. The map key is the class of
// the error.
var tokenAdvice = map[Class]string{
	Unauthenticated: "the identity pool's token was refused although it was just renewed; check that the pool is of this endpoint's organization",
	Forbidden:       "the identity pool needs a role that may see this environment",
}

func (t *TokenSource) newAuthorizer() authorizer {
	return authorizer{currentAuth: t.currentAuth, ensureToken: t.ensureToken, tokenAccepted: t.tokenAccepted, renewToken: t.renewToken, adviceByClass: tokenAdvice}
}

func (t *TokenSource) currentAuth() authorization {
	if current := t.currentToken.Load(); current != nil {
		return current.authorization
	}
	return authorization{}
}

// ensureToken makes sure that there is a valid token. If there is none, ensureToken waits for a new
// token. If the valid token has reached its renewAt, ensureToken starts an exchange and does not
// wait for the new token.
func (t *TokenSource) ensureToken(ctx context.Context, c *Client) error {
	current := t.currentToken.Load()
	switch now := t.now(); {
	case current == nil || !now.Before(current.endsAt):
		return t.replaceToken(ctx, c, current, false)
	case !now.Before(current.renewAt):
		t.mu.Lock()
		defer t.mu.Unlock()
		t.startExchange(ctx, c, current, false)
	}
	return nil
}

// tokenAccepted records that the cloud accepted a token for an operation. id identifies the token.
func (t *TokenSource) tokenAccepted(c *Client, operation string, id mark) {
	if current := t.currentToken.Load(); current != nil && current.id == id {
		current.workedFor.Store(operationKey(c, operation), true)
	}
}

// renewToken replaces a token that the cloud refused for an operation. refusedID identifies this
// token. The result is true if there is a new token. In two cases, renewToken does not ask the
// cloud for a new token:
//
//   - Another caller has already replaced the refused token. renewToken returns true.
//   - The refused token is less than a minute old. It replaced an older token that the cloud also
//     refused, and it never worked for this operation. renewToken returns false, because one more
//     token would not help.
func (t *TokenSource) renewToken(ctx context.Context, c *Client, operation string, refusedID mark) (bool, error) {
	current := t.currentToken.Load()
	switch {
	case current != nil && current.id != refusedID:
		return true, nil
	case current != nil && t.now().Before(current.keepUntil):
		if _, worked := current.workedFor.Load(operationKey(c, operation)); !worked {
			return false, nil
		}
	}
	err := t.replaceToken(ctx, c, current, true)
	return err == nil, err
}

// tokenExchange is one token exchange. Lock TokenSource.mu to use the field named waiting.
type tokenExchange struct {
	// doneCh is closed when the exchange ends. Only then may a caller read err.
	doneCh  chan struct{}
	err     error
	waiting int
	cancel  context.CancelFunc
}

// replaceToken gets a new token and waits for it. Callers that wait at the same time share one
// exchange. The exchange is canceled when all these callers have given up.
//
// oldToken is the token to replace. wasRefused is true if the cloud refused oldToken.
func (t *TokenSource) replaceToken(ctx context.Context, c *Client, oldToken *token, wasRefused bool) error {
	t.mu.Lock()
	under := t.startExchange(ctx, c, oldToken, wasRefused)
	if under == nil { // Another caller replaced the token in between.
		t.mu.Unlock()
		return nil
	}
	under.waiting++
	t.mu.Unlock()
	select {
	case <-under.doneCh:
		return under.err
	case <-ctx.Done():
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if under.waiting--; under.waiting == 0 {
		under.cancel()
		t.endExchange(under)
	}
	return withCall(Call{Operation: OperationExchange}, contextError(ctx))
}

// startExchange starts an exchange that gets a new token, and does not wait for its end. The caller
// must hold t.mu.
//
//   - oldToken is the token to replace. wasRefused is true if the cloud refused oldToken.
//   - If an exchange is already under way, startExchange returns this exchange.
//   - If no exchange is under way and oldToken has already been replaced, startExchange returns
//     nil.
//   - If ctx is canceled, the exchange goes on.
func (t *TokenSource) startExchange(ctx context.Context, c *Client, oldToken *token, wasRefused bool) *tokenExchange {
	if t.runningExchange != nil || t.currentToken.Load() != oldToken {
		return t.runningExchange
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), exchangeTimeout)
	under := &tokenExchange{doneCh: make(chan struct{}), cancel: cancel}
	t.runningExchange = under
	go func() {
		defer cancel()
		next, err := t.exchangeToken(ctx, c)
		t.mu.Lock()
		defer t.mu.Unlock()
		switch now := t.now(); {
		case err == nil && wasRefused:
			next.keepUntil = now.Add(renewRefused)
			fallthrough
		case err == nil:
			t.currentToken.Store(next)
		case oldToken != nil && !now.Before(oldToken.renewAt):
			later := *oldToken
			later.renewAt = now.Add(renewAgain)
			t.currentToken.CompareAndSwap(oldToken, &later)
		}
		under.err = err
		close(under.doneCh)
		t.endExchange(under)
	}()
	return under
}

// endExchange records that an exchange has ended, so that the next caller can start another
// exchange. The caller must hold t.mu.
func (t *TokenSource) endExchange(under *tokenExchange) {
	if t.runningExchange == under {
		t.runningExchange = nil
	}
}

// exchangeToken gets a token from TokenOptions.Subject, sends this token to the cloud, and returns
// the access token from the cloud's answer.
func (t *TokenSource) exchangeToken(ctx context.Context, c *Client) (*token, error) {
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
	exchanger.origin, exchanger.budget = t.origin, cmp.Or(t.budget, c.budget)
	exchanger.guard = &guard{origin: t.origin, exchangeURL: t.at.String(), userAgent: c.guard.userAgent, next: c.guard.next}
	exchanger.auth.currentAuth = func() authorization { return hidden }
	var next *token
	err = exchanger.doWithRetries(ctx, canRetryExchange, func() error {
		sentAt := t.now()
		call, redirect, err := exchanger.sendRequest(ctx, OperationExchange, "", func(_ context.Context, resp *http.Response) (err error) {
			next, err = readToken(resp, sentAt, hidden)
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

// canRetryExchange reports whether a failed exchange is worth a second try soon. The result is true
// even for HTTP 400, 401 and 403, because the cloud sometimes refuses a correct exchange.
func canRetryExchange(e *Error) bool {
	switch e.Class {
	case Unauthenticated, Forbidden, InvalidRequest:
		return e.StatusCode == http.StatusBadRequest || e.StatusCode == http.StatusUnauthorized || e.StatusCode == http.StatusForbidden
	}
	return canRetryRequest(e)
}

// withExchangeAdvice changes the advice in the error of a token exchange. The original advice fits
// only the requests that list objects:
//
//   - If the server answered, withExchangeAdvice removes the advice.
//   - If no answer came, withExchangeAdvice replaces spec.endpoint in the advice with the field
//     tokenEndpoint.
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
