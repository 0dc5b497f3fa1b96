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
	missingFor  time.Duration // since the first of them
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
	if b.missing <= 1 || limit >= neverHolds || b.missing*100 <= limit*b.total {
		return nil
	}
	return &hold{v1alpha1.ReasonShareExceeded,
		fmt.Sprintf("%d of %d are missing, more than prune.maxPercent (%d)", b.missing, b.total, limit)}
}

// notFresh holds everything in a plan that no complete listing of its own led to.
func notFresh(b batch) *hold {
	if b.fresh {
		return nil
	}
	return &hold{message: "the last listing is not of this sync or was not complete"}
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
	observations := make([]v1alpha1.Observation, len(b.absentees))
	for i, a := range b.absentees {
		observations[i] = a.observation
	}
	slices.SortFunc(observations, byName)
	digest := Digest(p.Kind, observations)
	for _, rule := range batchRules {
		held := rule(b)
		switch {
		case held == nil:
		case held.reason == "":
			return
		case !Approved(p.Source, digest):
			p.Held = newHeld(p.Kind, held, digest, observations)
			return
		}
	}
	p.Deletes = observations
	p.dropPlanned(observations)
}

func firstHold(rules []func(v1alpha1.Prune, absentee) *hold, prune v1alpha1.Prune, a absentee) *hold {
	for _, rule := range rules {
		if held := rule(prune, a); held != nil {
			return held
		}
	}
	return nil
}

// dropPlanned takes back the writes to observations that are to be deleted.
func (p *planner) dropPlanned(deletes []v1alpha1.Observation) {
	p.Writes = slices.DeleteFunc(p.Writes, func(w Write) bool {
		return w.Existing != nil && slices.Contains(deletes, w.Existing)
	})
}

// digestDigits is how many hex digits a digest has.
const digestDigits = 12

// Digest names exactly these observations of this kind, in any order.
func Digest(kind *Kind, observations []v1alpha1.Observation) string {
	lines := make([]string, len(observations))
	for i, o := range observations {
		lines[i] = kind.Name + "/" + o.GetName() + "/" + string(o.GetUID())
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

func newHeld(kind *Kind, why *hold, digest string, observations []v1alpha1.Observation) *Held {
	names := make([]string, len(observations))
	for i, o := range observations {
		names[i] = o.GetName()
	}
	return &Held{
		Reason: why.reason,
		Message: fmt.Sprintf("%s: %s; held: %s; to delete them set the annotation %s=%s",
			kind.Name, why.message, Names(names), v1alpha1.AnnotationApprovePrune, digest),
		Digest: digest,
		Count:  len(observations),
	}
}

// Names joins names for a message, at most ten of them, and counts the rest.
func Names(names []string) string {
	if len(names) <= maxNames {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:maxNames], ", "), len(names)-maxNames)
}
