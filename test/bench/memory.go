// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
)

// memoryGoals are in MiB, by the number of observations.
var memoryGoals = map[int]float64{0: 45, 10_000: 130, 20_000: 200, 100_000: 800}

// memorySyncs is how often every source is synced before memory is read.
const memorySyncs = 3

// memory measures the resident memory of managers that were started on more
// and more observations and have synced each source some times. The first source is
// mirrored by a manager; the others, alike but for their namespace, are put straight
// into etcd, since a hundred thousand objects take the API server many minutes.
func (b *bench) memory(ctx context.Context, s *section) error {
	each := b.objects / 20
	s.setup = fmt.Sprintf("Resident memory of a new manager after %d syncs of every source, by the number of observations, %d of each source; no memory limit is set",
		memorySyncs, each)
	if err := b.enter(ctx); err != nil {
		return err
	}
	b.scene.fill(each)
	atRest, err := b.settle(ctx, s, nil, 0)
	if err != nil {
		return err
	}
	if _, err := b.mirror(ctx); err != nil {
		return err
	}
	sources := []*v1alpha1.InventorySource{b.source}
	models, err := b.complete(ctx, each)
	if err != nil {
		return err
	}
	b.source = nil // It is not the large one.
	before, err := b.scene.serverSamples(ctx)
	if err != nil {
		return err
	}
	resident := 0.0
	for _, n := range []int{1, 10, 20, 100} {
		// It would mirror a source before all of it is planted.
		if err := b.scene.dismiss(); err != nil {
			return err
		}
		for len(sources) < n {
			source, err := b.plantSource(ctx, models)
			if err != nil {
				return err
			}
			sources = append(sources, source)
		}
		if resident, err = b.settle(ctx, s, sources, n*each); err != nil {
			return err
		}
	}
	after, err := b.scene.serverSamples(ctx)
	if err != nil {
		return err
	}
	stored := 0
	for _, m := range models {
		key, value, err := m.stored(sources[0])
		if err != nil {
			return err
		}
		stored += len(key) + len(value)
	}
	size := len(sources) * each
	s.add(fmt.Sprintf("per observation, at %d", size), (resident-atRest)/float64(size), "B")
	s.add("stored in etcd, per observation", float64(stored)/float64(len(models)), "B")
	server := func(m samples) float64 { return m.sum("process_resident_memory_bytes") / mebibyte }
	s.add(fmt.Sprintf("the API server's memory, at %d", each), server(before), "MiB")
	s.add(fmt.Sprintf("the API server's memory, at %d", size), server(after), "MiB")
	// Else what is in etcd were not what the manager would have written.
	s.goal("observation writes", after.since(before).observationWrites(), "", "=", 0)
	return nil
}

// plantSource makes a source and puts all that it would mirror into etcd: models.
func (b *bench) plantSource(ctx context.Context, models []model) (*v1alpha1.InventorySource, error) {
	source, err := b.scene.newSource(ctx)
	if err != nil {
		return nil, err
	}
	if err := b.scene.k8s.Create(ctx, source); err != nil {
		return nil, err
	}
	return source, b.scene.plant(ctx, models, source)
}

// settle starts a new manager on so many observations, has it sync every source, and
// returns its memory, in bytes.
func (b *bench) settle(ctx context.Context, s *section, sources []*v1alpha1.InventorySource, size int) (float64, error) {
	if err := b.manage(ctx); err != nil {
		return 0, err
	}
	for range memorySyncs {
		for _, source := range sources {
			if _, err := b.scene.sync(ctx, source); err != nil {
				return 0, err
			}
		}
	}
	used, err := usageOf(b.scene.manager.PID())
	if err != nil {
		return 0, err
	}
	name := fmt.Sprintf("at %d observations", size)
	if goal, there := memoryGoals[size]; there {
		s.goal(name, used.resident/mebibyte, "MiB", "<=", goal)
	} else {
		s.add(name, used.resident/mebibyte, "MiB")
	}
	if size == 0 {
		s.add(name+", pages of the binary", used.binary/mebibyte, "MiB")
	}
	say("memory: %s: %.0f MiB, peak %.0f MiB", name, used.resident/mebibyte, used.peak/mebibyte)
	n, err := b.scene.observations(ctx)
	if err == nil && n != size {
		err = fmt.Errorf("%d observations are there, not %d", n, size)
	}
	return used.resident, err
}
