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

// crew is the managers: one alone, or two of which one leads.
type crew struct {
	stage   *stage.Stage
	journal *journal
	args    []string

	mu    sync.Mutex
	seats []*seat
	// starts are the moments since the last call of news from which another process
	// may have been at work.
	starts []time.Time
	// trouble is what managers did that they must not.
	trouble []string
	wait    sync.WaitGroup // for those who watch over managers
}

// seat is a place for a manager. Whoever sits there next writes to the same log.
type seat struct {
	name    string
	process *process
	// retired says that nobody is to sit there any more.
	retired bool
}

// process is a manager, and whether it was told to end or killed.
type process struct {
	*stage.Manager
	told bool
}

func newCrew(s *stage.Stage, endpoint string, j *journal) *crew {
	return &crew{stage: s, journal: j, args: []string{
		"--allowed-endpoints=" + endpoint, fmt.Sprintf("--requests-per-second=%d", perSecond),
	}}
}

// muster has one manager at work, or a pair that elects a leader. What there was stops.
func (c *crew) muster(ctx context.Context, pair bool) error {
	c.stopAll()
	names := []string{"manager-alone"}
	if pair {
		names = []string{"manager-a", "manager-b"}
	}
	c.mu.Lock()
	c.seats = nil
	for _, name := range names {
		c.seats = append(c.seats, &seat{name: name})
	}
	c.mu.Unlock()
	for _, s := range c.seats {
		if err := c.fill(ctx, s); err != nil {
			return err
		}
	}
	return nil
}

// fill starts a manager on a seat.
func (c *crew) fill(ctx context.Context, s *seat) error {
	args := c.args
	if len(c.seats) > 1 {
		args = append(slices.Clone(args), "--leader-elect", "--leader-election-namespace="+stage.Namespace)
	}
	p := &process{}
	err := persist(ctx, func(ctx context.Context) error { // Its ports may be taken by now, or the API server away.
		var err error
		p.Manager, err = c.stage.StartManager(ctx, s.name, args...)
		return err
	})
	if err != nil {
		return err
	}
	c.mu.Lock()
	s.process, p.told = p, s.retired
	c.mu.Unlock()
	if p.told {
		return p.Stop()
	}
	c.wait.Go(func() { c.watch(ctx, s, p) })
	return nil
}

// lostLease is what a manager says that ends because it could not keep its lease, as it
// must. Somebody has to start it again then, as a Deployment would.
const lostLease = "leader election lost"

// watch waits for a manager's end, and sees to one that was not asked for.
func (c *crew) watch(ctx context.Context, s *seat, p *process) {
	<-p.Ended()
	c.mu.Lock()
	c.starts = append(c.starts, time.Now())
	told := p.told
	c.mu.Unlock()
	if told || ctx.Err() != nil {
		return
	}
	if tail := p.Tail(); strings.Contains(tail, lostLease) {
		c.journal.note("%s lost its lease and ended", s.name)
	} else {
		c.complain(s.name + " ended by itself: " + tail)
	}
	if err := c.fill(ctx, s); err != nil {
		c.complain(err.Error())
	}
}

func (c *crew) complain(text string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.trouble = append(c.trouble, text)
}

// news returns what happened since the last call: when another process may have come to
// work, and what managers did that they must not.
func (c *crew) news() (starts []time.Time, trouble []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	starts, trouble = c.starts, c.trouble
	c.starts, c.trouble = nil, nil
	return starts, trouble
}

// end has the manager of a seat end, by its own will or not.
func (c *crew) end(s *seat, kill bool) {
	c.mu.Lock()
	p := s.process
	if p == nil {
		c.mu.Unlock()
		return
	}
	p.told = true
	c.mu.Unlock()
	if kill {
		p.Kill()
		return
	}
	if err := p.Stop(); err != nil {
		c.complain(s.name + ": " + err.Error())
	}
}

// stopAll stops all managers and gives up their seats.
func (c *crew) stopAll() {
	var wait sync.WaitGroup
	for _, s := range c.seats {
		c.mu.Lock()
		s.retired = true
		c.mu.Unlock()
		wait.Go(func() { c.end(s, false) })
	}
	wait.Wait()
	c.wait.Wait()
}

// dismiss stops all managers for good.
func (c *crew) dismiss() error {
	c.stopAll()
	_, trouble := c.news()
	if len(trouble) > 0 {
		return errors.New("at the end: " + strings.Join(trouble, "; "))
	}
	return nil
}

// replace ends the manager at work, the leader of two, and starts another in its place.
func (c *crew) replace(ctx context.Context, kill bool) error {
	s := c.working(ctx)
	if s == nil {
		return errors.New("no manager leads, so none can be taken away")
	}
	c.journal.note("%s ends, killed: %t", s.name, kill)
	c.end(s, kill)
	return c.fill(ctx, s)
}

// leading is a manager's word for being the leader.
const leading = `leader_election_master_status{name="inventory-operator.ccloud.dev"} 1`

// working returns the seat of the manager at work, nil where none leads.
func (c *crew) working(ctx context.Context) *seat {
	if len(c.seats) == 1 {
		return c.seats[0]
	}
	for _, s := range c.seats {
		if text, err := c.metrics(ctx, s); err == nil && strings.Contains(text, leading) {
			return s
		}
	}
	return nil
}

// metrics returns what a manager exports.
func (c *crew) metrics(ctx context.Context, s *seat) (string, error) {
	c.mu.Lock()
	url := s.process.MetricsURL
	c.mu.Unlock()
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
func (c *crew) logs() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var paths []string
	for _, s := range c.seats {
		paths = append(paths, s.process.Log)
	}
	return paths
}
