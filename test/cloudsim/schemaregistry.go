package cloudsim

import (
	"fmt"
	"net/url"
	"strings"
)

// SchemaRegistry is a Schema Registry cluster in the shape it has on the wire. Zero fields are left
// out where the contract allows it.
type SchemaRegistry struct {
	APIVersion string               `json:"api_version,omitempty"`
	Kind       string               `json:"kind,omitempty"`
	ID         string               `json:"id"`
	Metadata   Metadata             `json:"metadata"`
	Spec       SchemaRegistrySpec   `json:"spec"`
	Status     SchemaRegistryStatus `json:"status"`
}

// SchemaRegistrySpec is a Schema Registry cluster's spec.
type SchemaRegistrySpec struct {
	DisplayName             string             `json:"display_name,omitempty"`
	Package                 string             `json:"package"`
	HTTPEndpoint            string             `json:"http_endpoint,omitempty"`
	CatalogHTTPEndpoint     string             `json:"catalog_http_endpoint,omitempty"`
	PrivateHTTPEndpoint     string             `json:"private_http_endpoint,omitempty"`
	PrivateNetworkingConfig *PrivateNetworking `json:"private_networking_config,omitempty"`
	Cloud                   string             `json:"cloud"`
	Region                  string             `json:"region"`
	Environment             Reference          `json:"environment"`
}

// PrivateNetworking has the URLs in private networks, by region.
type PrivateNetworking struct {
	RegionalEndpoints map[string]string `json:"regional_endpoints,omitempty"`
}

// SchemaRegistryStatus is a Schema Registry cluster's status.
type SchemaRegistryStatus struct {
	Phase string `json:"phase"`
}

var schemaRegistryKind = of(func(doc *Inventory) *[]SchemaRegistry { return &doc.SchemaRegistries }, kind{
	op:           OpListSchemaRegistries,
	path:         "/srcm/v3/clusters",
	apiVersion:   "srcm/v3",
	name:         "Cluster",
	noun:         "Schema Registry cluster",
	plural:       "schemaregistries",
	maxPageSize:  100,
	cloudKeyOnly: true,
	apiKeyOnly:   true,
	phases:       []string{PhaseProvisioning, PhaseProvisioned, PhaseFailed},
	optional: []string{"metadata.deleted_at", "spec.display_name", "spec.http_endpoint", "spec.catalog_http_endpoint",
		"spec.private_http_endpoint", "spec.private_networking_config"},
	undocumented: func(spec tree) { spec["compatibility"] = tree{"level": "BACKWARD"} },
	seed:         (*generator).schemaRegistry,
})

// PutSchemaRegistry adds r, or replaces the Schema Registry cluster of the same ID, as PutCluster
// does.
func (s *Sim) PutSchemaRegistry(r SchemaRegistry) { put(s, s.of(schemaRegistryKind), &r) }

// SchemaRegistries returns copies of an environment's Schema Registry clusters in order of creation,
// or of all for "".
func (s *Sim) SchemaRegistries(environment string) []SchemaRegistry {
	return list[SchemaRegistry](s, s.of(schemaRegistryKind), environment)
}

// UpdateSchemaRegistry lets change edit the Schema Registry cluster of that ID, as UpdateCluster
// does.
func (s *Sim) UpdateSchemaRegistry(id string, change func(*SchemaRegistry)) error {
	return update(s, s.of(schemaRegistryKind), id, func(o object) { change(o.(*SchemaRegistry)) })
}

// RemoveSchemaRegistry takes the Schema Registry cluster out of the inventory. The error wraps
// ErrNotFound.
func (s *Sim) RemoveSchemaRegistry(id string) error { return remove(s, s.of(schemaRegistryKind), id) }

func (r *SchemaRegistry) key() (string, string) { return r.ID, r.Spec.Environment.ID }
func (r *SchemaRegistry) meta() *Metadata       { return &r.Metadata }
func (r *SchemaRegistry) setID(id string)       { r.ID = id }
func (r *SchemaRegistry) setPhase(phase string) { r.Status.Phase = phase }
func (r *SchemaRegistry) facets() [][]string    { return nil }

func (r *SchemaRegistry) complete() {
	fill(&r.APIVersion, schemaRegistryKind.apiVersion)
	fill(&r.Kind, schemaRegistryKind.name)
	fill(&r.Metadata.Self, apiURL+schemaRegistryKind.path+"/"+url.PathEscape(r.ID))
	fill(&r.Metadata.ResourceName, environmentName(r.Spec.Environment.ID)+"/schema-registry="+r.ID)
	completeEnvironment(&r.Spec.Environment)
}

func (r *SchemaRegistry) check() error {
	var k checks
	k.word("api_version", r.APIVersion, schemaRegistryKind.apiVersion)
	k.word("kind", r.Kind, schemaRegistryKind.name)
	k.id("id", r.ID)
	k.id("spec.environment.id", r.Spec.Environment.ID)
	k.oneOf("spec.package", r.Spec.Package, "ESSENTIALS", "ADVANCED")
	k.oneOf("spec.cloud", r.Spec.Cloud, "AWS", "GCP", "AZURE")
	k.given("spec.region", r.Spec.Region)
	k.oneOf("status.phase", r.Status.Phase, schemaRegistryKind.phases...)
	return k.outcome()
}

// The words of tomorrow that Estrange gives out.
const (
	OddSchemaRegistryPhase   = "MIGRATING"
	OddSchemaRegistryPackage = "ULTIMATE"
)

// estrange implements object.
func (r *SchemaRegistry) estrange(i int) {
	switch i % 3 {
	case 1:
		r.Status.Phase = OddSchemaRegistryPhase
	case 2:
		r.Spec.Package, r.Spec.Cloud = OddSchemaRegistryPackage, OddClusterCloud
	}
}

// schemaRegistry makes the one Schema Registry cluster of the environment, where its first network
// is.
func (g *generator) schemaRegistry(i int) object {
	if i == 1 {
		return nil
	}
	at := g.networks[0].site
	r := SchemaRegistry{ID: g.id("lsrc-", 6), Metadata: g.metadata(), Status: SchemaRegistryStatus{Phase: PhaseProvisioned}}
	r.Spec.Environment.ID = g.environment
	r.Spec.DisplayName, r.Spec.Package = "Stream Governance Package", "ESSENTIALS"
	r.Spec.Cloud, r.Spec.Region = at.cloud, at.region
	r.Spec.HTTPEndpoint = fmt.Sprintf("https://%s.%s", g.id("psrc-", 5), suffix(at))
	r.Spec.CatalogHTTPEndpoint = r.Spec.HTTPEndpoint
	private := func(at site) string {
		return fmt.Sprintf("https://%s.%s.%s.private.confluent.cloud", r.ID, at.region, strings.ToLower(at.cloud))
	}
	r.Spec.PrivateHTTPEndpoint = private(at)
	r.Spec.PrivateNetworkingConfig = &PrivateNetworking{RegionalEndpoints: map[string]string{}}
	for _, near := range sites[at.cloud][:3] {
		r.Spec.PrivateNetworkingConfig.RegionalEndpoints[near.region] = private(near)
	}
	r.Spec.PrivateNetworkingConfig.RegionalEndpoints[at.region] = private(at)
	return &r
}
