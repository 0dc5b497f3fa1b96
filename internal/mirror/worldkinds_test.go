// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"fmt"
	"reflect"

	"pgregory.net/rapid"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
	"github.com/ccloud-dev/inventory-operator/internal/cloudapi/wire"
)

// The kinds of a world, and where each is in a slice by kind.
const (
	clusters = iota
	peerings
	networked
	registries
	attachments
	accesses
	kindCount
)

// worldKind is what the tests of a world know of one kind.
type worldKind struct {
	kind *Kind
	// ready is the phase in which an object is Ready. phases are drawn for records, NEWER is unknown.
	ready  string
	phases []string
	// record returns an empty record. project turns a record into an observation without metadata.
	record  func() any
	project func(record any) v1alpha1.Observation
	// object returns an empty observation.
	object func() v1alpha1.Observation
	// policy returns where a source's spec says whether to mirror the kind.
	policy func(*v1alpha1.InventorySourceSpec) *v1alpha1.MirrorPolicy
	// draw draws a record. network is the ID of the network that it names, if it names one.
	draw func(t *rapid.T, id, phase, network string) any
	// shown returns what a network and its clusters show of the kind; nil if its objects connect no
	// network.
	shown connectionList
	// parts returns the parts of an observation that are joined; nil if its objects connect no network.
	parts func(v1alpha1.Observation) connectionParts
}

// of describes a kind whose records are of type R.
func of[R any](kind *Kind, project func(*R) v1alpha1.Observation, k worldKind) worldKind {
	k.kind = kind
	k.record = func() any { return new(R) }
	k.project = func(record any) v1alpha1.Observation { return project(record.(*R)) }
	k.object = func() v1alpha1.Observation {
		blank := reflect.TypeOf(project(new(R))).Elem()
		return reflect.New(blank).Interface().(v1alpha1.Observation)
	}
	return k
}

// allKinds has one entry for each kind.
var allKinds = [kindCount]worldKind{
	clusters: of(KafkaCluster, ProjectKafkaCluster, worldKind{
		ready:  "PROVISIONED",
		phases: []string{"PROVISIONING", "PROVISIONED", "FAILED", "", "NEWER"},
		policy: func(s *v1alpha1.InventorySourceSpec) *v1alpha1.MirrorPolicy { return &s.KafkaClusters.Policy },
		draw: func(t *rapid.T, id, phase, network string) any {
			points := rapid.SliceOfDistinct(rapid.SampledFrom([]string{"PUBLIC", "ap1", "ap2"}), rapid.ID).Draw(t, "access points")
			r := withPoints(newCluster(id, network), points...)
			r.Status.Phase = phase
			return r
		},
	}),
	peerings: of(Peering, ProjectPeering, worldKind{
		ready:  "READY",
		phases: []string{"PROVISIONING", "PENDING_ACCEPT", "READY", "FAILED", "DISCONNECTED", "NEWER"},
		policy: func(s *v1alpha1.InventorySourceSpec) *v1alpha1.MirrorPolicy { return &s.Peerings.Policy },
		draw: func(t *rapid.T, id, phase, network string) any {
			r := newPeering(id, network)
			r.Status = wire.PeeringStatus{Phase: phase, ErrorCode: drawError(t)}
			return r
		},
		shown: peeringList,
		parts: func(o v1alpha1.Observation) connectionParts {
			status := &o.(*v1alpha1.PeeringObservation).Status
			return connectionParts{&status.Network, &status.ReachableEndpoints}
		},
	}),
	networked: of(Network, ProjectNetwork, worldKind{
		ready:  "READY",
		phases: []string{"PROVISIONING", "READY", "FAILED", "NEWER"},
		policy: func(s *v1alpha1.InventorySourceSpec) *v1alpha1.MirrorPolicy { return &s.Networks.Policy },
		draw: func(t *rapid.T, id, phase, _ string) any {
			r := newNetwork(id, rapid.SampledFrom([]string{"", "10.1.0.0/16", "10.2.0.0/16"}).Draw(t, "cidr"))
			r.Status.Phase = phase
			return r
		},
	}),
	registries: of(SchemaRegistry, ProjectSchemaRegistry, worldKind{
		ready:  "PROVISIONED",
		phases: []string{"PROVISIONING", "PROVISIONED", "FAILED", "NEWER"},
		policy: func(s *v1alpha1.InventorySourceSpec) *v1alpha1.MirrorPolicy { return &s.SchemaRegistry.Policy },
		draw: func(t *rapid.T, id, phase, _ string) any {
			r := newRegistry(id, rapid.SampledFrom([]string{"", "https://one", "https://two"}).Draw(t, "endpoint"))
			r.Status.Phase = phase
			return r
		},
	}),
	attachments: of(TransitGatewayAttachment, ProjectTransitGatewayAttachment, worldKind{
		ready:  "READY",
		phases: []string{"PROVISIONING", "PENDING_ACCEPT", "READY", "ERROR", "NEWER"},
		policy: func(s *v1alpha1.InventorySourceSpec) *v1alpha1.MirrorPolicy {
			return &s.TransitGatewayAttachments.Policy
		},
		draw: func(t *rapid.T, id, phase, network string) any {
			r := newAttachment(id, network)
			r.Status = wire.TransitGatewayAttachmentStatus{Phase: phase, ErrorCode: drawError(t)}
			return r
		},
		shown: transitGatewayAttachmentList,
		parts: func(o v1alpha1.Observation) connectionParts {
			status := &o.(*v1alpha1.TransitGatewayAttachmentObservation).Status
			return connectionParts{&status.Network, &status.ReachableEndpoints}
		},
	}),
	accesses: of(PrivateLinkAccess, ProjectPrivateLinkAccess, worldKind{
		ready:  "READY",
		phases: []string{"PROVISIONING", "READY", "FAILED", "NEWER"},
		policy: func(s *v1alpha1.InventorySourceSpec) *v1alpha1.MirrorPolicy { return &s.PrivateLinkAccesses.Policy },
		draw: func(t *rapid.T, id, phase, network string) any {
			r := newAccess(id, network)
			r.Status = wire.PrivateLinkAccessStatus{Phase: phase, ErrorCode: drawError(t)}
			return r
		},
		shown: privateLinkAccessList,
		parts: func(o v1alpha1.Observation) connectionParts {
			status := &o.(*v1alpha1.PrivateLinkAccessObservation).Status
			return connectionParts{&status.Network, &status.ReachableEndpoints}
		},
	}),
}

func drawError(t *rapid.T) string { return rapid.SampledFrom([]string{"", "E1"}).Draw(t, "error") }

// worldKinds are the kinds themselves.
var worldKinds = func() []*Kind {
	kinds := make([]*Kind, kindCount)
	for i := range allKinds {
		kinds[i] = allKinds[i].kind
	}
	return kinds
}()

// project turns a record of any kind into an observation without metadata.
func project(record any) v1alpha1.Observation {
	for _, k := range allKinds {
		if reflect.TypeOf(k.record()) == reflect.TypeOf(record) {
			return k.project(record)
		}
	}
	panic(fmt.Sprintf("no record: %T", record))
}

// numberOf returns where the kind of an observation is in a slice by kind.
func numberOf(o Object) int {
	for i, k := range allKinds {
		if reflect.TypeOf(k.object()) == reflect.TypeOf(o) {
			return i
		}
	}
	panic(fmt.Sprintf("no observation: %T", o))
}

// kindOf returns the kind of an observation.
func kindOf(o Object) *Kind { return worldKinds[numberOf(o)] }

// policiesOf returns where a source's spec says whether each kind is mirrored.
func policiesOf(s *v1alpha1.InventorySource) []*v1alpha1.MirrorPolicy {
	policies := make([]*v1alpha1.MirrorPolicy, kindCount)
	for i, k := range allKinds {
		policies[i] = k.policy(&s.Spec)
	}
	return policies
}

// emptyRecord returns a record of a kind with this ID and nothing else.
func emptyRecord(kind int, id string) any {
	record := allKinds[kind].record()
	reflect.ValueOf(record).Elem().FieldByName("ID").SetString(id)
	return record
}

// eachKind returns an empty map for each kind.
func eachKind[T any]() (maps [kindCount]map[string]T) {
	for kind := range maps {
		maps[kind] = map[string]T{}
	}
	return maps
}
