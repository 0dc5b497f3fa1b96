package cloudsim

import (
	"fmt"
	"sync/atomic"
)

// Mode says how closely the simulated cloud keeps to the contract. flag.TextVar makes a flag of it.
type Mode int32

// The modes.
const (
	// ModeStrict keeps exactly to the published contract.
	ModeStrict Mode = iota
	// ModeWire has deviations that real answers have:
	//
	//   - The last page has next absent, null or "". Sometimes the end is an empty page of its own
	//     with data null.
	//   - total_size is too low or absent.
	//   - The clouds of peerings are written as networking.v1.AwsPeering.
	//   - References have no related.
	//   - Bootstrap addresses begin with SASL_SSL://.
	//   - Connection types have former spellings.
	//   - There are undocumented members, and members that are null.
	//
	// Apart from the undocumented members, the answer means the same as in ModeStrict. An object
	// looks the same in every listing, because its ID decides how it looks.
	//
	// The mode does not change the objects, their IDs and their words. They come from the
	// inventory, so an object stays the same if the mode changes. Seed and Estrange add what else
	// real inventories may have: IDs peer-…, and unknown phases, types and clouds.
	ModeWire
)

var modeNames = [...]string{ModeStrict: "strict", ModeWire: "wire"}

// Modes returns all modes.
func Modes() []Mode { return []Mode{ModeStrict, ModeWire} }

// String returns the mode's name.
func (m Mode) String() string {
	if m < 0 || int(m) >= len(modeNames) {
		return fmt.Sprintf("mode(%d)", int32(m))
	}
	return modeNames[m]
}

// MarshalText implements encoding.TextMarshaler.
func (m Mode) MarshalText() ([]byte, error) { return []byte(m.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler. The error names the modes.
func (m *Mode) UnmarshalText(text []byte) error {
	for _, known := range Modes() {
		if known.String() == string(text) {
			*m = known
			return nil
		}
	}
	return fmt.Errorf("there is no mode %q: use strict or wire", text)
}

// SetMode changes the mode of all answers from now on, also in the middle of a listing.
func (s *Sim) SetMode(m Mode) { s.wire.mode.Store(int32(m)) }

// Mode returns the present mode.
func (s *Sim) Mode() Mode { return Mode(s.wire.mode.Load()) }

// wireState is the mode, with the counters for changing a strict page into one of ModeWire.
type wireState struct {
	mode atomic.Int32
	// These count the pages, the listings that reached their last object, and the listings that
	// ended. Each count selects the next deviation in turn, so a few listings show all of them.
	pages, reached, ended atomic.Uint64
}

// change gives d's envelope the deviations of ModeWire.
func (t *wireState) change(d *draft) {
	if d.meta.TotalSize != nil {
		switch t.pages.Add(1) % 4 {
		case 1:
			d.meta.TotalSize = nil
		case 2: // the number of items on this page
			n := len(d.items)
			d.meta.TotalSize = &n
		case 3:
			n := max(0, d.page.total-1)
			d.meta.TotalSize = &n
		}
	}
	if !d.last() {
		return
	}
	if n := len(d.page.entries); n > 0 && t.reached.Add(1)%2 == 0 {
		// The cloud does not know yet that the listing has ended. It sends one more page, which is
		// empty.
		d.meta.Next = d.link(d.page.entries[n-1].seq, true)
		return
	}
	if len(d.items) == 0 {
		d.items = nil
	}
	switch t.ended.Add(1) % 3 {
	case 0:
		d.meta.Next = null
	case 1:
		d.meta.Next = nil
	case 2:
		d.meta.Next = emptyText
	}
}
