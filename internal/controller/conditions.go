// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"cmp"
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
	"github.com/ccloud-dev/inventory-operator/internal/mirror"
)

// maxMessage is the largest length of a condition's message, in bytes. A longer message is hard to
// read. The API server accepts up to 32768 bytes.
const maxMessage = 8192

// maxReady is the largest length of the message of condition Ready, in bytes. It is small, because
// kubectl shows this message in a column. A message is cut only if another condition has the whole
// message.
const maxReady = 320

// conditionSetter sets the conditions of an InventorySource or EnvironmentDiscovery. All conditions
// whose status changes get the same lastTransitionTime.
type conditionSetter struct {
	conditions *[]metav1.Condition
	generation int64
	now        metav1.Time
}

func (r *Reconciler) conditionsOf(o owner) conditionSetter {
	return conditionSetter{&o.status().Conditions, o.object().GetGeneration(), metav1.NewTime(r.Clock.Now())}
}

// set sets a condition. It cuts the message to maxMessage bytes.
func (c conditionSetter) set(conditionType string, status metav1.ConditionStatus, reason, message string) {
	meta.SetStatusCondition(c.conditions, metav1.Condition{
		Type: conditionType, Status: status, Reason: reason, Message: mirror.Truncate(message, maxMessage),
		ObservedGeneration: c.generation, LastTransitionTime: c.now,
	})
}

func (c conditionSetter) remove(conditionType string) {
	meta.RemoveStatusCondition(c.conditions, conditionType)
}

// setReady sets the condition Ready. It also sets one of these conditions, and removes the other:
//
//   - Reconciling: the operator still works on the sync, or will try again by itself.
//   - Stalled: a person must change something before a new attempt can succeed.
//
// If the reason of Ready is Succeeded, Preview or Suspended, setReady removes both.
func (c conditionSetter) setReady(v verdict) {
	ready, beside, message := metav1.ConditionFalse, v1alpha1.ConditionReconciling, "trying again, at status.nextSyncTime at the latest"
	switch {
	case v.reason == v1alpha1.ReasonSucceeded, v.reason == v1alpha1.ReasonPreview:
		ready, beside = metav1.ConditionTrue, ""
	case v.reason == v1alpha1.ReasonSuspended:
		ready, beside = metav1.ConditionUnknown, ""
	case v.reason == v1alpha1.ReasonProgressing:
		ready, message = metav1.ConditionUnknown, v.message
	case needsPerson(v.reason):
		beside, message = v1alpha1.ConditionStalled, v.message
	}
	c.set(v1alpha1.ConditionReady, ready, v.reason, v.message)
	for _, other := range []string{v1alpha1.ConditionReconciling, v1alpha1.ConditionStalled} {
		if other == beside {
			c.set(other, metav1.ConditionTrue, v.reason, message)
		} else {
			c.remove(other)
		}
	}
}

// setPruneHeld sets the condition PruneHeld if the deletion of objects waits for a person's
// approval. If no deletion waits, setPruneHeld removes the condition.
//
// heldPrunes has one entry for each kind of object. The entry is nil if no deletion of this kind's
// objects waits. The condition gets the messages of all entries, and the reason of the first entry
// that is not nil.
func (c conditionSetter) setPruneHeld(heldPrunes ...*v1alpha1.HeldPrune) {
	var reason string
	var messages []string
	for _, held := range heldPrunes {
		if held != nil {
			if reason == "" {
				reason = held.Reason
			}
			messages = append(messages, held.Message)
		}
	}
	if reason == "" {
		c.remove(v1alpha1.ConditionPruneHeld)
		return
	}
	c.set(v1alpha1.ConditionPruneHeld, metav1.ConditionTrue, reason, strings.Join(messages, "; "))
}

func conditionStatus(ok bool) metav1.ConditionStatus {
	if ok {
		return metav1.ConditionTrue
	}
	return metav1.ConditionFalse
}

// verdict has the reason and the message of a condition. The reason decides the condition's status.
type verdict struct {
	reason, message string
	// short is a shorter message for the condition Ready. If short is "", Ready gets the longer
	// message.
	short string
}

// shortenMessage shortens a message to maxBytes bytes. A shortened message ends with the name of
// fullCondition, the condition that has the whole message. If fullCondition is "", shortenMessage
// does not shorten the message.
func shortenMessage(message string, maxBytes int, fullCondition string) string {
	if len(message) <= maxBytes || fullCondition == "" {
		return message
	}
	rest := " see condition " + fullCondition
	return mirror.Truncate(message, maxBytes-len(rest)) + rest
}

// setSynced sets the condition of each kind of object, such as PeeringsSynced. It returns the
// reason and the message for the condition Ready:
//
//   - If spec.suspend is true, or if the spec ignores all kinds, the result is never nil.
//   - In all other cases, the result is nil if the manager has not tried to list any mirrored kind
//     since its start.
//
// If the result is nil, Ready must not change.
func (r *Reconciler) setSynced(c conditionSetter, o owner, s *state) *verdict {
	ready := verdict{reason: v1alpha1.ReasonSucceeded}
	// If all kinds succeeded and Ready's message is cut, the message refers to firstCondition. This
	// is the condition of the first kind in the message.
	//
	// known is true if a mirrored kind has something to report.
	known, mirrors, firstCondition := false, false, ""
	// leftover is about objects of a kind that the spec ignores; nil if there is nothing to report.
	var leftover *verdict
	for i := range r.owners.kinds {
		k := &r.owners.kinds[i]
		wanted := k.Mirrored(o.object())
		mirrors = mirrors || wanted
		v := r.kindVerdict(o, s, i)
		condition := k.Condition
		if !wanted {
			if condition != "" {
				c.remove(condition)
			}
			leftover = cmp.Or(leftover, v) // Ready shows leftover only if no mirrored kind failed.
			continue
		}
		if v == nil { // There is nothing to report.
			continue
		}
		known = true
		if condition != "" {
			c.set(condition, conditionStatus(v.reason == v1alpha1.ReasonSucceeded), v.reason, v.message)
		}
		switch {
		case ready.reason != v1alpha1.ReasonSucceeded:
		case v.reason != v1alpha1.ReasonSucceeded:
			ready = verdict{reason: v.reason, message: shortenMessage(cmp.Or(v.short, v.message), maxReady, condition)}
			if v.reason == v1alpha1.ReasonNameConflict && waitsForPredecessor(s.kinds[i].report) {
				ready.reason = v1alpha1.ReasonProgressing
			}
		case ready.message != "":
			ready.message += "; " + v.message
		default:
			ready.message, firstCondition = v.message, condition
		}
	}
	if leftover != nil && ready.reason == v1alpha1.ReasonSucceeded {
		ready = verdict{reason: leftover.reason, message: shortenMessage(cmp.Or(leftover.short, leftover.message), maxReady, "")}
	}
	if ready.reason == v1alpha1.ReasonSucceeded && firstCondition != "" {
		ready.message = shortenMessage(ready.message, maxReady, firstCondition+" and those of the other kinds")
	}
	switch {
	case o.settings().suspend:
		message := r.owners.words.whileSuspended
		if o.settings().preview {
			message += "; " + previewMessage(s.kinds[0].preview)
		}
		return &verdict{reason: v1alpha1.ReasonSuspended, message: message}
	case !mirrors && leftover == nil:
		return &verdict{reason: v1alpha1.ReasonSucceeded, message: r.owners.words.allIgnored}
	case mirrors && !known:
		return nil // Ready keeps its value from before the manager's restart.
	}
	return &ready
}

// kindVerdict returns the reason and the message of the condition of one kind:
//
//   - If the spec ignores the kind, the operator deletes the kind's objects. The result says why
//     some objects still exist. The result is nil if there is nothing to report.
//   - If the manager has not tried to list the kind since its start, the result is nil.
//   - In all other cases, the result says how the last listing went, or what is wrong with the
//     kind's objects.
func (r *Reconciler) kindVerdict(o owner, s *state, i int) *verdict {
	k, state, words := &r.owners.kinds[i], &s.kinds[i], &r.owners.words
	if !k.Mirrored(o.object()) {
		return cmp.Or(state.undeletedVerdict(k.Name), r.unreadableLeft(o, k))
	}
	if !state.outcome.tried {
		return nil
	}
	prefix := ""
	if k.Condition != "" {
		prefix = k.Name + ": "
	}
	if f := state.outcome.failure; f != nil {
		message := f.message
		if state.report.Withheld > 0 {
			message += "; " + fmt.Sprintf(words.withheld, state.report.Withheld)
		}
		return &verdict{reason: f.reason, message: message}
	}
	taken := words.takenNames.withOwner(o)
	if o.settings().preview {
		message := words.succeeded(o, s, i)
		if state.report.Unfilled() > 0 {
			message += "; " + taken.message(state.report)
		}
		return &verdict{reason: v1alpha1.ReasonPreview, message: message}
	}
	if f := state.writeFailure(k.Name); f != nil {
		return f.verdict()
	}
	if state.report.Unfilled() > 0 {
		v := &verdict{reason: v1alpha1.ReasonNameConflict, message: prefix + taken.message(state.report)}
		if k.Condition != "" { // If the kind has no condition, Ready needs the whole message.
			v.short = prefix + taken.briefMessage(k, state.report)
		}
		return v
	}
	if v := state.keptVerdict(k.Name); v != nil {
		return v
	}
	if v := r.owners.configMapVerdict(r.Options, o, s, k); v != nil {
		v := verdict{reason: v.reason, message: prefix + v.message}
		if v.short != "" && len(v.message) > maxReady {
			v.short = prefix + v.short
		}
		return &v
	}
	return &verdict{reason: v1alpha1.ReasonSucceeded, message: words.succeeded(o, s, i)}
}

// unreadableLeft returns why the manager cannot delete the objects of a kind that the spec ignores.
// The result is nil if the manager has the right to read the objects, or if the status says that
// there are none.
func (r *Reconciler) unreadableLeft(o owner, k *kind) *verdict {
	f, summary := r.rightsFailure(k), *k.Summary(o.object())
	if f == nil || summary == nil || summary.Observed+summary.Missing == 0 {
		return nil
	}
	return &verdict{reason: f.reason, message: fmt.Sprintf("%s, to delete the %d that spec ignores", f.message, summary.Observed+summary.Missing)}
}

func observed(summary *v1alpha1.InventorySummary) int32 {
	if summary == nil {
		return 0
	}
	return summary.Observed
}
