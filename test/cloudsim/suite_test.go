package cloudsim_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/ccloud-dev/inventory-operator/test/cloudsim"
)

const (
	env          = "env-abc123"
	clustersPath = "/cmk/v2/clusters"
	peeringsPath = "/networking/v1/peerings"
)

// clock is a time that does not move by itself. Tests move it.
type clock struct{ now time.Time }

func (c *clock) Now() time.Time { return c.now }

func newClock() *clock { return &clock{time.Date(2026, time.May, 1, 12, 0, 0, 0, time.UTC)} }

// newSim returns a simulator with an empty environment and a key that may do everything.
func newSim(o cloudsim.Options) *cloudsim.Sim {
	s := cloudsim.New(o)
	s.AddKey(cloudsim.Key{ID: "KEY", Secret: "SECRET"})
	s.AddEnvironment(env)
	return s
}

func start(t testing.TB, s *cloudsim.Sim) *cloudsim.Server {
	t.Helper()
	server, err := s.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	return server
}

func cluster(id string) cloudsim.Cluster {
	return cloudsim.Cluster{ID: id, Spec: cloudsim.ClusterSpec{
		DisplayName: "orders", Availability: "LOW", Cloud: "AWS", Region: "us-east-1",
		Config: cloudsim.ClusterConfig{Kind: "Basic"}, Environment: cloudsim.Reference{ID: env},
	}, Status: cloudsim.ClusterStatus{Phase: cloudsim.PhaseProvisioned}}
}

func clusterIn(id, network string) cloudsim.Cluster {
	c := cluster(id)
	c.Spec.Network = &cloudsim.Reference{ID: network}
	return c
}

func peering(id, name, phase, network string) cloudsim.Peering {
	return cloudsim.Peering{ID: id, Spec: cloudsim.PeeringSpec{
		DisplayName: name,
		Cloud:       cloudsim.PeeringCloud{Kind: "GcpPeering", Project: "acme", VPCNetwork: "vpc"},
		Environment: cloudsim.Reference{ID: env}, Network: cloudsim.Reference{ID: network},
	}, Status: cloudsim.PeeringStatus{Phase: phase}}
}

// answer is an answer of the cloud.
type answer struct {
	status int
	header http.Header
	body   string
}

// list is the part of a list answer that tests check.
type list struct {
	APIVersion string `json:"api_version"`
	Kind       string `json:"kind"`
	Metadata   struct {
		First, Last, Prev, Next *string
		TotalSize               *int `json:"total_size"`
	} `json:"metadata"`
	Data []struct {
		ID string `json:"id"`
	} `json:"data"`
}

func (a answer) list(g Gomega) list {
	var l list
	g.ExpectWithOffset(1, a.status).To(Equal(http.StatusOK), a.body)
	g.ExpectWithOffset(1, json.Unmarshal([]byte(a.body), &l)).To(Succeed(), a.body)
	return l
}

func (l list) ids() []string {
	ids := []string{}
	for _, d := range l.Data {
		ids = append(ids, d.ID)
	}
	return ids
}

// failure is the only error of an error answer.
type failure struct {
	ID, Status, Code, Title, Detail string
	Source                          struct{ Parameter string }
}

func (a answer) failure(g Gomega) failure {
	var body struct{ Errors []failure }
	g.ExpectWithOffset(1, json.Unmarshal([]byte(a.body), &body)).To(Succeed(), a.body)
	g.ExpectWithOffset(1, body.Errors).To(HaveLen(1), a.body)
	f := body.Errors[0]
	g.ExpectWithOffset(1, f.ID).To(Equal(a.header.Get("X-Request-Id")))
	g.ExpectWithOffset(1, a.header.Get("Content-Type")).To(Equal("application/json"))
	g.ExpectWithOffset(1, f.Detail).NotTo(BeEmpty())
	return f
}

// ask sends one request to a handler. If user is not "", the request has Basic authentication.
func ask(h http.Handler, method, target, user, password, body string) answer {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	if user != "" {
		r.SetBasicAuth(user, password)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return answer{w.Code, w.Header(), w.Body.String()}
}

// get sends a request with the valid key. query is added after "?environment=…".
func get(s *cloudsim.Sim, path, query string) answer {
	return ask(s.Handler(), http.MethodGet, path+"?environment="+env+query, "KEY", "SECRET", "")
}

// token returns the page token in a link.
func token(g Gomega, link *string) string {
	g.ExpectWithOffset(1, link).NotTo(BeNil())
	u, err := url.Parse(*link)
	g.ExpectWithOffset(1, err).NotTo(HaveOccurred())
	return u.Query().Get("page_token")
}

// walk lists all objects by following next. It calls between before each page after the first.
func walk(g Gomega, s *cloudsim.Sim, path, query string, between func(page int)) (ids []string) {
	next := ""
	for n := 1; ; n++ {
		l := get(s, path, query+next).list(g)
		ids = append(ids, l.ids()...)
		if l.Metadata.Next == nil {
			return ids
		}
		next = "&page_token=" + token(g, l.Metadata.Next)
		if between != nil {
			between(n)
		}
	}
}

// do sends one request over the network.
func do(t testing.TB, method, target, user, password string) (answer, error) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, target, nil)
	if err != nil {
		t.Fatal(err)
	}
	if user != "" {
		r.SetBasicAuth(user, password)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return answer{}, err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	return answer{resp.StatusCode, resp.Header, string(body)}, err
}

// environments returns environments with these IDs.
func environments(ids ...string) []cloudsim.Environment {
	var all []cloudsim.Environment
	for _, id := range ids {
		all = append(all, cloudsim.Environment{ID: id})
	}
	return all
}
