package cloudsim

import (
	"net/url"
	"time"
)

// These are the names of the simulated cloud in links and resource names.
const (
	apiURL       = "https://api.confluent.cloud"
	organization = "crn://confluent.cloud/organization=9bb441c4-edef-46ac-8a41-c49e44a3fd9a"
)

// Metadata is an object's metadata. When an object is stored, the simulator fills in empty fields,
// but not deleted_at.
type Metadata struct {
	Self         string    `json:"self,omitempty"`
	ResourceName string    `json:"resource_name,omitempty"`
	CreatedAt    time.Time `json:"created_at,omitzero"`
	UpdatedAt    time.Time `json:"updated_at,omitzero"`
	DeletedAt    time.Time `json:"deleted_at,omitzero"`
}

// Reference names another object. The simulator fills in every field except ID.
type Reference struct {
	ID           string `json:"id"`
	Environment  string `json:"environment,omitempty"`
	Related      string `json:"related,omitempty"`
	ResourceName string `json:"resource_name,omitempty"`
	APIVersion   string `json:"api_version,omitempty"` // peerings only
	Kind         string `json:"kind,omitempty"`        // peerings only
}

// object has what the store needs from an object of any kind.
type object interface {
	key() (id, environment string)
	meta() *Metadata
	// setID and setPhase change the object itself.
	setID(id string)
	setPhase(phase string)
	// facets returns the object's values for each filter of the kind, in the order of the filters.
	facets() [][]string
	// estrange may give the object words that are not in the contract. i is the object's number in
	// its environment and decides which words.
	estrange(i int)
	// complete fills in what the cloud itself sets: versions, links and names. It must not change
	// memory that the caller still uses.
	complete()
	// check returns a *FieldError for the first violation of the contract.
	check() error
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
