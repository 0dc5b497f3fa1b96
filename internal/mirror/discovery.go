// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
)

// Environment describes environments, whose objects in the cluster are InventorySources.
var Environment = &Kind{
	Name:     "Environment",
	joinedAs: func(o, _ v1alpha1.Observation) v1alpha1.Observation { return o },
}

// Child is an InventorySource that an EnvironmentDiscovery keeps, as the ledger and the
// prune chain see it: as the observation of its environment. Its spec is what is compared.
// What an observation's condition Observed says, an annotation of the source does.
type Child struct {
	*v1alpha1.InventorySource
	origin     v1alpha1.ObservationOrigin
	conditions []metav1.Condition
	observed   string
}

var _ v1alpha1.Observation = &Child{}

// NewChild returns a source as a child.
func NewChild(source *v1alpha1.InventorySource) *Child {
	c := &Child{InventorySource: source}
	if since, err := time.Parse(time.RFC3339, source.Annotations[v1alpha1.AnnotationMissingSince]); err == nil {
		c.conditions = []metav1.Condition{{Type: v1alpha1.ConditionObserved, Status: metav1.ConditionFalse, LastTransitionTime: metav1.NewTime(since)}}
	}
	return c
}

// CloudID implements Observation.
func (c *Child) CloudID() string { return c.Spec.Environment }

// Origin implements Observation.
func (c *Child) Origin() *v1alpha1.ObservationOrigin { return &c.origin }

// Phase implements Observation: an environment has none.
func (c *Child) Phase() string { return "" }

// Trouble implements Observation.
func (c *Child) Trouble() string { return "" }

// Conditions implements Observation.
func (c *Child) Conditions() *[]metav1.Condition { return &c.conditions }

// Observed implements Observation.
func (c *Child) Observed() *string { return &c.observed }

// GetStatus implements Observation.
func (c *Child) GetStatus() any { return &c.Spec }

// SameStatus implements Observation.
func (c *Child) SameStatus(other v1alpha1.Observation) bool {
	return equality.Semantic.DeepEqual(c.Spec, other.(*Child).Spec)
}

// CopyStatus implements Observation.
func (c *Child) CopyStatus(other v1alpha1.Observation) { other.(*Child).Spec.DeepCopyInto(&c.Spec) }

// DeepCopyObject implements runtime.Object.
func (c *Child) DeepCopyObject() runtime.Object { return NewChild(c.DeepCopy()) }

// displayName returns the name that people gave the child's environment.
func (c *Child) displayName() string { return c.Annotations[v1alpha1.AnnotationEnvironmentName] }

// unmanaged reports whether a person asked the discovery to leave the source alone.
func (c *Child) unmanaged() bool { return c.Annotations[v1alpha1.AnnotationUnmanaged] == "true" }

// Selects reports whether a discovery takes an environment.
func Selects(s v1alpha1.EnvironmentSelector, id, displayName string) bool {
	if matches(s.Exclude, id, displayName) {
		return false
	}
	return len(s.IDs)+len(s.DisplayNames) == 0 || matches(s.EnvironmentMatch, id, displayName)
}

func matches(m v1alpha1.EnvironmentMatch, id, displayName string) bool {
	return slices.Contains(m.IDs, v1alpha1.Identifier(id)) ||
		slices.ContainsFunc(m.DisplayNames, func(pattern v1alpha1.Identifier) bool { return glob([]rune(pattern), []rune(displayName)) })
}

// glob reports whether a pattern fits a text, where * stands for any text and ? for one
// character. Its time is bounded by the product of both lengths.
func glob(pattern, text []rune) bool {
	p, t, star, mark := 0, 0, -1, 0
	for t < len(text) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, mark = p, t
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == text[t]):
			p++
			t++
		case star >= 0: // Let the last * stand for one character more.
			mark++
			p, t = star+1, mark
		default:
			return false
		}
	}
	for p < len(pattern) && pattern[p] == '*' {
		p++
	}
	return p == len(pattern)
}

// NewSource returns the source that a discovery makes for an environment, as it should be.
func NewSource(d *v1alpha1.EnvironmentDiscovery, id, displayName string) *Child {
	source := &v1alpha1.InventorySource{Spec: v1alpha1.InventorySourceSpec{
		Environment:    id,
		Endpoint:       d.GetEndpoint(),
		Credentials:    *d.Spec.Credentials.DeepCopy(),
		MirrorSettings: *d.Spec.Template.Spec.MirrorSettings.DeepCopy(),
	}}
	source.Name, source.Namespace = ObjectName(id), d.Namespace
	source.OwnerReferences = []metav1.OwnerReference{*discoveryReference(d)}
	source.Labels = map[string]string{}
	for key, value := range d.Spec.Template.Metadata.Labels {
		source.Labels[key] = string(value)
	}
	setLabel(source.Labels, v1alpha1.LabelDiscovery, d.Name)
	setLabel(source.Labels, v1alpha1.LabelEnvironment, id)
	source.Annotations = maps.Clone(d.Spec.Template.Metadata.Annotations)
	if source.Annotations == nil {
		source.Annotations = map[string]string{}
	}
	if displayName != "" {
		source.Annotations[v1alpha1.AnnotationEnvironmentName] = Truncate(displayName, maxText)
	}
	if keys := templateKeys(d.Spec.Template.Metadata); keys != "" {
		source.Annotations[v1alpha1.AnnotationTemplateKeys] = keys
	}
	return NewChild(source)
}

func discoveryReference(d *v1alpha1.EnvironmentDiscovery) *metav1.OwnerReference {
	return metav1.NewControllerRef(d, v1alpha1.GroupVersion.WithKind("EnvironmentDiscovery"))
}

// Discovered reports whether a source is this discovery's: controlled by it, or its own with
// the ownerReference lost, that is without any controller, labelled with the discovery's
// name, and under the name that the discovery would give it.
func Discovered(source *v1alpha1.InventorySource, d *v1alpha1.EnvironmentDiscovery) bool {
	if controller := metav1.GetControllerOf(source); controller != nil {
		return controller.UID == d.UID
	}
	return source.Labels[v1alpha1.LabelDiscovery] == d.Name && source.Name == ObjectName(source.Spec.Environment)
}

// DiscoveryFacts are all that a discovery's plan is made from.
type DiscoveryFacts struct {
	Discovery *v1alpha1.EnvironmentDiscovery
	// Ledger is what the listings said of the environments that are taken; nil if there
	// was none since the start.
	Ledger *Ledger
	// Existing are the discovery's own sources. They are not changed.
	Existing []*Child
	// Occupants are the sources in its namespace that are not its own and have a name it
	// wants, by name.
	Occupants map[string]*v1alpha1.InventorySource
	// Fresh and Approval are as in Facts.
	Fresh    bool
	Approval *Approval
	Now      time.Time
}

// DiscoveryPlan is what follows: sources to create, to change and to delete, sorted by name,
// and what to report.
type DiscoveryPlan struct {
	// Writes have their parts in Metadata (metadata) and Status (spec).
	Writes  []Write
	Deletes []v1alpha1.Observation
	// Unchanged is the number of sources that are as they should be.
	Unchanged int
	// Kept are the sources there are, sorted by environment.
	Kept []v1alpha1.DiscoveredSource
	Report
}

// discoverer makes one plan.
type discoverer struct {
	DiscoveryFacts
	DiscoveryPlan
	missing  []absentee
	present  int
	observed int32
	absent   int32
}

// Discover returns the plan for the sources of a discovery.
func Discover(facts DiscoveryFacts) *DiscoveryPlan {
	p := &discoverer{DiscoveryFacts: facts}
	p.Undecided = p.Ledger.Completed().IsZero()
	there := map[string]bool{}
	for _, existing := range p.Existing {
		there[existing.Name] = true
		p.keep(existing)
	}
	p.add(there)
	if p.Ledger != nil {
		p.Clashes = p.Ledger.clashes
	}
	doomed := map[v1alpha1.Observation]bool{}
	for _, a := range (pruning{
		kind: Environment, owner: owner{p.Discovery, "environmentdiscovery"}, spec: p.Discovery.Spec.Prune.AsPrune(),
		missing: p.missing, present: p.present, ledger: p.Ledger, fresh: p.Fresh, approval: p.Approval,
	}).decide(&p.Report) {
		doomed[a.observation] = true
		p.Deletes = append(p.Deletes, a.observation)
	}
	p.Writes = slices.DeleteFunc(p.Writes, func(w Write) bool { return doomed[w.Existing] })
	if completed := p.Ledger.Completed(); !completed.IsZero() {
		at := metav1.NewTime(completed)
		p.Summary = &v1alpha1.InventorySummary{Observed: p.observed, Missing: p.absent, LastListTime: &at, Scope: p.Ledger.Scope()}
	}
	slices.SortFunc(p.Writes, func(a, b Write) int { return cmp.Compare(a.Desired.GetName(), b.Desired.GetName()) })
	slices.SortFunc(p.Deletes, byName)
	slices.SortFunc(p.Conflicts, func(a, b Conflict) int { return cmp.Compare(a.Name, b.Name) })
	slices.SortFunc(p.Kept, func(a, b v1alpha1.DiscoveredSource) int { return cmp.Compare(a.Environment, b.Environment) })
	return &p.DiscoveryPlan
}

// keep plans for a source that is there. One that is being deleted, that a person asked to
// leave alone, or that is of another environment than the listed one of its name, stays as
// it is; any other follows the template, whether its environment is listed, missing, or not
// known since the start.
func (p *discoverer) keep(existing *Child) {
	name := existing.Name
	e, known := p.Ledger.entry(name)
	listed := known && e.listed() && e.observation.CloudID() == existing.CloudID()
	if !terminating(existing) {
		p.present++
		p.Kept = append(p.Kept, v1alpha1.DiscoveredSource{Environment: existing.CloudID(), DisplayName: existing.displayName(), Name: name})
	}
	switch {
	case terminating(existing):
		if listed {
			p.observed++
		}
		p.Unchanged++
		return
	case known && e.listed() && !listed:
		p.Conflicts = append(p.Conflicts, Conflict{Name: name, ID: existing.CloudID()})
		return
	}
	displayName, missing := existing.displayName(), p.Ledger.isMissing(name)
	switch {
	case listed:
		p.observed++
		displayName = e.observation.(*Child).displayName()
	case missing:
		p.absent++
	}
	if existing.unmanaged() {
		p.Unchanged++
		return
	}
	desired := NewSource(p.Discovery, existing.CloudID(), displayName)
	desired.Name = name
	keepUsers(desired, existing)
	switch {
	case missing:
		a := p.Ledger.absentee(existing, p.Now)
		p.missing = append(p.missing, a)
		desired.Annotations[v1alpha1.AnnotationMissingSince] = a.since.UTC().Format(time.RFC3339)
	case !listed: // Nobody knows: what an earlier process found stays.
		if since, said := existing.Annotations[v1alpha1.AnnotationMissingSince]; said {
			desired.Annotations[v1alpha1.AnnotationMissingSince] = since
		}
	}
	p.change(existing, desired)
}

// usersKeys are annotations under the operator's prefix that are a user's to set.
var usersKeys = []string{v1alpha1.AnnotationRequestedAt, v1alpha1.AnnotationApprovePrune, v1alpha1.AnnotationUnmanaged}

// keepUsers gives a source the annotations that a user set on it.
func keepUsers(desired, existing *Child) {
	for _, key := range usersKeys {
		if value, set := existing.Annotations[key]; set {
			desired.Annotations[key] = value
		}
	}
}

func (p *discoverer) change(existing, desired *Child) {
	spec, metadata := !existing.SameStatus(desired), !sameMetadata(existing, desired)
	if !spec && !metadata {
		p.Unchanged++
		return
	}
	next := NewChild(existing.DeepCopy())
	restoreMetadata(next, desired)
	next.CopyStatus(desired)
	p.Writes = append(p.Writes, Write{Existing: existing, Desired: next, Metadata: metadata, Status: spec})
}

// add plans for listed environments without a source: all of them after a complete listing,
// otherwise as many as there is room for.
func (p *discoverer) add(there map[string]bool) {
	if p.Ledger == nil {
		return
	}
	room := len(p.Ledger.entries)
	if p.Ledger.partial {
		room = max(0, roomFor(p.Ledger.told)-len(p.Existing))
	}
	for _, name := range slices.Sorted(maps.Keys(p.Ledger.entries)) {
		e := p.Ledger.entries[name]
		if there[name] || !e.listed() {
			continue
		}
		environment := e.observation.(*Child)
		if occupant := p.Occupants[name]; occupant != nil {
			p.Conflicts = append(p.Conflicts, newConflict(occupant, discoveryReference(p.Discovery)))
			continue
		}
		if room == 0 {
			p.Withheld++
			continue
		}
		room--
		p.Writes = append(p.Writes, Write{Desired: NewSource(p.Discovery, environment.CloudID(), environment.displayName()), Metadata: true, Status: true})
	}
}
