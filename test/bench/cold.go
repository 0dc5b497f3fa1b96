// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"time"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
)

// cold mirrors a source into an empty namespace, and beside it has a bare client write
// the same objects.
func (b *bench) cold(ctx context.Context, r *record) error {
	r.Setup = fmt.Sprintf("%d clusters and %d peerings into an empty namespace, %d writers, %d runs of each way",
		b.clusters, b.peerings, b.writers, b.runs)
	if err := b.open(ctx); err != nil {
		return err
	}
	m := &coldMeasure{bench: b}
	if err := m.alternate(ctx); err != nil {
		return err
	}
	n := float64(b.objects())
	ours, floor := median(m.ours), median(m.floor)
	r.Figures.add("ours", n/ours, "objects/s")
	r.Figures.add("floor: bare client", n/floor, "objects/s")
	r.Figures.goal("share of the floor", floor/ours, "", ">=", 0.9)
	r.Figures.add("ours, all of it", ours, "s")
	r.Figures.add("manager's CPU", median(m.cpu), "s")
	r.Figures.add("manager's peak memory", median(m.peak)/mebibyte, "MiB")
	r.Figures.goal("writes per observation", m.writes/n, "", "=", 2)
	return nil
}

// coldMeasure gathers the runs of cold.
type coldMeasure struct {
	*bench
	ours, floor []float64 // seconds
	cpu         []float64 // seconds
	peak        []float64 // bytes
	writes      float64   // of the last run
	models      []model   // what the first run wrote
}

// alternate measures ours, floor, floor, ours and so on, so that neither has the
// younger control plane.
func (m *coldMeasure) alternate(ctx context.Context) error {
	for run := range m.runs {
		steps := []func(context.Context) error{m.measureOurs, m.measureFloor}
		if run%2 == 1 {
			steps[0], steps[1] = steps[1], steps[0]
		}
		for _, step := range steps {
			if err := step(ctx); err != nil {
				return err
			}
		}
	}
	if m.world == nil { // The last was the floor's.
		_, err := m.mirror(ctx, nil)
		return err
	}
	return nil
}

// measureOurs has a new manager mirror into a new namespace.
func (m *coldMeasure) measureOurs(ctx context.Context) error {
	if err := m.clear(ctx); err != nil {
		return err
	}
	before, err := m.scene.serverSamples(ctx)
	if err != nil {
		return err
	}
	profile := m.profile("cold")
	took, err := m.mirror(ctx, profile.begin)
	if err != nil {
		return err
	}
	if err := profile.end(ctx); err != nil {
		return err
	}
	cpu, err := m.world.process().cpu()
	if err != nil {
		return err
	}
	used, err := m.world.process().memory()
	if err != nil {
		return err
	}
	after, err := m.scene.serverSamples(ctx)
	if err != nil {
		return err
	}
	m.writes = observationWrites(after.since(before))
	m.ours = append(m.ours, took.Seconds())
	m.cpu = append(m.cpu, cpu.Seconds())
	m.peak = append(m.peak, used.peak)
	m.say("cold: ours: %s, CPU %s", took.Round(time.Millisecond), cpu)
	if m.models == nil {
		m.models, err = m.scene.models(ctx, m.world.source.Namespace)
	}
	return err
}

// measureFloor has the bare client write what the manager wrote, into a new
// namespace, with no manager at work.
func (m *coldMeasure) measureFloor(ctx context.Context) error {
	if err := m.clear(ctx); err != nil {
		return err
	}
	took, err := m.write(ctx, m.models, m.writers)
	m.say("cold: floor: %s", took.Round(time.Millisecond))
	m.floor = append(m.floor, took.Seconds())
	return err
}

// clear stops the manager and deletes what all runs have written, so that each
// begins on the same control plane.
func (m *coldMeasure) clear(ctx context.Context) error {
	if err := m.scene.stopManagers(); err != nil {
		return err
	}
	m.world = nil
	if err := m.scene.clear(ctx, m.writers); err != nil {
		return err
	}
	return m.quiet(ctx)
}

// write has a bare client write objects into a new namespace, owned by a source
// there, and returns how long it took.
func (b *bench) write(ctx context.Context, models []model, workers int) (time.Duration, error) {
	source, err := b.newOwner(ctx)
	if err != nil {
		return 0, err
	}
	objects, err := marshal(models, source)
	if err != nil {
		return 0, err
	}
	client, err := newBare(b.scene.Plane.Config())
	if err != nil {
		return 0, err
	}
	return each(ctx, len(objects), workers, func(ctx context.Context, i int) error {
		return client.create(ctx, source.Namespace, objects[i])
	})
}

// newOwner makes a source in a new namespace that is only there to own objects.
func (b *bench) newOwner(ctx context.Context) (*v1alpha1.InventorySource, error) {
	namespace, err := b.scene.newNamespace(ctx)
	if err != nil {
		return nil, err
	}
	source := b.scene.newSource(namespace, "large", environment, idle)
	source.Spec.Suspend = true
	if err := b.scene.k8s.Create(ctx, source); err != nil {
		return nil, fmt.Errorf("source: %w", err)
	}
	return source, nil
}

// observationWrites counts what the API server was asked to write of observations,
// from its metrics.
func observationWrites(s samples) float64 {
	total := 0.0
	for _, resource := range resources {
		total += writes(s, resource)
	}
	return total
}

// writes counts the writes of one resource, its subresources among them.
func writes(s samples, resource string) float64 {
	total := 0.0
	for _, verb := range []string{"POST", "PUT", "PATCH", "APPLY", "DELETE", "DELETECOLLECTION"} {
		total += s.sum("apiserver_request_total", label{"resource", resource}, label{"verb", verb})
	}
	return total
}
