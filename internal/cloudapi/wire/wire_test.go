// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"encoding/json"
	"testing"

	. "github.com/onsi/gomega"
)

func ptr[T any](v T) *T { return &v }

func TestEveryPublishedFieldOfAClusterIsRead(t *testing.T) {
	g := NewWithT(t)
	var got Cluster
	g.Expect(json.Unmarshal([]byte(`{
		"api_version": "cmk/v2", "kind": "Cluster", "id": "lkc-12345",
		"metadata": {"self": "https://self", "resource_name": "crn://c", "created_at": "2026-01-01T00:00:00Z",
			"updated_at": "2026-01-02T00:00:00Z", "deleted_at": "2026-01-03T00:00:00Z"},
		"spec": {
			"display_name": "Prod", "availability": "HIGH", "cloud": "AWS", "region": "us-east-1",
			"config": {"kind": "Dedicated", "cku": 2, "max_ecku": 5, "encryption_key": "arn:key",
				"zones": ["z1", "z2"], "release_priority": "REGULAR"},
			"kafka_bootstrap_endpoint": "SASL_SSL://b:9092", "http_endpoint": "https://h", "api_endpoint": "https://a",
			"endpoints": {"ap1": {"kafka_bootstrap_endpoint": "ap1:9092", "http_endpoint": "https://ap1", "connection_type": "PRIVATELINK"}},
			"environment": {"id": "env-1", "related": "https://r", "resource_name": "crn://e"},
			"network": {"id": "n-1", "environment": "env-1", "resource_name": "crn://n"},
			"byok": {"id": "cck-1", "resource_name": "crn://k"},
			"deletion_protection": false
		},
		"status": {"phase": "PROVISIONED", "cku": 1}
	}`), &got)).To(Succeed())
	g.Expect(got).To(Equal(Cluster{
		ID: "lkc-12345",
		Metadata: ObjectMeta{Self: "https://self", ResourceName: "crn://c", CreatedAt: "2026-01-01T00:00:00Z",
			UpdatedAt: "2026-01-02T00:00:00Z", DeletedAt: "2026-01-03T00:00:00Z"},
		Spec: ClusterSpec{
			DisplayName: "Prod", Availability: "HIGH", Cloud: "AWS", Region: "us-east-1",
			Config: ClusterConfig{Kind: "Dedicated", CKU: 2, MaxECKU: 5, EncryptionKey: "arn:key",
				Zones: []string{"z1", "z2"}, ReleasePriority: "REGULAR"},
			KafkaBootstrapEndpoint: "SASL_SSL://b:9092", HTTPEndpoint: "https://h", APIEndpoint: "https://a",
			Endpoints: map[string]*Endpoint{
				"ap1": {KafkaBootstrapEndpoint: "ap1:9092", HTTPEndpoint: "https://ap1", ConnectionType: "PRIVATELINK"}},
			Environment:        Reference{ID: "env-1", ResourceName: "crn://e", Related: "https://r"},
			Network:            Reference{ID: "n-1", Environment: "env-1", ResourceName: "crn://n"},
			BYOK:               Reference{ID: "cck-1", ResourceName: "crn://k"},
			DeletionProtection: ptr(false),
		},
		Status: ClusterStatus{Phase: "PROVISIONED", CKU: 1},
	}))
}

func TestEveryPublishedFieldOfAPeeringIsRead(t *testing.T) {
	g := NewWithT(t)
	var got Peering
	g.Expect(json.Unmarshal([]byte(`{
		"id": "p-12345", "metadata": {"self": "https://self"},
		"spec": {
			"display_name": "prod", "environment": {"id": "env-1"}, "network": {"id": "n-1"},
			"cloud": {"kind": "networking.v1.AwsPeering", "account": "000000000000", "vpc": "vpc-1", "routes": ["10.0.0.0/8"],
				"customer_region": "us-east-1", "project": "p", "vpc_network": "vn", "import_custom_routes": true,
				"tenant": "t", "vnet": "v"}
		},
		"status": {"phase": "FAILED", "error_code": "E1", "error_message": "broken"}
	}`), &got)).To(Succeed())
	g.Expect(got).To(Equal(Peering{
		ID:       "p-12345",
		Metadata: ObjectMeta{Self: "https://self"},
		Spec: PeeringSpec{
			DisplayName: "prod",
			Cloud: PeeringCloud{Kind: "networking.v1.AwsPeering", Account: "000000000000", VPC: "vpc-1",
				Routes: []string{"10.0.0.0/8"}, CustomerRegion: "us-east-1", Project: "p", VPCNetwork: "vn",
				ImportCustomRoutes: ptr(true), Tenant: "t", VNet: "v"},
			Environment: Reference{ID: "env-1"},
			Network:     Reference{ID: "n-1"},
		},
		Status: PeeringStatus{Phase: "FAILED", ErrorCode: "E1", ErrorMessage: "broken"},
	}))
}

func TestEveryPublishedFieldOfANetworkIsRead(t *testing.T) {
	g := NewWithT(t)
	var got Network
	g.Expect(json.Unmarshal([]byte(`{
		"api_version": "networking/v1", "kind": "Network", "id": "n-12345", "metadata": {"self": "https://self"},
		"spec": {
			"display_name": "prod", "cloud": "AWS", "region": "us-east-1", "connection_types": ["PEERING", "PRIVATELINK"],
			"cidr": "10.200.0.0/16", "zones": ["use1-az1"], "zones_info": [{"zone_id": "use1-az1", "cidr": "10.20.0.0/27"}],
			"dns_config": {"resolution": "PRIVATE"}, "reserved_cidr": "172.20.255.0/24",
			"environment": {"id": "env-1"}, "gateway": {"id": "gw-1", "environment": "env-1", "related": "https://r", "resource_name": "crn://g"}
		},
		"status": {
			"phase": "READY", "supported_connection_types": ["PEERING"], "active_connection_types": ["TRANSITGATEWAY"],
			"error_code": "E1", "error_message": "broken", "dns_domain": "d", "endpoint_suffix": ".d",
			"zonal_subdomains": {"use1-az1": "use1-az1.d"}, "idle_since": "2026-01-01T00:00:00Z",
			"cloud": {"kind": "AwsNetwork", "vpc": "vpc-1", "account": "000000000000", "private_link_endpoint_service": "svc",
				"project": "p", "vpc_network": "vn", "private_service_connect_service_attachments": {"z": "a"},
				"vnet": "v", "subscription": "s", "private_link_service_aliases": {"z": "b"},
				"private_link_service_resource_ids": {"z": "c"}}
		}
	}`), &got)).To(Succeed())
	g.Expect(got).To(Equal(Network{
		ID:       "n-12345",
		Metadata: ObjectMeta{Self: "https://self"},
		Spec: NetworkSpec{
			DisplayName: "prod", Cloud: "AWS", Region: "us-east-1", ConnectionTypes: []string{"PEERING", "PRIVATELINK"},
			CIDR: "10.200.0.0/16", ReservedCIDR: "172.20.255.0/24", Zones: []string{"use1-az1"},
			ZonesInfo: []NetworkZone{{ZoneID: "use1-az1", CIDR: "10.20.0.0/27"}}, DNSConfig: NetworkDNSConfig{Resolution: "PRIVATE"},
			Environment: Reference{ID: "env-1"},
			Gateway:     Reference{ID: "gw-1", Environment: "env-1", Related: "https://r", ResourceName: "crn://g"},
		},
		Status: NetworkStatus{
			Phase: "READY", SupportedConnectionTypes: []string{"PEERING"}, ActiveConnectionTypes: []string{"TRANSITGATEWAY"},
			ErrorCode: "E1", ErrorMessage: "broken", DNSDomain: "d", EndpointSuffix: ".d",
			ZonalSubdomains: map[string]string{"use1-az1": "use1-az1.d"}, IdleSince: "2026-01-01T00:00:00Z",
			Cloud: NetworkCloud{Kind: "AwsNetwork", VPC: "vpc-1", Account: "000000000000", PrivateLinkEndpointService: "svc",
				Project: "p", VPCNetwork: "vn", PrivateServiceConnectServiceAttachments: map[string]string{"z": "a"},
				VNet: "v", Subscription: "s", PrivateLinkServiceAliases: map[string]string{"z": "b"},
				PrivateLinkServiceResourceIDs: map[string]string{"z": "c"}},
		},
	}))
}

func TestSchemaRegistryHasEveryPublishedField(t *testing.T) {
	g := NewWithT(t)
	var got SchemaRegistry
	g.Expect(json.Unmarshal([]byte(`{
		"api_version": "srcm/v3", "kind": "Cluster", "id": "lsrc-12345", "metadata": {"self": "https://self"},
		"spec": {
			"display_name": "Stream Governance Package", "package": "ESSENTIALS", "http_endpoint": "https://psrc-1",
			"catalog_http_endpoint": "https://catalog", "private_http_endpoint": "https://private",
			"private_networking_config": {"regional_endpoints": {"us-west-2": "https://west", "us-east-1": "https://east"}},
			"cloud": "AWS", "region": "us-east-1", "environment": {"id": "env-1", "related": "https://e", "resource_name": "crn://e"}
		},
		"status": {"phase": "PROVISIONED"}
	}`), &got)).To(Succeed())
	g.Expect(got).To(Equal(SchemaRegistry{
		ID:       "lsrc-12345",
		Metadata: ObjectMeta{Self: "https://self"},
		Spec: SchemaRegistrySpec{
			DisplayName: "Stream Governance Package", Package: "ESSENTIALS", HTTPEndpoint: "https://psrc-1",
			CatalogHTTPEndpoint: "https://catalog", PrivateHTTPEndpoint: "https://private",
			PrivateNetworkingConfig: SchemaRegistryPrivateNetworking{
				RegionalEndpoints: map[string]string{"us-west-2": "https://west", "us-east-1": "https://east"}},
			Cloud: "AWS", Region: "us-east-1", Environment: Reference{ID: "env-1", Related: "https://e", ResourceName: "crn://e"},
		},
		Status: SchemaRegistryStatus{Phase: "PROVISIONED"},
	}))
}

func TestEveryPublishedFieldOfATransitGatewayAttachmentIsRead(t *testing.T) {
	g := NewWithT(t)
	var got TransitGatewayAttachment
	g.Expect(json.Unmarshal([]byte(`{
		"api_version": "networking/v1", "kind": "TransitGatewayAttachment", "id": "tgwa-12345", "metadata": {"self": "https://self"},
		"spec": {
			"display_name": "prod", "environment": {"id": "env-1"}, "network": {"id": "n-1"},
			"cloud": {"kind": "AwsTransitGatewayAttachment", "ram_share_arn": "arn:ram", "transit_gateway_id": "tgw-1", "routes": ["10.0.0.0/8"]}
		},
		"status": {"phase": "ERROR", "error_code": "E1", "error_message": "broken",
			"cloud": {"kind": "AwsTransitGatewayAttachmentStatus", "transit_gateway_attachment_id": "tgw-attach-1"}}
	}`), &got)).To(Succeed())
	g.Expect(got).To(Equal(TransitGatewayAttachment{
		ID:       "tgwa-12345",
		Metadata: ObjectMeta{Self: "https://self"},
		Spec: TransitGatewayAttachmentSpec{
			DisplayName: "prod",
			Cloud: TransitGatewayAttachmentCloud{Kind: "AwsTransitGatewayAttachment", RAMShareARN: "arn:ram", TransitGatewayID: "tgw-1",
				Routes: []string{"10.0.0.0/8"}},
			Environment: Reference{ID: "env-1"},
			Network:     Reference{ID: "n-1"},
		},
		Status: TransitGatewayAttachmentStatus{Phase: "ERROR", ErrorCode: "E1", ErrorMessage: "broken",
			Cloud: TransitGatewayAttachmentStatusCloud{Kind: "AwsTransitGatewayAttachmentStatus", TransitGatewayAttachmentID: "tgw-attach-1"}},
	}))
}

func TestEveryPublishedFieldOfAPrivateLinkAccessIsRead(t *testing.T) {
	g := NewWithT(t)
	var got PrivateLinkAccess
	g.Expect(json.Unmarshal([]byte(`{
		"api_version": "networking/v1", "kind": "PrivateLinkAccess", "id": "pla-12345", "metadata": {"self": "https://self"},
		"spec": {
			"display_name": "prod", "environment": {"id": "env-1"}, "network": {"id": "n-1"},
			"cloud": {"kind": "AwsPrivateLinkAccess", "account": "000000000000", "subscription": "s", "project": "p"}
		},
		"status": {"phase": "FAILED", "error_code": "E1", "error_message": "broken"}
	}`), &got)).To(Succeed())
	got.Compact()
	g.Expect(got).To(Equal(PrivateLinkAccess{
		ID:       "pla-12345",
		Metadata: ObjectMeta{Self: "https://self"},
		Spec: PrivateLinkAccessSpec{
			DisplayName: "prod",
			Cloud:       PrivateLinkAccessCloud{Kind: "AwsPrivateLinkAccess", Account: "000000000000", Subscription: "s", Project: "p"},
			Environment: Reference{ID: "env-1"},
			Network:     Reference{ID: "n-1"},
		},
		Status: PrivateLinkAccessStatus{Phase: "FAILED", ErrorCode: "E1", ErrorMessage: "broken"},
	}))
}

func TestNullEqualsAbsentEverywhere(t *testing.T) {
	g := NewWithT(t)
	var cluster Cluster
	g.Expect(json.Unmarshal([]byte(`{"id": "lkc-1", "metadata": null, "status": {"phase": null, "cku": null}, "spec": {
		"display_name": null, "config": {"cku": null, "zones": [null, "z1"]}, "network": null, "deletion_protection": null,
		"endpoints": {"ap1": null, "ap2": {"http_endpoint": "https://ap2", "connection_type": null}}}}`), &cluster)).To(Succeed())
	cluster.Compact()
	g.Expect(cluster).To(Equal(Cluster{ID: "lkc-1", Spec: ClusterSpec{
		Config:    ClusterConfig{Zones: []string{"z1"}},
		Endpoints: map[string]*Endpoint{"ap2": {HTTPEndpoint: "https://ap2"}},
	}}))

	var peering Peering
	g.Expect(json.Unmarshal([]byte(`{"id": "p-1", "spec": {"cloud": {"routes": [null], "import_custom_routes": null}}}`),
		&peering)).To(Succeed())
	peering.Compact()
	g.Expect(peering.Spec.Cloud.Routes).To(BeEmpty())
	g.Expect(peering.Spec.Cloud.ImportCustomRoutes).To(BeNil())

	var attachment TransitGatewayAttachment
	g.Expect(json.Unmarshal([]byte(`{"id": "tgwa-1", "spec": {"cloud": {"routes": [null, "10.0.0.0/8"]}}, "status": {"cloud": null}}`),
		&attachment)).To(Succeed())
	attachment.Compact()
	g.Expect(attachment).To(Equal(TransitGatewayAttachment{ID: "tgwa-1",
		Spec: TransitGatewayAttachmentSpec{Cloud: TransitGatewayAttachmentCloud{Routes: []string{"10.0.0.0/8"}}}}))

	var network Network
	g.Expect(json.Unmarshal([]byte(`{"id": "n-1", "spec": {"gateway": null, "connection_types": [null, "PEERING"], "zones": [null],
		"zones_info": [null, {"zone_id": "z1", "cidr": null}], "dns_config": null}, "status": {"idle_since": null,
		"active_connection_types": null, "zonal_subdomains": {"z1": null, "z2": "d"},
		"cloud": {"private_link_service_aliases": {"z1": null}}}}`), &network)).To(Succeed())
	network.Compact()
	g.Expect(network).To(Equal(Network{ID: "n-1",
		Spec: NetworkSpec{ConnectionTypes: []string{"PEERING"}, Zones: []string{}, ZonesInfo: []NetworkZone{{ZoneID: "z1"}}},
		Status: NetworkStatus{ZonalSubdomains: map[string]string{"z2": "d"},
			Cloud: NetworkCloud{PrivateLinkServiceAliases: map[string]string{}}},
	}))

	var registry, bare SchemaRegistry
	g.Expect(json.Unmarshal([]byte(`{"id": "lsrc-1", "spec": {"package": null, "http_endpoint": null,
		"private_networking_config": {"regional_endpoints": {"a": null, "b": "https://b"}}}}`), &registry)).To(Succeed())
	registry.Compact()
	g.Expect(registry.Spec).To(Equal(SchemaRegistrySpec{PrivateNetworkingConfig: SchemaRegistryPrivateNetworking{
		RegionalEndpoints: map[string]string{"b": "https://b"}}}))
	g.Expect(json.Unmarshal([]byte(`{"id": "lsrc-1", "spec": {"private_networking_config": null}}`), &bare)).To(Succeed())
	bare.Compact()
	g.Expect(bare).To(Equal(SchemaRegistry{ID: "lsrc-1"}))
}
