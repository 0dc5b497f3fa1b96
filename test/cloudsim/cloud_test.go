package cloudsim_test

import (
	"fmt"
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

func TestAnEmptyEnvironmentIsAnEmptyList(t *testing.T) {
	for path, want := range map[string]string{
		clustersPath: `{"api_version":"cmk/v2","kind":"ClusterList","metadata":{` +
			`"first":"http://example.com/cmk/v2/clusters?environment=env-abc123",` +
			`"last":"http://example.com/cmk/v2/clusters?environment=env-abc123",` +
			`"prev":null,"next":null,"total_size":0},"data":[]}`,
		peeringsPath: `{"api_version":"networking/v1","kind":"PeeringList","metadata":{` +
			`"first":"http://example.com/networking/v1/peerings?environment=env-abc123",` +
			`"last":"http://example.com/networking/v1/peerings?environment=env-abc123",` +
			`"prev":null,"next":null,"total_size":0},"data":[]}`,
	} {
		g := NewWithT(t)
		a := get(newSim(cloudsim.Options{}), path, "")
		g.Expect(a.status).To(Equal(http.StatusOK))
		g.Expect(a.header.Get("Content-Type")).To(Equal("application/json"))
		g.Expect(a.body).To(Equal(want))
	}
}

func TestTotalSizeIsOptional(t *testing.T) {
	g := NewWithT(t)
	g.Expect(get(newSim(cloudsim.Options{OmitTotalSize: true}), clustersPath, "").body).NotTo(ContainSubstring("total_size"))
}

func TestLinksHaveTheRequestsOwnScheme(t *testing.T) {
	g := NewWithT(t)
	server := httptest.NewTLSServer(newSim(cloudsim.Options{}).Handler())
	defer server.Close()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+clustersPath+"?environment="+env, nil)
	g.Expect(err).NotTo(HaveOccurred())
	r.SetBasicAuth("KEY", "SECRET")
	resp, err := server.Client().Do(r)
	g.Expect(err).NotTo(HaveOccurred())
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(string(body)).To(ContainSubstring(server.URL + clustersPath))
}

func TestAuthentication(t *testing.T) {
	s := newSim(cloudsim.Options{})
	s.AddKey(cloudsim.Key{ID: "NORIGHTS", Secret: "s", Forbidden: true})
	s.AddKey(cloudsim.Key{ID: "OTHER", Secret: "s", Environments: []string{"env-other"}})
	s.AddKey(cloudsim.Key{ID: "GONE", Secret: "s"})
	s.RemoveKey("GONE")
	for name, c := range map[string]struct {
		user, password, environment string
		status                      int
		code, title, detail         string
	}{
		"no key":                  {"", "", env, 401, "invalid_api_key", "Unauthorized", "invalid API key"},
		"unknown key":             {"WHO", "SECRET", env, 401, "invalid_api_key", "Unauthorized", "invalid API key"},
		"wrong secret":            {"KEY", "secret", env, 401, "invalid_api_key", "Unauthorized", "invalid API key"},
		"removed key":             {"GONE", "s", env, 401, "invalid_api_key", "Unauthorized", "invalid API key"},
		"key without rights":      {"NORIGHTS", "s", env, 403, "user_unauthorized", "Forbidden Access", "forbidden access"},
		"unknown environment":     {"KEY", "SECRET", "env-none", 403, "forbidden_access", "Forbidden Access", `"env-none" does not exist or is not visible`},
		"environment not visible": {"OTHER", "s", env, 403, "forbidden_access", "Forbidden Access", `"env-abc123" does not exist or is not visible`},
	} {
		for _, path := range []string{clustersPath, peeringsPath} {
			t.Run(name+path, func(t *testing.T) {
				g := NewWithT(t)
				a := ask(s.Handler(), http.MethodGet, path+"?environment="+c.environment, c.user, c.password, "")
				f := a.failure(g)
				g.Expect(a.status).To(Equal(c.status))
				g.Expect(f.Status).To(Equal(fmt.Sprint(c.status)))
				g.Expect(f.Code).To(Equal(c.code))
				g.Expect(f.Title).To(Equal(c.title))
				g.Expect(f.Detail).To(ContainSubstring(c.detail))
				challenged := a.header.Get("WWW-Authenticate") != ""
				g.Expect(challenged).To(Equal(c.status == 401))
				g.Expect(a.body).NotTo(ContainSubstring("SECRET"))
			})
		}
	}
}

func TestAGlobalKeyIsTakenForClustersAlone(t *testing.T) {
	for _, status := range []int{http.StatusUnauthorized, http.StatusForbidden} {
		g := NewWithT(t)
		s := newSim(cloudsim.Options{})
		s.AddKey(cloudsim.Key{ID: "KEY", Secret: "s", Global: status})
		asked := func(path string) int {
			return ask(s.Handler(), http.MethodGet, path+"?environment="+env, "KEY", "s", "").status
		}
		g.Expect(asked(clustersPath)).To(Equal(http.StatusOK))
		g.Expect(asked(peeringsPath)).To(Equal(status))
	}
}

func TestAKeyCanBeRotatedAndSeesOnlyItsEnvironments(t *testing.T) {
	g := NewWithT(t)
	s := newSim(cloudsim.Options{})
	s.AddKey(cloudsim.Key{ID: "KEY", Secret: "new", Environments: []string{env}})
	g.Expect(get(s, clustersPath, "").status).To(Equal(http.StatusUnauthorized))
	target := clustersPath + "?environment=" + env
	g.Expect(ask(s.Handler(), http.MethodGet, target, "KEY", "new", "").status).To(Equal(http.StatusOK))
}

func TestBadParametersAreNamed(t *testing.T) {
	s := newSim(cloudsim.Options{})
	for query, parameter := range map[string]string{
		"":                                                                       "environment",
		"environment=":                                                           "environment",
		"environment=env-a&environment=env-b":                                    "environment",
		"environment=env-abc123&page_size=0":                                     "page_size",
		"environment=env-abc123&page_size=-1":                                    "page_size",
		"environment=env-abc123&page_size=ten":                                   "page_size",
		"environment=env-abc123&page_size=1.5":                                   "page_size",
		"environment=env-abc123&page_size=":                                      "page_size",
		"environment=env-abc123&page_size=1001":                                  "page_size",
		"environment=env-abc123&page_token=":                                     "page_token",
		"environment=env-abc123&page_token=never-given":                          "page_token",
		"environment=env-abc123&page_token=16PcqJ_ipPbGPnz5BBsqew":               "page_token",
		"environment=env-abc123&page_token=" + strings.Repeat("a", 256):          "page_token",
		"environment=env-abc123&spec.network=":                                   "spec.network",
		"environment=env-abc123&network=n-1":                                     "network",
		"environment=env-abc123&page_size=%zz":                                   "",
		"environment=env-abc123&page_token=" + url.QueryEscape("\x00\xff'\";--"): "page_token",
	} {
		for _, path := range []string{clustersPath, peeringsPath} {
			t.Run(path+"?"+query, func(t *testing.T) {
				g := NewWithT(t)
				a := ask(s.Handler(), http.MethodGet, path+"?"+query, "KEY", "SECRET", "")
				f := a.failure(g)
				g.Expect(a.status).To(Equal(http.StatusBadRequest))
				g.Expect(f.Source.Parameter).To(Equal(parameter))
			})
		}
	}
	g := NewWithT(t)
	g.Expect(get(s, clustersPath, "&page_size=100").status).To(Equal(200))
	g.Expect(get(s, clustersPath, "&page_size=101").failure(g).Detail).To(ContainSubstring("from 1 to 100"))
	g.Expect(get(s, peeringsPath, "&page_size=1000").status).To(Equal(200))
	g.Expect(get(s, clustersPath, "&status.phase=READY").failure(g).Detail).To(ContainSubstring("no parameter"))
	g.Expect(get(s, clustersPath, "&page_token="+strings.Repeat("a", 256)).failure(g).Detail).To(ContainSubstring("longer than 255"))
}

func TestOtherPathsAndVerbs(t *testing.T) {
	s := newSim(cloudsim.Options{})
	for _, path := range []string{"/", "/cmk/v2/clusters/", "/cmk/v2/clusters/lkc-1", "/networking/v1/gateways"} {
		g := NewWithT(t)
		a := get(s, path, "")
		g.Expect(a.status).To(Equal(http.StatusNotFound), path)
		g.Expect(a.failure(g).Code).To(Equal("resource_not_found"))
	}
	for _, method := range []string{"POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"} {
		g := NewWithT(t)
		a := ask(s.Handler(), method, clustersPath+"?environment="+env, "KEY", "SECRET", "")
		g.Expect(a.status).To(Equal(http.StatusMethodNotAllowed), method)
		g.Expect(a.header.Get("Allow")).To(Equal("GET"))
	}
}

func TestEveryAnswerHasARequestIDOfItsOwn(t *testing.T) {
	g := NewWithT(t)
	s := newSim(cloudsim.Options{})
	s.FailNext(cloudsim.OpListPeerings, 1, cloudsim.Status(http.StatusBadGateway, "", nil))
	seen := map[string]bool{}
	for _, target := range []string{clustersPath + "?environment=" + env, clustersPath, "/nothing", peeringsPath} {
		id := ask(s.Handler(), http.MethodGet, target, "KEY", "SECRET", "").header.Get("X-Request-Id")
		g.Expect(id).NotTo(BeEmpty(), target)
		seen[id] = true
	}
	g.Expect(seen).To(HaveLen(4))
}

func TestRateLimit(t *testing.T) {
	g := NewWithT(t)
	c := newClock()
	s := newSim(cloudsim.Options{Clock: c.Now, RateLimit: 2, Window: 30 * time.Second})
	s.AddKey(cloudsim.Key{ID: "SECOND", Secret: "SECRET"})
	limits := func(a answer) []string {
		h := a.header
		return []string{h.Get("X-RateLimit-Limit"), h.Get("X-RateLimit-Remaining"), h.Get("X-RateLimit-Reset"), h.Get("Retry-After")}
	}
	g.Expect(limits(get(s, clustersPath, ""))).To(Equal([]string{"2", "1", "30", ""}))
	c.now = c.now.Add(10500 * time.Millisecond)
	g.Expect(limits(get(s, peeringsPath, ""))).To(Equal([]string{"2", "0", "20", ""}), "one limit for both operations, reset rounded up")
	limited := get(s, clustersPath, "")
	g.Expect(limited.status).To(Equal(http.StatusTooManyRequests))
	g.Expect(limits(limited)).To(Equal([]string{"2", "0", "20", "20"}))
	g.Expect(limited.header.Get("X-Request-Id")).NotTo(BeEmpty())
	g.Expect(limited.body).To(BeEmpty(), "the contract promises no body")

	other := ask(s.Handler(), http.MethodGet, clustersPath+"?environment="+env, "SECOND", "SECRET", "")
	g.Expect(limits(other)).To(Equal([]string{"2", "1", "30", ""}), "each key has a limit of its own")
	c.now = c.now.Add(19500 * time.Millisecond)
	g.Expect(limits(get(s, clustersPath, ""))).To(Equal([]string{"2", "1", "30", ""}), "a new window")
}

func TestNoRateLimitIsEnforcedByDefault(t *testing.T) {
	g := NewWithT(t)
	s := newSim(cloudsim.Options{})
	for range 50 {
		a := get(s, clustersPath, "")
		g.Expect(a.status).To(Equal(http.StatusOK))
		g.Expect(a.header.Get("X-RateLimit-Remaining")).To(Equal(a.header.Get("X-RateLimit-Limit")))
		g.Expect(a.header.Get("X-RateLimit-Reset")).To(Equal("60"))
	}
}

func TestFilters(t *testing.T) {
	s := newSim(cloudsim.Options{})
	s.PutCluster(clusterIn("lkc-1", "n-1"))
	s.PutCluster(clusterIn("lkc-2", "n-2"))
	s.PutCluster(cluster("lkc-3"))
	s.PutPeering(peering("p-1", "a", "READY", "n-1"))
	s.PutPeering(peering("p-2", "b", "READY", "n-2"))
	s.PutPeering(peering("p-3", "a", "FAILED", "n-2"))
	s.PutPeering(peering("p-4", "c d&e", "READY", "n-1"))
	for _, c := range []struct {
		path, query string
		want        []string
	}{
		{clustersPath, "", []string{"lkc-1", "lkc-2", "lkc-3"}},
		{clustersPath, "&spec.network=n-1", []string{"lkc-1"}},
		{clustersPath, "&spec.network=n-2&spec.network=n-1", []string{"lkc-1", "lkc-2"}},
		{clustersPath, "&spec.network=n-1&spec.network=n-1", []string{"lkc-1"}},
		{clustersPath, "&spec.network=n-1,n-2", []string{}},
		{clustersPath, "&spec.network=n-9", []string{}},
		{peeringsPath, "&spec.network=n-1", []string{"p-1", "p-4"}},
		{peeringsPath, "&spec.display_name=a", []string{"p-1", "p-3"}},
		{peeringsPath, "&spec.display_name=a&spec.display_name=b", []string{"p-1", "p-2", "p-3"}},
		{peeringsPath, "&spec.display_name=" + url.QueryEscape("c d&e"), []string{"p-4"}},
		{peeringsPath, "&status.phase=READY", []string{"p-1", "p-2", "p-4"}},
		{peeringsPath, "&status.phase=READY&status.phase=FAILED&spec.network=n-2&spec.display_name=a", []string{"p-3"}},
		{peeringsPath, "&status.phase=READY&spec.network=n-2&spec.display_name=a", []string{}},
	} {
		t.Run(c.path+c.query, func(t *testing.T) {
			g := NewWithT(t)
			l := get(s, c.path, c.query).list(g)
			g.Expect(l.ids()).To(Equal(c.want))
			g.Expect(*l.Metadata.TotalSize).To(Equal(len(c.want)))
		})
	}
}

func TestAFilterFollowsTheInventory(t *testing.T) {
	g := NewWithT(t)
	s := newSim(cloudsim.Options{})
	s.PutPeering(peering("p-1", "a", "PROVISIONING", "n-1"))
	ready := func() []string { return get(s, peeringsPath, "&status.phase=READY").list(g).ids() }
	g.Expect(ready()).To(BeEmpty())
	g.Expect(s.SetPeeringPhase("p-1", cloudsim.PhaseReady)).To(Succeed())
	g.Expect(ready()).To(Equal([]string{"p-1"}))
	s.PutPeering(peering("p-2", "a", "READY", "n-1"))
	g.Expect(ready()).To(Equal([]string{"p-1", "p-2"}))
	g.Expect(s.RemovePeering("p-1")).To(Succeed())
	g.Expect(ready()).To(Equal([]string{"p-2"}))
}

func TestManyDifferentFiltersStayBounded(t *testing.T) {
	g := NewWithT(t)
	s := newSim(cloudsim.Options{})
	s.PutCluster(clusterIn("lkc-1", "n-7"))
	for range 2 {
		for i := range 200 {
			want := []string{}
			if i == 7 {
				want = []string{"lkc-1"}
			}
			g.Expect(get(s, clustersPath, fmt.Sprintf("&spec.network=n-%d", i)).list(g).ids()).To(Equal(want))
		}
	}
}
