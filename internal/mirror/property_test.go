// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"fmt"
	"maps"
	"math/rand"
	"slices"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
	"github.com/ccloud-dev/inventory-operator/internal/cloudapi/wire"
)

const (
	propertyRuns  = 60
	propertySteps = 60
)

// chance plays one life of a world at random.
type chance struct {
	*world
	*rand.Rand
	// cloud is what there is, by kind and ID.
	cloud [2]map[string]any
	// heard are the listings since the manager's start, by kind.
	heard [2][]hearing
	// pruned counts deletions.
	pruned int
}

// hearing is one listing as the test itself remembers it, to tell by other means
// than the ledger's what may be pruned.
type hearing struct {
	complete bool
	scope    string
	names    map[string]bool
}

var propertyPhases = [2][]string{
	clusters: {"PROVISIONING", "PROVISIONED", "FAILED", "", "NEWER"},
	peerings: {"PROVISIONING", "PENDING_ACCEPT", "READY", "FAILED", "DISCONNECTED", "NEWER"},
}

// mutate changes the cloud: it adds, changes or removes one object.
func (c *chance) mutate() {
	kind := c.Intn(2)
	id := fmt.Sprintf("ID_%d", c.Intn(12))
	if c.Intn(3) == 0 {
		delete(c.cloud[kind], id)
		return
	}
	phase := propertyPhases[kind][c.Intn(len(propertyPhases[kind]))]
	network := fmt.Sprintf("n-%d", c.Intn(3))
	if kind == clusters {
		r := withPoints(newCluster(id, network), []string{"PUBLIC", "ap1", "ap2"}[:c.Intn(4)]...)
		r.Status.Phase, r.Metadata.UpdatedAt = phase, began.Add(time.Duration(c.Intn(9e9))).Format(time.RFC3339Nano)
		c.cloud[kind][id] = r
		return
	}
	r := newPeering(id, network)
	r.Status = wire.PeeringStatus{Phase: phase, ErrorCode: []string{"", "E1"}[c.Intn(2)]}
	c.cloud[kind][id] = r
}

// vandalize does what a stranger may to one observation.
func (c *chance) vandalize() {
	kind := c.Intn(2)
	names := c.names(kind)
	if len(names) == 0 {
		return
	}
	name := names[c.Intn(len(names))]
	o := stored(c.objects[kind][name])
	switch c.Intn(5) {
	case 0:
		delete(c.objects[kind], name)
		return
	case 1:
		o.SetLabels(pairs{"theirs": "1"})
	case 2:
		o.SetOwnerReferences(nil)
	case 3:
		*o.Conditions() = nil
	case 4:
		o.CopyStatus(project(map[int]any{clusters: &wire.Cluster{}, peerings: &wire.Peering{}}[kind]))
	}
	c.objects[kind][name] = o
}

// listSome lists one kind, each object with a probability, and notes it.
func (c *chance) listSome(kind int, complete bool, probability float64) {
	h := hearing{complete: complete, scope: c.scope, names: map[string]bool{}}
	var listed []any
	for _, id := range slices.Sorted(maps.Keys(c.cloud[kind])) {
		r := c.cloud[kind][id]
		if c.Float64() < probability {
			listed = append(listed, r)
			h.names[ObjectName(project(r).CloudID())] = true
		}
	}
	c.list(kind, complete, listed...)
	c.heard[kind] = append(c.heard[kind], h)
}

// lacked returns in how many complete listings in a row, up to the last, all under
// one scope and none the first since the start, an object was not.
func (c *chance) lacked(kind int, name string) int {
	heard := c.heard[kind]
	first := slices.IndexFunc(heard, func(h hearing) bool { return h.complete })
	n, scope := 0, ""
	for i := len(heard) - 1; i > first && first >= 0; i-- {
		h := heard[i]
		switch {
		case h.names[name], h.complete && scope != "" && h.scope != scope:
			return n
		case h.complete:
			scope = h.scope
			n++
		}
	}
	return n
}

// step does one thing that can happen and checks what was planned then.
func (c *chance) step() {
	c.now = c.now.Add(time.Duration(c.Intn(120)) * time.Second)
	fresh := [2]bool{}
	switch c.Intn(14) {
	case 0:
		c.restart()
		c.heard = [2][]hearing{}
	case 1:
		c.scope = []string{"s", "t"}[c.Intn(2)]
	case 2:
		c.vandalize()
	case 3:
		c.listSome(c.Intn(2), false, c.Float64())
	case 4, 5: // What a key sees that may not see all.
		kind := c.Intn(2)
		c.listSome(kind, true, c.Float64())
		fresh[kind] = true
	case 6:
		c.source.Spec.Prune.AfterMisses = ptr(int32(1 + c.Intn(3)))
	case 7:
		c.source.Spec.Prune.MaxPercent = ptr([]int32{0, 20, 50, 100}[c.Intn(4)])
	case 8, 9, 10:
		c.mutate()
	default:
		for kind := range fresh {
			c.listSome(kind, true, 1)
			fresh[kind] = true
		}
	}
	totals := [2]int{len(c.owned(clusters)), len(c.owned(peerings))}
	for kind, plan := range c.pass() {
		c.check(kind, plan, fresh[kind], totals[kind])
	}
}

// check holds a plan against the contract's rules 2 and 4.
func (c *chance) check(kind int, plan *Plan, fresh bool, total int) {
	if len(plan.Deletes) == 0 {
		return
	}
	c.pruned += len(plan.Deletes)
	c.Expect(fresh).To(BeTrue(), "no plan without a complete listing of its own deletes")
	prune := c.source.Spec.Prune
	last := c.heard[kind][len(c.heard[kind])-1]
	for _, o := range plan.Deletes {
		c.Expect(c.lacked(kind, o.GetName())).To(BeNumerically(">=", prune.GetAfterMisses()), o.GetName())
		c.Expect(last.names).NotTo(HaveKey(o.GetName()))
	}
	if prune.GetMaxPercent() < 100 {
		c.Expect(last.names).NotTo(BeEmpty(), "an empty listing deletes nothing")
		if n := len(plan.Deletes); n > 1 {
			c.Expect(n * 100).To(BeNumerically("<=", prune.GetMaxPercent()*total))
		}
	}
}

// settle lists all there is until the last prune is confirmed, and holds what
// there is then against the cloud.
func (c *chance) settle() {
	c.source.Spec.Prune.MaxPercent = ptr[int32](100)
	for range 6 {
		for kind := range c.cloud {
			c.listSome(kind, true, 1)
		}
		c.pass()
	}
	for kind := range c.cloud {
		c.Expect(c.names(kind)).To(HaveLen(len(c.cloud[kind])))
	}
	desired := Desire(c.ledgers, [][]v1alpha1.Observation{c.owned(clusters), c.owned(peerings)})
	for kind, records := range c.cloud {
		for _, r := range records {
			want := stamped(c.source, r)
			got := c.objects[kind][want.GetName()]
			c.Expect(got).NotTo(BeNil(), want.GetName())
			c.Expect(got.SameStatus(desired[kind][want.GetName()])).To(BeTrue())
			c.Expect(got.Phase()).To(Equal(want.Phase()))
			c.Expect(sameMetadata(got, want)).To(BeTrue())
			c.Expect(brief(got, v1alpha1.ConditionObserved)).To(Equal("True/Listed"))
		}
	}
	for range 2 {
		for _, plan := range c.pass() {
			c.Expect(plan.Writes).To(BeEmpty(), "a plan carried out leaves nothing to write")
			c.Expect(plan.Deletes).To(BeEmpty())
		}
	}
}

func TestAnyHistoryPrunesByTheRulesAndConvergesToTheCloud(t *testing.T) {
	t.Parallel()
	pruned := 0
	for seed := range propertyRuns {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			c := &chance{world: newWorld(t), Rand: rand.New(rand.NewSource(int64(seed))), cloud: [2]map[string]any{{}, {}}}
			for range propertySteps {
				c.step()
			}
			c.settle()
			pruned += c.pruned
		})
	}
	NewWithT(t).Expect(pruned).To(BeNumerically(">", propertyRuns), "there was something to hold against the rules")
}
