// SPDX-License-Identifier: Apache-2.0

package cloudapi

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	. "github.com/onsi/gomega"
)

// tokenCloud is a transport. It answers an exchange after a second. It answers a list only if the
// list comes with the token of the last exchange.
type tokenCloud struct {
	exchanges, lists atomic.Int32
	down             atomic.Bool
}

func (c *tokenCloud) RoundTrip(r *http.Request) (*http.Response, error) {
	code, body := http.StatusOK, clusterPage(`{}`)
	switch {
	case r.Method == http.MethodPost:
		n := c.exchanges.Add(1)
		select {
		case <-time.After(time.Second):
		case <-r.Context().Done():
			return nil, r.Context().Err()
		}
		body = fmt.Sprintf(`{"access_token":"shared-token-%d","expires_in":900}`, n)
		if c.down.Load() {
			code, body = http.StatusServiceUnavailable, ""
		}
	case r.Header.Get("Authorization") != fmt.Sprintf("Bearer shared-token-%d", c.exchanges.Load()):
		code, body = http.StatusUnauthorized, ""
		fallthrough
	default:
		c.lists.Add(1)
	}
	return &http.Response{StatusCode: code, Header: header("Content-Type", "application/json"), Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
}

// together runs n calls of do at the same time.
func together(n int, do func()) {
	var wait sync.WaitGroup
	for range n {
		wait.Go(do)
	}
	wait.Wait()
}

func TestClientsOfOneIdentityShareATokenAndAnExchange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewWithT(t)
		cloud, tokens := &tokenCloud{}, &Tokens{}
		var subjects, observed atomic.Int32
		client := func() *Client { // every sync of 20 sources and their discovery makes one
			source, err := tokens.For(TokenOptions{Endpoint: "https://api.example/sts", IdentityPool: "pool-1", Subject: func(context.Context) (string, error) {
				subjects.Add(1)
				return testSubject, nil
			}}, "namespace", "account", "audience")
			g.Expect(err).NotTo(HaveOccurred())
			return clientOf(t, cloud, func(o *Options) {
				o.Tokens = source
				o.Observe = func(c Call) {
					if c.Operation == OperationExchange {
						observed.Add(1)
					}
				}
			})
		}
		list := func() {
			c := client()
			g.Expect(c.Authorize(t.Context())).To(Succeed())
			_, err := listClusters(t.Context(), c, inEnv1, nil)
			g.Expect(err).NotTo(HaveOccurred())
		}
		together(21, list)
		together(21, list)
		g.Expect([]int32{subjects.Load(), cloud.exchanges.Load(), observed.Load()}).To(HaveEach(int32(1)))

		cloud.exchanges.Add(1) // the cloud now refuses the old token
		cloud.lists.Store(0)
		together(21, list)
		g.Expect(cloud.exchanges.Load()).To(Equal(int32(3)), "renewed once for all that were refused")
		g.Expect(cloud.lists.Load()).To(BeNumerically("<=", 2*21))
		g.Expect(observed.Load()).To(Equal(int32(2)), "an exchange is observed by the client that needed it")

		time.Sleep(time.Hour)
		cloud.down.Store(true)
		before := cloud.exchanges.Load()
		together(21, func() {
			c := client()
			c.retry.Attempts = 3
			g.Expect(ClassOf(c.Authorize(t.Context()))).To(Equal(Unavailable))
		})
		g.Expect(cloud.exchanges.Load()-before).To(Equal(int32(3)), "a failure is shared, too")
	})
}

// exchanging returns a client that exchanges tokens with the cloud.
func exchanging(t *testing.T, cloud *tokenCloud) *Client {
	source, err := NewTokenSource(TokenOptions{Endpoint: "https://api.example/sts", Subject: func(context.Context) (string, error) { return testSubject, nil }})
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	return clientOf(t, cloud, func(o *Options) { o.Tokens = source })
}

func TestOneWhoGivesUpDoesNotTakeTheTokenFromOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewWithT(t)
		cloud := &tokenCloud{}
		client := exchanging(t, cloud)
		hasty, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		gaveUp := make(chan error, 1)
		go func() { gaveUp <- client.Authorize(hasty) }()
		synctest.Wait()
		g.Expect(client.Authorize(t.Context())).To(Succeed())
		g.Expect(<-gaveUp).To(MatchError(context.DeadlineExceeded))
		g.Expect(cloud.exchanges.Load()).To(Equal(int32(1)))
	})
}

func TestAnExchangeThatNobodyWaitsForEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewWithT(t)
		cloud := &tokenCloud{}
		client := exchanging(t, cloud)
		hasty, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		g.Expect(client.Authorize(hasty)).To(MatchError(context.DeadlineExceeded))
		begun := time.Now()
		g.Expect(client.Authorize(t.Context())).To(Succeed())
		g.Expect(time.Since(begun)).To(Equal(time.Second), "an exchange of its own, from its beginning")
		g.Expect(cloud.exchanges.Load()).To(Equal(int32(2)))
	})
}

func TestAGoodTokenIsUsedWhateverBecomesOfTheNextExchange(t *testing.T) {
	answer := func(code int) func(*http.Request) (*http.Response, error) {
		return func(r *http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: code, Header: header(), Body: io.NopCloser(strings.NewReader("")), Request: r}, nil
		}
	}
	for name, exchange := range map[string]func(*http.Request) (*http.Response, error){
		"hangs":                          func(r *http.Request) (*http.Response, error) { <-r.Context().Done(); return nil, r.Context().Err() },
		"is lost":                        func(*http.Request) (*http.Response, error) { return nil, io.EOF },
		"fails":                          answer(http.StatusServiceUnavailable),
		"is refused":                     answer(http.StatusForbidden),
		"is malformed":                   answer(http.StatusOK),
		"lacks a ServiceAccount's token": nil,
	} {
		synctest.Test(t, func(t *testing.T) {
			g := NewWithT(t)
			var broken atomic.Bool
			var begun, issued atomic.Int32
			tokens, err := NewTokenSource(TokenOptions{Endpoint: "https://api.example/sts", Subject: func(context.Context) (string, error) {
				if begun.Add(1); broken.Load() && exchange == nil {
					return "", errors.New("no ServiceAccount")
				}
				return testSubject, nil
			}})
			g.Expect(err).NotTo(HaveOccurred())
			client := clientOf(t, roundTrip(func(r *http.Request) (*http.Response, error) {
				if broken.Load() {
					return exchange(r)
				}
				body := fmt.Sprintf(`{"access_token":"good-token-%d","expires_in":900}`, issued.Add(1))
				return &http.Response{StatusCode: http.StatusOK, Header: header("Content-Type", "application/json"), Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
			}), func(o *Options) { o.Tokens = tokens })
			many := func() {
				began := time.Now()
				for range 100 {
					g.Expect(client.Authorize(t.Context())).To(Succeed(), name)
				}
				g.Expect(time.Since(began)).To(BeZero(), name)
				g.Expect(tokens.currentAuth().headerValue).To(Equal("Bearer good-token-1"), name)
				synctest.Wait()
			}
			many()
			broken.Store(true)
			time.Sleep(14*time.Minute + 5*time.Second)
			many()
			many()
			g.Expect(begun.Load()).To(Equal(int32(2)), "%s: one exchange for all, and not the next at once", name)
			time.Sleep(50 * time.Second)
			many()
			g.Expect(begun.Load()).To(Equal(int32(3)), name)
			time.Sleep(5 * time.Second)
			g.Expect(client.Authorize(t.Context())).NotTo(Succeed(), name)
			broken.Store(false)
			time.Sleep(time.Minute)
			g.Expect(client.Authorize(t.Context())).To(Succeed(), name)
			g.Expect(tokens.currentAuth().headerValue).To(Equal("Bearer good-token-2"), name)
		})
	}
}

func TestARefusedIdentityIsRenewedOnceForAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewWithT(t)
		var exchanges atomic.Int32
		tokens, err := NewTokenSource(TokenOptions{Endpoint: "https://api.example/sts", Subject: func(context.Context) (string, error) { return testSubject, nil }})
		g.Expect(err).NotTo(HaveOccurred())
		list := func(endpoint string) error {
			_, err := listClusters(t.Context(), clientOf(t, roundTrip(func(r *http.Request) (*http.Response, error) {
				code, body := http.StatusOK, clusterPage(`{}`)
				switch {
				case r.Method == http.MethodPost:
					body = fmt.Sprintf(`{"access_token":"shared-token-%d","expires_in":900}`, exchanges.Add(1))
				case r.URL.Host == "refuses.example":
					code, body = http.StatusUnauthorized, ""
				}
				return &http.Response{StatusCode: code, Header: header("Content-Type", "application/json"), Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
			}), func(o *Options) { o.Tokens, o.Endpoint = tokens, endpoint }), inEnv1, nil)
			return err
		}
		refused := func() {
			for range 10 {
				g.Expect(expectError(t, list("https://refuses.example"), Unauthenticated).Advice).To(ContainSubstring("although it was just renewed"))
				g.Expect(list("https://takes.example")).To(Succeed(), "another endpoint's refusal costs this one nothing")
			}
		}
		refused()
		g.Expect(exchanges.Load()).To(Equal(int32(2)), "the first token, and one for all that were refused")
		time.Sleep(renewRefused - time.Nanosecond)
		refused()
		g.Expect(exchanges.Load()).To(Equal(int32(2)))
		time.Sleep(time.Nanosecond)
		refused()
		g.Expect(exchanges.Load()).To(Equal(int32(3)))
	})
}

func TestATokenThatWorkedForAnEarlierListingIsReplacedAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewWithT(t)
		exchanges, begun := 0, time.Time{}
		tokens, err := NewTokenSource(TokenOptions{Endpoint: "https://api.example/sts", Subject: func(context.Context) (string, error) { return testSubject, nil }})
		g.Expect(err).NotTo(HaveOccurred())
		client := clientOf(t, roundTrip(func(r *http.Request) (*http.Response, error) {
			code, body := http.StatusOK, clusterPage(`{}`)
			switch {
			case r.Method == http.MethodPost:
				exchanges++
				begun = time.Now()
				body = fmt.Sprintf(`{"access_token":"shared-token-%d","expires_in":900}`, exchanges)
			case time.Since(begun) > 25*time.Second, r.Header.Get("Authorization") != fmt.Sprintf("Bearer shared-token-%d", exchanges):
				code, body = http.StatusUnauthorized, ""
			}
			return &http.Response{StatusCode: code, Header: header("Content-Type", "application/json"), Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
		}), func(o *Options) { o.Tokens = tokens })
		for i := range 12 {
			_, err := listClusters(t.Context(), client, inEnv1, nil)
			g.Expect(err).NotTo(HaveOccurred(), "listing %d, exchange %d", i, exchanges)
			time.Sleep(10 * time.Second)
		}
		g.Expect(exchanges).To(Equal(4), "each token serves three listings")
	})
}

func TestATokenWorkedOnlyForTheOperationThatTookIt(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	exchanges := 0
	tokens, client := newTokens(t, func(w http.ResponseWriter, r *http.Request) {
		exchanges++
		reply(fmt.Sprintf(`{"access_token":"token-%d"}`, exchanges))(w, r)
	})
	g.Expect(tokens.ensureToken(t.Context(), client)).To(Succeed())
	g.Expect(tokens.renewToken(t.Context(), client, Clusters.name, tokens.currentAuth().id)).To(BeTrue())
	second := tokens.currentAuth().id
	tokens.tokenAccepted(client, Networks.name, second)
	tokens.tokenAccepted(client, Clusters.name, markOfText("Bearer token-1"))
	g.Expect(tokens.renewToken(t.Context(), client, Clusters.name, second)).To(BeFalse(), "only Networks took it, and Clusters took the first token")
	tokens.tokenAccepted(client, Clusters.name, second)
	g.Expect(tokens.renewToken(t.Context(), client, Clusters.name, second)).To(BeTrue())
	g.Expect(exchanges).To(Equal(3))
}

func TestTokensAreToldApartByTheWholeIdentity(t *testing.T) {
	g := NewWithT(t)
	tokens := &Tokens{}
	options := TokenOptions{Endpoint: "https://api.example/sts", IdentityPool: "pool-1", Subject: func(context.Context) (string, error) { return "", errors.New("no") }}
	source := func(change func(*TokenOptions), subject ...string) *TokenSource {
		o := options
		change(&o)
		s, err := tokens.For(o, subject...)
		g.Expect(err).NotTo(HaveOccurred())
		return s
	}
	same := func(*TokenOptions) {}
	first := source(same, "ns", "account", "audience")
	g.Expect(source(same, "ns", "account", "audience")).To(BeIdenticalTo(first))
	g.Expect(source(func(o *TokenOptions) { o.Endpoint = "HTTPS://API.example:443/sts" }, "ns", "account", "audience")).To(BeIdenticalTo(first))
	for _, other := range []*TokenSource{
		source(same, "other", "account", "audience"), source(same, "ns", "other", "audience"), source(same, "ns", "account", "other"),
		source(same, "ns", "accoun", "taudience"), source(same, `ns" "account`, "audience"),
		source(func(o *TokenOptions) { o.IdentityPool = "pool-2" }, "ns", "account", "audience"),
		source(func(o *TokenOptions) { o.Endpoint = "https://api.example/other" }, "ns", "account", "audience"),
		source(func(o *TokenOptions) { o.Endpoint = "https://other.example/sts" }, "ns", "account", "audience"),
	} {
		g.Expect(other).NotTo(BeIdenticalTo(first))
	}
	_, err := tokens.For(TokenOptions{Endpoint: "nowhere"}, "ns")
	g.Expect(err).To(MatchError(HavePrefix("token endpoint")))
	g.Expect(tokens.tokenSources).To(HaveLen(9))
}

func TestIdentitiesThatNobodyUsesAreForgotten(t *testing.T) {
	g := NewWithT(t)
	now := time.Now()
	tokens := &Tokens{}
	source := func(name string) *TokenSource {
		s, err := tokens.For(TokenOptions{Endpoint: "https://api.example/sts", Now: func() time.Time { return now },
			Subject: func(context.Context) (string, error) { return "", errors.New("no") }}, name)
		g.Expect(err).NotTo(HaveOccurred())
		return s
	}
	for i := range 100 {
		source(fmt.Sprint(i))
	}
	living := source("with a token")
	living.currentToken.Store(&token{endsAt: now.Add(3 * time.Hour)})
	used := source("used")
	now = now.Add(forgetAfter)
	g.Expect(source("used")).To(BeIdenticalTo(used))
	source("new")
	g.Expect(tokens.tokenSources).To(HaveLen(103), "not yet")
	now = now.Add(time.Second)
	g.Expect(source("used")).To(BeIdenticalTo(used))
	source("newer")
	g.Expect(tokens.tokenSources).To(HaveLen(4), "used, new, newer, and the one whose token is good")
	g.Expect(source("with a token")).To(BeIdenticalTo(living))
}
