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

const (
	// quietShare is how busy all cores may be, of 1, for a machine to be quiet.
	quietShare = 0.15
	// quietLook is how long the machine is looked at.
	quietLook = time.Second
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

// quiet waits until the machine has little to do, so that what one measurement
// left behind (deletions, garbage) does not count for the next. What lasts longer than
// -quiet is someone else's work, and is only told of.
func (b *bench) quiet(ctx context.Context) error {
	for begun := time.Now(); ; {
		busy, err := busyShare(ctx)
		if err != nil || busy < quietShare {
			return err
		}
		if time.Since(begun) > b.patience {
			b.say("the machine is still %.0f %% busy with other work", 100*busy)
			b.disturbed = max(b.disturbed, busy)
			return nil
		}
	}
}

// busyShare looks for a while how busy the machine is, of 1.
func busyShare(ctx context.Context) (float64, error) {
	fs, err := proc()
	if err != nil {
		return 0, err
	}
	before, err := fs.Stat()
	if err != nil {
		return 0, err
	}
	if err := sleep(ctx, quietLook); err != nil {
		return 0, err
	}
	after, err := fs.Stat()
	if err != nil {
		return 0, err
	}
	return busyBetween(before.CPUTotal, after.CPUTotal), nil
}

// busyBetween returns how busy all cores were between two looks. Waiting for a disk is
// idle; guest time is in user time already.
func busyBetween(before, after procfs.CPUStat) float64 {
	idle := func(s procfs.CPUStat) float64 { return s.Idle + s.Iowait }
	all := func(s procfs.CPUStat) float64 {
		return idle(s) + s.User + s.Nice + s.System + s.IRQ + s.SoftIRQ + s.Steal
	}
	total := all(after) - all(before)
	if total <= 0 {
		return 0
	}
	return 1 - (idle(after)-idle(before))/total
}

// sleep waits; the error is the context's.
func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
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
