// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"maps"
	"slices"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
)

// Object is an object in the cluster that represents a cloud object. An InventorySource represents
// an environment. An observation represents any other cloud object. For example, a
// KafkaClusterObservation represents a Kafka cluster.
type Object interface {
	metav1.Object
	runtime.Object
}

// Kind describes one kind of cloud object, for example Kafka clusters.
type Kind struct {
	// Name is the kind's name in metrics, events and messages, for example "KafkaCluster".
	Name string
	// Condition is the type of a condition in a source's status. This condition reports the last
	// sync of this kind. Condition is "" for environments, because a discovery reports their last
	// sync in the discovery's condition Ready.
	Condition string
	// ReadyPhase is the phase of a cloud object that is ready, for example "PROVISIONED". In this
	// phase, the condition Ready of the observation is True. But Ready is Unknown in every phase if
	// the object is missing, or if the last complete listing is too old.
	ReadyPhase string
	// OtherPhases are the other known phases of a cloud object. In these phases, the condition
	// Ready of the observation is False.
	OtherPhases []string

	// InfoMetric is the name of a metric with one series for each observation. The labels of the
	// series are namespace, name, source, and the labels in InfoLabels. The function Info returns
	// the values of the labels in InfoLabels.
	InfoMetric string
	InfoLabels []string
	Info       func(v1alpha1.Observation) []string

	content

	// isMirrored reports whether a source mirrors this kind. isMirrored is nil for environments,
	// because a discovery always mirrors environments.
	isMirrored func(owner Object) bool
	// settingsOf returns a pointer to the settings of this kind, for example to
	// MirrorSettings.KafkaClusters. It also returns the policy for this kind. settingsOf is nil for
	// environments.
	settingsOf func(*v1alpha1.MirrorSettings) (field any, policy v1alpha1.MirrorPolicy)
	// summaryOf returns a pointer to this kind's counts of objects in the status of a source or
	// discovery.
	summaryOf func(owner Object) **v1alpha1.InventorySummary
	// isOwned reports whether an object belongs to a source or discovery. See [Owned] and
	// [Discovered].
	isOwned func(o Object, owner Owner) bool
	// claimedTime returns when an object went missing in the cloud, or when the discovery stopped
	// selecting the object. It reads this time from the cluster, for example from the status of the
	// source. It returns zero if the cluster does not have the time.
	claimedTime func(o Object, owner Owner, seen sight) time.Time
	// endAbsences removes times from the status of a source or discovery. See [Kind.EndAbsences].
	endAbsences func(owner Object, l *Ledger)
	// renderObject returns an object as it should be in the cluster.
	renderObject func(r rendering) Object

	// attachFacts adds facts about an object to t. Objects of other kinds show these facts. For
	// example, a network shows its clusters, so attachFacts of a Kafka cluster adds the cluster to
	// t. attachFacts is nil if no other kind shows facts about this kind.
	//
	// observedReason is ReasonMissing if the object has been missing in the cloud for a minute or
	// longer. For every other object, observedReason is "".
	attachFacts func(t topics, o Object, observedReason string)
	// joinFacts takes the facts about related objects from t. It returns a shallow copy of an
	// observation, and the copy shows these facts. If the observation already shows them, joinFacts
	// returns the observation itself. joinFacts is nil if this kind shows no facts about related
	// objects.
	joinFacts func(t topics, o Object) Object
	// withJoinedFacts returns a shallow copy of o that shows the same facts about related objects
	// as factSource. If this kind shows no such facts, withJoinedFacts returns o itself.
	// withJoinedFacts is nil for environments, so that the ledger always keeps the listed source,
	// never the cached source.
	withJoinedFacts func(o, factSource Object) Object

	// withLastName returns the source of a listed environment. If the listing gave no display name,
	// the result is a copy with the last known name. withLastName is nil for observations.
	//
	// lastListed is the source from an earlier listing. inCluster is the source in the cluster.
	// Each of the two can be nil.
	withLastName func(o, lastListed, inCluster Object, owner Owner) Object
	// environmentNames returns the display name of each environment. The key is the environment's
	// ID. A discovery uses these names to find the overrides for each source. environmentNames is
	// nil for observations.
	environmentNames func(facts Facts) map[string]string
	// selectorOf returns a function that reports whether a discovery selects the environment of a
	// source. selectorOf is nil for observations.
	selectorOf func(owner Owner) func(Object) bool
	// isReleased reports whether a source has the annotation unmanaged. A person sets this annotation
	// to release the source from its discovery. isReleased is nil for observations.
	isReleased func(Object) bool
	// listedBefore reports whether the cloud has ever listed the environment of a source, according
	// to the status of the discovery. listedBefore is nil for observations.
	listedBefore func(o Object, owner Owner) bool
	// remarksFor returns messages for users about the spec of a discovery, for example about an
	// override that selects no environment. remarksFor is nil for observations.
	remarksFor func(facts Facts, displayNames map[string]string, writes []Write) []string
}

// content has functions for the part of an object that the operator writes: the status of an
// observation, or the spec of a source.
type content struct {
	// InStatus is true if the operator writes the status of these objects, and false if the
	// operator writes the spec.
	InStatus bool
	id       func(Object) string
	stored   func(Object) any
	same     func(a, b Object) bool
	copy     func(dst, src Object)
	// phaseOf and troubleOf return the phase and the error that the cloud reported. conditionsOf
	// and observedOf return pointers to status.conditions and status.observed. These four functions
	// are nil for environments.
	phaseOf      func(Object) string
	troubleOf    func(Object) string
	conditionsOf func(Object) *[]metav1.Condition
	observedOf   func(Object) *string
}

// deep is the type constraint for a pointer to a status type S. The pointer must have the method
// DeepCopyInto.
type deep[S any] interface {
	*S
	DeepCopyInto(*S)
}

// observationParts has parts of the status of an observation: pointers to status.conditions and
// status.observed, and the error that the cloud reported.
type observationParts struct {
	conditions *[]metav1.Condition
	observed   *string
	trouble    string
}

// observationContent returns the content for observations of type O with a status of type S.
func observationContent[O, S any, P deep[S]](status func(*O) *S, parts func(*S) observationParts) content {
	of := func(o Object) *S { return status(any(o).(*O)) }
	// withoutConditions returns a shallow copy of the status without its conditions and without
	// status.observed.
	withoutConditions := func(o Object) *S {
		copied := *of(o)
		p := parts(&copied)
		*p.conditions, *p.observed = nil, ""
		return &copied
	}
	return content{
		InStatus:     true,
		id:           func(o Object) string { return o.(v1alpha1.Observation).CloudID() },
		stored:       func(o Object) any { return of(o) },
		same:         func(a, b Object) bool { return equality.Semantic.DeepEqual(withoutConditions(a), withoutConditions(b)) },
		copy:         func(dst, src Object) { P(of(src)).DeepCopyInto(of(dst)) },
		phaseOf:      func(o Object) string { return o.(v1alpha1.Observation).Phase() },
		troubleOf:    func(o Object) string { return parts(of(o)).trouble },
		conditionsOf: func(o Object) *[]metav1.Condition { return parts(of(o)).conditions },
		observedOf:   func(o Object) *string { return parts(of(o)).observed },
	}
}

// kindsOfSources has the kinds of cloud objects that a source mirrors.
var kindsOfSources []*Kind

// observationKind adds to k the functions that all kinds of observations share. It also adds k to
// kindsOfSources. summaryOf returns a pointer to the kind's counts of objects in the status of a
// source.
func observationKind(k Kind, settingsOf func(*v1alpha1.MirrorSettings) (any, v1alpha1.MirrorPolicy), summaryOf func(*v1alpha1.InventorySourceStatus) **v1alpha1.InventorySummary) *Kind {
	k.settingsOf = settingsOf
	k.isMirrored = func(owner Object) bool { return k.selected(&source(owner).Spec.MirrorSettings) }
	k.summaryOf = func(owner Object) **v1alpha1.InventorySummary {
		return summaryOf(&owner.(*v1alpha1.InventorySource).Status)
	}
	k.isOwned = func(o Object, owner Owner) bool { return Owned(o.(v1alpha1.Observation), owner.source()) }
	k.claimedTime = func(o Object, owner Owner, _ sight) time.Time { return k.missingSince(o, owner) }
	k.endAbsences = func(owner Object, l *Ledger) {
		if summary := *k.summaryOf(owner); summary != nil {
			before := len(summary.MissingObjects)
			summary.MissingObjects = slices.DeleteFunc(summary.MissingObjects, func(m v1alpha1.MissingObject) bool { return l.Listed(m.Name) })
			summary.Missing -= int32(before - len(summary.MissingObjects))
			for i := range summary.MissingObjects {
				m := &summary.MissingObjects[i]
				m.Since = *l.notBefore(m.Name, &m.Since)
			}
		}
	}
	if k.withJoinedFacts == nil {
		k.withJoinedFacts = func(o, _ Object) Object { return o }
	}
	k.renderObject = func(r rendering) Object { return withStamp(&k, r.lastContent, r.owner.source()) }
	kindsOfSources = append(kindsOfSources, &k)
	return &k
}

// selected reports whether a source with these settings mirrors this kind.
func (k *Kind) selected(s *v1alpha1.MirrorSettings) bool {
	_, policy := k.settingsOf(s)
	return policy != v1alpha1.MirrorPolicyIgnore
}

// Mirrored reports whether a source or discovery mirrors this kind.
func (k *Kind) Mirrored(owner Object) bool { return k.isMirrored == nil || k.isMirrored(owner) }

// Summary returns a pointer to this kind's counts of objects in the status of a source or
// discovery.
func (k *Kind) Summary(owner Object) **v1alpha1.InventorySummary { return k.summaryOf(owner) }

// EndAbsences removes times from the status of a source or discovery:
//
//   - the time at which an object went missing, if the cloud lists the object again
//   - the time at which a discovery stopped selecting an environment, if the discovery selects the
//     environment again, or if the cloud no longer lists the environment
//
// Write this status before the objects. Otherwise the old time stays if the manager ends between
// the two writes. The next absence of the object would begin at the old time, and the operator
// could delete the object before its grace period ends.
func (k *Kind) EndAbsences(owner Object, l *Ledger) { k.endAbsences(owner, l) }

// Owned reports whether an object of this kind belongs to a source or discovery.
func (k *Kind) Owned(o Object, owner Owner) bool { return k.isOwned(o, owner) }

// releases returns true if a source has the annotation unmanaged, which releases the source from
// its discovery. It returns false for an observation.
func (k *Kind) releases(o Object) bool { return k.isReleased != nil && k.isReleased(o) }

// ID returns the cloud ID of an object.
func (k *Kind) ID(o Object) string { return k.id(o) }

// Content returns a pointer to the part of an object that the operator writes: the status of an
// observation, or the spec of a source.
func (k *Kind) Content(o Object) any { return k.stored(o) }

// CopyContent makes a deep copy of the status of an observation, or of the spec of a source. It
// copies from src to dst.
func (k *Kind) CopyContent(dst, src Object) { k.copy(dst, src) }

// Phase returns the phase that the cloud gave for an object. It returns "" for environments.
func (k *Kind) Phase(o Object) string {
	if k.phaseOf == nil {
		return ""
	}
	return k.phaseOf(o)
}

// Trouble returns the error that the cloud reported for an object. It returns "" if there is no
// error.
func (k *Kind) Trouble(o Object) string {
	if k.troubleOf == nil {
		return ""
	}
	return k.troubleOf(o)
}

// Alike returns true if two versions of an object have the same labels, annotations,
// ownerReferences and content. The content is the status of an observation, or the spec of a
// source. Alike also compares whether the object is being deleted.
func (k *Kind) Alike(a, b Object) bool {
	return k.same(a, b) && equality.Semantic.DeepEqual(k.Conditions(a), k.Conditions(b)) && k.Observed(a) == k.Observed(b) &&
		maps.Equal(a.GetLabels(), b.GetLabels()) && maps.Equal(a.GetAnnotations(), b.GetAnnotations()) &&
		equality.Semantic.DeepEqual(a.GetOwnerReferences(), b.GetOwnerReferences()) && terminating(a) == terminating(b)
}

// Conditions returns the conditions of an observation. It returns nil for a source.
func (k *Kind) Conditions(o Object) []metav1.Condition {
	if k.conditionsOf == nil {
		return nil
	}
	return *k.conditionsOf(o)
}

// Observed returns status.observed of an observation: the reason of the condition Observed. It
// returns "" for a source.
func (k *Kind) Observed(o Object) string {
	if k.observedOf == nil {
		return ""
	}
	return *k.observedOf(o)
}

// LastListed returns the end of the last complete listing of this kind, from the status of the
// source or discovery. Before the first complete listing, it returns the creation time of the
// source or discovery.
func (k *Kind) LastListed(owner Object) time.Time {
	if summary := *k.summaryOf(owner); summary != nil && summary.LastListTime != nil {
		return summary.LastListTime.Time
	}
	return owner.GetCreationTimestamp().Time
}

// knowsPhase reports whether this version of the operator knows a phase.
func (k *Kind) knowsPhase(phase string) bool {
	return phase == k.ReadyPhase || slices.Contains(k.OtherPhases, phase)
}

// Owner is an InventorySource or an EnvironmentDiscovery. A source owns observations, and a
// discovery owns sources.
type Owner struct {
	Object
	// kind is the Kubernetes kind of the owner, for example InventorySource. Resource is the
	// owner's kind in kubectl commands, for example inventorysource.
	kind     string
	Resource string
	// Prune has the settings for the deletion of objects that are missing in the cloud.
	Prune v1alpha1.Prune
	// StaleAfter is the largest age of the last complete listing. If this listing is older, the
	// observations of the source become stale. 0 means that they never become stale.
	StaleAfter time.Duration
	// loadOverrides returns the settings that a discovery's spec has for single environments.
	// loadOverrides is nil for a source.
	loadOverrides func() *overrideSet
}

// SourceOwner returns a source as the owner of its observations.
func SourceOwner(s *v1alpha1.InventorySource) Owner {
	return Owner{Object: s, kind: "InventorySource", Resource: "inventorysource", Prune: s.Spec.Prune, StaleAfter: s.GetStaleAfter()}
}

// DiscoveryOwner returns a discovery as the owner of its sources.
func DiscoveryOwner(d *v1alpha1.EnvironmentDiscovery) Owner {
	return Owner{Object: d, kind: DiscoveryKind, Resource: "environmentdiscovery", Prune: d.Spec.Prune.AsPrune(),
		loadOverrides: sync.OnceValue(func() *overrideSet { return newOverrides(d) })}
}

// DiscoveryKind is the value of the field kind in an ownerReference to a discovery.
const DiscoveryKind = "EnvironmentDiscovery"

func (o Owner) source() *v1alpha1.InventorySource { return o.Object.(*v1alpha1.InventorySource) }

func (o Owner) discovery() *v1alpha1.EnvironmentDiscovery {
	return o.Object.(*v1alpha1.EnvironmentDiscovery)
}

// reference returns an ownerReference to the owner.
func (o Owner) reference() *metav1.OwnerReference {
	return metav1.NewControllerRef(o.Object, v1alpha1.GroupVersion.WithKind(o.kind))
}

// rendering is the input of Kind.renderObject.
type rendering struct {
	owner Owner
	// inCluster is the object in the cluster; nil if there is none. lastContent is the object as
	// the cloud last listed it. If no listing since the manager's start had the object, lastContent
	// is inCluster or a copy of it.
	lastContent, inCluster Object
	// displayName is the display name of the environment, from View.displayNames. nameKnown is
	// false if View.displayNames has no entry for the environment.
	displayName string
	nameKnown   bool
	sight       sight
	// since is when the object went missing in the cloud, or when the discovery stopped selecting
	// the object. It is zero if neither happened, or if the time is not known.
	since time.Time
}
