// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"math/rand/v2"

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
	connections: func(c *v1alpha1.NetworkConnections) (*[]v1alpha1.ConnectionSummary, *int32) {
		return &c.Peerings, &c.PeeringCount
	},
	join: joinConnection(func(o *v1alpha1.PeeringObservation) (*v1alpha1.NetworkReference, *v1alpha1.ReachableEndpoints) {
		return o.Status.Network, &o.Status.ReachableEndpoints
	}),
	changes: []func(*source, *kind, *rand.Rand) string{(*source).changeRoutes},
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
