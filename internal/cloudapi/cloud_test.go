// SPDX-License-Identifier: Apache-2.0

package cloudapi

import (
	"context"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	. "github.com/onsi/gomega"

	"github.com/ccloud-dev/inventory-operator/internal/cloudapi/wire"
)

// testCredential has a secret whose characters change in every encoding.
var testCredential = Credential{Key: "TESTKEYID0000001", Secret: "very/secret+value=="}

const testUserAgent = "inventory-operator/v0.0.0-test"

// cloud is a server that records the requests that it gets.
type cloud struct {
	*httptest.Server
	mu       sync.Mutex
	requests []*http.Request
}

// record wraps handler. It keeps the method, URL and header of each request.
func (c *cloud) record(handler http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c.mu.Lock()
		c.requests = append(c.requests, r.Clone(context.Background()))
		c.mu.Unlock()
		handler(w, r)
	})
}

// asked returns the requests that came so far.
func (c *cloud) asked() []*http.Request {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]*http.Request(nil), c.requests...)
}

// newCloud starts a server that stops when the test ends.
func newCloud(t *testing.T, handler http.HandlerFunc) *cloud {
	t.Helper()
	c := &cloud{}
	c.Server = httptest.NewServer(c.record(handler))
	t.Cleanup(c.Close)
	return c
}

// newTLSCloud starts a server as newCloud does, but with https and HTTP/2.
func newTLSCloud(t *testing.T, handler http.HandlerFunc) *cloud {
	t.Helper()
	c := &cloud{}
	c.Server = httptest.NewUnstartedServer(c.record(handler))
	c.EnableHTTP2 = true
	// The tests cause errors of the server on purpose, so these are not logged.
	c.Config.ErrorLog = log.New(io.Discard, "", 0)
	c.StartTLS()
	t.Cleanup(c.Close)
	return c
}

// client returns a client of this server.
func (c *cloud) client(t *testing.T, change ...func(*Options)) *Client {
	t.Helper()
	o := Options{
		Endpoint:   c.URL,
		Credential: testCredential,
		UserAgent:  testUserAgent,
		Transport:  c.Client().Transport,
		// Tests of retries set their own Retry, with a clock.
		Retry: Retry{Attempts: 1},
	}
	for _, f := range change {
		f(&o)
	}
	client, err := New(o)
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	return client
}

// list lists the clusters of env-1.
func (c *cloud) list(t *testing.T, change ...func(*Options)) (*Listing[*wire.Cluster], error) {
	t.Helper()
	return listClusters(t.Context(), c.client(t, change...), ClusterFilter{Environment: "env-1"}, nil)
}

// whole is a projection that keeps the record unchanged.
func whole[Record any](r *Record) *Record { return r }

func listClusters(ctx context.Context, c *Client, f ClusterFilter, index *Index) (*Listing[*wire.Cluster], error) {
	return List(ctx, c, Clusters, f, index, whole[wire.Cluster])
}

func listPeerings(ctx context.Context, c *Client, f ConnectionFilter, index *Index) (*Listing[*wire.Peering], error) {
	return List(ctx, c, Peerings, f, index, whole[wire.Peering])
}

// answer writes a JSON answer.
func answer(w http.ResponseWriter, code int, body string) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Request-Id", "req-1")
	w.WriteHeader(code)
	_, _ = io.WriteString(w, body)
}

// inTurn answers each request with the next body. After the last body, it repeats the last body.
func inTurn(bodies ...string) http.HandlerFunc {
	var mu sync.Mutex
	n := 0
	return func(w http.ResponseWriter, _ *http.Request) {
		mu.Lock()
		body := bodies[min(n, len(bodies)-1)]
		n++
		mu.Unlock()
		answer(w, http.StatusOK, body)
	}
}

// clusterPage is a page of clusters. metadata and items are JSON.
func clusterPage(metadata string, items ...string) string {
	return fmt.Sprintf(`{"api_version":"cmk/v2","kind":"ClusterList","metadata":%s,"data":[%s]}`,
		metadata, strings.Join(items, ","))
}

// next is the metadata of a page. Its next link has this token.
func next(token string) string {
	return `{"next":"https://api.confluent.cloud/cmk/v2/clusters?page_token=` + token + `"}`
}

// clusterItem is a cluster with an ID and a display name.
func clusterItem(id, displayName string) string {
	return fmt.Sprintf(`{"id":%q,"spec":{"display_name":%q},"status":{"phase":"PROVISIONED"}}`, id, displayName)
}

// ids returns the IDs of the clusters in items, in the same order.
func ids(items []Item[*wire.Cluster]) []string {
	var out []string
	for _, c := range items {
		out = append(out, c.ID)
	}
	return out
}

// listingOf returns a listing that is under way, of one operation and without a filter.
func listingOf[Record, Filter any](op *Operation[Record, Filter], limits Limits) *listCall[*Record] {
	limits, _ = limits.orDefault()
	a := &listCall[*Record]{operation: op.operation, query: newQuery(params{}), limits: limits, pageSize: op.pageSize, memory: &memoryLimit{maxBytes: maxProcessMemory}}
	a.decodeItem = func(raw jsontext.Value) entry[*Record] { return readItem(raw, op, a.query, whole[Record]) }
	return a
}

// expectError asserts that err is an *Error of this class, and returns the *Error.
func expectError(t *testing.T, err error, class Class) *Error {
	t.Helper()
	g := NewWithT(t)
	var e *Error
	g.Expect(err).To(HaveOccurred())
	g.Expect(err).To(BeAssignableToTypeOf(e))
	e = err.(*Error)
	g.Expect(e.Class.String()).To(Equal(class.String()), e.Error())
	g.Expect(ClassOf(fmt.Errorf("wrapped: %w", err))).To(Equal(class))
	return e
}

// expectNoCredential asserts that no form of the credential is in text.
func expectNoCredential(t *testing.T, text string) {
	t.Helper()
	g := NewWithT(t)
	for _, form := range []string{testCredential.Key, testCredential.Secret, testCredential.basicAuth(), "very%2Fsecret"} {
		g.Expect(text).NotTo(ContainSubstring(form))
	}
}
