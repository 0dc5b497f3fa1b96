// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"os"
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
	ours, floor coldRuns
	peak        []float64 // bytes
	writes      float64   // of the last run
	ended       float64   // watches that the API server ended, of all runs
	models      []model   // what the first run wrote
}

// coldRuns are the seconds that each run of one way took, and the CPU seconds of the API
// server and of its client meanwhile.
type coldRuns struct {
	took, server, client []float64
}

func (r *coldRuns) add(took, server, client float64) {
	r.took, r.server, r.client = append(r.took, took), append(r.server, server), append(r.client, client)
}

func (m *coldMeasure) report(s *section) {
	n := float64(m.objects)
	ours, floor := median(m.ours.took), median(m.floor.took)
	name := func(what string) string { return fmt.Sprintf("%d objects: %s", m.objects, what) }
	s.add(name("ours"), n/ours, "objects/s")
	s.add(name("floor: bare client"), n/floor, "objects/s")
	s.goal(name("share of the floor"), floor/ours, "", ">=", 0.8)
	s.add(name("all of it"), ours, "s")
	s.add(name("manager's CPU"), median(m.ours.client), "s")
	s.add(name("floor: bare client's CPU"), median(m.floor.client), "s")
	s.add(name("API server's CPU"), median(m.ours.server), "s")
	s.add(name("floor: API server's CPU"), median(m.floor.server), "s")
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
	took, err := m.mirror(ctx)
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
	m.ours.add(took.Seconds(), counted.sum(cpuMetric), after.usage.cpu.Seconds())
	m.peak = append(m.peak, after.usage.peak)
	say("cold: ours: %s, CPU %s", took.Round(time.Millisecond), after.usage.cpu)
	m.models, err = m.complete(ctx, m.objects)
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
	before, err := m.scene.serverSamples(ctx)
	if err != nil {
		return err
	}
	own, err := usageOf(os.Getpid())
	if err != nil {
		return err
	}
	start := time.Now()
	err = each(ctx, len(bodies), func(ctx context.Context, i int) error {
		return m.scene.create(ctx, owner.Namespace, bodies[i])
	})
	took := time.Since(start)
	if err != nil {
		return err
	}
	say("cold: floor: %s", took.Round(time.Millisecond))
	client, err := usageOf(os.Getpid())
	if err != nil {
		return err
	}
	after, err := m.scene.serverSamples(ctx)
	m.floor.add(took.Seconds(), after.since(before).sum(cpuMetric), (client.cpu - own.cpu).Seconds())
	return err
}

// cpuMetric is the API server's count of the CPU seconds it has used.
const cpuMetric = "process_cpu_seconds_total"

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
