// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"context"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
	"github.com/ccloud-dev/inventory-operator/internal/mirror"
)

// sources describes the type InventorySource. Sources mirror the kinds in observationKinds, such as
// Kafka clusters.
var sources = ownerKind{
	name:             "inventorysource",
	newObject:        func() client.Object { return &v1alpha1.InventorySource{} },
	newList:          func() client.ObjectList { return &v1alpha1.InventorySourceList{} },
	wrap:             func(o client.Object) owner { return sourceOwner{o.(*v1alpha1.InventorySource)} },
	kinds:            observationKinds,
	configMapVerdict: (*Options).configMapsOf,
	words: words{
		firstSync:      "the first sync is under way",
		whileSuspended: "spec.suspend is true: the cloud is not asked, and observations turn Unknown after staleAfter",
		allIgnored:     "nothing is mirrored: every kind's policy is Ignore",
		rateLimited:    "the sync that is due waits for the request budget of its API key: ",
		withheld:       "%d objects that only such listings told of get no observation until one is complete",
		takenNames: takenMessages{
			foreignObjects: "objects that are not this source's have the names of its observations: %s; delete those without a controller, and the source that controls the others",
			formerObjects:  "waiting for the garbage collector to delete the observations of the deleted source that had this one's name: %s",
			otherIDs:       "observations of other cloud IDs have the names of listed ones: %s; delete the observations to let the listed ones take their place",
			nameClashes:    "listed objects without an observation, since their name is another object's: %s",
			leavingObjects: "being deleted, and created again once they are gone: %s",
		},
		succeeded: foundObjects,
	},
}

// sourceOwner implements the interface owner for an InventorySource.
type sourceOwner struct{ *v1alpha1.InventorySource }

func (s sourceOwner) object() client.Object             { return s.InventorySource }
func (s sourceOwner) mirrorOwner() mirror.Owner         { return mirror.SourceOwner(s.InventorySource) }
func (s sourceOwner) status() *v1alpha1.SyncStatus      { return &s.Status.SyncStatus }
func (s sourceOwner) wholeStatus() any                  { return &s.Status }
func (s sourceOwner) heldPrunes() []*v1alpha1.HeldPrune { return allHeldIn(s, observationKinds) }
func (s sourceOwner) settings() settings {
	return settings{s.GetEndpoint(), s.Spec.Credentials, s.GetInterval(), s.GetTimeout(), s.Spec.Suspend, false, v1alpha1.EnvironmentSelector{}}
}

// foundObjects returns the message after a successful sync of one kind. The message has the number
// of listed objects.
func foundObjects(_ owner, s *state, i int) string {
	k := &s.kinds[i]
	message := fmt.Sprintf("%s: %d observed", observationKinds[i].Name, observed(k.report.Summary))
	if k.report.Unconfirmed && s.schedule.confirmsLate {
		message += ", others absent in turn from one listing and the next; these are confirmed at the interval only"
	}
	return message
}

// holdOff returns how long a new source must wait before its first sync; 0 if no wait is needed. A
// discovery can create many sources together; the waits spread their first syncs over time.
// holdOff reports the wait in the status.
func (r *Reconciler) holdOff(ctx context.Context, o owner, s *state) (time.Duration, error) {
	schedule, now, status := &s.schedule, r.Clock.Now(), o.status()
	terms := termsOf(o)
	if schedule.usedVersions.generation != 0 || terms.requestedAt != "" || terms.suspend || hasSynced(status) {
		return 0, nil
	}
	if schedule.nextSync.IsZero() || now.Before(schedule.waitStart) { // The clock was set back.
		wait, err := r.turnOf(ctx, o.object())
		if err != nil {
			return 0, err
		}
		schedule.waitStart, schedule.nextSync = now, now.Add(wait)
	}
	wait := schedule.nextSync.Sub(now)
	if wait <= 0 {
		return 0, nil
	}
	next := metav1.NewTime(schedule.nextSync).Rfc3339Copy()
	if meta.FindStatusCondition(status.Conditions, v1alpha1.ConditionReady) != nil && status.NextSyncTime.Equal(&next) {
		return wait, nil
	}
	before := r.copyOf(o)
	c := r.conditionsOf(o)
	c.setReady(verdict{reason: v1alpha1.ReasonProgressing, message: "the first sync waits for its turn beside other new sources, see status.nextSyncTime"})
	status.NextSyncTime = &next
	return wait, r.writeStatus(ctx, o, before)
}

// hasSynced reports whether the status shows that there was a sync. A sync that failed counts.
func hasSynced(status *v1alpha1.SyncStatus) bool {
	ready := meta.FindStatusCondition(status.Conditions, v1alpha1.ConditionReady)
	return status.LastSyncTime != nil || ready != nil && ready.Reason != v1alpha1.ReasonProgressing
}

// maxTurns is the largest number of other new sources that the method turnOf counts. With the
// default settings, the first syncs of 500 sources need 1000 requests, which take 200 s.
const maxTurns = 500

// turnOf returns a random wait before the first sync of a source. If no discovery created the
// source, the wait is 0. Otherwise, the wait has two upper limits:
//
//   - the interval of the source
//   - the time that the operator needs for the first syncs of the other new sources of the same
//     discovery (at most maxTurns sources)
func (r *Reconciler) turnOf(ctx context.Context, o client.Object) (time.Duration, error) {
	maker := metav1.GetControllerOf(o)
	if maker == nil || maker.Kind != mirror.DiscoveryKind {
		return 0, nil
	}
	list := &v1alpha1.InventorySourceList{}
	err := r.Cluster.List(ctx, list, client.InNamespace(o.GetNamespace()), client.UnsafeDisableDeepCopy, client.DisableReadYourWritesConsistency)
	if err != nil {
		return 0, err
	}
	requests, others := 0, 0
	for i := range list.Items {
		other := sourceOwner{&list.Items[i]}
		if metav1.IsControlledBy(other, &metav1.ObjectMeta{UID: maker.UID}) && !hasSynced(other.status()) && other.UID != o.GetUID() {
			requests += len(mirroredKinds(other, observationKinds)) // In a small environment, one request lists all objects of a kind.
			others++
		}
		if others == maxTurns {
			break
		}
	}
	whole := time.Duration(float64(requests) / r.Budgets.PerSecond() * float64(time.Second))
	return time.Duration(r.Random() * float64(min(whole, sources.wrap(o).settings().interval))), nil
}
