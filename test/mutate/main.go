// SPDX-License-Identifier: Apache-2.0

// Program mutate takes each prune rule out of its chain by itself, and each guard out of
// its file, and runs the tests of the package without it: what nobody misses is what no
// test holds.
//
// Names given on the command line narrow it to those that contain one of them.
// It prints a line for each: its name, how many tests failed, the first names.
// It exits with 1 if one can be taken out unnoticed, with 2 if it could not tell of one.
// It writes to a temporary folder only: the compiler is told to read from there
// (go test -overlay).
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

const (
	rulesFile  = "internal/mirror/prune.go"
	shownNames = 3
)

// chains are the fields of the prune chain that hold the rules.
var chains = []string{"each", "batch"}

func main() {
	unnoticed, err := run(os.Stdout, os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "mutate:", err)
		os.Exit(2)
	}
	if len(unnoticed) > 0 {
		fmt.Fprintf(os.Stderr, "mutate: no test misses %s\n", strings.Join(unnoticed, ", "))
		os.Exit(1)
	}
}

// run tries every rule and guard whose name contains one of names, all if there are
// none, and returns those that can be taken out unnoticed. It is to be run at the
// module's root.
func run(out io.Writer, names []string) (unnoticed []string, err error) {
	if os.Getenv("KUBEBUILDER_ASSETS") == "" { // Specs would fail with every guard in place.
		return nil, errors.New(`KUBEBUILDER_ASSETS is not set; run make mutants, or set it to "$(hack/controlplane/ensure)"`)
	}
	source, err := os.ReadFile(rulesFile)
	if err != nil {
		return nil, fmt.Errorf("reading the rules, from the module's root: %w", err)
	}
	mutants, err := withoutEach(source, chains)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", rulesFile, err)
	}
	scratch, err := os.MkdirTemp("", "mutate-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(scratch)) }()
	rules := subject{file: rulesFile}
	if failed, err := rules.test(scratch, source); err != nil || len(failed) > 0 {
		return nil, fmt.Errorf("with every rule in place these tests fail: %v: %w", failed, err)
	}
	tried := func(name string) bool {
		return len(names) == 0 || slices.ContainsFunc(names, func(part string) bool { return strings.Contains(name, part) })
	}
	var broken error
	for _, m := range mutants {
		if !tried(m.rule) {
			continue
		}
		broken = errors.Join(broken, noticed(out, &unnoticed, m.rule, rules, scratch, m.source))
	}
	for _, g := range guards {
		if !tried(g.name) {
			continue
		}
		source, err := os.ReadFile(g.file)
		if err == nil {
			source, err = g.mutate(source)
		}
		if err == nil {
			err = noticed(out, &unnoticed, g.name, subject{g.file, g.focus}, scratch, source)
		}
		broken = errors.Join(broken, err)
	}
	return unnoticed, broken
}

// noticed runs the tests with another text of a file, says how many miss what was taken
// out, and adds its name to unnoticed if none does.
func noticed(out io.Writer, unnoticed *[]string, name string, of subject, scratch string, source []byte) error {
	failed, err := of.test(scratch, source)
	if err != nil {
		return fmt.Errorf("without %s: %w", name, err)
	}
	if len(failed) == 0 {
		*unnoticed = append(*unnoticed, name)
	}
	_, _ = fmt.Fprintf(out, "%-42s %3d tests fail: %s\n", name, len(failed), first(failed, shownNames))
	return nil
}

// subject is a file whose text is changed.
type subject struct {
	file string
	// focus narrows the specs that are run; "" runs all.
	focus string
}

// test runs the tests of the file's package with another text of the file, and returns
// the names of the top-level tests that failed, sorted. The error is for tests that could
// not be run to their end.
func (s subject) test(scratch string, source []byte) ([]string, error) {
	original, err := filepath.Abs(s.file)
	if err != nil {
		return nil, err
	}
	replacement, overlay := filepath.Join(scratch, "rules.go"), filepath.Join(scratch, "overlay.json")
	table, err := json.Marshal(map[string]map[string]string{"Replace": {original: replacement}})
	if err != nil {
		return nil, err
	}
	if err := errors.Join(os.WriteFile(replacement, source, 0o600), os.WriteFile(overlay, table, 0o600)); err != nil {
		return nil, err
	}
	args := []string{"test", "-vet=off", "-json", "-overlay", overlay, "./" + filepath.Dir(s.file)}
	if s.focus != "" {
		args = append(args, "-run", "^TestController$", "-ginkgo.focus", s.focus, "-ginkgo.fail-fast")
	}
	command := exec.Command("go", args...)
	// A property that fails is enough: it needs no long search, and is neither made
	// small nor kept.
	command.Env = append(os.Environ(), "RAPID_CHECKS=100", "RAPID_NOFAILFILE=true", "RAPID_SHRINKTIME=0s")
	var stderr bytes.Buffer
	command.Stderr = &stderr
	output, err := command.Output()
	failed, built := failures(output)
	var exit *exec.ExitError
	switch {
	case err != nil && !errors.As(err, &exit):
		return nil, err
	case !built, err != nil && len(failed) == 0:
		return nil, fmt.Errorf("the tests did not run: %w\n%s%s", err, stderr.Bytes(), output)
	}
	return failed, nil
}

// failures reads what go test -json printed: the names of the top-level tests that
// failed, sorted, and whether the tests were built.
func failures(output []byte) (failed []string, built bool) {
	decoder := json.NewDecoder(bytes.NewReader(output))
	for {
		var event struct{ Action, Test string }
		if decoder.Decode(&event) != nil {
			break
		}
		built = built || event.Action == "run"
		if event.Action == "fail" && event.Test != "" && !strings.Contains(event.Test, "/") {
			failed = append(failed, event.Test)
		}
	}
	slices.Sort(failed)
	return failed, built
}

func first(names []string, n int) string {
	if len(names) <= n {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:n], ", "), len(names)-n)
}
