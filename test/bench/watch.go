// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

const mergePatch = types.MergePatchType

// waitMost is how long a scenario waits for something that must come.
const waitMost = 15 * time.Minute

// watched is a watch of one object.
type watched struct {
	what   string
	events watch.Interface
}

// watch begins to watch the object of a list's kind that has a name in a namespace. One
// that exists comes first.
func (s *scene) watch(ctx context.Context, list client.ObjectList, namespace, name string) (*watched, error) {
	what := fmt.Sprintf("%T %s/%s", list, namespace, name)
	events, err := s.k8s.Watch(ctx, list, client.InNamespace(namespace), client.MatchingFields{"metadata.name": name})
	if err != nil {
		return nil, fmt.Errorf("watching %s: %w", what, err)
	}
	return &watched{what, events}, nil
}

// until waits for the object to fulfil a condition, and returns the moment.
func (w *watched) until(ctx context.Context, fulfilled func(client.Object) bool) (time.Time, error) {
	ctx, cancel := context.WithTimeout(ctx, waitMost)
	defer cancel()
	for {
		select {
		case <-ctx.Done():
			return time.Time{}, fmt.Errorf("waiting for %s: %w", w.what, ctx.Err())
		case e := <-w.events.ResultChan():
			o, ok := e.Object.(client.Object)
			if !ok {
				return time.Time{}, fmt.Errorf("watching %s ended: %v", w.what, e.Object)
			}
			if fulfilled(o) {
				return time.Now(), nil
			}
		}
	}
}

func (w *watched) stop() { w.events.Stop() }
