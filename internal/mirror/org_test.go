// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"fmt"
	"maps"
	"slices"
	"time"

	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"pgregory.net/rapid"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
)

// org is one discovery, what its manager remembers, and a namespace in memory.
type org struct {
	*WithT
	discovery      *v1alpha1.EnvironmentDiscovery
	now, completed time.Time
	scope          string
	question       string // what the spec asks the cloud
	ledger         *Ledger
	fresh          bool
	approval       *Approval
	applied        AppliedNames
	failed         map[string]Write // whose answers were lost
	sources        map[string]*v1alpha1.InventorySource
	made           int
	many           bool // too many sources to hold what is shared against a copy
	// refused has the names of those that the API server refuses to delete.
	refused []string
}

// environment is one that a listing tells of.
type environment struct{ id, name string }

func newOrg(t rapid.TB) *org {
	d := &v1alpha1.EnvironmentDiscovery{}
	d.Namespace, d.Name, d.UID = "platform", "org", "uid-of-org"
	return &org{WithT: NewWithT(t), discovery: d, now: began, scope: "s", sources: map[string]*v1alpha1.InventorySource{}}
}

// discovered returns an org that listed environments of these IDs once.
func discovered(t rapid.TB, ids ...string) *org {
	o := newOrg(t)
	o.discovery.Spec.Prune.Policy = v1alpha1.PrunePolicyDelete
	o.list(true, ids...)
	o.Expect(o.sources).To(HaveLen(len(ids)))
	return o
}

func (o *org) owner() Owner { return DiscoveryOwner(o.discovery) }

// owned returns the discovery's own sources.
func (o *org) owned() []Object {
	var all []Object
	for _, name := range sortedKeys(o.sources) {
		if Environment.Owned(o.sources[name], o.owner()) {
			all = append(all, o.sources[name])
		}
	}
	return all
}

func (o *org) occupants() map[string]Object {
	others := map[string]Object{}
	for name, s := range o.sources {
		if !Discovered(s, o.discovery) {
			others[name] = s
		}
	}
	return others
}

// named gives environments of these IDs names of their own.
func named(ids ...string) []environment {
	all := make([]environment, len(ids))
	for i, id := range ids {
		all[i] = environment{id, "name of " + id}
	}
	return all
}

// list notes a listing, a second after what was before, and carries out the plan.
func (o *org) list(complete bool, ids ...string) *Plan {
	o.hear(complete, named(ids...)...)
	return o.pass()
}

// hear notes a listing.
func (o *org) hear(complete bool, all ...environment) {
	o.now = o.now.Add(time.Second)
	s := Sighting{Complete: complete, Scope: o.scope, Question: o.question, End: o.now}
	for _, e := range all {
		s.Objects = append(s.Objects, NewSource(o.discovery, e.id, e.name))
	}
	if summary := o.discovery.Status.Environments; o.ledger == nil && summary != nil {
		o.ledger = NewLedger(summary.Scope)
	}
	o.ledger = o.ledger.Record(Environment, o.owner(), s, o.owned())
	if o.fresh = complete; complete {
		o.completed = o.now
	}
}

// look is a complete listing of these environments, and what follows.
func (o *org) look(all ...environment) *Plan {
	o.hear(true, all...)
	return o.pass()
}

// plan plans, and sees to it that nothing shared is changed.
func (o *org) plan() *Plan {
	before := o.shared()
	existing := o.owned()
	plan := Make(Facts{
		Kind: Environment, Owner: o.owner(), Ledger: o.ledger, Question: o.question, Existing: existing, Occupants: o.occupants(),
		Desired:   Desire(o.owner(), []*Kind{Environment}, []*Ledger{o.ledger}, [][]Object{existing})[0],
		Completed: o.completed, Fresh: o.fresh, Approval: o.approval, AppliedNames: o.applied, FailedWrites: o.failed, Now: o.now,
	})
	o.Expect(equality.Semantic.DeepEqual(o.shared(), before)).To(BeTrue(), "planning changes nothing that is shared")
	return plan
}

// shared returns a copy of all that plans are made from and others read.
func (o *org) shared() map[string]any {
	all := map[string]any{"discovery": o.discovery.DeepCopy()}
	if o.many {
		return all
	}
	for name, s := range o.sources {
		all["object/"+name] = s.DeepCopy()
	}
	if o.ledger != nil {
		for name, e := range o.ledger.entries {
			if e.object != nil {
				all["ledger/"+name] = e.object.DeepCopyObject()
			}
		}
	}
	return all
}

// pass plans, carries out the plan, and keeps the discovery's status, as the controller does.
func (o *org) pass() *Plan {
	plan := o.plan()
	o.apply(plan)
	o.fresh = false
	present := map[string]Object{}
	for _, s := range o.owned() {
		if !terminating(s) {
			present[s.GetName()] = s
		}
	}
	d := o.discovery.DeepCopy() // Views keep the discovery that they are of.
	d.Status.Sources, d.Status.SourceCount = plan.View.Sources(present, o.applied, o.now)
	if plan.Summary != nil {
		d.Status.Environments = plan.Summary.DeepCopy()
	} else if o.ledger != nil && d.Status.Environments != nil {
		d.Status.Environments.Scope = o.ledger.Scope()
	}
	o.discovery = d
	return plan
}

// apply carries out a plan as the API server would.
func (o *org) apply(plan *Plan) {
	o.approval, o.applied = plan.Approved, plan.AppliedNames
	for _, w := range plan.Writes {
		name, next := w.Desired.GetName(), stored(w.Desired).(*v1alpha1.InventorySource)
		o.Expect(w.Metadata || w.Content).To(BeTrue(), "a write writes something")
		if w.Existing == nil {
			o.Expect(o.sources[name]).To(BeNil(), "only what is not there is created") // HaveKey looks at every key.
			o.Expect(string(w.Desired.GetUID())+w.Desired.GetResourceVersion()).To(BeEmpty(), "what is created is new")
			o.made++
			next.UID = types.UID(fmt.Sprintf("uid-%d", o.made))
			plan.Created(Environment, w.Desired, true)
		} else {
			o.Expect(o.sources[name]).To(BeIdenticalTo(w.Existing), "only what is there is changed")
			o.Expect(next.Spec.Environment).To(Equal(o.sources[name].Spec.Environment), "an environment is never changed")
		}
		o.sources[name] = next
		o.applied.Add(w)
	}
	if len(plan.Deletes) > 0 {
		plan.Approved.BeginDeletes()
	}
	for _, deleted := range plan.Deletes {
		o.Expect(o.sources[deleted.GetName()]).To(BeIdenticalTo(deleted), "only what is there is deleted")
		if slices.Contains(o.refused, deleted.GetName()) {
			continue
		}
		if delete(o.sources, deleted.GetName()); len(deleted.GetFinalizers()) > 0 {
			kept := stored(deleted).(*v1alpha1.InventorySource)
			kept.DeletionTimestamp, o.sources[kept.Name] = &metav1.Time{Time: o.now}, kept
		}
		plan.Deleted(deleted)
	}
}

// restart makes the manager forget, but for what the discovery's status says.
func (o *org) restart() {
	o.ledger, o.approval, o.applied, o.fresh, o.completed = nil, nil, AppliedNamesOf(o.discovery), false, time.Time{}
	if summary := o.discovery.Status.Environments; summary != nil {
		o.completed = summary.LastListTime.Time
	}
}

// annotate sets an annotation of a source; "" removes it. It changes a copy, as reread does.
func (o *org) annotate(name, key, value string) {
	s := o.reread(name)
	if s.Annotations == nil {
		s.Annotations = pairs{}
	}
	if s.Annotations[key] = value; value == "" {
		delete(s.Annotations, key)
	}
}

// reread returns a source to edit. As in a cache, it is a copy: an object that was read before stays
// as it was.
func (o *org) reread(name string) *v1alpha1.InventorySource {
	o.Expect(o.sources).To(HaveKey(name))
	o.sources[name] = o.sources[name].DeepCopy()
	return o.sources[name]
}

func (o *org) names() []string { return slices.Sorted(maps.Keys(o.sources)) }

// missingSince returns what a source says, and what the discovery's status does.
func (o *org) missingSince(name string) (annotation, status string) {
	for _, s := range o.discovery.Status.Sources {
		if s.Name == name && s.MissingSince != nil {
			status = s.MissingSince.UTC().Format(time.RFC3339)
		}
	}
	return o.sources[name].Annotations[v1alpha1.AnnotationMissingSince], status
}

// outsideSince returns since when the discovery's status says that a source is out of scope.
func (o *org) outsideSince(name string) string {
	for _, s := range o.discovery.Status.Sources {
		if s.Name == name && s.OutOfScopeSince != nil {
			return s.OutOfScopeSince.UTC().Format(time.RFC3339)
		}
	}
	return ""
}

func environmentIDs(n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = fmt.Sprintf("env-%05d", i)
	}
	return out
}

// identifiers are texts as a selector has them.
func identifiers(texts ...string) []v1alpha1.Identifier {
	all := make([]v1alpha1.Identifier, len(texts))
	for i, text := range texts {
		all[i] = v1alpha1.Identifier(text)
	}
	return all
}
