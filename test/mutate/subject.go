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

// subject is a rule or guard, and the text of its file without it.
type subject struct {
	name, file string
	source     []byte
	// focus narrows the specs that are run; "" runs all tests.
	focus string
}

// folder is that of its package, from the module's root.
func (s subject) folder() string { return filepath.Dir(s.file) }

// slowTest is how long a test takes that is run only if no other fails, in seconds.
const slowTest = 1

// said is what tests said.
type said struct {
	// failed is a test that failed, with its spec if it is a suite of them; "" if none did.
	failed string
	// slow are the tests that took long.
	slow []string
	// ran reports whether the tests were built.
	ran bool
}

// test runs the tests of its package without it and returns the name of one that failed, "" if
// none did. The error is for tests that could not be run to their end. scratch does not exist yet.
// slow are tests that are run if no other fails.
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
	// An interrupt ends the compilers and the tests too.
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

// read reads what go test -json printed, of top-level tests.
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
