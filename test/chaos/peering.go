// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
	"github.com/ccloud-dev/inventory-operator/internal/mirror"
	"github.com/ccloud-dev/inventory-operator/test/cloudsim"
)

// usualPeerings is the approximate number of peerings that there should be.
const usualPeerings = 5

// peerings is the kind of network peerings. Its phases are those of networking/v1.
var peerings = &kind{
	plural:    "peerings",
	path:      "/networking/v1/peerings",
	prefix:    "p",
	weight:    1,
	policy:    func(s *v1alpha1.MirrorSettings) *v1alpha1.MirrorPolicy { return &s.Peerings.Policy },
	resource:  "peeringobservations",
	condition: v1alpha1.ConditionPeeringsSynced,
	field:     "peerings",
	summary:   func(s *v1alpha1.InventorySourceStatus) *v1alpha1.InventorySummary { return s.Peerings },
	list:      func() client.ObjectList { return &v1alpha1.PeeringObservationList{} },
	object: func(id string) v1alpha1.Observation {
		return &v1alpha1.PeeringObservation{Spec: v1alpha1.PeeringObservationSpec{PeeringID: id}}
	},
	ready: cloudsim.PhaseReady,
	known: []string{cloudsim.PhaseProvisioning, cloudsim.PhasePendingAccept, cloudsim.PhaseFailed,
		cloudsim.PhaseDeprovisioning, cloudsim.PhaseDisconnected},
	odd:     cloudsim.OddPeeringPhase,
	usual:   func(*source) int { return usualPeerings },
	project: projection(mirror.ProjectPeering),
	join:    joinPeering,
	changes: []func(*source, *kind, *rand.Rand) string{(*source).changeRoutes},
}

// joinPeering sets the fields that come from other objects: the Kafka endpoints on the peering's
// network, and the fields of the network.
func joinPeering(id string, o v1alpha1.Observation, held *inventory) {
	status := &o.(*v1alpha1.PeeringObservation).Status
	held.fillNetwork(status.Network)
	for _, c := range held.Clusters {
		if held.networkOf[c.ID] == held.networkOf[id] {
			status.Endpoints = append(status.Endpoints, peeringEndpoints(c.ID, held.observations[c.ID])...)
		}
	}
	status.EndpointCount = int32(len(status.Endpoints))
	slices.SortFunc(status.Endpoints, func(a, b v1alpha1.ReachableEndpoint) int {
		return cmp.Or(cmp.Compare(a.ClusterID, b.ClusterID), cmp.Compare(a.AccessPointID, b.AccessPointID))
	})
}

// peeringEndpoints returns what a peering shows of a cluster on its network. It shows the cluster's
// access points. If the cluster has none, it shows the cluster's own endpoint.
func peeringEndpoints(id string, o v1alpha1.Observation) []v1alpha1.ReachableEndpoint {
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

func (s *source) changeRoutes(k *kind, r *rand.Rand) string {
	all := s.Cloud.Peerings(s.environment)
	if len(all) == 0 {
		return s.create(k, r)
	}
	p := pick(r, all)
	p.Spec.DisplayName = fmt.Sprintf("peering-%d", r.IntN(1000))
	if p.Spec.Cloud.Kind == "AwsPeering" {
		p.Spec.Cloud.Routes = []string{fmt.Sprintf("10.%d.0.0/16", r.IntN(256))}
	}
	s.Cloud.PutPeering(p)
	return "peering " + p.ID + " has another name and other routes"
}
