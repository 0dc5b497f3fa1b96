// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
)

// mirrored is an owner and the objects of one of its kinds: a source and its clusters, or a
// discovery and its sources. What follows holds for both.
type mirrored interface {
	// sync lists what has these IDs completely, part does incompletely; pass lists nothing.
	// Each carries out the plan, which it returns.
	sync(ids ...string) *Plan
	part(ids ...string) *Plan
	pass() *Plan
	restart()
	// prune edits the owner's spec.prune.
	prune(edit func(*v1alpha1.Prune))
	approve(digest string)
	wait(time.Duration)
	rescope(string)
	clock() time.Time
	names() []string
	// edit returns an object to edit.
	edit(name string) Object
	// put has an object appear that the owner would make of a cloud object, and returns it.
	put(id string) Object
	drop(name string)
	// refuse has the API server refuse to delete these, and no others.
	refuse(names ...string)
	// forge makes an object claim that it has been missing since, as a person who may edit it can.
	forge(name string, since time.Time)
	// since returns since when an object says that it is missing; zero if it does not.
	since(name string) time.Time
	view() (*Kind, Owner)
}

// scene is a mirrored kind in a test.
type scene struct {
	*WithT
	mirrored
	kind  *Kind
	owner Owner
}

type clusterScene struct{ *world }

func (s clusterScene) part(ids ...string) *Plan {
	s.list(clusters, false, records(ids)...)
	return s.pass()
}
func (s clusterScene) pass() *Plan                      { return s.world.pass()[clusters] }
func (s clusterScene) prune(edit func(*v1alpha1.Prune)) { edit(&s.source.Spec.Prune) }
func (s clusterScene) approve(digest string)            { approve(s.world, digest) }
func (s clusterScene) wait(d time.Duration)             { s.now = s.now.Add(d) }
func (s clusterScene) rescope(scope string)             { s.scope = scope }
func (s clusterScene) clock() time.Time                 { return s.now }
func (s clusterScene) names() []string                  { return s.world.names(clusters) }
func (s clusterScene) edit(name string) Object          { return s.reread(clusters, name) }
func (s clusterScene) drop(name string)                 { delete(s.objects[clusters], name) }
func (s clusterScene) refuse(names ...string)           { s.refused = names }
func (s clusterScene) view() (*Kind, Owner)             { return KafkaCluster, SourceOwner(s.source) }
func (s clusterScene) put(id string) Object {
	o := stored(s.stamp(id))
	s.objects[clusters][o.GetName()] = o
	return o
}

func (s clusterScene) since(name string) time.Time {
	return missingCondition(s.cluster(name).Status.Conditions)
}

type environmentScene struct{ *org }

func (s environmentScene) sync(ids ...string) *Plan { return s.list(true, ids...) }
func (s environmentScene) part(ids ...string) *Plan { return s.list(false, ids...) }
func (s environmentScene) prune(edit func(*v1alpha1.Prune)) {
	prune := v1alpha1.Prune(s.discovery.Spec.Prune)
	edit(&prune)
	s.discovery.Spec.Prune = v1alpha1.SourcePrune(prune)
}

func (s environmentScene) approve(digest string) {
	s.discovery.Annotations = pairs{v1alpha1.AnnotationApprovePrune: digest}
}
func (s environmentScene) wait(d time.Duration)    { s.now = s.now.Add(d) }
func (s environmentScene) rescope(scope string)    { s.scope = scope }
func (s environmentScene) clock() time.Time        { return s.now }
func (s environmentScene) edit(name string) Object { return s.reread(name) }
func (s environmentScene) drop(name string)        { delete(s.sources, name) }
func (s environmentScene) refuse(n ...string)      { s.refused = n }
func (s environmentScene) view() (*Kind, Owner)    { return Environment, s.owner() }
func (s environmentScene) put(id string) Object {
	source := NewSource(s.discovery, id, "name of "+id)
	s.sources[source.Name] = source
	return source
}

func (s environmentScene) forge(name string, since time.Time) {
	s.annotate(name, v1alpha1.AnnotationMissingSince, since.Format(time.RFC3339))
}

func (s environmentScene) since(name string) time.Time {
	since, err := time.Parse(time.RFC3339, s.sources[name].Annotations[v1alpha1.AnnotationMissingSince])
	if err != nil {
		return time.Time{}
	}
	return since
}

// both runs a test for either owner, after a first listing of ten.
func both(t *testing.T, test func(t *testing.T, s scene)) {
	t.Helper()
	for name, make := range map[string]func(t *testing.T) scene{
		"clusters of a source": func(t *testing.T) scene {
			w := newWorld(t)
			return scene{w.WithT, clusterScene{w}, KafkaCluster, SourceOwner(w.source)}
		},
		"environments of a discovery": func(t *testing.T) scene {
			o := newOrg(t)
			o.discovery.Spec.Prune.Policy = v1alpha1.PrunePolicyDelete
			return scene{o.WithT, environmentScene{o}, Environment, o.owner()}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := make(t)
			s.sync(ids(10)...)
			s.Expect(s.names()).To(Equal(ids(10)))
			test(t, s)
		})
	}
}

// held lets all but the first n of ten go missing until that is held.
func (s scene) held(n int) *Held {
	s.sync(ids(n)...)
	plan := s.sync(ids(n)...)
	s.Expect(plan.Deletes).To(BeEmpty())
	s.Expect(plan.Held).NotTo(BeNil())
	return plan.Held
}

// situations are those that the prune chain, its approvals, restarts, incomplete listings, times
// and conflicts bring about.
var situations = map[string]func(s scene){
	"what is missing goes after its misses": func(s scene) {
		plan := s.sync(ids(9)...)
		s.Expect(plan.Deletes).To(BeEmpty())
		s.Expect(plan.Unconfirmed).To(BeTrue())
		s.Expect(plan.Summary).To(And(HaveField("Observed", int32(9)), HaveField("Missing", int32(1))))
		plan = s.sync(ids(9)...)
		s.Expect(namesOf(plan.Deletes)).To(Equal([]string{"lkc-009"}))
		s.Expect(plan.Unconfirmed).To(BeFalse())
		s.Expect(plan.Writes).To(BeEmpty(), "what is deleted is not written before")
		s.Expect(plan.Held).To(BeNil())
		s.Expect(plan.Summary).To(And(HaveField("Observed", int32(9)), HaveField("Missing", int32(0))))
		s.Expect(s.names()).To(Equal(ids(9)))
	},
	"Retain keeps it forever": func(s scene) {
		s.prune(func(p *v1alpha1.Prune) { p.Policy = v1alpha1.PrunePolicyRetain })
		for range 5 {
			plan := s.sync(ids(9)...)
			s.Expect(plan.Deletes).To(BeEmpty())
			s.Expect(plan.Undecided || plan.Unconfirmed).To(BeFalse(), "and nothing is awaited")
		}
	},
	"an unchanged listing writes nothing, nor does a restart": func(s scene) {
		for range 3 {
			plan := s.sync(ids(10)...)
			s.Expect(plan.Writes).To(BeEmpty())
			s.Expect(plan.Unchanged).To(Equal(10))
		}
		s.restart()
		s.Expect(s.pass().Writes).To(BeEmpty())
		s.Expect(s.sync(ids(10)...).Writes).To(BeEmpty())
	},
	"an incomplete listing misses nothing": func(s scene) {
		for range 5 {
			s.Expect(s.part(ids(3)...).Deletes).To(BeEmpty())
		}
		s.Expect(s.since("lkc-009").IsZero()).To(BeTrue())
		s.sync(ids(9)...)
		for range 5 {
			s.Expect(s.part(ids(9)...).Deletes).To(BeEmpty())
		}
		s.Expect(s.sync(ids(9)...).Deletes).To(HaveLen(1), "nor does it end a row")
	},
	"an incomplete listing that has it ends its absence": func(s scene) {
		s.sync(ids(9)...)
		s.part("lkc-009")
		s.Expect(s.since("lkc-009").IsZero()).To(BeTrue())
		s.Expect(s.sync(ids(9)...).Deletes).To(BeEmpty())
		s.Expect(s.sync(ids(9)...).Deletes).To(HaveLen(1))
	},
	"an incomplete listing adds": func(s scene) {
		s.Expect(s.part("lkc-010").Writes).To(HaveLen(1))
		s.Expect(s.names()).To(Equal(ids(11)))
	},
	"after a restart the misses count from zero": func(s scene) {
		for range 5 {
			s.restart()
			s.Expect(s.sync(ids(9)...).Deletes).To(BeEmpty(), "the first listing since the start")
			s.Expect(s.sync(ids(9)...).Deletes).To(BeEmpty(), "the first miss since the start")
		}
		s.Expect(s.sync(ids(9)...).Deletes).To(HaveLen(1))
	},
	"the grace period counts from the first miss": func(s scene) {
		s.prune(func(p *v1alpha1.Prune) { p.AfterMisses, p.GracePeriod = ptr[int32](1), seconds(600) })
		s.wait(10 * time.Minute)
		s.Expect(s.sync(ids(9)...).Deletes).To(BeEmpty(), "however long it was there")
		s.wait(9 * time.Minute)
		s.Expect(s.sync(ids(9)...).Deletes).To(BeEmpty())
		s.wait(time.Minute)
		s.Expect(s.sync(ids(9)...).Deletes).To(HaveLen(1))
	},
	"the grace period outlives restarts": func(s scene) {
		s.prune(func(p *v1alpha1.Prune) { p.GracePeriod = seconds(3600) })
		s.sync(ids(9)...)
		since := s.since("lkc-009")
		for range 3 {
			s.restart()
			s.Expect(s.pass().Writes).To(BeEmpty(), "it is not known yet")
			s.Expect(s.sync(ids(9)...).Writes).To(BeEmpty())
			s.Expect(s.since("lkc-009")).To(Equal(since))
			s.wait(14 * time.Minute) // Less than staleAfter.
		}
		s.sync(ids(9)...)
		s.Expect(s.sync(ids(9)...).Deletes).To(BeEmpty())
		s.wait(18 * time.Minute)
		s.Expect(s.sync(ids(9)...).Deletes).To(HaveLen(1))
	},
	"a clock set back lengthens no grace period": func(s scene) {
		s.prune(func(p *v1alpha1.Prune) { p.GracePeriod = seconds(60) })
		s.sync(ids(9)...)
		s.wait(-24 * time.Hour)
		s.sync(ids(9)...)
		s.wait(2 * time.Minute)
		s.Expect(s.sync(ids(9)...).Deletes).To(HaveLen(1))
	},
	"a clock set back keeps the digest, whatever follows": func(s scene) {
		for name, follows := range map[string]func() *Plan{
			"no listing":          s.pass,
			"incomplete listings": func() *Plan { return s.part(ids(5)...) },
			"complete listings":   func() *Plan { return s.sync(ids(5)...) },
		} {
			s.held(5)
			s.wait(-time.Hour)
			held := follows().Held
			s.Expect(held).NotTo(BeNil(), name)
			for range 5 {
				s.wait(10 * time.Second)
				plan := follows()
				s.Expect(plan.Held.Digest).To(Equal(held.Digest), name)
				s.Expect(plan.Writes).To(BeEmpty(), name)
			}
			s.wait(2 * time.Hour)
			s.sync(ids(10)...)
		}
	},
	"since when it is missing is written once": func(s scene) {
		s.prune(func(p *v1alpha1.Prune) { p.Policy = v1alpha1.PrunePolicyRetain })
		s.Expect(s.sync(ids(9)...).Writes).To(HaveLen(1))
		since := s.since("lkc-009")
		s.Expect(since).To(BeTemporally("==", s.clock().Truncate(time.Second)))
		for range 3 {
			s.wait(time.Hour)
			s.Expect(s.sync(ids(9)...).Writes).To(BeEmpty())
			s.Expect(s.pass().Writes).To(BeEmpty())
		}
		s.Expect(s.since("lkc-009")).To(Equal(since))
		s.Expect(s.sync(ids(10)...).Writes).To(HaveLen(1), "it came back")
		s.Expect(s.since("lkc-009").IsZero()).To(BeTrue())
	},
	"since when something is missing that appears between two listings is written once": func(s scene) {
		s.prune(func(p *v1alpha1.Prune) { p.Policy = v1alpha1.PrunePolicyRetain })
		s.put("lkc-x")
		s.wait(10 * time.Second)
		s.Expect(s.pass().Writes).To(HaveLen(1))
		since := s.since("lkc-x")
		s.Expect(since.IsZero()).To(BeFalse())
		for range 3 {
			s.wait(10 * time.Second)
			s.Expect(s.pass().Writes).To(BeEmpty())
		}
		for range 3 {
			s.wait(time.Minute)
			s.Expect(s.sync(ids(10)...).Writes).To(BeEmpty())
		}
		s.restart()
		s.wait(time.Minute)
		s.Expect(s.pass().Writes).To(BeEmpty())
		s.Expect(s.sync(ids(10)...).Writes).To(BeEmpty())
		s.Expect(s.since("lkc-x")).To(Equal(since))
	},
	"what a stranger says of that is put back": func(s scene) {
		s.prune(func(p *v1alpha1.Prune) { p.Policy = v1alpha1.PrunePolicyRetain })
		s.sync(ids(9)...)
		truth := s.since("lkc-009")
		for _, by := range []time.Duration{-48 * time.Hour, 48 * time.Hour} {
			s.forge("lkc-009", truth.Add(by))
			s.Expect(s.pass().Writes).To(HaveLen(1))
			s.Expect(s.since("lkc-009")).To(Equal(truth))
			s.Expect(s.pass().Writes).To(BeEmpty())
		}
	},
	"a time to come counts as now after a restart": func(s scene) {
		s.prune(func(p *v1alpha1.Prune) { p.GracePeriod = seconds(86400) })
		s.sync(ids(9)...)
		s.forge("lkc-009", s.clock().Add(12*24*time.Hour))
		s.restart()
		for range 3 {
			s.Expect(s.sync(ids(9)...).Deletes).To(BeEmpty())
			s.Expect(s.since("lkc-009")).NotTo(BeTemporally(">", s.clock()))
		}
		s.wait(24*time.Hour + time.Minute)
		s.Expect(s.sync(ids(9)...).Deletes).To(HaveLen(1))
	},
	"no edit while the operator restarts makes an object missing for longer than the status says": func(s scene) {
		s.prune(func(p *v1alpha1.Prune) { p.GracePeriod = seconds(3600) })
		s.wait(48 * time.Hour)
		s.sync(ids(10)...)
		s.restart()
		s.forge("lkc-009", s.clock().Add(-47*time.Hour))
		for range 4 {
			s.wait(10 * time.Second)
			s.Expect(s.sync(ids(9)...).Deletes).To(BeEmpty())
		}
		s.wait(time.Hour)
		s.Expect(s.sync(ids(9)...).Deletes).To(HaveLen(1))
	},
	"nor does one while another object is missing": func(s scene) {
		s.prune(func(p *v1alpha1.Prune) { p.GracePeriod = seconds(3600) })
		s.wait(48 * time.Hour)
		s.sync(ids(9)...)
		s.wait(time.Minute)
		s.sync(ids(9)...)
		s.restart()
		s.forge("lkc-008", s.clock().Add(-47*time.Hour))
		for range 4 {
			s.wait(10 * time.Second)
			s.Expect(s.sync(ids(8)...).Deletes).To(BeEmpty())
		}
		s.wait(time.Hour)
		s.Expect(s.sync(ids(8)...).Deletes).To(HaveLen(2))
	},
	"nor does one of a time at which the operator was away": func(s scene) {
		s.prune(func(p *v1alpha1.Prune) { p.GracePeriod = seconds(3600) })
		s.sync(ids(10)...)
		s.restart()
		s.wait(48 * time.Hour)
		s.forge("lkc-009", s.clock().Add(-47*time.Hour))
		for range 4 {
			s.wait(10 * time.Second)
			s.Expect(s.sync(ids(9)...).Deletes).To(BeEmpty())
		}
	},
	"nor does an edit of the one that is missing": func(s scene) {
		s.prune(func(p *v1alpha1.Prune) { p.GracePeriod = seconds(3600) })
		s.wait(48 * time.Hour)
		s.sync(ids(9)...)
		since := s.since("lkc-009")
		for _, forged := range []time.Time{since.Add(-47 * time.Hour), since.Add(time.Minute)} {
			s.restart()
			s.forge("lkc-009", forged)
			s.wait(time.Minute)
			s.Expect(s.sync(ids(9)...).Deletes).To(BeEmpty())
			s.Expect(s.since("lkc-009")).To(Equal(since))
		}
		s.restart()
		s.wait(time.Hour)
		for range 2 {
			s.Expect(s.sync(ids(9)...).Deletes).To(BeEmpty())
		}
		s.Expect(s.sync(ids(9)...).Deletes).To(HaveLen(1), "the grace period goes on from before")
	},
	"nor does an edit that takes the place of another object's time": func(s scene) {
		s.prune(func(p *v1alpha1.Prune) { p.GracePeriod = seconds(3600) })
		s.wait(48 * time.Hour)
		s.sync(ids(9)...)
		s.restart()
		s.forge("lkc-009", s.clock())
		s.forge("lkc-008", s.clock().Add(-47*time.Hour))
		for range 4 {
			s.wait(10 * time.Second)
			s.Expect(s.sync(ids(8)...).Deletes).To(BeEmpty())
		}
	},
	"no edit while the operator restarts revives an approval": func(s scene) {
		held := s.held(5)
		went := s.since("lkc-009")
		s.approve(held.Digest)
		s.sync(ids(10)...)
		s.restart()
		s.wait(10 * time.Hour)
		for _, id := range ids(10)[5:] {
			s.forge(id, went)
		}
		for range 4 {
			s.wait(10 * time.Second)
			s.Expect(s.sync(ids(5)...).Deletes).To(BeEmpty())
		}
	},
	"too many wait for a person": func(s scene) {
		held := s.held(7)
		s.Expect(held.Reason).To(Equal(v1alpha1.ReasonShareExceeded))
		s.Expect(namesOf(held.Objects)).To(Equal(ids(10)[7:]))
		s.Expect(held.Message).To(Equal(s.kind.Name + ": 3 of 10 are missing, more than prune.maxPercent (20); held: lkc-007, lkc-008, lkc-009; " +
			"to delete them run: kubectl -n platform annotate --overwrite " + s.owner.Resource + "/" + s.owner.GetName() +
			" inventory.ccloud.dev/approvePrune=" + held.Digest))
		s.Expect(s.pass().Held).To(Equal(held), "a repair between two syncs says the same")
	},
	"it stands while none of it is listed, whatever else goes missing": func(s scene) {
		digest := s.held(7).Digest
		stands := func(p *Plan) bool {
			return (&planner{Facts: Facts{Kind: s.kind}, Plan: *p}).stillStands(&v1alpha1.HeldPrune{Count: 3, Digest: digest})
		}
		s.Expect(stands(s.sync(ids(5)...))).To(BeTrue())
		s.restart()
		s.Expect(stands(s.sync(ids(5)...))).To(BeTrue())
		s.Expect(stands(s.sync(append(ids(4), "lkc-007")...))).To(BeFalse(), "as many are missing, but not these")
		s.Expect(stands(s.sync(ids(10)...))).To(BeFalse())
	},
	"so does all, if nothing is listed": func(s scene) {
		held := s.held(0)
		s.Expect(held.Reason).To(Equal(v1alpha1.ReasonListingEmpty))
		s.Expect(held.Message).To(ContainSubstring("held: " + strings.Join(ids(10), ", ") + "; "))
		plan := s.sync(ids(10)...)
		s.Expect(plan.Held).To(BeNil(), "until they come back")
		s.Expect(s.names()).To(Equal(ids(10)))
	},
	"so does what was last seen under another scope": func(s scene) {
		s.rescope("another")
		held := s.held(9)
		s.Expect(held.Reason).To(Equal(v1alpha1.ReasonScopeChanged))
		s.prune(func(p *v1alpha1.Prune) { p.MaxPercent = ptr[int32](100) })
		s.Expect(s.sync(ids(9)...).Deletes).To(HaveLen(1), "unless nothing is ever held")
	},
	"so does what only the other scope showed, after a restart and back": func(s scene) {
		for _, restart := range []func(){func() {}, s.restart} {
			s.rescope("another")
			for range 3 {
				s.sync(append(ids(9), "lkc-new")...)
			}
			s.Expect(s.names()).To(Equal(append(ids(10), "lkc-new")))
			restart()
			s.rescope("s")
			for range 3 {
				s.Expect(s.sync(ids(10)...).Deletes).To(BeEmpty())
			}
			held := s.sync(ids(10)...).Held
			s.Expect(held).To(And(HaveField("Reason", v1alpha1.ReasonScopeChanged), HaveField("Objects", HaveLen(1))))
		}
	},
	"so does what only an incomplete listing under the other scope had": func(s scene) {
		s.restart()
		s.rescope("another")
		s.part("lkc-new")
		s.restart()
		s.rescope("s")
		for range 4 {
			s.Expect(s.sync(ids(10)...).Deletes).To(BeEmpty())
		}
		s.Expect(s.names()).To(ContainElement("lkc-new"))
	},
	"maxPercent 100 never asks": func(s scene) {
		s.prune(func(p *v1alpha1.Prune) { p.MaxPercent = ptr[int32](100) })
		s.sync()
		s.Expect(s.sync().Deletes).To(HaveLen(10))
	},
	"one by one is all together": func(s scene) {
		s.prune(func(p *v1alpha1.Prune) { p.AfterMisses = ptr[int32](3) })
		for left := 9; left > 5; left-- {
			s.Expect(s.sync(ids(left)...).Deletes).To(BeEmpty())
		}
		s.Expect(s.names()).To(Equal(ids(10)), "those not confirmed yet count for the share")
	},
	"an approval lets through what is held, at the next listing": func(s scene) {
		held := s.held(5)
		s.approve("0123456789ab, " + held.Digest + " ,x")
		plan := s.pass()
		s.Expect(plan.Deletes).To(BeEmpty(), "only a sync of its own deletes")
		s.Expect(plan.Held).To(Equal(held))
		s.Expect(namesOf(plan.Deferred)).To(Equal(ids(10)[5:]), "they wait for it")
		plan = s.sync(ids(5)...)
		s.Expect(plan.Deletes).To(HaveLen(5))
		s.Expect(plan.Deferred).To(BeEmpty())
		s.Expect(plan.Held).To(BeNil())
	},
	"no other digest does": func(s scene) {
		digest := s.held(5).Digest
		for _, other := range []string{"", "true", "0123456789ab", digest[:11], digest + "0", "X" + digest[1:]} {
			s.approve(other)
			s.Expect(s.sync(ids(5)...).Deletes).To(BeEmpty(), other)
		}
	},
	"an approval is for those that it named, neither more": func(s scene) {
		digest := s.held(7).Digest
		s.held(6)
		s.approve(digest)
		s.Expect(s.sync(ids(6)...).Held.Digest).NotTo(Equal(digest))
		s.Expect(s.names()).To(Equal(ids(10)))
	},
	"nor fewer": func(s scene) {
		s.prune(func(p *v1alpha1.Prune) { p.MaxPercent = ptr[int32](0) })
		digest := s.held(7).Digest
		s.held(8)
		s.approve(digest)
		s.Expect(s.sync(ids(8)...).Held.Digest).NotTo(Equal(digest))
		s.Expect(s.names()).To(Equal(ids(10)))
	},
	"nor for one that was created again": func(s scene) {
		digest := s.held(7).Digest
		s.edit("lkc-009").SetUID("new")
		s.approve(digest)
		s.Expect(s.sync(ids(7)...).Held.Digest).NotTo(Equal(digest))
		s.Expect(s.names()).To(Equal(ids(10)))
	},
	"an approval does not outlive its occasion": func(s scene) {
		s.approve(s.held(5).Digest)
		s.sync(ids(10)...)
		s.held(5)
		s.Expect(s.sync(ids(5)...).Deletes).To(BeEmpty())
		s.Expect(s.names()).To(Equal(ids(10)))
	},
	"an approval that was used is not asked for again while deletions are refused": func(s scene) {
		s.approve(s.held(5).Digest)
		s.refuse("lkc-007", "lkc-008")
		s.Expect(s.sync(ids(5)...).Deletes).To(HaveLen(5))
		s.Expect(s.names()).To(Equal(append(ids(5), "lkc-007", "lkc-008")))
		for range 3 {
			plan := s.pass()
			s.Expect(plan.Held).To(BeNil())
			s.Expect(namesOf(plan.Deferred)).To(Equal([]string{"lkc-007", "lkc-008"}), "they wait for a listing")
		}
		s.refuse("lkc-008")
		s.Expect(s.sync(ids(5)...).Deletes).To(HaveLen(2), "a share that was approved as a part of the whole")
		s.Expect(s.pass().Held).To(BeNil())
		s.refuse()
		s.Expect(s.sync(ids(5)...)).To(And(HaveField("Deletes", HaveLen(1)), HaveField("Held", BeNil())))
		s.Expect(s.names()).To(Equal(ids(5)))

		s.sync(ids(10)...)
		s.held(5)
		s.Expect(s.sync(ids(5)...).Deletes).To(BeEmpty(), "it is no approval of another occasion")
	},
	"an approval outlives a restart: the digest is the same": func(s scene) {
		held := s.held(5)
		s.restart()
		s.sync(ids(5)...)
		s.sync(ids(5)...)
		plan := s.sync(ids(5)...)
		s.Expect(plan.Held.Digest).To(Equal(held.Digest))
		s.approve(held.Digest)
		s.Expect(s.sync(ids(5)...).Deletes).To(HaveLen(5))
	},
	"an approval overrides neither Retain": func(s scene) {
		s.approve(s.held(5).Digest)
		s.prune(func(p *v1alpha1.Prune) { p.Policy = v1alpha1.PrunePolicyRetain })
		s.Expect(s.sync(ids(5)...)).To(And(HaveField("Deletes", BeEmpty()), HaveField("Held", BeNil())))
	},
	"nor afterMisses": func(s scene) {
		s.approve(s.held(5).Digest)
		s.prune(func(p *v1alpha1.Prune) { p.AfterMisses = ptr[int32](50) })
		s.Expect(s.sync(ids(5)...)).To(And(HaveField("Deletes", BeEmpty()), HaveField("Held", BeNil())))
	},
	"nor the grace period": func(s scene) {
		s.approve(s.held(5).Digest)
		s.prune(func(p *v1alpha1.Prune) { p.GracePeriod = seconds(3600) })
		s.Expect(s.sync(ids(5)...)).To(And(HaveField("Deletes", BeEmpty()), HaveField("Held", BeNil())))
	},
	"nor a restart": func(s scene) {
		s.approve(s.held(5).Digest)
		s.restart()
		s.Expect(s.sync(ids(5)...)).To(And(HaveField("Deletes", BeEmpty()), HaveField("Held", BeNil())))
	},
	"a forged time counts for nothing in what this process saw listed, also if the status counts one more missing": func(s scene) {
		s.sync(ids(9)...)
		s.drop("lkc-009")
		s.forge("lkc-008", s.clock().Add(-time.Hour))
		s.wait(time.Hour)
		s.sync(ids(8)...)
		s.Expect(s.since("lkc-008")).To(BeTemporally("~", s.clock(), 2*time.Second))
	},
	"nothing is deferred but what the chain allows": func(s scene) {
		s.sync(ids(9)...)
		s.Expect(s.pass().Deferred).To(BeEmpty(), "not before it is confirmed")
		plan := s.part(ids(9)...)
		s.Expect(plan.Deferred).To(BeEmpty())
		s.held(7)
		s.Expect(s.pass().Deferred).To(BeEmpty(), "not while a person is asked")
	},
	"what a listing would delete is deferred while none is fresh": func(s scene) {
		s.prune(func(p *v1alpha1.Prune) { p.GracePeriod = seconds(600) })
		s.sync(ids(9)...)
		s.Expect(s.sync(ids(9)...).Deferred).To(BeEmpty())
		s.wait(10 * time.Minute)
		for range 2 {
			plan := s.pass()
			s.Expect(namesOf(plan.Deferred)).To(Equal([]string{"lkc-009"}))
			s.Expect(plan.Deletes).To(BeEmpty())
			s.Expect(plan.Held).To(BeNil())
		}
		plan := s.sync(ids(9)...)
		s.Expect(namesOf(plan.Deletes)).To(Equal([]string{"lkc-009"}))
		s.Expect(plan.Deferred).To(BeEmpty())
	},
	"what is deleted although it is listed is leaving": func(s scene) {
		for _, name := range []string{"lkc-004", "lkc-002"} {
			o := s.edit(name)
			o.SetDeletionTimestamp(&metav1.Time{Time: s.clock()})
			o.SetFinalizers([]string{"theirs/finalizer"})
		}
		for range 2 {
			plan := s.sync(ids(10)...)
			s.Expect(plan.Leaving).To(Equal([]string{"lkc-002", "lkc-004"}))
			s.Expect(plan.Unfilled()).To(Equal(2))
			s.Expect(plan.Writes).To(BeEmpty())
			s.Expect(s.pass().Leaving).To(HaveLen(2))
		}
		s.Expect(s.sync(append(ids(2), ids(10)[3:]...)...).Leaving).To(Equal([]string{"lkc-004"}), "not what is missing")
		s.drop("lkc-002")
		s.drop("lkc-004")
		plan := s.sync(ids(10)...)
		s.Expect(plan.Leaving).To(BeEmpty())
		s.Expect(plan.Writes).To(HaveLen(2), "created again once it is gone")
		s.Expect(s.names()).To(Equal(ids(10)))
	},
	"what finalizers keep is named, and missing until it is gone": func(s scene) {
		s.edit("lkc-009").SetFinalizers([]string{"theirs/finalizer"})
		s.edit("lkc-008").SetFinalizers([]string{"theirs/finalizer", "others/finalizer"})
		s.Expect(s.sync(ids(8)...).Kept).To(BeEmpty())
		plan := s.sync(ids(8)...)
		s.Expect(plan.Deletes).To(HaveLen(2))
		s.Expect(plan.Kept).To(HaveLen(2))
		s.Expect(plan.Summary.Missing).To(BeEquivalentTo(2))
		for range 2 {
			plan := s.sync(ids(8)...)
			s.Expect(plan.Deletes).To(BeEmpty())
			s.Expect(plan.Kept).To(Equal([]string{"lkc-008 (theirs/finalizer, others/finalizer)", "lkc-009 (theirs/finalizer)"}))
			s.Expect(plan.Summary).To(And(HaveField("Observed", int32(8)), HaveField("Missing", int32(2))))
			s.Expect(plan.Held).To(BeNil())
			s.restart()
		}
		s.drop("lkc-008")
		s.drop("lkc-009")
		plan = s.sync(ids(8)...)
		s.Expect(plan.Kept).To(BeEmpty())
		s.Expect(plan.Summary).To(And(HaveField("Observed", int32(8)), HaveField("Missing", int32(0))))
	},
	"what the garbage collector still deletes is missing, and named only if others keep it": func(s scene) {
		s.edit("lkc-009").SetFinalizers([]string{metav1.FinalizerDeleteDependents})
		s.edit("lkc-008").SetFinalizers([]string{metav1.FinalizerOrphanDependents, "theirs/finalizer"})
		s.sync(ids(8)...)
		for range 2 {
			plan := s.sync(ids(8)...)
			s.Expect(plan.Kept).To(Equal([]string{"lkc-008 (theirs/finalizer)"}))
			s.Expect(plan.Summary.Missing).To(BeEquivalentTo(2))
		}
	},
	"a name that someone else's object has is a conflict, whatever is listed": func(s scene) {
		theirs := s.put("lkc-x")
		seize(theirs, "another")
		before := theirs.DeepCopyObject()
		for range 4 {
			plan := s.sync(append(ids(10), "lkc-x")...)
			s.Expect(plan.Conflicts).To(Equal([]Conflict{{Name: "lkc-x", Controller: "ConfigMap/stranger"}}))
			s.Expect(plan.Summary.Observed).To(Equal(int32(10)))
			s.Expect(plan.View.Awaits("lkc-x")).To(BeTrue())
			s.Expect(s.sync(ids(10)...).Conflicts).To(BeEmpty())
		}
		s.Expect(theirs).To(Equal(before), "it is not touched")
		s.sync(append(ids(10), "lkc-x")...)
		s.drop("lkc-x")
		plan := s.pass()
		s.Expect(plan.Conflicts).To(BeEmpty())
		s.Expect(plan.Writes).To(HaveLen(1), "from the last listing, once the name is free")
	},
	"what a deleted owner of the name had is no one's conflict to solve": func(s scene) {
		theirs := s.put("lkc-x")
		references := theirs.GetOwnerReferences()
		references[0].UID = "former"
		theirs.SetOwnerReferences(references)
		s.Expect(s.sync("lkc-x").Conflicts).To(ConsistOf(And(HaveField("Name", "lkc-x"), HaveField("Predecessor", true))))
	},
	"two IDs of one name are one object and a clash": func(s scene) {
		odd := "LKC 1"
		plan := s.sync(append(ids(10), odd, ObjectName(odd))...)
		s.Expect(plan.Clashes).To(Equal([]Clash{{ID: odd, Name: ObjectName(odd), Owner: ObjectName(odd)}}))
		s.Expect(plan.Unfilled()).To(Equal(1))
		s.Expect(s.names()).To(HaveLen(11))
	},
	"drift is what a plan would put back": func(s scene) {
		plan := s.sync(ids(10)...)
		s.Expect(plan.View.Drifted(s.edit("lkc-001"))).To(BeFalse())
		s.edit("lkc-001").SetLabels(pairs{"theirs": "1"})
		s.Expect(plan.View.Drifted(s.edit("lkc-001"))).To(BeTrue())
		repair := plan.View.Repair(map[string]Object{"lkc-001": s.edit("lkc-001")}, s.clock())
		s.Expect(repair.Writes).To(HaveLen(1))
		whole := s.pass()
		s.Expect(s.kind.SameWrite(repair.Writes[0], whole.Writes[0])).To(BeTrue())
		s.Expect(s.edit("lkc-001").GetLabels()).To(And(HaveKeyWithValue("theirs", "1"), HaveKey(v1alpha1.LabelEnvironment)))
		if gone := whole.View.Repair(map[string]Object{"lkc-002": nil}, s.clock()); s.kind == Environment {
			s.Expect(gone).To(BeNil(), "the status has the names of sources")
		} else {
			s.Expect(gone.Writes).To(HaveLen(1), "one that is gone")
		}
		s.Expect(whole.View.Repair(map[string]Object{"lkc-x": nil}, s.clock())).To(BeNil(), "not one that is not known")
	},
}

func TestWhatHoldsForOneOwnersObjectsHoldsForTheOthers(t *testing.T) {
	t.Parallel()
	for name, situation := range situations {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			both(t, func(_ *testing.T, s scene) { situation(s) })
		})
	}
}
