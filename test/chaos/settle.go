// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
)

// handled waits until the source's status shows the token. It reports whether that happened before
// the deadline.
func (s *source) handled(ctx context.Context, token string, deadline time.Time) (bool, error) {
	key := client.ObjectKey{Namespace: s.namespace, Name: s.name}
	return s.follow(ctx, key, &v1alpha1.InventorySourceList{}, deadline, func(o client.Object) bool {
		object := o.(*v1alpha1.InventorySource)
		s.searchStatus(object)
		return object.Status.LastHandledReconcileAt == token
	})
}

// searchStatus searches the source's status for a credential now, because the next sync may replace
// the status.
func (s *source) searchStatus(object *v1alpha1.InventorySource) {
	if leak := s.leaks.find([]byte(inJSON(object))); leak != "" && len(s.leaked) == 0 {
		s.leaked = append(s.leaked, fmt.Sprintf("its status has %s", leak))
	}
}

// settle requests syncs until the observations match the inventory. It returns what still differs
// at the deadline. If a prune is held and its objects are really gone, settle approves the prune,
// as a person would.
func (s *source) settle(ctx context.Context, deadline time.Time) ([]string, error) {
	for {
		token, err := s.ask(ctx)
		if err != nil {
			return nil, err
		}
		handled, err := s.handled(ctx, token, deadline)
		if err != nil {
			return nil, err
		}
		object, observations, err := s.read(ctx)
		if apierrors.IsNotFound(err) && !time.Now().Before(deadline) {
			return []string{"the source is not there"}, nil
		}
		if apierrors.IsNotFound(err) {
			continue // handled has already waited.
		}
		if err != nil {
			return nil, err
		}
		differing := append(s.differs(object, observations), s.differsFromDiscovery(ctx, object)...)
		if s.now = uidsOf(observations); len(differing) == 0 {
			return nil, nil
		}
		if !handled {
			return append(differing, "the last sync asked for was not answered"), nil
		}
		if !time.Now().Before(deadline) {
			return differing, nil
		}
		if err := s.approve(ctx, object, observations); err != nil {
			return nil, err
		}
	}
}

// differs returns what is wrong in the source and in its observations.
func (s *source) differs(object *v1alpha1.InventorySource, observations []v1alpha1.Observation) []string {
	want := expect(s.Cloud, s.environment)
	return append(differences(object, s.Cloud.Mode(), want, observations), unsettled(object, want)...)
}

// uidsOf returns the UIDs of observations. The key is the name.
func uidsOf(observations []v1alpha1.Observation) map[string]types.UID {
	uids := map[string]types.UID{}
	for _, o := range observations {
		uids[o.GetName()] = o.GetUID()
	}
	return uids
}

// digestIn finds the digests of held prunes in the message of a condition.
var digestIn = regexp.MustCompile(regexp.QuoteMeta(v1alpha1.AnnotationApprovePrune) + `=([0-9a-f]+)`)

// approve approves the held prune, if all missing objects are really gone.
func (s *source) approve(ctx context.Context, object *v1alpha1.InventorySource, observations []v1alpha1.Observation) error {
	held := meta.FindStatusCondition(object.Status.Conditions, v1alpha1.ConditionPruneHeld)
	if held == nil {
		return nil
	}
	for _, o := range observations {
		c := meta.FindStatusCondition(*o.Conditions(), v1alpha1.ConditionObserved)
		if c != nil && c.Status == metav1.ConditionFalse && s.exists(o.GetName()) {
			return nil
		}
	}
	var digests []string
	for _, match := range digestIn.FindAllStringSubmatch(held.Message, -1) {
		digests = append(digests, match[1])
	}
	s.tally.count(approvals)
	s.journal.note("%s/%s: a person approves %v: %s", s.namespace, s.name, digests, held.Message)
	return s.annotate(ctx, map[string]string{v1alpha1.AnnotationApprovePrune: strings.Join(digests, ",")})
}

// exists reports whether an object is in the inventory.
func (s *source) exists(id string) bool {
	return slices.ContainsFunc(kinds, func(k *kind) bool { return slices.Contains(s.ids(k), id) })
}

// existedAllAlong reports whether an object was in the inventory all the time since the source was
// last settled.
func (s *source) existedAllAlong(id string) bool { return s.exists(id) && !s.wasAbsent[id] }

// unchangedSync is a sync during which nothing changes in the cloud, and the changes that this sync
// made.
type unchangedSync struct {
	source   *source
	from, to time.Time
	// found has what changed although nothing should change.
	found []string
}

// syncUnchanged requests one more sync of a settled source, and checks whether the sync wrote
// anything.
func (s *source) syncUnchanged(ctx context.Context, deadline time.Time) (*unchangedSync, error) {
	_, before, err := s.read(ctx)
	if err != nil {
		return nil, err
	}
	q := &unchangedSync{source: s, from: time.Now()}
	token, err := s.ask(ctx)
	if err != nil {
		return nil, err
	}
	handled, err := s.handled(ctx, token, deadline)
	if err != nil {
		return nil, err
	}
	q.to = time.Now()
	if !handled {
		q.found = append(q.found, "a further sync was not answered in time")
	}
	_, after, err := s.read(ctx)
	if err != nil {
		return nil, err
	}
	q.found = append(q.found, written(before, after)...)
	if leak := s.leaks.find([]byte(inJSON(after))); leak != "" {
		s.leaked = append(s.leaked, fmt.Sprintf("an observation has %s", leak))
	}
	return q, nil
}

// written returns the names of the observations that were written between two reads.
func written(before, after []v1alpha1.Observation) []string {
	versions := map[types.UID]string{}
	for _, o := range before {
		versions[o.GetUID()] = o.GetResourceVersion()
	}
	var found []string
	for _, o := range after {
		if version, ok := versions[o.GetUID()]; !ok || version != o.GetResourceVersion() {
			found = append(found, fmt.Sprintf("%s was written although nothing had changed", o.GetName()))
		}
		delete(versions, o.GetUID())
	}
	if len(versions) > 0 {
		found = append(found, fmt.Sprintf("%d observations went although nothing had changed", len(versions)))
	}
	return found
}

// judge checks the writes that the API server logged. A further sync may write no observation. It
// may write the source's status once. If the request budget delays the sync, the status may say so
// once, before the sync's first request.
func (q *unchangedSync) judge(requests []request) []string {
	s := q.source
	found := slices.Clone(q.found)
	syncs := s.cloudProxy.listings(s.environment, q.from, q.to)
	statuses, allowed := 0, max(1, len(syncs))
	delayed := func(r request) bool { return len(syncs) > 0 && r.at.Before(slices.MinFunc(syncs, time.Time.Compare)) }
	for _, r := range requests {
		if r.by != theManager || r.namespace != s.namespace || r.at.Before(q.from) || r.at.After(q.to) {
			continue
		}
		switch {
		case r.resource == sourceResource && r.name == s.name:
			if statuses++; statuses == 1 && delayed(r) {
				allowed++
			}
		case r.observation() && s.owns(r.name):
			found = append(found, fmt.Sprintf("%s %s/%s %s was sent although nothing had changed", r.verb, r.resource, r.subresource, r.name))
		}
	}
	if statuses > allowed {
		found = append(found, fmt.Sprintf("%d writes of the source's status in %d syncs", statuses, max(1, len(syncs))))
	}
	return found
}

// owns reports whether the source had an observation with this name at the last read.
func (s *source) owns(name string) bool {
	_, ok := s.now[name]
	return ok
}
