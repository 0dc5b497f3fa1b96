// SPDX-License-Identifier: Apache-2.0

// Package verify holds hack/verify to failing wherever it cannot look.
package verify

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
)

const root = "../.."

// programs are the system's, as they are, that hack/verify and what it runs use.
var programs = []string{"bash", "sh", "env", "awk", "grep", "sed", "sort", "join", "find", "tail", "tr", "cp", "cut", "cat", "cmp", "mkdir",
	"mktemp", "mv", "rm", "dirname", "date", "wc", "sha256sum", "sleep", "chmod", "uname", "head", "tee", "ln", "ls", "basename", "diff", "uniq"}

// stub stands for every other program, and for every tool that hack/tools/run builds: it notes
// that it was asked, fails if it is the one to fail, and else answers as one that finds nothing
// to complain about.
const stub = `#!/usr/bin/env bash
name=${0##*/}
name=${name%.[0-9]*} # As hack/tools/run calls one that it has just built.
[[ $name != go ]] || name="go $1"
echo "$name" >>"$STUBS/asked"
if [[ $name == "$FAILS" ]]; then
	echo "stub: $name fails" >&2
	exit 1
fi
case "$name $*" in
"go list"*"-f "*) echo "example.com/a v1" ;;
"go list"*) echo example.com/a ;;
"go env"*) echo stub ;;
"go test"*) echo "ok example.com/a" ;;
"go build"*)
	[[ "$* ${GO_LDFLAGS:-}" != *-dumpdep* ]] || echo "main.main -> x" >&2
	while (($# > 0)); do
		[[ $1 != -o || $2 == /dev/null ]] || cp "$STUBS/stub" "$2"
		shift
	done
	;;
"make "*" PICTURES="*)
	all=$*
	cp -R "$ROOT/docs/pictures" "${all##* PICTURES=}"
	;;
"make "*)
	for path in $(sed -n 's/^generated=(\(.*\))$/\1/p' hack/verify) api/v1alpha1/zz_generated.deepcopy.go; do
		mkdir -p "$(dirname "$path")" && cp -R "$ROOT/$path" "$path"
	done
	;;
"shfmt "*) echo hack/verify ;;
"kubectl "*)
	[[ "$*" != *"-f -" ]] || cat >/dev/null
	printf 'kind: ClusterRoleBinding\nmetadata:\n  name: inventory-operator-metrics-auth-rolebinding\n'
	;;
esac
`

// stubbed are the programs that are stubs throughout, and assets those of the control plane.
var (
	stubbed = []string{"go", "gofmt", "git", "make"}
	assets  = []string{"kube-apiserver", "etcd", "kubectl", "controllers"}
)

// bench is a PATH of stubs and links, a control plane of stubs, and a cache for the tools that are
// built from them.
type bench struct {
	folder, root string
}

func newBench(t *testing.T) *bench {
	g := NewWithT(t)
	project, err := filepath.Abs(root)
	g.Expect(err).NotTo(HaveOccurred())
	b := &bench{t.TempDir(), project}
	g.Expect(os.Mkdir(filepath.Join(b.folder, "bin"), 0o755)).To(Succeed())
	g.Expect(os.WriteFile(filepath.Join(b.folder, "stub"), []byte(stub), 0o755)).To(Succeed())
	for _, program := range programs {
		path, err := exec.LookPath(program)
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(os.Symlink(path, filepath.Join(b.folder, "bin", program))).To(Succeed())
	}
	g.Expect(os.Mkdir(filepath.Join(b.folder, "assets"), 0o755)).To(Succeed())
	for folder, programs := range map[string][]string{"bin": append(stubbed, "kubectl"), "assets": assets} {
		for _, program := range programs {
			g.Expect(os.Symlink(filepath.Join(b.folder, "stub"), filepath.Join(b.folder, folder, program))).To(Succeed())
		}
	}
	return b
}

// verify runs hack/verify, with a stub that fails ("" for none). It returns what it printed, and
// whether it was green.
func (b *bench) verify(ctx context.Context, fails string, checks ...string) (out string, green bool) {
	command := exec.CommandContext(ctx, filepath.Join(b.folder, "bin", "bash"), append([]string{filepath.Join(b.root, "hack", "verify")}, checks...)...)
	command.Env = []string{"PATH=" + filepath.Join(b.folder, "bin"), "HOME=" + b.folder, "TOOLS_CACHE=" + filepath.Join(b.folder, "tools"),
		"KUBEBUILDER_ASSETS=" + filepath.Join(b.folder, "assets"), "STUBS=" + b.folder, "ROOT=" + b.root, "FAILS=" + fails}
	printed, err := command.CombinedOutput()
	return string(printed), err == nil
}

// asked returns the stubs that were asked since the last call.
func (b *bench) asked() []string {
	path := filepath.Join(b.folder, "asked")
	text, _ := os.ReadFile(path) // None was.
	_ = os.Remove(path)
	return slices.Compact(slices.Sorted(slices.Values(strings.FieldsFunc(string(text), func(r rune) bool { return r == '\n' }))))
}

// checks returns the names of all checks.
func checks(t *testing.T) []string {
	text, err := os.ReadFile(filepath.Join(root, "hack", "verify"))
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	list := regexp.MustCompile(`(?m)^checks=\((.*)\)$`).FindStringSubmatch(string(text))
	NewWithT(t).Expect(list).To(HaveLen(2))
	return strings.Fields(list[1])
}

// Each check is run once to see what it asks for, and then once for each of these, which fails.
func TestACheckFailsWhenOneOfItsToolsDoes(t *testing.T) {
	b := newBench(t)
	for _, check := range checks(t) {
		t.Run(check, func(t *testing.T) {
			g := NewWithT(t)
			out, green := b.verify(t.Context(), "", check)
			g.Expect(green).To(BeTrue(), "with every tool content: %s", out)
			// Built once, tools are there: who builds them is not asked again.
			_ = b.asked()
			_, _ = b.verify(t.Context(), "", check)
			tools := b.asked()
			g.Expect(tools).NotTo(BeEmpty(), "it asks no tool")
			for _, tool := range tools {
				out, green := b.verify(t.Context(), tool, check)
				g.Expect(green).To(BeFalse(), "green although %s failed: %s", tool, out)
				g.Expect(out).NotTo(ContainSubstring("checks passed"), tool)
			}
		})
	}
}

func TestACheckFailsWhenAProgramIsTakenAway(t *testing.T) {
	for _, program := range append(stubbed, "cat", "awk", "grep", "sed", "sort", "join", "find", "tail", "tr", "cp", "cut", "uniq", "mktemp", "dirname") {
		t.Run(program, func(t *testing.T) {
			g := NewWithT(t)
			b := newBench(t)
			g.Expect(os.Remove(filepath.Join(b.folder, "bin", program))).To(Succeed())
			out, green := b.verify(t.Context(), "")
			g.Expect(green).To(BeFalse(), out)
			g.Expect(out).NotTo(ContainSubstring(" ok, "), "no check passes, whether it needs the program or not")
		})
	}
}

// counted stands for a program of the system: it is that program, but that it fails the one time
// that it is to, of those that hack/verify itself runs it.
const counted = `#!/bin/sh
case $(%[1]s -o args= -p "$PPID") in
*/hack/verify" "*)
	echo %[2]s >>"$STUBS/ran"
	if [ "$FAILS" = "%[2]s $(%[3]s -cx %[2]s "$STUBS/ran")" ]; then
		echo "stub: $FAILS fails" >&2
		exit 2
	fi
	;;
esac
exec %[4]s "$@"
`

// ran returns the programs of the system that hack/verify itself ran since the last call, each with
// how many times it had.
func (b *bench) ran() (all []string) {
	path := filepath.Join(b.folder, "ran")
	text, _ := os.ReadFile(path) // None was.
	_ = os.Remove(path)
	times := map[string]int{}
	for program := range strings.FieldsSeq(string(text)) {
		times[program]++
		all = append(all, fmt.Sprintf("%s %d", program, times[program]))
	}
	return all
}

// As grep that cannot read a file, whose status is not the one of finding nothing. Of the times that
// a check runs a program, each first, second and last one fails.
func TestACheckFailsWhenAProgramFailsOnce(t *testing.T) {
	g := NewWithT(t)
	path := map[string]string{}
	for _, program := range []string{"ps", "awk", "grep", "sed", "sort", "find", "diff"} {
		var err error
		path[program], err = exec.LookPath(program)
		g.Expect(err).NotTo(HaveOccurred())
	}
	for _, check := range checks(t) {
		t.Run(check, func(t *testing.T) {
			t.Parallel() // hack/compile sleeps.
			g := NewWithT(t)
			b := newBench(t)
			for program := range path {
				if program == "ps" {
					continue
				}
				link := filepath.Join(b.folder, "bin", program)
				g.Expect(os.Remove(link)).To(Succeed())
				g.Expect(os.WriteFile(link, fmt.Appendf(nil, counted, path["ps"], program, path["grep"], path[program]), 0o755)).To(Succeed())
			}
			out, green := b.verify(t.Context(), "", check) // Tools are built.
			g.Expect(green).To(BeTrue(), out)
			_ = b.ran()
			_, _ = b.verify(t.Context(), "", check)
			ran := b.ran()
			for i, once := range ran {
				program, time, _ := strings.Cut(once, " ")
				if time != "1" && time != "2" && slices.ContainsFunc(ran[i+1:], func(more string) bool { return strings.HasPrefix(more, program+" ") }) {
					continue
				}
				out, green := b.verify(t.Context(), once, check)
				g.Expect(out).To(ContainSubstring("stub: " + once + " fails"))
				g.Expect(green).To(BeFalse(), "green although %s failed: %s", once, out)
				_ = b.ran()
			}
		})
	}
}

// The control plane has kubectl, which some checks need. Without it they fail, and say so.
func TestACheckFailsWithoutTheControlPlanesKubectl(t *testing.T) {
	g := NewWithT(t)
	b := newBench(t)
	var need []string
	for _, check := range checks(t) {
		_, _ = b.verify(t.Context(), "", check)
		if slices.Contains(b.asked(), "kubectl") {
			need = append(need, check)
		}
	}
	g.Expect(need).To(ContainElements("manifests_build", "manifests_scored", "namespaced_bounded"))
	g.Expect(os.Remove(filepath.Join(b.folder, "assets", "kubectl"))).To(Succeed())
	for _, check := range need {
		out, green := b.verify(t.Context(), "", check)
		g.Expect(green).To(BeFalse(), out)
		g.Expect(out).To(ContainSubstring("which lacks kubectl"), check)
	}
	out, green := b.verify(t.Context(), "", "chart_alike") // Its tests ask for the control plane.
	g.Expect(green).To(BeFalse(), out)
	g.Expect(out).To(ContainSubstring("which lacks kubectl"))
}
