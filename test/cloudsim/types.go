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

// Metadata is an object's metadata. What is empty the simulator fills in when the
// object is put, deleted_at aside.
type Metadata struct {
	Self         string    `json:"self,omitempty"`
	ResourceName string    `json:"resource_name,omitempty"`
	CreatedAt    time.Time `json:"created_at,omitzero"`
	UpdatedAt    time.Time `json:"updated_at,omitzero"`
	DeletedAt    time.Time `json:"deleted_at,omitzero"`
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

// object is what the store needs of an object of any kind.
type object interface {
	key() (id, environment string)
	meta() *Metadata
	// setID, setPhase change the object in place.
	setID(id string)
	setPhase(phase string)
	// facets returns, for each of the kind's filters in their order, the values that the
	// filter finds the object by.
	facets() [][]string
	// estrange gives the object, the i-th of its environment, words that the contract does
	// not have, or leaves it as it is.
	estrange(i int)
	// complete fills in what the cloud itself would: versions, links, names. It
	// writes to nothing the caller still holds.
	complete()
	// check returns a *FieldError for the first breach of the contract.
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
