// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"cmp"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/runtime"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
)

const (
	// maxWhy is the largest size of a reason in a preview, in bytes.
	maxWhy = 256
	// maxPreviewed is the largest number of entries in one list of a preview.
	maxPreviewed = 500
)

// Preview returns the sources that the plan creates, changes and deletes, with the reasons. It
// returns nil before the first complete listing since the operator's start.
func (p *Plan) Preview() *v1alpha1.DiscoveryPreview {
	if p.Summary == nil {
		return nil
	}
	v := &v1alpha1.DiscoveryPreview{}
	v.Create, v.CreateCount = previewEntries(p.createEntries())
	v.Change, v.ChangeCount = previewEntries(p.changeEntries())
	v.Delete, v.DeleteCount = previewEntries(p.deleteEntries())
	return v
}

// createEntries returns a preview entry for each source to create. If the source cannot be created
// yet, the entry says why.
func (p *Plan) createEntries() []v1alpha1.PreviewedSource {
	takes := newSelector(p.View.owner.discovery().Spec.Selector)
	var all []v1alpha1.PreviewedSource
	for _, w := range p.Writes {
		if w.Existing == nil {
			_, why := takes.judge(source(w.Desired).Spec.Environment, displayName(p.View.desired[w.Desired.GetName()]))
			all = append(all, previewEntry(w.Desired, refusalPrefix(w)+why))
		}
	}
	for _, name := range p.Leaving {
		all = append(all, previewEntry(p.View.desired[name], "once the source that is being deleted is gone"))
	}
	for _, c := range p.Conflicts {
		all = append(all, previewEntry(p.View.desired[c.Name], "not until its name is free: "+p.occupiedText(c)))
	}
	for _, c := range p.Clashes {
		all = append(all, v1alpha1.PreviewedSource{Environment: c.ID, Name: c.Name, Why: "never: the source of " + c.Owner + " has its name"})
	}
	return all
}

// occupiedText describes an existing source whose name the discovery needs for a new source. If a
// person can hand over the existing source to the discovery, the text also says what the discovery
// would change in it.
func (p *Plan) occupiedText(c Conflict) string {
	by := "a source without a controller has it"
	switch {
	case c.Own:
		return "the discovery's source of " + c.ID + " has it"
	case c.Predecessor:
		return "the garbage collector deletes the source of the deleted discovery that had this one's name"
	case c.ID != "":
		by = "a source of " + c.ID + " has it"
	case c.Controller != "":
		by = "a source that " + c.Controller + " controls has it"
	}
	if !c.Movable() {
		return by
	}
	occupant := p.occupantsByName[c.Name]
	if p.View.kind.releases(occupant) {
		return by + "; handed over, it stays as it is, because it is unmanaged"
	}
	next, desired := source(occupant).DeepCopy(), p.View.renderedObject(p.View.desired[c.Name], occupant, p.View.planTime)
	restoreMetadata(next, desired)
	p.View.kind.copy(next, desired)
	return by + "; handed over, it changes " + changesText(occupant, next)
}

// changeEntries returns a preview entry for each existing source that the plan changes.
func (p *Plan) changeEntries() []v1alpha1.PreviewedSource {
	var all []v1alpha1.PreviewedSource
	for _, w := range p.Writes {
		if w.Existing != nil {
			all = append(all, previewEntry(w.Desired, refusalPrefix(w)+changesText(w.Existing, w.Desired)))
		}
	}
	return all
}

// deleteEntries returns a preview entry for each source to delete. If the deletion must wait, the
// entry says why.
func (p *Plan) deleteEntries() []v1alpha1.PreviewedSource {
	owner := p.View.owner
	takes := newSelector(owner.discovery().Spec.Selector)
	held := map[string]bool{}
	if p.Held != nil {
		for _, o := range p.Held.Objects {
			held[o.GetName()] = true
		}
	}
	var all []v1alpha1.PreviewedSource
	for _, a := range p.absentees {
		if retained(owner.Prune, a).verdict != verdictAllow {
			continue
		}
		why := "not listed since " + a.since.UTC().Format(time.RFC3339)
		if a.notSelected {
			_, why = takes.judge(source(a.object).Spec.Environment, displayName(p.View.desired[a.object.GetName()]))
		}
		switch {
		case held[a.object.GetName()]:
			why += "; held as " + p.Held.Reason + " until a person approves, see condition PruneHeld"
		case unconfirmed(owner.Prune, a).verdict != verdictAllow:
			why += fmt.Sprintf("; after %d complete listings in a row without it", owner.Prune.GetAfterMisses())
		case inGrace(owner.Prune, a).verdict != verdictAllow:
			why += "; after the grace period, at " + a.since.Add(owner.Prune.GetGracePeriod()).UTC().Format(time.RFC3339)
		}
		all = append(all, previewEntry(a.object, why))
	}
	return all
}

// previewEntry returns the preview entry of a source, with the reason for the planned change.
func previewEntry(o Object, why string) v1alpha1.PreviewedSource {
	return v1alpha1.PreviewedSource{Environment: source(o).Spec.Environment, DisplayName: displayName(o), Name: o.GetName(), Why: why}
}

// previewEntries sorts the entries and shortens long texts. It returns the first entries that fit
// into the status, and the number of all entries.
func previewEntries(all []v1alpha1.PreviewedSource) (first []v1alpha1.PreviewedSource, count int32) {
	slices.SortFunc(all, func(a, b v1alpha1.PreviewedSource) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Environment, b.Environment))
	})
	size := 0
	for i := range all {
		e := &all[i]
		e.DisplayName, e.Why = Truncate(e.DisplayName, maxShownName), Truncate(e.Why, maxWhy)
		size += jsonSize(e.Environment, e.DisplayName, e.Name, e.Why)
		if i == maxPreviewed || size > maxListSize {
			return all[:i], int32(len(all))
		}
	}
	return all, int32(len(all))
}

// refusalPrefix returns the reason why the API server refuses a write, followed by "; ". If the API
// server accepts the write, the result is "".
func refusalPrefix(w Write) string {
	if why := invalidReason(w); why != "" {
		return "the API server refuses it: " + why + "; "
	}
	return ""
}

// changesText returns a text with the differences between two versions of a source. It ignores
// parts that a discovery does not write. Differences in the spec come first, because a long text is
// cut at the end.
func changesText(before, after Object) string {
	was, becomes := writtenParts(before), writtenParts(after)
	var all []string
	for _, part := range []string{"spec", "metadata"} {
		all = append(all, differenceTexts(part, was[part], becomes[part])...)
	}
	return strings.Join(all, ", ")
}

// writtenParts returns the parts that a discovery writes in a source, as JSON values. Each
// ownerReference becomes a text with the owner's kind and name.
func writtenParts(o Object) map[string]any {
	whole, err := runtime.DefaultUnstructuredConverter.ToUnstructured(source(o))
	if err != nil { // API types always convert.
		return nil
	}
	var owners any
	for _, r := range o.GetOwnerReferences() {
		owner := r.Kind + "/" + r.Name
		if r.Controller == nil || !*r.Controller {
			owner += " (not as controller)"
		}
		if owners != nil {
			owner = owners.(string) + " and " + owner
		}
		owners = owner
	}
	metadata, _ := whole["metadata"].(map[string]any)
	return map[string]any{"spec": whole["spec"], "metadata": map[string]any{
		"labels": metadata["labels"], "annotations": metadata["annotations"], "ownerReferences": owners}}
}

// differenceTexts returns one text for each difference between two JSON values. The text has the
// path, the old value and the new value.
func differenceTexts(path string, a, b any) []string {
	before, isMap := a.(map[string]any)
	after, areMaps := b.(map[string]any)
	switch {
	case isMap && (areMaps || b == nil) || areMaps && a == nil:
		keys := maps.Clone(before)
		if keys == nil {
			keys = map[string]any{}
		}
		maps.Copy(keys, after)
		var all []string
		for _, key := range slices.Sorted(maps.Keys(keys)) {
			all = append(all, differenceTexts(path+"."+key, before[key], after[key])...)
		}
		return all
	case reflect.DeepEqual(a, b):
		return nil
	}
	return []string{fmt.Sprintf("%s: %s to %s", path, inWords(a), inWords(b))}
}

// inWords returns a JSON value as a text for people.
func inWords(value any) string {
	switch value := value.(type) {
	case nil:
		return "unset"
	case string:
		return value
	}
	return fmt.Sprint(value)
}
