// SPDX-License-Identifier: Apache-2.0

package cloudapi

import "github.com/ccloud-dev/inventory-operator/internal/cloudapi/wire"

// Operation describes one list operation of the API. Record is the type of its items. Filter is the
// type that says which items to list.
type Operation[Record, Filter any] struct {
	operation
	// filterParams turns a filter into query parameters of the URL.
	filterParams func(Filter) params
	// itemID returns an item's ID.
	itemID func(*Record) string
	// compactItem removes the empty entries from the lists and maps of an item. If the cloud sends
	// null in a list or map, decoding turns the null into an empty entry.
	compactItem func(*Record)
	// paramValue returns an item's value for a query parameter, to check that the item matches the
	// query. For example, the value for "environment" is the ID of the item's environment. The
	// result is "" if the item has no value.
	paramValue func(item *Record, param string) string
}

// operation has the fields of an Operation that need no type parameters.
type operation struct {
	// name is the API's operation ID.
	name string
	path string
	// listKind is the value of the member "kind" in each page, such as "ClusterList".
	listKind string
	// pageSize is the largest page size that the API allows.
	pageSize int
	// cloudKeyOnly is true if, according to the API's specification, the operation accepts a Cloud
	// API key, but no global API key.
	cloudKeyOnly bool
	// apiKeyOnly is true if, according to the API's specification, the operation accepts an API
	// key, but no token of an identity pool.
	apiKeyOnly bool
}

// ClusterFilter says which clusters to list.
type ClusterFilter struct {
	// Environment is required.
	Environment string
	// Networks has the IDs of the networks whose clusters are listed. If Networks is empty, the
	// clusters of all networks are listed.
	Networks []string
}

// Clusters lists the Kafka clusters of an environment.
var Clusters = &Operation[wire.Cluster, ClusterFilter]{
	operation: operation{
		name:     "listCmkV2Clusters",
		path:     "cmk/v2/clusters",
		listKind: "ClusterList",
		pageSize: 100,
	},
	filterParams: func(f ClusterFilter) params {
		return params{paramEnvironment: {f.Environment}, paramNetwork: f.Networks}
	},
	itemID:      func(c *wire.Cluster) string { return c.ID },
	compactItem: (*wire.Cluster).Compact,
	paramValue: func(c *wire.Cluster, param string) string {
		switch param {
		case paramEnvironment:
			return c.Spec.Environment.ID
		case paramNetwork:
			return c.Spec.Network.ID
		}
		return ""
	},
}

// ConnectionFilter says which peerings, transit gateway attachments or private link accesses to
// list. Networks, DisplayNames and Phases have the allowed network IDs, display names and phases.
// An object is listed if all three values are allowed. An empty list allows every value.
type ConnectionFilter struct {
	// Environment is required.
	Environment  string
	Networks     []string
	DisplayNames []string
	Phases       []string
}

func (f ConnectionFilter) filterParams() params {
	return params{
		paramEnvironment: {f.Environment},
		paramNetwork:     f.Networks,
		paramDisplayName: f.DisplayNames,
		paramPhase:       f.Phases,
	}
}

// connectionValue returns an item's value for the query parameter param. The arguments after param
// are fields of the item, for example of a peering. If param is "environment", the value is the
// environment's ID. If param is unknown, the value is "".
func connectionValue(param string, environment, network wire.Reference, displayName, phase string) string {
	switch param {
	case paramEnvironment:
		return environment.ID
	case paramNetwork:
		return network.ID
	case paramDisplayName:
		return displayName
	case paramPhase:
		return phase
	}
	return ""
}

// Peerings lists the network peerings of an environment.
var Peerings = &Operation[wire.Peering, ConnectionFilter]{
	operation: operation{
		name:         "listNetworkingV1Peerings",
		path:         "networking/v1/peerings",
		listKind:     "PeeringList",
		pageSize:     1000,
		cloudKeyOnly: true,
	},
	filterParams: ConnectionFilter.filterParams,
	itemID:       func(p *wire.Peering) string { return p.ID },
	compactItem:  (*wire.Peering).Compact,
	paramValue: func(p *wire.Peering, param string) string {
		return connectionValue(param, p.Spec.Environment, p.Spec.Network, p.Spec.DisplayName, p.Status.Phase)
	},
}

// NetworkFilter says which networks to list.
type NetworkFilter struct {
	// Environment is required.
	Environment string
}

// Networks lists the networks of an environment.
var Networks = &Operation[wire.Network, NetworkFilter]{
	operation: operation{
		name:         "listNetworkingV1Networks",
		path:         "networking/v1/networks",
		listKind:     "NetworkList",
		pageSize:     1000,
		cloudKeyOnly: true,
	},
	filterParams: func(f NetworkFilter) params { return params{paramEnvironment: {f.Environment}} },
	itemID:       func(n *wire.Network) string { return n.ID },
	compactItem:  (*wire.Network).Compact,
	paramValue: func(n *wire.Network, param string) string {
		if param == paramEnvironment {
			return n.Spec.Environment.ID
		}
		return ""
	},
}

// SchemaRegistryFilter says which Schema Registry clusters to list.
type SchemaRegistryFilter struct {
	// Environment is required.
	Environment string
}

// SchemaRegistries lists the Schema Registry clusters of an environment.
var SchemaRegistries = &Operation[wire.SchemaRegistry, SchemaRegistryFilter]{
	operation: operation{
		name:         "listSrcmV3Clusters",
		path:         "srcm/v3/clusters",
		listKind:     "ClusterList",
		pageSize:     100,
		cloudKeyOnly: true,
		apiKeyOnly:   true,
	},
	filterParams: func(f SchemaRegistryFilter) params { return params{paramEnvironment: {f.Environment}} },
	itemID:       func(r *wire.SchemaRegistry) string { return r.ID },
	compactItem:  (*wire.SchemaRegistry).Compact,
	paramValue: func(r *wire.SchemaRegistry, param string) string {
		if param == paramEnvironment {
			return r.Spec.Environment.ID
		}
		return ""
	},
}

// TransitGatewayAttachments lists the transit gateway attachments of an environment.
var TransitGatewayAttachments = &Operation[wire.TransitGatewayAttachment, ConnectionFilter]{
	operation: operation{
		name:         "listNetworkingV1TransitGatewayAttachments",
		path:         "networking/v1/transit-gateway-attachments",
		listKind:     "TransitGatewayAttachmentList",
		pageSize:     1000,
		cloudKeyOnly: true,
	},
	filterParams: ConnectionFilter.filterParams,
	itemID:       func(a *wire.TransitGatewayAttachment) string { return a.ID },
	compactItem:  (*wire.TransitGatewayAttachment).Compact,
	paramValue: func(a *wire.TransitGatewayAttachment, param string) string {
		return connectionValue(param, a.Spec.Environment, a.Spec.Network, a.Spec.DisplayName, a.Status.Phase)
	},
}

// PrivateLinkAccesses lists the private link accesses of an environment.
var PrivateLinkAccesses = &Operation[wire.PrivateLinkAccess, ConnectionFilter]{
	operation: operation{
		name:         "listNetworkingV1PrivateLinkAccesses",
		path:         "networking/v1/private-link-accesses",
		listKind:     "PrivateLinkAccessList",
		pageSize:     1000,
		cloudKeyOnly: true,
	},
	filterParams: ConnectionFilter.filterParams,
	itemID:       func(a *wire.PrivateLinkAccess) string { return a.ID },
	compactItem:  (*wire.PrivateLinkAccess).Compact,
	paramValue: func(a *wire.PrivateLinkAccess, param string) string {
		return connectionValue(param, a.Spec.Environment, a.Spec.Network, a.Spec.DisplayName, a.Status.Phase)
	},
}

// EnvironmentFilter has no fields: List returns all environments that the credential can see.
type EnvironmentFilter struct{}

// Environments lists the environments of an organization.
var Environments = &Operation[wire.Environment, EnvironmentFilter]{
	operation: operation{
		name:     "listOrgV2Environments",
		path:     "org/v2/environments",
		listKind: "EnvironmentList",
		pageSize: 100,
	},
	filterParams: func(EnvironmentFilter) params { return params{} },
	itemID:       func(e *wire.Environment) string { return e.ID },
	compactItem:  func(*wire.Environment) {},
	paramValue:   func(*wire.Environment, string) string { return "" },
}
