// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"fmt"
	"testing"

	. "github.com/onsi/gomega"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
)

// connectingKinds returns the number of each kind whose objects connect networks.
func connectingKinds() (numbers []int) {
	for number, k := range allKinds {
		if k.shown != nil {
			numbers = append(numbers, number)
		}
	}
	return numbers
}

// connection returns a READY record of a kind that connects networks.
func connection(kind int, id, network string) any {
	return connectionRecords[kind](id, network)
}

// shownOf returns what a network or a cluster shows of a kind.
func shownOf(kind int, c v1alpha1.NetworkConnections) []v1alpha1.ConnectionSummary {
	shown, count := allKinds[kind].shown(&c)
	if int(*count) < len(*shown) {
		panic(fmt.Sprintf("%d are counted, %d shown", *count, len(*shown)))
	}
	return *shown
}

func TestEveryKindThatConnectsNetworksIsShownInAListOfItsOwn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Expect(connectionTopics).To(HaveLen(len(connectingKinds())))
	w.list(clusters, true, newCluster("lkc-1", "n-1"))
	w.list(networked, true, newNetwork("n-1", "10.1.0.0/16"))
	for _, kind := range connectingKinds() {
		// One ID for all: an ID is unique within its kind only.
		w.list(kind, true, connection(kind, "same-id", "n-1"), connection(kind, fmt.Sprintf("only-%d", kind), "n-1"), connection(kind, "elsewhere", "n-2"))
	}
	w.pass()
	for _, kind := range connectingKinds() {
		want := []v1alpha1.ConnectionSummary{{Name: fmt.Sprintf("only-%d", kind), Phase: "READY"}, {Name: "same-id", Phase: "READY"}}
		w.Expect(shownOf(kind, w.network("n-1").Status.NetworkConnections)).To(Equal(want))
		w.Expect(shownOf(kind, w.cluster("lkc-1").Status.NetworkConnections)).To(Equal(want))
		parts := allKinds[kind].parts(w.reread(kind, "same-id"))
		w.Expect(*parts.network).To(HaveValue(Equal(v1alpha1.NetworkReference{ID: "n-1", Phase: "READY", CIDR: "10.1.0.0/16", DNSDomain: "n-1.example"})))
		w.Expect(parts.reachable.EndpointsOf("lkc-1")).To(HaveLen(1))
		w.Expect(parts.reachable.EndpointCount).To(BeEquivalentTo(1))
		elsewhere := allKinds[kind].parts(w.reread(kind, "elsewhere"))
		w.Expect(*elsewhere.network).To(HaveValue(Equal(v1alpha1.NetworkReference{ID: "n-2"})), "a network that is not mirrored")
		w.Expect(elsewhere.reachable.EndpointCount).To(BeZero())
	}
	for kind, plan := range w.pass() {
		w.Expect(plan.Writes).To(BeEmpty(), worldKinds[kind].Name)
	}
}

func TestAConnectionStaysWhileItsListingFails(t *testing.T) {
	t.Parallel()
	for _, kind := range connectingKinds() {
		t.Run(worldKinds[kind].Name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.list(clusters, true, newCluster("lkc-1", "n-1"))
			w.list(networked, true, newNetwork("n-1", ""))
			w.list(kind, true, connection(kind, "c-1", "n-1"))
			w.pass()
			w.restart()
			w.list(kind, false)
			w.list(clusters, true, newCluster("lkc-1", "n-1"))
			w.list(networked, true, newNetwork("n-1", ""))
			for number, plan := range w.pass() {
				w.Expect(plan.Writes).To(BeEmpty(), worldKinds[number].Name)
			}
			w.Expect(shownOf(kind, w.cluster("lkc-1").Status.NetworkConnections)).To(HaveLen(1))
			*allKinds[kind].policy(&w.source.Spec) = v1alpha1.MirrorPolicyIgnore
			w.ledgers[kind] = nil
			w.pass()
			w.pass() // The deletion wakes the reconciler; no listing is needed.
			w.Expect(shownOf(kind, w.cluster("lkc-1").Status.NetworkConnections)).To(BeEmpty())
			w.Expect(shownOf(kind, w.network("n-1").Status.NetworkConnections)).To(BeEmpty())
		})
	}
}

func TestWhatConnectsANetworkIsBoundedAndCounted(t *testing.T) {
	t.Parallel()
	for _, kind := range connectingKinds() {
		t.Run(worldKinds[kind].Name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			var many []any
			for i := range MaxJoined + 1 {
				many = append(many, connection(kind, fmt.Sprintf("c-%04d", i), "n-1"))
			}
			w.list(kind, true, many...)
			w.list(networked, true, newNetwork("n-1", ""))
			w.pass()
			status := w.network("n-1").Status.NetworkConnections
			shown, count := allKinds[kind].shown(&status)
			w.Expect(*shown).To(HaveLen(MaxJoined))
			w.Expect(*count).To(BeEquivalentTo(MaxJoined + 1))
			w.Expect(w.pass()[networked].Writes).To(BeEmpty())
		})
	}
}

// connectionRecords returns a READY record of each kind that connects networks, by kind.
var connectionRecords = map[int]func(id, network string) any{
	peerings:    func(id, network string) any { return newPeering(id, network) },
	attachments: func(id, network string) any { return newAttachment(id, network) },
	accesses:    func(id, network string) any { return newAccess(id, network) },
}
