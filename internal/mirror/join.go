// SPDX-License-Identifier: Apache-2.0

package mirror

import "slices"

// MaxJoined is the largest number of entries in a list that is joined from another kind. A field
// next to the list has the number of all entries.
const MaxJoined = 500

// Desired has the objects of one kind as they should be. The key is the object's name. The objects
// are shared and must not be changed.
type Desired map[string]Object

// Desire returns the objects of each kind as they should be, joined with the other kinds. The
// result has the objects that are listed and in scope. It also has existing objects that are
// missing or out of scope, with the content that was last listed. existing are the owner's own
// objects. All slices have the order of kinds.
//
// Missing objects, and objects whose kind was not listed since the start, take part in the join
// with their last known content. So no endpoint disappears because the listing of another kind
// failed.
func Desire(kinds []*Kind, ledgers []*Ledger, existing [][]Object) []Desired {
	desired := make([]Desired, len(kinds))
	shown := topics{}
	attach := func(k *Kind, o Object, listed bool) {
		if k.attach != nil {
			k.attach(shown, o, listed)
		}
	}
	for i, kind := range kinds {
		ledger, all := ledgers[i], Desired{}
		desired[i] = all
		if ledger != nil {
			for name, e := range ledger.entries {
				if e.listed() && e.outside.IsZero() {
					all[name] = e.object
					attach(kind, e.object, true)
				}
			}
		}
		for _, o := range existing[i] {
			if all[o.GetName()] != nil {
				continue
			}
			// Before the first complete listing only the cluster says what is missing.
			listed := ledger.Completed().IsZero() && missingCondition(kind.Conditions(o)).IsZero()
			if e, _ := ledger.entry(o.GetName()); e.object != nil {
				o = e.object
				all[o.GetName()] = o
			}
			attach(kind, o, listed)
		}
	}
	shown.sort()
	for i, kind := range kinds {
		if kind.join == nil {
			continue
		}
		for name, o := range desired[i] {
			desired[i][name] = kind.join(shown, o)
		}
	}
	return desired
}

// topics holds everything that observations show of other observations, by topic.
type topics map[any]interface{ sort() }

// sort sorts each list in the order of its topic.
func (t topics) sort() {
	for _, lists := range t {
		lists.sort()
	}
}

// topic is what observations show of others that have a key in common, a network's ID for example.
// A kind adds to a topic in attach, and reads topics in join. The topic is a variable in the file of
// the kind that adds to it.
type topic[T any] struct {
	// compare is the order in which values of the same key are shown. If it is nil, a key has one
	// value.
	compare func(a, b T) int
}

// add adds values under a key. An object without the key adds nothing.
func (t *topic[T]) add(to topics, key string, values ...T) {
	if key == "" {
		return
	}
	lists, ok := to[t].(keyed[T])
	if !ok {
		lists = keyed[T]{t.compare, map[string][]T{}}
		to[t] = lists
	}
	lists.values[key] = append(lists.values[key], values...)
}

// of returns the values of a key, in order.
func (t *topic[T]) of(from topics, key string) []T {
	lists, _ := from[t].(keyed[T])
	return lists.values[key]
}

// first returns the first value of a key; zero if it has none.
func (t *topic[T]) first(from topics, key string) (value T) {
	if values := t.of(from, key); len(values) > 0 {
		return values[0]
	}
	return value
}

// keyed has the values of one topic by their keys.
type keyed[T any] struct {
	compare func(a, b T) int
	values  map[string][]T
}

func (k keyed[T]) sort() {
	if k.compare == nil {
		return
	}
	for _, values := range k.values {
		slices.SortFunc(values, k.compare)
	}
}

// bounded returns the first MaxJoined entries of a joined list, and the number of all entries.
func bounded[T any](list []T) (first []T, all int32) {
	return list[:min(len(list), MaxJoined)], int32(len(list))
}
