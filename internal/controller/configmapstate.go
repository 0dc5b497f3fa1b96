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

// configMaps knows which ConfigMaps are not as they should be. It is safe for concurrent use.
type configMaps struct {
	mu sync.Mutex
	// states are by observation.
	states map[types.NamespacedName]*configMapState
	// failures say why a ConfigMap is not as it should be, by observation.
	failures map[types.NamespacedName]configMapFailure
	// wake has the failures of a source reported; nil if there is no manager.
	wake chan event.GenericEvent
}

type configMapFailure struct {
	source types.NamespacedName
	failure
}

// configMapState is what the manager knows of the ConfigMap of one observation. The work queue hands
// an observation to one worker at a time, so only that worker uses it.
type configMapState struct {
	// retry is the last write, if it failed.
	retry *retry[configMapWrite]
	// requestedAt is the last request for a sync of the source.
	requestedAt string
	// repairs bounds how often the ConfigMap is written, so that two writers who disagree do not go
	// at full speed. The limit is that of observations.
	repairs *rate.Limiter
}

// configMapWrite is a ConfigMap to create or to change.
type configMapWrite struct {
	// existing is the ConfigMap as it is, or nil to create it.
	existing *corev1.ConfigMap
	// desired is the ConfigMap as it should be.
	desired *corev1.ConfigMap
}

// sameConfigMapWrite reports whether a write wants the same as one that failed. If the ConfigMap is
// gone meanwhile, creating it is another write.
func sameConfigMapWrite(failed, w configMapWrite) bool {
	return (failed.existing == nil || w.existing != nil) && mirror.SameConfigMap(failed.desired, w.desired)
}

// get returns the state of an observation's ConfigMap.
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

// forget drops the state of an observation that is gone or has no ConfigMap.
func (c *configMaps) forget(key types.NamespacedName) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.states, key)
}

// asked makes a failed write due if a person asked for a sync since, because that person may have
// removed the cause.
func (s *configMapState) asked(requestedAt string) {
	if requestedAt != s.requestedAt {
		s.requestedAt = requestedAt
		s.retry.hurry()
	}
}

// next returns the wait until a failed write is due; 0 if none failed.
func (s *configMapState) next(now time.Time) time.Duration {
	if s.retry == nil {
		return 0
	}
	return max(s.retry.next.Sub(now), time.Millisecond)
}

// failure says why the last write failed; nil if it did not, or if that may pass.
func (s *configMapState) failure() *failure {
	if !s.retry.lasts() || errors.Is(s.retry.err, errStopped) {
		return nil
	}
	return unwritten(s.retry.err.Error())
}

// put notes why an observation's ConfigMap could not be written; f is nil if it was written. If
// that is new, put returns the source, which must report it; otherwise nil.
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

// failure says which ConfigMaps of a source are not as they should be, and why the first of them is
// not; nil if all are.
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
	if len(names) > 1 {
		message += "; the others: " + mirror.Names(names[1:])
	}
	return &failure{reason: why.reason, message: message}
}
