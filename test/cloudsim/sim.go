// Package cloudsim is a simulated Confluent Cloud. It serves the list operations that this project
// uses, for Kafka clusters, network peerings, networks, Schema Registry clusters and environments,
// as an http.Handler. The inventory is in memory and may change during a listing.
//
// In mode strict, the default, answers keep exactly to the published contract. In mode wire, they
// have deviations that real answers have. In both modes the cloud can fail. The catalogue of Faults
// has every wrong answer that a client must handle. FailNext selects a fault, and Chaos draws
// faults at random. The package shares no code with the client, so that it cannot repeat an error
// of the client. Tests use the package through its Go API. The cloudsim command uses Documents.
//
// The cost of a page does not depend on the size of the inventory. An item is encoded only once,
// when it is stored. A page token leads directly to the place where the listing continues.
package cloudsim

import (
	"crypto/rand"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// DefaultWindow is the length of a rate-limit window if Options does not set it.
const DefaultWindow = time.Minute

// DefaultHangTime is how long an answer hangs if Options does not set it.
const DefaultHangTime = 10 * time.Second

// DefaultSlowTime is how long a slow body takes if Options does not set it.
const DefaultSlowTime = 250 * time.Millisecond

// DefaultKeepCalls is how many calls the recorder keeps if Options does not set it.
const DefaultKeepCalls = 1000

// Options configures a simulator. The zero value is ready for use.
type Options struct {
	// Mode is the first mode of the simulator. SetMode changes it. The default is ModeStrict.
	Mode Mode
	// Clock returns the time for timestamps, rate limits and recorded calls. The default is
	// time.Now.
	Clock func() time.Time
	// RateLimit is the number of requests that a key may make in one Window. 0 means no limit: the
	// rate-limit headers then show a high limit that is never used up.
	RateLimit int
	// Window is the length of a rate-limit window. A window begins with the first request of a key.
	// The default is DefaultWindow.
	Window time.Duration
	// OmitTotalSize leaves the optional metadata.total_size out of list answers.
	OmitTotalSize bool
	// KeepCalls is how many of the newest calls the recorder keeps. The counters are exact in any
	// case. The default is DefaultKeepCalls.
	KeepCalls int
	// HangTime is how long, in real time, a fault that hangs or has no end goes on. It matters for
	// a client without a bound of its own. The default is DefaultHangTime.
	HangTime time.Duration
	// SlowTime is how long, in real time, FaultSlowBody takes to send one body. The default is
	// DefaultSlowTime.
	SlowTime time.Duration
}

// Key is an API key of the simulated cloud.
type Key struct {
	// ID and Secret are the user and the password of Basic authentication.
	ID, Secret string
	// If Forbidden is true, the key is known but has no rights: every call gets 403.
	Forbidden bool
	// If Global is not 0, the key is a global API key. An operation that accepts no global API key
	// then refuses it with the status in Global, 401 or 403. If Global is 0, the key is a Cloud API
	// key, which every operation accepts.
	Global int
	// Refused are the operations for which the key's owner has no rights. They get 403.
	Refused []Op
	// Environments are the environments that the key may see. nil means all environments.
	Environments []string
	// Sees is how many of the objects the key may see. The cloud does not report that it leaves
	// objects out: the status is 200, and total_size counts only what is shown. The default is
	// ViewAll.
	Sees View
}

// Sim is one simulated cloud. Its methods may be called at any time, also while it serves.
type Sim struct {
	clock         func() time.Time
	omitTotalSize bool
	tokens        tokenSealer
	limits        *limiter
	calls         *recorder
	strayed       *recorder // records the calls of the foreign origin
	faults        faults
	wire          wireState
	hangTime      time.Duration
	slowTime      time.Duration
	foreignURL    atomic.Pointer[string] // set by Start, for faults that lead there

	mu          sync.RWMutex // guards the fields below
	keys        map[string]Key
	exchanges   exchanges
	collections []*collection // in the order of kinds
}

// New returns a simulated cloud without keys, environments and objects.
func New(o Options) *Sim {
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.Window <= 0 {
		o.Window = DefaultWindow
	}
	if o.KeepCalls <= 0 {
		o.KeepCalls = DefaultKeepCalls
	}
	if o.HangTime <= 0 {
		o.HangTime = DefaultHangTime
	}
	if o.SlowTime <= 0 {
		o.SlowTime = DefaultSlowTime
	}
	s := &Sim{
		clock:         o.Clock,
		omitTotalSize: o.OmitTotalSize,
		tokens:        newTokenSealer(),
		limits:        newLimiter(o.RateLimit, o.Window),
		calls:         newRecorder(o.KeepCalls),
		strayed:       newRecorder(o.KeepCalls),
		hangTime:      o.HangTime,
		slowTime:      o.SlowTime,
		keys:          map[string]Key{},
		exchanges: exchanges{pools: map[string]Pool{}, issued: map[string]issued{},
			told: defaultTokenLife, life: defaultTokenLife},
	}
	for _, k := range kinds {
		s.collections = append(s.collections, newCollection(k))
	}
	s.SetMode(o.Mode)
	return s
}

// of returns the objects of a kind.
func (s *Sim) of(k *kind) *collection { return s.collections[slices.Index(kinds, k)] }

// AddKey makes k valid from now on. It replaces a key with the same ID; so a test can rotate a
// secret.
func (s *Sim) AddKey(k Key) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keys[k.ID] = k
}

// RemoveKey removes the key with this ID: requests with it get 401.
func (s *Sim) RemoveKey(id string) {
	s.mu.Lock()
	delete(s.keys, id)
	s.mu.Unlock()
	s.limits.forget(id)
}

// now is the time of the simulated cloud, with the precision of its timestamps.
func (s *Sim) now() time.Time {
	return s.clock().UTC().Truncate(time.Microsecond)
}

// newRequestID returns an ID that no other answer has.
func newRequestID() string {
	return rand.Text()
}
