// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"slices"
	"time"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
)

// MaxJoined is the largest number of entries in a list of objects of another kind, for example the
// clusters in the status of a network. A field next to the list has the number of all these
// objects.
const MaxJoined = 500

// maxJoinedSize is the largest size of a list of objects of another kind, in bytes of JSON. A status
// has at most four of these lists, and etcd accepts at most 1.5 MiB for an object.
const maxJoinedSize = 192 << 10

// Desired has the objects of one kind as they should be in the cluster. The key is the name.
// Callers must not change these objects, because other code uses the same objects.
type Desired map[string]Object

// Desire returns the objects of each kind as they should be in the cluster. existing are the
// objects that the owner has in the cluster. All slices have the order of kinds.
//
// The result has three sorts of objects. The first two have the content of their last listing since
// the start, the last the content in the cluster:
//
//   - listed objects that the selector selects,
//   - existing objects that are missing or that the selector no longer selects,
//   - existing objects that were not listed since the start, if they show objects of other kinds
//     wrongly.
//
// Objects of a kind that the owner ignores are not desired, and no other object shows them.
//
// A network shows its clusters, a cluster shows its connections, and so on. These lists also have
// missing objects, and objects that were not listed since the start. So no endpoint disappears
// because a listing failed. An object that is missing for a minute is marked in these lists, see
// longMissing.
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

// longMissing reports whether an object was missing for a minute at the last complete listing. A
// shorter absence changes nothing in observations that show the object: one listing is no proof, and
// with the default policy the object is deleted by then. If there was no listing since the start, the
// owner's status has the times.
func longMissing(kind *Kind, owner Owner, l *Ledger, o Object) bool {
	since, last := l.since(o.GetName()), l.Completed()
	if last.IsZero() {
		since, last = kind.claim(o, owner, missing), kind.LastListed(owner.Object)
	}
	return !since.IsZero() && last.Sub(since) >= time.Minute
}

// topics collects what observations show about observations of other kinds. The key is a *topic.
type topics map[any]interface{ sort() }

// sort sorts all lists. Each topic has its own order.
func (t topics) sort() {
	for _, lists := range t {
		lists.sort()
	}
}

// topic is one sort of fact that observations show about observations of another kind, for example
// the clusters of a network. The facts are stored under a key, for example the network's ID. The
// function Kind.attach adds facts, and Kind.join reads them.
type topic[T any] struct {
	// compare is the order of the facts under one key. It is nil if each key has only one fact.
	compare func(a, b T) int
}

// add adds values to a topic, under a key. It does nothing if the key is empty.
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

// of returns the values that a topic has under a key.
func (t *topic[T]) of(from topics, key string) []T {
	lists, _ := from[t].(keyed[T])
	return lists.values[key]
}

// first returns the first value that a topic has under a key. It returns the zero value if there is
// none.
func (t *topic[T]) first(from topics, key string) (value T) {
	if values := t.of(from, key); len(values) > 0 {
		return values[0]
	}
	return value
}

// bounded returns the first values that a topic has under a key, as many as fit into a status, and
// the number of all values.
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

// fitting returns how many of the first values fit into a list.
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

// keyed has the values of one topic, grouped by key.
type keyed[T any] struct {
	compare func(a, b T) int
	values  map[string][]T
	// fit is the number of values that fit into a status, for keys for which bounded was called.
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
