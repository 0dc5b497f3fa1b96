// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"
)

// violation is something that must not happen, and where it happened.
type violation struct {
	// where is the name of the source, or of something else.
	where string
	what  string
}

// round disturbs everything for a while, ends the disturbances, and then checks what must hold. The
// error says why the run cannot go on.
func (h *harness) round(ctx context.Context, number int, p plannedRound) error {
	h.tally.round = number
	h.journal.note("round %d: %s, pair %t, mode %s, disturbance %s", number, p.event, p.pair, p.mode, p.disturbance)
	if number == 1 || p.pair != (len(h.managers.slots) > 1) {
		if err := h.managers.start(ctx, p.pair); err != nil {
			return err
		}
	}
	if number == 1 {
		if err := parallel(h.namespaces, func(n *testNamespace) error { return n.awaitSources(ctx) }); err != nil {
			return err
		}
	}
	h.Cloud.SetMode(p.mode)
	h.Cloud.Intercept(h.faults.intercept)
	r := random(h.seed, "api", fmt.Sprint(number))
	f := drawAPIFault(r)
	if f != noAPIFault {
		h.tally.count(apiFaults)
	}
	h.journal.note("round %d: the API server: %s", number, f)
	h.apiProxy.setFault(f, r)
	if err := h.disturb(ctx, number, p.event); err != nil {
		return err
	}
	h.Cloud.ClearFaults()
	h.apiProxy.setFault(noAPIFault, r)
	h.journal.note("round %d: faults end", number)
	wrong, err := h.doDisturbance(ctx, number, p.disturbance)
	if err != nil {
		return err
	}
	h.journal.note("round %d: disturbance ends: %s", number, p.disturbance)
	violations, err := h.check(ctx, time.Now().Add(2*interval+extraTime[p.event]))
	if err != nil {
		return err
	}
	violations = append(wrong, violations...)
	h.journal.note("round %d: checked", number)
	h.tally.report(h, violations)
	for _, v := range violations {
		h.journal.note("round %d: VIOLATION: %s: %s", number, v.where, v.what)
	}
	if len(violations) > 0 {
		return h.keepState(ctx, number)
	}
	return nil
}

// disturb does all disturbances of a round at the same time. It returns when they are done.
func (h *harness) disturb(ctx context.Context, number int, e event) error {
	does := []func() error{func() error {
		return h.disturbProcesses(ctx, e, random(h.seed, "processes", fmt.Sprint(number)))
	}}
	for _, n := range h.namespaces {
		does = append(does, func() error { return n.disturb(ctx, number) })
	}
	return parallel(does, func(do func() error) error { return do() })
}

// disturbProcesses does the round's event at a random moment.
func (h *harness) disturbProcesses(ctx context.Context, e event, r *rand.Rand) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(time.Duration(r.IntN(500)) * time.Millisecond):
	}
	switch e {
	case managerKilled:
		h.tally.count(kills)
		return h.managers.replace(ctx, true)
	case leaderKilled:
		h.tally.count(kills)
		h.tally.count(leaderChanges)
		return h.managers.replace(ctx, true)
	case leaderStops:
		h.tally.count(leaderChanges)
		return h.managers.replace(ctx, false)
	case apiRestart:
		h.tally.count(apiRestarts)
		return h.Plane.RestartAPIServer(ctx)
	}
	return nil
}

// disturb draws and does the part of a round that concerns a namespace.
func (n *testNamespace) disturb(ctx context.Context, number int) error {
	r := random(n.seed, "namespace", n.namespace, fmt.Sprint(number))
	f := drawCredentialFault(r)
	for _, at := range n.targets() {
		// hides looks at whole listings. So if a view hides objects, no other fault may happen.
		if n.faults.draw(at, r); f == partView || f == noView {
			n.faults.clear(at)
		}
	}
	if err := parallel(n.sources, func(s *source) error { return s.disturb(ctx, number) }); err != nil {
		return err
	}
	if f == noCredentialFault {
		return nil
	}
	return n.applyCredentialFault(ctx, f)
}

// disturb draws and does the part of a round that concerns a source. There are two steps. Each step
// has changes in the cloud, edits of a stranger, and a sync.
func (s *source) disturb(ctx context.Context, number int) error {
	r := random(s.seed, "source", s.environment, fmt.Sprint(number))
	for range 2 {
		s.putBack()
		for range r.IntN(3) {
			s.change(r)
		}
		if chance(r, 35) {
			if err := s.edit(ctx, r); err != nil {
				return err
			}
		}
		if chance(r, 2) {
			if err := s.requestMany(ctx, 40); err != nil {
				return err
			}
		}
		if err := s.syncSeveral(ctx, 1); err != nil {
			return err
		}
	}
	s.putBack()
	return nil
}
