// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
	"github.com/ccloud-dev/inventory-operator/test/cloudsim"
	"github.com/ccloud-dev/inventory-operator/test/gitops"
	"github.com/ccloud-dev/inventory-operator/test/stage"
)

const environmentOfGit = "env-git"

// shown is what test/gitops/argocd prints.
type shown struct {
	Results, OutOfSync, ToPrune []string
	Tree                        map[string]gitops.Health
}

// repository is a git repository with manifests.
type repository struct{ path string }

func newRepository(ctx context.Context) repository {
	GinkgoHelper()
	r := repository{GinkgoT().TempDir()}
	r.git(ctx, "init", "--quiet", "--initial-branch=main")
	return r
}

func (r repository) git(ctx context.Context, args ...string) {
	GinkgoHelper()
	command := exec.CommandContext(ctx, "git", append([]string{"-C", r.path, "-c", "user.name=test", "-c", "user.email=test@example.com"}, args...)...)
	out, err := command.CombinedOutput()
	Expect(err).NotTo(HaveOccurred(), string(out))
}

// commit commits a file; no text removes it.
func (r repository) commit(ctx context.Context, file, text string) {
	GinkgoHelper()
	path := filepath.Join(r.path, file)
	if text == "" {
		Expect(os.Remove(path)).To(Succeed())
	} else {
		Expect(os.WriteFile(path, []byte(text), 0o600)).To(Succeed())
	}
	r.git(ctx, "add", "--all")
	r.git(ctx, "commit", "--quiet", "--message=change "+file)
}

// sourceManifest is a source as it lies in a repository.
func sourceManifest(secret string) string {
	return `
apiVersion: inventory.ccloud.dev/v1alpha1
kind: InventorySource
metadata:
  name: ` + sourceName + `
  labels: {app.kubernetes.io/instance: app}
spec:
  environment: ` + environmentOfGit + `
  endpoint: ` + scene.Server.URL + `
  interval: 10s
  credentials: {apiKey: {secretRef: {name: ` + secret + `}}}
`
}

var _ = Describe("Argo CD", Ordered, func() {
	var (
		program, namespace string
		repo               repository
	)
	BeforeAll(func(ctx SpecContext) {
		program = filepath.Join(dir, "argocd")
		build := exec.CommandContext(ctx, "go", "build", "-o", program, ".")
		build.Dir = filepath.Join("..", "gitops", "argocd")
		out, err := build.CombinedOutput()
		Expect(err).NotTo(HaveOccurred(), string(out))
		cloudsim.Seed(scene.Cloud, cloudsim.SeedOptions{Environment: environmentOfGit, Clusters: 4, Peerings: 2, Seed: 9})
		namespace, repo = newNamespace(ctx), newRepository(ctx)
	}, NodeTimeout(15*time.Minute))

	// sync has Argo CD's engine sync the repository, with pruning.
	sync := func(ctx context.Context, g Gomega, args ...string) shown {
		command := exec.CommandContext(ctx, program, append([]string{"--kubeconfig", scene.Plane.Kubeconfig(), "--repository", repo.path,
			"--namespace", namespace, "--health", filepath.Join("..", "..", "docs", "argocd")}, args...)...)
		var problems strings.Builder
		command.Stderr = &problems
		out, err := command.Output()
		g.Expect(err).NotTo(HaveOccurred(), problems.String())
		var view shown
		g.Expect(json.Unmarshal(out, &view)).To(Succeed())
		return view
	}
	// settled syncs, and expects that nothing is left to do.
	settled := func(ctx context.Context, g Gomega, args ...string) shown {
		view := sync(ctx, g, args...)
		g.Expect(view.OutOfSync).To(BeEmpty())
		g.Expect(view.ToPrune).To(BeEmpty())
		return view
	}
	const key = "InventorySource/" + sourceName

	It("syncs a source from a git repository, and shows how it is", func(ctx SpecContext) {
		repo.commit(ctx, "source.yaml", sourceManifest("ccloud"))
		view := settled(ctx, Default)
		Expect(view.Results).To(ConsistOf(key + ": Synced"))
		Expect(view.Tree).To(HaveLen(1))
		Expect(view.Tree[key]).To(HaveField("Status", "Progressing"), "no operator is there yet")

		start(ctx)
		Eventually(ctx, func(g Gomega) {
			view := settled(ctx, g)
			g.Expect(view.Tree[key]).To(Equal(gitops.Health{Status: "Healthy", Message: "KafkaCluster: 4 observed; Peering: 2 observed"}))
			g.Expect(view.Tree).To(HaveLen(1+4+2), "the observations are its children")
			for _, c := range scene.Cloud.Clusters(environmentOfGit) {
				health := map[string]string{"PROVISIONED": "Healthy", "PROVISIONING": "Progressing", "FAILED": "Degraded"}[c.Status.Phase]
				g.Expect(view.Tree["KafkaClusterObservation/"+c.ID]).To(HaveField("Status", health))
			}
		}).Should(Succeed())

		By("syncing again, client-side and server-side, without touching an observation")
		before := managerWrites(namespace, "kafkaclusterobservations")
		versions := map[string]string{}
		for _, o := range clusters(ctx, Default, namespace) {
			versions[o.Name] = o.ResourceVersion
			Expect(o.Annotations).To(BeEmpty())
			Expect(o.Labels).NotTo(HaveKey("app.kubernetes.io/instance"), "no tracking mark is copied")
		}
		settled(ctx, Default)
		settled(ctx, Default, "--server-side")
		awaitSyncs(ctx, namespace, 1)
		for _, o := range clusters(ctx, Default, namespace) {
			Expect(o.ResourceVersion).To(Equal(versions[o.Name]))
		}
		Expect(managerWrites(namespace, "kafkaclusterobservations")).To(Equal(before))

		By("a key that is refused")
		broken := newNamespacedSecret(ctx, namespace, "broken", "wrong-secret")
		repo.commit(ctx, "source.yaml", sourceManifest(broken))
		Eventually(ctx, func(g Gomega) {
			g.Expect(settled(ctx, g).Tree[key]).To(And(HaveField("Status", "Degraded"), HaveField("Message", ContainSubstring("401 Unauthorized"))))
		}).Should(Succeed())
		Expect(clusters(ctx, Default, namespace)).To(HaveLen(4), "nothing is deleted for it")

		By("a source that leaves the repository, and nothing else, is pruned; the garbage collector does the rest")
		repo.commit(ctx, "source.yaml", sourceManifest("ccloud"))
		sync(ctx, Default)
		repo.commit(ctx, "source.yaml", "")
		Expect(sync(ctx, Default).Results).To(ConsistOf(key + ": Pruned"))
		Eventually(ctx, func(g Gomega) { g.Expect(clusters(ctx, g, namespace)).To(BeEmpty()) }).WithTimeout(garbageTime).Should(Succeed())
		Expect(client.IgnoreNotFound(k8s.Get(ctx, client.ObjectKey{Namespace: namespace, Name: sourceName}, &v1alpha1.InventorySource{}))).To(Succeed())
	}, NodeTimeout(10*time.Minute))
})

// newNamespacedSecret makes a Secret with the stage's key and another secret, and returns its name.
func newNamespacedSecret(ctx context.Context, namespace, name, secret string) string {
	GinkgoHelper()
	_, err := scene.Kubectl(ctx, "-n", namespace, "create", "secret", "generic", name,
		"--from-literal=api-key="+stage.APIKey, "--from-literal=api-secret="+secret)
	Expect(err).NotTo(HaveOccurred())
	return name
}
