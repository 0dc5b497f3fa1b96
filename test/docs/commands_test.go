// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
)

const (
	byHelm      = "test/chart: TestThePagesInstallWithHelm"
	byKustomize = "test/chart: TestThePagesInstallWithKustomize"
	byMoving    = "test/chart: TestThePagesMoveAnInstallation"
	byShards    = "internal/options: TestAShardWatchesItsSourcesOnlyUnderALeaseOfItsOwn"
	excerpt     = "not run: an excerpt of what docs/kubectl.md shows, which is run"
	ownTests    = "not run: it runs tests"
	ci          = "not run: .ci/run runs it"
)

// runElsewhere says of each command of the pages that are not among pages or onCall which test runs
// it, as FOLDER: TEST, or why none does. A command is its first line.
var runElsewhere = map[string]map[string]string{
	"CONTRIBUTING.md": {
		"make test TESTFLAGS='-run Prune -v'":                                 ownTests,
		"make test TESTFLAGS=-race":                                           ownTests,
		"hack/verify generated_fresh lint":                                    "test/verify: TestACheckFailsWhenOneOfItsToolsDoes",
		"go test ./internal/mirror/...":                                       ownTests,
		"go test ./internal/mirror -rapid.checks=5000":                        ownTests,
		`export KUBEBUILDER_ASSETS="$(make -s controlplane)"`:                 ownTests,
		"make chaos SEED=7 ROUNDS=50":                                         ci + ", with another seed",
		"make docker-build docker-push IMG=my-registry/inventory-operator:v1": "not run: needs a container engine",
		"make deploy IMG=my-registry/inventory-operator:v1":                   byKustomize,
	},
	"README.md": {
		"git clone https://github.com/ccloud-dev/inventory-operator && cd inventory-operator": "not run: the clone is here",
		"make demo": ci,
		"make test": ownTests,
		"make helm-deploy REGISTRY=registry.example.com/team":                                                  byHelm,
		"kubectl -n inventory-operator-system rollout status deployment/inventory-operator-controller-manager": "test/cluster: TestCluster",
		"helm install inventory-operator oci://ghcr.io/ccloud-dev/charts/inventory-operator":                   byHelm,
		"make install":                      "test/verify: TestEveryTargetSaysThatGoIsLackingAndTheWayOut",
		"make run":                          "not run: test/e2e runs the manager outside of a cluster",
		"kubectl create namespace platform": byHelm,
		"kubectl -n platform create secret generic ccloud":                                              byHelm,
		"kubectl -n platform apply -f - <<'YAML'":                                                       byHelm,
		"kubectl -n platform wait inventorysource/prod --for=condition=Ready":                           "not run: docs/guides/first-cluster.md has it, which is run",
		"kubectl -n platform get ccloud":                                                                byHelm,
		"kubectl -n platform create secret generic ccloud --dry-run=client -o yaml":                     byHelm,
		`kubectl -n platform annotate --overwrite isrc prod inventory.ccloud.dev/requestedAt="$(date)"`: byHelm,
		"helm upgrade inventory-operator oci://ghcr.io/ccloud-dev/charts/inventory-operator":            byHelm,
		"kubectl delete edisc,isrc --all --all-namespaces":                                              byHelm,
		"helm uninstall inventory-operator --namespace inventory-operator-system":                       byHelm,
		"kubectl delete crd inventorysources.inventory.ccloud.dev":                                      byHelm,
		"kubectl delete namespace platform inventory-operator-system":                                   byHelm,
		"kubectl -n platform get kco lkc-uup91d -o yaml":                                                excerpt,
	},
	"charts/inventory-operator/README.md": {
		"helm install inventory-operator oci://ghcr.io/ccloud-dev/charts/inventory-operator": byHelm,
		"kubectl delete crd inventorysources.inventory.ccloud.dev":                           byHelm,
	},
	"docs/chaos.md": {
		"make chaos":                     ci,
		"make chaos SEED=42 ROUNDS=1000": ci + ", with another seed",
	},
	"docs/installing.md": {
		"helm upgrade inventory-operator oci://ghcr.io/ccloud-dev/charts/inventory-operator":                  byHelm,
		"helm upgrade --install inventory-operator charts/inventory-operator":                                 byHelm,
		"make deploy IMG=registry.example.com/inventory-operator:v1":                                          byKustomize,
		"make deploy IMG=registry.example.com/inventory-operator:v1 WITH='endpoint-configmaps policy'":        byKustomize,
		"make deploy IMG=registry.example.com/inventory-operator:v1 BASE=namespaced WITH=endpoint-configmaps": byKustomize,
		"kubectl apply -k config/cloud-alerts":                                                                byKustomize,
		"kubectl apply -k config/network-policy":                                                              byKustomize,
		"kubectl apply -k config/policy":                                                                      byKustomize,
		"kubectl apply -k config/push":                                                                        byKustomize,
		"kubectl apply -k config/prometheus":                                                                  byKustomize,
		"args=$(kubectl get deployments --namespace inventory-operator-system --output jsonpath='{.items[*].spec.template.spec.containers[*].args}') &&": byKustomize,
		"helm template inventory-operator oci://ghcr.io/ccloud-dev/charts/inventory-operator --values values.yaml >/dev/null &&":                         byMoving,
		"helm get values inventory-operator --namespace inventory-operator-system --output yaml >values.yaml":                                            byMoving,
		"helm uninstall inventory-operator --namespace inventory-operator-system":                                                                        byMoving,
		"helm install mirror oci://ghcr.io/ccloud-dev/charts/inventory-operator":                                                                         byMoving,
	},
	"docs/metrics.md": {"kubectl apply -k config/prometheus": byKustomize, "kubectl apply -k config/cloud-alerts": byKustomize},
	"docs/releasing.md": {
		"sha256sum --check SHA256SUMS": "not run: needs a release; hack/release makes and checks the sums",
		"gh attestation verify oci://ghcr.io/ccloud-dev/inventory-operator:v0.1.0 --owner ccloud-dev": "not run: needs a release",
	},
	"docs/scale.md": {
		"manager --leader-elect --watch-label-selector=shard=a":                                  byShards,
		"manager --leader-elect --watch-label-selector=shard=b":                                  byShards,
		"manager --leader-elect --watch-label-selector=shard=a --watch-namespaces=team-a,team-b": byShards,
	},
	"docs/security.md": {
		"kubectl create secret generic ccloud -n platform --from-file=api-key=./api-key --from-file=api-secret=./api-secret": byKustomize,
		"kubectl apply -k config/policy": byKustomize,
		"make deploy WITH=secret-watch IMG=registry.example.com/inventory-operator:v0.1.0":                  byKustomize,
		"kubectl rollout restart -n inventory-operator-system deploy/inventory-operator-controller-manager": byKustomize,
		"make deploy BASE=namespaced IMG=registry.example.com/inventory-operator:v0.1.0":                    byKustomize,
		"kubectl delete clusterrolebinding inventory-operator-manager-rolebinding":                          byKustomize,
		"sa=system:serviceaccount:inventory-operator-system:inventory-operator-controller-manager":          byKustomize,
		"kubectl auth can-i get secrets -n platform --as=$sa":                                               byKustomize,
		"kubectl auth can-i get secrets -n kube-system --as=$sa":                                            byKustomize,
	},
}

var here = regexp.MustCompile(`<<-?'?([A-Z]+)'?`)

// firstLines returns the first line of each command of a script, without what is a remark.
func firstLines(script string) (first []string) {
	var continued bool
	var until string
	for line := range strings.SplitSeq(script, "\n") {
		if until != "" {
			if strings.TrimSpace(line) == until {
				until = ""
			}
			continue
		}
		if document := here.FindStringSubmatch(line); document != nil {
			until = document[1]
		}
		text, _, _ := strings.Cut(line, "  # ")
		text = strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(text), "\\"))
		if !continued && text != "" && !strings.HasPrefix(text, "#") {
			first = append(first, text)
		}
		continued = strings.HasSuffix(line, "\\")
	}
	return first
}

func TestAScriptIsItsCommands(t *testing.T) {
	g := NewWithT(t)
	g.Expect(firstLines("# all\none \\\n  --two\nthree <<'YAML'\nkind: four\nYAML\n\nfive   # six\nseven | eight -f -")).To(
		Equal([]string{"one", "three <<'YAML'", "five", "seven | eight -f -"}))
}

// markdown returns the pages of the project.
func markdown(t *testing.T) []string {
	list := exec.CommandContext(t.Context(), "git", "ls-files", "*.md")
	list.Dir = root
	files, err := list.Output()
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	return strings.Fields(string(files))
}

func TestEveryCommandOfAPageIsRunOrHasAReason(t *testing.T) {
	g := NewWithT(t)
	used := map[string]bool{}
	for _, page := range markdown(t) {
		if slices.Contains(pages, page) || slices.Contains(onCall, page) || strings.HasPrefix(page, "docs/decisions/") {
			continue
		}
		text, err := os.ReadFile(filepath.Join(root, page))
		g.Expect(err).NotTo(HaveOccurred())
		for _, step := range parse(string(text)) {
			for _, command := range firstLines(step.command) {
				g.Expect(runElsewhere[page]).To(HaveKey(command), "%s:%d: no test runs it", page, step.line+1)
				used[page+": "+command] = true
			}
		}
	}
	for page, commands := range runElsewhere {
		for command, how := range commands {
			g.Expect(used).To(HaveKey(page+": "+command), "the page has it no more")
			if folder, test, is := strings.Cut(how, ": "); is && folder != "not run" {
				declared, err := exec.CommandContext(t.Context(), "grep", "-rqE", `^func `+test+`\(`, filepath.Join(root, folder)).CombinedOutput()
				g.Expect(err).NotTo(HaveOccurred(), "%s: there is no %s %s", command, how, declared)
			}
		}
	}
}

func TestEveryTargetThatAPageNamesIsThere(t *testing.T) {
	g := NewWithT(t)
	text, err := os.ReadFile(filepath.Join(root, "Makefile"))
	g.Expect(err).NotTo(HaveOccurred())
	named := regexp.MustCompile("(?m)(?:^|`)make (?:-s )?([a-z][a-z0-9-]*)")
	var count int
	for _, page := range markdown(t) {
		content, err := os.ReadFile(filepath.Join(root, page))
		g.Expect(err).NotTo(HaveOccurred())
		var commands []string
		for _, step := range parse(string(content)) {
			commands = append(commands, firstLines(step.command)...)
		}
		for line := range strings.SplitSeq(string(content), "\n") {
			commands = append(commands, "in "+line) // Prose may begin with the word.
		}
		for _, found := range named.FindAllStringSubmatch(strings.Join(commands, "\n"), -1) {
			g.Expect(string(text)).To(MatchRegexp(`(?m)^`+found[1]+`: `), "%s: make %s", page, found[1])
			count++
		}
	}
	g.Expect(count).To(BeNumerically(">", 50))
}
