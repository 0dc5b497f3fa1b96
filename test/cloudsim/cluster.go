package cloudsim

import (
	"maps"
	"net/url"
	"slices"
)

// Cluster is a Kafka cluster as it is sent. Empty fields are left out if the contract allows it.
type Cluster struct {
	APIVersion string        `json:"api_version,omitempty"`
	Kind       string        `json:"kind,omitempty"`
	ID         string        `json:"id"`
	Metadata   Metadata      `json:"metadata"`
	Spec       ClusterSpec   `json:"spec"`
	Status     ClusterStatus `json:"status"`
}

// ClusterSpec is a cluster's spec.
type ClusterSpec struct {
	DisplayName            string              `json:"display_name,omitempty"`
	Availability           string              `json:"availability,omitempty"`
	Cloud                  string              `json:"cloud,omitempty"`
	Region                 string              `json:"region,omitempty"`
	Config                 ClusterConfig       `json:"config"`
	KafkaBootstrapEndpoint string              `json:"kafka_bootstrap_endpoint,omitempty"` // deprecated: use Endpoints
	HTTPEndpoint           string              `json:"http_endpoint,omitempty"`            // deprecated: use Endpoints
	APIEndpoint            string              `json:"api_endpoint,omitempty"`             // deprecated
	Endpoints              map[string]Endpoint `json:"endpoints,omitempty"`                // by access point ID
	Environment            Reference           `json:"environment"`
	Network                *Reference          `json:"network,omitempty"`
	BYOK                   *Reference          `json:"byok,omitempty"`
	DeletionProtection     *bool               `json:"deletion_protection,omitempty"` // not in the published contract; nil sends none
}

// ClusterConfig has the fields of all five cluster types together. Kind says which type the cluster
// has.
type ClusterConfig struct {
	Kind            string   `json:"kind"`
	CKU             int32    `json:"cku,omitempty"`
	MaxECKU         int32    `json:"max_ecku,omitempty"`
	EncryptionKey   string   `json:"encryption_key,omitempty"`
	Zones           []string `json:"zones,omitempty"`
	ReleasePriority string   `json:"release_priority,omitempty"`
}

// Endpoint has the addresses of a cluster at one access point.
type Endpoint struct {
	KafkaBootstrapEndpoint string `json:"kafka_bootstrap_endpoint"`
	HTTPEndpoint           string `json:"http_endpoint"`
	ConnectionType         string `json:"connection_type"`
}

// ClusterStatus is a cluster's status.
type ClusterStatus struct {
	Phase string `json:"phase"`
	CKU   int32  `json:"cku,omitempty"`
}

var clusterKind = of(func(doc *Inventory) *[]Cluster { return &doc.Clusters }, kind{
	op:          OpListClusters,
	path:        "/cmk/v2/clusters",
	apiVersion:  "cmk/v2",
	name:        "Cluster",
	noun:        "cluster",
	plural:      "clusters",
	maxPageSize: 100,
	filters:     []string{"spec.network"},
	phases:      []string{PhaseProvisioning, PhaseProvisioned, PhaseFailed},
	optional: []string{"metadata.deleted_at", "spec.network", "spec.byok", "spec.endpoints", "spec.kafka_bootstrap_endpoint",
		"spec.http_endpoint", "spec.api_endpoint", "spec.deletion_protection", "spec.config.cku", "spec.config.max_ecku",
		"spec.config.encryption_key", "spec.config.zones", "spec.config.release_priority", "status.cku"},
	seed: (*generator).cluster,
	undocumented: func(spec tree) {
		if _, told := spec["deletion_protection"]; !told {
			spec["deletion_protection"] = true
		}
		child(spec, "config")["billing"] = tree{"plan": 3}
	},
})

// PutCluster adds c, or replaces the cluster with the same ID. It does not check c, because tests
// may send what the contract forbids. It panics only if c has no JSON form, because a timestamp is
// after the year 9999.
func (s *Sim) PutCluster(c Cluster) { put(s, s.of(clusterKind), &c) }

// Cluster returns a copy of the cluster with this ID, and whether there is one.
func (s *Sim) Cluster(id string) (Cluster, bool) { return get[Cluster](s, s.of(clusterKind), id) }

// Clusters returns copies of the clusters of an environment, in order of creation. "" means all
// environments.
func (s *Sim) Clusters(environment string) []Cluster {
	return list[Cluster](s, s.of(clusterKind), environment)
}

// UpdateCluster calls change with the cluster of this ID and stores the result. If the cluster
// differs then, updated_at changes too. change runs while the simulator is locked, so it must not
// call the simulator. The error wraps ErrNotFound, or says that change has changed the ID.
func (s *Sim) UpdateCluster(id string, change func(*Cluster)) error {
	return update(s, s.of(clusterKind), id, func(o object) { change(o.(*Cluster)) })
}

// SetClusterPhase sets status.phase. Any word is allowed. The error wraps ErrNotFound.
func (s *Sim) SetClusterPhase(id, phase string) error {
	return s.UpdateCluster(id, func(c *Cluster) { c.setPhase(phase) })
}

// RemoveCluster removes the cluster from the inventory. The error wraps ErrNotFound.
func (s *Sim) RemoveCluster(id string) error { return remove(s, s.of(clusterKind), id) }

func (c *Cluster) key() (string, string) { return c.ID, c.Spec.Environment.ID }
func (c *Cluster) meta() *Metadata       { return &c.Metadata }
func (c *Cluster) setID(id string)       { c.ID = id }
func (c *Cluster) setPhase(phase string) { c.Status.Phase = phase }

func (c *Cluster) facets() [][]string {
	if c.Spec.Network == nil {
		return [][]string{nil}
	}
	return [][]string{{c.Spec.Network.ID}}
}

func (c *Cluster) complete() {
	environment := c.Spec.Environment.ID
	fill(&c.APIVersion, clusterKind.apiVersion)
	fill(&c.Kind, clusterKind.name)
	fill(&c.Metadata.Self, apiURL+clusterKind.path+"/"+url.PathEscape(c.ID))
	fill(&c.Metadata.ResourceName, environmentName(environment)+"/cloud-cluster="+c.ID)
	completeEnvironment(&c.Spec.Environment)
	if c.Spec.Network != nil {
		network := *c.Spec.Network
		completeNetwork(&network, environment)
		c.Spec.Network = &network
	}
	if c.Spec.BYOK != nil {
		byok := *c.Spec.BYOK
		fill(&byok.Related, apiURL+"/byok/v1/keys/"+url.PathEscape(byok.ID))
		fill(&byok.ResourceName, organization+"/key="+byok.ID)
		c.Spec.BYOK = &byok
	}
}

func (c *Cluster) check() error {
	var k checks
	k.word("api_version", c.APIVersion, clusterKind.apiVersion)
	k.word("kind", c.Kind, clusterKind.name)
	k.id("id", c.ID)
	k.id("spec.environment.id", c.Spec.Environment.ID)
	k.given("spec.display_name", c.Spec.DisplayName)
	k.oneOf("spec.availability", c.Spec.Availability, "MULTI_ZONE", "SINGLE_ZONE", "HIGH", "LOW")
	k.oneOf("spec.cloud", c.Spec.Cloud, "AWS", "GCP", "AZURE")
	k.given("spec.region", c.Spec.Region)
	c.Spec.Config.check(&k)
	for _, id := range slices.Sorted(maps.Keys(c.Spec.Endpoints)) {
		e, field := c.Spec.Endpoints[id], "spec.endpoints."+id
		k.given(field+".kafka_bootstrap_endpoint", e.KafkaBootstrapEndpoint)
		k.given(field+".http_endpoint", e.HTTPEndpoint)
		k.oneOf(field+".connection_type", e.ConnectionType, ConnectionPublic, ConnectionPrivateLink, ConnectionPNI)
	}
	if c.Spec.Network != nil {
		k.id("spec.network.id", c.Spec.Network.ID)
	}
	if c.Spec.BYOK != nil {
		k.id("spec.byok.id", c.Spec.BYOK.ID)
	}
	k.oneOf("status.phase", c.Status.Phase, clusterKind.phases...)
	k.notNegative("status.cku", c.Status.CKU)
	return k.outcome()
}

func (c ClusterConfig) check(k *checks) {
	k.oneOf("spec.config.kind", c.Kind, "Basic", "Standard", "Dedicated", "Enterprise", "Freight")
	k.notNegative("spec.config.cku", c.CKU)
	k.notNegative("spec.config.max_ecku", c.MaxECKU)
	if c.Kind == "Dedicated" && c.CKU == 0 {
		k.fail("spec.config.cku", "is required for Dedicated, 1 or more")
	}
	if len(c.Zones) > 3 || len(slices.Compact(slices.Sorted(slices.Values(c.Zones)))) < len(c.Zones) {
		k.fail("spec.config.zones", "must be up to 3 different zones")
	}
	if c.ReleasePriority != "" {
		k.oneOf("spec.config.release_priority", c.ReleasePriority, "REGULAR", "PRIORITY")
	}
}

func (c *Cluster) estrange(i int) {
	switch i % 8 {
	case 1:
		c.Status.Phase = OddClusterPhase
	case 4:
		c.Spec.Config = ClusterConfig{Kind: OddClusterType}
	case 6:
		c.Spec.Cloud = OddClusterCloud
	}
}
