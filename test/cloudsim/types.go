package cloudsim

import (
	"net/url"
	"time"
)

// What the simulated cloud calls itself in links and resource names.
const (
	apiURL       = "https://api.confluent.cloud"
	organization = "crn://confluent.cloud/organization=9bb441c4-edef-46ac-8a41-c49e44a3fd9a"
)

// Cluster is a Kafka cluster in the shape it has on the wire. Zero fields are left
// out where the contract allows it.
type Cluster struct {
	APIVersion string        `json:"api_version,omitempty"`
	Kind       string        `json:"kind,omitempty"`
	ID         string        `json:"id"`
	Metadata   Metadata      `json:"metadata"`
	Spec       ClusterSpec   `json:"spec"`
	Status     ClusterStatus `json:"status"`
}

// Metadata is an object's metadata. What is empty the simulator fills in when the
// object is put, deleted_at aside.
type Metadata struct {
	Self         string    `json:"self,omitempty"`
	ResourceName string    `json:"resource_name,omitempty"`
	CreatedAt    time.Time `json:"created_at,omitzero"`
	UpdatedAt    time.Time `json:"updated_at,omitzero"`
	DeletedAt    time.Time `json:"deleted_at,omitzero"`
}

// ClusterSpec is a cluster's spec.
type ClusterSpec struct {
	DisplayName            string              `json:"display_name,omitempty"`
	Availability           string              `json:"availability,omitempty"`
	Cloud                  string              `json:"cloud,omitempty"`
	Region                 string              `json:"region,omitempty"`
	Config                 ClusterConfig       `json:"config"`
	KafkaBootstrapEndpoint string              `json:"kafka_bootstrap_endpoint,omitempty"` // deprecated by Endpoints
	HTTPEndpoint           string              `json:"http_endpoint,omitempty"`            // deprecated by Endpoints
	APIEndpoint            string              `json:"api_endpoint,omitempty"`             // deprecated
	Endpoints              map[string]Endpoint `json:"endpoints,omitempty"`                // by access point ID
	Environment            Reference           `json:"environment"`
	Network                *Reference          `json:"network,omitempty"`
	BYOK                   *Reference          `json:"byok,omitempty"`
	DeletionProtection     *bool               `json:"deletion_protection,omitempty"` // newer than the published contract; nil sends none
}

// ClusterConfig holds the fields of all five cluster types; Kind says which one it is.
type ClusterConfig struct {
	Kind            string   `json:"kind"`
	CKU             int32    `json:"cku,omitempty"`
	MaxECKU         int32    `json:"max_ecku,omitempty"`
	EncryptionKey   string   `json:"encryption_key,omitempty"`
	Zones           []string `json:"zones,omitempty"`
	ReleasePriority string   `json:"release_priority,omitempty"`
}

// Endpoint is where a cluster is reached through one access point.
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

// Reference points at another object. The simulator fills in all but ID.
type Reference struct {
	ID           string `json:"id"`
	Environment  string `json:"environment,omitempty"`
	Related      string `json:"related,omitempty"`
	ResourceName string `json:"resource_name,omitempty"`
	APIVersion   string `json:"api_version,omitempty"` // peerings only
	Kind         string `json:"kind,omitempty"`        // peerings only
}

// Peering is a network peering in the shape it has on the wire.
type Peering struct {
	APIVersion string        `json:"api_version,omitempty"`
	Kind       string        `json:"kind,omitempty"`
	ID         string        `json:"id"`
	Metadata   Metadata      `json:"metadata"`
	Spec       PeeringSpec   `json:"spec"`
	Status     PeeringStatus `json:"status"`
}

// PeeringSpec is a peering's spec.
type PeeringSpec struct {
	DisplayName string       `json:"display_name,omitempty"`
	Cloud       PeeringCloud `json:"cloud"`
	Environment Reference    `json:"environment"`
	Network     Reference    `json:"network"`
}

// PeeringCloud holds the fields of all three clouds; Kind says which one it is.
// Routes that are empty but not nil are sent as an empty list.
type PeeringCloud struct {
	Kind               string   `json:"kind"`
	Account            string   `json:"account,omitempty"`
	VPC                string   `json:"vpc,omitempty"`
	Routes             []string `json:"routes,omitzero"`
	CustomerRegion     string   `json:"customer_region,omitempty"`
	Project            string   `json:"project,omitempty"`
	VPCNetwork         string   `json:"vpc_network,omitempty"`
	ImportCustomRoutes *bool    `json:"import_custom_routes,omitempty"` // nil sends none
	Tenant             string   `json:"tenant,omitempty"`
	VNet               string   `json:"vnet,omitempty"`
}

// PeeringStatus is a peering's status.
type PeeringStatus struct {
	Phase        string `json:"phase"`
	ErrorCode    string `json:"error_code,omitempty"`
	ErrorMessage string `json:"error_message,omitempty"`
}

// object is what the store needs of a Cluster or a Peering.
type object interface {
	key() (id, environment string)
	meta() *Metadata
	// setID, setPhase change the object in place.
	setID(id string)
	setPhase(phase string)
	// facets returns the values that the kind's filters select by, in their order.
	facets() []string
	// complete fills in what the cloud itself would: versions, links, names. It
	// writes to nothing the caller still holds.
	complete()
	// check returns a *FieldError for the first breach of the contract.
	check() error
}

func (c *Cluster) key() (string, string) { return c.ID, c.Spec.Environment.ID }
func (c *Cluster) meta() *Metadata       { return &c.Metadata }
func (c *Cluster) setID(id string)       { c.ID = id }
func (c *Cluster) setPhase(phase string) { c.Status.Phase = phase }

func (c *Cluster) facets() []string {
	if c.Spec.Network == nil {
		return []string{""}
	}
	return []string{c.Spec.Network.ID}
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

func (p *Peering) key() (string, string) { return p.ID, p.Spec.Environment.ID }
func (p *Peering) meta() *Metadata       { return &p.Metadata }
func (p *Peering) setID(id string)       { p.ID = id }

// setPhase also takes the error away when the peering becomes READY, as a READY
// peering with an error is something the cloud never shows.
func (p *Peering) setPhase(phase string) {
	p.Status.Phase = phase
	if phase == PhaseReady {
		p.Status.ErrorCode, p.Status.ErrorMessage = "", ""
	}
}

func (p *Peering) facets() []string {
	return []string{p.Spec.DisplayName, p.Status.Phase, p.Spec.Network.ID}
}

func (p *Peering) complete() {
	environment := p.Spec.Environment.ID
	fill(&p.APIVersion, peeringKind.apiVersion)
	fill(&p.Kind, peeringKind.name)
	fill(&p.Metadata.Self, apiURL+peeringKind.path+"/"+url.PathEscape(p.ID))
	fill(&p.Metadata.ResourceName, environmentName(environment)+"/network="+p.Spec.Network.ID+"/peering="+p.ID)
	completeEnvironment(&p.Spec.Environment)
	completeNetwork(&p.Spec.Network, environment)
	fill(&p.Spec.Network.APIVersion, "networking/v1")
	fill(&p.Spec.Network.Kind, "Network")
}

func completeEnvironment(r *Reference) {
	fill(&r.Related, apiURL+"/org/v2/environments/"+url.PathEscape(r.ID))
	fill(&r.ResourceName, environmentName(r.ID))
}

func completeNetwork(r *Reference, environment string) {
	fill(&r.Environment, environment)
	fill(&r.Related, apiURL+"/networking/v1/networks/"+url.PathEscape(r.ID))
	fill(&r.ResourceName, environmentName(environment)+"/network="+r.ID)
}

func environmentName(id string) string { return organization + "/environment=" + id }

func fill(field *string, value string) {
	if *field == "" {
		*field = value
	}
}
