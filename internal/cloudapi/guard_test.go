// SPDX-License-Identifier: Apache-2.0

package cloudapi

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
)

// roundTrip turns a function into an http.RoundTripper.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func testGuard(next http.RoundTripper) *guard {
	return &guard{origin: "https://api.example", userAgent: testUserAgent, next: next}
}

func TestGuardRefusesEveryVerbButGET(t *testing.T) {
	sent := 0
	guard := testGuard(roundTrip(func(*http.Request) (*http.Response, error) { sent++; return nil, io.EOF }))
	for _, verb := range []string{"POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "CONNECT", "TRACE", "get", ""} {
		t.Run(verb, func(t *testing.T) {
			g := NewWithT(t)
			req, err := http.NewRequest(http.MethodGet, "https://api.example/x", strings.NewReader("body"))
			g.Expect(err).NotTo(HaveOccurred())
			req.Method = verb
			_, err = guard.sendChecked(req, testCredential.newAuthorizer().currentAuth().headerValue)
			expectError(t, err, Malformed)
			g.Expect(sent).To(BeZero())
		})
	}
}

func TestGuardSendsTheCredentialToTheOriginOnly(t *testing.T) {
	tests := map[string]struct {
		url, host string
		allowed   bool
	}{
		"same":                     {url: "https://api.example/x", allowed: true},
		"default port, upper case": {url: "https://API.example:443/x", allowed: true},
		"same Host header":         {url: "https://api.example/x", host: "API.example:443", allowed: true},
		"another host":             {url: "https://evil.example/x"},
		"a longer host":            {url: "https://api.example.evil/x"},
		"a host as user info":      {url: "https://api.example@evil.example/x"},
		"another port":             {url: "https://api.example:8443/x"},
		"downgraded":               {url: "http://api.example/x"},
		"downgraded, same port":    {url: "http://api.example:443/x"},
		"no host":                  {url: "/x"},
		"another Host header":      {url: "https://api.example/x", host: "evil.example"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			var sent *http.Request
			guard := testGuard(roundTrip(func(r *http.Request) (*http.Response, error) { sent = r; return nil, io.EOF }))
			req, err := http.NewRequest(http.MethodGet, tt.url, nil)
			g.Expect(err).NotTo(HaveOccurred())
			req.Host = tt.host

			_, err = guard.sendChecked(req, testCredential.newAuthorizer().currentAuth().headerValue)

			g.Expect(req.Header).To(BeEmpty(), "the caller's request stays without the credential")
			if !tt.allowed {
				expectError(t, err, Malformed)
				g.Expect(sent).To(BeNil())
				return
			}
			g.Expect(err).To(MatchError(io.EOF))
			key, secret, ok := sent.BasicAuth()
			g.Expect(ok).To(BeTrue())
			g.Expect(Credential{key, secret}).To(Equal(testCredential))
			g.Expect(sent.Header.Get("User-Agent")).To(Equal(testUserAgent))
			g.Expect(sent.Header.Get("Accept")).To(Equal("application/json"))
		})
	}
}

func TestRedirectWithinTheOriginIsFollowed(t *testing.T) {
	for _, code := range []int{301, 302, 303, 307, 308} {
		t.Run(fmt.Sprint(code), func(t *testing.T) {
			g := NewWithT(t)
			c := newTLSCloud(t, func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path != "/moved" {
					http.Redirect(w, r, "/moved?"+r.URL.RawQuery, code)
					return
				}
				answer(w, http.StatusOK, clusterPage(`{}`, clusterItem("lkc-1", "")))
			})
			var calls []Call
			purse := newPurse()
			l, err := c.list(t, func(o *Options) {
				o.Observe = func(call Call) { calls = append(calls, call) }
				o.Budget = purse.Budget
			})
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(ids(l.Items)).To(Equal([]string{"lkc-1"}))
			asked := c.asked()
			g.Expect(asked).To(HaveLen(2))
			g.Expect(asked[1].Method).To(Equal(http.MethodGet))
			g.Expect(asked[1].URL.Query()).To(Equal(asked[0].URL.Query()))
			_, _, ok := asked[1].BasicAuth()
			g.Expect(ok).To(BeTrue())
			g.Expect(purse.spent(t)).To(Equal(2), "a redirect costs a request of the budget")
			g.Expect(calls).To(HaveLen(2))
			g.Expect(calls[0].StatusCode).To(Equal(code))
			g.Expect(calls[1].StatusCode).To(Equal(200))
		})
	}
}

func TestRedirectToAnotherOriginIsRefusedAndNeverContacted(t *testing.T) {
	g := NewWithT(t)
	foreign := newCloud(t, inTurn(clusterPage(`{}`)))
	foreignTLS := newTLSCloud(t, inTurn(clusterPage(`{}`)))
	for _, target := range []string{
		foreign.URL + "/x?page_token=hush-hush", // to http, too
		foreignTLS.URL + "/x",
		strings.Replace(foreign.URL, "http://", "http://user:hunter2@", 1),
	} {
		c := newTLSCloud(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", target)
			w.Header().Set("X-Request-Id", "req-1")
			w.WriteHeader(http.StatusTemporaryRedirect)
		})
		l, err := c.list(t)
		g.Expect(l).To(BeNil())
		e := expectError(t, err, Malformed)
		origin, _ := Origin(strings.Replace(strings.Split(target, "/x")[0], "user:hunter2@", "", 1))
		g.Expect(e.Error()).To(Equal("listCmkV2Clusters: 307 Temporary Redirect: redirect from " + c.URL +
			" to " + origin + " refused: another origin (request id req-1)"))
	}
	g.Expect(foreign.asked()).To(BeEmpty())
	g.Expect(foreignTLS.asked()).To(BeEmpty())
}

func TestRedirectHidesASecretThatIsAHost(t *testing.T) {
	g := NewWithT(t)
	credential := Credential{Key: "HOSTKEY000000001", Secret: "Mixed-Case-Secret-0001"}
	c := newCloud(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", "https://"+credential.Secret+".example/")
		w.WriteHeader(http.StatusFound)
	})
	_, err := c.list(t, func(o *Options) { o.Credential = credential })
	g.Expect(expectError(t, err, Malformed).Error()).To(HaveSuffix("to https://" + redactedText + ".example refused: another origin"))
}

func TestRedirectThatLeadsNowhereIsMalformed(t *testing.T) {
	tests := map[string]string{
		"no Location":  "",
		"no URL":       "http://[::1",
		"no host":      "mailto:a@b",
		"bad port":     "https://evil.example:99999/very/secret+value==",
		"its own loop": "/again",
	}
	for name, location := range tests {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			c := newCloud(t, func(w http.ResponseWriter, _ *http.Request) {
				if location != "" {
					w.Header()["Location"] = []string{location}
				}
				w.WriteHeader(http.StatusFound)
			})
			l, err := c.list(t)
			g.Expect(l).To(BeNil())
			e := expectError(t, err, Malformed)
			g.Expect(e.Error()).To(ContainSubstring("redirect"))
			expectNoCredential(t, e.Error())
			if name == "its own loop" {
				g.Expect(c.asked()).To(HaveLen(1 + maxRedirects))
			}
		})
	}
}

func TestAClientLedAstrayIsStoppedByItsGuard(t *testing.T) {
	g := NewWithT(t)
	c, foreign := newCloud(t, inTurn(clusterPage(`{}`))), newCloud(t, inTurn(clusterPage(`{}`)))
	client := c.client(t)
	client.base, _ = ParseEndpoint(foreign.URL)
	_, err := listClusters(t.Context(), client, ClusterFilter{Environment: "env-1"}, nil)
	e := expectError(t, err, Malformed)
	g.Expect(e.Error()).To(Equal("listCmkV2Clusters: a request to an origin other than " + c.URL + " is refused"))
	g.Expect(foreign.asked()).To(BeEmpty())
}
