package cloudsim

import (
	"encoding/json"
	"fmt"
	"io"
)

// Documents gives access to the objects of one kind as JSON documents. Programs use it to handle
// objects of every kind in the same way.
type Documents struct {
	Noun   string // the kind's name in messages, such as cluster
	Plural string // clusters
	Phases []string

	sim        *Sim
	collection *collection
}

// Documents returns one Documents for each kind.
func (s *Sim) Documents() []Documents {
	var all []Documents
	for _, c := range s.collections {
		all = append(all, Documents{c.kind.noun, c.kind.plural, c.kind.phases, s, c})
	}
	return all
}

// All returns all documents, in order of creation.
func (d Documents) All() []json.RawMessage {
	d.sim.mu.RLock()
	defer d.sim.mu.RUnlock()
	return raws(d.collection.all(""))
}

// IDs returns the IDs of the objects of an environment, in order of creation.
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

// In returns the documents of this kind that doc has.
func (d Documents) In(doc Inventory) []json.RawMessage {
	objects := d.collection.kind.in(&doc)
	encoded := make([]json.RawMessage, len(objects))
	for i, o := range objects {
		encoded[i] = encode(o)
	}
	return encoded
}

// Copy adds a copy of the document with this ID, or replaces the object that has this ID. The
// document must come from Get, All or In. If the document has another ID, the copy gets new
// metadata.
func (d Documents) Copy(document json.RawMessage, id string) {
	o := d.collection.kind.fresh()
	readBack(document, o)
	if former, _ := o.key(); former != id {
		o.setID(id)
		*o.meta() = Metadata{}
	}
	put(d.sim, d.collection, o)
}

// Get returns the document with this ID. The error wraps ErrNotFound.
func (d Documents) Get(id string) (json.RawMessage, error) {
	d.sim.mu.RLock()
	defer d.sim.mu.RUnlock()
	if e := d.collection.byID[id]; e != nil {
		return e.raw, nil
	}
	return nil, d.collection.notFound(id)
}

// Put reads one document. It adds the object, or replaces the object with the same ID. The ID is
// id, or the one in the document; if both are given, they must be equal. Put checks the document
// against the contract. If unchecked is true, it checks only the ID and the environment. Put
// returns the stored document, and whether it is new. If there is an error, nothing has changed. If
// a field is wrong, the error is a *FieldError.
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

// SetPhase sets the phase of the object with this ID. If unchecked is true, the phase may be any
// word. The error is a *FieldError for the phase, or wraps ErrNotFound.
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

// Remove removes the object with this ID. The error wraps ErrNotFound.
func (d Documents) Remove(id string) error { return remove(d.sim, d.collection, id) }

// Example returns the ID of some object. If there is no object, it returns the text ID.
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
