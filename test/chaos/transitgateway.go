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

// attachments are transit gateway attachments. Its phases are those of networking/v1.
var attachments = &kind{
	plural:    "transitGatewayAttachments",
	path:      "/networking/v1/transit-gateway-attachments",
	prefix:    "tgwa",
	weight:    1,
	resource:  "transitgatewayattachmentobservations",
	condition: v1alpha1.ConditionTransitGatewayAttachmentsSynced,
	field:     "transitGatewayAttachments",
	summary: func(s *v1alpha1.InventorySourceStatus) *v1alpha1.InventorySummary {
		return s.TransitGatewayAttachments
	},
	policy: func(m *v1alpha1.MirrorSettings) *v1alpha1.MirrorPolicy { return &m.TransitGatewayAttachments.Policy },
	list:   func() client.ObjectList { return &v1alpha1.TransitGatewayAttachmentObservationList{} },
	object: func(id string) v1alpha1.Observation {
		return &v1alpha1.TransitGatewayAttachmentObservation{Spec: v1alpha1.TransitGatewayAttachmentObservationSpec{TransitGatewayAttachmentID: id}}
	},
	ready: cloudsim.PhaseReady,
	known: []string{cloudsim.PhaseProvisioning, cloudsim.PhasePendingAccept, cloudsim.PhaseFailed,
		cloudsim.PhaseDeprovisioning, cloudsim.PhaseDisconnected, cloudsim.PhaseError},
	odd:     cloudsim.OddTransitGatewayPhase,
	usual:   func(s *source) int { return len(s.templates.TransitGatewayAttachments) },
	project: projection(mirror.ProjectTransitGatewayAttachment),
	connections: func(c *v1alpha1.NetworkConnections) (*[]v1alpha1.ConnectionSummary, *int32) {
		return &c.TransitGatewayAttachments, &c.TransitGatewayAttachmentCount
	},
	join: joinConnection(func(o *v1alpha1.TransitGatewayAttachmentObservation) (*v1alpha1.NetworkReference, *v1alpha1.ReachableEndpoints) {
		return o.Status.Network, &o.Status.ReachableEndpoints
	}),
	changes: []func(*source, *kind, *rand.Rand) string{(*source).reattach},
}

// reattach puts an attachment on the network of a peering, with other routes.
func (s *source) reattach(k *kind, r *rand.Rand) string {
	return s.move(k, r, 256, func(id string, n int, network cloudsim.Reference) error {
		return s.Cloud.UpdateTransitGatewayAttachment(id, func(a *cloudsim.TransitGatewayAttachment) {
			a.Spec.Network = network
			a.Spec.Cloud.Routes = []string{fmt.Sprintf("10.%d.0.0/16", n)}
		})
	})
}
