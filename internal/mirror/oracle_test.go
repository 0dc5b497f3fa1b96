// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	. "github.com/onsi/gomega"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
)

// hearing is one listing as the oracle remembers it.
type hearing struct {
	complete bool
	scope    string
	names    map[string]bool
	end      time.Time
}

// oracle tells by other means than the ledger's and the rules' what may be
// deleted: it keeps every listing as it came and reads the rules of the contract
// over them, word for word.
type oracle struct {
	// heard are the listings since the manager's start, by kind.
	heard [kindCount][]hearing
	// gone tells since when each object has been absent from every listing that
	// could tell, by kind and name; restarts do not end it.
	gone [kindCount]map[string]time.Time
	// seen has the scope of the last listing that held each object, by kind and name; restarts do
	// not end it.
	seen [kindCount]map[string]string
	// printed are the objects that each digest was printed for, by kind.
	printed [kindCount]map[string]string
	// latest is the digest printed last.
	latest string
}

func newOracle() *oracle {
	return &oracle{
		gone:    eachKind[time.Time](),
		seen:    eachKind[string](),
		printed: eachKind[string](),
	}
}

func (w *oracle) restart() { w.heard = [kindCount][]hearing{} }

// hear notes a listing.
func (w *oracle) hear(kind int, h hearing) {
	w.heard[kind] = append(w.heard[kind], h)
	for name := range h.names {
		delete(w.gone[kind], name)
		w.seen[kind][name] = h.scope
	}
}

// digests returns all that were printed, sorted.
func (w *oracle) digests() []string {
	var all []string
	for kind := range w.printed {
		all = append(all, sortedKeys(w.printed[kind])...)
	}
	return all
}

// last returns the last complete listing of a kind since the start.
func (w *oracle) last(kind int) (hearing, bool) {
	for _, h := range slices.Backward(w.heard[kind]) {
		if h.complete {
			return h, true
		}
	}
	return hearing{}, false
}

// misses returns in how many complete listings in a row, up to the last, all under
// one scope and none the first since the start, an object was not.
func (w *oracle) misses(kind int, name string) int {
	heard := w.heard[kind]
	first := slices.IndexFunc(heard, func(h hearing) bool { return h.complete })
	n, scope := 0, ""
	for i := len(heard) - 1; first >= 0 && i > first; i-- {
		h := heard[i]
		switch {
		case h.names[name], h.complete && scope != "" && h.scope != scope:
			return n
		case h.complete:
			scope = h.scope
			n++
		}
	}
	return n
}

// seenThrough returns the scope of the last listing since the start that held an
// object, "" if none did.
func (w *oracle) seenThrough(kind int, name string) string {
	for _, h := range slices.Backward(w.heard[kind]) {
		if h.names[name] {
			return h.scope
		}
	}
	return ""
}

// missing returns those of the source's observations that the last complete listing
// lacked and no listing since held.
func (w *oracle) missing(kind int, owned map[string]Object) []string {
	var missing []string
	for name, o := range owned {
		absent := false
		for _, h := range w.heard[kind] {
			if h.names[name] {
				absent = false
			} else if h.complete {
				absent = true
			}
		}
		if absent && !terminating(o) { // That is no longer there to be deleted.
			missing = append(missing, name)
		}
	}
	return missing
}

// judge holds what a plan deletes against the rules. before are the source's
// observations there were; fresh reports whether a complete listing led to the plan.
func (w *oracle) judge(h *history, kind int, plan *Plan, fresh bool, before map[string]Object) {
	missing := w.missing(kind, before)
	for _, name := range missing {
		if _, known := w.gone[kind][name]; !known {
			last, _ := w.last(kind)
			w.gone[kind][name] = last.end
		}
	}
	if plan.Held != nil {
		h.tally[plan.Held.Reason]++
		h.Expect(plan.Deletes).To(BeEmpty(), "what is held is held whole")
	}
	if !worldKinds[kind].Mirrored(h.source) {
		h.tally["ignored"] += len(plan.Deletes)
		for _, o := range before {
			h.Expect(slices.Contains(plan.Deletes, o)).To(Equal(!terminating(o)), "Ignore deletes all of a kind, once")
		}
		return
	}
	if len(plan.Deletes) > 0 {
		h.tally["pruned"]++
		w.judgeEach(h, kind, plan, fresh)
		w.judgeAll(h, kind, plan, missing, before)
	}
	if plan.Held != nil {
		w.latest = plan.Held.Digest
		w.printed[kind][plan.Held.Digest] = w.occasion(kind, heldNames(plan.Held))
	}
}

// compare holds what the observations say about being there against what was heard.
func (w *oracle) compare(h *history, kind int) {
	if !worldKinds[kind].Mirrored(h.source) || h.completed[kind].IsZero() {
		return
	}
	owned := map[string]Object{}
	for _, o := range h.owned(kind) {
		owned[o.GetName()] = o
	}
	missing := w.missing(kind, owned)
	for name, o := range owned {
		var want string
		switch {
		case terminating(o):
			continue
		case h.now.Sub(h.completed[kind]) >= 15*time.Minute: // 3 intervals of 5 minutes
			want = "Unknown/SourceStale"
		case slices.Contains(missing, name):
			want = "False/Missing"
		case w.seenThrough(kind, name) != "":
			want = "True/Listed"
		default: // Not heard of since the start.
			continue
		}
		h.Expect(brief(o, v1alpha1.ConditionObserved)).To(Equal(want), name)
	}
}

// judgeEach holds every deletion against rule 2, the grace period and Retain.
func (w *oracle) judgeEach(h *history, kind int, plan *Plan, fresh bool) {
	prune := h.source.Spec.Prune
	h.Expect(fresh).To(BeTrue(), "only what a complete listing has just led to deletes")
	h.Expect(prune.Policy).NotTo(Equal(v1alpha1.PrunePolicyRetain))
	for _, o := range plan.Deletes {
		name := o.GetName()
		h.Expect(w.misses(kind, name)).To(BeNumerically(">=", orDefault(prune.AfterMisses, 2)), "misses of %s", name)
		if prune.GracePeriod != nil {
			// Kubernetes keeps whole seconds of the time it went missing.
			since := w.gone[kind][name].Truncate(time.Second)
			h.Expect(h.now.Sub(since)).To(BeNumerically(">=", prune.GracePeriod.Duration), "grace of %s", name)
		}
	}
}

// judgeAll holds all deletions together against rule 4.
func (w *oracle) judgeAll(h *history, kind int, plan *Plan, missing []string, before map[string]Object) {
	percent := orDefault(h.source.Spec.Prune.MaxPercent, 20)
	names := namesOf(plan.Deletes)
	approval := h.source.Annotations[v1alpha1.AnnotationApprovePrune]
	if w.printed[kind][approval] == w.occasion(kind, names) {
		h.tally["approved"]++
		return
	}
	if percent == 100 {
		return
	}
	last, _ := w.last(kind)
	h.Expect(last.names).NotTo(BeEmpty(), "an empty listing deletes nothing")
	h.Expect(len(missing) <= 1 || len(missing)*100 <= percent*len(before)).To(BeTrue(), "%d of %d are missing", len(missing), len(before))
	for _, name := range names {
		if seen, ever := w.seen[kind][name]; ever { // Else someone else made it.
			h.Expect(seen).To(Equal(last.scope), "%s was last seen under another scope", name)
		}
	}
}

// occasion names objects and since when they have been gone.
func (w *oracle) occasion(kind int, names []string) string {
	var parts []string
	for _, name := range slices.Sorted(slices.Values(names)) {
		parts = append(parts, fmt.Sprintf("%s@%d", name, w.gone[kind][name].Unix()))
	}
	return strings.Join(parts, " ")
}

// heldNames reads the names of those held from the message.
func heldNames(held *Held) []string {
	_, rest, _ := strings.Cut(held.Message, "; held: ")
	names, _, _ := strings.Cut(rest, "; to delete them")
	return strings.Split(names, ", ")
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

func orDefault(n *int32, otherwise int) int {
	if n == nil {
		return otherwise
	}
	return int(*n)
}
