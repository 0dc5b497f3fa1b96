// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
)

const root = "../.."

// script runs one of a copy of the scripts in a folder, "" being that of the project.
func script(t *testing.T, folder string, env []string, name string, args ...string) (string, error) {
	t.Helper()
	g := NewWithT(t)
	path := filepath.Join(root, name)
	if folder != "" {
		path = filepath.Join(folder, name)
		for _, file := range []string{name, "hack/goflags", "hack/doctor"} {
			text, err := os.ReadFile(filepath.Join(root, file))
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(os.MkdirAll(filepath.Dir(filepath.Join(folder, file)), 0o700)).To(Succeed())
			g.Expect(os.WriteFile(filepath.Join(folder, file), text, 0o700)).To(Succeed())
		}
	}
	command := exec.CommandContext(t.Context(), path, args...)
	command.Env = append(os.Environ(), env...)
	out, err := command.CombinedOutput()
	return string(out), err
}

func TestTheInnerCircleNeedsNoTool(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	list, err := script(t, "", nil, "hack/test", "--list")
	g.Expect(err).NotTo(HaveOccurred(), list)
	packages := strings.Fields(list)
	g.Expect(packages).To(ContainElements("./internal/controller", "./test/e2e", "./hack/progress"))
	g.Expect(packages).NotTo(ContainElement("./test/chart"))
	g.Expect(packages[0]).To(Equal("./test/e2e"), "the slow ones start first")
}

// A test that begins to use a tool fails until its package is listed.
func TestWhatAsksForAToolInTheInnerCircleIsRefused(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	for tool, args := range map[string][]string{"helm": {"--path", "helm"}, "shfmt": {"shfmt", "--version"}} {
		said, err := script(t, "", []string{"TOOLS_REFUSED=see the list in hack/test", "TOOLS_CACHE=" + t.TempDir()}, "hack/tools/run", args...)
		g.Expect(err).To(HaveOccurred())
		g.Expect(said).To(Equal("hack/tools/run: " + tool + ": see the list in hack/test\n"))
	}
}

// A new module with tests belongs to no circle until it is listed; it must not be left out unseen.
func TestAModuleThatIsNotListedFailsTheRun(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	folder := t.TempDir()
	g.Expect(os.MkdirAll(filepath.Join(folder, "test", "new"), 0o700)).To(Succeed())
	for _, file := range []string{"go.mod", "new_test.go"} {
		g.Expect(os.WriteFile(filepath.Join(folder, "test", "new", file), nil, 0o600)).To(Succeed())
	}
	said, err := script(t, folder, nil, "hack/test", "--list")
	g.Expect(err).To(HaveOccurred())
	g.Expect(said).To(ContainSubstring("test/new is a module with tests, of which the list in hack/test does not say what it needs"))
}
