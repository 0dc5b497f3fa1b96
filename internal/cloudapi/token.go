// SPDX-License-Identifier: Apache-2.0

package cloudapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"
	"unicode"
)

// OperationExchange is the API's name of the exchange of a token. Source: sts/v1.
const OperationExchange = "exchangeStsV1OauthToken"

const (
	// defaultLife is how long a token is good for where the reply does not say: what the
	// exchange gives if it is asked for no other. Source: sts/v1, expires_in.
	defaultLife = 900 * time.Second
	// mostLife bounds what a reply says, so that a mistaken one is asked about again.
	mostLife = 24 * time.Hour
	// renewBefore is how long before its end a token is replaced; one that lives less than
	// twice as long, at half its life.
	renewBefore = time.Minute
	// renewAgain is when a token that could not be replaced and is still good is tried again.
	renewAgain = 10 * time.Second
	// maxReplyBytes bounds the reply of an exchange.
	maxReplyBytes = 1 << 20
)

// TokenOptions is what a TokenSource is made from.
type TokenOptions struct {
	// Endpoint is the URL of the exchange, with its path.
	Endpoint string
	// IdentityPool is the ID of the pool whose rights the token has.
	IdentityPool string
	// Subject returns the token to exchange, which says who asks. Its errors are returned as
	// they are.
	Subject func(context.Context) (string, error)
	// UserAgent, Transport, Budget, Retry and Observe are those of Options.
	UserAgent string
	Transport Transport
	Budget    Waiter
	Retry     Retry
	Observe   func(Call)
	// Now tells the time; nil takes the clock's.
	Now func() time.Time
}

// TokenSource gets tokens by exchange (RFC 8693) and keeps the last one, in memory. It is
// safe for concurrent use. However it is printed, no token shows.
type TokenSource struct {
	at      *url.URL
	pool    string
	subject func(context.Context) (string, error)
	now     func() time.Time
	// client sends the exchange, and nothing else.
	client *Client
	// turn is held by whoever exchanges.
	turn chan struct{}
	// current is the last token, nil before there is one.
	current atomic.Pointer[token]
}

// token is an access token.
type token struct {
	text string
	// renew is when to replace it, ends when it is no good any more.
	renew, ends time.Time
}

// NewTokenSource returns a TokenSource, or an error that says what is wrong with the
// endpoint. It sends nothing.
func NewTokenSource(o TokenOptions) (*TokenSource, error) {
	at, err := ParseEndpoint(o.Endpoint)
	if err != nil {
		return nil, fmt.Errorf("token %w", err)
	}
	if o.UserAgent == "" || strings.ContainsFunc(o.UserAgent, unicode.IsControl) || o.Subject == nil {
		return nil, errors.New("cloudapi: TokenOptions lacks UserAgent or Subject")
	}
	retry, err := o.Retry.orDefault()
	if err != nil {
		return nil, fmt.Errorf("cloudapi: TokenOptions.%w", err)
	}
	transport := o.Transport
	if transport == nil {
		transport = defaultTransport()
	}
	now := o.Now
	if now == nil {
		now = time.Now
	}
	origin := at.Scheme + "://" + at.Host
	return &TokenSource{
		at: at, pool: o.IdentityPool, subject: o.Subject, now: now, turn: make(chan struct{}, 1),
		client: &Client{
			origin: origin, guard: newExchangeGuard(origin, at, o.UserAgent, transport),
			limits: DefaultLimits, retry: retry, clock: realClock, lease: leaser(o.Budget), observe: o.Observe,
		},
	}, nil
}

// Format covers every verb of package fmt.
func (t *TokenSource) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// LogValue returns a placeholder.
func (t *TokenSource) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalJSON returns a placeholder.
func (t *TokenSource) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }

// tokenAdvice is the advice where a token is refused.
var tokenAdvice = map[Class]string{
	Unauthenticated: "the identity pool's token was refused although it was just renewed; check that the pool is of this endpoint's organization",
	Forbidden:       "the identity pool needs a role that may see this environment",
}

func (t *TokenSource) authorizer() authorizer {
	return authorizer{value: t.value, fresh: t.fresh, renew: t.renew, cleaner: t.cleaner, advice: tokenAdvice}
}

func (t *TokenSource) value() string {
	if current := t.current.Load(); current != nil {
		return "Bearer " + current.text
	}
	return ""
}

func (t *TokenSource) cleaner(pageToken string) cleaner {
	hidden := []string{pageToken}
	if current := t.current.Load(); current != nil {
		hidden = append(hidden, current.text)
	}
	return hiding(hidden...)
}

// fresh exchanges where there is no token, or where it is time to replace it. A token that
// cannot be replaced yet is used while it is good. Errors are Subject's, or an *Error of the
// exchange.
func (t *TokenSource) fresh(ctx context.Context) error {
	return t.replace(ctx, func(current *token) bool { return current != nil && t.now().Before(current.renew) })
}

// renew exchanges unless the token that was refused was replaced meanwhile.
func (t *TokenSource) renew(ctx context.Context, refused string) (bool, error) {
	err := t.replace(ctx, func(current *token) bool { return current != nil && "Bearer "+current.text != refused })
	return err == nil, err
}

// replace exchanges unless the token is good, one at a time. Errors are those of fresh.
func (t *TokenSource) replace(ctx context.Context, good func(*token) bool) error {
	if good(t.current.Load()) {
		return nil
	}
	select {
	case t.turn <- struct{}{}:
		defer func() { <-t.turn }()
	case <-ctx.Done():
		return name(Call{Operation: OperationExchange}, gaveUp(ctx))
	}
	current := t.current.Load()
	if good(current) { // By whoever exchanged before.
		return nil
	}
	next, err := t.exchange(ctx)
	switch {
	case err == nil:
		t.current.Store(next)
	case current != nil && !t.now().Before(current.renew) && t.now().Before(current.ends):
		t.current.Store(&token{current.text, t.now().Add(renewAgain), current.ends})
		return nil
	}
	return err
}

// exchange gets a token.
func (t *TokenSource) exchange(ctx context.Context) (*token, error) {
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
	var next *token
	err = t.client.persist(ctx, func() error {
		asked := t.now()
		call, redirect, err := t.client.send(ctx, OperationExchange, hiding(subject), func(resp *http.Response) (err error) {
			next, err = readToken(resp, asked)
			return err
		}, func(ctx context.Context) (*http.Request, error) {
			req, err := http.NewRequestWithContext(ctx, http.MethodPost, t.at.String(), strings.NewReader(form))
			if err == nil {
				req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			}
			return req, err
		})
		if redirect != nil {
			return name(call, newError(Malformed, "redirect refused: the exchange answers itself"))
		}
		return err
	})
	return next, err
}

// readToken reads the reply to an exchange that was asked for at a time.
func readToken(resp *http.Response, asked time.Time) (*token, error) {
	if !isJSON(resp.Header.Get("Content-Type")) {
		return nil, malformed("the media type is not JSON")
	}
	raw, err := io.ReadAll(io.LimitReader(resp.Body, maxReplyBytes))
	if err != nil {
		return nil, &readError{err}
	}
	var reply struct {
		AccessToken string   `json:"access_token"`
		TokenType   string   `json:"token_type"`
		ExpiresIn   *float64 `json:"expires_in"`
	}
	// Errors of package json may repeat what they could not read.
	if json.Unmarshal(raw, &reply) != nil {
		return nil, malformed("the reply is no JSON object of a token")
	}
	life := defaultLife
	if reply.ExpiresIn != nil {
		life = time.Duration(min(*reply.ExpiresIn, mostLife.Seconds()) * float64(time.Second))
	}
	switch {
	case reply.AccessToken == "":
		return nil, malformed("the reply has no access_token")
	case strings.ContainsFunc(reply.AccessToken, func(r rune) bool { return r <= ' ' || r > unicode.MaxASCII }):
		return nil, malformed("the access_token has characters that no header can carry")
	case reply.TokenType != "" && !strings.EqualFold(reply.TokenType, "Bearer"):
		return nil, malformed("the token_type is not Bearer")
	case life <= 0:
		return nil, malformed("the token is over already: expires_in is not above 0")
	}
	return &token{reply.AccessToken, asked.Add(life - min(renewBefore, life/2)), asked.Add(life)}, nil
}
