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

// kind is what chaos has to know of a kind of object to disturb it and to check its
// observations, in addition to what the simulator knows.
type kind struct {
	// plural is the simulator's name for its documents, path is where the cloud lists them,
	// prefix begins the ID of an object made in a round.
	plural, path, prefix string
	// weight is how often the kind is disturbed, compared with the others.
	weight int

	// resource is the name of its observations in paths. condition and field are their places
	// in a source's status, and summary returns their numbers there.
	resource, condition, field string
	summary                    func(*v1alpha1.InventorySourceStatus) *v1alpha1.InventorySummary
	// list returns an empty list of observations, object an observation of the object with
	// that ID and nothing else.
	list   func() client.ObjectList
	object func(id string) v1alpha1.Observation

	// ready is the phase in which an object is ready, known are the others that the operator
	// knows, odd is one that it does not know.
	ready string
	known []string
	odd   string
	// usual returns about how many objects a source should have.
	usual func(*source) int
	// project returns the observation that the operator's projection makes of a record,
	// without what is joined.
	project func(record json.RawMessage) v1alpha1.Observation
	// join sets what the observation of an object shows of other objects.
	join func(id string, o v1alpha1.Observation, held *inventory)
	// changes are what can happen to an object of this kind alone.
	changes []func(*source, *kind, *rand.Rand) string
}

// kinds are all that sources mirror.
var kinds = []*kind{clusters, peerings, networks}

// phases are those that objects are put into: the ready one most often.
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

// documents returns a cloud's documents of a kind.
func documents(cloud *cloudsim.Sim, k *kind) cloudsim.Documents {
	all := cloud.Documents()
	return all[slices.IndexFunc(all, func(d cloudsim.Documents) bool { return d.Plural == k.plural })]
}

// ids returns the IDs of a source's objects of a kind, in order of creation.
func (s *source) ids(k *kind) []string { return s.documents(k).IDs(s.environment) }

func (s *source) documents(k *kind) cloudsim.Documents { return documents(s.Cloud, k) }
