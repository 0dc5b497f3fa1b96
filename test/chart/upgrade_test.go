// SPDX-License-Identifier: Apache-2.0

package chart

import (
	"archive/tar"
	"bytes"
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// git runs git in the project.
func git(ctx context.Context, args ...string) ([]byte, error) {
	command := exec.CommandContext(ctx, "git", args...)
	command.Dir = root
	return command.Output()
}

// formerCharts writes the charts of all tags, and of all commits that changed the values, into
// folders, the oldest first.
func formerCharts(t *testing.T) (folders []string) {
	t.Helper()
	g := NewWithT(t)
	const path = "charts/inventory-operator"
	commits, err := git(t.Context(), "log", "--reverse", "--format=%h", "--", path+"/values.yaml")
	g.Expect(err).NotTo(HaveOccurred())
	tags, err := git(t.Context(), "tag", "--list", "v*")
	g.Expect(err).NotTo(HaveOccurred())
	revisions := append(strings.Fields(string(commits)), strings.Fields(string(tags))...)
	g.Expect(len(revisions)).To(BeNumerically(">=", 5), "needs the whole history: git fetch --unshallow --tags")
	for _, revision := range revisions {
		archive, err := git(t.Context(), "archive", revision, path)
		g.Expect(err).NotTo(HaveOccurred())
		folder := filepath.Join(t.TempDir(), revision)
		unpack(g, archive, folder)
		folders = append(folders, filepath.Join(folder, path))
	}
	return folders
}

func unpack(g Gomega, archive []byte, folder string) {
	for files := tar.NewReader(bytes.NewReader(archive)); ; {
		header, err := files.Next()
		if err == io.EOF {
			return
		}
		g.Expect(err).NotTo(HaveOccurred())
		if header.Typeflag != tar.TypeReg {
			continue
		}
		content, err := io.ReadAll(files)
		g.Expect(err).NotTo(HaveOccurred())
		path := filepath.Join(folder, filepath.FromSlash(header.Name))
		g.Expect(os.MkdirAll(filepath.Dir(path), 0o755)).To(Succeed())
		g.Expect(os.WriteFile(path, content, 0o600)).To(Succeed())
	}
}

func revisionOf(folder string) string { return filepath.Base(filepath.Dir(filepath.Dir(folder))) }

// `helm upgrade --reuse-values` puts the values of the chart that was installed in place of this
// one's. What they lack has its default.
func TestTheChartTakesTheValuesOfEveryFormerOne(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	want := template(t)
	for _, former := range formerCharts(t) {
		mixed := filepath.Join(t.TempDir(), "inventory-operator")
		g.Expect(os.CopyFS(mixed, os.DirFS(chart))).To(Succeed())
		values, err := os.ReadFile(filepath.Join(former, "values.yaml"))
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(os.WriteFile(filepath.Join(mixed, "values.yaml"), values, 0o600)).To(Succeed())
		out, err := helm(t.Context(), "template", release, mixed, "--namespace", namespace)
		g.Expect(err).NotTo(HaveOccurred(), revisionOf(former))
		g.Expect(parse(t, out)).To(Equal(parse(t, want)), revisionOf(former))
	}
}

func TestASectionThatIsTakenAwayHasItsDefaults(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	var taken []string
	for section := range parseValues(t) {
		taken = append(taken, section+"=null")
	}
	g.Expect(render(t, taken...)).To(Equal(render(t)))
	g.Expect(pod(t, render(t, "resources.limits=null")).Containers[0].Resources.Limits).To(BeEmpty(), "a member of what is free may go")
}

func TestAReleaseIsUpgradedFromEveryFormerChart(t *testing.T) {
	s := startServer(t)
	key := client.ObjectKey{Namespace: namespace, Name: "inventory-operator-controller-manager"}
	for _, former := range formerCharts(t) {
		t.Run(revisionOf(former), func(t *testing.T) {
			g := NewWithT(t)
			s := server{t, s.Client, s.plane}
			// Kinds that an uninstalled release left are taken up again.
			s.helm("install", release, former, "--set", "requestsPerSecond=2,metrics.perObservation=true")
			for _, how := range []string{"--reuse-values", "--reset-then-reuse-values"} {
				s.helm("upgrade", release, chart, how, "--set", "concurrentSyncs=3")
				deployment := &appsv1.Deployment{}
				g.Expect(s.Get(t.Context(), key, deployment)).To(Succeed())
				g.Expect(deployment.Spec.Template.Spec.Containers[0].Args).To(ContainElements(
					"--leader-elect", "--requests-per-second=2", "--concurrent-syncs=3", "--observation-metrics"), how)
			}
			kinds := &apiextensionsv1.CustomResourceDefinitionList{}
			g.Expect(s.List(t.Context(), kinds)).To(Succeed())
			g.Expect(kinds.Items).To(HaveLen(len(only(render(t), "CustomResourceDefinition"))))
			s.helm("uninstall", release)
		})
	}
}
