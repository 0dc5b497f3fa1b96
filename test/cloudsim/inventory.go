package cloudsim

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
)

// ErrNotFound is the error that other errors wrap if an object is not in the inventory.
var ErrNotFound = errors.New("not in the inventory")

// Inventory is a whole inventory as one document. Its objects are in order of creation.
type Inventory struct {
	Environments              []Environment              `json:"environments,omitempty"` // an environment with objects may be left out
	Clusters                  []Cluster                  `json:"clusters"`
	Peerings                  []Peering                  `json:"peerings"`
	Networks                  []Network                  `json:"networks,omitempty"`
	SchemaRegistries          []SchemaRegistry           `json:"schemaregistries,omitempty"`
	TransitGatewayAttachments []TransitGatewayAttachment `json:"transitGatewayAttachments,omitempty"`
	PrivateLinkAccesses       []PrivateLinkAccess        `json:"privateLinkAccesses,omitempty"`
}

// Size returns the number of clusters and of peerings in all environments.
func (s *Sim) Size() (clusters, peerings int) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return len(s.of(clusterKind).byID), len(s.of(peeringKind).byID)
}

// Inventory returns a copy of the whole inventory.
func (s *Sim) Inventory() Inventory { return s.InventoryOf("") }

// InventoryOf returns copies of the objects of one environment. "" means all environments, and the
// environments themselves too.
func (s *Sim) InventoryOf(environment string) Inventory {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var doc Inventory
	for _, c := range s.collections {
		c.kind.fill(&doc, raws(c.all(environment)))
	}
	return doc
}

// AddInventory adds the objects of the document. An object replaces the one with the same ID.
func (s *Sim) AddInventory(doc Inventory) {
	for _, c := range s.collections {
		for _, o := range c.kind.in(&doc) {
			put(s, c, o)
		}
	}
}

// SetInventory replaces all objects by those of the document. Keys and recorded calls stay. Every
// object needs an environment, and an ID that is unique within its kind. Otherwise the error is a
// *FieldError, and nothing has changed.
func (s *Sim) SetInventory(doc Inventory) error {
	for _, k := range kinds {
		if err := checkKeys(k, k.in(&doc)); err != nil {
			return err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range slices.Backward(s.collections) { // Environments first: replace adds those of the objects.
		s.replace(c, c.kind.in(&doc))
	}
	return nil
}

// replace gives c new objects. The sequence numbers go on. Otherwise an old page token could skip a
// new object.
func (s *Sim) replace(c *collection, objects []object) {
	fresh := newCollection(c.kind)
	fresh.seq, fresh.gone = c.seq, c.gone+len(c.byID)
	*c = *fresh
	for _, o := range objects {
		s.know(c.put(o, s.now()).environment)
	}
}

// ReadInventory reads one inventory document and checks it against the contract. The error names
// the line or the field. For a field, it also says what is allowed.
func ReadInventory(r io.Reader) (Inventory, error) {
	var doc Inventory
	if err := ReadDocument(r, &doc); err != nil {
		return Inventory{}, err
	}
	return doc, checkInventory(doc)
}

func raws(entries []*entry) []json.RawMessage {
	out := make([]json.RawMessage, len(entries))
	for i, e := range entries {
		out[i] = e.raw
	}
	return out
}

// pointerTo is the pointer to a listed type. The pointer has the type's methods.
type pointerTo[T any] interface {
	*T
	object
}

// pointers returns pointers to copies of items.
func pointers[T any, P pointerTo[T]](items []T) []object {
	out := make([]object, len(items))
	for i := range items {
		item := items[i]
		out[i] = P(&item)
	}
	return out
}

// put stores o. It returns what was stored, and whether it is new.
func put(s *Sim, c *collection, o object) (raw json.RawMessage, created bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	id, environment := o.key()
	s.know(environment)
	created = c.byID[id] == nil
	return c.put(o, s.now()).raw, created
}

func get[T any](s *Sim, c *collection, id string) (item T, ok bool) {
	s.mu.RLock()
	e := c.byID[id]
	s.mu.RUnlock()
	if e == nil {
		return item, false
	}
	return decode[T](e.raw), true
}

func list[T any](s *Sim, c *collection, environment string) []T {
	s.mu.RLock()
	encoded := raws(c.all(environment))
	s.mu.RUnlock()
	return decodeAll[T](encoded)
}

func update(s *Sim, c *collection, id string, change func(object)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := c.byID[id]
	if e == nil {
		return c.notFound(id)
	}
	o := c.kind.fresh()
	readBack(e.raw, o)
	change(o)
	now, environment := o.key()
	if now != id {
		return fmt.Errorf("%s %q: an update cannot change the ID (to %q): remove the one and put the other",
			c.kind.noun, id, now)
	}
	s.know(environment)
	c.put(o, s.now())
	return nil
}

func remove(s *Sim, c *collection, id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !c.remove(id) {
		return c.notFound(id)
	}
	return nil
}

// notFound returns the error that there is no object with this ID.
func (c *collection) notFound(id string) error {
	return fmt.Errorf("%s %q: %w", c.kind.noun, id, ErrNotFound)
}

// decode reads what encode has written.
func decode[T any](raw json.RawMessage) T {
	var item T
	readBack(raw, &item)
	return item
}

func readBack(raw json.RawMessage, target any) {
	if err := json.Unmarshal(raw, target); err != nil {
		panic(fmt.Sprintf("cloudsim: a stored object cannot be read back: %v", err))
	}
}

func decodeAll[T any](encoded []json.RawMessage) []T {
	items := make([]T, len(encoded))
	for i, raw := range encoded {
		items[i] = decode[T](raw)
	}
	return items
}
