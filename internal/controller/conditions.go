// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
	"github.com/ccloud-dev/inventory-operator/internal/mirror"
)

// maxMessage is the largest length of the message of an owner's condition, in bytes. The API server
// accepts 32768 bytes, but people read far less.
const maxMessage = 8192

// maxReady is the largest length of the message of Ready, in bytes. It is small because kubectl
// shows this message in a column. The kind's condition has the whole message.
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

// brief cuts a message to maxReady bytes. If condition is not "", a cut message ends with a hint to
// this condition, because the condition has the whole message.
func brief(message, condition string) string {
	if len(message) <= maxReady {
		return message
	}
	rest := ""
	if condition != "" {
		rest = " see condition " + condition
	}
	return mirror.Truncate(message, maxReady-len(rest)) + rest
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
			ready = verdict{reason: v.reason, message: brief(cmp.Or(v.short, v.message), condition)}
			if waitsForPredecessor(s.kinds[i].report) {
				ready.reason = v1alpha1.ReasonProgressing
			}
		case ready.message != "":
			ready.message += "; " + v.message
		default:
			ready.message = v.message
		}
	}
	ready.message = brief(ready.message, "")
	switch {
	case o.settings().suspend:
		return &verdict{reason: v1alpha1.ReasonSuspended, message: r.owners.words.suspended}
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
		if f := state.unwritten(k.Name); f != nil {
			return &verdict{reason: f.reason, message: f.message}
		}
		return nil
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
	if state.preview != nil {
		return &verdict{reason: v1alpha1.ReasonPreview, message: words.succeeded(o, s, i)}
	}
	if f := state.unwritten(k.Name); f != nil {
		return &verdict{reason: f.reason, message: f.message}
	}
	if taken := words.taken.withOwner(o); state.report.Unfilled() > 0 {
		v := &verdict{reason: v1alpha1.ReasonNameConflict, message: prefix + taken.message(state.report)}
		if k.Condition != "" { // A kind without a condition needs the whole message in Ready.
			v.short = prefix + taken.brief(k, state.report)
		}
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

// waitsForPredecessor reports whether all taken names that the owner wants will be free without
// help. Each of them then belongs to an object that is being deleted, or to an object of a deleted
// owner that had the name of this owner. The garbage collector will delete the latter object. If no
// name is taken, the result is false.
func waitsForPredecessor(report mirror.Report) bool {
	return report.Unfilled() > 0 && len(report.Clashes) == 0 &&
		!slices.ContainsFunc(report.Conflicts, func(c mirror.Conflict) bool { return !c.Predecessor })
}

// taken has the sentences about wanted names that are taken. Each sentence has a %s for the names.
// There is one sentence for each kind of object that can have a wanted name:
//
//   - theirs: an object that does not belong to the owner
//   - formers: an object of a deleted owner that had the name of this owner
//   - others: an object of the owner that stands for another cloud ID
//   - clashes: an object that stands for another listed cloud object
//   - leaving: an object of the owner that is being deleted
type taken struct{ theirs, formers, others, clashes, leaving string }

// withOwner puts the owner's namespace and name into the sentence theirs, if the sentence has
// places for them.
func (t taken) withOwner(o owner) taken {
	if strings.Count(t.theirs, "%s") > 1 {
		t.theirs = fmt.Sprintf(t.theirs, "%s", o.object().GetNamespace(), mirror.LabelValue(o.object().GetName()))
	}
	return t
}

// brief returns a short message. It names one object and counts the others.
func (t taken) brief(k *kind, report mirror.Report) string {
	var first mirror.Report
	switch {
	case len(report.Conflicts) > 0:
		first.Conflicts = report.Conflicts[:1]
	case len(report.Clashes) > 0:
		first.Clashes = report.Clashes[:1]
	default:
		first.Leaving = report.Leaving[:1]
	}
	message := t.message(first)
	if more := report.Unfilled() - 1; more > 0 {
		message += fmt.Sprintf("; %d more in condition %s", more, k.Condition)
	}
	return message
}

// message says which names are taken, which objects have them, and how to free the names.
func (t taken) message(report mirror.Report) string {
	var theirs, formers, others, clashes, parts []string
	for _, c := range report.Conflicts {
		switch {
		case c.ID != "":
			others = append(others, fmt.Sprintf("%s (of %s)", c.Name, c.ID))
		case c.Predecessor:
			formers = append(formers, c.Name)
		case c.Controller != "":
			theirs = append(theirs, fmt.Sprintf("%s (controlled by %s)", c.Name, c.Controller))
		default:
			theirs = append(theirs, c.Name+" (no controller)")
		}
	}
	for _, c := range report.Clashes {
		clashes = append(clashes, fmt.Sprintf("%s (%s is that of %s)", c.ID, c.Name, c.Owner))
	}
	for _, part := range []struct {
		names []string
		text  string
	}{{theirs, t.theirs}, {formers, t.formers}, {others, t.others}, {clashes, t.clashes}, {report.Leaving, t.leaving}} {
		if len(part.names) > 0 {
			parts = append(parts, fmt.Sprintf(part.text, mirror.Names(part.names)))
		}
	}
	return strings.Join(parts, "; ")
}
