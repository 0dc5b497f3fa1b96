// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
	"github.com/ccloud-dev/inventory-operator/test/cloudsim"
)

// memoryGoals are in MiB, by the number of observations.
var memoryGoals = map[int]float64{0: 40, 10_000: 120, 20_000: 200, 100_000: 800}

const (
	// memorySource is how many objects each source mirrors, half of each kind.
	memorySource = 1000
	// memorySyncs is how often every source is synced before memory is read.
	memorySyncs = 3
	// memoryEnvironment is what all sources mirror.
	memoryEnvironment = "env-memory"
)

// memoryUse measures the resident memory of managers that were started on more
// and more observations and have synced each source some times. The first source is
// mirrored by a manager; the others, alike but for their namespace, are put straight
// into etcd, since a hundred thousand objects take the API server many minutes.
func (b *bench) memoryUse(ctx context.Context, s *section) error {
	s.setup = fmt.Sprintf("Resident memory of a new manager after %d syncs of every source, by the number of observations, %d of each source; no memory limit is set",
		memorySyncs, memorySource)
	if err := b.enter(ctx, cloudsim.Options{}); err != nil {
		return err
	}
	b.fill(memoryEnvironment, memorySource)
	atRest, err := b.settle(ctx, s, nil)
	if err != nil {
		return err
	}
	first, err := b.newMemorySource(ctx, nil)
	if err != nil {
		return err
	}
	if _, err := b.scene.sync(ctx, first); err != nil {
		return err
	}
	models, err := b.scene.models(ctx, first.Namespace)
	if err != nil {
		return err
	}
	before, err := b.scene.serverSamples(ctx)
	if err != nil {
		return err
	}
	sources := []*v1alpha1.InventorySource{first}
	resident := atRest
	for _, size := range b.memory {
		if err := b.scene.stopManagers(); err != nil {
			return err
		}
		for len(sources)*memorySource < size {
			source, err := b.newMemorySource(ctx, models)
			if err != nil {
				return err
			}
			sources = append(sources, source)
		}
		if resident, err = b.settle(ctx, s, sources); err != nil {
			return err
		}
	}
	after, err := b.scene.serverSamples(ctx)
	if err != nil {
		return err
	}
	stored, err := storedSize(models, first)
	if err != nil {
		return err
	}
	size := len(sources) * memorySource
	s.add(fmt.Sprintf("per observation, at %d", size), (resident-atRest)/float64(size), "B")
	s.add("stored in etcd, per observation", stored, "B")
	server := func(m samples) float64 { return m.sum("process_resident_memory_bytes") / mebibyte }
	s.add(fmt.Sprintf("the API server's memory, at %d", memorySource), server(before), "MiB")
	s.add(fmt.Sprintf("the API server's memory, at %d", size), server(after), "MiB")
	// Else what is in etcd were not what the manager would have written.
	s.goal("observation writes", after.since(before).observationWrites(), "", "=", 0)
	return nil
}

// storedSize returns how many bytes an observation is in etcd on average, with its
// key.
func storedSize(models []model, owner *v1alpha1.InventorySource) (float64, error) {
	total := 0
	for _, m := range models {
		key, value, err := m.stored(owner)
		if err != nil {
			return 0, err
		}
		total += len(key) + len(value)
	}
	return float64(total) / float64(len(models)), nil
}

// newMemorySource makes a source and puts all that it would mirror into etcd: models.
func (b *bench) newMemorySource(ctx context.Context, models []model) (*v1alpha1.InventorySource, error) {
	source, err := b.scene.newSource(ctx, "memory", memoryEnvironment)
	if err != nil {
		return nil, err
	}
	if err := b.scene.k8s.Create(ctx, source); err != nil {
		return nil, err
	}
	return source, b.scene.plant(ctx, models, source, b.writers)
}

// settle starts a new manager, has it sync every source, and returns its memory, in
// bytes.
func (b *bench) settle(ctx context.Context, s *section, sources []*v1alpha1.InventorySource) (float64, error) {
	w := &world{}
	if err := b.attend(ctx, w); err != nil {
		return 0, err
	}
	for range memorySyncs {
		for _, source := range sources {
			if _, err := b.scene.sync(ctx, source); err != nil {
				return 0, fmt.Errorf("%w\n%s", err, w.manager.Tail())
			}
		}
	}
	used, err := usageOf(w.manager.PID())
	if err != nil {
		return 0, err
	}
	size := len(sources) * memorySource
	name := fmt.Sprintf("at %d observations", size)
	if goal, there := memoryGoals[size]; there {
		s.goal(name, used.resident/mebibyte, "MiB", "<=", goal)
	} else {
		s.add(name, used.resident/mebibyte, "MiB")
	}
	s.add(name+", peak", used.peak/mebibyte, "MiB")
	if size == 0 {
		s.add(name+", pages of the binary", used.binary/mebibyte, "MiB")
	}
	b.say("memory: %s: %.0f MiB, peak %.0f MiB", name, used.resident/mebibyte, used.peak/mebibyte)
	n, err := b.scene.observations(ctx)
	if err == nil && n != size {
		err = fmt.Errorf("%d observations are there, not %d", n, size)
	}
	return used.resident, err
}
