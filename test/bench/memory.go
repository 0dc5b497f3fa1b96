// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"

	"sigs.k8s.io/controller-runtime/pkg/client"

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
func (b *bench) memoryUse(ctx context.Context, r *record) error {
	r.Setup = fmt.Sprintf("resident memory of a new manager after %d syncs of every source, by the number of observations, %d of each source; no memory limit is set",
		memorySyncs, memorySource)
	if err := b.enter(ctx, cloudsim.Options{}); err != nil {
		return err
	}
	cloudsim.Seed(b.scene.Cloud, cloudsim.SeedOptions{
		Environment: memoryEnvironment, Clusters: memorySource / 2, Peerings: memorySource / 2, Seed: b.seed})
	atRest, err := b.settle(ctx, r, nil)
	if err != nil {
		return err
	}
	var sources []*v1alpha1.InventorySource
	first, err := b.mirrorFirst(ctx)
	if err != nil {
		return err
	}
	sources = append(sources, first)
	models, err := b.scene.models(ctx, first.Namespace)
	if err != nil {
		return err
	}
	before, err := b.scene.serverSamples(ctx)
	if err != nil {
		return err
	}
	perObservation := 0.0
	for _, size := range b.memory {
		if err := b.scene.stopManagers(); err != nil {
			return err
		}
		for len(sources)*memorySource < size {
			source, err := b.copySource(ctx, models)
			if err != nil {
				return err
			}
			sources = append(sources, source)
		}
		resident, err := b.settle(ctx, r, sources)
		if err != nil {
			return err
		}
		perObservation = (resident - atRest) / float64(len(sources)*memorySource)
	}
	after, err := b.scene.serverSamples(ctx)
	if err != nil {
		return err
	}
	size := len(sources) * memorySource
	r.Figures.add(fmt.Sprintf("per observation, at %d", size), perObservation, "B")
	stored, err := storedSize(models, first)
	if err != nil {
		return err
	}
	r.Figures.add("stored in etcd, per observation", stored, "B")
	server := func(s samples) float64 { return s.sum("process_resident_memory_bytes") / mebibyte }
	r.Figures.add(fmt.Sprintf("the API server's memory, at %d", memorySource), server(before), "MiB")
	r.Figures.add(fmt.Sprintf("the API server's memory, at %d", size), server(after), "MiB")
	// Else what is in etcd were not what the manager would have written.
	r.Figures.goal("observation writes", observationWrites(after.since(before)), "", "=", 0)
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

// mirrorFirst has the manager at work mirror the first source.
func (b *bench) mirrorFirst(ctx context.Context) (*v1alpha1.InventorySource, error) {
	namespace, err := b.scene.newNamespace(ctx)
	if err != nil {
		return nil, err
	}
	source := b.scene.newSource(namespace, "memory", memoryEnvironment, idle)
	if err := b.scene.k8s.Create(ctx, source); err != nil {
		return nil, fmt.Errorf("source: %w", err)
	}
	_, err = b.scene.sync(ctx, source)
	return source, err
}

// copySource makes a further source, with all it would mirror. No manager may be at
// work.
func (b *bench) copySource(ctx context.Context, models []model) (*v1alpha1.InventorySource, error) {
	namespace, err := b.scene.newNamespace(ctx)
	if err != nil {
		return nil, err
	}
	source := b.scene.newSource(namespace, "memory", memoryEnvironment, idle)
	if err := b.scene.k8s.Create(ctx, source); err != nil {
		return nil, fmt.Errorf("source: %w", err)
	}
	return source, b.scene.plant(ctx, models, source, b.writers)
}

// settle starts a new manager, has it sync every source, and reads its memory, in
// bytes.
func (b *bench) settle(ctx context.Context, r *record, sources []*v1alpha1.InventorySource) (float64, error) {
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
	used, err := w.process().memory()
	if err != nil {
		return 0, err
	}
	size := len(sources) * memorySource
	name := fmt.Sprintf("at %d observations", size)
	if goal, there := memoryGoals[size]; there {
		r.Figures.goal(name, used.resident/mebibyte, "MiB", "<=", goal)
	} else {
		r.Figures.add(name, used.resident/mebibyte, "MiB")
	}
	r.Figures.add(name+", peak", used.peak/mebibyte, "MiB")
	if size == 0 {
		r.Figures.add(name+", pages of the binary", used.binary/mebibyte, "MiB")
	}
	b.say("memory: %s: %.0f MiB, peak %.0f MiB", name, used.resident/mebibyte, used.peak/mebibyte)
	return used.resident, b.counted(ctx, size)
}

// counted returns an error unless so many observations are there.
func (b *bench) counted(ctx context.Context, want int) error {
	n := 0
	for _, resource := range resources {
		list, err := b.scene.listMetadata(ctx, resource, client.Limit(1))
		if err != nil {
			return err
		}
		n += len(list.Items)
		if list.RemainingItemCount != nil {
			n += int(*list.RemainingItemCount)
		}
	}
	if n != want {
		return fmt.Errorf("%d observations are there, not %d", n, want)
	}
	return nil
}
