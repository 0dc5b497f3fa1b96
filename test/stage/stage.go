// SPDX-License-Identifier: Apache-2.0

// Package stage sets up the whole scene on one machine: a local control plane
// with the operator's own manifests, the simulated cloud, and the built manager as
// a process under its own ServiceAccount. The demo plays on it, and so do the
// benchmarks and the tests of the whole program.
package stage

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/ccloud-dev/inventory-operator/test/cloudsim"
	"github.com/ccloud-dev/inventory-operator/test/controlplane"
)

// What config/default calls the manager's namespace and ServiceAccount.
const (
	Namespace      = "inventory-operator-system"
	ServiceAccount = "inventory-operator-controller-manager"
)

// The credential that the simulated cloud knows.
const (
	APIKey    = "CLOUDSIMDEMOKEY1"
	APISecret = "cloudsim-demo-secret"
)

// Options says what Start starts.
type Options struct {
	// Dir receives the manager's binary, kubeconfigs and logs. It must exist.
	Dir string
	// Manager is a manager that Build has built, for stages that share one. Default: Start builds it.
	Manager string
	// Assets and AuditLog are those of controlplane.Options.
	Assets, AuditLog string
	// WithoutControllers leaves Kubernetes' garbage collector and namespace controller to the
	// caller, who starts them by Plane.StartControllers.
	WithoutControllers bool
	// Cloud configures the simulated cloud.
	Cloud cloudsim.Options
	// Log receives what is going on. Default: nothing.
	Log io.Writer
}

// Stage is a running scene, without a manager yet.
type Stage struct {
	// Plane is the control plane, with the CRDs and the operator's roles.
	Plane *controlplane.Plane
	// Cloud is the simulated cloud, empty, which knows APIKey.
	Cloud *cloudsim.Sim
	// Server says where the simulated cloud listens.
	Server *cloudsim.Server

	root       string // the module's folder
	dir        string
	audit      string
	binary     string
	kubeconfig string
	log        io.Writer
}

// Start builds the manager and starts the control plane and the simulated cloud.
// The caller stops them with Stop. Nothing is left running after an error.
func Start(ctx context.Context, o Options) (*Stage, error) {
	s := &Stage{dir: o.Dir, audit: o.AuditLog, log: o.Log}
	if s.log == nil {
		s.log = io.Discard
	}
	if err := s.start(ctx, o); err != nil {
		return nil, errors.Join(err, s.Stop())
	}
	return s, nil
}

func (s *Stage) start(ctx context.Context, o Options) error {
	var err error
	if s.root, err = moduleRoot(); err != nil {
		return err
	}
	s.binary = o.Manager
	if s.binary == "" {
		if s.binary, err = Build(ctx, s.dir); err != nil {
			return err
		}
	}
	s.Cloud = cloudsim.New(o.Cloud)
	s.Cloud.AddKey(cloudsim.Key{ID: APIKey, Secret: APISecret})
	if s.Server, err = s.Cloud.Start(); err != nil {
		return err
	}
	s.Plane, err = controlplane.Start(ctx, controlplane.Options{
		CRDPaths:    []string{filepath.Join(s.root, "config", "crd", "bases")},
		Assets:      o.Assets,
		Controllers: !o.WithoutControllers,
		AuditLog:    o.AuditLog,
		Log:         s.log,
	})
	if err != nil {
		return err
	}
	if err := s.install(ctx); err != nil {
		return err
	}
	s.kubeconfig = filepath.Join(s.dir, "manager.kubeconfig")
	return s.Plane.ServiceAccountKubeconfig(ctx, Namespace, ServiceAccount, s.kubeconfig)
}

// Stop stops the control plane and the simulated cloud. The caller stops managers
// before.
func (s *Stage) Stop() error {
	var errs error
	if s.Plane != nil {
		errs = s.Plane.Stop()
	}
	if s.Server != nil {
		s.Server.Close()
	}
	return errs
}

// Kubeconfig returns the path of the file that managers read which API server to ask from.
func (s *Stage) Kubeconfig() string { return s.kubeconfig }

// Kubectl runs kubectl as the cluster's administrator and returns its output.
func (s *Stage) Kubectl(ctx context.Context, args ...string) (string, error) {
	return s.kubectl(ctx, nil, args...)
}

func (s *Stage) kubectl(ctx context.Context, input io.Reader, args ...string) (string, error) {
	command := exec.CommandContext(ctx, s.Plane.Kubectl(), args...)
	command.Env = s.Plane.Env()
	command.Stdin = input
	out, err := command.Output()
	if err != nil {
		return string(out), describe("kubectl "+strings.Join(args, " "), err)
	}
	return string(out), nil
}

// Apply applies manifests as the cluster's administrator.
func (s *Stage) Apply(ctx context.Context, manifests string) error {
	_, err := s.kubectl(ctx, strings.NewReader(manifests), "apply", "--server-side", "-f", "-")
	return err
}

// Build builds the manager in a folder and returns its path.
func Build(ctx context.Context, dir string) (string, error) {
	root, err := moduleRoot()
	if err != nil {
		return "", err
	}
	binary := filepath.Join(dir, "manager")
	command := exec.CommandContext(ctx, filepath.Join(root, "hack", "build"), binary)
	if _, err := command.Output(); err != nil {
		return "", describe("hack/build", err)
	}
	return binary, nil
}

// Render returns the manifests that `make deploy` applies: a base of config, with features of
// config added to it.
func (s *Stage) Render(ctx context.Context, base string, features ...string) ([]string, error) {
	command := exec.CommandContext(ctx, filepath.Join(s.root, "hack", "render"), append([]string{"manager", base}, features...)...)
	command.Env = append(os.Environ(), "KUBECTL="+s.Plane.Kubectl())
	out, err := command.Output()
	if err != nil {
		return nil, describe("hack/render", err)
	}
	return strings.Split(string(out), "\n---\n"), nil
}

// install applies config/default, but for what is here already (the CRDs) and what would need
// nodes (the Deployment).
func (s *Stage) install(ctx context.Context) error {
	return s.apply(ctx, nil, func(o *metav1.PartialObjectMetadata) bool {
		return !slices.Contains([]string{"CustomResourceDefinition", "Deployment", "Service"}, o.Kind)
	})
}

// Grant gives the manager the rights that it has with these features added to config/default,
// and takes others away.
func (s *Stage) Grant(ctx context.Context, features ...string) error {
	return s.apply(ctx, features, func(o *metav1.PartialObjectMetadata) bool {
		return o.Kind == "ClusterRole" && o.Name == "inventory-operator-manager-role"
	})
}

// apply applies what is wanted of config/default with features.
func (s *Stage) apply(ctx context.Context, features []string, wanted func(*metav1.PartialObjectMetadata) bool) error {
	documents, err := s.Render(ctx, "default", features...)
	if err != nil {
		return err
	}
	var kept []string
	for _, document := range documents {
		object := &metav1.PartialObjectMetadata{}
		if err := yaml.Unmarshal([]byte(document), object); err != nil {
			return fmt.Errorf("config/default: %w", err)
		}
		if wanted(object) {
			kept = append(kept, document)
		}
	}
	return s.Apply(ctx, strings.Join(kept, "\n---\n"))
}

// describe adds to the error of a command what it said on standard error.
func describe(what string, err error) error {
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return fmt.Errorf("%s: %w: %s", what, err, bytes.TrimSpace(exit.Stderr))
	}
	return fmt.Errorf("%s: %w", what, err)
}

// moduleRoot returns the folder of the operator's module, also for tests of other modules.
func moduleRoot() (string, error) {
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/ccloud-dev/inventory-operator").Output()
	if err != nil {
		return "", describe("go list -m", err)
	}
	return strings.TrimSpace(string(out)), nil
}
