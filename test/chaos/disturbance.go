// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
)

// disturbance is a sequence of steps in a fixed order. Some rounds have one. It begins after the
// random faults have ended, so that no fault hides its effects.
type disturbance string

const (
	noDisturbance disturbance = "none"
	// The watches of observations break. An object appears and its observation is written. A
	// stranger deletes or edits the observation. Then the watches begin again with a list.
	observationGap disturbance = "observation-gap"
	// The same for the sources of a discovery, with a new environment.
	sourceGap disturbance = "source-gap"
	// An environment gets a display name that the discovery does not select. Later it gets its own
	// name again.
	renamedEnvironment disturbance = "renamed-environment"
	// For some listings, the cloud leaves out the display names of environments.
	namelessEnvironment disturbance = "nameless-environment"
	// Sources and observations are copied under other names, including their labels and
	// ownerReferences.
	copiedObjects disturbance = "copied-objects"
)

// disturbances has all disturbances.
var disturbances = []disturbance{observationGap, sourceGap, renamedEnvironment, namelessEnvironment, copiedObjects}

// stepTime is how long one step of a disturbance may take.
const stepTime = 2 * interval

// doDisturbance does the steps of a disturbance. It returns the violations that the steps
// themselves show. The check after it finds other violations.
func (h *harness) doDisturbance(ctx context.Context, number int, d disturbance) ([]violation, error) {
	if d == noDisturbance {
		return nil, nil
	}
	h.tally.count(furtherDisturbances)
	r := random(h.seed, "disturbance", fmt.Sprint(number))
	n := h.discovering()
	switch d {
	case observationGap:
		return nil, h.gapObservations(ctx, number)
	case sourceGap:
		return n.gapSources(ctx, number, r)
	case renamedEnvironment:
		return nil, n.renameEnvironment(ctx, r, fmt.Sprintf("renamed-%d", number))
	case namelessEnvironment:
		return n.namelessEnvironments(ctx, r)
	default:
		return h.copyObjects(ctx, number)
	}
}

// discovering returns the namespace whose sources a discovery makes.
func (h *harness) discovering() *testNamespace { return h.namespaces[len(h.namespaces)-1] }

// gapObservations lets observations appear while no manager can watch observations. A stranger
// changes them in that time.
func (h *harness) gapObservations(ctx context.Context, number int) error {
	if err := parallel(h.sources(), func(s *source) error { return s.syncWithin(ctx, stepTime) }); err != nil {
		return err
	}
	end := h.apiProxy.beginGap("observations")
	defer end()
	return parallel(h.sources(), func(s *source) error {
		r := random(s.seed, "gap", s.environment, fmt.Sprint(number))
		k := anyKind(r)
		id := s.newObject(k, r)
		token, err := s.ask(ctx)
		if err != nil {
			return err
		}
		o := s.named(k, id)
		written, err := becomes(ctx, stepTime, func(ctx context.Context) (bool, error) {
			err := s.admin.Get(ctx, client.ObjectKeyFromObject(o), o)
			return err == nil && len(*o.Conditions()) > 0, client.IgnoreNotFound(err)
		})
		if err != nil || !written {
			return err
		}
		if _, err := s.handled(ctx, token, time.Now().Add(time.Second)); err != nil {
			return err
		}
		edit, what := (*source).deleteObject, "deletes"
		if chance(r, 50) {
			edit, what = (*source).editStatus, "edits"
		}
		s.journal.note("%s/%s: in a gap of the watch a stranger %s %s", s.namespace, s.name, what, id)
		return client.IgnoreNotFound(persist(ctx, func(ctx context.Context) error { return edit(s, ctx, s.named(k, id)) }))
	})
}

// gapSources lets a discovery make a source while no manager can watch sources. A stranger deletes
// or edits the source in that time. The discovery must correct the source, and must delete it when
// its environment is gone.
func (n *testNamespace) gapSources(ctx context.Context, number int, r *rand.Rand) ([]violation, error) {
	s := &source{testNamespace: n, name: fmt.Sprintf("%sx%d", selectedPrefix, number), environment: fmt.Sprintf("%sx%d", selectedPrefix, number)}
	n.Cloud.AddEnvironment(s.environment)
	end := n.apiProxy.beginGap("/inventorysources")
	defer end()
	made, err := n.discoverUntil(ctx, func(ctx context.Context) (bool, error) { return s.exactly(ctx) })
	if err != nil || !made {
		return []violation{{n.namespace + "/" + s.name, "no source was made for a new environment"}}, err
	}
	object, what := &v1alpha1.InventorySource{ObjectMeta: metav1.ObjectMeta{Name: s.name, Namespace: n.namespace}}, "deletes"
	err = persist(ctx, func(ctx context.Context) error {
		if chance(r, 50) {
			return n.stranger.Delete(ctx, object)
		}
		what = "edits"
		return n.stranger.Patch(ctx, object, mergePatch(content{"spec": content{"suspend": true, "timeout": "3s"}}))
	})
	if err != nil {
		return nil, err
	}
	n.journal.note("%s: in a gap of the watch a stranger %s source %s", n.namespace, what, s.name)
	end()
	var found []violation
	right, err := n.discoverUntil(ctx, func(ctx context.Context) (bool, error) { return s.exactly(ctx) })
	if err != nil {
		return nil, err
	}
	if !right {
		found = append(found, violation{n.namespace + "/" + s.name, "was not put right after a stranger " + what + " it in a gap of the watch"})
	}
	_ = n.Cloud.RemoveEnvironment(s.environment) // It exists.
	gone, err := n.discoverUntil(ctx, func(ctx context.Context) (bool, error) {
		err := n.admin.Get(ctx, client.ObjectKeyFromObject(object), object)
		return apierrors.IsNotFound(err), client.IgnoreNotFound(err)
	})
	if err != nil {
		return nil, err
	}
	if !gone {
		found = append(found, violation{n.namespace + "/" + s.name, "is still there although its environment is gone"})
	}
	return found, nil
}

// exactly reports whether a source of the discovery exists and is correct.
func (s *source) exactly(ctx context.Context) (bool, error) {
	object := &v1alpha1.InventorySource{}
	if err := s.admin.Get(ctx, client.ObjectKey{Namespace: s.namespace, Name: s.name}, object); err != nil {
		return false, client.IgnoreNotFound(err)
	}
	return len(s.wrongSource(object)) == 0, nil
}

// renameEnvironment gives the environment of a source another display name, or none. After several
// listings of the discovery, the environment gets its own name again.
func (n *testNamespace) renameEnvironment(ctx context.Context, r *rand.Rand, name string) error {
	environment := pick(r, n.sources).environment
	n.journal.note("%s: environment %s has the display name %q", n.namespace, environment, name)
	_ = n.Cloud.RenameEnvironment(environment, name) // It exists, here and below.
	err := n.discoverTimes(ctx, 4)
	_ = n.Cloud.RenameEnvironment(environment, environment)
	return err
}

// namelessEnvironments removes the display names of a selected and of an excluded environment for a
// while.
func (n *testNamespace) namelessEnvironments(ctx context.Context, r *rand.Rand) ([]violation, error) {
	_ = n.Cloud.RenameEnvironment(excludedEnvironment, "") // It exists, here and below.
	err := n.renameEnvironment(ctx, r, "")
	_ = n.Cloud.RenameEnvironment(excludedEnvironment, excludedName)
	if err != nil {
		return nil, err
	}
	object := &v1alpha1.InventorySource{ObjectMeta: metav1.ObjectMeta{Name: excludedEnvironment, Namespace: n.namespace}}
	err = persist(ctx, func(ctx context.Context) error { return n.admin.Delete(ctx, object) })
	if err == nil { // The source existed. It is deleted now, so later rounds begin without it.
		return []violation{{n.namespace + "/" + excludedEnvironment, "a source was made for an excluded environment"}}, nil
	}
	return nil, client.IgnoreNotFound(err)
}

// copyName returns the name of a copy. A long name is cut, because a name has at most 253 characters.
func copyName(number int, name string) string {
	return fmt.Sprintf("copy%d-of-%s", number, strings.TrimRight(name[:min(len(name), 200)], "-."))
}

// copyObjects copies a source and observations under other names. It lets the operator list and
// plan several times. Then it checks that the copies were neither written nor deleted.
func (h *harness) copyObjects(ctx context.Context, number int) ([]violation, error) {
	var copies []client.Object
	for _, n := range h.namespaces {
		s := n.sources[number%len(n.sources)]
		made, err := s.copied(ctx, number)
		if err != nil {
			return nil, err
		}
		copies = append(copies, made...)
		s.newObject(kinds[0], random(h.seed, "copies", s.environment, fmt.Sprint(number))) // The new object makes the operator plan everything.
	}
	err := parallel(h.namespaces, func(n *testNamespace) error {
		s := n.sources[number%len(n.sources)]
		for range 3 {
			if err := s.syncWithin(ctx, stepTime); err != nil {
				return err
			}
		}
		if n.discovers {
			return n.discoverTimes(ctx, 4)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	var found []violation
	for _, c := range copies {
		text, err := h.checkCopy(ctx, c)
		if err != nil {
			return nil, err
		}
		if text != "" {
			found = append(found, violation{c.GetNamespace() + "/" + c.GetName(), text})
		}
		if err := persist(ctx, func(ctx context.Context) error { return client.IgnoreNotFound(h.stranger.Delete(ctx, c)) }); err != nil {
			return nil, err
		}
	}
	return found, nil
}

// copied copies one observation of the source. If a discovery made the source, it also copies the
// source. The copy of a source is suspended, so that it does not mirror.
func (s *source) copied(ctx context.Context, number int) ([]client.Object, error) {
	object, observations, err := s.read(ctx)
	if err != nil {
		return nil, client.IgnoreNotFound(err) // The check reports a source that does not exist.
	}
	var copies []client.Object
	if len(observations) > 0 {
		o := observations[number%len(observations)]
		copies = append(copies, renamed(o, copyName(number, o.GetName())))
	}
	if s.discovers {
		c := object.DeepCopy()
		c.Spec.Suspend = true
		copies = append(copies, renamed(c, copyName(number, s.name)))
	}
	for _, c := range copies {
		s.journal.note("%s/%s: a stranger makes %s", s.namespace, s.name, c.GetName())
		if err := persist(ctx, func(ctx context.Context) error { return s.stranger.Create(ctx, c) }); err != nil {
			return nil, err
		}
	}
	return copies, nil
}

// renamed returns a copy of an object with another name, which the API server accepts as a new
// object.
func renamed(object client.Object, name string) client.Object {
	c := object.DeepCopyObject().(client.Object)
	c.SetName(name)
	c.SetUID("")
	c.SetResourceVersion("")
	c.SetManagedFields(nil)
	return c
}

// checkCopy returns what happened to a copy that only a stranger should write; "" if nothing
// happened.
func (h *harness) checkCopy(ctx context.Context, made client.Object) (string, error) {
	now := made.DeepCopyObject().(client.Object)
	err := persist(ctx, func(ctx context.Context) error { return h.admin.Get(ctx, client.ObjectKeyFromObject(made), now) })
	source, isSource := now.(*v1alpha1.InventorySource)
	switch {
	case apierrors.IsNotFound(err), err == nil && now.GetUID() != made.GetUID():
		return "a copy was deleted", nil
	case err != nil:
		return "", err
	case isSource && (!source.Spec.Suspend || source.Annotations[v1alpha1.AnnotationMissingSince] != made.GetAnnotations()[v1alpha1.AnnotationMissingSince]):
		return fmt.Sprintf("a copy was taken over: annotations %v, spec %s", source.Annotations, inJSON(source.Spec)), nil
	case !isSource && now.GetResourceVersion() != made.GetResourceVersion():
		return "a copy was written", nil
	}
	return "", nil
}

// syncWithin requests a sync, and waits for its end at most the given time.
func (s *source) syncWithin(ctx context.Context, within time.Duration) error {
	token, err := s.ask(ctx)
	if err != nil {
		return err
	}
	_, err = s.handled(ctx, token, time.Now().Add(within))
	return err
}

// discoverTimes lets the discovery list the environments the given number of times.
func (n *testNamespace) discoverTimes(ctx context.Context, times int) error {
	for range times {
		token, err := n.askDiscovery(ctx)
		if err != nil {
			return err
		}
		if _, err := n.discovered(ctx, token); err != nil {
			return err
		}
	}
	return nil
}

// discoverUntil lets the discovery list the environments again and again until so returns true, but
// at most for stepTime. It returns the last result of so.
func (n *testNamespace) discoverUntil(ctx context.Context, so func(context.Context) (bool, error)) (bool, error) {
	deadline := time.Now().Add(stepTime)
	for {
		token, err := n.askDiscovery(ctx)
		if err != nil {
			return false, err
		}
		if is, err := becomes(ctx, time.Second, so); is || err != nil {
			return is, err
		}
		if _, err := n.discovered(ctx, token); err != nil {
			return false, err
		}
		if !time.Now().Before(deadline) {
			return so(ctx)
		}
	}
}

// discovered waits until the discovery's status shows the token, but at most for one interval.
func (n *testNamespace) discovered(ctx context.Context, token string) (bool, error) {
	key := client.ObjectKey{Namespace: n.namespace, Name: discoveryName}
	return n.follow(ctx, key, &v1alpha1.EnvironmentDiscoveryList{}, time.Now().Add(interval), func(o client.Object) bool {
		return o.(*v1alpha1.EnvironmentDiscovery).Status.LastHandledReconcileAt == token
	})
}

// becomes calls so again and again until it returns true. It reports whether this happened in the
// given time.
func becomes(ctx context.Context, within time.Duration, so func(context.Context) (bool, error)) (bool, error) {
	err := wait.PollUntilContextTimeout(ctx, 50*time.Millisecond, within, true, so)
	if wait.Interrupted(err) && ctx.Err() == nil {
		return false, nil
	}
	return err == nil, err
}
