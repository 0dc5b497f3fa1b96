// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"math/rand/v2"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
	"github.com/ccloud-dev/inventory-operator/internal/mirror"
	"github.com/ccloud-dev/inventory-operator/test/cloudsim"
)

// schemaRegistries are Schema Registry clusters. Its phases are those of srcm/v3. An environment has
// one as a rule; here it may have several for a while, or none.
var schemaRegistries = &kind{
	plural:    "schemaregistries",
	path:      "/srcm/v3/clusters",
	prefix:    "lsrc",
	weight:    1,
	policy:    func(s *v1alpha1.MirrorSettings) *v1alpha1.MirrorPolicy { return &s.SchemaRegistry.Policy },
	resource:  "schemaregistryobservations",
	condition: v1alpha1.ConditionSchemaRegistrySynced,
	field:     "schemaRegistry",
	summary:   func(s *v1alpha1.InventorySourceStatus) *v1alpha1.InventorySummary { return s.SchemaRegistry },
	list:      func() client.ObjectList { return &v1alpha1.SchemaRegistryObservationList{} },
	object: func(id string) v1alpha1.Observation {
		return &v1alpha1.SchemaRegistryObservation{Spec: v1alpha1.SchemaRegistryObservationSpec{ClusterID: id}}
	},
	ready:   cloudsim.PhaseProvisioned,
	known:   []string{cloudsim.PhaseProvisioning, cloudsim.PhaseFailed},
	odd:     cloudsim.OddSchemaRegistryPhase,
	usual:   func(*source) int { return 1 },
	project: projection(mirror.ProjectSchemaRegistry),
	join:    func(string, v1alpha1.Observation, *inventory) {}, // It shows no other object.
	changes: []func(*source, *kind, *rand.Rand) string{(*source).moveRegistry, (*source).moveRegistry},
}

// registry returns what a cluster shows of Schema Registry: of those that are ready, else of all,
// one with an endpoint, else any; of several the one with the lowest name.
func (i *inventory) registry() *v1alpha1.SchemaRegistryReference {
	var best *cloudsim.SchemaRegistry
	rank := func(r *cloudsim.SchemaRegistry) string {
		ready, reachable := 1, 1
		if r.Status.Phase == cloudsim.PhaseProvisioned {
			ready = 0
		}
		if r.Spec.HTTPEndpoint != "" {
			reachable = 0
		}
		return fmt.Sprint(ready, reachable, " ", r.ID)
	}
	for n := range i.SchemaRegistries {
		if r := &i.SchemaRegistries[n]; best == nil || rank(r) < rank(best) {
			best = r
		}
	}
	if best == nil {
		return nil
	}
	return &v1alpha1.SchemaRegistryReference{Name: best.ID, Phase: best.Status.Phase, HTTPEndpoint: best.Spec.HTTPEndpoint}
}

// moveRegistry gives a Schema Registry cluster another endpoint, or none.
func (s *source) moveRegistry(k *kind, r *rand.Rand) string {
	ids := s.ids(k)
	if len(ids) == 0 {
		return s.create(k, r)
	}
	id, n := pick(r, ids), r.IntN(1000)
	_ = s.Cloud.UpdateSchemaRegistry(id, func(o *cloudsim.SchemaRegistry) { // It is there: nothing else removes it.
		o.Spec.HTTPEndpoint = ""
		if n%4 > 0 {
			o.Spec.HTTPEndpoint = fmt.Sprintf("https://psrc-%03d.example", n)
		}
		o.Spec.PrivateNetworkingConfig = &cloudsim.PrivateNetworking{RegionalEndpoints: map[string]string{
			"region-b": fmt.Sprintf("https://b-%03d.example", n), "region-a": fmt.Sprintf("https://a-%03d.example", n)}}
	})
	return k.plural + ": " + id + " has another endpoint"
}
