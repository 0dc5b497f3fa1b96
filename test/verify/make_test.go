// SPDX-License-Identifier: Apache-2.0

package verify

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
	"sigs.k8s.io/yaml"
)

// makes runs make, the real one, in a folder that has of the project what rules use.
func (b *bench) makes(t *testing.T, fails string, args ...string) (out string, green bool) {
	return b.makesWith(t, nil, fails, args...)
}

// makesWith is makes with more in the environment.
func (b *bench) makesWith(t *testing.T, environment []string, fails string, args ...string) (out string, green bool) {
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
	command.Env = append([]string{"PATH=" + filepath.Join(b.folder, "bin"), "HOME=" + b.folder, "TOOLS_CACHE=" + filepath.Join(b.folder, "tools"),
		"KUBEBUILDER_ASSETS=" + filepath.Join(b.folder, "assets"), "STUBS=" + b.folder, "ROOT=" + b.root, "FAILS=" + fails}, environment...)
	printed, err := command.CombinedOutput()
	return string(printed), err == nil
}

// makefile returns the Makefile, and its targets that people call.
func makefile(g Gomega) (text string, targets []string) {
	content, err := os.ReadFile(filepath.Join(root, "Makefile"))
	g.Expect(err).NotTo(HaveOccurred())
	for _, target := range regexp.MustCompile(`(?m)^([a-z0-9-]+):.*## `).FindAllStringSubmatch(string(content), -1) {
		targets = append(targets, target[1])
	}
	return string(content), targets
}

// given returns the variables that the Makefile takes as they are written.
func given(g Gomega, text string) []string {
	list := regexp.MustCompile(`(?m)^given := ((?:.*\\\n)*.*)$`).FindStringSubmatch(text)
	g.Expect(list).To(HaveLen(2))
	return append(strings.Fields(strings.ReplaceAll(list[1], "\\\n", " ")), "CGO_ENABLED")
}

// withoutGo are the targets that need no Go: they say what there is, remove, or use containers.
var withoutGo = []string{"help", "doctor", "clean", "docker-build", "docker-push"}

// withKubectl are the targets for which kubectl is enough.
var withKubectl = []string{"build-installer", "install", "uninstall", "deploy", "undeploy"}

func TestEveryTargetSaysThatGoIsLackingAndTheWayOut(t *testing.T) {
	g := NewWithT(t)
	_, targets := makefile(g)
	g.Expect(len(targets)).To(BeNumerically(">", len(withoutGo)+len(withKubectl)))
	b := newBench(t)
	g.Expect(os.Remove(filepath.Join(b.folder, "bin", "go"))).To(Succeed())
	for _, target := range targets {
		if slices.Contains(withoutGo, target) {
			continue
		}
		out, green := b.makes(t, "", target, "VERSION=v0.1.0", "IMG=manager:v1")
		if slices.Contains(withKubectl, target) {
			g.Expect(green).To(BeTrue(), "%s: %s", target, out)
			continue
		}
		g.Expect(green).To(BeFalse(), "%s: %s", target, out)
		g.Expect(out).To(Or(ContainSubstring("install Go 1."), ContainSubstring("make doctor says")), target)
	}
}

func TestATargetThatNeedsKubectlSaysSoFirst(t *testing.T) {
	g := NewWithT(t)
	b := newBench(t)
	g.Expect(os.Remove(filepath.Join(b.folder, "bin", "kubectl"))).To(Succeed())
	for _, target := range withKubectl {
		out, green := b.makes(t, "", target, "IMG=manager:v1")
		g.Expect(green).To(BeFalse(), "%s: %s", target, out)
		g.Expect(out).To(HavePrefix("lacking: kubectl: install kubectl"), target)
		out, green = b.makes(t, "", target, "IMG=manager:v1", "KUBECTL="+filepath.Join(b.folder, "assets", "kubectl"))
		g.Expect(green).To(BeTrue(), "%s: %s", target, out)
	}
}

// A variable of this list is read by its name from the environment. So no recipe has its value.
func TestNoVariableBecomesTextOfAScript(t *testing.T) {
	g := NewWithT(t)
	text, targets := makefile(g)
	names := given(g, text)
	for _, asked := range regexp.MustCompile(`(?m)^([A-Z_]+) \?=|^[a-z0-9-]+:.*## .*\b([A-Z_]{2,})=`).FindAllStringSubmatch(text, -1) {
		g.Expect(names).To(ContainElement(asked[1]+asked[2]), "the Makefile asks for it")
	}
	b := newBench(t)
	for _, target := range targets {
		args := []string{"-n", target}
		for _, name := range names {
			if name == "BENCH" { // Another value than this is refused.
				args = append(args, "BENCH=quick")
				continue
			}
			args = append(args, name+"=value of "+name)
		}
		out, green := b.makes(t, "", args...)
		g.Expect(green).To(BeTrue(), "%s: %s", target, out)
		g.Expect(out).NotTo(ContainSubstring("value of"), target)
	}
}

// Each variable is given to each target whose recipe or script reads it, once to make and once to
// its environment.
func TestAValueIsNeverCarriedOut(t *testing.T) {
	g := NewWithT(t)
	text, targets := makefile(g)
	b := newBench(t)
	scripts := regexp.MustCompile(`\bhack/[a-z0-9/]+`)
	tried := map[string]bool{}
	for _, target := range targets {
		recipe, green := b.makes(t, "", "-n", target, "IMG=manager:v1")
		g.Expect(green).To(BeTrue(), "%s: %s", target, recipe)
		for _, script := range scripts.FindAllString(recipe, -1) {
			if info, err := os.Stat(filepath.Join(root, script)); err == nil && info.Mode().IsRegular() {
				content, err := os.ReadFile(filepath.Join(root, script))
				g.Expect(err).NotTo(HaveOccurred())
				recipe += string(content)
			}
		}
		for _, name := range given(g, text) {
			if !regexp.MustCompile(`\$\{?` + name + `\b`).MatchString(recipe) {
				continue
			}
			tried[name] = true
			for _, fromEnvironment := range []bool{false, true} {
				proof := filepath.Join(t.TempDir(), "proof")
				value := name + `=v1.0.0";touch ` + proof + `;'"$(touch ` + proof + `)$(shell touch ` + proof + ")`touch " + proof + "`*"
				args, environment := []string{target, value}, []string(nil)
				if fromEnvironment {
					args, environment = args[:1], []string{value}
				}
				if name != "IMG" { // Asked for first.
					args = append(args, "IMG=manager:v1")
				}
				out, _ := b.makesWith(t, environment, "", args...)
				g.Expect(proof).NotTo(BeAnExistingFile(), "%s %s: %s", target, name, out)
			}
		}
	}
	for _, name := range []string{"IMG", "BASE", "WITH", "VERSION", "TESTFLAGS", "RUNFLAGS", "CLOUDSIMFLAGS", "NODE", "REGISTRY", "HELMFLAGS", "FROM", "BENCHFLAGS", "FUZZTIME", "SEED",
		"ROUNDS", "KUBECTL", "CONTAINER_TOOL"} {
		g.Expect(tried).To(HaveKey(name))
	}
}

func TestAValueThatThereIsNotIsRefusedWithThoseThatThereAre(t *testing.T) {
	const features = "there are: cloud-alerts endpoint-configmaps network-policy policy prometheus push secret-watch workload-identity"
	b := newBench(t)
	for _, c := range []struct{ args, refused string }{
		{"deploy BASE=", "BASE is '', must be default or namespaced"},
		{"deploy BASE=policy", "BASE is 'policy', must be default or namespaced"},
		{"deploy BASE=namespaced;true", "BASE is 'namespaced;true', must be default or namespaced"},
		{"undeploy BASE=../default", "BASE is '../default', must be default or namespaced"},
		{"build-installer BASE=$(BASE)", "BASE is '$(BASE)', must be default or namespaced"},
		{"deploy WITH=default", "WITH has 'default'; " + features},
		{"deploy WITH=../policy", "WITH has '../policy'; " + features},
		{"undeploy WITH=*", "WITH has '*'; " + features},
		{"deploy IMG=a|b", "IMG is 'a|b', which is no name of an image"},
		{"build VERSION=v1,-r", "VERSION is 'v1,-r', must be of letters"},
		{"image VERSION=v1;", "VERSION is 'v1;', must be of letters"},
		{"release VERSION=1", "VERSION is '1', must be a semantic version"},
		{"helm-deploy REGISTRY=", "REGISTRY is missing: where this machine pushes the image and the cluster pulls it"},
		{"helm-deploy REGISTRY=a.example,tag=b", "REGISTRY is 'a.example,tag=b', must be a registry and a path in it"},
		{"helm-deploy REGISTRY=https://a.example", "REGISTRY is 'https://a.example', must be a registry and a path in it"},
		{"helm-deploy REGISTRY=-a", "REGISTRY is '-a', must be a registry and a path in it"},
		{"helm-deploy REGISTRY=a..example", "REGISTRY is 'a..example', must be a registry and a path in it"},
		{"helm-deploy REGISTRY=a.example/b___c", "REGISTRY is 'a.example/b___c', must be a registry and a path in it"},
		{"e2e NODE=remote", "NODE is 'remote': it is local, kind or unset"},
	} {
		g := NewWithT(t)
		args := strings.Fields(c.args)
		if !strings.Contains(c.args, "IMG=") {
			args = append(args, "IMG=manager:v1")
		}
		out, green := b.makes(t, "", args...)
		g.Expect(green).To(BeFalse(), "%s: %s", c.args, out)
		g.Expect(out).To(ContainSubstring(c.refused), c.args)
		g.Expect(b.asked()).NotTo(ContainElement("kubectl"), c.args)
	}
	out, green := b.makes(t, "", "deploy", "IMG=manager:v1", "WITH=policy prometheus policy")
	NewWithT(t).Expect(green).To(BeFalse(), out)
	NewWithT(t).Expect(out).To(ContainSubstring("WITH has 'policy' twice"))
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
	for args, flags := range map[string]string{"BENCH=": "-doc docs/benchmarks.md", "BENCH=quick": "-objects 2000", "BENCHFLAGS=-runs=7": "$BENCHFLAGS"} {
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
