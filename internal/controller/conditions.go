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

// maxMessage bounds the message of a source's condition, in bytes. The API server
// takes 32768; people read far less.
const maxMessage = 8192

// maxReady bounds the message of Ready, in bytes, which is a column of kubectl's. What a
// kind has to say stands whole in the condition of that kind.
const maxReady = 320

// conditionSetter sets conditions of a source or a discovery, all at one time.
type conditionSetter struct {
	conditions *[]metav1.Condition
	generation int64
	now        metav1.Time
}

// set is the one place where texts that others wrote get into a condition: it cuts them to
// what fits.
func (c conditionSetter) set(conditionType string, status metav1.ConditionStatus, reason, message string) {
	meta.SetStatusCondition(c.conditions, metav1.Condition{
		Type: conditionType, Status: status, Reason: reason, Message: mirror.Truncate(message, maxMessage),
		ObservedGeneration: c.generation, LastTransitionTime: c.now,
	})
}

func (c conditionSetter) remove(conditionType string) {
	meta.RemoveStatusCondition(c.conditions, conditionType)
}

// setReady sets Ready, and the one of Reconciling and Stalled that goes with it. A
// condition that stays keeps its time.
func (c conditionSetter) setReady(v verdict) {
	ready, beside, message := metav1.ConditionFalse, v1alpha1.ConditionReconciling, "trying again, at status.nextSyncTime at the latest"
	switch {
	case v.reason == v1alpha1.ReasonSucceeded:
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

// setPruneHeld sets PruneHeld from the prunes that are held, with the reason of the first.
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

// verdict is what a condition says: reason and message. The reason gives the status.
type verdict struct {
	reason, message string
	// short is what Ready says of it in place of the message, "" for the same.
	short string
}

// brief cuts a message to what fits into Ready, and says which condition has it whole.
func brief(message, condition string) string {
	if len(message) <= maxReady {
		return message
	}
	rest := " see condition " + condition
	return mirror.Truncate(message, maxReady-len(rest)) + rest
}

// setSynced sets each kind's condition and returns what Ready is to say, nil if that
// stays as an earlier process set it.
func (c conditionSetter) setSynced(p *pass) *verdict {
	ready := verdict{reason: v1alpha1.ReasonSucceeded}
	known := false
	for i := range kinds {
		v := kindVerdict(p, i)
		if v == nil {
			if !kinds[i].Mirrored(p.source) { // Else it stays as an earlier process set it.
				c.remove(kinds[i].Condition)
			}
			continue
		}
		known = true
		c.set(kinds[i].Condition, status(v.reason == v1alpha1.ReasonSucceeded), v.reason, v.message)
		switch {
		case ready.reason != v1alpha1.ReasonSucceeded:
		case v.reason != v1alpha1.ReasonSucceeded:
			ready = verdict{reason: v.reason, message: brief(cmp.Or(v.short, v.message), kinds[i].Condition)}
			if waitsForPredecessor(p.state.kinds[i].report.Conflicts) {
				ready.reason = v1alpha1.ReasonProgressing
			}
		case ready.message != "":
			ready.message += "; " + v.message
		default:
			ready.message = v.message
		}
	}
	switch {
	case p.source.Spec.Suspend:
		return &verdict{reason: v1alpha1.ReasonSuspended, message: "spec.suspend is true: the cloud is not asked, and observations turn Unknown after staleAfter"}
	case !mirrorsAny(p.source):
		return &verdict{reason: v1alpha1.ReasonSucceeded, message: "nothing is mirrored: every kind's policy is Ignore"}
	case !known:
		return nil // A back-off goes on that an earlier process began, and told why.
	}
	return &ready
}

// kindVerdict returns how a kind's last sync went, nil if none was tried.
func kindVerdict(p *pass, i int) *verdict {
	k := &p.state.kinds[i]
	if !k.outcome.tried || !kinds[i].Mirrored(p.source) {
		return nil
	}
	kind, unwritten := kinds[i].Name, k.unwritten(kinds[i].Name)
	switch f := k.outcome.failure; {
	case f != nil && k.report.Withheld > 0:
		return &verdict{reason: f.reason, message: fmt.Sprintf("%s; %d objects that only such listings told of get no observation until one is complete", f.message, k.report.Withheld)}
	case f != nil:
		return &verdict{reason: f.reason, message: f.message}
	case unwritten != nil:
		return &verdict{reason: unwritten.reason, message: unwritten.message}
	case len(k.report.Conflicts)+len(k.report.Clashes) > 0:
		return &verdict{reason: v1alpha1.ReasonNameConflict, message: conflictMessage(kind, k.report), short: conflictBrief(&kinds[i], k.report)}
	case kinds[i].withConfigMaps && p.configMaps != nil:
		return &verdict{reason: p.configMaps.reason, message: kind + ": " + p.configMaps.message}
	}
	message := fmt.Sprintf("%s: %d observed", kind, observed(k.report.Summary))
	if k.report.Unconfirmed && p.state.schedule.confirming == 0 {
		message += ", others absent in turn from one listing and the next; these are confirmed at the interval only"
	}
	return &verdict{reason: v1alpha1.ReasonSucceeded, message: message}
}

func observed(summary *v1alpha1.InventorySummary) int32 {
	if summary == nil {
		return 0
	}
	return summary.Observed
}

// waitsForPredecessor reports whether all conflicts are with a deleted source of the
// same name, whose observations the garbage collector deletes.
func waitsForPredecessor(conflicts []mirror.Conflict) bool {
	return len(conflicts) > 0 && !slices.ContainsFunc(conflicts, func(c mirror.Conflict) bool { return !c.Predecessor })
}

// conflictBrief is conflictMessage of one name that is taken, with the number of the others.
func conflictBrief(k *kind, report mirror.Report) string {
	var first mirror.Report
	if len(report.Conflicts) > 0 {
		first.Conflicts = report.Conflicts[:1]
	} else {
		first.Clashes = report.Clashes[:1]
	}
	message := conflictMessage(k.Name, first)
	if more := len(report.Conflicts) + len(report.Clashes) - 1; more > 0 {
		message += fmt.Sprintf("; %d more in condition %s", more, k.Condition)
	}
	return message
}

// taken are the sentences about names that something else has: objects that are not one's own,
// those of a deleted owner of the same name, one's own of another cloud ID, and cloud IDs whose
// name is another one's. Each has a place for the names.
type taken struct{ theirs, formers, others, clashes string }

var takenObservations = taken{
	theirs:  "objects that are not this source's have the names of its observations: %s; delete them, or the source that controls them",
	formers: "waiting for the garbage collector to delete the observations of the deleted source that had this one's name: %s",
	others:  "observations of other cloud IDs have the names of listed ones: %s; delete the observations to let the listed ones take their place",
	clashes: "listed objects without an observation, since their name is another object's: %s",
}

// conflictMessage says which names are taken, by what, and the way out.
func conflictMessage(kind string, report mirror.Report) string {
	return kind + ": " + takenObservations.message(report)
}

// message says which names are taken, by what, and the way out.
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
	}{{theirs, t.theirs}, {formers, t.formers}, {others, t.others}, {clashes, t.clashes}} {
		if len(part.names) > 0 {
			parts = append(parts, fmt.Sprintf(part.text, mirror.Names(part.names)))
		}
	}
	return strings.Join(parts, "; ")
}
