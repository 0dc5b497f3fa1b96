// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
	"github.com/ccloud-dev/inventory-operator/test/cloudsim"
)

// networks are the networks that clusters and peerings are on. Its phases are those of
// networking/v1.
var networks = &kind{
	plural:    "networks",
	path:      "/networking/v1/networks",
	prefix:    "n",
	weight:    1,
	resource:  "networkobservations",
	condition: v1alpha1.ConditionNetworksSynced,
	field:     "networks",
	summary:   func(s *v1alpha1.InventorySourceStatus) *v1alpha1.InventorySummary { return s.Networks },
	list:      func() client.ObjectList { return &v1alpha1.NetworkObservationList{} },
	object: func(id string) v1alpha1.Observation {
		return &v1alpha1.NetworkObservation{Spec: v1alpha1.NetworkObservationSpec{NetworkID: id}}
	},
	ready:   cloudsim.PhaseReady,
	known:   []string{cloudsim.PhaseProvisioning, cloudsim.PhaseFailed, cloudsim.PhaseDeprovisioning},
	odd:     cloudsim.OddNetworkPhase,
	usual:   func(s *source) int { return len(s.templates.Networks) },
	expect:  expectNetworks,
	changes: []func(*source, *kind, *rand.Rand) string{(*source).readdress},
}

func expectNetworks(held cloudsim.Inventory) map[string]expected {
	out := map[string]expected{}
	for _, n := range held.Networks {
		out[n.ID] = expected{labels: labelled(n.ID, n.Spec.Cloud, n.Spec.Region), status: expectNetwork(n, held), phase: n.Status.Phase}
	}
	return out
}

func expectNetwork(n cloudsim.Network, held cloudsim.Inventory) *v1alpha1.NetworkObservationStatus {
	status := &v1alpha1.NetworkObservationStatus{
		Phase:                    n.Status.Phase,
		DisplayName:              n.Spec.DisplayName,
		Cloud:                    n.Spec.Cloud,
		Region:                   n.Spec.Region,
		ConnectionTypes:          n.Spec.ConnectionTypes,
		ActiveConnectionTypes:    n.Status.ActiveConnectionTypes,
		SupportedConnectionTypes: n.Status.SupportedConnectionTypes,
		CIDR:                     n.Spec.CIDR,
		ReservedCIDR:             n.Spec.ReservedCIDR,
		DNSDomain:                n.Status.DNSDomain,
		EndpointSuffix:           n.Status.EndpointSuffix,
		ZonalSubdomains:          n.Status.ZonalSubdomains,
		IdleSince:                inSeconds(n.Status.IdleSince),
		ErrorCode:                n.Status.ErrorCode,
		ErrorMessage:             n.Status.ErrorMessage,
		CloudMetadata:            metadata(n.Metadata),
	}
	if n.Spec.DNSConfig != nil {
		status.DNSResolution = n.Spec.DNSConfig.Resolution
	}
	if g := n.Spec.Gateway; g != nil {
		status.Gateway = &v1alpha1.GatewayReference{ID: g.ID, Environment: g.Environment, ResourceName: g.ResourceName, Related: g.Related}
	}
	cidrs := map[string]string{}
	for _, zone := range n.Spec.Zones {
		cidrs[zone] = ""
	}
	for _, zone := range n.Spec.ZonesInfo {
		cidrs[zone.ZoneID] = zone.CIDR
	}
	for _, zone := range slices.Sorted(maps.Keys(cidrs)) {
		status.Zones = append(status.Zones, v1alpha1.NetworkZone{ZoneID: zone, CIDR: cidrs[zone]})
	}
	if c := n.Status.Cloud; c != nil {
		expectNetworkCloud(status, c)
	}
	for _, c := range held.Clusters {
		if networkOf(c) == n.ID {
			status.KafkaClusters = append(status.KafkaClusters, v1alpha1.KafkaClusterSummary{Name: c.ID, Phase: c.Status.Phase})
		}
	}
	for _, p := range held.Peerings {
		if p.Spec.Network.ID == n.ID {
			status.Peerings = append(status.Peerings, v1alpha1.PeeringSummary{Name: p.ID, Phase: p.Status.Phase})
		}
	}
	slices.SortFunc(status.KafkaClusters, func(a, b v1alpha1.KafkaClusterSummary) int { return cmp.Compare(a.Name, b.Name) })
	slices.SortFunc(status.Peerings, func(a, b v1alpha1.PeeringSummary) int { return cmp.Compare(a.Name, b.Name) })
	status.KafkaClusterCount, status.PeeringCount = int32(len(status.KafkaClusters)), int32(len(status.Peerings))
	return status
}

func expectNetworkCloud(status *v1alpha1.NetworkObservationStatus, c *cloudsim.NetworkCloud) {
	switch c.Kind {
	case "AwsNetwork":
		status.AWS = &v1alpha1.AWSNetwork{VPC: c.VPC, Account: c.Account, PrivateLinkEndpointService: c.PrivateLinkEndpointService}
	case "GcpNetwork":
		status.GCP = &v1alpha1.GCPNetwork{Project: c.Project, VPCNetwork: c.VPCNetwork,
			PrivateServiceConnectServiceAttachments: c.PrivateServiceConnectServiceAttachments}
	case "AzureNetwork":
		status.Azure = &v1alpha1.AzureNetwork{VNet: c.VNet, Subscription: c.Subscription,
			PrivateLinkServiceAliases: c.PrivateLinkServiceAliases, PrivateLinkServiceResourceIDs: c.PrivateLinkServiceResourceIDs}
	}
}

// joinedNetwork returns a reference to a network, with the network's own fields if the
// inventory holds it.
func joinedNetwork(r cloudsim.Reference, held cloudsim.Inventory) *v1alpha1.NetworkReference {
	out := &v1alpha1.NetworkReference{ID: r.ID, Environment: r.Environment, ResourceName: r.ResourceName, Related: r.Related}
	for _, n := range held.Networks {
		if n.ID == r.ID {
			out.Phase, out.CIDR, out.DNSDomain = n.Status.Phase, n.Spec.CIDR, n.Status.DNSDomain
		}
	}
	return out
}

// readdress gives a network another address range and domain, which those on it tell too.
func (s *source) readdress(k *kind, r *rand.Rand) string {
	ids := s.ids(k)
	if len(ids) == 0 {
		return s.create(k, r)
	}
	id, n := pick(r, ids), r.IntN(256)
	_ = s.Cloud.UpdateNetwork(id, func(o *cloudsim.Network) { // It is there: nobody else takes it out.
		o.Spec.CIDR = fmt.Sprintf("10.%d.0.0/16", n)
		o.Status.DNSDomain = fmt.Sprintf("dom%03d.example", n)
		o.Status.ZonalSubdomains = map[string]string{"z1": "z1." + o.Status.DNSDomain}
	})
	return k.plural + ": " + id + " has another address range"
}
