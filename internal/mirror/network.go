// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
	"github.com/ccloud-dev/inventory-operator/internal/cloudapi/wire"
)

// Network is the Kind of networks. The cloud API networking/v1 defines their phases.
var Network = observationKind(Kind{
	Name:        "Network",
	Condition:   v1alpha1.ConditionNetworksSynced,
	ReadyPhase:  "READY",
	OtherPhases: []string{"PROVISIONING", "FAILED", "DEPROVISIONING"},
	content: observationContent(
		func(o *v1alpha1.NetworkObservation) *v1alpha1.NetworkObservationStatus { return &o.Status },
		func(s *v1alpha1.NetworkObservationStatus) observationParts {
			return observationParts{&s.Conditions, &s.Observed, errorText(s.ErrorCode, s.ErrorMessage)}
		}),
	InfoMetric: "network_info",
	InfoLabels: []string{"network_id", "display_name", "phase", "cloud", "region", "cidr"},
	Info: func(o v1alpha1.Observation) []string {
		status := &o.(*v1alpha1.NetworkObservation).Status
		return []string{o.CloudID(), status.DisplayName, status.Phase, status.Cloud, status.Region, status.CIDR}
	},
	attachFacts: attachNetwork,
	joinFacts:   joinNetwork,
	withJoinedFacts: func(o, factSource Object) Object {
		joined, other := *o.(*v1alpha1.NetworkObservation), factSource.(*v1alpha1.NetworkObservation)
		joined.Status.KafkaClusters, joined.Status.KafkaClusterCount = other.Status.KafkaClusters, other.Status.KafkaClusterCount
		joined.Status.NetworkConnections = other.Status.NetworkConnections
		return &joined
	},
},
	func(s *v1alpha1.MirrorSettings) (selection any, policy v1alpha1.MirrorPolicy) {
		return &s.Networks, cmp.Or(s.Networks.Policy, v1alpha1.MirrorPolicyIgnore)
	},
	func(s *v1alpha1.InventorySourceStatus) **v1alpha1.InventorySummary { return &s.Networks })

// networkFacts has the facts about a network that other observations show, for example the
// observations of its peerings.
type networkFacts struct{ phase, cidr, dnsDomain, observed string }

// factsIn returns the facts that a reference to a network contains.
func factsIn(r *v1alpha1.NetworkReference) networkFacts {
	return networkFacts{r.Phase, r.CIDR, r.DNSDomain, r.Observed}
}

// factsOfNetworks has the facts about each network. The key is the network's ID.
var factsOfNetworks = &topic[networkFacts]{}

func attachNetwork(t topics, o Object, observed string) {
	network := o.(*v1alpha1.NetworkObservation)
	status := &network.Status
	factsOfNetworks.addFacts(t, network.CloudID(), networkFacts{status.Phase, status.CIDR, status.DNSDomain, observed})
}

func joinNetwork(t topics, o Object) Object {
	network := o.(*v1alpha1.NetworkObservation)
	clusters, clusterCount := clustersOfNetworks.boundedFacts(t, network.CloudID())
	connections := connectionsOf(t, network.CloudID())
	status := &network.Status
	if status.KafkaClusterCount == clusterCount && slices.Equal(status.KafkaClusters, clusters) &&
		sameConnections(&status.NetworkConnections, &connections) {
		return o
	}
	joined := *network
	joined.Status.KafkaClusters, joined.Status.KafkaClusterCount = clusters, clusterCount
	joined.Status.NetworkConnections = connections
	return &joined
}

// joinReference returns a copy of the reference r with the facts about the network, for example the
// phase. If the network has no observation, the copy has no facts. If nothing changes,
// joinReference returns r itself.
func joinReference(t topics, r *v1alpha1.NetworkReference) *v1alpha1.NetworkReference {
	return withFacts(r, factsOfNetworks.firstFact(t, networkID(r)))
}

func networkID(n *v1alpha1.NetworkReference) string {
	if n == nil {
		return ""
	}
	return n.ID
}

// withFactsOf returns a copy of the reference r with the facts from the reference factSource. If
// factSource is nil, or if r already has these facts, withFactsOf returns r itself.
func withFactsOf(r, factSource *v1alpha1.NetworkReference) *v1alpha1.NetworkReference {
	if factSource == nil {
		return r
	}
	return withFacts(r, factsIn(factSource))
}

// withFacts returns a copy of the reference r with the given facts. If r already has these facts,
// withFacts returns r itself.
func withFacts(r *v1alpha1.NetworkReference, facts networkFacts) *v1alpha1.NetworkReference {
	if r == nil || factsIn(r) == facts {
		return r
	}
	next := *r
	next.Phase, next.CIDR, next.DNSDomain, next.Observed = facts.phase, facts.cidr, facts.dnsDomain, facts.observed
	return &next
}

// ProjectNetwork converts a network from the cloud into an observation. It sets no conditions, and
// no facts about other cloud objects.
func ProjectNetwork(n *wire.Network) v1alpha1.Observation {
	o := &v1alpha1.NetworkObservation{}
	o.Spec.NetworkID = n.ID
	o.Status = v1alpha1.NetworkObservationStatus{
		Phase:                    n.Status.Phase,
		DisplayName:              n.Spec.DisplayName,
		Cloud:                    n.Spec.Cloud,
		Region:                   n.Spec.Region,
		ConnectionTypes:          n.Spec.ConnectionTypes,
		ActiveConnectionTypes:    n.Status.ActiveConnectionTypes,
		SupportedConnectionTypes: n.Status.SupportedConnectionTypes,
		CIDR:                     n.Spec.CIDR,
		ReservedCIDR:             n.Spec.ReservedCIDR,
		Zones:                    networkZones(n.Spec.Zones, n.Spec.ZonesInfo),
		DNSResolution:            n.Spec.DNSConfig.Resolution,
		DNSDomain:                n.Status.DNSDomain,
		EndpointSuffix:           n.Status.EndpointSuffix,
		ZonalSubdomains:          n.Status.ZonalSubdomains,
		IdleSince:                parseDate(n.Status.IdleSince),
		ErrorCode:                n.Status.ErrorCode,
		ErrorMessage:             n.Status.ErrorMessage,
		CloudMetadata:            cloudMetadata(n.Metadata),
	}
	if g := n.Spec.Gateway; g.ID != "" {
		o.Status.Gateway = &v1alpha1.GatewayReference{ID: g.ID, Environment: g.Environment, ResourceName: g.ResourceName, Related: g.Related}
	}
	setNetworkCloud(&o.Status, &n.Status.Cloud)
	o.Labels = kindLabels(
		v1alpha1.LabelNetwork, n.ID,
		v1alpha1.LabelCloud, n.Spec.Cloud,
		v1alpha1.LabelRegion, n.Spec.Region,
	)
	return o
}

// networkZones merges zoneIDs and zoneDetails into one list of zones, sorted by zone ID. zoneIDs
// has only IDs. zoneDetails has the IDs and CIDRs of some zones.
func networkZones(zoneIDs []string, zoneDetails []wire.NetworkZone) []v1alpha1.NetworkZone {
	cidrs := map[string]string{}
	for _, id := range zoneIDs {
		cidrs[id] = ""
	}
	for _, z := range zoneDetails {
		cidrs[z.ZoneID] = z.CIDR
	}
	var zones []v1alpha1.NetworkZone
	for _, id := range slices.Sorted(maps.Keys(cidrs)) {
		zones = append(zones, v1alpha1.NetworkZone{ZoneID: id, CIDR: cidrs[id]})
	}
	return zones
}

// setNetworkCloud sets status.AWS, status.GCP or status.Azure. c.Kind names the cloud provider. If
// c.Kind is not known, setNetworkCloud guesses the provider from the other fields of c: for
// example, only an AWS network has the field VPC. If fields of several providers have a value, it
// does not guess, and sets nothing.
func setNetworkCloud(status *v1alpha1.NetworkObservationStatus, c *wire.NetworkCloud) {
	aws := c.VPC != "" || c.Account != "" || c.PrivateLinkEndpointService != ""
	gcp := c.Project != "" || c.VPCNetwork != "" || len(c.PrivateServiceConnectServiceAttachments) > 0
	azure := c.VNet != "" || c.Subscription != "" || len(c.PrivateLinkServiceAliases)+len(c.PrivateLinkServiceResourceIDs) > 0
	switch strings.TrimPrefix(c.Kind, networkingKindPrefix) {
	case "AwsNetwork":
		aws, gcp, azure = true, false, false
	case "GcpNetwork":
		aws, gcp, azure = false, true, false
	case "AzureNetwork":
		aws, gcp, azure = false, false, true
	}
	switch {
	case aws && !gcp && !azure:
		status.AWS = &v1alpha1.AWSNetwork{VPC: c.VPC, Account: c.Account, PrivateLinkEndpointService: c.PrivateLinkEndpointService}
	case gcp && !aws && !azure:
		status.GCP = &v1alpha1.GCPNetwork{Project: c.Project, VPCNetwork: c.VPCNetwork,
			PrivateServiceConnectServiceAttachments: c.PrivateServiceConnectServiceAttachments}
	case azure && !aws && !gcp:
		status.Azure = &v1alpha1.AzureNetwork{VNet: c.VNet, Subscription: c.Subscription,
			PrivateLinkServiceAliases: c.PrivateLinkServiceAliases, PrivateLinkServiceResourceIDs: c.PrivateLinkServiceResourceIDs}
	}
}
