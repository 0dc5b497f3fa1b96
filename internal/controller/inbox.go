// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"hash/maphash"
	"sync"

	"k8s.io/apimachinery/pkg/util/sets"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ccloud-dev/inventory-operator/internal/mirror"
)

// inbox collects the names of an owner's objects of one kind that someone else may have changed.
// Event filters compare objects with the view of the last plan and put names in. The worker takes
// them out. It is safe for concurrent use.
type inbox struct {
	mu sync.RWMutex
	// view is the view of the last plan.
	view *mirror.View
	// names are the names that were put in and not taken yet.
	names sets.Set[string]
	// planning reports whether a whole plan is being made. During that time every change counts as
	// drift.
	planning bool
}

// begin must be called before objects are read for a whole plan. From then on every change counts
// as drift, until finish is called.
func (in *inbox) begin() {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.planning, in.names = true, nil
}

// finish ends begin, with the view of the new plan.
func (in *inbox) finish(view *mirror.View) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.planning, in.view = false, view
}

// renew replaces the view when no whole plan was made.
func (in *inbox) renew(view *mirror.View) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.view = view
}

// viewed returns the view of the last whole plan.
func (in *inbox) viewed() *mirror.View {
	in.mu.RLock()
	defer in.mu.RUnlock()
	return in.view
}

// drifted reports whether someone else may have changed an object since the last plan.
func (in *inbox) drifted(o mirror.Object) bool {
	in.mu.RLock()
	defer in.mu.RUnlock()
	return in.planning || in.view.Drifted(o)
}

// put adds names of objects that someone else may have changed.
func (in *inbox) put(names ...string) {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.names == nil {
		in.names = sets.New[string]()
	}
	in.names.Insert(names...)
}

// take returns the names and empties the inbox.
func (in *inbox) take() sets.Set[string] {
	in.mu.Lock()
	defer in.mu.Unlock()
	taken := in.names
	in.names = nil
	return taken
}

// checksum is the checksum of a set of objects, each in one version. The order in which objects are
// added and removed does not matter.
type checksum uint64

var checksumSeed = maphash.MakeSeed()

// add adds an object, remove removes one.
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

// census has, for every owner, a checksum of the objects that claim the owner, as the watches show
// them. It has owners that the manager does not know, too. A sync whose listings are unchanged
// compares this checksum with the expected one. So it notices that a watch missed something,
// without reading an object. It is safe for concurrent use.
type census struct {
	mu     sync.Mutex
	counts map[censusKey]checksum
}

type censusKey struct {
	kind             int
	namespace, owner string
}

// moved notes that the watch shows another version of an object. before is nil for a new object,
// after for a deleted one.
func (c *census) moved(kind int, claimant func(client.Object) string, before, after client.Object) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.counts == nil {
		c.counts = map[censusKey]checksum{}
	}
	for _, change := range []struct {
		o    client.Object
		sign checksum
	}{{before, ^checksum(0)}, {after, 1}} {
		if change.o == nil {
			continue
		}
		key := censusKey{kind, change.o.GetNamespace(), claimant(change.o)}
		if sum := c.counts[key] + change.sign*sumOf(change.o); sum == 0 {
			delete(c.counts, key)
		} else {
			c.counts[key] = sum
		}
	}
}

// sum returns the checksum of the objects that claim an owner.
func (c *census) sum(kind int, namespace, owner string) checksum {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.counts[censusKey{kind, namespace, owner}]
}
