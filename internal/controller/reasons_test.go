// SPDX-License-Identifier: Apache-2.0

package controller_test

import (
	"context"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"sigs.k8s.io/cli-utils/pkg/kstatus/status"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
	"github.com/ccloud-dev/inventory-operator/test/cloudsim"
)

var _ = Describe("A phase", func() {
	var w *world
	BeforeEach(func(ctx SpecContext) {
		w = newWorld(ctx)
		network := cloudsim.Reference{ID: "n-00001"}
		w.cloud.PutCluster(cloudsim.Cluster{ID: "lkc-1", Spec: cloudsim.ClusterSpec{
			Environment: cloudsim.Reference{ID: environment},
		}, Status: cloudsim.ClusterStatus{Phase: "PROVISIONED"}})
		w.cloud.PutPeering(cloudsim.Peering{ID: "p-1", Spec: cloudsim.PeeringSpec{
			Environment: cloudsim.Reference{ID: environment}, Network: network,
		}, Status: cloudsim.PeeringStatus{Phase: "READY"}})
		w.createSource(ctx)
	})

	It("of a cluster makes its Ready", func(ctx SpecContext) {
		for phase, ready := range map[string]string{
			"PROVISIONED": "True/Provisioned", "PROVISIONING": "False/Provisioning", "FAILED": "False/Failed",
			"NEWER": "Unknown/UnknownPhase",
		} {
			Expect(w.cloud.SetClusterPhase("lkc-1", phase)).To(Succeed())
			w.sync(ctx)
			Expect(brief(w.clusters(ctx)["lkc-1"].Status.Conditions, v1alpha1.ConditionReady)).To(Equal(ready), phase)
		}
	})

	It("of a peering makes its Ready", func(ctx SpecContext) {
		for phase, ready := range map[string]string{
			"READY": "True/Ready", "PROVISIONING": "False/Provisioning", "PENDING_ACCEPT": "False/PendingAccept", "FAILED": "False/Failed",
			"DEPROVISIONING": "False/Deprovisioning", "DISCONNECTED": "False/Disconnected", "NEWER": "Unknown/UnknownPhase",
		} {
			Expect(w.cloud.SetPeeringPhase("p-1", phase)).To(Succeed())
			w.sync(ctx)
			Expect(brief(w.peerings(ctx)["p-1"].Status.Conditions, v1alpha1.ConditionReady)).To(Equal(ready), phase)
		}
	})

	It("says nothing of an object that is missing, or not heard of for long", func(ctx SpecContext) {
		w.reconcile(ctx)
		Expect(w.cloud.RemovePeering("p-1")).To(Succeed())
		w.sync(ctx)
		Expect(brief(w.peerings(ctx)["p-1"].Status.Conditions, v1alpha1.ConditionReady)).To(Equal("Unknown/Missing"))
		w.change(ctx, func(s *v1alpha1.InventorySource) { s.Spec.Suspend = true })
		w.clock.SetTime(w.clock.Now().Add(15 * time.Minute))
		w.reconcile(ctx)
		Expect(brief(w.peerings(ctx)["p-1"].Status.Conditions, v1alpha1.ConditionReady)).To(Equal("Unknown/SourceStale"))
		Expect(brief(w.clusters(ctx)["lkc-1"].Status.Conditions, v1alpha1.ConditionReady)).To(Equal("Unknown/SourceStale"))
	})
})

// mute is a client that writes no status of observations while it says so.
type mute struct {
	client.Client
	failing bool
}

func (m *mute) Status() client.SubResourceWriter { return muteStatus{m.Client.Status(), m} }

type muteStatus struct {
	client.SubResourceWriter
	of *mute
}

func (s muteStatus) Patch(ctx context.Context, o client.Object, patch client.Patch, opts ...client.SubResourcePatchOption) error {
	if _, is := o.(v1alpha1.Observation); is && s.of.failing {
		return errors.New("the API server is out of order")
	}
	return s.SubResourceWriter.Patch(ctx, o, patch, opts...)
}

var _ = Describe("An observation whose status could not be written yet", func() {
	It("is in progress, not as it should be", func(ctx SpecContext) {
		w := newWorld(ctx)
		w.seed(2, 1)
		w.createSource(ctx)
		writer := &mute{Client: k8s, failing: true}
		w.reconciler.Cluster = writer
		w.reconcile(ctx)
		Expect(w.condition(ctx, v1alpha1.ConditionReady)).To(Equal("False/WriteFailed"))
		for _, o := range w.clusters(ctx) {
			Expect(brief(o.Status.Conditions, v1alpha1.ConditionReady)).To(Equal("Unknown/Progressing"))
			Expect(kstatus("KafkaClusterObservation", &o)).To(Equal(status.InProgressStatus))
		}
		for _, o := range w.peerings(ctx) {
			Expect(kstatus("PeeringObservation", &o)).To(Equal(status.InProgressStatus))
		}

		By("writing it when it can")
		writer.failing = false
		w.retry(ctx)
		for _, o := range w.clusters(ctx) {
			Expect(brief(o.Status.Conditions, v1alpha1.ConditionObserved)).To(Equal("True/Listed"))
		}
		Expect(w.writes(func() { w.reconcile(ctx) })).To(BeEmpty())
	})
})

// A reason that no spec brings about may not work. Only after every spec ran, in one process, is it
// known which reasons were brought about.
var _ = ReportAfterSuite("every reason is brought about and named by a spec", func(report Report) {
	stats := report.PreRunStats
	if !report.SuiteSucceeded || stats.SpecsThatWillRun < stats.TotalSpecs || report.SuiteConfig.ParallelTotal > 1 || report.SuiteConfig.DryRun {
		return
	}
	specs, onAny := specText(), map[string]bool{}
	for _, reasons := range reached {
		maps.Copy(onAny, reasons)
	}
	var unreached, unnamed []string
	for constant, reason := range reasonConstants() {
		if !onAny[reason] {
			unreached = append(unreached, reason)
		}
		if !strings.Contains(specs, "v1alpha1."+constant) && !strings.Contains(specs, "/"+reason+`"`) {
			unnamed = append(unnamed, reason)
		}
	}
	for kind, reasons := range phaseReasons {
		for _, reason := range append([]string{v1alpha1.ReasonMissing, v1alpha1.ReasonSourceStale, v1alpha1.ReasonUnknownPhase}, reasons...) {
			if !reached[kind+"/"+v1alpha1.ConditionReady][reason] {
				unreached = append(unreached, kind+" "+reason)
			}
		}
	}
	for reason := range standings {
		kind := "InventorySource"
		if reason == v1alpha1.ReasonPreview {
			kind = "EnvironmentDiscovery"
		}
		if !reached[kind+"/"+v1alpha1.ConditionReady][reason] {
			unreached = append(unreached, "Ready "+reason)
		}
	}
	Expect(unreached).To(BeEmpty(), "no spec brings these reasons about")
	Expect(unnamed).To(BeEmpty(), "no spec names these reasons")
})

// reasonConstants reads the names and values of the API's reasons from its source.
func reasonConstants() map[string]string {
	file, err := parser.ParseFile(token.NewFileSet(), filepath.Join("..", "..", "api", "v1alpha1", "conditions.go"), nil, 0)
	Expect(err).NotTo(HaveOccurred())
	constants := map[string]string{}
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || !strings.HasPrefix(spec.Names[0].Name, "Reason") {
			return true
		}
		value, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
		Expect(err).NotTo(HaveOccurred())
		constants[spec.Names[0].Name] = value
		return false
	})
	Expect(constants).NotTo(BeEmpty())
	return constants
}

// specText returns the text of all specs, without the tables of what there may be.
func specText() string {
	files, err := filepath.Glob("*_test.go")
	Expect(err).NotTo(HaveOccurred())
	var all strings.Builder
	for _, file := range files {
		if file == "sane_test.go" {
			continue
		}
		text, err := os.ReadFile(file)
		Expect(err).NotTo(HaveOccurred())
		all.Write(text)
	}
	return all.String()
}
