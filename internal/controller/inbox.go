// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"hash/maphash"
	"sync"

	"k8s.io/apimachinery/pkg/util/sets"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ccloud-dev/inventory-operator/internal/mirror"
)

// inbox collects the names of Kubernetes objects that another client, such as a user, may have
// changed. A watch adds the names, and the next reconcile takes them out. Each source or discovery
// has one inbox for each kind of object. An inbox is safe for concurrent use.
type inbox struct {
	mu sync.RWMutex
	// view says how the objects should be, according to the operator's last plan. It is nil if
	// there is no plan.
	view *mirror.View
	// names has the names that no reconcile has taken out yet.
	names sets.Set[string]
	// planning is true while a reconcile reads all objects and makes a new plan. During this time,
	// every changed object counts as changed by another client.
	planning bool
}

// begin empties the inbox before a reconcile reads all objects and makes a new plan. Until the
// reconcile calls finish, every changed object counts as changed by another client.
func (in *inbox) begin() {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.planning, in.names = true, nil
}

// finish stores a view, which says how the objects should be according to the new plan. From then
// on, hasDrifted compares objects with this view.
func (in *inbox) finish(view *mirror.View) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.planning, in.view = false, view
}

// renew replaces the view after a listing that found no changes in the cloud. The new view has
// the same objects as the old one, but the time of the new listing.
func (in *inbox) renew(view *mirror.View) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.view = view
}

// lastView returns how the objects should be, according to the last plan. It returns nil if there
// is no plan.
func (in *inbox) lastView() *mirror.View {
	in.mu.RLock()
	defer in.mu.RUnlock()
	return in.view
}

// hasDrifted reports whether an object differs from how it should be according to the last plan.
// While a reconcile makes a new plan, hasDrifted always returns true.
func (in *inbox) hasDrifted(o mirror.Object) bool {
	in.mu.RLock()
	defer in.mu.RUnlock()
	return in.planning || in.view.Drifted(o)
}

// put adds names of objects that another client may have changed.
func (in *inbox) put(names ...string) {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.names == nil {
		in.names = sets.New[string]()
	}
	in.names.Insert(names...)
}

// take returns all names and removes them from the inbox.
func (in *inbox) take() sets.Set[string] {
	in.mu.Lock()
	defer in.mu.Unlock()
	taken := in.names
	in.names = nil
	return taken
}

// checksum is the checksum of a set of objects. It covers their names and resourceVersions. The
// order of the objects does not matter.
type checksum uint64

var checksumSeed = maphash.MakeSeed()

// add adds an object to the set, and remove removes an object from the set.
func (c *checksum) add(o client.Object)    { *c += sumOf(o) }
func (c *checksum) remove(o client.Object) { *c -= sumOf(o) }

func sumOf(o client.Object) checksum {
	var h maphash.Hash
	h.SetSeed(checksumSeed)
	for _, part := range []string{o.GetName(), "\x00", o.GetResourceVersion()} {
		_, _ = h.WriteString(part) // Never fails.
	}
	return checksum(h.Sum64())
}

// census has one checksum for each kind of object of each source or discovery. The checksum covers
// the objects that a watch has reported. If the checksum is the same as after the last reconcile,
// the next reconcile need not read the objects. A census is safe for concurrent use.
type census struct {
	mu     sync.Mutex
	counts map[censusKey]checksum
}

type censusKey struct {
	kind             int
	namespace, owner string
}

// recordChange updates the checksums after a watch reports a change. ownerNameIn returns the name
// of an object's source or discovery. oldObject is the object before the change; nil if the object
// is new. newObject is the object after the change; nil if the object was deleted.
func (c *census) recordChange(kind int, ownerNameIn func(client.Object) string, oldObject, newObject client.Object) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.counts == nil {
		c.counts = map[censusKey]checksum{}
	}
	for _, change := range []struct {
		o    client.Object
		sign checksum
	}{{oldObject, ^checksum(0)}, {newObject, 1}} {
		if change.o == nil {
			continue
		}
		key := censusKey{kind, change.o.GetNamespace(), ownerNameIn(change.o)}
		if sum := c.counts[key] + change.sign*sumOf(change.o); sum == 0 {
			delete(c.counts, key)
		} else {
			c.counts[key] = sum
		}
	}
}

// sum returns the checksum of the objects of one kind that belong to one source or discovery.
func (c *census) sum(kind int, namespace, owner string) checksum {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.counts[censusKey{kind, namespace, owner}]
}
