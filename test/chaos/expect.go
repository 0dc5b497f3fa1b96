// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"encoding/json"
	"slices"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
	"github.com/ccloud-dev/inventory-operator/test/cloudsim"
)

// The expected fields of an observation come from the operator's own projection of the simulator's
// record. The projection has its own tests. Chaos itself computes the rest: which objects exist,
// their phases, the fields from other objects, and the conditions.

// expected is what an observation should be.
type expected struct {
	kind *kind
	// observation has the right labels, except those of its source. It has the right status, except
	// the conditions and the field that repeats a condition.
	observation v1alpha1.Observation
	phase       string
}

// inventory has the objects of an environment.
type inventory struct {
	cloudsim.Inventory
	// networkOf has the network of each cluster and each peering that is on a network. The key is
	// the ID of the cluster or peering.
	networkOf map[string]string
	// observations has the projections of all records. The key is the ID of the object.
	observations map[string]v1alpha1.Observation
}

// expect returns the expected observations of an environment. The key is the ID of the object.
func expect(cloud *cloudsim.Sim, environment string) map[string]expected {
	held := &inventory{Inventory: cloud.InventoryOf(environment), networkOf: map[string]string{}, observations: map[string]v1alpha1.Observation{}}
	for _, c := range held.Clusters {
		if c.Spec.Network != nil {
			held.networkOf[c.ID] = c.Spec.Network.ID
		}
	}
	for _, p := range held.Peerings {
		held.networkOf[p.ID] = p.Spec.Network.ID
	}
	out := map[string]expected{}
	for _, k := range kinds {
		for _, record := range documents(cloud, k).In(held.Inventory) {
			id, phase := identify(record)
			held.observations[id] = k.project(record)
			out[id] = expected{k, held.observations[id], phase}
		}
	}
	for id, e := range out {
		e.kind.join(id, e.observation, held)
	}
	return out
}

// identify returns the ID and the phase of a record.
func identify(record json.RawMessage) (id, phase string) {
	var read struct {
		ID     string
		Status struct{ Phase string }
	}
	mustRead(record, &read)
	return read.ID, read.Status.Phase
}

// projection returns a function that turns a record into the operator's observation. The function
// reads the record as the operator's client does.
func projection[T any, P interface {
	*T
	Compact()
}](project func(*T) v1alpha1.Observation) func(json.RawMessage) v1alpha1.Observation {
	return func(record json.RawMessage) v1alpha1.Observation {
		var read T
		mustRead(record, &read)
		P(&read).Compact()
		return project(&read)
	}
}

// mustRead reads a record of the simulator.
func mustRead(record json.RawMessage, into any) {
	if err := json.Unmarshal(record, into); err != nil {
		panic("chaos: a record of the simulator cannot be read: " + err.Error())
	}
}

// fillNetwork sets those fields of a reference that come from the network itself, if the
// environment has this network.
func (i *inventory) fillNetwork(r *v1alpha1.NetworkReference) {
	for _, n := range i.Networks {
		if r != nil && n.ID == r.ID {
			r.Phase, r.CIDR, r.DNSDomain = n.Status.Phase, n.Spec.CIDR, n.Status.DNSDomain
		}
	}
}

// peeringsOn returns the peerings of a network, sorted by name. If network is "", it returns none.
func (i *inventory) peeringsOn(network string) []v1alpha1.ConnectionSummary {
	var found []v1alpha1.ConnectionSummary
	for _, p := range i.Peerings {
		if network != "" && i.networkOf[p.ID] == network {
			found = append(found, v1alpha1.ConnectionSummary{Name: p.ID, Phase: p.Status.Phase})
		}
	}
	slices.SortFunc(found, func(a, b v1alpha1.ConnectionSummary) int { return cmp.Compare(a.Name, b.Name) })
	return found
}
