// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/ccloud-dev/inventory-operator/test/cloudsim"
)

// massRemoval is the largest number of objects that are removed at once.
const massRemoval = 5

// fill fills the source's environment. It also keeps templates for new objects.
func (s *source) fill() {
	scratch := cloudsim.New(cloudsim.Options{Mode: cloudsim.ModeWire})
	seed := random(s.seed, "inventory", s.environment).Int64()
	cloudsim.Seed(scratch, cloudsim.SeedOptions{Environment: s.environment, Clusters: s.usual, Peerings: usualPeerings, Seed: seed})
	s.templates = scratch.Inventory()
	s.Cloud.AddInventory(s.templates)
}

// changes has the changes that can happen to objects of any kind.
var changes = []func(*source, *kind, *rand.Rand) string{
	(*source).create, (*source).removeOne, (*source).removeMany, (*source).removeForAWhile, (*source).changePhase,
}

// change makes one change to the source's inventory and writes it to the journal.
func (s *source) change(r *rand.Rand) {
	k := anyKind(r)
	what := pick(r, append(slices.Clone(changes), k.changes...))(s, k, r)
	s.tally.count(inventoryChanges)
	s.journal.note("%s/%s: the cloud: %s", s.namespace, s.name, what)
}

// move puts an object on the network of a peering. update changes the object; it also gets a number
// below limit, to change something else by. If there is no object, move creates one.
func (s *source) move(k *kind, r *rand.Rand, limit int, update func(id string, n int, network cloudsim.Reference) error) string {
	ids := s.ids(k)
	if len(ids) == 0 {
		return s.create(k, r)
	}
	id, n, network := pick(r, ids), r.IntN(limit), pick(r, s.templates.Peerings).Spec.Network.ID
	_ = update(id, n, cloudsim.Reference{ID: network}) // It is there: nothing else removes it.
	return k.plural + ": " + id + " moves to network " + network
}

// create makes an object from one of the templates. If there are already many objects, it removes
// one instead.
func (s *source) create(k *kind, r *rand.Rand) string {
	if len(s.ids(k)) > k.usual(s)+4 {
		return s.removeOne(k, r)
	}
	return k.plural + ": " + s.newObject(k, r) + " is made"
}

// newObject makes an object from one of the templates and returns its ID.
func (s *source) newObject(k *kind, r *rand.Rand) string {
	s.made++
	id := fmt.Sprintf("%s-new%d%s%d", k.prefix, s.index, s.letter, s.made)
	s.documents(k).Copy(pick(r, s.documents(k).In(s.templates)), id)
	return id
}

// remove removes an object from the inventory. After that, the operator may delete the observation.
func (s *source) remove(k *kind, id string) {
	s.wasAbsent[id] = true
	_ = s.documents(k).Remove(id) // It exists: nothing else removes it.
}

// removeOne removes an object. If there are few objects, it makes one instead.
func (s *source) removeOne(k *kind, r *rand.Rand) string {
	ids := s.ids(k)
	if len(ids) < max(1, k.usual(s)-4) {
		return s.create(k, r)
	}
	id := pick(r, ids)
	s.remove(k, id)
	return k.plural + ": " + id + " goes"
}

// removeMany removes so many objects of a kind that the operator must ask a person. It removes
// several of many objects, or all objects.
func (s *source) removeMany(k *kind, r *rand.Rand) string {
	var going []string
	for _, i := range r.Perm(len(s.ids(k)))[:min(massRemoval, len(s.ids(k)))] {
		going = append(going, s.ids(k)[i])
	}
	for _, id := range going {
		s.remove(k, id)
	}
	return fmt.Sprint(k.plural, ": many go: ", going)
}

// removeForAWhile removes an object. putBack adds the object again.
func (s *source) removeForAWhile(k *kind, r *rand.Rand) string {
	ids := s.ids(k)
	if len(ids) == 0 {
		return s.create(k, r)
	}
	id, documents := pick(r, ids), s.documents(k)
	was, _ := documents.Get(id) // It exists.
	s.remove(k, id)
	s.removed = append(s.removed, func() { documents.Copy(was, id) })
	return k.plural + ": " + id + " goes for a while"
}

// putBack adds the objects that removeForAWhile has removed.
func (s *source) putBack() {
	for _, back := range s.removed {
		back()
	}
	s.removed = nil
}

func (s *source) changePhase(k *kind, r *rand.Rand) string {
	ids := s.ids(k)
	if len(ids) == 0 {
		return s.create(k, r)
	}
	id, phase := pick(r, ids), pick(r, k.phases())
	_ = s.documents(k).SetPhase(id, phase, true) // The object exists, as in remove.
	return k.plural + ": " + id + " is " + phase
}
