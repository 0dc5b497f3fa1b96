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

// maxMessage is the largest length of the message of an owner's condition, in bytes. The API server
// accepts 32768 bytes, but people read far less.
const maxMessage = 8192

// maxReady is the largest length of the message of Ready, in bytes, if the kind's condition has the
// whole message. It is small because kubectl shows this message in a column.
const maxReady = 320

// conditionSetter sets the conditions of an owner. All conditions that it changes get the same
// time.
type conditionSetter struct {
	conditions *[]metav1.Condition
	generation int64
	now        metav1.Time
}

func (r *Reconciler) conditionsOf(o owner) conditionSetter {
	return conditionSetter{&o.status().Conditions, o.object().GetGeneration(), metav1.NewTime(r.Clock.Now())}
}

// set sets a condition and cuts its message to maxMessage bytes. Every condition of an owner is set
// here, so a long text of the cloud or the API server is always cut.
func (c conditionSetter) set(conditionType string, status metav1.ConditionStatus, reason, message string) {
	meta.SetStatusCondition(c.conditions, metav1.Condition{
		Type: conditionType, Status: status, Reason: reason, Message: mirror.Truncate(message, maxMessage),
		ObservedGeneration: c.generation, LastTransitionTime: c.now,
	})
}

func (c conditionSetter) remove(conditionType string) {
	meta.RemoveStatusCondition(c.conditions, conditionType)
}

// setReady sets Ready. Depending on the reason, it also sets Reconciling or Stalled, but never
// both. It removes those of the two that it does not set. If the status of a condition does not
// change, the condition keeps its time.
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

// setPruneHeld sets PruneHeld if a prune is held; otherwise it removes PruneHeld. The condition has
// the messages of all held prunes, and the reason of the first. A nil prune is not held.
func (c conditionSetter) setPruneHeld(prunes ...*v1alpha1.HeldPrune) {
	var reason string
	var messages []string
	for _, held := range prunes {
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

func status(ok bool) metav1.ConditionStatus {
	if ok {
		return metav1.ConditionTrue
	}
	return metav1.ConditionFalse
}

// verdict is the reason and the message of a condition. The condition's status follows from the
// reason.
type verdict struct {
	reason, message string
	// short is the message for Ready. If it is "", Ready gets the whole message.
	short string
}

// brief cuts a message to most bytes. A cut message ends with a hint to the condition that has the
// whole message. If condition is "", there is none, and brief does not cut.
func brief(message string, most int, condition string) string {
	if len(message) <= most || condition == "" {
		return message
	}
	rest := " see condition " + condition
	return mirror.Truncate(message, most-len(rest)) + rest
}

// setSynced sets the condition of each kind, and returns the verdict for Ready. It returns nil if
// Ready must not change, because an earlier process set it and this process has made no sync yet.
func (r *Reconciler) setSynced(c conditionSetter, o owner, s *state) *verdict {
	ready := verdict{reason: v1alpha1.ReasonSucceeded}
	known, mirrors := false, false
	for i := range r.owners.kinds {
		k := &r.owners.kinds[i]
		wanted := k.Mirrored(o.object())
		mirrors = mirrors || wanted
		v := r.kindVerdict(o, s, i)
		condition := k.Condition
		if !wanted && condition != "" {
			c.remove(condition)
			condition = ""
		}
		if v == nil { // There was no sync, or nothing is to be reported.
			continue
		}
		known = true
		if condition != "" {
			c.set(condition, status(v.reason == v1alpha1.ReasonSucceeded), v.reason, v.message)
		}
		switch {
		case ready.reason != v1alpha1.ReasonSucceeded:
		case v.reason != v1alpha1.ReasonSucceeded:
			ready = verdict{reason: v.reason, message: brief(cmp.Or(v.short, v.message), maxReady, condition)}
			if v.reason == v1alpha1.ReasonNameConflict && waitsForPredecessor(s.kinds[i].report) {
				ready.reason = v1alpha1.ReasonProgressing
			}
		case ready.message != "":
			ready.message += "; " + v.message
		default:
			ready.message = v.message
		}
	}
	switch {
	case o.settings().suspend:
		message := r.owners.words.suspended
		if o.settings().preview {
			message += "; " + previewed(s.kinds[0].preview)
		}
		return &verdict{reason: v1alpha1.ReasonSuspended, message: message}
	case !mirrors && !known:
		return &verdict{reason: v1alpha1.ReasonSucceeded, message: r.owners.words.nothing}
	case !known:
		return nil // An earlier process began a back-off and set Ready.
	}
	return &ready
}

// kindVerdict returns the verdict on the last sync of a kind; nil if there was no sync. If the
// owner does not mirror the kind, the verdict says why the kind's objects could not be deleted; it
// is nil if there is no failure to report. The first case that applies decides.
func (r *Reconciler) kindVerdict(o owner, s *state, i int) *verdict {
	k, state, words := &r.owners.kinds[i], &s.kinds[i], &r.owners.words
	if !k.Mirrored(o.object()) {
		return state.undeleted(k.Name)
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
	taken := words.taken.withOwner(o)
	if o.settings().preview {
		message := words.succeeded(o, s, i)
		if state.report.Unfilled() > 0 {
			message += "; " + taken.message(state.report)
		}
		return &verdict{reason: v1alpha1.ReasonPreview, message: message}
	}
	if f := state.unwritten(k.Name); f != nil {
		return f.verdict()
	}
	if state.report.Unfilled() > 0 {
		v := &verdict{reason: v1alpha1.ReasonNameConflict, message: prefix + taken.message(state.report)}
		if k.Condition != "" { // A kind without a condition needs the whole message in Ready.
			v.short = prefix + taken.brief(k, state.report)
		}
		return v
	}
	if v := state.kept(k.Name); v != nil {
		return v
	}
	if v := r.owners.blocked(r.Options, o, s, k); v != nil {
		v := verdict{reason: v.reason, message: prefix + v.message}
		if v.short != "" && len(v.message) > maxReady {
			v.short = prefix + v.short
		}
		return &v
	}
	return &verdict{reason: v1alpha1.ReasonSucceeded, message: words.succeeded(o, s, i)}
}

func observed(summary *v1alpha1.InventorySummary) int32 {
	if summary == nil {
		return 0
	}
	return summary.Observed
}
