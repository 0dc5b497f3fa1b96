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

// test runs the tests of its package without it and returns the name of one that failed, "" if
// none did. The error is for tests that could not be run to their end. scratch does not exist yet.
func (s subject) test(ctx context.Context, environment []string, scratch string) (failed string, err error) {
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
	return test(ctx, environment, s.folder(), s.focus, "-overlay", overlay)
}

// test runs the tests of a package until one fails, and returns its name.
func test(ctx context.Context, environment []string, folder, focus string, flags ...string) (failed string, err error) {
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
	failed, built := failure(output)
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return "", ctx.Err()
	case err != nil && !errors.As(err, &exit):
		return "", err
	case !built, err != nil && failed == "":
		return "", fmt.Errorf("the tests did not run: %w\n%s%s", err, stderr.Bytes(), output)
	}
	return failed, nil
}

// failure reads what go test -json printed: the top-level test that failed first, with the name of
// the spec if it is of a suite of specs, and whether the tests were built.
func failure(output []byte) (failed string, built bool) {
	decoder := json.NewDecoder(bytes.NewReader(output))
	spec := ""
	for {
		var event struct{ Action, Test, Output string }
		if decoder.Decode(&event) != nil {
			return failed, built
		}
		built = built || event.Action == "run"
		if _, name, is := strings.Cut(event.Output, "[FAIL] "); is && spec == "" {
			spec = ": " + strings.TrimSpace(name)
		}
		if event.Action == "fail" && event.Test != "" && !strings.Contains(event.Test, "/") && failed == "" {
			failed = event.Test + spec
		}
	}
}
