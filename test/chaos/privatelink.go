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

// accesses are private link accesses. Its phases are those of networking/v1.
var accesses = &kind{
	plural:    "privateLinkAccesses",
	path:      "/networking/v1/private-link-accesses",
	prefix:    "pla",
	weight:    1,
	resource:  "privatelinkaccessobservations",
	condition: v1alpha1.ConditionPrivateLinkAccessesSynced,
	field:     "privateLinkAccesses",
	summary: func(s *v1alpha1.InventorySourceStatus) *v1alpha1.InventorySummary {
		return s.PrivateLinkAccesses
	},
	policy: func(m *v1alpha1.MirrorSettings) *v1alpha1.MirrorPolicy { return &m.PrivateLinkAccesses.Policy },
	list:   func() client.ObjectList { return &v1alpha1.PrivateLinkAccessObservationList{} },
	object: func(id string) v1alpha1.Observation {
		return &v1alpha1.PrivateLinkAccessObservation{Spec: v1alpha1.PrivateLinkAccessObservationSpec{PrivateLinkAccessID: id}}
	},
	ready:   cloudsim.PhaseReady,
	known:   []string{cloudsim.PhaseProvisioning, cloudsim.PhaseFailed, cloudsim.PhaseDeprovisioning},
	odd:     cloudsim.OddPrivateLinkPhase,
	usual:   func(s *source) int { return len(s.templates.PrivateLinkAccesses) },
	project: projection(mirror.ProjectPrivateLinkAccess),
	connections: func(c *v1alpha1.NetworkConnections) (*[]v1alpha1.ConnectionSummary, *int32) {
		return &c.PrivateLinkAccesses, &c.PrivateLinkAccessCount
	},
	join: joinConnection(func(o *v1alpha1.PrivateLinkAccessObservation) (*v1alpha1.NetworkReference, *v1alpha1.ReachableEndpoints) {
		return o.Status.Network, &o.Status.ReachableEndpoints
	}),
	changes: []func(*source, *kind, *rand.Rand) string{(*source).reallow},
}

// reallow puts an access on the network of a peering, for another account.
func (s *source) reallow(k *kind, r *rand.Rand) string {
	return s.move(k, r, 1000, func(id string, n int, network cloudsim.Reference) error {
		return s.Cloud.UpdatePrivateLinkAccess(id, func(a *cloudsim.PrivateLinkAccess) {
			a.Spec.Network = network
			a.Spec.Cloud = cloudsim.PrivateLinkAccessCloud{Kind: "AwsPrivateLinkAccess", Account: fmt.Sprintf("000000000%03d", n)}
		})
	})
}
