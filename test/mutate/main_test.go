// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"fmt"
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
	found, err := rules([]byte(chain), []string{"first", "second"})
	g.Expect(err).NotTo(HaveOccurred())
	var names []string
	for _, r := range found {
		names = append(names, r.name)
		without := r.edit.in([]byte(chain), 0, len(chain))
		left, err := rules(without, []string{"first"})
		g.Expect(err).NotTo(HaveOccurred(), string(without))
		g.Expect(left).To(HaveLen(map[string]int{"a": 1, "b": 1, "c": 2}[r.name]))
	}
	g.Expect(names).To(Equal([]string{"a", "b", "c"}))
}

func TestAChainThatIsNotThereIsAnError(t *testing.T) {
	t.Parallel()
	for _, source := range []string{"package p", "package p\nvar whole chain", "package p\nvar whole = chain{first: []func(){}}", "no Go"} {
		_, err := rules([]byte(source), []string{"first"})
		NewWithT(t).Expect(err).To(HaveOccurred(), source)
	}
}

// program prints what each form of scope gives.
const program = `package main

import "fmt"

var answers, unused = map[string]int{"one": 1}, 0

type box[T any] struct{ of T }

func (b box[T]) get() (of T, err error) {
	defer func() { err = fmt.Errorf("late") }()
	of = b.of
	return
}

func double(n int) int { return 2 * n }

func print(n int) {
	if n > 2 {
		return
	}
	fmt.Println("n", n)
}

func main() {
	print(2)
	print(double(2))
	of, err := box[int]{7}.get()
	fmt.Println(answers, of, err)
}
`

func TestOneProgramHasEachMutantBesideTheOriginal(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	replace := func(id, text, by string) mutant {
		g.Expect(strings.Count(program, text)).To(Equal(1), text)
		from := strings.Index(program, text)
		return mutant{id, edit{from, from + len(text), by}}
	}
	text, name, err := withMutants([]byte(program), []mutant{
		replace("value", "1}", "10}"),
		replace("method", "b.of", "*new(T)"),
		replace("deferred", "late", "never"),
		replace("result", "2 *", "3 *"),
		replace("nothing", "n > 2", "n >= 2"),
	})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(name).To(Equal("main"))
	folder := t.TempDir()
	for file, text := range map[string]string{"main.go": string(text), "selection.go": fmt.Sprintf(selection, name), "go.mod": "module p\n\ngo 1.24\n"} {
		g.Expect(os.WriteFile(filepath.Join(folder, file), []byte(text), 0o600)).To(Succeed())
	}
	build := exec.CommandContext(t.Context(), "go", "build", "-o", "program", ".")
	build.Dir = folder
	output, err := build.CombinedOutput()
	g.Expect(err).NotTo(HaveOccurred(), string(output))
	for id, prints := range map[string]string{
		"":         "n 2\nmap[one:1] 7 late\n",
		"value":    "n 2\nmap[one:10] 7 late\n",
		"method":   "n 2\nmap[one:1] 0 late\n",
		"deferred": "n 2\nmap[one:1] 7 never\n",
		"result":   "n 2\nmap[one:1] 7 late\n",
		"nothing":  "map[one:1] 7 late\n",
		"unknown":  "n 2\nmap[one:1] 7 late\n",
	} {
		run := exec.CommandContext(t.Context(), filepath.Join(folder, "program"))
		run.Env = append(os.Environ(), selected+"="+id)
		output, err := run.CombinedOutput()
		g.Expect(err).NotTo(HaveOccurred(), string(output))
		g.Expect(string(output)).To(Equal(prints), id)
	}
}

func TestAnEditOutsideOfFunctionsAndValuesIsAnError(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"type box", "}\n\nfunc print", "(n int) int"} {
		from := strings.Index(program, text)
		_, _, err := withMutants([]byte(program), []mutant{{"x", edit{from, from + len(text), ""}}})
		NewWithT(t).Expect(err).To(MatchError(ContainSubstring("is not within")), text)
	}
}

func TestWhatTestsSaid(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	g.Expect(read([]byte(`=== RUN   TestB
=== RUN   TestB/part
    b_test.go:1: --- FAIL: TestNo (7.00s)
--- FAIL: TestB (7.00s)
    --- FAIL: TestB/part (7.00s)
--- PASS: TestC (1.50s)
--- FAIL: TestA (0.00s)
FAIL
`))).To(Equal(said{failed: "TestB", ran: true}))
	g.Expect(read([]byte("=== RUN   TestA\n{\"a log\": \"without its end\"}--- FAIL: TestA (0.00s)\n"))).To(Equal(said{failed: "TestA", ran: true}))
	g.Expect(read([]byte(`=== RUN   TestController
  [FAIL] A source [It] is read
--- FAIL: TestController (0.00s)
`))).To(Equal(said{failed: "TestController: A source [It] is read", ran: true}))
	g.Expect(read([]byte("=== RUN   TestA\npanic: index out of range\n"))).To(Equal(said{failed: "TestA", ran: true}))
	g.Expect(read([]byte("FAIL\n"))).To(Equal(said{}))
}

// testNames returns the names of the tests of a package: of its specs, in specsFolder.
func testNames(t *testing.T, folder string) (names []string) {
	g := NewWithT(t)
	file := filepath.Join(t.TempDir(), "specs.json")
	arguments := []string{"test", "-count=1", "-list", ".", "./" + folder}
	if folder == specsFolder {
		arguments = []string{"test", "-count=1", "-run", "^TestController$", "./" + folder, "-ginkgo.dry-run", "-ginkgo.json-report=" + file}
	}
	command := exec.CommandContext(t.Context(), "go", arguments...)
	command.Dir = filepath.Join("..", "..")
	output, err := command.CombinedOutput()
	g.Expect(err).NotTo(HaveOccurred(), string(output))
	if folder != specsFolder {
		return strings.Fields(string(output))
	}
	report, err := os.ReadFile(file)
	g.Expect(err).NotTo(HaveOccurred())
	var suites []struct {
		SpecReports []struct {
			ContainerHierarchyTexts []string
			LeafNodeText            string
		}
	}
	g.Expect(json.Unmarshal(report, &suites)).To(Succeed())
	for _, spec := range suites[0].SpecReports {
		names = append(names, strings.Join(append(spec.ContainerHierarchyTexts, spec.LeafNodeText), " "))
	}
	return names
}

func TestEveryGuardNamesATest(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	names := map[string][]string{}
	for _, guard := range guards {
		folder := filepath.Dir(guard.file)
		if names[folder] == nil {
			names[folder] = testNames(t, folder)
		}
		if folder == specsFolder {
			g.Expect(guard.test).NotTo(BeEmpty(), guard.name)
			g.Expect(names[folder]).To(ContainElement(MatchRegexp(guard.test)), guard.name)
		} else {
			g.Expect(names[folder]).To(ContainElement(guard.test), guard.name)
		}
	}
	g.Expect(names[filepath.Dir(rulesFile)]).To(ContainElement(rulesTest))
}

func TestATestIsTriedWithEverythingInPlaceFirst(t *testing.T) {
	t.Parallel()
	var subjects []subject
	for i := range originalTests + 1 {
		test := fmt.Sprint("Test", i)
		subjects = append(subjects, subject{name: test, file: "a/file.go", test: test}, subject{name: test + " again", file: "a/file.go", test: test})
	}
	trials := trialsOf(subjects)
	g := NewWithT(t)
	g.Expect(trials).To(HaveLen(2 + len(subjects)))
	g.Expect(trials[0].tests).To(HaveLen(originalTests))
	g.Expect(trials[1]).To(Equal(trial{"a, with everything in place", "a", "", []string{"Test0"}}))
	g.Expect(trials[2+len(subjects)-1]).To(Equal(trial{"Test0", "a", "0", []string{"Test0"}}))
}

func TestEveryGuardStandsInItsFileOnce(t *testing.T) {
	t.Parallel()
	for _, guard := range guards {
		source, err := os.ReadFile(filepath.Join("..", "..", guard.file))
		g := NewWithT(t)
		g.Expect(err).NotTo(HaveOccurred())
		e, err := guard.place(source)
		g.Expect(err).NotTo(HaveOccurred())
		text, _, err := withMutants(source, []mutant{{"x", e}})
		g.Expect(err).NotTo(HaveOccurred(), guard.name)
		_, err = parser.ParseFile(token.NewFileSet(), guard.file, text, 0)
		g.Expect(err).NotTo(HaveOccurred(), guard.name)
	}
}
