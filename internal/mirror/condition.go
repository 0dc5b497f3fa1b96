// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"fmt"
	"strings"
	"time"
	"unicode"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
)

// sight is what the operator knows about an object in the cloud.
type sight int

const (
	// sightUnknown: since the operator's start, there was no complete listing, and no incomplete
	// listing had the object.
	sightUnknown sight = iota
	// sightListed: the object was in the last complete listing, or in a later, incomplete listing.
	sightListed
	// sightOutside: the cloud has the environment, but the discovery's selector does not select it.
	sightOutside
	// sightMissing: the last complete listing did not have the object.
	sightMissing
	// sightStale: the last complete listing is too old, so the object may no longer exist.
	sightStale
)

// maxMessage is the largest size of the message of a condition, in bytes.
const maxMessage = 1024

// conditionsFor returns the conditions Observed and Ready of an observation. If the cloud object is
// missing, the transition time of Observed is missingSince. All other transition times are zero.
//
// Do not put a time into a message. The time would change at every sync, and the operator would
// write every observation at every sync.
func conditionsFor(kind *Kind, o Object, seen sight, missingSince time.Time) []metav1.Condition {
	observed, ready := judged(kind, o, seen)
	observed.Type, ready.Type = v1alpha1.ConditionObserved, v1alpha1.ConditionReady
	// The spec of an observation never changes, so the observation's generation is always 1.
	observed.ObservedGeneration, ready.ObservedGeneration = 1, 1
	ready.Message = Truncate(ready.Message, maxMessage)
	if seen == sightMissing && !missingSince.IsZero() {
		observed.LastTransitionTime = metav1.NewTime(missingSince)
	}
	return []metav1.Condition{observed, ready}
}

func judged(kind *Kind, o Object, seen sight) (observed, ready metav1.Condition) {
	origin := o.(v1alpha1.Observation).Origin()
	environment := origin.Environment
	switch seen {
	case sightMissing:
		observed = condition(metav1.ConditionFalse, v1alpha1.ReasonMissing,
			fmt.Sprintf("absent from the last complete listing of environment %s", environment))
		return observed, condition(metav1.ConditionUnknown, v1alpha1.ReasonMissing, observed.Message)
	case sightStale:
		observed = condition(metav1.ConditionUnknown, v1alpha1.ReasonSourceStale,
			fmt.Sprintf("no complete listing of environment %s for too long; see InventorySource %s",
				environment, origin.SourceRef.Name))
		return observed, condition(metav1.ConditionUnknown, v1alpha1.ReasonSourceStale, observed.Message)
	}
	observed = condition(metav1.ConditionTrue, v1alpha1.ReasonListed,
		fmt.Sprintf("listed in environment %s", environment))
	return observed, phaseVerdict(kind, o)
}

func phaseVerdict(kind *Kind, o Object) metav1.Condition {
	phase := kind.phaseOf(o)
	message := "phase is " + phase
	if trouble := kind.troubleOf(o); trouble != "" {
		message += ": " + trouble
	}
	switch {
	case phase == kind.ReadyPhase:
		return condition(metav1.ConditionTrue, camelCase(phase), message)
	case phase == "":
		return condition(metav1.ConditionUnknown, v1alpha1.ReasonUnknownPhase, "the API gave no phase")
	case !kind.knowsPhase(phase):
		return condition(metav1.ConditionUnknown, v1alpha1.ReasonUnknownPhase,
			message+", which this version of the operator does not know")
	}
	return condition(metav1.ConditionFalse, camelCase(phase), message)
}

func condition(status metav1.ConditionStatus, reason, message string) metav1.Condition {
	return metav1.Condition{Status: status, Reason: reason, Message: message}
}

// camelCase turns the phase of a cloud object into a reason of a condition. For example,
// PENDING_ACCEPT becomes PendingAccept.
func camelCase(phase string) string {
	var b strings.Builder
	upper := true
	for _, r := range phase {
		switch {
		case r == '_':
			upper = true
		case upper:
			b.WriteRune(unicode.ToUpper(r))
			upper = false
		default:
			b.WriteRune(unicode.ToLower(r))
		}
	}
	return b.String()
}

// setConditions sets status.conditions and status.observed of an observation. The first of the
// given conditions must be Observed: its reason becomes status.observed.
func (k *Kind) setConditions(o Object, conditions []metav1.Condition) {
	*k.conditionsOf(o), *k.observedOf(o) = conditions, conditions[0].Reason
}

// hasConditions returns true if status.conditions and status.observed of an observation agree with
// the wanted conditions. If there are no wanted conditions, hasConditions returns true.
func (k *Kind) hasConditions(o Object, wanted []metav1.Condition) bool {
	return len(wanted) == 0 || *k.observedOf(o) == wanted[0].Reason && sameConditions(*k.conditionsOf(o), wanted)
}

// sameConditions reports whether the existing conditions equal the wanted conditions. If a wanted
// condition has no transition time, any transition time is right. Fractions of a second do not
// count, because the Kubernetes API does not store them.
func sameConditions(existing, wanted []metav1.Condition) bool {
	if len(existing) != len(wanted) {
		return false
	}
	for i := range wanted {
		got := meta.FindStatusCondition(existing, wanted[i].Type)
		if got == nil || got.Status != wanted[i].Status || got.Reason != wanted[i].Reason ||
			got.Message != wanted[i].Message || got.ObservedGeneration != wanted[i].ObservedGeneration {
			return false
		}
		if at := wanted[i].LastTransitionTime; !at.IsZero() && got.LastTransitionTime.Unix() != at.Unix() {
			return false
		}
	}
	return true
}

// withTimes returns the wanted conditions, each with a transition time. The transition time is the
// first of these times that exists:
//
//   - the time in the wanted condition,
//   - the time of the existing condition with the same type and status,
//   - the present time, now.
//
// withTimes ignores the time of an existing condition if the time is in the future. It also ignores
// the time 1970-01-01, which the API server puts into the status of a new observation.
func withTimes(existing, wanted []metav1.Condition, now time.Time) []metav1.Condition {
	out := make([]metav1.Condition, len(wanted))
	for i, c := range wanted {
		got := meta.FindStatusCondition(existing, c.Type)
		switch {
		case !c.LastTransitionTime.IsZero():
		case got != nil && got.Status == c.Status && got.LastTransitionTime.Unix() > 0 && !got.LastTransitionTime.After(now):
			c.LastTransitionTime = got.LastTransitionTime
		default:
			c.LastTransitionTime = metav1.NewTime(now)
		}
		out[i] = c
	}
	return out
}
