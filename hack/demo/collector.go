// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"github.com/ccloud-dev/inventory-operator/test/controlplane"
)

// collector gets Kubernetes' garbage collector while the demo plays.
type collector struct {
	command *exec.Cmd
	folder  bytes.Buffer
	said    bytes.Buffer
	running chan error
}

// getCollector begins to get it: hack/controlplane/ensure compiles it if need be. It ends with ctx.
func getCollector(ctx context.Context) (*collector, error) {
	// What the demo itself does comes first.
	c := &collector{command: exec.CommandContext(ctx, "nice", "hack/controlplane/ensure"), running: make(chan error, 1)}
	c.command.Stdout, c.command.Stderr = &c.folder, &c.said
	// Its compilers are to end with it.
	c.command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	c.command.Cancel = func() error { return syscall.Kill(-c.command.Process.Pid, syscall.SIGTERM) }
	return c, c.command.Start()
}

// startOn starts it on a control plane as soon as it is there.
func (c *collector) startOn(ctx context.Context, plane *controlplane.Plane) {
	err := c.command.Wait()
	if err != nil {
		err = fmt.Errorf("getting the garbage collector: %w\n%s", err, c.said.String())
	} else {
		err = plane.StartControllers(ctx, strings.TrimSpace(c.folder.String()))
	}
	c.running <- err
}

// await returns once it runs. If that takes long, it says what is waited for.
func (c *collector) await(ctx context.Context) error {
	told := time.After(time.Second)
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case err := <-c.running:
			return err
		case <-told:
			step("Waiting for Kubernetes' garbage collector: it is needed once something goes, and still compiles, this once")
		}
	}
}
