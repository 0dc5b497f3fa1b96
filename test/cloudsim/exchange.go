package cloudsim

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// exchangePath is the path of the token exchange.
const exchangePath = "/sts/v1/oauth2/token"

// Pool is an identity pool. It says which tokens can be exchanged, and what the holder of a new
// token may see.
type Pool struct {
	ID string
	// Audience is the audience that a token must have.
	Audience string
	// Subjects are the allowed values of the claim sub. nil allows every value.
	Subjects []string
	// Environments are the environments that the pool may see. nil means all environments.
	Environments []string
}

// Provider is an identity provider that the simulated cloud trusts, such as a Kubernetes API
// server.
type Provider struct {
	// Issuer is the claim iss of the provider's tokens.
	Issuer string
	// Keys reads the provider's JSON Web Key Set. It is called for every exchange.
	Keys func(context.Context) ([]byte, error)
}

// exchanges is the part of a Sim that exchanges tokens. The mutex of the Sim guards it.
type exchanges struct {
	provider   Provider
	pools      map[string]Pool
	told, life time.Duration
	issued     map[string]issued
}

// issued is an access token that the Sim has issued.
type issued struct {
	pool    string
	expires time.Time
}

// defaultTokenLife is the life of a token in the published API.
const defaultTokenLife = 900 * time.Second

// SetProvider sets the identity provider that the simulated cloud trusts.
func (s *Sim) SetProvider(p Provider) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.exchanges.provider = p
}

// AddPool adds an identity pool, or replaces the pool with the same ID.
func (s *Sim) AddPool(p Pool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.exchanges.pools[p.ID] = p
}

// SetTokenLife sets how long new access tokens are valid. told is how long the reply says that they
// are valid.
func (s *Sim) SetTokenLife(told, life time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.exchanges.told, s.exchanges.life = told, life
}

// RevokeTokens makes all access tokens so far invalid: a request with one of them gets 401.
func (s *Sim) RevokeTokens() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.exchanges.issued = map[string]issued{}
}

// exchange answers a token exchange: it returns an access token for a token of the provider.
func (s *Sim) exchange(w http.ResponseWriter, r *http.Request) {
	pool, f := s.admitted(r)
	if f != nil {
		f.write(w)
		return
	}
	text := "cct." + rand.Text() + rand.Text()
	s.mu.Lock()
	s.exchanges.issued[text] = issued{pool.ID, s.clock().Add(s.exchanges.life)}
	told := s.exchanges.told
	s.mu.Unlock()
	writeJSON(w, http.StatusOK, encode(map[string]any{
		"access_token":      text,
		"issued_token_type": "urn:ietf:params:oauth:token-type:access_token",
		"token_type":        "Bearer",
		"expires_in":        int(told.Seconds()),
	}))
}

// admitted checks the request for an exchange, and returns the request's pool.
func (s *Sim) admitted(r *http.Request) (Pool, *failure) {
	refuse := func(format string, args ...any) (Pool, *failure) {
		return Pool{}, &failure{status: http.StatusBadRequest, code: "invalid_request", title: "Bad Request", detail: fmt.Sprintf(format, args...)}
	}
	if r.Header.Get("Authorization") != "" {
		return refuse("the exchange takes no Authorization header")
	}
	if r.Header.Get("Content-Type") != "application/x-www-form-urlencoded" || r.ParseForm() != nil {
		return refuse("the request is no form")
	}
	for name, want := range map[string]string{
		"grant_type":           "urn:ietf:params:oauth:grant-type:token-exchange",
		"subject_token_type":   "urn:ietf:params:oauth:token-type:jwt",
		"requested_token_type": "urn:ietf:params:oauth:token-type:access_token",
	} {
		if got := r.PostForm.Get(name); got != want {
			return refuse("%s is %q, not %q", name, got, want)
		}
	}
	s.mu.RLock()
	pool, known := s.exchanges.pools[r.PostForm.Get("identity_pool_id")]
	provider := s.exchanges.provider
	s.mu.RUnlock()
	if !known {
		return refuse("identity pool %q does not exist", r.PostForm.Get("identity_pool_id"))
	}
	claims, err := provider.verify(r.Context(), r.PostForm.Get("subject_token"), pool.Audience, s.clock())
	switch {
	case err != nil:
		return refuse("the subject token is not valid: %v", err)
	case pool.Subjects != nil && !slices.Contains(pool.Subjects, claims.Subject):
		return refuse("the filter of identity pool %s does not let %s through", pool.ID, claims.Subject)
	}
	return pool, nil
}

// verify checks that a token is signed with the provider's keys, is for this audience, and has not
// expired.
func (p Provider) verify(ctx context.Context, text, audience string, now time.Time) (claims jwt.Claims, err error) {
	if p.Keys == nil {
		return claims, fmt.Errorf("no identity provider is known")
	}
	raw, err := p.Keys(ctx)
	if err != nil {
		return claims, fmt.Errorf("the provider's keys cannot be read: %w", err)
	}
	var keys jose.JSONWebKeySet
	if err := json.Unmarshal(raw, &keys); err != nil {
		return claims, fmt.Errorf("the provider's keys cannot be read: %w", err)
	}
	parsed, err := jwt.ParseSigned(text, []jose.SignatureAlgorithm{jose.RS256, jose.ES256})
	if err != nil {
		return claims, err
	}
	if err := parsed.Claims(keys, &claims); err != nil {
		return claims, err
	}
	return claims, claims.Validate(jwt.Expected{Issuer: p.Issuer, AnyAudience: jwt.Audience{audience}, Time: now})
}

// bearer returns the key of a request that has an access token.
func (s *Sim) bearer(authorization string) (Key, *failure) {
	text := strings.TrimPrefix(authorization, "Bearer ")
	s.mu.RLock()
	defer s.mu.RUnlock()
	found, known := s.exchanges.issued[text]
	if !known || !s.clock().Before(found.expires) {
		return Key{}, unauthenticated("the access token is unknown or expired")
	}
	return Key{ID: found.pool, Environments: s.exchanges.pools[found.pool].Environments}, nil
}
