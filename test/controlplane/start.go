package controlplane

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
)

// auditPolicy leaves out the stage at which a request came in, so that a request is
// one line.
const auditPolicy = `apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- level: Metadata
`

// findAssets returns the absolute path of the folder of binaries. Its error says what
// is missing and how to get it.
func findAssets(o Options) (string, error) {
	const wayOut = `set KUBEBUILDER_ASSETS="$(hack/controlplane/ensure)"`
	assets, from := o.Assets, "Options.Assets"
	if assets == "" {
		assets, from = os.Getenv("KUBEBUILDER_ASSETS"), "KUBEBUILDER_ASSETS"
	}
	if assets == "" {
		return "", fmt.Errorf("control plane: no binaries: KUBEBUILDER_ASSETS is not set; %s", wayOut)
	}
	assets, err := filepath.Abs(assets)
	if err != nil {
		return "", fmt.Errorf("control plane: %s: %w", from, err)
	}
	needed := []string{apiServerName, etcdName, kubectlName}
	if o.Controllers {
		needed = append(needed, controllersName)
	}
	for _, name := range needed {
		if _, err := exec.LookPath(filepath.Join(assets, name)); err != nil {
			return "", fmt.Errorf("control plane: %s is %s, which has no %s to run (%w); %s", from, assets, name, err, wayOut)
		}
	}
	return assets, nil
}

// makeDir makes the state folder and what is in it from the beginning.
func (p *Plane) makeDir(_ context.Context, o Options) error {
	var err error
	if o.Dir == "" {
		p.dir, err = os.MkdirTemp("", "controlplane-")
		p.removeDir = err == nil
	} else {
		p.dir, err = emptyDir(o.Dir)
	}
	for _, sub := range []string{"bin", "run", "logs", "certs", "etcd"} {
		if err == nil {
			err = os.Mkdir(filepath.Join(p.dir, sub), 0o700)
		}
	}
	if err != nil {
		return fmt.Errorf("control plane: state folder: %w", err)
	}
	return nil
}

// emptyDir makes dir if it does not exist and returns its absolute path. One that holds
// anything is refused: the certificates of an earlier plane would not fit this one's.
func emptyDir(dir string) (string, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return "", err
	}
	if len(entries) > 0 {
		return "", fmt.Errorf("%s is not empty", dir)
	}
	return dir, nil
}

func (p *Plane) startGuard(context.Context, Options) error {
	var err error
	leftover := ""
	if p.removeDir {
		leftover = p.dir
	}
	if p.guard, err = newGuard(p.runDir(), leftover); err != nil {
		return fmt.Errorf("control plane: the guard that ends it with this process: %w", err)
	}
	return nil
}

func (p *Plane) startEtcd(context.Context, Options) error {
	path, err := p.launcher(etcdName, p.assets)
	if err != nil {
		return err
	}
	log, err := p.openLog(etcdName)
	if err != nil {
		return err
	}
	etcd := &envtest.Etcd{
		Path:         path,
		DataDir:      filepath.Join(p.dir, "etcd"),
		StartTimeout: startTimeout,
		StopTimeout:  stopTimeout,
		Out:          log,
		Err:          log,
	}
	p.plane = &envtest.ControlPlane{Etcd: etcd, KubectlPath: p.Kubectl()}
	return p.timed(etcdName, "started", etcd.Start)
}

func (p *Plane) startAPIServer(_ context.Context, o Options) error {
	path, err := p.launcher(apiServerName, p.assets)
	if err != nil {
		return err
	}
	log, err := p.openLog(apiServerName)
	if err != nil {
		return err
	}
	server := &envtest.APIServer{
		Path:         path,
		CertDir:      filepath.Join(p.dir, "certs"),
		EtcdURL:      p.plane.Etcd.URL,
		StartTimeout: startTimeout,
		StopTimeout:  stopTimeout,
		Out:          log,
		Err:          log,
	}
	// As OpenShift has it: who makes an object that blocks its owner's deletion must be
	// allowed to set the owner's finalizers.
	server.Configure().Append("enable-admission-plugins", "OwnerReferencesPermissionEnforcement")
	// Left at its default of none, open watches would hold up its stop for a minute.
	server.Configure().Set("shutdown-watch-termination-grace-period", "1s")
	if err := p.configureAudit(server, o.AuditLog); err != nil {
		return err
	}
	p.plane.APIServer = server
	return p.timed(apiServerName, "started", server.Start)
}

// configureAudit makes server write an audit log to path, if there is one.
func (p *Plane) configureAudit(server *envtest.APIServer, path string) error {
	if path == "" {
		return nil
	}
	path, err := filepath.Abs(path)
	if err != nil {
		return fmt.Errorf("%s: audit log: %w", apiServerName, err)
	}
	policy := filepath.Join(p.dir, "audit-policy.yaml")
	if err := os.WriteFile(policy, []byte(auditPolicy), 0o600); err != nil {
		return fmt.Errorf("%s: audit policy: %w", apiServerName, err)
	}
	server.Configure().
		Set("audit-policy-file", policy).
		Set("audit-log-path", path).
		Set("audit-log-format", "json").
		// In megabytes. A reader of path would miss what was rotated away.
		Set("audit-log-maxsize", "100000")
	return nil
}

// addAdmin makes the administrator's configuration and kubeconfig file.
func (p *Plane) addAdmin(context.Context, Options) error {
	user, err := p.plane.AddUser(envtest.User{Name: "admin", Groups: []string{"system:masters"}}, &rest.Config{})
	if err != nil {
		return fmt.Errorf("control plane: administrator: %w", err)
	}
	p.config = user.Config()
	content, err := user.KubeConfig()
	if err != nil {
		return fmt.Errorf("control plane: administrator's kubeconfig: %w", err)
	}
	p.kubeconfig = filepath.Join(p.dir, "admin.kubeconfig")
	return writePrivate(p.kubeconfig, content)
}

// awaitDefaultNamespace waits for the namespace default, which the API server makes
// shortly after it first answers.
func (p *Plane) awaitDefaultNamespace(ctx context.Context, _ Options) error {
	clients, err := kubernetes.NewForConfig(p.Config())
	if err != nil {
		return fmt.Errorf("control plane: client: %w", err)
	}
	return p.await(ctx, apiServerName, "namespace default", func(ctx context.Context) error {
		_, err := clients.CoreV1().Namespaces().Get(ctx, metav1.NamespaceDefault, metav1.GetOptions{})
		return err
	})
}

func (p *Plane) installCRDs(_ context.Context, o Options) error {
	if len(o.CRDPaths) == 0 {
		return nil
	}
	return p.timed(apiServerName, "took the CRDs", func() error {
		_, err := envtest.InstallCRDs(p.Config(), envtest.CRDInstallOptions{
			Paths:              o.CRDPaths,
			ErrorIfPathMissing: true,
			MaxTime:            startTimeout,
		})
		return err
	})
}

// startControllers comes after installCRDs, so that the garbage collector's first look
// finds their kinds.
func (p *Plane) startControllers(ctx context.Context, assets string) error {
	path, err := p.launcher(controllersName, assets)
	if err != nil {
		return err
	}
	log, err := p.openLog(controllersName)
	if err != nil {
		return err
	}
	ready := filepath.Join(p.dir, controllersName+".ready")
	return p.timed(controllersName, "started", func() error {
		p.controllers, err = startProcess(log, path, "--kubeconfig="+p.kubeconfig, "--ready-file="+ready)
		if err != nil {
			return err
		}
		return poll(ctx, "the garbage collector", func(context.Context) error {
			if p.controllers.hasEnded() {
				return errEnded
			}
			_, err := os.Stat(ready)
			return err
		})
	})
}

// await polls get for component; its error names both.
func (p *Plane) await(ctx context.Context, component, what string, get func(context.Context) error) error {
	if err := poll(ctx, what, get); err != nil {
		return fmt.Errorf("%s: %w\n%s", component, err, logTail(p.logPath(component)))
	}
	return nil
}

// poll calls get until it succeeds, returns errEnded, or startTimeout or ctx is over.
func poll(ctx context.Context, what string, get func(context.Context) error) error {
	var last error
	err := wait.PollUntilContextTimeout(ctx, 50*time.Millisecond, startTimeout, true,
		func(ctx context.Context) (bool, error) {
			if last = get(ctx); errors.Is(last, errEnded) {
				return false, last
			}
			return last == nil, nil
		})
	if err != nil {
		return fmt.Errorf("waiting for %s: %w", what, errors.Join(err, last))
	}
	return nil
}
