// SPDX-License-Identifier: Apache-2.0

// Package contract holds the simulated cloud and this project's client against what
// the vendor publishes: the specifications its SDK carries, and the SDK itself.
//
// The specifications say what may be sent. The SDK says what its readers make of it:
// where it can decode an answer, this project's client must have read the same.
//
// It is a module of its own, so that neither SDK nor validator becomes a dependency
// of the operator.
package contract

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"

	. "github.com/onsi/gomega"

	"github.com/ccloud-dev/inventory-operator/internal/cloudapi"
	"github.com/ccloud-dev/inventory-operator/internal/cloudapi/wire"
	"github.com/ccloud-dev/inventory-operator/test/cloudsim"
)

const (
	environment      = "env-abc123"
	clustersPath     = "/cmk/v2/clusters"
	peeringsPath     = "/networking/v1/peerings"
	networksPath     = "/networking/v1/networks"
	registriesPath   = "/srcm/v3/clusters"
	environmentsPath = "/org/v2/environments"
	userAgent        = "inventory-operator/v0.0.0-test"

	// What each operation allows at most on one page.
	clustersPerPage = 100
	peeringsPerPage = 1000
	networksPerPage = 1000

	registriesPerPage = 100
)

// credential has characters that every encoding changes.
var credential = cloudapi.Credential{Key: "TESTKEYID0000001", Secret: "very/secret+value=="}

// newSim returns a simulated cloud with a seeded inventory, the same every time, and
// a key for all of it.
func newSim(o cloudsim.Options, clusters, peerings int) *cloudsim.Sim {
	s := cloudsim.New(o)
	s.AddKey(cloudsim.Key{ID: credential.Key, Secret: credential.Secret})
	cloudsim.Seed(s, cloudsim.SeedOptions{Environment: environment, Clusters: clusters, Peerings: peerings, Seed: 7})
	return s
}

// addNetworks adds so many networks, all like the first.
func addNetworks(s *cloudsim.Sim, n int) {
	network := s.Networks(environment)[0]
	for i := range n {
		network.ID, network.Metadata = fmt.Sprintf("n-more%04d", i), cloudsim.Metadata{}
		s.PutNetwork(network)
	}
}

// serve starts a server for the time of the test and returns its URL.
func serve(t testing.TB, h http.Handler) string {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return server.URL
}

// ours returns this project's client for a server.
func ours(t testing.TB, url string) *cloudapi.Client {
	t.Helper()
	c, err := cloudapi.New(cloudapi.Options{Endpoint: url, Credential: credential, UserAgent: userAgent})
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	return c
}

// whole is the projection that keeps a record as it is.
func whole[Record any](r *Record) Record { return *r }

func listClusters(ctx context.Context, c *cloudapi.Client, f cloudapi.ClusterFilter) (*cloudapi.Listing[wire.Cluster], error) {
	return cloudapi.List(ctx, c, cloudapi.Clusters, f, nil, whole[wire.Cluster])
}

func listPeerings(ctx context.Context, c *cloudapi.Client, f cloudapi.ConnectionFilter) (*cloudapi.Listing[wire.Peering], error) {
	return cloudapi.List(ctx, c, cloudapi.Peerings, f, nil, whole[wire.Peering])
}

func listNetworks(ctx context.Context, c *cloudapi.Client, f cloudapi.NetworkFilter) (*cloudapi.Listing[wire.Network], error) {
	return cloudapi.List(ctx, c, cloudapi.Networks, f, nil, whole[wire.Network])
}

// answer is what came back, and for what.
type answer struct {
	request *http.Request
	status  int
	header  http.Header
	body    []byte
}

// withKey sets the good key.
func withKey(r *http.Request) { r.SetBasicAuth(credential.Key, credential.Secret) }

// ask sends one GET.
func ask(t testing.TB, url string, authenticate func(*http.Request)) answer {
	t.Helper()
	g := NewWithT(t)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	g.Expect(err).NotTo(HaveOccurred())
	authenticate(r)
	resp, err := http.DefaultClient.Do(r)
	g.Expect(err).NotTo(HaveOccurred())
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	g.Expect(err).NotTo(HaveOccurred())
	return answer{r, resp.StatusCode, resp.Header, body}
}

// edited serves h's answers after edit has changed their JSON.
func edited(h http.Handler, edit func(page map[string]any)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		recorded := httptest.NewRecorder()
		h.ServeHTTP(recorded, r)
		var page map[string]any
		if err := json.Unmarshal(recorded.Body.Bytes(), &page); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		edit(page)
		var body bytes.Buffer
		if err := json.NewEncoder(&body).Encode(page); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Length", strconv.Itoa(body.Len()))
		w.WriteHeader(recorded.Code)
		_, _ = w.Write(body.Bytes())
	})
}

// envelope is as much of a page as following its links takes.
type envelope struct {
	Metadata struct {
		Next *string `json:"next"`
		Prev *string `json:"prev"`
		Last *string `json:"last"`
	} `json:"metadata"`
	Data []json.RawMessage `json:"data"`
}

// envelope decodes a page.
func (a answer) envelope(t testing.TB) envelope {
	t.Helper()
	var e envelope
	NewWithT(t).Expect(json.Unmarshal(a.body, &e)).To(Succeed(), string(a.body))
	return e
}

// records returns the records of a listing that was made without an index.
func records[T any](l *cloudapi.Listing[T]) []T {
	var out []T
	for _, item := range l.Items {
		out = append(out, item.Value)
	}
	return out
}
