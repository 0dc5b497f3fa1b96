// SPDX-License-Identifier: Apache-2.0

package contract

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/ccloud-dev/inventory-operator/test/cloudsim"
)

// filter is a query by environment with more behind it.
func filter(more ...string) string {
	return "?environment=" + environment + strings.Join(append([]string{""}, more...), "&")
}

// variety is an inventory that has everything: what Seed makes, and beside it what
// Seed leaves out.
func variety(o cloudsim.Options) *cloudsim.Sim {
	sim := newSim(o, 130, 150)
	c := sim.Clusters(environment)[0]
	c.ID, c.Metadata.DeletedAt = "lkc-leaving", time.Date(2026, time.May, 1, 12, 0, 0, 123_456_000, time.UTC)
	sim.PutCluster(c)
	p := sim.Peerings(environment)[0]
	p.ID, p.Spec.DisplayName, p.Metadata.DeletedAt = "p-leaving", `a "name" & <more>, é`, c.Metadata.DeletedAt
	p.Spec.Cloud.Routes = []string{}
	sim.PutPeering(p)
	addRegistries(sim, 30)
	sim.AddEnvironment("env-empty")
	return sim
}

// queries returns listings of every sort, by path.
func queries(sim *cloudsim.Sim) map[string][]string {
	peerings, networks := sim.Peerings(environment), sim.Networks(environment)
	first, second := "spec.network="+peerings[0].Spec.Network.ID, "spec.network="+peerings[1].Spec.Network.ID
	name := "spec.display_name=" + url.QueryEscape(`a "name" & <more>, é`)
	return map[string][]string{
		clustersPath: {
			filter(), filter("page_size=1"), filter("page_size=3"), filter("page_size=100"),
			filter(first, "page_size=2"), filter(first, second, "page_size=2"), filter("spec.network=n-none"),
			"?environment=env-empty",
		},
		peeringsPath: {
			filter(), filter("page_size=1"), filter("page_size=3"), filter("page_size=1000"),
			filter(first, "page_size=2"), filter(first, second), filter("spec.network=n-none"),
			filter("status.phase=READY", "page_size=7"), filter("status.phase=FAILED", "status.phase=DISCONNECTED"),
			filter(name), filter(name, first, "status.phase=READY"), "?environment=env-empty",
		},
		networksPath: {
			filter(), filter("page_size=1"), filter("page_size=3"), filter("page_size=1000"),
			filter("spec.cloud=AWS", "spec.connection_types=PEERING", "page_size=1"), filter("spec.region=" + networks[0].Spec.Region),
			filter("spec.cidr=" + url.QueryEscape(networks[0].Spec.CIDR)), filter("status.phase=READY", "page_size=2"),
			filter("spec.display_name=" + networks[1].Spec.DisplayName), "?environment=env-empty",
		},
		registriesPath: {filter(), filter("page_size=1"), filter("page_size=7"), filter("page_size=100"), "?environment=env-empty"},
	}
}

// walk asks for a listing and follows its links: next to the end, then from last
// back to the first page. It hands each page to visit.
func walk(t *testing.T, url string, visit func(answer)) {
	t.Helper()
	page := func(link string) envelope {
		a := ask(t, link, withKey)
		NewWithT(t).Expect(a.status).To(Equal(http.StatusOK), string(a.body))
		visit(a)
		return a.envelope(t)
	}
	last := ""
	for link := &url; link != nil; {
		e := page(*link)
		link, last = e.Metadata.Next, *e.Metadata.Last
	}
	for link := &last; link != nil; {
		link = page(*link).Metadata.Prev
	}
}

func TestEveryPageOfTheSimulatedCloudConforms(t *testing.T) {
	for name, o := range map[string]cloudsim.Options{"": {}, "without total_size": {OmitTotalSize: true}} {
		sim := variety(o)
		server := serve(t, sim.Handler())
		for path, listings := range queries(sim) {
			t.Run(path+" "+name, func(t *testing.T) {
				g, p, pages := NewWithT(t), specs(t), 0
				for _, query := range listings {
					walk(t, server+path+query, func(a answer) {
						pages++
						g.Expect(p.checkAnswer(a)).To(Succeed())
						g.Expect(p.missingHeaders(a)).To(BeEmpty())
					})
				}
				t.Logf("%d pages conform", pages)
				g.Expect(pages).To(BeNumerically(">", 30))
			})
		}
	}
}

// Every word there is, put through the ways in which tests change an inventory.
func TestAChangedInventoryConforms(t *testing.T) {
	g, p := NewWithT(t), specs(t)
	sim := newSim(cloudsim.Options{}, 12, 7)
	server := serve(t, sim.Handler())
	cluster, peering := sim.Clusters(environment)[0].ID, sim.Peerings(environment)[0].ID
	for _, phase := range []string{cloudsim.PhaseProvisioning, cloudsim.PhaseProvisioned, cloudsim.PhaseFailed} {
		g.Expect(sim.SetClusterPhase(cluster, phase)).To(Succeed())
		g.Expect(p.checkAnswer(ask(t, server+clustersPath+filter("page_size=100"), withKey))).To(Succeed())
	}
	for _, phase := range []string{cloudsim.PhaseProvisioning, cloudsim.PhasePendingAccept, cloudsim.PhaseFailed,
		cloudsim.PhaseDeprovisioning, cloudsim.PhaseDisconnected, cloudsim.PhaseReady} {
		g.Expect(sim.SetPeeringPhase(peering, phase)).To(Succeed())
		g.Expect(p.checkAnswer(ask(t, server+peeringsPath+filter("page_size=100"), withKey))).To(Succeed())
	}
}

// The specification lets unknown members pass, and so would a slip of the pen: a
// member that the SDK does not know would not come back out of it.
func TestTheSimulatedCloudSendsNoMemberThatTheSDKDoesNotKnow(t *testing.T) {
	server := serve(t, variety(cloudsim.Options{}).Handler())
	for path, newPage := range vendorPages {
		t.Run(path, func(t *testing.T) {
			g := NewWithT(t)
			walk(t, server+path+filter("page_size=50"), func(a answer) {
				page := newPage()
				g.Expect(json.Unmarshal(a.body, page)).To(Succeed())
				g.Expect(json.Marshal(page)).To(MatchJSON(a.body))
			})
		})
	}
}

// refusal is a request that is to fail, and how.
type refusal struct {
	query        string
	authenticate func(*http.Request)
	status       int
}

func TestEveryRefusalOfTheSimulatedCloudConforms(t *testing.T) {
	sim := newSim(cloudsim.Options{}, 12, 7)
	sim.AddKey(cloudsim.Key{ID: "NORIGHTS", Secret: "s", Forbidden: true})
	sim.AddKey(cloudsim.Key{ID: "ELSEWHERE", Secret: "s", Environments: []string{"env-other"}})
	server := serve(t, sim.Handler())
	as := func(key, secret string) func(*http.Request) {
		return func(r *http.Request) { r.SetBasicAuth(key, secret) }
	}
	tests := map[string]refusal{
		"no environment":             {"", withKey, http.StatusBadRequest},
		"two environments":           {filter("environment=env-2"), withKey, http.StatusBadRequest},
		"page_size 0":                {filter("page_size=0"), withKey, http.StatusBadRequest},
		"page_size too large":        {filter("page_size=1001"), withKey, http.StatusBadRequest},
		"page_size of another type":  {filter("page_size=many"), withKey, http.StatusBadRequest},
		"a token made up":            {filter("page_token=abc"), withKey, http.StatusBadRequest},
		"a token too long":           {filter("page_token=" + strings.Repeat("x", 256)), withKey, http.StatusBadRequest},
		"an unknown parameter":       {filter("num_doors=2"), withKey, http.StatusBadRequest},
		"a filter without a value":   {filter("spec.network="), withKey, http.StatusBadRequest},
		"a query that is none":       {filter("spec.network=%zz"), withKey, http.StatusBadRequest},
		"no key":                     {filter(), func(*http.Request) {}, http.StatusUnauthorized},
		"a token in place of a key":  {filter(), func(r *http.Request) { r.Header.Set("Authorization", "Bearer x") }, http.StatusUnauthorized},
		"an unknown key":             {filter(), as("NOBODY", "s"), http.StatusUnauthorized},
		"another secret":             {filter(), as(credential.Key, "wrong"), http.StatusUnauthorized},
		"a key without rights":       {filter(), as("NORIGHTS", "s"), http.StatusForbidden},
		"another's environment":      {filter(), as("ELSEWHERE", "s"), http.StatusForbidden},
		"an environment that is not": {"?environment=env-none", withKey, http.StatusForbidden},
	}
	for _, path := range []string{clustersPath, peeringsPath, registriesPath} {
		for name, tt := range tests {
			t.Run(path+" "+name, func(t *testing.T) {
				g := NewWithT(t)
				a := ask(t, server+path+tt.query, tt.authenticate)
				g.Expect(a.status).To(Equal(tt.status), string(a.body))
				g.Expect(specs(t).checkAnswer(a)).To(Succeed())
				g.Expect(specs(t).missingHeaders(a)).To(BeEmpty())
			})
		}
	}
}

func TestTheSimulatedCloudsRateLimitConforms(t *testing.T) {
	for _, path := range []string{clustersPath, peeringsPath} {
		t.Run(path, func(t *testing.T) {
			g, p := NewWithT(t), specs(t)
			server := serve(t, newSim(cloudsim.Options{RateLimit: 3}, 12, 7).Handler())
			for left := 2; left >= 0; left-- {
				a := ask(t, server+path+filter(), withKey)
				g.Expect(a.status).To(Equal(http.StatusOK))
				g.Expect(a.header.Get("X-RateLimit-Remaining")).To(Equal(strconv.Itoa(left)))
				g.Expect(p.checkAnswer(a)).To(Succeed())
			}
			a := ask(t, server+path+filter(), withKey)
			g.Expect(a.status).To(Equal(http.StatusTooManyRequests))
			g.Expect(p.checkAnswer(a)).To(Succeed())
			g.Expect(p.missingHeaders(a)).To(BeEmpty())
		})
	}
}
