// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
)

// subject is a rule or guard. source is its file without this rule or guard.
type subject struct {
	name, file string
	source     []byte
	// focus selects the specs to run; "" runs all tests.
	focus string
}

// folder is the folder of the subject's package, relative to the module's root.
func (s subject) folder() string { return filepath.Dir(s.file) }

// slowTest is the time, in seconds, from which on a test counts as slow. Slow tests run only if no
// other test fails.
const slowTest = 1

// said is the result of a run of tests.
type said struct {
	// failed is a test that failed; "" if no test failed. If the test is a suite of specs, failed
	// names the spec too.
	failed string
	// slow are the tests that passed but took long.
	slow []string
	// ran reports whether the tests were built.
	ran bool
}

// test runs the tests of the subject's package with source instead of its file. It returns the name
// of a test that failed; "" if all tests passed. The error is not nil if the tests could not run to
// their end. scratch is a folder that does not exist yet. slow are the tests that run only if no
// other test fails.
func (s subject) test(ctx context.Context, environment []string, scratch string, slow []string) (failed string, err error) {
	original, err := filepath.Abs(s.file)
	if err != nil {
		return "", err
	}
	replacement, overlay := filepath.Join(scratch, "without.go"), filepath.Join(scratch, "overlay.json")
	table, err := json.Marshal(map[string]map[string]string{"Replace": {original: replacement}})
	if err != nil {
		return "", err
	}
	if err := errors.Join(os.Mkdir(scratch, 0o700), os.WriteFile(replacement, s.source, 0o600), os.WriteFile(overlay, table, 0o600)); err != nil {
		return "", err
	}
	if len(slow) == 0 {
		whole, err := test(ctx, environment, s.folder(), s.focus, "-overlay", overlay)
		return whole.failed, err
	}
	names := "^(" + strings.Join(slow, "|") + ")$"
	quick, err := test(ctx, environment, s.folder(), s.focus, "-overlay", overlay, "-skip", names)
	if err != nil || quick.failed != "" {
		return quick.failed, err
	}
	rest, err := test(ctx, environment, s.folder(), s.focus, "-overlay", overlay, "-run", names)
	return rest.failed, err
}

// test runs the tests of a package until one fails.
func test(ctx context.Context, environment []string, folder, focus string, flags ...string) (said, error) {
	args := append([]string{"test", "-vet=off", "-count=1", "-failfast", "-json"}, flags...)
	args = append(args, "./"+folder)
	if focus != "" {
		args = append(args, "-run", "^TestController$", "-ginkgo.focus", focus, "-ginkgo.fail-fast", "-ginkgo.no-color")
	}
	command := exec.CommandContext(ctx, "go", args...)
	command.Env = environment
	// An interrupt also ends the compilers and the tests that go started.
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	command.Cancel = func() error { return syscall.Kill(-command.Process.Pid, syscall.SIGTERM) }
	var stderr bytes.Buffer
	command.Stderr = &stderr
	output, err := command.Output()
	found := read(output)
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

// read reads the output of go test -json. It counts only top-level tests.
func read(output []byte) (found said) {
	decoder := json.NewDecoder(bytes.NewReader(output))
	spec := ""
	for {
		var event struct {
			Action, Test, Output string
			Elapsed              float64
		}
		if decoder.Decode(&event) != nil {
			return found
		}
		found.ran = found.ran || event.Action == "run"
		if _, name, is := strings.Cut(event.Output, "[FAIL] "); is && spec == "" {
			spec = ": " + strings.TrimSpace(name)
		}
		if event.Test == "" || strings.Contains(event.Test, "/") {
			continue
		}
		if event.Action == "fail" && found.failed == "" {
			found.failed = event.Test + spec
		}
		if event.Action == "pass" && event.Elapsed >= slowTest {
			found.slow = append(found.slow, event.Test)
		}
	}
}
