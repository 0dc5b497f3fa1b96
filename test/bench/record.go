// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// record is what one scenario leaves behind: one line of JSON.
type record struct {
	Scenario string    `json:"scenario"`
	Time     time.Time `json:"time"`
	// Seconds is how long the whole scenario took, preparing included.
	Seconds float64  `json:"seconds"`
	Quick   bool     `json:"quick"`
	Setup   string   `json:"setup"`
	Machine machine  `json:"machine"`
	Version versions `json:"versions"`
	Figures figures  `json:"figures"`
	// Notes say what a reader must know to read the figures right.
	Notes []string `json:"notes,omitempty"`
}

// machine is what it was measured on.
type machine struct {
	CPU    string `json:"cpu"`
	Cores  int    `json:"cores"`
	Memory string `json:"memory"`
	Kernel string `json:"kernel"`
	OS     string `json:"os"`
}

// versions are those of what was measured.
type versions struct {
	Operator   string `json:"operator"`
	Go         string `json:"go"`
	Kubernetes string `json:"kubernetes"`
}

// thisMachine describes the machine this runs on. The error names what cannot be
// read; benchmarks need Linux.
func thisMachine() (machine, error) {
	m := machine{Cores: runtime.NumCPU(), OS: runtime.GOOS + "/" + runtime.GOARCH}
	var err error
	if m.CPU, err = lineOf("/proc/cpuinfo", "model name"); err != nil {
		return m, err
	}
	total, err := lineOf("/proc/meminfo", "MemTotal")
	if err != nil {
		return m, err
	}
	var kilobytes float64
	if _, err := fmt.Sscanf(total, "%f kB", &kilobytes); err != nil {
		return m, fmt.Errorf("machine: memory %q: %w", total, err)
	}
	m.Memory = number(kilobytes/(1<<20), "GiB")
	kernel, err := os.ReadFile("/proc/sys/kernel/osrelease")
	if err != nil {
		return m, fmt.Errorf("machine: %w", err)
	}
	m.Kernel = strings.TrimSpace(string(kernel))
	return m, nil
}

// lineOf returns the value behind a name and a colon in a file of /proc.
func lineOf(path, name string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("machine: %w; benchmarks need Linux", err)
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		if key, value, found := strings.Cut(lines.Text(), ":"); found && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value), nil
		}
	}
	return "", fmt.Errorf("machine: no %q in %s", name, path)
}

// readVersions names what is measured. The revision ends in -dirty where files
// differ from it.
func readVersions(ctx context.Context, kubectl string) (versions, error) {
	revision, err := exec.CommandContext(ctx, "git", "describe", "--tags", "--always", "--dirty").Output()
	if err != nil {
		return versions{}, fmt.Errorf("git describe: %w; run benchmarks in a clone", err)
	}
	text, err := exec.CommandContext(ctx, kubectl, "version", "--client", "-o", "json").Output()
	if err != nil {
		return versions{}, fmt.Errorf("kubectl version: %w", err)
	}
	var client struct {
		ClientVersion struct {
			GitVersion string `json:"gitVersion"`
		} `json:"clientVersion"`
	}
	if err := json.Unmarshal(text, &client); err != nil {
		return versions{}, fmt.Errorf("kubectl version: %w", err)
	}
	return versions{
		Operator:   strings.TrimSpace(string(revision)),
		Go:         runtime.Version(),
		Kubernetes: client.ClientVersion.GitVersion,
	}, nil
}

// appendTo adds the record to a file as one line, after checking its figures.
func (r *record) appendTo(path string) error {
	if err := r.Figures.check(); err != nil {
		return fmt.Errorf("%s: %w", r.Scenario, err)
	}
	line, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("%s: record: %w", r.Scenario, err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("records: %w", err)
	}
	file, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return fmt.Errorf("records: %w", err)
	}
	defer file.Close()
	if _, err := file.Write(append(line, '\n')); err != nil {
		return fmt.Errorf("records: %w", err)
	}
	return file.Close()
}
