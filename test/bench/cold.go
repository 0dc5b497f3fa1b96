// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"time"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
)

// cold mirrors sources of several sizes into an empty namespace, and beside each has a
// bare client write the same objects.
func (b *bench) cold(ctx context.Context, s *section) error {
	s.setup = fmt.Sprintf("Objects into an empty namespace, half of them clusters, half peerings; %d writers; %d runs of each way", b.writers, b.runs)
	for _, size := range b.sizes.cold {
		if err := b.open(ctx, size); err != nil {
			return err
		}
		m := &coldMeasure{bench: b, objects: size}
		if err := m.alternate(ctx); err != nil {
			return err
		}
		m.report(s)
	}
	return nil
}

// coldMeasure gathers the runs of one size.
type coldMeasure struct {
	*bench
	objects     int
	ours, floor []float64 // seconds
	cpu         []float64 // seconds
	peak        []float64 // bytes
	writes      float64   // of the last run
	models      []model   // what the first run wrote
}

func (m *coldMeasure) report(s *section) {
	n := float64(m.objects)
	ours, floor := median(m.ours), median(m.floor)
	name := func(what string) string { return fmt.Sprintf("%d objects: %s", m.objects, what) }
	s.add(name("ours"), n/ours, "objects/s")
	s.add(name("floor: bare client"), n/floor, "objects/s")
	s.goal(name("share of the floor"), floor/ours, "", ">=", 0.9)
	s.add(name("all of it"), ours, "s")
	s.add(name("manager's CPU"), median(m.cpu), "s")
	s.add(name("manager's peak memory"), median(m.peak)/mebibyte, "MiB")
	s.goal(name("writes per observation"), m.writes/n, "", "=", 2)
}

// alternate measures ours, floor, floor, ours and so on, so that neither has the
// younger control plane, and leaves a world behind.
func (m *coldMeasure) alternate(ctx context.Context) error {
	for run := range m.runs {
		steps := []func(context.Context) error{m.measureOurs, m.measureFloor}
		if run%2 == 1 {
			steps[0], steps[1] = steps[1], steps[0]
		}
		for _, step := range steps {
			if err := m.clear(ctx); err != nil {
				return err
			}
			if err := step(ctx); err != nil {
				return err
			}
		}
	}
	if m.world == nil { // The last was the floor's.
		_, err := m.mirror(ctx, m.objects)
		return err
	}
	return nil
}

// measureOurs has a new manager mirror into a new namespace.
func (m *coldMeasure) measureOurs(ctx context.Context) error {
	before, err := m.scene.serverSamples(ctx)
	if err != nil {
		return err
	}
	took, err := m.mirror(ctx, m.objects)
	if err != nil {
		return err
	}
	after, err := m.count(ctx, m.world)
	if err != nil {
		return err
	}
	m.writes = after.server.since(before).observationWrites()
	m.ours = append(m.ours, took.Seconds())
	m.cpu = append(m.cpu, after.usage.cpu.Seconds())
	m.peak = append(m.peak, after.usage.peak)
	m.say("cold: ours: %s, CPU %s", took.Round(time.Millisecond), after.usage.cpu)
	if m.models == nil {
		m.models, err = m.scene.models(ctx, m.world.source.Namespace)
	}
	return err
}

// measureFloor has the bare client write what the manager wrote, into a new
// namespace, with no manager at work.
func (m *coldMeasure) measureFloor(ctx context.Context) error {
	owner, err := m.newOwner(ctx)
	if err != nil {
		return err
	}
	bodies := make([]body, len(m.models))
	for i, one := range m.models {
		if bodies[i], err = one.body(owner); err != nil {
			return err
		}
	}
	client, err := newBare(m.scene.Plane.Config())
	if err != nil {
		return err
	}
	took, err := each(ctx, len(bodies), m.writers, func(ctx context.Context, i int) error {
		return client.create(ctx, owner.Namespace, bodies[i])
	})
	m.say("cold: floor: %s", took.Round(time.Millisecond))
	m.floor = append(m.floor, took.Seconds())
	return err
}

// newOwner makes a source in a new namespace that is only there to own objects.
func (m *coldMeasure) newOwner(ctx context.Context) (*v1alpha1.InventorySource, error) {
	source, err := m.scene.newSource(ctx, "large", environment)
	if err != nil {
		return nil, err
	}
	source.Spec.Suspend = true
	return source, m.scene.k8s.Create(ctx, source)
}

// clear stops the manager and deletes what all runs have written, so that each
// begins on the same control plane.
func (m *coldMeasure) clear(ctx context.Context) error {
	if err := m.scene.stopManagers(); err != nil {
		return err
	}
	m.world = nil
	if err := m.scene.clear(ctx); err != nil {
		return err
	}
	return m.quiet(ctx)
}
