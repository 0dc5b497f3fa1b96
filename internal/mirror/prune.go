// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
)

// chain has the rules for the deletion of missing objects, see docs/decisions/0003-prune-rules.md.
type chain struct {
	// These rules judge one object at a time. An object is deleted only if all of these rules allow
	// the deletion.
	each []func(v1alpha1.Prune, absentee) ruling
	// These rules judge the objects to delete as a group. They detect a listing that lacks too many
	// objects, for example because the API key lost rights.
	batch []func(batch) ruling
}

var pruneChain = chain{
	each: []func(v1alpha1.Prune, absentee) ruling{
		retained,    // waits if the policy is Retain
		unconfirmed, // waits until afterMisses complete listings in a row lacked the object
		inGrace,     // waits until gracePeriod has passed
	},
	batch: []func(batch) ruling{
		// A person must approve the deletion
		listingEmpty,  // if the last complete listing was empty,
		shareExceeded, // if more than maxPercent of the objects are missing,
		scopeChanged,  // if the objects may still exist in the cloud.
		notFresh,      // waits until a complete listing has ended
	},
}

// verdict is a rule's decision about a deletion.
type verdict int

const (
	// verdictAllow means that the rule allows the deletion.
	verdictAllow verdict = iota
	// verdictWait means that the deletion must wait, for example for the end of a grace period. A
	// person's approval does not end the wait.
	verdictWait
	// verdictAsk means that a person must approve the deletion.
	verdictAsk
)

// ruling is the verdict of a rule, with a reason and a message if a person must approve the
// deletion.
type ruling struct {
	verdict verdict
	// reason and message go into the condition PruneHeld.
	reason, message string
}

// waits is the ruling that a deletion must wait.
var waits = ruling{verdict: verdictWait}

func asks(reason, format string, args ...any) ruling {
	return ruling{verdict: verdictAsk, reason: reason, message: fmt.Sprintf(format, args...)}
}

// absentee has facts about an object that the last complete listing lacked, or about a source whose
// environment the discovery no longer selects.
type absentee struct {
	object     Object
	missCount  int           // number of complete listings in a row that lacked the object
	since      time.Time     // when the object went missing or was no longer selected
	missingFor time.Duration // the time of the plan minus since, at least 0
	// scopeMoved is true in these cases:
	//
	//   - No listing ever had the object.
	//   - The endpoint, the credential or a filter changed after the object was last listed.
	//   - It is not known with which endpoint, credential and filters the object was last listed.
	//   - The source was handed over: see appliedName.decided.
	scopeMoved bool
	// notSelected is true if the cloud lists the environment of a source, but the discovery no longer
	// selects the environment.
	notSelected bool
}

// batch is a group of objects to delete, with the facts that the rules need. missingCount and
// totalCount do not count objects that are already being deleted.
type batch struct {
	prune        v1alpha1.Prune
	absentees    []absentee
	missingCount int  // number of missing objects, also those that must not be deleted yet
	totalCount   int  // number of objects, without sources that are unmanaged or no longer selected
	empty        bool // the last complete listing was empty
	fresh        bool // a complete listing is recent enough
}

// retained is a rule: a deletion must wait if the prune policy is Retain.
func retained(prune v1alpha1.Prune, _ absentee) ruling {
	if prune.Policy == v1alpha1.PrunePolicyRetain {
		return waits
	}
	return ruling{}
}

// unconfirmed is a rule: the deletion of an object must wait until enough complete listings in a
// row lacked the object. The rule does not apply to a source that the discovery no longer selects,
// because the listings still have the environment of this source.
func unconfirmed(prune v1alpha1.Prune, a absentee) ruling {
	if need := prune.GetAfterMisses(); !a.notSelected && a.missCount < need {
		return waits
	}
	return ruling{}
}

// inGrace is a rule: a deletion must wait until the grace period in spec.prune is over.
func inGrace(prune v1alpha1.Prune, a absentee) ruling {
	if grace := prune.GetGracePeriod(); a.missingFor < grace {
		return waits
	}
	return ruling{}
}

// neverHolds is the value of maxPercent that allows the deletion of all missing objects without a
// person's approval.
const neverHolds = 100

// listingEmpty requires a person's approval if the last complete listing was empty and maxPercent
// is less than 100.
func listingEmpty(b batch) ruling {
	if !b.empty || b.prune.GetMaxPercent() >= neverHolds {
		return ruling{}
	}
	return asks(v1alpha1.ReasonListingEmpty, "the listing is empty although there are %d observations", b.totalCount)
}

// shareExceeded requires a person's approval if more than maxPercent of the objects are missing. It
// allows the deletion of a single missing object.
func shareExceeded(b batch) ruling {
	limit := b.prune.GetMaxPercent()
	if b.missingCount <= 1 || b.missingCount*100 <= limit*b.totalCount {
		return ruling{}
	}
	return asks(v1alpha1.ReasonShareExceeded, "%d of %d are missing, more than prune.maxPercent (%d)", b.missingCount, b.totalCount, limit)
}

// scopeChanged requires a person's approval for the whole batch if the batch has objects that may
// still exist in the cloud:
//
//   - sources whose environment the discovery no longer selects,
//   - objects that were never listed,
//   - sources that a person handed over, see appliedName.decided,
//   - objects that were last listed with another or an unknown endpoint, credential or filter.
//
// If maxPercent is 100, only the sources in the first item require an approval.
func scopeChanged(b batch) ruling {
	var moved, outside int
	for _, a := range b.absentees {
		switch {
		case a.notSelected:
			outside++
		case a.scopeMoved && b.prune.GetMaxPercent() < neverHolds:
			moved++
		}
	}
	switch {
	case outside > 0:
		return asks(v1alpha1.ReasonScopeChanged, "listed, but no longer taken by spec.selector: %d of %d", outside, len(b.absentees))
	case moved > 0:
		return asks(v1alpha1.ReasonScopeChanged, "never listed, handed over, or last seen with another endpoint, credential or filter: %d of %d", moved, len(b.absentees))
	}
	return ruling{}
}

// notFresh allows a deletion if a complete listing is recent enough. At any other time, the deletion
// must wait for the next complete listing.
func notFresh(b batch) ruling {
	if b.fresh {
		return ruling{}
	}
	return waits
}

// allowedObjects applies the rules in c.each. It returns the objects for which all rules allow
// the deletion, sorted by name.
func (c chain) allowedObjects(prune v1alpha1.Prune, missing []absentee) []absentee {
	var allowed []absentee
	for _, a := range missing {
		if !slices.ContainsFunc(c.each, func(rule func(v1alpha1.Prune, absentee) ruling) bool { return rule(prune, a).verdict != verdictAllow }) {
			allowed = append(allowed, a)
		}
	}
	slices.SortFunc(allowed, func(a, b absentee) int { return byName(a.object, b.object) })
	return allowed
}

// judge applies the rules in c.batch. isApproved is true if a person approved the deletion.
// askRuling is the ruling of the first rule that needs a person's approval, even if a person has
// already approved the deletion. askRuling is nil if no rule needs an approval.
func (c chain) judge(b batch, isApproved bool) (verdict verdict, askRuling *ruling) {
	for _, rule := range c.batch {
		r := rule(b)
		switch {
		case r.verdict == verdictAsk && askRuling == nil:
			askRuling = &r
		case r.verdict == verdictAsk && r.reason == v1alpha1.ReasonScopeChanged: // The message must also say that the cloud may still have the objects.
			askRuling.message += "; " + r.message
		}
		if verdict == verdictAllow && (r.verdict == verdictWait || r.verdict == verdictAsk && !isApproved) {
			verdict = r.verdict
		}
	}
	return verdict, askRuling
}

// Held is a deletion that waits for a person's approval.
type Held struct {
	// Reason is the reason in the condition PruneHeld.
	Reason string
	// Message has the names of the objects, the reason, and the command that approves the deletion.
	Message string
	// Digest is a hash of the objects to delete. To approve this deletion, a person writes the hash
	// into an annotation.
	Digest string
	// Objects are the objects to delete, sorted by name.
	Objects []Object
}

// Approval is a person's approval to delete a set of objects. If an object of the set is listed
// again, or if a further object may be deleted, the approval is no longer valid.
type Approval struct {
	digest string
	// leftLines has one text for each object that is not deleted yet. The text identifies the
	// object, and the time at which the object went missing. The key is the object's UID.
	leftLines map[types.UID]string
	// deletesBegun is true if deletions with this approval were sent to the API server.
	deletesBegun bool
}

// BeginDeletes notes that deletions with this approval are sent to the API server now. From then
// on, the deletion of the remaining objects is not reported as held, even if this deletion must
// wait.
func (a *Approval) BeginDeletes() {
	if a != nil {
		a.deletesBegun = true
	}
}

// isUsed returns true if deletions with this approval were sent.
func (a *Approval) isUsed() bool { return a != nil && a.deletesBegun }

// covers returns true if the approval is for exactly the given objects, and the owner's annotation
// approvePrune still has the digest of the approval. objectLines has the text that occasionLines
// makes for each object.
func (a *Approval) covers(of metav1.Object, objectLines []string) bool {
	return a != nil && Approved(of, a.digest) && slices.Equal(slices.Sorted(maps.Values(a.leftLines)), objectLines)
}

// noteDeleted notes that an object of this approval was deleted.
func (a *Approval) noteDeleted(o Object) {
	if a != nil {
		delete(a.leftLines, o.GetUID())
	}
}

// planPrune plans the deletion of missing objects, and of sources whose environment the discovery
// no longer selects.
//
// Usually planPrune decides about these two groups separately. If a person must approve the
// deletion of the missing objects, planPrune joins the two groups, so that one approval is enough.
func (p *planner) planPrune() {
	var missing, out []absentee
	for _, a := range p.absentees {
		if a.notSelected {
			out = append(out, a)
			continue
		}
		missing = append(missing, a)
		if retained(p.Owner.Prune, a).verdict == verdictAllow && unconfirmed(p.Owner.Prune, a).verdict != verdictAllow {
			p.Undecided = true
			p.Unconfirmed = p.Fresh || p.Recorded
		}
	}
	p.Undecided = p.Undecided && (p.Ledger.Completed().IsZero() || p.stillStands(p.HeldBefore))
	b := batch{
		prune:        p.Owner.Prune,
		missingCount: len(missing),
		totalCount:   p.present,
		empty:        p.Ledger != nil && p.Ledger.lastEmpty,
	}
	p.Waiting = slices.ContainsFunc(out, func(a absentee) bool {
		return retained(p.Owner.Prune, a).verdict == verdictAllow && inGrace(p.Owner.Prune, a).verdict != verdictAllow
	})
	apart := b
	apart.absentees, apart.fresh = pruneChain.allowedObjects(p.Owner.Prune, missing), true
	both := pruneChain.allowedObjects(p.Owner.Prune, slices.Concat(missing, out))
	// If a person approved both groups together, the approval stays valid for what is left of both.
	approvedTogether := len(out) > 0 && p.Approval.covers(p.Owner, occasionLines(p.Kind, both))
	if _, asked := pruneChain.judge(apart, true); asked == nil && !approvedTogether {
		p.decideBatch(apart)
		b.missingCount, b.empty = 0, false
		missing = nil
	}
	b.absentees = pruneChain.allowedObjects(p.Owner.Prune, append(missing, out...))
	p.decideBatch(b)
}

// stillStands checks a deletion that waits for a person's approval. It returns true if the same
// objects are still missing or no longer selected. It also returns true if no deletion waits.
//
// The status has the number and the digest of these objects, but not their names. So stillStands
// takes the same number of objects, beginning with the object that went missing first. Then it
// compares the digest of these objects with the digest in the status.
func (p *planner) stillStands(held *v1alpha1.HeldPrune) bool {
	if held == nil {
		return true
	}
	out := slices.DeleteFunc(slices.Clone(p.absentees), func(a absentee) bool { return !a.notSelected })
	return slices.ContainsFunc([][]absentee{slices.Clone(p.absentees), out}, func(all []absentee) bool {
		slices.SortStableFunc(all, func(a, b absentee) int { return a.since.Compare(b.since) })
		n := min(max(0, int(held.Count)), len(all))
		return digestOf(occasionLines(p.Kind, all[:n])) == held.Digest
	})
}

// decideBatch plans the deletion of a batch of objects if the rules allow the deletion. If not,
// decideBatch notes that the deletion must wait.
func (p *planner) decideBatch(b batch) {
	if len(b.absentees) == 0 {
		return
	}
	b.fresh = p.Fresh
	lines := occasionLines(p.Kind, b.absentees)
	batchDigest := digestOf(lines)
	approval := p.Approval
	if !approval.covers(p.Owner, lines) {
		approval = nil
		if Approved(p.Owner, batchDigest) {
			approval = newApproval(p.Kind, batchDigest, b.absentees)
		}
	}
	verdict, asked := pruneChain.judge(b, approval != nil)
	if asked != nil {
		p.Approved = approval
	}
	if verdict == verdictAllow {
		p.planDeletes(b.absentees)
		return
	}
	if asked != nil && !approval.isUsed() {
		p.Held = newHeld(p.Kind, p.Owner, asked, batchDigest, b.absentees)
	}
	if verdict == verdictWait {
		p.Unconfirmed = p.Unconfirmed || p.Recorded
		for _, a := range b.absentees {
			p.Deferred = append(p.Deferred, a.object)
		}
	}
}

// planDeletes adds the deletion of each given object to the plan, and removes the object's writes
// from the plan.
func (p *planner) planDeletes(absentees []absentee) {
	deleted := make(map[Object]bool, len(absentees))
	for _, a := range absentees {
		deleted[a.object] = true
		p.Deletes = append(p.Deletes, a.object)
	}
	p.Writes = slices.DeleteFunc(p.Writes, func(w Write) bool { return deleted[w.Existing] })
}

// digestDigits is the length of a digest, in hex digits.
const digestDigits = 12

// occasionLines returns one text for each object. The text has the object's kind, name and UID, and
// the time at which the object went missing. If an object goes missing a second time, its text is
// different, so an old approval is not valid for the object. The texts are sorted.
func occasionLines(kind *Kind, absentees []absentee) []string {
	lines := make([]string, len(absentees))
	for i, a := range absentees {
		lines[i] = a.line(kind)
	}
	slices.Sort(lines)
	return lines
}

func (a absentee) line(kind *Kind) string {
	return fmt.Sprintf("%s/%s/%s/%d", kind.Name, a.object.GetName(), a.object.GetUID(), a.since.Unix())
}

// digestOf returns a short hash of the given lines.
func digestOf(lines []string) string {
	sum := sha256.Sum256([]byte(strings.Join(lines, "\n")))
	return hex.EncodeToString(sum[:])[:digestDigits]
}

func newApproval(kind *Kind, digest string, absentees []absentee) *Approval {
	a := &Approval{digest: digest, leftLines: make(map[types.UID]string, len(absentees))}
	for _, absent := range absentees {
		a.leftLines[absent.object.GetUID()] = absent.line(kind)
	}
	return a
}

// Approved reports whether the annotation approvePrune of a source or discovery contains this
// digest. The annotation can have several digests, separated by commas.
func Approved(of metav1.Object, digest string) bool {
	for approval := range strings.SplitSeq(of.GetAnnotations()[v1alpha1.AnnotationApprovePrune], ",") {
		if strings.TrimSpace(approval) == digest {
			return true
		}
	}
	return false
}

// SharedApprovals returns the digests that the annotation approvePrune has in both objects, separated by
// commas.
func SharedApprovals(a, b metav1.Object) string {
	var shared []string
	for approval := range strings.SplitSeq(a.GetAnnotations()[v1alpha1.AnnotationApprovePrune], ",") {
		if digest := strings.TrimSpace(approval); digest != "" && Approved(b, digest) {
			shared = append(shared, digest)
		}
	}
	return strings.Join(shared, ",")
}

func newHeld(kind *Kind, of Owner, why *ruling, digest string, absentees []absentee) *Held {
	names, objects := make([]string, len(absentees)), make([]Object, len(absentees))
	for i, a := range absentees {
		names[i], objects[i] = a.object.GetName(), a.object
	}
	return &Held{
		Reason: why.reason,
		Message: fmt.Sprintf("%s: %s; held: %s; to delete them run: kubectl -n %s annotate --overwrite %s/%s %s=%s",
			kind.Name, why.message, Names(names), of.GetNamespace(), of.Resource, of.GetName(), v1alpha1.AnnotationApprovePrune, digest),
		Digest:  digest,
		Objects: objects,
	}
}
