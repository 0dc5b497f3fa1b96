// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
)

// teams returns environments of these IDs that the selector "team-*" takes.
func teams(n int) []environment {
	var all []environment
	for _, id := range environmentIDs(n) {
		all = append(all, environment{id, "team-" + id})
	}
	return all
}

// renamed returns environments of which the last has another name.
func renamed(all []environment, name string) []environment {
	out := slices.Clone(all)
	out[len(out)-1].name = name
	return out
}

// teamed returns an org that takes what is named "team-*", ten of them.
func teamed(t *testing.T, percent int32) *org {
	o := newOrg(t)
	o.discovery.Spec.Selector.DisplayNames = identifiers("team-*")
	o.discovery.Spec.Prune = v1alpha1.SourcePrune{Policy: v1alpha1.PrunePolicyDelete, AfterMisses: ptr[int32](1), MaxPercent: &percent}
	o.look(append(teams(10), environment{"env-other", "other"})...)
	o.Expect(o.names()).To(Equal(environmentIDs(10)), "what is not taken gets no source")
	return o
}

const last = "env-00009" // The last of ten environments.

// leavings are the ways in which an environment that is still listed leaves the scope.
var leavings = map[string]struct{ leave, back func(o *org) []environment }{
	"renamed": {
		func(*org) []environment { return renamed(teams(10), "Team-dev") },
		func(*org) []environment { return teams(10) },
	},
	"its ID excluded": {
		func(o *org) []environment {
			o.discovery.Spec.Selector.Exclude.IDs = identifiers(last)
			return teams(10)
		},
		func(o *org) []environment {
			o.discovery.Spec.Selector.Exclude.IDs = nil
			return teams(10)
		},
	},
	"its name excluded, and absent": {
		func(o *org) []environment {
			o.discovery.Spec.Selector.Exclude.DisplayNames = identifiers("*9")
			return renamed(teams(10), "")
		},
		func(o *org) []environment {
			o.discovery.Spec.Selector.Exclude.DisplayNames = nil
			return renamed(teams(10), "")
		},
	},
	"no longer among the names": {
		func(o *org) []environment {
			o.discovery.Spec.Selector.DisplayNames = identifiers("team-*0?")
			return renamed(teams(10), "team-x")
		},
		func(o *org) []environment {
			o.discovery.Spec.Selector.DisplayNames = identifiers("team-*")
			return renamed(teams(10), "team-x")
		},
	},
}

func TestWhatTheSelectorNoLongerTakesIsDeletedByApprovalOnly(t *testing.T) {
	t.Parallel()
	for name, c := range leavings {
		for _, percent := range []int32{0, 20, 100} {
			t.Run(fmt.Sprintf("%s, maxPercent %d", name, percent), func(t *testing.T) {
				t.Parallel()
				o := teamed(t, percent)
				listed := c.leave(o)
				held := o.look(listed...).Held
				o.Expect(held).To(HaveValue(HaveField("Reason", v1alpha1.ReasonScopeChanged)))
				o.Expect(namesOf(held.Objects)).To(Equal([]string{last}))
				o.Expect(held.Message).To(ContainSubstring("listed, but no longer taken by spec.selector: 1 of 1; held: " + last + "; "))
				since := o.outsideSince(last)
				o.Expect(since).To(Equal(o.now.UTC().Format(time.RFC3339)))
				for range 4 {
					o.now = o.now.Add(time.Minute)
					plan := o.look(listed...)
					o.Expect(plan.Deletes).To(BeEmpty())
					o.Expect(plan.Writes).To(BeEmpty(), "it says nothing new")
					o.Expect(plan.Outside).To(Equal([]string{last}))
					o.Expect(plan.Summary).To(And(HaveField("Observed", int32(9)), HaveField("Missing", int32(0))))
					o.Expect(plan.Held).To(HaveValue(And(HaveField("Digest", held.Digest), HaveField("Message", held.Message))), "and asks for the same")
					o.Expect(plan.Unconfirmed || plan.Undecided).To(BeFalse())
					o.Expect(o.ledger.missCount(last)).To(BeZero(), "it is no miss")
					o.Expect(o.pass().Held).To(Equal(plan.Held), "between two listings too")
					o.Expect(o.outsideSince(last)).To(Equal(since))
				}
				annotation, missing := o.missingSince(last)
				o.Expect(annotation + missing).To(BeEmpty())
				o.discovery.Annotations = pairs{v1alpha1.AnnotationApprovePrune: held.Digest}
				o.Expect(namesOf(o.pass().Deferred)).To(Equal([]string{last}))
				plan := o.look(listed...)
				o.Expect(namesOf(plan.Deletes)).To(Equal([]string{last}))
				o.Expect(plan.Outside).To(BeEmpty(), "what is deleted is no longer named")
				o.Expect(o.look(listed...)).To(And(HaveField("Writes", BeEmpty()), HaveField("Held", BeNil())))
			})
		}
	}
}

func TestWhatIsBackInScopeIsKept(t *testing.T) {
	t.Parallel()
	for name, c := range leavings {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := teamed(t, 20)
			digest := o.look(c.leave(o)...).Held.Digest
			o.discovery.Annotations = pairs{v1alpha1.AnnotationApprovePrune: digest}
			plan := o.look(c.back(o)...)
			o.Expect(plan.Held).To(BeNil())
			o.Expect(plan.Outside).To(BeEmpty())
			o.Expect(plan.Summary.Observed).To(Equal(int32(10)))
			o.Expect(o.outsideSince(last)).To(BeEmpty())
			o.now = o.now.Add(time.Minute)
			plan = o.look(c.leave(o)...)
			o.Expect(plan.Deletes).To(BeEmpty(), "an approval does not outlive its occasion")
			o.Expect(plan.Held.Digest).NotTo(Equal(digest))
		})
	}
}

func TestRetainKeepsWhatTheSelectorNoLongerTakes(t *testing.T) {
	t.Parallel()
	for name, c := range leavings {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := teamed(t, 20)
			o.discovery.Spec.Prune.Policy = v1alpha1.PrunePolicyRetain
			listed := c.leave(o)
			for range 3 {
				o.Expect(o.look(listed...)).To(And(HaveField("Held", BeNil()), HaveField("Deletes", BeEmpty()), HaveField("Outside", Equal([]string{last}))))
			}
		})
	}
}

func TestARestartChangesNothingAboutWhatTheSelectorNoLongerTakes(t *testing.T) {
	t.Parallel()
	for name, c := range leavings {
		for restart, start := range map[string]func(o *org, all []environment){
			"whose listing is the first it does": func(*org, []environment) {},
			"that looks before it lists":         func(o *org, _ []environment) { o.pass() },
			"whose first listing is incomplete": func(o *org, all []environment) {
				o.hear(false, all[0])
				o.pass()
			},
		} {
			t.Run(name+", by one "+restart, func(t *testing.T) {
				t.Parallel()
				o := teamed(t, 20)
				listed := c.leave(o)
				digest := o.look(listed...).Held.Digest
				since := o.outsideSince(last)
				for range 2 {
					o.now = o.now.Add(time.Hour)
					o.restart()
					start(o, listed)
					o.Expect(o.look(listed...).Held).To(HaveValue(HaveField("Digest", digest)))
					o.Expect(o.outsideSince(last)).To(Equal(since))
				}
			})
		}
	}
}

func TestAnEnvironmentThatLeavesTheScopeAndTheCloudIsMissing(t *testing.T) {
	t.Parallel()
	o := teamed(t, 20)
	o.discovery.Spec.Prune.AfterMisses = ptr[int32](2)
	o.look(renamed(teams(10), "other")...)
	plan := o.look(teams(9)...)
	o.Expect(plan.Deletes).To(BeEmpty(), "what it was not taken for counts as no miss")
	o.Expect(plan.Held).To(BeNil())
	o.Expect(plan.Summary.Missing).To(Equal(int32(1)))
	o.Expect(o.outsideSince(last)).To(BeEmpty())
	o.Expect(namesOf(o.look(teams(9)...).Deletes)).To(Equal([]string{last}))
}

func TestAClockSetBackKeepsTheDigestOfWhatIsOutOfScope(t *testing.T) {
	t.Parallel()
	listed := renamed(teams(10), "other")
	for name, follows := range map[string]func(*org) *Plan{
		"no listing":          (*org).pass,
		"incomplete listings": func(o *org) *Plan { o.hear(false, listed...); return o.pass() },
		"complete listings":   func(o *org) *Plan { return o.look(listed...) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := teamed(t, 20)
			o.look(listed...)
			o.now = o.now.Add(-time.Hour)
			held := follows(o).Held
			since := o.outsideSince(last)
			for range 5 {
				o.now = o.now.Add(10 * time.Second)
				o.Expect(follows(o).Held.Digest).To(Equal(held.Digest))
				o.Expect(o.outsideSince(last)).To(Equal(since))
			}
			if name != "complete listings" { // The next one sees that the clock was set back.
				held = o.look(listed...).Held
			}
			o.discovery.Annotations = pairs{v1alpha1.AnnotationApprovePrune: held.Digest}
			o.Expect(o.look(listed...).Deletes).To(HaveLen(1))
		})
	}
}

func TestAClockSetBackLengthensNoGracePeriodOutOfScope(t *testing.T) {
	t.Parallel()
	o := teamed(t, 20)
	o.discovery.Spec.Prune.GracePeriod = seconds(60)
	listed := renamed(teams(10), "other")
	o.look(listed...)
	o.now = o.now.Add(-24 * time.Hour)
	o.Expect(o.look(listed...).Held).To(BeNil())
	o.now = o.now.Add(2 * time.Minute)
	o.Expect(o.look(listed...).Held).NotTo(BeNil())
}

func TestANameThatIsAbsentIsTheLastOneKnown(t *testing.T) {
	t.Parallel()
	for name, restarted := range map[string]bool{"from the former listing": false, "from the source, after a restart": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := teamed(t, 20)
			if restarted {
				o.restart()
			}
			for range 3 {
				plan := o.look(renamed(teams(10), "")...)
				o.Expect(plan.Writes).To(BeEmpty())
				o.Expect(plan.Outside).To(BeEmpty())
				o.Expect(o.sources[last].Annotations).To(HaveKeyWithValue(v1alpha1.AnnotationEnvironmentName, "team-"+last))
			}
			o.Expect(o.look(renamed(teams(10), "team-new")...).Writes).To(HaveLen(1), "a new name is taken over")
			o.Expect(o.look(renamed(teams(10), "")...).Writes).To(BeEmpty())
			o.Expect(o.sources[last].Annotations).To(HaveKeyWithValue(v1alpha1.AnnotationEnvironmentName, "team-new"))
		})
	}
}

func TestANameThatWasNeverKnownTakesNothingThatNamesExclude(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		selector v1alpha1.EnvironmentSelector
		takes    bool
	}{
		"all, if none is excluded":              {v1alpha1.EnvironmentSelector{}, true},
		"all, if only IDs are excluded":         {v1alpha1.EnvironmentSelector{Exclude: v1alpha1.EnvironmentMatch{IDs: identifiers("env-2")}}, true},
		"not if names are excluded":             {v1alpha1.EnvironmentSelector{Exclude: v1alpha1.EnvironmentMatch{DisplayNames: identifiers("secret-*")}}, false},
		"not by a pattern that fits every name": {v1alpha1.EnvironmentSelector{EnvironmentMatch: v1alpha1.EnvironmentMatch{DisplayNames: identifiers("*")}, Exclude: v1alpha1.EnvironmentMatch{DisplayNames: identifiers("x")}}, false},
		"not by its ID if names are excluded": {v1alpha1.EnvironmentSelector{EnvironmentMatch: v1alpha1.EnvironmentMatch{IDs: identifiers("env-1")},
			Exclude: v1alpha1.EnvironmentMatch{DisplayNames: identifiers("secret-*")}}, false},
		"by its ID if no name is excluded": {v1alpha1.EnvironmentSelector{EnvironmentMatch: v1alpha1.EnvironmentMatch{IDs: identifiers("env-1")}}, true},
		"not by its ID if that is excluded too": {v1alpha1.EnvironmentSelector{EnvironmentMatch: v1alpha1.EnvironmentMatch{IDs: identifiers("env-1")},
			Exclude: v1alpha1.EnvironmentMatch{IDs: identifiers("env-1")}}, false},
		"not by a name that it has not": {v1alpha1.EnvironmentSelector{EnvironmentMatch: v1alpha1.EnvironmentMatch{DisplayNames: identifiers("team-*")}}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := newOrg(t)
			o.discovery.Spec.Selector = c.selector
			for range 2 {
				plan := o.look(environment{id: "env-1"})
				takes := len(o.sources) == 1
				o.Expect(takes).To(Equal(c.takes))
				o.Expect(plan.Held).To(BeNil())
				o.Expect(plan.Outside).To(BeEmpty(), "there is nothing to keep")
			}
		})
	}
}

func TestACopiedSourceIsNotTheDiscoverysOwn(t *testing.T) {
	t.Parallel()
	o := discovered(t, environmentIDs(10)...)
	copied := o.sources[last].DeepCopy()
	copied.Name, copied.UID = "mine", "uid-of-mine"
	copied.Spec.Suspend = true
	o.sources["mine"] = copied
	before := copied.DeepCopy()
	for range 4 {
		plan := o.list(true, environmentIDs(10)...)
		o.Expect(plan.Writes).To(BeEmpty())
		o.Expect(plan.Conflicts).To(BeEmpty(), "its name is none that is wanted")
		o.Expect(plan.Held).To(BeNil())
		o.Expect(plan.Unchanged).To(Equal(10))
	}
	for range 4 { // Not even once its environment is gone.
		o.list(true, environmentIDs(9)...)
	}
	o.Expect(o.sources["mine"]).To(BeIdenticalTo(copied))
	o.Expect(copied).To(Equal(before))
	o.Expect(o.sources).NotTo(HaveKey(last))
}

func TestAHandedOverSourceIsLetGoAndTakenBack(t *testing.T) {
	t.Parallel()
	for name, listed := range map[string]int{"listed": 10, "missing": 9} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := discovered(t, environmentIDs(10)...)
			o.annotate(last, v1alpha1.AnnotationUnmanaged, "true")
			theirs := o.reread(last)
			theirs.OwnerReferences = append(theirs.OwnerReferences, metav1.OwnerReference{APIVersion: "v1", Kind: "ConfigMap", Name: "x", UID: "x"})
			theirs.Labels["theirs"], theirs.Spec.Suspend = "1", true
			o.discovery.Spec.Template.Metadata.Labels = map[string]v1alpha1.LabelValue{"team": "data"}
			want := theirs.DeepCopy()
			want.OwnerReferences = want.OwnerReferences[1:]

			view := o.list(true, environmentIDs(9)...).View
			o.Expect(o.sources[last]).To(Equal(want), "the ownerReference goes, nothing else")
			o.Expect(view.Drifted(o.sources[last])).To(BeFalse())
			for range 4 {
				plan := o.list(true, environmentIDs(listed)...)
				o.Expect(plan.Writes).To(BeEmpty())
				o.Expect(plan.Deletes).To(BeEmpty())
				o.Expect(plan.Conflicts).To(BeEmpty())
				o.Expect(plan.Held).To(BeNil())
				o.Expect(plan.Unfilled()).To(BeZero())
				o.Expect(plan.Undecided || plan.Unconfirmed).To(BeFalse())
				o.Expect(o.sources[last]).To(Equal(want))
				o.Expect(o.discovery.Status.SourceCount).To(BeEquivalentTo(10), "it is named all the same")
			}
			o.restart()
			o.Expect(o.pass().Writes).To(BeEmpty())

			o.list(true, environmentIDs(10)...)
			o.annotate(last, v1alpha1.AnnotationUnmanaged, "")
			o.Expect(o.pass().Writes).To(HaveLen(1))
			back := o.sources[last]
			o.Expect(metav1.IsControlledBy(back, o.discovery)).To(BeTrue(), "it is taken back")
			o.Expect(back.Spec.Suspend).To(BeFalse())
			o.Expect(back.OwnerReferences).To(HaveLen(2))
			o.Expect(back.Labels).To(And(HaveKeyWithValue("team", "data"), HaveKeyWithValue("theirs", "1")))
			o.Expect(o.pass().Writes).To(BeEmpty())
		})
	}
}

func TestOnlyTrueHandsASourceOver(t *testing.T) {
	t.Parallel()
	for _, value := range []string{"false", "TRUE", "yes", " true"} {
		o := discovered(t, environmentIDs(1)...)
		o.annotate("env-00000", v1alpha1.AnnotationUnmanaged, value)
		o.Expect(o.list(true, environmentIDs(1)...).Writes).To(BeEmpty(), value)
		o.Expect(metav1.IsControlledBy(o.sources["env-00000"], o.discovery)).To(BeTrue())
	}
}

func TestAReleaseThatDoesNotStickIsSeen(t *testing.T) {
	t.Parallel()
	o := discovered(t, environmentIDs(1)...)
	o.annotate("env-00000", v1alpha1.AnnotationUnmanaged, "true")
	w := o.plan().Writes[0]
	o.Expect(Environment.Stored(w, stored(w.Desired))).To(BeTrue())
	o.Expect(Environment.Stored(w, stored(w.Existing))).To(BeFalse(), "the ownerReference is still there")
}

func TestAMissingSourceSaysSinceWhenOnceWhateverAStrangerSays(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		before, after func(o *org) // the restart
	}{
		"without a stranger": {func(*org) {}, func(*org) {}},
		"forged before":      {func(o *org) { environmentScene{o}.forge(last, began.Add(-48*time.Hour)) }, func(*org) {}},
		"forged after":       {func(*org) {}, func(o *org) { environmentScene{o}.forge(last, began.Add(-48*time.Hour)) }},
		"forged to come":     {func(*org) {}, func(o *org) { environmentScene{o}.forge(last, began.Add(48*time.Hour)) }},
		"taken off":          {func(*org) {}, func(o *org) { o.annotate(last, v1alpha1.AnnotationMissingSince, "") }},
		"no time at all":     {func(*org) {}, func(o *org) { o.annotate(last, v1alpha1.AnnotationMissingSince, "yesterday") }},
	} {
		for looks, look := range map[string]func(o *org){
			"listed at once":  func(*org) {},
			"not listed soon": func(o *org) { o.pass() },
			"listed in part":  func(o *org) { o.list(false, environmentIDs(3)...) },
		} {
			t.Run(name+", "+looks, func(t *testing.T) {
				t.Parallel()
				o := discovered(t, environmentIDs(10)...)
				o.discovery.Spec.Prune.GracePeriod = &metav1.Duration{Duration: 2 * time.Hour}
				o.list(true, environmentIDs(9)...)
				went := o.now
				truth, _ := o.missingSince(last)
				for range 3 {
					c.before(o)
					o.restart()
					c.after(o)
					o.now = o.now.Add(30 * time.Minute)
					look(o)
					for range 3 {
						o.Expect(o.list(true, environmentIDs(9)...).Deletes).To(BeEmpty(), "no grace period is shortened")
						annotation, status := o.missingSince(last)
						o.Expect([]string{annotation, status}).To(Equal([]string{truth, truth}))
						o.Expect(o.pass().Writes).To(BeEmpty())
					}
				}
				o.now = went.Add(2 * time.Hour)
				o.Expect(o.list(true, environmentIDs(9)...).Deletes).To(HaveLen(1), "and none is lengthened")
			})
		}
	}
}

// A discovery's status has no room for more than 500 sources: for the rest, their annotation says
// since when they are missing.
func TestSourcesThatTheStatusHasNoRoomForRememberTheirAbsence(t *testing.T) {
	t.Parallel()
	n := maxSources + 20
	o := discovered(t, environmentIDs(n)...)
	o.many = true
	o.discovery.Spec.Prune.Policy = v1alpha1.PrunePolicyRetain
	o.Expect(o.list(true, environmentIDs(n-1)...).Writes).To(HaveLen(1))
	name := environmentIDs(n)[n-1]
	truth, status := o.missingSince(name)
	o.Expect(truth).NotTo(BeEmpty())
	o.Expect(status).To(BeEmpty())
	for range 3 {
		o.now = o.now.Add(time.Hour)
		o.restart()
		o.Expect(o.pass().Writes).To(BeEmpty())
		o.Expect(o.list(true, environmentIDs(n-1)...).Writes).To(BeEmpty())
		now, _ := o.missingSince(name)
		o.Expect(now).To(Equal(truth))
	}
}

func TestManySourcesThatAppearBetweenTwoListingsAreWrittenOnce(t *testing.T) {
	t.Parallel()
	o := discovered(t, environmentIDs(10)...)
	o.many = true
	o.discovery.Spec.Prune.Policy = v1alpha1.PrunePolicyRetain
	for _, id := range environmentIDs(maxSources + 100)[10:] { // A restore.
		s := NewSource(o.discovery, id, "")
		s.OwnerReferences = nil
		o.sources[id] = s
	}
	o.Expect(o.pass().Writes).To(HaveLen(maxSources + 90))
	for range 3 {
		o.now = o.now.Add(10 * time.Second)
		o.Expect(o.pass().Writes).To(BeEmpty())
	}
	o.Expect(o.list(true, environmentIDs(10)...).Writes).To(BeEmpty())
	o.restart()
	o.now = o.now.Add(time.Hour)
	o.Expect(o.list(true, environmentIDs(10)...).Writes).To(BeEmpty())
}

func TestALabelStandsForAnyNameOfAnObject(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, length := range []int{1, 62, 63, 64, 65, 200, 252, 253} {
		for _, text := range []string{strings.Repeat("a", length), strings.Repeat("a", length-1) + "b", strings.Repeat("a.", length)[:length-1] + "c"} {
			g := NewWithT(t)
			value := LabelValue(text)
			g.Expect(validation.IsValidLabelValue(value)).To(BeEmpty(), value)
			whole := value == text
			g.Expect(whole).To(Equal(length <= 63), text)
			g.Expect(LabelValue(value)).To(Equal(value))
			if length > 63 {
				g.Expect(value).To(And(HaveLen(63), HavePrefix(text[:54]), HaveSuffix("-"+shortHash(text))))
			}
			if length > 1 {
				g.Expect(seen).NotTo(HaveKey(value), "no two have one")
			}
			seen[value] = true
		}
	}
}

func TestOwnersWithLongNamesFindWhatIsTheirs(t *testing.T) {
	t.Parallel()
	for _, length := range []int{63, 64, 200, 253} {
		o := newOrg(t)
		o.discovery.Name = strings.Repeat("d", length)
		o.list(true, "env-1")
		o.reread("env-1").OwnerReferences = nil // Its discovery was deleted with --cascade=orphan and made again.
		o.discovery.UID = "another"
		plan := o.list(true, "env-1")
		o.Expect(plan.Conflicts).To(BeEmpty(), "of %d characters", length)
		o.Expect(metav1.IsControlledBy(o.sources["env-1"], o.discovery)).To(BeTrue())

		source := newSource()
		source.Name = strings.Repeat("s", length)
		o.Expect(stamped(source, newCluster("lkc-1")).GetLabels()).To(HaveKeyWithValue(v1alpha1.LabelSource, LabelValue(source.Name)))
	}
}

func TestTwoWritesWantTheSame(t *testing.T) {
	t.Parallel()
	write := func(o *org) Write {
		plan := o.plan()
		o.Expect(plan.Writes).To(HaveLen(1))
		return plan.Writes[0]
	}
	for name, c := range map[string]struct {
		first, then func(o *org)
		same        bool
	}{
		"nothing else happened": {func(o *org) { o.reread("env-1").Labels = nil }, func(*org) {}, true},
		"others added to it": {func(o *org) { o.reread("env-1").Labels = nil }, func(o *org) {
			s := o.reread("env-1")
			s.Labels, s.ResourceVersion = pairs{"theirs": "1"}, "9"
			s.Annotations["theirs"] = "1"
			s.Finalizers = []string{"theirs/finalizer"}
		}, true},
		"they edited it once more": {func(o *org) { o.reread("env-1").Labels = nil }, func(o *org) { o.reread("env-1").Spec.Suspend = true }, true},
		"the template changed": {func(o *org) { o.reread("env-1").Labels = nil }, func(o *org) {
			o.discovery.Spec.Template.Spec.Interval = seconds(60)
		}, false},
		"the template's labels changed": {func(o *org) { o.reread("env-1").Labels = nil }, func(o *org) {
			o.discovery.Spec.Template.Metadata.Labels = map[string]v1alpha1.LabelValue{"team": "data"}
		}, false},
		"the environment was renamed": {func(o *org) { o.reread("env-1").Labels = nil }, func(o *org) { o.hear(true, environment{"env-1", "new"}) }, false},
		"it is gone":                  {func(o *org) { o.reread("env-1").Labels = nil }, func(o *org) { delete(o.sources, "env-1") }, false},
		"it is created again":         {func(o *org) { delete(o.sources, "env-1") }, func(*org) {}, true},
		"it was handed over": {func(o *org) { o.reread("env-1").Labels = nil }, func(o *org) {
			o.annotate("env-1", v1alpha1.AnnotationUnmanaged, "true")
		}, false},
		"others added to what is handed over": {func(o *org) { o.annotate("env-1", v1alpha1.AnnotationUnmanaged, "true") }, func(o *org) {
			o.reread("env-1").Labels["theirs"] = "1"
		}, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := discovered(t, "env-1")
			c.first(o)
			first := write(o)
			c.then(o)
			then := write(o)
			o.Expect(Environment.SameWrite(first, then)).To(Equal(c.same))
			// A change after a creation that was stored otherwise is the same write again.
			again := then.Existing == nil && first.Existing != nil
			o.Expect(Environment.SameWrite(then, first)).To(Equal(c.same || again))
		})
	}
}

func TestTwoWritesOfAnObservationWantTheSame(t *testing.T) {
	t.Parallel()
	failed := newCluster("lkc-1")
	failed.Status.Phase = "FAILED"
	for name, c := range map[string]struct {
		then func(w *world)
		same bool
	}{
		"time passed":       {func(w *world) { w.now = w.now.Add(time.Minute) }, true},
		"others wrote more": {func(w *world) { w.cluster("lkc-1").Status.DisplayName = "theirs" }, true},
		"a condition went":  {func(w *world) { w.cluster("lkc-1").Status.Conditions = nil }, true},
		"the cloud changed": {func(w *world) { w.list(clusters, true, newCluster("lkc-1"), newCluster("lkc-2")) }, false},
		"it went missing":   {func(w *world) { w.list(clusters, true, newCluster("lkc-2")) }, false},
		"it turned stale":   {func(w *world) { w.now = w.now.Add(time.Hour) }, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := settled(t, "lkc-1", "lkc-2")
			w.list(clusters, true, failed, newCluster("lkc-2"))
			w.cluster("lkc-1").Labels["theirs"] = "1"
			first := w.plan()[clusters].Writes[0]
			c.then(w)
			w.cluster("lkc-1").Labels[v1alpha1.LabelSource] = "edited"
			then := w.plan()[clusters].Writes[0]
			w.Expect(KafkaCluster.SameWrite(first, then)).To(Equal(c.same))
		})
	}
}

func TestAGlobTakesPatternsAsTheyAreWritten(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("ü", 255)
	for _, c := range []struct {
		pattern, text string
		fits          bool
	}{
		{"", "", true}, {"", "a", false}, {"*", "", true}, {"?", "", false}, {"?", "é", true}, {"??", "é", false}, {"?", "\n", true},
		{"*", "a\nb\r\n", true}, {"a*b", "a\nb", true}, {"a", "a\n", false}, {"a$", "a", false}, {"a", "b\na", false}, {"a*", "b\na", false},
		{"[ab]", "a", false}, {"[ab]", "[ab]", true}, {"[*]", "[x]", true}, {"[", "[", true}, {"(", "(", true}, {"a{2}", "aa", false},
		{"a|b", "a", false}, {"a|b", "a|b", true}, {".", "a", false}, {".*", "a", false}, {".*", ".a", true}, {"^a$", "^a$", true},
		{`\`, `\`, true}, {`\*`, `\`, true}, {`\*`, `\x`, true}, {`\*`, `x`, false}, {`\?`, `\a`, true}, {`\?`, `a`, false},
		{`\\*`, `\\x`, true}, {`\Qa\E`, "a", false}, {`\Qa\E`, `\Qa\E`, true}, {`\n`, "\n", false}, {"(?i)a", "A", false},
		{"prod-*", "Prod-1", false}, {"*prod*", "a prod b", true}, {"**", "x", true}, {"*?*", "", false},
		{"a*", "a\xff\xfe", true}, {"a?", "a\xff", true}, {"a??", "a\xff", false}, {"\u00e9", "e\u0301", false},
		{long, long, true}, {long, long + "ü", false}, {long + "*", long + "ü", true}, {strings.Repeat("?", 255), long, true},
		{strings.Repeat("?", 254), long, false}, {strings.Repeat("*", 255), long, true}, {strings.Repeat("[", 255), strings.Repeat("[", 255), true},
	} {
		NewWithT(t).Expect(glob(c.pattern, c.text)).To(Equal(c.fits), "%q on %q", c.pattern, c.text)
	}
}

func TestAnApprovalOfBothGroupsHoldsForWhatIsLeftOfBoth(t *testing.T) {
	t.Parallel()
	ids := environmentIDs(10)
	o := discovered(t, ids...)
	o.discovery = o.discovery.DeepCopy()
	o.discovery.Spec.Selector.Exclude.IDs = identifiers(ids[0], ids[1])
	list := func() *Plan { return o.list(true, ids[:7]...) }
	var held *Held
	for range 4 {
		held = list().Held
	}
	o.Expect(held).NotTo(BeNil())
	o.Expect(held.Objects).To(HaveLen(5))
	o.discovery = o.discovery.DeepCopy()
	metav1.SetMetaDataAnnotation(&o.discovery.ObjectMeta, v1alpha1.AnnotationApprovePrune, held.Digest)

	o.refused = []string{ids[0], ids[9]} // One of either group.
	o.Expect(list().Held).To(BeNil())
	o.Expect(o.sources).To(HaveLen(7))
	o.Expect(list().Held).To(BeNil(), "it was approved")
	o.refused = nil
	o.Expect(list().Held).To(BeNil())
	o.Expect(o.sources).To(HaveLen(5))
}

// A selector has up to 100 patterns to take by and 100 to exclude by, and a key may see thousands
// of environments.
func BenchmarkSelects(b *testing.B) {
	var selector v1alpha1.EnvironmentSelector
	for i := range 100 {
		selector.DisplayNames = append(selector.DisplayNames, v1alpha1.Identifier(fmt.Sprintf("team-%d-*", i)))
		selector.Exclude.DisplayNames = append(selector.Exclude.DisplayNames, v1alpha1.Identifier(fmt.Sprintf("*-secret-%d", i)))
	}
	takes := newSelector(selector)
	b.ReportAllocs()
	for b.Loop() {
		if takes.selectsEnvironment("env-1", "payments-production-eu-west-1") {
			b.Fatal("taken")
		}
	}
}
