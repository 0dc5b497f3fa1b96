// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
	"github.com/ccloud-dev/inventory-operator/test/cloudsim"
)

// usualPeerings is how many peerings there should be, more or less.
const usualPeerings = 5

// peerings are network peerings. Its phases are those of networking/v1.
var peerings = &kind{
	plural:    "peerings",
	path:      "/networking/v1/peerings",
	prefix:    "p",
	weight:    1,
	resource:  "peeringobservations",
	condition: v1alpha1.ConditionPeeringsSynced,
	field:     "peerings",
	summary:   func(s *v1alpha1.InventorySourceStatus) *v1alpha1.InventorySummary { return s.Peerings },
	list:      func() client.ObjectList { return &v1alpha1.PeeringObservationList{} },
	object: func(id string) v1alpha1.Observation {
		return &v1alpha1.PeeringObservation{Spec: v1alpha1.PeeringObservationSpec{PeeringID: id}}
	},
	ready: cloudsim.PhaseReady,
	known: []string{cloudsim.PhaseProvisioning, cloudsim.PhasePendingAccept, cloudsim.PhaseFailed,
		cloudsim.PhaseDeprovisioning, cloudsim.PhaseDisconnected},
	odd:     cloudsim.OddPeeringPhase,
	usual:   func(*source) int { return usualPeerings },
	expect:  expectPeerings,
	changes: []func(*source, *kind, *rand.Rand) string{(*source).changeRoutes},
}

func expectPeerings(held cloudsim.Inventory) map[string]expected {
	out := map[string]expected{}
	for _, p := range held.Peerings {
		status := expectPeering(p, held)
		out[p.ID] = expected{labels: labelled(p.Spec.Network.ID, status.Cloud, status.Region), status: status, phase: p.Status.Phase}
	}
	return out
}

func expectPeering(p cloudsim.Peering, held cloudsim.Inventory) *v1alpha1.PeeringObservationStatus {
	cloud := p.Spec.Cloud
	status := &v1alpha1.PeeringObservationStatus{
		Phase:         p.Status.Phase,
		DisplayName:   p.Spec.DisplayName,
		Kind:          cloud.Kind,
		Region:        cloud.CustomerRegion,
		Network:       joinedNetwork(p.Spec.Network, held),
		ErrorCode:     p.Status.ErrorCode,
		ErrorMessage:  p.Status.ErrorMessage,
		CloudMetadata: metadata(p.Metadata),
	}
	switch cloud.Kind {
	case "AwsPeering":
		status.Cloud = "AWS"
		status.AWS = &v1alpha1.AWSPeering{Account: cloud.Account, VPC: cloud.VPC, Routes: cloud.Routes, CustomerRegion: cloud.CustomerRegion}
	case "GcpPeering":
		status.Cloud = "GCP"
		status.GCP = &v1alpha1.GCPPeering{Project: cloud.Project, VPCNetwork: cloud.VPCNetwork, ImportCustomRoutes: cloud.ImportCustomRoutes}
	case "AzurePeering":
		status.Cloud = "AZURE"
		status.Azure = &v1alpha1.AzurePeering{Tenant: cloud.Tenant, VNet: cloud.VNet, CustomerRegion: cloud.CustomerRegion}
	}
	for _, c := range held.Clusters {
		if networkOf(c) == p.Spec.Network.ID {
			status.Endpoints = append(status.Endpoints, peeringEndpoints(c)...)
		}
	}
	status.EndpointCount = int32(len(status.Endpoints))
	slices.SortFunc(status.Endpoints, func(a, b v1alpha1.PeeringEndpoint) int {
		return cmp.Or(cmp.Compare(a.ClusterID, b.ClusterID), cmp.Compare(a.AccessPointID, b.AccessPointID))
	})
	return status
}

// peeringEndpoints returns what a peering shows of a cluster on its network.
func peeringEndpoints(c cloudsim.Cluster) []v1alpha1.PeeringEndpoint {
	endpoints := endpointsOf(c)
	if bootstrap := address(c.Spec.KafkaBootstrapEndpoint); len(endpoints) == 0 && bootstrap+c.Spec.HTTPEndpoint != "" {
		endpoints = []v1alpha1.KafkaEndpoint{{BootstrapServers: bootstrap, HTTPEndpoint: c.Spec.HTTPEndpoint}}
	}
	out := make([]v1alpha1.PeeringEndpoint, len(endpoints))
	for i, e := range endpoints {
		out[i] = v1alpha1.PeeringEndpoint{ClusterID: c.ID, KafkaEndpoint: e}
	}
	return out
}

func (s *source) changeRoutes(k *kind, r *rand.Rand) string {
	all := s.Cloud.Peerings(s.environment)
	if len(all) == 0 {
		return s.create(k, r)
	}
	p := pick(r, all)
	p.Spec.DisplayName = fmt.Sprintf("peering-%d", r.IntN(1000))
	if p.Spec.Cloud.Kind == "AwsPeering" {
		p.Spec.Cloud.Routes = []string{fmt.Sprintf("10.%d.0.0/16", r.IntN(256))}
	}
	s.Cloud.PutPeering(p)
	return "peering " + p.ID + " has another name and other routes"
}
