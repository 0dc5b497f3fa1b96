package cloudsim

import (
	"encoding/json"
	"fmt"
	"io"
)

// Documents are the objects of one kind as JSON documents. Programs that show and take objects of
// every kind use it.
type Documents struct {
	Noun   string // of one object, for messages: cluster
	Plural string // clusters
	Phases []string

	sim        *Sim
	collection *collection
}

// Documents returns the documents of each kind.
func (s *Sim) Documents() []Documents {
	var all []Documents
	for _, c := range s.collections {
		all = append(all, Documents{c.kind.noun, c.kind.plural, c.kind.phases, s, c})
	}
	return all
}

// All returns the documents in order of creation.
func (d Documents) All() []json.RawMessage {
	d.sim.mu.RLock()
	defer d.sim.mu.RUnlock()
	return raws(d.collection.all(""))
}

// IDs returns the IDs of an environment's objects, in order of creation.
func (d Documents) IDs(environment string) []string {
	d.sim.mu.RLock()
	defer d.sim.mu.RUnlock()
	entries := d.collection.all(environment)
	ids := make([]string, len(entries))
	for i, e := range entries {
		ids[i] = e.id
	}
	return ids
}

// In returns the documents of this kind that an inventory holds.
func (d Documents) In(doc Inventory) []json.RawMessage {
	objects := d.collection.kind.in(&doc)
	encoded := make([]json.RawMessage, len(objects))
	for i, o := range objects {
		encoded[i] = encode(o)
	}
	return encoded
}

// Copy adds an object of that ID that is like the document, or replaces it. The document
// must be one that Get, All or In returned. One of another ID has metadata of its own.
func (d Documents) Copy(document json.RawMessage, id string) {
	o := d.collection.kind.fresh()
	readBack(document, o)
	if former, _ := o.key(); former != id {
		o.setID(id)
		*o.meta() = Metadata{}
	}
	put(d.sim, d.collection, o)
}

// Get returns the document of that ID. The error wraps ErrNotFound.
func (d Documents) Get(id string) (json.RawMessage, error) {
	d.sim.mu.RLock()
	defer d.sim.mu.RUnlock()
	if e := d.collection.byID[id]; e != nil {
		return e.raw, nil
	}
	return nil, d.collection.notFound(id)
}

// Put reads one document, and adds it or replaces that of its ID, which may be given as
// id, in the document, or alike in both. A document is held against the contract, but
// for its ID and environment not so if unchecked. Put returns what is stored, and
// whether it is new. An error says what is wrong, as a *FieldError where it is a field,
// and nothing has changed then.
func (d Documents) Put(id string, document io.Reader, unchecked bool) (stored json.RawMessage, created bool, err error) {
	o := d.collection.kind.fresh()
	if err := ReadDocument(document, o); err != nil {
		return nil, false, err
	}
	if within, _ := o.key(); id != "" {
		if within != "" && within != id {
			return nil, false, &FieldError{"id",
				fmt.Sprintf("is %q in the body and %q in the path: leave it out of the body", within, id)}
		}
		o.setID(id)
	}
	check := o.check
	if unchecked {
		check = func() error { return checkKey(o) }
	}
	if err := check(); err != nil {
		return nil, false, err
	}
	stored, created = put(d.sim, d.collection, o)
	return stored, created, nil
}

// SetPhase sets the phase of the object of that ID, to any word if unchecked. The error
// is a *FieldError for the phase, or wraps ErrNotFound.
func (d Documents) SetPhase(id, phase string, unchecked bool) error {
	var check checks
	if len(d.Phases) == 0 {
		return &FieldError{"phase", "a " + d.Noun + " has none"}
	}
	if phase == "" || !unchecked {
		check.oneOf("phase", phase, d.Phases...)
	}
	if err := check.outcome(); err != nil {
		return err
	}
	return update(d.sim, d.collection, id, func(o object) { o.setPhase(phase) })
}

// Remove takes the object of that ID out. The error wraps ErrNotFound.
func (d Documents) Remove(id string) error { return remove(d.sim, d.collection, id) }

// Example returns the ID of some object, or ID where there is none.
func (d Documents) Example() string {
	d.sim.mu.RLock()
	defer d.sim.mu.RUnlock()
	for _, s := range d.collection.shelves {
		if len(s.entries) > 0 {
			return s.entries[0].id
		}
	}
	return "ID"
}
