// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// subject is a rule or guard, and the edit of its file that takes it out.
type subject struct {
	name, file string
	edit       edit
	// test is as for a guard.
	test string
}

// folder is that of its package, from the module's root.
func (s subject) folder() string { return filepath.Dir(s.file) }

// suite is the tests of a package, built once with all the mutants of the package.
type suite struct {
	folder, binary string
	environment    []string
}

// timeout bounds one run of a package's tests.
const timeout = "10m"

// build builds the tests of a package with mutants of these subjects, each named by its place in
// the slice; those of other packages are left out. scratch is a folder that does not exist yet.
func build(ctx context.Context, environment []string, scratch, folder string, subjects []subject) (*suite, error) {
	if err := os.Mkdir(scratch, 0o700); err != nil {
		return nil, err
	}
	mutants := map[string][]mutant{}
	for i, s := range subjects {
		if s.folder() == folder {
			mutants[s.file] = append(mutants[s.file], mutant{strconv.Itoa(i), s.edit})
		}
	}
	// The compiler is told to read what is in scratch where it would read the files.
	replace := map[string]string{}
	put := func(file string, text []byte) error {
		original, err := filepath.Abs(file)
		if err != nil {
			return err
		}
		replace[original] = filepath.Join(scratch, filepath.Base(file))
		return os.WriteFile(replace[original], text, 0o600)
	}
	for file, of := range mutants {
		source, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		text, name, err := withMutants(source, of)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		if err := errors.Join(put(file, text), put(filepath.Join(folder, "mutant_selection.go"), fmt.Appendf(nil, selection, name))); err != nil {
			return nil, err
		}
	}
	table, err := json.Marshal(map[string]map[string]string{"Replace": replace})
	if err != nil {
		return nil, err
	}
	overlay, binary := filepath.Join(scratch, "overlay.json"), filepath.Join(scratch, "tests")
	if err := os.WriteFile(overlay, table, 0o600); err != nil {
		return nil, err
	}
	compile := interruptible(exec.CommandContext(ctx, "go", "test", "-c", "-vet=off", "-overlay", overlay, "-o", binary, "./"+folder))
	compile.Env = environment
	if output, err := compile.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("building the tests of %s: %w\n%s", folder, err, output)
	}
	return &suite{folder: folder, binary: binary, environment: environment}, nil
}

// interruptible has an interrupt end all that the command started.
func interruptible(command *exec.Cmd) *exec.Cmd {
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	command.Cancel = func() error { return syscall.Kill(-command.Process.Pid, syscall.SIGTERM) }
	return command
}

// run runs tests with a mutant until one fails; id "" is the original. Each of tests is as for a guard.
// The error is for tests that could not be run to their end.
func (t *suite) run(ctx context.Context, id string, tests ...string) (said, error) {
	args := []string{"-test.v", "-test.failfast", "-test.timeout", timeout, "-test.run"}
	if joined := strings.Join(tests, "|"); t.folder == specsFolder {
		args = append(args, "^TestController$", "-ginkgo.focus", joined, "-ginkgo.fail-fast", "-ginkgo.no-color")
	} else {
		args = append(args, "^("+joined+")$")
	}
	command := interruptible(exec.CommandContext(ctx, t.binary, args...))
	command.Env = append(slices.Clone(t.environment), selected+"="+id)
	command.Dir = t.folder
	var stderr bytes.Buffer
	command.Stderr = &stderr
	output, err := command.Output()
	found := read(output)
	found.output = output
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return said{}, ctx.Err()
	case err != nil && !errors.As(err, &exit):
		return said{}, err
	case !found.ran, err != nil && found.failed == "":
		return said{}, fmt.Errorf("the tests did not run: %w\n%s%s", err, stderr.Bytes(), output)
	}
	return found, nil
}

// said is what tests said.
type said struct {
	// failed is a test that failed, with its spec if it is a suite of them; "" if none did.
	failed string
	// ran reports whether tests began.
	ran bool
	// output is all that the tests printed.
	output []byte
}

// verdict is the line with which a top-level test ends that failed. What the test printed last may stand
// before it.
var verdict = regexp.MustCompile(`--- FAIL: ([^ /]+) \([0-9.]+s\)$`)

// read reads what tests printed that run with -test.v, of top-level tests. A test that ends the
// program fails.
func read(output []byte) (found said) {
	spec, last := "", ""
	lines := bufio.NewScanner(bytes.NewReader(output))
	lines.Buffer(nil, len(output)+1)
	for lines.Scan() {
		line := lines.Text()
		if name, is := strings.CutPrefix(line, "=== RUN   "); is {
			found.ran, last = true, name
		}
		if _, name, is := strings.Cut(line, "[FAIL] "); is && spec == "" {
			spec = ": " + strings.TrimSpace(name)
		}
		if strings.HasPrefix(line, "panic: ") && found.failed == "" {
			found.failed = last
		}
		if strings.HasPrefix(line, "    ") {
			continue // That of a part.
		}
		if m := verdict.FindStringSubmatch(line); m != nil && found.failed == "" {
			found.failed = m[1] + spec
		}
	}
	return found
}
