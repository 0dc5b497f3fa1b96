// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
	"github.com/ccloud-dev/inventory-operator/test/cloudsim"
	"github.com/ccloud-dev/inventory-operator/test/stage"
)

// environment is that of the large source.
const environment = cloudsim.DefaultEnvironment

// unlimited is the manager's budget where the cloud's own pace is not what is
// measured.
const unlimited = "--requests-per-second=1000000"

// world is one large source, mirrored whole, with a manager at work.
type world struct {
	source   *v1alpha1.InventorySource
	manager  *stage.Manager
	profiler string // the address of the manager's profiles
}

// process returns the world's manager as a process.
func (w *world) process() process { return process(w.manager.PID()) }

// managerFlags are those of every manager of the large source.
func (b *bench) managerFlags(profiler string) []string {
	return []string{unlimited, "--concurrent-writes=" + strconv.Itoa(b.writers), "--pprof-bind-address=" + profiler}
}

// mirror makes a namespace with the large source in it, under a new manager, and
// returns how long it took from creating the source until all was written.
func (b *bench) mirror(ctx context.Context, during func(*world)) (time.Duration, error) {
	namespace, err := b.scene.newNamespace(ctx)
	if err != nil {
		return 0, err
	}
	w := &world{source: b.scene.newSource(namespace, "large", environment, idle)}
	if err := b.attend(ctx, w); err != nil {
		return 0, err
	}
	if during != nil {
		during(w)
	}
	watched, err := b.scene.watch(ctx, &v1alpha1.InventorySourceList{}, namespace, w.source.Name)
	if err != nil {
		return 0, err
	}
	defer watched.stop()
	start := time.Now()
	if err := b.scene.k8s.Create(ctx, w.source); err != nil {
		return 0, fmt.Errorf("source: %w", err)
	}
	end, err := watched.until(ctx, func(o client.Object) bool { return ready(o.(*v1alpha1.InventorySource)) })
	if err != nil {
		return 0, fmt.Errorf("%w\n%s", err, w.manager.Tail())
	}
	b.world = w
	// The clock has stopped. Ready must have told the truth.
	return end.Sub(start), b.complete(ctx, namespace)
}

// attend starts a manager for a world.
func (b *bench) attend(ctx context.Context, w *world) error {
	var err error
	if w.profiler, err = freeAddress(); err != nil {
		return err
	}
	w.manager, err = b.scene.manage(ctx, b.managerFlags(w.profiler)...)
	return err
}

// complete returns an error unless every object of the large source is there with
// its status.
func (b *bench) complete(ctx context.Context, namespace string) error {
	clusters, peerings := &v1alpha1.KafkaClusterObservationList{}, &v1alpha1.PeeringObservationList{}
	for _, list := range []client.ObjectList{clusters, peerings} {
		if err := b.scene.k8s.List(ctx, list, client.InNamespace(namespace)); err != nil {
			return fmt.Errorf("counting observations: %w", err)
		}
	}
	whole := 0
	for i := range clusters.Items {
		if clusters.Items[i].Status.Phase != "" {
			whole++
		}
	}
	for i := range peerings.Items {
		if peerings.Items[i].Status.Phase != "" {
			whole++
		}
	}
	if whole != b.objects() {
		return fmt.Errorf("%d of %d observations have a status", whole, b.objects())
	}
	return nil
}

// objects is how many the large source mirrors.
func (b *bench) objects() int { return b.clusters + b.peerings }

// need makes the world if there is none.
func (b *bench) need(ctx context.Context) (*world, error) {
	if b.world != nil {
		return b.world, nil
	}
	if err := b.open(ctx); err != nil {
		return nil, err
	}
	took, err := b.mirror(ctx, nil)
	if err == nil {
		b.say("mirrored %d objects in %s", b.objects(), took.Round(time.Millisecond))
	}
	return b.world, err
}

// open makes a scene whose cloud has what the large source mirrors.
func (b *bench) open(ctx context.Context) error {
	if err := b.enter(ctx, cloudsim.Options{}); err != nil {
		return err
	}
	cloudsim.Seed(b.scene.Cloud, cloudsim.SeedOptions{Environment: environment, Clusters: b.clusters, Peerings: b.peerings, Seed: b.seed})
	return nil
}
