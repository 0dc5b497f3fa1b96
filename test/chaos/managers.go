// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/ccloud-dev/inventory-operator/test/stage"
)

// managers starts and ends the manager processes. There is one manager, or a pair of which one
// leads.
type managers struct {
	stage   *stage.Stage
	journal *journal
	args    []string

	mu    sync.Mutex
	slots []*slot
	// starts has the times since the last call of takeNews from which another process may have been
	// at work.
	starts []time.Time
	// problems has what managers did wrong.
	problems []string
	wait     sync.WaitGroup // for the calls of watch
}

// slot is a place for one manager process. When a process has ended, the next one in the slot
// writes to the same log.
type slot struct {
	name    string
	process *process
	// closed reports whether no new process may start in the slot.
	closed bool
}

// process is a manager process. ending reports whether the harness has stopped or killed it.
type process struct {
	*stage.Manager
	ending bool
}

func newManagers(s *stage.Stage, endpoint string, j *journal) *managers {
	return &managers{stage: s, journal: j, args: []string{
		"--allowed-endpoints=" + endpoint, fmt.Sprintf("--requests-per-second=%d", perSecond),
	}}
}

// start stops all managers. It then starts one manager, or a pair that elects a leader.
func (m *managers) start(ctx context.Context, pair bool) error {
	m.stopAll()
	names := []string{"manager-alone"}
	if pair {
		names = []string{"manager-a", "manager-b"}
	}
	m.mu.Lock()
	m.slots = nil
	for _, name := range names {
		m.slots = append(m.slots, &slot{name: name})
	}
	m.mu.Unlock()
	for _, s := range m.slots {
		if err := m.startIn(ctx, s); err != nil {
			return err
		}
	}
	return nil
}

// startIn starts a manager in a slot.
func (m *managers) startIn(ctx context.Context, s *slot) error {
	args := m.args
	if len(m.slots) > 1 {
		args = append(slices.Clone(args), "--leader-elect", "--leader-election-namespace="+stage.Namespace)
	}
	p := &process{}
	err := persist(ctx, func(ctx context.Context) error { // Its ports may be in use, or the API server may be down.
		var err error
		p.Manager, err = m.stage.StartManager(ctx, s.name, args...)
		return err
	})
	if err != nil {
		return err
	}
	m.mu.Lock()
	s.process, p.ending = p, s.closed
	m.mu.Unlock()
	if p.ending {
		return p.Stop()
	}
	m.wait.Go(func() { m.watch(ctx, s, p) })
	return nil
}

// lostLease is in the log of a manager that ended because it lost its lease. This is no problem:
// watch starts the manager again, as a Deployment would.
const lostLease = "leader election lost"

// watch waits for the end of a manager. It starts the manager again, unless the harness has ended
// it.
func (m *managers) watch(ctx context.Context, s *slot, p *process) {
	<-p.Ended()
	m.mu.Lock()
	m.starts = append(m.starts, time.Now())
	ending := p.ending
	m.mu.Unlock()
	if ending || ctx.Err() != nil {
		return
	}
	if tail := p.Tail(); strings.Contains(tail, lostLease) {
		m.journal.note("%s lost its lease and ended", s.name)
	} else {
		m.addProblem(s.name + " ended by itself: " + tail)
	}
	if err := m.startIn(ctx, s); err != nil {
		m.addProblem(err.Error())
	}
}

func (m *managers) addProblem(text string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.problems = append(m.problems, text)
}

// takeNews returns what happened since its last call: the times from which another process may have
// been at work, and what managers did wrong.
func (m *managers) takeNews() (starts []time.Time, problems []string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	starts, problems = m.starts, m.problems
	m.starts, m.problems = nil, nil
	return starts, problems
}

// end stops or kills the manager in a slot.
func (m *managers) end(s *slot, kill bool) {
	m.mu.Lock()
	p := s.process
	if p == nil {
		m.mu.Unlock()
		return
	}
	p.ending = true
	m.mu.Unlock()
	if kill {
		p.Kill()
		return
	}
	if err := p.Stop(); err != nil {
		m.addProblem(s.name + ": " + err.Error())
	}
}

// stopAll stops all managers and closes their slots.
func (m *managers) stopAll() {
	var wait sync.WaitGroup
	for _, s := range m.slots {
		m.mu.Lock()
		s.closed = true
		m.mu.Unlock()
		wait.Go(func() { m.end(s, false) })
	}
	wait.Wait()
	m.wait.Wait()
}

// stopForGood stops all managers. It returns the problems that were not reported yet.
func (m *managers) stopForGood() error {
	m.stopAll()
	_, problems := m.takeNews()
	if len(problems) > 0 {
		return errors.New("at the end: " + strings.Join(problems, "; "))
	}
	return nil
}

// replace ends the manager that works, and starts another one in its slot. Of two managers, the
// leader works.
func (m *managers) replace(ctx context.Context, kill bool) error {
	s := m.working(ctx)
	if s == nil {
		return errors.New("no manager leads, so none can be taken away")
	}
	m.journal.note("%s ends, killed: %t", s.name, kill)
	m.end(s, kill)
	return m.startIn(ctx, s)
}

// leading is a line in the metrics of a manager that leads.
const leading = `leader_election_master_status{name="inventory-operator.ccloud.dev"} 1`

// working returns the slot of the manager that works; nil if no manager leads.
func (m *managers) working(ctx context.Context) *slot {
	if len(m.slots) == 1 {
		return m.slots[0]
	}
	for _, s := range m.slots {
		if text, err := m.metrics(ctx, s); err == nil && strings.Contains(text, leading) {
			return s
		}
	}
	return nil
}

// metrics returns the text of a manager's metrics.
func (m *managers) metrics(ctx context.Context, s *slot) (string, error) {
	m.mu.Lock()
	url := s.process.MetricsURL
	m.mu.Unlock()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return "", err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	return string(text), err
}

// logs returns the paths of the managers' logs.
func (m *managers) logs() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	var paths []string
	for _, s := range m.slots {
		paths = append(paths, s.process.Log)
	}
	return paths
}
