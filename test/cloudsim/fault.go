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
	// generation counts the calls of ClearFaults. Some faults hold for a whole listing. The tokens
	// of such a listing are valid until generation changes.
	generation atomic.Uint64

	mu        sync.Mutex // guards all below
	intercept func(n int, r *http.Request) http.Handler
	seen      int // number of requests since intercept was set
	scripted  []scriptedFault
	chaos     *chaos
	counts    map[Fault]int
}

// scriptedFault is what is left of a call of FailNext.
type scriptedFault struct {
	op      Op
	left    int
	handler http.Handler
}

// Intercept sets a function f that is called for every request, before authentication. n counts the
// requests since Intercept was called, from 1. f returns the handler that serves the request, such
// as a Fault. If f returns nil, the request is served as usual. f must be safe for concurrent use.
// Intercept(nil) removes the function.
func (s *Sim) Intercept(f func(n int, r *http.Request) http.Handler) {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	s.faults.intercept, s.faults.seen = f, 0
}

// FailNext serves the next n requests of op with h. OpAny stands for any operation. A second call
// adds to the first one and comes after it. A Fault waits for a request that can have it: a fault
// of the page token waits for a later page, a fault of an item waits for a page with items. If the
// function of Intercept returns a handler, that handler comes first.
func (s *Sim) FailNext(op Op, n int, h http.Handler) {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	if n > 0 {
		s.faults.scripted = append(s.faults.scripted, scriptedFault{op, n, h})
	}
}

// Scripted describes what is left of a call of FailNext.
type Scripted struct {
	Op    Op     `json:"op,omitempty"`
	Left  int    `json:"left"`
	Fault string `json:"fault"` // its name; for another handler, a text that says so
}

// Scripted returns what is left of each call of FailNext, in the order of the calls.
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

// ClearFaults removes the function of Intercept, what is left of FailNext, and Chaos. Some faults
// make a listing partial or endless. Such a listing ends: its page tokens now get 400. The counts
// stay.
func (s *Sim) ClearFaults() {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	s.faults.intercept, s.faults.seen, s.faults.scripted, s.faults.chaos = nil, 0, nil, nil
	s.faults.generation.Add(1)
}

// FaultCounts returns how many answers each Fault has spoilt since the last ResetFaultCounts. It
// has no entry for a Fault that spoilt none. A fault counts when it begins, before the first byte
// of the answer. A fault that holds for a whole listing counts only once. If the cloud refuses a
// request because of its key or the rate limit, a fault that was planned for it does not count.
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

// exchange is one request, with what a fault needs to spoil the answer.
type exchange struct {
	sim     *Sim
	fault   Fault
	w       http.ResponseWriter
	r       *http.Request
	counted bool
}

// count counts the fault, which has happened now.
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

// exchangeKey is the key of the *exchange in the context of a request.
type exchangeKey struct{}

// ServeHTTP implements http.Handler, but only for requests to a Sim. If a request cannot have the
// fault, it is served as usual.
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

// fail serves a request with a fault or another handler. It returns false if the request must be
// served as usual.
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

// next returns the handler for a request; nil if the request must be served as usual. scripted
// reports whether the handler comes from FailNext.
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

// giveBack puts a fault of FailNext back, because the answer could not be spoilt and the fault did
// not happen. It does nothing if ClearFaults was called in between.
func (f *faults) giveBack(op Op, fault Fault, generation uint64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.generation.Load() == generation {
		f.scripted = slices.Insert(f.scripted, 0, scriptedFault{op, 1, fault})
	}
}
