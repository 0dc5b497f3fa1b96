// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
)

// need makes the large source, mirrored whole with a manager at work, unless it is there.
func (b *bench) need(ctx context.Context) error {
	if b.source != nil {
		return nil
	}
	if err := b.enter(ctx); err != nil {
		return err
	}
	b.scene.fill(b.objects)
	took, err := b.mirror(ctx)
	if err != nil {
		return err
	}
	say("mirrored %d objects in %s", b.objects, took.Round(time.Millisecond))
	_, err = b.complete(ctx, b.objects)
	return err
}

// mirror starts a manager, makes a namespace with a source of all that is in the cloud, and
// returns how long it took from creating the source until it was ready. Whether that told the
// truth, complete says.
func (b *bench) mirror(ctx context.Context) (time.Duration, error) {
	source, err := b.scene.newSource(ctx)
	if err != nil {
		return 0, err
	}
	if err := b.manage(ctx); err != nil {
		return 0, err
	}
	took, err := b.scene.timed(ctx, &v1alpha1.InventorySourceList{}, source.Namespace, source.Name,
		func() error { return b.scene.k8s.Create(ctx, source) }, ready)
	if err == nil {
		b.source = source
	}
	return took, err
}

// complete returns the observations of the source. There must be so many, each with its
// status.
func (b *bench) complete(ctx context.Context, objects int) ([]model, error) {
	models, err := b.scene.models(ctx, b.source.Namespace)
	if err != nil {
		return nil, err
	}
	whole := 0
	for _, m := range models {
		if phase, _, _ := unstructured.NestedString(m.object.Object, "status", "phase"); phase != "" {
			whole++
		}
	}
	if whole != objects {
		return nil, fmt.Errorf("%d of %d observations have a status", whole, objects)
	}
	return models, nil
}

// measure counts over n syncs of the large source that are asked for one after another,
// and returns what was counted and how long a sync took. Before each, change changes
// the cloud; nil changes nothing.
func (b *bench) measure(ctx context.Context, n int, change func(int) error) (c counts, mean time.Duration, err error) {
	before, err := b.count(ctx)
	if err != nil {
		return counts{}, 0, err
	}
	var elapsed time.Duration
	for i := range n {
		if change != nil {
			if err := change(i); err != nil {
				return counts{}, 0, err
			}
		}
		took, err := b.scene.sync(ctx, b.source)
		if err != nil {
			return counts{}, 0, err
		}
		elapsed += took
	}
	after, err := b.count(ctx)
	return after.since(before), elapsed / time.Duration(n), err
}

// restart measures managers that start where everything is mirrored already.
func (b *bench) restart(ctx context.Context, s *section) error {
	s.setup = fmt.Sprintf("A manager started on %d observations, %d times", b.objects, b.runs)
	if err := b.need(ctx); err != nil {
		return err
	}
	before, err := b.scene.serverSamples(ctx)
	if err != nil {
		return err
	}
	var took, peaks, cpus []float64
	var after counts
	for range b.runs {
		// The clock runs from the new one's start, not while this one ends.
		if err := b.scene.dismiss(); err != nil {
			return err
		}
		one, err := b.firstSync(ctx)
		if err != nil {
			return err
		}
		if after, err = b.count(ctx); err != nil {
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

// firstSync starts a manager and returns how long it took from then until the source's
// status told of a sync.
func (b *bench) firstSync(ctx context.Context) (time.Duration, error) {
	if err := b.scene.k8s.Get(ctx, client.ObjectKeyFromObject(b.source), b.source); err != nil {
		return 0, err
	}
	// It moves with every sync, by the interval's jitter at least.
	last := b.source.Status.NextSyncTime
	return b.scene.timed(ctx, &v1alpha1.InventorySourceList{}, b.source.Namespace, b.source.Name,
		func() error { return b.manage(ctx) },
		func(o client.Object) bool {
			return ready(o) && !o.(*v1alpha1.InventorySource).Status.NextSyncTime.Equal(last)
		})
}
