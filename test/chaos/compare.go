// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
	"github.com/ccloud-dev/inventory-operator/test/cloudsim"
)

// differences compares the observations of a source with the expected ones, and returns everything
// that differs: observations that should not exist, observations that are missing, and what is
// wrong in the others.
func differences(source *v1alpha1.InventorySource, mode cloudsim.Mode, want map[string]expected, observations []v1alpha1.Observation) []string {
	var found []string
	seen := map[string]bool{}
	for _, o := range observations {
		id := o.CloudID()
		e, ok := want[id]
		if !ok {
			found = append(found, o.GetName()+": nothing in the inventory is like it")
			continue
		}
		seen[id] = true
		for _, text := range differs(source, mode, e, o) {
			found = append(found, o.GetName()+": "+text)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(want)) {
		if !seen[id] {
			found = append(found, id+": has no observation")
		}
	}
	return found
}

func differs(source *v1alpha1.InventorySource, mode cloudsim.Mode, want expected, o v1alpha1.Observation) []string {
	var found []string
	if o.GetName() != o.CloudID() {
		found = append(found, "is named otherwise than its object, "+o.CloudID())
	}
	if origin := *o.Origin(); origin.SourceRef.Name != source.Name || origin.Environment != source.Spec.Environment {
		found = append(found, fmt.Sprintf("says it is of %+v", origin))
	}
	if controller := metav1.GetControllerOf(o); controller == nil || controller.UID != source.UID {
		found = append(found, fmt.Sprintf("is controlled by %+v", controller))
	}
	return append(append(append(found,
		wrongLabels(source, want.observation.GetLabels(), o)...),
		wrongStatus(mode, want, o)...),
		wrongConditions(want, o)...)
}

// wrongLabels compares the operator's own labels. It ignores other labels.
func wrongLabels(source *v1alpha1.InventorySource, want map[string]string, o v1alpha1.Observation) []string {
	want = maps.Clone(want)
	want[v1alpha1.LabelSource] = source.Name
	want[v1alpha1.LabelEnvironment] = source.Spec.Environment
	have := maps.Clone(o.GetLabels())
	maps.DeleteFunc(have, func(key, _ string) bool { return !strings.HasPrefix(key, v1alpha1.Prefix) })
	if maps.Equal(have, want) {
		return nil
	}
	return []string{fmt.Sprintf("has labels %v, not %v", have, want)}
}

// wrongStatus compares the status. It ignores the conditions, and the field that repeats a
// condition.
func wrongStatus(mode cloudsim.Mode, want expected, o v1alpha1.Observation) []string {
	have, wanted := statusOf(o), statusOf(want.observation)
	wanted["phase"] = want.phase
	for _, name := range []string{"conditions", "observed"} {
		delete(have, name)
		delete(wanted, name)
	}
	if mode == cloudsim.ModeWire && have["deletionProtection"] == true {
		delete(have, "deletionProtection") // mode wire adds it to some objects
	}
	if mode == cloudsim.ModeWire {
		for _, reference := range []string{"network", "byok", "gateway"} {
			shown, _ := have[reference].(map[string]any)
			if want, is := wanted[reference].(map[string]any); is && shown["related"] == nil {
				delete(want, "related") // mode wire leaves it out of some references
			}
		}
	}
	var found []string
	for _, name := range slices.Sorted(maps.Keys(both(have, wanted))) {
		if !reflect.DeepEqual(have[name], wanted[name]) {
			found = append(found, fmt.Sprintf("status.%s is %s, not %s", name, inJSON(have[name]), inJSON(wanted[name])))
		}
	}
	return found
}

func wrongConditions(want expected, o v1alpha1.Observation) []string {
	ready := metav1.ConditionUnknown
	switch {
	case want.phase == want.kind.ready:
		ready = metav1.ConditionTrue
	case slices.Contains(want.kind.known, want.phase):
		ready = metav1.ConditionFalse
	}
	conditions := *o.Conditions()
	var found []string
	if c := meta.FindStatusCondition(conditions, v1alpha1.ConditionObserved); c == nil || c.Status != metav1.ConditionTrue {
		found = append(found, "is not Observed=True but "+shortly(c))
	}
	if c := meta.FindStatusCondition(conditions, v1alpha1.ConditionReady); c == nil || c.Status != ready {
		found = append(found, fmt.Sprintf("is not Ready=%s but %s", ready, shortly(c)))
	}
	if observed := statusOf(o)["observed"]; observed != v1alpha1.ReasonListed {
		found = append(found, fmt.Sprintf("has status.observed %v, not %s", observed, v1alpha1.ReasonListed))
	}
	if len(conditions) != 2 {
		found = append(found, fmt.Sprintf("has %d conditions, not 2", len(conditions)))
	}
	return found
}

// unsettled returns what in a source's status shows that the source is not settled. want has the
// expected observations.
func unsettled(source *v1alpha1.InventorySource, want map[string]expected) []string {
	s := source.Status
	var found []string
	if s.ObservedGeneration != source.Generation {
		found = append(found, fmt.Sprintf("status is of generation %d, not %d", s.ObservedGeneration, source.Generation))
	}
	conditions := []string{v1alpha1.ConditionReady}
	for _, k := range kinds {
		conditions = append(conditions, k.condition)
	}
	for _, name := range conditions {
		if c := meta.FindStatusCondition(s.Conditions, name); c == nil || c.Status != metav1.ConditionTrue {
			found = append(found, "is not "+name+"=True but "+shortly(c))
		}
	}
	for _, name := range []string{v1alpha1.ConditionReconciling, v1alpha1.ConditionStalled, v1alpha1.ConditionPruneHeld} {
		if c := meta.FindStatusCondition(s.Conditions, name); c != nil {
			found = append(found, "has "+name+": "+shortly(c))
		}
	}
	counts := map[*kind]int{}
	for _, e := range want {
		counts[e.kind]++
	}
	for _, k := range kinds {
		switch have := k.summary(&s); {
		case have == nil:
			found = append(found, "status."+k.field+" is absent")
		case int(have.Observed) != counts[k] || have.Missing != 0:
			found = append(found, fmt.Sprintf("status.%s counts %d observed and %d missing, not %d and 0",
				k.field, have.Observed, have.Missing, counts[k]))
		}
	}
	return found
}

func shortly(c *metav1.Condition) string {
	if c == nil {
		return "absent"
	}
	return fmt.Sprintf("%s, %s (%s)", c.Status, c.Reason, c.Message)
}

// statusOf returns an observation's status in the form in which the API shows it.
func statusOf(o v1alpha1.Observation) map[string]any {
	text, _ := json.Marshal(o) // An object of the API always has JSON.
	out := struct{ Status map[string]any }{map[string]any{}}
	_ = json.Unmarshal(text, &out)
	return out.Status
}

func both(a, b map[string]any) map[string]any {
	all := maps.Clone(a)
	maps.Copy(all, b)
	return all
}

func inJSON(v any) string {
	text, _ := json.Marshal(v) // The value came from JSON.
	return string(text)
}
