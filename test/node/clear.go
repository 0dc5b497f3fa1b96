// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// folderPrefix begins the name of each run's folder, which is also that of its cgroup.
const folderPrefix = "inventory-operator-node-"

// pidFile is, in the run's folder, the id of the first process inside, as it is outside.
const pidFile = "pid"

// tunables are the kernel's settings that a kubelet changes for the whole machine.
var tunables = []string{
	"vm.overcommit_memory", "vm.panic_on_oom", "kernel.panic", "kernel.panic_on_oops",
	"kernel.keys.root_maxkeys", "kernel.keys.root_maxbytes",
}

// tunable is the path of a setting.
func tunable(name string) string {
	return "/proc/sys/" + strings.ReplaceAll(name, ".", "/")
}

// saveTunables writes what the settings are into the run's folder.
func saveTunables(dir string) error {
	for _, name := range tunables {
		if err := copyValue(tunable(name), filepath.Join(dir, name)); err != nil {
			return err
		}
	}
	return nil
}

// restoreTunables makes the settings what they were.
func restoreTunables(dir string) error {
	for _, name := range tunables {
		if err := copyValue(filepath.Join(dir, name), tunable(name)); err != nil {
			return err
		}
	}
	return nil
}

// copyValue writes what is in one file into another. Where the first does not exist, it does
// nothing.
func copyValue(from, to string) error {
	value, err := os.ReadFile(from)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return os.WriteFile(to, value, 0o600)
}

// clearAway puts back and removes what outlives a run's namespaces. The folder may be kept for its
// logs.
func clearAway(dir string, keep bool) error {
	err := errors.Join(restoreTunables(dir), removeGroups(filepath.Base(dir)))
	if keep {
		fmt.Fprintln(os.Stderr, "node: logs are in", filepath.Join(dir, "logs"))
		return errors.Join(err, os.Remove(filepath.Join(dir, pidFile)))
	}
	return errors.Join(err, os.RemoveAll(dir))
}

// sweep clears away what is left of a run that was killed before it could.
func sweep() error {
	files, err := filepath.Glob(filepath.Join(os.TempDir(), folderPrefix+"*", pidFile))
	if err != nil {
		return err
	}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		pid, err := strconv.Atoi(string(content))
		if err != nil || !errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
			continue // It runs.
		}
		dir := filepath.Dir(file)
		fmt.Fprintln(os.Stderr, "node: clearing away what is left in", dir)
		if err := clearAway(dir, false); err != nil {
			return err
		}
	}
	return nil
}
