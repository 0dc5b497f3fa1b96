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

// Preview returns what the plan for a discovery would do to the discovery's sources, and why.
func (p *Plan) Preview() *v1alpha1.DiscoveryPreview {
	v := &v1alpha1.DiscoveryPreview{}
	v.Create, v.CreateCount = previewed(p.creations())
	v.Change, v.ChangeCount = previewed(p.alterations())
	v.Delete, v.DeleteCount = previewed(p.deletions())
	return v
}

// creations returns the sources to create. Sources whose name is taken are included.
func (p *Plan) creations() []v1alpha1.PreviewedSource {
	takes := newSelector(p.View.owner.discovery().Spec.Selector)
	var all []v1alpha1.PreviewedSource
	for _, w := range p.Writes {
		if w.Existing == nil {
			_, why := takes.judge(source(w.Desired).Spec.Environment, displayName(w.Desired))
			all = append(all, entryOf(w.Desired, why))
		}
	}
	for _, name := range p.Leaving {
		all = append(all, entryOf(p.View.desired[name], "once the source that is being deleted is gone"))
	}
	for _, c := range p.Conflicts {
		by := "a source without a controller"
		switch {
		case c.ID != "":
			by = "the discovery's source of " + c.ID
		case c.Controller != "":
			by = "a source that " + c.Controller + " controls"
		}
		all = append(all, entryOf(p.View.desired[c.Name], "not until its name is free: "+by+" has it"))
	}
	for _, c := range p.Clashes {
		all = append(all, v1alpha1.PreviewedSource{Environment: c.ID, Name: c.Name, Why: "never: the source of " + c.Owner + " has its name"})
	}
	return all
}

// alterations returns the sources to change. Sources whose environment is missing or out of scope
// are included while the prune chain keeps them.
func (p *Plan) alterations() []v1alpha1.PreviewedSource {
	var all []v1alpha1.PreviewedSource
	for _, w := range p.Writes {
		if w.Existing != nil {
			all = append(all, entryOf(w.Desired, strings.Join(differences("", written(w.Existing), written(w.Desired)), ", ")))
		}
	}
	return all
}

// deletions returns the sources that the prune chain deletes now, after a wait, or after an
// approval.
func (p *Plan) deletions() []v1alpha1.PreviewedSource {
	owner := p.View.owner
	takes := newSelector(owner.discovery().Spec.Selector)
	held := map[string]bool{}
	if p.Held != nil {
		for _, o := range p.Held.Objects {
			held[o.GetName()] = true
		}
	}
	var all []v1alpha1.PreviewedSource
	for _, a := range p.missing {
		if retained(owner.Prune, a).verdict != allow {
			continue
		}
		why := "not listed since " + a.since.UTC().Format(time.RFC3339)
		if a.outside {
			_, why = takes.judge(source(a.object).Spec.Environment, displayName(p.View.desired[a.object.GetName()]))
		}
		switch {
		case held[a.object.GetName()]:
			why += "; held as " + p.Held.Reason + " until a person approves, see condition PruneHeld"
		case unconfirmed(owner.Prune, a).verdict != allow:
			why += fmt.Sprintf("; after %d complete listings in a row without it", owner.Prune.GetAfterMisses())
		case inGrace(owner.Prune, a).verdict != allow:
			why += "; after the grace period, at " + a.since.Add(owner.Prune.GetGracePeriod()).UTC().Format(time.RFC3339)
		}
		all = append(all, entryOf(a.object, why))
	}
	return all
}

// entryOf returns the entry for a source in a preview.
func entryOf(o Object, why string) v1alpha1.PreviewedSource {
	return v1alpha1.PreviewedSource{Environment: source(o).Spec.Environment, DisplayName: displayName(o), Name: o.GetName(), Why: why}
}

// previewed sorts the entries and cuts their texts. It returns the first entries that fit into a
// list, and the number of all entries.
func previewed(all []v1alpha1.PreviewedSource) (first []v1alpha1.PreviewedSource, count int32) {
	slices.SortFunc(all, func(a, b v1alpha1.PreviewedSource) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Environment, b.Environment))
	})
	size := 0
	for i := range all {
		e := &all[i]
		e.DisplayName, e.Why = Truncate(e.DisplayName, maxShownName), Truncate(e.Why, maxWhy)
		size += jsonSize(e.Environment, e.DisplayName, e.Name, e.Why)
		if i == maxPreviewed || size > maxListed {
			return all[:i], int32(len(all))
		}
	}
	return all, int32(len(all))
}

// written returns the parts of a source that a discovery writes, as a JSON value.
func written(o Object) any {
	whole, err := runtime.DefaultUnstructuredConverter.ToUnstructured(source(o))
	if err != nil { // API types always convert.
		return nil
	}
	metadata, _ := whole["metadata"].(map[string]any)
	return map[string]any{"spec": whole["spec"], "metadata": map[string]any{
		"labels": metadata["labels"], "annotations": metadata["annotations"], "ownerReferences": metadata["ownerReferences"]}}
}

// differences returns the paths at which two JSON values differ, each path with both values.
func differences(path string, a, b any) []string {
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
			all = append(all, differences(strings.TrimPrefix(path+"."+key, "."), before[key], after[key])...)
		}
		return all
	case reflect.DeepEqual(a, b):
		return nil
	}
	return []string{fmt.Sprintf("%s: %s to %s", path, inWords(a), inWords(b))}
}

// inWords returns a JSON value for people.
func inWords(value any) string {
	switch value := value.(type) {
	case nil:
		return "unset"
	case string:
		return value
	}
	return fmt.Sprint(value)
}
