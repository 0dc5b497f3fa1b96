// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"cmp"
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
)

// listCloud asks the cloud for the objects of every kind that the source or discovery mirrors. If
// one kind fails, listCloud goes on with the other kinds. If the sync must wait for the
// credential's rate limit, listCloud sends no request, and the result says how long to wait. An
// error means that the context ended.
func (r *Reconciler) listCloud(ctx context.Context, o owner, s *state) (syncAnswers, error) {
	wanted := mirroredKinds(o, r.owners.kinds)
	asked := syncAnswers{kindListings: make([]listing, len(r.owners.kinds)), secretVersion: s.schedule.usedVersions.secretVersion, endTime: r.Clock.Now()}
	if len(wanted) == 0 {
		return asked, nil
	}
	login := login{namespace: o.object().GetNamespace(), settings: o.settings(),
		observe: r.Metrics.ObserveCalls(r.owners.name, o.object().GetNamespace(), o.object().GetName())}
	connection, err := r.connect(ctx, login)
	var unconnected *failure
	switch {
	case err != nil && !errors.As(err, &unconnected):
		return syncAnswers{}, err
	case err == nil:
		if wait := connection.budget.Turn(r.owners.name + "/" + key(o).String()); wait.For > 0 {
			return syncAnswers{putOff: wait}, nil
		}
		unconnected = r.authorize(ctx, login.timeout, connection)
	}
	asked.secretVersion = connection.secretVersion
	var wait sync.WaitGroup
	for _, i := range wanted {
		if f := cmp.Or(unconnected, r.rightsFailure(&r.owners.kinds[i])); f != nil {
			asked.kindListings[i].outcome = outcome{tried: true, failure: f, unasked: unconnected == nil}
			continue
		}
		wait.Go(func() { asked.kindListings[i] = r.listKind(ctx, o, &r.owners.kinds[i], &s.kinds[i], connection) })
	}
	wait.Wait()
	if ctx.Err() != nil {
		return syncAnswers{}, ctx.Err()
	}
	for _, i := range wanted {
		name, went := r.owners.kinds[i].Name, asked.kindListings[i].outcome
		r.Metrics.Synced(name, resultOf(went))
		if went.failure != nil {
			log.FromContext(ctx).Info("Listing failed", "kind", name, "reason", went.failure.reason, "cause", went.failure.message)
		}
	}
	asked.endTime = r.Clock.Now()
	return asked, nil
}

// authorize makes sure that a connection with workload identity has an access token for the cloud.
// For an API key, authorize does nothing.
func (r *Reconciler) authorize(ctx context.Context, timeout time.Duration, c connection) *failure {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	return failureOf(c.Authorize(ctx))
}

// listKind lists the cloud objects of one kind. If the spec and the credential are the same as in
// the last listing, listKind does not decode unchanged objects again.
func (r *Reconciler) listKind(ctx context.Context, o owner, k *kind, known *kindState, c connection) listing {
	ctx, cancel := context.WithTimeout(ctx, o.settings().timeout)
	defer cancel()
	query := listQuery{o.object().GetGeneration(), c.scopeHash(k.listFilter(o.object()))}
	var index *cloudapi.Index
	if known.sentQuery == query {
		index = known.itemIndex
	}
	start := r.Clock.Now()
	l, incomplete, err := k.listObjects(ctx, c.Client, o.object(), index)
	l.outcome = outcome{tried: true, failure: failureOf(errors.Join(err, incomplete))}
	l.sentQuery = query
	end := r.Clock.Now()
	r.Metrics.Listed(k.Name, end.Sub(start))
	if l.sighting != nil {
		l.sighting.Complete, l.sighting.Scope, l.sighting.End = incomplete == nil, query.scope, end
	}
	return l
}

// resultOf returns the result of a listing for a metric: Succeeded, or the reason of the failure.
func resultOf(o outcome) string {
	if o.failure != nil {
		return o.failure.reason
	}
	return v1alpha1.ReasonSucceeded
}

// question returns a hash of what the spec of an owner says about the listing of a kind: the endpoint,
// the credential, the filter and the selector.
func (k *kind) question(o owner) string {
	s := o.settings()
	return hashOf(s.endpoint, s.credentials, s.selector, k.listFilter(o.object()))
}

// scopeDigits is the number of hex digits of a hash that hashOf returns.
const scopeDigits = 12

// scopeHash returns a hash of the endpoint, the ID of the credential, and the filter. API secrets
// and tokens must not be part of the hash, because users can see the hash in the status.
func (c connection) scopeHash(filter any) string {
	return hashOf(c.endpoint, c.identity, filter)
}

// hashOf returns a short hash of some values, which must be strings or built from strings.
func hashOf(values ...any) string {
	text, _ := json.Marshal(values) // Marshal cannot fail for such values.
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])[:scopeDigits]
}
