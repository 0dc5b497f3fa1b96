// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"fmt"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
)

func TestAReleaseWakesThoughNothingListedTheSource(t *testing.T) {
	t.Parallel()
	o := discovered(t, environmentIDs(3)...)
	o.restart()
	view := o.pass().View
	o.Expect(view.Drifted(o.sources["env-00001"])).To(BeFalse())
	o.annotate("env-00001", v1alpha1.AnnotationUnmanaged, "true")
	o.Expect(view.Drifted(o.sources["env-00001"])).To(BeTrue(), "its ownerReference is to go")
}

func TestReleasedSourcesAreNoPartOfTheShare(t *testing.T) {
	t.Parallel()
	o := discovered(t, environmentIDs(10)...)
	for _, id := range environmentIDs(8) {
		o.annotate(id, v1alpha1.AnnotationUnmanaged, "true")
	}
	o.list(true, environmentIDs(10)...)
	for range 4 {
		o.Expect(o.list(true, environmentIDs(8)...).Deletes).To(BeEmpty(), "both that are the discovery's are missing")
	}
	o.Expect(o.plan().Held).To(HaveValue(HaveField("Reason", v1alpha1.ReasonShareExceeded)))
}

// A source may be handed over whose environment the discovery's key cannot see.
func TestASourceThatNoListingHadIsNotDeletedOnAGuess(t *testing.T) {
	t.Parallel()
	o := discovered(t, environmentIDs(10)...)
	o.Expect(o.discovery.Status.Environments.Scope).NotTo(BeEmpty())
	handed := NewSource(o.discovery, "env-other", "of another organization")
	handed.UID = "uid-of-other"
	o.sources["env-other"] = handed
	for range 5 {
		o.Expect(o.list(true, environmentIDs(10)...).Deletes).To(BeEmpty())
	}
	o.list(true, environmentIDs(9)...)
	plan := o.list(true, environmentIDs(9)...)
	o.Expect(namesOf(plan.Held.Objects)).To(ContainElement("env-other"))
	o.Expect(plan.Held.Reason).To(Equal(v1alpha1.ReasonScopeChanged))
	o.restart()
	for range 3 {
		o.list(true, environmentIDs(10)...)
	}
	o.Expect(o.sources).To(HaveKey("env-other"), "nor after a restart")
	o.list(true, append(environmentIDs(10), "env-other")...)
	o.list(true, environmentIDs(10)...)
	o.list(true, environmentIDs(10)...)
	o.Expect(o.sources).NotTo(HaveKey("env-other"), "a listing had it since")
}

// A status without room does not say which environments were listed.
func TestADiscoveryWithManySourcesDeletesNoneOnAGuess(t *testing.T) {
	t.Parallel()
	for _, n := range []int{10, maxSources} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			t.Parallel()
			o := discovered(t, environmentIDs(n)...)
			o.many = true
			for _, id := range []string{"env-zz", "env-aa"} { // env-aa takes the place of the last one in the status.
				environmentScene{o}.put(id).SetUID(types.UID(id))
				for range 3 {
					o.Expect(o.list(true, environmentIDs(n)...).Deletes).To(BeEmpty())
				}
				o.restart()
				for range 4 {
					o.Expect(o.list(true, environmentIDs(n)...).Deletes).To(BeEmpty())
				}
			}
			o.list(true, append(environmentIDs(n), "env-aa", "env-zz")...)
			o.list(true, append(environmentIDs(n), "env-aa")...)
			o.Expect(namesOf(o.list(true, append(environmentIDs(n), "env-aa")...).Deletes)).To(Equal([]string{"env-zz"}), "this process listed it")
		})
	}
}

func TestSourcesOutOfScopeAreNoPartOfTheShare(t *testing.T) {
	t.Parallel()
	o := teamed(t, 20)
	all := teams(10)
	for i := range 5 {
		all[i].name = "other"
	}
	o.look(all...)
	o.Expect(o.look(all[:8]...).Deletes).To(BeEmpty(), "2 of 5 are missing")
	o.Expect(o.plan().Held).To(HaveValue(HaveField("Message", ContainSubstring("2 of 5 are missing"))))
}

func TestAHeldPruneSaysThatTheCloudStillHasSomeOfThem(t *testing.T) {
	t.Parallel()
	o := teamed(t, 20)
	all := renamed(teams(10), "Team-x")[3:]
	o.look(all...)
	held := o.look(all...).Held
	o.Expect(namesOf(held.Objects)).To(ContainElement(last))
	o.Expect(held.Message).To(And(ContainSubstring("3 of 9 are missing"), ContainSubstring("listed, but no longer taken by spec.selector: 1 of 4")))
}

func TestWhatIsOutsideWaitsForItsGracePeriod(t *testing.T) {
	t.Parallel()
	o := teamed(t, 20)
	o.discovery.Spec.Prune.GracePeriod = &metav1.Duration{Duration: time.Hour}
	all := renamed(teams(10), "Team-x")
	plan := o.look(all...)
	o.Expect(plan.Held).To(BeNil())
	o.Expect(plan.Waiting).To(BeTrue(), "the same listing has more to say later")
	o.now = o.now.Add(time.Hour)
	plan = o.look(all...)
	o.Expect(plan.Held).NotTo(BeNil())
	o.Expect(plan.Waiting).To(BeFalse())
}

func TestAMissingObservationThatLostItsOwnerGetsItBack(t *testing.T) {
	t.Parallel()
	w := settled(t, ids(10)...)
	w.source.Spec.Prune.Policy = v1alpha1.PrunePolicyRetain
	w.sync(ids(10)[:9]...)
	w.restart()
	w.sync(ids(10)[:9]...)
	lost := ids(10)[9]
	w.reread(clusters, lost).SetOwnerReferences(nil)
	w.sync(ids(10)[:9]...)
	w.Expect(metav1.GetControllerOf(w.objects[clusters][lost])).NotTo(BeNil())
}
