package cloudsim

import (
	"fmt"
	"strings"
)

func (g *generator) peering(i int) object {
	if i == g.Peerings {
		return nil
	}
	net := g.networks[i%len(g.networks)]
	p := Peering{ID: g.id("p-", 6), Metadata: g.metadata()}
	if g.wire && i%2 == 0 {
		p.ID = "peer-" + strings.TrimPrefix(p.ID, "p-")
	}
	p.Spec.Environment.ID = g.environment
	p.Spec.Network.ID = net.id
	p.Spec.DisplayName = fmt.Sprintf("%s-peering-%s", pick(g, stages), net.site.region)
	p.Spec.Cloud = g.peeringCloud(net.site)
	p.Status.Phase = g.peeringPhase(i)
	switch p.Status.Phase {
	case PhaseFailed:
		p.Status.ErrorCode = "INVALID_PEERING_PARAMETERS"
		p.Status.ErrorMessage = "The customer network was not found, or its address range overlaps that of " + net.id + "."
	case PhaseDisconnected:
		p.Status.ErrorCode = "PEERING_DELETED_BY_CUSTOMER"
		p.Status.ErrorMessage = "The peering connection was deleted on the customer's side."
	}
	return &p
}

func (g *generator) peeringPhase(i int) string {
	if i < len(firstPeeringPhases) {
		return firstPeeringPhases[i]
	}
	if g.rand.IntN(100) < 90 {
		return PhaseReady
	}
	return pick(g, firstPeeringPhases)
}

func (g *generator) peeringCloud(at site) PeeringCloud {
	team, stage := pick(g, teams), pick(g, stages)
	switch at.cloud {
	case "AWS":
		c := PeeringCloud{Kind: "AwsPeering", Account: g.digits(12), VPC: "vpc-0" + g.text("0123456789abcdef", 16),
			CustomerRegion: at.region, Routes: []string{}}
		for range 1 + g.rand.IntN(3) {
			c.Routes = append(c.Routes, fmt.Sprintf("10.%d.%d.0/21", g.rand.IntN(256), 8*g.rand.IntN(32)))
		}
		return c
	case "GCP":
		imports := g.rand.IntN(2) == 0
		return PeeringCloud{Kind: "GcpPeering", Project: fmt.Sprintf("acme-%s-%s", team, stage),
			VPCNetwork: team + "-vpc", ImportCustomRoutes: &imports}
	default:
		return PeeringCloud{Kind: "AzurePeering", Tenant: g.uuid(), CustomerRegion: at.region,
			VNet: fmt.Sprintf("/subscriptions/%s/resourceGroups/%s-%s/providers/Microsoft.Network/virtualNetworks/%s-vnet",
				g.uuid(), team, stage, team)}
	}
}
