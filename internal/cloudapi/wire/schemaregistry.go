// SPDX-License-Identifier: Apache-2.0

package wire

import "maps"

// SchemaRegistry is one Schema Registry cluster of the API srcm/v3.
type SchemaRegistry struct {
	ID       string               `json:"id"`
	Metadata ObjectMeta           `json:"metadata"`
	Spec     SchemaRegistrySpec   `json:"spec"`
	Status   SchemaRegistryStatus `json:"status"`
}

// SchemaRegistrySpec has the requested configuration and the addresses of the cluster.
type SchemaRegistrySpec struct {
	DisplayName         string `json:"display_name"`
	Package             string `json:"package"`
	HTTPEndpoint        string `json:"http_endpoint"`
	CatalogHTTPEndpoint string `json:"catalog_http_endpoint"`
	// PrivateHTTPEndpoint is the older form of PrivateNetworkingConfig.
	PrivateHTTPEndpoint     string                          `json:"private_http_endpoint"`
	PrivateNetworkingConfig SchemaRegistryPrivateNetworking `json:"private_networking_config"`
	Cloud                   string                          `json:"cloud"`
	Region                  string                          `json:"region"`
	Environment             Reference                       `json:"environment"`
}

// SchemaRegistryPrivateNetworking has the addresses of the cluster in private networks.
type SchemaRegistryPrivateNetworking struct {
	// RegionalEndpoints has a URL for each region.
	RegionalEndpoints map[string]string `json:"regional_endpoints"`
}

// SchemaRegistryStatus is the present state of the cluster.
type SchemaRegistryStatus struct {
	Phase string `json:"phase"`
}

// Compact removes empty entries from the map RegionalEndpoints. An empty entry comes from a null in
// the JSON, and null means that there is no value.
func (r *SchemaRegistry) Compact() {
	maps.DeleteFunc(r.Spec.PrivateNetworkingConfig.RegionalEndpoints, func(_, url string) bool { return url == "" })
}
