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

// Options has the settings that the reconcilers of sources and discoveries share. For an optional
// field, the comment says what nil, zero or empty means. All other fields are required.
type Options struct {
	// Cluster writes to the API server and reads from the manager's cache. A read waits until the
	// cache has the writes of this client.
	Cluster client.Client
	// APIReader reads directly from the API server. The reconcilers read Secrets with it. If the
	// cache lacks an object, they read the object with APIReader, because it may exist all the same.
	APIReader client.Reader
	// Secrets reads the metadata of Secrets. If Secrets is nil, the reconcilers use the manager's
	// cache as soon as the manager has the right to watch Secrets.
	Secrets client.Reader
	// Recorder records events.
	Recorder events.EventRecorder
	// Clock gives the time.
	Clock clock.PassiveClock
	// Random returns numbers in [0, 1), for jitter.
	Random func() float64
	// Metrics counts requests, writes and syncs.
	Metrics *metrics.Metrics
	// Budgets limits the rate of requests to the cloud, for each credential.
	Budgets *budget.Budgets
	// Retry says how often, and after what wait, a failed request is sent again. A zero field of
	// Retry stands for the value of this field in cloudapi.DefaultRetry.
	Retry cloudapi.Retry
	// UserAgent is the User-Agent header of requests to the cloud. It has the operator's version.
	UserAgent string
	// Transport sends requests to the cloud. If Transport is nil, a default transport is used. It
	// trusts the certificate authorities of the system.
	Transport cloudapi.Transport
	// AllowedOrigins are the origins that endpoints may have, such as https://api.confluent.cloud.
	// They have the form that cloudapi.Origin returns.
	AllowedOrigins []string
	// ConcurrentSyncs is how many sources are reconciled at the same time. It is also how many
	// discoveries are reconciled at the same time.
	ConcurrentSyncs int
	// Writers limits how many writes to the API server run at the same time. Each running write has
	// one value in the channel, so the channel's capacity is the limit.
	Writers chan struct{}
	// Namespaces are the namespaces that the manager watches; empty means all namespaces.
	Namespaces []string
	// Selector selects by label the sources that this manager reconciles; nil selects all sources.
	Selector labels.Selector
	// JitterPercent is by how many percent the wait before a sync may become longer or shorter, at
	// random.
	JitterPercent int
	// ConfigMaps reports whether sources may ask for ConfigMaps with the endpoints of Kafka
	// clusters. If ConfigMaps is false, the manager writes no ConfigMaps.
	ConfigMaps bool

	configMaps configMaps
	watches    watches
	tokens     cloudapi.Tokens
}

// watches records which types of objects the manager watches. A type is not watched while the
// manager lacks the rights to watch it. watches is safe for concurrent use.
type watches struct {
	mu sync.Mutex
	// denied says why the manager does not watch objects of a type; "" if it watches them. The key
	// is the name of the Go type.
	denied map[string]string
}

// begun reports whether the manager has begun to watch objects of this type.
func (w *watches) begun(object client.Object) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	why, asked := w.denied[fmt.Sprintf("%T", object)]
	return asked && why == ""
}

// set records why the manager does not watch objects of this type. If the manager watches them, the
// parameter why is empty.
func (w *watches) set(object client.Object, why string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.denied == nil {
		w.denied = map[string]string{}
	}
	w.denied[fmt.Sprintf("%T", object)] = why
}

// why returns the reason why the manager does not watch objects of this type. It returns "" if the
// manager watches them, or has not tried to watch them.
func (w *watches) why(object client.Object) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.denied[fmt.Sprintf("%T", object)]
}

// Reconciler reconciles sources or discoveries. For sources it writes observations. For discoveries
// it writes sources.
type Reconciler struct {
	*Options
	owners ownerKind
	states states
	census census
	// watched returns a checksum of an owner's objects of one kind, as the watch last showed them.
	// The owner is a source or a discovery.
	watched func(kind int, namespace, owner string) checksum
}
