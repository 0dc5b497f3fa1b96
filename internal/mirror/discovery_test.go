// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"pgregory.net/rapid"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
)

func TestTenThousandEnvironmentsAreTenThousandSourcesOnce(t *testing.T) {
	t.Parallel()
	o := newOrg(t)
	o.many = true
	ids := environmentIDs(10_000)
	o.Expect(o.list(true, ids...).Writes).To(HaveLen(10_000))
	plan := o.list(true, ids...)
	o.Expect(plan.Writes).To(BeEmpty())
	o.Expect(plan.Unchanged).To(Equal(10_000))
	o.Expect(plan.Summary.Observed).To(BeEquivalentTo(10_000))
	o.Expect(o.discovery.Status.SourceCount).To(BeEquivalentTo(10_000))
	o.Expect(o.discovery.Status.Sources).To(HaveLen(maxSources), "as many as fit are named")
	o.Expect(o.discovery.Status.Sources).To(And(
		ContainElement(v1alpha1.DiscoveredSource{Environment: "env-00000", Name: "env-00000", DisplayName: "name of env-00000"}),
		ContainElement(HaveField("Environment", "env-00499"))), "the first by environment")
}

func TestNoListingThatIsNotWholeMakesASourceMissing(t *testing.T) {
	t.Parallel()
	for name, listing := range map[string]func(*org) *Plan{
		"incomplete": func(o *org) *Plan { return o.list(false, "env-00001") },
		"empty":      func(o *org) *Plan { return o.list(true) },
		"of a third": func(o *org) *Plan { return o.list(true, environmentIDs(10)[:3]...) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := newOrg(t)
			o.discovery.Spec.Prune.Policy = v1alpha1.PrunePolicyDelete
			o.list(true, environmentIDs(10)...)
			for range 5 {
				o.Expect(listing(o).Deletes).To(BeEmpty())
			}
			o.Expect(o.sources).To(HaveLen(10))
		})
	}
}

func TestARestartDeletesNoSourceAndForgetsNoAbsence(t *testing.T) {
	t.Parallel()
	o := newOrg(t)
	o.discovery.Spec.Prune = v1alpha1.SourcePrune{Policy: v1alpha1.PrunePolicyDelete, GracePeriod: &metav1.Duration{Duration: time.Minute}}
	o.list(true, environmentIDs(10)...)
	for range 3 {
		o.list(true, environmentIDs(9)...)
	}
	since := o.sources["env-00009"].Annotations[v1alpha1.AnnotationMissingSince]
	o.Expect(since).NotTo(BeEmpty())
	o.restart()
	o.Expect(o.pass().Writes).To(BeEmpty(), "it is not known yet")
	o.now = o.now.Add(2 * time.Minute)
	o.Expect(o.list(true, environmentIDs(9)...).Deletes).To(BeEmpty(), "the first since the start counts no miss")
	o.Expect(o.sources["env-00009"].Annotations).To(HaveKeyWithValue(v1alpha1.AnnotationMissingSince, since))
	o.list(true, environmentIDs(9)...)
	o.Expect(o.list(true, environmentIDs(9)...).Deletes).To(HaveLen(1), "its grace is over")
}

func TestNobodyShortensAGraceByEditingASource(t *testing.T) {
	t.Parallel()
	o := newOrg(t)
	o.discovery.Spec.Prune = v1alpha1.SourcePrune{Policy: v1alpha1.PrunePolicyDelete, GracePeriod: &metav1.Duration{Duration: time.Hour}}
	o.list(true, environmentIDs(10)...)
	o.list(true, environmentIDs(9)...)
	for _, claim := range []string{began.Add(-48 * time.Hour).Format(time.RFC3339), began.Add(48 * time.Hour).Format(time.RFC3339), "yesterday"} {
		o.annotate("env-00009", v1alpha1.AnnotationMissingSince, claim)
		o.Expect(o.list(true, environmentIDs(9)...).Deletes).To(BeEmpty())
		o.Expect(o.sources["env-00009"].Annotations[v1alpha1.AnnotationMissingSince]).NotTo(Equal(claim))
	}
}

func TestASourceThatAPersonMarkedIsLeftAlone(t *testing.T) {
	t.Parallel()
	o := newOrg(t)
	o.discovery.Spec.Prune.Policy = v1alpha1.PrunePolicyDelete
	o.list(true, environmentIDs(10)...)
	o.annotate("env-00009", v1alpha1.AnnotationUnmanaged, "true")
	o.sources["env-00009"].Spec.Suspend = true
	marked := o.sources["env-00009"].DeepCopy()
	marked.OwnerReferences = nil // It is handed over.
	o.discovery.Spec.Template.Metadata.Labels = map[string]v1alpha1.LabelValue{"team": "data"}
	for range 3 {
		plan := o.list(true, environmentIDs(9)...)
		o.Expect(equality.Semantic.DeepEqual(o.sources["env-00009"], marked)).To(BeTrue(), "but for the ownerReference it is as it was")
		o.Expect(plan.Summary.Missing).To(BeEquivalentTo(1), "it is counted all the same")
	}
}

func TestWhatAUserAsksOfASourceStays(t *testing.T) {
	t.Parallel()
	o := newOrg(t)
	o.list(true, "env-1")
	for _, key := range []string{v1alpha1.AnnotationRequestedAt, v1alpha1.AnnotationApprovePrune} {
		o.sources["env-1"].Annotations[key] = "a user's"
	}
	o.sources["env-1"].Annotations[v1alpha1.Prefix+"other"] = "goes"
	o.list(true, "env-1")
	o.Expect(o.sources["env-1"].Annotations).To(Equal(map[string]string{v1alpha1.AnnotationEnvironmentName: "name of env-1",
		v1alpha1.AnnotationRequestedAt: "a user's", v1alpha1.AnnotationApprovePrune: "a user's"}))
}

func TestTwoIDsThatMakeOneNameAreOneSourceAndAClash(t *testing.T) {
	t.Parallel()
	o := newOrg(t)
	odd := "ENV 1"
	plan := o.list(true, odd, ObjectName(odd))
	o.Expect(o.sources).To(HaveLen(1))
	o.Expect(plan.Clashes).To(Equal([]Clash{{ID: odd, Name: ObjectName(odd), Owner: ObjectName(odd)}}))
	o.Expect(o.list(true, odd, ObjectName(odd)).Writes).To(BeEmpty())
}

func TestAGlobIsARegularExpressionOfTwoLetters(t *testing.T) {
	t.Parallel()
	letters := rapid.StringOfN(rapid.SampledFrom([]rune("ab*?[.é")), 0, 8, -1)
	rapid.Check(t, func(t *rapid.T) {
		pattern, text := letters.Draw(t, "pattern"), letters.Draw(t, "text")
		expression := strings.NewReplacer(`\*`, `(?s:.*)`, `\?`, `(?s:.)`).Replace(regexp.QuoteMeta(pattern))
		want := regexp.MustCompile("^" + expression + "$").MatchString(text)
		if got := glob(pattern, text); got != want {
			t.Fatalf("%q fits %q: %v, not %v", pattern, text, got, want)
		}
	})
}

func TestAGlobIsNeverSlow(t *testing.T) {
	t.Parallel()
	pattern := strings.Repeat("*a", 120)
	NewWithT(t).Expect(glob(pattern, strings.Repeat("a", 4000)+"b")).To(BeFalse())
}

// Whatever stands there, a plan makes it what was listed, a second one is empty, and what a
// stranger has is not touched.
func TestWhateverSourcesStandThereAPlanMakesThemTheListing(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		o := newOrg(t)
		o.discovery.Spec.Template.Metadata.Labels = map[string]v1alpha1.LabelValue{"team": "ours"}
		pool := rapid.SampledFrom([]string{"env-1", "env-2", "env-3", "ENV 4"})
		strangers := map[string]*v1alpha1.InventorySource{}
		for _, id := range rapid.SliceOfDistinct(pool, rapid.ID).Draw(t, "there") {
			s := NewSource(o.discovery, id, "an older name")
			s.UID = types.UID("there-" + id)
			switch rapid.IntRange(0, 5).Draw(t, "edit") {
			case 0:
				s.OwnerReferences, s.Labels = nil, nil
				strangers[s.Name] = s
			case 1:
				s.OwnerReferences = nil
			case 2:
				s.Labels = map[string]string{"theirs": "1", "team": "theirs"}
			case 3:
				s.Spec.Suspend = true
			case 4:
				s.Annotations = nil
			case 5:
				s.OwnerReferences = []metav1.OwnerReference{{APIVersion: "v1", Kind: "EnvironmentDiscovery", Name: "another", UID: "x", Controller: ptr(true)}}
				strangers[s.Name] = s
			}
			o.sources[s.Name] = s
		}
		listed := rapid.SliceOfDistinct(pool, rapid.ID).Draw(t, "listed")
		plan := o.list(true, listed...)
		o.Expect(plan.Deletes).To(BeEmpty(), "a first listing deletes nothing")
		for name, s := range strangers {
			o.Expect(o.sources[name]).To(BeIdenticalTo(s))
		}
		for _, id := range listed {
			name := ObjectName(id)
			conflict := slices.ContainsFunc(plan.Conflicts, func(c Conflict) bool { return c.Name == name })
			o.Expect(conflict).To(Equal(strangers[name] != nil))
			if conflict {
				continue
			}
			s := o.sources[name]
			o.Expect(s.Spec).To(Equal(NewSource(o.discovery, id, "").Spec))
			o.Expect(s.Labels).To(HaveKeyWithValue("team", "ours"))
			o.Expect(s.Annotations).To(HaveKeyWithValue(v1alpha1.AnnotationEnvironmentName, "name of "+id))
			o.Expect(metav1.IsControlledBy(s, o.discovery)).To(BeTrue())
		}
		again := o.list(true, listed...)
		o.Expect(again.Writes).To(BeEmpty())
		o.Expect(again.Deletes).To(BeEmpty(), "Retain is the default")
	})
}

// glob reports whether one pattern of display names fits a text.
func glob(pattern, text string) bool {
	return newPatterns([]v1alpha1.Identifier{v1alpha1.Identifier(pattern)}).matchesAny(text)
}

func TestWhatOverridesMakeOfEnvironmentsIsComputedOnceForEachSetOfOverrides(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	d := &v1alpha1.EnvironmentDiscovery{}
	for _, pattern := range []v1alpha1.Identifier{"*-prod", "payments-*"} {
		d.Spec.Overrides = append(d.Spec.Overrides, v1alpha1.SourceOverride{
			Selector: v1alpha1.EnvironmentSelector{EnvironmentMatch: v1alpha1.EnvironmentMatch{DisplayNames: []v1alpha1.Identifier{pattern}}},
		})
	}
	all := newOverrides(d)
	of := all.settingsFor("env-1", "payments-prod")
	g.Expect(of.appliedIndexes).To(Equal([]int{0, 1}))
	g.Expect(all.settingsFor("env-1", "payments-prod")).To(BeIdenticalTo(of))
	g.Expect(all.settingsFor("env-2", "payments-eu-prod")).To(BeIdenticalTo(of))
	g.Expect(all.settingsFor("env-1", "orders-prod").appliedIndexes).To(Equal([]int{0}), "its name changed")
	g.Expect(all.settingsFor("env-3", "").appliedIndexes).To(BeEmpty())
}

func TestWhatWasListedForAnotherSpecIsNotCreated(t *testing.T) {
	t.Parallel()
	o := newOrg(t)
	o.question = "before"
	o.list(true, "env-a")
	o.hear(true, named("env-a", "env-b", "env-c")...)
	o.question = "after"
	expectRefused := func() {
		t.Helper()
		o.pass()
		o.Expect(o.names()).To(Equal([]string{"env-a"}))
	}
	expectRefused()
	o.hear(false, named("env-a")...)
	expectRefused()
	o.hear(false, named("env-b")...)
	o.pass()
	o.Expect(o.names()).To(Equal([]string{"env-a", "env-b"}))
	o.list(true, "env-a", "env-b", "env-c")
	o.Expect(o.names()).To(Equal([]string{"env-a", "env-b", "env-c"}))
}
