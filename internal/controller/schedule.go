// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"slices"
	"time"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
	"github.com/ccloud-dev/inventory-operator/internal/mirror"
)

const (
	// confirmAfter is how soon a listing that lacked an object is followed by the
	// next, so that a deletion shows soon and not a whole interval later.
	confirmAfter = 10 * time.Second
	// firstRetry is the wait after a first failed sync. It doubles with every
	// further one, up to the interval.
	firstRetry = 10 * time.Second
	// mostRetry bounds that wait where the interval is longer.
	mostRetry = 5 * time.Minute
	// rewriteFirst is the wait after a first pass that could not write all it
	// planned, because of a conflict mostly. It doubles up to rewriteMost.
	rewriteFirst = 50 * time.Millisecond
	rewriteMost  = time.Minute
	// repairEvery and repairsAtOnce bound undoing a stranger's changes: a person's
	// are undone at once, but a controller that insists is no reason to fight at
	// full speed.
	repairEvery   = time.Second
	repairsAtOnce = 20
	// freshFor is how long a complete listing may have observations deleted. It
	// leaves time to write, and to write again after a conflict.
	freshFor = time.Minute
	// leastMaxWait bounds the wait the cloud may ask for where the interval is
	// shorter.
	leastMaxWait = 5 * time.Minute
	// leastMaxRefusal bounds the wait after a refused credential where the interval
	// is shorter. A role granted in the cloud shows after that time at the latest.
	leastMaxRefusal = 30 * time.Minute
)

// due tells whether the cloud is to be asked now.
func due(source *v1alpha1.InventorySource, m *memory, now time.Time) bool {
	requested := source.Annotations[v1alpha1.AnnotationRequestedAt]
	switch {
	case source.Spec.Suspend:
		return false
	case !m.attempted, m.generation != source.Generation:
		return true
	case requested != "" && requested != m.requested:
		return true
	case approvesHeld(source, m):
		return true
	}
	return !now.Before(m.next)
}

// approvesHeld tells whether a person approved a prune that is held. It is then
// not carried out on the word of an old listing: a new one decides.
func approvesHeld(source *v1alpha1.InventorySource, m *memory) bool {
	return slices.ContainsFunc(m.digests, func(digest string) bool {
		return digest != "" && mirror.Approved(source, digest)
	})
}

// schedule says when the sync after the one that ended now is due.
func (r *Reconciler) schedule(p *pass) {
	m, interval, now := p.memory, p.source.GetInterval(), r.Clock.Now()
	spread := func(wait time.Duration) time.Duration { return jittered(wait, r.JitterPercent, r.Random()) }
	m.refused = refusal(p)
	wait := spread(max(interval, m.refused))
	for _, plan := range p.plans {
		if plan.Unconfirmed {
			wait = min(wait, confirmAfter)
		}
	}
	for _, o := range m.outcomes {
		if o.failure == nil {
			continue
		}
		if !needsPerson(o.failure.reason) {
			retry := backoff(m.failures, firstRetry, min(interval, mostRetry))
			wait = min(wait, spread(retry))
		}
		wait = max(wait, min(o.failure.retryAfter, max(interval, leastMaxWait)))
	}
	m.next, m.look = now.Add(wait), now.Add(interval)
}

// refusal returns how long to wait because the cloud refused the credential for
// every kind there is to list, or 0. It is an interval at first and doubles from
// refusal to refusal. Where one kind can still be listed, nothing is put off.
func refusal(p *pass) time.Duration {
	refused := false
	for i, o := range p.memory.outcomes {
		if !kinds[i].Mirrored(p.source) {
			continue
		}
		if o.failure == nil || o.failure.reason != v1alpha1.ReasonUnauthenticated && o.failure.reason != v1alpha1.ReasonForbidden {
			return 0
		}
		refused = true
	}
	if !refused {
		return 0
	}
	return min(max(p.source.GetInterval(), 2*p.memory.refused), mostRefusal(p.source))
}

// mostRefusal is the longest wait after a refusal, before jitter.
func mostRefusal(source *v1alpha1.InventorySource) time.Duration {
	return max(source.GetInterval(), leastMaxRefusal)
}

// jittered spreads a wait by up to percent of it both ways, so that sources made
// at once do not ask at once for ever.
func jittered(wait time.Duration, percent int, random float64) time.Duration {
	spread := float64(wait) * float64(percent) / 100
	return wait + time.Duration(spread*(2*random-1))
}

// backoff returns the wait after so many failures in a row.
func backoff(failures int, first, most time.Duration) time.Duration {
	wait := first
	for i := 1; i < failures && wait < most; i++ {
		wait *= 2
	}
	return min(wait, most)
}
