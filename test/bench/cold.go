// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
)

// cold mirrors sources of two sizes into an empty namespace, and beside each has a
// bare client write the same objects.
func (b *bench) cold(ctx context.Context, s *section) error {
	s.setup = fmt.Sprintf("Objects into an empty namespace, half of them clusters, half peerings; %d writers; %d runs of each way", writers, b.runs)
	for _, size := range []int{b.objects / 10, b.objects} {
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
	ended       float64   // watches that the API server ended, of all runs
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
	s.goal(name("watches ended for falling behind"), m.ended, "", "=", 0)
}

// alternate measures ours and the floor in turn, each on a control plane of its own, and
// ours once more, which leaves the large source behind.
func (m *coldMeasure) alternate(ctx context.Context) error {
	for range m.runs {
		if err := m.measureOurs(ctx); err != nil {
			return err
		}
		if err := m.measureFloor(ctx); err != nil {
			return err
		}
	}
	return m.measureOurs(ctx)
}

// measureOurs has a manager mirror into a namespace.
func (m *coldMeasure) measureOurs(ctx context.Context) error {
	if err := m.enter(ctx); err != nil {
		return err
	}
	m.scene.fill(m.objects)
	before, err := m.scene.serverSamples(ctx)
	if err != nil {
		return err
	}
	took, err := m.mirror(ctx, m.objects)
	if err != nil {
		return err
	}
	after, err := m.count(ctx)
	if err != nil {
		return err
	}
	counted := after.server.since(before)
	m.writes = counted.observationWrites()
	m.ended += counted.sum("apiserver_terminated_watchers_total")
	m.ours = append(m.ours, took.Seconds())
	m.cpu = append(m.cpu, after.usage.cpu.Seconds())
	m.peak = append(m.peak, after.usage.peak)
	say("cold: ours: %s, CPU %s", took.Round(time.Millisecond), after.usage.cpu)
	m.models, err = m.scene.models(ctx, m.source.Namespace)
	return err
}

// measureFloor has a bare client write what the manager wrote, with no manager at work:
// client-go's, with bodies that are already marshalled, and answers that are read and
// dropped.
func (m *coldMeasure) measureFloor(ctx context.Context) error {
	if err := m.enter(ctx); err != nil {
		return err
	}
	owner, err := m.scene.newSource(ctx)
	if err != nil {
		return err
	}
	if err := m.scene.k8s.Create(ctx, owner); err != nil {
		return err
	}
	bodies := make([]body, len(m.models))
	for i, one := range m.models {
		if bodies[i], err = one.body(owner); err != nil {
			return err
		}
	}
	start := time.Now()
	err = each(ctx, len(bodies), func(ctx context.Context, i int) error {
		return m.scene.create(ctx, owner.Namespace, bodies[i])
	})
	took := time.Since(start)
	say("cold: floor: %s", took.Round(time.Millisecond))
	m.floor = append(m.floor, took.Seconds())
	return err
}

// create creates an object and patches its status.
func (s *scene) create(ctx context.Context, namespace string, o body) error {
	path := "/apis/" + v1alpha1.GroupVersion.String() + "/namespaces/" + namespace + "/" + o.resource
	_, err := s.raw.Post().AbsPath(path).SetHeader("Content-Type", "application/json").Body(o.object).DoRaw(ctx)
	if err == nil {
		_, err = s.raw.Patch(mergePatch).AbsPath(path, o.name, "status").Body(o.status).DoRaw(ctx)
	}
	if err != nil {
		return fmt.Errorf("bare client: %s: %w", o.name, err)
	}
	return nil
}

// each calls do for 0 to n-1 with as many workers as there are writers, and returns the
// first error.
func each(ctx context.Context, n int, do func(context.Context, int) error) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(writers)
	for i := range n {
		group.Go(func() error { return do(ctx, i) })
	}
	return group.Wait()
}
