// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

const cgroupRoot = "/sys/fs/cgroup"

// hierarchies returns the folders under which cgroups are made: one with version 2, one for
// each controller with version 1.
func hierarchies() ([]string, error) {
	if _, err := os.Stat(filepath.Join(cgroupRoot, "cgroup.controllers")); err == nil {
		return []string{cgroupRoot}, nil
	}
	entries, err := os.ReadDir(cgroupRoot)
	if err != nil {
		return nil, err
	}
	var folders []string
	for _, entry := range entries {
		if entry.IsDir() { // Not a link to two controllers in one.
			folders = append(folders, filepath.Join(cgroupRoot, entry.Name()))
		}
	}
	if len(folders) == 0 {
		return nil, fmt.Errorf("no cgroups in %s", cgroupRoot)
	}
	return folders, nil
}

// makeGroups makes the cgroup under which the kubelet makes those of its pods.
func makeGroups(name string) error {
	folders, err := hierarchies()
	if err != nil {
		return err
	}
	for _, folder := range folders {
		if err := delegate(folder); err != nil {
			return err
		}
		if err := os.MkdirAll(filepath.Join(folder, name), 0o750); err != nil {
			return err
		}
		if err := inheritProcessors(folder, name); err != nil {
			return err
		}
	}
	return nil
}

// delegate lets the cgroups below one of version 2 have its controllers, which a kubelet insists on.
func delegate(folder string) error {
	controllers, err := os.ReadFile(filepath.Join(folder, "cgroup.controllers"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for controller := range strings.FieldsSeq(string(controllers)) {
		if err := os.WriteFile(filepath.Join(folder, "cgroup.subtree_control"), []byte("+"+controller), 0o600); err != nil {
			return fmt.Errorf("controller %s: %w", controller, err)
		}
	}
	return nil
}

// inheritProcessors gives a cgroup of version 1 the processors of the one above, without which
// it takes no process.
func inheritProcessors(folder, name string) error {
	for _, file := range []string{"cpuset.cpus", "cpuset.mems"} {
		if err := copyValue(filepath.Join(folder, file), filepath.Join(folder, name, file)); err != nil {
			return err
		}
	}
	return nil
}

// removeGroups removes the cgroup and those in it, once the last of their processes is gone.
func removeGroups(name string) error {
	folders, err := hierarchies()
	if err != nil {
		return err
	}
	for _, folder := range folders {
		if err := removeTree(filepath.Join(folder, name)); err != nil {
			return err
		}
	}
	return nil
}

// removeTree removes folders from the innermost on; the files of a cgroup go with it.
func removeTree(root string) error {
	var folders []string
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.IsDir() {
			folders = append(folders, path)
		}
		return err
	})
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, folder := range slices.Backward(folders) {
		// A process that was just killed is still in it for a moment.
		for attempt := 0; ; attempt++ {
			err := os.Remove(folder)
			if err == nil {
				break
			}
			if attempt == 100 {
				return err
			}
			time.Sleep(50 * time.Millisecond)
		}
	}
	return nil
}
