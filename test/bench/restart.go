// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
)

// restarts is how often restart is measured.
const restarts = 3

// restart measures managers that start where everything is mirrored already.
func (b *bench) restart(ctx context.Context, s *section) error {
	s.setup = fmt.Sprintf("A manager started on %d observations, %d times", b.objects, restarts)
	w, err := b.need(ctx)
	if err != nil {
		return err
	}
	before, err := b.scene.serverSamples(ctx)
	if err != nil {
		return err
	}
	var took, peaks, cpus []float64
	var after counts
	for range restarts {
		if err := w.manager.Stop(); err != nil {
			return err
		}
		if err := b.quiet(ctx); err != nil {
			return err
		}
		one, err := b.firstSync(ctx, w)
		if err != nil {
			return err
		}
		if after, err = b.count(ctx, w); err != nil {
			return err
		}
		took, peaks, cpus = append(took, one.Seconds()), append(peaks, after.usage.peak), append(cpus, after.usage.cpu.Seconds())
	}
	s.add("start to first finished sync", median(took), "s")
	s.goal("observation writes", after.server.since(before).observationWrites(), "", "=", 0)
	s.add("manager's CPU", median(cpus), "s")
	s.add("peak memory", median(peaks)/mebibyte, "MiB")
	return nil
}

// firstSync starts a manager for the world and returns how long it took from then
// until the source's status told of a sync.
func (b *bench) firstSync(ctx context.Context, w *world) (time.Duration, error) {
	if err := b.scene.k8s.Get(ctx, client.ObjectKeyFromObject(w.source), w.source); err != nil {
		return 0, err
	}
	// It moves with every sync, by the interval's jitter at least.
	last := w.source.Status.NextSyncTime
	watched, err := b.scene.watch(ctx, &v1alpha1.InventorySourceList{}, w.source.Namespace, w.source.Name)
	if err != nil {
		return 0, err
	}
	defer watched.stop()
	start := time.Now()
	if err := b.attend(ctx, w); err != nil {
		return 0, err
	}
	end, err := watched.until(ctx, func(o client.Object) bool {
		source := o.(*v1alpha1.InventorySource)
		return ready(source) && !source.Status.NextSyncTime.Equal(last)
	})
	if err != nil {
		return 0, fmt.Errorf("%w\n%s", err, w.manager.Tail())
	}
	return end.Sub(start), nil
}
