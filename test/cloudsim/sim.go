// Package cloudsim is a simulated Confluent Cloud: the list operations this project
// reads (Kafka clusters, network peerings, networks, environments) as an http.Handler over an
// inventory in memory that may be changed while it is being listed.
//
// In mode strict, the default, it keeps to the published contract to the letter; in
// mode wire its answers have what is seen in the field. Either way it can be made to
// fail: the catalogue of Faults has every wrong answer a client must stand, to be
// scripted (FailNext) or drawn by a seed (Chaos). It shares no code with the client,
// so that an error of the client cannot hide in its own mirror image. Tests use it
// through the Go API, the cloudsim command by Documents.
//
// Serving a page costs the same whatever the size of the inventory: items are
// encoded once, when they are set, and a page token leads straight to the place
// where the listing goes on.
package cloudsim

import (
	"crypto/rand"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// DefaultWindow is the length of a rate-limit window when Options names none.
const DefaultWindow = time.Minute

// DefaultHangTime is how long a fault that hangs does so when Options names no time.
const DefaultHangTime = 10 * time.Second

// DefaultSlowTime is how long a slow body takes when Options names no time.
const DefaultSlowTime = 250 * time.Millisecond

// DefaultKeepCalls is how many calls the recorder keeps when Options names no number.
const DefaultKeepCalls = 1000

// Options configures a simulator. The zero value is ready for use.
type Options struct {
	// Mode is how the simulator begins; SetMode changes it. Default ModeStrict.
	Mode Mode
	// Clock gives the time for timestamps, rate limits and recorded calls.
	// Default time.Now.
	Clock func() time.Time
	// RateLimit is the number of requests a key may make in one Window. 0 enforces
	// none: the rate-limit headers are then sent with a generous limit that never
	// gets used up.
	RateLimit int
	// Window is the length of a rate-limit window. It starts with a key's first
	// request. Default DefaultWindow.
	Window time.Duration
	// OmitTotalSize leaves the optional metadata.total_size out of list answers.
	OmitTotalSize bool
	// KeepCalls is how many of the newest calls the recorder keeps; the counters
	// are exact whatever it is. Default DefaultKeepCalls.
	KeepCalls int
	// HangTime bounds, in real time, the faults that would go on forever, for a
	// client that has no bound of its own. Default DefaultHangTime.
	HangTime time.Duration
	// SlowTime is how long, in real time, FaultSlowBody takes for one body.
	// Default DefaultSlowTime.
	SlowTime time.Duration
}

// Key is an API key of the simulated cloud.
type Key struct {
	// ID and Secret are the user and the password of Basic authentication.
	ID, Secret string
	// Forbidden makes the key a known one without any rights: 403 on every call.
	Forbidden bool
	// Global makes the key one that is good for more than Confluent Cloud's own API: the
	// operations that take none are refused with this status, 401 or 403. 0 is a Cloud
	// API key, good for all.
	Global int
	// Refused are operations that the key's owner has no rights to: 403.
	Refused []Op
	// Environments are the ones the key may see, nil for all of them.
	Environments []string
	// Sees is how much the key is shown of these. The cloud says nothing of what it
	// leaves out: 200, and a total_size to match. Default ViewAll.
	Sees View
}

// Sim is one simulated cloud. All its methods may be called at any time, also
// while it serves.
type Sim struct {
	clock         func() time.Time
	omitTotalSize bool
	tokens        tokenSealer
	limits        *limiter
	calls         *recorder
	strayed       *recorder // what came to the foreign origin
	faults        faults
	wire          wireState
	hangTime      time.Duration
	slowTime      time.Duration
	foreignURL    atomic.Pointer[string] // set by Start, for the faults that lead there

	mu          sync.RWMutex // guards all below
	keys        map[string]Key
	exchanges   exchanges
	collections []*collection // as in kinds
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

// AddKey makes k valid from now on. A key of the same ID is replaced, which is how
// a secret is rotated.
func (s *Sim) AddKey(k Key) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keys[k.ID] = k
}

// RemoveKey makes the key of that ID unknown: requests with it get 401.
func (s *Sim) RemoveKey(id string) {
	s.mu.Lock()
	delete(s.keys, id)
	s.mu.Unlock()
	s.limits.forget(id)
}

// now is the simulated cloud's time in the precision its timestamps have.
func (s *Sim) now() time.Time {
	return s.clock().UTC().Truncate(time.Microsecond)
}

// newRequestID returns an ID that no other answer carries.
func newRequestID() string {
	return rand.Text()
}
