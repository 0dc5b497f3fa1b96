// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
)

const chain = `package p

var whole = chain{
	first: []func(){
		a,
		b, // the second
	},
	second: []func(){
		c,
	},
}
`

func TestEachRuleIsTakenOutByItself(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	mutants, err := withoutEach([]byte(chain), []string{"first", "second"})
	g.Expect(err).NotTo(HaveOccurred())
	var rules []string
	for _, m := range mutants {
		rules = append(rules, m.rule)
		left, err := withoutEach(m.source, []string{"first"})
		g.Expect(err).NotTo(HaveOccurred(), string(m.source))
		g.Expect(left).To(HaveLen(map[string]int{"a": 1, "b": 1, "c": 2}[m.rule]))
	}
	g.Expect(rules).To(Equal([]string{"a", "b", "c"}))
}

func TestAChainThatIsNotThereIsAnError(t *testing.T) {
	t.Parallel()
	for _, source := range []string{"package p", "package p\nvar whole chain", "package p\nvar whole = chain{first: []func(){}}", "no Go"} {
		_, err := withoutEach([]byte(source), []string{"first"})
		NewWithT(t).Expect(err).To(HaveOccurred(), source)
	}
}

func TestWhatAProtocolSays(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	g.Expect(read([]byte(`{"Action":"run","Test":"TestB"}
{"Action":"fail","Test":"TestB/part","Elapsed":7}
{"Action":"fail","Test":"TestB","Elapsed":7}
{"Action":"pass","Test":"TestC","Elapsed":1.5}
{"Action":"pass","Test":"TestD/part","Elapsed":1.5}
{"Action":"pass","Test":"TestD","Elapsed":0.5}
{"Action":"fail","Test":"TestA"}
{"Action":"fail"}
`))).To(Equal(said{failed: "TestB", slow: []string{"TestC"}, ran: true}))
	g.Expect(read([]byte(`{"Action":"run","Test":"TestController"}
{"Action":"output","Test":"TestController","Output":"  [FAIL] A source [It] is read\n"}
{"Action":"fail","Test":"TestController"}
`))).To(Equal(said{failed: "TestController: A source [It] is read", ran: true}))
	g.Expect(read([]byte(`{"Action":"build-fail"}
{"Action":"fail"}
`))).To(Equal(said{}))
}

func TestEveryFocusNamesASpec(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	file := filepath.Join(t.TempDir(), "specs.json")
	command := exec.CommandContext(t.Context(), "go", "test", "-count=1", "-run", "^TestController$", "./internal/controller", "-ginkgo.dry-run", "-ginkgo.json-report="+file)
	command.Dir = filepath.Join("..", "..")
	output, err := command.CombinedOutput()
	g.Expect(err).NotTo(HaveOccurred(), string(output))
	report, err := os.ReadFile(file)
	g.Expect(err).NotTo(HaveOccurred())
	var suites []struct {
		SpecReports []struct {
			ContainerHierarchyTexts []string
			LeafNodeText            string
		}
	}
	g.Expect(json.Unmarshal(report, &suites)).To(Succeed())
	var specs []string
	for _, spec := range suites[0].SpecReports {
		specs = append(specs, strings.Join(append(spec.ContainerHierarchyTexts, spec.LeafNodeText), " "))
	}
	for _, guard := range guards {
		if guard.focus != "" {
			g.Expect(specs).To(ContainElement(MatchRegexp(guard.focus)), guard.name)
		}
	}
}

func TestEveryGuardStandsInItsFileOnce(t *testing.T) {
	t.Parallel()
	for _, guard := range guards {
		source, err := os.ReadFile(filepath.Join("..", "..", guard.file))
		g := NewWithT(t)
		g.Expect(err).NotTo(HaveOccurred())
		mutated, err := guard.mutate(source)
		g.Expect(err).NotTo(HaveOccurred())
		_, err = parser.ParseFile(token.NewFileSet(), guard.file, mutated, 0)
		g.Expect(err).NotTo(HaveOccurred(), guard.name)
	}
}
