// SPDX-License-Identifier: Apache-2.0

//go:build linux

// Command node runs a Kubernetes cluster of one real node on this machine, without a
// container engine: etcd, kube-apiserver, kube-controller-manager, kube-scheduler,
// kube-proxy, kubelet and containerd with runc. It runs a command with KUBECONFIG set, or
// waits for an interrupt, and then takes everything away again.
//
//	node [flags] [COMMAND [ARGUMENT...]]
//
// It needs root, for it lives in Linux namespaces of its own for network, processes and
// mounts. They end with it, however it ends: no process, address, rule or mount outlives it,
// and nothing outside can be reached from it. What it needs from the distribution it names
// if it is lacking. cgroups are the one thing that has no such end; those it removes.
//
// Its exit status is that of the command, 1 if the node failed, 2 for bad flags.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
)

// Exit statuses, beside those of the command.
const (
	exitFailed = 1
	exitUsage  = 2
)

// insideEnv is set in the process that runs within the namespaces: to the run's folder.
const insideEnv = "NODE_INSIDE"

// pidFile is where that process's id is, as it is outside.
const pidFile = "pid"

// settings are the command's flags.
type settings struct {
	assets   string
	binaries string
	images   []string
	keep     bool
	command  []string
}

func main() {
	set, err := parse(os.Args[1:])
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "node:", err)
		os.Exit(exitUsage)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	run := outside
	if dir := os.Getenv(insideEnv); dir != "" {
		run = func(ctx context.Context, set settings) error { return inside(ctx, set, dir) }
	}
	err = run(ctx, set)
	stop()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		os.Exit(max(exit.ExitCode(), exitFailed)) // Less than 0 where a signal ended it.
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "node:", err)
		os.Exit(exitFailed)
	}
}

func parse(args []string) (settings, error) {
	var set settings
	flags := flag.NewFlagSet("node", flag.ContinueOnError)
	flags.StringVar(&set.assets, "assets", os.Getenv("KUBEBUILDER_ASSETS"), "Folder of kube-apiserver, etcd and kubectl.")
	flags.StringVar(&set.binaries, "binaries", "", "Folder of the other binaries: "+strings.Join(ours, ", ")+".")
	flags.Func("image", "Archive of an image to load; several are given each with its flag. One is localhost/pause:e2e.", func(path string) error {
		set.images = append(set.images, path)
		return nil
	})
	flags.BoolVar(&set.keep, "keep", false, "Keep the folder with the logs.")
	if err := flags.Parse(args); err != nil {
		return set, err
	}
	set.command = flags.Args()
	if set.assets == "" || set.binaries == "" {
		return set, errors.New("-assets and -binaries are needed")
	}
	return set, nil
}

// ours are the binaries that are built from pinned modules, beside those of the control plane.
var ours = []string{"containerd", "containerd-shim-runc-v2", "ctr", "kube-controller-manager", "kube-proxy", "kube-scheduler", "kubelet"}

// lacking returns an error that says what this machine lacks and the way out.
func (set settings) lacking() error {
	if os.Geteuid() != 0 {
		return errors.New("needs root: a kubelet makes cgroups, mounts and network devices")
	}
	var missing []string
	for _, name := range []string{"ip", "iptables", "runc"} {
		if _, err := exec.LookPath(name); err != nil {
			missing = append(missing, name)
		}
	}
	if _, err := pluginFolder(); err != nil {
		missing = append(missing, err.Error())
	}
	if len(missing) > 0 {
		return fmt.Errorf("this machine lacks %s; on Debian: apt-get install iproute2 iptables runc containernetworking-plugins", strings.Join(missing, ", "))
	}
	for folder, names := range map[string][]string{set.assets: {"kube-apiserver", "etcd", "kubectl"}, set.binaries: ours} {
		for _, name := range names {
			if _, err := exec.LookPath(filepath.Join(folder, name)); err != nil {
				return fmt.Errorf("%s lacks %s; hack/e2e has both folders filled", folder, name)
			}
		}
	}
	return nil
}

// pluginFolder returns where the CNI plugins are.
func pluginFolder() (string, error) {
	for _, folder := range []string{"/opt/cni/bin", "/usr/lib/cni", "/usr/libexec/cni"} {
		if _, err := exec.LookPath(filepath.Join(folder, "host-local")); err == nil {
			return folder, nil
		}
	}
	return "", errors.New("CNI plugins")
}

// tunables are the kernel's settings that a kubelet changes for the whole machine.
var tunables = []string{
	"vm/overcommit_memory", "vm/panic_on_oom", "kernel/panic", "kernel/panic_on_oops",
	"kernel/keys/root_maxkeys", "kernel/keys/root_maxbytes",
}

// outside makes the run's folder, runs inside in namespaces of its own, and removes what they
// do not take along.
func outside(ctx context.Context, set settings) (err error) {
	if err := set.lacking(); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "node-")
	if err != nil {
		return err
	}
	before := map[string][]byte{}
	for _, name := range tunables {
		if value, err := os.ReadFile(filepath.Join("/proc/sys", name)); err == nil {
			before[name] = value
		}
	}
	defer func() {
		for name, value := range before {
			err = errors.Join(err, os.WriteFile(filepath.Join("/proc/sys", name), value, 0o600))
		}
		err = errors.Join(err, removeGroups(filepath.Base(dir)))
		if set.keep {
			fmt.Fprintln(os.Stderr, "node: logs are in", filepath.Join(dir, "logs"))
			return
		}
		err = errors.Join(err, os.RemoveAll(dir))
	}()
	if err := makeGroups(filepath.Base(dir)); err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	// The context's end is passed on as a signal. Killed, the process takes all that is in
	// its namespaces along.
	command := exec.CommandContext(ctx, self, os.Args[1:]...)
	command.Cancel = func() error { return command.Process.Signal(syscall.SIGTERM) }
	command.WaitDelay = stopTimeout
	command.Env = append(os.Environ(), insideEnv+"="+dir)
	command.Stdin, command.Stdout, command.Stderr = os.Stdin, os.Stdout, os.Stderr
	command.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWNET | syscall.CLONE_NEWPID | syscall.CLONE_NEWNS,
		Pdeathsig:  syscall.SIGKILL,
		Setpgid:    true, // An interrupt from the terminal comes by the context alone.
	}
	// The signal for a parent's death comes with that of its thread.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := command.Start(); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, pidFile), strconv.AppendInt(nil, int64(command.Process.Pid), 10), 0o600); err != nil {
		fmt.Fprintln(os.Stderr, "node:", err)
	}
	return command.Wait()
}
