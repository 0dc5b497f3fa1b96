// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"fmt"
	"sync"

	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/tools/events"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ccloud-dev/inventory-operator/internal/cloudapi"
	"github.com/ccloud-dev/inventory-operator/internal/cloudapi/budget"
	"github.com/ccloud-dev/inventory-operator/internal/metrics"
)

// Options is what the reconcilers of all owners share. All fields must be set, but those that
// say what their zero value means.
type Options struct {
	// Cluster reads from a cache that has seen this client's own writes, and
	// writes to the API server.
	Cluster client.Client
	// APIReader reads from the API server itself: Secrets, and what the cache does not show.
	APIReader client.Reader
	// Secrets reads the metadata of Secrets from a watch. It is nil while the
	// manager does not watch them; SetupWithManager sets it once it may.
	Secrets client.Reader
	// Recorder records events.
	Recorder events.EventRecorder
	// Clock tells the time.
	Clock clock.PassiveClock
	// Random returns numbers in [0, 1), for jitter.
	Random func() float64
	// Metrics counts what is done.
	Metrics *metrics.Metrics
	// Budgets hands out the request budget of each credential.
	Budgets *budget.Budgets
	// Retry says how often a request is sent again within a listing; zero is
	// cloudapi.DefaultRetry.
	Retry cloudapi.Retry
	// UserAgent names the operator and its version to the cloud.
	UserAgent string
	// Transport reaches the cloud; nil takes one with the system's certificate authorities.
	Transport cloudapi.Transport
	// AllowedOrigins are the origins an owner's endpoint may have, as
	// cloudapi.Origin writes them.
	AllowedOrigins []string
	// ConcurrentSyncs is how many owners of one kind are reconciled at once.
	ConcurrentSyncs int
	// Writers bounds the writes under way at once, for all owners together, by
	// its capacity.
	Writers chan struct{}
	// Namespaces are those the manager works in; none means all.
	Namespaces []string
	// Selector is what the labels of sources must match for this manager to see them; nil
	// is everything.
	Selector labels.Selector
	// JitterPercent is how far an interval may be stretched or shortened.
	JitterPercent int
	// ConfigMaps reports whether ConfigMaps with endpoints are kept, for sources that ask
	// for them.
	ConfigMaps bool

	configMaps configMaps
	watches    watches
	tokens     cloudapi.Tokens
}

// watches knows which types of objects are watched, for lack of rights not all. It is safe for
// concurrent use.
type watches struct {
	mu sync.Mutex
	// denied is why objects of a type are not watched, by the Go type.
	denied map[string]string
}

// set notes why a type of object is not watched, "" if it is.
func (w *watches) set(object client.Object, why string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.denied == nil {
		w.denied = map[string]string{}
	}
	w.denied[fmt.Sprintf("%T", object)] = why
}

// why says why objects of a type are not watched, "" if they are or were never asked for.
func (w *watches) why(object client.Object) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.denied[fmt.Sprintf("%T", object)]
}

// Reconciler keeps the objects of the owners of one kind.
type Reconciler struct {
	*Options
	owners ownerKind
	states states
	census census
	// watched returns what the watch of a kind shows of an owner.
	watched func(kind int, namespace, owner string) checksum
}
