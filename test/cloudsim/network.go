package cloudsim

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"time"
)

// Network is a network as it is sent. Empty fields are left out if the contract allows it.
type Network struct {
	APIVersion string        `json:"api_version,omitempty"`
	Kind       string        `json:"kind,omitempty"`
	ID         string        `json:"id"`
	Metadata   Metadata      `json:"metadata"`
	Spec       NetworkSpec   `json:"spec"`
	Status     NetworkStatus `json:"status"`
}

// NetworkSpec is a network's spec.
type NetworkSpec struct {
	DisplayName     string        `json:"display_name,omitempty"`
	Cloud           string        `json:"cloud"`
	Region          string        `json:"region"`
	ConnectionTypes []string      `json:"connection_types"`
	CIDR            string        `json:"cidr,omitempty"`
	Zones           []string      `json:"zones,omitempty"`
	ZonesInfo       []NetworkZone `json:"zones_info,omitempty"`
	DNSConfig       *DNSConfig    `json:"dns_config,omitempty"`
	ReservedCIDR    string        `json:"reserved_cidr,omitempty"`
	Environment     Reference     `json:"environment"`
	Gateway         *Reference    `json:"gateway"` // null where there is none
}

// NetworkZone is the part of a network in one zone.
type NetworkZone struct {
	ZoneID string `json:"zone_id"`
	CIDR   string `json:"cidr"`
}

// DNSConfig says how the names of a network resolve.
type DNSConfig struct {
	Resolution string `json:"resolution"`
}

// NetworkStatus is a network's status.
type NetworkStatus struct {
	Phase                    string            `json:"phase"`
	SupportedConnectionTypes []string          `json:"supported_connection_types"`
	ActiveConnectionTypes    []string          `json:"active_connection_types"`
	ErrorCode                string            `json:"error_code,omitempty"`
	ErrorMessage             string            `json:"error_message,omitempty"`
	DNSDomain                string            `json:"dns_domain,omitempty"`
	EndpointSuffix           string            `json:"endpoint_suffix,omitempty"`
	ZonalSubdomains          map[string]string `json:"zonal_subdomains,omitempty"`
	IdleSince                time.Time         `json:"idle_since,omitzero"`
	Cloud                    *NetworkCloud     `json:"cloud,omitempty"`
}

// NetworkCloud has the fields of all three clouds together. Kind says which cloud it is.
type NetworkCloud struct {
	Kind                                    string            `json:"kind"`
	VPC                                     string            `json:"vpc,omitempty"`
	Account                                 string            `json:"account,omitempty"`
	PrivateLinkEndpointService              string            `json:"private_link_endpoint_service,omitempty"`
	Project                                 string            `json:"project,omitempty"`
	VPCNetwork                              string            `json:"vpc_network,omitempty"`
	PrivateServiceConnectServiceAttachments map[string]string `json:"private_service_connect_service_attachments,omitempty"`
	VNet                                    string            `json:"vnet,omitempty"`
	Subscription                            string            `json:"subscription,omitempty"`
	PrivateLinkServiceAliases               map[string]string `json:"private_link_service_aliases,omitempty"`
	PrivateLinkServiceResourceIDs           map[string]string `json:"private_link_service_resource_ids,omitempty"`
}

// These are the connection types of a network, in the spelling of networks.
const (
	connectionPeering        = "PEERING"
	connectionTransitGateway = "TRANSITGATEWAY"
	connectionLink           = "PRIVATELINK"
)

var networkKind = of(func(doc *Inventory) *[]Network { return &doc.Networks }, kind{
	op:           OpListNetworks,
	path:         "/networking/v1/networks",
	apiVersion:   "networking/v1",
	name:         "Network",
	noun:         "network",
	plural:       "networks",
	maxPageSize:  1000,
	cloudKeyOnly: true,
	filters: []string{"spec.display_name", "spec.cloud", "spec.region", "spec.connection_types", "spec.cidr",
		"status.phase"},
	phases: []string{PhaseProvisioning, PhaseReady, PhaseFailed, PhaseDeprovisioning},
	optional: []string{"metadata.deleted_at", "spec.display_name", "spec.cidr", "spec.zones", "spec.zones_info", "spec.dns_config",
		"spec.reserved_cidr", "status.error_code", "status.error_message", "status.dns_domain", "status.endpoint_suffix",
		"status.zonal_subdomains", "status.idle_since", "status.cloud"},
	undocumented: func(spec tree) { spec["ip_family"] = []any{"IPV4"} },
	seed:         (*generator).network,
})

// PutNetwork adds n, or replaces the network with the same ID, as PutCluster does.
func (s *Sim) PutNetwork(n Network) { put(s, s.of(networkKind), &n) }

// Network returns a copy of the network with this ID, and whether there is one.
func (s *Sim) Network(id string) (Network, bool) { return get[Network](s, s.of(networkKind), id) }

// Networks returns copies of the networks of an environment, in order of creation. "" means all
// environments.
func (s *Sim) Networks(environment string) []Network {
	return list[Network](s, s.of(networkKind), environment)
}

// UpdateNetwork calls change with the network of this ID and stores the result, as UpdateCluster
// does.
func (s *Sim) UpdateNetwork(id string, change func(*Network)) error {
	return update(s, s.of(networkKind), id, func(o object) { change(o.(*Network)) })
}

// RemoveNetwork removes the network from the inventory. The error wraps ErrNotFound.
func (s *Sim) RemoveNetwork(id string) error { return remove(s, s.of(networkKind), id) }

func (n *Network) key() (string, string) { return n.ID, n.Spec.Environment.ID }
func (n *Network) meta() *Metadata       { return &n.Metadata }
func (n *Network) setID(id string)       { n.ID = id }

// setPhase sets the phase. If it is READY, setPhase also removes the error, because the cloud never
// shows a READY network with an error.
func (n *Network) setPhase(phase string) {
	n.Status.Phase = phase
	if phase == PhaseReady {
		n.Status.ErrorCode, n.Status.ErrorMessage = "", ""
	}
}

func (n *Network) facets() [][]string {
	return [][]string{{n.Spec.DisplayName}, {n.Spec.Cloud}, {n.Spec.Region}, n.Spec.ConnectionTypes, {n.Spec.CIDR}, {n.Status.Phase}}
}

func (n *Network) complete() {
	environment := n.Spec.Environment.ID
	fill(&n.APIVersion, networkKind.apiVersion)
	fill(&n.Kind, networkKind.name)
	fill(&n.Metadata.Self, apiURL+networkKind.path+"/"+url.PathEscape(n.ID))
	fill(&n.Metadata.ResourceName, environmentName(environment)+"/network="+n.ID)
	completeEnvironment(&n.Spec.Environment)
	if n.Spec.Gateway != nil {
		gateway := *n.Spec.Gateway
		fill(&gateway.Environment, environment)
		fill(&gateway.Related, apiURL+"/networking/v1/gateways/"+url.PathEscape(gateway.ID))
		fill(&gateway.ResourceName, environmentName(environment)+"/gateway="+gateway.ID)
		fill(&gateway.APIVersion, "networking/v1")
		fill(&gateway.Kind, "Gateway")
		n.Spec.Gateway = &gateway
	}
	if n.Spec.ConnectionTypes == nil {
		n.Spec.ConnectionTypes = []string{} // The three are required.
	}
	for _, list := range []*[]string{&n.Status.SupportedConnectionTypes, &n.Status.ActiveConnectionTypes} {
		if *list == nil {
			*list = n.Spec.ConnectionTypes
		}
	}
}

func (n *Network) check() error {
	var k checks
	k.word("api_version", n.APIVersion, networkKind.apiVersion)
	k.word("kind", n.Kind, networkKind.name)
	k.id("id", n.ID)
	k.id("spec.environment.id", n.Spec.Environment.ID)
	k.oneOf("spec.cloud", n.Spec.Cloud, "AWS", "GCP", "AZURE")
	k.given("spec.region", n.Spec.Region)
	for field, types := range map[string][]string{"spec.connection_types": n.Spec.ConnectionTypes,
		"status.active_connection_types": n.Status.ActiveConnectionTypes, "status.supported_connection_types": n.Status.SupportedConnectionTypes} {
		for i, word := range types {
			k.oneOf(fmt.Sprintf("%s[%d]", field, i), word, connectionPeering, connectionTransitGateway, connectionLink)
		}
	}
	if n.Spec.DNSConfig != nil {
		k.oneOf("spec.dns_config.resolution", n.Spec.DNSConfig.Resolution, "CHASED_PRIVATE", "PRIVATE")
	}
	for field, value := range map[string]string{"spec.cidr": n.Spec.CIDR, "spec.reserved_cidr": n.Spec.ReservedCIDR} {
		if value != "" && !route.MatchString(value) {
			k.fail(field, "is %q: use an IPv4 range such as 10.200.0.0/16", value)
		}
	}
	if n.Spec.Gateway != nil {
		k.id("spec.gateway.id", n.Spec.Gateway.ID)
	}
	k.oneOf("status.phase", n.Status.Phase, networkKind.phases...)
	if c := n.Status.Cloud; c != nil {
		c.check(&k)
	}
	return k.outcome()
}

func (c NetworkCloud) check(k *checks) {
	k.oneOf("status.cloud.kind", c.Kind, "AwsNetwork", "GcpNetwork", "AzureNetwork")
	required := map[string][][2]string{
		"AwsNetwork":   {{"vpc", c.VPC}, {"account", c.Account}},
		"GcpNetwork":   {{"project", c.Project}, {"vpc_network", c.VPCNetwork}},
		"AzureNetwork": {{"vnet", c.VNet}, {"subscription", c.Subscription}},
	}
	for _, field := range required[c.Kind] {
		k.given("status.cloud."+field[0], field[1])
	}
}

// These are the unknown words that Estrange uses.
const (
	OddNetworkPhase      = "REZONING"
	OddNetworkConnection = "WORMHOLE"
	OddNetworkCloud      = "OciNetwork"
)

// estrange implements object.
func (n *Network) estrange(i int) {
	switch i % 5 {
	case 1:
		n.Status.Phase = OddNetworkPhase
	case 2:
		n.Spec.ConnectionTypes = []string{OddNetworkConnection}
		n.Status.ActiveConnectionTypes = []string{OddNetworkConnection}
	case 4:
		n.Spec.Cloud, n.Status.Cloud = OddClusterCloud, &NetworkCloud{Kind: OddNetworkCloud}
	}
}

// network makes a network to which clusters and peerings of the seed refer. A network for peering
// has an address range. A network for PrivateLink has none.
func (g *generator) network(i int) object {
	if i == len(g.networks) {
		return nil
	}
	at := g.networks[i]
	n := Network{ID: at.id, Metadata: g.metadata()}
	n.Spec.Environment.ID = g.environment
	n.Spec.Cloud, n.Spec.Region = at.site.cloud, at.site.region
	n.Spec.DisplayName = g.name("net-" + at.site.region)
	n.Spec.Zones = at.site.zones
	kind := connectionPeering
	if forLink(i) {
		kind = connectionLink
	}
	n.Spec.ConnectionTypes = []string{kind}
	if g.linked(i) && kind != connectionLink {
		n.Spec.ConnectionTypes = append(n.Spec.ConnectionTypes, connectionLink)
	}
	if at.site.cloud == "AWS" && kind == connectionPeering {
		n.Spec.ConnectionTypes = append(n.Spec.ConnectionTypes, connectionTransitGateway)
	}
	n.Status.SupportedConnectionTypes = slices.Clone(n.Spec.ConnectionTypes)
	if kind == connectionPeering {
		n.Spec.CIDR = fmt.Sprintf("10.%d.0.0/16", 100+i%100)
		n.Spec.ReservedCIDR = "172.20.255.0/24"
		for zone := range at.site.zones {
			n.Spec.ZonesInfo = append(n.Spec.ZonesInfo, NetworkZone{at.site.zones[zone], fmt.Sprintf("10.%d.%d.0/27", 100+i%100, zone)})
		}
	}
	if i%3 > 0 {
		n.Spec.DNSConfig = &DNSConfig{Resolution: []string{"CHASED_PRIVATE", "PRIVATE"}[i%2]}
	}
	if i%3 == 1 {
		n.Spec.Gateway = &Reference{ID: g.id("gw-", 6)}
	}
	switch {
	case i == 2:
		n.Status.Phase = PhaseProvisioning
	case i%16 == 11:
		n.Status.Phase, n.Status.ErrorCode = PhaseFailed, "insufficient_capacity"
		n.Status.ErrorMessage = "There is not enough capacity in " + at.site.region + " at the moment."
	default:
		n.Status.Phase = PhaseReady
		g.connect(&n, at)
	}
	return &n
}

// forLink reports whether clients reach the i-th network of a seed by PrivateLink.
func forLink(i int) bool { return i%4 == 3 }

// linked reports whether clients reach the i-th network of a seed by private link: one of four. In a seed
// of fewer networks, clients reach one by peering and by private link.
func (g *generator) linked(i int) bool { return forLink(i) || i == 1 && len(g.networks) < 4 }

// connect sets the names and cloud fields that clients of a READY network use.
func (g *generator) connect(n *Network, at network) {
	status := &n.Status
	status.DNSDomain = at.domain + "." + suffix(at.site)
	status.EndpointSuffix = "." + status.DNSDomain
	status.ZonalSubdomains = map[string]string{}
	for _, zone := range at.site.zones {
		status.ZonalSubdomains[zone] = zone + "." + status.DNSDomain
	}
	services := g
	if n.Spec.ConnectionTypes[0] != connectionLink {
		services = g.fork("services of " + at.id)
	}
	byZone := func(format string) map[string]string {
		if !slices.Contains(n.Spec.ConnectionTypes, connectionLink) {
			return nil
		}
		out := map[string]string{}
		for _, zone := range slices.Sorted(maps.Keys(status.ZonalSubdomains)) {
			out[zone] = fmt.Sprintf(format, services.text("0123456789abcdef", 8))
		}
		return out
	}
	c := &NetworkCloud{}
	switch at.site.cloud {
	case "AWS":
		c.Kind, c.VPC, c.Account = "AwsNetwork", "vpc-0"+g.text("0123456789abcdef", 16), g.digits(12)
		if n.Spec.ConnectionTypes[0] == connectionLink {
			c.PrivateLinkEndpointService = fmt.Sprintf("com.amazonaws.vpce.%s.vpce-svc-0%s", at.site.region, g.text("0123456789abcdef", 16))
		}
	case "GCP":
		c.Kind, c.Project, c.VPCNetwork = "GcpNetwork", "cc-prod-"+g.digits(4), "cc-network-"+at.id
		c.PrivateServiceConnectServiceAttachments = byZone("projects/cc-prod/regions/" + at.site.region + "/serviceAttachments/plattg-%s")
	default:
		c.Kind, c.Subscription = "AzureNetwork", g.uuid()
		c.VNet = fmt.Sprintf("/subscriptions/%s/resourceGroups/cc/providers/Microsoft.Network/virtualNetworks/%s", c.Subscription, at.id)
		c.PrivateLinkServiceAliases = byZone("s-%s-privatelink." + at.site.region + ".azure.privatelinkservice")
		c.PrivateLinkServiceResourceIDs = byZone("/subscriptions/" + c.Subscription + "/resourceGroups/cc/providers/Microsoft.Network/privateLinkServices/plattg-%s")
	}
	status.Cloud = c
	if n.Metadata.UpdatedAt.Day() == 1 {
		status.IdleSince = n.Metadata.UpdatedAt
	}
}
