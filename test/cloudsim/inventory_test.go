package cloudsim_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/ccloud-dev/inventory-operator/test/cloudsim"
)

func TestTheCloudFillsInWhatIsItsOwn(t *testing.T) {
	g := NewWithT(t)
	c := newClock()
	s := newSim(cloudsim.Options{Clock: c.Now})
	given := clusterIn("lkc-1", "n-1")
	given.Spec.BYOK = &cloudsim.Reference{ID: "cck-1"}
	s.PutCluster(given)
	s.PutPeering(peering("p-1", "a", "READY", "n-1"))

	got, ok := s.Cluster("lkc-1")
	g.Expect(ok).To(BeTrue())
	const crn = "crn://confluent.cloud/organization=9bb441c4-edef-46ac-8a41-c49e44a3fd9a"
	g.Expect(got.APIVersion + " " + got.Kind).To(Equal("cmk/v2 Cluster"))
	g.Expect(got.Metadata).To(Equal(cloudsim.Metadata{
		Self:         "https://api.confluent.cloud/cmk/v2/clusters/lkc-1",
		ResourceName: crn + "/environment=env-abc123/cloud-cluster=lkc-1",
		CreatedAt:    c.now, UpdatedAt: c.now,
	}))
	g.Expect(got.Spec.Environment.Related).To(Equal("https://api.confluent.cloud/org/v2/environments/env-abc123"))
	g.Expect(*got.Spec.Network).To(Equal(cloudsim.Reference{
		ID: "n-1", Environment: env, Related: "https://api.confluent.cloud/networking/v1/networks/n-1",
		ResourceName: crn + "/environment=env-abc123/network=n-1",
	}))
	g.Expect(got.Spec.BYOK.ResourceName).To(Equal(crn + "/key=cck-1"))
	g.Expect(*given.Spec.Network).To(Equal(cloudsim.Reference{ID: "n-1"}), "what the caller holds stays the caller's")

	p, _ := s.Peering("p-1")
	g.Expect(p.APIVersion + " " + p.Kind).To(Equal("networking/v1 Peering"))
	g.Expect(p.Metadata.Self).To(Equal("https://api.confluent.cloud/networking/v1/peerings/p-1"))
	g.Expect(p.Spec.Network.APIVersion + " " + p.Spec.Network.Kind).To(Equal("networking/v1 Network"))
}

func TestUpdatedAtMovesWithAChangeOnly(t *testing.T) {
	g := NewWithT(t)
	c := newClock()
	first := c.now
	s := newSim(cloudsim.Options{Clock: c.Now})
	s.PutCluster(cluster("lkc-1"))
	updated := func() time.Time {
		got, ok := s.Cluster("lkc-1")
		g.ExpectWithOffset(1, ok).To(BeTrue())
		g.ExpectWithOffset(1, got.Metadata.CreatedAt).To(Equal(first))
		return got.Metadata.UpdatedAt
	}
	c.now = first.Add(time.Hour)
	g.Expect(s.SetClusterPhase("lkc-1", cloudsim.PhaseProvisioned)).To(Succeed())
	s.PutCluster(cluster("lkc-1"))
	g.Expect(updated()).To(Equal(first), "nothing has changed")

	g.Expect(s.SetClusterPhase("lkc-1", cloudsim.PhaseFailed)).To(Succeed())
	g.Expect(updated()).To(Equal(first.Add(time.Hour)))

	c.now = first.Add(2 * time.Hour)
	s.PutCluster(cluster("lkc-1")) // without timestamps
	g.Expect(updated()).To(Equal(first.Add(2 * time.Hour)))

	given := cluster("lkc-1")
	given.Metadata.UpdatedAt = first.Add(-time.Hour)
	s.PutCluster(given)
	g.Expect(updated()).To(Equal(first.Add(-time.Hour)), "a time that is given stays")
}

func TestObjectsAreCopies(t *testing.T) {
	g := NewWithT(t)
	s := newSim(cloudsim.Options{})
	given := cluster("lkc-1")
	given.Spec.Endpoints = map[string]cloudsim.Endpoint{"ap1": {ConnectionType: "PUBLIC"}}
	s.PutCluster(given)
	delete(given.Spec.Endpoints, "ap1")
	got, _ := s.Cluster("lkc-1")
	g.Expect(got.Spec.Endpoints).To(HaveKey("ap1"))
	delete(got.Spec.Endpoints, "ap1")
	again, _ := s.Cluster("lkc-1")
	g.Expect(again.Spec.Endpoints).To(HaveKey("ap1"))
}

func TestUpdatingAndRemoving(t *testing.T) {
	g := NewWithT(t)
	s := newSim(cloudsim.Options{})
	s.PutCluster(cluster("lkc-1"))
	s.PutPeering(peering("p-1", "a", "PROVISIONING", "n-1"))
	for _, err := range []error{
		s.UpdateCluster("lkc-9", func(*cloudsim.Cluster) {}), s.SetClusterPhase("lkc-9", "X"), s.RemoveCluster("lkc-9"),
		s.UpdatePeering("p-9", func(*cloudsim.Peering) {}), s.SetPeeringPhase("p-9", "X"), s.RemovePeering("p-9"),
	} {
		g.Expect(err).To(MatchError(cloudsim.ErrNotFound))
		g.Expect(err).To(MatchError(MatchRegexp(`^(cluster "lkc-9"|peering "p-9"): `)))
	}
	err := s.UpdateCluster("lkc-1", func(c *cloudsim.Cluster) { c.ID = "lkc-2" })
	g.Expect(err).To(MatchError(ContainSubstring("cannot change the ID")))
	_, there := s.Cluster("lkc-2")
	g.Expect(there).To(BeFalse())

	g.Expect(s.UpdatePeering("p-1", func(p *cloudsim.Peering) {
		p.Status = cloudsim.PeeringStatus{Phase: cloudsim.PhaseFailed, ErrorCode: "E", ErrorMessage: "m"}
	})).To(Succeed())
	g.Expect(s.SetPeeringPhase("p-1", cloudsim.PhaseDeprovisioning)).To(Succeed())
	p, _ := s.Peering("p-1")
	g.Expect(p.Status.ErrorCode).To(Equal("E"))
	g.Expect(s.SetPeeringPhase("p-1", cloudsim.PhaseReady)).To(Succeed())
	p, _ = s.Peering("p-1")
	g.Expect(p.Status).To(Equal(cloudsim.PeeringStatus{Phase: cloudsim.PhaseReady}))

	g.Expect(s.RemoveCluster("lkc-1")).To(Succeed())
	g.Expect(s.RemovePeering("p-1")).To(Succeed())
	g.Expect(get(s, clustersPath, "").list(g).ids()).To(BeEmpty())
	g.Expect(s.Peerings("")).To(BeEmpty())
}

func TestObjectsOfSeveralEnvironments(t *testing.T) {
	g := NewWithT(t)
	s := newSim(cloudsim.Options{})
	for i, e := range []string{"env-b", env, "env-b"} {
		c := cluster(fmt.Sprintf("lkc-%d", i))
		c.Spec.Environment.ID = e
		s.PutCluster(c)
	}
	ids := func(clusters []cloudsim.Cluster) (ids []string) {
		for _, c := range clusters {
			ids = append(ids, c.ID)
		}
		return ids
	}
	g.Expect(ids(s.Clusters(""))).To(Equal([]string{"lkc-0", "lkc-1", "lkc-2"}))
	g.Expect(ids(s.Clusters("env-b"))).To(Equal([]string{"lkc-0", "lkc-2"}))
	g.Expect(s.Clusters("env-none")).To(BeEmpty())
	g.Expect(s.Environments()).To(Equal([]string{env, "env-b"}))
	g.Expect(get(s, clustersPath, "").list(g).ids()).To(Equal([]string{"lkc-1"}))
}

func TestAnInventoryIsReplacedAsAWhole(t *testing.T) {
	g := NewWithT(t)
	s := newSim(cloudsim.Options{})
	cloudsim.Seed(s, cloudsim.SeedOptions{Clusters: 8, Peerings: 4})
	before := s.Inventory()

	twice := cloudsim.Inventory{Clusters: []cloudsim.Cluster{cluster("lkc-1"), cluster("lkc-1")}}
	g.Expect(s.SetInventory(twice)).To(MatchError("clusters[1].id: lkc-1 is the ID of clusters[0] too: IDs must be unique"))
	homeless := cloudsim.Inventory{Peerings: []cloudsim.Peering{{ID: "p-1"}}}
	g.Expect(s.SetInventory(homeless)).To(MatchError("peerings[0].spec.environment.id: is required"))
	g.Expect(s.Inventory()).To(Equal(before))

	g.Expect(s.SetInventory(cloudsim.Inventory{Environments: environments("env-empty")})).To(Succeed())
	g.Expect(s.Environments()).To(Equal([]string{"env-empty"}))
	g.Expect(get(s, clustersPath, "").status).To(Equal(http.StatusForbidden))
	g.Expect(s.SetInventory(before)).To(Succeed())
	g.Expect(s.Inventory()).To(Equal(before))
}

func TestAnythingGoesThroughTheGoAPI(t *testing.T) {
	g := NewWithT(t)
	s := newSim(cloudsim.Options{})
	s.PutCluster(cloudsim.Cluster{ID: "Odd ID/\"<>", Spec: cloudsim.ClusterSpec{Environment: cloudsim.Reference{ID: env},
		Config: cloudsim.ClusterConfig{Kind: "Quantum"}}, Status: cloudsim.ClusterStatus{Phase: "PAUSED"}})
	s.PutCluster(cloudsim.Cluster{})
	g.Expect(get(s, clustersPath, "").list(g).ids()).To(Equal([]string{"Odd ID/\"<>"}))
	g.Expect(s.Environments()).To(Equal([]string{env}))
}

// TestConcurrentUse is for the race detector. It also checks that listings stay whole: an object
// that exists all the time must be in each listing exactly once.
func TestConcurrentUse(t *testing.T) {
	g := NewWithT(t)
	s := simWith(numbered(1, 40))
	server := start(t, s)
	var wg sync.WaitGroup
	for worker := range 4 {
		wg.Go(func() {
			for i := range 50 {
				id := fmt.Sprintf("lkc-tmp-%d-%d", worker, i)
				s.PutCluster(clusterIn(id, "n-1"))
				_ = s.SetClusterPhase(numbered(1, 40)[i%40], cloudsim.PhaseFailed)
				s.AddKey(cloudsim.Key{ID: id, Secret: id})
				_ = s.Inventory()
				_ = s.Calls()
				_ = s.RemoveCluster(id)
				s.RemoveKey(id)
			}
		})
		wg.Go(func() {
			for range 5 {
				seen := map[string]int{}
				next := server.URL + clustersPath + "?environment=" + env + "&page_size=7"
				for next != "" {
					a, err := do(t, http.MethodGet, next, "KEY", "SECRET")
					var l list
					if err != nil || json.Unmarshal([]byte(a.body), &l) != nil {
						t.Errorf("listing: %v %s", err, a.body)
						return
					}
					for _, id := range l.ids() {
						seen[id]++
					}
					next = ""
					if l.Metadata.Next != nil {
						next = *l.Metadata.Next
					}
				}
				for _, id := range numbered(1, 40) {
					if seen[id] != 1 {
						t.Errorf("%s was listed %d times", id, seen[id])
					}
				}
			}
		})
		wg.Go(func() {
			for range 50 {
				_ = get(s, clustersPath, "&spec.network=n-1")
			}
		})
	}
	wg.Wait()
	g.Expect(s.Clusters("")).To(HaveLen(40))
}
