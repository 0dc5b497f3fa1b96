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
// if it is lacking. cgroups, and the kernel's settings that a kubelet changes, have no such end;
// those it puts back, or the next run does.
//
// Its exit status is that of the command, 1 if the node failed, 2 for bad flags, 130 after an
// interrupt.
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
	exitFailed      = 1
	exitUsage       = 2
	exitInterrupted = 130 // As a shell has it.
)

// insideEnv is set in the process that runs within the namespaces: to the run's folder.
const insideEnv = "NODE_INSIDE"

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
	if dir := os.Getenv(insideEnv); dir != "" {
		err = inside(ctx, set, dir)
	} else {
		err = outside(ctx, set)
	}
	stop()
	var ended status
	switch {
	case errors.As(err, &ended):
		os.Exit(int(ended))
	case err != nil:
		fmt.Fprintln(os.Stderr, "node:", err)
		os.Exit(exitFailed)
	}
}

// status is the exit status of a process that has said itself what there was to say.
type status int

func (s status) Error() string { return fmt.Sprintf("exit status %d", int(s)) }

// statusOf returns how a process ended: nil, a status, or why there is none. That it was
// told to end is no failure.
func statusOf(ctx context.Context, err error) error {
	exit, ok := errors.AsType[*exec.ExitError](err)
	switch {
	case ctx.Err() != nil && (err == nil || ok || errors.Is(err, context.Canceled)):
		return status(exitInterrupted)
	case ok:
		return status(max(exit.ExitCode(), exitFailed)) // Less than 0 where a signal ended it.
	}
	return err
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

// outside makes the run's folder, runs inside in namespaces of its own, and clears away what
// they do not take along.
func outside(ctx context.Context, set settings) (err error) {
	if err := set.lacking(); err != nil {
		return err
	}
	if err := sweep(); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", folderPrefix)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, clearAway(dir, set.keep)) }()
	if err := saveTunables(dir); err != nil {
		return err
	}
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
	return statusOf(ctx, command.Wait())
}
