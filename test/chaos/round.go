// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"
)

// violation is what must not be, and where to look.
type violation struct {
	// where is the source or whatever else it is about.
	where string
	what  string
}

// round disturbs everything for a while, ends the disturbances, and checks what must
// hold. An error says why the run cannot go on.
func (w *world) round(ctx context.Context, number int, t turn) error {
	w.tally.round = number
	w.journal.note("round %d: %s, pair %t, mode %s", number, t.event, t.pair, t.mode)
	if number == 1 || t.pair != (len(w.crew.seats) > 1) {
		if err := w.crew.muster(ctx, t.pair); err != nil {
			return err
		}
	}
	if number == 1 {
		if err := parallel(w.cells, func(c *cell) error { return c.adopt(ctx) }); err != nil {
			return err
		}
	}
	w.Cloud.SetMode(t.mode)
	w.Cloud.Intercept(w.weather.intercept)
	r := random(w.seed, "api", fmt.Sprint(number))
	m := drawManner(r)
	if m != obliging {
		w.tally.count(apiTroubles)
	}
	w.journal.note("round %d: the API server: %s", number, m)
	w.api.behave(m, r)
	if err := w.disturb(ctx, number, t.event); err != nil {
		return err
	}
	w.Cloud.ClearFaults()
	w.api.behave(obliging, r)
	w.journal.note("round %d: faults end", number)
	violations, err := w.check(ctx, time.Now().Add(2*interval+allowance[t.event]))
	if err != nil {
		return err
	}
	w.journal.note("round %d: checked", number)
	w.tally.report(w, violations)
	for _, v := range violations {
		w.journal.note("round %d: VIOLATION: %s: %s", number, v.where, v.what)
	}
	if len(violations) > 0 {
		return w.keepState(ctx, number)
	}
	return nil
}

// disturb does all of a round's harm side by side, and returns when it is done.
func (w *world) disturb(ctx context.Context, number int, e event) error {
	does := []func() error{func() error {
		return w.strike(ctx, e, random(w.seed, "strike", fmt.Sprint(number)))
	}}
	for _, c := range w.cells {
		does = append(does, func() error { return c.disturb(ctx, number) })
	}
	return parallel(does, func(do func() error) error { return do() })
}

// strike does what the agenda has for the processes, at any moment of the round.
func (w *world) strike(ctx context.Context, e event, r *rand.Rand) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(time.Duration(r.IntN(500)) * time.Millisecond):
	}
	switch e {
	case crash:
		w.tally.count(kills)
		return w.crew.replace(ctx, true)
	case crashLeader:
		w.tally.count(kills)
		w.tally.count(leaderChanges)
		return w.crew.replace(ctx, true)
	case handOver:
		w.tally.count(leaderChanges)
		return w.crew.replace(ctx, false)
	case restartAPI:
		w.tally.count(apiRestarts)
		return w.Plane.RestartAPIServer(ctx)
	}
	return nil
}

// disturb draws and does a cell's part of a round.
func (c *cell) disturb(ctx context.Context, number int) error {
	r := random(c.seed, "cell", c.namespace, fmt.Sprint(number))
	t := drawTrouble(r)
	for _, at := range c.places() {
		// A view is only as harmless as said where it is all that is wrong.
		if c.weather.gather(at, r); t == partView || t == noView {
			c.weather.clear(at)
		}
	}
	if err := parallel(c.sources, func(s *source) error { return s.disturb(ctx, number) }); err != nil {
		return err
	}
	if t == noTrouble {
		return nil
	}
	return c.suffer(ctx, t)
}

// disturb draws and does a source's part of a round: two steps, each with changes in
// the cloud, a stranger's edits and a sync.
func (s *source) disturb(ctx context.Context, number int) error {
	r := random(s.seed, "source", s.environment, fmt.Sprint(number))
	for range 2 {
		s.bringBack()
		for range r.IntN(3) {
			s.change(r)
		}
		if chance(r, 35) {
			if err := s.edit(ctx, r); err != nil {
				return err
			}
		}
		if chance(r, 2) {
			if err := s.storm(ctx, 40); err != nil {
				return err
			}
		}
		if err := s.syncSeveral(ctx, 1); err != nil {
			return err
		}
	}
	s.bringBack()
	return nil
}
