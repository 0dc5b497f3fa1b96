// SPDX-License-Identifier: Apache-2.0

package main

import (
	"net/http"
	"net/http/httptest"
	"testing"

	. "github.com/onsi/gomega"
)

func TestAGapHoldsWatchesOfItsResourceUntilTheyAreBack(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	p := &apiProxy{fault: noAPIFault, random: random(0), watching: make(chan struct{})}
	asked := func(path string) handling {
		return p.handlingOf(httptest.NewRequest(http.MethodGet, path, nil))
	}
	const watch = "/apis/inventory.ccloud.dev/v1alpha1/networkobservations?watch=true"
	before := asked(watch)
	end := p.beginGap("observations")
	g.Expect(before.watching).To(BeClosed(), "the watches under way end")
	held := asked(watch)
	g.Expect(held.gap).NotTo(BeClosed())
	g.Expect(held.refusal.Code).To(BeEquivalentTo(http.StatusGone))
	g.Expect(asked("/apis/inventory.ccloud.dev/v1alpha1/inventorysources?watch=true").gap).To(BeNil())
	g.Expect(asked("/apis/inventory.ccloud.dev/v1alpha1/networkobservations").gap).To(BeNil(), "lists go through")
	done := make(chan struct{})
	go func() {
		end()
		close(done)
	}()
	g.Eventually(held.gap).Should(BeClosed())
	g.Expect(done).NotTo(BeClosed(), "there is no watch yet")
	after := asked(watch)
	g.Expect(after.gap).To(BeNil())
	g.Expect(after.refusal).To(BeNil())
	g.Eventually(done).Should(BeClosed())
	end()
}
