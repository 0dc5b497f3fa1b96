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

// Options is what the reconcilers of all owners share. Every field must be set, unless its comment
// says what zero means.
type Options struct {
	// Cluster reads from a cache that shows this client's own writes, and writes to the API server.
	Cluster client.Client
	// APIReader reads from the API server: Secrets, and objects that the cache does not show.
	APIReader client.Reader
	// Secrets reads the metadata of Secrets from a watch. If it is nil, SetupWithManager begins
	// such a watch if it has the rights.
	Secrets client.Reader
	// Recorder records events.
	Recorder events.EventRecorder
	// Clock gives the time.
	Clock clock.PassiveClock
	// Random returns numbers in [0, 1), for jitter.
	Random func() float64
	// Metrics counts requests, writes and syncs.
	Metrics *metrics.Metrics
	// Budgets hands out the request budget of each credential.
	Budgets *budget.Budgets
	// Retry says how often a request is repeated within a listing. Zero means
	// cloudapi.DefaultRetry.
	Retry cloudapi.Retry
	// UserAgent names the operator and its version to the cloud.
	UserAgent string
	// Transport sends requests to the cloud. If it is nil, a transport with the system's
	// certificate authorities does.
	Transport cloudapi.Transport
	// AllowedOrigins are the origins that an endpoint may have, in the form of cloudapi.Origin.
	AllowedOrigins []string
	// ConcurrentSyncs is how many owners of one kind are reconciled at once.
	ConcurrentSyncs int
	// Writers has a place for each write that may be under way at once, for all owners together.
	Writers chan struct{}
	// Namespaces are the namespaces in which the manager works; empty means all.
	Namespaces []string
	// Selector selects the sources that this manager sees, by their labels; nil selects all.
	Selector labels.Selector
	// JitterPercent is by how much an interval may become longer or shorter.
	JitterPercent int
	// ConfigMaps reports whether ConfigMaps with endpoints are kept for sources that ask for them.
	ConfigMaps bool

	configMaps configMaps
	watches    watches
	tokens     cloudapi.Tokens
}

// watches knows which types of objects are watched. Without the rights a type is not. It is safe
// for concurrent use.
type watches struct {
	mu sync.Mutex
	// denied says why objects of a type are not watched; "" if they are. The key is the Go type.
	denied map[string]string
}

// begun reports whether a watch of a type was asked for and has begun.
func (w *watches) begun(object client.Object) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	why, asked := w.denied[fmt.Sprintf("%T", object)]
	return asked && why == ""
}

// set notes why objects of a type are not watched; "" if they are.
func (w *watches) set(object client.Object, why string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.denied == nil {
		w.denied = map[string]string{}
	}
	w.denied[fmt.Sprintf("%T", object)] = why
}

// why returns why objects of a type are not watched; "" if they are, or if no watch was asked for.
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
	// watched returns the checksum of the objects that claim an owner, as the watch of a kind shows
	// them.
	watched func(kind int, namespace, owner string) checksum
}
