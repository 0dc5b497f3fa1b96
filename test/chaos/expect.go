// SPDX-License-Identifier: Apache-2.0

package main

import (
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
	"github.com/ccloud-dev/inventory-operator/test/cloudsim"
)

// What observations should say is written down here again, from the contract of the
// kinds and with nothing of internal/mirror: its mistakes must show.

// expected is what one observation should be.
type expected struct {
	kind   *kind
	labels map[string]string
	// status is a pointer to the kind's status, without conditions.
	status any
	phase  string
}

// expect returns what the observations of an environment that holds these objects should
// be, by the ID of their object.
func expect(environment string, held cloudsim.Inventory) map[string]expected {
	out := map[string]expected{}
	for _, k := range kinds {
		for id, e := range k.expect(held) {
			e.kind = k
			e.labels[v1alpha1.LabelEnvironment] = environment
			out[id] = e
		}
	}
	return out
}

func labelled(network, cloud, region string) map[string]string {
	labels := map[string]string{}
	setUnlessEmpty(labels, v1alpha1.LabelNetwork, network)
	setUnlessEmpty(labels, v1alpha1.LabelCloud, cloud)
	setUnlessEmpty(labels, v1alpha1.LabelRegion, region)
	return labels
}

func setUnlessEmpty(labels map[string]string, key, value string) {
	if value != "" {
		labels[key] = value
	}
}

func metadata(m cloudsim.Metadata) v1alpha1.CloudMetadata {
	return v1alpha1.CloudMetadata{ResourceName: m.ResourceName, Self: m.Self,
		CreatedAt: inSeconds(m.CreatedAt), UpdatedAt: inSeconds(m.UpdatedAt), DeletedAt: inSeconds(m.DeletedAt)}
}

func inSeconds(t time.Time) *metav1.Time {
	if t.IsZero() {
		return nil
	}
	return &metav1.Time{Time: t.Truncate(time.Second)}
}

func unlessZero(n int32) *int32 {
	if n == 0 {
		return nil
	}
	return &n
}

// address is a bootstrap address without the protocol in front.
func address(bootstrap string) string {
	if _, rest, found := strings.Cut(bootstrap, "://"); found {
		return rest
	}
	return bootstrap
}
