package cloudsim

import (
	"maps"
	"net/http"
	"sync"
	"time"
)

// Call is one request to the simulated cloud. It has the ID of the key that the request named,
// known or unknown. It never has a secret.
type Call struct {
	Op        Op        `json:"op"`
	Method    string    `json:"method"`
	Path      string    `json:"path"`
	Query     string    `json:"query,omitempty"`
	KeyID     string    `json:"key_id,omitempty"`
	UserAgent string    `json:"user_agent,omitempty"`
	Status    int       `json:"status"` // 0: there is no answer, or none yet
	Time      time.Time `json:"time"`
}

// Calls returns the newest calls, oldest first. A call is recorded when the request comes. Its
// status is recorded before the first byte of the answer is sent.
func (s *Sim) Calls() []Call { return s.calls.list() }

// Count returns the exact number of calls of op since the last ResetCalls. OpAny counts all calls.
func (s *Sim) Count(op Op) int { return s.calls.count(op) }

// Counts returns the exact number of calls of each operation since the last ResetCalls.
func (s *Sim) Counts() map[Op]int { return s.calls.byOp() }

// ResetCalls forgets all calls and sets the counters to 0. This includes the calls of the foreign
// origin.
func (s *Sim) ResetCalls() {
	s.calls.reset()
	s.strayed.reset()
}

// recorder keeps only the newest calls, in a ring, but counts all calls.
type recorder struct {
	mu     sync.Mutex
	ring   []*Call
	next   int // place of the oldest call when the ring is full
	size   int
	counts map[Op]int
	total  int
}

func newRecorder(size int) *recorder { return &recorder{size: size, counts: map[Op]int{}} }

// begin records a call. It returns a writer that records the status of the answer.
func (c *recorder) begin(w http.ResponseWriter, r *http.Request, op Op, now time.Time) http.ResponseWriter {
	id, _, _ := r.BasicAuth()
	call := &Call{Op: op, Method: r.Method, Path: r.URL.Path, Query: r.URL.RawQuery,
		KeyID: id, UserAgent: r.UserAgent(), Time: now}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.counts[op]++
	c.total++
	if len(c.ring) < c.size {
		c.ring = append(c.ring, call)
	} else {
		c.ring[c.next] = call
		c.next = (c.next + 1) % c.size
	}
	return &statusWriter{ResponseWriter: w, recorder: c, call: call}
}

func (c *recorder) list() []Call {
	c.mu.Lock()
	defer c.mu.Unlock()
	calls := make([]Call, 0, len(c.ring))
	for i := range c.ring {
		calls = append(calls, *c.ring[(c.next+i)%len(c.ring)])
	}
	return calls
}

func (c *recorder) count(op Op) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	if op == OpAny {
		return c.total
	}
	return c.counts[op]
}

func (c *recorder) byOp() map[Op]int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return maps.Clone(c.counts)
}

func (c *recorder) reset() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ring, c.next, c.counts, c.total = nil, 0, map[Op]int{}, 0
}

// statusWriter records the status of an answer before the answer is sent. So a test that has read
// the answer finds the status recorded.
type statusWriter struct {
	http.ResponseWriter
	recorder *recorder
	call     *Call
	noted    bool
}

func (w *statusWriter) note(status int) {
	if w.noted || status < http.StatusOK {
		return
	}
	w.noted = true
	w.recorder.mu.Lock()
	w.call.Status = status
	w.recorder.mu.Unlock()
}

// WriteHeader implements http.ResponseWriter.
func (w *statusWriter) WriteHeader(status int) {
	w.note(status)
	w.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (w *statusWriter) Write(b []byte) (int, error) {
	w.note(http.StatusOK)
	return w.ResponseWriter.Write(b)
}

// Unwrap lets an http.ResponseController reach the connection.
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
