// SPDX-License-Identifier: Apache-2.0

package controller_test

import (
	"context"
	"fmt"
	"strings"

	"github.com/go-logr/logr/funcr"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/ccloud-dev/inventory-operator/test/cloudsim"
)

var _ = Describe("The log", func() {
	It("has one line for a sync that changed something, and none at info for the others", func(ctx SpecContext) {
		w := newWorld(ctx)
		w.seed(3, 1)
		// said returns what a pass logs up to a level.
		said := func(verbosity int, do func(context.Context)) []string {
			var lines []string
			logger := funcr.New(func(_, args string) { lines = append(lines, args) }, funcr.Options{Verbosity: verbosity})
			do(log.IntoContext(ctx, logger))
			return lines
		}
		pass := func(c context.Context) { w.sync(c) }
		w.createSource(ctx)
		const first = `"level"=0 "msg"="Synced" "written"=4 "deleted"=0 "ready"="Succeeded"`
		Expect(said(0, func(c context.Context) { w.reconcile(c) })).To(Equal([]string{first}))
		Expect(said(0, pass)).To(BeEmpty())
		Expect(said(1, pass)).To(ContainElement(`"level"=1 "msg"="Synced" "written"=0 "deleted"=0 "ready"="Succeeded"`))

		Expect(w.cloud.SetClusterPhase(w.anyCluster().ID, "RESTING")).To(Succeed())
		Expect(said(0, pass)).To(Equal([]string{strings.Replace(first, "=4", "=1", 1)}))

		By("naming the request that failed, and saying it once")
		w.cloud.FailNext(cloudsim.OpAny, 4, cloudsim.FaultInternalError)
		lines := said(0, pass)
		failed := lines[len(lines)-1]
		Expect(failed).To(ContainSubstring(`"msg"="Synced" "written"=0 "deleted"=0 "ready"="CloudUnavailable"`))
		Expect(fmt.Sprint(lines)).To(MatchRegexp(`[A-Z2-7]{26}`), "with its ID")
	})
})
