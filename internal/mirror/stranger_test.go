// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"pgregory.net/rapid"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
)

// meddle returns an object after a stranger's edit, nil if they deleted it.
func meddle(t *rapid.T, kind int, object Object) v1alpha1.Observation {
	o := observation(stored(object))
	edits := map[string]func(){
		"none":              func() {},
		"deleted":           func() { o = nil },
		"labels replaced":   func() { o.SetLabels(pairs{"theirs": "1", v1alpha1.LabelSource: "other"}) },
		"annotations added": func() { o.SetAnnotations(pairs{"theirs": "1"}) },
		"labels of ours":    func() { o.SetLabels(pairs{v1alpha1.LabelNetwork: "n-0", v1alpha1.Prefix + "x": "y"}) },
		"conditions gone":   func() { *o.Conditions() = nil },
		"observed edited":   func() { *worldKinds[kind].observedOf(o) = v1alpha1.ReasonMissing },
		"observed gone":     func() { *worldKinds[kind].observedOf(o) = "" },
		"condition forged": func() {
			*o.Conditions() = []metav1.Condition{{Type: v1alpha1.ConditionReady, Status: "True", Reason: "Fine"}, {Type: "Theirs", Status: "True"}}
		},
		"condition added": func() {
			*o.Conditions() = append(*o.Conditions(), metav1.Condition{Type: "Theirs", Status: "True"})
		},
		"generation forged": func() {
			for i := range *o.Conditions() {
				(*o.Conditions())[i].ObservedGeneration = 7
			}
		},
		"status gone": func() {
			worldKinds[kind].copy(o, project(emptyRecord(kind, "")))
		},
		"status of another": func() {
			conditions := *o.Conditions()
			worldKinds[kind].copy(o, project(drawRecord(t, kind, o.CloudID())))
			*o.Conditions() = conditions
		},
		"owner lost": func() { o.SetOwnerReferences(nil) },
		"owner no controller": func() {
			o.SetOwnerReferences([]metav1.OwnerReference{{APIVersion: "v1", Kind: "ConfigMap", Name: "x", UID: "x"}})
		},
		"seized":      func() { seize(o, "another") },
		"terminating": func() { o.SetDeletionTimestamp(&metav1.Time{Time: began}) },
	}
	edits[rapid.SampledFrom(sortedKeys(edits)).Draw(t, "edit")]()
	return o
}

// Meddle does what a stranger may to one object.
func (h *history) Meddle(t *rapid.T) {
	kind := anyKind.Draw(t, "kind")
	if len(h.objects[kind]) == 0 {
		t.Skip("nothing is there")
	}
	name := rapid.SampledFrom(h.names(kind)).Draw(t, "name")
	if o := meddle(t, kind, h.objects[kind][name]); o != nil {
		h.objects[kind][name] = o
	} else {
		delete(h.objects[kind], name)
	}
}

// Occupy puts a stranger's object under a name that the source may want.
func (h *history) Occupy(t *rapid.T) {
	kind, id := anyKind.Draw(t, "kind"), poolOf.Draw(t, "id")
	o := stored(stamped(h.source, drawRecord(t, kind, id)))
	if h.objects[kind][o.GetName()] != nil {
		t.Skip("the name is taken")
	}
	o.SetUID("stranger")
	seize(o, "another")
	h.objects[kind][o.GetName()] = o
}

// Vacate takes away what only strangers can: their own objects, and what their
// finalizers kept.
func (h *history) Vacate(*rapid.T) {
	for kind := range worldKinds {
		for name, o := range h.objects[kind] {
			if terminating(o) || !Owned(observation(o), h.source) {
				delete(h.objects[kind], name)
			}
		}
	}
}
