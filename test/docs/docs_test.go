// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
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

// pages are those whose commands are run, each on a stage of its own that has what readers
// are told to have: the operator, and the namespace platform.
var pages = []string{
	"docs/inventorysource.md",
	"docs/environmentdiscovery.md",
	"docs/kafkaclusterobservation.md",
	"docs/peeringobservation.md",
	"docs/networkobservation.md",
	"docs/workload-identity.md",
	"docs/gitops.md",
	"docs/kubectl.md",
	"docs/guides/first-cluster.md",
	"docs/guides/many-environments.md",
	"docs/guides/a-whole-organization.md",
	"docs/guides/key-rotation.md",
	"docs/guides/private-endpoints.md",
	"docs/guides/which-network.md",
	"docs/guides/approving-a-prune.md",
}

// TestThePagesShowWhatTheirCommandsPrint runs every command of the pages. With UPDATE_DOCS=1 it
// writes what they print into the pages, where that says something else.
func TestThePagesShowWhatTheirCommandsPrint(t *testing.T) {
	manager, err := stage.Build(t.Context(), t.TempDir())
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	for _, page := range pages {
		t.Run(page, func(t *testing.T) {
			t.Parallel() // They wait for syncs most of the time.
			run(t, manager, filepath.Join(root, page), os.Getenv("UPDATE_DOCS") != "")
		})
	}
}

// scene is what one page plays on.
type scene struct {
	*stage.Stage
	env []string
	// removed are the cloud's objects that are away, to come back.
	removed map[string]cloudsim.Cluster
}

func run(t *testing.T, manager, file string, update bool) {
	g := NewWithT(t)
	text, err := os.ReadFile(file)
	g.Expect(err).NotTo(HaveOccurred())
	steps := parse(string(text))
	s := newScene(t, manager)
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
	manager, err := started.StartManager(t.Context(), "manager", "--endpoint-configmaps")
	g.Expect(err).NotTo(HaveOccurred())
	t.Cleanup(func() { g.Expect(manager.Stop()).To(Succeed()) })
	for _, args := range [][]string{
		{"create", "namespace", "platform"}, {"create", "namespace", "payments"},
	} {
		_, err := started.Kubectl(t.Context(), args...)
		g.Expect(err).NotTo(HaveOccurred())
	}
	g.Expect(os.WriteFile(filepath.Join(dir, "kubectl"), []byte(wrapper), 0o755)).To(Succeed())
	return &scene{
		Stage: started, removed: map[string]cloudsim.Cluster{},
		env: append(os.Environ(), "KUBECONFIG="+started.Plane.Kubeconfig(), "PATH="+dir+":"+os.Getenv("PATH"), "KUBECTL="+started.Plane.Kubectl(),
			"CLOUD="+started.Server.URL, "PATIENCE="+waits.String(), "API_KEY="+stage.APIKey, "API_SECRET="+stage.APISecret),
	}
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
	command := step.command
	if cloud, is := strings.CutPrefix(step.directive, "cloud: "); is {
		return "", s.change(strings.Fields(cloud))
	}
	if hidden, is := strings.CutPrefix(step.directive, "run: "); is {
		command = hidden
	}
	if awaited, is := strings.CutPrefix(step.directive, "until: "); is {
		command = fmt.Sprintf(until, awaited)
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	shell := exec.CommandContext(ctx, "bash", "-o", "pipefail", "-ec", command)
	shell.Dir, shell.Env = root, s.env
	out, err := shell.CombinedOutput()
	return string(out), err
}

// change changes the cloud.
func (s *scene) change(words []string) error {
	switch {
	case len(words) == 3 && words[0] == "remove" && words[1] == "cluster":
		s.removed[words[2]], _ = s.Cloud.Cluster(words[2])
		return s.Cloud.RemoveCluster(words[2])
	case len(words) == 3 && words[0] == "restore" && words[1] == "cluster":
		s.Cloud.PutCluster(s.removed[words[2]])
		return nil
	case len(words) == 4 && words[0] == "phase" && words[1] == "cluster":
		return s.Cloud.SetClusterPhase(words[2], words[3])
	case len(words) == 2 && words[0] == "rotate" && words[1] == "key":
		s.Cloud.AddKey(cloudsim.Key{ID: stage.APIKey, Secret: "new-secret"})
		return nil
	}
	return fmt.Errorf("no such change of the cloud: %q", words)
}
