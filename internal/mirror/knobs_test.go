// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"time"

	"pgregory.net/rapid"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
)

// Restart makes the manager, and so the oracle of its listings, start over.
func (h *history) Restart(*rapid.T) {
	h.restart()
	h.oracle.restart()
}

// ChangeScope exchanges the key, the endpoint or a filter.
func (h *history) ChangeScope(t *rapid.T) {
	h.scope = rapid.SampledFrom([]string{"s", "t"}).Draw(t, "scope")
}

// LoseSight is another key that does not see all of a kind.
func (h *history) LoseSight(t *rapid.T) {
	h.scope = map[string]string{"s": "t", "t": "s"}[h.scope]
	h.ListPart(t)
}

// Wait lets time pass.
func (h *history) Wait(t *rapid.T) {
	h.now = h.now.Add(time.Duration(rapid.IntRange(1, 1800).Draw(t, "seconds")) * time.Second)
}

// SetPrune turns one knob of spec.prune.
func (h *history) SetPrune(t *rapid.T) {
	prune := &h.source.Spec.Prune
	switch rapid.IntRange(0, 3).Draw(t, "knob") {
	case 0:
		prune.AfterMisses = ptr(rapid.Int32Range(1, 3).Draw(t, "afterMisses"))
	case 1:
		prune.MaxPercent = ptr(rapid.SampledFrom([]int32{0, 20, 50, 99, 100}).Draw(t, "maxPercent"))
	case 2:
		prune.GracePeriod = seconds(rapid.SampledFrom([]int{0, 1, 3, 5, 60, 600}).Draw(t, "gracePeriod"))
	case 3:
		prune.Policy = rapid.SampledFrom([]v1alpha1.PrunePolicy{
			v1alpha1.PrunePolicyDelete, v1alpha1.PrunePolicyDelete, v1alpha1.PrunePolicyRetain,
		}).Draw(t, "policy")
	}
}

// SetPolicy mirrors a kind, or ignores it and forgets what was listed.
func (h *history) SetPolicy(t *rapid.T) {
	kind := anyKind.Draw(t, "kind")
	policy := rapid.SampledFrom([]v1alpha1.MirrorPolicy{
		v1alpha1.MirrorPolicyMirror, v1alpha1.MirrorPolicyMirror, v1alpha1.MirrorPolicyIgnore,
	}).Draw(t, "policy")
	*policiesOf(h.source)[kind] = policy
	if policy == v1alpha1.MirrorPolicyIgnore {
		h.ledgers[kind], h.scopes[kind] = nil, ""
		h.oracle.heard[kind] = nil
	}
}

// Suspend suspends the source, or resumes it.
func (h *history) Suspend(t *rapid.T) {
	h.suspended = rapid.IntRange(0, 3).Draw(t, "suspend") == 0
	h.source.Spec.Suspend = h.suspended
}

// Approve sets the annotation to the digest printed last, to one printed once, or to
// nonsense.
func (h *history) Approve(t *rapid.T) {
	digests := append([]string{h.oracle.latest, h.oracle.latest, "", "true"}, h.oracle.digests()...)
	approve(h.world, rapid.SampledFrom(digests).Draw(t, "digest"))
}

// ApproveAndSync is what a person does who read the message.
func (h *history) ApproveAndSync(t *rapid.T) {
	if h.oracle.latest == "" {
		t.Skip("nothing was held")
	}
	approve(h.world, h.oracle.latest)
	h.Sync(t)
}
