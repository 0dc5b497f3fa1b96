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

// maxViews bounds the filtered views kept for one environment.
const maxViews = 64

// entry is one object as it is stored: its JSON, ready to be sent, and what is
// needed to find it. An entry never changes; a changed object is a new entry.
type entry struct {
	seq              uint64 // place in the order of creation, from 1
	id, environment  string
	facets           [][]string
	created, updated time.Time
	raw              json.RawMessage
	inTheField       func() json.RawMessage // raw as mode wire sends it, made when first asked for
}

// as returns the object as that mode sends it.
func (e *entry) as(m Mode) json.RawMessage {
	if m == ModeWire {
		return e.inTheField()
	}
	return e.raw
}

// shelf holds the entries of one kind in one environment, in order of creation.
type shelf struct {
	entries []*entry

	mu    sync.Mutex // guards views, which readers build
	views map[string][]*entry
}

// collection holds all objects of one kind. The caller does the locking.
type collection struct {
	kind    *kind
	seq     uint64
	gone    int // objects that were taken off a shelf so far
	byID    map[string]*entry
	shelves map[string]*shelf
}

func newCollection(k *kind) *collection {
	return &collection{kind: k, byID: map[string]*entry{}, shelves: map[string]*shelf{}}
}

// put stores o and returns its entry. An object that is there already keeps its
// place in the order as long as it stays in its environment, so that a listing
// under way neither misses it nor shows it twice.
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

// stamp sets the timestamps of o, which replaces old (nil if it is new), and
// returns o's JSON. Times that are given stay; a change that does not bring a new
// updated_at gets the present time.
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

// encode gives the JSON that goes out for o. It panics where there is none, which
// only a timestamp outside of the years 0 to 9999 can bring about.
func encode(o any) json.RawMessage {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(o); err != nil {
		panic(fmt.Sprintf("cloudsim: an object that has no JSON was put: %v", err))
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// remove takes the object of that ID out and reports whether it was there.
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

// after returns the index of the first entry whose place is behind seq.
func (s *shelf) after(seq uint64) int { return after(s.entries, seq) }

func after(entries []*entry, seq uint64) int {
	return sort.Search(len(entries), func(i int) bool { return entries[i].seq > seq })
}

// all returns the entries of one environment, or of all for "", in order of creation.
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

// filter holds the wanted values of each of a kind's filters, sorted. Any one value
// of a filter will do, an empty filter takes everything, and all filters must agree.
// Of what is left, the view shows all, a part or none, and only those of these IDs, unless
// that is nil.
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

// key is the same for equal filters, and for no others.
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

// matching returns the entries f lets through. What a filter selects is kept until
// the shelf changes, so that only the first page of a filtered listing reads it all.
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

// page is one page of a listing. Its cursors are places in the order of creation
// behind which another page starts, 0 being the place before the first object.
type page struct {
	entries          []*entry
	total, gone      int
	prev, next, last uint64
	hasPrev, hasNext bool
}

// page returns up to size objects of the environment that f lets through and that
// were created after the cursor.
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
		entries: slices.Clone(entries[start:end]), // the shelf's own are changed in place
		total:   len(entries),
		gone:    c.gone,
		prev:    before(start - size),
		next:    before(end),
		last:    before((len(entries) - 1) / size * size),
		hasPrev: start > 0,
		hasNext: end < len(entries),
	}
}
