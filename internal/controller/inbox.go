// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"slices"
	"sync"

	"k8s.io/apimachinery/pkg/util/sets"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
	"github.com/ccloud-dev/inventory-operator/internal/mirror"
)

// inbox collects the names of a source's observations that someone else may have
// changed. Event filters put them in, by the view of the last plan; the worker takes
// them out. It is safe for concurrent use.
type inbox struct {
	mu sync.RWMutex
	// views tell drift from what the last plan made of the observations, by kind.
	views []*mirror.View
	// names are what was put in, by kind.
	names []sets.Set[string]
	// planning reports whether a whole plan is being made. Every change counts as
	// drift meanwhile.
	planning bool
}

func newInbox() inbox {
	return inbox{views: make([]*mirror.View, len(kinds)), names: make([]sets.Set[string], len(kinds))}
}

// begin says that observations are about to be read for a whole plan. What changes
// from then on is drift until done says otherwise.
func (in *inbox) begin() {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.planning = true
	clear(in.names)
}

// done replaces the views by those of a whole plan.
func (in *inbox) done(views []*mirror.View) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.planning = false
	copy(in.views, views)
}

// renew replaces the view of a kind.
func (in *inbox) renew(kind int, view *mirror.View) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.views[kind] = view
}

// view returns the view of a kind.
func (in *inbox) view(kind int) *mirror.View {
	in.mu.RLock()
	defer in.mu.RUnlock()
	return in.views[kind]
}

// drifted reports whether an observation of a kind may have been changed by someone
// else since the last plan.
func (in *inbox) drifted(kind int, o v1alpha1.Observation) bool {
	in.mu.RLock()
	defer in.mu.RUnlock()
	return in.planning || in.views[kind].Drifted(o)
}

// strange reports whether an observation of a kind that was created is none of the
// last plan's.
func (in *inbox) strange(kind int, o v1alpha1.Observation) bool {
	in.mu.RLock()
	defer in.mu.RUnlock()
	return in.views[kind].Strange(o)
}

// put keeps the names of observations that may have been changed by someone else.
func (in *inbox) put(kind int, names ...string) {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.names[kind] == nil {
		in.names[kind] = sets.New[string]()
	}
	in.names[kind].Insert(names...)
}

// take returns the names put in of each kind, and keeps them no longer.
func (in *inbox) take() []sets.Set[string] {
	in.mu.Lock()
	defer in.mu.Unlock()
	taken := slices.Clone(in.names)
	clear(in.names)
	return taken
}
