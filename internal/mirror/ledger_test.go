// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"fmt"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
)

// recorded plays listings and returns the ledger after them. A listing is the IDs
// it holds, separated by spaces. "~" in front makes it incomplete, "B:" one under
// another scope, "!" the manager's restart. Every object has an observation, but
// for those in gone.
func recorded(gone string, listings ...string) *Ledger {
	return played(nil, gone, listings)
}

// played is recorded, from a ledger on.
func played(l *Ledger, gone string, listings []string) *Ledger {
	w := &world{source: newSource()}
	for i, text := range listings {
		if text == "!" {
			l = NewLedger(l.Scope())
			continue
		}
		text, incomplete := strings.CutPrefix(text, "~")
		text, other := strings.CutPrefix(text, "B:")
		listing := Sighting{Complete: !incomplete, Scope: "A", End: began.Add(time.Duration(i) * time.Minute)}
		if other {
			listing.Scope = "B"
		}
		for _, r := range records(strings.Fields(text)) {
			listing.Objects = append(listing.Objects, stamped(w.source, r))
		}
		l = l.Record(KafkaCluster, SourceOwner(newSource()), listing, there(gone, listings))
	}
	return l
}

// there returns an observation of x and of each object in listings, but for gone.
func there(gone string, listings []string) []Object {
	source := newSource()
	existing := []Object{stamped(source, newCluster("x"))}
	for _, id := range strings.FieldsFunc(strings.Join(listings, " "), func(r rune) bool { return strings.ContainsRune(" ~!B:", r) }) {
		if id != gone && id != "x" {
			existing = append(existing, stamped(source, newCluster(id)))
		}
	}
	return existing
}

func TestTheScopeToRememberIsTheOneThatAllObjectsWereLastSeenUnder(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		former   string
		listings []string
		want     string
	}{
		"that of the only listing":                   {"", []string{"x"}, "A"},
		"that of the last complete listing":          {"", []string{"x", "B:x"}, "B"},
		"that of an incomplete listing":              {"", []string{"~x"}, "A"},
		"the former while all of it is away":         {"", []string{"x", "B:"}, "A"},
		"the earlier process's while all is away":    {"A", []string{"B:", "B:"}, "A"},
		"not the earlier process's once all is seen": {"A", []string{"B:x"}, "B"},
		"none of two":                      {"", []string{"x y", "B:y"}, severalScopes},
		"none of several":                  {"0", []string{"y", "B:z"}, severalScopes},
		"none of two, after a restart too": {"", []string{"x y", "B:y", "!", "B:y"}, severalScopes},
		"the only one left of several":     {"", []string{"x y", "B:y", "!", "B:x y"}, "B"},
		"none if it is not known of one":   {"", []string{"y"}, severalScopes},
		"none if it is not known of any":   {"", []string{""}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := NewWithT(t)
			l := played(NewLedger(c.former), "", c.listings)
			g.Expect(l.Scope()).To(Equal(c.want))
		})
	}
}

func TestAnObservationThatSomeoneMadeOfNothingIsPruned(t *testing.T) {
	t.Parallel()
	for _, restarted := range []bool{false, true} {
		w := settled(t, ids(10)...)
		if restarted {
			w.restart()
			w.sync(ids(10)...)
		}
		clusterScene{w}.put("lkc-x")
		w.sync(ids(10)...)
		w.sync(ids(10)...)
		w.Expect(w.sync(ids(10)...).Deletes).To(HaveLen(1))
	}
}

func TestMissesAreCounted(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		listings []string
		misses   int // of x
	}{
		"not the first listing since the start":              {[]string{""}, 0},
		"from the second listing on":                         {[]string{"", ""}, 1},
		"each one":                                           {[]string{"", "", "", ""}, 3},
		"each one since it was seen":                         {[]string{"", "", "x", "", ""}, 2},
		"since it was first seen":                            {[]string{"x", "", ""}, 2},
		"not while it is there":                              {[]string{"", "", "x"}, 0},
		"not in incomplete listings":                         {[]string{"x", "~", "~", ""}, 1},
		"not in incomplete listings between":                 {[]string{"x", "", "~", "~", ""}, 2},
		"not in incomplete listings only":                    {[]string{"~x", "~", "~"}, 0},
		"not in the first complete after incomplete ones":    {[]string{"~", "~", ""}, 0},
		"again once seen in an incomplete listing":           {[]string{"x", "", "", "~x", ""}, 1},
		"not those before an incomplete listing that has it": {[]string{"x", "", "", "~x"}, 0},
		"again since seen in the last incomplete listing":    {[]string{"x", "", "~x y", "~y", ""}, 1},
		"not those before a restart":                         {[]string{"x", "", "", "!", ""}, 0},
		"again after a restart":                              {[]string{"x", "", "", "!", "", ""}, 1},
		"not those under another scope":                      {[]string{"x", "", "", "B:"}, 1},
		"not those under a former scope that came back":      {[]string{"x", "", "B:", ""}, 1},
		"each one under the new scope":                       {[]string{"x", "", "B:", "B:", "B:"}, 3},
		"with a scope of an incomplete listing left out":     {[]string{"x", "", "~B:", ""}, 2},
		"with the scope of the first listing":                {[]string{"B:x", "", ""}, 2},
		"since seen under the other scope":                   {[]string{"", "B:x", "B:"}, 1},
		"since seen incompletely under the other scope":      {[]string{"x", "", "~B:x", "B:", "B:"}, 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := recorded("", c.listings...)
			last := c.listings[len(c.listings)-1]
			NewWithT(t).Expect(l.missCount("x")).To(Equal(c.misses))
			if c.misses > 0 {
				NewWithT(t).Expect((l.sightOf("x") == sightMissing)).To(BeTrue())
			}
			if strings.Contains(last, "x") {
				NewWithT(t).Expect((l.sightOf("x") == sightMissing)).To(BeFalse())
			}
		})
	}
}

func TestAnObjectIsMissingFromTheLastCompleteListingOnly(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		listings []string
		missing  bool // is x
	}{
		"not before any listing":                        {nil, false},
		"not by an incomplete listing":                  {[]string{"~"}, false},
		"not by an incomplete listing later":            {[]string{"x", "~"}, false},
		"by the first complete listing":                 {[]string{""}, true},
		"by the first complete listing after a restart": {[]string{"x", "!", ""}, true},
		"not while listed":                              {[]string{"", "x"}, false},
		"not once seen in an incomplete listing":        {[]string{"x", "", "~x"}, false},
		"not once seen, though not in the last one":     {[]string{"x", "", "~x", "~"}, false},
		"by the next complete listing":                  {[]string{"x", "", "~x", ""}, true},
		"still, after an incomplete listing without it": {[]string{"x", "", "~"}, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			gone := recorded("", c.listings...).sightOf("x") == sightMissing
			NewWithT(t).Expect(gone).To(Equal(c.missing))
		})
	}
}

func TestAnObjectIsRemembered(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		listings   []string
		remembered bool // is gone, which has no observation
	}{
		"while listed": {[]string{"gone"}, true},
		"while an incomplete listing may have left it out":      {[]string{"gone", "~"}, true},
		"not once a complete listing lacks it":                  {[]string{"gone", ""}, false},
		"not after a complete listing, incomplete ones between": {[]string{"gone", "~", ""}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := NewWithT(t)
			entries := recorded("gone", c.listings...).entries
			_, remembered := entries["gone"]
			g.Expect(remembered).To(Equal(c.remembered))
			_, there := recorded("", c.listings...).entries["gone"]
			g.Expect(there).To(BeTrue(), "with an observation it is never forgotten")
		})
	}
}

func TestAMissingObjectIsForgottenWithItsObservation(t *testing.T) {
	t.Parallel()
	for _, next := range []string{"", "~", "other"} {
		l := recorded("", "x", "")
		NewWithT(t).Expect(l.entries).To(HaveKey("x"))
		l = l.Record(KafkaCluster, SourceOwner(newSource()), Sighting{Complete: !strings.HasPrefix(next, "~"), Scope: "A"}, nil)
		NewWithT(t).Expect(l.entries).To(BeEmpty(), next)
	}
}

func TestMissesOfAnObservationSomeoneElseMadeCountFromWhenItIsFound(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	l := recorded("", "x", "x", "x", "x")
	whole := Sighting{Complete: true, Scope: "A", End: began.Add(time.Hour)}
	l = l.Record(KafkaCluster, SourceOwner(newSource()), whole, there("", []string{"x z"}))
	g.Expect(l.missCount("x")).To(Equal(1))
	g.Expect(l.missCount("z")).To(BeZero())
	g.Expect((l.sightOf("z") == sightMissing)).To(BeTrue())
	l = l.Record(KafkaCluster, SourceOwner(newSource()), whole, there("", []string{"x z"}))
	g.Expect(l.missCount("z")).To(Equal(1))
}

func TestTheScopeAnObjectWasLastSeenUnder(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		listings []string
		moved    bool // did x
	}{
		"never seen":                      {[]string{"", ""}, true},
		"seen under the same":             {[]string{"x", "", ""}, false},
		"seen under another":              {[]string{"x", "B:"}, true},
		"seen under both":                 {[]string{"x", "B:x", "B:"}, false},
		"back to the former":              {[]string{"x", "B:", ""}, false},
		"another by an incomplete":        {[]string{"x", "~B:"}, false},
		"seen in an incomplete":           {[]string{"x", "~B:x", "B:"}, false},
		"another before a restart":        {[]string{"x", "!", "B:"}, true},
		"the same before a restart":       {[]string{"x", "!", ""}, false},
		"back to one of two":              {[]string{"x", "B:y", "!", ""}, true},
		"seen under another, long before": {[]string{"x", "B:", "B:", "B:"}, true},
	} {
		NewWithT(t).Expect(recorded("", c.listings...).scopeMoved("x")).To(Equal(c.moved), name)
	}
}

func TestTheLedgerKnowsTheLastCompleteListing(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		listings  []string
		completed time.Duration // since began, -1 for never
		empty     bool
	}{
		"none":                            {nil, -1, false},
		"incomplete ones only":            {[]string{"~"}, -1, false},
		"a complete one":                  {[]string{"x"}, 0, false},
		"a complete, empty one":           {[]string{""}, 0, true},
		"an incomplete one changes none":  {[]string{"x", "~", "~x"}, 0, false},
		"an incomplete one, empty or not": {[]string{"", "~x"}, 0, true},
		"the last one counts":             {[]string{"x", "", "y"}, 2 * time.Minute, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := NewWithT(t)
			l := recorded("", c.listings...)
			if c.completed < 0 {
				g.Expect(l.Completed().IsZero()).To(BeTrue())
				return
			}
			g.Expect(l.Completed()).To(Equal(began.Add(c.completed)))
			g.Expect(l.lastEmpty).To(Equal(c.empty))
		})
	}
}

func TestRecordingChangesNoLedgerThatIsRead(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	l := recorded("", "x y", "y")
	x, y := l.entries["x"], l.entries["y"]
	l.Record(KafkaCluster, SourceOwner(newSource()), Sighting{Complete: true, Scope: "B", End: began.Add(time.Hour)}, there("", []string{"x y"}))
	g.Expect(l.entries).To(HaveLen(2))
	g.Expect(l.entries["x"]).To(Equal(x))
	g.Expect(l.entries["y"]).To(Equal(y))
	g.Expect(l.missCount("x")).To(Equal(1))
	g.Expect(l.Completed()).To(Equal(began.Add(time.Minute)))
}

func TestAnObjectThatComesTwiceIsTakenOnceTheLastOne(t *testing.T) {
	t.Parallel()
	first, last := newCluster("x"), newCluster("x")
	first.Status.Phase, last.Status.Phase = "PROVISIONING", "FAILED"
	w := newWorld(t)
	w.list(clusters, true, first, last)
	w.Expect(w.pass()[clusters].Writes).To(HaveLen(1))
	w.Expect(w.cluster("x").Status.Phase).To(Equal("FAILED"))
}

// forge makes an observation claim that its object is missing since a time.
func (w *world) forge(name string, since time.Time) {
	for i, c := range w.cluster(name).Status.Conditions {
		if c.Type == v1alpha1.ConditionObserved {
			w.cluster(name).Status.Conditions[i].Status = metav1.ConditionFalse
			w.cluster(name).Status.Conditions[i].LastTransitionTime.Time = since
		}
	}
}

// claim returns since when an observation says that its object is missing.
func (w *world) claim(name string) time.Time {
	return meta.FindStatusCondition(w.cluster(name).Status.Conditions, v1alpha1.ConditionObserved).LastTransitionTime.Time
}

func TestATimeReadFromAnObservationIsAClaim(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	for name, c := range map[string]struct {
		forged  time.Duration // from when it went missing
		early   bool          // forged while it was still listed
		restart bool
		grace   time.Duration
		wait    time.Duration // from when it went missing until it is deleted
	}{
		"nor does one forged before it went missing":             {forged: -2 * day, early: true, grace: day, wait: day},
		"an earlier one shortens no grace period":                {forged: -2 * day, grace: day, wait: day},
		"nor does one before the observation was created":        {forged: -1000 * day, grace: day, wait: day},
		"a later one lengthens none":                             {forged: day, grace: day, wait: day},
		"one to come counts as now after a restart":              {forged: 12 * day, restart: true, grace: 0, wait: 0},
		"one to come keeps nothing longer than its grace period": {forged: 12 * day, restart: true, grace: day, wait: day},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := settled(t, ids(10)...)
			w.source.Spec.Prune.GracePeriod = &metav1.Duration{Duration: c.grace}
			if c.early {
				w.forge("lkc-009", w.now.Add(c.forged))
			}
			w.sync(ids(9)...)
			went := w.now
			if !c.early {
				w.forge("lkc-009", went.Add(c.forged))
			}
			if c.restart {
				w.restart()
			}
			w.pass() // A repair between two syncs puts the time back.
			for range 3 {
				if c.wait > 0 {
					w.Expect(w.sync(ids(9)...).Deletes).To(BeEmpty())
					w.Expect(w.claim("lkc-009")).NotTo(BeTemporally(">", w.now))
				}
			}
			w.now = went.Add(c.wait + time.Minute)
			var deleted int
			for range 3 {
				deleted += len(w.sync(ids(9)...).Deletes)
			}
			w.Expect(deleted).To(Equal(1))
		})
	}
}

func TestAnAbsenceThatEndedBeforeTheStatusWasWrittenCountsForNothing(t *testing.T) {
	t.Parallel()
	w := settled(t, ids(10)...)
	w.sync(ids(9)...)
	w.now = w.now.Add(time.Hour)
	w.list(clusters, true, records(ids(10))...)
	w.now = w.now.Add(time.Hour)
	w.sync(ids(9)...)
	w.Expect(w.claim("lkc-009")).To(BeTemporally("~", w.now, time.Second))
}

func TestAnAbsenceThatEndedIsNotResumedFromAnOldStatus(t *testing.T) {
	t.Parallel()
	w := settled(t, ids(10)...)
	w.source.Spec.Prune.GracePeriod = seconds(3600)
	w.sync(ids(9)...)
	old := w.source
	w.now = w.now.Add(2 * time.Hour)
	w.list(clusters, true, records(ids(10))...)
	w.pass()
	w.source = old // The manager ended before it wrote the status.
	w.restart()
	for range 4 {
		w.Expect(w.sync(ids(9)...).Deletes).To(BeEmpty())
	}
}

// The status says it before the observation does: see Kind.EndAbsences.
func TestWhatAListingHasIsNotMissingInTheStatus(t *testing.T) {
	t.Parallel()
	for name, complete := range map[string]bool{"a complete listing": true, "an incomplete listing": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := settled(t, ids(10)...)
			w.sync(ids(8)...)
			summary := w.source.Status.KafkaClusters
			w.Expect(summary.MissingObjects).To(HaveLen(2))
			w.restart()
			w.list(clusters, complete, records(ids(9))...)
			KafkaCluster.EndAbsences(w.source, w.ledgers[clusters])
			w.Expect(summary.MissingObjects).To(ConsistOf(HaveField("Name", "lkc-009")))
			w.Expect(summary.Missing).To(BeEquivalentTo(1))
		})
	}
}

// The cache can show an old status: see Ledger.notBefore.
func TestAStatusThatIsOldGetsNoEarlierAbsenceBack(t *testing.T) {
	t.Parallel()
	w := settled(t, ids(10)...)
	w.sync(ids(9)...)
	missing := w.source.Status.KafkaClusters.MissingObjects
	w.Expect(missing).To(HaveLen(1))
	began := missing[0].Since
	for _, shown := range []time.Duration{-time.Hour, 0, time.Hour} {
		missing[0].Since = metav1.NewTime(began.Add(shown))
		KafkaCluster.EndAbsences(w.source, w.ledgers[clusters])
		w.Expect(missing[0].Since.Time).To(BeTemporally("==", began.Add(max(shown, 0))), "%s", shown)
	}

	o := discovered(t, "env-a", "env-b")
	o.look(environment{"env-a", ""})
	entry := &o.discovery.Status.Sources[1]
	w.Expect(entry.MissingSince).NotTo(BeNil())
	began = *entry.MissingSince
	for _, shown := range []time.Duration{-time.Hour, 0, time.Hour} {
		entry.MissingSince = &metav1.Time{Time: began.Add(shown)}
		Environment.EndAbsences(o.discovery, o.ledger)
		w.Expect(entry.MissingSince.Time).To(BeTemporally("==", began.Add(max(shown, 0))), "%s", shown)
	}
	entry.MissingSince = nil
	Environment.EndAbsences(o.discovery, o.ledger)
	w.Expect(entry.MissingSince).To(BeNil())
}

func TestWithoutAStatusNoObservationIsBelieved(t *testing.T) {
	t.Parallel()
	w := settled(t, ids(10)...)
	w.source.Spec.Prune.GracePeriod, w.source.Spec.Prune.MaxPercent = seconds(3600), new(int32(100))
	w.restart()
	w.source.Status = v1alpha1.InventorySourceStatus{}
	clear(w.scopes)
	w.now = w.now.Add(48 * time.Hour)
	w.forge("lkc-009", w.now.Add(-47*time.Hour))
	for range 4 {
		w.now = w.now.Add(10 * time.Second)
		w.Expect(w.sync(ids(9)...).Deletes).To(BeEmpty())
	}
}

func TestAnObservationOlderThanItsSourceIsHeldThoughItShowsUpLate(t *testing.T) {
	t.Parallel()
	w := settled(t, ids(10)...)
	late := w.objects[clusters]["lkc-009"]
	delete(w.objects[clusters], "lkc-009")
	w.restart()
	w.source = w.source.DeepCopy()
	w.source.UID, w.source.CreationTimestamp, w.source.Status = "made-again", metav1.NewTime(w.now.Add(time.Minute)), v1alpha1.InventorySourceStatus{}
	w.now = w.now.Add(2 * time.Minute)
	for _, o := range w.objects[clusters] {
		o.SetOwnerReferences(nil)
	}
	clear(w.scopes)
	w.scope = "another"
	w.sync(ids(9)...)
	late.SetOwnerReferences(nil)
	w.objects[clusters]["lkc-009"] = late
	for range 3 {
		w.Expect(w.sync(ids(9)...).Deletes).To(BeEmpty())
	}
	w.Expect(w.sync(ids(9)...).Held).To(HaveValue(HaveField("Reason", v1alpha1.ReasonScopeChanged)))
}

func TestWhatIsHeldStaysHeldThoughItIsNotTheSourcesForAListing(t *testing.T) {
	t.Parallel()
	for how, between := range map[string]func(w *world, o v1alpha1.Observation){
		"deleted and applied again":         func(w *world, _ v1alpha1.Observation) { delete(w.objects[clusters], "lkc-009") },
		"another's controller for a moment": func(_ *world, o v1alpha1.Observation) { seize(o, "another") },
	} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			w := settled(t, ids(10)...)
			w.scope = "another"
			w.sync(ids(9)...)
			w.sync(ids(9)...)
			w.Expect(w.sync(ids(9)...).Held).To(HaveValue(HaveField("Reason", v1alpha1.ReasonScopeChanged)))
			o := w.reread(clusters, "lkc-009")
			between(w, o)
			w.Expect(w.sync(ids(9)...).Deletes).To(BeEmpty())
			o = o.DeepCopyObject().(v1alpha1.Observation)
			o.SetOwnerReferences(nil)
			w.objects[clusters]["lkc-009"] = o
			for range 4 {
				w.Expect(w.sync(ids(9)...).Deletes).To(BeEmpty(), "it was last seen with another key")
			}
		})
	}
}

func TestAnAbsenceForWhichTheStatusHasNoRoomOutlivesARestart(t *testing.T) {
	t.Parallel()
	w := settled(t, ids(MaxJoined+5)...)
	w.source.Spec.Prune.Policy = v1alpha1.PrunePolicyRetain
	plan := w.sync(ids(1)...)
	w.Expect(plan.Summary.Missing).To(BeEquivalentTo(MaxJoined + 4))
	w.Expect(plan.Summary.MissingObjects).To(HaveLen(MaxJoined))
	w.now = w.now.Add(time.Hour)
	w.sync(ids(1)...)
	w.restart()
	w.Expect(w.sync(ids(1)...).Writes).To(BeEmpty())
}

func TestAForgedTimeIsPutBack(t *testing.T) {
	t.Parallel()
	w := settled(t, ids(10)...)
	w.source.Spec.Prune.Policy = v1alpha1.PrunePolicyRetain
	w.sync(ids(9)...)
	truth := w.claim("lkc-009")
	w.forge("lkc-009", truth.Add(-48*time.Hour))
	w.Expect(w.pass()[clusters].Writes).To(HaveLen(1))
	w.Expect(w.claim("lkc-009")).To(Equal(truth))
	w.Expect(w.pass()[clusters].Writes).To(BeEmpty())
}

func TestAnObjectIsMissingNoLongerThanItsObservationExists(t *testing.T) {
	t.Parallel()
	w := settled(t, ids(10)...)
	w.sync(ids(9)...)
	w.restart()
	w.now = w.now.Add(48 * time.Hour)
	w.cluster("lkc-009").CreationTimestamp = metav1.NewTime(w.now.Add(-time.Minute)) // Restored, while the manager was away.
	w.source.Spec.Prune.GracePeriod = seconds(3600)
	for range 3 {
		w.Expect(w.sync(ids(9)...).Deletes).To(BeEmpty())
	}
}

func TestATimeThatIsBeforeTheObjectsByTheClocksAloneIsNotWrittenAgain(t *testing.T) {
	t.Parallel()
	w := settled(t, ids(10)...)
	w.sync(ids(9)...)
	since := w.claim("lkc-009")
	w.cluster("lkc-009").CreationTimestamp = metav1.NewTime(since.Add(3 * time.Second)) // The API server's clock.
	w.restart()
	w.now = w.now.Add(time.Minute)
	w.sync(ids(9)...)
	w.Expect(w.claim("lkc-009")).To(Equal(since))
}

func TestAClockSetBackLengthensNoGracePeriod(t *testing.T) {
	t.Parallel()
	w := settled(t, ids(10)...)
	w.source.Spec.Prune.GracePeriod = seconds(60)
	w.sync(ids(9)...)
	w.now = w.now.Add(-24 * time.Hour)
	w.sync(ids(9)...)
	w.now = w.now.Add(2 * time.Minute)
	w.Expect(w.sync(ids(9)...).Deletes).To(HaveLen(1))
}

func TestOfTwoIDsWithOneNameTheNameItselfWins(t *testing.T) {
	t.Parallel()
	odd := "LKC_1"
	name := ObjectName(odd)
	for _, order := range [][]string{{odd, name}, {name, odd}} {
		w := newWorld(t)
		for range 3 {
			plan := w.sync(order...)
			w.Expect(plan.Clashes).To(Equal([]Clash{{ID: odd, Name: name, Owner: name}}), "the other is told of")
			w.Expect(w.cluster(name).Spec.ClusterID).To(Equal(name))
		}
		w.Expect(w.sync(name).Clashes).To(BeEmpty())
	}
	w := settled(t, odd)
	plan := w.sync(odd, name)
	w.Expect(plan.Conflicts).To(Equal([]Conflict{{Name: name, ID: odd, Own: true}}), "no observation is deleted for another's sake")
	w.Expect(plan.View.Awaits(name)).To(BeTrue())
	delete(w.objects[clusters], name)
	w.pass()
	w.Expect(w.cluster(name).Spec.ClusterID).To(Equal(name))
}

func TestIncompleteListingsThatEachTellOfOthersAddNoMoreThanFits(t *testing.T) {
	t.Parallel()
	w := settled(t, ids(10)...)
	withheld := 0
	for round := range 40 {
		var listed []any
		for i := range 60 {
			listed = append(listed, newCluster(fmt.Sprintf("lkc-%d-%d", round, i)))
		}
		w.list(clusters, false, listed...)
		withheld += w.pass()[clusters].Withheld
		w.Expect(len(w.objects[clusters])).To(BeNumerically("<=", roomFor(60)))
		w.Expect(len(w.ledgers[clusters].entries)).To(BeNumerically("<=", 2*roomFor(60)))
	}
	w.Expect(withheld).NotTo(BeZero(), "and says so")

	first := newWorld(t)
	var all []any
	for _, id := range ids(900) {
		all = append(all, newCluster(id))
	}
	first.list(clusters, false, all...)
	plan := first.pass()[clusters]
	first.Expect(first.names(clusters)).To(HaveLen(900), "one incomplete listing adds all that it tells of")
	first.Expect(plan.Withheld).To(BeZero())
}
