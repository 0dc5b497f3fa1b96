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
	// networkOf has the network of each object that names one. The key is the ID of the object.
	networkOf map[string]string
	// objects has what the observations should be. The key is the ID of the object.
	objects map[string]expected
}

// expect returns the expected observations of an environment. The key is the ID of the object.
func expect(cloud *cloudsim.Sim, environment string) map[string]expected {
	held := &inventory{cloud.InventoryOf(environment), map[string]string{}, map[string]expected{}}
	for _, k := range kinds {
		for _, record := range documents(cloud, k).In(held.Inventory) {
			id, phase, network := identify(record)
			held.objects[id] = expected{k, k.project(record), phase}
			held.networkOf[id] = network
		}
	}
	for id, e := range held.objects {
		e.kind.join(id, e.observation, held)
	}
	return held.objects
}

// identify returns the ID and the phase of a record, and the ID of the network that it names.
func identify(record json.RawMessage) (id, phase, network string) {
	var read struct {
		ID     string
		Spec   struct{ Network struct{ ID string } }
		Status struct{ Phase string }
	}
	mustRead(record, &read)
	return read.ID, read.Status.Phase, read.Spec.Network.ID
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

// connectionsOf returns what connects a network, by name; nothing for "".
func (i *inventory) connectionsOf(network string) (c v1alpha1.NetworkConnections) {
	if network == "" {
		return c
	}
	for id, e := range i.objects {
		if e.kind.connections != nil && i.networkOf[id] == network {
			shown, count := e.kind.connections(&c)
			*shown, *count = append(*shown, v1alpha1.ConnectionSummary{Name: id, Phase: e.phase}), *count+1
			slices.SortFunc(*shown, func(a, b v1alpha1.ConnectionSummary) int { return cmp.Compare(a.Name, b.Name) })
		}
	}
	return c
}

// joinConnection returns a function that sets the Kafka endpoints in a connection's network, and the
// network's own fields.
func joinConnection[O any](parts func(*O) (*v1alpha1.NetworkReference, *v1alpha1.ReachableEndpoints)) func(string, v1alpha1.Observation, *inventory) {
	return func(id string, o v1alpha1.Observation, held *inventory) {
		network, reachable := parts(any(o).(*O))
		held.fillNetwork(network)
		for _, c := range held.Clusters {
			if network != nil && held.networkOf[c.ID] == held.networkOf[id] {
				reachable.Endpoints = append(reachable.Endpoints, reachableEndpoints(c.ID, held.objects[c.ID].observation)...)
			}
		}
		reachable.EndpointCount = int32(len(reachable.Endpoints))
		slices.SortFunc(reachable.Endpoints, func(a, b v1alpha1.ReachableEndpoint) int {
			return cmp.Or(cmp.Compare(a.ClusterID, b.ClusterID), cmp.Compare(a.AccessPointID, b.AccessPointID))
		})
	}
}

// reachableEndpoints returns what a connection shows of a cluster in its network: the cluster's
// access points, or its own endpoint if it has none.
func reachableEndpoints(id string, o v1alpha1.Observation) []v1alpha1.ReachableEndpoint {
	status := o.(*v1alpha1.KafkaClusterObservation).Status
	endpoints := status.Endpoints
	if len(endpoints) == 0 && status.BootstrapServers+status.HTTPEndpoint != "" {
		endpoints = []v1alpha1.KafkaEndpoint{{BootstrapServers: status.BootstrapServers, HTTPEndpoint: status.HTTPEndpoint}}
	}
	out := make([]v1alpha1.ReachableEndpoint, len(endpoints))
	for i, e := range endpoints {
		out[i] = v1alpha1.ReachableEndpoint{ClusterID: id, KafkaEndpoint: e}
	}
	return out
}
