// SPDX-License-Identifier: Apache-2.0

package verify

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	. "github.com/onsi/gomega"
	"sigs.k8s.io/yaml"
)

// makes runs make, the real one, in a folder that has of the project what rules use.
func (b *bench) makes(t *testing.T, fails string, args ...string) (out string, green bool) {
	g := NewWithT(t)
	folder := filepath.Join(b.folder, "project")
	if os.Mkdir(folder, 0o755) == nil { // The first time.
		entries, err := os.ReadDir(b.root)
		g.Expect(err).NotTo(HaveOccurred())
		for _, entry := range entries {
			if entry.Name() != "dist" && entry.Name() != "bin" {
				g.Expect(os.Symlink(filepath.Join(b.root, entry.Name()), filepath.Join(folder, entry.Name()))).To(Succeed())
			}
		}
	}
	path, err := exec.LookPath("make")
	g.Expect(err).NotTo(HaveOccurred())
	command := exec.CommandContext(t.Context(), path, args...)
	command.Dir = folder
	command.Env = []string{"PATH=" + filepath.Join(b.folder, "bin"), "HOME=" + b.folder, "TOOLS_CACHE=" + filepath.Join(b.folder, "tools"),
		"KUBEBUILDER_ASSETS=" + filepath.Join(b.folder, "assets"), "STUBS=" + b.folder, "ROOT=" + b.root, "FAILS=" + fails}
	printed, err := command.CombinedOutput()
	return string(printed), err == nil
}

// withoutGo are the targets that need no Go: they say what there is, remove, or use containers. e2e
// asks for a cluster first.
var withoutGo = []string{"help", "doctor", "clean", "docker-build", "docker-push", "e2e"}

func TestEveryTargetSaysThatGoIsLackingAndTheWayOut(t *testing.T) {
	g := NewWithT(t)
	text, err := os.ReadFile(filepath.Join(root, "Makefile"))
	g.Expect(err).NotTo(HaveOccurred())
	targets := regexp.MustCompile(`(?m)^([a-z0-9-]+):.*## `).FindAllStringSubmatch(string(text), -1)
	g.Expect(len(targets)).To(BeNumerically(">", len(withoutGo)))
	b := newBench(t)
	g.Expect(os.Remove(filepath.Join(b.folder, "bin", "go"))).To(Succeed())
	for _, target := range targets {
		if slices.Contains(withoutGo, target[1]) {
			continue
		}
		out, green := b.makes(t, "", target[1], "VERSION=v0.1.0")
		g.Expect(green).To(BeFalse(), "%s: %s", target[1], out)
		g.Expect(out).To(Or(ContainSubstring("install Go 1."), ContainSubstring("make doctor says")), target[1])
	}
}

func TestAManifestThatCannotBeRenderedLeavesNoFile(t *testing.T) {
	g := NewWithT(t)
	b := newBench(t)
	file := filepath.Join(b.folder, "project", "dist", "install.yaml")
	out, green := b.makes(t, "", "build-installer", "IMG=manager")
	g.Expect(green).To(BeTrue(), out)
	g.Expect(file).To(BeARegularFile())
	out, green = b.makes(t, "kubectl", "build-installer", "IMG=manager")
	g.Expect(green).To(BeFalse(), out)
	g.Expect(file).NotTo(BeAnExistingFile())
}

func TestBenchRefusesASizeThatThereIsNot(t *testing.T) {
	g := NewWithT(t)
	b := newBench(t)
	out, green := b.makes(t, "", "bench", "BENCH=fast")
	g.Expect(green).To(BeFalse(), out)
	g.Expect(out).To(ContainSubstring("BENCH is 'fast': it is quick"))
	for args, flags := range map[string]string{"BENCH=": "-doc docs/benchmarks.md", "BENCH=quick": "-objects 2000", "BENCHFLAGS=-runs=7": "-runs=7"} {
		out, green = b.makes(t, "", "-n", "bench", args)
		g.Expect(green).To(BeTrue(), out)
		g.Expect(out).To(ContainSubstring(flags), args)
		if args != "BENCH=" {
			g.Expect(out).NotTo(ContainSubstring("-doc"), args)
		}
	}
}

func TestFuzzFailsWhenItCannotSeeItsTargets(t *testing.T) {
	g := NewWithT(t)
	b := newBench(t)
	out, green := b.makes(t, "go list", "fuzz")
	g.Expect(green).To(BeFalse(), out)
	g.Expect(out).To(And(ContainSubstring("go list fails"), Not(ContainSubstring("no such target"))))
}

func TestDependabotKnowsEveryModule(t *testing.T) {
	g := NewWithT(t)
	text, err := os.ReadFile(filepath.Join(root, ".github", "dependabot.yaml"))
	g.Expect(err).NotTo(HaveOccurred())
	var file struct {
		Updates []struct {
			Ecosystem   string `json:"package-ecosystem"`
			Directories []string
		}
	}
	g.Expect(yaml.Unmarshal(text, &file)).To(Succeed())
	var patterns []string
	for _, update := range file.Updates {
		if update.Ecosystem == "gomod" {
			patterns = append(patterns, update.Directories...)
		}
	}
	out, err := exec.CommandContext(t.Context(), "git", "-C", root, "ls-files", "--", "go.mod", "*/go.mod").Output()
	g.Expect(err).NotTo(HaveOccurred())
	modules := regexp.MustCompile(`(?m)^(.*)go\.mod$`).FindAllStringSubmatch(string(out), -1)
	g.Expect(len(modules)).To(BeNumerically(">", 10))
	for _, module := range modules {
		folder := filepath.Clean("/" + module[1])
		g.Expect(slices.ContainsFunc(patterns, func(pattern string) bool {
			matches, err := filepath.Match(pattern, folder)
			return err == nil && matches
		})).To(BeTrue(), "%s is in none of %v", folder, patterns)
	}
}
