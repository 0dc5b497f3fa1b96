// SPDX-License-Identifier: Apache-2.0

package contract

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"testing"

	. "github.com/onsi/gomega"

	"github.com/ccloud-dev/inventory-operator/internal/cloudapi"
	"github.com/ccloud-dev/inventory-operator/test/cloudsim"
)

// canned answers every request with one page, without a network.
type canned []byte

// RoundTrip implements http.RoundTripper.
func (c canned) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusOK, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: r,
		Header: http.Header{"Content-Type": {"application/json"}}, ContentLength: int64(len(c)),
		Body: io.NopCloser(bytes.NewReader(c))}, nil
}

// ServeHTTP implements http.Handler.
func (c canned) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(c)
}

// fullPage is the largest page of an operation, from the simulated cloud.
func fullPage(b *testing.B, path, size string, sim *cloudsim.Sim) canned {
	r := httptest.NewRequest(http.MethodGet, path+filter("page_size="+size), nil)
	withKey(r)
	w := httptest.NewRecorder()
	sim.Handler().ServeHTTP(w, r)
	NewWithT(b).Expect(w.Code).To(Equal(http.StatusOK))
	return w.Body.Bytes()
}

// perItem times list, which must give this many items, and reports what one costs.
// Allocations are those of the whole process: over httptest the server's are among
// them, the same for both readers.
func perItem(b *testing.B, items int, list func(context.Context) (int, error)) {
	ctx := b.Context()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for b.Loop() {
		if n, err := list(ctx); n != items || err != nil {
			b.Fatal(n, err)
		}
	}
	runtime.ReadMemStats(&after)
	n := float64(b.N) * float64(items)
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/n, "ns/item")
	b.ReportMetric(float64(after.TotalAlloc-before.TotalAlloc)/n, "B/item")
	b.ReportMetric(float64(after.Mallocs-before.Mallocs)/n, "allocs/item")
}

// BenchmarkPage reads one whole page: a request and its answer, from memory, which
// is next to nothing but decoding, and over the loopback.
func BenchmarkPage(b *testing.B) {
	for _, kind := range []struct {
		name, path, size string
		items            int
	}{
		{"clusters", clustersPath, "100", clustersPerPage},
		{"peerings", peeringsPath, "1000", peeringsPerPage},
	} {
		page := fullPage(b, kind.path, kind.size, newSim(cloudsim.Options{}, clustersPerPage, peeringsPerPage))
		for _, way := range []string{"memory", "httptest"} {
			url, transport := "http://cloud.example", http.RoundTripper(page)
			if way == "httptest" {
				url, transport = serve(b, page), http.DefaultTransport
			}
			client, err := cloudapi.New(cloudapi.Options{Endpoint: url, Credential: credential, UserAgent: userAgent, Transport: transport})
			NewWithT(b).Expect(err).NotTo(HaveOccurred())
			reference := vendor(url, &http.Client{Transport: transport})
			read := operations[kind.name]
			b.Run(kind.name+"/"+way+"/ours", func(b *testing.B) {
				b.SetBytes(int64(len(page)))
				perItem(b, kind.items, func(ctx context.Context) (int, error) { return read.ours(ctx, client) })
			})
			b.Run(kind.name+"/"+way+"/vendor", func(b *testing.B) {
				b.SetBytes(int64(len(page)))
				perItem(b, kind.items, func(ctx context.Context) (int, error) { return reference.firstPage(ctx, kind.name) })
			})
		}
	}
}
