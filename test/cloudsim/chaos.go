package cloudsim

import (
	"math/rand/v2"
	"net/http"
	"slices"
)

// ChaosSettings are the arguments of the last call of Chaos.
type ChaosSettings struct {
	Seed   uint64  `json:"seed"`
	Rate   float64 `json:"rate"`
	Faults []Fault `json:"faults"`
}

// chaos draws faults at random. Its seed decides which.
type chaos struct {
	ChaosSettings

	streams map[Op]*rand.Rand
}

// Chaos makes list requests and token exchanges fail at random. rate is the probability that a
// request fails, from 0 to 1. Each of the faults is equally likely. If no fault is given, Chaos
// uses all faults that are not Silent. If a request cannot have the drawn fault, it gets the next
// fault of the list that it can have.
//
// Each operation has its own random stream. So for the same seed, the k-th request of an operation
// always draws the same, whatever other operations do. Handlers of Intercept and FailNext come
// first. A new call replaces the previous one. StopChaos and ClearFaults end it.
func (s *Sim) Chaos(seed uint64, rate float64, faults ...Fault) {
	if len(faults) == 0 {
		faults = Faults(Loud, Harmless)
	}
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	s.faults.chaos = &chaos{ChaosSettings{seed, rate, slices.Clone(faults)}, map[Op]*rand.Rand{}}
}

// StopChaos ends what Chaos began. It changes nothing else.
func (s *Sim) StopChaos() {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	s.faults.chaos = nil
}

// ChaosSettings returns the settings of Chaos; nil if Chaos is not active.
func (s *Sim) ChaosSettings() *ChaosSettings {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	if s.faults.chaos == nil {
		return nil
	}
	settings := s.faults.chaos.ChaosSettings
	return &settings
}

// draw returns the fault for a request of op. It returns false if the request gets no fault.
func (c *chaos) draw(op Op, at occasion) (Fault, bool) {
	if c == nil || op == OpOther {
		return 0, false
	}
	stream := c.streams[op]
	if stream == nil {
		stream = rand.New(rand.NewPCG(c.Seed, hash(string(op))))
		c.streams[op] = stream
	}
	// Draw both every time, so that the result for one request does not change what the next
	// request draws.
	chance, first := stream.Float64(), stream.IntN(len(c.Faults))
	if chance >= c.Rate {
		return 0, false
	}
	for i := range c.Faults {
		if fault := c.Faults[(first+i)%len(c.Faults)]; fault.fits(at) {
			return fault, true
		}
	}
	return 0, false
}

// occasion is what is known of a request before it is answered.
type occasion struct {
	page    bool // the usual answer is a page
	later   bool // it is not the first page
	items   int  // on the page
	next    bool // another page follows
	endless bool // another page always follows
	total   int  // in the listing
	part    int  // in the listing of a key that sees only a part
}

// occasion returns what is known of a request in advance. It does not ask the rate limit, because
// that would use up a request.
func (s *Sim) occasion(r *http.Request) occasion {
	c := s.listed(r.URL.Path)
	if c == nil || r.Method != http.MethodGet {
		return occasion{}
	}
	key, f := s.authenticate(r)
	if f != nil {
		return occasion{}
	}
	q, f := s.ask(r, c.kind, key)
	if f != nil {
		return occasion{}
	}
	part := s.partOf(q, c.kind).filter
	s.mu.RLock()
	defer s.mu.RUnlock()
	p := c.page(q.environment, q.filter, q.cursor, q.pageSize)
	return occasion{
		page:    true,
		later:   q.values.Has("page_token"),
		items:   len(p.entries),
		next:    p.hasNext,
		endless: q.round > 0,
		total:   p.total,
		part:    c.page(q.environment, part, 0, 1).total,
	}
}

// fits reports whether the fault can happen to a request.
func (f Fault) fits(at occasion) bool {
	entry := f.entryOf()
	return entry.serve != nil && (entry.fits == nil || entry.fits(at))
}

func aPage(at occasion) bool        { return at.page }
func aFirstPage(at occasion) bool   { return at.page && !at.later && at.total > 0 }
func aLaterPage(at occasion) bool   { return at.page && at.later }
func aPageBefore(at occasion) bool  { return at.page && (at.next || at.endless) }
func someItems(at occasion) bool    { return at.items > 0 }
func theLastItems(at occasion) bool { return at.items > 0 && !at.next && !at.endless }
func moreThanPart(at occasion) bool { return aFirstPage(at) && at.part < at.total }
