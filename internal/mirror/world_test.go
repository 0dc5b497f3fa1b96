// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"pgregory.net/rapid"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
	"github.com/ccloud-dev/inventory-operator/internal/cloudapi/wire"
)

// began is when a world begins. Its fraction of a second is one that the
// Kubernetes API would drop.
var began = time.Date(2026, time.January, 2, 3, 4, 5, 600_000_000, time.UTC)

func ptr[T any](v T) *T { return &v }

func newSource() *v1alpha1.InventorySource {
	s := &v1alpha1.InventorySource{}
	s.Namespace, s.Name, s.UID = "platform", "prod", "uid-of-prod"
	s.Spec.Environment = "env-1"
	for _, policy := range policiesOf(s) {
		*policy = v1alpha1.MirrorPolicyMirror
	}
	return s
}

// newCluster returns a provisioned cluster's record. A network is optional.
func newCluster(id string, network ...string) *wire.Cluster {
	c := &wire.Cluster{ID: id}
	c.Status.Phase = "PROVISIONED"
	c.Spec.KafkaBootstrapEndpoint = id + ":9092"
	for _, n := range network {
		c.Spec.Network.ID = n
	}
	return c
}

// newPeering returns a ready peering's record.
func newPeering(id, network string) *wire.Peering {
	p := &wire.Peering{ID: id}
	p.Status.Phase = "READY"
	p.Spec.Cloud.Kind = "AwsPeering"
	p.Spec.Network.ID = network
	return p
}

// newNetwork returns a ready network's record.
func newNetwork(id, cidr string) *wire.Network {
	n := &wire.Network{ID: id}
	n.Status.Phase, n.Status.DNSDomain = "READY", id+".example"
	n.Spec.CIDR = cidr
	return n
}

// newRegistry returns the record of a Schema Registry cluster that is provisioned.
func newRegistry(id, endpoint string) *wire.SchemaRegistry {
	r := &wire.SchemaRegistry{ID: id}
	r.Status.Phase = "PROVISIONED"
	r.Spec.HTTPEndpoint = endpoint
	return r
}

// stamped turns a record of any kind into an observation of a source's.
func stamped(source *v1alpha1.InventorySource, record any) v1alpha1.Observation {
	o := project(record)
	kindOf(o).Stamp(o, source)
	return o
}

// world is one source, what its manager remembers, and a namespace in memory.
type world struct {
	*WithT
	source *v1alpha1.InventorySource
	now    time.Time
	scope  string
	made   int // objects so far, for their UIDs
	// refused has the names of those that the API server refuses to delete.
	refused []string

	// By kind:
	ledgers   []*Ledger
	scopes    []string // in the source's status, whose summaries pass keeps
	completed []time.Time
	fresh     []bool
	approvals []*Approval
	objects   []map[string]Object // by name
}

func newWorld(t rapid.TB) *world {
	w := &world{
		WithT: NewWithT(t), source: newSource(), now: began, scope: "s",
		ledgers: make([]*Ledger, len(worldKinds)), scopes: make([]string, len(worldKinds)), completed: make([]time.Time, len(worldKinds)),
		fresh: make([]bool, len(worldKinds)), approvals: make([]*Approval, len(worldKinds)),
	}
	for range worldKinds {
		w.objects = append(w.objects, map[string]Object{})
	}
	return w
}

// settled returns a world in which clusters of these IDs have been listed once.
func settled(t *testing.T, ids ...string) *world {
	w := newWorld(t)
	w.sync(ids...)
	w.Expect(w.names(clusters)).To(HaveLen(len(ids)))
	return w
}

// stamp returns a cluster's observation that is not in the world.
func (w *world) stamp(id string) v1alpha1.Observation { return stamped(w.source, newCluster(id)) }

// list notes a listing of one kind, a second after what was before.
func (w *world) list(kind int, complete bool, records ...any) {
	w.now = w.now.Add(time.Second)
	listing := Sighting{Complete: complete, Scope: w.scope, End: w.now}
	for _, r := range records {
		listing.Objects = append(listing.Objects, stamped(w.source, r))
	}
	if w.ledgers[kind] == nil {
		w.ledgers[kind] = NewLedger(w.scopes[kind])
	}
	w.ledgers[kind] = w.ledgers[kind].Record(worldKinds[kind], SourceOwner(w.source), listing, w.owned(kind))
	if w.fresh[kind] = complete; complete {
		w.completed[kind] = w.now
	}
}

// sync lists the clusters of these IDs, and nothing else, completely, and carries
// out the plan for them, which it returns.
func (w *world) sync(ids ...string) *Plan {
	w.list(clusters, true, records(ids)...)
	return w.pass()[clusters]
}

func records(ids []string) []any {
	out := make([]any, len(ids))
	for i, id := range ids {
		out[i] = newCluster(id)
	}
	return out
}

// restart makes the manager forget, but for what the source's status says.
func (w *world) restart() {
	clear(w.ledgers)
	clear(w.approvals)
	clear(w.fresh)
}

// owned returns the source's observations of a kind, in no order.
func (w *world) owned(kind int) []Object {
	owned := []Object{}
	for _, o := range w.objects[kind] {
		if Owned(o.(v1alpha1.Observation), w.source) {
			owned = append(owned, o)
		}
	}
	return owned
}

// ownedByKind returns the source's observations of every kind.
func (w *world) ownedByKind() [][]Object {
	all := make([][]Object, len(worldKinds))
	for kind := range worldKinds {
		all[kind] = w.owned(kind)
	}
	return all
}

// strangers returns the objects of a kind that are not the source's, by name.
func (w *world) strangers(kind int) map[string]Object {
	strangers := map[string]Object{}
	for name, o := range w.objects[kind] {
		if !Owned(o.(v1alpha1.Observation), w.source) {
			strangers[name] = o
		}
	}
	return strangers
}

func (w *world) facts(kind int, desired Desired) Facts {
	return Facts{
		Kind: worldKinds[kind], Owner: SourceOwner(w.source), Ledger: w.ledgers[kind],
		Desired: desired, Existing: w.owned(kind), Completed: w.completed[kind], Fresh: w.fresh[kind], Now: w.now,
		Occupants: w.strangers(kind), Approval: w.approvals[kind],
	}
}

// plan plans for all kinds, and sees to it that nothing shared is changed.
func (w *world) plan() []*Plan {
	before := w.shared()
	desired := Desire(SourceOwner(w.source), worldKinds, w.ledgers, w.ownedByKind())
	plans := make([]*Plan, len(worldKinds))
	for kind := range worldKinds {
		plans[kind] = Make(w.facts(kind, desired[kind]))
	}
	w.Expect(equality.Semantic.DeepEqual(w.shared(), before)).To(BeTrue(), "planning changes nothing that is shared")
	return plans
}

// shared returns a copy of all that plans are made from and others read.
func (w *world) shared() []map[string]any {
	var all []map[string]any
	for kind, ledger := range w.ledgers {
		copies := map[string]any{"source": w.source.DeepCopy()}
		for name, o := range w.objects[kind] {
			copies["object/"+name] = o.DeepCopyObject()
		}
		if ledger != nil {
			for name, e := range ledger.entries {
				if e.object != nil {
					copies["ledger/"+name] = e.object.DeepCopyObject()
				}
			}
		}
		all = append(all, copies)
	}
	return all
}

// pass plans and carries out the plans. A further pass is a repair between two
// syncs.
func (w *world) pass() []*Plan {
	plans := w.plan()
	source := w.source.DeepCopy() // Views keep the source that they are of.
	for kind, plan := range plans {
		w.apply(kind, plan)
		if summary := worldKinds[kind].summaryOf(source); plan.Summary != nil || !worldKinds[kind].Mirrored(source) {
			*summary = plan.Summary.DeepCopy()
		}
	}
	w.source = source
	clear(w.fresh)
	return plans
}

// apply carries out a plan as the API server would.
func (w *world) apply(kind int, plan *Plan) {
	objects := w.objects[kind]
	w.approvals[kind] = plan.Approved
	if plan.Summary != nil || w.scopes[kind] != "" && w.ledgers[kind] != nil {
		w.scopes[kind] = w.ledgers[kind].Scope()
	}
	for _, write := range plan.Writes {
		name := write.Desired.GetName()
		w.Expect(write.Metadata || write.Content).To(BeTrue(), "a write writes something")
		if write.Existing == nil {
			w.Expect(objects).NotTo(HaveKey(name), "only what is not there is created")
			w.Expect(string(write.Desired.GetUID())+write.Desired.GetResourceVersion()).To(BeEmpty(), "what is created is new")
			w.Expect(write.Metadata && write.Content).To(BeTrue())
			w.made++
			objects[name] = stored(write.Desired)
			objects[name].SetUID(types.UID(fmt.Sprintf("uid-%d", w.made)))
			plan.Created(worldKinds[kind], write.Desired, true)
			continue
		}
		w.Expect(objects[name]).To(BeIdenticalTo(write.Existing), "only what is there is changed")
		is, was := write.Desired.(v1alpha1.Observation), write.Existing.(v1alpha1.Observation)
		w.Expect(is.CloudID()).To(Equal(was.CloudID()), "the spec is never changed")
		w.Expect(is.Origin()).To(Equal(was.Origin()), "the spec is never changed")
		next := stored(write.Existing)
		if write.Metadata {
			next = stored(write.Desired)
			worldKinds[kind].copy(next, write.Existing)
		}
		if write.Content {
			worldKinds[kind].copy(next, stored(write.Desired))
		}
		objects[name] = next
	}
	if len(plan.Deletes) > 0 {
		plan.Approved.BeginDeletes()
	}
	for _, o := range plan.Deletes {
		w.Expect(objects[o.GetName()]).To(BeIdenticalTo(o), "only what is there is deleted")
		if slices.Contains(w.refused, o.GetName()) {
			continue
		}
		if delete(objects, o.GetName()); len(o.GetFinalizers()) > 0 {
			objects[o.GetName()] = stored(o)
			objects[o.GetName()].SetDeletionTimestamp(&metav1.Time{Time: w.now})
		}
		plan.Deleted(o)
	}
}

// stored returns an observation as it comes back from the API server.
func stored(o Object) Object {
	text, err := json.Marshal(o)
	if err != nil {
		panic(err)
	}
	back := reflect.New(reflect.TypeOf(o).Elem()).Interface().(Object)
	if err := json.Unmarshal(text, back); err != nil {
		panic(err)
	}
	return back
}

// names returns the names of all objects of a kind, sorted.
func (w *world) names(kind int) []string { return slices.Sorted(maps.Keys(w.objects[kind])) }

// cluster returns a cluster's observation.
func (w *world) cluster(name string) *v1alpha1.KafkaClusterObservation {
	return w.reread(clusters, name).(*v1alpha1.KafkaClusterObservation)
}

// peering returns a peering's observation.
func (w *world) peering(name string) *v1alpha1.PeeringObservation {
	return w.reread(peerings, name).(*v1alpha1.PeeringObservation)
}

// network returns a network's observation.
func (w *world) network(name string) *v1alpha1.NetworkObservation {
	return w.reread(networked, name).(*v1alpha1.NetworkObservation)
}

// registry returns a Schema Registry cluster's observation.
func (w *world) registry(name string) *v1alpha1.SchemaRegistryObservation {
	return w.reread(registries, name).(*v1alpha1.SchemaRegistryObservation)
}

// reread returns an object to read or to edit. As in a cache, it is a copy: an object that was read
// before stays as it was.
func (w *world) reread(kind int, name string) v1alpha1.Observation {
	w.Expect(w.objects[kind]).To(HaveKey(name))
	o := w.objects[kind][name].DeepCopyObject().(v1alpha1.Observation)
	w.objects[kind][name] = o
	return o
}

// brief says a condition as "True/Listed".
func brief(o Object, conditionType string) string {
	for _, c := range *observation(o).Conditions() {
		if c.Type == conditionType {
			return string(c.Status) + "/" + c.Reason
		}
	}
	return "absent"
}

// observation returns an object of a source's as what it is.
func observation(o Object) v1alpha1.Observation { return o.(v1alpha1.Observation) }

func namesOf(observations []Object) []string {
	names := []string{}
	for _, o := range observations {
		names = append(names, o.GetName())
	}
	return names
}

// ids returns n IDs of clusters.
func ids(n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = fmt.Sprintf("lkc-%03d", i)
	}
	return out
}

// seize makes an object someone else's.
func seize(o Object, uid types.UID) {
	o.SetOwnerReferences([]metav1.OwnerReference{{
		APIVersion: "v1", Kind: "ConfigMap", Name: "stranger", UID: uid, Controller: ptr(true),
	}})
}
