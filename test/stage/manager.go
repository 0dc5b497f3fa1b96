// SPDX-License-Identifier: Apache-2.0

package stage

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

const (
	// readyTimeout is how long the manager may take until it answers.
	readyTimeout = 5 * time.Minute
	// stopTimeout is how long it may take to end before it is killed.
	stopTimeout = 2 * time.Minute
	// logTail is how much of its log an error quotes, in bytes.
	logTail = 4000
)

// Manager is the manager running as a process.
type Manager struct {
	// Log is the path of what it printed.
	Log string
	// MetricsURL is where its metrics are, over plain HTTP.
	MetricsURL string
	// ProbeAddress is where it serves /healthz and /readyz.
	ProbeAddress string

	command *exec.Cmd
	ended   chan struct{} // closed once the process ended and was waited for
}

// StartManager starts the manager under its own ServiceAccount and returns when it
// is ready. It talks to the simulated cloud only. name names its log; args are
// further flags, and win over those given here.
//
// A process cannot be handed a port, and does not tell which one it took: one that was
// free a moment ago may be another's by then, and another is tried.
func (s *Stage) StartManager(ctx context.Context, name string, args ...string) (*Manager, error) {
	for attempt := 1; ; attempt++ {
		m, err := s.startManager(ctx, name, args...)
		if err == nil || attempt == portAttempts || !strings.Contains(err.Error(), "address already in use") {
			return m, err
		}
	}
}

// portAttempts is how often a manager is started with other ports.
const portAttempts = 5

func (s *Stage) startManager(ctx context.Context, name string, args ...string) (*Manager, error) {
	metrics, probe, err := freeAddresses()
	if err != nil {
		return nil, err
	}
	m := &Manager{
		Log:        filepath.Join(s.dir, name+".log"),
		MetricsURL: "http://" + metrics + "/metrics",

		ProbeAddress: probe,

		ended: make(chan struct{}),
	}
	log, err := os.OpenFile(m.Log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	m.command = exec.Command(s.binary, append([]string{
		"--metrics-bind-address=" + metrics, "--metrics-secure=false",
		"--health-probe-bind-address=" + probe,
		"--allowed-endpoints=" + s.Server.URL,
	}, args...)...)
	m.command.Env = append(os.Environ(), "KUBECONFIG="+s.kubeconfig)
	m.command.Stdout, m.command.Stderr = log, log
	// An interrupt from the terminal is the caller's to pass on.
	m.command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := m.command.Start(); err != nil {
		return nil, fmt.Errorf("manager: %w", err)
	}
	release, err := s.Plane.Guard(name, m.command.Process.Pid)
	go func() {
		defer close(m.ended)
		_ = m.command.Wait() // The error says how it ended, which its stopper knows.
		if release != nil {
			release()
		}
	}()
	if err != nil {
		m.Kill()
		return nil, err
	}
	if err := m.await(ctx, "http://"+probe+"/readyz"); err != nil {
		m.Kill()
		return nil, err
	}
	return m, nil
}

// await waits until a URL answers 200.
func (m *Manager) await(ctx context.Context, url string) error {
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return fmt.Errorf("manager: not ready: %w\n%s", ctx.Err(), m.Tail())
		case <-m.ended:
			return fmt.Errorf("manager: ended at its start\n%s", m.Tail())
		case <-tick.C:
		}
		response, err := http.Get(url)
		if err != nil {
			continue
		}
		response.Body.Close()
		if response.StatusCode == http.StatusOK {
			return nil
		}
	}
}

// PID returns the process's id.
func (m *Manager) PID() int { return m.command.Process.Pid }

// Ended is closed once the process is gone.
func (m *Manager) Ended() <-chan struct{} { return m.ended }

// Stop tells the manager to end and waits for it. Having had to kill it, or its
// ending with a status that is not 0, is an error.
func (m *Manager) Stop() error {
	_ = m.command.Process.Signal(syscall.SIGTERM)
	select {
	case <-m.ended:
	case <-time.After(stopTimeout):
		m.Kill()
		return fmt.Errorf("manager: did not end in %s and was killed\n%s", stopTimeout, m.Tail())
	}
	if !m.command.ProcessState.Success() {
		return fmt.Errorf("manager: %s\n%s", m.command.ProcessState, m.Tail())
	}
	return nil
}

// Kill kills the manager as a crash would, and waits for its end.
func (m *Manager) Kill() {
	_ = m.command.Process.Kill()
	<-m.ended
}

// Tail returns the end of the manager's log.
func (m *Manager) Tail() string {
	text, err := os.ReadFile(m.Log)
	if err != nil {
		return err.Error()
	}
	if len(text) > logTail {
		text = text[len(text)-logTail:]
	}
	return "the end of " + m.Log + ":\n  " + strings.ReplaceAll(strings.TrimSpace(string(text)), "\n", "\n  ")
}

// freeAddresses returns two addresses that were free a moment ago.
func freeAddresses() (first, second string, err error) {
	a, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", "", err
	}
	defer a.Close()
	b, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", "", err
	}
	defer b.Close()
	return a.Addr().String(), b.Addr().String(), nil
}
