// SPDX-License-Identifier: Apache-2.0

package argocd

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/argoproj/argo-cd/gitops-engine/pkg/cache"
	"github.com/argoproj/argo-cd/gitops-engine/pkg/diff"
	"github.com/argoproj/argo-cd/gitops-engine/pkg/engine"
	"github.com/argoproj/argo-cd/gitops-engine/pkg/health"
	"github.com/argoproj/argo-cd/gitops-engine/pkg/sync"
	"github.com/argoproj/argo-cd/gitops-engine/pkg/utils/kube"
	"github.com/go-logr/logr"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/rest"

	"github.com/ccloud-dev/inventory-operator/test/gitops"
)

// tracking is the annotation by which Argo CD knows what an application has.
const tracking = "argocd.argoproj.io/tracking-id"

// syncTimeout is how long one sync may take.
const syncTimeout = 2 * time.Minute

// application is what is synced: the manifests of a repository's last commit.
type application struct {
	config                           *rest.Config
	repository, namespace, healthDir string
}

// shown is what Argo CD shows of an application.
type shown struct {
	// Results are the sync's, by object: "Kind/name: status".
	Results []string
	// OutOfSync are the objects that differ from the repository after the sync.
	OutOfSync []string
	// ToPrune are the objects that the application has and the repository does not.
	ToPrune []string
	// Tree is the application's objects and what these own, "Kind/name", with their health.
	Tree map[string]gitops.Health
}

// sync syncs the application with pruning, as the option ServerSideApply says, and returns what
// Argo CD shows then.
func (a *application) sync(ctx context.Context, serverSide bool) (view shown, err error) {
	ctx, cancel := context.WithTimeout(ctx, syncTimeout)
	defer cancel()
	targets, revision, err := a.manifests(ctx)
	if err != nil {
		return view, err
	}
	cluster := cache.NewClusterCache(a.config,
		cache.SetNamespaces([]string{a.namespace}), cache.SetLogr(logr.Discard()),
		cache.SetPopulateResourceInfoHandler(func(un *unstructured.Unstructured, _ bool) (any, bool) { return un.GetAnnotations()[tracking], true }))
	e := engine.NewEngine(a.config, cluster, engine.WithLogr(logr.Discard()))
	stop, err := e.Run()
	if err != nil {
		return view, err
	}
	defer stop()
	results, err := e.Sync(ctx, targets, isManaged, revision, a.namespace,
		sync.WithPrune(true), sync.WithServerSideApply(serverSide), sync.WithHealthOverride(a), sync.WithLogr(logr.Discard()))
	for _, r := range results {
		view.Results = append(view.Results, fmt.Sprintf("%s/%s: %s", r.ResourceKey.Kind, r.ResourceKey.Name, r.Status))
	}
	if err != nil {
		return view, err
	}
	if err := await(ctx, cluster, targets); err != nil {
		return view, err
	}
	return view, errors.Join(a.compare(cluster, targets, &view), a.look(cluster, targets, &view))
}

// await waits until the engine's cache shows every object of the repository: what the sync
// just created comes by a watch.
func await(ctx context.Context, cluster cache.ClusterCache, targets []*unstructured.Unstructured) error {
	for {
		live, err := cluster.GetManagedLiveObjs(targets, isManaged)
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(targets, func(o *unstructured.Unstructured) bool { return live[kube.GetResourceKey(o)] == nil }) {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting for the cache to show what was synced: %w", ctx.Err())
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func isManaged(r *cache.Resource) bool { return r.Info != "" && r.Info != nil }

// manifests returns the objects of the repository's last commit, marked as the application's,
// and the commit.
func (a *application) manifests(ctx context.Context) ([]*unstructured.Unstructured, string, error) {
	clone, err := os.MkdirTemp("", "argocd-")
	if err != nil {
		return nil, "", err
	}
	defer os.RemoveAll(clone)
	if out, err := exec.CommandContext(ctx, "git", "clone", "--quiet", a.repository, clone).CombinedOutput(); err != nil {
		return nil, "", fmt.Errorf("git clone: %w: %s", err, out)
	}
	revision, err := exec.CommandContext(ctx, "git", "-C", clone, "rev-parse", "HEAD").Output()
	if err != nil {
		return nil, "", fmt.Errorf("git rev-parse: %w", err)
	}
	files, err := filepath.Glob(filepath.Join(clone, "*.yaml"))
	if err != nil {
		return nil, "", err
	}
	var targets []*unstructured.Unstructured
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, "", err
		}
		objects, err := kube.SplitYAML(text)
		if err != nil {
			return nil, "", fmt.Errorf("%s: %w", filepath.Base(file), err)
		}
		for _, o := range objects {
			annotations := o.GetAnnotations()
			if annotations == nil {
				annotations = map[string]string{}
			}
			annotations[tracking] = fmt.Sprintf("app:%s/%s:%s/%s", o.GroupVersionKind().Group, o.GetKind(), a.namespace, o.GetName())
			o.SetAnnotations(annotations)
			o.SetNamespace(a.namespace)
		}
		targets = append(targets, objects...)
	}
	return targets, strings.TrimSpace(string(revision)), nil
}

// compare finds what is out of sync, and what would be pruned.
func (a *application) compare(cluster cache.ClusterCache, targets []*unstructured.Unstructured, view *shown) error {
	live, err := cluster.GetManagedLiveObjs(targets, isManaged)
	if err != nil {
		return err
	}
	reconciled := sync.Reconcile(targets, live, a.namespace, cluster)
	compared, err := diff.DiffArray(reconciled.Target, reconciled.Live, diff.WithLogr(logr.Discard()))
	if err != nil {
		return err
	}
	for i, d := range compared.Diffs {
		switch target, live := reconciled.Target[i], reconciled.Live[i]; {
		case target == nil:
			view.ToPrune = append(view.ToPrune, named(live))
		case d.Modified:
			view.OutOfSync = append(view.OutOfSync, named(target))
		}
	}
	slices.Sort(view.OutOfSync)
	return nil
}

// look fills the tree.
func (a *application) look(cluster cache.ClusterCache, targets []*unstructured.Unstructured, view *shown) error {
	view.Tree = map[string]gitops.Health{}
	var keys []kube.ResourceKey
	for _, target := range targets {
		keys = append(keys, kube.GetResourceKey(target))
	}
	var errs error
	cluster.IterateHierarchyV2(keys, func(r *cache.Resource, _ map[kube.ResourceKey]*cache.Resource) bool {
		if r.Resource == nil {
			return true
		}
		found, err := health.GetResourceHealth(r.Resource, a)
		errs = errors.Join(errs, err)
		if found == nil { // A kind without a notion of health.
			found = &health.HealthStatus{}
		}
		view.Tree[named(r.Resource)] = gitops.Health{Status: string(found.Status), Message: found.Message}
		return true
	})
	return errs
}

func named(o *unstructured.Unstructured) string { return o.GetKind() + "/" + o.GetName() }

// GetResourceHealth implements health.HealthOverride by the checks in the folder.
func (a *application) GetResourceHealth(o *unstructured.Unstructured) (*health.HealthStatus, error) {
	if _, err := os.Stat(filepath.Join(a.healthDir, o.GetKind())); err != nil {
		return nil, nil // Argo CD's own.
	}
	found, err := gitops.ArgoCD(a.healthDir, o.GetKind(), o.Object)
	if err != nil {
		return nil, err
	}
	return &health.HealthStatus{Status: health.HealthStatusCode(found.Status), Message: found.Message}, nil
}
