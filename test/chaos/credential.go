// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"math/rand/v2"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/ccloud-dev/inventory-operator/test/cloudsim"
)

// trouble is what happens to a cell's credential, or to all that uses it, in a round.
type trouble string

const (
	noTrouble  trouble = "none"
	unknownKey trouble = "the cloud does not know the key"
	noRights   trouble = "the key has no rights"
	partView   trouble = "the key sees a part"
	noView     trouble = "the key sees nothing"
	noSecret   trouble = "the Secret is gone"
	anotherKey trouble = "the key is replaced"
	// Those that use up the key's budget: what may be under way at once, and what may
	// be sent in a second.
	slowAnswers  trouble = "every answer is slow"
	endlessPages trouble = "every listing is endless"
)

// drawTrouble draws what happens to a cell's credential: mostly nothing.
func drawTrouble(r *rand.Rand) trouble {
	n := r.IntN(100)
	for _, t := range []struct {
		percent int
		trouble trouble
	}{{4, unknownKey}, {3, noRights}, {7, partView}, {5, noView}, {3, noSecret}, {3, anotherKey}, {4, slowAnswers}, {4, endlessPages}} {
		if n -= t.percent; n < 0 {
			return t.trouble
		}
	}
	return noTrouble
}

// mostPercent is the sources' prune.maxPercent, which is its default.
const mostPercent = 20

// hides reports whether a view hides so much of a kind that the operator must hold what it
// takes for gone: at least something where nothing is left, else more than one object and
// more than mostPercent. Only then is what it does not delete a proof. Of what is hidden
// those count that have an observation: one that was made a moment ago, and that the
// operator has never seen, it does not miss.
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

// safe reports whether a view is one to give the cell's key.
func (c *cell) safe(view cloudsim.View) bool {
	for _, s := range c.sources {
		for _, k := range kinds {
			if !hides(view, s.ids(k), s.uids) {
				return false
			}
		}
	}
	return true
}

// suffer lets the trouble come and has the sources synced under it, then ends it.
func (c *cell) suffer(ctx context.Context, t trouble) error {
	if t == partView && !c.safe(cloudsim.ViewPart) {
		t = noView
	}
	c.journal.note("%s: %s", c.namespace, t)
	c.tally.count(credentialTroubles)
	changed := c.key
	switch t {
	case unknownKey:
		c.Cloud.RemoveKey(c.key.ID)
	case noRights:
		changed.Forbidden = true
	case partView:
		changed.Sees = cloudsim.ViewPart
	case noView:
		changed.Sees = cloudsim.ViewNone
	case anotherKey:
		c.newKey()
		return c.writeSecret(ctx)
	case slowAnswers:
		c.everywhere(cloudsim.FaultSlowBody)
	case endlessPages:
		c.everywhere(cloudsim.FaultEndlessPaging)
	case noSecret:
		if err := c.removeSecret(ctx); err != nil {
			return err
		}
	}
	if t != unknownKey {
		c.Cloud.AddKey(changed)
	}
	if err := parallel(c.sources, func(s *source) error { return s.syncSeveral(ctx, 3) }); err != nil {
		return err
	}
	c.Cloud.AddKey(c.key)
	if t == noSecret {
		return c.writeSecret(ctx)
	}
	return nil
}

// everywhere has every listing of the cell meet a fault, until the round's faults end.
func (c *cell) everywhere(f cloudsim.Fault) {
	for _, at := range c.places() {
		c.weather.set(at, f)
	}
}

// patience is how long a disturbance waits for a sync that may never be, as the manager
// was killed or the cloud does not answer.
const patience = 250 * time.Millisecond

// syncSeveral has the source synced so many times, or asked for it at least.
func (s *source) syncSeveral(ctx context.Context, times int) error {
	for range times {
		token, err := s.ask(ctx)
		if err != nil {
			return err
		}
		if _, err := s.handled(ctx, token, time.Now().Add(patience)); err != nil {
			return err
		}
	}
	return nil
}

// storm asks for syncs as fast as it can, so that the request budget is used up.
func (s *source) storm(ctx context.Context, times int) error {
	s.journal.note("%s/%s: %d syncs are asked for at once", s.namespace, s.name, times)
	for range times {
		if _, err := s.ask(ctx); err != nil {
			return err
		}
	}
	return nil
}
