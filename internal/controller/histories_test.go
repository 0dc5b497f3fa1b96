// SPDX-License-Identifier: Apache-2.0

package controller_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	toolscache "k8s.io/client-go/tools/cache"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
	"github.com/ccloud-dev/inventory-operator/internal/cloudapi/budget"
	"github.com/ccloud-dev/inventory-operator/internal/controller"
	"github.com/ccloud-dev/inventory-operator/test/cloudsim"
)

// watched is a watch of a world's observations, as a manager has it, that tells its reconciler.
type watched struct {
	w  *world
	mu sync.Mutex
	// shown are the versions that the watch told of, by kind and name.
	shown []map[string]string
	woken bool
}

// watch begins to tell the world's reconciler of all that happens to observations.
func (w *world) watch(ctx context.Context) *watched {
	GinkgoHelper()
	feed, err := cache.New(config, cache.Options{Scheme: k8s.Scheme(), DefaultNamespaces: map[string]cache.Config{w.namespace: {}}})
	Expect(err).NotTo(HaveOccurred())
	all := &watched{w: w}
	for i, kind := range controller.Kinds() {
		object := controller.Objects()[1+i]
		all.shown = append(all.shown, map[string]string{})
		informer, err := feed.GetInformer(ctx, object, cache.BlockUntilSynced(false))
		Expect(err).NotTo(HaveOccurred())
		Expect(kind.Objects()).NotTo(BeNil())
		// tell takes in that an object is in a version, "" if it is gone.
		tell := func(o client.Object, version string, wakes func() bool) {
			all.mu.Lock()
			defer all.mu.Unlock()
			all.woken = wakes() || all.woken
			if all.shown[i][o.GetName()] = version; version == "" {
				delete(all.shown[i], o.GetName())
			}
		}
		_, err = informer.AddEventHandler(toolscache.ResourceEventHandlerFuncs{
			AddFunc: func(o any) {
				after := o.(client.Object)
				tell(after, after.GetResourceVersion(), func() bool { return w.reconciler.Drift(i).Create(event.CreateEvent{Object: after}) })
			},
			UpdateFunc: func(a, b any) {
				before, after := a.(client.Object), b.(client.Object)
				tell(after, after.GetResourceVersion(), func() bool {
					return w.reconciler.Drift(i).Update(event.UpdateEvent{ObjectOld: before, ObjectNew: after})
				})
			},
			DeleteFunc: func(o any) {
				if unknown, is := o.(toolscache.DeletedFinalStateUnknown); is {
					o = unknown.Obj
				}
				gone := o.(client.Object)
				tell(gone, "", func() bool { return w.reconciler.Drift(i).Delete(event.DeleteEvent{Object: gone}) })
			},
		})
		Expect(err).NotTo(HaveOccurred())
	}
	feeding, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- feed.Start(feeding) }()
	DeferCleanup(func() { stop(); Expect(<-ended).To(Succeed()) })
	Expect(feed.WaitForCacheSync(ctx)).To(BeTrue())
	return all
}

// wakes waits until the watch told of all that there is, and reports whether that wakes the reconciler.
func (all *watched) wakes(ctx context.Context) bool {
	GinkgoHelper()
	there := make([]map[string]string, len(all.shown))
	for i, kind := range controller.Kinds() {
		list := kind.Objects()
		Expect(reader.List(ctx, list, client.InNamespace(all.w.namespace))).To(Succeed())
		there[i] = map[string]string{}
		Expect(meta.EachListItem(list, func(o runtime.Object) error {
			object := o.(client.Object)
			there[i][object.GetName()] = object.GetResourceVersion()
			return nil
		})).To(Succeed())
	}
	Eventually(ctx, func() bool {
		all.mu.Lock()
		defer all.mu.Unlock()
		return reflect.DeepEqual(all.shown, there)
	}).WithPolling(2 * time.Millisecond).Should(BeTrue())
	all.mu.Lock()
	defer all.mu.Unlock()
	woken := all.woken
	all.woken = false
	return woken
}

// historian plays a random history.
type historian struct {
	*world
	*rand.Rand
	api      *gate
	watch    *watched
	clusters []cloudsim.Cluster // that were removed
	peerings []cloudsim.Peering
	said     []string
}

// restart replaces the reconciler while the watch tells it nothing.
func (h *historian) restart() {
	h.watch.mu.Lock()
	defer h.watch.mu.Unlock()
	h.world.restart()
}

func (h *historian) note(format string, args ...any) {
	h.said = append(h.said, fmt.Sprintf(format, args...))
}

// pass reconciles once, and then as often as the watch asks for it.
func (h *historian) pass(ctx context.Context) {
	GinkgoHelper()
	for n := range 20 {
		h.reconciler.Budgets = budget.New(1000, 1000)
		result, err := h.tryReconcile(ctx)
		h.note("  pass: %v %v", result.RequeueAfter, err)
		if n == 0 {
			h.clock.SetTime(h.clock.Now().Add(min(result.RequeueAfter, 20*time.Minute)))
		}
		if !h.watch.wakes(ctx) {
			return
		}
	}
}

// one returns one of several, and whether there is one.
func one[T any](h *historian, all []T) (T, bool) {
	if len(all) == 0 {
		return *new(T), false
	}
	return all[h.IntN(len(all))], true
}

// cloudActs changes something in the cloud.
func (h *historian) cloudActs() {
	c, hasCluster := one(h, h.cloud.Clusters(environment))
	p, hasPeering := one(h, h.cloud.Peerings(environment))
	switch h.IntN(7) {
	case 0, 1:
		if phase, _ := one(h, []string{"PROVISIONED", "FAILED", "PROVISIONING"}); hasCluster {
			h.note("cluster %s %s", c.ID, phase)
			_ = h.cloud.SetClusterPhase(c.ID, phase)
		}
	case 2:
		if phase, _ := one(h, []string{"READY", "FAILED", "DISCONNECTED"}); hasPeering {
			h.note("peering %s %s", p.ID, phase)
			_ = h.cloud.SetPeeringPhase(p.ID, phase)
		}
	case 3:
		if len(h.cloud.Clusters(environment)) > 1 {
			h.note("remove %s", c.ID)
			h.clusters = append(h.clusters, c)
			_ = h.cloud.RemoveCluster(c.ID)
		}
	case 4:
		if len(h.cloud.Peerings(environment)) > 1 {
			h.note("remove %s", p.ID)
			h.peerings = append(h.peerings, p)
			_ = h.cloud.RemovePeering(p.ID)
		}
	case 5:
		h.note("put back %d %d", len(h.clusters), len(h.peerings))
		for _, c := range h.clusters {
			h.cloud.PutCluster(c)
		}
		for _, p := range h.peerings {
			h.cloud.PutPeering(p)
		}
		h.clusters, h.peerings = nil, nil
	case 6:
		if h.IntN(2) == 0 {
			h.note("faults")
			h.cloud.Chaos(h.Uint64(), .5, cloudsim.FaultItemMissing, cloudsim.FaultItemWrongType, cloudsim.FaultItemRepeated, cloudsim.FaultItemNull,
				cloudsim.FaultUnavailable, cloudsim.FaultTruncatedJSON, cloudsim.FaultItemNoID, cloudsim.FaultEmptyObject)
		} else {
			h.note("no faults")
			h.cloud.StopChaos()
		}
	}
}

// strangerActs changes observations, or makes one of a cluster that the cloud does not have.
func (h *historian) strangerActs(ctx context.Context) {
	GinkgoHelper()
	switch h.IntN(3) {
	case 0:
		clusters := h.world.clusters(ctx)
		if name, found := one(h, slices.Sorted(maps.Keys(clusters))); found {
			h.note("edit %s", name)
			o := clusters[name]
			o.Status.Phase = "GONE"
			_ = k8s.Status().Update(ctx, &o)
			if h.IntN(2) == 0 {
				delete(o.Labels, v1alpha1.LabelCloud)
				o.OwnerReferences = nil
				_ = k8s.Update(ctx, &o)
			}
		}
	case 1:
		peerings := h.world.peerings(ctx)
		if name, found := one(h, slices.Sorted(maps.Keys(peerings))); found {
			h.note("delete %s", name)
			_ = k8s.Delete(ctx, ptr.To(peerings[name]))
		}
	case 2:
		o := planted(h.world)
		o.Name = fmt.Sprintf("p-planted%d", h.IntN(3))
		o.Spec.PeeringID = o.Name
		h.note("plant %s", o.Name)
		_ = k8s.Create(ctx, o)
	}
}

// userActs changes the source.
func (h *historian) userActs(ctx context.Context) {
	policy := func() v1alpha1.MirrorPolicy {
		p, _ := one(h, []v1alpha1.MirrorPolicy{v1alpha1.MirrorPolicyMirror, v1alpha1.MirrorPolicyIgnore})
		return p
	}
	which := h.IntN(4)
	h.change(ctx, func(s *v1alpha1.InventorySource) {
		switch which {
		case 0:
			s.Spec.Template.Labels = map[string]v1alpha1.LabelValue{"team": v1alpha1.LabelValue(fmt.Sprint("t", h.IntN(3)))}
			h.note("template %v", s.Spec.Template.Labels)
		case 1:
			s.Spec.Peerings.Phases, _ = one(h, [][]v1alpha1.Identifier{nil, {"READY"}, {"READY", "FAILED"}})
			h.note("phases %v", s.Spec.Peerings.Phases)
		case 2:
			s.Spec.KafkaClusters.Policy, s.Spec.Networks.Policy = policy(), policy()
			h.note("policies %s %s", s.Spec.KafkaClusters.Policy, s.Spec.Networks.Policy)
		case 3:
			s.Spec.Suspend = !s.Spec.Suspend
			h.note("suspend %v", s.Spec.Suspend)
		}
	})
}

// surroundingsAct has the API server refuse, the manager restart, or time pass.
func (h *historian) surroundingsAct() {
	switch h.IntN(5) {
	case 0:
		h.note("conflicts")
		h.api.refuse = func(_, name string) error {
			if len(name)%2 == 0 || h.IntN(3) == 0 {
				return apierrors.NewConflict(observations, name, errors.New("changed"))
			}
			return nil
		}
	case 1:
		h.note("no conflicts")
		h.api.refuse = nil
	case 2:
		h.note("restart")
		h.restart()
		h.reconciler.Cluster = h.api
	case 3:
		h.note("the clock goes back")
		h.clock.SetTime(h.clock.Now().Add(-time.Duration(h.IntN(3600)) * time.Second))
	case 4:
		h.note("time")
		h.clock.SetTime(h.clock.Now().Add(time.Duration(h.IntN(2400)) * time.Second))
	}
}

// expected returns what there should be at the end, as found returns what there is.
func (h *historian) expected(s *v1alpha1.InventorySource) (want []string) {
	if s.Spec.KafkaClusters.Policy != v1alpha1.MirrorPolicyIgnore {
		for _, c := range h.cloud.Clusters(environment) {
			want = append(want, c.ID+" "+c.Status.Phase+" True/Listed")
		}
	}
	for _, p := range h.cloud.Peerings(environment) {
		if f := s.Spec.Peerings.Phases; len(f) == 0 || slices.Contains(f, v1alpha1.Identifier(p.Status.Phase)) {
			want = append(want, p.ID+" "+p.Status.Phase+" True/Listed")
		}
	}
	return want
}

func (h *historian) found(ctx context.Context) (got []string) {
	for name, o := range h.world.clusters(ctx) {
		got = append(got, name+" "+o.Status.Phase+" "+brief(o.Status.Conditions, v1alpha1.ConditionObserved))
	}
	for name, o := range h.world.peerings(ctx) {
		got = append(got, name+" "+o.Status.Phase+" "+brief(o.Status.Conditions, v1alpha1.ConditionObserved))
	}
	return got
}

// setting returns a number of the environment.
func setting(name string, otherwise int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil {
		return n
	}
	return otherwise
}

// Each history is played by the watch's own events, so that what the short paths leave out would show.
// HISTORIES is how many there are, HISTORY_SEED the first one's seed.
var _ = Describe("A random history", func() {
	for n := range setting("HISTORIES", 3) {
		seed := uint64(setting("HISTORY_SEED", 1) + n)
		It(fmt.Sprintf("ends as a new process would have it, seed %d", seed), func(ctx SpecContext) {
			h := &historian{world: newWorld(ctx), Rand: rand.New(rand.NewPCG(seed, 77)), api: &gate{Client: k8s}}
			h.reconciler.Cluster = h.api
			h.seed(6, 4)
			h.createSource(ctx, mirrorNetworks, func(s *v1alpha1.InventorySource) { s.Spec.Prune.MaxPercent = ptr.To[int32](100) })
			h.watch = h.world.watch(ctx)
			tell := func() string { return strings.Join(h.said, "\n") }
			h.pass(ctx)
			h.pass(ctx)
			for range 25 + h.IntN(15) {
				switch h.IntN(8) {
				case 0, 1, 2:
					h.cloudActs()
				case 3, 4:
					h.strangerActs(ctx)
				case 5:
					h.userActs(ctx)
				default:
					h.surroundingsAct()
				}
				for range h.IntN(3) {
					h.pass(ctx)
				}
			}
			h.note("the end")
			h.api.refuse = nil
			h.cloud.StopChaos()
			h.change(ctx, func(s *v1alpha1.InventorySource) { s.Spec.Suspend = false })
			for range 12 {
				h.pass(ctx)
			}
			source := h.source(ctx)
			Expect(h.found(ctx)).To(ConsistOf(h.expected(source)), tell)
			Expect(h.condition(ctx, v1alpha1.ConditionReady)).To(Equal("True/Succeeded"), tell)
			h.restart()
			Expect(h.writes(func() { h.reconcile(ctx); h.sync(ctx) })).To(BeEmpty(), tell)
			for i, after := range []*v1alpha1.InventorySummary{h.source(ctx).Status.KafkaClusters, h.source(ctx).Status.Peerings} {
				before := []*v1alpha1.InventorySummary{source.Status.KafkaClusters, source.Status.Peerings}[i]
				Expect(after == nil).To(Equal(before == nil), tell)
				if after != nil {
					Expect([]int32{after.Observed, after.Missing}).To(Equal([]int32{before.Observed, 0}), tell)
				}
			}
		}, NodeTimeout(2*time.Minute))
	}
})
