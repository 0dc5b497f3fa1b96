package cloudsim

import "hash/fnv"

// View says how much of the inventory a key or a listing shows.
type View uint8

// The views. What a view does not show is neither in data nor in total_size.
const (
	ViewAll  View = iota
	ViewPart      // about half of the objects, always the same half
	ViewNone
)

// Shows reports whether the view shows the object with this ID.
func (v View) Shows(id string) bool {
	switch v {
	case ViewAll:
		return true
	case ViewPart:
		return hash(id)&1 == 0
	}
	return false
}

// hash returns a number that decides how the object with this ID varies. It is the same in every
// listing and every run.
func hash(id string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(id)) // never fails, by its documentation
	// For short, similar IDs, the low bits of FNV depend on the last letters only. So mix the bits.
	n := h.Sum64()
	n ^= n >> 32
	n *= 0x9e3779b97f4a7c15
	return n ^ n>>29
}
