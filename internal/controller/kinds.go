// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"context"
	"slices"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
	"github.com/ccloud-dev/inventory-operator/internal/cloudapi"
	"github.com/ccloud-dev/inventory-operator/internal/metrics"
	"github.com/ccloud-dev/inventory-operator/internal/mirror"
)

// kinds is the table of all that is mirrored. Nothing else in this package names
// a kind: a further one costs its API type, its record in package wire with its
// operation, its projection in package mirror, and one line here with its filter.
var kinds = []kind{
	newKind(mirror.KafkaCluster, cloudapi.Clusters, clusterFilter, mirror.ProjectKafkaCluster, &v1alpha1.KafkaClusterObservation{}, &v1alpha1.KafkaClusterObservationList{}).havingConfigMaps(),
	newKind(mirror.Peering, cloudapi.Peerings, peeringFilter, mirror.ProjectPeering, &v1alpha1.PeeringObservation{}, &v1alpha1.PeeringObservationList{}),
	newKind(mirror.Network, cloudapi.Networks, networkFilter, mirror.ProjectNetwork, &v1alpha1.NetworkObservation{}, &v1alpha1.NetworkObservationList{}),
}

func clusterFilter(s *v1alpha1.InventorySource) cloudapi.ClusterFilter {
	return cloudapi.ClusterFilter{
		Environment: s.Spec.Environment,
		Networks:    words(s.Spec.KafkaClusters.Networks),
	}
}

func peeringFilter(s *v1alpha1.InventorySource) cloudapi.PeeringFilter {
	return cloudapi.PeeringFilter{
		Environment:  s.Spec.Environment,
		Networks:     words(s.Spec.Peerings.Networks),
		DisplayNames: words(s.Spec.Peerings.DisplayNames),
		Phases:       words(s.Spec.Peerings.Phases),
	}
}

func networkFilter(s *v1alpha1.InventorySource) cloudapi.NetworkFilter {
	return cloudapi.NetworkFilter{Environment: s.Spec.Environment}
}

// kind joins what planning knows of a kind to how it is listed and stored.
type kind struct {
	*mirror.Kind
	// withConfigMaps reports whether ConfigMaps may be kept beside the kind's observations.
	withConfigMaps bool
	// filter returns what the source's spec narrows the listing by.
	filter func(*v1alpha1.InventorySource) any
	// list lists the kind whole. What the index remembers, the one of the last
	// listing, is told by its ID alone. The second result says why the listing is not
	// complete, nil if it is; the third, why there is none.
	list func(context.Context, *cloudapi.Client, *v1alpha1.InventorySource, *cloudapi.Index) (t told, incomplete, err error)
	// object returns a new, empty observation.
	object func() v1alpha1.Observation
	// objects returns a new, empty list of observations.
	objects func() client.ObjectList
}

// newKind describes a kind by the operation that lists it, the source's filter for
// it, how a record of it becomes an observation (project), and the Go types that
// hold one and many of those.
func newKind[Record, Filter any](
	described *mirror.Kind,
	operation *cloudapi.Operation[Record, Filter],
	filter func(*v1alpha1.InventorySource) Filter,
	project func(*Record) v1alpha1.Observation,
	object v1alpha1.Observation, objects client.ObjectList,
) kind {
	return kind{
		Kind:   described,
		filter: func(s *v1alpha1.InventorySource) any { return filter(s) },
		list: func(ctx context.Context, c *cloudapi.Client, s *v1alpha1.InventorySource, index *cloudapi.Index) (told, error, error) {
			listing, err := cloudapi.List(ctx, c, operation, filter(s), index, project)
			if err != nil {
				return told{}, nil, err
			}
			t := told{sighting: &mirror.Sighting{}, index: listing.Index, unchanged: listing.Unchanged}
			if t.unchanged { // Whose IDs those are is looked up where that is asked for.
				return t, listing.Complete(), nil
			}
			for _, item := range listing.Items {
				if item.Known {
					t.sighting.Same = append(t.sighting.Same, item.ID)
					continue
				}
				mirror.Stamp(item.Value, s)
				t.sighting.Observations = append(t.sighting.Observations, item.Value)
			}
			return t, listing.Complete(), nil
		},
		object:  func() v1alpha1.Observation { return object.DeepCopyObject().(v1alpha1.Observation) },
		objects: func() client.ObjectList { return objects.DeepCopyObject().(client.ObjectList) },
	}
}

func (k kind) havingConfigMaps() kind {
	k.withConfigMaps = true
	return k
}

// words returns a filter's values, sorted: a filter is a set.
func words(identifiers []v1alpha1.Identifier) []string {
	out := make([]string, len(identifiers))
	for i, id := range identifiers {
		out[i] = string(id)
	}
	slices.Sort(out)
	return out
}

// Objects returns one empty object of each kind the operator works with, sources first.
func Objects() []client.Object {
	objects := []client.Object{&v1alpha1.InventorySource{}}
	for i := range kinds {
		objects = append(objects, kinds[i].object())
	}
	return append(objects, &v1alpha1.EnvironmentDiscovery{})
}

// Kinds returns what is mirrored, as metrics tell of it.
func Kinds() []metrics.Kind {
	out := make([]metrics.Kind, len(kinds))
	for i := range kinds {
		out[i] = metrics.Kind{Kind: kinds[i].Kind, Objects: kinds[i].objects}
	}
	return out
}
