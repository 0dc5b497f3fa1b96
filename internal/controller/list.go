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

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
	"github.com/ccloud-dev/inventory-operator/internal/mirror"
)

// listed is one kind's listing and how it went.
type listed struct {
	listing *mirror.Listing // nil if the kind could not be listed
	outcome outcome
}

// list asks the cloud for every kind the pass's source mirrors, side by side: one kind's
// failure never stops the other. Where it is not the source's turn to use its
// credential's request budget, it asks nothing and returns how long to wait. The
// error is the context's; whatever goes wrong with the cloud or the credential is
// in the outcomes.
func (r *Reconciler) list(ctx context.Context, p *pass) ([]listed, time.Duration, error) {
	source := p.source
	results := make([]listed, len(kinds))
	if !mirrorsAny(source) {
		return results, 0, nil
	}
	connection, err := r.connect(ctx, p)
	var unconnected *failure
	if err != nil && !errors.As(err, &unconnected) {
		return nil, 0, err
	}
	if unconnected == nil {
		if wait := connection.budget.Turn(source.Namespace + "/" + source.Name); wait > 0 {
			return nil, wait, nil
		}
	}
	var wait sync.WaitGroup
	for i := range kinds {
		if !kinds[i].Mirrored(source) {
			continue
		}
		if unconnected != nil {
			results[i].outcome = outcome{tried: true, failure: unconnected}
			continue
		}
		wait.Go(func() { results[i] = r.listKind(ctx, &kinds[i], connection, source) })
	}
	wait.Wait()
	for i := range results {
		if results[i].outcome.tried {
			r.Metrics.Synced(kinds[i].Name, resultOf(results[i].outcome))
		}
	}
	return results, 0, ctx.Err()
}

// listKind lists one kind within the source's timeout.
func (r *Reconciler) listKind(ctx context.Context, k *kind, c *connection, source *v1alpha1.InventorySource) listed {
	ctx, cancel := context.WithTimeout(ctx, source.GetTimeout())
	defer cancel()
	start := r.Clock.Now()
	observations, incomplete, err := k.list(ctx, c.Client, source)
	result := listed{outcome: outcome{tried: true, failure: failed(errors.Join(err, incomplete))}}
	r.Metrics.Listed(k.Name, r.Clock.Since(start))
	if err != nil {
		return result
	}
	result.listing = &mirror.Listing{
		Observations: observations,
		Complete:     incomplete == nil,
		Scope:        scope(k, c, source),
		End:          r.Clock.Now(),
	}
	return result
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

// scope hashes all that decides what a listing can see: the endpoint, the API key
// and the kind's filter. It is kept in the status, so the key's secret is no part of
// it; the cloud gives every secret a key of its own.
func scope(k *kind, c *connection, source *v1alpha1.InventorySource) string {
	// Marshalling strings and slices of them cannot fail.
	text, _ := json.Marshal([]any{c.endpoint, c.credential.Key, k.filter(source)})
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
