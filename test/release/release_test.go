// SPDX-License-Identifier: Apache-2.0

// Package release tests what leads to a release: the workflow, its pins, and what becomes of the
// names that are given to make.
package release

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
	"sigs.k8s.io/yaml"
)

const root = "../.."

// workflow is what the tests read of a workflow.
type workflow struct {
	// YAML takes the key "on" for a truth value.
	On   any `json:"true"`
	Jobs map[string]struct {
		Needs any
		Uses  string
		Steps []struct {
			Name, Uses, Run string
			With            map[string]any
		}
	}
}

func read(g Gomega, name string) (w workflow) {
	text, err := os.ReadFile(filepath.Join(root, ".github", "workflows", name))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(yaml.Unmarshal(text, &w)).To(Succeed())
	return w
}

func TestTestsGateARelease(t *testing.T) {
	g := NewWithT(t)
	release := read(g, "release.yaml")
	g.Expect(release.Jobs["release"].Needs).To(Equal("test"))
	g.Expect(release.Jobs["test"].Uses).To(Equal("./.github/workflows/test.yaml"))
	tests := read(g, "test.yaml")
	g.Expect(tests.On).To(HaveKey("workflow_call"))
	var run []string
	for _, job := range tests.Jobs {
		for _, step := range job.Steps {
			run = append(run, step.Run)
		}
	}
	g.Expect(run).To(ContainElements(HavePrefix(".ci/run"), Equal("make e2e NODE=kind")))
}

func TestNothingIsPushedBeforeItIsBuiltCheckedAndCompared(t *testing.T) {
	g := NewWithT(t)
	built := false
	for _, step := range read(g, "release.yaml").Jobs["release"].Steps {
		g.Expect(step.Run).NotTo(ContainSubstring("${{"), "an expression in a script becomes part of its text")
		g.Expect(step.Run).NotTo(MatchRegexp(`\bmake\b`), "make takes a tag for text of its own")
		built = built || strings.HasPrefix(step.Run, "hack/release ")
		if strings.Contains(step.Run, "push") {
			g.Expect(built).To(BeTrue(), step.Name)
		}
		if strings.Contains(step.Run, "-push ") {
			g.Expect(step.Run).To(ContainSubstring(`-digest "$digest" -push `))
			g.Expect(step.Run).To(ContainSubstring(`digest=$(cat "dist/$GITHUB_REF_NAME/image.digest")`))
		}
	}
	g.Expect(built).To(BeTrue())
}

func TestNamesGivenToMakeAreNoScript(t *testing.T) {
	for _, c := range []struct{ target, variable, refused string }{
		{"release", "VERSION", "must be a semantic version"},
		{"deploy", "IMG", "is no name of an image"},
		{"build-installer", "IMG", "is no name of an image"},
	} {
		for _, fromEnvironment := range []bool{false, true} {
			g := NewWithT(t)
			proof := filepath.Join(t.TempDir(), "proof")
			value := `v1.0.0";touch ` + proof + `;"$(touch ` + proof + `)$(shell touch ` + proof + ")`touch " + proof + "`"
			command := exec.Command("make", "--no-print-directory", "-C", root, c.target, "KUBECTL=false")
			if fromEnvironment {
				command.Env = append(os.Environ(), c.variable+"="+value)
			} else {
				command.Args = append(command.Args, c.variable+"="+value)
			}
			out, err := command.CombinedOutput()
			g.Expect(err).To(HaveOccurred())
			g.Expect(string(out)).To(ContainSubstring(c.refused))
			g.Expect(proof).NotTo(BeAnExistingFile(), "%s %s ran what %s says", c.target, out, c.variable)
		}
	}
}

func TestWhatNeedsAnImageSaysSo(t *testing.T) {
	for _, target := range []string{"deploy", "build-installer", "docker-build", "docker-push"} {
		g := NewWithT(t)
		command := exec.Command("make", "--no-print-directory", "-C", root, target, "IMG=", "KUBECTL=false", "CONTAINER_TOOL=false")
		out, err := command.CombinedOutput()
		g.Expect(err).To(HaveOccurred(), target)
		g.Expect(string(out)).To(ContainSubstring("IMG is missing"), target)
	}
}

func TestEachPinIsTheOneThatWasLookedUp(t *testing.T) {
	const commit = "a2bbfa25375fe432b6a289bc6b6cd05ecd0c4c32"
	for name, c := range map[string]struct {
		file, from, to string // What is changed.
		fault          string
	}{
		"as it is":                 {},
		"another commit in use":    {".github/workflows/release.yaml", commit, "977bb373ede98d70efbf0b7b13af9c3d6651dc60", "make them alike"},
		"another tag in use":       {".github/workflows/release.yaml", commit + " # v4.1.0", commit + " # v4.2.0", "make them alike"},
		"a pin by tag":             {".github/workflows/test.yaml", "@11bd71901bbe5b1630ceea73d27597364c9af683 # v4.2.2", "@v4", "pin these by commit"},
		"a pin that nothing uses":  {"docs/releasing.md", "| `actions/checkout` |", "| `actions/cache` |", "make them alike"},
		"a pin without a look-up":  {"docs/releasing.md", "| 2026-11-29, in a stored copy of github.com/actions/checkout whose last commit is f548e57e of 2026-07-20 |", "|  |", "make them alike"},
		"a table that is gone":     {"docs/releasing.md", "| `", "| ", "make them alike"},
		"a further workflow":       {".github/workflows/more.yml", "", "jobs:\n  one:\n    steps:\n    - uses: actions/cache@v4\n", "pin these by commit"},
		"one of another action":    {".github/workflows/more.yml", "", "    - uses: actions/cache@" + commit + " # v4.1.0\n", "make them alike"},
		"one with a key in quotes": {".github/workflows/more.yml", "", `    - {"uses" : "actions/cache@v4"}` + "\n", "pin these by commit"},
		"one on the next line":     {".github/workflows/more.yml", "", "    - uses: >-\n        actions/cache@v4\n", "pin these by commit"},
		"one without a version":    {".github/workflows/more.yml", "", "    - uses: actions/cache\n", "pin these by commit"},
		"an action of our own":     {".github/actions/build/action.yml", "", "runs:\n  using: composite\n  steps:\n  - uses: actions/cache@v4\n", "pin these by commit"},
		"an action elsewhere":      {"hack/action.yaml", "", "runs:\n  using: composite\n  steps:\n  - uses: actions/cache@v4\n", "pin these by commit"},
		"an image by tag":          {"hack/action.yaml", "", "runs:\n  using: docker\n  image: docker://alpine:3\n", "pin these by digest"},
		"an image by digest":       {"hack/action.yaml", "", "runs:\n  using: docker\n  image: docker://alpine@sha256:" + strings.Repeat("a", 64) + "\n", ""},
		"a use of what is here":    {".github/workflows/more.yml", "", "jobs:\n  one:\n    uses: ./.github/workflows/test.yaml\n", ""},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			folder := t.TempDir()
			for _, path := range []string{"hack/verify", "hack/goflags", "docs/releasing.md", ".github/workflows/release.yaml", ".github/workflows/test.yaml", ".github/workflows/scorecard.yaml"} {
				text, err := os.ReadFile(filepath.Join(root, path))
				g.Expect(err).NotTo(HaveOccurred())
				if path == c.file && c.from != "" {
					g.Expect(string(text)).To(ContainSubstring(c.from))
					text = []byte(strings.ReplaceAll(string(text), c.from, c.to))
				}
				g.Expect(os.MkdirAll(filepath.Dir(filepath.Join(folder, path)), 0o755)).To(Succeed())
				g.Expect(os.WriteFile(filepath.Join(folder, path), text, 0o755)).To(Succeed())
			}
			if c.from == "" && c.file != "" { // A file more.
				g.Expect(os.MkdirAll(filepath.Dir(filepath.Join(folder, c.file)), 0o755)).To(Succeed())
				g.Expect(os.WriteFile(filepath.Join(folder, c.file), []byte(c.to), 0o644)).To(Succeed())
			}
			// actionlint is not what this is about.
			g.Expect(os.MkdirAll(filepath.Join(folder, "hack", "tools"), 0o755)).To(Succeed())
			g.Expect(os.WriteFile(filepath.Join(folder, "hack", "tools", "run"), []byte("#!/bin/sh\n"), 0o755)).To(Succeed())
			out, err := exec.Command(filepath.Join(folder, "hack", "verify"), "workflows").CombinedOutput()
			if c.fault == "" {
				g.Expect(err).NotTo(HaveOccurred(), string(out))
				return
			}
			g.Expect(err).To(HaveOccurred())
			g.Expect(string(out)).To(ContainSubstring(c.fault))
		})
	}
}
