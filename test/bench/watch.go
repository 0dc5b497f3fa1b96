// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

const mergePatch = types.MergePatchType

// waitMost is how long a scenario waits for something that must come.
const waitMost = 15 * time.Minute

// timed does something and returns how long it took from then until an object, of the kind
// of a list, in a namespace, was seen to fulfil a condition.
func (s *scene) timed(ctx context.Context, list client.ObjectList, namespace, name string, do func() error, fulfilled func(client.Object) bool) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, waitMost)
	defer cancel()
	what := fmt.Sprintf("%T %s/%s", list, namespace, name)
	watched, err := s.k8s.Watch(ctx, list, client.InNamespace(namespace), client.MatchingFields{"metadata.name": name})
	if err != nil {
		return 0, fmt.Errorf("watching %s: %w", what, err)
	}
	defer watched.Stop()
	start := time.Now()
	if err := do(); err != nil {
		return 0, err
	}
	for e := range watched.ResultChan() {
		o, ok := e.Object.(client.Object)
		if !ok {
			return 0, fmt.Errorf("watching %s: %v", what, e.Object)
		}
		if fulfilled(o) {
			return time.Since(start), nil
		}
	}
	return 0, fmt.Errorf("waiting for %s: %w; the manager's log ends in\n%s", what, ctx.Err(), s.manager.Tail())
}
