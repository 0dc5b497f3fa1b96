// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"math/rand/v2"

	"github.com/ccloud-dev/inventory-operator/test/cloudsim"
)

const (
	// usualPeerings is how many peerings there should be, more or less.
	usualPeerings = 5
	// massRemoval is how many objects are at most removed at once.
	massRemoval = 5
)

// fill fills the source's environment, and keeps templates of what may be added later.
func (s *source) fill() {
	scratch := cloudsim.New(cloudsim.Options{Mode: cloudsim.ModeWire})
	seed := random(s.seed, "inventory", s.environment).Int64()
	cloudsim.Seed(scratch, cloudsim.SeedOptions{Environment: s.environment, Clusters: s.usual, Peerings: usualPeerings, Seed: seed})
	s.clusterTemplates, s.peeringTemplates = scratch.Clusters(s.environment), scratch.Peerings(s.environment)
	for _, c := range s.clusterTemplates {
		s.Cloud.PutCluster(c)
	}
	for _, p := range s.peeringTemplates {
		s.Cloud.PutPeering(p)
	}
}

// changes are what can happen in the cloud, each as often as it is named.
var changes = []func(*source, *rand.Rand) string{
	(*source).createCluster, (*source).createCluster, (*source).createPeering,
	(*source).removeCluster, (*source).removeCluster, (*source).removePeering, (*source).removeMany,
	(*source).flicker,
	(*source).changeClusterPhase, (*source).changeClusterPhase, (*source).changePeeringPhase,
	(*source).changeEndpoints, (*source).changeEndpoints, (*source).resize, (*source).changeRoutes, (*source).moveCluster,
}

// change makes one change to the source's inventory and says which.
func (s *source) change(r *rand.Rand) {
	what := pick(r, changes)(s, r)
	s.tally.count(inventoryChanges)
	s.journal.note("%s/%s: the cloud: %s", s.namespace, s.name, what)
}

func (s *source) newID(prefix string) string {
	s.made++
	return fmt.Sprintf("%s-new%d%c%d", prefix, s.index, s.name[0], s.made)
}

func (s *source) createCluster(r *rand.Rand) string {
	if len(s.Cloud.Clusters(s.environment)) > s.usual+4 {
		return s.removeCluster(r)
	}
	c := pick(r, s.clusterTemplates)
	c.ID, c.Metadata = s.newID("lkc"), cloudsim.Metadata{}
	s.Cloud.PutCluster(c)
	return "cluster " + c.ID + " is made"
}

func (s *source) createPeering(r *rand.Rand) string {
	if len(s.Cloud.Peerings(s.environment)) > usualPeerings+3 {
		return s.removePeering(r)
	}
	p := pick(r, s.peeringTemplates)
	p.ID, p.Metadata = s.newID("p"), cloudsim.Metadata{}
	s.Cloud.PutPeering(p)
	return "peering " + p.ID + " is made"
}

// remove takes an object out. From then on its observation may go.
func (s *source) remove(id string) {
	s.gone[id] = true
	if s.Cloud.RemoveCluster(id) != nil {
		_ = s.Cloud.RemovePeering(id) // It is one of both.
	}
}

func (s *source) removeCluster(r *rand.Rand) string {
	all := s.Cloud.Clusters(s.environment)
	if len(all) < s.usual-4 {
		return s.createCluster(r)
	}
	c := pick(r, all)
	s.remove(c.ID)
	return "cluster " + c.ID + " goes"
}

func (s *source) removePeering(r *rand.Rand) string {
	all := s.Cloud.Peerings(s.environment)
	if len(all) == 0 {
		return s.createPeering(r)
	}
	p := pick(r, all)
	s.remove(p.ID)
	return "peering " + p.ID + " goes"
}

// removeMany takes out so many objects of a kind that a person is to be asked.
func (s *source) removeMany(r *rand.Rand) string {
	var ids []string
	if all := s.Cloud.Clusters(s.environment); chance(r, 50) && len(all) >= s.usual {
		for _, i := range r.Perm(len(all))[:min(massRemoval, len(all)-2)] {
			ids = append(ids, all[i].ID)
		}
	} else {
		for _, p := range s.Cloud.Peerings(s.environment) {
			ids = append(ids, p.ID)
		}
	}
	for _, id := range ids {
		s.remove(id)
	}
	return fmt.Sprint("many go: ", ids)
}

// flicker takes a cluster out, to be put back soon.
func (s *source) flicker(r *rand.Rand) string {
	all := s.Cloud.Clusters(s.environment)
	if len(all) == 0 {
		return s.createCluster(r)
	}
	c := pick(r, all)
	s.remove(c.ID)
	s.away = append(s.away, func() { s.Cloud.PutCluster(c) })
	return "cluster " + c.ID + " goes for a while"
}

// bringBack puts back what was gone for a while.
func (s *source) bringBack() {
	for _, back := range s.away {
		back()
	}
	s.away = nil
}

var (
	clusterPhases = []string{cloudsim.PhaseProvisioned, cloudsim.PhaseProvisioned, cloudsim.PhaseProvisioning, cloudsim.PhaseFailed, cloudsim.OddClusterPhase}
	peeringPhases = []string{cloudsim.PhaseReady, cloudsim.PhaseReady, cloudsim.PhasePendingAccept, cloudsim.PhaseFailed,
		cloudsim.PhaseDisconnected, cloudsim.PhaseDeprovisioning, cloudsim.OddPeeringPhase}
)

// update lets edit change any one cluster.
func (s *source) update(r *rand.Rand, what string, edit func(*cloudsim.Cluster)) string {
	all := s.Cloud.Clusters(s.environment)
	if len(all) == 0 {
		return s.createCluster(r)
	}
	id := pick(r, all).ID
	_ = s.Cloud.UpdateCluster(id, edit) // It is there: nobody else takes it out.
	return "cluster " + id + what
}

func (s *source) changeClusterPhase(r *rand.Rand) string {
	phase := pick(r, clusterPhases)
	return s.update(r, " is "+phase, func(c *cloudsim.Cluster) { c.Status.Phase = phase })
}

func (s *source) changePeeringPhase(r *rand.Rand) string {
	all := s.Cloud.Peerings(s.environment)
	if len(all) == 0 {
		return s.createPeering(r)
	}
	p, phase := pick(r, all), pick(r, peeringPhases)
	_ = s.Cloud.SetPeeringPhase(p.ID, phase) // As in update.
	return "peering " + p.ID + " is " + phase
}

// changeEndpoints gives a cluster another access point, or takes all away.
func (s *source) changeEndpoints(r *rand.Rand) string {
	n := r.IntN(1000)
	return s.update(r, " has other endpoints", func(c *cloudsim.Cluster) {
		if n%4 == 0 {
			c.Spec.Endpoints = nil
			return
		}
		if c.Spec.Endpoints == nil {
			c.Spec.Endpoints = map[string]cloudsim.Endpoint{}
		}
		host := fmt.Sprintf("%s-ap%03d.example", c.ID, n)
		c.Spec.Endpoints[fmt.Sprintf("ap%03d", n)] = cloudsim.Endpoint{KafkaBootstrapEndpoint: host + ":9092",
			HTTPEndpoint: "https://" + host + ":443", ConnectionType: cloudsim.ConnectionPrivateLink}
	})
}

func (s *source) resize(r *rand.Rand) string {
	cku := 1 + r.Int32N(8)
	return s.update(r, " is resized", func(c *cloudsim.Cluster) {
		c.Spec.Config.CKU, c.Status.CKU = cku, max(1, cku-r.Int32N(2))
		c.Spec.DisplayName = fmt.Sprintf("resized-to-%d", cku)
	})
}

// moveCluster puts a cluster on the network of a peering, so that both change.
func (s *source) moveCluster(r *rand.Rand) string {
	id := pick(r, s.peeringTemplates).Spec.Network.ID
	return s.update(r, " moves to network "+id, func(c *cloudsim.Cluster) { c.Spec.Network = &cloudsim.Reference{ID: id} })
}

func (s *source) changeRoutes(r *rand.Rand) string {
	all := s.Cloud.Peerings(s.environment)
	if len(all) == 0 {
		return s.createPeering(r)
	}
	p := pick(r, all)
	p.Spec.DisplayName = fmt.Sprintf("peering-%d", r.IntN(1000))
	if p.Spec.Cloud.Kind == "AwsPeering" {
		p.Spec.Cloud.Routes = []string{fmt.Sprintf("10.%d.0.0/16", r.IntN(256))}
	}
	s.Cloud.PutPeering(p)
	return "peering " + p.ID + " has another name and other routes"
}
