// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
	"github.com/ccloud-dev/inventory-operator/test/cloudsim"
	"github.com/ccloud-dev/inventory-operator/test/stage"
)

const (
	secretName = "ccloud"
	// environment is what all sources mirror.
	environment = cloudsim.DefaultEnvironment
	// idle is an interval that no scenario lives to see the end of: syncs come when
	// they are asked for.
	idle = 24 * time.Hour
	// writers is how many writes are under way at once, the manager's and the floor's.
	writers = 32
)

// scene is a stage with what scenarios do on it.
type scene struct {
	*stage.Stage
	// k8s is the administrator's client, without a limit of its own.
	k8s client.WithWatch
	// raw reads what has no Go type.
	raw rest.Interface
	// manager is the one that was started last; nil before the first.
	manager *stage.Manager
	started int
	dir     string
}

// openScene starts a control plane and a simulated cloud.
func openScene(ctx context.Context) (*scene, error) {
	dir, err := os.MkdirTemp("", "inventory-operator-bench-")
	if err != nil {
		return nil, err
	}
	s := &scene{dir: dir}
	if s.Stage, err = stage.Start(ctx, stage.Options{Dir: dir, Log: os.Stderr}); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	if err := s.connect(); err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

func (s *scene) connect() error {
	scheme := runtime.NewScheme()
	if err := errors.Join(clientgoscheme.AddToScheme(scheme), v1alpha1.AddToScheme(scheme)); err != nil {
		return err
	}
	var err error
	if s.k8s, err = client.NewWithWatch(s.Plane.Config(), client.Options{Scheme: scheme}); err != nil {
		return err
	}
	config := s.Plane.Config()
	config.NegotiatedSerializer = clientgoscheme.Codecs
	s.raw, err = rest.UnversionedRESTClientFor(config)
	return err
}

// close ends everything that runs on the scene.
func (s *scene) close() error {
	// etcd waits for connections that are kept alive before it ends.
	etcdClient.CloseIdleConnections()
	return errors.Join(s.dismiss(), s.Stop(), os.RemoveAll(s.dir))
}

// manage starts a manager in place of the one there is, without a limit on requests to the
// cloud: the pace that the cloud allows is not what is measured.
func (b *bench) manage(ctx context.Context) (err error) {
	s := b.scene
	if err := s.dismiss(); err != nil {
		return err
	}
	s.started++
	s.manager, err = s.StartManager(ctx, fmt.Sprintf("manager-%d", s.started),
		append([]string{"--requests-per-second=1000000", "--concurrent-writes=" + strconv.Itoa(writers)}, b.managerFlags...)...)
	return err
}

// dismiss ends the manager, if there is one.
func (s *scene) dismiss() error {
	if s.manager == nil {
		return nil
	}
	manager := s.manager
	s.manager = nil
	return manager.Stop()
}

// fill makes so many objects in the cloud, half of each kind.
func (s *scene) fill(objects int) {
	cloudsim.Seed(s.Cloud, cloudsim.SeedOptions{Environment: environment, Clusters: objects / 2, Peerings: objects - objects/2, Seed: 1})
}

// newSource returns a source of all that is in the cloud, in a new namespace. It is not
// created yet.
func (s *scene) newSource(ctx context.Context) (*v1alpha1.InventorySource, error) {
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "bench-"}}
	if err := s.k8s.Create(ctx, namespace); err != nil {
		return nil, fmt.Errorf("namespace: %w", err)
	}
	err := s.k8s.Create(ctx, &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Name: secretName, Namespace: namespace.Name},
		StringData: map[string]string{
			v1alpha1.SecretKeyAPIKey: stage.APIKey, v1alpha1.SecretKeyAPISecret: stage.APISecret,
		},
	})
	return &v1alpha1.InventorySource{
		ObjectMeta: metav1.ObjectMeta{Name: "large", Namespace: namespace.Name},
		Spec: v1alpha1.InventorySourceSpec{
			Environment: environment,
			Endpoint:    s.Server.URL,
			MirrorSettings: v1alpha1.MirrorSettings{
				Interval: &metav1.Duration{Duration: idle},
				// Hundreds of pages on a busy machine.
				Timeout: &metav1.Duration{Duration: 10 * time.Minute},
			},
			Credentials: v1alpha1.Credentials{APIKey: &v1alpha1.APIKeyCredential{
				SecretRef: v1alpha1.SecretReference{LocalReference: v1alpha1.LocalReference{Name: secretName}},
			}},
		},
	}, err
}

// ready reports whether a source was synced and everything of it written.
func ready(o client.Object) bool {
	return meta.IsStatusConditionTrue(o.(*v1alpha1.InventorySource).Status.Conditions, v1alpha1.ConditionReady)
}

// sync asks for a sync of a source and returns how long it took until its status
// told of it.
func (s *scene) sync(ctx context.Context, source *v1alpha1.InventorySource) (time.Duration, error) {
	token := fmt.Sprintf("bench-%d", time.Now().UnixNano())
	patch := client.RawPatch(mergePatch, fmt.Appendf(nil, `{"metadata":{"annotations":{%q:%q}}}`, v1alpha1.AnnotationRequestedAt, token))
	return s.timed(ctx, &v1alpha1.InventorySourceList{}, source.Namespace, source.Name,
		func() error { return s.k8s.Patch(ctx, source.DeepCopy(), patch) },
		func(o client.Object) bool {
			return o.(*v1alpha1.InventorySource).Status.LastHandledReconcileAt == token && ready(o)
		})
}

// read reads a document of the API server's that is no resource.
func (s *scene) read(ctx context.Context, path string, into any) error {
	text, err := s.raw.Get().AbsPath(path).DoRaw(ctx)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return json.Unmarshal(text, into)
}

// serverSamples reads the API server's metrics.
func (s *scene) serverSamples(ctx context.Context) (samples, error) {
	body, err := s.raw.Get().AbsPath("/metrics").Stream(ctx)
	if err != nil {
		return samples{}, fmt.Errorf("the API server's metrics: %w", err)
	}
	defer body.Close()
	return parseSamples(body)
}
