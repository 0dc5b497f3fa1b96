// SPDX-License-Identifier: Apache-2.0

package contract

import (
	"context"

	networking "github.com/confluentinc/ccloud-sdk-go-v2/networking/v1"

	"github.com/ccloud-dev/inventory-operator/internal/cloudapi"
	"github.com/ccloud-dev/inventory-operator/internal/cloudapi/wire"
)

const transitGatewaysPath = "/networking/v1/transit-gateway-attachments"

var transitGateways = connectionReaders{
	plural: "transitGatewayAttachments",
	path:   transitGatewaysPath,
	vendor: func(ctx context.Context, s sdk, f cloudapi.ConnectionFilter) ([]any, error) {
		return asAny(all(transitGatewayRecord, func(token string) ([]networking.NetworkingV1TransitGatewayAttachment, string, error) {
			api := s.networking.TransitGatewayAttachmentsNetworkingV1Api
			page, _, err := filtered(api.ListNetworkingV1TransitGatewayAttachments(networkingKey(ctx)), f, token).Execute() // which has read the body and closed it
			return page.Data, tokenOf(page.Metadata.GetNext()), err
		}))
	},
	ours: oursOf(cloudapi.TransitGatewayAttachments),
	bare: func(record any) (string, any) {
		a := record.(wire.TransitGatewayAttachment)
		kind := a.Spec.Cloud.Kind
		a.Spec.Cloud = wire.TransitGatewayAttachmentCloud{}
		return kind, a
	},
}

// transitGatewayRecord is an attachment as the SDK read it, without a cloud that the SDK does not know.
func transitGatewayRecord(a *networking.NetworkingV1TransitGatewayAttachment) wire.TransitGatewayAttachment {
	spec, status, metadata := a.GetSpec(), a.GetStatus(), a.GetMetadata()
	r := wire.TransitGatewayAttachment{
		ID: a.GetId(),
		Metadata: wire.ObjectMeta{Self: metadata.Self, ResourceName: metadata.GetResourceName(),
			CreatedAt: date(metadata.CreatedAt), UpdatedAt: date(metadata.UpdatedAt), DeletedAt: date(metadata.DeletedAt)},
		Spec: wire.TransitGatewayAttachmentSpec{DisplayName: spec.GetDisplayName()},
		Status: wire.TransitGatewayAttachmentStatus{Phase: status.Phase, ErrorCode: status.GetErrorCode(),
			ErrorMessage: status.GetErrorMessage()},
	}
	if spec.Cloud != nil {
		if v := spec.Cloud.NetworkingV1AwsTransitGatewayAttachment; v != nil {
			r.Spec.Cloud = wire.TransitGatewayAttachmentCloud{Kind: v.Kind, RAMShareARN: v.RamShareArn, TransitGatewayID: v.TransitGatewayId, Routes: v.Routes}
		}
	}
	if status.Cloud != nil {
		if v := status.Cloud.NetworkingV1AwsTransitGatewayAttachmentStatus; v != nil {
			r.Status.Cloud = wire.TransitGatewayAttachmentStatusCloud{Kind: v.GetKind(), TransitGatewayAttachmentID: v.TransitGatewayAttachmentId}
		}
	}
	if e := spec.Environment; e != nil {
		r.Spec.Environment = referenceOf(e.Id, e.GetEnvironment(), e.ResourceName, e.Related)
	}
	if n := spec.Network; n != nil {
		r.Spec.Network = referenceOf(n.Id, n.GetEnvironment(), n.ResourceName, n.Related)
	}
	return r
}
