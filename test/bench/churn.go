// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/ccloud-dev/inventory-operator/test/cloudsim"
)

const (
	// changedOf is one of how many objects changes before each sync.
	changedOf = 100
	// churnRounds is over how many such syncs is counted.
	churnRounds = 3
)

// churn measures syncs before each of which 1 % of the objects changed: clusters
// move to another address, which the peerings of their networks tell too, peerings
// to another phase, which the clusters of theirs tell.
func (b *bench) churn(ctx context.Context, s *section) error {
	s.setup = fmt.Sprintf("%d objects, 1 %% of them changed before each of %d syncs", b.objects, churnRounds)
	w, err := b.need(ctx)
	if err != nil {
		return err
	}
	if err := b.quiet(ctx); err != nil {
		return err
	}
	changed, told := 0.0, 0.0
	counted, elapsed, err := b.measure(ctx, w, churnRounds, func(round int) error {
		c := newChurn(b.scene.Cloud, round)
		changed += float64(len(c.changed))
		told += float64(len(c.affected) - len(c.changed))
		return c.apply(b.scene.Cloud, round)
	})
	if err != nil {
		return err
	}
	if err := b.complete(ctx, w); err != nil {
		return err
	}
	cpu := counted.usage.cpu / churnRounds
	s.add("changed", changed, "")
	s.add("joined to what changed", told, "")
	s.goal("observation writes", counted.server.observationWrites(), "", "=", changed+told)
	s.goal("source writes per sync", counted.sourceWrites(churnRounds)/churnRounds, "", "<=", 1)
	s.add("CPU per sync", milliseconds(cpu), "ms")
	if b.steadyCPU > 0 {
		beyond := milliseconds(cpu - b.steadyCPU)
		s.add("CPU per sync beyond steady", beyond, "ms")
		s.add("CPU beyond steady for each observation written", beyond/((changed+told)/churnRounds)*1000, "µs")
	}
	s.add("time per sync", milliseconds(elapsed)/churnRounds, "ms")
	return nil
}

// change is which objects change in one round, and which observations that affects,
// by ID.
type change struct {
	clusters, peerings []string
	changed, affected  map[string]bool
}

// newChurn picks the objects of a round. What it affects is told from the cloud's
// side: networks are all that joins.
func newChurn(cloud *cloudsim.Sim, round int) change {
	c := change{changed: map[string]bool{}, affected: map[string]bool{}}
	moved, turned := map[string]bool{}, map[string]bool{} // networks
	clusters, peerings := cloud.Clusters(environment), cloud.Peerings(environment)
	for i := range clusters {
		if i%changedOf != round {
			continue
		}
		c.clusters = append(c.clusters, clusters[i].ID)
		c.changed[clusters[i].ID], c.affected[clusters[i].ID] = true, true
		if network := clusters[i].Spec.Network; network != nil {
			moved[network.ID] = true
		}
	}
	for i := range peerings {
		if i%changedOf != round {
			continue
		}
		c.peerings = append(c.peerings, peerings[i].ID)
		c.changed[peerings[i].ID], c.affected[peerings[i].ID] = true, true
		turned[peerings[i].Spec.Network.ID] = true
	}
	for i := range clusters {
		if network := clusters[i].Spec.Network; network != nil && turned[network.ID] {
			c.affected[clusters[i].ID] = true
		}
	}
	for i := range peerings {
		if moved[peerings[i].Spec.Network.ID] {
			c.affected[peerings[i].ID] = true
		}
	}
	return c
}

// apply changes the objects in the cloud.
func (c change) apply(cloud *cloudsim.Sim, round int) error {
	address := fmt.Sprintf("https://moved-%d.example.com:443", round)
	for _, id := range c.clusters {
		err := cloud.UpdateCluster(id, func(c *cloudsim.Cluster) {
			c.Spec.HTTPEndpoint = address
			endpoints := make(map[string]cloudsim.Endpoint, len(c.Spec.Endpoints))
			for accessPoint, e := range c.Spec.Endpoints {
				e.HTTPEndpoint = strings.ToLower(accessPoint) + "." + address
				endpoints[accessPoint] = e
			}
			c.Spec.Endpoints = endpoints
		})
		if err != nil {
			return err
		}
	}
	for _, id := range c.peerings {
		err := cloud.UpdatePeering(id, func(p *cloudsim.Peering) {
			if p.Status.Phase == cloudsim.PhaseDisconnected {
				p.Status.Phase = cloudsim.PhaseReady
				return
			}
			p.Status.Phase = cloudsim.PhaseDisconnected
		})
		if err != nil {
			return err
		}
	}
	return nil
}
