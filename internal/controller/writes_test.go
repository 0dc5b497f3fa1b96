// SPDX-License-Identifier: Apache-2.0

package controller_test

import (
	"context"
	"fmt"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
	"github.com/ccloud-dev/inventory-operator/test/cloudsim"
)

// gate stands before the API server and refuses writes of observations and of sources, but not
// of a source's status, or lets something happen before a write of an owner's status.
type gate struct {
	client.Client
	// refuse returns the error of a write, by its verb and the object's name.
	refuse func(verb, name string) error
	// stored changes what the API server answered to a write.
	stored func(o client.Object)
	// lost returns the error that comes instead of the answer to a write.
	lost         func(name string) error
	beforeReport func()
}

func (g *gate) ask(verb string, o client.Object) error {
	if !kept(o) || g.refuse == nil {
		return nil
	}
	return g.refuse(verb, o.GetName())
}

func (g *gate) answer(o client.Object, err error) error {
	if kept(o) && err == nil && g.stored != nil {
		g.stored(o)
	}
	if kept(o) && err == nil && g.lost != nil {
		return g.lost(o.GetName())
	}
	return err
}

// kept reports whether an object is of a kind that the operator keeps for an owner.
func kept(o client.Object) bool {
	_, observation := o.(v1alpha1.Observation)
	_, source := o.(*v1alpha1.InventorySource)
	return observation || source
}

func (g *gate) Create(ctx context.Context, o client.Object, opts ...client.CreateOption) error {
	if err := g.ask("create", o); err != nil {
		return err
	}
	return g.answer(o, g.Client.Create(ctx, o, opts...))
}

func (g *gate) Delete(ctx context.Context, o client.Object, opts ...client.DeleteOption) error {
	if err := g.ask("delete", o); err != nil {
		return err
	}
	return g.Client.Delete(ctx, o, opts...)
}

func (g *gate) Patch(ctx context.Context, o client.Object, patch client.Patch, opts ...client.PatchOption) error {
	if err := g.ask("patch", o); err != nil {
		return err
	}
	return g.answer(o, g.Client.Patch(ctx, o, patch, opts...))
}

func (g *gate) Status() client.SubResourceWriter { return gateStatus{g.Client.Status(), g} }

type gateStatus struct {
	client.SubResourceWriter
	gate *gate
}

func (s gateStatus) Patch(ctx context.Context, o client.Object, patch client.Patch, opts ...client.SubResourcePatchOption) error {
	if _, is := o.(v1alpha1.Observation); !is {
		if before := s.gate.beforeReport; before != nil {
			s.gate.beforeReport = nil
			before()
		}
		return s.SubResourceWriter.Patch(ctx, o, patch, opts...)
	}
	if err := s.gate.ask("patch_status", o); err != nil {
		return err
	}
	return s.gate.answer(o, s.SubResourceWriter.Patch(ctx, o, patch, opts...))
}

var observations = schema.GroupResource{Group: v1alpha1.GroupVersion.Group, Resource: "kafkaclusterobservations"}

var _ = Describe("A write of an observation", func() {
	var w *world
	var api *gate
	BeforeEach(func(ctx SpecContext) {
		w = newWorld(ctx)
		api = &gate{Client: k8s}
		w.reconciler.Cluster = api
		w.seed(7, 2)
		w.createSource(ctx)
	})

	It("that is stored otherwise than sent is reported, and not repeated sync for sync", func(ctx SpecContext) {
		w.reconcile(ctx)
		api.stored = func(o client.Object) { // As an older CRD leaves it.
			if cluster, is := o.(*v1alpha1.KafkaClusterObservation); is {
				cluster.Status.Phase = ""
			}
		}
		id := w.anyCluster().ID
		Expect(w.cloud.SetClusterPhase(id, "FAILED")).To(Succeed())
		w.sync(ctx)
		Expect(w.condition(ctx, v1alpha1.ConditionReady)).To(Equal("False/WriteFailed"))
		Expect(w.message(ctx, v1alpha1.ConditionReady)).To(And(ContainSubstring(id), ContainSubstring("stored otherwise")))
		Expect(w.recorded()).To(ContainElement(ContainSubstring("stored otherwise")))
	})

	It("that does not stick keeps its waits, whatever else the item and those it is joined with have", func(ctx SpecContext) {
		network := cloudsim.Reference{ID: "n-joined"}
		c := w.anyCluster()
		c.ID, c.Spec.Network, c.Spec.DisplayName = "lkc-joined", &network, "joined"
		w.cloud.PutCluster(c)
		w.cloud.PutPeering(cloudsim.Peering{ID: "p-joined", Spec: cloudsim.PeeringSpec{
			Environment: cloudsim.Reference{ID: environment}, Network: network}, Status: cloudsim.PeeringStatus{Phase: "READY"}})
		api.stored = func(o client.Object) { // As an older CRD leaves it.
			if cluster, is := o.(*v1alpha1.KafkaClusterObservation); is && cluster.Name == c.ID {
				cluster.Status.Phase = ""
			}
		}
		w.reconcile(ctx)
		Expect(w.condition(ctx, v1alpha1.ConditionReady)).To(Equal("False/WriteFailed"))
		var writes []int
		for n := range 8 {
			w.cloud.FailNext(cloudsim.OpListClusters, 1, replacing(w, `"display_name":"joined"`, fmt.Sprintf(`"display_name":"joined","newer":%d`, n)))
			writes = append(writes, len(w.writes(func() { w.sync(ctx) })))
		}
		Expect(writes).To(HaveEach(BeNumerically("<=", 1)))
		Expect(writes).To(ContainElement(0), "%v", writes)
		tried := 0
		for _, n := range writes {
			tried += n
		}
		Expect(tried).To(BeNumerically("<=", 4), "%v", writes)
	})

	It("is not a word of the cloud's too long to store", func(ctx SpecContext) {
		id := w.anyCluster().ID
		Expect(w.cloud.SetClusterPhase(id, strings.Repeat("X", 500_000))).To(Succeed())
		w.reconcile(ctx)
		Expect(w.condition(ctx, v1alpha1.ConditionReady)).To(Equal("True/Succeeded"))
		Expect(w.clusters(ctx)[id].Status.Phase).To(HaveSuffix("…"))
		Expect(w.writes(func() { w.sync(ctx) })).To(BeEmpty())
	})

})
