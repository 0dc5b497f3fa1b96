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

// chain is every condition for the deletion of a missing object. Nothing else in this package
// deletes an object that the cloud may still have. See docs/decisions/0003-prune-rules.md.
type chain struct {
	// each judges every missing object by itself. The object stays if any of these rules does not
	// allow the deletion.
	each []func(v1alpha1.Prune, absentee) ruling
	// batch judges all objects together that each allowed: a cloud in trouble, or a key that sees
	// too little, might give such a listing. A person's approval overrides a rule that asks, but no
	// rule that waits.
	batch []func(batch) ruling
}

var pruneChain = chain{
	each: []func(v1alpha1.Prune, absentee) ruling{
		retained,    // waits: the user keeps missing objects
		unconfirmed, // waits: afterMisses complete listings in a row must lack it, without the first since the start
		inGrace,     // waits: gracePeriod since it was first missed
	},
	batch: []func(batch) ruling{
		listingEmpty,  // asks: the last complete listing was empty
		shareExceeded, // asks: more than maxPercent of the kind is missing
		scopeChanged,  // asks: last seen through another endpoint, key or filter
		notFresh,      // waits: the last attempt must have listed the kind whole, just now
	},
}

// verdict is what a rule says about a deletion.
type verdict int

const (
	// allow: the rule does not object.
	allow verdict = iota
	// wait: only time or the spec decides.
	wait
	// ask: a person decides, by approving the digest.
	ask
)

// ruling is a verdict and, if the rule asks, the reason.
type ruling struct {
	verdict verdict
	// reason and message are those of condition PruneHeld.
	reason, message string
}

// waits is the ruling of a rule that waits.
var waits = ruling{verdict: wait}

func asks(reason, format string, args ...any) ruling {
	return ruling{verdict: ask, reason: reason, message: fmt.Sprintf(format, args...)}
}

// absentee is an object whose cloud object is missing or out of scope.
type absentee struct {
	object     Object
	misses     int           // complete listings in a row without it
	since      time.Time     // when it was first known to be missing
	missingFor time.Duration // from then to now, at least 0
	// moved reports whether the object was last seen under another scope than the listings that
	// lack it: through another endpoint, credential or filter.
	moved bool
	// outside reports whether the object is listed, but the selector no longer takes it.
	outside bool
}

// batch is the objects of one kind that would be deleted together, and the facts to judge them by.
// missing and total leave out objects that are already being deleted.
type batch struct {
	prune     v1alpha1.Prune
	absentees []absentee
	missing   int  // missing objects, those that wait included, those out of scope not
	total     int  // objects of the kind, without released ones and those out of scope
	empty     bool // the last complete listing was empty
	fresh     bool // the last attempt listed the kind completely, just now
}

// retained waits under policy Retain.
func retained(prune v1alpha1.Prune, _ absentee) ruling {
	if prune.Policy == v1alpha1.PrunePolicyRetain {
		return waits
	}
	return ruling{}
}

// unconfirmed waits until enough complete listings lacked the object. It allows an object that is
// out of scope: such an object is listed, and scopeChanged decides about it.
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

// listingEmpty asks if the last complete listing was empty.
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

// scopeChanged asks about objects that are out of scope, at any maxPercent. It also asks about
// objects that were last seen through another endpoint, credential or filter: perhaps they still
// exist.
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

// notFresh waits unless the plan follows a complete listing that just ended. So neither a failed
// listing nor a repair between two syncs deletes anything.
func notFresh(b batch) ruling {
	if b.fresh {
		return ruling{}
	}
	return waits
}

// allowed returns the missing objects whose deletion each rule of each allows, sorted by name.
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
// batch is approved; nil if no rule asks.
func (c chain) judge(b batch, approved bool) (verdict verdict, asked *ruling) {
	for _, rule := range c.batch {
		r := rule(b)
		switch {
		case r.verdict == ask && asked == nil:
			asked = &r
		case r.verdict == ask && r.reason == v1alpha1.ReasonScopeChanged: // The message must say that the cloud still has some of them.
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
	// Message says what is held and why, and which command approves it.
	Message string
	// Digest stands for exactly the held objects. A person approves them by this digest.
	Digest string
	// Objects are the held objects, sorted by name.
	Objects []Object
}

// Approval is a held prune that a person approved. It is valid until all of its objects are
// deleted, and only for the objects that are left. If one of them comes back, or another goes
// missing, it is not valid.
type Approval struct {
	digest string
	// left has the line of each object that is not deleted yet, see occasion. The key is the
	// object's UID.
	left map[types.UID]string
	// begun is true once a plan deleted by the approval. Later plans only continue.
	begun bool
}

// used reports whether a plan deleted by the approval.
func (a *Approval) used() bool { return a != nil && a.begun }

// covers reports whether an approval is valid for a batch with these lines: the owner's annotation
// must still have the digest, and the lines must be those that are left.
func (a *Approval) covers(of metav1.Object, lines []string) bool {
	return a != nil && Approved(of, a.digest) && slices.Equal(slices.Sorted(maps.Values(a.left)), lines)
}

// done notes that an object was deleted.
func (a *Approval) done(o Object) {
	if a != nil {
		delete(a.left, o.GetUID())
	}
}

// prune plans to delete the objects that the chain allows, and reports what is held or waits. It
// decides about missing objects and objects out of scope separately. If a rule asks about the
// missing ones, both are put into one batch, so that one digest approves both.
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

// decide plans what the chain says about a batch.
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

// delete plans to delete objects, and drops the planned writes to them.
func (p *planner) delete(absentees []absentee) {
	deleted := make(map[Object]bool, len(absentees))
	for _, a := range absentees {
		deleted[a.object] = true
		p.Deletes = append(p.Deletes, a.object)
	}
	p.Writes = slices.DeleteFunc(p.Writes, func(w Write) bool { return deleted[w.Existing] })
}

// digestDigits is how many hex digits a digest has.
const digestDigits = 12

// occasion returns a line for each of these objects, sorted: the object and when it went missing.
// So an approval is not valid for a later occasion.
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

// digest returns a short hash of an occasion.
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

// Approved reports whether the annotation approvePrune of a source or a discovery has a digest.
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
