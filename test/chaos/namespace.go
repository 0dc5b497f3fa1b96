// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"

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

// secretName is the name of the Secret in each namespace.
const secretName = "ccloud"

// testNamespace is a namespace with a credential, and with two sources that use the credential. It
// shares only the managers and the API server with other namespaces.
type testNamespace struct {
	*harness
	index     int
	namespace string
	key       cloudsim.Key
	// keys is how many keys the namespace has had so far.
	keys    int
	sources []*source
	// discovers reports whether a discovery makes the sources of the namespace. If not, a user
	// makes them.
	discovers bool
	// listings counts the listings of environments that were requested.
	listings atomic.Int64
}

// source is an InventorySource, and its environment in the cloud.
type source struct {
	*testNamespace
	name, environment string
	// letter is a part of the IDs of this source's objects. The two sources have different letters.
	letter string
	uid    types.UID
	// templates has the objects from which new objects are copied.
	templates cloudsim.Inventory
	// usual is the approximate number of clusters that there should be.
	usual int
	// made is how many objects were made so far.
	made int
	// removed has a function for each object that was removed for a while. The function adds the
	// object again.
	removed []func()

	// wasAbsent has the IDs of objects that were absent from the inventory at some time since the
	// source was last settled.
	wasAbsent map[string]bool
	// uids has the UIDs of the observations when the source was last settled. now has those of the
	// last read. The keys are names.
	uids, now map[string]types.UID
	// leaked says where a credential was found since the source was last settled.
	leaked []string
	// tokens is how many syncs were requested so far.
	tokens int
}

func newNamespace(h *harness, index int) *testNamespace {
	n := &testNamespace{harness: h, index: index, namespace: fmt.Sprintf("chaos-%d", index), discovers: index == namespaceCount-1}
	n.newKey()
	for i := range 2 {
		s := &source{testNamespace: n, name: []string{"prod", "dev"}[i], letter: []string{"p", "d"}[i], environment: fmt.Sprintf("env-chaos%d%d", index, i),
			usual: 6 + 2*index, wasAbsent: map[string]bool{}, uids: map[string]types.UID{}}
		if index == 0 && i == 0 {
			s.usual = 104 // more than one page of the cloud
		}
		if n.discovers {
			s.name = s.environment
		}
		s.fill()
		n.sources = append(n.sources, s)
	}
	return n
}

// targets returns every kind and environment that is listed for the namespace.
func (n *testNamespace) targets() []target {
	var all []target
	for _, s := range n.sources {
		for _, k := range kinds {
			all = append(all, target{s.environment, k.path})
		}
	}
	if n.discovers {
		all = append(all, target{path: environmentsPath})
	}
	return all
}

// newKey replaces the namespace's key in the cloud. The new secret has characters that must be
// escaped in a URL, in JSON and in a header.
func (n *testNamespace) newKey() {
	if n.key.ID != "" {
		n.Cloud.RemoveKey(n.key.ID)
	}
	n.keys++
	r := random(n.seed, "key", n.namespace, fmt.Sprint(n.keys))
	n.key = cloudsim.Key{ID: "CK" + text(r, "ABCDEFGHJKLMNPQRSTUVWXYZ234567", 14), Secret: text(r, "abcdefXYZ0189+/&<", 40) + "/+&<"}
	n.leaks.add(n.key)
	n.Cloud.AddKey(n.key)
}

func text(r *rand.Rand, alphabet string, n int) string {
	var b strings.Builder
	for range n {
		b.WriteByte(alphabet[r.IntN(len(alphabet))])
	}
	return b.String()
}

// create creates the namespace and its objects in the cluster.
func (n *testNamespace) create(ctx context.Context) error {
	if err := n.admin.Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: n.namespace}}); err != nil {
		return err
	}
	if err := n.writeSecret(ctx); err != nil {
		return err
	}
	if n.discovers {
		return n.createDiscovery(ctx)
	}
	for _, s := range n.sources {
		object := &v1alpha1.InventorySource{ObjectMeta: metav1.ObjectMeta{Name: s.name, Namespace: n.namespace}, Spec: s.spec()}
		if err := n.admin.Create(ctx, object); err != nil {
			return err
		}
		s.uid = object.UID
	}
	return nil
}

// spec is the source's spec. It is the same if a user or a discovery writes it.
func (s *source) spec() v1alpha1.InventorySourceSpec {
	return v1alpha1.InventorySourceSpec{
		Environment: s.environment, Endpoint: s.cloudProxy.URL, Credentials: s.credentials(), MirrorSettings: mirrorSettings(),
	}
}

func mirrorSettings() v1alpha1.MirrorSettings {
	settings := v1alpha1.MirrorSettings{
		Interval: ptr.To(metav1.Duration{Duration: interval}),
		Timeout:  ptr.To(metav1.Duration{Duration: timeout}),
	}
	for _, k := range kinds {
		*k.policy(&settings) = v1alpha1.MirrorPolicyMirror
	}
	return settings
}

func (n *testNamespace) credentials() v1alpha1.Credentials {
	return v1alpha1.Credentials{APIKey: &v1alpha1.APIKeyCredential{
		SecretRef: v1alpha1.SecretReference{LocalReference: v1alpha1.LocalReference{Name: secretName}},
	}}
}

// writeSecret writes the present key into the namespace's Secret.
func (n *testNamespace) writeSecret(ctx context.Context) error {
	return persist(ctx, func(ctx context.Context) error {
		secret := &corev1.Secret{
			ObjectMeta: metav1.ObjectMeta{Name: secretName, Namespace: n.namespace},
			StringData: map[string]string{v1alpha1.SecretKeyAPIKey: n.key.ID, v1alpha1.SecretKeyAPISecret: n.key.Secret},
		}
		err := n.admin.Create(ctx, secret)
		if apierrors.IsAlreadyExists(err) {
			err = n.admin.Update(ctx, secret)
		}
		return err
	})
}

// removeSecret deletes the namespace's Secret.
func (n *testNamespace) removeSecret(ctx context.Context) error {
	return persist(ctx, func(ctx context.Context) error {
		return client.IgnoreNotFound(n.admin.Delete(ctx, &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: secretName, Namespace: n.namespace}}))
	})
}

// read reads the source and its observations from the cluster.
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
			_ = meta.EachListItem(list, func(o runtime.Object) error { // It is a list, and the function returns no error.
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

// ask requests a sync. It returns the token that the status shows when the sync is over. If the
// source does not exist, ask returns no error, because settle reports that.
func (s *source) ask(ctx context.Context) (token string, err error) {
	s.tokens++
	token = fmt.Sprintf("%s-%s-%d", s.namespace, s.name, s.tokens)
	return token, client.IgnoreNotFound(s.annotate(ctx, map[string]string{v1alpha1.AnnotationRequestedAt: token}))
}

// parallel calls do for every member at the same time, and joins the errors.
func parallel[T any](members []T, do func(T) error) error {
	errs := make([]error, len(members))
	var wait sync.WaitGroup
	for i, m := range members {
		wait.Go(func() { errs[i] = do(m) })
	}
	wait.Wait()
	return errors.Join(errs...)
}
