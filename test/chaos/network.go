// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
	"github.com/ccloud-dev/inventory-operator/internal/mirror"
	"github.com/ccloud-dev/inventory-operator/test/cloudsim"
)

// networks is the kind of networks, in which clusters are. Its phases are those of
// networking/v1.
var networks = &kind{
	plural:    "networks",
	path:      "/networking/v1/networks",
	prefix:    "n",
	weight:    1,
	policy:    func(s *v1alpha1.MirrorSettings) *v1alpha1.MirrorPolicy { return &s.Networks.Policy },
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
	project: projection(mirror.ProjectNetwork),
	join:    joinNetwork,
	changes: []func(*source, *kind, *rand.Rand) string{(*source).readdress},
}

// joinNetwork sets the clusters in the network and what connects it.
func joinNetwork(id string, o v1alpha1.Observation, held *inventory) {
	status := &o.(*v1alpha1.NetworkObservation).Status
	for _, c := range held.Clusters {
		if held.networkOf[c.ID] == id {
			status.KafkaClusters = append(status.KafkaClusters, v1alpha1.KafkaClusterSummary{Name: c.ID, Phase: c.Status.Phase})
		}
	}
	slices.SortFunc(status.KafkaClusters, func(a, b v1alpha1.KafkaClusterSummary) int { return cmp.Compare(a.Name, b.Name) })
	status.KafkaClusterCount = int32(len(status.KafkaClusters))
	status.NetworkConnections = held.connectionsOf(id)
}

// readdress gives a network another address range and another domain. Its clusters and connections
// show them too.
func (s *source) readdress(k *kind, r *rand.Rand) string {
	ids := s.ids(k)
	if len(ids) == 0 {
		return s.create(k, r)
	}
	id, n := pick(r, ids), r.IntN(256)
	_ = s.Cloud.UpdateNetwork(id, func(o *cloudsim.Network) { // It exists: nothing else removes it.
		o.Spec.CIDR = fmt.Sprintf("10.%d.0.0/16", n)
		o.Status.DNSDomain = fmt.Sprintf("dom%03d.example", n)
		o.Status.ZonalSubdomains = map[string]string{"z1": "z1." + o.Status.DNSDomain}
	})
	return k.plural + ": " + id + " has another address range"
}
