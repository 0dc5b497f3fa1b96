// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"context"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
	"github.com/ccloud-dev/inventory-operator/internal/cloudapi"
	"github.com/ccloud-dev/inventory-operator/internal/cloudapi/wire"
	"github.com/ccloud-dev/inventory-operator/internal/metrics"
	"github.com/ccloud-dev/inventory-operator/internal/mirror"
)

// observationKinds has all kinds of cloud object for which an InventorySource creates observations.
// CONTRIBUTING.md lists the steps to add a kind.
var observationKinds = []kind{
	newObservationKind(mirror.KafkaCluster, cloudapi.Clusters, clusterFilter, mirror.ProjectKafkaCluster, &v1alpha1.KafkaClusterObservation{}, &v1alpha1.KafkaClusterObservationList{}).havingConfigMaps(),
	newObservationKind(mirror.Peering, cloudapi.Peerings, connectionFilter(func(s *v1alpha1.InventorySourceSpec) *v1alpha1.ConnectionSelection {
		return (*v1alpha1.ConnectionSelection)(&s.Peerings) // The two types have the same fields.
	}), mirror.ProjectPeering, &v1alpha1.PeeringObservation{}, &v1alpha1.PeeringObservationList{}),
	newObservationKind(mirror.Network, cloudapi.Networks, networkFilter, mirror.ProjectNetwork, &v1alpha1.NetworkObservation{}, &v1alpha1.NetworkObservationList{}),
	newObservationKind(mirror.SchemaRegistry, cloudapi.SchemaRegistries, schemaRegistryFilter, mirror.ProjectSchemaRegistry, &v1alpha1.SchemaRegistryObservation{}, &v1alpha1.SchemaRegistryObservationList{}),
	newObservationKind(mirror.TransitGatewayAttachment, cloudapi.TransitGatewayAttachments, connectionFilter(func(s *v1alpha1.InventorySourceSpec) *v1alpha1.ConnectionSelection {
		return &s.TransitGatewayAttachments
	}), mirror.ProjectTransitGatewayAttachment, &v1alpha1.TransitGatewayAttachmentObservation{}, &v1alpha1.TransitGatewayAttachmentObservationList{}),
	newObservationKind(mirror.PrivateLinkAccess, cloudapi.PrivateLinkAccesses, connectionFilter(func(s *v1alpha1.InventorySourceSpec) *v1alpha1.ConnectionSelection { return &s.PrivateLinkAccesses }), mirror.ProjectPrivateLinkAccess, &v1alpha1.PrivateLinkAccessObservation{}, &v1alpha1.PrivateLinkAccessObservationList{}),
}

// environmentKind is the kind of cloud object that an EnvironmentDiscovery lists: environments. The
// operator lists all environments, not only those that spec.selector selects. So the operator knows
// whether an environment was deleted, or exists but is not selected.
var environmentKind = func() kind {
	k := newKind(mirror.Environment, cloudapi.Environments,
		func(client.Object) cloudapi.EnvironmentFilter { return cloudapi.EnvironmentFilter{} },
		func(e *wire.Environment, d client.Object) mirror.Object {
			return mirror.ProjectEnvironment(e, d.(*v1alpha1.EnvironmentDiscovery))
		},
		&v1alpha1.InventorySource{}, &v1alpha1.InventorySourceList{})
	k.noun = "sources"
	k.ownerNameIn = func(o client.Object) string {
		if controller := metav1.GetControllerOf(o); controller != nil {
			if controller.Kind != mirror.DiscoveryKind {
				return ""
			}
			return mirror.LabelValue(controller.Name)
		}
		return o.GetLabels()[v1alpha1.LabelDiscovery]
	}
	k.comparableName = mirror.LabelValue // A long name does not fit into a label.
	k.listOptions = func(string) []client.ListOption { return nil }
	return k
}()

func clusterFilter(s *v1alpha1.InventorySource) cloudapi.ClusterFilter {
	return cloudapi.ClusterFilter{
		Environment: s.Spec.Environment,
		Networks:    sorted(s.Spec.KafkaClusters.Networks),
	}
}

func networkFilter(s *v1alpha1.InventorySource) cloudapi.NetworkFilter {
	return cloudapi.NetworkFilter{Environment: s.Spec.Environment}
}

func schemaRegistryFilter(s *v1alpha1.InventorySource) cloudapi.SchemaRegistryFilter {
	return cloudapi.SchemaRegistryFilter{Environment: s.Spec.Environment}
}

// connectionFilter returns a function that makes the list filter for one kind of network
// connection, such as peerings. selectionOf returns the part of an InventorySource's spec that has
// the values of the filter.
func connectionFilter(selectionOf func(*v1alpha1.InventorySourceSpec) *v1alpha1.ConnectionSelection) func(*v1alpha1.InventorySource) cloudapi.ConnectionFilter {
	return func(s *v1alpha1.InventorySource) cloudapi.ConnectionFilter {
		selected := selectionOf(&s.Spec)
		return cloudapi.ConnectionFilter{
			Environment:  s.Spec.Environment,
			Networks:     sorted(selected.Networks),
			DisplayNames: sorted(selected.DisplayNames),
			Phases:       sorted(selected.Phases),
		}
	}
}

// kind describes one kind of cloud object, such as a peering. It says how to list the cloud objects
// of the kind, and how to read and write the Kubernetes objects that show them. The field
// mirror.Kind is the part that package mirror uses.
type kind struct {
	*mirror.Kind
	// noun is the word for the objects in events, logs and errors, for example "sources".
	noun string
	// withConfigMaps is true if the operator can write a ConfigMap for each object. For example,
	// the ConfigMap of a Kafka cluster has the cluster's endpoint.
	withConfigMaps bool
	// listFilter returns the list filter from the spec of a source or discovery.
	listFilter func(client.Object) any
	// listObjects lists the cloud objects of this kind. The last parameter has the items of an earlier
	// listing. For an item that has not changed, the new listing has only the ID. The first error says
	// why the listing is incomplete. The second error says why there is no listing.
	listObjects func(context.Context, *cloudapi.Client, client.Object, *cloudapi.Index) (l listing, incomplete, err error)
	// newObject returns a new, empty object.
	newObject func() client.Object
	// newList returns a new, empty list of objects.
	newList func() client.ObjectList
	// These functions help to find the objects of an owner, which is a source or discovery.
	//
	//   - ownerNameIn reads the owner's name from an object's spec or metadata; "" if the object
	//     names no owner.
	//   - comparableName turns the name of an owner into the form that ownerNameIn returns, for
	//     example into a short name that fits into a label.
	//   - listOptions returns options for a list request. With these options, the request returns
	//     all objects of the owner, and maybe objects of other owners.
	ownerNameIn    func(client.Object) string
	comparableName func(owner string) string
	listOptions    func(owner string) []client.ListOption
}

// newKind returns a kind. The parameters are, in this order:
//
//   - the kind in the form that package mirror uses
//   - the list operation of the cloud's API
//   - a function that returns the list filter for a source or discovery
//   - a function that turns a record of the cloud into a Kubernetes object
//   - an empty object of the kind's Go type
//   - an empty list of the kind's Go type
func newKind[Record, Filter any](
	described *mirror.Kind,
	operation *cloudapi.Operation[Record, Filter],
	filter func(client.Object) Filter,
	project func(*Record, client.Object) mirror.Object,
	object client.Object, objects client.ObjectList,
) kind {
	return kind{
		Kind:       described,
		listFilter: func(owner client.Object) any { return filter(owner) },
		listObjects: func(ctx context.Context, c *cloudapi.Client, owner client.Object, index *cloudapi.Index) (listing, error, error) {
			got, err := cloudapi.List(ctx, c, operation, filter(owner), index, func(record *Record) mirror.Object { return project(record, owner) })
			if err != nil {
				return listing{}, nil, err
			}
			l := listing{sighting: &mirror.Sighting{}, itemIndex: got.Index, unchanged: got.Unchanged}
			if l.unchanged { // kindState.record takes the IDs from the index.
				return l, got.Complete(), nil
			}
			for _, item := range got.Items {
				if item.Known {
					l.sighting.Same = append(l.sighting.Same, item.ID)
				} else {
					l.sighting.Objects = append(l.sighting.Objects, item.Value)
				}
			}
			return l, got.Complete(), nil
		},
		newObject: func() client.Object { return object.DeepCopyObject().(client.Object) },
		newList:   func() client.ObjectList { return objects.DeepCopyObject().(client.ObjectList) },
	}
}

// newObservationKind returns a kind whose objects are observations. newKind explains the
// parameters.
func newObservationKind[Record, Filter any](
	described *mirror.Kind,
	operation *cloudapi.Operation[Record, Filter],
	filter func(*v1alpha1.InventorySource) Filter,
	project func(*Record) v1alpha1.Observation,
	object v1alpha1.Observation, objects client.ObjectList,
) kind {
	k := newKind(described, operation,
		func(owner client.Object) Filter { return filter(owner.(*v1alpha1.InventorySource)) },
		func(record *Record, owner client.Object) mirror.Object {
			o := project(record)
			described.Stamp(o, owner.(*v1alpha1.InventorySource))
			return o
		}, object, objects)
	k.noun = "observations of kind " + described.Name
	k.ownerNameIn = func(o client.Object) string { return o.(v1alpha1.Observation).Origin().SourceRef.Name }
	k.comparableName = func(owner string) string { return owner }
	k.listOptions = func(owner string) []client.ListOption {
		return []client.ListOption{client.MatchingFields{sourceField: owner}}
	}
	return k
}

func (k kind) havingConfigMaps() kind {
	k.withConfigMaps = true
	return k
}

// sorted returns the identifiers as sorted strings. So a new order in the spec does not change the
// filter.
func sorted(identifiers []v1alpha1.Identifier) []string {
	out := make([]string, len(identifiers))
	for i, id := range identifiers {
		out[i] = string(id)
	}
	slices.Sort(out)
	return out
}

// Objects returns an empty object of each type that the operator works with: a source, an
// observation of each kind, and a discovery.
func Objects() []client.Object {
	objects := []client.Object{&v1alpha1.InventorySource{}}
	for i := range observationKinds {
		objects = append(objects, observationKinds[i].newObject())
	}
	return append(objects, &v1alpha1.EnvironmentDiscovery{})
}

// Kinds returns the kinds that sources mirror, in the form that package metrics needs.
func Kinds() []metrics.Kind {
	out := make([]metrics.Kind, len(observationKinds))
	for i := range observationKinds {
		out[i] = metrics.Kind{Kind: observationKinds[i].Kind, Object: observationKinds[i].newObject, Objects: observationKinds[i].newList}
	}
	return out
}
