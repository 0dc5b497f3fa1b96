// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"math/rand/v2"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/ccloud-dev/inventory-operator/test/cloudsim"
)

// credentialFault is what happens in a round to a namespace's credential, or to all requests with
// this credential.
type credentialFault string

const (
	noCredentialFault credentialFault = "none"
	unknownKey        credentialFault = "the cloud does not know the key"
	noRights          credentialFault = "the key has no rights"
	partView          credentialFault = "the key sees a part"
	noView            credentialFault = "the key sees nothing"
	noSecret          credentialFault = "the Secret is gone"
	anotherKey        credentialFault = "the key is replaced"
	// These two use up the key's budget: the number of requests under way at once, and the requests
	// a second.
	slowAnswers  credentialFault = "every answer is slow"
	endlessPages credentialFault = "every listing is endless"
)

// drawCredentialFault draws what happens to a namespace's credential. In most rounds nothing
// happens.
func drawCredentialFault(r *rand.Rand) credentialFault {
	n := r.IntN(100)
	for _, drawn := range []struct {
		percent int
		fault   credentialFault
	}{{4, unknownKey}, {3, noRights}, {7, partView}, {5, noView}, {3, noSecret}, {3, anotherKey}, {4, slowAnswers}, {4, endlessPages}} {
		if n -= drawn.percent; n < 0 {
			return drawn.fault
		}
	}
	return noCredentialFault
}

// mostPercent is prune.maxPercent of the sources. It is the default.
const mostPercent = 20

// hides reports whether a view hides so much of a kind that the operator must hold the prune. This
// holds if the view hides everything, or more than one object and more than mostPercent. If it
// hides less, the operator may delete, and a deletion shows no error. Only objects with an
// observation count as hidden, because the operator does not miss an object that it has never seen.
func hides(view cloudsim.View, ids []string, observed map[string]types.UID) bool {
	shown, missed := 0, 0
	for _, id := range ids {
		if view.Shows(id) {
			shown++
		} else if _, ok := observed[id]; ok {
			missed++
		}
	}
	return shown == 0 || missed > 1 && missed*100 > mostPercent*len(ids)
}

// safe reports whether the namespace's key may get this view: the view must hide so much that the
// operator holds every prune.
func (n *testNamespace) safe(view cloudsim.View) bool {
	if n.discovers && !hides(view, n.environments(), n.environmentUIDs()) {
		return false
	}
	for _, s := range n.sources {
		for _, k := range kinds {
			if !hides(view, s.ids(k), s.uids) {
				return false
			}
		}
	}
	return true
}

// applyCredentialFault begins a fault, lets the sources sync during the fault, and ends it.
func (n *testNamespace) applyCredentialFault(ctx context.Context, f credentialFault) error {
	if f == partView && !n.safe(cloudsim.ViewPart) {
		f = noView
	}
	n.journal.note("%s: %s", n.namespace, f)
	n.tally.count(credentialFaults)
	changed := n.key
	switch f {
	case unknownKey:
		n.Cloud.RemoveKey(n.key.ID)
	case noRights:
		changed.Forbidden = true
	case partView:
		changed.Sees = cloudsim.ViewPart
	case noView:
		changed.Sees = cloudsim.ViewNone
	case anotherKey:
		n.newKey()
		return n.writeSecret(ctx)
	case slowAnswers:
		n.everywhere(cloudsim.FaultSlowBody)
	case endlessPages:
		n.everywhere(cloudsim.FaultEndlessPaging)
	case noSecret:
		if err := n.removeSecret(ctx); err != nil {
			return err
		}
	}
	if f != unknownKey {
		n.Cloud.AddKey(changed)
	}
	if err := parallel(n.sources, func(s *source) error { return s.syncSeveral(ctx, 3) }); err != nil {
		return err
	}
	n.Cloud.AddKey(n.key)
	if f == noSecret {
		return n.writeSecret(ctx)
	}
	return nil
}

// everywhere makes every listing of the namespace meet a fault, until the faults of the round end.
func (n *testNamespace) everywhere(f cloudsim.Fault) {
	for _, at := range n.targets() {
		n.faults.set(at, f)
	}
}

// syncWait is how long a disturbance waits for a sync. The sync may never end, because the manager
// was killed or the cloud does not answer.
const syncWait = 250 * time.Millisecond

// syncSeveral requests the given number of syncs, one after another. It waits for each of them at
// most syncWait.
func (s *source) syncSeveral(ctx context.Context, times int) error {
	for range times {
		token, err := s.ask(ctx)
		if err != nil {
			return err
		}
		if _, err := s.handled(ctx, token, time.Now().Add(syncWait)); err != nil {
			return err
		}
	}
	return nil
}

// requestMany requests syncs as fast as it can, in order to use up the request budget.
func (s *source) requestMany(ctx context.Context, times int) error {
	s.journal.note("%s/%s: %d syncs are asked for at once", s.namespace, s.name, times)
	for range times {
		if _, err := s.ask(ctx); err != nil {
			return err
		}
	}
	return nil
}
