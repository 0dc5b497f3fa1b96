// SPDX-License-Identifier: Apache-2.0

// Package chart holds the Helm chart against config, which has the same facts for
// kustomize, and against a real API server.
package chart

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr"
	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/yaml"
)

const (
	root  = "../.."
	chart = root + "/charts/inventory-operator"
	// release and namespace under which the chart has the names that kustomize gives.
	release   = "inventory-operator"
	namespace = "inventory-operator-system"
	// eventually is how long a test waits for what happens at once on a machine that is not busy.
	eventually = 3 * time.Minute
)

func TestMain(m *testing.M) {
	log.SetLogger(logr.Discard())
	// These tests need Helm, as the list in hack/test says. Both circles refuse it to all others.
	if err := os.Unsetenv("TOOLS_REFUSED"); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

// helm runs the pinned helm and returns what it prints.
func helm(ctx context.Context, args ...string) (string, error) {
	return helmIn(ctx, nil, args...)
}

// helmIn runs the pinned helm in an environment, or in that of this process if it is nil.
func helmIn(ctx context.Context, env []string, args ...string) (string, error) {
	path, err := helmPath()
	if err != nil {
		return "", err
	}
	command := exec.CommandContext(ctx, path, args...)
	command.Env = env
	return run(command)
}

// helmPath builds the pinned helm if need be, and returns its path. The script that does so takes
// longer than helm itself, so it runs once.
var helmPath = sync.OnceValues(func() (string, error) {
	path, err := run(exec.Command(filepath.Join(root, "hack", "tools", "run"), "--path", "helm"))
	return strings.TrimSpace(path), err
})

// run returns what a command prints; its error says what it says.
func run(command *exec.Cmd) (string, error) {
	out, err := command.Output()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		err = fmt.Errorf("%s: %w: %s", strings.Join(command.Args, " "), err, bytes.TrimSpace(exit.Stderr))
	}
	return string(out), err
}

// template renders the chart with these arguments of helm template.
func template(t *testing.T, args ...string) string {
	t.Helper()
	out, err := helm(t.Context(), append([]string{"template", release, chart, "--namespace", namespace}, args...)...)
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	return out
}

// objects are manifests by kind, namespace and name.
type objects map[string]*unstructured.Unstructured

// parse reads manifests. Each object may be there once.
func parse(t *testing.T, manifests string) objects {
	t.Helper()
	g := NewWithT(t)
	parsed := objects{}
	for document := range strings.SplitSeq("\n"+manifests, "\n---") {
		object := &unstructured.Unstructured{}
		g.Expect(yaml.Unmarshal([]byte(document), &object.Object)).To(Succeed(), document)
		if len(object.Object) == 0 {
			continue
		}
		key := fmt.Sprintf("%s %s/%s", object.GetKind(), object.GetNamespace(), object.GetName())
		g.Expect(parsed).NotTo(HaveKey(key))
		parsed[key] = object
	}
	return parsed
}

// set returns the arguments of helm for these values, as --set takes them.
func set(values []string) (args []string) {
	for _, value := range values {
		args = append(args, "--set", value)
	}
	return args
}

// render renders the chart with these values.
func render(t *testing.T, values ...string) objects {
	t.Helper()
	return parse(t, template(t, set(values)...))
}

// kubectlKustomize has the control plane's kubectl render a folder.
func kubectlKustomize(ctx context.Context, folder string) (string, error) {
	return run(exec.CommandContext(ctx, filepath.Join(os.Getenv("KUBEBUILDER_ASSETS"), "kubectl"), "kustomize", folder))
}

// rendered is a folder of config as the control plane's kubectl renders it.
func rendered(t *testing.T, folder string) string {
	t.Helper()
	out, err := kubectlKustomize(t.Context(), filepath.Join(root, "config", folder))
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	return out
}

// kustomize returns the objects of a folder of config.
func kustomize(t *testing.T, folder string) objects {
	t.Helper()
	return parse(t, rendered(t, folder))
}

// parseValues returns the chart's values.
func parseValues(t *testing.T) (values map[string]any) {
	t.Helper()
	g := NewWithT(t)
	text, err := os.ReadFile(filepath.Join(chart, "values.yaml"))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(yaml.Unmarshal(text, &values)).To(Succeed())
	return values
}

// file writes a file for --values and returns its path.
func file(t *testing.T, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "values.yaml")
	NewWithT(t).Expect(os.WriteFile(path, []byte(content), 0o600)).To(Succeed())
	return path
}

// readSchema reads the schema of the chart's values into a struct with the parts that a test needs.
func readSchema(g *WithT, schema any) {
	text, err := os.ReadFile(filepath.Join(chart, "values.schema.json"))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(yaml.Unmarshal(text, schema)).To(Succeed())
}

// yamlOf returns the block of YAML on a page of docs that begins with this line, without the line.
func yamlOf(g *WithT, page, begins string) string {
	text, err := os.ReadFile(filepath.Join(root, "docs", page))
	g.Expect(err).NotTo(HaveOccurred())
	_, block, found := strings.Cut(string(text), "```yaml\n"+begins+"\n")
	g.Expect(found).To(BeTrue(), "%s: %s", page, begins)
	block, _, _ = strings.Cut(block, "```")
	return block
}
