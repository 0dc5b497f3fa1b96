package cloudsim

import (
	"fmt"
	"net/url"
	"regexp"
)

// Peering is a network peering as it is sent.
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

// PeeringCloud has the fields of all three clouds together. Kind says which cloud it is. If Routes
// is empty but not nil, an empty list is sent.
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

var peeringKind = of(func(doc *Inventory) *[]Peering { return &doc.Peerings }, kind{
	op:           OpListPeerings,
	path:         "/networking/v1/peerings",
	apiVersion:   "networking/v1",
	name:         "Peering",
	noun:         "peering",
	plural:       "peerings",
	maxPageSize:  1000,
	cloudKeyOnly: true,
	filters:      []string{"spec.display_name", "status.phase", "spec.network"},
	phases: []string{PhaseProvisioning, PhasePendingAccept, PhaseReady, PhaseFailed,
		PhaseDeprovisioning, PhaseDisconnected},
	optional: []string{"metadata.deleted_at", "spec.display_name", "spec.cloud.account", "spec.cloud.vpc", "spec.cloud.routes",
		"spec.cloud.customer_region", "spec.cloud.project", "spec.cloud.vpc_network", "spec.cloud.import_custom_routes",
		"spec.cloud.tenant", "spec.cloud.vnet", "status.error_code", "status.error_message"},
	undocumented: func(spec tree) { spec["dns_forwarding"] = []any{} },
	seed:         (*generator).peering,
})

// PutPeering adds p, or replaces the peering with the same ID, as PutCluster does.
func (s *Sim) PutPeering(p Peering) { put(s, s.of(peeringKind), &p) }

// Peering returns a copy of the peering with this ID, and whether there is one.
func (s *Sim) Peering(id string) (Peering, bool) { return get[Peering](s, s.of(peeringKind), id) }

// Peerings returns copies of the peerings of an environment, in order of creation. "" means all
// environments.
func (s *Sim) Peerings(environment string) []Peering {
	return list[Peering](s, s.of(peeringKind), environment)
}

// UpdatePeering calls change with the peering of this ID and stores the result, as UpdateCluster
// does.
func (s *Sim) UpdatePeering(id string, change func(*Peering)) error {
	return update(s, s.of(peeringKind), id, func(o object) { change(o.(*Peering)) })
}

// SetPeeringPhase sets status.phase. Any word is allowed. READY also removes error_code and
// error_message. The error wraps ErrNotFound.
func (s *Sim) SetPeeringPhase(id, phase string) error {
	return s.UpdatePeering(id, func(p *Peering) { p.setPhase(phase) })
}

// RemovePeering removes the peering from the inventory. The error wraps ErrNotFound.
func (s *Sim) RemovePeering(id string) error { return remove(s, s.of(peeringKind), id) }

func (p *Peering) key() (string, string) { return p.ID, p.Spec.Environment.ID }
func (p *Peering) meta() *Metadata       { return &p.Metadata }
func (p *Peering) setID(id string)       { p.ID = id }

// setPhase sets the phase. If it is READY, setPhase also removes the error, because the cloud never
// shows a READY peering with an error.
func (p *Peering) setPhase(phase string) {
	p.Status.Phase = phase
	if phase == PhaseReady {
		p.Status.ErrorCode, p.Status.ErrorMessage = "", ""
	}
}

func (p *Peering) facets() [][]string {
	return [][]string{{p.Spec.DisplayName}, {p.Status.Phase}, {p.Spec.Network.ID}}
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

func (p *Peering) check() error {
	var k checks
	k.word("api_version", p.APIVersion, peeringKind.apiVersion)
	k.word("kind", p.Kind, peeringKind.name)
	k.id("id", p.ID)
	k.id("spec.environment.id", p.Spec.Environment.ID)
	k.id("spec.network.id", p.Spec.Network.ID)
	p.Spec.Cloud.check(&k)
	k.oneOf("status.phase", p.Status.Phase, peeringKind.phases...)
	return k.outcome()
}

var (
	awsAccount = regexp.MustCompile(`^\d{12}$`)
	route      = regexp.MustCompile(`^\d+\.\d+\.\d+\.\d+/\d+$`)
)

func (c PeeringCloud) check(k *checks) {
	k.oneOf("spec.cloud.kind", c.Kind, "AwsPeering", "GcpPeering", "AzurePeering")
	switch c.Kind {
	case "AwsPeering":
		if !awsAccount.MatchString(c.Account) {
			k.fail("spec.cloud.account", "is %q: use the 12 digits of an AWS account", c.Account)
		}
		k.given("spec.cloud.vpc", c.VPC)
		if c.Routes == nil {
			k.fail("spec.cloud.routes", "is required for AwsPeering, as a list, which may be empty")
		}
		for i, r := range c.Routes {
			if !route.MatchString(r) {
				k.fail(fmt.Sprintf("spec.cloud.routes[%d]", i), "is %q: use an IPv4 range such as 10.108.16.0/21", r)
			}
		}
		k.given("spec.cloud.customer_region", c.CustomerRegion)
	case "GcpPeering":
		k.given("spec.cloud.project", c.Project)
		k.given("spec.cloud.vpc_network", c.VPCNetwork)
	case "AzurePeering":
		k.given("spec.cloud.tenant", c.Tenant)
		k.given("spec.cloud.vnet", c.VNet)
		k.given("spec.cloud.customer_region", c.CustomerRegion)
	}
}

func (p *Peering) estrange(i int) {
	switch i % 4 {
	case 1:
		p.Status = PeeringStatus{Phase: OddPeeringPhase}
	case 3:
		p.Spec.Cloud = PeeringCloud{Kind: OddPeeringCloud}
	}
}
