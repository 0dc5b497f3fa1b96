// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"slices"
	"time"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
)

// MaxJoined is the largest number of entries in a list that shows objects of another kind, for
// example in the list of clusters in the status of a network. A field next to the list has the
// number of all clusters.
const MaxJoined = 500

// maxJoinedSize is the largest size of a list that shows objects of another kind, in bytes of JSON.
// A status with four of these lists still fits into etcd.
const maxJoinedSize = 192 << 10

// Desired has the objects of one kind as they should be in the cluster, by name. Callers must not
// change these objects: the ledger has pointers to the same objects.
type Desired map[string]Object

// Desire returns the objects of each kind as they should be in the cluster. The parameter existing
// has the objects that belong to the owner in the cluster. All slices are in the order of the
// parameter kinds.
//
// The result has these objects:
//
//   - listed and selected objects: with the content from the listing,
//   - existing objects that are missing or no longer selected: with the content from their last
//     listing,
//   - existing objects that were not listed since the start: with the content in the cluster and
//     new facts about other kinds. If no fact is new, the result lacks the object.
//
// If the owner ignores a kind, the result has no objects of the kind, and other objects do not show
// objects of the kind.
//
// A network shows a list of clusters, a cluster shows a list of connections, and so on. The lists
// keep objects that are missing or were not listed since the start, so a failed listing removes no
// entry. A list marks an object that is missing for a minute or longer.
func Desire(owner Owner, kinds []*Kind, ledgers []*Ledger, existing [][]Object) []Desired {
	desired := make([]Desired, len(kinds))
	shown := topics{}
	attach := func(k *Kind, o Object, observed string) {
		if k.attach != nil {
			k.attach(shown, o, observed)
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
				if e.listed() && e.outside.IsZero() {
					all[name] = e.object
					attach(kind, e.object, "")
				}
			}
		}
		for _, o := range existing[i] {
			if all[o.GetName()] != nil {
				continue
			}
			observed := ""
			if longMissing(kind, owner, ledger, o) {
				observed = v1alpha1.ReasonMissing
			}
			if e, _ := ledger.entry(o.GetName()); e.object != nil {
				o = e.object
				all[o.GetName()] = o
			}
			attach(kind, o, observed)
		}
	}
	shown.sort()
	for i, there := range existing {
		kind, all := kinds[i], desired[i]
		if kind.join == nil || !kind.Mirrored(owner.Object) {
			continue
		}
		for name, o := range all {
			all[name] = kind.join(shown, o)
		}
		for _, o := range there {
			if all[o.GetName()] != nil {
				continue
			}
			if joined := kind.join(shown, o); joined != o {
				all[o.GetName()] = joined
			}
		}
	}
	return desired
}

// longMissing reports whether an object was missing for a minute or longer when the last complete
// listing ended. If there was no complete listing since the start, longMissing reads the times from
// the cluster.
func longMissing(kind *Kind, owner Owner, l *Ledger, o Object) bool {
	since, last := l.since(o.GetName()), l.Completed()
	if last.IsZero() {
		since, last = kind.claim(o, owner, missing), kind.LastListed(owner.Object)
	}
	return !since.IsZero() && last.Sub(since) >= time.Minute
}

// topics collects the facts that observations show about observations of other kinds. The key is a
// pointer to a topic.
type topics map[any]interface{ sort() }

// sort sorts all lists. Each topic has its own order.
func (t topics) sort() {
	for _, lists := range t {
		lists.sort()
	}
}

// topic is one type of fact that observations show about observations of another kind, for example
// the clusters of a network. Each fact has a key, for example the network's ID. The function
// Kind.attach adds facts, and Kind.join reads facts.
type topic[T any] struct {
	// compare sorts the facts with the same key. It is nil if each key has a single fact.
	compare func(a, b T) int
}

// add adds values with a key to a topic. It does nothing if the key is empty.
func (t *topic[T]) add(to topics, key string, values ...T) {
	if key == "" {
		return
	}
	lists, ok := to[t].(keyed[T])
	if !ok {
		lists = keyed[T]{t.compare, map[string][]T{}, map[string]int{}}
		to[t] = lists
	}
	lists.values[key] = append(lists.values[key], values...)
}

// of returns all values that a topic has for a key.
func (t *topic[T]) of(from topics, key string) []T {
	lists, _ := from[t].(keyed[T])
	return lists.values[key]
}

// first returns the first value that a topic has for a key. If there is no value, it returns the
// zero value.
func (t *topic[T]) first(from topics, key string) (value T) {
	if values := t.of(from, key); len(values) > 0 {
		return values[0]
	}
	return value
}

// bounded returns the values that a topic has for a key, and the number of all values. It leaves
// out the last values if they do not fit into a status.
func (t *topic[T]) bounded(from topics, key string) (first []T, all int32) {
	values := t.of(from, key)
	if len(values) == 0 {
		return nil, 0
	}
	fit := from[t].(keyed[T]).fit
	if _, known := fit[key]; !known {
		fit[key] = fitting(values)
	}
	return values[:fit[key]], int32(len(values))
}

// fitting returns how many values fit into a list.
func fitting[T any](values []T) int {
	values = values[:min(len(values), MaxJoined)]
	size := 0
	for i, value := range values {
		if size += jsonSize(value) + len(","); size > maxJoinedSize {
			return i
		}
	}
	return len(values)
}

// keyed has all values of one topic. It groups the values by key.
type keyed[T any] struct {
	compare func(a, b T) int
	values  map[string][]T
	// fit caches how many values of each key fit into a status.
	fit map[string]int
}

func (k keyed[T]) sort() {
	if k.compare == nil {
		return
	}
	for _, values := range k.values {
		slices.SortFunc(values, k.compare)
	}
}
