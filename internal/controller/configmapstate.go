// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"golang.org/x/time/rate"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/event"

	"github.com/ccloud-dev/inventory-operator/internal/mirror"
)

// configMaps has the state of every observation's ConfigMap. It is safe for concurrent use.
type configMaps struct {
	mu sync.Mutex
	// states has one state for each ConfigMap. The key is the namespace and name of the
	// observation.
	states map[types.NamespacedName]*configMapState
	// failures has the ConfigMaps that could not be written or deleted, and why. The key is the
	// namespace and name of the observation.
	failures map[types.NamespacedName]configMapFailure
	// wake starts a reconcile of a source, which reports the failures of ConfigMaps in the source's
	// status. wake is nil if setupConfigMaps was not called.
	wake chan event.GenericEvent
}

type configMapFailure struct {
	source types.NamespacedName
	failure
}

// configMapState is what the manager remembers about one ConfigMap. It needs no lock, because only
// one worker at a time handles the ConfigMap.
type configMapState struct {
	// retry is the last write or deletion if it failed; otherwise nil.
	retry *retry[configMapWrite]
	// requestedAt is the last value of the source's annotation requestedAt.
	requestedAt string
	// repairs limits how often the operator writes the ConfigMap, for example while another
	// controller changes the ConfigMap again and again.
	repairs *rate.Limiter
}

// configMapWrite is a ConfigMap to create or to change.
type configMapWrite struct {
	// existing is the ConfigMap in the cluster; nil if there is none.
	existing *corev1.ConfigMap
	// desired is the ConfigMap as it should be.
	desired *corev1.ConfigMap
}

// sameConfigMapWrite reports whether w wants the same ConfigMap as the failed write. If the failed
// write was a change and w is a creation, the result is false, because someone deleted the
// ConfigMap in between.
func sameConfigMapWrite(failed, w configMapWrite) bool {
	return (failed.existing == nil || w.existing != nil) && mirror.SameConfigMap(failed.desired, w.desired)
}

// get returns the state of an observation's ConfigMap. It makes a new state if there is none.
func (c *configMaps) get(key types.NamespacedName) *configMapState {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.states == nil {
		c.states = map[types.NamespacedName]*configMapState{}
	}
	if c.states[key] == nil {
		c.states[key] = &configMapState{repairs: rate.NewLimiter(rate.Every(repairEvery), repairsAtOnce)}
	}
	return c.states[key]
}

// forget drops the state of an observation's ConfigMap.
func (c *configMaps) forget(key types.NamespacedName) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.states, key)
}

// idle reports whether the operator has not written the ConfigMap lately. After recent writes the
// state must stay, because it limits the next writes.
func (s *configMapState) idle(now time.Time) bool { return s.repairs.TokensAt(now) >= repairsAtOnce }

// asked makes a failed write due at once if a person changed the annotation requestedAt. That
// person may have removed the cause of the failure.
func (s *configMapState) asked(requestedAt string) {
	if requestedAt != s.requestedAt {
		s.requestedAt = requestedAt
		s.retry.hurry()
	}
}

// next returns the wait until the failed write is tried again; 0 if the last write did not fail.
func (s *configMapState) next(now time.Time) time.Duration {
	switch {
	case s.retry == nil:
		return 0
	case !s.retry.waiting(now):
		return time.Millisecond
	}
	return s.retry.next.Sub(now)
}

// failure returns why the last write failed. It returns nil if there is nothing to report. The
// first conflicts with another writer are not reported.
func (s *configMapState) failure() *failure {
	if !s.retry.lasts() || errors.Is(s.retry.err, errStopped) {
		return nil
	}
	return unwritten(s.retry.err.Error())
}

// put stores the failure of an observation's ConfigMap. A nil f means that the ConfigMap is as it
// should be. If f differs from the stored failure, put returns the name of the source, because the
// source's status must then change. Otherwise put returns nil.
func (c *configMaps) put(key types.NamespacedName, f *configMapFailure) *types.NamespacedName {
	c.mu.Lock()
	defer c.mu.Unlock()
	before, failed := c.failures[key]
	switch {
	case f == nil && !failed, f != nil && before == *f:
		return nil
	case f == nil:
		delete(c.failures, key)
		return &before.source
	case c.failures == nil:
		c.failures = map[types.NamespacedName]configMapFailure{}
	}
	c.failures[key] = *f
	return &f.source
}

// failure returns one failure for all failed ConfigMaps of a source. It has their names, and the
// message about the first. If no ConfigMap failed, failure returns nil.
func (c *configMaps) failure(source types.NamespacedName) *failure {
	c.mu.Lock()
	defer c.mu.Unlock()
	var names []string
	for key, f := range c.failures {
		if f.source == source {
			names = append(names, key.Name)
		}
	}
	if len(names) == 0 {
		return nil
	}
	slices.Sort(names)
	why := c.failures[types.NamespacedName{Namespace: source.Namespace, Name: names[0]}]
	message := fmt.Sprintf("%d ConfigMaps are not written, the first: %s", len(names), why.message)
	return &failure{reason: why.reason, message: withOthers(message, names)}
}
