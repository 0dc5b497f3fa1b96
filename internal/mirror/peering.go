// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"strings"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
	"github.com/ccloud-dev/inventory-operator/internal/cloudapi/wire"
)

// Peering describes network peerings. Its phases are those of networking/v1.
var Peering = &Kind{
	Name:        "Peering",
	Condition:   v1alpha1.ConditionPeeringsSynced,
	ReadyPhase:  "READY",
	OtherPhases: []string{"PROVISIONING", "PENDING_ACCEPT", "FAILED", "DEPROVISIONING", "DISCONNECTED"},
	Policy:      func(s *v1alpha1.InventorySource) v1alpha1.MirrorPolicy { return s.Spec.Peerings.Policy },
	Summary:     func(s *v1alpha1.InventorySourceStatus) **v1alpha1.InventorySummary { return &s.Peerings },
}

// peeringKindPrefix stands in front of the kind on the wire at times, where the
// contract has none.
const peeringKindPrefix = "networking.v1."

// ProjectPeering turns a peering's record into its observation, without the
// metadata that Stamp sets, conditions and endpoints.
func ProjectPeering(p *wire.Peering) v1alpha1.Observation {
	o := &v1alpha1.PeeringObservation{}
	o.Spec.PeeringID = p.ID
	o.Status = v1alpha1.PeeringObservationStatus{
		Phase:         p.Status.Phase,
		DisplayName:   p.Spec.DisplayName,
		Kind:          strings.TrimPrefix(p.Spec.Cloud.Kind, peeringKindPrefix),
		Region:        p.Spec.Cloud.CustomerRegion,
		Network:       networkReference(p.Spec.Network),
		ErrorCode:     p.Status.ErrorCode,
		ErrorMessage:  p.Status.ErrorMessage,
		CloudMetadata: cloudMetadata(p.Metadata),
	}
	setPeeringCloud(&o.Status, &p.Spec.Cloud)
	o.Labels = kindLabels(
		v1alpha1.LabelNetwork, p.Spec.Network.ID,
		v1alpha1.LabelCloud, o.Status.Cloud,
		v1alpha1.LabelRegion, o.Status.Region,
	)
	return o
}

// setPeeringCloud sets the cloud and its part of the status. A kind that this
// version does not know has neither.
func setPeeringCloud(status *v1alpha1.PeeringObservationStatus, c *wire.PeeringCloud) {
	switch status.Kind {
	case "AwsPeering":
		status.Cloud = "AWS"
		status.AWS = &v1alpha1.AWSPeering{Account: c.Account, VPC: c.VPC, Routes: c.Routes, CustomerRegion: c.CustomerRegion}
	case "GcpPeering":
		status.Cloud = "GCP"
		status.GCP = &v1alpha1.GCPPeering{Project: c.Project, VPCNetwork: c.VPCNetwork, ImportCustomRoutes: c.ImportCustomRoutes}
	case "AzurePeering":
		status.Cloud = "AZURE"
		status.Azure = &v1alpha1.AzurePeering{Tenant: c.Tenant, VNet: c.VNet, CustomerRegion: c.CustomerRegion}
	}
}
