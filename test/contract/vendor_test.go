// SPDX-License-Identifier: Apache-2.0

package contract

import (
	"context"
	"net/http"
	"net/url"
	"time"

	cmk "github.com/confluentinc/ccloud-sdk-go-v2/cmk/v2"
	cmkspec "github.com/confluentinc/ccloud-sdk-go-v2/cmk/v2/api"
	networking "github.com/confluentinc/ccloud-sdk-go-v2/networking/v1"
	networkingspec "github.com/confluentinc/ccloud-sdk-go-v2/networking/v1/api"
	srcm "github.com/confluentinc/ccloud-sdk-go-v2/srcm/v3"
	srcmspec "github.com/confluentinc/ccloud-sdk-go-v2/srcm/v3/api"

	"github.com/ccloud-dev/inventory-operator/internal/cloudapi"
	"github.com/ccloud-dev/inventory-operator/internal/cloudapi/wire"
)

// The specifications that the SDK carries.
var (
	clustersSpec   = cmkspec.GetSpec
	networkingSpec = networkingspec.GetSpec
	registriesSpec = srcmspec.GetSpec
)

// vendorPages are the SDK's own pages, to decode into, by path.
var vendorPages = map[string]func() any{
	clustersPath:   func() any { return &cmk.CmkV2ClusterList{} },
	peeringsPath:   func() any { return &networking.NetworkingV1PeeringList{} },
	networksPath:   func() any { return &networking.NetworkingV1NetworkList{} },
	registriesPath: func() any { return &srcm.SrcmV3ClusterList{} },

	transitGatewaysPath: func() any { return &networking.NetworkingV1TransitGatewayAttachmentList{} },
	privateLinksPath:    func() any { return &networking.NetworkingV1PrivateLinkAccessList{} },
}

// sdk is the vendor's SDK for one server, used as its documentation shows.
type sdk struct {
	clusters   *cmk.APIClient
	networking *networking.APIClient
	registries *srcm.APIClient
}

// vendor returns the SDK for a server; client may be nil for the usual one.
func vendor(server string, client *http.Client) sdk {
	c := cmk.NewConfiguration()
	c.Servers = cmk.ServerConfigurations{{URL: server}}
	c.HTTPClient = client
	n := networking.NewConfiguration()
	n.Servers = networking.ServerConfigurations{{URL: server}}
	n.HTTPClient = client
	r := srcm.NewConfiguration()
	r.Servers = srcm.ServerConfigurations{{URL: server}}
	r.HTTPClient = client
	return sdk{cmk.NewAPIClient(c), networking.NewAPIClient(n), srcm.NewAPIClient(r)}
}

// clusterPage reads one page; an empty token is the first. It also returns the
// token of the next.
func (s sdk) clusterPage(ctx context.Context, f cloudapi.ClusterFilter, token string) ([]cmk.CmkV2Cluster, string, error) {
	ctx = context.WithValue(ctx, cmk.ContextBasicAuth, cmk.BasicAuth{UserName: credential.Key, Password: credential.Secret})
	r := s.clusters.ClustersCmkV2Api.ListCmkV2Clusters(ctx).Environment(f.Environment).PageSize(clustersPerPage)
	if len(f.Networks) > 0 {
		r = r.SpecNetwork(f.Networks)
	}
	if token != "" {
		r = r.PageToken(token)
	}
	page, _, err := r.Execute() // which has read the body and closed it
	return page.Data, tokenOf(page.Metadata.GetNext()), err
}

// peeringPage is clusterPage for peerings.
func (s sdk) peeringPage(ctx context.Context, f cloudapi.ConnectionFilter, token string) ([]networking.NetworkingV1Peering, string, error) {
	ctx = networkingKey(ctx)
	r := s.networking.PeeringsNetworkingV1Api.ListNetworkingV1Peerings(ctx).Environment(f.Environment).PageSize(peeringsPerPage)
	if len(f.Networks) > 0 {
		r = r.SpecNetwork(f.Networks)
	}
	if len(f.DisplayNames) > 0 {
		r = r.SpecDisplayName(f.DisplayNames)
	}
	if len(f.Phases) > 0 {
		r = r.StatusPhase(f.Phases)
	}
	if token != "" {
		r = r.PageToken(token)
	}
	page, _, err := r.Execute() // which has read the body and closed it
	return page.Data, tokenOf(page.Metadata.GetNext()), err
}

// networkPage is clusterPage for networks.
func (s sdk) networkPage(ctx context.Context, f cloudapi.NetworkFilter, token string) ([]networking.NetworkingV1Network, string, error) {
	ctx = networkingKey(ctx)
	r := s.networking.NetworksNetworkingV1Api.ListNetworkingV1Networks(ctx).Environment(f.Environment).PageSize(networksPerPage)
	if token != "" {
		r = r.PageToken(token)
	}
	page, _, err := r.Execute() // which has read the body and closed it
	return page.Data, tokenOf(page.Metadata.GetNext()), err
}

// tokenOf returns the page token of a next link, which the SDK leaves to its caller.
func tokenOf(next string) string {
	u, err := url.Parse(next)
	if err != nil {
		return ""
	}
	return u.Query().Get("page_token")
}

// listClusters reads all pages, as records of this project.
func (s sdk) listClusters(ctx context.Context, f cloudapi.ClusterFilter) ([]wire.Cluster, error) {
	return all(clusterRecord, func(token string) ([]cmk.CmkV2Cluster, string, error) {
		return s.clusterPage(ctx, f, token)
	})
}

// listPeerings reads all pages, as records of this project.
func (s sdk) listPeerings(ctx context.Context, f cloudapi.ConnectionFilter) ([]wire.Peering, error) {
	return all(peeringRecord, func(token string) ([]networking.NetworkingV1Peering, string, error) {
		return s.peeringPage(ctx, f, token)
	})
}

// listNetworks reads all pages, as records of this project.
func (s sdk) listNetworks(ctx context.Context, f cloudapi.NetworkFilter) ([]wire.Network, error) {
	return all(networkRecord, func(token string) ([]networking.NetworkingV1Network, string, error) {
		return s.networkPage(ctx, f, token)
	})
}

// all reads pages to the end and turns each item into a record.
func all[V, R any](record func(*V) R, page func(token string) ([]V, string, error)) ([]R, error) {
	var records []R
	for token := ""; ; {
		items, next, err := page(token)
		if err != nil {
			return nil, err
		}
		for i := range items {
			records = append(records, record(&items[i]))
		}
		if next == "" {
			return records, nil
		}
		token = next
	}
}

// clusterRecord is a cluster as the SDK read it. What the SDK found absent is zero,
// as it is in the records of this project.
func clusterRecord(c *cmk.CmkV2Cluster) wire.Cluster {
	spec, status, metadata := c.GetSpec(), c.GetStatus(), c.GetMetadata()
	r := wire.Cluster{
		ID: c.GetId(),
		Metadata: wire.ObjectMeta{Self: metadata.Self, ResourceName: metadata.GetResourceName(),
			CreatedAt: date(metadata.CreatedAt), UpdatedAt: date(metadata.UpdatedAt), DeletedAt: date(metadata.DeletedAt)},
		Spec: wire.ClusterSpec{
			DisplayName:            spec.GetDisplayName(),
			Availability:           spec.GetAvailability(),
			Cloud:                  spec.GetCloud(),
			Region:                 spec.GetRegion(),
			Config:                 configRecord(spec.Config),
			KafkaBootstrapEndpoint: spec.GetKafkaBootstrapEndpoint(),
			HTTPEndpoint:           spec.GetHttpEndpoint(),
			APIEndpoint:            spec.GetApiEndpoint(),
			DeletionProtection:     spec.DeletionProtection,
		},
		Status: wire.ClusterStatus{Phase: status.Phase, CKU: status.GetCku()},
	}
	if spec.Endpoints != nil {
		r.Spec.Endpoints = map[string]*wire.Endpoint{}
		for id, e := range *spec.Endpoints {
			r.Spec.Endpoints[id] = &wire.Endpoint{KafkaBootstrapEndpoint: e.KafkaBootstrapEndpoint,
				HTTPEndpoint: e.HttpEndpoint, ConnectionType: e.ConnectionType}
		}
	}
	if e := spec.Environment; e != nil {
		r.Spec.Environment = wire.Reference{ID: e.Id, Environment: e.GetEnvironment(), ResourceName: e.ResourceName, Related: e.Related}
	}
	if n := spec.Network; n != nil {
		r.Spec.Network = wire.Reference{ID: n.Id, Environment: n.GetEnvironment(), ResourceName: n.ResourceName, Related: n.Related}
	}
	if k := spec.Byok; k != nil {
		r.Spec.BYOK = wire.Reference{ID: k.Id, ResourceName: k.ResourceName, Related: k.Related}
	}
	return r
}

// configRecord is a cluster's config, empty where the SDK knows no such type.
func configRecord(c *cmk.CmkV2ClusterSpecConfigOneOf) wire.ClusterConfig {
	if c == nil {
		return wire.ClusterConfig{}
	}
	switch v := c.GetActualInstance().(type) {
	case *cmk.CmkV2Basic:
		return wire.ClusterConfig{Kind: v.Kind, MaxECKU: v.GetMaxEcku()}
	case *cmk.CmkV2Standard:
		return wire.ClusterConfig{Kind: v.Kind, MaxECKU: v.GetMaxEcku()}
	case *cmk.CmkV2Enterprise:
		return wire.ClusterConfig{Kind: v.Kind, MaxECKU: v.GetMaxEcku()}
	case *cmk.CmkV2Freight:
		return wire.ClusterConfig{Kind: v.Kind, MaxECKU: v.GetMaxEcku(), Zones: v.GetZones()}
	case *cmk.CmkV2Dedicated:
		return wire.ClusterConfig{Kind: v.Kind, CKU: v.Cku, EncryptionKey: v.GetEncryptionKey(),
			Zones: v.GetZones(), ReleasePriority: v.GetReleasePriority()}
	}
	return wire.ClusterConfig{}
}

// peeringRecord is a peering as the SDK read it.
func peeringRecord(p *networking.NetworkingV1Peering) wire.Peering {
	spec, status, metadata := p.GetSpec(), p.GetStatus(), p.GetMetadata()
	r := wire.Peering{
		ID: p.GetId(),
		Metadata: wire.ObjectMeta{Self: metadata.Self, ResourceName: metadata.GetResourceName(),
			CreatedAt: date(metadata.CreatedAt), UpdatedAt: date(metadata.UpdatedAt), DeletedAt: date(metadata.DeletedAt)},
		Spec:   wire.PeeringSpec{DisplayName: spec.GetDisplayName(), Cloud: cloudRecord(spec.Cloud)},
		Status: wire.PeeringStatus{Phase: status.Phase, ErrorCode: status.GetErrorCode(), ErrorMessage: status.GetErrorMessage()},
	}
	if e := spec.Environment; e != nil {
		r.Spec.Environment = wire.Reference{ID: e.Id, Environment: e.GetEnvironment(), ResourceName: e.ResourceName, Related: e.Related}
	}
	if n := spec.Network; n != nil {
		r.Spec.Network = wire.Reference{ID: n.Id, Environment: n.GetEnvironment(), ResourceName: n.ResourceName, Related: n.Related}
	}
	return r
}

// cloudRecord is the cloud's part of a peering, empty where the SDK knows no such kind.
func cloudRecord(c *networking.NetworkingV1PeeringSpecCloudOneOf) wire.PeeringCloud {
	if c == nil {
		return wire.PeeringCloud{}
	}
	switch v := c.GetActualInstance().(type) {
	case *networking.NetworkingV1AwsPeering:
		return wire.PeeringCloud{Kind: v.Kind, Account: v.Account, VPC: v.Vpc, Routes: v.Routes, CustomerRegion: v.CustomerRegion}
	case *networking.NetworkingV1GcpPeering:
		return wire.PeeringCloud{Kind: v.Kind, Project: v.Project, VPCNetwork: v.VpcNetwork, ImportCustomRoutes: v.ImportCustomRoutes}
	case *networking.NetworkingV1AzurePeering:
		return wire.PeeringCloud{Kind: v.Kind, Tenant: v.Tenant, VNet: v.Vnet, CustomerRegion: v.CustomerRegion}
	}
	return wire.PeeringCloud{}
}

// networkRecord is a network as the SDK read it.
func networkRecord(n *networking.NetworkingV1Network) wire.Network {
	spec, status, metadata := n.GetSpec(), n.GetStatus(), n.GetMetadata()
	r := wire.Network{
		ID: n.GetId(),
		Metadata: wire.ObjectMeta{Self: metadata.Self, ResourceName: metadata.GetResourceName(),
			CreatedAt: date(metadata.CreatedAt), UpdatedAt: date(metadata.UpdatedAt), DeletedAt: date(metadata.DeletedAt)},
		Spec: wire.NetworkSpec{
			DisplayName: spec.GetDisplayName(), Cloud: spec.GetCloud(), Region: spec.GetRegion(),
			ConnectionTypes: spec.GetConnectionTypes(), CIDR: spec.GetCidr(), ReservedCIDR: spec.GetReservedCidr(),
			DNSConfig: wire.NetworkDNSConfig{Resolution: spec.DnsConfig.GetResolution()},
		},
		Status: wire.NetworkStatus{
			Phase: status.Phase, SupportedConnectionTypes: status.SupportedConnectionTypes,
			ActiveConnectionTypes: status.ActiveConnectionTypes, ErrorCode: status.GetErrorCode(),
			ErrorMessage: status.GetErrorMessage(), DNSDomain: status.GetDnsDomain(), EndpointSuffix: status.GetEndpointSuffix(),
			ZonalSubdomains: valueOf(status.ZonalSubdomains), IdleSince: date(status.IdleSince), Cloud: networkCloudRecord(status.Cloud),
		},
	}
	if spec.Zones != nil {
		r.Spec.Zones = *spec.Zones
	}
	for _, z := range spec.GetZonesInfo() {
		r.Spec.ZonesInfo = append(r.Spec.ZonesInfo, wire.NetworkZone{ZoneID: z.GetZoneId(), CIDR: z.GetCidr()})
	}
	if e := spec.Environment; e != nil {
		r.Spec.Environment = wire.Reference{ID: e.Id, Environment: e.GetEnvironment(), ResourceName: e.ResourceName, Related: e.Related}
	}
	if g := spec.Gateway.Get(); g != nil {
		r.Spec.Gateway = wire.Reference{ID: g.Id, Environment: g.GetEnvironment(), ResourceName: g.ResourceName, Related: g.Related}
	}
	return r
}

// networkCloudRecord is the cloud's part of a network, empty where the SDK knows no such kind.
func networkCloudRecord(c *networking.NetworkingV1NetworkStatusCloudOneOf) wire.NetworkCloud {
	if c == nil {
		return wire.NetworkCloud{}
	}
	switch v := c.GetActualInstance().(type) {
	case *networking.NetworkingV1AwsNetwork:
		return wire.NetworkCloud{Kind: v.Kind, VPC: v.Vpc, Account: v.Account, PrivateLinkEndpointService: v.GetPrivateLinkEndpointService()}
	case *networking.NetworkingV1GcpNetwork:
		return wire.NetworkCloud{Kind: v.Kind, Project: v.Project, VPCNetwork: v.VpcNetwork,
			PrivateServiceConnectServiceAttachments: valueOf(v.PrivateServiceConnectServiceAttachments)}
	case *networking.NetworkingV1AzureNetwork:
		return wire.NetworkCloud{Kind: v.Kind, VNet: v.Vnet, Subscription: v.Subscription,
			PrivateLinkServiceAliases:     valueOf(v.PrivateLinkServiceAliases),
			PrivateLinkServiceResourceIDs: valueOf(v.PrivateLinkServiceResourceIds)}
	}
	return wire.NetworkCloud{}
}

// valueOf returns what a pointer points at, nothing for nil.
func valueOf[T any](p *T) (value T) {
	if p != nil {
		value = *p
	}
	return value
}

// date writes a date as JSON does, empty for none.
func date(t *time.Time) string {
	if t == nil {
		return ""
	}
	return t.Format(time.RFC3339Nano)
}

// firstPage reads the first page of a kind and leaves it as the SDK returns it.
func (s sdk) firstPage(ctx context.Context, kind string) (int, error) {
	if kind == "clusters" {
		items, _, err := s.clusterPage(ctx, cloudapi.ClusterFilter{Environment: environment}, "")
		return len(items), err
	}
	if kind == "networks" {
		items, _, err := s.networkPage(ctx, cloudapi.NetworkFilter{Environment: environment}, "")
		return len(items), err
	}
	items, _, err := s.peeringPage(ctx, cloudapi.ConnectionFilter{Environment: environment}, "")
	return len(items), err
}

// networkingKey returns a context with which the SDK of networking/v1 sends the API key.
func networkingKey(ctx context.Context) context.Context {
	return context.WithValue(ctx, networking.ContextBasicAuth, networking.BasicAuth{UserName: credential.Key, Password: credential.Secret})
}
