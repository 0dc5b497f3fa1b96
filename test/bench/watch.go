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

// watched is a watch of some objects.
type watched struct {
	what   string
	events watch.Interface
	// begin begins the watch again.
	begin func(context.Context) (watch.Interface, error)
}

// watch begins to watch the objects of a list's kind in a namespace, or the one of
// that name. Objects that exist come first.
func (s *scene) watch(ctx context.Context, list client.ObjectList, namespace, name string) (*watched, error) {
	options := []client.ListOption{client.InNamespace(namespace)}
	if name != "" {
		options = append(options, client.MatchingFields{"metadata.name": name})
	}
	what := fmt.Sprintf("%T %s/%s", list, namespace, name)
	begin := func(ctx context.Context) (watch.Interface, error) {
		events, err := s.k8s.Watch(ctx, list, options...)
		if err != nil {
			return nil, fmt.Errorf("watching %s: %w", what, err)
		}
		return events, nil
	}
	events, err := begin(ctx)
	if err != nil {
		return nil, err
	}
	return &watched{what, events, begin}, nil
}

// until waits for an object that was seen to fulfil a condition, and returns the
// moment. A watch that the API server ends, as it may, is begun again, and objects that
// were seen may then be seen again.
func (w *watched) until(ctx context.Context, fulfilled func(client.Object) bool) (time.Time, error) {
	waiting, cancel := context.WithTimeout(ctx, waitMost)
	defer cancel()
	for {
		select {
		case <-waiting.Done():
			return time.Time{}, fmt.Errorf("waiting for %s: %w", w.what, waiting.Err())
		case e, open := <-w.events.ResultChan():
			if !open {
				var err error
				if w.events, err = w.begin(ctx); err != nil {
					return time.Time{}, err
				}
				continue
			}
			o, ok := e.Object.(client.Object)
			if !ok {
				return time.Time{}, fmt.Errorf("watching %s: %v", w.what, e.Object)
			}
			if fulfilled(o) {
				return time.Now(), nil
			}
		}
	}
}

func (w *watched) stop() { w.events.Stop() }
