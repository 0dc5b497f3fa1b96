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

// Options has what the reconcilers of all kinds of owners share. Every field must be set, unless
// its comment says what the zero value means.
type Options struct {
	// Cluster writes to the API server, and reads from a cache. The cache shows the writes of this
	// client.
	Cluster client.Client
	// APIReader reads directly from the API server. It reads Secrets, and objects that the cache
	// does not show.
	APIReader client.Reader
	// Secrets reads the metadata of Secrets from a watch. If it is nil, SetupWithManager begins
	// such a watch when the manager has the rights.
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
	// Retry says how often a listing asks for a page again after a failure, and how long it waits
	// before that. A zero field means the value in cloudapi.DefaultRetry.
	Retry cloudapi.Retry
	// UserAgent names the operator and its version to the cloud.
	UserAgent string
	// Transport sends requests to the cloud. Nil means a transport that trusts the system's
	// certificate authorities.
	Transport cloudapi.Transport
	// AllowedOrigins are the origins that an endpoint may have, in the form that cloudapi.Origin
	// returns.
	AllowedOrigins []string
	// ConcurrentSyncs is how many owners of one kind are reconciled at once.
	ConcurrentSyncs int
	// Writers limits how many writes are made at once, for all owners together. Its capacity is the
	// limit: each write puts a value into it and takes one out at the end.
	Writers chan struct{}
	// Namespaces are the namespaces in which the manager works; empty means all.
	Namespaces []string
	// Selector selects by label the sources that this manager sees; nil selects all.
	Selector labels.Selector
	// JitterPercent is how much longer or shorter the wait until a sync may become, in percent.
	JitterPercent int
	// ConfigMaps reports whether the manager keeps ConfigMaps with endpoints, for sources that ask
	// for them.
	ConfigMaps bool

	configMaps configMaps
	watches    watches
	tokens     cloudapi.Tokens
}

// watches knows which types of objects the manager watches. The manager does not watch a type if it
// lacks the rights. It is safe to use watches concurrently.
type watches struct {
	mu sync.Mutex
	// denied says why the manager does not watch objects of a type; "" if it watches them. The key
	// is the name of the Go type.
	denied map[string]string
}

// begun reports whether a watch of the object's type was asked for and has begun.
func (w *watches) begun(object client.Object) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	why, asked := w.denied[fmt.Sprintf("%T", object)]
	return asked && why == ""
}

// set records why the manager does not watch objects of this type; why is "" if it watches them.
func (w *watches) set(object client.Object, why string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.denied == nil {
		w.denied = map[string]string{}
	}
	w.denied[fmt.Sprintf("%T", object)] = why
}

// why returns the reason why the manager does not watch objects of this type. It returns "" if the
// manager watches them, or if no watch was asked for.
func (w *watches) why(object client.Object) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.denied[fmt.Sprintf("%T", object)]
}

// Reconciler reconciles the owners of one kind: it keeps the objects that they own.
type Reconciler struct {
	*Options
	owners ownerKind
	states states
	census census
	// watched returns the checksum of the objects of a kind that claim an owner, as the watch shows
	// them.
	watched func(kind int, namespace, owner string) checksum
}
