// Package controlplane runs a local Kubernetes control plane: etcd, kube-apiserver
// and, if asked for, Kubernetes' own garbage collector and namespace controller, so that
// owned objects are deleted with their owner. Tests, the demo, benchmarks and fault
// runs use it. There are no nodes, so no pod ever runs.
//
// Its binaries come from hack/controlplane/ensure, which prints their folder.
package controlplane

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
)

const (
	etcdName        = "etcd"
	apiServerName   = "kube-apiserver"
	controllersName = "controllers"
	kubectlName     = "kubectl"

	// startTimeout is how long one component may take until it answers. The API
	// server needs about 5 s of two idle cores.
	startTimeout = 90 * time.Second
	// stopTimeout is how long one component may take to end before it is killed. etcd
	// may take long after much was deleted.
	stopTimeout = 2 * time.Minute
)

// Options says what Start starts. Its zero value is an API server and etcd, with
// state in a temporary folder.
type Options struct {
	// Assets is the folder of the binaries: kube-apiserver, etcd, kubectl, and
	// controllers if Controllers is set. Default: the environment variable
	// KUBEBUILDER_ASSETS.
	Assets string
	// CRDPaths are the files and folders of CustomResourceDefinitions to install. They
	// are served when Start returns.
	CRDPaths []string
	// Dir receives state, certificates, the kubeconfig and logs/<component>.log, and
	// outlives Stop. It must be empty or not exist. Default: a temporary folder, which
	// Stop removes.
	Dir string
	// Controllers also starts the garbage collector and the namespace controller, as
	// StartControllers does later. The garbage collector asks which kinds there are when it starts and then every 5 s: it
	// knows those of CRDPaths at once, one installed later only after up to that time.
	Controllers bool
	// AuditLog is the path of a file to which the API server appends one JSON line for
	// each request, at level Metadata: user, verb, object and answer, no bodies. It is
	// written once the answer is complete; a watch also has a line when it begins.
	AuditLog string
	// Log receives a line for each component started and stopped. Default: nothing.
	Log io.Writer
}

// Plane is a running control plane. Its methods may be called concurrently.
type Plane struct {
	assets string
	dir    string
	log    io.Writer

	config     *rest.Config
	kubeconfig string

	// mu guards what RestartAPIServer and Stop change.
	mu      sync.Mutex
	stopped bool
	// borrowed says that another program started it, and stops it.
	borrowed bool
	// removeDir says that dir is ours to remove.
	removeDir bool

	guard       *guard
	plane       *envtest.ControlPlane
	controllers *process
	logs        []*os.File
}

// Running is the environment variable with the path of an administrator's kubeconfig of a control
// plane that runs. If it is set, Start returns that one to those who want nothing but CRDs. Who runs
// one suite many times, as test/mutate does, starts one control plane for all.
const Running = "CONTROLPLANE_RUNNING"

// Start starts a control plane as o says and returns when it answers, its CRDs are
// served and its controllers run. The caller stops it with Stop.
//
// ctx bounds the start only, and is looked at between its steps. An error names the
// component and ends with the last lines of its log; nothing is left running then.
func Start(ctx context.Context, o Options) (*Plane, error) {
	assets, err := findAssets(o)
	if err != nil {
		return nil, err
	}
	p := &Plane{assets: assets, log: o.Log}
	if p.log == nil {
		p.log = io.Discard
	}
	start := p.start
	if p.kubeconfig = os.Getenv(Running); p.kubeconfig != "" && len(o.CRDPaths) > 0 && o.Dir == "" && o.AuditLog == "" && !o.Controllers {
		start, p.borrowed = p.borrow, true
	}
	if err := start(ctx, o); err != nil {
		return nil, errors.Join(err, p.Stop())
	}
	return p, nil
}

// borrow takes the steps of Start on a control plane that runs.
func (p *Plane) borrow(ctx context.Context, o Options) (err error) {
	if p.config, err = clientcmd.BuildConfigFromFlags("", p.kubeconfig); err != nil {
		return fmt.Errorf("control plane: %s: %w", Running, err)
	}
	return p.installCRDs(ctx, o)
}

// start takes the steps of Start. What has been started when one fails is for Stop.
func (p *Plane) start(ctx context.Context, o Options) error {
	steps := []func(context.Context, Options) error{
		p.makeDir,
		p.startGuard,
		p.startEtcd,
		p.startAPIServer,
		p.addAdmin,
		p.awaitDefaultNamespace,
		p.installCRDs,
		func(ctx context.Context, o Options) error {
			if !o.Controllers {
				return nil
			}
			return p.startControllers(ctx, p.assets)
		},
	}
	for _, step := range steps {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("control plane: start given up: %w", err)
		}
		if err := step(ctx, o); err != nil {
			return err
		}
	}
	return nil
}

// Config returns a copy of a client configuration of a cluster administrator, without
// client-side rate limit. It goes on working after RestartAPIServer.
func (p *Plane) Config() *rest.Config {
	config := rest.CopyConfig(p.config)
	config.QPS = -1
	return config
}

// Kubeconfig returns the path of a kubeconfig file of a cluster administrator, which
// only its owner can read. It is in the state folder.
func (p *Plane) Kubeconfig() string { return p.kubeconfig }

// EtcdURL returns where etcd is: plain HTTP, open to every process of this machine.
func (p *Plane) EtcdURL() string { return p.plane.Etcd.URL.String() }

// Kubectl returns the path of a kubectl of the same version. Run it with Env.
func (p *Plane) Kubectl() string { return filepath.Join(p.assets, kubectlName) }

// Env returns the environment in which kubectl and helm reach the plane: that of this process, with
// the kubeconfig and a cache of the plane's own. Their common cache goes by host and port for hours,
// and may hold what an earlier plane served on the same port.
func (p *Plane) Env() []string {
	return append(os.Environ(), "KUBECONFIG="+p.kubeconfig, "KUBECACHEDIR="+filepath.Join(p.dir, "kubectl"))
}

// StartControllers starts the garbage collector and the namespace controller, if Options did not,
// and returns when they run. assets is a folder that has them; "" is that of the other components.
func (p *Plane) StartControllers(ctx context.Context, assets string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.stopped:
		return errors.New("control plane: stopped, so its controllers cannot be started")
	case p.borrowed:
		return errors.New("control plane: another program's, so its controllers cannot be started")
	case p.controllers != nil:
		return errors.New("control plane: its controllers run already")
	}
	return p.startControllers(ctx, cmp.Or(assets, p.assets))
}

// RestartAPIServer stops the API server and starts it again on the same port, with the
// same certificates, keys and data: clients, kubeconfigs and tokens go on working. It
// returns when the API server answers. Requests in between fail to connect.
//
// ctx is looked at before the stop and before the start; an error names the component
// and ends with the last lines of its log. The plane must still be stopped after one.
func (p *Plane) RestartAPIServer(ctx context.Context) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.stopped:
		return errors.New("control plane: stopped, so its API server cannot be restarted")
	case p.borrowed:
		return errors.New("control plane: another program's, so its API server cannot be restarted")
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("%s: restart given up: %w", apiServerName, err)
	}
	if err := p.stopAPIServer(); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("%s: restart given up while it was stopped: %w", apiServerName, err)
	}
	return p.timed(apiServerName, "started again", p.plane.APIServer.Start)
}

// Stop ends the controllers, the API server and etcd, in this order, and removes
// the state folder if Options named none. It does what it can in spite of errors and
// returns them all. A second call does nothing and returns nil.
func (p *Plane) Stop() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.stopped || p.borrowed {
		return nil
	}
	p.stopped = true
	var failed []error
	if p.controllers != nil {
		failed = append(failed, p.timed(controllersName, "stopped", p.controllers.stop))
	}
	if p.plane != nil && p.plane.APIServer != nil {
		failed = append(failed, p.stopAPIServer())
	}
	if p.plane != nil && p.plane.Etcd != nil {
		failed = append(failed, p.timed(etcdName, "stopped", p.plane.Etcd.Stop))
	}
	if p.guard != nil {
		failed = append(failed, p.guard.dismiss())
	}
	for _, log := range p.logs {
		failed = append(failed, log.Close())
	}
	if p.removeDir {
		failed = append(failed, os.RemoveAll(p.dir))
	}
	return errors.Join(failed...)
}

func (p *Plane) stopAPIServer() error {
	return p.timed(apiServerName, "stopped", p.plane.APIServer.Stop)
}

// timed does one thing to a component and logs how long it took. Its error names the
// component and holds the end of its log.
func (p *Plane) timed(component, done string, do func() error) error {
	began := time.Now()
	if err := do(); err != nil {
		return fmt.Errorf("%s: %w\n%s", component, err, logTail(p.logPath(component)))
	}
	_, _ = fmt.Fprintf(p.log, "%s %s in %s\n", component, done, time.Since(began).Round(time.Millisecond))
	return nil
}
