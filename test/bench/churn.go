// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/util/sets"

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
	if err := b.need(ctx); err != nil {
		return err
	}
	changed, told := 0.0, 0.0
	counted, mean, err := b.measure(ctx, churnRounds, func(round int) error {
		c := newChurn(b.scene.Cloud, round)
		changed += float64(len(c.clusters) + len(c.peerings))
		told += float64(len(c.affected))
		return c.apply(b.scene.Cloud, round)
	})
	if err != nil {
		return err
	}
	if _, err := b.complete(ctx, b.objects); err != nil {
		return err
	}
	cpu := counted.usage.cpu / churnRounds
	s.add("changed", changed, "")
	s.add("changed, or joined to what changed", told, "")
	s.goal("observation writes", counted.server.observationWrites(), "", "=", told)
	s.goal("source writes per sync", counted.sourceWrites(churnRounds)/churnRounds, "", "<=", 1)
	s.add("CPU per sync", milliseconds(cpu), "ms")
	if b.steadyCPU > 0 {
		beyond := milliseconds(cpu - b.steadyCPU)
		s.add("CPU per sync beyond steady", beyond, "ms")
		s.add("CPU beyond steady for each observation written", beyond/(told/churnRounds)*1000, "µs")
	}
	s.add("time per sync", milliseconds(mean), "ms")
	return nil
}

// change is which objects change in one round, and which observations tell of that, by ID.
type change struct {
	clusters, peerings []string
	affected           sets.Set[string]
}

// newChurn picks the objects of a round. What it affects is told from the cloud's
// side: networks are all that joins.
func newChurn(cloud *cloudsim.Sim, round int) change {
	c := change{affected: sets.New[string]()}
	moved, turned := sets.New[string](), sets.New[string]() // networks
	clusters, peerings := cloud.Clusters(environment), cloud.Peerings(environment)
	for i := round; i < len(clusters); i += changedOf {
		c.clusters = append(c.clusters, clusters[i].ID)
		moved.Insert(networkOf(clusters[i]))
	}
	for i := round; i < len(peerings); i += changedOf {
		c.peerings = append(c.peerings, peerings[i].ID)
		turned.Insert(peerings[i].Spec.Network.ID)
	}
	c.affected.Insert(c.clusters...).Insert(c.peerings...)
	for _, cluster := range clusters {
		if turned.Has(networkOf(cluster)) {
			c.affected.Insert(cluster.ID)
		}
	}
	for _, peering := range peerings {
		if moved.Has(peering.Spec.Network.ID) {
			c.affected.Insert(peering.ID)
		}
	}
	return c
}

// networkOf returns the ID of a cluster's network, "" for none, which no peering has.
func networkOf(c cloudsim.Cluster) string {
	if c.Spec.Network == nil {
		return ""
	}
	return c.Spec.Network.ID
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
