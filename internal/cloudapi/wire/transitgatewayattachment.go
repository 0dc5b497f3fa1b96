// SPDX-License-Identifier: Apache-2.0

package wire

// TransitGatewayAttachment is one transit gateway attachment of the API networking/v1. It connects
// a Confluent Cloud network to an AWS transit gateway.
type TransitGatewayAttachment struct {
	ID       string                         `json:"id"`
	Metadata ObjectMeta                     `json:"metadata"`
	Spec     TransitGatewayAttachmentSpec   `json:"spec"`
	Status   TransitGatewayAttachmentStatus `json:"status"`
}

// TransitGatewayAttachmentSpec is the requested configuration of the attachment.
type TransitGatewayAttachmentSpec struct {
	DisplayName string                        `json:"display_name"`
	Cloud       TransitGatewayAttachmentCloud `json:"cloud"`
	Environment Reference                     `json:"environment"`
	Network     Reference                     `json:"network"`
}

// TransitGatewayAttachmentCloud has the fields for AWS. The API documents no other cloud provider.
type TransitGatewayAttachmentCloud struct {
	Kind             string   `json:"kind"`
	RAMShareARN      string   `json:"ram_share_arn"`
	TransitGatewayID string   `json:"transit_gateway_id"`
	Routes           []string `json:"routes"`
}

// TransitGatewayAttachmentStatus is the present state of the attachment. ErrorCode and ErrorMessage
// are empty while nothing is wrong.
type TransitGatewayAttachmentStatus struct {
	Phase        string                              `json:"phase"`
	ErrorCode    string                              `json:"error_code"`
	ErrorMessage string                              `json:"error_message"`
	Cloud        TransitGatewayAttachmentStatusCloud `json:"cloud"`
}

// TransitGatewayAttachmentStatusCloud has the ID that the cloud provider gave to the attachment.
type TransitGatewayAttachmentStatusCloud struct {
	Kind                       string `json:"kind"`
	TransitGatewayAttachmentID string `json:"transit_gateway_attachment_id"`
}

// Compact removes the empty routes. A null in the JSON list becomes an empty route, but means that
// there is no route.
func (a *TransitGatewayAttachment) Compact() {
	a.Spec.Cloud.Routes = compact(a.Spec.Cloud.Routes)
}
