// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
)

const (
	// startTimeout is how long one component may take until it answers.
	startTimeout = 90 * time.Second
	// stopTimeout is how long the command may take to end when it is told to.
	stopTimeout = 2 * time.Minute
	// tailBytes is how much of a log an error quotes.
	tailBytes = 4000
)

// node is the cluster while it runs.
type node struct {
	settings
	dir   string
	certs *authority
	// fail ends the run: a component ended that should not.
	fail context.CancelCauseFunc
}

// inside is the first process of the namespaces: it starts all components, runs the command
// and returns. What is left when it does ends with it.
func inside(ctx context.Context, set settings, dir string) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	n := &node{settings: set, dir: dir, fail: cancel}
	began := time.Now()
	for _, step := range []struct {
		name string
		take func(context.Context) error
	}{
		{"mounts", n.mount},
		{"network", n.network},
		{"certificates", n.certificates},
		{"etcd", n.etcd},
		{"kube-apiserver", n.apiServer},
		{"kube-controller-manager and kube-scheduler", n.controllers},
		{"containerd", n.containerd},
		{"images", n.load},
		{"kubelet and kube-proxy", n.kubelet},
	} {
		start := time.Now()
		if err := step.take(ctx); err != nil {
			return fmt.Errorf("%s: %w%s", step.name, errors.Join(err, context.Cause(ctx)), n.tails())
		}
		fmt.Fprintf(os.Stderr, "node: %s: %s\n", step.name, time.Since(start).Round(100*time.Millisecond))
	}
	fmt.Fprintf(os.Stderr, "node: ready in %s, KUBECONFIG=%s\n", time.Since(began).Round(100*time.Millisecond), n.certs.file("admin.kubeconfig"))
	if len(n.command) == 0 {
		pid, err := os.ReadFile(filepath.Join(dir, pidFile))
		if err != nil {
			return err
		}
		fmt.Fprintf(os.Stderr, "node: enter it with: nsenter --target %s --net --pid --mount\nnode: Ctrl-C ends it\n", pid)
		<-ctx.Done()
		return failure(ctx)
	}
	err := n.run(ctx)
	if cause := failure(ctx); cause != nil {
		return cause // The command's end comes of it.
	}
	return err
}

// failure returns why the context ended, unless it was by an interrupt.
func failure(ctx context.Context) error {
	if cause := context.Cause(ctx); cause != nil && !errors.Is(cause, context.Canceled) {
		return cause
	}
	return nil
}

// run runs the command.
func (n *node) run(ctx context.Context) error {
	command := exec.CommandContext(ctx, n.command[0], n.command[1:]...)
	command.Cancel = func() error { return command.Process.Signal(os.Interrupt) }
	command.WaitDelay = stopTimeout
	// kubectl's common cache goes by host and port, which are those of the node before.
	command.Env = append(os.Environ(), "KUBECONFIG="+n.certs.file("admin.kubeconfig"), "KUBECACHEDIR="+filepath.Join(n.dir, "kubectl"), "PATH="+n.assets+":"+os.Getenv("PATH"))
	command.Stdin, command.Stdout, command.Stderr = os.Stdin, os.Stdout, os.Stderr
	return statusOf(ctx, command.Run())
}

// folder returns a folder of the run, which is made if need be.
func (n *node) folder(name string) (string, error) {
	folder := filepath.Join(n.dir, name)
	return folder, os.MkdirAll(folder, 0o755)
}

// mount hides what components write at fixed places, and shows the namespace's processes.
func (n *node) mount(context.Context) error {
	if err := syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); err != nil {
		return err
	}
	if err := syscall.Mount("proc", "/proc", "proc", 0, ""); err != nil {
		return err
	}
	if err := syscall.Mount("tmpfs", "/run", "tmpfs", 0, "mode=755"); err != nil {
		return err
	}
	for _, place := range []string{"/var/log", "/var/lib/cni"} {
		folder, err := n.folder("var/" + filepath.Base(place))
		if err != nil {
			return err
		}
		if err := os.MkdirAll(place, 0o755); err != nil {
			return err
		}
		if err := syscall.Mount(folder, place, "", syscall.MS_BIND, ""); err != nil {
			return fmt.Errorf("%s: %w", place, err)
		}
	}
	return nil
}

// network makes the node's address. A bridge without ports holds it, since not every machine
// has dummy devices; a default route is what Kubernetes' programs look for.
func (n *node) network(ctx context.Context) error {
	for _, args := range []string{
		"link set lo up",
		"link add node0 type bridge",
		"addr add " + nodeAddress + "/24 dev node0",
		"link set node0 up",
		"route add default dev node0",
	} {
		if out, err := exec.CommandContext(ctx, "ip", strings.Fields(args)...).CombinedOutput(); err != nil {
			return fmt.Errorf("ip %s: %w: %s", args, err, bytes.TrimSpace(out))
		}
	}
	return os.WriteFile("/proc/sys/net/ipv4/ip_forward", []byte("1"), 0o600)
}

// start starts a component, whose output goes to logs/NAME.log. Its end is the node's.
func (n *node) start(binary string, args ...string) error {
	logs, err := n.folder("logs")
	if err != nil {
		return err
	}
	name := filepath.Base(binary)
	log, err := os.Create(filepath.Join(logs, name+".log"))
	if err != nil {
		return err
	}
	command := exec.Command(binary, args...)
	command.Stdout, command.Stderr = log, log
	command.Env = append(os.Environ(), "PATH="+n.binaries+":"+os.Getenv("PATH"))
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := command.Start(); err != nil {
		return err
	}
	go func() {
		err := command.Wait()
		_ = log.Close()
		n.fail(fmt.Errorf("%s ended: %w", name, err))
	}()
	return nil
}

// tails returns the ends of all logs.
func (n *node) tails() string {
	var all strings.Builder
	logs, _ := filepath.Glob(filepath.Join(n.dir, "logs", "*.log"))
	for _, path := range logs {
		content, err := os.ReadFile(path)
		if err != nil {
			continue
		}
		fmt.Fprintf(&all, "\n--- the end of %s\n%s", path, content[max(0, len(content)-tailBytes):])
	}
	return all.String()
}

// await tries until a condition is met.
func await(ctx context.Context, what string, met func(context.Context) error) error {
	var last error
	err := wait.PollUntilContextTimeout(ctx, 100*time.Millisecond, startTimeout, true, func(ctx context.Context) (bool, error) {
		last = met(ctx)
		return last == nil, nil
	})
	if err != nil {
		return fmt.Errorf("no %s: %w: %w", what, err, last)
	}
	return nil
}

// answers reports an error until a URL answers 200.
func answers(url string) func(context.Context) error {
	return func(ctx context.Context) error {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return err
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			return err
		}
		defer func() { _ = response.Body.Close() }()
		if response.StatusCode != http.StatusOK {
			body, _ := io.ReadAll(response.Body)
			return fmt.Errorf("%s: %s", response.Status, body)
		}
		return nil
	}
}

// client returns a client of the cluster's administrator.
func (n *node) client() (kubernetes.Interface, error) {
	config, err := clientcmd.BuildConfigFromFlags("", n.certs.file("admin.kubeconfig"))
	if err != nil {
		return nil, err
	}
	return kubernetes.NewForConfig(config)
}

// nodeReady reports an error until the node takes pods.
func nodeReady(client kubernetes.Interface) func(context.Context) error {
	return func(ctx context.Context) error {
		found, err := client.CoreV1().Nodes().Get(ctx, nodeName, metav1.GetOptions{})
		if err != nil {
			return err
		}
		for _, condition := range found.Status.Conditions {
			if condition.Type == corev1.NodeReady && condition.Status == corev1.ConditionTrue {
				return nil
			}
		}
		return fmt.Errorf("conditions %v", found.Status.Conditions)
	}
}
