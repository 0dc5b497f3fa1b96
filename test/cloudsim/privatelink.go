package cloudsim

import (
	"fmt"
	"net/url"
)

// PrivateLinkAccess is an access to a network by private link, in the shape it has on the wire.
type PrivateLinkAccess struct {
	APIVersion string                  `json:"api_version,omitempty"`
	Kind       string                  `json:"kind,omitempty"`
	ID         string                  `json:"id"`
	Metadata   Metadata                `json:"metadata"`
	Spec       PrivateLinkAccessSpec   `json:"spec"`
	Status     PrivateLinkAccessStatus `json:"status"`
}

// PrivateLinkAccessSpec is an access's spec.
type PrivateLinkAccessSpec struct {
	DisplayName string                 `json:"display_name,omitempty"`
	Cloud       PrivateLinkAccessCloud `json:"cloud"`
	Environment Reference              `json:"environment"`
	Network     Reference              `json:"network"`
}

// PrivateLinkAccessCloud holds the fields of all three clouds; Kind says which one it is.
type PrivateLinkAccessCloud struct {
	Kind         string `json:"kind"`
	Account      string `json:"account,omitempty"`
	Subscription string `json:"subscription,omitempty"`
	Project      string `json:"project,omitempty"`
}

// PrivateLinkAccessStatus is an access's status.
type PrivateLinkAccessStatus struct {
	Phase        string `json:"phase"`
	ErrorCode    string `json:"error_code,omitempty"`
	ErrorMessage string `json:"error_message,omitempty"`
}

// OpListPrivateLinkAccesses is the operation that lists them.
const OpListPrivateLinkAccesses Op = "listNetworkingV1PrivateLinkAccesses"

// Kinds of an access's cloud.
const (
	awsAccess   = "AwsPrivateLinkAccess"
	azureAccess = "AzurePrivateLinkAccess"
	gcpAccess   = "GcpPrivateServiceConnectAccess"
)

var privateLinkKind = of(func(doc *Inventory) *[]PrivateLinkAccess { return &doc.PrivateLinkAccesses }, kind{
	op:           OpListPrivateLinkAccesses,
	path:         "/networking/v1/private-link-accesses",
	apiVersion:   "networking/v1",
	name:         "PrivateLinkAccess",
	noun:         "private-link-access",
	plural:       "privateLinkAccesses",
	maxPageSize:  1000,
	cloudKeyOnly: true,
	filters:      []string{"spec.display_name", "status.phase", "spec.network"},
	phases:       []string{PhaseProvisioning, PhaseReady, PhaseFailed, PhaseDeprovisioning},
	optional: []string{"metadata.deleted_at", "spec.display_name", "spec.cloud.account", "spec.cloud.subscription", "spec.cloud.project",
		"status.error_code", "status.error_message"},
	seed: func(g *generator, i int) object {
		networks := g.networksThat(g.linked)
		if i == accessesPerNetwork*len(networks) {
			return nil
		}
		return g.fork("private-link-accesses").access(i, networks[i/accessesPerNetwork])
	},
	undocumented: func(spec tree) { spec["endpoint_policy"] = "ANY" },
})

// PutPrivateLinkAccess adds a, or replaces the access of the same ID, as PutCluster does.
func (s *Sim) PutPrivateLinkAccess(a PrivateLinkAccess) {
	put(s, s.of(privateLinkKind), &a)
}

// PrivateLinkAccess returns a copy of the access of that ID, and whether there is one.
func (s *Sim) PrivateLinkAccess(id string) (PrivateLinkAccess, bool) {
	return get[PrivateLinkAccess](s, s.of(privateLinkKind), id)
}

// PrivateLinkAccesses returns copies of an environment's accesses in order of creation, or of
// all accesses for "".
func (s *Sim) PrivateLinkAccesses(environment string) []PrivateLinkAccess {
	return list[PrivateLinkAccess](s, s.of(privateLinkKind), environment)
}

// UpdatePrivateLinkAccess lets change edit the access of that ID, as UpdateCluster does.
func (s *Sim) UpdatePrivateLinkAccess(id string, change func(*PrivateLinkAccess)) error {
	return update(s, s.of(privateLinkKind), id, func(o object) { change(o.(*PrivateLinkAccess)) })
}

// RemovePrivateLinkAccess takes the access out of the inventory. The error wraps
// ErrNotFound.
func (s *Sim) RemovePrivateLinkAccess(id string) error {
	return remove(s, s.of(privateLinkKind), id)
}

func (a *PrivateLinkAccess) key() (string, string) { return a.ID, a.Spec.Environment.ID }
func (a *PrivateLinkAccess) meta() *Metadata       { return &a.Metadata }
func (a *PrivateLinkAccess) setID(id string)       { a.ID = id }

// setPhase also takes the error away when the access becomes READY, as a peering's does.
func (a *PrivateLinkAccess) setPhase(phase string) {
	a.Status.Phase = phase
	if phase == PhaseReady {
		a.Status.ErrorCode, a.Status.ErrorMessage = "", ""
	}
}

func (a *PrivateLinkAccess) facets() [][]string {
	return [][]string{{a.Spec.DisplayName}, {a.Status.Phase}, {a.Spec.Network.ID}}
}

func (a *PrivateLinkAccess) complete() {
	environment := a.Spec.Environment.ID
	fill(&a.APIVersion, privateLinkKind.apiVersion)
	fill(&a.Kind, privateLinkKind.name)
	fill(&a.Metadata.Self, apiURL+privateLinkKind.path+"/"+url.PathEscape(a.ID))
	fill(&a.Metadata.ResourceName, environmentName(environment)+"/network="+a.Spec.Network.ID+"/private-link-access="+a.ID)
	completeEnvironment(&a.Spec.Environment)
	completeNetwork(&a.Spec.Network, environment)
	fill(&a.Spec.Network.APIVersion, "networking/v1")
	fill(&a.Spec.Network.Kind, "Network")
}

func (a *PrivateLinkAccess) check() error {
	var k checks
	k.word("api_version", a.APIVersion, privateLinkKind.apiVersion)
	k.word("kind", a.Kind, privateLinkKind.name)
	k.id("id", a.ID)
	k.id("spec.environment.id", a.Spec.Environment.ID)
	k.id("spec.network.id", a.Spec.Network.ID)
	c := a.Spec.Cloud
	k.oneOf("spec.cloud.kind", c.Kind, awsAccess, azureAccess, gcpAccess)
	switch c.Kind {
	case awsAccess:
		if !awsAccount.MatchString(c.Account) {
			k.fail("spec.cloud.account", "is %q: use the 12 digits of an AWS account", c.Account)
		}
	case azureAccess:
		k.given("spec.cloud.subscription", c.Subscription)
	case gcpAccess:
		k.given("spec.cloud.project", c.Project)
	}
	k.oneOf("status.phase", a.Status.Phase, privateLinkKind.phases...)
	return k.outcome()
}

// The words of tomorrow that Estrange gives out.
const (
	OddPrivateLinkPhase = "REAPPROVING"
	OddPrivateLinkCloud = "OciPrivateEndpointAccess"
)

// estrange implements object.
func (a *PrivateLinkAccess) estrange(i int) {
	switch i % 4 {
	case 1:
		a.Status = PrivateLinkAccessStatus{Phase: OddPrivateLinkPhase}
	case 3:
		a.Spec.Cloud = PrivateLinkAccessCloud{Kind: OddPrivateLinkCloud}
	}
}

// accessesPerNetwork is how many accesses a seed makes for each network that is reached by private link.
const accessesPerNetwork = 4

// accessPhases are the phases of a seed's accesses, in turn.
var accessPhases = []string{PhaseReady, PhaseFailed, PhaseProvisioning, PhaseReady, PhaseDeprovisioning}

func (g *generator) access(i int, at network) object {
	a := &PrivateLinkAccess{ID: g.id("pla-", 6), Metadata: g.metadata()}
	a.Spec.Environment.ID, a.Spec.Network.ID = g.environment, at.id
	a.Spec.DisplayName = fmt.Sprintf("%s-pl-%s", pick(g, stages), at.site.region)
	switch at.site.cloud {
	case "AWS":
		a.Spec.Cloud = PrivateLinkAccessCloud{Kind: awsAccess, Account: g.digits(12)}
	case "GCP":
		a.Spec.Cloud = PrivateLinkAccessCloud{Kind: gcpAccess, Project: fmt.Sprintf("acme-%s-%s", pick(g, teams), pick(g, stages))}
	default:
		a.Spec.Cloud = PrivateLinkAccessCloud{Kind: azureAccess, Subscription: g.uuid()}
	}
	a.Status.Phase = accessPhases[i%len(accessPhases)]
	if a.Status.Phase == PhaseFailed {
		a.Status.ErrorCode = "ACCESS_NOT_ALLOWED"
		a.Status.ErrorMessage = "The service of " + at.id + " could not be shared. Check that the account exists."
	}
	return a
}
