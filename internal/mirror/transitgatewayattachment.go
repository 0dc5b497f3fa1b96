// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"cmp"
	"strings"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
	"github.com/ccloud-dev/inventory-operator/internal/cloudapi/wire"
)

// TransitGatewayAttachment is the Kind of transit gateway attachments. ReadyPhase and OtherPhases
// are the phases of an attachment in the cloud API networking/v1.
var TransitGatewayAttachment = observationKind(asConnection(Kind{
	Name:        "TransitGatewayAttachment",
	Condition:   v1alpha1.ConditionTransitGatewayAttachmentsSynced,
	ReadyPhase:  "READY",
	OtherPhases: []string{"PROVISIONING", "PENDING_ACCEPT", "FAILED", "DEPROVISIONING", "DISCONNECTED", "ERROR"},
	content: observationContent(
		func(o *v1alpha1.TransitGatewayAttachmentObservation) *v1alpha1.TransitGatewayAttachmentObservationStatus {
			return &o.Status
		},
		func(s *v1alpha1.TransitGatewayAttachmentObservationStatus) observationParts {
			return observationParts{&s.Conditions, &s.Observed, errorText(s.ErrorCode, s.ErrorMessage)}
		}),
	InfoMetric: "transit_gateway_attachment_info",
	InfoLabels: []string{"transit_gateway_attachment_id", "display_name", "phase", "cloud", "network_id"},
	Info: func(o v1alpha1.Observation) []string {
		status := &o.(*v1alpha1.TransitGatewayAttachmentObservation).Status
		return []string{o.CloudID(), status.DisplayName, status.Phase, status.Cloud, networkID(status.Network)}
	},
}, transitGatewaysOfNetworks, func(o *v1alpha1.TransitGatewayAttachmentObservation) connectionParts {
	return connectionParts{&o.Status.Network, &o.Status.ReachableEndpoints}
}),
	func(s *v1alpha1.MirrorSettings) (selection any, policy v1alpha1.MirrorPolicy) {
		return &s.TransitGatewayAttachments, cmp.Or(s.TransitGatewayAttachments.Policy, v1alpha1.MirrorPolicyIgnore)
	},
	func(s *v1alpha1.InventorySourceStatus) **v1alpha1.InventorySummary {
		return &s.TransitGatewayAttachments
	})

// transitGatewaysOfNetworks has the transit gateway attachments of each network.
var transitGatewaysOfNetworks = newConnections(transitGatewayAttachmentList)

func transitGatewayAttachmentList(c *v1alpha1.NetworkConnections) (*[]v1alpha1.ConnectionSummary, *int32) {
	return &c.TransitGatewayAttachments, &c.TransitGatewayAttachmentCount
}

// ProjectTransitGatewayAttachment converts a transit gateway attachment from the cloud into an
// observation. It sets no conditions, and no facts about other cloud objects.
func ProjectTransitGatewayAttachment(a *wire.TransitGatewayAttachment) v1alpha1.Observation {
	o := &v1alpha1.TransitGatewayAttachmentObservation{}
	o.Spec.TransitGatewayAttachmentID = a.ID
	o.Status = v1alpha1.TransitGatewayAttachmentObservationStatus{
		Phase:         a.Status.Phase,
		DisplayName:   a.Spec.DisplayName,
		Kind:          strings.TrimPrefix(a.Spec.Cloud.Kind, networkingKindPrefix),
		Network:       networkReference(a.Spec.Network),
		ErrorCode:     a.Status.ErrorCode,
		ErrorMessage:  a.Status.ErrorMessage,
		CloudMetadata: cloudMetadata(a.Metadata),
	}
	// If the operator does not know the attachment's kind, a value in one of the three fields below
	// shows that the attachment is in AWS.
	aws := a.Spec.Cloud.TransitGatewayID != "" || a.Spec.Cloud.RAMShareARN != "" || a.Status.Cloud.TransitGatewayAttachmentID != ""
	if o.Status.Kind == "AwsTransitGatewayAttachment" {
		o.Status.Cloud, aws = "AWS", true
	}
	if aws {
		o.Status.AWS = &v1alpha1.AWSTransitGatewayAttachment{
			TransitGatewayID:           a.Spec.Cloud.TransitGatewayID,
			TransitGatewayAttachmentID: a.Status.Cloud.TransitGatewayAttachmentID,
			RAMShareARN:                a.Spec.Cloud.RAMShareARN,
			Routes:                     a.Spec.Cloud.Routes,
		}
	}
	o.Labels = kindLabels(v1alpha1.LabelNetwork, a.Spec.Network.ID, v1alpha1.LabelCloud, o.Status.Cloud)
	return o
}
