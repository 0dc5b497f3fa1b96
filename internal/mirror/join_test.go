// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
	"github.com/ccloud-dev/inventory-operator/internal/cloudapi/wire"
)

// withPoints gives a cluster access points.
func withPoints(c *wire.Cluster, points ...string) *wire.Cluster {
	c.Spec.KafkaBootstrapEndpoint, c.Spec.Endpoints = "", map[string]*wire.Endpoint{}
	for _, id := range points {
		c.Spec.Endpoints[id] = &wire.Endpoint{KafkaBootstrapEndpoint: id + ":9092", HTTPEndpoint: "https://" + id, ConnectionType: "PUBLIC"}
	}
	return c
}

// attached returns the names of the peerings a cluster tells of.
func (w *world) attached(cluster string) []string {
	names := []string{}
	for _, p := range w.cluster(cluster).Status.Peerings {
		names = append(names, p.Name)
	}
	return names
}

// reached returns the endpoints a peering tells of, as "cluster/access point".
func (w *world) reached(peering string) []string {
	names := []string{}
	for _, e := range w.peering(peering).Status.Endpoints {
		names = append(names, e.ClusterID+"/"+e.AccessPointID)
	}
	return names
}

func TestClustersAndPeeringsOfANetworkTellOfEachOther(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.list(clusters, true, withPoints(newCluster("lkc-2", "n-1"), "b", "a"), newCluster("lkc-1", "n-1"),
		newCluster("lkc-3", "n-2"), newCluster("lkc-4"))
	pending := newPeering("p-2", "n-1")
	pending.Status.Phase = "PENDING_ACCEPT"
	w.list(peerings, true, pending, newPeering("P_1", "n-1"), newPeering("p-3", "n-3"), newPeering("p-4", ""))
	w.pass()

	upper := ObjectName("P_1")
	both := []v1alpha1.ConnectionSummary{{Name: upper, Phase: "READY"}, {Name: "p-2", Phase: "PENDING_ACCEPT"}}
	w.Expect(w.cluster("lkc-1").Status.Peerings).To(Equal(both), "sorted, under the name of the observation")
	w.Expect(w.cluster("lkc-2").Status.Peerings).To(Equal(both))
	w.Expect(w.attached("lkc-3")).To(BeEmpty(), "another network's are none of it")
	w.Expect(w.attached("lkc-4")).To(BeEmpty(), "no network is no network in common")

	for _, name := range []string{upper, "p-2"} {
		w.Expect(w.peering(name).Status.Endpoints).To(Equal([]v1alpha1.ReachableEndpoint{
			{ClusterID: "lkc-1", KafkaEndpoint: v1alpha1.KafkaEndpoint{BootstrapServers: "lkc-1:9092"}},
			{ClusterID: "lkc-2", KafkaEndpoint: v1alpha1.KafkaEndpoint{AccessPointID: "a", ConnectionType: "PUBLIC",
				BootstrapServers: "a:9092", HTTPEndpoint: "https://a"}},
			{ClusterID: "lkc-2", KafkaEndpoint: v1alpha1.KafkaEndpoint{AccessPointID: "b", ConnectionType: "PUBLIC",
				BootstrapServers: "b:9092", HTTPEndpoint: "https://b"}},
		}), "sorted; a cluster without access points tells its only endpoint")
	}
	w.Expect(w.reached("p-3")).To(BeEmpty())
	w.Expect(w.reached("p-4")).To(BeEmpty())
	w.Expect(w.pass()[clusters].Writes).To(BeEmpty())
}

func TestAClusterWithoutAnyEndpointIsNoEndpoint(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	bare := newCluster("lkc-1", "n-1")
	bare.Spec.KafkaBootstrapEndpoint = ""
	rest := newCluster("lkc-2", "n-1")
	rest.Spec.KafkaBootstrapEndpoint, rest.Spec.HTTPEndpoint = "", "https://rest"
	w.list(clusters, true, bare, rest)
	w.list(peerings, true, newPeering("p-1", "n-1"))
	w.pass()
	w.Expect(w.reached("p-1")).To(Equal([]string{"lkc-2/"}))
}

func TestAPartnersChangeIsOneWriteToEachThatTellsOfIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.list(clusters, true, newCluster("lkc-1", "n-1"), newCluster("lkc-2", "n-1"), newCluster("lkc-3", "n-2"))
	w.list(peerings, true, newPeering("p-1", "n-1"))
	w.pass()
	gone := newPeering("p-1", "n-1")
	gone.Status.Phase = "DISCONNECTED"
	w.list(peerings, true, gone)
	plans := w.pass()
	w.Expect(plans[clusters].Writes).To(HaveLen(2))
	w.Expect(plans[clusters].Writes).To(HaveEach(And(HaveField("Content", true), HaveField("Metadata", false))))
	w.Expect(plans[peerings].Writes).To(HaveLen(1))
}

func TestObjectsShowWhatTheyShowedWhileAKindCannotBeRead(t *testing.T) {
	t.Parallel()
	for kind := range worldKinds {
		t.Run(worldKinds[kind].Name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			listed := func() {
				w.list(clusters, true, newCluster("lkc-1", "n-1"))
				w.list(peerings, true, newPeering("p-1", "n-1"))
				w.list(networked, true, newNetwork("n-1", "10.0.0.0/16"))
				w.list(registries, true, newRegistry("lsrc-1", "https://registry"))
			}
			listed()
			w.pass()
			w.restart()
			listed()
			w.ledgers[kind] = nil
			existing := w.ownedByKind()
			existing[kind] = nil
			for i, desired := range Desire(SourceOwner(w.source), worldKinds, w.ledgers, existing) {
				for name, o := range desired {
					w.Expect(worldKinds[i].same(o, w.objects[i][name])).To(BeTrue(), name)
				}
			}
			existing[kind] = []Object{}
			changed := 0
			for i, desired := range Desire(SourceOwner(w.source), worldKinds, w.ledgers, existing) {
				for name, o := range desired {
					if !worldKinds[i].same(o, w.objects[i][name]) {
						changed++
					}
				}
			}
			want := BeNumerically(">", 0)
			if len(w.objects[kind]) == 0 {
				want = BeZero()
			}
			w.Expect(changed).To(want, "objects that can be read, and are not there, go from what others show")
		})
	}
}

func TestAPartnerStays(t *testing.T) {
	t.Parallel()
	for name, then := range map[string]func(w *world){
		"while its kind's listing is incomplete":            func(w *world) { w.list(peerings, false) },
		"once it is missing, until its observation goes":    func(w *world) { w.list(peerings, true) },
		"while its kind is not listed after a restart":      func(w *world) { w.restart() },
		"while its kind's first listing is incomplete":      func(w *world) { w.restart(); w.list(peerings, false) },
		"once the first listing after a restart lacks it":   func(w *world) { w.restart(); w.list(peerings, true) },
		"while another of its kind is seen after a restart": func(w *world) { w.restart(); w.list(peerings, false, newPeering("p-2", "n-9")) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.list(clusters, true, newCluster("lkc-1", "n-1"))
			w.list(peerings, true, newPeering("p-1", "n-1"))
			w.pass()
			then(w)
			w.list(clusters, true, newCluster("lkc-1", "n-1"))
			writes := w.pass()[clusters].Writes
			w.Expect(w.attached("lkc-1")).To(Equal([]string{"p-1"}), "no peerings may vanish because of a listing of peerings")
			w.Expect(writes).To(BeEmpty())
		})
	}
}

// oneOfEach returns a record of each kind, all of one network.
func oneOfEach() [kindCount]any {
	records := [kindCount]any{clusters: newCluster("x-1", "n-1"), networked: newNetwork("n-1", "10.1.0.0/16"), registries: newRegistry("x-1", "https://1")}
	for _, kind := range connectingKinds() {
		records[kind] = connection(kind, "x-1", "n-1")
	}
	return records
}

// marking returns the names of the kinds whose observations show another object as missing, sorted.
func (w *world) marking() []string {
	kinds := []string{}
	for number, kind := range worldKinds {
		for name := range w.objects[number] {
			o := w.objects[number][name].DeepCopyObject().(Object)
			*kind.conditionsOf(o), *kind.observedOf(o) = nil, "" // Its own.
			text, err := json.Marshal(kind.stored(o))
			w.Expect(err).NotTo(HaveOccurred())
			if strings.Contains(string(text), `"observed":"Missing"`) {
				kinds = append(kinds, kind.Name)
			}
		}
	}
	slices.Sort(kinds)
	return kinds
}

// The observation of a missing object is not Ready. Others that show the object must not look as if it
// were.
func TestAMissingObjectIsMarkedByAllThatShowIt(t *testing.T) {
	t.Parallel()
	records := oneOfEach()
	connects := []string{"Peering", "PrivateLinkAccess", "TransitGatewayAttachment"}
	for kind, record := range records {
		t.Run(worldKinds[kind].Name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.source.Spec.Prune.Policy = v1alpha1.PrunePolicyRetain
			for number := range records {
				w.list(number, true, records[number])
			}
			w.pass()
			w.Expect(w.marking()).To(BeEmpty())
			want, reachable := []string{"KafkaCluster", "Network"}, 2 // They show what connects networks.
			switch kind {
			case clusters:
				want, reachable = append([]string{"Network"}, connects...), 3
			case networked:
				want, reachable = append([]string{"KafkaCluster"}, connects...), 3
			case registries:
				want, reachable = []string{"KafkaCluster"}, 3
			}
			slices.Sort(want)
			w.list(kind, true)
			w.pass()
			w.Expect(w.marking()).To(BeEmpty(), "one listing is no proof")
			w.now = w.now.Add(time.Minute)
			w.list(kind, true)
			w.pass()
			w.Expect(w.marking()).To(Equal(want))
			w.Expect(w.cluster("x-1").Status.ReachableThrough()).To(HaveLen(reachable))

			w.restart()
			for number := range records {
				if number != kind {
					w.list(number, true, records[number])
				}
			}
			for number, plan := range w.pass() {
				w.Expect(plan.Writes).To(BeEmpty(), "%s: before a listing its conditions say what is missing", worldKinds[number].Name)
			}
			w.list(kind, true, record)
			w.pass()
			w.Expect(w.marking()).To(BeEmpty())
		})
	}
}

// A kind that is ignored after a restart shows nothing, also if its objects still exist and no other kind
// was listed since. spec.suspend makes such a time long.
func TestAnIgnoredKindIsShownByNoOther(t *testing.T) {
	t.Parallel()
	for kind := range allKinds {
		t.Run(worldKinds[kind].Name, func(t *testing.T) {
			t.Parallel()
			w, never := newWorld(t), newWorld(t)
			*allKinds[kind].policy(&never.source.Spec) = v1alpha1.MirrorPolicyIgnore
			for number, record := range oneOfEach() {
				w.list(number, true, record)
				if number != kind {
					never.list(number, true, record)
				}
			}
			w.pass()
			never.pass()
			w.restart()
			for number, plan := range w.pass() {
				w.Expect(plan.Writes).To(BeEmpty(), worldKinds[number].Name)
			}
			*allKinds[kind].policy(&w.source.Spec) = v1alpha1.MirrorPolicyIgnore
			w.pass()
			for number := range allKinds {
				w.Expect(w.names(number)).To(Equal(never.names(number)))
				for name, o := range w.objects[number] {
					w.Expect(worldKinds[number].same(o, never.objects[number][name])).To(BeTrue(), "%s %s", worldKinds[number].Name, name)
				}
			}
			for number, plan := range w.pass() {
				w.Expect(plan.Writes).To(BeEmpty(), worldKinds[number].Name)
			}
		})
	}
}

func TestAPartnersEndpointsStayWhileItsListingFails(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.list(clusters, true, withPoints(newCluster("lkc-1", "n-1"), "b", "a"), newCluster("lkc-2", "n-1"))
	w.list(peerings, true, newPeering("p-1", "n-1"))
	w.pass()
	w.restart()
	w.list(peerings, true, newPeering("p-1", "n-1"))
	w.Expect(w.pass()[peerings].Writes).To(BeEmpty())
	w.Expect(w.reached("p-1")).To(Equal([]string{"lkc-1/a", "lkc-1/b", "lkc-2/"}))
}

func TestAPartnerGoesWithItsObservation(t *testing.T) {
	t.Parallel()
	for name, remove := range map[string]func(w *world){
		"once it is pruned": func(w *world) { w.source.Spec.Prune.MaxPercent = ptr[int32](100) },
		"once its kind is ignored": func(w *world) {
			w.source.Spec.Peerings.Policy = v1alpha1.MirrorPolicyIgnore
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.list(clusters, true, newCluster("lkc-1", "n-1"))
			w.list(peerings, true, newPeering("p-1", "n-1"))
			w.pass()
			remove(w)
			for range 2 {
				if w.list(peerings, true); !Peering.Mirrored(w.source) {
					w.ledgers[peerings] = nil
				}
				w.pass()
			}
			w.Expect(w.names(peerings)).To(BeEmpty())
			w.pass() // The deletion wakes the reconciler; no listing is needed.
			w.Expect(w.attached("lkc-1")).To(BeEmpty())
		})
	}
}

// In JSON one character can need six bytes. So a bound of the number alone is none.
func TestWhatOthersShowFitsIntoEtcd(t *testing.T) {
	t.Parallel()
	for name, phase := range map[string]string{
		"usual": "READY", "long": strings.Repeat("P", 300), "HTML": strings.Repeat("<", 300), "control characters": strings.Repeat("\x01", 300),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			long := func(n int) string { return fmt.Sprintf("x-%0248d", n) }
			status, err := json.Marshal(map[string]any{"status": map[string]string{"phase": phase}})
			w.Expect(err).NotTo(HaveOccurred())
			all := [kindCount][]any{clusters: {newCluster("lkc-1", "n-1")}, networked: {newNetwork("n-1", ""), newNetwork("n-2", "")}}
			for _, kind := range connectingKinds() {
				all[kind] = []any{connection(kind, "one", "n-2")}
			}
			for n := range MaxJoined {
				for _, kind := range connectingKinds() {
					record := connection(kind, long(n), "n-1")
					w.Expect(json.Unmarshal(status, record)).To(Succeed())
					all[kind] = append(all[kind], record)
				}
				c := withPoints(newCluster(long(n), "n-2"), "ap1")
				c.Status.Phase, c.Spec.Endpoints["ap1"].HTTPEndpoint = phase, phase
				all[clusters] = append(all[clusters], c)
			}
			for kind, records := range all {
				w.list(kind, true, records...)
			}
			w.pass()
			connected, full, cluster := w.network("n-1"), w.network("n-2"), w.cluster("lkc-1")
			w.Expect(int(full.Status.KafkaClusterCount)).To(Equal(MaxJoined))
			w.Expect(full.Status.KafkaClusters[0].Name).To(Equal(long(0)), "the first by name")
			w.Expect(jsonSize(connected, full)).To(BeNumerically("<", 1<<20), "a network may have both")
			w.Expect(jsonSize(cluster)).To(BeNumerically("<", 1<<20))
			for _, kind := range connectingKinds() {
				o := w.reread(kind, "one")
				w.Expect(int(allKinds[kind].parts(o).reachable.EndpointCount)).To(Equal(MaxJoined))
				w.Expect(jsonSize(o)).To(BeNumerically("<", 1<<20))
				for _, connections := range []*v1alpha1.NetworkConnections{&connected.Status.NetworkConnections, &cluster.Status.NetworkConnections} {
					shown, count := allKinds[kind].shown(connections)
					w.Expect(int(*count)).To(Equal(MaxJoined), "the number is whole")
					w.Expect((*shown)[0].Name).To(Equal(long(0)), "the first by name")
					if name == "usual" {
						w.Expect(*shown).To(HaveLen(MaxJoined))
					} else {
						w.Expect(len(*shown)).To(BeNumerically("<", MaxJoined))
					}
				}
			}
			for kind, plan := range w.pass() {
				w.Expect(plan.Writes).To(BeEmpty(), worldKinds[kind].Name)
			}
		})
	}
}

func TestAJoinIsBoundedAndCounted(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ clusters, points, peerings int }{
		"few clusters of many access points": {9, 1000, 1},
		"many clusters of few":               {2000, 3, 2},
		"many peerings":                      {2, 1, 1200},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			var allClusters, allPeerings []any
			for i := range c.clusters {
				points := make([]string, c.points)
				for p := range points {
					points[p] = fmt.Sprintf("ap%04d", p)
				}
				allClusters = append(allClusters, withPoints(newCluster(fmt.Sprintf("lkc-%04d", i), "n-1"), points...))
			}
			for i := range c.peerings {
				allPeerings = append(allPeerings, newPeering(fmt.Sprintf("p-%04d", i), "n-1"))
			}
			w.list(clusters, true, allClusters...)
			w.list(peerings, true, allPeerings...)
			w.pass()
			cluster, peering := w.cluster("lkc-0000"), w.peering("p-0000")
			w.Expect(peering.Status.Phase).To(Equal("READY"))
			w.Expect(peering.Status.EndpointCount).To(BeEquivalentTo(c.clusters * c.points))
			w.Expect(peering.Status.Endpoints).To(HaveLen(min(MaxJoined, c.clusters*c.points)))
			w.Expect(peering.Status.Endpoints[0]).To(And(HaveField("ClusterID", "lkc-0000"), HaveField("AccessPointID", "ap0000")))
			w.Expect(cluster.Status.PeeringCount).To(BeEquivalentTo(c.peerings))
			w.Expect(cluster.Status.Peerings).To(HaveLen(min(MaxJoined, c.peerings)))
			w.Expect(cluster.Status.Peerings[0].Name).To(Equal("p-0000"), "the first by name")
			text, err := json.Marshal(peering)
			w.Expect(err).NotTo(HaveOccurred())
			w.Expect(len(text)).To(BeNumerically("<", 1<<20), "it fits into etcd")
			w.Expect(w.pass()[peerings].Writes).To(BeEmpty())
		})
	}
}
