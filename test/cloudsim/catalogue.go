package cloudsim

import "fmt"

// Fault is one way in which the simulated cloud can fail. All faults are in the catalogue. A Fault
// is an http.Handler for the methods FailNext, Chaos and Intercept of a Sim. The Sim counts each
// fault that it serves.
type Fault uint8

// Verdict says what a correct client may conclude from an answer with a fault.
type Verdict uint8

// The verdicts.
const (
	// Loud: the answer itself shows that it must not be used. So the listing fails or is
	// incomplete, unless the client asks again and gets a good answer.
	Loud Verdict = iota + 1
	// Harmless: the answer is odd. But if it comes at all, it is whole and true. A client may use
	// it or refuse it, but must not conclude anything false from it.
	Harmless
	// Silent: the answer has status 200 and looks whole, but is not true. No client can see this.
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

// entryOf returns the fault's entry in the catalogue.
func (f Fault) entryOf() faultEntry {
	if int(f) < len(catalogue) {
		return catalogue[f]
	}
	return faultEntry{}
}

// String returns the fault's name, such as reset-before.
func (f Fault) String() string {
	if name := f.entryOf().name; name != "" {
		return name
	}
	return fmt.Sprintf("fault(%d)", uint8(f))
}

// About says in one line what the cloud does.
func (f Fault) About() string { return f.entryOf().about }

// Verdict says what a correct client may conclude from the fault. It is the same in both modes.
func (f Fault) Verdict() Verdict { return f.entryOf().verdict }

// Slow reports whether the fault may cost a correct client minutes. The client may use all of its
// time limit for a listing. Or it may wait before it tries again, because the cloud asked for a
// wait or by its own decision.
func (f Fault) Slow() bool { return f.entryOf().slow }

// MarshalText implements encoding.TextMarshaler.
func (f Fault) MarshalText() ([]byte, error) { return []byte(f.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler. text is the fault's name.
func (f *Fault) UnmarshalText(text []byte) error {
	for _, known := range Faults() {
		if known.String() == string(text) {
			*f = known
			return nil
		}
	}
	return fmt.Errorf("there is no fault %q in the catalogue", text)
}

// Faults returns the faults with one of these verdicts, in the catalogue's order. If no verdict is
// given, it returns all faults.
func Faults(verdicts ...Verdict) []Fault {
	var faults []Fault
	for i := range catalogue {
		f := Fault(i)
		if f.Verdict() == 0 {
			continue // skip the zero Fault
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
