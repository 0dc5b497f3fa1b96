// SPDX-License-Identifier: Apache-2.0

package contract

import (
	"context"

	networking "github.com/confluentinc/ccloud-sdk-go-v2/networking/v1"

	"github.com/ccloud-dev/inventory-operator/internal/cloudapi"
	"github.com/ccloud-dev/inventory-operator/internal/cloudapi/wire"
)

const privateLinksPath = "/networking/v1/private-link-accesses"

var privateLinks = connectionReaders{
	plural: "privateLinkAccesses",
	path:   privateLinksPath,
	vendor: func(ctx context.Context, s sdk, f cloudapi.ConnectionFilter) ([]any, error) {
		return asAny(all(privateLinkRecord, func(token string) ([]networking.NetworkingV1PrivateLinkAccess, string, error) {
			api := s.networking.PrivateLinkAccessesNetworkingV1Api
			page, _, err := filtered(api.ListNetworkingV1PrivateLinkAccesses(networkingKey(ctx)), f, token).Execute() // which has read the body and closed it
			return page.Data, tokenOf(page.Metadata.GetNext()), err
		}))
	},
	ours: oursOf(cloudapi.PrivateLinkAccesses),
	bare: func(record any) (string, any) {
		a := record.(wire.PrivateLinkAccess)
		kind := a.Spec.Cloud.Kind
		a.Spec.Cloud = wire.PrivateLinkAccessCloud{}
		return kind, a
	},
}

// privateLinkRecord is an access as the SDK read it, without a cloud that the SDK does not know.
func privateLinkRecord(a *networking.NetworkingV1PrivateLinkAccess) wire.PrivateLinkAccess {
	spec, status, metadata := a.GetSpec(), a.GetStatus(), a.GetMetadata()
	r := wire.PrivateLinkAccess{
		ID: a.GetId(),
		Metadata: wire.ObjectMeta{Self: metadata.Self, ResourceName: metadata.GetResourceName(),
			CreatedAt: date(metadata.CreatedAt), UpdatedAt: date(metadata.UpdatedAt), DeletedAt: date(metadata.DeletedAt)},
		Spec: wire.PrivateLinkAccessSpec{DisplayName: spec.GetDisplayName()},
		Status: wire.PrivateLinkAccessStatus{Phase: status.Phase, ErrorCode: status.GetErrorCode(),
			ErrorMessage: status.GetErrorMessage()},
	}
	if spec.Cloud != nil {
		switch v := spec.Cloud.GetActualInstance().(type) {
		case *networking.NetworkingV1AwsPrivateLinkAccess:
			r.Spec.Cloud = wire.PrivateLinkAccessCloud{Kind: v.Kind, Account: v.Account}
		case *networking.NetworkingV1AzurePrivateLinkAccess:
			r.Spec.Cloud = wire.PrivateLinkAccessCloud{Kind: v.Kind, Subscription: v.Subscription}
		case *networking.NetworkingV1GcpPrivateServiceConnectAccess:
			r.Spec.Cloud = wire.PrivateLinkAccessCloud{Kind: v.Kind, Project: v.Project}
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
