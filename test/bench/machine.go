// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"os/exec"
	"runtime"
	"strings"
	"time"

	"github.com/prometheus/procfs"
)

// proc is what the kernel tells of processes and of itself; benchmarks need Linux.
func proc() (procfs.FS, error) {
	fs, err := procfs.NewDefaultFS()
	if err != nil {
		return fs, fmt.Errorf("%w; benchmarks need Linux", err)
	}
	return fs, nil
}

// usage is what a process has used.
type usage struct {
	cpu time.Duration // user and system, in steps of 10 ms
	// resident and peak are memory in bytes; binary is the part of resident that is
	// pages of files, mostly the program's own.
	resident, peak, binary float64
}

// usageOf reads what a process has used so far.
func usageOf(pid int) (usage, error) {
	fs, err := proc()
	if err != nil {
		return usage{}, err
	}
	process, err := fs.Proc(pid)
	if err != nil {
		return usage{}, err
	}
	stat, err := process.Stat()
	if err != nil {
		return usage{}, err
	}
	status, err := process.NewStatus()
	if err != nil {
		return usage{}, err
	}
	return usage{
		cpu:      time.Duration(stat.CPUTime() * float64(time.Second)),
		resident: float64(status.VmRSS), peak: float64(status.VmHWM), binary: float64(status.RssFile),
	}, nil
}

// describe names the machine and the versions of what is measured on it. The operator's
// revision ends in -dirty where files differ from it.
func (s *scene) describe(ctx context.Context) (string, error) {
	fs, err := proc()
	if err != nil {
		return "", err
	}
	cpus, err := fs.CPUInfo()
	if err != nil {
		return "", err
	}
	memory, err := fs.Meminfo()
	if err != nil {
		return "", err
	}
	kernel, err := fs.SysctlStrings("kernel/osrelease")
	if err != nil {
		return "", err
	}
	revision, err := exec.CommandContext(ctx, "git", "describe", "--tags", "--always", "--dirty").Output()
	if err != nil {
		return "", fmt.Errorf("git describe: %w; run benchmarks in a clone", err)
	}
	var server struct {
		GitVersion string `json:"gitVersion"`
	}
	if err := s.read(ctx, "/version", &server); err != nil {
		return "", err
	}
	return fmt.Sprintf("Measured on %s: %s, %d cores, %s of memory, Linux %s, %s/%s.\nOperator %s, %s, Kubernetes %s.",
		time.Now().UTC().Format(time.DateOnly), cpus[0].ModelName, runtime.NumCPU(), number(float64(*memory.MemTotalBytes)/(1<<30), "GiB"),
		strings.Join(kernel, " "), runtime.GOOS, runtime.GOARCH, strings.TrimSpace(string(revision)), runtime.Version(), server.GitVersion), nil
}
