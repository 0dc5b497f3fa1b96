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

// chain has all rules for the deletion of a missing object. The only other deletions that this
// package plans are those of a kind that the owner ignores. See docs/decisions/0003-prune-rules.md.
type chain struct {
	// These rules judge one missing object at a time. If one rule does not allow the deletion, the
	// object stays.
	each []func(v1alpha1.Prune, absentee) ruling
	// These rules judge together all objects that the rules above allow to delete. They find
	// listings that lack too much, because the cloud may be in trouble or the key may see too
	// little. A person's approval overrides a rule that asks, but does not override a rule that
	// waits.
	batch []func(batch) ruling
}

var pruneChain = chain{
	each: []func(v1alpha1.Prune, absentee) ruling{
		retained,    // waits if the policy is Retain
		unconfirmed, // waits until afterMisses complete listings in a row lacked the object
		inGrace,     // waits until gracePeriod has passed
	},
	batch: []func(batch) ruling{
		listingEmpty,  // asks if the last complete listing was empty
		shareExceeded, // asks if more than maxPercent of the kind is missing
		scopeChanged,  // asks about objects out of scope, never listed, or last seen in another scope
		notFresh,      // waits unless a complete listing of the kind just ended
	},
}

// verdict is what a rule says about a deletion.
type verdict int

const (
	// allow: the rule allows the deletion.
	allow verdict = iota
	// wait: the deletion must wait for time to pass or for a change of the spec. An approval does
	// not help.
	wait
	// ask: a person must decide. The person approves the deletion by its digest.
	ask
)

// ruling is the verdict of a rule and, if the rule asks, the reason.
type ruling struct {
	verdict verdict
	// reason and message are used in the condition PruneHeld.
	reason, message string
}

// waits is the ruling of a rule that waits.
var waits = ruling{verdict: wait}

func asks(reason, format string, args ...any) ruling {
	return ruling{verdict: ask, reason: reason, message: fmt.Sprintf(format, args...)}
}

// absentee is an object that is missing or out of scope.
type absentee struct {
	object     Object
	misses     int           // number of complete listings in a row that lacked it
	since      time.Time     // when it was first known to be missing or out of scope
	missingFor time.Duration // time from since to now, at least 0
	// moved reports whether the object was never listed, or was last seen through another endpoint,
	// credential or filter than those of the last complete listing.
	moved bool
	// outside reports whether the object is listed, but the selector no longer selects it.
	outside bool
}

// batch has the objects of one kind that would be deleted together, and the facts to judge them by.
// missing and total do not count objects that are already being deleted.
type batch struct {
	prune     v1alpha1.Prune
	absentees []absentee
	missing   int  // number of missing objects, including those that must wait
	total     int  // number of objects of the kind that are not released and not out of scope
	empty     bool // the last complete listing was empty
	fresh     bool // a complete listing of the kind just ended
}

// retained waits if the policy is Retain.
func retained(prune v1alpha1.Prune, _ absentee) ruling {
	if prune.Policy == v1alpha1.PrunePolicyRetain {
		return waits
	}
	return ruling{}
}

// unconfirmed waits until enough complete listings in a row lacked the object. It always allows an
// object that is out of scope: the cloud still lists such an object, and scopeChanged decides about
// it.
func unconfirmed(prune v1alpha1.Prune, a absentee) ruling {
	if need := prune.GetAfterMisses(); !a.outside && a.misses < need {
		return waits
	}
	return ruling{}
}

// inGrace waits until the grace period is over.
func inGrace(prune v1alpha1.Prune, a absentee) ruling {
	if grace := prune.GetGracePeriod(); a.missingFor < grace {
		return waits
	}
	return ruling{}
}

// neverHolds is the maxPercent that switches off the rules that ask about missing objects.
const neverHolds = 100

// listingEmpty asks if the last complete listing was empty and maxPercent is below 100.
func listingEmpty(b batch) ruling {
	if !b.empty || b.prune.GetMaxPercent() >= neverHolds {
		return ruling{}
	}
	return asks(v1alpha1.ReasonListingEmpty, "the listing is empty although there are %d observations", b.total)
}

// shareExceeded asks if too large a share of the kind is missing. A single missing object is never
// too large a share.
func shareExceeded(b batch) ruling {
	limit := b.prune.GetMaxPercent()
	if b.missing <= 1 || b.missing*100 <= limit*b.total {
		return ruling{}
	}
	return asks(v1alpha1.ReasonShareExceeded, "%d of %d are missing, more than prune.maxPercent (%d)", b.missing, b.total, limit)
}

// scopeChanged asks about objects that are out of scope, whatever maxPercent is. If maxPercent is
// below 100, it also asks about objects that were never listed, or were last seen through another
// endpoint, credential or filter. Such objects may still exist in the cloud.
func scopeChanged(b batch) ruling {
	var moved, outside int
	for _, a := range b.absentees {
		switch {
		case a.outside:
			outside++
		case a.moved && b.prune.GetMaxPercent() < neverHolds:
			moved++
		}
	}
	switch {
	case outside > 0:
		return asks(v1alpha1.ReasonScopeChanged, "listed, but no longer taken by spec.selector: %d of %d", outside, len(b.absentees))
	case moved > 0:
		return asks(v1alpha1.ReasonScopeChanged, "never listed, or last seen with another endpoint, credential or filter: %d of %d", moved, len(b.absentees))
	}
	return ruling{}
}

// notFresh waits unless the plan follows a complete listing that just ended. So a failed listing
// deletes nothing, and a repair between two syncs deletes nothing.
func notFresh(b batch) ruling {
	if b.fresh {
		return ruling{}
	}
	return waits
}

// allowed returns the missing objects that every rule in c.each allows to delete, sorted by name.
func (c chain) allowed(prune v1alpha1.Prune, missing []absentee) []absentee {
	var allowed []absentee
	for _, a := range missing {
		if !slices.ContainsFunc(c.each, func(rule func(v1alpha1.Prune, absentee) ruling) bool { return rule(prune, a).verdict != allow }) {
			allowed = append(allowed, a)
		}
	}
	slices.SortFunc(allowed, func(a, b absentee) int { return byName(a.object, b.object) })
	return allowed
}

// judge returns the chain's verdict on a batch. asked is the first ruling that asks, even if the
// batch is approved. asked is nil if no rule asks.
func (c chain) judge(b batch, approved bool) (verdict verdict, asked *ruling) {
	for _, rule := range c.batch {
		r := rule(b)
		switch {
		case r.verdict == ask && asked == nil:
			asked = &r
		case r.verdict == ask && r.reason == v1alpha1.ReasonScopeChanged: // The message must say that the cloud may still have some of the objects.
			asked.message += "; " + r.message
		}
		if verdict == allow && (r.verdict == wait || r.verdict == ask && !approved) {
			verdict = r.verdict
		}
	}
	return verdict, asked
}

// Held is a prune that waits for a person's approval.
type Held struct {
	// Reason is the PruneHeld condition's reason.
	Reason string
	// Message has the names of held objects, the reason, and the command that approves the prune.
	Message string
	// Digest is a hash of exactly the held objects. A person approves their deletion by this
	// digest.
	Digest string
	// Objects are the held objects, sorted by name.
	Objects []Object
}

// Approval is a held prune that a person approved. It is valid only for exactly the objects that
// are not deleted yet. If one of these objects is listed again, or if another object goes missing,
// the approval is no longer valid.
type Approval struct {
	digest string
	// left has one line for each object that is not deleted yet, see occasion. The key is the
	// object's UID.
	left map[types.UID]string
	// begun reports whether a plan already deleted objects with this approval. Later plans continue
	// the deletion.
	begun bool
}

// used reports whether a plan already deleted objects with this approval.
func (a *Approval) used() bool { return a != nil && a.begun }

// covers reports whether an approval is valid for a batch with these lines. The owner's annotation
// must still have the approval's digest. The lines must be the lines of the objects that are not
// deleted yet.
func (a *Approval) covers(of metav1.Object, lines []string) bool {
	return a != nil && Approved(of, a.digest) && slices.Equal(slices.Sorted(maps.Values(a.left)), lines)
}

// done removes a deleted object from a.left.
func (a *Approval) done(o Object) {
	if a != nil {
		delete(a.left, o.GetUID())
	}
}

// prune plans the deletions that the chain allows, and reports which objects are held or must wait.
// Usually prune decides about missing objects and about objects out of scope in two batches. If a
// rule asks about the missing objects, prune puts both into one batch, so that one digest approves
// both.
func (p *planner) prune() {
	var missing, out []absentee
	for _, a := range p.missing {
		if a.outside {
			out = append(out, a)
			continue
		}
		missing = append(missing, a)
		if retained(p.Owner.Prune, a).verdict == allow && unconfirmed(p.Owner.Prune, a).verdict != allow {
			p.Undecided = true
			p.Unconfirmed = p.Fresh
		}
	}
	b := batch{
		prune:   p.Owner.Prune,
		missing: len(missing),
		total:   p.present,
		empty:   p.Ledger != nil && p.Ledger.empty,
	}
	p.Waiting = slices.ContainsFunc(out, func(a absentee) bool {
		return retained(p.Owner.Prune, a).verdict == allow && inGrace(p.Owner.Prune, a).verdict != allow
	})
	apart := b
	apart.absentees, apart.fresh = pruneChain.allowed(p.Owner.Prune, missing), true
	if _, asked := pruneChain.judge(apart, true); asked == nil {
		p.decide(apart)
		b.missing, b.empty = 0, false
		missing = nil
	}
	b.absentees = pruneChain.allowed(p.Owner.Prune, append(missing, out...))
	p.decide(b)
}

// decide judges a batch, and plans the deletion or reports the held prune.
func (p *planner) decide(b batch) {
	if len(b.absentees) == 0 {
		return
	}
	b.fresh = p.Fresh
	lines := occasion(p.Kind, b.absentees)
	digest := digest(lines)
	approval := p.Approval
	if !approval.covers(p.Owner, lines) {
		approval = nil
		if Approved(p.Owner, digest) {
			approval = newApproval(p.Kind, digest, b.absentees)
		}
	}
	verdict, asked := pruneChain.judge(b, approval != nil)
	if asked != nil {
		p.Approved = approval
	}
	if verdict == allow {
		if approval != nil {
			approval.begun = true
		}
		p.delete(b.absentees)
		return
	}
	if asked != nil && !approval.used() {
		p.Held = newHeld(p.Kind, p.Owner, asked, digest, b.absentees)
	}
	if verdict == wait {
		for _, a := range b.absentees {
			p.Deferred = append(p.Deferred, a.object)
		}
	}
}

// delete plans to delete the objects, and drops the writes that were planned for them.
func (p *planner) delete(absentees []absentee) {
	deleted := make(map[Object]bool, len(absentees))
	for _, a := range absentees {
		deleted[a.object] = true
		p.Deletes = append(p.Deletes, a.object)
	}
	p.Writes = slices.DeleteFunc(p.Writes, func(w Write) bool { return deleted[w.Existing] })
}

// digestDigits is the number of hex digits of a digest.
const digestDigits = 12

// occasion returns one line for each of these objects, sorted. A line has the object's kind, name
// and UID, and when the object went missing. If the object goes missing again later, its line
// differs, so an earlier approval is not valid for it.
func occasion(kind *Kind, absentees []absentee) []string {
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

// digest returns a short hash of the lines from occasion.
func digest(lines []string) string {
	sum := sha256.Sum256([]byte(strings.Join(lines, "\n")))
	return hex.EncodeToString(sum[:])[:digestDigits]
}

func newApproval(kind *Kind, digest string, absentees []absentee) *Approval {
	a := &Approval{digest: digest, left: make(map[types.UID]string, len(absentees))}
	for _, absent := range absentees {
		a.left[absent.object.GetUID()] = absent.line(kind)
	}
	return a
}

// Approved reports whether the annotation approvePrune of a source or a discovery contains a
// digest.
func Approved(of metav1.Object, digest string) bool {
	for approval := range strings.SplitSeq(of.GetAnnotations()[v1alpha1.AnnotationApprovePrune], ",") {
		if strings.TrimSpace(approval) == digest {
			return true
		}
	}
	return false
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
