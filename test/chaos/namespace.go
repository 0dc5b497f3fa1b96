// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
	"github.com/ccloud-dev/inventory-operator/test/cloudsim"
)

// secretName is the name of each cell's Secret.
const secretName = "ccloud"

// cell is a part of the world that shares nothing with the others but the managers and
// the API server: a namespace, a credential, and two sources that use it.
type cell struct {
	*world
	index     int
	namespace string
	key       cloudsim.Key
	// keys counts the keys it had.
	keys    int
	sources []*source
	// discovers reports whether a discovery keeps its sources, and not a user.
	discovers bool
}

// source is one InventorySource with its environment in the cloud.
type source struct {
	*cell
	name, environment string
	// letter tells the sources of a cell apart in the names of what is made.
	letter string
	uid    types.UID
	// templates are what new objects are made like.
	templates cloudsim.Inventory
	// usual is how many clusters there should be, more or less.
	usual int
	// made counts the objects made.
	made int
	// away are objects taken out for a while, to be put back.
	away []func()

	// gone are the IDs of objects that were out of the inventory at some time since
	// the source was last settled.
	gone map[string]bool
	// uids are the observations as of then, now those as of the last reading, by name.
	uids, now map[string]types.UID
	// leaked says where a credential was found since then.
	leaked []string

	tokens int
}

func newCell(w *world, index int) *cell {
	c := &cell{world: w, index: index, namespace: fmt.Sprintf("cell-%d", index), discovers: index == cellCount-1}
	c.newKey()
	for i := range 2 {
		s := &source{cell: c, name: []string{"prod", "dev"}[i], letter: []string{"p", "d"}[i], environment: fmt.Sprintf("env-chaos%d%d", index, i),
			usual: 6 + 2*index, gone: map[string]bool{}, uids: map[string]types.UID{}}
		if index == 0 && i == 0 {
			s.usual = 104 // more than a page of the cloud
		}
		if c.discovers {
			s.name = s.environment
		}
		s.fill()
		c.sources = append(c.sources, s)
	}
	return c
}

// places returns where the cloud is asked for the cell.
func (c *cell) places() []place {
	var all []place
	for _, s := range c.sources {
		for _, k := range kinds {
			all = append(all, place{s.environment, k.path})
		}
	}
	if c.discovers {
		all = append(all, place{path: environmentsPath})
	}
	return all
}

// newKey makes the cloud know another key for the cell, and the former one no more. Its
// secret has what must be escaped in one place or another.
func (c *cell) newKey() {
	if c.key.ID != "" {
		c.Cloud.RemoveKey(c.key.ID)
	}
	c.keys++
	r := random(c.seed, "key", c.namespace, fmt.Sprint(c.keys))
	c.key = cloudsim.Key{ID: "CK" + text(r, "ABCDEFGHJKLMNPQRSTUVWXYZ234567", 14), Secret: text(r, "abcdefXYZ0189+/&<", 40) + "/+&<"}
	c.leaks.add(c.key)
	c.Cloud.AddKey(c.key)
}

func text(r *rand.Rand, alphabet string, n int) string {
	var b strings.Builder
	for range n {
		b.WriteByte(alphabet[r.IntN(len(alphabet))])
	}
	return b.String()
}

// create creates the cell's objects in the cluster.
func (c *cell) create(ctx context.Context) error {
	if err := c.admin.Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: c.namespace}}); err != nil {
		return err
	}
	if err := c.writeSecret(ctx); err != nil {
		return err
	}
	if c.discovers {
		return c.createDiscovery(ctx)
	}
	for _, s := range c.sources {
		object := &v1alpha1.InventorySource{ObjectMeta: metav1.ObjectMeta{Name: s.name, Namespace: c.namespace}, Spec: s.spec()}
		if err := c.admin.Create(ctx, object); err != nil {
			return err
		}
		s.uid = object.UID
	}
	return nil
}

// spec is what the source's spec is, whoever keeps it.
func (s *source) spec() v1alpha1.InventorySourceSpec {
	return v1alpha1.InventorySourceSpec{
		Environment: s.environment, Endpoint: s.front.URL, Credentials: s.credentials(), MirrorSettings: mirrorSettings(),
	}
}

func mirrorSettings() v1alpha1.MirrorSettings {
	return v1alpha1.MirrorSettings{
		Interval: ptr.To(metav1.Duration{Duration: interval}),
		Timeout:  ptr.To(metav1.Duration{Duration: timeout}),
		Networks: v1alpha1.NetworkSelection{Policy: v1alpha1.MirrorPolicyMirror},
	}
}

func (c *cell) credentials() v1alpha1.Credentials {
	return v1alpha1.Credentials{APIKey: &v1alpha1.APIKeyCredential{
		SecretRef: v1alpha1.SecretReference{LocalReference: v1alpha1.LocalReference{Name: secretName}},
	}}
}

// writeSecret puts the cell's present key in its Secret.
func (c *cell) writeSecret(ctx context.Context) error {
	return persist(ctx, func(ctx context.Context) error {
		secret := &corev1.Secret{
			ObjectMeta: metav1.ObjectMeta{Name: secretName, Namespace: c.namespace},
			StringData: map[string]string{v1alpha1.SecretKeyAPIKey: c.key.ID, v1alpha1.SecretKeyAPISecret: c.key.Secret},
		}
		err := c.admin.Create(ctx, secret)
		if apierrors.IsAlreadyExists(err) {
			err = c.admin.Update(ctx, secret)
		}
		return err
	})
}

// removeSecret takes the cell's Secret away.
func (c *cell) removeSecret(ctx context.Context) error {
	return persist(ctx, func(ctx context.Context) error {
		return client.IgnoreNotFound(c.admin.Delete(ctx, &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: secretName, Namespace: c.namespace}}))
	})
}

// read returns the source and its observations as they are in the cluster.
func (s *source) read(ctx context.Context) (*v1alpha1.InventorySource, []v1alpha1.Observation, error) {
	object := &v1alpha1.InventorySource{}
	var observations []v1alpha1.Observation
	err := persist(ctx, func(ctx context.Context) error {
		observations = nil
		if err := s.admin.Get(ctx, client.ObjectKey{Namespace: s.namespace, Name: s.name}, object); err != nil {
			return err
		}
		for _, k := range kinds {
			list := k.list()
			err := s.admin.List(ctx, list, client.InNamespace(s.namespace), client.MatchingFields{"spec.sourceRef.name": s.name})
			if err != nil {
				return err
			}
			_ = meta.EachListItem(list, func(o runtime.Object) error { // It is a list, and the function never fails.
				observations = append(observations, o.(v1alpha1.Observation))
				return nil
			})
		}
		return nil
	})
	return object, observations, err
}

// annotate sets annotations of the source.
func (s *source) annotate(ctx context.Context, annotations map[string]string) error {
	return persist(ctx, func(ctx context.Context) error {
		object := &v1alpha1.InventorySource{ObjectMeta: metav1.ObjectMeta{Name: s.name, Namespace: s.namespace}}
		return s.admin.Patch(ctx, object, mergePatch(map[string]any{"metadata": map[string]any{"annotations": annotations}}))
	})
}

// ask asks for a sync and returns the token that its end will show.
func (s *source) ask(ctx context.Context) (token string, err error) {
	s.tokens++
	token = fmt.Sprintf("%s-%s-%d", s.namespace, s.name, s.tokens)
	return token, s.annotate(ctx, map[string]string{v1alpha1.AnnotationRequestedAt: token})
}

// parallel does something for every member at the same time and joins the errors.
func parallel[T any](members []T, do func(T) error) error {
	errs := make([]error, len(members))
	var wait sync.WaitGroup
	for i, m := range members {
		wait.Go(func() { errs[i] = do(m) })
	}
	wait.Wait()
	return errors.Join(errs...)
}
