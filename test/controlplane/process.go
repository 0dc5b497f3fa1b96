package controlplane

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// tailLines is how many lines of a component's log an error quotes.
const tailLines = 15

// errEnded says that a process ended that should run.
var errEnded = errors.New("the process ended")

// guardScript waits for a line on its input, which tells it to go. If the input ends
// without one, the process that held its other end is gone: it ends the components,
// whose process ids are in the folder $1, gives them three seconds, and removes the
// folder $2 if that is not empty. This works for every kind of death and on every Unix;
// a parent-death signal is Linux's alone, and comes already when the thread ends that
// started the child.
const guardScript = `
if read -r _; then exit 0; fi
for signal in TERM KILL; do
	for file in "$1"/*.pid; do
		kill -s "$signal" "$(cat "$file")" 2>/dev/null
	done
	sleep 3
done
[ -z "$2" ] || rm -rf "$2"`

// guard is a process that ends the components should this process die without Stop.
type guard struct {
	command *exec.Cmd
	input   io.WriteCloser
}

// newGuard starts a guard over the process ids in runDir, to remove leftover too unless
// that is "".
func newGuard(runDir, leftover string) (*guard, error) {
	command := exec.Command("/bin/sh", "-c", guardScript, "guard", runDir, leftover)
	// Its own process group, or an interrupt from the terminal would end it first.
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	input, err := command.StdinPipe()
	if err != nil {
		return nil, err
	}
	if err := command.Start(); err != nil {
		return nil, err
	}
	return &guard{command: command, input: input}, nil
}

// dismiss ends the guard without its ending anything.
func (g *guard) dismiss() error {
	_, writeErr := io.WriteString(g.input, "go\n")
	if err := errors.Join(writeErr, g.command.Wait()); err != nil {
		return fmt.Errorf("control plane: dismissing the guard: %w", err)
	}
	return nil
}

// process is a component that envtest does not know how to run.
type process struct {
	command *exec.Cmd
	// ended is closed when the process has ended and was waited for.
	ended chan struct{}
}

// startProcess starts path with args, its output going to log.
func startProcess(log io.Writer, path string, args ...string) (*process, error) {
	command := exec.Command(path, args...)
	command.Stdout, command.Stderr = log, log
	// Stop ends the components in order; an interrupt from the terminal would reach
	// all of a group at once.
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := command.Start(); err != nil {
		return nil, err
	}
	p := &process{command: command, ended: make(chan struct{})}
	go func() {
		defer close(p.ended)
		// That it was ended by a signal is no news; that it ended at all is in ended.
		_ = command.Wait()
	}()
	return p, nil
}

// hasEnded reports whether the process is gone.
func (p *process) hasEnded() bool {
	select {
	case <-p.ended:
		return true
	default:
		return false
	}
}

// stop asks the process to end, kills it after stopTimeout, and waits for its end.
// Having had to kill it is an error.
func (p *process) stop() error {
	if p.hasEnded() {
		return nil
	}
	_ = p.command.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.ended:
		return nil
	case <-time.After(stopTimeout):
		_ = p.command.Process.Kill()
		<-p.ended
		return fmt.Errorf("did not end in %s and was killed", stopTimeout)
	}
}

// launcher writes a script that notes its process id for the guard and becomes the
// component, of the folder assets, and returns its path. envtest starts two of the components and keeps
// their process ids to itself.
func (p *Plane) launcher(component, assets string) (string, error) {
	path := filepath.Join(p.dir, "bin", component)
	// envtest also runs a component to read its help; that one is not to be guarded.
	script := fmt.Sprintf("#!/bin/sh\n[ \"$1\" = --help ] || echo $$ >%s\nexec %s \"$@\"\n",
		shellQuote(filepath.Join(p.runDir(), component+".pid")), shellQuote(filepath.Join(assets, component)))
	if err := os.WriteFile(path, []byte(script), 0o700); err != nil {
		return "", fmt.Errorf("%s: launcher: %w", component, err)
	}
	return path, nil
}

// shellQuote returns s as one word of a shell script.
func shellQuote(s string) string {
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// runDir is the folder of the components' process ids.
func (p *Plane) runDir() string { return filepath.Join(p.dir, "run") }

// logPath is the file of a component's output.
func (p *Plane) logPath(component string) string {
	return filepath.Join(p.dir, "logs", component+".log")
}

// openLog opens a component's log, which Stop closes.
func (p *Plane) openLog(component string) (*os.File, error) {
	log, err := os.OpenFile(p.logPath(component), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("%s: log: %w", component, err)
	}
	p.logs = append(p.logs, log)
	return log, nil
}

// logTail returns the last lines of a log, indented, under a line with its path.
func logTail(path string) string {
	content, err := os.ReadFile(path)
	if err != nil {
		return fmt.Sprintf("  no log: %v", err)
	}
	lines := strings.Split(string(bytes.TrimSpace(content)), "\n")
	lines = lines[max(0, len(lines)-tailLines):]
	return fmt.Sprintf("  the end of %s:\n    %s", path, strings.Join(lines, "\n    "))
}
