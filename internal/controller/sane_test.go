// SPDX-License-Identifier: Apache-2.0

package controller_test

import (
	"context"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/cli-utils/pkg/kstatus/status"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
	"github.com/ccloud-dev/inventory-operator/internal/controller"
	"github.com/ccloud-dev/inventory-operator/test/gitops"
)

// standing is what a source says with a reason of Ready, as docs/gitops.md tells it.
type standing struct {
	ready   metav1.ConditionStatus
	beside  string // the condition that goes with it: Reconciling, Stalled or none
	kstatus status.Status
	argocd  string // by docs/argocd
	flux    string // by docs/flux
}

// standings are all reasons of Ready there may be.
var standings = func() map[string]standing {
	all := map[string]standing{
		v1alpha1.ReasonSucceeded:   {metav1.ConditionTrue, "", status.CurrentStatus, "Healthy", "Current"},
		v1alpha1.ReasonPreview:     {metav1.ConditionTrue, "", status.CurrentStatus, "Healthy", "Current"},
		v1alpha1.ReasonProgressing: {metav1.ConditionUnknown, v1alpha1.ConditionReconciling, status.InProgressStatus, "Progressing", "InProgress"},
		v1alpha1.ReasonSuspended:   {metav1.ConditionUnknown, "", status.InProgressStatus, "Suspended", "Current"},
	}
	for _, reason := range []string{
		v1alpha1.ReasonSecretNotFound, v1alpha1.ReasonSecretInvalid, v1alpha1.ReasonRateLimited, v1alpha1.ReasonCloudUnavailable,
		v1alpha1.ReasonIncompleteListing, v1alpha1.ReasonMalformedResponse, v1alpha1.ReasonWriteFailed,
		v1alpha1.ReasonServiceAccountTokenFailed,
	} {
		all[reason] = standing{metav1.ConditionFalse, v1alpha1.ConditionReconciling, status.InProgressStatus, "Progressing", "InProgress"}
	}
	for _, reason := range []string{
		v1alpha1.ReasonUnauthenticated, v1alpha1.ReasonForbidden, v1alpha1.ReasonInvalidRequest,
		v1alpha1.ReasonEndpointNotAllowed, v1alpha1.ReasonNameConflict, v1alpha1.ReasonConfigMapsOff,
		v1alpha1.ReasonTokenExchangeRefused,
	} {
		all[reason] = standing{metav1.ConditionFalse, v1alpha1.ConditionStalled, status.FailedStatus, "Degraded", "Failed"}
	}
	return all
}()

// phaseReasons are the reasons that Ready of an observation has from a known phase,
// True first.
var phaseReasons = map[string][]string{
	"KafkaClusterObservation":             {"Provisioned", "Provisioning", "Failed"},
	"PeeringObservation":                  {"Ready", "Provisioning", "PendingAccept", "Failed", "Deprovisioning", "Disconnected"},
	"NetworkObservation":                  {"Ready", "Provisioning", "Failed", "Deprovisioning"},
	"SchemaRegistryObservation":           {"Provisioned", "Provisioning", "Failed"},
	"TransitGatewayAttachmentObservation": {"Ready", "Provisioning", "PendingAccept", "Failed", "Deprovisioning", "Disconnected", "Error"},
	"PrivateLinkAccessObservation":        {"Ready", "Provisioning", "Failed", "Deprovisioning"},
}

// reached are the reasons that specs brought about, on conditions by kind.
var reached = map[string]map[string]bool{}

// expectSane holds every source in the spec's namespace, and every observation a
// source controls, to the tables of docs/gitops.md, by the library that GitOps tools
// judge them with, and everything that people see to holding no credential.
func (w *world) expectSane(ctx context.Context) {
	GinkgoHelper()
	sources := &v1alpha1.InventorySourceList{}
	Expect(k8s.List(ctx, sources, client.InNamespace(w.namespace))).To(Succeed())
	for i := range sources.Items {
		if !judgedBefore(&sources.Items[i]) {
			expectSaneSource(&sources.Items[i])
		}
	}
	discoveries := &v1alpha1.EnvironmentDiscoveryList{}
	Expect(k8s.List(ctx, discoveries, client.InNamespace(w.namespace))).To(Succeed())
	for i := range discoveries.Items {
		if !judgedBefore(&discoveries.Items[i]) {
			expectSaneDiscovery(&discoveries.Items[i])
		}
	}
	for _, kind := range controller.Kinds() {
		list := kind.Objects()
		Expect(k8s.List(ctx, list, client.InNamespace(w.namespace))).To(Succeed())
		Expect(meta.EachListItem(list, func(o runtime.Object) error {
			expectSaneObservation(kind.Name+"Observation", o.(v1alpha1.Observation))
			return nil
		})).To(Succeed())
	}
}

// expectStanding holds Ready and what goes with it to the table, and returns its line.
func expectStanding(ready *metav1.Condition, conditions []metav1.Condition) standing {
	GinkgoHelper()
	want, known := standings[ready.Reason]
	Expect(known).To(BeTrue(), "%s is no reason of Ready", ready.Reason)
	Expect(ready.Status).To(Equal(want.ready), ready.Reason)
	for _, beside := range []string{v1alpha1.ConditionReconciling, v1alpha1.ConditionStalled} {
		if beside == want.beside {
			Expect(brief(conditions, beside)).To(Equal("True/"+ready.Reason), "%s goes with Ready=%s", beside, ready.Reason)
		} else {
			Expect(brief(conditions, beside)).To(BeEmpty(), "%s does not go with Ready=%s", beside, ready.Reason)
		}
	}
	return want
}

// expectSaneDiscovery holds a discovery to the table of sources: its reasons are theirs.
func expectSaneDiscovery(d *v1alpha1.EnvironmentDiscovery) {
	GinkgoHelper()
	conditions := d.Status.Conditions
	expectSaneConditions("EnvironmentDiscovery", conditions, d.Generation, []string{
		v1alpha1.ConditionReady, v1alpha1.ConditionReconciling, v1alpha1.ConditionStalled, v1alpha1.ConditionPruneHeld,
	})
	ready := meta.FindStatusCondition(conditions, v1alpha1.ConditionReady)
	if ready == nil || d.Status.ObservedGeneration < d.Generation {
		Expect(kstatus("EnvironmentDiscovery", d)).To(Equal(status.InProgressStatus))
		Expect(argocd("EnvironmentDiscovery", d)).To(BeElementOf("Progressing", "Suspended"))
		Expect(flux("EnvironmentDiscovery", d)).To(Equal("InProgress"))
		return
	}
	want := expectStanding(ready, conditions)
	Expect(kstatus("EnvironmentDiscovery", d)).To(Equal(want.kstatus), ready.Reason)
	Expect(argocd("EnvironmentDiscovery", d)).To(Equal(want.argocd), ready.Reason)
	Expect(flux("EnvironmentDiscovery", d)).To(Equal(want.flux), ready.Reason)
}

// syncedConditions returns the condition of each kind that reports how its sync went.
func syncedConditions() []string {
	var all []string
	for _, kind := range controller.Kinds() {
		all = append(all, kind.Condition)
	}
	return all
}

func expectSaneSource(s *v1alpha1.InventorySource) {
	GinkgoHelper()
	conditions := s.Status.Conditions
	allSynced := syncedConditions()
	expectSaneConditions("InventorySource", conditions, s.Generation, append([]string{
		v1alpha1.ConditionReady, v1alpha1.ConditionReconciling, v1alpha1.ConditionStalled, v1alpha1.ConditionPruneHeld,
	}, allSynced...))
	Expect(s.Status.ObservedGeneration).To(BeNumerically("<=", s.Generation))
	if s.DeletionTimestamp != nil {
		Expect(kstatus("InventorySource", s)).To(Equal(status.TerminatingStatus))
		return
	}
	ready := meta.FindStatusCondition(conditions, v1alpha1.ConditionReady)
	if ready == nil { // No pass has seen it yet.
		Expect(s.Status.ObservedGeneration).To(BeEquivalentTo(-1))
		Expect(kstatus("InventorySource", s)).To(Equal(status.InProgressStatus))
		Expect(argocd("InventorySource", s)).To(BeElementOf("Progressing", "Suspended"))
		Expect(flux("InventorySource", s)).To(Equal("InProgress"))
		return
	}
	want := expectStanding(ready, conditions)
	for _, synced := range allSynced {
		c := meta.FindStatusCondition(conditions, synced)
		if c == nil {
			continue
		}
		kind, known := standings[c.Reason]
		Expect(known && kind.ready != metav1.ConditionUnknown).To(BeTrue(), "%s is no reason of %s", c.Reason, synced)
		Expect(c.Status).To(Equal(kind.ready), c.Reason)
		if ready.Status == metav1.ConditionTrue {
			Expect(c.Status).To(Equal(metav1.ConditionTrue), "no kind fails under Ready=True")
		}
	}
	Expect(brief(conditions, v1alpha1.ConditionPruneHeld)).To(BeElementOf("",
		"True/"+v1alpha1.ReasonListingEmpty, "True/"+v1alpha1.ReasonShareExceeded, "True/"+v1alpha1.ReasonScopeChanged))
	switch {
	case s.Status.ObservedGeneration < s.Generation:
		Expect(kstatus("InventorySource", s)).To(Equal(status.InProgressStatus), "what it says is of an older spec")
		Expect(argocd("InventorySource", s)).To(BeElementOf("Progressing", "Suspended"))
		Expect(flux("InventorySource", s)).To(Equal("InProgress"))
	default:
		Expect(kstatus("InventorySource", s)).To(Equal(want.kstatus), ready.Reason)
		Expect(argocd("InventorySource", s)).To(Equal(want.argocd), ready.Reason)
		Expect(flux("InventorySource", s)).To(Equal(want.flux), ready.Reason)
	}
}

// judged holds the versions of objects that were held to their table already.
var judged = map[string]bool{}

// judgedBefore reports whether an object was held to its table in the version that it is in, and
// takes it for that from now on.
func judgedBefore(o client.Object) bool {
	version := string(o.GetUID()) + "/" + o.GetResourceVersion()
	before := judged[version]
	judged[version] = true
	return before
}

// expectSaneObservation leaves out those that no source controls: what a stranger
// made of them is the stranger's. It judges each version once, as scripts take their time.
func expectSaneObservation(kind string, o v1alpha1.Observation) {
	GinkgoHelper()
	if judgedBefore(o) {
		return
	}
	if owner := metav1.GetControllerOf(o); owner == nil || owner.Kind != "InventorySource" {
		return
	}
	conditions := *o.Conditions()
	expectSaneConditions(kind, conditions, o.GetGeneration(), []string{v1alpha1.ConditionObserved, v1alpha1.ConditionReady})
	observed, ready := brief(conditions, v1alpha1.ConditionObserved), meta.FindStatusCondition(conditions, v1alpha1.ConditionReady)
	Expect(ready).NotTo(BeNil(), o.GetName())
	want, shown := status.InProgressStatus, "Unknown"
	switch observed {
	case "True/" + v1alpha1.ReasonListed:
		reasons := phaseReasons[kind]
		switch ready.Reason {
		case v1alpha1.ReasonUnknownPhase:
			Expect(ready.Status).To(Equal(metav1.ConditionUnknown))
		case reasons[0]:
			Expect(ready.Status).To(Equal(metav1.ConditionTrue))
			want, shown = status.CurrentStatus, "Healthy"
		default:
			Expect(reasons).To(ContainElement(ready.Reason))
			Expect(ready.Status).To(Equal(metav1.ConditionFalse), ready.Reason)
			if shown = "Progressing"; slices.Contains([]string{"Failed", "Disconnected", "Error"}, ready.Reason) {
				shown = "Degraded"
			}
		}
	case "": // Its status was not written yet.
		Expect(brief(conditions, v1alpha1.ConditionReady)).To(Equal("Unknown/" + v1alpha1.ReasonProgressing))
	case "False/" + v1alpha1.ReasonMissing, "Unknown/" + v1alpha1.ReasonSourceStale:
		_, reason, _ := strings.Cut(observed, "/")
		Expect(brief(conditions, v1alpha1.ConditionReady)).To(Equal("Unknown/"+reason), "Ready follows Observed=%s", observed)
	default:
		Fail(o.GetName() + " has Observed=" + observed)
	}
	if o.GetDeletionTimestamp() != nil {
		want = status.TerminatingStatus
	}
	Expect(kstatus(kind, o)).To(Equal(want), "%s: %v", o.GetName(), conditions)
	Expect(argocd(kind, o)).To(Equal(shown), "%s: %v", o.GetName(), conditions)
}

// expectSaneConditions holds conditions of any object to what all must be: of a
// known type, once, of no generation to come, and without a credential. It notes
// their reasons.
func expectSaneConditions(kind string, conditions []metav1.Condition, generation int64, types []string) {
	GinkgoHelper()
	seen := map[string]bool{}
	for _, c := range conditions {
		Expect(types).To(ContainElement(c.Type))
		Expect(seen[c.Type]).To(BeFalse(), "%s is there twice", c.Type)
		seen[c.Type] = true
		Expect(c.ObservedGeneration).To(BeNumerically("<=", generation), c.Type)
		Expect(c.Message).NotTo(BeEmpty(), c.Type)
		Expect(c.Message).NotTo(Or(ContainSubstring(apiSecret), ContainSubstring(apiKey)))
		on := kind + "/" + c.Type
		if reached[on] == nil {
			reached[on] = map[string]bool{}
		}
		reached[on][c.Reason] = true
	}
}

// kstatus computes what most GitOps tools make of an object.
func kstatus(kind string, o runtime.Object) status.Status {
	GinkgoHelper()
	result, err := status.Compute(unstructuredOf(kind, o))
	Expect(err).NotTo(HaveOccurred())
	return result.Status
}

// argocd computes what Argo CD makes of an object, by the scripts in docs/argocd.
func argocd(kind string, o runtime.Object) string {
	GinkgoHelper()
	health, err := gitops.ArgoCD(filepath.Join("..", "..", "docs", "argocd"), kind, unstructuredOf(kind, o).Object)
	Expect(err).NotTo(HaveOccurred())
	Expect(health.Message).NotTo(BeEmpty())
	return health.Status
}

// flux computes what Flux makes of an object, by the expressions in docs/flux.
func flux(kind string, o runtime.Object) string {
	GinkgoHelper()
	checks, err := fluxChecks()
	Expect(err).NotTo(HaveOccurred())
	found, err := checks.Status(kind, unstructuredOf(kind, o).Object)
	Expect(err).NotTo(HaveOccurred())
	return found
}

var fluxChecks = sync.OnceValues(func() (*gitops.Flux, error) {
	return gitops.NewFlux(filepath.Join("..", "..", "docs", "flux", "kustomization.yaml"))
})

func unstructuredOf(kind string, o runtime.Object) *unstructured.Unstructured {
	GinkgoHelper()
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(o)
	Expect(err).NotTo(HaveOccurred())
	u := &unstructured.Unstructured{Object: content}
	u.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind(kind))
	return u
}
