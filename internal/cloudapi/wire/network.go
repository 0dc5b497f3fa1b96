// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"maps"
	"slices"
)

// Network is one network of the API networking/v1.
type Network struct {
	ID       string        `json:"id"`
	Metadata ObjectMeta    `json:"metadata"`
	Spec     NetworkSpec   `json:"spec"`
	Status   NetworkStatus `json:"status"`
}

// NetworkSpec is the requested configuration of the network.
type NetworkSpec struct {
	DisplayName     string           `json:"display_name"`
	Cloud           string           `json:"cloud"`
	Region          string           `json:"region"`
	ConnectionTypes []string         `json:"connection_types"`
	CIDR            string           `json:"cidr"`
	ReservedCIDR    string           `json:"reserved_cidr"`
	Zones           []string         `json:"zones"`
	ZonesInfo       []NetworkZone    `json:"zones_info"`
	DNSConfig       NetworkDNSConfig `json:"dns_config"`
	Environment     Reference        `json:"environment"`
	Gateway         Reference        `json:"gateway"`
}

// NetworkZone is the part of a network in one zone.
type NetworkZone struct {
	ZoneID string `json:"zone_id"`
	CIDR   string `json:"cidr"`
}

// NetworkDNSConfig says how the DNS names of a network are resolved, for example CHASED_PRIVATE.
type NetworkDNSConfig struct {
	Resolution string `json:"resolution"`
}

// NetworkStatus is the present state of the network. ErrorCode and ErrorMessage are empty while
// nothing is wrong.
type NetworkStatus struct {
	Phase                    string            `json:"phase"`
	SupportedConnectionTypes []string          `json:"supported_connection_types"`
	ActiveConnectionTypes    []string          `json:"active_connection_types"`
	ErrorCode                string            `json:"error_code"`
	ErrorMessage             string            `json:"error_message"`
	DNSDomain                string            `json:"dns_domain"`
	EndpointSuffix           string            `json:"endpoint_suffix"`
	ZonalSubdomains          map[string]string `json:"zonal_subdomains"`
	// IdleSince should have the form of RFC 3339. This package does not check it.
	IdleSince string       `json:"idle_since"`
	Cloud     NetworkCloud `json:"cloud"`
}

// NetworkCloud describes a network at its cloud provider: AWS, Azure or Google Cloud. Kind names
// the provider. The fields for the other two providers have no meaning.
type NetworkCloud struct {
	Kind string `json:"kind"`

	VPC                        string `json:"vpc"`
	Account                    string `json:"account"`
	PrivateLinkEndpointService string `json:"private_link_endpoint_service"`

	Project    string `json:"project"`
	VPCNetwork string `json:"vpc_network"`
	// The keys are zone IDs.
	PrivateServiceConnectServiceAttachments map[string]string `json:"private_service_connect_service_attachments"`

	VNet         string `json:"vnet"`
	Subscription string `json:"subscription"`
	// The keys are zone IDs.
	PrivateLinkServiceAliases     map[string]string `json:"private_link_service_aliases"`
	PrivateLinkServiceResourceIDs map[string]string `json:"private_link_service_resource_ids"`
}

// Compact removes empty entries from the lists and maps. An empty entry comes from a null in the
// JSON, and null means that there is no value.
func (n *Network) Compact() {
	for _, list := range []*[]string{&n.Spec.ConnectionTypes, &n.Spec.Zones, &n.Status.SupportedConnectionTypes, &n.Status.ActiveConnectionTypes} {
		*list = compact(*list)
	}
	n.Spec.ZonesInfo = slices.DeleteFunc(n.Spec.ZonesInfo, func(z NetworkZone) bool { return z.ZoneID == "" })
	c := &n.Status.Cloud
	for _, byZone := range []map[string]string{n.Status.ZonalSubdomains, c.PrivateServiceConnectServiceAttachments,
		c.PrivateLinkServiceAliases, c.PrivateLinkServiceResourceIDs} {
		maps.DeleteFunc(byZone, func(_, value string) bool { return value == "" })
	}
}
