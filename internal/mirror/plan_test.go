// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"fmt"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"pgregory.net/rapid"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
)

func TestAListedObjectIsCreatedWhole(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	plan := w.sync("lkc-2", "lkc-1")
	w.Expect(plan.Writes).To(HaveLen(2))
	w.Expect(plan.Writes[0]).To(And(HaveField("Existing", BeNil()), HaveField("Metadata", true), HaveField("Content", true)))
	w.Expect(plan.Writes[0].Desired.GetName()).To(Equal("lkc-1"), "sorted by name")
	w.Expect(plan.Unchanged).To(BeZero())

	created := w.cluster("lkc-1")
	want := stored(stamped(w.source, newCluster("lkc-1"))).(*v1alpha1.KafkaClusterObservation)
	w.Expect(KafkaCluster.same(created, want)).To(BeTrue())
	w.Expect(created.Spec).To(Equal(want.Spec))
	w.Expect(created.Labels).To(Equal(want.Labels))
	w.Expect(created.OwnerReferences).To(Equal(want.OwnerReferences))
	w.Expect(brief(created, v1alpha1.ConditionObserved)).To(Equal("True/Listed"))
	w.Expect(brief(created, v1alpha1.ConditionReady)).To(Equal("True/Provisioned"))
	w.Expect(created.Status.Conditions).To(HaveEach(HaveField("LastTransitionTime.Time.Unix()", w.now.Unix())))
}

func TestAnUnchangedObjectIsNotWritten(t *testing.T) {
	t.Parallel()
	w := settled(t, ids(50)...)
	for range 3 {
		plan := w.sync(ids(50)...)
		w.Expect(plan.Writes).To(BeEmpty())
		w.Expect(plan.Deletes).To(BeEmpty())
		w.Expect(plan.Unchanged).To(Equal(50))
	}
	w.restart()
	w.Expect(w.sync(ids(50)...).Writes).To(BeEmpty(), "nor after a restart")
}

func TestWhatDiffersIsWrittenAndNothingElse(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		edit             func(w *world, o *v1alpha1.KafkaClusterObservation)
		metadata, status bool
	}{
		"another phase in the cloud": {func(w *world, _ *v1alpha1.KafkaClusterObservation) {
			changed := newCluster("lkc-1")
			changed.Status.Phase = "FAILED"
			w.list(clusters, true, changed, newCluster("lkc-2"))
		}, false, true},
		"an edited status": {func(_ *world, o *v1alpha1.KafkaClusterObservation) { o.Status.Phase = "FAILED" }, false, true},
		"an emptied status": {func(_ *world, o *v1alpha1.KafkaClusterObservation) {
			o.Status = v1alpha1.KafkaClusterObservationStatus{}
		}, false, true},
		"an edited condition":    {func(_ *world, o *v1alpha1.KafkaClusterObservation) { o.Status.Conditions[0].Status = "False" }, false, true},
		"a lost condition":       {func(_ *world, o *v1alpha1.KafkaClusterObservation) { o.Status.Conditions = o.Status.Conditions[1:] }, false, true},
		"an edited label":        {func(_ *world, o *v1alpha1.KafkaClusterObservation) { o.Labels[v1alpha1.LabelSource] = "x" }, true, false},
		"a lost ownerReference":  {func(_ *world, o *v1alpha1.KafkaClusterObservation) { o.OwnerReferences = nil }, true, false},
		"status and label":       {func(_ *world, o *v1alpha1.KafkaClusterObservation) { o.Status.Phase, o.Labels = "FAILED", nil }, true, true},
		"another template label": {func(w *world, _ *v1alpha1.KafkaClusterObservation) { w.source = withTemplate(pairs{"team": "a"}, nil) }, true, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := settled(t, "lkc-1", "lkc-2")
			c.edit(w, w.cluster("lkc-1"))
			if w.source.Spec.Template.Labels != nil {
				w.list(clusters, true, newCluster("lkc-1"))
			}
			plan := w.pass()[clusters]
			w.Expect(plan.Writes[0].Desired.GetName()).To(Equal("lkc-1"))
			w.Expect(plan.Writes[0]).To(And(HaveField("Metadata", c.metadata), HaveField("Content", c.status)))
			if w.source.Spec.Template.Labels == nil {
				w.Expect(plan.Writes).To(HaveLen(1))
				w.Expect(plan.Unchanged).To(Equal(1))
			}
			w.Expect(w.pass()[clusters].Writes).To(BeEmpty(), "once is enough")
		})
	}
}

func TestADeletedObservationIsMadeAnewWithoutAListing(t *testing.T) {
	t.Parallel()
	w := settled(t, "lkc-1", "lkc-2")
	delete(w.objects[clusters], "lkc-1")
	w.Expect(w.pass()[clusters].Writes).To(HaveLen(1))
	w.Expect(w.names(clusters)).To(Equal([]string{"lkc-1", "lkc-2"}))
}

func TestAnIncompleteListingAddsAndChangesButMissesNothing(t *testing.T) {
	t.Parallel()
	w := settled(t, "lkc-1", "lkc-2")
	failed := newCluster("lkc-2")
	failed.Status.Phase = "FAILED"
	w.list(clusters, false, failed, newCluster("lkc-3"))
	plan := w.pass()[clusters]
	w.Expect(plan.Writes).To(HaveLen(2))
	w.Expect(brief(w.cluster("lkc-1"), v1alpha1.ConditionObserved)).To(Equal("True/Listed"))
	w.Expect(brief(w.cluster("lkc-2"), v1alpha1.ConditionReady)).To(Equal("False/Failed"))
	w.Expect(brief(w.cluster("lkc-3"), v1alpha1.ConditionObserved)).To(Equal("True/Listed"))
}

func TestAMissingObjectKeepsItsStatusAndSaysSo(t *testing.T) {
	t.Parallel()
	w := settled(t, "lkc-1", "lkc-2")
	w.restart()
	for range 2 {
		before := w.cluster("lkc-1").DeepCopy()
		w.sync("lkc-2")
		w.Expect(KafkaCluster.same(w.cluster("lkc-1"), before)).To(BeTrue())
		w.Expect(brief(w.cluster("lkc-1"), v1alpha1.ConditionObserved)).To(Equal("False/Missing"))
		w.Expect(brief(w.cluster("lkc-1"), v1alpha1.ConditionReady)).To(Equal("Unknown/Missing"))
	}
	w.Expect(w.sync("lkc-1", "lkc-2").Writes).To(HaveLen(1), "it came back")
	w.Expect(brief(w.cluster("lkc-1"), v1alpha1.ConditionObserved)).To(Equal("True/Listed"))
}

func TestAnObservationTurnsStaleOnceAndBackOnce(t *testing.T) {
	t.Parallel()
	for name, meanwhile := range map[string]func(w *world){
		"while nothing is listed":          func(*world) {},
		"while listings are incomplete":    func(w *world) { w.list(clusters, false, newCluster("lkc-1"), newCluster("lkc-2")) },
		"while nothing is after a restart": func(w *world) { w.restart() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := settled(t, "lkc-1", "lkc-2")
			staleAt := w.completed[clusters].Add(15 * time.Minute)
			w.now = staleAt.Add(-2 * time.Second)
			meanwhile(w)
			plan := w.pass()[clusters]
			w.Expect(plan.Writes).To(BeEmpty(), "not before staleAfter")
			w.Expect(plan.View.StaleAt()).To(Equal(staleAt))

			w.now = staleAt
			plan = w.pass()[clusters]
			w.Expect(plan.Writes).To(HaveLen(2))
			w.Expect(plan.View.StaleAt().IsZero()).To(BeTrue())
			w.Expect(brief(w.cluster("lkc-1"), v1alpha1.ConditionObserved)).To(Equal("Unknown/SourceStale"))
			w.Expect(brief(w.cluster("lkc-1"), v1alpha1.ConditionReady)).To(Equal("Unknown/SourceStale"))

			w.now = w.now.Add(time.Hour)
			meanwhile(w)
			w.Expect(w.pass()[clusters].Writes).To(BeEmpty(), "once")

			plan = w.sync("lkc-1", "lkc-2")
			w.Expect(plan.Writes).To(HaveLen(2))
			w.Expect(plan.View.StaleAt()).To(Equal(w.now.Add(15 * time.Minute)))
			w.Expect(brief(w.cluster("lkc-1"), v1alpha1.ConditionReady)).To(Equal("True/Provisioned"))
			w.Expect(w.sync("lkc-1", "lkc-2").Writes).To(BeEmpty(), "back once")
		})
	}
}

func TestNothingIsStaleThatWasNeverListed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	plan := w.pass()[clusters]
	w.Expect(plan.View.StaleAt().IsZero()).To(BeTrue())
	w.Expect(plan.Summary).To(BeNil())
	w.Expect(plan.Writes).To(BeEmpty())
}

func TestAMissingObjectTurnsStaleToo(t *testing.T) {
	t.Parallel()
	w := settled(t, "lkc-1", "lkc-2", "lkc-3")
	w.sync("lkc-1", "lkc-2")
	w.now = w.now.Add(time.Hour)
	w.pass()
	w.Expect(brief(w.cluster("lkc-3"), v1alpha1.ConditionObserved)).To(Equal("Unknown/SourceStale"))
}

func TestANamesakeThatIsNotOursIsAConflictAndUntouched(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		edit       func(*v1alpha1.KafkaClusterObservation)
		controller string
	}{
		"controlled by a stranger": {func(o *v1alpha1.KafkaClusterObservation) { seize(o, "uid-of-s") }, "ConfigMap/stranger"},
		"another source's": {func(o *v1alpha1.KafkaClusterObservation) {
			o.Spec.SourceRef.Name, o.OwnerReferences[0].Name, o.OwnerReferences[0].UID = "other", "other", "uid-of-other"
		}, "InventorySource/other"},
		"without a controller, of another environment": {func(o *v1alpha1.KafkaClusterObservation) {
			o.OwnerReferences, o.Spec.Environment = nil, "env-2"
		}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			theirs := stamped(w.source, newCluster("lkc-2")).(*v1alpha1.KafkaClusterObservation)
			theirs.Status.Phase = "THEIRS"
			c.edit(theirs)
			w.objects[clusters]["lkc-2"] = theirs
			for range 4 { // Enough to prune it, were it ours.
				plan := w.sync("lkc-1", "lkc-2", "lkc-3")
				w.Expect(plan.Conflicts).To(Equal([]Conflict{{Name: "lkc-2", Controller: c.controller}}))
				w.Expect(plan.Summary.Observed).To(Equal(int32(2)))
				w.Expect(w.objects[clusters]["lkc-2"]).To(BeIdenticalTo(theirs))
				w.sync("lkc-1", "lkc-3")
			}
			delete(w.objects[clusters], "lkc-2")
			plan := w.sync("lkc-1", "lkc-2", "lkc-3")
			w.Expect(plan.Conflicts).To(BeEmpty())
			w.Expect(plan.Writes).To(HaveLen(1), "ours is created by the first sync after it is gone")
		})
	}
}

func TestConflictsAreSorted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, id := range ids(20) {
		theirs := stamped(w.source, newCluster(id))
		seize(theirs, "uid-of-s")
		w.objects[clusters][id] = theirs
	}
	names := []string{}
	for _, c := range w.sync(ids(20)...).Conflicts {
		names = append(names, c.Name)
	}
	w.Expect(names).To(Equal(ids(20)))
}

func TestATerminatingObservationIsLeftAlone(t *testing.T) {
	t.Parallel()
	w := settled(t, ids(3)...)
	o := w.cluster("lkc-000")
	o.DeletionTimestamp, o.Finalizers, o.Labels = &metav1.Time{Time: w.now}, []string{"theirs/finalizer"}, nil
	for _, listed := range [][]string{ids(3), ids(3), ids(3)[1:], ids(3)[1:], ids(3)[1:]} {
		plan := w.sync(listed...)
		w.Expect(plan.Writes).To(BeEmpty())
		w.Expect(plan.Deletes).To(BeEmpty())
		w.Expect(plan.Unchanged).To(Equal(3))
		w.Expect(plan.Summary).To(And(HaveField("Observed", int32(len(listed))), HaveField("Missing", int32(3-len(listed)))))
	}
	delete(w.objects[clusters], "lkc-000")
	w.Expect(w.sync(ids(3)...).Writes).To(HaveLen(1), "created again once it is gone")
}

func TestIgnoreDeletesAllOfTheKindAndNothingElse(t *testing.T) {
	t.Parallel()
	w := settled(t, ids(30)...)
	w.list(peerings, true, newPeering("p-1", "n-1"))
	w.pass()
	theirs := stamped(w.source, newCluster("lkc-theirs"))
	seize(theirs, "uid-of-s")
	w.objects[clusters]["lkc-theirs"] = theirs

	w.source.Spec.KafkaClusters.Policy = v1alpha1.MirrorPolicyIgnore
	plan := w.pass()[clusters]
	w.Expect(namesOf(plan.Deletes)).To(Equal(ids(30)), "sorted, with no rule in the way")
	w.Expect(plan.Held).To(BeNil())
	w.Expect(plan.Summary).To(BeNil())
	w.Expect(plan.View.StaleAt().IsZero()).To(BeTrue())
	w.Expect(w.names(clusters)).To(Equal([]string{"lkc-theirs"}))
	w.Expect(w.names(peerings)).To(Equal([]string{"p-1"}))
	w.Expect(w.pass()[clusters].Deletes).To(BeEmpty())
}

func TestTheSummaryCounts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.list(clusters, false, newCluster("lkc-1"))
	w.Expect(w.pass()[clusters].Summary).To(BeNil(), "nothing is known before the first complete listing")

	failed := newCluster("lkc-2")
	failed.Status.Phase = "FAILED"
	odd := newCluster("lkc-3")
	odd.Status.Phase = ""
	w.list(clusters, true, newCluster("lkc-1"), failed, odd, newCluster("lkc-4"))
	completed := metav1.NewTime(w.now)
	want := &v1alpha1.InventorySummary{Observed: 4, LastListTime: &completed, Scope: "s", Phases: []v1alpha1.PhaseCount{
		{Phase: "", Count: 1}, {Phase: "FAILED", Count: 1}, {Phase: "PROVISIONED", Count: 2}}}
	w.Expect(w.pass()[clusters].Summary).To(Equal(want), "created ones are counted")
	w.Expect(w.pass()[clusters].Summary).To(Equal(want))

	w.list(clusters, false, failed)
	w.Expect(w.pass()[clusters].Summary).To(Equal(want), "an incomplete listing changes nothing")

	plan := w.sync("lkc-1", "lkc-2", "lkc-4")
	w.Expect(plan.Summary).To(And(HaveField("Observed", int32(3)), HaveField("Missing", int32(1)),
		HaveField("MissingObjects", []v1alpha1.MissingObject{{Name: "lkc-3", Since: metav1.NewTime(w.now).Rfc3339Copy()}})))
	plan = w.sync("lkc-1", "lkc-2", "lkc-4")
	w.Expect(plan.Deletes).To(HaveLen(1))
	w.Expect(plan.Summary).To(And(HaveField("Observed", int32(3)), HaveField("Missing", int32(0)), HaveField("MissingObjects", BeEmpty())), "deleted ones are missing no more")
}

func TestDriftIsWhatAPlanWouldPutBack(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		edit func(*v1alpha1.KafkaClusterObservation)
		want bool
	}{
		"nothing":            {func(*v1alpha1.KafkaClusterObservation) {}, false},
		"a stranger's label": {func(o *v1alpha1.KafkaClusterObservation) { o.Labels["theirs"] = "1" }, false},
		"a label of ours":    {func(o *v1alpha1.KafkaClusterObservation) { delete(o.Labels, v1alpha1.LabelSource) }, true},
		"the status":         {func(o *v1alpha1.KafkaClusterObservation) { o.Status.Phase = "FAILED" }, true},
		"a condition":        {func(o *v1alpha1.KafkaClusterObservation) { o.Status.Conditions[0].Message = "x" }, true},
		"the ownerReference": {func(o *v1alpha1.KafkaClusterObservation) { o.OwnerReferences = nil }, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for state, reach := range map[string]func(*world) *Plan{
				"listed":  func(w *world) *Plan { return w.sync("lkc-1") },
				"missing": func(w *world) *Plan { return w.sync("lkc-2") },
				"stale": func(w *world) *Plan {
					w.now = w.now.Add(time.Hour)
					return w.pass()[clusters]
				},
			} {
				w := settled(t, "lkc-1")
				view := reach(w).View
				w.Expect(view.Drifted(w.cluster("lkc-1"))).To(BeFalse(), state)
				c.edit(w.cluster("lkc-1"))
				w.Expect(view.Drifted(w.cluster("lkc-1"))).To(Equal(c.want), state)
				w.Expect(w.plan()[clusters].Writes).To(HaveLen(map[bool]int{true: 1}[c.want]), state)
			}
		})
	}
	var none *View
	NewWithT(t).Expect(none.Drifted(newWorld(t).stamp("lkc-1"))).To(BeFalse(), "of a kind without a plan")
	unlisted := settled(t).pass()[clusters].View
	NewWithT(t).Expect(unlisted.Drifted(newWorld(t).stamp("lkc-1"))).To(BeFalse(), "of an object no listing told of")
}

func TestATemplateReachesObservationsThatAreNoLongerListed(t *testing.T) {
	t.Parallel()
	for name, restarted := range map[string]bool{"missing": false, "missing since before a restart": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := settled(t, "lkc-1", "lkc-2")
			w.source.Spec.Prune.Policy = v1alpha1.PrunePolicyRetain
			w.source.Spec.Template = withTemplate(pairs{"team": "old", "tier": "1"}, pairs{"a": "b"}).Spec.Template
			w.sync("lkc-1", "lkc-2")
			w.sync("lkc-2")
			w.cluster("lkc-1").Labels["theirs"] = "1"
			if restarted {
				w.restart()
			}
			w.source.Spec.Template = withTemplate(pairs{"team": "new"}, nil).Spec.Template
			w.sync("lkc-2")
			o := w.cluster("lkc-1")
			w.Expect(o.Labels).To(And(HaveKeyWithValue("team", "new"), Not(HaveKey("tier")), HaveKeyWithValue("theirs", "1"),
				HaveKeyWithValue(v1alpha1.LabelSource, "prod")))
			w.Expect(o.Annotations).NotTo(HaveKey("a"))
			w.Expect(brief(o, v1alpha1.ConditionObserved)).To(Equal("False/Missing"))
			plan := w.sync("lkc-2")
			w.Expect(plan.Writes).To(BeEmpty(), "once")
			w.Expect(plan.View.Drifted(o)).To(BeFalse())
		})
	}
}

func TestAWriteTellsTheFormerPhaseOnlyWhereTheCloudChangedIt(t *testing.T) {
	t.Parallel()
	inPhase := func(phase string) any {
		c := newCluster("lkc-1")
		c.Status.Phase = phase
		return c
	}
	former := func(plan *Plan) string { return plan.Writes[0].FormerPhase }
	for name, c := range map[string]struct {
		do   func(w *world) *Plan
		want string
	}{
		"the cloud changed it": {func(w *world) *Plan {
			w.list(clusters, true, inPhase("FAILED"))
			return w.pass()[clusters]
		}, "PROVISIONED"},
		"while the manager was down": {func(w *world) *Plan {
			w.restart()
			w.list(clusters, true, inPhase("FAILED"))
			return w.pass()[clusters]
		}, "PROVISIONED"},
		"a stranger edited it": {func(w *world) *Plan {
			w.cluster("lkc-1").Status.Phase = "EXPLODED"
			return w.pass()[clusters]
		}, ""},
		"a stranger edited it before a sync": {func(w *world) *Plan {
			w.cluster("lkc-1").Status.Phase = "EXPLODED"
			return w.sync("lkc-1")
		}, ""},
		"a write that failed is tried again after another listing": {func(w *world) *Plan {
			w.list(clusters, true, inPhase("FAILED"))
			w.plan()
			w.list(clusters, true, inPhase("FAILED"))
			return w.pass()[clusters]
		}, "PROVISIONED"},
		"a stranger edited what the cloud had changed before": {func(w *world) *Plan {
			w.list(clusters, true, inPhase("FAILED"))
			w.pass()
			w.cluster("lkc-1").Status.DisplayName = "theirs"
			return w.pass()[clusters]
		}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := settled(t, "lkc-1")
			w.Expect(former(c.do(w))).To(Equal(c.want))
		})
	}
}

func TestASummaryTellsApartAHundredPhases(t *testing.T) {
	t.Parallel()
	for _, n := range []int{99, 100, 101, 300} {
		w := newWorld(t)
		var listed []any
		for i := range n {
			c := newCluster(fmt.Sprintf("lkc-%03d", i))
			c.Status.Phase = fmt.Sprintf("PHASE-%03d", i)
			listed = append(listed, c)
		}
		w.list(clusters, true, listed...)
		created := w.pass()[clusters].Summary
		again := w.pass()[clusters].Summary
		w.Expect(again.Observed).To(BeEquivalentTo(n))
		w.Expect(created.Observed).To(BeEquivalentTo(n))
		w.Expect(again.Phases).To(HaveLen(min(n, 100)))
		total := int32(0)
		for _, p := range again.Phases {
			total += p.Count
		}
		w.Expect(total).To(BeEquivalentTo(n))
	}
}

func TestAPredecessorsObservationsAreNoOnesConflictToSolve(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	theirs := stamped(w.source, newCluster("lkc-1")).(*v1alpha1.KafkaClusterObservation)
	theirs.OwnerReferences[0].UID = "uid-of-former-prod"
	w.objects[clusters]["lkc-1"] = theirs
	plan := w.sync("lkc-1")
	w.Expect(plan.Conflicts).To(Equal([]Conflict{{Name: "lkc-1", Controller: "InventorySource/prod", Predecessor: true}}))
	w.Expect(plan.View.Awaits("lkc-1")).To(BeTrue())
	delete(w.objects[clusters], "lkc-1")
	w.Expect(w.pass()[clusters].Writes).To(HaveLen(1), "from the last listing, once the garbage collector is done")
}

func TestAListingThatToldTheSameComesToTheSamePlan(t *testing.T) {
	t.Parallel()
	told := 0
	rapid.Check(t, func(t *rapid.T) {
		s := drawStart(t)
		s.clear()
		s.listAll()
		s.pass()
		s.listAll()
		plans := s.pass()
		for kind, ledger := range s.ledgers {
			s.Expect(ledger.Settled()).To(BeTrue())
			s.Expect(plans[kind].View.Contested() || plans[kind].View.Stale()).To(BeFalse())
		}
		s.now = s.now.Add(time.Minute)
		for kind, ledger := range s.ledgers {
			var same []string
			for _, e := range ledger.entries {
				same = append(same, worldKinds[kind].id(e.object))
			}
			again := ledger.Again(s.now)
			whole := ledger.Record(worldKinds[kind], SourceOwner(s.source), Sighting{Same: same, Complete: true, Scope: s.scope, End: s.now}, s.owned(kind))
			s.Expect(again.seq).To(Equal(whole.seq))
			s.Expect(again.Scope()).To(Equal(whole.Scope()))
			s.ledgers[kind], s.completed[kind], s.fresh[kind] = whole, s.now, true
			want := s.plan()[kind]
			s.Expect(want.Writes).To(BeEmpty())
			s.Expect(want.Deletes).To(BeEmpty())
			s.Expect(plans[kind].Report.Again(again)).To(Equal(want.Report))
			view := plans[kind].View.Again(again)
			s.Expect(view.StaleAt()).To(Equal(want.View.StaleAt()))
			for _, o := range s.owned(kind) {
				s.Expect(view.Drifted(o)).To(Equal(want.View.Drifted(o)))
			}
			told++
		}
	})
	NewWithT(t).Expect(told).NotTo(BeZero(), "no listing ever told the same")
}
