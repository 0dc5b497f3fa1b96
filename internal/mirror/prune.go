// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
)

// absentee is an observation whose cloud object is missing.
type absentee struct {
	observation v1alpha1.Observation
	misses      int           // complete listings in a row without it
	since       time.Time     // when the first of them was noted on it
	missingFor  time.Duration // from then to now
	// moved tells whether the object was last seen under another scope: through
	// another endpoint, credential or filter than the listings that lack it.
	moved bool
}

// hold is why something is not deleted now. The nil hold allows it.
type hold struct {
	// reason is the PruneHeld condition's. It is "" where no person is asked,
	// because the spec or time alone decides.
	reason  string
	message string
}

// absenteeRules say, in this order, whether one missing observation may be
// deleted. The first that holds ends it. They ask for time or for the user's own
// policy, so what they hold is not reported: it is as the spec says.
var absenteeRules = []func(v1alpha1.Prune, absentee) *hold{
	retained,
	unconfirmed,
	inGrace,
}

// batch is all that would be deleted of one kind at once, and what it is judged by.
type batch struct {
	prune     v1alpha1.Prune
	absentees []absentee
	missing   int  // missing observations, those held by absenteeRules too
	total     int  // observations of the kind
	empty     bool // the last complete listing was empty
	fresh     bool // this sync listed the kind completely
}

// batchRules say, in this order, whether a batch looks like what a cloud in
// trouble or a key that sees too little would make of the listing. What they
// hold with a reason, a person can let through.
var batchRules = []func(batch) *hold{
	listingEmpty,
	shareExceeded,
	scopeChanged,
	notFresh,
}

// retained holds everything under policy Retain.
func retained(prune v1alpha1.Prune, _ absentee) *hold {
	if prune.Policy == v1alpha1.PrunePolicyRetain {
		return &hold{message: "prune.policy is Retain"}
	}
	return nil
}

// unconfirmed holds an observation until enough complete listings lacked it.
func unconfirmed(prune v1alpha1.Prune, a absentee) *hold {
	if need := prune.GetAfterMisses(); a.misses < need {
		return &hold{message: fmt.Sprintf("missed %d of %d times", a.misses, need)}
	}
	return nil
}

// inGrace holds an observation for the grace period.
func inGrace(prune v1alpha1.Prune, a absentee) *hold {
	if grace := prune.GetGracePeriod(); a.missingFor < grace {
		return &hold{message: fmt.Sprintf("missing for %s of %s", a.missingFor, grace)}
	}
	return nil
}

// neverHolds is the maxPercent that switches the rules for batches off.
const neverHolds = 100

// listingEmpty holds everything where nothing was listed at all.
func listingEmpty(b batch) *hold {
	if !b.empty || b.prune.GetMaxPercent() >= neverHolds {
		return nil
	}
	return &hold{v1alpha1.ReasonListingEmpty, fmt.Sprintf("the listing is empty although there are %d observations", b.total)}
}

// shareExceeded holds everything where too large a share of the kind is missing.
// A single missing object is never too large a share.
func shareExceeded(b batch) *hold {
	limit := b.prune.GetMaxPercent()
	if b.missing <= 1 || b.missing*100 <= limit*b.total {
		return nil
	}
	return &hold{v1alpha1.ReasonShareExceeded,
		fmt.Sprintf("%d of %d are missing, more than prune.maxPercent (%d)", b.missing, b.total, limit)}
}

// scopeChanged holds everything where an object was last seen through another
// endpoint, credential or filter: perhaps it is only out of sight.
func scopeChanged(b batch) *hold {
	var moved int
	for _, a := range b.absentees {
		if a.moved {
			moved++
		}
	}
	if moved == 0 || b.prune.GetMaxPercent() >= neverHolds {
		return nil
	}
	return &hold{v1alpha1.ReasonScopeChanged,
		fmt.Sprintf("last seen with another endpoint, credential or filter: %d of %d", moved, len(b.absentees))}
}

// notFresh holds everything in a plan that no complete listing has just led to.
func notFresh(b batch) *hold {
	if b.fresh {
		return nil
	}
	return &hold{message: "the last listing was not complete, or not just now"}
}

// Held is a prune that waits for a person's approval.
type Held struct {
	// Reason is the PruneHeld condition's reason.
	Reason string
	// Message says what is held and why, and how to let it through.
	Message string
	// Digest names exactly the objects held. Approving it lets them through.
	Digest string
	// Count is the number of observations held.
	Count int
}

// prune puts those missing observations that may be deleted in the plan.
func (p *planner) prune() {
	b := batch{
		prune:   p.Source.Spec.Prune,
		missing: len(p.missing),
		total:   len(p.Existing),
		empty:   p.Ledger != nil && p.Ledger.empty,
		fresh:   p.Fresh,
	}
	for _, a := range p.missing {
		if held := firstHold(absenteeRules, b.prune, a); held == nil {
			b.absentees = append(b.absentees, a)
		}
		if p.Fresh && retained(b.prune, a) == nil && unconfirmed(b.prune, a) != nil {
			p.Unconfirmed = true
		}
	}
	if len(b.absentees) == 0 {
		return
	}
	slices.SortFunc(b.absentees, func(a, b absentee) int { return byName(a.observation, b.observation) })
	digest := digest(p.Kind, b.absentees)
	var asked *hold // what a person let through
	for _, rule := range batchRules {
		held := rule(b)
		switch {
		case held == nil:
		case held.reason != "" && Approved(p.Source, digest):
			asked = held
		case held.reason != "":
			p.Held = newHeld(p.Kind, held, digest, b.absentees)
			return
		default:
			if asked != nil { // Approved, and waits for a listing that says so too.
				p.Held = newHeld(p.Kind, asked, digest, b.absentees)
			}
			return
		}
	}
	p.delete(b.absentees)
}

// delete plans the deletion of observations, and takes back the writes to them.
func (p *planner) delete(absentees []absentee) {
	deleted := make(map[v1alpha1.Observation]bool, len(absentees))
	for _, a := range absentees {
		deleted[a.observation] = true
		p.Deletes = append(p.Deletes, a.observation)
	}
	p.Writes = slices.DeleteFunc(p.Writes, func(w Write) bool { return deleted[w.Existing] })
}

func firstHold(rules []func(v1alpha1.Prune, absentee) *hold, prune v1alpha1.Prune, a absentee) *hold {
	for _, rule := range rules {
		if held := rule(prune, a); held != nil {
			return held
		}
	}
	return nil
}

// digestDigits is how many hex digits a digest has.
const digestDigits = 12

// digest names exactly these observations of this kind, in any order, and that
// they went missing when they did: an approval does not outlive its occasion.
func digest(kind *Kind, absentees []absentee) string {
	lines := make([]string, len(absentees))
	for i, a := range absentees {
		lines[i] = fmt.Sprintf("%s/%s/%s/%d", kind.Name, a.observation.GetName(), a.observation.GetUID(), a.since.Unix())
	}
	slices.Sort(lines)
	sum := sha256.Sum256([]byte(strings.Join(lines, "\n")))
	return hex.EncodeToString(sum[:])[:digestDigits]
}

// Approved tells whether the source's approvePrune annotation names a digest.
func Approved(source *v1alpha1.InventorySource, digest string) bool {
	for approval := range strings.SplitSeq(source.Annotations[v1alpha1.AnnotationApprovePrune], ",") {
		if strings.TrimSpace(approval) == digest {
			return true
		}
	}
	return false
}

// maxNames is how many names a message lists before it only counts.
const maxNames = 10

func newHeld(kind *Kind, why *hold, digest string, absentees []absentee) *Held {
	names := make([]string, len(absentees))
	for i, a := range absentees {
		names[i] = a.observation.GetName()
	}
	return &Held{
		Reason: why.reason,
		Message: fmt.Sprintf("%s: %s; held: %s; to delete them set the annotation %s=%s",
			kind.Name, why.message, Names(names), v1alpha1.AnnotationApprovePrune, digest),
		Digest: digest,
		Count:  len(absentees),
	}
}

// Names joins names for a message, at most ten of them, and counts the rest.
func Names(names []string) string {
	if len(names) <= maxNames {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:maxNames], ", "), len(names)-maxNames)
}
