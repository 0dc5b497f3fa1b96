// SPDX-License-Identifier: Apache-2.0

package main

import (
	"math/rand/v2"
	"slices"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
	"github.com/ccloud-dev/inventory-operator/test/cloudsim"
)

// kind is what is to be known of one kind of object to disturb it and to judge its
// observations, beside what the simulator knows.
type kind struct {
	// plural is what the simulator calls its documents, path where the cloud lists them,
	// prefix what the ID of one made in a round begins with.
	plural, path, prefix string
	// weight is how often the kind is disturbed, beside the others.
	weight int

	// resource is what its observations are called in paths, condition and field are where
	// a source's status tells of them, and summary is its numbers there.
	resource, condition, field string
	summary                    func(*v1alpha1.InventorySourceStatus) *v1alpha1.InventorySummary
	// list returns an empty list of observations, object one of that object's, without more.
	list   func() client.ObjectList
	object func(id string) v1alpha1.Observation

	// ready is the phase in which an object is ready, known are the others that have a
	// meaning, odd is one that has none.
	ready string
	known []string
	odd   string
	// usual is how many of a source's there should be, more or less.
	usual func(*source) int
	// expect returns what the observations should be, by the ID of their object, without
	// kind and the environment's label.
	expect func(held cloudsim.Inventory) map[string]expected
	// changes are what can happen to an object of this kind alone.
	changes []func(*source, *kind, *rand.Rand) string
}

// kinds are all that sources mirror. A further one is its description and a line here.
var kinds = []*kind{clusters, peerings, networks}

// phases are those an object is put into: the ready one most often.
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

// documents returns the simulator's documents of a kind.
func (h *harness) documents(k *kind) cloudsim.Documents {
	all := h.Cloud.Documents()
	return all[slices.IndexFunc(all, func(d cloudsim.Documents) bool { return d.Plural == k.plural })]
}

// ids returns the IDs of a source's objects of a kind, in order of creation.
func (s *source) ids(k *kind) []string { return s.documents(k).IDs(s.environment) }
