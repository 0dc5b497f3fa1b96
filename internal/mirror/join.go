// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"cmp"
	"slices"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
)

// Desired is how the observations of one kind should be, by name. Its members
// are shared and must not be changed.
type Desired map[string]v1alpha1.Observation

// Desire returns, for each kind, the observations as the listings say they
// should be, with the kinds joined to each other: those listed, and those missing
// that are still there, as they were last listed. ledgers and existing are by
// kind, in the same order; the observations in existing must be the source's own.
//
// An object whose kind could not be listed since the start, or that went
// missing, is joined as it was last known: nobody's endpoints may vanish because
// the other kind's listing failed.
func Desire(ledgers []*Ledger, existing [][]v1alpha1.Observation) []Desired {
	desired := make([]Desired, len(ledgers))
	known := make([]v1alpha1.Observation, 0)
	for i, ledger := range ledgers {
		desired[i] = Desired{}
		if ledger != nil {
			for name, e := range ledger.entries {
				if e.listed {
					desired[i][name] = e.observation
					known = append(known, e.observation)
				}
			}
		}
		for _, o := range existing[i] {
			if desired[i][o.GetName()] != nil {
				continue
			}
			if e, _ := ledger.entry(o.GetName()); e.observation != nil {
				o = e.observation
				desired[i][o.GetName()] = o
			}
			known = append(known, o)
		}
	}
	join(desired, newNetworks(known))
	return desired
}

// networks is what is attached to each network, by the network's ID.
type networks struct {
	peerings  map[string][]v1alpha1.PeeringSummary
	endpoints map[string][]v1alpha1.PeeringEndpoint
}

func newNetworks(known []v1alpha1.Observation) networks {
	n := networks{map[string][]v1alpha1.PeeringSummary{}, map[string][]v1alpha1.PeeringEndpoint{}}
	for _, o := range known {
		switch o := o.(type) {
		case *v1alpha1.KafkaClusterObservation:
			if id := networkID(o.Status.Network); id != "" {
				n.endpoints[id] = append(n.endpoints[id], peeringEndpoints(o)...)
			}
		case *v1alpha1.PeeringObservation:
			if id := networkID(o.Status.Network); id != "" {
				n.peerings[id] = append(n.peerings[id], v1alpha1.PeeringSummary{Name: o.Name, Phase: o.Status.Phase})
			}
		}
	}
	for _, list := range n.peerings {
		slices.SortFunc(list, func(a, b v1alpha1.PeeringSummary) int { return cmp.Compare(a.Name, b.Name) })
	}
	for _, list := range n.endpoints {
		slices.SortFunc(list, func(a, b v1alpha1.PeeringEndpoint) int {
			return cmp.Or(cmp.Compare(a.ClusterID, b.ClusterID), cmp.Compare(a.AccessPointID, b.AccessPointID))
		})
	}
	return n
}

// peeringEndpoints returns a cluster's endpoints as a peering of its network
// shows them. A cluster without access points has the one it tells.
func peeringEndpoints(o *v1alpha1.KafkaClusterObservation) []v1alpha1.PeeringEndpoint {
	if len(o.Status.Endpoints) == 0 && o.Status.BootstrapServers+o.Status.HTTPEndpoint != "" {
		return []v1alpha1.PeeringEndpoint{{ClusterID: o.Spec.ClusterID, KafkaEndpoint: v1alpha1.KafkaEndpoint{
			BootstrapServers: o.Status.BootstrapServers,
			HTTPEndpoint:     o.Status.HTTPEndpoint,
		}}}
	}
	endpoints := make([]v1alpha1.PeeringEndpoint, len(o.Status.Endpoints))
	for i, e := range o.Status.Endpoints {
		endpoints[i] = v1alpha1.PeeringEndpoint{ClusterID: o.Spec.ClusterID, KafkaEndpoint: e}
	}
	return endpoints
}

// join fills in what each observation tells of those on the same network. An
// observation that has to change is replaced by a shallow copy: others read it.
func join(desired []Desired, n networks) {
	for _, kind := range desired {
		for name, o := range kind {
			switch o := o.(type) {
			case *v1alpha1.KafkaClusterObservation:
				if peerings := n.peerings[networkID(o.Status.Network)]; !slices.Equal(o.Status.Peerings, peerings) {
					joined := *o
					joined.Status.Peerings = peerings
					kind[name] = &joined
				}
			case *v1alpha1.PeeringObservation:
				if endpoints := n.endpoints[networkID(o.Status.Network)]; !slices.Equal(o.Status.Endpoints, endpoints) {
					joined := *o
					joined.Status.Endpoints = endpoints
					kind[name] = &joined
				}
			}
		}
	}
}

// takeJoined gives an observation what another of the same object tells of those on
// its network.
func takeJoined(o, from v1alpha1.Observation) {
	switch o := o.(type) {
	case *v1alpha1.KafkaClusterObservation:
		o.Status.Peerings = from.(*v1alpha1.KafkaClusterObservation).Status.Peerings
	case *v1alpha1.PeeringObservation:
		o.Status.Endpoints = from.(*v1alpha1.PeeringObservation).Status.Endpoints
	}
}

func networkID(n *v1alpha1.NetworkReference) string {
	if n == nil {
		return ""
	}
	return n.ID
}
