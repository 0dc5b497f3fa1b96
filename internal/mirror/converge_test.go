// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"slices"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"pgregory.net/rapid"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
)

// start is what stands in a namespace before a plan.
type start struct {
	*world
	records [kindCount]map[string]any    // what will be listed, by kind and name
	before  [kindCount]map[string]Object // what stood there, by kind and name
}

// drawStart draws what the cloud has, and objects in the namespace: those of the
// cloud or of its past, as an earlier manager or a stranger left them.
func drawStart(t *rapid.T) *start {
	s := &start{world: newWorld(t)}
	s.source.Spec.Template.Labels = map[string]v1alpha1.LabelValue{"team": "ours"}
	s.source.Spec.Template.Annotations = pairs{"example.com/owner": "us"}
	for kind := range worldKinds {
		s.records[kind], s.before[kind] = map[string]any{}, map[string]Object{}
		for _, id := range rapid.SliceOfDistinct(poolOf, rapid.ID).Draw(t, "listed") {
			s.records[kind][ObjectName(id)] = drawRecord(t, kind, id)
		}
		for _, id := range rapid.SliceOfDistinct(poolOf, rapid.ID).Draw(t, "there") {
			s.put(t, kind, id)
		}
	}
	return s
}

// clear takes away what keeps a kind from being settled: objects of which nothing is listed, and
// what others have under the names of listed ones.
func (s *start) clear() {
	for kind := range worldKinds {
		for name, o := range s.objects[kind] {
			if record := s.records[kind][name]; record == nil || s.conflicting(o, record) {
				delete(s.objects[kind], name)
			}
		}
	}
}

// listAll lists all that the cloud has, completely.
func (s *start) listAll() {
	for kind := range worldKinds {
		var all []any
		for _, name := range sortedKeys(s.records[kind]) {
			all = append(all, s.records[kind][name])
		}
		s.list(kind, true, all...)
	}
}

// put makes an object with a cloud object's name: as the operator would, or a
// stranger's namesake, or the operator's own with a stranger's edit.
func (s *start) put(t *rapid.T, kind int, id string) {
	record := s.records[kind][ObjectName(id)]
	if rapid.IntRange(0, 5).Draw(t, "alike") == 0 {
		record = drawRecord(t, kind, ObjectName(id)) // Another ID that makes the same name.
	} else if record == nil || rapid.Bool().Draw(t, "older") {
		record = drawRecord(t, kind, id)
	}
	o := observation(stored(stamped(s.source, record)))
	o.SetUID("there")
	seen := rapid.SampledFrom([]sight{sightListed, sightMissing, sightStale}).Draw(t, "sight")
	*o.Conditions() = withTimes(nil, conditionsFor(worldKinds[kind], o, seen, time.Time{}), began)
	switch rapid.IntRange(0, 5).Draw(t, "whose") {
	case 0:
		o.Origin().SourceRef.Name = "another"
	case 1:
		o.Origin().Environment = "env-other"
	default:
		if o = meddle(t, kind, o); o == nil {
			return
		}
	}
	s.objects[kind][o.GetName()], s.before[kind][o.GetName()] = o, o
}

// ownBefore reports whether what stood there was the source's, by rule 9.
func (s *start) ownBefore(object Object) bool {
	if object == nil {
		return false
	}
	o := observation(object)
	if o.Origin().SourceRef.Name != s.source.Name || o.Origin().Environment != s.source.Spec.Environment {
		return false
	}
	for _, owner := range o.GetOwnerReferences() {
		if owner.Controller != nil && *owner.Controller {
			return owner.UID == s.source.UID
		}
	}
	return true
}

// conflicting reports whether what stood under a record's name is not the record's.
func (s *start) conflicting(before Object, record any) bool {
	return before != nil && (!s.ownBefore(before) || !terminating(before) && observation(before).CloudID() != project(record).CloudID())
}

// known returns all clusters or peerings that are known of: those listed, else as
// their observations told. None of them is missing for long: there is one listing.
func (s *start) known(kind int) []Object {
	var all []Object
	for name, o := range s.before[kind] {
		if s.records[kind][name] == nil && s.ownBefore(o) {
			all = append(all, o)
		}
	}
	for _, r := range s.records[kind] {
		all = append(all, stamped(s.source, r))
	}
	slices.SortFunc(all, byName)
	return all
}

// networkOf returns the ID of the network that an object is in.
func networkOf(o Object) string {
	if cluster, is := o.(*v1alpha1.KafkaClusterObservation); is {
		return networkID(cluster.Status.Network)
	}
	if parts := allKinds[numberOf(o)].parts; parts != nil {
		return networkID(*parts(observation(o)).network)
	}
	return ""
}

// expectToldOf holds what is told of a network against those that are known.
func (s *start) expectToldOf(r *v1alpha1.NetworkReference) {
	if r == nil {
		return
	}
	have := factsIn(r)
	told := []networkFacts{}
	for _, k := range s.known(networked) {
		if status := k.(*v1alpha1.NetworkObservation).Status; observation(k).CloudID() == r.ID {
			told = append(told, networkFacts{status.Phase, status.CIDR, status.DNSDomain, ""})
		}
	}
	if len(told) == 0 {
		told = append(told, networkFacts{})
	}
	s.Expect(told).To(ContainElement(have), "one, or more where a namesake stands there")
}

// expectRegistry holds what a cluster shows of Schema Registry against all that are known.
func (s *start) expectRegistry(r *v1alpha1.SchemaRegistryReference) {
	shown := []v1alpha1.SchemaRegistryReference{}
	for _, k := range s.known(registries) {
		status := k.(*v1alpha1.SchemaRegistryObservation).Status
		shown = append(shown, v1alpha1.SchemaRegistryReference{Name: k.GetName(), Phase: status.Phase, HTTPEndpoint: status.HTTPEndpoint})
	}
	if len(shown) == 0 {
		s.Expect(r).To(BeNil())
		return
	}
	s.Expect(shown).To(ContainElement(HaveValue(Equal(*r))))
	if slices.ContainsFunc(shown, func(r v1alpha1.SchemaRegistryReference) bool { return r.Phase == "PROVISIONED" }) {
		s.Expect(r.Phase).To(Equal("PROVISIONED"))
	}
}

// expectConnections holds what connects a network against all that is known.
func (s *start) expectConnections(network string, have v1alpha1.NetworkConnections) {
	for kind, k := range allKinds {
		if k.shown == nil {
			continue
		}
		var want []v1alpha1.ConnectionSummary
		for _, one := range s.known(kind) {
			if network != "" && networkOf(one) == network {
				want = append(want, v1alpha1.ConnectionSummary{Name: one.GetName(), Phase: observation(one).Phase()})
			}
		}
		shown, count := k.shown(&have)
		s.Expect(*shown).To(Equal(want), k.kind.Name)
		s.Expect(int(*count)).To(Equal(len(want)), k.kind.Name)
	}
}

// expectReachable holds the endpoints in a network against all clusters that are known.
func (s *start) expectReachable(network string, reachable *v1alpha1.ReachableEndpoints) {
	var want, have []string
	for _, k := range s.known(clusters) {
		if network != "" && networkOf(k) == network {
			for _, e := range reachableEndpoints(k.(*v1alpha1.KafkaClusterObservation), "") {
				want = append(want, e.ClusterID+"/"+e.AccessPointID+e.Observed)
			}
		}
	}
	for _, e := range reachable.Endpoints {
		have = append(have, e.ClusterID+"/"+e.AccessPointID+e.Observed)
	}
	s.Expect(have).To(ConsistOf(want))
	s.Expect(int(reachable.EndpointCount)).To(Equal(len(want)))
}

// expectJoined holds one observation's joins against all that is known.
func (s *start) expectJoined(object Object) {
	switch o := object.(type) {
	case *v1alpha1.KafkaClusterObservation:
		s.expectConnections(networkOf(o), o.Status.NetworkConnections)
		s.expectToldOf(o.Status.Network)
		s.expectRegistry(o.Status.SchemaRegistry)
	case *v1alpha1.NetworkObservation:
		s.expectConnections(o.CloudID(), o.Status.NetworkConnections)
		var want, have []string
		for _, k := range s.known(clusters) {
			if networkOf(k) == o.CloudID() {
				want = append(want, k.GetName()+" "+observation(k).Phase())
			}
		}
		for _, c := range o.Status.KafkaClusters {
			have = append(have, c.Name+" "+c.Phase+c.Observed)
		}
		s.Expect(have).To(ConsistOf(want), o.Name)
		s.Expect(int(o.Status.KafkaClusterCount)).To(Equal(len(want)))
	default:
		if parts := allKinds[numberOf(o)].parts; parts != nil {
			p := parts(observation(o))
			s.expectReachable(networkID(*p.network), p.reachable)
			s.expectToldOf(*p.network)
		}
	}
}

// expectListed holds an observation against the record it was made of.
func (s *start) expectListed(kind int, name string, record any, conflicts []Conflict) {
	before, now := s.before[kind][name], s.objects[kind][name]
	conflict := s.conflicting(before, record)
	s.Expect(slices.ContainsFunc(conflicts, func(c Conflict) bool { return c.Name == name })).To(Equal(conflict), "conflict over %s", name)
	if conflict || before != nil && terminating(before) {
		s.Expect(now).To(BeIdenticalTo(before), "%s is not to be touched", name)
		return
	}
	s.Expect(now).NotTo(BeNil(), "%s is listed", name)
	want := stored(stamped(s.source, record))
	if before != nil {
		s.Expect(now.GetUID()).To(Equal(before.GetUID()), "changed, not created again")
		s.Expect(hasAll(now.GetLabels(), theirs(before.GetLabels()))).To(BeTrue(), "a stranger's labels stay")
		s.Expect(hasAll(now.GetAnnotations(), theirs(before.GetAnnotations()))).To(BeTrue())
	}
	s.Expect(notTheirs(now)).To(Equal(notTheirs(want)), "%s: the operator's labels are exactly those", name)
	s.Expect(hasAll(now.GetAnnotations(), want.GetAnnotations())).To(BeTrue(), name)
	s.Expect(metav1.IsControlledBy(now, s.source)).To(BeTrue(), name)
	phase := observation(now).Phase()
	s.Expect(phase).To(Equal(observation(want).Phase()), name)
	s.Expect(brief(now, v1alpha1.ConditionObserved)).To(Equal("True/Listed"), name)
	s.Expect(brief(now, v1alpha1.ConditionReady)).To(HavePrefix(readiness(kind, phase)), name)
	s.Expect(*observation(now).Conditions()).To(HaveLen(2), name)
	s.Expect(*observation(now).Conditions()).To(HaveEach(HaveField("ObservedGeneration", int64(1))), name)
	s.expectJoined(now)
	s.Expect(worldKinds[kind].same(now, worldKinds[kind].withJoinedFacts(want, now))).To(BeTrue(), "%s: but for the joins, the status is the record's", name)
}

// readiness is the table of the contract: a phase's status of Ready.
func readiness(kind int, phase string) string {
	switch phase {
	case allKinds[kind].ready:
		return "True/"
	case "", "NEWER":
		return "Unknown/UnknownPhase"
	}
	return "False/"
}

// expectAbsent holds an object that was not listed: a first listing deletes
// nothing, and takes no more from it than that it was seen.
func (s *start) expectAbsent(kind int, name string) {
	before, now := s.before[kind][name], s.objects[kind][name]
	if !s.ownBefore(before) || terminating(before) {
		s.Expect(now).To(BeIdenticalTo(before), "%s is not to be touched", name)
		return
	}
	s.Expect(now).NotTo(BeNil(), name)
	s.Expect(brief(now, v1alpha1.ConditionObserved)).To(Equal("False/Missing"), name)
	s.Expect(brief(now, v1alpha1.ConditionReady)).To(Equal("Unknown/Missing"), name)
	s.Expect(worldKinds[kind].same(now, worldKinds[kind].withJoinedFacts(before, now))).To(BeTrue(), "%s tells what it told", name)
	s.expectJoined(now)
	s.Expect(now.GetUID()).To(Equal(before.GetUID()))
}

// theirs returns those pairs that are a stranger's.
func theirs(all pairs) pairs {
	out := pairs{}
	if value, ok := all["theirs"]; ok {
		out["theirs"] = value
	}
	return out
}

// notTheirs returns an object's labels but a stranger's.
func notTheirs(o Object) pairs {
	out := pairs{}
	for key, value := range o.GetLabels() {
		if key != "theirs" {
			out[key] = value
		}
	}
	return out
}

func hasAll(have, want pairs) bool {
	for key, value := range want {
		if got, ok := have[key]; !ok || got != value {
			return false
		}
	}
	return true
}

func TestWhateverStandsThereAPlanMakesItTheListingAndASecondPlanIsEmpty(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := drawStart(t)
		s.listAll()
		plans := s.pass()
		for kind, plan := range plans {
			s.Expect(plan.Deletes).To(BeEmpty(), "a first listing deletes nothing")
			for name, record := range s.records[kind] {
				s.expectListed(kind, name, record, plan.Conflicts)
			}
			for name := range s.before[kind] {
				if s.records[kind][name] == nil {
					s.expectAbsent(kind, name)
				}
			}
			s.Expect(s.objects[kind]).To(HaveLen(len(union(s.records[kind], s.before[kind]))), "and nothing else is there")
		}
		for kind, again := range s.plan() {
			s.Expect(again.Writes).To(BeEmpty(), "a plan carried out leaves nothing to write")
			s.Expect(again.Deletes).To(BeEmpty())
			s.Expect(again.Conflicts).To(Equal(plans[kind].Conflicts))
			for _, o := range s.owned(kind) {
				record := s.records[kind][o.GetName()]
				untouched := terminating(o) || record != nil && s.conflicting(o, record)
				s.Expect(untouched || !again.View.Drifted(o)).To(BeTrue(), "what was written is no drift")
			}
		}
	})
}

// union returns the keys of either map.
func union[A, B any](a map[string]A, b map[string]B) map[string]bool {
	all := map[string]bool{}
	for key := range a {
		all[key] = true
	}
	for key := range b {
		all[key] = true
	}
	return all
}
