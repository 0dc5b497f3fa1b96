// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"sync"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
	"github.com/ccloud-dev/inventory-operator/internal/cloudapi"
	"github.com/ccloud-dev/inventory-operator/internal/mirror"
)

// told is what one listing of a kind told, and how it went.
type told struct {
	outcome outcome
	// sighting is nil if the kind could not be listed.
	sighting *mirror.Sighting
	// index remembers the listing's items, asked what it was a listing of.
	index *cloudapi.Index
	asked question
	// unchanged reports whether the listing told what the last one told, byte for byte.
	// Whether it is complete the outcome says.
	unchanged bool
}

// list asks the cloud for every kind the pass's source mirrors, side by side: one
// kind's failure never stops the other. Where it is not the source's turn to use its
// credential's request budget, it asks nothing and notes in the pass how long to wait.
// The error is the context's; whatever goes wrong with the cloud or the credential is
// in the outcomes.
func (r *Reconciler) list(ctx context.Context, p *pass) error {
	source := p.source
	p.told = make([]told, len(kinds))
	if !mirrorsAny(source) {
		return nil
	}
	connection, err := r.connect(ctx, login{source.Namespace, source.Name, source.GetEndpoint(), source.Spec.Credentials, &p.state.tokens, &p.secret})
	var unconnected *failure
	if err != nil && !errors.As(err, &unconnected) {
		return err
	}
	if unconnected == nil {
		if p.putOff = connection.budget.Turn(source.Namespace + "/" + source.Name); p.putOff.For > 0 {
			return nil
		}
	}
	if unconnected == nil {
		unconnected = r.authorize(ctx, source.GetTimeout(), connection)
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	var wait sync.WaitGroup
	for i := range kinds {
		if !kinds[i].Mirrored(source) {
			continue
		}
		if unconnected != nil {
			p.told[i].outcome = outcome{tried: true, failure: unconnected}
			continue
		}
		wait.Go(func() { p.told[i] = r.listKind(ctx, p, i, connection) })
	}
	wait.Wait()
	for i := range p.told {
		if o := p.told[i].outcome; o.tried {
			r.Metrics.Synced(kinds[i].Name, resultOf(o))
			if o.failure != nil {
				log.FromContext(ctx).Info("Listing failed", "kind", kinds[i].Name, "reason", o.failure.reason, "cause", o.failure.message)
			}
		}
	}
	return ctx.Err()
}

// authorize has a connection get a token, where it uses one, so that all listings ask with
// the same.
func (r *Reconciler) authorize(ctx context.Context, timeout time.Duration, c *connection) *failure {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	return failed(c.Authorize(ctx))
}

// listKind lists one kind within the source's timeout. Items that the last listing of
// the same had, byte for byte, are neither decoded nor projected.
func (r *Reconciler) listKind(ctx context.Context, p *pass, i int, c *connection) told {
	ctx, cancel := context.WithTimeout(ctx, p.source.GetTimeout())
	defer cancel()
	k, known := &kinds[i], &p.state.kinds[i]
	asked := question{p.source.Generation, c.scope(k.filter(p.source))}
	var index *cloudapi.Index
	if known.asked == asked {
		index = known.index
	}
	start := r.Clock.Now()
	t, incomplete, err := k.list(ctx, c.Client, p.source, index)
	t.outcome = outcome{tried: true, failure: failed(errors.Join(err, incomplete))}
	t.asked = asked
	end := r.Clock.Now()
	r.Metrics.Listed(k.Name, end.Sub(start))
	if t.sighting != nil {
		t.sighting.Complete, t.sighting.Scope, t.sighting.End = incomplete == nil, asked.scope, end
	}
	return t
}

// resultOf names an outcome for metrics: the reason of its condition.
func resultOf(o outcome) string {
	if o.failure != nil {
		return o.failure.reason
	}
	return v1alpha1.ReasonSucceeded
}

// scopeDigits is how many hex digits a scope has.
const scopeDigits = 12

// scope hashes all that decides what a listing can see: the endpoint, who asks and the
// filter. It is kept in the status, so a key's secret is no part of it; the cloud
// gives every secret a key of its own. Nor is a token, so that a renewed one is no change.
func (c *connection) scope(filter any) string {
	// Marshalling strings and slices of them cannot fail.
	text, _ := json.Marshal([]any{c.endpoint, c.identity, filter})
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])[:scopeDigits]
}

func mirrorsAny(source *v1alpha1.InventorySource) bool {
	for i := range kinds {
		if kinds[i].Mirrored(source) {
			return true
		}
	}
	return false
}
