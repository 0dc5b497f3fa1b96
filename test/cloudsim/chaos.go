package cloudsim

import (
	"math/rand/v2"
	"net/http"
	"slices"
)

// ChaosSettings are what Chaos was called with.
type ChaosSettings struct {
	Seed   uint64  `json:"seed"`
	Rate   float64 `json:"rate"`
	Faults []Fault `json:"faults"`
}

// chaos draws faults by a seed.
type chaos struct {
	ChaosSettings

	streams map[Op]*rand.Rand
}

// Chaos has each list request fail with probability rate, from 0 to 1, with one of
// these faults, each as likely as the others; with none given, with any that is not
// Silent. A request that cannot have the fault drawn gets the next in line that it can
// have. Each operation draws from a stream of its own, so that its k-th request draws
// the same for the same seed whatever other operations do. What Intercept and FailNext
// ask for goes first. Another call replaces the one before; ClearFaults ends it.
func (s *Sim) Chaos(seed uint64, rate float64, faults ...Fault) {
	if len(faults) == 0 {
		faults = Faults(Loud, Harmless)
	}
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	s.faults.chaos = &chaos{ChaosSettings{seed, rate, slices.Clone(faults)}, map[Op]*rand.Rand{}}
}

// StopChaos ends what Chaos has set going, and nothing else.
func (s *Sim) StopChaos() {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	s.faults.chaos = nil
}

// ChaosSettings returns what Chaos has set going, nil if nothing is.
func (s *Sim) ChaosSettings() *ChaosSettings {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	if s.faults.chaos == nil {
		return nil
	}
	settings := s.faults.chaos.ChaosSettings
	return &settings
}

// draw returns the fault for a request of op, if it is to have one.
func (c *chaos) draw(op Op, at occasion) (Fault, bool) {
	if c == nil || op == OpOther {
		return 0, false
	}
	stream := c.streams[op]
	if stream == nil {
		stream = rand.New(rand.NewPCG(c.Seed, hash(string(op))))
		c.streams[op] = stream
	}
	// Both are drawn every time, so that one request's luck is not the next one's.
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

// occasion is what may be known of a request before it is answered.
type occasion struct {
	page    bool // the usual answer is a page
	later   bool // another one than the first
	items   int  // on the page
	next    bool // another page follows
	endless bool // this one always does
	total   int  // in the listing
	part    int  // in the listing for who sees a part
}

// occasion looks ahead. The rate limit is not asked, as asking uses it up.
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

// fits reports whether a request can have the fault.
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
