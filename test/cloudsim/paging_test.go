package cloudsim_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	. "github.com/onsi/gomega"

	"github.com/ccloud-dev/inventory-operator/test/cloudsim"
)

// numbered returns the IDs lkc-01, lkc-02 and so on. Their numbers begin at from and end at to.
func numbered(from, to int) []string {
	ids := []string{}
	for i := from; i <= to; i++ {
		ids = append(ids, fmt.Sprintf("lkc-%02d", i))
	}
	return ids
}

func simWith(ids []string) *cloudsim.Sim {
	s := newSim(cloudsim.Options{})
	for _, id := range ids {
		s.PutCluster(cluster(id))
	}
	return s
}

func TestTheDefaultPageHasTenItems(t *testing.T) {
	g := NewWithT(t)
	s := simWith(numbered(1, 25))
	g.Expect(get(s, clustersPath, "").list(g).ids()).To(Equal(numbered(1, 10)))
	g.Expect(walk(g, s, clustersPath, "", nil)).To(Equal(numbered(1, 25)))
}

func TestEveryPageSizeGivesEveryItemOnce(t *testing.T) {
	g := NewWithT(t)
	s := simWith(numbered(1, 12))
	for size := 1; size <= 13; size++ {
		s.ResetCalls()
		g.Expect(walk(g, s, clustersPath, fmt.Sprintf("&page_size=%d", size), nil)).To(Equal(numbered(1, 12)))
		g.Expect(s.Count(cloudsim.OpListClusters)).To(Equal((12+size-1)/size), "no empty page at the end")
	}
}

func TestLinksLeadToAllPages(t *testing.T) {
	g := NewWithT(t)
	s := simWith(numbered(1, 25))
	// follow requests a link unchanged, as a client that trusts the link would.
	follow := func(link *string) list {
		g.ExpectWithOffset(1, link).NotTo(BeNil())
		u, err := url.Parse(*link)
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(u.Scheme + "://" + u.Host + u.Path).To(Equal("http://example.com" + clustersPath))
		return ask(s.Handler(), http.MethodGet, *link, "KEY", "SECRET", "").list(g)
	}
	first := get(s, clustersPath, "").list(g)
	g.Expect(first.Metadata.Prev).To(BeNil())
	second := follow(first.Metadata.Next)
	g.Expect(second.ids()).To(Equal(numbered(11, 20)))
	g.Expect(follow(second.Metadata.Prev).ids()).To(Equal(numbered(1, 10)))
	g.Expect(follow(second.Metadata.First).ids()).To(Equal(numbered(1, 10)))
	last := follow(second.Metadata.Last)
	g.Expect(last.ids()).To(Equal(numbered(21, 25)))
	g.Expect(last.Metadata.Next).To(BeNil())
	g.Expect(follow(last.Metadata.Prev).ids()).To(Equal(numbered(11, 20)))
	g.Expect(*last.Metadata.TotalSize).To(Equal(25))
}

func TestLinksKeepTheFilters(t *testing.T) {
	g := NewWithT(t)
	s := newSim(cloudsim.Options{})
	for i := range 30 {
		s.PutPeering(peering(fmt.Sprintf("p-%02d", i), "a", "READY", fmt.Sprintf("n-%d", i%3)))
	}
	l := get(s, peeringsPath, "&spec.network=n-0&spec.network=n-2&page_size=5").list(g)
	u, err := url.Parse(*l.Metadata.Next)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(u.Query()["spec.network"]).To(Equal([]string{"n-0", "n-2"}))
	g.Expect(u.Query().Get("page_size")).To(Equal("5"))
	g.Expect(walk(g, s, peeringsPath, "&spec.network=n-0&spec.network=n-2&page_size=5", nil)).To(HaveLen(20))
}

func TestTokensAreOpaqueShortAndDifferent(t *testing.T) {
	g := NewWithT(t)
	s := simWith(numbered(1, 30))
	seen := map[string]bool{}
	next := ""
	for range 29 {
		l := get(s, clustersPath, "&page_size=1"+next).list(g)
		tok := token(g, l.Metadata.Next)
		g.Expect(len(tok)).To(BeNumerically("<=", 255))
		g.Expect(tok).NotTo(ContainSubstring("lkc"))
		g.Expect(seen).NotTo(HaveKey(tok))
		seen[tok] = true
		next = "&page_token=" + tok
	}
}

func TestATokenBelongsToItsListing(t *testing.T) {
	s := newSim(cloudsim.Options{})
	s.AddEnvironment("env-other")
	for i := range 30 {
		s.PutCluster(clusterIn(fmt.Sprintf("lkc-%d", i), "n-1"))
		s.PutPeering(peering(fmt.Sprintf("p-%d", i), "a", "READY", "n-1"))
	}
	g := NewWithT(t)
	plain := token(g, get(s, clustersPath, "").list(g).Metadata.Next)
	filtered := token(g, get(s, peeringsPath, "&spec.network=n-1&status.phase=READY").list(g).Metadata.Next)
	g.Expect(get(s, clustersPath, "&page_size=3&page_token="+plain).list(g).ids()).To(Equal([]string{"lkc-10", "lkc-11", "lkc-12"}),
		"another page size is the same listing")
	g.Expect(get(s, peeringsPath, "&status.phase=READY&spec.network=n-1&page_token="+filtered).status).To(Equal(200),
		"the order of parameters is not part of a listing")
	other := newSim(cloudsim.Options{})
	flipped := "A" + plain[1:]
	if strings.HasPrefix(plain, "A") {
		flipped = "B" + plain[1:]
	}
	for name, a := range map[string]answer{
		"another operation":   get(s, peeringsPath, "&page_token="+plain),
		"another filter":      get(s, clustersPath, "&spec.network=n-1&page_token="+plain),
		"a filter less":       get(s, peeringsPath, "&spec.network=n-1&page_token="+filtered),
		"values swapped":      get(s, peeringsPath, "&spec.network=READY&status.phase=n-1&page_token="+filtered),
		"another simulator":   get(other, clustersPath, "&page_token="+plain),
		"one character off":   get(s, clustersPath, "&page_token="+flipped),
		"another environment": ask(s.Handler(), "GET", clustersPath+"?environment=env-other&page_token="+plain, "KEY", "SECRET", ""),
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			g.Expect(a.status).To(Equal(http.StatusBadRequest))
			g.Expect(a.failure(g).Source.Parameter).To(Equal("page_token"))
		})
	}
}

func TestPagingIsStableWhileTheInventoryChanges(t *testing.T) {
	for name, c := range map[string]struct {
		change func(s *cloudsim.Sim)
		want   []string
	}{
		"an item given already goes": {
			func(s *cloudsim.Sim) { _ = s.RemoveCluster("lkc-01") }, numbered(1, 25)},
		"the last item given goes": {
			func(s *cloudsim.Sim) { _ = s.RemoveCluster("lkc-10") }, numbered(1, 25)},
		"an item to come goes": {
			func(s *cloudsim.Sim) { _ = s.RemoveCluster("lkc-11") }, append(numbered(1, 10), numbered(12, 25)...)},
		"all that is to come goes": {
			func(s *cloudsim.Sim) {
				for _, id := range numbered(11, 25) {
					_ = s.RemoveCluster(id)
				}
			}, numbered(1, 10)},
		"an item is added, its ID first in the alphabet": {
			func(s *cloudsim.Sim) { s.PutCluster(cluster("lkc-00")) }, append(numbered(1, 25), "lkc-00")},
		"items change": {
			func(s *cloudsim.Sim) {
				_ = s.SetClusterPhase("lkc-05", cloudsim.PhaseFailed)
				_ = s.SetClusterPhase("lkc-15", cloudsim.PhaseFailed)
				s.PutCluster(clusterIn("lkc-16", "n-1"))
			}, numbered(1, 25)},
		"an item moves to another environment and back": {
			func(s *cloudsim.Sim) {
				for _, to := range []string{"env-other", env} {
					_ = s.UpdateCluster("lkc-15", func(c *cloudsim.Cluster) { c.Spec.Environment = cloudsim.Reference{ID: to} })
				}
			}, append(append(numbered(1, 14), numbered(16, 25)...), "lkc-15")},
		"the same inventory is loaded again": {
			func(s *cloudsim.Sim) { _ = s.SetInventory(s.Inventory()) }, append(numbered(1, 10), numbered(1, 25)...)},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			s := simWith(numbered(1, 25))
			got := walk(g, s, clustersPath, "", func(page int) {
				if page == 1 {
					c.change(s)
				}
			})
			g.Expect(got).To(Equal(c.want))
		})
	}
}

func TestFilteredPagingIsStableToo(t *testing.T) {
	g := NewWithT(t)
	s := newSim(cloudsim.Options{})
	for i := range 30 {
		s.PutPeering(peering(fmt.Sprintf("p-%02d", i), "a", "READY", "n-1"))
	}
	got := walk(g, s, peeringsPath, "&status.phase=READY", func(page int) {
		g.Expect(s.SetPeeringPhase(fmt.Sprintf("p-%02d", page), cloudsim.PhaseFailed)).To(Succeed())
	})
	g.Expect(got).To(HaveLen(30), "what left the filter had been given, nothing else was lost")
}
