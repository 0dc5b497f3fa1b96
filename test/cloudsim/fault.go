package cloudsim

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
)

// faults decides which requests are not served as usual.
type faults struct {
	// generation is that of the faults that hold for a whole listing: the tokens of
	// such a listing are valid until it moves.
	generation atomic.Uint64

	mu        sync.Mutex // guards all below
	intercept func(n int, r *http.Request) http.Handler
	seen      int // requests since intercept was set
	scripted  []scriptedFault
	chaos     *chaos
	counts    map[Fault]int
}

// scriptedFault is what a FailNext has left to do.
type scriptedFault struct {
	op      Op
	left    int
	handler http.Handler
}

// Intercept has f asked about every request, before authentication. n counts the
// requests from 1 since f was set. f returns the handler to serve the request with, a
// Fault for example, or nil to serve it as usual; it must be safe for concurrent use.
// A nil f ends it.
func (s *Sim) Intercept(f func(n int, r *http.Request) http.Handler) {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	s.faults.intercept, s.faults.seen = f, 0
}

// FailNext serves the next n requests of op (OpAny: of any kind) with h. Several
// calls add up, in their order. A Fault waits for requests that can have it: one about
// a page token for a later page, one about items for a page that has any. An
// interceptor that has its own answer goes first.
func (s *Sim) FailNext(op Op, n int, h http.Handler) {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	if n > 0 {
		s.faults.scripted = append(s.faults.scripted, scriptedFault{op, n, h})
	}
}

// Scripted is what a FailNext has left to do.
type Scripted struct {
	Op    Op     `json:"op,omitempty"`
	Left  int    `json:"left"`
	Fault string `json:"fault"` // its name; of another handler, words that say so
}

// Scripted returns what each FailNext has left to do, in their order.
func (s *Sim) Scripted() []Scripted {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	left := []Scripted{}
	for _, next := range s.faults.scripted {
		name := "a handler of its own"
		if f, ok := next.handler.(Fault); ok {
			name = f.String()
		}
		left = append(left, Scripted{next.op, next.left, name})
	}
	return left
}

// ClearFaults removes the interceptor, all that FailNext has left to do and what Chaos
// has set going. Listings that a fault has made partial or endless are cut off: their
// page tokens get 400. What was counted stays.
func (s *Sim) ClearFaults() {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	s.faults.intercept, s.faults.seen, s.faults.scripted, s.faults.chaos = nil, 0, nil, nil
	s.faults.generation.Add(1)
}

// FaultCounts returns how many answers each Fault has spoilt since the last
// ResetFaultCounts, without those it never did. A fault is counted once, where it
// begins, before the first byte of the answer; one that holds for a whole listing is
// not counted again for the listing's other pages. A request that a fault was meant
// for and that was refused anyway, for its key or the rate limit, is not counted.
func (s *Sim) FaultCounts() map[Fault]int {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	counts := maps.Clone(s.faults.counts)
	if counts == nil {
		counts = map[Fault]int{}
	}
	return counts
}

// ResetFaultCounts sets all counts to 0.
func (s *Sim) ResetFaultCounts() {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	s.faults.counts = nil
}

// exchange is one request and what a fault needs to spoil its answer.
type exchange struct {
	sim     *Sim
	fault   Fault
	w       http.ResponseWriter
	r       *http.Request
	counted bool
}

// count notes that the fault has happened.
func (x *exchange) count() {
	x.counted = true
	f := &x.sim.faults
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.counts == nil {
		f.counts = map[Fault]int{}
	}
	f.counts[x.fault]++
}

// exchangeKey finds the Sim's *exchange in a request's context.
type exchangeKey struct{}

// ServeHTTP implements http.Handler, for requests to a Sim only. A request that cannot
// have the fault is served as usual.
func (f Fault) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x, ok := r.Context().Value(exchangeKey{}).(*exchange)
	serve := f.entryOf().serve
	if !ok || serve == nil {
		http.Error(w, fmt.Sprintf("cloudsim: %s cannot be served: give a Fault of the catalogue to a Sim", f), http.StatusInternalServerError)
		return
	}
	x.fault, x.w, x.r = f, w, r
	serve(x)
}

// fail serves a request that is not to be served as usual, and reports whether it was one.
func (s *Sim) fail(op Op, w http.ResponseWriter, r *http.Request) bool {
	h, scripted := s.faults.next(s, op, r)
	if h == nil {
		return false
	}
	x := &exchange{sim: s}
	generation := s.faults.generation.Load()
	h.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), exchangeKey{}, x)))
	if fault, ok := h.(Fault); ok && scripted && !x.counted {
		s.faults.giveBack(op, fault, generation)
	}
	return true
}

// next returns the handler for a request that is not to be served as usual, or nil,
// and whether it is FailNext's.
func (f *faults) next(s *Sim, op Op, r *http.Request) (h http.Handler, scripted bool) {
	f.mu.Lock()
	f.seen++
	n, intercept, armed := f.seen, f.intercept, len(f.scripted) > 0 || f.chaos != nil
	f.mu.Unlock()
	if intercept != nil {
		if h := intercept(n, r); h != nil {
			return h, false
		}
	}
	if !armed {
		return nil, false
	}
	at := s.occasion(r)
	f.mu.Lock()
	defer f.mu.Unlock()
	for i := range f.scripted {
		next := &f.scripted[i]
		if next.op != OpAny && next.op != op {
			continue
		}
		h := next.handler
		if fault, ok := h.(Fault); ok && !fault.fits(at) {
			continue
		}
		if next.left--; next.left == 0 {
			f.scripted = slices.Delete(f.scripted, i, i+1)
		}
		return h, true
	}
	if fault, ok := f.chaos.draw(op, at); ok {
		return fault, false
	}
	return nil, false
}

// giveBack has FailNext do again what did not come about: the answer was none that
// could be spoilt. Not so if ClearFaults was called meanwhile.
func (f *faults) giveBack(op Op, fault Fault, generation uint64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.generation.Load() == generation {
		f.scripted = slices.Insert(f.scripted, 0, scriptedFault{op, 1, fault})
	}
}
