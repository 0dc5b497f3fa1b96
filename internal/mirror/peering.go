// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"strings"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
	"github.com/ccloud-dev/inventory-operator/internal/cloudapi/wire"
)

// Peering is the Kind of network peerings. ReadyPhase and OtherPhases are the phases of a peering
// in the cloud API networking/v1.
var Peering = observationKind(asConnection(Kind{
	Name:        "Peering",
	Condition:   v1alpha1.ConditionPeeringsSynced,
	ReadyPhase:  "READY",
	OtherPhases: []string{"PROVISIONING", "PENDING_ACCEPT", "FAILED", "DEPROVISIONING", "DISCONNECTED"},
	content: observationContent(
		func(o *v1alpha1.PeeringObservation) *v1alpha1.PeeringObservationStatus { return &o.Status },
		func(s *v1alpha1.PeeringObservationStatus) observationParts {
			return observationParts{&s.Conditions, &s.Observed, errorText(s.ErrorCode, s.ErrorMessage)}
		}),
	InfoMetric: "peering_info",
	InfoLabels: []string{"peering_id", "display_name", "phase", "cloud", "region"},
	Info: func(o v1alpha1.Observation) []string {
		status := &o.(*v1alpha1.PeeringObservation).Status
		return []string{o.CloudID(), status.DisplayName, status.Phase, status.Cloud, status.Region}
	},
}, peeringsOfNetworks, func(o *v1alpha1.PeeringObservation) connectionParts {
	return connectionParts{&o.Status.Network, &o.Status.ReachableEndpoints}
}),
	func(s *v1alpha1.MirrorSettings) (selection any, policy v1alpha1.MirrorPolicy) {
		return &s.Peerings, s.Peerings.Policy
	},
	func(s *v1alpha1.InventorySourceStatus) **v1alpha1.InventorySummary { return &s.Peerings })

// errorText returns the code and the message of a cloud error as one text.
func errorText(code, message string) string {
	if code != "" && message != "" {
		return code + ": " + message
	}
	return code + message
}

// peeringsOfNetworks has the peerings of each network.
var peeringsOfNetworks = newConnections(peeringList)

func peeringList(c *v1alpha1.NetworkConnections) (*[]v1alpha1.ConnectionSummary, *int32) {
	return &c.Peerings, &c.PeeringCount
}

// networkingKindPrefix is a prefix of some kinds in the cloud API, for example of
// networking.v1.AwsPeering.
const networkingKindPrefix = "networking.v1."

// ProjectPeering converts a peering from the cloud into an observation. It sets no conditions, and
// no facts about other cloud objects.
func ProjectPeering(p *wire.Peering) v1alpha1.Observation {
	o := &v1alpha1.PeeringObservation{}
	o.Spec.PeeringID = p.ID
	o.Status = v1alpha1.PeeringObservationStatus{
		Phase:         p.Status.Phase,
		DisplayName:   p.Spec.DisplayName,
		Kind:          strings.TrimPrefix(p.Spec.Cloud.Kind, networkingKindPrefix),
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

// setPeeringCloud sets status.AWS, status.GCP or status.Azure: the field for the cloud provider of
// the peering.
//
//   - If status.Kind names a provider, setPeeringCloud also sets status.Cloud.
//   - If not, setPeeringCloud leaves status.Cloud empty, and guesses the provider from the fields
//     that have a value in c. If these fields belong to several providers, setPeeringCloud sets
//     nothing.
func setPeeringCloud(status *v1alpha1.PeeringObservationStatus, c *wire.PeeringCloud) {
	aws := c.Account != "" || c.VPC != "" || len(c.Routes) > 0
	gcp := c.Project != "" || c.VPCNetwork != "" || c.ImportCustomRoutes != nil
	azure := c.Tenant != "" || c.VNet != ""
	switch status.Kind {
	case "AwsPeering":
		status.Cloud, aws, gcp, azure = "AWS", true, false, false
	case "GcpPeering":
		status.Cloud, aws, gcp, azure = "GCP", false, true, false
	case "AzurePeering":
		status.Cloud, aws, gcp, azure = "AZURE", false, false, true
	}
	switch {
	case aws && !gcp && !azure:
		status.AWS = &v1alpha1.AWSPeering{Account: c.Account, VPC: c.VPC, Routes: c.Routes, CustomerRegion: c.CustomerRegion}
	case gcp && !aws && !azure:
		status.GCP = &v1alpha1.GCPPeering{Project: c.Project, VPCNetwork: c.VPCNetwork, ImportCustomRoutes: c.ImportCustomRoutes}
	case azure && !aws && !gcp:
		status.Azure = &v1alpha1.AzurePeering{Tenant: c.Tenant, VNet: c.VNet, CustomerRegion: c.CustomerRegion}
	}
}
