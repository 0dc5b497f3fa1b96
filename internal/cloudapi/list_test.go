// SPDX-License-Identifier: Apache-2.0

package cloudapi

import (
	"fmt"
	"net/http"
	"net/url"
	"testing"

	. "github.com/onsi/gomega"

	"github.com/ccloud-dev/inventory-operator/internal/cloudapi/wire"
)

func TestListClustersSendsEveryParameterOnEveryPage(t *testing.T) {
	g := NewWithT(t)
	c := newTLSCloud(t, inTurn(clusterPage(next("t%2B1%2F%3D%26x")), clusterPage(next("t2")), clusterPage(`{}`)))
	_, err := listClusters(t.Context(), c.client(t), ClusterFilter{Environment: "env-a&b", Networks: []string{"n-1", "n 2"}}, nil)
	g.Expect(err).NotTo(HaveOccurred())

	want := url.Values{"environment": {"env-a&b"}, "spec.network": {"n-1", "n 2"}, "page_size": {"100"}}
	tokens := []string{"", "t+1/=&x", "t2"}
	asked := c.asked()
	g.Expect(asked).To(HaveLen(3))
	for i, r := range asked {
		if tokens[i] != "" {
			want["page_token"] = []string{tokens[i]}
		}
		g.Expect(r.URL.Query()).To(Equal(want))
		g.Expect(r.Method).To(Equal(http.MethodGet))
		g.Expect(r.URL.Path).To(Equal("/cmk/v2/clusters"))
		g.Expect(r.UserAgent()).To(Equal(testUserAgent))
		g.Expect(r.Header.Get("Accept")).To(Equal("application/json"))
		key, secret, _ := r.BasicAuth()
		g.Expect(Credential{key, secret}).To(Equal(testCredential))
	}
}

func TestListPeeringsSendsEveryParameter(t *testing.T) {
	g := NewWithT(t)
	c := newCloud(t, inTurn(`{"kind":"PeeringList","data":null}`))
	l, err := listPeerings(t.Context(), c.client(t, func(o *Options) { o.Endpoint += "/gateway/" }), ConnectionFilter{
		Environment:  "env-1",
		Networks:     []string{"n-1", "n-2"},
		DisplayNames: []string{"prod é", "test"},
		Phases:       []string{"READY", "FAILED"},
	}, nil)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(l.Complete()).To(Succeed())
	r := c.asked()[0]
	g.Expect(r.URL.Path).To(Equal("/gateway/networking/v1/peerings"))
	g.Expect(r.URL.Query()).To(Equal(url.Values{
		"environment":       {"env-1"},
		"spec.network":      {"n-1", "n-2"},
		"spec.display_name": {"prod é", "test"},
		"status.phase":      {"READY", "FAILED"},
		"page_size":         {"1000"},
	}))
}

func TestAFilterThatIsEmptyIsNotSent(t *testing.T) {
	g := NewWithT(t)
	c := newCloud(t, inTurn(`{"kind":"PeeringList","data":[]}`))
	_, err := listPeerings(t.Context(), c.client(t), ConnectionFilter{Environment: "env-1"}, nil)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(c.asked()[0].URL.RawQuery).To(Equal("environment=env-1&page_size=1000"))
}

func TestAListingWithoutEnvironmentIsNotSent(t *testing.T) {
	g := NewWithT(t)
	c := newCloud(t, inTurn(clusterPage(`{}`)))
	l, err := listClusters(t.Context(), c.client(t), ClusterFilter{}, nil)
	g.Expect(l).To(BeNil())
	e := expectError(t, err, InvalidRequest)
	g.Expect(e.Error()).To(ContainSubstring("listCmkV2Clusters"))
	g.Expect(c.asked()).To(BeEmpty())
}

func TestPagesAddUpInTheOrderFirstSeen(t *testing.T) {
	g := NewWithT(t)
	c := newCloud(t, inTurn(
		clusterPage(next("a"), clusterItem("lkc-3", "first"), clusterItem("lkc-1", "")),
		clusterPage(next("b")),
		clusterPage(`{"next":null,"total_size":3}`, clusterItem("lkc-2", ""), clusterItem("lkc-3", "last")),
	))
	l, err := c.list(t)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(l.Complete()).To(Succeed())
	g.Expect(l.Pages).To(Equal(3))
	g.Expect(ids(l.Items)).To(Equal([]string{"lkc-3", "lkc-1", "lkc-2"}), "an item that comes twice is taken once")
	g.Expect(l.Items[0].Value.Spec.DisplayName).To(Equal("last"), "the last one")
}

func TestTheLastPageHasNoNextLink(t *testing.T) {
	for _, metadata := range []string{`{}`, `null`, `{"next":null}`, `{"next":""}`, `{"first":null,"next":null,"total_size":null}`} {
		t.Run(metadata, func(t *testing.T) {
			g := NewWithT(t)
			c := newCloud(t, inTurn(clusterPage(metadata, clusterItem("lkc-1", ""))))
			l, err := c.list(t)
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(l.Complete()).To(Succeed())
			g.Expect(c.asked()).To(HaveLen(1))
		})
	}
}

func TestNextGivesATokenAndNeverAHost(t *testing.T) {
	g := NewWithT(t)
	foreign := newCloud(t, inTurn(clusterPage(`{}`)))
	for _, link := range []string{
		foreign.URL + "/evil?page_token=tok",
		"//" + foreign.Listener.Addr().String() + "/evil?page_token=tok&environment=env-other",
		"/elsewhere?page_token=tok",
		"?page_token=tok",
	} {
		c := newCloud(t, inTurn(clusterPage(`{"next":"`+link+`"}`), clusterPage(`{}`)))
		_, err := c.list(t)
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(c.asked()).To(HaveLen(2))
		g.Expect(c.asked()[1].URL.String()).To(Equal("/cmk/v2/clusters?environment=env-1&page_size=100&page_token=tok"))
	}
	g.Expect(foreign.asked()).To(BeEmpty())
}

func TestANextLinkWithoutAUsableTokenIsNotTheEnd(t *testing.T) {
	long := make([]byte, maxPageTokenLength+1)
	for i := range long {
		long[i] = 'x'
	}
	tests := map[string]string{
		"no query":         `"https://api.confluent.cloud/cmk/v2/clusters"`,
		"another query":    `"https://api.confluent.cloud/cmk/v2/clusters?page=2"`,
		"empty token":      `"https://api.confluent.cloud/cmk/v2/clusters?page_token="`,
		"two tokens":       `"/x?page_token=aaaaaa&page_token=bbbbbb"`,
		"escaped wrongly":  `"/x?page_token=%zzaaaaaa"`,
		"only a token":     `"aaaaaa"`,
		"only white space": `" "`,
		"no URL":           `"http://[::1?page_token=aaaaaa"`,
		"too long":         `"/x?page_token=` + string(long) + `"`,
		"a number":         `5`,
		"an object":        `{"page_token":"aaaaaa"}`,
		"false":            `false`,
	}
	for name, link := range tests {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			c := newCloud(t, inTurn(clusterPage(`{"next":`+link+`}`, clusterItem("lkc-1", ""))))
			l, err := c.list(t)
			g.Expect(l).To(BeNil())
			e := expectError(t, err, Malformed)
			g.Expect(e.Error()).To(ContainSubstring("metadata.next"))
			g.Expect(e.Error()).NotTo(ContainSubstring("aaaaaa"))
		})
	}
}

func TestATokenThatCameBeforeEndsTheListingInError(t *testing.T) {
	for name, bodies := range map[string][]string{
		"at once": {clusterPage(next("same-token"))},
		"a cycle": {clusterPage(next("same-token")), clusterPage(next("other")), clusterPage(next("same-token"))},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			c := newCloud(t, inTurn(bodies...))
			l, err := c.list(t)
			g.Expect(l).To(BeNil())
			e := expectError(t, err, Incomplete)
			g.Expect(e.Error()).To(Equal("listCmkV2Clusters: 200 OK: incomplete listing: a page token came twice (request id req-1)"))
		})
	}
}

func TestLimitsFailTheListingAndDropNothing(t *testing.T) {
	endless := func() http.HandlerFunc {
		n := 0
		return func(w http.ResponseWriter, _ *http.Request) {
			n++
			answer(w, http.StatusOK, clusterPage(next(fmt.Sprintf("t-%d", n)),
				clusterItem(fmt.Sprintf("lkc-%d", 2*n), ""), clusterItem(fmt.Sprintf("lkc-%d", 2*n+1), "")))
		}
	}
	tests := map[string]struct {
		limits   Limits
		class    Class
		want     string
		requests int
	}{
		"pages":           {Limits{MaxPages: 3}, Incomplete, "more than 3 pages", 3},
		"items":           {Limits{MaxItems: 5}, Incomplete, "more than 5 items", 3},
		"items, one page": {Limits{MaxItems: 1}, Incomplete, "more than 1 items", 1},
		"body":            {Limits{MaxBodyBytes: 100}, Malformed, "larger than allowed", 1},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			c := newCloud(t, endless())
			l, err := c.list(t, func(o *Options) { o.Limits = tt.limits })
			g.Expect(l).To(BeNil())
			e := expectError(t, err, tt.class)
			g.Expect(e.Error()).To(ContainSubstring(tt.want))
			g.Expect(e.RequestID).To(Equal("req-1"))
			g.Expect(c.asked()).To(HaveLen(tt.requests))
		})
	}
}

func TestAListingAtItsLimitsIsWhole(t *testing.T) {
	g := NewWithT(t)
	first := clusterPage(next("a"), clusterItem("lkc-1", ""))
	last := clusterPage(`{}`, clusterItem("lkc-2", ""))
	c := newCloud(t, inTurn(first, last))
	l, err := c.list(t, func(o *Options) {
		o.Limits = Limits{MaxPages: 2, MaxItems: 2, MaxBodyBytes: int64(max(len(first), len(last)))}
	})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(l.Complete()).To(Succeed())
}

func TestAFailureOnALaterPageLeavesNoListing(t *testing.T) {
	for name, bad := range map[string]http.HandlerFunc{
		"status": func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusBadGateway, "") },
		"body":   func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusOK, "{}") },
		"cut":    func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			c := newCloud(t, func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Query().Has("page_token") {
					bad(w, r)
					return
				}
				answer(w, http.StatusOK, clusterPage(next("tok"), clusterItem("lkc-1", "")))
			})
			purse, calls := newPurse(), 0
			l, err := c.list(t, func(o *Options) {
				o.Budget = purse.Budget
				o.Observe = func(Call) { calls++ }
			})
			g.Expect(l).To(BeNil())
			g.Expect(err).To(HaveOccurred())
			// If a kept connection was cut, net/http sends the request again by itself.
			g.Expect(len(c.asked())).To(BeNumerically(">=", 2))
			g.Expect(purse.spent(t)).To(Equal(len(c.asked())))
			g.Expect(calls).To(Equal(len(c.asked())))
		})
	}
}

func TestListEnvironmentsAsksTheOrganization(t *testing.T) {
	g := NewWithT(t)
	c := newCloud(t, inTurn(`{"kind":"EnvironmentList","data":[{"id":"env-1","display_name":"prod","metadata":{}},{"id":"env-2"}]}`))
	l, err := List(t.Context(), c.client(t), Environments, EnvironmentFilter{}, nil, whole[wire.Environment])
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(l.Complete()).To(Succeed())
	g.Expect(l.Items).To(HaveLen(2))
	g.Expect(l.Items[0].Value).To(HaveField("DisplayName", "prod"))
	r := c.asked()[0]
	g.Expect(r.URL.Path).To(Equal("/org/v2/environments"))
	g.Expect(r.URL.RawQuery).To(Equal("page_size=100"))
}
