// SPDX-License-Identifier: Apache-2.0

package argocd

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
	"github.com/ccloud-dev/inventory-operator/test/cloudsim"
	"github.com/ccloud-dev/inventory-operator/test/gitops"
	"github.com/ccloud-dev/inventory-operator/test/stage"
)

const (
	environment = "env-git"
	namespace   = "team"
	sourceName  = "prod"
	source      = "InventorySource/" + sourceName
	// patience is how long a test waits for what happens soon on a machine that is not busy.
	patience = 3 * time.Minute

	secrets = `
apiVersion: v1
kind: Namespace
metadata: {name: ` + namespace + `}
---
apiVersion: v1
kind: Secret
metadata: {name: ccloud, namespace: ` + namespace + `}
stringData: {api-key: ` + stage.APIKey + `, api-secret: ` + stage.APISecret + `}
---
apiVersion: v1
kind: Secret
metadata: {name: broken, namespace: ` + namespace + `}
stringData: {api-key: ` + stage.APIKey + `, api-secret: wrong-secret}
`
	// manifest is a source as it lies in a repository.
	manifest = `
apiVersion: inventory.ccloud.dev/v1alpha1
kind: InventorySource
metadata:
  name: ` + sourceName + `
  labels: {app.kubernetes.io/instance: app}
spec:
  environment: ` + environment + `
  endpoint: %s
  interval: 10s
  credentials: {apiKey: {secretRef: {name: %s}}}
`
)

// scene is a running stage, and an application whose repository holds one file.
type scene struct {
	*testing.T
	*stage.Stage
	client.Client
	app application
}

func newScene(t *testing.T) *scene {
	t.Helper()
	g := NewWithT(t)
	folder := t.TempDir()
	started, err := stage.Start(t.Context(), stage.Options{Dir: folder, AuditLog: filepath.Join(folder, "audit.log"), Log: t.Output()})
	g.Expect(err).NotTo(HaveOccurred())
	t.Cleanup(func() { g.Expect(started.Stop()).To(Succeed()) })
	scheme := runtime.NewScheme()
	g.Expect(v1alpha1.AddToScheme(scheme)).To(Succeed())
	k8s, err := client.New(started.Plane.Config(), client.Options{Scheme: scheme})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(started.Apply(t.Context(), secrets)).To(Succeed())
	cloudsim.Seed(started.Cloud, cloudsim.SeedOptions{Environment: environment, Clusters: 4, Peerings: 2, Seed: 9})
	s := &scene{t, started, k8s, application{
		config: started.Plane.Config(), repository: t.TempDir(), namespace: namespace,
		healthDir: filepath.Join("..", "..", "..", "docs", "argocd"),
	}}
	s.git("init", "--quiet", "--initial-branch=main")
	return s
}

func (s *scene) git(args ...string) {
	s.Helper()
	command := exec.CommandContext(s.Context(), "git", append([]string{"-C", s.app.repository, "-c", "user.name=test", "-c", "user.email=test@example.com"}, args...)...)
	out, err := command.CombinedOutput()
	NewWithT(s.T).Expect(err).NotTo(HaveOccurred(), string(out))
}

// commit commits the source with a Secret's name; without one it removes the source.
func (s *scene) commit(secret string) {
	s.Helper()
	g := NewWithT(s.T)
	path := filepath.Join(s.app.repository, "source.yaml")
	if secret == "" {
		g.Expect(os.Remove(path)).To(Succeed())
	} else {
		g.Expect(os.WriteFile(path, fmt.Appendf(nil, manifest, s.Server.URL, secret), 0o600)).To(Succeed())
	}
	s.git("add", "--all")
	s.git("commit", "--quiet", "--message=change the source")
}

// settled syncs, and expects that nothing is left to do.
func (s *scene) settled(ctx context.Context, g Gomega, serverSide bool) shown {
	view, err := s.app.sync(ctx, serverSide)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(view.OutOfSync).To(BeEmpty())
	g.Expect(view.ToPrune).To(BeEmpty())
	return view
}

func (s *scene) clusters(ctx context.Context, g Gomega) []v1alpha1.KafkaClusterObservation {
	list := &v1alpha1.KafkaClusterObservationList{}
	g.Expect(s.List(ctx, list, client.InNamespace(namespace))).To(Succeed())
	return list.Items
}

// lastSync returns the end of the source's last whole sync.
func (s *scene) lastSync(ctx context.Context, g Gomega) time.Time {
	o := &v1alpha1.InventorySource{}
	g.Expect(s.Get(ctx, client.ObjectKey{Namespace: namespace, Name: sourceName}, o)).To(Succeed())
	g.Expect(o.Status.LastSyncTime).NotTo(BeNil())
	return o.Status.LastSyncTime.Time
}

func TestArgoCDSyncsASourceAndShowsHowItIs(t *testing.T) {
	g := NewWithT(t)
	g.SetDefaultEventuallyTimeout(patience)
	ctx := t.Context()
	s := newScene(t)

	s.commit("ccloud")
	view := s.settled(ctx, g, false)
	g.Expect(view.Results).To(ConsistOf(source + ": Synced"))
	g.Expect(view.Tree).To(HaveLen(1))
	g.Expect(view.Tree[source]).To(HaveField("Status", "Progressing"), "no operator is there yet")

	manager, err := s.StartManager(ctx, "manager")
	g.Expect(err).NotTo(HaveOccurred())
	t.Cleanup(func() { g.Expect(manager.Stop()).To(Succeed()) })
	g.Eventually(ctx, func(g Gomega) {
		view := s.settled(ctx, g, false)
		g.Expect(view.Tree[source]).To(Equal(gitops.Health{Status: "Healthy", Message: "KafkaCluster: 4 observed; Peering: 2 observed"}))
		g.Expect(view.Tree).To(HaveLen(1+4+2), "the observations are its children")
		for _, c := range s.Cloud.Clusters(environment) {
			health := map[string]string{"PROVISIONED": "Healthy", "PROVISIONING": "Progressing", "FAILED": "Degraded"}[c.Status.Phase]
			g.Expect(view.Tree["KafkaClusterObservation/"+c.ID]).To(HaveField("Status", health))
		}
	}).Should(Succeed())

	// To sync again, client-side and server-side, touches no observation.
	before, err := s.ManagerWrites(namespace, "kafkaclusterobservations")
	g.Expect(err).NotTo(HaveOccurred())
	versions := map[string]string{}
	for _, o := range s.clusters(ctx, g) {
		versions[o.Name] = o.ResourceVersion
		g.Expect(o.Annotations).To(BeEmpty())
		g.Expect(o.Labels).NotTo(HaveKey("app.kubernetes.io/instance"), "no tracking mark is copied")
	}
	s.settled(ctx, g, false)
	s.settled(ctx, g, true)
	last := s.lastSync(ctx, g)
	g.Eventually(ctx, func(g Gomega) { g.Expect(s.lastSync(ctx, g)).To(BeTemporally(">", last)) }).Should(Succeed())
	for _, o := range s.clusters(ctx, g) {
		g.Expect(o.ResourceVersion).To(Equal(versions[o.Name]))
	}
	g.Expect(s.ManagerWrites(namespace, "kafkaclusterobservations")).To(Equal(before))

	// A key that is refused shows, and deletes nothing.
	s.commit("broken")
	g.Eventually(ctx, func(g Gomega) {
		g.Expect(s.settled(ctx, g, false).Tree[source]).To(And(HaveField("Status", "Degraded"), HaveField("Message", ContainSubstring("401 Unauthorized"))))
	}).Should(Succeed())
	g.Expect(s.clusters(ctx, g)).To(HaveLen(4))

	// A source that leaves the repository is pruned; the garbage collector does the rest.
	s.commit("ccloud")
	_, err = s.app.sync(ctx, false)
	g.Expect(err).NotTo(HaveOccurred())
	s.commit("")
	view, err = s.app.sync(ctx, false)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(view.Results).To(ConsistOf(source + ": Pruned"))
	g.Eventually(ctx, func(g Gomega) { g.Expect(s.clusters(ctx, g)).To(BeEmpty()) }).Should(Succeed())
}
