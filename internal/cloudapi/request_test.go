// SPDX-License-Identifier: Apache-2.0

package cloudapi

import (
	"context"
	"net/http"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/ccloud-dev/inventory-operator/internal/cloudapi/budget"
)

func TestTheContextEndsAListing(t *testing.T) {
	stall := map[string]http.HandlerFunc{
		"before the header": func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
		"in the body": func(w http.ResponseWriter, r *http.Request) {
			answer(w, http.StatusOK, `{"kind":"ClusterList","data":[`)
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
		},
		"in an error's body": func(w http.ResponseWriter, r *http.Request) {
			answer(w, http.StatusBadGateway, `{"errors":[`)
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
		},
	}
	for name, handler := range stall {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			client := newCloud(t, handler).client(t)
			filter := ClusterFilter{Environment: "env-1"}

			ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			defer cancel()
			l, err := listClusters(ctx, client, filter, nil)
			g.Expect(l).To(BeNil())
			expectError(t, err, Unavailable)

			if name == "in an error's body" {
				return // the status came, so the error is that of the status
			}
			g.Expect(err).To(MatchError(context.DeadlineExceeded))
			ctx, cancel = context.WithCancel(t.Context())
			time.AfterFunc(50*time.Millisecond, cancel)
			l, err = listClusters(ctx, client, filter, nil)
			g.Expect(l).To(BeNil())
			expectError(t, err, Canceled)
			g.Expect(err).To(MatchError(context.Canceled))
		})
	}

	g := NewWithT(t)
	c := newCloud(t, inTurn(clusterPage(`{}`)))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := listClusters(ctx, c.client(t), ClusterFilter{Environment: "env-1"}, nil)
	expectError(t, err, Canceled)
	g.Expect(c.asked()).To(BeEmpty())
}

func TestObserveIsToldOfEveryRequest(t *testing.T) {
	g := NewWithT(t)
	n := 0
	c := newCloud(t, func(w http.ResponseWriter, _ *http.Request) {
		n++
		switch n {
		case 1:
			w.Header().Set("X-RateLimit-Limit", "60")
			w.Header().Set("X-RateLimit-Remaining", "7")
			w.Header().Set("X-RateLimit-Reset", "30")
			answer(w, http.StatusOK, clusterPage(next("a")))
		case 2:
			answer(w, http.StatusServiceUnavailable, "")
		default:
			panic(http.ErrAbortHandler)
		}
	})
	var calls []Call
	observe := func(o *Options) { o.Observe = func(call Call) { calls = append(calls, call) } }
	_, err := c.list(t, observe)
	expectError(t, err, Unavailable)
	_, err = c.list(t, observe)
	expectError(t, err, Unavailable)

	g.Expect(calls).To(HaveLen(len(c.asked())), "also of those that net/http sends again by itself")
	for i, code := range []int{200, 503, 0} {
		g.Expect(calls[i].Operation).To(Equal("listCmkV2Clusters"))
		g.Expect(calls[i].StatusCode).To(Equal(code))
		g.Expect(calls[i].Duration).To(BeNumerically(">", 0))
	}
	g.Expect(calls[0].RateLimit).To(Equal(RateLimit{Known: true, Limit: 60, Remaining: 7, Reset: 30 * time.Second}))
	g.Expect(calls[0].RequestID).To(Equal("req-1"))
}

func TestAClientIsSafeForConcurrentListings(t *testing.T) {
	c := newCloud(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Has("page_token") {
			answer(w, http.StatusOK, clusterPage(`{"total_size":2}`, clusterItem("lkc-2", "")))
			return
		}
		answer(w, http.StatusOK, clusterPage(next("a"), clusterItem("lkc-1", "")))
	})
	client := c.client(t)
	for range 8 {
		t.Run("listing", func(t *testing.T) {
			t.Parallel()
			l, err := listClusters(t.Context(), client, ClusterFilter{Environment: "env-1"}, nil)
			g := NewWithT(t)
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(ids(l.Items)).To(Equal([]string{"lkc-1", "lkc-2"}))
		})
	}
}

func TestARequestThatNetHTTPSendsAgainNeedsBudgetToo(t *testing.T) {
	g := NewWithT(t)
	c := newCloud(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Has("page_token") {
			panic(http.ErrAbortHandler) // cut the connection, which was kept after page 1
		}
		answer(w, http.StatusOK, clusterPage(next("tok")))
	})
	_, err := c.list(t, func(o *Options) { o.Budget = budget.New(0.001, 2).For("two requests") })
	expectError(t, err, Unavailable)
	g.Expect(c.asked()).To(HaveLen(2), "net/http wanted to send page 2 again")
}

func TestListingWorksOverHTTP2AndOverTheSharedTransport(t *testing.T) {
	g := NewWithT(t)
	bodies := []string{clusterPage(next("a"), clusterItem("lkc-1", "")), clusterPage(`{}`, clusterItem("lkc-2", ""))}
	http2 := newTLSCloud(t, inTurn(bodies...))
	l, err := http2.list(t)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(ids(l.Items)).To(Equal([]string{"lkc-1", "lkc-2"}))
	g.Expect(http2.asked()[0].Proto).To(Equal("HTTP/2.0"))

	l, err = newCloud(t, inTurn(bodies...)).list(t, func(o *Options) { o.Transport = nil })
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(ids(l.Items)).To(Equal([]string{"lkc-1", "lkc-2"}))

	cut := newTLSCloud(t, func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusOK, bodies[1][:40])
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	})
	l, err = cut.list(t)
	g.Expect(l).To(BeNil())
	expectError(t, err, Unavailable)
}
