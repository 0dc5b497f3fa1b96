package cloudsim

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"sort"
	"strings"
	"sync"
	"time"
)

// maxViews is how many filtered views of an environment are kept at most.
const maxViews = 64

// entry is one stored object: its JSON, which can be sent as it is, and the values for finding it.
// An entry never changes. A changed object gets a new entry.
type entry struct {
	seq              uint64 // place in the order of creation, from 1
	id, environment  string
	facets           [][]string
	created, updated time.Time
	raw              json.RawMessage
	inTheField       func() json.RawMessage // returns raw as mode wire sends it
}

// as returns the object as mode m sends it.
func (e *entry) as(m Mode) json.RawMessage {
	if m == ModeWire {
		return e.inTheField()
	}
	return e.raw
}

// shelf has the entries of one kind in one environment, in order of creation.
type shelf struct {
	entries []*entry

	mu    sync.Mutex // guards views, which readers build
	views map[string][]*entry
}

// collection has all objects of one kind. The caller must lock the Sim.
type collection struct {
	kind    *kind
	seq     uint64
	gone    int // how many objects were removed so far
	byID    map[string]*entry
	shelves map[string]*shelf
}

func newCollection(k *kind) *collection {
	return &collection{kind: k, byID: map[string]*entry{}, shelves: map[string]*shelf{}}
}

// put stores o and returns its entry. If the object exists already in the same environment, it
// keeps its place in the order. So a listing under way shows it exactly once.
func (c *collection) put(o object, now time.Time) *entry {
	o.complete()
	id, environment := o.key()
	old := c.byID[id]
	created := old == nil || old.environment != environment
	raw := stamp(o, old, now)
	if !created && bytes.Equal(raw, old.raw) {
		return old
	}
	if old != nil && created {
		c.take(old)
	}
	e := &entry{id: id, environment: environment, facets: o.facets(),
		created: o.meta().CreatedAt, updated: o.meta().UpdatedAt, raw: raw}
	e.inTheField = sync.OnceValue(func() json.RawMessage { return wireForm(c.kind, id, raw) })
	s := c.shelves[environment]
	if s == nil {
		s = &shelf{}
		c.shelves[environment] = s
	}
	if created {
		c.seq++
		e.seq = c.seq
		s.entries = append(s.entries, e)
	} else {
		e.seq = old.seq
		s.entries[s.after(old.seq-1)] = e
	}
	s.views = nil
	c.byID[id] = e
	return e
}

// stamp sets the timestamps of o and returns o's JSON. old is the entry that o replaces; nil if o
// is new. Timestamps that o already has stay. If o changed but has no new updated_at, updated_at
// becomes now.
func stamp(o object, old *entry, now time.Time) json.RawMessage {
	m := o.meta()
	created, updated := now, now
	if old != nil {
		created, updated = old.created, old.updated
	}
	if m.CreatedAt.IsZero() {
		m.CreatedAt = created
	}
	if m.UpdatedAt.IsZero() {
		m.UpdatedAt = updated
	}
	raw := encode(o)
	if old != nil && m.UpdatedAt.Equal(old.updated) && !bytes.Equal(raw, old.raw) {
		m.UpdatedAt = now
		raw = encode(o)
	}
	return raw
}

// encode returns the JSON of o as it is sent. It panics if o has no JSON. The only reason for that
// is a timestamp outside of the years 0 to 9999.
func encode(o any) json.RawMessage {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(o); err != nil {
		panic(fmt.Sprintf("cloudsim: an object that has no JSON was put: %v", err))
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// remove removes the object with this ID. It returns false if there is none.
func (c *collection) remove(id string) bool {
	e := c.byID[id]
	if e == nil {
		return false
	}
	c.take(e)
	delete(c.byID, id)
	return true
}

func (c *collection) take(e *entry) {
	s := c.shelves[e.environment]
	i := s.after(e.seq - 1)
	c.gone++
	s.entries = slices.Delete(s.entries, i, i+1)
	s.views = nil
}

// after returns the index of the first entry whose place in the order is after seq.
func (s *shelf) after(seq uint64) int { return after(s.entries, seq) }

func after(entries []*entry, seq uint64) int {
	return sort.Search(len(entries), func(i int) bool { return entries[i].seq > seq })
}

// all returns the entries of one environment, in order of creation. "" means all environments.
func (c *collection) all(environment string) []*entry {
	if environment != "" {
		if s := c.shelves[environment]; s != nil {
			return s.entries
		}
		return nil
	}
	entries := make([]*entry, 0, len(c.byID))
	for _, s := range c.shelves {
		entries = append(entries, s.entries...)
	}
	slices.SortFunc(entries, func(a, b *entry) int {
		if a.seq < b.seq {
			return -1
		}
		return 1
	})
	return entries
}

// filter says which objects a listing selects. values has the wanted values of each filter of the
// kind, sorted. An object must match one value of each filter that is not empty. only has the
// allowed IDs; nil allows all IDs. view shows all of these objects, a part of them or none.
type filter struct {
	values [][]string
	only   []string
	view   View
}

func (f filter) empty() bool {
	return f.view == ViewAll && f.only == nil && !slices.ContainsFunc(f.values, func(values []string) bool { return len(values) > 0 })
}

func (f filter) matches(e *entry) bool {
	if !f.view.Shows(e.id) || f.only != nil && !slices.Contains(f.only, e.id) {
		return false
	}
	for i, values := range f.values {
		has := func(value string) bool { return slices.Contains(values, value) }
		if len(values) > 0 && !slices.ContainsFunc(e.facets[i], has) {
			return false
		}
	}
	return true
}

// key returns a text that is the same for equal filters and differs for other filters.
func (f filter) key() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d:%q:", f.view, f.only)
	for i, values := range f.values {
		for _, v := range values {
			fmt.Fprintf(&b, "%d=%q&", i, v)
		}
	}
	return b.String()
}

// matching returns the entries that f selects. The result is kept until the shelf changes. So only
// the first page of a filtered listing has to check all entries.
func (s *shelf) matching(f filter) []*entry {
	if f.empty() {
		return s.entries
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	key := f.key()
	if view, ok := s.views[key]; ok {
		return view
	}
	var view []*entry
	for _, e := range s.entries {
		if f.matches(e) {
			view = append(view, e)
		}
	}
	if s.views == nil || len(s.views) >= maxViews {
		s.views = map[string][]*entry{}
	}
	s.views[key] = view
	return view
}

// page is one page of a listing. prev, next and last are cursors: the page begins after this place
// in the order of creation. 0 is the place before the first object.
type page struct {
	entries          []*entry
	total, gone      int
	prev, next, last uint64
	hasPrev, hasNext bool
}

// page returns one page of the objects of the environment that f selects. The page begins after
// cursor and has at most size objects.
func (c *collection) page(environment string, f filter, cursor uint64, size int) page {
	s := c.shelves[environment]
	if s == nil {
		return page{}
	}
	entries := s.matching(f)
	before := func(i int) uint64 {
		if i <= 0 {
			return 0
		}
		return entries[i-1].seq
	}
	start := after(entries, cursor)
	end := min(start+size, len(entries))
	return page{
		entries: slices.Clone(entries[start:end]), // the shelf changes its own entries
		total:   len(entries),
		gone:    c.gone,
		prev:    before(start - size),
		next:    before(end),
		last:    before((len(entries) - 1) / size * size),
		hasPrev: start > 0,
		hasNext: end < len(entries),
	}
}
