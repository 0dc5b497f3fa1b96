// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"slices"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
)

// Object is an object in the cluster that stands for a cloud object: an observation, or the
// InventorySource of an environment.
type Object interface {
	metav1.Object
	runtime.Object
}

// Kind is everything that planning must know of one kind of cloud object.
type Kind struct {
	// Name is the kind's name in metrics, events and messages: "KafkaCluster".
	Name string
	// Condition is the type of the owner's condition that reports how this kind's last sync went;
	// "" if only Ready reports it.
	Condition string
	// ReadyPhase is the phase in which an object is Ready.
	ReadyPhase string
	// OtherPhases are the other known phases. In them an object is not Ready.
	OtherPhases []string

	// InfoMetric is the name of the metric that has one series for each observation. InfoLabels are
	// its labels, in addition to the observation's namespace, name and source. Info returns the
	// values of InfoLabels.
	InfoMetric string
	InfoLabels []string
	Info       func(v1alpha1.Observation) []string

	content

	// mirrored reports whether an owner wants this kind. If mirrored is nil, every owner does.
	mirrored func(owner Object) bool
	// summary returns where an owner's status has the counts of this kind.
	summary func(owner Object) **v1alpha1.InventorySummary
	// owned reports whether an object is this owner's, see [Owned] and [Discovered].
	owned func(o Object, owner Owner) bool
	// claim returns the time since when an object's cloud object is missing or outside, as the
	// cluster says; zero if the cluster does not say so.
	claim func(o Object, owner Owner, seen sight) time.Time
	// render returns the object as it should be. See restamped and renderSource.
	render func(r rendering) Object

	// attach records an observation under its network. Observations of other kinds in that network
	// can then show it. attach, join and joinedAs are nil if the kind takes no part in this.
	attach func(*networks, Object)
	// join returns an observation that shows the other objects of its network. If the given
	// observation shows them already, join returns it; otherwise a shallow copy.
	join func(*networks, Object) Object
	// joinedAs returns a shallow copy of o that shows the same other objects as the observation from.
	// Both are observations of the same cloud object.
	joinedAs func(o, from Object) Object

	// withLastName returns a listed object with its earlier display name, if the listing gave no
	// name. It is nil if nothing depends on the names of the kind. former is the object as listed
	// before, inCluster is the object in the cluster; each is nil if there is none.
	withLastName func(o, former, inCluster Object) Object
	// scope returns a function that reports whether the owner's selector takes a listed object. It
	// is nil if the kind has no selector.
	scope func(owner Owner) func(Object) bool
	// released reports whether a person released the object from its owner. It is nil if objects of
	// the kind cannot be released.
	released func(Object) bool
	// listedBefore reports whether a listing of an earlier process had the object, as the owner's
	// status says. It is nil if people cannot hand over objects of the kind.
	listedBefore func(o Object, owner Owner) bool
	// remarks returns notes on the owner's spec for people, given the objects that the owner wants.
	// It is nil if the kind has none.
	remarks func(owner Owner, desired Desired) []string
}

// content says how to read, compare and copy the part of an object that the operator writes: the
// status of an observation, or the spec of a source.
type content struct {
	// InStatus reports whether the part is the status. The status has a subresource.
	InStatus bool
	id       func(Object) string
	stored   func(Object) any
	same     func(a, b Object) bool
	copy     func(to, from Object)
	// phase returns the cloud's own word for the phase. trouble returns what the cloud says went
	// wrong. conditions returns the conditions, observed the status's copy of the reason of
	// condition Observed. All four are nil for a kind without phases.
	phase      func(Object) string
	trouble    func(Object) string
	conditions func(Object) *[]metav1.Condition
	observed   func(Object) *string
}

// deep is a pointer to a status that can be copied.
type deep[S any] interface {
	*S
	DeepCopyInto(*S)
}

// observationParts are the parts of a status that do not come from a listing, and the trouble.
type observationParts struct {
	conditions *[]metav1.Condition
	observed   *string
	trouble    string
}

// observationContent returns the content of an observation of type O with a status of type S.
func observationContent[O, S any, P deep[S]](status func(*O) *S, parts func(*S) observationParts) content {
	of := func(o Object) *S { return status(any(o).(*O)) }
	// withoutConditions returns a shallow copy of the status without what the engine set.
	withoutConditions := func(o Object) *S {
		copied := *of(o)
		p := parts(&copied)
		*p.conditions, *p.observed = nil, ""
		return &copied
	}
	return content{
		InStatus:   true,
		id:         func(o Object) string { return o.(v1alpha1.Observation).CloudID() },
		stored:     func(o Object) any { return of(o) },
		same:       func(a, b Object) bool { return equality.Semantic.DeepEqual(withoutConditions(a), withoutConditions(b)) },
		copy:       func(to, from Object) { P(of(from)).DeepCopyInto(of(to)) },
		phase:      func(o Object) string { return o.(v1alpha1.Observation).Phase() },
		trouble:    func(o Object) string { return parts(of(o)).trouble },
		conditions: func(o Object) *[]metav1.Condition { return parts(of(o)).conditions },
		observed:   func(o Object) *string { return parts(of(o)).observed },
	}
}

// observationKind completes a kind of observation. policy reads from a source's spec whether it
// wants the kind. summary returns where the source's status has the kind's counts.
func observationKind(k Kind, policy func(*v1alpha1.InventorySourceSpec) v1alpha1.MirrorPolicy, summary func(*v1alpha1.InventorySourceStatus) **v1alpha1.InventorySummary) *Kind {
	k.mirrored = func(owner Object) bool {
		return policy(&owner.(*v1alpha1.InventorySource).Spec) != v1alpha1.MirrorPolicyIgnore
	}
	k.summary = func(owner Object) **v1alpha1.InventorySummary {
		return summary(&owner.(*v1alpha1.InventorySource).Status)
	}
	k.owned = func(o Object, owner Owner) bool { return Owned(o.(v1alpha1.Observation), owner.source()) }
	k.claim = func(o Object, _ Owner, _ sight) time.Time { return missingCondition(*k.conditions(o)) }
	k.render = func(r rendering) Object { return restamped(&k, r.base, r.owner.source()) }
	return &k
}

// Mirrored reports whether the owner mirrors this kind.
func (k *Kind) Mirrored(owner Object) bool { return k.mirrored == nil || k.mirrored(owner) }

// Summary returns where an owner's status has the counts of this kind.
func (k *Kind) Summary(owner Object) **v1alpha1.InventorySummary { return k.summary(owner) }

// Owned reports whether an object of this kind belongs to an owner.
func (k *Kind) Owned(o Object, owner Owner) bool { return k.owned(o, owner) }

// releases reports whether a person released the object from its owner.
func (k *Kind) releases(o Object) bool { return k.released != nil && k.released(o) }

// ID returns the ID that the cloud gave to the object's cloud object.
func (k *Kind) ID(o Object) string { return k.id(o) }

// Content returns a pointer to the part of an object that the operator writes: its status or its
// spec.
func (k *Kind) Content(o Object) any { return k.stored(o) }

// CopyContent gives an object a deep copy of another object's content.
func (k *Kind) CopyContent(to, from Object) { k.copy(to, from) }

// Phase returns the cloud's own word for an object's phase, "" for a kind without phases.
func (k *Kind) Phase(o Object) string {
	if k.phase == nil {
		return ""
	}
	return k.phase(o)
}

// Trouble returns what the cloud says went wrong with an object, or "".
func (k *Kind) Trouble(o Object) string {
	if k.trouble == nil {
		return ""
	}
	return k.trouble(o)
}

// Conditions returns an object's conditions; nil for a kind without conditions.
func (k *Kind) Conditions(o Object) []metav1.Condition {
	if k.conditions == nil {
		return nil
	}
	return *k.conditions(o)
}

// Observed returns the status's copy of the reason of condition Observed; "" for a kind without
// conditions.
func (k *Kind) Observed(o Object) string {
	if k.observed == nil {
		return ""
	}
	return *k.observed(o)
}

// LastListed returns when this kind's last complete listing ended, as the owner's status says. If
// there was none, it returns when the owner was created.
func (k *Kind) LastListed(owner Object) time.Time {
	if summary := *k.summary(owner); summary != nil && summary.LastListTime != nil {
		return summary.LastListTime.Time
	}
	return owner.GetCreationTimestamp().Time
}

// knows reports whether this version of the operator knows what a phase means.
func (k *Kind) knows(phase string) bool {
	return phase == k.ReadyPhase || slices.Contains(k.OtherPhases, phase)
}

// Owner is what planning knows of an InventorySource or an EnvironmentDiscovery.
type Owner struct {
	Object
	// kind is the owner's own kind. Resource is the word for it in kubectl commands.
	kind     string
	Resource string
	// Prune says when to delete an object whose cloud object is missing.
	Prune v1alpha1.Prune
	// StaleAfter is how long after the last complete listing the owner's objects turn stale; 0 if
	// they never do.
	StaleAfter time.Duration
	// overrides returns a discovery's overrides. It prepares them at the first call. It is nil for
	// a source.
	overrides func() []override
}

// SourceOwner returns a source as the owner of its observations.
func SourceOwner(s *v1alpha1.InventorySource) Owner {
	return Owner{Object: s, kind: "InventorySource", Resource: "inventorysource", Prune: s.Spec.Prune, StaleAfter: s.GetStaleAfter()}
}

// DiscoveryOwner returns a discovery as the owner of its sources.
func DiscoveryOwner(d *v1alpha1.EnvironmentDiscovery) Owner {
	return Owner{Object: d, kind: DiscoveryKind, Resource: "environmentdiscovery", Prune: d.Spec.Prune.AsPrune(),
		overrides: sync.OnceValue(func() []override { return newOverrides(d) })}
}

// DiscoveryKind is the kind in an ownerReference to a discovery.
const DiscoveryKind = "EnvironmentDiscovery"

func (o Owner) source() *v1alpha1.InventorySource { return o.Object.(*v1alpha1.InventorySource) }

func (o Owner) discovery() *v1alpha1.EnvironmentDiscovery {
	return o.Object.(*v1alpha1.EnvironmentDiscovery)
}

// reference returns the ownerReference that the owner's objects have.
func (o Owner) reference() *metav1.OwnerReference {
	return metav1.NewControllerRef(o.Object, v1alpha1.GroupVersion.WithKind(o.kind))
}

// rendering is the input of a kind's render.
type rendering struct {
	owner Owner
	// base is the object as last listed. If it was never listed, base is existing. existing is the
	// object in the cluster; nil if there is none yet.
	base, existing Object
	sight          sight
	// since is when the object was first known to be missing or outside; zero if it is neither.
	since time.Time
}
