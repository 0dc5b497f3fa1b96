// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	corev1 "k8s.io/api/core/v1"
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
	// idle is an interval that no scenario lives to see the end of: syncs come when
	// they are asked for.
	idle = 24 * time.Hour
)

// scene is a stage with what scenarios do on it.
type scene struct {
	*stage.Stage
	// k8s is the administrator's client, without a limit of its own.
	k8s client.WithWatch
	// raw reads what has no Go type.
	raw rest.Interface

	dir      string
	managers []*stage.Manager
}

// openScene starts a control plane and a simulated cloud.
func openScene(ctx context.Context, cloud cloudsim.Options, log io.Writer) (*scene, error) {
	dir, err := os.MkdirTemp("", "inventory-operator-bench-")
	if err != nil {
		return nil, err
	}
	s := &scene{dir: dir}
	if s.Stage, err = stage.Start(ctx, stage.Options{Dir: dir, Cloud: cloud, Log: log}); err != nil {
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
	return errors.Join(s.stopManagers(), s.Stop(), os.RemoveAll(s.dir))
}

// manage starts a manager; see stage.StartManager.
func (s *scene) manage(ctx context.Context, args ...string) (*stage.Manager, error) {
	m, err := s.StartManager(ctx, fmt.Sprintf("manager-%d", len(s.managers)), args...)
	if err == nil {
		s.managers = append(s.managers, m)
	}
	return m, err
}

// stopManagers ends all managers that still run.
func (s *scene) stopManagers() error {
	var errs error
	for _, m := range s.managers {
		select {
		case <-m.Ended():
		default:
			errs = errors.Join(errs, m.Stop())
		}
	}
	return errs
}

// newNamespace makes a namespace with the Secret that sources name.
func (s *scene) newNamespace(ctx context.Context) (string, error) {
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "bench-"}}
	if err := s.k8s.Create(ctx, namespace); err != nil {
		return "", fmt.Errorf("namespace: %w", err)
	}
	err := s.k8s.Create(ctx, &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Name: secretName, Namespace: namespace.Name},
		StringData: map[string]string{
			v1alpha1.SecretKeyAPIKey: stage.APIKey, v1alpha1.SecretKeyAPISecret: stage.APISecret,
		},
	})
	return namespace.Name, err
}

// newSource returns a source that mirrors an environment of the simulated cloud, in a new
// namespace. It is not created yet.
func (s *scene) newSource(ctx context.Context, name, environment string) (*v1alpha1.InventorySource, error) {
	namespace, err := s.newNamespace(ctx)
	return s.sourceIn(namespace, name, environment, idle), err
}

// sourceIn returns a source in a namespace.
func (s *scene) sourceIn(namespace, name, environment string, interval time.Duration) *v1alpha1.InventorySource {
	return &v1alpha1.InventorySource{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: namespace},
		Spec: v1alpha1.InventorySourceSpec{
			Environment: environment,
			Endpoint:    s.Server.URL,
			MirrorSettings: v1alpha1.MirrorSettings{
				Interval: &metav1.Duration{Duration: interval},
				// Hundreds of pages on a busy machine.
				Timeout: &metav1.Duration{Duration: 10 * time.Minute},
			},
			Credentials: v1alpha1.Credentials{APIKey: &v1alpha1.APIKeyCredential{
				SecretRef: v1alpha1.SecretReference{LocalReference: v1alpha1.LocalReference{Name: secretName}},
			}},
		},
	}
}

// discoveryIn returns a discovery in a namespace, whose sources are synced at that interval.
func (s *scene) discoveryIn(namespace string, interval time.Duration) *v1alpha1.EnvironmentDiscovery {
	like := s.sourceIn(namespace, "", "", interval)
	return &v1alpha1.EnvironmentDiscovery{
		ObjectMeta: metav1.ObjectMeta{Name: "org", Namespace: namespace},
		Spec: v1alpha1.EnvironmentDiscoverySpec{
			Endpoint: like.Spec.Endpoint, Credentials: like.Spec.Credentials,
			Template: v1alpha1.InventorySourceTemplate{Spec: v1alpha1.InventorySourceTemplateSpec{MirrorSettings: like.Spec.MirrorSettings}},
		},
	}
}

// ready reports whether a source was synced and everything of it written.
func ready(source *v1alpha1.InventorySource) bool {
	for _, c := range source.Status.Conditions {
		if c.Type == v1alpha1.ConditionReady {
			return c.Status == metav1.ConditionTrue
		}
	}
	return false
}

// sync asks for a sync of a source and returns how long it took until its status
// told of it.
func (s *scene) sync(ctx context.Context, source *v1alpha1.InventorySource) (time.Duration, error) {
	w, err := s.watch(ctx, &v1alpha1.InventorySourceList{}, source.Namespace, source.Name)
	if err != nil {
		return 0, err
	}
	defer w.stop()
	token := fmt.Sprintf("bench-%d", time.Now().UnixNano())
	patch := fmt.Appendf(nil, `{"metadata":{"annotations":{%q:%q}}}`, v1alpha1.AnnotationRequestedAt, token)
	start := time.Now()
	if err := s.k8s.Patch(ctx, source.DeepCopy(), client.RawPatch(mergePatch, patch)); err != nil {
		return 0, fmt.Errorf("asking for a sync: %w", err)
	}
	_, err = w.until(ctx, func(o client.Object) bool {
		seen := o.(*v1alpha1.InventorySource)
		return seen.Status.LastHandledReconcileAt == token && ready(seen)
	})
	return time.Since(start), err
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
