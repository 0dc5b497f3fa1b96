// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
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
	objects int // of the source, half of them clusters, half peerings
	source  *v1alpha1.InventorySource
	manager *stage.Manager
}

// open makes a scene whose cloud has what a source of so many objects mirrors.
func (b *bench) open(ctx context.Context, objects int) error {
	if err := b.enter(ctx, cloudsim.Options{}); err != nil {
		return err
	}
	b.fill(environment, objects)
	return nil
}

// fill makes so many objects in an environment of the cloud, half of each kind.
func (b *bench) fill(environment string, objects int) {
	cloudsim.Seed(b.scene.Cloud, cloudsim.SeedOptions{Environment: environment, Clusters: objects / 2, Peerings: objects - objects/2, Seed: b.seed})
}

// need returns the world with the large source, which it makes if there is none.
func (b *bench) need(ctx context.Context) (*world, error) {
	if b.world != nil && b.world.objects == b.objects {
		return b.world, nil
	}
	if err := b.open(ctx, b.objects); err != nil {
		return nil, err
	}
	took, err := b.mirror(ctx, b.objects)
	if err == nil {
		b.say("mirrored %d objects in %s", b.objects, took.Round(time.Millisecond))
	}
	return b.world, err
}

// mirror makes a namespace with a source of all that is in the cloud, under a new
// manager, and returns how long it took from creating the source until all was written.
func (b *bench) mirror(ctx context.Context, objects int) (time.Duration, error) {
	w := &world{objects: objects}
	var err error
	if w.source, err = b.scene.newSource(ctx, "large", environment); err != nil {
		return 0, err
	}
	if err := b.attend(ctx, w); err != nil {
		return 0, err
	}
	watched, err := b.scene.watch(ctx, &v1alpha1.InventorySourceList{}, w.source.Namespace, w.source.Name)
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
	return end.Sub(start), b.complete(ctx, w)
}

// attend starts a manager for a world.
func (b *bench) attend(ctx context.Context, w *world) (err error) {
	w.manager, err = b.scene.manage(ctx, append([]string{unlimited, "--concurrent-writes=" + strconv.Itoa(b.writers)}, b.managerFlags...)...)
	return err
}

// complete returns an error unless every object of the world's source is there with
// its status.
func (b *bench) complete(ctx context.Context, w *world) error {
	models, err := b.scene.models(ctx, w.source.Namespace)
	if err != nil {
		return err
	}
	whole := 0
	for _, m := range models {
		if phase, _, _ := unstructured.NestedString(m.object.Object, "status", "phase"); phase != "" {
			whole++
		}
	}
	if whole != w.objects {
		return fmt.Errorf("%d of %d observations have a status", whole, w.objects)
	}
	return nil
}
