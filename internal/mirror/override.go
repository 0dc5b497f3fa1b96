// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
)

// override is one entry of a discovery's spec.overrides, in a form that is fast for many
// environments.
type override struct {
	takes selector
	spec  v1alpha1.MirrorSettings
}

func newOverrides(d *v1alpha1.EnvironmentDiscovery) []override {
	all := make([]override, len(d.Spec.Overrides))
	for i := range d.Spec.Overrides {
		o := &d.Spec.Overrides[i]
		all[i] = override{newSelector(o.Selector), *o.Spec.MirrorSettings.DeepCopy()}
	}
	return all
}

// applying returns the indexes of the overrides that select an environment.
func (o Owner) applying(id, displayName string) []int {
	var all []int
	for i, override := range o.overrides() {
		if override.takes.environment(id, displayName) {
			all = append(all, i)
		}
	}
	return all
}

// settings returns the settings of an environment's source. These are the settings of the
// discovery's template, changed by the overrides that select the environment. If two overrides set
// a field to different values, settings calls note with the field and the indexes of both
// overrides. note may be nil.
func (o Owner) settings(id, displayName string, note func(field string, earlier, later int)) v1alpha1.MirrorSettings {
	settings := *o.discovery().Spec.Template.Spec.MirrorSettings.DeepCopy()
	setters := map[string]int{}
	for _, i := range o.applying(id, displayName) {
		overlay(reflect.ValueOf(&settings).Elem(), reflect.ValueOf(o.overrides()[i].spec), "", func(field string, differs bool) {
			if earlier, set := setters[field]; set && differs && note != nil {
				note(field, earlier, i)
			}
			setters[field] = i
		})
	}
	return settings
}

// overlay copies the fields that are set in patch to target, as a JSON merge patch does. Members of
// structs and maps are copied one by one. Everything else is replaced. An empty list that is not
// nil counts as set. overlay calls onSet for each copied field, with the field's path and whether
// its value changed.
func overlay(target, patch reflect.Value, path string, onSet func(field string, differs bool)) {
	switch {
	case patch.Kind() == reflect.Struct:
		for i := range patch.NumField() {
			name, _, _ := strings.Cut(patch.Type().Field(i).Tag.Get("json"), ",")
			overlay(target.Field(i), patch.Field(i), strings.TrimPrefix(path+"."+name, "."), onSet)
		}
	case patch.IsZero():
	case patch.Kind() == reflect.Map:
		if target.IsNil() {
			target.Set(reflect.MakeMap(target.Type()))
		}
		for _, key := range patch.MapKeys() {
			before := target.MapIndex(key)
			onSet(path+"["+key.String()+"]", !before.IsValid() || !before.Equal(patch.MapIndex(key)))
			target.SetMapIndex(key, patch.MapIndex(key))
		}
	default:
		onSet(path, !reflect.DeepEqual(target.Interface(), patch.Interface()))
		target.Set(patch)
	}
}

// overrideRemarks returns notes about a discovery's overrides. One note names the overrides that
// select no environment of the discovery. Another note names two overrides that set a field to
// different values.
func overrideRemarks(owner Owner, desired Desired) []string {
	if len(owner.overrides()) == 0 {
		return nil
	}
	unused := make(map[int]bool, len(owner.overrides()))
	for i := range owner.overrides() {
		unused[i] = true
	}
	contradictions := map[string]bool{}
	for _, name := range slices.Sorted(maps.Keys(desired)) {
		id, shown := source(desired[name]).Spec.Environment, displayName(desired[name])
		for _, i := range owner.applying(id, shown) {
			delete(unused, i)
		}
		owner.settings(id, shown, func(field string, earlier, later int) {
			contradictions[fmt.Sprintf("spec.overrides[%d] and [%d] set %s differently", earlier, later, field)] = true
		})
	}
	var remarks []string
	if len(unused) > 0 {
		names := make([]string, 0, len(unused))
		for _, i := range slices.Sorted(maps.Keys(unused)) {
			names = append(names, fmt.Sprintf("spec.overrides[%d]", i))
		}
		remarks = append(remarks, "no environment is selected by "+Names(names))
	}
	if len(contradictions) > 0 {
		first := slices.Min(slices.Collect(maps.Keys(contradictions)))
		remarks = append(remarks, first+", the later one counts")
		if more := len(contradictions) - 1; more > 0 {
			remarks[len(remarks)-1] += fmt.Sprintf("; so do %d more", more)
		}
	}
	return remarks
}
