// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/ccloud-dev/inventory-operator/test/cloudsim"
	"github.com/ccloud-dev/inventory-operator/test/stage"
)

const (
	environment = "env-abc123"
	// arriving and leaving are the environments that come and go.
	arriving  = "env-new789"
	leaving   = "env-old456"
	namespace = "platform"
	// arrival is how long a change in the cloud may take to show: an interval of
	// 10 s with its jitter, and for a deletion a second listing to confirm it.
	arrival = time.Minute
)

const manifests = `
apiVersion: v1
kind: Namespace
metadata:
  name: ` + namespace + `
---
apiVersion: v1
kind: Secret
metadata:
  name: ccloud
  namespace: ` + namespace + `
stringData:
  api-key: ` + stage.APIKey + `
  api-secret: ` + stage.APISecret + `
---
apiVersion: inventory.ccloud.dev/v1alpha1
kind: EnvironmentDiscovery
metadata:
  name: org
  namespace: ` + namespace + `
spec:
  endpoint: %s
  interval: 10s
  credentials:
    apiKey:
      secretRef:
        name: ccloud
  prune:
    policy: Delete
  template:
    spec:
      interval: 10s
      networks:
        policy: Mirror
      schemaRegistry:
        policy: Mirror
      transitGatewayAttachments:
        policy: Mirror
      privateLinkAccesses:
        policy: Mirror
  overrides:
  - selector:
      ids: [` + leaving + `]
    spec:
      networks:
        policy: Ignore
`

// show plays on a stage.
type show struct {
	*stage.Stage
	collector *collector
}

// play shows the main job once, from the first sync to changes arriving.
func (s *show) play(ctx context.Context) error {
	if err := s.mirror(ctx); err != nil {
		return err
	}
	for _, command := range []string{
		"get ccloud",
		"get kco -o wide",
		"get peo -o wide",
		"get neo -o wide",
		"get sro -o wide",
		"get tgo -o wide",
		"get plo -o wide",
		"get kco " + s.joined() + " -o yaml",
	} {
		if _, err := s.run(ctx, command); err != nil {
			return err
		}
	}
	if err := s.collector.await(ctx); err != nil {
		return err
	}
	if err := s.changes(ctx); err != nil {
		return err
	}
	_, err := s.run(ctx, "get ccloud")
	return err
}

// mirror fills the cloud, and returns once the operator has mirrored it.
func (s *show) mirror(ctx context.Context) error {
	cloudsim.Seed(s.Cloud, cloudsim.SeedOptions{Environment: environment, Clusters: 12, Peerings: 4, Seed: 1})
	cloudsim.Seed(s.Cloud, cloudsim.SeedOptions{Environment: leaving, Clusters: 2, Peerings: 1, Seed: 2})
	step("The simulated cloud has two environments. %s holds 12 Kafka clusters and 4 peerings. Applying a Secret and an EnvironmentDiscovery", environment)
	discovery := fmt.Sprintf(manifests, s.Server.URL)
	fmt.Print(indent(discovery[strings.LastIndex(discovery, "apiVersion:"):]))
	if err := s.Apply(ctx, discovery); err != nil {
		return err
	}
	for _, command := range []string{
		"wait environmentdiscovery/org --for=condition=Ready --timeout=60s",
		"wait inventorysource --all --for=condition=Ready --timeout=60s",
	} {
		if _, err := s.run(ctx, command); err != nil {
			return err
		}
	}
	return nil
}

// tables writes what kubectl shows then to a file, in tables that are narrow enough for a picture.
func (s *show) tables(ctx context.Context, file string) error {
	if err := s.mirror(ctx); err != nil {
		return err
	}
	var all []string
	for _, command := range []string{"get isrc", "get kco", "get peo"} {
		out, err := s.run(ctx, command)
		if err != nil {
			return err
		}
		all = append(all, fmt.Sprintf("$ kubectl -n %s %s\n%s", namespace, command, out))
	}
	return os.WriteFile(file, []byte(strings.Join(all, "\n")), 0o600)
}

// joined returns the ID of a cluster that shares its network with a peering.
func (s *show) joined() string {
	clusters := s.Cloud.Clusters(environment)
	for _, p := range s.Cloud.Peerings(environment) {
		for _, c := range clusters {
			if c.Spec.Network != nil && c.Spec.Network.ID == p.Spec.Network.ID {
				return c.ID
			}
		}
	}
	return clusters[0].ID
}

// run runs kubectl in the demo's namespace, prints the command and its output, and returns the output.
func (s *show) run(ctx context.Context, command string) (string, error) {
	fmt.Printf("\n$ kubectl -n %s %s\n", namespace, command)
	out, err := s.Kubectl(ctx, append([]string{"-n", namespace}, strings.Fields(command)...)...)
	fmt.Print(indent(out))
	return out, err
}

// value reads one field of an object, "" if the object is not there.
func (s *show) value(ctx context.Context, object, path string) (string, error) {
	out, err := s.Kubectl(ctx, "-n", namespace, "get", object, "--ignore-not-found", "-o", "jsonpath={"+path+"}")
	return strings.TrimSpace(out), err
}

// tellHowToPlayOn says how to reach everything.
func (s *show) tellHowToPlayOn(manager *stage.Manager, adminURL string) {
	cluster := s.Cloud.Clusters(environment)[0].ID
	fmt.Printf(`
Play on in another terminal; all this goes on until Ctrl-C.

  export KUBECONFIG=%s
  alias kubectl=%s
  kubectl -n %s get ccloud -w

The cloud is at %s, and can be changed at %[5]s:

  curl %[5]s/                                        # what it can do
  curl -X PATCH '%[5]s/clusters/%[6]s/phase?phase=FAILED'
  curl -X DELETE %[5]s/clusters/%[6]s

The manager's log is %[7]s, its metrics are at %[8]s.
`, s.Plane.Kubeconfig(), s.Plane.Kubectl(), namespace, s.Server.URL, adminURL, cluster, manager.Log, manager.MetricsURL)
}

func step(format string, args ...any) { fmt.Printf("\n=== "+format+"\n", args...) }
func say(format string, args ...any)  { fmt.Printf("    "+format+"\n", args...) }

func since(t time.Time) time.Duration { return time.Since(t).Round(100 * time.Millisecond) }

// indent sets a text off from what the demo itself says.
func indent(text string) string {
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	return "    " + strings.Join(lines, "\n    ") + "\n"
}

// indented is a writer that indents every line.
type indented struct{ io.Writer }

func (w indented) Write(p []byte) (int, error) {
	if _, err := io.WriteString(w.Writer, indent(string(p))); err != nil {
		return 0, err
	}
	return len(p), nil
}
