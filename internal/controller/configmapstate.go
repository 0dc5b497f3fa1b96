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

// configMaps remembers how the writes of every observation's ConfigMap went. It is safe for
// concurrent use.
type configMaps struct {
	mu sync.Mutex
	// states has one state for each observation's ConfigMap. The key is the namespace and name of
	// the observation.
	states map[types.NamespacedName]*configMapState
	// failures says why a ConfigMap could not be written or deleted. The key is the namespace and
	// name of the observation.
	failures map[types.NamespacedName]configMapFailure
	// sourceEvents is a channel. If a source is sent to this channel, the operator reconciles the
	// source, so that its status reports failures of ConfigMaps. If setupConfigMaps was not called,
	// the channel is nil.
	sourceEvents chan event.GenericEvent
}

type configMapFailure struct {
	source types.NamespacedName
	failure
}

// configMapState is what the manager remembers about one ConfigMap. The fields need no lock,
// because one worker at a time handles a ConfigMap.
type configMapState struct {
	// lastFailure has the error of the last write or deletion of the ConfigMap; nil if there was no
	// error.
	lastFailure *retry[configMapWrite]
	// requestedAt is the value that the source's annotation requestedAt had when the operator last
	// reconciled this ConfigMap.
	requestedAt string
	// repairs limits how often the operator writes the ConfigMap. Without this limit, the operator
	// and another client could overwrite each other without a pause.
	repairs *rate.Limiter
}

// configMapWrite is a ConfigMap to create or to change.
type configMapWrite struct {
	// existing is the ConfigMap in the cluster; nil if there is none.
	existing *corev1.ConfigMap
	// desired is the ConfigMap as it should be.
	desired *corev1.ConfigMap
}

// sameConfigMapWrite returns true if w would only repeat the failed write. Both writes then give
// the ConfigMap the same content. The result is false if the failed write was a change and w is a
// creation: someone deleted the ConfigMap after the failed write.
func sameConfigMapWrite(failed, w configMapWrite) bool {
	return (failed.existing == nil || w.existing != nil) && mirror.SameConfigMap(failed.desired, w.desired)
}

// get returns the state of an observation's ConfigMap. If there is no state yet, get makes one.
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

// repairsIdle returns true if the earlier writes of the ConfigMap are too old to count for the rate
// limit s.repairs. Do not drop the state while the result is false: with a new state, the operator
// could write the ConfigMap too often.
func (s *configMapState) repairsIdle(now time.Time) bool {
	return s.repairs.TokensAt(now) >= repairsAtOnce
}

// retryIfRequested lets the operator repeat a failed write at once if the source's annotation
// requestedAt has a new value. A person changes this annotation to ask for a sync.
func (s *configMapState) retryIfRequested(requestedAt string) {
	if requestedAt != s.requestedAt {
		s.requestedAt = requestedAt
		s.lastFailure.makeDue()
	}
}

// untilNextTry returns how long to wait before the failed write is tried again; 0 if the last write
// did not fail.
func (s *configMapState) untilNextTry(now time.Time) time.Duration {
	switch {
	case s.lastFailure == nil:
		return 0
	case !s.lastFailure.mustWait(now):
		return time.Millisecond
	}
	return s.lastFailure.nextTry.Sub(now)
}

// failure returns the failure that the source's status must report. The result is nil if there is
// nothing to report, for example after a first conflict with another client.
func (s *configMapState) failure() *failure {
	if !s.lastFailure.mustReport() || errors.Is(s.lastFailure.err, errStopped) {
		return nil
	}
	return writeFailure(s.lastFailure.err.Error())
}

// put stores the failure f of an observation's ConfigMap. If f is nil, put removes the stored
// failure. If f differs from the stored failure, put returns the name of the source, so that the
// caller can reconcile the source. If not, put returns nil.
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

// failure returns one failure about all failed ConfigMaps of a source; nil if there are none. The
// message has the sorted names of these ConfigMaps, and why the first of them failed.
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
