// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"maps"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
)

// AppliedNames has a display name for each environment: the name that decided the settings of the
// environment's source. The key is the environment's ID. If an environment was renamed, and a
// person must first approve the settings for the new name, AppliedNames has the old name. The name
// is "" if the environment has no name.
//
// The names describe the sources as they are in the cluster, not as a plan wants them. So the map gets
// a new name only after the API server stored a write, or after a plan found that the source in the
// cluster needs no write. If a source was deleted, and is not yet created again, the map keeps the
// display name.
//
// The map is not safe for concurrent use.
type AppliedNames map[string]appliedName

// appliedName is the name of one environment.
type appliedName struct {
	name string
	// decided is false for a source that was handed over. It becomes true when the discovery gives
	// the source its settings while the cloud lists the environment. It is also true for a source
	// that the discovery controls and that has the discovery's settings, if nothing else is known of
	// it: see keptName. As long as decided is false, a person must approve the deletion of the
	// source, unless maxPercent is 100.
	decided bool
	// fromStatus is true if the name comes from the discovery's status, and no plan has looked at the
	// source since the manager's start. The status can be older than the source.
	fromStatus bool
	// uid is the UID of the source when the discovery last controlled it. It is "" if it is not known:
	// the discovery has not controlled the source since the manager's start, or has just created it.
	uid types.UID
}

// AppliedNamesOf reads the names from the status of a discovery. For an InventorySource, the result is
// nil.
func AppliedNamesOf(owner Object) AppliedNames {
	d, is := owner.(*v1alpha1.EnvironmentDiscovery)
	if !is {
		return nil
	}
	names := make(AppliedNames, len(d.Status.Sources))
	for i := range d.Status.Sources {
		entry := &d.Status.Sources[i]
		names[entry.Environment] = appliedName{name: entry.DisplayName, decided: !entry.NeverListed, fromStatus: true}
	}
	return names
}

// Add notes that the API server stored a write of a plan.
func (n AppliedNames) Add(w Write) {
	if w.appliedName != nil {
		n[source(w.Desired).Spec.Environment] = *w.appliedName
	}
}

// appliedNameOf returns the display name that decides the settings of a source in the plan. It
// returns nil for an observation. existing is the source in the cluster; nil if the plan creates it.
func (p *planner) appliedNameOf(desired, existing Object) *appliedName {
	if p.View.displayNames == nil {
		return nil
	}
	id := p.Kind.id(desired)
	name, known := p.View.displayNames[id]
	applied := &appliedName{
		name:    name,
		decided: known && (p.Plan.AppliedNames[id].decided || p.Ledger.sightOf(desired.GetName()) == sightListed),
	}
	if existing != nil {
		applied.uid = existing.GetUID()
	}
	return applied
}

// keptNames returns the display names of the previous plan that are still valid. It also returns
// the display names of the writes in FailedWrites that the API server stored after all. In these
// cases, a display name is no longer valid:
//
//   - The source is gone, and the discovery does not create it again.
//   - Another object in the cluster has the source's name, or another controller has the source.
//     Then someone else has decided the settings.
//
// Sometimes the status has no name, or an older name, for a source that the discovery controls: the
// manager ended before it wrote the status, or the status has no room for the source. Then keptNames
// reads the name from the source's annotation. An older name gives way only if the source also has
// the settings for the name in the annotation. keptNames reads the annotation only once, because a
// person who may edit the source can forge the annotation.
func (p *planner) keptNames() AppliedNames {
	if p.Kind.environmentNames == nil {
		return nil
	}
	kept := make(AppliedNames, max(len(p.Facts.AppliedNames), len(p.Existing)))
	maps.Copy(kept, p.Facts.AppliedNames)
	exists := make(map[string]bool, len(p.Existing))
	for _, o := range p.Existing {
		exists[o.GetName()] = true
	}
	for id, applied := range kept {
		name := ObjectName(id)
		seen := p.Ledger.sightOf(name)
		switch occupant := p.Occupants[name]; {
		case occupant != nil && (occupant.GetUID() != applied.uid || metav1.GetControllerOf(occupant) != nil):
			kept[id] = appliedName{} // Without an entry, the annotation would decide if the source came back.
		case !exists[name] && (seen == sightMissing || seen == sightOutside):
			delete(kept, id)
		}
	}
	for _, o := range p.Existing {
		if w, failed := p.FailedWrites[o.GetName()]; failed && w.wantedObject != nil && p.Kind.same(o, w.wantedObject) && sameMetadata(o, w.wantedObject) {
			kept.Add(w)
		}
		id := p.Kind.id(o)
		applied, known := kept[id]
		kept[id] = p.keptName(o, applied, known)
	}
	return kept
}

// keptName returns what keptNames returns for the source o in the cluster. former is the name so far.
// known is false if there is none.
func (p *planner) keptName(o Object, former appliedName, known bool) appliedName {
	switch {
	case metav1.IsControlledBy(o, p.Owner.Object):
	case former.uid == "":
		return appliedName{name: former.name} // The source may be another one than the status has.
	case former.uid != o.GetUID():
		return appliedName{} // A person replaced the source.
	default: // The source lost its ownerReference.
		return former
	}
	all, id, listed, annotated := p.Owner.loadOverrides(), p.Kind.id(o), p.Desired[o.GetName()], displayName(o)
	_, wasMissing := o.GetAnnotations()[v1alpha1.AnnotationMissingSince]
	applied := appliedName{name: former.name, decided: former.decided, uid: o.GetUID()}
	switch {
	case !known:
		applied.name = annotated
		applied.decided = annotated != "" || !wasMissing && sameValue(source(o).Spec.MirrorSettings, all.settingsFor(id, "").settings)
	case listed != nil && shownName(displayName(listed)) == former.name: // The status is not older.
	case former.fromStatus && annotated != "" && all.onlySettingsFor(source(o), annotated, wholeName(former.name, o, o)):
		applied.name = annotated
	}
	return applied
}

// nameFor returns the display name that decided the settings of the source o. It returns "" if
// there is no display name, or if the name is not known. inCluster is the source in the cluster
// that has the same object name as o; nil if there is none.
func (n AppliedNames) nameFor(o, inCluster Object) string {
	return wholeName(n[source(o).Spec.Environment].name, o, inCluster)
}

// wholeName returns a display name from the status. If the status has cut the name, and the source's
// annotation has the rest of the name, the result is the whole name. o and inCluster are as for
// nameFor.
func wholeName(name string, o, inCluster Object) string {
	if inCluster != nil && source(inCluster).Spec.Environment == source(o).Spec.Environment && shownName(displayName(inCluster)) == name {
		return displayName(inCluster)
	}
	return name
}
