// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
)

func seconds(n int) *metav1.Duration {
	return &metav1.Duration{Duration: time.Duration(n) * time.Second}
}

// passes reports whether a rule has nothing against a deletion.
func passes(r ruling) bool { return r.verdict == verdictAllow }

func TestRetainedHoldsEverythingUnderPolicyRetain(t *testing.T) {
	t.Parallel()
	for policy, holds := range map[v1alpha1.PrunePolicy]bool{"": false, v1alpha1.PrunePolicyDelete: false, v1alpha1.PrunePolicyRetain: true} {
		held := retained(v1alpha1.Prune{Policy: policy}, absentee{missCount: 100, missingFor: time.Hour})
		NewWithT(t).Expect(passes(held)).To(Equal(!holds), string(policy))
	}
}

func TestUnconfirmedHoldsUntilEnoughListingsLackedIt(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		need   *int32
		misses int
		holds  bool
	}{
		{nil, 0, true}, {nil, 1, true}, {nil, 2, false}, {nil, 3, false},
		{ptr[int32](1), 0, true}, {ptr[int32](1), 1, false}, {ptr[int32](100), 99, true}, {ptr[int32](100), 100, false},
	} {
		held := unconfirmed(v1alpha1.Prune{AfterMisses: c.need}, absentee{missCount: c.misses})
		NewWithT(t).Expect(passes(held)).To(Equal(!c.holds), "%+v", c)
	}
}

func TestInGraceHoldsForTheGracePeriod(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		grace *metav1.Duration
		since time.Duration
		holds bool
	}{
		{nil, 0, false}, {seconds(0), 0, false}, {seconds(10), 0, true},
		{seconds(10), 10*time.Second - 1, true}, {seconds(10), 10 * time.Second, false},
	} {
		held := inGrace(v1alpha1.Prune{GracePeriod: c.grace}, absentee{missingFor: c.since})
		NewWithT(t).Expect(passes(held)).To(Equal(!c.holds), "%+v", c)
	}
}

func TestListingEmptyHoldsWhereNothingWasListed(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		empty   bool
		percent *int32
		holds   bool
	}{
		{true, nil, true}, {false, nil, false}, {true, ptr[int32](0), true}, {true, ptr[int32](99), true}, {true, ptr[int32](100), false},
	} {
		held := listingEmpty(batch{prune: v1alpha1.Prune{MaxPercent: c.percent}, empty: c.empty, missingCount: 1, totalCount: 1, fresh: true})
		NewWithT(t).Expect(passes(held)).To(Equal(!c.holds), "%+v", c)
		if held.verdict != verdictAllow {
			NewWithT(t).Expect(held.verdict).To(Equal(verdictAsk))
			NewWithT(t).Expect(held.reason).To(Equal(v1alpha1.ReasonListingEmpty))
		}
	}
}

func TestShareExceededHoldsWhereTooManyAreMissing(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		missing, total int
		percent        *int32
		holds          bool
	}{
		{1, 1, nil, false}, {1, 2, nil, false}, {1, 2, ptr[int32](0), false}, // One is never too many.
		{2, 10, nil, false}, {2, 9, nil, true}, {3, 10, nil, true}, {20, 100, nil, false}, {21, 100, nil, true},
		{200, 1000, nil, false}, {201, 1000, nil, true},
		{2, 1000, ptr[int32](0), true}, {2, 2, ptr[int32](99), true}, {99, 100, ptr[int32](99), false},
		{2, 2, ptr[int32](100), false}, {1000, 1000, ptr[int32](100), false},
	} {
		held := shareExceeded(batch{prune: v1alpha1.Prune{MaxPercent: c.percent}, missingCount: c.missing, totalCount: c.total, fresh: true})
		NewWithT(t).Expect(passes(held)).To(Equal(!c.holds), "%+v", c)
		if held.verdict != verdictAllow {
			NewWithT(t).Expect(held.verdict).To(Equal(verdictAsk))
			NewWithT(t).Expect(held.reason).To(Equal(v1alpha1.ReasonShareExceeded))
		}
	}
}

func TestScopeChangedHoldsWhatWasLastSeenOtherwise(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		moved   []bool
		percent *int32
		holds   bool
	}{
		{[]bool{false}, nil, false}, {[]bool{true}, nil, true}, {[]bool{false, true}, nil, true}, {[]bool{true}, ptr[int32](100), false},
	} {
		b := batch{prune: v1alpha1.Prune{MaxPercent: c.percent}, fresh: true}
		for _, moved := range c.moved {
			b.absentees = append(b.absentees, absentee{scopeMoved: moved})
		}
		held := scopeChanged(b)
		NewWithT(t).Expect(passes(held)).To(Equal(!c.holds), "%+v", c)
		if held.verdict != verdictAllow {
			NewWithT(t).Expect(held.verdict).To(Equal(verdictAsk))
			NewWithT(t).Expect(held.reason).To(Equal(v1alpha1.ReasonScopeChanged))
		}
	}
}

func TestNotFreshHoldsWhereThisSyncHasNoCompleteListing(t *testing.T) {
	t.Parallel()
	NewWithT(t).Expect(notFresh(batch{fresh: true}).verdict).To(Equal(verdictAllow))
	held := notFresh(batch{})
	NewWithT(t).Expect(held.verdict).To(Equal(verdictWait), "no person is asked")
}

// missed returns facts in which all rules, but for what their number says, allow
// to delete the first so many of ten clusters.
func missed(w *world, n int) Facts {
	for range 2 {
		w.list(clusters, true, records(ids(10)[n:])...)
	}
	return w.facts(clusters, Desire(SourceOwner(w.source), worldKinds, w.ledgers, w.ownedByKind())[clusters])
}

// without returns the chain without a rule, if it is one of its own.
func without[Rule any](chain []Rule, rule any) []Rule {
	return slices.DeleteFunc(slices.Clone(chain), func(r Rule) bool {
		return reflect.ValueOf(r).Pointer() == reflect.ValueOf(rule).Pointer()
	})
}

// Not parallel: it takes rules out of the chains.
func TestEveryRuleAloneKeepsAnObservation(t *testing.T) {
	whole := pruneChain
	defer func() { pruneChain = whole }()
	for name, c := range map[string]struct {
		hold func(w *world, f *Facts)
		rule any // of either chain
		held bool
	}{
		"retained":      {func(w *world, _ *Facts) { w.source.Spec.Prune.Policy = v1alpha1.PrunePolicyRetain }, retained, false},
		"unconfirmed":   {func(w *world, _ *Facts) { w.source.Spec.Prune.AfterMisses = ptr[int32](3) }, unconfirmed, false},
		"in grace":      {func(w *world, _ *Facts) { w.source.Spec.Prune.GracePeriod = seconds(3600) }, inGrace, false},
		"listing empty": {func(w *world, _ *Facts) { w.ledgers[clusters].lastEmpty = true }, listingEmpty, true},
		"share exceeded": {func(w *world, f *Facts) {
			*f = missed(w, 3)
		}, shareExceeded, true},
		"scope changed": {func(w *world, f *Facts) {
			w.sync(ids(10)...)
			w.scope = "another"
			*f = missed(w, 1)
		}, scopeChanged, true},
		"not fresh": {func(_ *world, f *Facts) { f.Fresh = false }, notFresh, false},
	} {
		t.Run(name, func(t *testing.T) {
			pruneChain = whole
			w := settled(t, ids(10)...)
			facts := missed(w, 1)
			w.Expect(namesOf(Make(facts).Deletes)).To(Equal([]string{"lkc-000"}), "no rule holds")
			c.hold(w, &facts)
			facts.Owner = SourceOwner(w.source)
			plan := Make(facts)
			w.Expect(plan.Deletes).To(BeEmpty())
			w.Expect(plan.Held != nil).To(Equal(c.held))

			pruneChain = chain{without(whole.each, c.rule), without(whole.batch, c.rule)}
			w.Expect(namesOf(Make(facts).Deletes)).To(ContainElement("lkc-000"), "without the rule it is deleted")
		})
	}
}

func TestAMissingObjectIsPrunedAfterItsMisses(t *testing.T) {
	t.Parallel()
	w := settled(t, ids(10)...)
	plan := w.sync(ids(9)...)
	w.Expect(plan.Deletes).To(BeEmpty())
	w.Expect(plan.Unconfirmed).To(BeTrue())
	plan = w.sync(ids(9)...)
	w.Expect(namesOf(plan.Deletes)).To(Equal([]string{"lkc-009"}))
	w.Expect(plan.Unconfirmed).To(BeFalse())
	w.Expect(plan.Writes).To(BeEmpty(), "what is deleted is not written before")
	w.Expect(plan.Held).To(BeNil())
	w.Expect(w.names(clusters)).To(Equal(ids(9)))
}

func TestWhatIsDeletedIsNotWrittenBefore(t *testing.T) {
	t.Parallel()
	w := settled(t, ids(10)...)
	w.source.Spec.Prune.AfterMisses = ptr[int32](1)
	plan := w.sync(ids(9)...) // It turns missing by the listing that deletes it.
	w.Expect(plan.Writes).To(BeEmpty())
	w.Expect(plan.Deletes).To(HaveLen(1))
}

func TestARestartKeepsWhatWasAlmostPruned(t *testing.T) {
	t.Parallel()
	w := settled(t, ids(10)...)
	for range 10 {
		w.restart()
		w.Expect(w.sync(ids(9)...).Deletes).To(BeEmpty(), "the first listing since the start")
		w.Expect(w.sync(ids(9)...).Deletes).To(BeEmpty(), "the first miss since the start")
	}
	w.Expect(w.sync(ids(9)...).Deletes).To(HaveLen(1))
}

func TestTheGracePeriodCountsFromTheFirstMiss(t *testing.T) {
	t.Parallel()
	w := settled(t, ids(10)...)
	w.source.Spec.Prune.AfterMisses, w.source.Spec.Prune.GracePeriod = ptr[int32](1), seconds(600)
	w.now = w.now.Add(10 * time.Minute)
	w.Expect(w.sync(ids(9)...).Deletes).To(BeEmpty(), "however long it was there")
	w.now = w.now.Add(9 * time.Minute)
	w.Expect(w.sync(ids(9)...).Deletes).To(BeEmpty())
	w.now = w.now.Add(time.Minute)
	w.Expect(w.sync(ids(9)...).Deletes).To(HaveLen(1))
}

func TestTheGracePeriodOutlivesARestart(t *testing.T) {
	t.Parallel()
	w := settled(t, ids(10)...)
	w.source.Spec.Prune.GracePeriod = seconds(3600)
	w.sync(ids(9)...)
	w.restart()
	for range 3 {
		w.Expect(w.sync(ids(9)...).Deletes).To(BeEmpty())
	}
	w.now = w.now.Add(time.Hour)
	w.Expect(w.sync(ids(9)...).Deletes).To(HaveLen(1))
}

func TestOnlyAConfirmationThatCanComeIsAskedForSoon(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		do   func(w *world) *Plan
		want bool
	}{
		"at a first miss":                      {func(w *world) *Plan { return w.sync(ids(9)...) }, true},
		"by the first listing since the start": {func(w *world) *Plan { w.restart(); return w.sync(ids(9)...) }, true},
		"not where all are there":              {func(w *world) *Plan { return w.sync(ids(10)...) }, false},
		"not once confirmed, in grace": {func(w *world) *Plan {
			w.source.Spec.Prune.GracePeriod = seconds(3600)
			w.sync(ids(9)...)
			return w.sync(ids(9)...)
		}, false},
		"not under Retain": {func(w *world) *Plan {
			w.source.Spec.Prune.Policy = v1alpha1.PrunePolicyRetain
			return w.sync(ids(9)...)
		}, false},
		"not once held": {func(w *world) *Plan { w.sync(); return w.sync() }, false},
		"not where the listing is not complete": {func(w *world) *Plan {
			w.sync(ids(9)...)
			w.list(clusters, false)
			return w.pass()[clusters]
		}, false},
		"not where the listing failed": {func(w *world) *Plan { w.sync(ids(9)...); return w.pass()[clusters] }, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := settled(t, ids(10)...)
			w.Expect(c.do(w).Unconfirmed).To(Equal(c.want))
		})
	}
}

// heldAfter lets all but the first n of ten clusters go missing until that is held.
func heldAfter(w *world, n int) *Held {
	w.sync(ids(n)...)
	plan := w.sync(ids(n)...)
	w.Expect(plan.Deletes).To(BeEmpty())
	w.Expect(plan.Held).NotTo(BeNil())
	return plan.Held
}

func approve(w *world, value string) {
	w.source.Annotations = pairs{v1alpha1.AnnotationApprovePrune: value}
}

func TestAHeldPruneSaysWhatIsHeldWhyAndTheWayOut(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		left         int
		reason, text string
	}{
		{0, "ListingEmpty", "KafkaCluster: the listing is empty although there are 10 observations; held: " + strings.Join(ids(10), ", ") + "; "},
		{7, "ShareExceeded", "KafkaCluster: 3 of 10 are missing, more than prune.maxPercent (20); held: lkc-007, lkc-008, lkc-009; "},
	} {
		w := settled(t, ids(10)...)
		held := heldAfter(w, c.left)
		w.Expect(held.Reason).To(Equal(c.reason))
		w.Expect(held.Objects).To(HaveLen(10 - c.left))
		w.Expect(held.Digest).To(MatchRegexp("^[0-9a-f]{12}$"))
		w.Expect(held.Message).To(Equal(c.text + "to delete them run: kubectl -n platform annotate --overwrite inventorysource/prod inventory.ccloud.dev/approvePrune=" + held.Digest))
		w.Expect(w.pass()[clusters].Held).To(Equal(held), "a repair between two syncs says the same")
	}
}

func TestAHeldPruneEndsWhenTheObjectsComeBack(t *testing.T) {
	t.Parallel()
	w := settled(t, ids(10)...)
	heldAfter(w, 0)
	plan := w.sync(ids(10)...)
	w.Expect(plan.Held).To(BeNil())
	w.Expect(plan.Writes).To(HaveLen(10))
	w.Expect(w.names(clusters)).To(Equal(ids(10)))
}

func TestOneMissingObjectIsNeverTooManyButAnEmptyListingIsHeld(t *testing.T) {
	t.Parallel()
	w := settled(t, ids(2)...)
	w.sync("lkc-000")
	w.Expect(w.sync("lkc-000").Deletes).To(HaveLen(1))
	w.sync()
	plan := w.sync()
	w.Expect(plan.Deletes).To(BeEmpty())
	w.Expect(plan.Held).To(HaveValue(HaveField("Reason", "ListingEmpty")))
}

func TestObjectsGoingOneByOneAreHeldAllTogether(t *testing.T) {
	t.Parallel()
	w := settled(t, ids(10)...)
	w.source.Spec.Prune.AfterMisses = ptr[int32](3)
	for left := 9; left > 5; left-- {
		plan := w.sync(ids(left)...)
		w.Expect(plan.Deletes).To(BeEmpty())
	}
	w.Expect(w.names(clusters)).To(Equal(ids(10)), "those not confirmed yet count for the share")
}

func TestAPruneIsApprovedByItsDigest(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		approval func(digest string) string
		deletes  int
	}{
		"as printed":                 {func(d string) string { return d }, 10},
		"among others, with spaces":  {func(d string) string { return "0123456789ab, " + d + " ,x" }, 10},
		"not by another":             {func(string) string { return "0123456789ab" }, 0},
		"not by a part of it":        {func(d string) string { return d[:11] }, 0},
		"not by more than it":        {func(d string) string { return d + "0" }, 0},
		"not by nothing":             {func(string) string { return "" }, 0},
		"not by true":                {func(string) string { return "true" }, 0},
		"not by it in other letters": {func(d string) string { return "X" + d[1:] }, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := settled(t, ids(10)...)
			held := heldAfter(w, 0)
			approve(w, c.approval(held.Digest))
			w.Expect(w.pass()[clusters].Deletes).To(BeEmpty(), "only a sync of its own deletes")
			plan := w.sync()
			w.Expect(plan.Deletes).To(HaveLen(c.deletes))
			w.Expect(plan.Held == nil).To(Equal(c.deletes > 0))
		})
	}
}

func TestAnApprovalIsForExactlyTheObjectsHeld(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		edit func(w *world)
		left int
	}{
		"not with one more":          {func(*world) {}, 6},
		"not with one less":          {func(*world) {}, 8},
		"not with one created again": {func(w *world) { w.cluster("lkc-009").UID = "new" }, 7},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := settled(t, ids(10)...)
			w.source.Spec.Prune.MaxPercent = ptr[int32](0)
			digest := heldAfter(w, 7).Digest
			c.edit(w)
			heldAfter(w, c.left)
			approve(w, digest)
			plan := w.sync(ids(c.left)...)
			w.Expect(plan.Deletes).To(BeEmpty())
			w.Expect(plan.Held.Digest).NotTo(Equal(digest))
		})
	}
}

func TestAnApprovalOverridesNoOtherRule(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(w *world){
		"not Retain":           func(w *world) { w.source.Spec.Prune.Policy = v1alpha1.PrunePolicyRetain },
		"not afterMisses":      func(w *world) { w.source.Spec.Prune.AfterMisses = ptr[int32](50) },
		"not the grace period": func(w *world) { w.source.Spec.Prune.GracePeriod = seconds(3600) },
		"not another scope":    func(w *world) { w.scope = "another" },
		"not a restart":        func(w *world) { w.restart() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := settled(t, ids(10)...)
			approve(w, heldAfter(w, 0).Digest)
			change(w)
			plan := w.sync()
			w.Expect(plan.Deletes).To(BeEmpty())
			w.Expect(plan.Held).To(BeNil(), "and no person is asked")
		})
	}
}

func TestDigestNamesExactlyTheObjectsAndWhenTheyWent(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	absent := func(name, uid string, since time.Time) absentee {
		o := stamped(newSource(), newCluster(name))
		o.SetName(name)
		o.SetUID(types.UID(uid))
		return absentee{object: o, since: since}
	}
	a, b := absent("a", "1", began), absent("b", "2", began)
	want := digestOf(occasionLines(KafkaCluster, []absentee{a, b}))
	g.Expect(want).To(MatchRegexp("^[0-9a-f]{12}$"))
	g.Expect(digestOf(occasionLines(KafkaCluster, []absentee{b, a}))).To(Equal(want), "in any order")
	seen := []string{want}
	for _, other := range [][]absentee{
		{a}, {b}, {}, {a, a}, {a, b, absent("c", "3", began)}, {a, absent("b", "3", began)},
		{absent("a", "2", began), absent("b", "1", began)}, {absent("a/1", "b/2", began)},
		{a, absent("b", "2", began.Add(time.Second))},
	} {
		d := digestOf(occasionLines(KafkaCluster, other))
		g.Expect(seen).NotTo(ContainElement(d))
		seen = append(seen, d)
	}
	g.Expect(digestOf(occasionLines(Peering, []absentee{a, b}))).NotTo(Equal(want), "of this kind")
}

func TestAnApprovalDoesNotOutliveItsOccasion(t *testing.T) {
	t.Parallel()
	w := settled(t, ids(10)...)
	approve(w, heldAfter(w, 5).Digest)
	w.sync(ids(10)...) // They come back, and the annotation stays.
	heldAfter(w, 5)
	w.Expect(w.sync(ids(5)...).Deletes).To(BeEmpty())
	w.Expect(w.names(clusters)).To(Equal(ids(10)))
}

func TestAnApprovedPruneStaysHeldUntilAListingSaysSoToo(t *testing.T) {
	t.Parallel()
	w := settled(t, ids(10)...)
	held := heldAfter(w, 5)
	approve(w, held.Digest)
	w.Expect(w.pass()[clusters].Held).To(Equal(held))
	w.Expect(w.sync(ids(5)...).Deletes).To(HaveLen(5))
}

func TestNamesListsTenAndCountsTheRest(t *testing.T) {
	t.Parallel()
	for n, want := range map[int]string{
		0: "", 1: "lkc-000", 2: "lkc-000, lkc-001", 10: strings.Join(ids(10), ", "),
		11: strings.Join(ids(10), ", ") + " and 1 more", 2000: strings.Join(ids(10), ", ") + " and 1990 more",
	} {
		NewWithT(t).Expect(Names(ids(n))).To(Equal(want), fmt.Sprint(n))
	}
}

func TestObservationsBeingDeletedCountOnNeitherSideOfTheShare(t *testing.T) {
	t.Parallel()
	w := settled(t, ids(10)...)
	approve(w, heldAfter(w, 5).Digest)
	plan := w.plan() // A stranger's finalizers keep the five that a person let go.
	w.Expect(plan[clusters].Held).NotTo(BeNil())
	for _, name := range ids(10)[5:] {
		o := w.cluster(name)
		o.DeletionTimestamp, o.Finalizers = &metav1.Time{Time: w.now}, []string{"theirs/finalizer"}
	}
	w.sync(ids(3)...)
	after := w.sync(ids(3)...)
	w.Expect(after.Deletes).To(BeEmpty(), "two of the five that are left is 40 %")
	w.Expect(after.Held).To(HaveValue(And(HaveField("Reason", "ShareExceeded"), HaveField("Objects", HaveLen(2)))))
	w.Expect(after.Held.Message).To(ContainSubstring("2 of 5 are missing"))
}

func TestAnApprovalHoldsForWhatItNamedUntilThatIsDone(t *testing.T) {
	t.Parallel()
	// partly carries out a prune, of which so many deletes meet a conflict.
	partly := func(w *world, refused int) {
		plan := w.sync(ids(5)...)
		w.Expect(plan.Deletes).To(HaveLen(5))
		for i, o := range plan.Deletes[:refused] {
			w.objects[clusters][o.GetName()] = o
			w.approvals[clusters].leftLines[o.GetUID()] = absentee{object: o, since: plan.approvedSince(i)}.line(KafkaCluster)
		}
	}
	for name, c := range map[string]struct {
		then    func(w *world)
		left    int
		deletes int
	}{
		"the rest is deleted":                       {func(*world) {}, 5, 2},
		"not with one more":                         {func(*world) {}, 4, 0},
		"not once the annotation is taken off":      {func(w *world) { w.source.Annotations = nil }, 5, 0},
		"not after a restart, which remembers none": {func(w *world) { w.restart() }, 5, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := settled(t, ids(10)...)
			w.source.Spec.Prune.MaxPercent = ptr[int32](0)
			approve(w, heldAfter(w, 5).Digest)
			partly(w, 2)
			c.then(w)
			w.source.Spec.Prune.AfterMisses = ptr[int32](1)
			plan := w.sync(ids(c.left)...)
			w.Expect(plan.Deletes).To(HaveLen(c.deletes))
		})
	}
}

// approvedSince returns since when the i-th of the deleted was missing.
func (p *Plan) approvedSince(i int) time.Time {
	return p.View.ledger.sinceOf(p.Deletes[i].GetName())
}

func TestNothingIsDecidedBeforeItIsConfirmed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Expect(w.pass()[clusters].Undecided).To(BeTrue(), "before the first listing")
	w.Expect(w.sync(ids(10)...).Undecided).To(BeFalse())
	w.Expect(w.sync(ids(5)...).Undecided).To(BeTrue(), "while absences are unconfirmed")
	w.Expect(w.pass()[clusters].Undecided).To(BeTrue(), "between two syncs too")
	w.Expect(w.sync(ids(5)...)).To(And(HaveField("Undecided", false), HaveField("Held", Not(BeNil()))))
	w.Expect(w.sync(ids(10)...)).To(And(HaveField("Undecided", false), HaveField("Held", BeNil())))
}

func TestNamesListsNoMoreThanAMessageHolds(t *testing.T) {
	t.Parallel()
	long := make([]string, 10)
	for i := range long {
		long[i] = strings.Repeat("x", 253)
	}
	NewWithT(t).Expect(Names(long)).To(Equal(long[0] + ", " + long[1] + " and 8 more"))
}
