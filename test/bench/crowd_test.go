// SPDX-License-Identifier: Apache-2.0

package main

import (
	"testing"
	"time"

	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
	"github.com/ccloud-dev/inventory-operator/test/cloudsim"
)

func TestMostWithin(t *testing.T) {
	g := NewWithT(t)
	at := func(seconds ...int) []cloudsim.Call {
		calls := make([]cloudsim.Call, len(seconds))
		for i, s := range seconds {
			calls[i].Time = time.Unix(int64(s), 0)
		}
		return calls
	}
	g.Expect(mostWithin(at())).To(BeZero())
	g.Expect(mostWithin(at(0, 10, 20))).To(Equal(1.0), "the window's end is not in it")
	g.Expect(mostWithin(at(0, 8, 9, 10, 11, 30))).To(Equal(4.0))
}

func TestCrowdSeesSyncs(t *testing.T) {
	g := NewWithT(t)
	c := &crowd{seen: map[string]*sighting{}}
	source := &v1alpha1.InventorySource{ObjectMeta: metav1.ObjectMeta{Name: "one", Labels: map[string]string{shardLabel: "a"}}}
	start := time.Now()
	see := func(due time.Time) {
		source.Status.LastSyncTime = &metav1.Time{Time: time.Now()}
		source.Status.NextSyncTime = &metav1.Time{Time: due}
		c.see(source.DeepCopy())
	}
	c.see(source.DeepCopy())
	g.Expect(c.synced("", start)).To(BeZero(), "it was not synced yet")
	see(start.Add(-time.Minute))
	see(start.Add(-time.Minute))
	g.Expect(c.syncs()).To(Equal(1), "an event without a sync is none")
	g.Expect(c.synced("a", start)).To(Equal(1))
	g.Expect(c.synced("b", start)).To(BeZero())
	see(start.Add(time.Minute))
	g.Expect(c.latest()).To(BeNumerically("~", time.Minute, time.Second), "the second sync came a minute after it was due")
	g.Expect(c.syncs()).To(Equal(2))
	g.Expect(c.latest()).To(BeZero(), "counting forgets")
}
