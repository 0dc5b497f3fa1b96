// SPDX-License-Identifier: Apache-2.0

// Command demo shows the operator at work on this machine alone: a real control
// plane, the simulated cloud and the built manager. It fills the cloud, mirrors
// it, prints what kubectl shows, then changes the cloud and shows each change
// arriving. It stays until Ctrl-C; with DEMO_ONCE=1 it ends there.
//
// `make demo` runs it at the module's root. DEMO_ASSETS is the folder of the control plane's
// servers, DEMO_BEFORE what took time before. With DEMO_TABLES it only mirrors the cloud, and writes
// what kubectl shows then to that file: the pictures are drawn from it.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/go-logr/logr"
	ctrllog "sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/ccloud-dev/inventory-operator/hack/cloudsim/admin"
	"github.com/ccloud-dev/inventory-operator/test/stage"
)

func main() { os.Exit(play()) }

// play returns the program's exit status: 0, 1 for a step that failed, or that of
// an interrupt before all steps were shown.
func play() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	ctrllog.SetLogger(logr.Discard()) // Or it would complain of none on a slow machine.
	err := run(ctx)
	switch {
	case err == nil:
		return 0
	case ctx.Err() != nil:
		fmt.Println("\nStopped.")
		return 128 + int(syscall.SIGINT)
	}
	fmt.Fprintln(os.Stderr, "\ndemo: FAILED:", err)
	return 1
}

// run plays the demo and ends all it started.
func run(ctx context.Context) (err error) {
	dir, err := os.MkdirTemp("", "inventory-operator-demo-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)

	step("Building the manager, starting a control plane and the simulated cloud")
	start := time.Now()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	collector, err := getCollector(ctx)
	if err != nil {
		return err
	}
	s, err := stage.Start(ctx, stage.Options{Dir: dir, Assets: os.Getenv("DEMO_ASSETS"), WithoutControllers: true, Log: indented{os.Stdout}})
	if err != nil {
		cancel()
		return errors.Join(err, collector.command.Wait())
	}
	go collector.startOn(ctx, s.Plane)
	defer func() {
		cancel()
		err = errors.Join(err, s.Stop())
	}()

	step("Starting the manager as ServiceAccount %s, with the rights config/rbac gives it and no others", stage.ServiceAccount)
	manager, err := s.StartManager(ctx, "manager")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, manager.Stop()) }()
	say("ready %s after the start", since(start))

	show := &show{Stage: s, collector: collector}
	if file := os.Getenv("DEMO_TABLES"); file != "" {
		if err := show.tables(ctx, file); err != nil {
			return fmt.Errorf("%w\n%s", err, manager.Tail())
		}
		return nil
	}
	if err := show.play(ctx); err != nil {
		return fmt.Errorf("%w\n%s", err, manager.Tail())
	}
	step("All steps shown in %s", since(start))
	if before := os.Getenv("DEMO_BEFORE"); before != "" {
		say("before that: %s", before)
	}
	if os.Getenv("DEMO_ONCE") != "" {
		return nil
	}
	adminURL, err := s.Server.Serve("the admin interface", "127.0.0.1:0", admin.Handler(s.Cloud, s.Server.URL))
	if err != nil {
		return err
	}
	show.tellHowToPlayOn(manager, adminURL)
	select {
	case <-ctx.Done():
		fmt.Println("\nStopping.")
		return nil
	case <-manager.Ended():
		return fmt.Errorf("the manager ended\n%s", manager.Tail())
	}
}
