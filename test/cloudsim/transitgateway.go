package cloudsim

import (
	"fmt"
	"net/url"
)

// TransitGatewayAttachment is an attachment of a network to a transit gateway, in the shape it has on
// the wire.
type TransitGatewayAttachment struct {
	APIVersion string                         `json:"api_version,omitempty"`
	Kind       string                         `json:"kind,omitempty"`
	ID         string                         `json:"id"`
	Metadata   Metadata                       `json:"metadata"`
	Spec       TransitGatewayAttachmentSpec   `json:"spec"`
	Status     TransitGatewayAttachmentStatus `json:"status"`
}

// TransitGatewayAttachmentSpec is an attachment's spec.
type TransitGatewayAttachmentSpec struct {
	DisplayName string                        `json:"display_name,omitempty"`
	Cloud       TransitGatewayAttachmentCloud `json:"cloud"`
	Environment Reference                     `json:"environment"`
	Network     Reference                     `json:"network"`
}

// TransitGatewayAttachmentCloud is the cloud's part. Routes that are empty but not nil are sent as an
// empty list.
type TransitGatewayAttachmentCloud struct {
	Kind             string   `json:"kind"`
	RAMShareARN      string   `json:"ram_share_arn,omitempty"`
	TransitGatewayID string   `json:"transit_gateway_id,omitempty"`
	Routes           []string `json:"routes,omitzero"`
}

// TransitGatewayAttachmentStatus is an attachment's status.
type TransitGatewayAttachmentStatus struct {
	Phase        string                               `json:"phase"`
	ErrorCode    string                               `json:"error_code,omitempty"`
	ErrorMessage string                               `json:"error_message,omitempty"`
	Cloud        *TransitGatewayAttachmentStatusCloud `json:"cloud,omitempty"`
}

// TransitGatewayAttachmentStatusCloud is what the cloud provider made.
type TransitGatewayAttachmentStatusCloud struct {
	Kind                       string `json:"kind"`
	TransitGatewayAttachmentID string `json:"transit_gateway_attachment_id,omitempty"`
}

// PhaseError is a phase that transit gateway attachments alone have.
const PhaseError = "ERROR"

// OpListTransitGatewayAttachments is the operation that lists them.
const OpListTransitGatewayAttachments Op = "listNetworkingV1TransitGatewayAttachments"

// Kinds of an attachment's two cloud parts.
const (
	awsAttachment       = "AwsTransitGatewayAttachment"
	awsAttachmentStatus = "AwsTransitGatewayAttachmentStatus"
)

var transitGatewayKind = of(func(doc *Inventory) *[]TransitGatewayAttachment { return &doc.TransitGatewayAttachments }, kind{
	op:           OpListTransitGatewayAttachments,
	path:         "/networking/v1/transit-gateway-attachments",
	apiVersion:   "networking/v1",
	name:         "TransitGatewayAttachment",
	noun:         "transit-gateway-attachment",
	plural:       "transitGatewayAttachments",
	maxPageSize:  1000,
	cloudKeyOnly: true,
	filters:      []string{"spec.display_name", "status.phase", "spec.network"},
	phases: []string{PhaseProvisioning, PhaseReady, PhasePendingAccept, PhaseFailed, PhaseDeprovisioning,
		PhaseDisconnected, PhaseError},
	optional: []string{"metadata.deleted_at", "spec.display_name", "status.error_code", "status.error_message", "status.cloud"},
	seed: func(g *generator, i int) object {
		networks := g.networksThat(func(n int) bool { return g.networks[n].site.cloud == "AWS" && !forLink(n) })
		if i == attachmentsPerNetwork*len(networks) {
			return nil
		}
		return g.fork("transit-gateway-attachments").attachment(i, networks[i/attachmentsPerNetwork])
	},
	undocumented: func(spec tree) { spec["appliance_mode"] = "DISABLED" },
})

// PutTransitGatewayAttachment adds a, or replaces the attachment of the same ID, as PutCluster does.
func (s *Sim) PutTransitGatewayAttachment(a TransitGatewayAttachment) {
	put(s, s.of(transitGatewayKind), &a)
}

// TransitGatewayAttachment returns a copy of the attachment of that ID, and whether there is one.
func (s *Sim) TransitGatewayAttachment(id string) (TransitGatewayAttachment, bool) {
	return get[TransitGatewayAttachment](s, s.of(transitGatewayKind), id)
}

// TransitGatewayAttachments returns copies of an environment's attachments in order of creation, or of
// all attachments for "".
func (s *Sim) TransitGatewayAttachments(environment string) []TransitGatewayAttachment {
	return list[TransitGatewayAttachment](s, s.of(transitGatewayKind), environment)
}

// UpdateTransitGatewayAttachment lets change edit the attachment of that ID, as UpdateCluster does.
func (s *Sim) UpdateTransitGatewayAttachment(id string, change func(*TransitGatewayAttachment)) error {
	return update(s, s.of(transitGatewayKind), id, func(o object) { change(o.(*TransitGatewayAttachment)) })
}

// RemoveTransitGatewayAttachment takes the attachment out of the inventory. The error wraps
// ErrNotFound.
func (s *Sim) RemoveTransitGatewayAttachment(id string) error {
	return remove(s, s.of(transitGatewayKind), id)
}

func (a *TransitGatewayAttachment) key() (string, string) { return a.ID, a.Spec.Environment.ID }
func (a *TransitGatewayAttachment) meta() *Metadata       { return &a.Metadata }
func (a *TransitGatewayAttachment) setID(id string)       { a.ID = id }

// setPhase also takes the error away when the attachment becomes READY, as a peering's does.
func (a *TransitGatewayAttachment) setPhase(phase string) {
	a.Status.Phase = phase
	if phase == PhaseReady {
		a.Status.ErrorCode, a.Status.ErrorMessage = "", ""
	}
}

func (a *TransitGatewayAttachment) facets() [][]string {
	return [][]string{{a.Spec.DisplayName}, {a.Status.Phase}, {a.Spec.Network.ID}}
}

func (a *TransitGatewayAttachment) complete() {
	environment := a.Spec.Environment.ID
	fill(&a.APIVersion, transitGatewayKind.apiVersion)
	fill(&a.Kind, transitGatewayKind.name)
	fill(&a.Metadata.Self, apiURL+transitGatewayKind.path+"/"+url.PathEscape(a.ID))
	fill(&a.Metadata.ResourceName, environmentName(environment)+"/network="+a.Spec.Network.ID+"/transit-gateway-attachment="+a.ID)
	completeEnvironment(&a.Spec.Environment)
	completeNetwork(&a.Spec.Network, environment)
	fill(&a.Spec.Network.APIVersion, "networking/v1")
	fill(&a.Spec.Network.Kind, "Network")
}

func (a *TransitGatewayAttachment) check() error {
	var k checks
	k.word("api_version", a.APIVersion, transitGatewayKind.apiVersion)
	k.word("kind", a.Kind, transitGatewayKind.name)
	k.id("id", a.ID)
	k.id("spec.environment.id", a.Spec.Environment.ID)
	k.id("spec.network.id", a.Spec.Network.ID)
	c := a.Spec.Cloud
	k.oneOf("spec.cloud.kind", c.Kind, awsAttachment)
	k.given("spec.cloud.ram_share_arn", c.RAMShareARN)
	k.given("spec.cloud.transit_gateway_id", c.TransitGatewayID)
	if c.Routes == nil {
		k.fail("spec.cloud.routes", "is required, as a list, which may be empty")
	}
	for i, r := range c.Routes {
		if !route.MatchString(r) {
			k.fail(fmt.Sprintf("spec.cloud.routes[%d]", i), "is %q: use an IPv4 range such as 10.0.0.0/8", r)
		}
	}
	k.oneOf("status.phase", a.Status.Phase, transitGatewayKind.phases...)
	if made := a.Status.Cloud; made != nil {
		k.oneOf("status.cloud.kind", made.Kind, awsAttachmentStatus)
	}
	return k.outcome()
}

// The words of tomorrow that Estrange gives out.
const (
	OddTransitGatewayPhase = "RESHARING"
	OddTransitGatewayCloud = "OciGatewayAttachment"
)

// estrange implements object.
func (a *TransitGatewayAttachment) estrange(i int) {
	switch i % 4 {
	case 1:
		a.Status = TransitGatewayAttachmentStatus{Phase: OddTransitGatewayPhase}
	case 3:
		a.Spec.Cloud, a.Status.Cloud = TransitGatewayAttachmentCloud{Kind: OddTransitGatewayCloud}, nil
	}
}

// attachmentsPerNetwork is how many attachments a seed makes for each network on AWS that is not for
// PrivateLink.
const attachmentsPerNetwork = 3

// attachmentPhases are the phases of a seed's attachments, in turn.
var attachmentPhases = []string{PhaseReady, PhasePendingAccept, PhaseFailed, PhaseReady, PhaseProvisioning, PhaseDisconnected,
	PhaseReady, PhaseDeprovisioning, PhaseError}

func (g *generator) attachment(i int, at network) object {
	a := &TransitGatewayAttachment{ID: g.id("tgwa-", 6), Metadata: g.metadata()}
	a.Spec.Environment.ID, a.Spec.Network.ID = g.environment, at.id
	a.Spec.DisplayName = fmt.Sprintf("%s-tgw-%s", pick(g, stages), at.site.region)
	a.Spec.Cloud = TransitGatewayAttachmentCloud{Kind: awsAttachment, TransitGatewayID: "tgw-0" + g.text("0123456789abcdef", 16),
		RAMShareARN: fmt.Sprintf("arn:aws:ram:%s:%s:resource-share/%s", at.site.region, g.digits(12), g.uuid()),
		Routes:      []string{"100.64.0.0/10", fmt.Sprintf("10.%d.0.0/16", g.rand.IntN(256))}}
	a.Status.Phase = attachmentPhases[i%len(attachmentPhases)]
	made := "tgw-attach-0" + g.text("0123456789abcdef", 16)
	switch a.Status.Phase {
	case PhaseFailed:
		a.Status.ErrorCode = "TGW_RESOURCE_SHARE_NOT_FOUND"
		a.Status.ErrorMessage = "The resource share was not found. Share " + a.Spec.Cloud.TransitGatewayID + " with Confluent's account."
	case PhaseError:
		a.Status.ErrorCode = "TGW_ROUTE_NOT_ACCEPTED"
		a.Status.ErrorMessage = "A route overlaps the address range of " + at.id + "."
	case PhaseProvisioning:
	default:
		a.Status.Cloud = &TransitGatewayAttachmentStatusCloud{Kind: awsAttachmentStatus, TransitGatewayAttachmentID: made}
	}
	return a
}
