// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"math/rand/v2"
	"slices"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
	"github.com/ccloud-dev/inventory-operator/test/cloudsim"
)

// kind is what chaos has to know about a kind of object, in addition to the simulator. Chaos needs
// it to disturb the objects and to check their observations.
type kind struct {
	// plural is the simulator's name for the kind's documents. path is where the cloud lists the
	// kind. prefix is the beginning of the IDs of new objects.
	plural, path, prefix string
	// weight is how often the kind is disturbed, compared with other kinds.
	weight int

	// policy returns a pointer to the kind's mirror policy in the settings of a source.
	policy func(*v1alpha1.MirrorSettings) *v1alpha1.MirrorPolicy
	// resource is the name of the kind's observations in API paths. condition and field are the
	// kind's places in the status of a source. summary returns the kind's numbers in that status.
	resource, condition, field string
	summary                    func(*v1alpha1.InventorySourceStatus) *v1alpha1.InventorySummary
	// list returns an empty list of observations. object returns an observation that has only the
	// ID of its object.
	list   func() client.ObjectList
	object func(id string) v1alpha1.Observation

	// ready is the phase of a ready object. known has the other phases that the operator knows. odd
	// is a phase that the operator does not know.
	ready string
	known []string
	odd   string
	// usual returns the approximate number of objects that a source should have.
	usual func(*source) int
	// project returns the observation that the operator's projection makes of a record. It has no
	// fields from other objects.
	project func(record json.RawMessage) v1alpha1.Observation
	// connections returns where a network and its clusters show the objects of this kind, and where
	// they count them. It is nil if the objects connect no networks.
	connections func(*v1alpha1.NetworkConnections) (*[]v1alpha1.ConnectionSummary, *int32)
	// join sets the fields of an observation that come from other objects.
	join func(id string, o v1alpha1.Observation, held *inventory)
	// changes has the changes that can happen only to objects of this kind.
	changes []func(*source, *kind, *rand.Rand) string
}

// kinds has all kinds that sources mirror.
var kinds = []*kind{clusters, peerings, networks, schemaRegistries, attachments, accesses}

// phases returns the phases that objects get. The ready phase is the most frequent.
func (k *kind) phases() []string {
	return slices.Concat([]string{k.ready, k.ready, k.odd}, k.known)
}

// anyKind draws a kind, by weight.
func anyKind(r *rand.Rand) *kind {
	var drawn []*kind
	for _, k := range kinds {
		for range k.weight {
			drawn = append(drawn, k)
		}
	}
	return pick(r, drawn)
}

// documents returns the documents of a kind in a cloud.
func documents(cloud *cloudsim.Sim, k *kind) cloudsim.Documents {
	all := cloud.Documents()
	return all[slices.IndexFunc(all, func(d cloudsim.Documents) bool { return d.Plural == k.plural })]
}

// ids returns the IDs of a source's objects of this kind, in order of creation.
func (s *source) ids(k *kind) []string { return s.documents(k).IDs(s.environment) }

func (s *source) documents(k *kind) cloudsim.Documents { return documents(s.Cloud, k) }
