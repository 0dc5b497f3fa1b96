// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"slices"
	"time"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
)

// Kind is all that planning must know of one kind of cloud object.
type Kind struct {
	// Name is the kind's name in metrics, events and messages: "KafkaCluster".
	Name string
	// Condition is the type of the source's condition that tells how this kind's
	// last sync went.
	Condition string
	// ReadyPhase is the phase in which an object is Ready.
	ReadyPhase string
	// OtherPhases are the other phases whose meaning is known: not Ready.
	OtherPhases []string
	// Policy returns the source's policy for this kind.
	Policy func(*v1alpha1.InventorySource) v1alpha1.MirrorPolicy
	// Summary returns the place of this kind's numbers in the source's status.
	Summary func(*v1alpha1.InventorySourceStatus) **v1alpha1.InventorySummary

	// InfoMetric is the name of the metric that has one series for each observation;
	// InfoLabels are its labels, beside the observation's namespace, name and source, and
	// Info returns their values.
	InfoMetric string
	InfoLabels []string
	Info       func(v1alpha1.Observation) []string

	// attach adds what other kinds tell of an observation to its network.
	attach func(*networks, v1alpha1.Observation)
	// join returns an observation that tells of its network's other objects: the one
	// given, if it does already, else a shallow copy.
	join func(*networks, v1alpha1.Observation) v1alpha1.Observation
	// joinedAs returns a shallow copy of an observation that tells of other objects
	// what another observation of the same object tells.
	joinedAs func(o, as v1alpha1.Observation) v1alpha1.Observation
}

// Mirrored reports whether the source mirrors this kind.
func (k *Kind) Mirrored(source *v1alpha1.InventorySource) bool {
	return k.Policy(source) != v1alpha1.MirrorPolicyIgnore
}

// LastListed returns when a source's status says that this kind was last listed
// whole, or else when the source began.
func (k *Kind) LastListed(source *v1alpha1.InventorySource) time.Time {
	if summary := *k.Summary(&source.Status); summary != nil && summary.LastListTime != nil {
		return summary.LastListTime.Time
	}
	return source.CreationTimestamp.Time
}

// knows reports whether this version knows what a phase means.
func (k *Kind) knows(phase string) bool {
	return phase == k.ReadyPhase || slices.Contains(k.OtherPhases, phase)
}
