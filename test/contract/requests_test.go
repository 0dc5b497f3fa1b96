// SPDX-License-Identifier: Apache-2.0

package contract

import (
	"net/http"
	"net/url"
	"sync"
	"testing"

	. "github.com/onsi/gomega"

	"github.com/ccloud-dev/inventory-operator/internal/cloudapi"
	"github.com/ccloud-dev/inventory-operator/test/cloudsim"
)

// witness passes requests on to the cloud behind it and keeps what they asked for.
type witness struct {
	next http.Handler
	spec published

	mu       sync.Mutex
	asked    []asked
	breaches []string
}

// asked is what of a request decides over its answer.
type asked struct {
	method, path, accept string
	query                url.Values
}

// ServeHTTP implements http.Handler.
func (w *witness) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	err := w.spec.checkRequest(r.Clone(r.Context()))
	w.mu.Lock()
	w.asked = append(w.asked, asked{r.Method, r.URL.Path, r.Header.Get("Accept"), r.URL.Query()})
	if err != nil {
		w.breaches = append(w.breaches, r.URL.String()+": "+err.Error())
	}
	w.mu.Unlock()
	w.next.ServeHTTP(rw, r)
}

// take returns what was asked since the last take.
func (w *witness) take() []asked {
	w.mu.Lock()
	defer w.mu.Unlock()
	taken := w.asked
	w.asked = nil
	return taken
}

// clusterFilters returns filters of every sort, and how many requests each takes
// with the inventory of manyPages.
func clusterFilters(sim *cloudsim.Sim) map[string]cloudapi.ClusterFilter {
	networks := someNetworks(sim)
	return map[string]cloudapi.ClusterFilter{
		"all":               {Environment: environment},
		"one network":       {Environment: environment, Networks: networks[:1]},
		"several networks":  {Environment: environment, Networks: networks},
		"an odd network":    {Environment: environment, Networks: []string{"n-1,n-2&page_size=1", "n é+"}},
		"another one's env": {Environment: "env-none/&x=é"},
	}
}

// peeringFilters is clusterFilters for peerings.
func peeringFilters(sim *cloudsim.Sim) map[string]cloudapi.ConnectionFilter {
	networks, peerings := someNetworks(sim), sim.Peerings(environment)
	names := []string{peerings[0].Spec.DisplayName, peerings[1].Spec.DisplayName, `a "name" & <more>, é`}
	phases := []string{cloudsim.PhaseReady, cloudsim.PhaseFailed}
	return map[string]cloudapi.ConnectionFilter{
		"all":               {Environment: environment},
		"one network":       {Environment: environment, Networks: networks[:1]},
		"several networks":  {Environment: environment, Networks: networks},
		"names":             {Environment: environment, DisplayNames: names},
		"phases":            {Environment: environment, Phases: phases},
		"everything":        {Environment: environment, Networks: networks, DisplayNames: names, Phases: phases},
		"another one's env": {Environment: "env-none/&x=é"},
	}
}

// someNetworks returns networks that have clusters and peerings.
func someNetworks(sim *cloudsim.Sim) []string {
	var networks []string
	for _, p := range sim.Peerings(environment)[:3] {
		networks = append(networks, p.Spec.Network.ID)
	}
	return networks
}

// manyPages is an inventory of three pages of each kind, as either client asks.
func manyPages() *cloudsim.Sim { return newSim(cloudsim.Options{}, 250, 2100) }

func TestEveryRequestOfOursConformsAndIsTheSDKs(t *testing.T) {
	sim := manyPages()
	w := &witness{next: sim.Handler(), spec: specs(t)}
	server := serve(t, w)
	client, reference := ours(t, server), vendor(server, nil)
	pages := 0
	compare := func(t *testing.T, byOurs, byVendor func()) {
		g := NewWithT(t)
		byOurs()
		mine := w.take()
		g.Expect(w.breaches).To(BeEmpty())
		g.Expect(mine).NotTo(BeEmpty())
		pages = max(pages, len(mine))
		byVendor()
		g.Expect(mine).To(Equal(w.take()), "the SDK asks the same, in the same order")
	}
	for name, f := range clusterFilters(sim) {
		t.Run("clusters "+name, func(t *testing.T) {
			compare(t,
				func() { _, _ = listClusters(t.Context(), client, f) },
				func() { _, _ = reference.listClusters(t.Context(), f) })
		})
	}
	NewWithT(t).Expect(pages).To(Equal(3))
	pages = 0
	t.Run("networks", func(t *testing.T) {
		f := cloudapi.NetworkFilter{Environment: environment}
		compare(t,
			func() { _, _ = listNetworks(t.Context(), client, f) },
			func() { _, _ = reference.listNetworks(t.Context(), f) })
	})
	for name, f := range peeringFilters(sim) {
		t.Run("peerings "+name, func(t *testing.T) {
			compare(t,
				func() { _, _ = listPeerings(t.Context(), client, f) },
				func() { _, _ = reference.listPeerings(t.Context(), f) })
		})
	}
	NewWithT(t).Expect(pages).To(Equal(3))
}
