package cloudsim

import "hash/fnv"

// View is how much of the inventory a key, or a listing, is shown.
type View uint8

// The views. The rest of the inventory is not there for who has less than all of it:
// it is neither in data nor in total_size.
const (
	ViewAll  View = iota
	ViewPart      // about half of the objects, the same ones each time
	ViewNone
)

// Shows reports whether the object of that ID is in the view.
func (v View) Shows(id string) bool {
	switch v {
	case ViewAll:
		return true
	case ViewPart:
		return hash(id)&1 == 0
	}
	return false
}

// hash gives each ID its share of variety: what it decides is the same in every
// listing and every run.
func hash(id string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(id)) // never fails, by its documentation
	// FNV's low bits of short, similar IDs follow their last letters.
	n := h.Sum64()
	n ^= n >> 32
	n *= 0x9e3779b97f4a7c15
	return n ^ n>>29
}
