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

// Object is an object in the cluster that represents a cloud object. It is an observation, or the
// InventorySource of an environment.
type Object interface {
	metav1.Object
	runtime.Object
}

// Kind has everything that planning must know about one kind of cloud object.
type Kind struct {
	// Name is the kind's name in metrics, events and messages, for example "KafkaCluster".
	Name string
	// Condition is the type of the owner's condition that reports the last sync of this kind. It is
	// "" if only Ready reports the sync.
	Condition string
	// ReadyPhase is the phase in which an object is Ready.
	ReadyPhase string
	// OtherPhases are the other known phases. An object in one of these phases is not Ready.
	OtherPhases []string

	// InfoMetric is the name of the metric that has one series for each observation. InfoLabels are
	// the metric's labels, in addition to the observation's namespace, name and source. Info
	// returns the values of InfoLabels.
	InfoMetric string
	InfoLabels []string
	Info       func(v1alpha1.Observation) []string

	content

	// mirrored reports whether an owner wants this kind. If mirrored is nil, every owner wants the
	// kind.
	mirrored func(owner Object) bool
	// summary returns a pointer to the field of the owner's status that has the counts of this
	// kind.
	summary func(owner Object) **v1alpha1.InventorySummary
	// owned reports whether an object belongs to an owner, see [Owned] and [Discovered].
	owned func(o Object, owner Owner) bool
	// claim returns when an object went missing or out of scope. It reads the time from the
	// cluster: from the object or from the owner's status. It returns zero if neither has the time.
	claim func(o Object, owner Owner, seen sight) time.Time
	// render returns an object as it should be, see restamped and renderSource.
	render func(r rendering) Object

	// attach adds to topics what others show of an observation. listed reports whether the cloud
	// object is listed. If that is not known yet, listed is true. attach is nil if others show
	// nothing of this kind.
	attach func(t topics, o Object, listed bool)
	// join returns an observation that shows what topics have for it. If the given observation
	// already shows that, join returns the given observation. Otherwise join returns a shallow copy.
	// join is nil if the kind shows nothing of others.
	join func(t topics, o Object) Object
	// joinedAs returns a shallow copy of o with the joined fields of model. Joined fields show
	// other objects. model is an observation of the same cloud object as o. If there are no such
	// fields, joinedAs returns o. It is nil for a kind that is no observation.
	joinedAs func(o, model Object) Object

	// withLastName returns a listed object with its earlier display name if the listing gave no
	// name. former is the object as it was listed before. inCluster is the object in the cluster.
	// Each of them is nil if it does not exist. withLastName is nil if nothing depends on the
	// display names of this kind.
	withLastName func(o, former, inCluster Object) Object
	// scope returns a function that reports whether the owner's selector selects a listed object.
	// scope is nil if the kind has no selector.
	scope func(owner Owner) func(Object) bool
	// released reports whether a person released the object from its owner. released is nil if
	// objects of this kind cannot be released.
	released func(Object) bool
	// listedBefore reports whether a listing of an earlier process had the object, as the owner's
	// status says. listedBefore is nil if people cannot hand over objects of this kind to an owner.
	listedBefore func(o Object, owner Owner) bool
	// remarks returns notes about the owner's spec, for people to read, given the facts and the
	// writes of a plan. remarks is nil if the kind has no such notes.
	remarks func(facts Facts, writes []Write) []string
}

// content has the functions that read, compare and copy the part of an object that the operator
// writes: the status of an observation, or the spec of a source.
type content struct {
	// InStatus reports whether that part is the status. The status is written through its own
	// subresource.
	InStatus bool
	id       func(Object) string
	stored   func(Object) any
	same     func(a, b Object) bool
	copy     func(dst, src Object)
	// phase returns the phase in the cloud's own words. trouble returns the cloud's own report of
	// what went wrong. conditions returns a pointer to the conditions. observed returns a pointer
	// to the field status.observed, a copy of the reason of condition Observed. All four functions
	// are nil for a kind without phases.
	phase      func(Object) string
	trouble    func(Object) string
	conditions func(Object) *[]metav1.Condition
	observed   func(Object) *string
}

// deep is a pointer to a status of type S. It has the method DeepCopyInto.
type deep[S any] interface {
	*S
	DeepCopyInto(*S)
}

// observationParts has pointers to the parts of a status that do not come from a listing. It also
// has the cloud's own report of what went wrong.
type observationParts struct {
	conditions *[]metav1.Condition
	observed   *string
	trouble    string
}

// observationContent returns the content of an observation of type O with a status of type S.
func observationContent[O, S any, P deep[S]](status func(*O) *S, parts func(*S) observationParts) content {
	of := func(o Object) *S { return status(any(o).(*O)) }
	// withoutConditions returns a shallow copy of the status without the parts that do not come
	// from a listing.
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
		copy:       func(dst, src Object) { P(of(src)).DeepCopyInto(of(dst)) },
		phase:      func(o Object) string { return o.(v1alpha1.Observation).Phase() },
		trouble:    func(o Object) string { return parts(of(o)).trouble },
		conditions: func(o Object) *[]metav1.Condition { return parts(of(o)).conditions },
		observed:   func(o Object) *string { return parts(of(o)).observed },
	}
}

// kindsOfSources are the kinds of observations. Each kind adds itself, see observationKind.
var kindsOfSources []*Kind

// observationKind adds to k the functions that all kinds of observations have in common. policy
// returns the kind's policy from a source's spec. summary returns a pointer to the field of the
// source's status that has the kind's counts.
func observationKind(k Kind, policy func(*v1alpha1.InventorySourceSpec) v1alpha1.MirrorPolicy, summary func(*v1alpha1.InventorySourceStatus) **v1alpha1.InventorySummary) *Kind {
	k.mirrored = func(owner Object) bool {
		return policy(&owner.(*v1alpha1.InventorySource).Spec) != v1alpha1.MirrorPolicyIgnore
	}
	k.summary = func(owner Object) **v1alpha1.InventorySummary {
		return summary(&owner.(*v1alpha1.InventorySource).Status)
	}
	k.owned = func(o Object, owner Owner) bool { return Owned(o.(v1alpha1.Observation), owner.source()) }
	k.claim = func(o Object, owner Owner, _ sight) time.Time { return k.missingSince(o, owner) }
	if k.joinedAs == nil {
		k.joinedAs = func(o, _ Object) Object { return o }
	}
	k.render = func(r rendering) Object { return restamped(&k, r.base, r.owner.source()) }
	kindsOfSources = append(kindsOfSources, &k)
	return &k
}

// Mirrored reports whether the owner mirrors this kind.
func (k *Kind) Mirrored(owner Object) bool { return k.mirrored == nil || k.mirrored(owner) }

// Summary returns a pointer to the field of the owner's status that has the counts of this kind.
func (k *Kind) Summary(owner Object) **v1alpha1.InventorySummary { return k.summary(owner) }

// Owned reports whether an object of this kind belongs to an owner.
func (k *Kind) Owned(o Object, owner Owner) bool { return k.owned(o, owner) }

// releases reports whether a person released the object from its owner.
func (k *Kind) releases(o Object) bool { return k.released != nil && k.released(o) }

// ID returns the cloud ID of an object.
func (k *Kind) ID(o Object) string { return k.id(o) }

// Content returns a pointer to the part of an object that the operator writes: its status or its
// spec.
func (k *Kind) Content(o Object) any { return k.stored(o) }

// CopyContent copies the content of src into dst. The copy is deep.
func (k *Kind) CopyContent(dst, src Object) { k.copy(dst, src) }

// Phase returns an object's phase in the cloud's own words; "" for a kind without phases.
func (k *Kind) Phase(o Object) string {
	if k.phase == nil {
		return ""
	}
	return k.phase(o)
}

// Trouble returns the cloud's own report of what went wrong with an object; "" if there is none.
func (k *Kind) Trouble(o Object) string {
	if k.trouble == nil {
		return ""
	}
	return k.trouble(o)
}

// Alike reports whether two versions of an object equal in all that an owner writes. For example, a
// source that only wrote its own status is alike to its discovery.
func (k *Kind) Alike(a, b Object) bool {
	return k.same(a, b) && equality.Semantic.DeepEqual(k.Conditions(a), k.Conditions(b)) && k.Observed(a) == k.Observed(b) &&
		maps.Equal(a.GetLabels(), b.GetLabels()) && maps.Equal(a.GetAnnotations(), b.GetAnnotations()) &&
		equality.Semantic.DeepEqual(a.GetOwnerReferences(), b.GetOwnerReferences()) && terminating(a) == terminating(b)
}

// Conditions returns an object's conditions; nil for a kind without conditions.
func (k *Kind) Conditions(o Object) []metav1.Condition {
	if k.conditions == nil {
		return nil
	}
	return *k.conditions(o)
}

// Observed returns an object's status.observed, the copy of the reason of condition Observed. It
// returns "" for a kind without conditions.
func (k *Kind) Observed(o Object) string {
	if k.observed == nil {
		return ""
	}
	return *k.observed(o)
}

// LastListed returns when the last complete listing of this kind ended, as the owner's status says.
// If there was no complete listing, LastListed returns when the owner was created.
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

// Owner has what planning must know about an InventorySource or an EnvironmentDiscovery.
type Owner struct {
	Object
	// kind is the owner's own kind, for example InventorySource. Resource is the name of this kind
	// in kubectl commands.
	kind     string
	Resource string
	// Prune says when to delete an object whose cloud object is missing.
	Prune v1alpha1.Prune
	// StaleAfter is the time from the last complete listing until the owner's objects turn stale; 0
	// if they never turn stale.
	StaleAfter time.Duration
	// overrides returns the overrides of a discovery. The first call prepares the overrides. The
	// function is nil for a source.
	overrides func() *overrides
}

// SourceOwner returns a source as the owner of its observations.
func SourceOwner(s *v1alpha1.InventorySource) Owner {
	return Owner{Object: s, kind: "InventorySource", Resource: "inventorysource", Prune: s.Spec.Prune, StaleAfter: s.GetStaleAfter()}
}

// DiscoveryOwner returns a discovery as the owner of its sources.
func DiscoveryOwner(d *v1alpha1.EnvironmentDiscovery) Owner {
	return Owner{Object: d, kind: DiscoveryKind, Resource: "environmentdiscovery", Prune: d.Spec.Prune.AsPrune(),
		overrides: sync.OnceValue(func() *overrides { return newOverrides(d) })}
}

// DiscoveryKind is the kind in an ownerReference to a discovery.
const DiscoveryKind = "EnvironmentDiscovery"

func (o Owner) source() *v1alpha1.InventorySource { return o.Object.(*v1alpha1.InventorySource) }

func (o Owner) discovery() *v1alpha1.EnvironmentDiscovery {
	return o.Object.(*v1alpha1.EnvironmentDiscovery)
}

// reference returns the ownerReference for the objects of the owner.
func (o Owner) reference() *metav1.OwnerReference {
	return metav1.NewControllerRef(o.Object, v1alpha1.GroupVersion.WithKind(o.kind))
}

// rendering is the input of the function render of a Kind.
type rendering struct {
	owner Owner
	// base is the object as it was last listed. If it was never listed, base is existing. existing
	// is the object in the cluster; nil if the object does not exist yet.
	base, existing Object
	sight          sight
	// since is when the object was first known to be missing or out of scope; zero if it is
	// neither.
	since time.Time
}
