// SPDX-License-Identifier: Apache-2.0

// Command mirror runs a command as where the control plane can be downloaded: with
// CONTROLPLANE_INDEX naming an index, served on loopback, of the one in
// KUBEBUILDER_ASSETS.
//
//	KUBEBUILDER_ASSETS="$(hack/controlplane/ensure)" go run ./hack/mirror hack/cold make demo
package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"time"

	"github.com/ccloud-dev/inventory-operator/test/controlplane"
)

func main() {
	// The command gets a terminal's interrupt too; this program ends after it.
	signal.Notify(make(chan os.Signal, 1), os.Interrupt)
	if err := run(context.Background(), os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "mirror:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	folder := os.Getenv("KUBEBUILDER_ASSETS")
	if folder == "" || len(args) == 0 {
		return errors.New(`needs a command to run, and KUBEBUILDER_ASSETS to be set, as to "$(hack/controlplane/ensure)"`)
	}
	// Kubernetes v1.37.1
	version, err := exec.CommandContext(ctx, filepath.Join(folder, "kube-apiserver"), "--version").Output()
	if err != nil {
		return fmt.Errorf("kube-apiserver --version: %w", err)
	}
	handler, err := controlplane.Mirror(strings.TrimSpace(strings.TrimPrefix(string(version), "Kubernetes ")), folder)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: time.Minute}
	go func() { _ = server.Serve(listener) }()
	defer func() { _ = server.Close() }()
	command := exec.CommandContext(ctx, args[0], args[1:]...)
	command.Env = append(os.Environ(), "KUBEBUILDER_ASSETS=", "CONTROLPLANE_INDEX=http://"+listener.Addr().String()+"/index.yaml")
	command.Stdin, command.Stdout, command.Stderr = os.Stdin, os.Stdout, os.Stderr
	return command.Run()
}
