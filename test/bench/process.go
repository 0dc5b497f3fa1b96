// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// ticksPerSecond is the unit of CPU time in /proc/PID/stat: USER_HZ, which is 100
// on every architecture Go runs on.
const ticksPerSecond = 100

// process is a running process, seen through /proc.
type process int

// cpu returns the CPU time the process has used, user and system, in steps of 10 ms.
func (p process) cpu() (time.Duration, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p))
	if err != nil {
		return 0, fmt.Errorf("CPU time: %w; benchmarks need Linux", err)
	}
	return parseCPU(string(text))
}

// parseCPU reads the CPU time from the text of /proc/PID/stat. The name of the
// program comes second, in parentheses, and may hold anything.
func parseCPU(stat string) (time.Duration, error) {
	fields := strings.Fields(stat[strings.LastIndexByte(stat, ')')+1:])
	const user, system = 11, 12 // the 14th and 15th field of the line
	if len(fields) <= system {
		return 0, fmt.Errorf("CPU time: cannot read %q", stat)
	}
	var ticks int64
	for _, field := range []string{fields[user], fields[system]} {
		n, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("CPU time: %w", err)
		}
		ticks += n
	}
	return time.Duration(ticks) * time.Second / ticksPerSecond, nil
}

// memory is what a process has resident, in bytes.
type memory struct {
	resident, peak float64
	// binary is the part of resident that is pages of files: the program's own.
	binary float64
}

// memory returns the process's resident memory, now and at its highest.
func (p process) memory() (memory, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p))
	if err != nil {
		return memory{}, fmt.Errorf("memory: %w; benchmarks need Linux", err)
	}
	var m memory
	for name, into := range map[string]*float64{"VmRSS": &m.resident, "VmHWM": &m.peak, "RssFile": &m.binary} {
		if *into, err = parseMemory(string(text), name); err != nil {
			return memory{}, err
		}
	}
	return m, nil
}

// parseMemory reads one line of /proc/PID/status, in bytes.
func parseMemory(status, name string) (float64, error) {
	for line := range strings.Lines(status) {
		rest, found := strings.CutPrefix(line, name+":")
		if !found {
			continue
		}
		kilobytes, err := strconv.ParseFloat(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 64)
		if err != nil {
			return 0, fmt.Errorf("memory: %s: %w", name, err)
		}
		return kilobytes * 1024, nil
	}
	return 0, fmt.Errorf("memory: no %s", name)
}
