package cloudsim

import "fmt"

// Fault is one way for the simulated cloud to fail, of those in the catalogue. It is
// an http.Handler for FailNext, Chaos and Intercept of a Sim, which all count it.
type Fault uint8

// Verdict is what a correct client may make of an answer with a fault.
type Verdict uint8

// The verdicts.
const (
	// Loud: the answer says by itself that it is not to be used. The listing fails or
	// is incomplete, or the client has asked again and got a good answer.
	Loud Verdict = iota + 1
	// Harmless: the answer is odd, yet whole and true, if it comes at all. A client may
	// use it or refuse it; it may not conclude anything false from it.
	Harmless
	// Silent: 200, whole by every sign there is, and untrue. No client can tell.
	Silent
)

// String returns the verdict in lower case.
func (v Verdict) String() string {
	switch v {
	case Loud:
		return "loud"
	case Harmless:
		return "harmless"
	case Silent:
		return "silent"
	}
	return fmt.Sprintf("verdict(%d)", uint8(v))
}

// MarshalText implements encoding.TextMarshaler.
func (v Verdict) MarshalText() ([]byte, error) { return []byte(v.String()), nil }

// entryOf is a fault's entry in the catalogue.
func (f Fault) entryOf() faultEntry {
	if int(f) < len(catalogue) {
		return catalogue[f]
	}
	return faultEntry{}
}

// String returns the fault's name, as in reset-before.
func (f Fault) String() string {
	if name := f.entryOf().name; name != "" {
		return name
	}
	return fmt.Sprintf("fault(%d)", uint8(f))
}

// About says in a line what the cloud does.
func (f Fault) About() string { return f.entryOf().about }

// Verdict is what a correct client may make of the fault, in either mode.
func (f Fault) Verdict() Verdict { return f.entryOf().verdict }

// Slow reports whether the fault may cost a correct client minutes: all of its time limit
// for a listing, or a wait it was asked for or takes by itself before it tries again.
func (f Fault) Slow() bool { return f.entryOf().slow }

// MarshalText implements encoding.TextMarshaler.
func (f Fault) MarshalText() ([]byte, error) { return []byte(f.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler by the fault's name.
func (f *Fault) UnmarshalText(text []byte) error {
	for _, known := range Faults() {
		if known.String() == string(text) {
			*f = known
			return nil
		}
	}
	return fmt.Errorf("there is no fault %q in the catalogue", text)
}

// Faults returns the faults of these verdicts, of all for none, in the catalogue's order.
func Faults(verdicts ...Verdict) []Fault {
	var faults []Fault
	for i := range catalogue {
		f := Fault(i)
		if f.Verdict() == 0 {
			continue // the zero Fault
		}
		wanted := len(verdicts) == 0
		for _, v := range verdicts {
			wanted = wanted || v == f.Verdict()
		}
		if wanted {
			faults = append(faults, f)
		}
	}
	return faults
}
