// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"maps"
	"slices"
)

// Cluster is one Kafka cluster of the API cmk/v2.
type Cluster struct {
	ID       string        `json:"id"`
	Metadata ObjectMeta    `json:"metadata"`
	Spec     ClusterSpec   `json:"spec"`
	Status   ClusterStatus `json:"status"`
}

// ClusterSpec has the requested configuration and the addresses of the cluster.
type ClusterSpec struct {
	DisplayName  string        `json:"display_name"`
	Availability string        `json:"availability"`
	Cloud        string        `json:"cloud"`
	Region       string        `json:"region"`
	Config       ClusterConfig `json:"config"`

	// KafkaBootstrapEndpoint, HTTPEndpoint and APIEndpoint are deprecated. The field Endpoints
	// replaces them. An older cluster has these three fields, but no Endpoints.
	KafkaBootstrapEndpoint string `json:"kafka_bootstrap_endpoint"`
	HTTPEndpoint           string `json:"http_endpoint"`
	APIEndpoint            string `json:"api_endpoint"`

	// Endpoints maps the ID of an access point to the cluster's addresses at this access point. If
	// the addresses are null in the JSON, the map has the value nil for the ID.
	Endpoints map[string]*Endpoint `json:"endpoints"`

	Environment Reference `json:"environment"`
	Network     Reference `json:"network"`
	BYOK        Reference `json:"byok"`

	// DeletionProtection is nil if the cloud does not report this setting.
	DeletionProtection *bool `json:"deletion_protection"`
}

// ClusterConfig has the fields of all cluster types.
type ClusterConfig struct {
	Kind            string   `json:"kind"`
	CKU             int32    `json:"cku"`      // at least 1; 0 means absent
	MaxECKU         int32    `json:"max_ecku"` // at least 1; 0 means absent
	EncryptionKey   string   `json:"encryption_key"`
	Zones           []string `json:"zones"`
	ReleasePriority string   `json:"release_priority"`
}

// Endpoint has the addresses of a cluster at one access point.
type Endpoint struct {
	KafkaBootstrapEndpoint string `json:"kafka_bootstrap_endpoint"`
	HTTPEndpoint           string `json:"http_endpoint"`
	ConnectionType         string `json:"connection_type"`
}

// ClusterStatus is the present state of the cluster.
type ClusterStatus struct {
	Phase string `json:"phase"`
	CKU   int32  `json:"cku"` // at least 1; 0 means absent
}

// Compact removes the empty entries from the lists and maps. Such an entry comes from a null in the
// JSON, for example in the list of zones.
func (c *Cluster) Compact() {
	c.Spec.Config.Zones = compact(c.Spec.Config.Zones)
	maps.DeleteFunc(c.Spec.Endpoints, func(_ string, e *Endpoint) bool { return e == nil })
}

// compact removes the empty strings from a list, in place.
func compact(list []string) []string {
	return slices.DeleteFunc(list, func(s string) bool { return s == "" })
}
