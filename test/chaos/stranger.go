// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
)

// edits has what a stranger can do to an observation, with a name for the journal. After each edit,
// the operator must correct something.
var edits = []struct {
	name string
	do   func(*source, context.Context, v1alpha1.Observation) error
}{
	{"writes another status", (*source).editStatus},
	{"takes the conditions away", (*source).editConditions},
	{"changes labels", (*source).editLabels},
	{"takes the ownerReference away", (*source).dropOwner},
	{"makes the source no controller", (*source).demoteOwner},
	{"deletes the object", (*source).deleteObject},
	{"deletes the object", (*source).deleteObject},
	{"plants an object", (*source).plantObject},
	{"forges times", (*source).forgeTimes},
	{"forges the source's status", (*source).forgeSource},
	{"changes the source", (*source).changeSource},
}

// edit lets the stranger change one of the source's observations. It selects the observation from
// the inventory, so that the same seed selects the same one.
func (s *source) edit(ctx context.Context, r *rand.Rand) error {
	o := s.anyObject(r)
	if o == nil {
		return nil
	}
	e := pick(r, edits)
	err := persist(ctx, func(ctx context.Context) error { return e.do(s, ctx, o) })
	if err != nil && apierrors.ReasonForError(err) == metav1.StatusReasonUnknown {
		return err
	}
	if err == nil { // Otherwise the object does not exist, or does not exist yet.
		s.tally.count(strangerEdits)
	}
	s.journal.note("%s/%s: a stranger %s: %s %v", s.namespace, s.name, e.name, o.GetName(), err)
	return nil
}

// anyObject draws one of the source's observations. The result has only its name.
func (s *source) anyObject(r *rand.Rand) v1alpha1.Observation {
	k := anyKind(r)
	ids := s.ids(k)
	if len(ids) == 0 {
		return nil
	}
	return s.named(k, pick(r, ids))
}

// named returns the observation of an object. The observation has only its name and namespace.
func (s *source) named(k *kind, id string) v1alpha1.Observation {
	o := k.object(id)
	o.SetNamespace(s.namespace)
	o.SetName(id)
	return o
}

func mergePatch(content any) client.Patch {
	text, _ := json.Marshal(content) // Maps of texts and lists always have a JSON form.
	return client.RawPatch(types.MergePatchType, text)
}

type content = map[string]any

func (s *source) editStatus(ctx context.Context, o v1alpha1.Observation) error {
	return s.stranger.Status().Patch(ctx, o, mergePatch(content{"status": content{"phase": "STRANGE", "displayName": "a stranger's", "network": nil}}))
}

func (s *source) editConditions(ctx context.Context, o v1alpha1.Observation) error {
	return s.stranger.Status().Patch(ctx, o, mergePatch(content{"status": content{"conditions": []any{}}}))
}

func (s *source) editLabels(ctx context.Context, o v1alpha1.Observation) error {
	return s.stranger.Patch(ctx, o, mergePatch(content{"metadata": content{"labels": content{
		v1alpha1.LabelSource: nil, v1alpha1.LabelRegion: "nowhere", v1alpha1.Prefix + "strange": "yes", "stranger.example/was": "here"}}}))
}

func (s *source) dropOwner(ctx context.Context, o v1alpha1.Observation) error {
	return s.stranger.Patch(ctx, o, mergePatch(content{"metadata": content{"ownerReferences": []any{}}}))
}

// demoteOwner keeps the ownerReference, but the source is no longer the controller. Without the
// reference, the garbage collector could delete the observation.
func (s *source) demoteOwner(ctx context.Context, o v1alpha1.Observation) error {
	return s.stranger.Patch(ctx, o, mergePatch(content{"metadata": content{"ownerReferences": []any{content{
		"apiVersion": v1alpha1.GroupVersion.String(), "kind": "InventorySource", "name": s.name, "uid": s.uid, "controller": false}}}}))
}

func (s *source) deleteObject(ctx context.Context, o v1alpha1.Observation) error {
	return s.stranger.Delete(ctx, o)
}

// plantObject makes an observation of an object that never existed. The observation has no
// controller, so the source takes it over.
func (s *source) plantObject(ctx context.Context, _ v1alpha1.Observation) error {
	s.made++
	k := kinds[s.made%len(kinds)]
	planted := s.named(k, fmt.Sprintf("%s-planted%d%s%d", k.prefix, s.index, s.letter, s.made))
	*planted.Origin() = v1alpha1.ObservationOrigin{SourceRef: v1alpha1.LocalReference{Name: s.name}, Environment: s.environment}
	return s.stranger.Create(ctx, planted)
}

// forgeTimes changes an observation so that its object seems to be missing for days.
func (s *source) forgeTimes(ctx context.Context, o v1alpha1.Observation) error {
	now := metav1.Now()
	long := metav1.NewTime(now.Add(-48 * time.Hour))
	return s.stranger.Status().Patch(ctx, o, mergePatch(content{"status": content{"conditions": []metav1.Condition{
		{Type: v1alpha1.ConditionObserved, Status: metav1.ConditionFalse, Reason: v1alpha1.ReasonMissing, Message: "a stranger's", LastTransitionTime: long},
		{Type: v1alpha1.ConditionReady, Status: metav1.ConditionTrue, Reason: "Fine", Message: "a stranger's", LastTransitionTime: metav1.NewTime(now.Add(time.Hour))},
	}}}))
}

// forgeSource changes the source's status so that its last listing seems to be in the future, and a
// prune seems to be held.
func (s *source) forgeSource(ctx context.Context, _ v1alpha1.Observation) error {
	later := metav1.NewTime(metav1.Now().Add(12 * 24 * time.Hour))
	forged := content{"observed": 7, "missing": 3, "lastListTime": later, "scope": "000000000000",
		"held": content{"reason": v1alpha1.ReasonListingEmpty, "digest": "0123456789ab", "count": 7, "message": "a stranger's"}}
	status := content{"nextSyncTime": later}
	for _, k := range kinds {
		status[k.field] = forged
	}
	object := &v1alpha1.InventorySource{ObjectMeta: metav1.ObjectMeta{Name: s.name, Namespace: s.namespace}}
	return s.stranger.Status().Patch(ctx, object, mergePatch(content{"status": status}))
}
