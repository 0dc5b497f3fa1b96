package cloudsim

import (
	"fmt"
	"sync/atomic"
)

// Mode says how close to its contract the simulated cloud keeps. It is a flag.Value
// by way of flag.TextVar.
type Mode int32

// The modes.
const (
	// ModeStrict is the published contract to the letter.
	ModeStrict Mode = iota
	// ModeWire is what is seen in the field: the end of a listing as next absent, null
	// or "", sometimes on an empty page of its own with data null; total_size too low
	// or absent; peering clouds as networking.v1.AwsPeering; references without
	// related; SASL_SSL:// in front of bootstrap addresses; former spellings of
	// connection types; members that are not documented, and null ones. All of it means
	// the same as the strict answer, save for members that strict does not have. An
	// object looks the same in every listing, as its ID decides how it looks.
	//
	// Which objects there are, and their IDs and words, is the inventory's, so that a
	// change of mode never makes one object of another. Seed and Estrange bring what
	// the field has there: IDs peer-…, phases, types and clouds of tomorrow.
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

// SetMode changes the mode of all answers from now on, also within a listing.
func (s *Sim) SetMode(m Mode) { s.wire.mode.Store(int32(m)) }

// Mode returns the present mode.
func (s *Sim) Mode() Mode { return Mode(s.wire.mode.Load()) }

// wireState is the mode, and what turns a strict page into one from the field.
type wireState struct {
	mode atomic.Int32
	// Pages, listings that reached their last object, and listings that ended. They
	// take turns, so that a few listings see everything.
	pages, reached, ended atomic.Uint64
}

// change makes d's envelope look as in the field.
func (t *wireState) change(d *draft) {
	if d.meta.TotalSize != nil {
		switch t.pages.Add(1) % 4 {
		case 1:
			d.meta.TotalSize = nil
		case 2: // of this page only
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
		// The end is news even to the cloud: one more page, which turns out empty.
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
