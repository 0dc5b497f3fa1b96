// SPDX-License-Identifier: Apache-2.0

package cloudapi

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	. "github.com/onsi/gomega"

	"github.com/ccloud-dev/inventory-operator/internal/cloudapi/wire"
)

const testSubject = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJzeXN0ZW0ifQ.c2lnbmF0dXJl"

// newTokens returns a TokenSource and a client. handler is the server for both: it answers
// exchanges and lists.
func newTokens(t *testing.T, handler http.HandlerFunc, changes ...func(*TokenOptions)) (*TokenSource, *Client) {
	t.Helper()
	g := NewWithT(t)
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	o := TokenOptions{
		Endpoint: server.URL + "/sts", IdentityPool: "pool-1",
		Subject: func(context.Context) (string, error) { return testSubject, nil },
	}
	for _, change := range changes {
		change(&o)
	}
	source, err := NewTokenSource(o)
	g.Expect(err).NotTo(HaveOccurred())
	client, err := New(Options{Endpoint: server.URL, Tokens: source, UserAgent: testUserAgent, Retry: Retry{Attempts: 1}})
	g.Expect(err).NotTo(HaveOccurred())
	return source, client
}

// reply answers with a body.
func reply(body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(body))
	}
}

func TestAnExchangeIsWhatTheOperationAsksFor(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	var asked *http.Request
	tokens, client := newTokens(t, func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		asked = r
		reply(`{"access_token":"access","token_type":"bearer","expires_in":3600}`)(w, r)
	})
	g.Expect(tokens.ensureToken(t.Context(), client)).To(Succeed())
	g.Expect(tokens.currentAuth().headerValue).To(Equal("Bearer access"))
	g.Expect(asked.Method + " " + asked.URL.Path).To(Equal("POST /sts"))
	g.Expect(asked.Header).NotTo(HaveKey("Authorization"))
	g.Expect(asked.PostForm).To(Equal(url.Values{
		"grant_type":           {"urn:ietf:params:oauth:grant-type:token-exchange"},
		"subject_token":        {testSubject},
		"subject_token_type":   {"urn:ietf:params:oauth:token-type:jwt"},
		"requested_token_type": {"urn:ietf:params:oauth:token-type:access_token"},
		"identity_pool_id":     {"pool-1"},
	}))
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%d"} {
		g.Expect(fmt.Sprintf(verb, tokens)).To(Equal("[redacted]"))
	}
}

func TestATokenIsReplacedBeforeItsEnd(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]time.Duration{
		`{"access_token":"a","expires_in":3600}`:              59 * time.Minute,
		`{"access_token":"a","expires_in":900.5}`:             840*time.Second + 500*time.Millisecond,
		`{"access_token":"a","expires_in":119}`:               59*time.Second + 500*time.Millisecond,
		`{"access_token":"a","expires_in":2}`:                 time.Second,
		`{"access_token":"a"}`:                                14 * time.Minute,
		`{"access_token":"a","expires_in":null}`:              14 * time.Minute,
		`{"access_token":"a","expires_in":1e300}`:             maxLife - time.Minute,
		`{"access_token":"a","expires_in":0.001,"other":[1]}`: 500 * time.Microsecond,
		`{"access_token":"a","expires_in":"3600"}`:            59 * time.Minute,
		`{"access_token":"a","expires_in":0}`:                 14 * time.Minute,
		`{"access_token":"a","expires_in":"0"}`:               14 * time.Minute,
		`{"access_token":"a","expires_in":-1}`:                14 * time.Minute,
		`{"access_token":"a","expires_in":"soon"}`:            14 * time.Minute,
		`{"access_token":"a","expires_in":{"seconds":1}}`:     14 * time.Minute,
		`{"access_token":"a","token_type":"N_A"}`:             14 * time.Minute,
		`{"access_token":"a","token_type":null}`:              14 * time.Minute,
	} {
		g := NewWithT(t)
		now := time.Now()
		var asked atomic.Int32
		tokens, client := newTokens(t, func(w http.ResponseWriter, r *http.Request) { asked.Add(1); reply(body)(w, r) },
			func(o *TokenOptions) { o.Now = func() time.Time { return now } })
		g.Expect(tokens.ensureToken(t.Context(), client)).To(Succeed(), body)
		now = now.Add(want - time.Microsecond)
		g.Expect(tokens.ensureToken(t.Context(), client)).To(Succeed(), body)
		g.Expect(asked.Load()).To(BeEquivalentTo(1), body)
		now = now.Add(time.Microsecond)
		g.Expect(tokens.ensureToken(t.Context(), client)).To(Succeed(), body)
		g.Eventually(asked.Load).Should(BeEquivalentTo(2), body)
	}
}

func TestAReplyThatIsNoTokenIsMalformed(t *testing.T) {
	t.Parallel()
	for _, body := range []string{
		``, `{}`, `null`, `[]`, `<html>`, `{"access_token":""}`, `{"access_token":7}`, `{"access_token":"a\nb"}`, `{"access_token":"a b"}`,
		`{"access_token":"ä"}`, `{"access_token":"a","token_type":"MAC"}`, `{"access_token":"a","token_type":"DPoP"}`, `{"access_token":"a"`,
	} {
		g := NewWithT(t)
		tokens, client := newTokens(t, reply(body))
		err := tokens.ensureToken(t.Context(), client)
		g.Expect(ClassOf(err)).To(Equal(Malformed), body)
		g.Expect(err).To(MatchError(HavePrefix(OperationExchange+": ")), body)
		g.Expect(tokens.currentAuth().headerValue).To(BeEmpty(), body)
	}
}

func TestAReplyWithoutATokenSaysWhy(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		`{"error":"invalid_grant","error_description":"the pool takes no such audience"}`: "200 OK: invalid_grant: the pool takes no such audience: malformed response: the reply has no access_token",
		"\ufeff" + `{"error":"invalid_grant"}`:                                            "200 OK: invalid_grant: malformed response: the reply is no JSON object of a token",
		`[{"code":"c","message":"for ` + testSubject + `"}]`:                              "200 OK: c: for [redacted]: malformed response: the reply is no JSON object of a token",
		`{"access_token":"to ken","message":"no use of TO KEN"}`:                          "200 OK: no use of [redacted]: malformed response: the access_token has characters that no header can carry",
		`{"token":"hush"}`: "200 OK: malformed response: the reply has no access_token",
	} {
		g := NewWithT(t)
		tokens, client := newTokens(t, reply(body))
		err := tokens.ensureToken(t.Context(), client)
		g.Expect(expectError(t, err, Malformed).Error()).To(Equal(OperationExchange + ": " + want))
	}
}

func TestATokenThatCameIsHiddenThoughItWasNeverSent(t *testing.T) {
	t.Parallel()
	for name, r := range map[string]struct {
		body, mediaType, show string
		fails                 bool
	}{
		"taken":          {`{"access_token":"Token-of-1"}`, "application/json", "Token-of-1", false},
		"another case":   {`{"access_token":"Token-of-2"}`, "application/json", "token-OF-2", false},
		"of another use": {`{"access_token":"Token-of-3","token_type":"MAC"}`, "application/json", "Token-of-3", true},
		"not to carry":   {`{"access_token":"Token of 4"}`, "application/json", "Token of 4", true},
		"no JSON":        {`{"access_token":"Token-of-5"}`, "text/plain", "Token-of-5", true},
	} {
		g := NewWithT(t)
		tokens, client := newTokens(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", r.mediaType)
			w.Header().Set("X-Request-Id", "id-"+r.show)
			_, _ = io.WriteString(w, r.body)
		})
		var calls []Call
		client.observe = func(c Call) { calls = append(calls, c) }
		err := tokens.ensureToken(t.Context(), client)
		g.Expect(calls).To(HaveLen(1), name)
		g.Expect(calls[0].RequestID).To(Equal("id-"+redactedText), name)
		if r.fails {
			g.Expect(expectError(t, err, Malformed).RequestID).To(Equal("id-"+redactedText), name)
		} else {
			g.Expect(err).NotTo(HaveOccurred(), name)
		}
	}
}

func TestATokenTooShortToHideGarblesNothing(t *testing.T) {
	t.Parallel()
	for _, subject := range []string{"", "a", "ab"} {
		g := NewWithT(t)
		tokens, client := newTokens(t, func(w http.ResponseWriter, _ *http.Request) {
			answer(w, http.StatusBadRequest, `{"error":"invalid_request","error_description":"a subject_token about nothing"}`)
		}, func(o *TokenOptions) { o.Subject = func(context.Context) (string, error) { return subject, nil } })
		g.Expect(tokens.ensureToken(t.Context(), client)).To(MatchError(OperationExchange + ": 400 Bad Request: invalid_request: a subject_token about nothing (request id req-1)"))
	}
}

func TestAnExchangeFollowsNoRedirect(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	var asked atomic.Int32
	tokens, client := newTokens(t, func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
	})
	g.Expect(ClassOf(tokens.ensureToken(t.Context(), client))).To(Equal(Malformed))
	g.Expect(asked.Load()).To(BeEquivalentTo(1))
}

func TestTheGuardOfAnExchangeLetsNothingElseThrough(t *testing.T) {
	t.Parallel()
	const at = "https://sts.example"
	sent := 0
	guard := &guard{origin: at, exchangeURL: at + "/sts", userAgent: testUserAgent, next: roundTrip(func(*http.Request) (*http.Response, error) { sent++; return nil, io.EOF })}
	for _, c := range []struct{ method, url string }{
		{http.MethodGet, at + "/sts"}, {http.MethodPost, at + "/sts/x"}, {http.MethodPost, at + "/sts?a=b"},
		{http.MethodPost, at + "/"}, {http.MethodPut, at + "/sts"}, {http.MethodPost, "http://other.example/sts"},
	} {
		g := NewWithT(t)
		request, err := http.NewRequestWithContext(t.Context(), c.method, c.url, strings.NewReader("x"))
		g.Expect(err).NotTo(HaveOccurred())
		_, err = guard.sendChecked(request, "")
		g.Expect(err).To(MatchError(ContainSubstring("refused")), c.method+" "+c.url)
		g.Expect(sent).To(BeZero())
	}
}

func TestManyAskForATokenAndOneExchanges(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	var asked atomic.Int32
	tokens, client := newTokens(t, func(w http.ResponseWriter, r *http.Request) {
		reply(fmt.Sprintf(`{"access_token":"token-%d"}`, asked.Add(1)))(w, r)
	})
	together := func(do func()) {
		var wait sync.WaitGroup
		for range 20 {
			wait.Go(do)
		}
		wait.Wait()
	}
	together(func() { g.Expect(tokens.ensureToken(t.Context(), client)).To(Succeed()) })
	g.Expect(asked.Load()).To(BeEquivalentTo(1))
	together(func() {
		g.Expect(tokens.renewToken(t.Context(), client, Clusters.name, markOfText("Bearer token-1"))).To(BeTrue())
	})
	g.Expect(asked.Load()).To(BeEquivalentTo(2))
	g.Expect(tokens.currentAuth().headerValue).To(Equal("Bearer token-2"))
}

func TestASubjectThatCannotBeHadIsReturnedAsItIs(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	mine := errors.New("mine")
	_, client := newTokens(t, reply(`{"access_token":"a"}`), func(o *TokenOptions) {
		o.Subject = func(context.Context) (string, error) { return "", mine }
	})
	g.Expect(client.Authorize(t.Context())).To(MatchError(mine))
	_, err := listClusters(t.Context(), client, ClusterFilter{Environment: "env-1"}, nil)
	g.Expect(err).To(MatchError(mine))
}

func TestBadTokenOptionsAreAnError(t *testing.T) {
	t.Parallel()
	for _, endpoint := range []string{"", "api.confluent.cloud", "ftp://x/y", "https://u:p@x/y", "https://x/y?z", "https://x/y#z"} {
		g := NewWithT(t)
		_, err := NewTokenSource(TokenOptions{Endpoint: endpoint,
			Subject: func(context.Context) (string, error) { return "", nil }})
		g.Expect(err).To(MatchError(HavePrefix("token endpoint")), endpoint)
	}
}

func TestNeitherTokenIsShown(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	echo := func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		w.Header().Set("X-Request-Id", r.PostForm.Get("subject_token"))
		w.WriteHeader(http.StatusBadRequest)
		_, _ = fmt.Fprintf(w, `{"errors":[{"code":"x","title":%q}]}`, r.PostForm.Get("subject_token"))
	}
	tokens, client := newTokens(t, echo)
	err := tokens.ensureToken(t.Context(), client)
	g.Expect(err).To(MatchError(And(ContainSubstring("400 Bad Request"), ContainSubstring(redactedText), Not(ContainSubstring(testSubject)))))
}

func TestARefusedTokenIsReplacedAlthoughItIsFresh(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	asked := 0
	tokens, client := newTokens(t, func(w http.ResponseWriter, r *http.Request) {
		asked++
		reply(fmt.Sprintf(`{"access_token":"token-%d"}`, asked))(w, r)
	})
	g.Expect(tokens.ensureToken(t.Context(), client)).To(Succeed())
	g.Expect(tokens.renewToken(t.Context(), client, Clusters.name, markOfText("Bearer token-1"))).To(BeTrue())
	g.Expect(tokens.currentAuth().headerValue).To(Equal("Bearer token-2"))
	g.Expect(tokens.renewToken(t.Context(), client, Clusters.name, markOfText("Bearer token-1"))).To(BeTrue(), "it was replaced by another listing")
	g.Expect(asked).To(Equal(2))
}

// Clients share a token. An operation that refuses every token must not cost an exchange at each sync.
func TestAnOperationThatTakesNoTokenReplacesNone(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		apiKeyOnly bool
		exchanges  int
		advice     string
	}{{true, 1, "mirror this kind by a source with a Cloud API key"}, {false, 2, "although it was just renewed"}} {
		g := NewWithT(t)
		exchanges := 0
		_, client := newTokens(t, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/sts" {
				exchanges++
				reply(fmt.Sprintf(`{"access_token":"token-%d"}`, exchanges))(w, r)
				return
			}
			w.WriteHeader(http.StatusUnauthorized)
		})
		operation := *Clusters
		operation.apiKeyOnly = c.apiKeyOnly
		_, err := List(t.Context(), client, &operation, ClusterFilter{Environment: "env-1"}, nil, func(c *wire.Cluster) string { return c.ID })
		g.Expect(ClassOf(err)).To(Equal(Unauthenticated))
		refused, _ := errors.AsType[*Error](err)
		g.Expect(refused.Advice).To(ContainSubstring(c.advice))
		g.Expect(exchanges).To(Equal(c.exchanges))
	}
}

func TestAnExchangeThatIsRefusedInPassingIsTriedAgain(t *testing.T) {
	for _, code := range []int{400, 401, 403, 429, 500, 503} {
		synctest.Test(t, func(t *testing.T) {
			g := NewWithT(t)
			exchanges, subjects, refusals := 0, 0, 3
			tokens, err := NewTokenSource(TokenOptions{Endpoint: "https://api.example/sts", Subject: func(context.Context) (string, error) {
				subjects++
				return testSubject, nil
			}})
			g.Expect(err).NotTo(HaveOccurred())
			client := clientOf(t, roundTrip(func(r *http.Request) (*http.Response, error) {
				exchanges++
				body, status := `{"access_token":"good-again"}`, http.StatusOK
				if exchanges <= refusals {
					body, status = `{"errors":[{"code":"invalid_request"}]}`, code
				}
				return &http.Response{StatusCode: status, Header: header("Content-Type", "application/json"), Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
			}), func(o *Options) { o.Tokens, o.Retry = tokens, Retry{} })
			began := time.Now()
			g.Expect(client.Authorize(t.Context())).To(Succeed(), "%d", code)
			g.Expect(exchanges).To(Equal(4))
			g.Expect(subjects).To(Equal(1))
			g.Expect(time.Since(began)).To(BeNumerically("<", 10*time.Second))

			exchanges, refusals = 0, 1000
			g.Expect(tokens.renewToken(t.Context(), client, Clusters.name, markOfText("Bearer good-again"))).Error().To(MatchError(ContainSubstring("invalid_request")))
			g.Expect(exchanges).To(Equal(DefaultRetry.Attempts), "a few times, not forever")
		})
	}
}

func TestAnExchangeThatCannotSucceedIsNotTriedAgain(t *testing.T) {
	t.Parallel()
	for _, code := range []int{404, 405, 422, 501} {
		g := NewWithT(t)
		asked := 0
		tokens, client := newTokens(t, func(w http.ResponseWriter, _ *http.Request) { asked++; w.WriteHeader(code) })
		client.retry = DefaultRetry
		err := tokens.ensureToken(t.Context(), client)
		g.Expect(err).To(HaveOccurred())
		g.Expect(asked).To(Equal(1), "%d", code)
		g.Expect(err.(*Error).Advice).To(BeEmpty(), "lists' advice is not for exchanges")
	}
}

func TestAnExchangeThatReachesNothingNamesItsOwnField(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	_, client := newTokens(t, reply(""), func(o *TokenOptions) { o.Endpoint = "http://127.0.0.1:1/sts" })
	e := expectError(t, client.Authorize(t.Context()), Unavailable)
	g.Expect(e.Advice).To(HavePrefix("check spec.credentials.workloadIdentity.tokenEndpoint, "))
}

// paged returns a client of a cloud that exchanges tokens and lists three pages. The cloud accepts
// a token for life requests, and then refuses it.
func paged(t *testing.T, life int) (client *Client, exchanges *int) {
	t.Helper()
	exchanges, uses := new(int), 0
	_, client = newTokens(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			*exchanges++
			uses = 0
			reply(fmt.Sprintf(`{"access_token":"token-number-%d","expires_in":900}`, *exchanges))(w, r)
			return
		}
		if uses++; uses > life || r.Header.Get("Authorization") != fmt.Sprintf("Bearer token-number-%d", *exchanges) {
			answer(w, http.StatusUnauthorized, "")
			return
		}
		failing(0, nil)(w, r)
	})
	return client, exchanges
}

func TestATokenThatDiesSoonerThanItSaysIsRenewedAsOftenAsNeeded(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	client, exchanges := paged(t, 1)
	l, err := listClusters(t.Context(), client, inEnv1, nil)
	g.Expect(err).NotTo(HaveOccurred(), "each renewed token got a page")
	g.Expect(ids(l.Items)).To(Equal([]string{"lkc-1", "lkc-2", "lkc-3"}))
	g.Expect(*exchanges).To(Equal(3))

	client, exchanges = paged(t, 0)
	_, err = listClusters(t.Context(), client, inEnv1, nil)
	g.Expect(expectError(t, err, Unauthenticated).Advice).To(ContainSubstring("although it was just renewed"))
	g.Expect(*exchanges).To(Equal(2), "one that never worked is renewed once")
}

func TestATokenThatCannotBeRenewedIsNotSaidToBe(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	now := time.Now()
	exchanges := 0
	_, client := newTokens(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			answer(w, http.StatusUnauthorized, "")
			return
		}
		if exchanges++; exchanges > 1 {
			answer(w, http.StatusServiceUnavailable, "")
			return
		}
		reply(`{"access_token":"the-only-token","expires_in":900}`)(w, r)
	}, func(o *TokenOptions) { o.Now = func() time.Time { return now } })
	g.Expect(client.Authorize(t.Context())).To(Succeed())
	now = now.Add(14*time.Minute + 30*time.Second)
	_, err := listClusters(t.Context(), client, inEnv1, nil)
	e := expectError(t, err, Unavailable)
	g.Expect(e.Operation).To(Equal(OperationExchange))
	g.Expect(e.Advice).NotTo(ContainSubstring("renewed"))
}
