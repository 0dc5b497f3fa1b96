// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/ccloud-dev/inventory-operator/test/cloudsim"
	"github.com/ccloud-dev/inventory-operator/test/stage"
)

const (
	root        = "../.."
	environment = "env-abc123"
	// patience is how long one command may take, and waits how long kubectl waits.
	patience = 5 * time.Minute
	waits    = 4 * time.Minute
)

// TestMain lets four pages run at once, because they wait for syncs most of the time.
func TestMain(m *testing.M) {
	flag.Parse()
	if err := flag.Set("test.parallel", "4"); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

// pages are those whose commands are run, each on a stage of its own that has what readers
// are told to have: the operator, and the namespace platform.
var pages = []string{
	"docs/inventorysource.md",
	"docs/environmentdiscovery.md",
	"docs/kafkaclusterobservation.md",
	"docs/peeringobservation.md",
	"docs/networkobservation.md",
	"docs/schemaregistryobservation.md",
	"docs/transitgatewayattachmentobservation.md",
	"docs/privatelinkaccessobservation.md",
	"docs/workload-identity.md",
	"docs/gitops.md",
	"docs/kubectl.md",
	"docs/guides/first-cluster.md",
	"docs/guides/many-environments.md",
	"docs/guides/a-whole-organization.md",
	"docs/guides/handing-over.md",
	"docs/guides/key-rotation.md",
	"docs/guides/private-endpoints.md",
	"docs/guides/which-network.md",
	"docs/guides/approving-a-prune.md",
	"docs/guides/push.md",
}

// onCall are the pages of those on call. They share one stage, on which each sets its state up
// and leaves none: a directive of metric shows that it is the one that raises the alert.
var onCall = append(runbooks(), "docs/operations.md")

func runbooks() (pages []string) {
	found, err := filepath.Glob(filepath.Join(root, "docs", "runbooks", "Inventory*.md"))
	if err != nil {
		panic(err) // The pattern is malformed.
	}
	for _, page := range found {
		pages = append(pages, strings.TrimPrefix(page, root+"/"))
	}
	return pages
}

// TestThePagesShowWhatTheirCommandsPrint runs every command of the pages. With UPDATE_DOCS=1 it
// writes what they print into the pages, where that says something else.
func TestThePagesShowWhatTheirCommandsPrint(t *testing.T) {
	t.Parallel()
	manager, err := stage.Build(t.Context(), t.TempDir())
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	for _, page := range pages {
		t.Run(page, func(t *testing.T) {
			t.Parallel()
			newScene(t, manager).run(t, filepath.Join(root, page), os.Getenv("UPDATE_DOCS") != "")
		})
	}
}

func TestRunbooksAreFollowedInTheStateThatRaisesTheirAlert(t *testing.T) {
	t.Parallel()
	manager, err := stage.Build(t.Context(), t.TempDir())
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	s := newScene(t, manager)
	for _, page := range onCall {
		t.Run(page, func(t *testing.T) {
			g := NewWithT(t)
			g.Expect(s.deploy(t.Context())).To(Succeed())
			s.run(t, filepath.Join(root, page), os.Getenv("UPDATE_DOCS") != "")
			g.Expect(s.change([]string{"heal"})).To(Succeed())
			g.Expect(s.change([]string{"restore", "key"})).To(Succeed())
			out, err := s.Kubectl(t.Context(), "delete", "edisc,isrc", "-A", "--all")
			g.Expect(err).NotTo(HaveOccurred(), out)
		})
	}
}

// Every runbook waits for a series of a metric that its alert asks for, and runs a command then.
func TestEveryRunbookHasTheStateOfItsAlert(t *testing.T) {
	g := NewWithT(t)
	for _, page := range runbooks() {
		alert := strings.TrimSuffix(filepath.Base(page), ".md")
		asks, err := alertNamed(alert)
		g.Expect(err).NotTo(HaveOccurred())
		text, err := os.ReadFile(filepath.Join(root, page))
		g.Expect(err).NotTo(HaveOccurred())
		var awaited []string
		commands := 0
		for _, step := range parse(string(text)) {
			series, is := strings.CutPrefix(step.directive, "metric: ")
			if is {
				name, _, _ := strings.Cut(strings.TrimPrefix(series, "no "), "{")
				awaited = append(awaited, name)
			}
			if step.command != "" {
				g.Expect(awaited).NotTo(BeEmpty(), "%s: %s runs before the state is there", page, step.command)
				commands++
			}
		}
		g.Expect(commands).NotTo(BeZero(), page)
		for _, name := range awaited {
			g.Expect(asks).To(ContainSubstring(name), "%s waits for what its alert does not ask for", page)
		}
	}
}

// The page for operators deletes what a failed helm test leaves by the label that the chart gives it.
func TestWhatAHelmTestLeavesIsDeletedByItsLabel(t *testing.T) {
	g := NewWithT(t)
	page, err := os.ReadFile(filepath.Join(root, "docs", "operations.md"))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(string(page)).To(ContainSubstring("delete pod,serviceaccount,role,rolebinding -l app.kubernetes.io/component=test\n"))
	left, err := os.ReadFile(filepath.Join(root, "charts", "inventory-operator", "templates", "tests", "available.yaml"))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(string(left)).To(ContainSubstring("app.kubernetes.io/component: test"))
	kinds := regexp.MustCompile(`(?m)^kind: (\S+)$`).FindAllStringSubmatch(string(left), -1)
	g.Expect(kinds).To(ConsistOf(HaveExactElements(Not(BeEmpty()), "ServiceAccount"), HaveExactElements(Not(BeEmpty()), "Role"),
		HaveExactElements(Not(BeEmpty()), "RoleBinding"), HaveExactElements(Not(BeEmpty()), "Pod")))
}

// All pages and alerts about a prune that waits name the same command. A test runs it with
// InventoryPruneHeld.md.
func TestOneCommandShowsThePrunesThatWait(t *testing.T) {
	g := NewWithT(t)
	command := regexp.MustCompile(`kubectl get isrc,edisc -A -o jsonpath='[^']*'`)
	rules, err := os.ReadFile(filepath.Join(root, "config", "prometheus", "rules.yaml"))
	g.Expect(err).NotTo(HaveOccurred())
	told := command.FindAllString(string(rules), -1)
	g.Expect(told).To(HaveLen(1))
	for _, page := range []string{"docs/runbooks/InventoryPruneHeld.md", "docs/operations.md", "docs/guides/approving-a-prune.md", "docs/environmentdiscovery.md"} {
		text, err := os.ReadFile(filepath.Join(root, page))
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(command.FindAllString(string(text), -1)).To(HaveEach(told[0]), page)
		g.Expect(string(text)).To(ContainSubstring(told[0]), page)
	}
}

// scene is what one page plays on, or several in turn.
type scene struct {
	*stage.Stage
	manager *stage.Manager
	// node is the one that the manager's pod is on, kubelet its port.
	node    node
	kubelet string
	env     []string
	// words are those of a page that a reader fills in.
	words map[string]string
	// removed are the cloud's objects that are away, to come back.
	removed map[string]json.RawMessage
}

// run follows a page.
func (s *scene) run(t *testing.T, file string, update bool) {
	g := NewWithT(t)
	text, err := os.ReadFile(file)
	g.Expect(err).NotTo(HaveOccurred())
	steps := parse(string(text))
	port, err := freePort()
	g.Expect(err).NotTo(HaveOccurred())
	s.words = map[string]string{"18081": port}
	outputs := map[int][]string{}
	for i, step := range steps {
		output, err := s.carryOut(t.Context(), step)
		if !g.Expect(err).NotTo(HaveOccurred(), "line %d: %s%s\n%s", step.line+1, step.command, step.directive, output) {
			return
		}
		if step.silent || still(step.output) == still(strings.Split(output, "\n")) {
			continue
		}
		if !update {
			t.Errorf("%s:%d: %s\nshows\n%s\nand prints\n%s\nrun make docs, and read what it changes",
				file, step.line+1, step.command, strings.Join(step.output, "\n"), output)
		}
		outputs[i] = strings.Split(strings.TrimRight(output, "\n"), "\n")
		if strings.TrimSpace(output) == "" {
			outputs[i] = nil
		}
	}
	if update && len(outputs) > 0 {
		g.Expect(os.WriteFile(file, []byte(rewrite(string(text), steps, outputs)), 0o644)).To(Succeed())
	}
}

// newScene starts a stage with a manager, whose binary is there, and a seeded cloud.
func newScene(t *testing.T, binary string) *scene {
	g := NewWithT(t)
	dir := t.TempDir()
	started, err := stage.Start(t.Context(), stage.Options{Dir: dir, Manager: binary, Log: t.Output()})
	g.Expect(err).NotTo(HaveOccurred())
	t.Cleanup(func() { g.Expect(started.Stop()).To(Succeed()) })
	cloudsim.Seed(started.Cloud, cloudsim.SeedOptions{Environment: environment, Clusters: 12, Peerings: 4, Seed: 1})
	cloudsim.Seed(started.Cloud, cloudsim.SeedOptions{Environment: "env-def456", Clusters: 4, Peerings: 2, Seed: 2})
	g.Expect(started.Grant(t.Context(), "endpoint-configmaps")).To(Succeed())
	s := &scene{
		Stage: started, removed: map[string]json.RawMessage{},
		env: append(started.Plane.Env(), "PATH="+dir+":"+os.Getenv("PATH"), "KUBECTL="+started.Plane.Kubectl(),
			"CLOUD="+started.Server.URL, "PATIENCE="+waits.String(), "API_KEY="+stage.APIKey, "API_SECRET="+stage.APISecret, "SCRATCH="+dir),
	}
	s.kubelet = s.node.start(t)
	g.Expect(s.manage(t.Context(), []string{"start"})).To(Succeed())
	t.Cleanup(func() { g.Expect(s.stopManager()).To(Succeed()) })
	for _, args := range [][]string{
		{"create", "namespace", "platform"}, {"create", "namespace", "payments"},
	} {
		_, err := started.Kubectl(t.Context(), args...)
		g.Expect(err).NotTo(HaveOccurred())
	}
	g.Expect(s.deploy(t.Context())).To(Succeed())
	for name, script := range map[string]string{"kubectl": wrapper, "given": givenScript} {
		g.Expect(os.WriteFile(filepath.Join(dir, name), []byte(script), 0o755)).To(Succeed())
	}
	return s
}

// wrapper is kubectl, but that the sources it applies ask the simulated cloud and every ten
// seconds, that the keys it is given are those which that knows, and that it is patient: a reader's
// machine is not as busy as one that runs tests.
const wrapper = `#!/usr/bin/env bash
set -euo pipefail
edit() {
	sed -E -e "s|^  environment: .*|&\n  endpoint: $CLOUD\n  interval: 10s|" \
		-e "/^kind: EnvironmentDiscovery/,/^spec:/ s|^spec:|&\n  endpoint: $CLOUD\n  interval: 10s|" \
		-e "s|YOUR-API-KEY|$API_KEY|" -e "s|YOUR-API-SECRET|$API_SECRET|"
}
args=()
for arg in "$@"; do
	args+=("$(sed -e "s|YOUR-API-KEY|$API_KEY|" -e "s|YOUR-API-SECRET|$API_SECRET|" -e "s|^--timeout=.*|--timeout=$PATIENCE|" <<<"$arg")")
done
if [[ " $* " == *" apply "*" -f - "* || "$*" == *"-f -" ]]; then
	edit | "$KUBECTL" "${args[@]}"
else
	exec "$KUBECTL" "${args[@]}"
fi
`

// until repeats a command until it succeeds.
const until = `until %s; do sleep 0.2; done >/dev/null 2>&1`

// carryOut runs a command or a directive and returns what it printed.
func (s *scene) carryOut(ctx context.Context, step step) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	command := step.command
	if step.directive != "" {
		kind, text, _ := strings.Cut(step.directive, ": ")
		if kind == "with" {
			maps.Copy(s.words, words(text))
			return "", nil
		}
		switch text = fill(text, s.words); kind {
		case "cloud":
			return "", s.change(strings.Fields(text))
		case "manager":
			return "", s.manage(ctx, strings.Fields(text))
		case "metric":
			return "", s.awaitMetric(ctx, text)
		}
		if command = text; kind == "until" {
			command = fmt.Sprintf(until, text)
		}
	}
	shell := exec.CommandContext(ctx, "bash", "-o", "pipefail", "-ec", fill(command, s.words))
	shell.Dir, shell.Env = root, s.env
	shell.WaitDelay = time.Second // A command in the background may outlive it.
	out, err := shell.CombinedOutput()
	return string(out), err
}
