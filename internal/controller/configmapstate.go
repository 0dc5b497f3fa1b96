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

// configMaps has the state of each observation's ConfigMap, and the failures that sources report.
// It is safe for concurrent use.
type configMaps struct {
	mu sync.Mutex
	// states has the state of each observation's ConfigMap. The key is the observation.
	states map[types.NamespacedName]*configMapState
	// failures says why a ConfigMap is not as it should be. The key is the observation.
	failures map[types.NamespacedName]configMapFailure
	// wake sends a source to the controller of sources, which then reports the failures of the
	// source's ConfigMaps. It is nil if there is no manager.
	wake chan event.GenericEvent
}

type configMapFailure struct {
	source types.NamespacedName
	failure
}

// configMapState is what the manager remembers of the ConfigMap of one observation. The work queue
// gives an observation to one worker at a time, so a state needs no lock.
type configMapState struct {
	// retry is the last write if it failed; otherwise nil.
	retry *retry[configMapWrite]
	// requestedAt is the last value of the source's annotation requestedAt.
	requestedAt string
	// repairs limits how often the ConfigMap is written. So two writers who disagree do not write
	// at full speed. Repairs of observations have the same limit.
	repairs *rate.Limiter
}

// configMapWrite is a ConfigMap to create or to change.
type configMapWrite struct {
	// existing is the ConfigMap as it is; nil if the write creates it.
	existing *corev1.ConfigMap
	// desired is the ConfigMap as it should be.
	desired *corev1.ConfigMap
}

// sameConfigMapWrite reports whether w wants the same ConfigMap as the write that failed. If the
// failed write was a change and w is a creation, they differ: the ConfigMap was deleted in between.
func sameConfigMapWrite(failed, w configMapWrite) bool {
	return (failed.existing == nil || w.existing != nil) && mirror.SameConfigMap(failed.desired, w.desired)
}

// get returns the state of an observation's ConfigMap. It makes one if there is none.
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

// forget drops the state of an observation that is gone or no longer has a ConfigMap.
func (c *configMaps) forget(key types.NamespacedName) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.states, key)
}

// idle reports whether the state can be forgotten: the ConfigMap was not written lately. The limit
// of writes must stay if someone makes the ConfigMap again after each deletion.
func (s *configMapState) idle(now time.Time) bool { return s.repairs.TokensAt(now) >= repairsAtOnce }

// asked makes a failed write due at once if requestedAt has changed. The person who asked for the
// sync may have removed the cause of the failure.
func (s *configMapState) asked(requestedAt string) {
	if requestedAt != s.requestedAt {
		s.requestedAt = requestedAt
		s.retry.hurry()
	}
}

// next returns how long to wait until the failed write is due; 0 if the last write did not fail.
func (s *configMapState) next(now time.Time) time.Duration {
	switch {
	case s.retry == nil:
		return 0
	case !s.retry.waiting(now):
		return time.Millisecond
	}
	return s.retry.next.Sub(now)
}

// failure says why the last write failed. It returns nil if the write did not fail, did not begin,
// or failed in a way that is not reported yet.
func (s *configMapState) failure() *failure {
	if !s.retry.lasts() || errors.Is(s.retry.err, errStopped) {
		return nil
	}
	return unwritten(s.retry.err.Error())
}

// put records f, the failure of an observation's ConfigMap. f is nil if the ConfigMap is as it
// should be. If f differs from the last record, put returns the source, which must report the
// change. Otherwise put returns nil.
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

// failure names the ConfigMaps of a source that are not as they should be, and says why the first
// of them is not. It returns nil if all are as they should be.
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
