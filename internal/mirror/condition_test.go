// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
)

// inPhase returns an observation of a kind in a phase.
func inPhase(kind *Kind, phase string) v1alpha1.Observation {
	if kind == Peering {
		p := newPeering("p-1", "")
		p.Status.Phase = phase
		return stamped(newSource(), p)
	}
	c := newCluster("lkc-1")
	c.Status.Phase = phase
	return stamped(newSource(), c)
}

func TestConditionsOfAnObservation(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		kind            *Kind
		phase           string
		seen            sight
		observed, ready string
	}{
		{KafkaCluster, "PROVISIONED", sightListed, "True/Listed", "True/Provisioned"},
		{KafkaCluster, "PROVISIONING", sightListed, "True/Listed", "False/Provisioning"},
		{KafkaCluster, "FAILED", sightListed, "True/Listed", "False/Failed"},
		{KafkaCluster, "READY", sightListed, "True/Listed", "Unknown/UnknownPhase"},
		{KafkaCluster, "NEWER", sightListed, "True/Listed", "Unknown/UnknownPhase"},
		{KafkaCluster, "provisioned", sightListed, "True/Listed", "Unknown/UnknownPhase"},
		{KafkaCluster, "", sightListed, "True/Listed", "Unknown/UnknownPhase"},
		{Peering, "READY", sightListed, "True/Listed", "True/Ready"},
		{Peering, "PROVISIONING", sightListed, "True/Listed", "False/Provisioning"},
		{Peering, "PENDING_ACCEPT", sightListed, "True/Listed", "False/PendingAccept"},
		{Peering, "FAILED", sightListed, "True/Listed", "False/Failed"},
		{Peering, "DEPROVISIONING", sightListed, "True/Listed", "False/Deprovisioning"},
		{Peering, "DISCONNECTED", sightListed, "True/Listed", "False/Disconnected"},
		{Peering, "PROVISIONED", sightListed, "True/Listed", "Unknown/UnknownPhase"},
		{Peering, "", sightListed, "True/Listed", "Unknown/UnknownPhase"},
		{KafkaCluster, "PROVISIONED", sightMissing, "False/Missing", "Unknown/Missing"},
		{KafkaCluster, "FAILED", sightMissing, "False/Missing", "Unknown/Missing"},
		{Peering, "NEWER", sightMissing, "False/Missing", "Unknown/Missing"},
		{KafkaCluster, "PROVISIONED", sightStale, "Unknown/SourceStale", "Unknown/SourceStale"},
		{Peering, "FAILED", sightStale, "Unknown/SourceStale", "Unknown/SourceStale"},
		{Peering, "", sightStale, "Unknown/SourceStale", "Unknown/SourceStale"},
	} {
		g := NewWithT(t)
		o := inPhase(c.kind, c.phase)
		got := conditionsFor(c.kind, o, c.seen, time.Time{})
		*o.Conditions() = got
		g.Expect(got).To(HaveLen(2))
		g.Expect(brief(o, v1alpha1.ConditionObserved)).To(Equal(c.observed), "%s %s", c.kind.Name, c.phase)
		g.Expect(brief(o, v1alpha1.ConditionReady)).To(Equal(c.ready), "%s %s", c.kind.Name, c.phase)
		for _, condition := range got {
			g.Expect(condition.ObservedGeneration).To(Equal(int64(1)))
			g.Expect(condition.Message).NotTo(BeEmpty())
		}
	}
}

func TestEveryKnownPhaseMakesAValidReason(t *testing.T) {
	t.Parallel()
	reason := regexp.MustCompile(`^[A-Z][A-Za-z]*$`)
	for _, kind := range worldKinds {
		for _, phase := range append(slices.Clone(kind.OtherPhases), kind.ReadyPhase) {
			NewWithT(t).Expect(reason.MatchString(camelCase(phase))).To(BeTrue(), phase)
		}
	}
}

func TestReadyTellsWhatTheCloudSaysIsWrong(t *testing.T) {
	t.Parallel()
	for message, want := range map[string]string{
		"no route":                 "phase is FAILED: E1: no route",
		strings.Repeat("x", 5_000): "phase is FAILED: E1: " + strings.Repeat("x", maxMessage-len("phase is FAILED: E1: …")) + "…",
	} {
		o := inPhase(Peering, "FAILED").(*v1alpha1.PeeringObservation)
		o.Status.ErrorCode, o.Status.ErrorMessage = "E1", message
		NewWithT(t).Expect(conditionsFor(Peering, o, sightListed, time.Time{})[1].Message).To(Equal(want))
	}
}

func TestReadySaysWhyAPhaseTellsNothing(t *testing.T) {
	t.Parallel()
	for phase, want := range map[string]string{
		"": "the API gave no phase", "NEWER": "phase is NEWER, which this version of the operator does not know",
	} {
		NewWithT(t).Expect(conditionsFor(Peering, inPhase(Peering, phase), sightListed, time.Time{})[1].Message).To(Equal(want))
	}
}

func TestTruncateCutsAtARunesEnd(t *testing.T) {
	t.Parallel()
	for length := range 12 {
		g := NewWithT(t)
		got := Truncate(strings.Repeat("é", 20), 10+length)
		g.Expect(len(got)).To(And(BeNumerically("<=", 10+length), BeNumerically(">=", 9+length)))
		g.Expect(utf8.ValidString(got)).To(BeTrue())
		g.Expect(got).To(HaveSuffix("é…"))
	}
	NewWithT(t).Expect(Truncate("ééé", 6)).To(Equal("ééé"))
}

func TestMessagesNameNothingThatMoves(t *testing.T) {
	t.Parallel()
	for _, seen := range []sight{sightListed, sightMissing, sightStale} {
		o := inPhase(Peering, "FAILED")
		later := o.DeepCopyObject().(v1alpha1.Observation)
		*later.Conditions() = withTimes(nil, conditionsFor(Peering, o, seen, time.Time{}), began)
		NewWithT(t).Expect(sameConditions(*later.Conditions(), conditionsFor(Peering, later, seen, time.Time{}))).To(BeTrue())
	}
}

func TestConditionsDifferInAllButTheirTimes(t *testing.T) {
	t.Parallel()
	want := conditionsFor(KafkaCluster, inPhase(KafkaCluster, "FAILED"), sightListed, time.Time{})
	for name, c := range map[string]struct {
		edit func([]metav1.Condition) []metav1.Condition
		same bool
	}{
		"as they are":      {func(c []metav1.Condition) []metav1.Condition { return c }, true},
		"in another order": {func(c []metav1.Condition) []metav1.Condition { slices.Reverse(c); return c }, true},
		"another time": {func(c []metav1.Condition) []metav1.Condition {
			c[0].LastTransitionTime = metav1.NewTime(began)
			return c
		}, true},
		"status":         {func(c []metav1.Condition) []metav1.Condition { c[0].Status = "False"; return c }, false},
		"reason":         {func(c []metav1.Condition) []metav1.Condition { c[1].Reason = "Other"; return c }, false},
		"message":        {func(c []metav1.Condition) []metav1.Condition { c[1].Message = "other"; return c }, false},
		"generation":     {func(c []metav1.Condition) []metav1.Condition { c[0].ObservedGeneration = 2; return c }, false},
		"one is gone":    {func(c []metav1.Condition) []metav1.Condition { return c[:1] }, false},
		"one is added":   {func(c []metav1.Condition) []metav1.Condition { return append(c, metav1.Condition{Type: "Theirs"}) }, false},
		"one is another": {func(c []metav1.Condition) []metav1.Condition { c[0].Type = "Theirs"; return c }, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			NewWithT(t).Expect(sameConditions(c.edit(slices.Clone(want)), want)).To(Equal(c.same))
		})
	}
}

func TestAConditionsTimeMovesWithItsStatusOnly(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	have := []metav1.Condition{
		{Type: "Kept", Status: "True", Reason: "Old", LastTransitionTime: metav1.NewTime(began)},
		{Type: "Turned", Status: "True", LastTransitionTime: metav1.NewTime(began)},
		{Type: "Default", Status: "True", LastTransitionTime: metav1.NewTime(time.Unix(0, 0))},
	}
	later := began.Add(time.Hour)
	got := withTimes(have, []metav1.Condition{
		{Type: "Kept", Status: "True", Reason: "New"}, {Type: "Turned", Status: "False"}, {Type: "New", Status: "True"},
		{Type: "Default", Status: "True"},
	}, later)
	g.Expect(got[0]).To(And(HaveField("Reason", "New"), HaveField("LastTransitionTime.Time", began)))
	g.Expect(got[1]).To(HaveField("LastTransitionTime.Time", later))
	g.Expect(got[2]).To(HaveField("LastTransitionTime.Time", later))
	g.Expect(got[3]).To(HaveField("LastTransitionTime.Time", later))
}
