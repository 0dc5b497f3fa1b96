// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"slices"
	"time"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
)

// MaxJoined is the largest number of entries in a list of related objects, for example in the list
// of clusters in a network's status.
const MaxJoined = 500

// maxJoinedSize is the largest size of a list of related objects, in bytes of JSON. A status with
// four full lists still fits into etcd.
const maxJoinedSize = 192 << 10

// Desired has the objects of one kind as they should be in the cluster. The key is the object's
// name. Do not change the objects: a Ledger points to the same objects.
type Desired map[string]Object

// Desire returns the objects of each kind as they should be in the cluster. existingObjects has the
// owner's objects of each kind in the cluster; nil for a kind whose objects the operator may not
// read. All slices have the kinds in the same order. The result has these objects:
//
//   - Objects that the cloud lists and the owner selects. Their content comes from the listing.
//   - Existing objects that are missing in the cloud, or that the owner no longer selects. Their
//     content comes from the last listing that had them.
//   - Existing objects that were not listed since the operator's start, if the facts that they show
//     about related objects change. The rest of their content comes from the cluster.
//
// If the owner does not mirror a kind, the result has no objects of this kind, and objects of other
// kinds do not show them.
//
// An object can show related objects. For example, a network shows a list of its clusters:
//
//   - An object that exists in Kubernetes stays in the list. So a failed listing removes no entry.
//   - If an object is missing in the cloud for a minute or longer, its entry says this.
//   - If the operator may not read the objects of one mirrored kind, all lists in existing objects
//     stay as they were.
func Desire(owner Owner, kinds []*Kind, ledgers []*Ledger, existingObjects [][]Object) []Desired {
	desired := make([]Desired, len(kinds))
	shown := topics{}
	attach := func(k *Kind, o Object, observed string) {
		if k.attachFacts != nil {
			k.attachFacts(shown, o, observed)
		}
	}
	for i, kind := range kinds {
		ledger, all := ledgers[i], Desired{}
		desired[i] = all
		if !kind.Mirrored(owner.Object) {
			continue
		}
		if ledger != nil {
			for name, e := range ledger.entries {
				if e.listed() && e.outsideSince.IsZero() {
					all[name] = e.object
					attach(kind, e.object, "")
				}
			}
		}
		for _, o := range existingObjects[i] {
			if all[o.GetName()] != nil {
				continue
			}
			observed := ""
			if longMissing(kind, owner, ledger, o) {
				observed = v1alpha1.ReasonMissing
			}
			if e, _ := ledger.entryOf(o.GetName()); e.object != nil {
				o = e.object
				all[o.GetName()] = o
			}
			attach(kind, o, observed)
		}
	}
	shown.sort()
	readAll := true
	for i, kind := range kinds {
		readAll = readAll && (existingObjects[i] != nil || !kind.Mirrored(owner.Object))
	}
	for i, there := range existingObjects {
		kind, all := kinds[i], desired[i]
		if kind.joinFacts == nil || !kind.Mirrored(owner.Object) {
			continue
		}
		for name, o := range all {
			all[name] = kind.joinFacts(shown, o)
		}
		for _, o := range there {
			switch listed := all[o.GetName()]; {
			case listed != nil && !readAll && kind.id(listed) == kind.id(o):
				all[o.GetName()] = kind.withJoinedFacts(listed, o)
			case listed == nil && readAll:
				if joined := kind.joinFacts(shown, o); joined != o {
					all[o.GetName()] = joined
				}
			}
		}
	}
	return desired
}

// longMissing reports whether an object is missing in the cloud for a minute or longer. The time is
// counted to the end of the last complete listing.
func longMissing(kind *Kind, owner Owner, l *Ledger, o Object) bool {
	since, last := l.sinceOf(o.GetName()), l.Completed()
	if last.IsZero() {
		since, last = kind.claimedTime(o, owner, sightMissing), kind.LastListed(owner.Object)
	}
	return !since.IsZero() && last.Sub(since) >= time.Minute
}

// topics has the facts that observations show about related objects, for example the clusters of
// each network. The key is a pointer to a topic. The value has all facts of this topic.
type topics map[any]interface{ sort() }

// sort sorts all lists of facts.
func (t topics) sort() {
	for _, lists := range t {
		lists.sort()
	}
}

// topic is a type of fact about related objects, for example "the clusters of a network". Each fact
// has a key, for example the ID of the network.
type topic[T any] struct {
	// compareFacts gives the order of facts with the same key. It is nil if each key has a single
	// fact.
	compareFacts func(a, b T) int
}

// addFacts adds facts of the topic t to the facts that allTopics has for a key. It does nothing if
// the key is empty.
func (t *topic[T]) addFacts(allTopics topics, key string, values ...T) {
	if key == "" {
		return
	}
	lists, ok := allTopics[t].(factsByKey[T])
	if !ok {
		lists = factsByKey[T]{t.compareFacts, map[string][]T{}, map[string]int{}}
		allTopics[t] = lists
	}
	lists.byKey[key] = append(lists.byKey[key], values...)
}

// factsOf returns all facts that the topic has for a key.
func (t *topic[T]) factsOf(from topics, key string) []T {
	lists, _ := from[t].(factsByKey[T])
	return lists.byKey[key]
}

// firstFact returns the first fact that t has for a key. If there is no such fact, the result is
// the zero value.
func (t *topic[T]) firstFact(from topics, key string) (value T) {
	if values := t.factsOf(from, key); len(values) > 0 {
		return values[0]
	}
	return value
}

// boundedFacts returns the facts that the topic has for a key, and their number. If the facts do
// not fit into a status, boundedFacts leaves out the last facts, but counts them.
func (t *topic[T]) boundedFacts(from topics, key string) (first []T, all int32) {
	values := t.factsOf(from, key)
	if len(values) == 0 {
		return nil, 0
	}
	fit := from[t].(factsByKey[T]).fitCounts
	if _, known := fit[key]; !known {
		fit[key] = fittingCount(values)
	}
	return values[:fit[key]], int32(len(values))
}

// fittingCount returns how many of the values, from the first one on, fit into a list in a status.
func fittingCount[T any](values []T) int {
	values = values[:min(len(values), MaxJoined)]
	if jsonSize(values) <= maxJoinedSize {
		return len(values)
	}
	size := len("[]")
	for i, value := range values {
		if size += jsonSize(value) + len(","); size > maxJoinedSize {
			return i
		}
	}
	return len(values)
}

// factsByKey has all facts of one topic.
type factsByKey[T any] struct {
	compareFacts func(a, b T) int
	byKey        map[string][]T
	// fitCounts caches how many facts of each key fit into a list in a status.
	fitCounts map[string]int
}

func (k factsByKey[T]) sort() {
	if k.compareFacts == nil {
		return
	}
	for _, values := range k.byKey {
		slices.SortFunc(values, k.compareFacts)
	}
}
