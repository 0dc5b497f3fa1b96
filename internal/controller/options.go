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

// Options has the settings that all reconcilers share. A field may be nil only if its comment says
// so.
type Options struct {
	// Cluster writes to the API server and reads from the manager's cache. Without the option
	// DisableReadYourWritesConsistency, a read waits until the cache has all earlier writes of this
	// client.
	Cluster client.Client
	// APIReader reads from the API server, not from the cache. The reconcilers use it for Secrets.
	// If the cache may be out of date, they also use it to check whether an object exists.
	APIReader client.Reader
	// Secrets reads the metadata of Secrets. If the field is nil:
	//
	//   - A manager that watches Secrets reads the metadata from its cache.
	//   - Any other manager reads the metadata with APIReader, and only after the cloud refused the
	//     credential.
	Secrets client.Reader
	// Recorder records events.
	Recorder events.EventRecorder
	// Clock gives the time.
	Clock clock.PassiveClock
	// Random returns a random number that is at least 0 and less than 1.
	Random func() float64
	// Metrics counts requests, writes and syncs.
	Metrics *metrics.Metrics
	// Budgets limits the rate of requests to the cloud, for each credential.
	Budgets *budget.Budgets
	// Retry says how often a failed request to the cloud is sent again, and after which wait. If a
	// field of Retry is zero, the value from cloudapi.DefaultRetry is used.
	Retry cloudapi.Retry
	// UserAgent is the User-Agent header of requests to the cloud.
	UserAgent string
	// Transport sends requests to the cloud; nil means a default transport that trusts the operating
	// system's certificate authorities.
	Transport cloudapi.Transport
	// AllowedOrigins are the origins that an endpoint in a spec may have, such as
	// https://api.confluent.cloud. Each origin has the form that cloudapi.Origin returns.
	AllowedOrigins []string
	// ConcurrentSyncs is how many sources, and how many discoveries, may be reconciled at the same
	// time.
	ConcurrentSyncs int
	// Writers limits how many writes to the API server run at the same time. Each running write has
	// one value in the channel, so the capacity of the channel is the limit.
	Writers chan struct{}
	// Namespaces are the namespaces that the manager watches; empty means all namespaces.
	Namespaces []string
	// Selector selects the sources that this manager reconciles, by their labels; nil selects all.
	Selector labels.Selector
	// JitterPercent is a percentage of the usual wait before a sync, or of the wait after a failed
	// sync. The operator makes the wait longer or shorter at random, by at most this percentage. For
	// example, if JitterPercent is 10, a wait of 100 seconds becomes 90 to 110 seconds.
	JitterPercent int
	// ConfigMaps reports whether the manager may write ConfigMaps. A source can ask for one ConfigMap
	// for each of its Kafka clusters, with the cluster's endpoints.
	ConfigMaps bool

	configMaps  configMaps
	watchRights watchRights
	tokens      cloudapi.Tokens
}

// watchRights records which types of objects the manager watches. The manager does not watch a type
// if it lacks the rights for this type. watchRights is safe for concurrent use.
type watchRights struct {
	mu sync.Mutex
	// deniedReasons maps the name of a Go type to the reason why the manager does not watch objects of
	// this type. If the manager watches them, the reason is "".
	deniedReasons map[string]string
}

// hasBegun reports whether the manager has begun to watch objects of this type.
func (w *watchRights) hasBegun(object client.Object) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	why, asked := w.deniedReasons[fmt.Sprintf("%T", object)]
	return asked && why == ""
}

// set records why the manager does not watch objects of this type. If the manager watches them,
// whyDenied is "".
func (w *watchRights) set(object client.Object, whyDenied string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.deniedReasons == nil {
		w.deniedReasons = map[string]string{}
	}
	w.deniedReasons[fmt.Sprintf("%T", object)] = whyDenied
}

// whyDenied returns the reason why the manager does not watch objects of this type. It returns ""
// if the manager watches them, or has not tried to watch them.
func (w *watchRights) whyDenied(object client.Object) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.deniedReasons[fmt.Sprintf("%T", object)]
}

// Reconciler reconciles either sources or discoveries. For a source, it writes observations. For a
// discovery, it writes sources.
type Reconciler struct {
	*Options
	owners ownerKind
	states states
	census census
	// shownChecksum returns a checksum of all objects of one kind that belong to a source or
	// discovery. The arguments namespace and name are those of the source or discovery.
	// shownChecksum sends no request: it knows the objects from the events of the watch.
	shownChecksum func(kind int, namespace, name string) checksum
}
