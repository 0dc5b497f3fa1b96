// SPDX-License-Identifier: Apache-2.0

package contract

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"testing"

	. "github.com/onsi/gomega"

	"github.com/ccloud-dev/inventory-operator/internal/cloudapi"
	"github.com/ccloud-dev/inventory-operator/internal/cloudapi/wire"
	"github.com/ccloud-dev/inventory-operator/test/cloudsim"
)

const connectionsPerPage = 1000

// connectionReaders is one kind whose objects connect networks, beside peerings, and how both list it.
type connectionReaders struct {
	// plural is the simulated cloud's name for the documents.
	plural string
	path   string
	// vendor and ours read all pages. The records of both are those of this project.
	vendor func(context.Context, sdk, cloudapi.ConnectionFilter) ([]any, error)
	ours   func(context.Context, *cloudapi.Client, cloudapi.ConnectionFilter) ([]any, error)
	// bare returns the kind of a record's cloud, and the record without what the SDK leaves out if that
	// kind is new to it.
	bare func(record any) (kind string, bare any)
}

var connections = []connectionReaders{transitGateways, privateLinks}

// documents returns the simulated cloud's documents of the kind.
func (c connectionReaders) documents(sim *cloudsim.Sim) cloudsim.Documents {
	for _, d := range sim.Documents() {
		if d.Plural == c.plural {
			return d
		}
	}
	panic("no such documents: " + c.plural)
}

// addMore adds so many objects of the kind, all like the first.
func (c connectionReaders) addMore(sim *cloudsim.Sim, n int) {
	documents := c.documents(sim)
	first, err := documents.Get(documents.IDs(environment)[0])
	if err != nil {
		panic(err) // It was listed just now.
	}
	for i := range n {
		documents.Copy(first, fmt.Sprintf("more-%04d", i))
	}
}

// oursOf returns a reader of all pages by this project's client.
func oursOf[R any](o *cloudapi.Operation[R, cloudapi.ConnectionFilter]) func(context.Context, *cloudapi.Client, cloudapi.ConnectionFilter) ([]any, error) {
	return func(ctx context.Context, c *cloudapi.Client, f cloudapi.ConnectionFilter) ([]any, error) {
		l, err := cloudapi.List(ctx, c, o, f, nil, whole[R])
		if err != nil {
			return nil, err
		}
		var all []any
		for _, r := range records(l) {
			all = append(all, r)
		}
		return all, l.Complete()
	}
}

// listRequest is a request of the SDK for one kind.
type listRequest[Self any] interface {
	Environment(string) Self
	PageSize(int32) Self
	SpecNetwork([]string) Self
	SpecDisplayName([]string) Self
	StatusPhase([]string) Self
	PageToken(string) Self
}

// filtered sets the parameters of a filter, in the order of the SDK's documentation.
func filtered[R listRequest[R]](r R, f cloudapi.ConnectionFilter, token string) R {
	r = r.Environment(f.Environment).PageSize(connectionsPerPage)
	if len(f.Networks) > 0 {
		r = r.SpecNetwork(f.Networks)
	}
	if len(f.DisplayNames) > 0 {
		r = r.SpecDisplayName(f.DisplayNames)
	}
	if len(f.Phases) > 0 {
		r = r.StatusPhase(f.Phases)
	}
	if token != "" {
		r = r.PageToken(token)
	}
	return r
}

// asAny returns records as values of any type.
func asAny[R any](records []R, err error) ([]any, error) {
	var all []any
	for _, r := range records {
		all = append(all, r)
	}
	return all, err
}

// filters returns filters of every sort.
func (c connectionReaders) filters(sim *cloudsim.Sim) map[string]cloudapi.ConnectionFilter {
	networks := someNetworks(sim)
	names := []string{"prod-tgw-us-east-1", `a "name" & <more>, é`}
	phases := []string{cloudsim.PhaseReady, cloudsim.PhaseFailed}
	return map[string]cloudapi.ConnectionFilter{
		"all":               {Environment: environment},
		"several networks":  {Environment: environment, Networks: networks},
		"names":             {Environment: environment, DisplayNames: names},
		"phases":            {Environment: environment, Phases: phases},
		"everything":        {Environment: environment, Networks: networks, DisplayNames: names, Phases: phases},
		"another one's env": {Environment: "env-none/&x=é"},
	}
}

func TestConnectionsAreAskedForAndReadAsTheSDKDoes(t *testing.T) {
	for _, c := range connections {
		sim := newSim(cloudsim.Options{}, 150, 150)
		c.addMore(sim, 2*connectionsPerPage)
		w := &witness{next: sim.Handler(), spec: specs(t)}
		server := serve(t, w)
		client, reference := ours(t, server), vendor(server, nil)
		for name, f := range c.filters(sim) {
			t.Run(c.plural+" "+name, func(t *testing.T) {
				g := NewWithT(t)
				got, err := c.ours(t.Context(), client, f)
				mine := w.take()
				g.Expect(w.breaches).To(BeEmpty())
				want, refused := c.vendor(t.Context(), reference, f)
				g.Expect(mine).To(Equal(w.take()), "the SDK asks the same, in the same order")
				if refused != nil {
					g.Expect(err).To(HaveOccurred())
					return
				}
				g.Expect(err).NotTo(HaveOccurred())
				g.Expect(got).To(HaveLen(len(want)))
				for i := range want {
					g.Expect(got[i]).To(Equal(want[i]))
				}
				if name == "all" {
					g.Expect(mine).To(HaveLen(3))
					g.Expect(want).To(HaveLen(len(c.documents(sim).IDs(environment))))
				}
			})
		}
	}
}

func TestEveryPageOfConnectionsConforms(t *testing.T) {
	for _, c := range connections {
		t.Run(c.plural, func(t *testing.T) {
			g, p, pages := NewWithT(t), specs(t), 0
			sim := newSim(cloudsim.Options{}, 150, 150)
			sim.AddEnvironment("env-empty")
			server, documents := serve(t, sim.Handler()), c.documents(sim)
			visit := func(a answer) {
				pages++
				g.Expect(p.checkAnswer(a)).To(Succeed())
				g.Expect(p.missingHeaders(a)).To(BeEmpty())
			}
			for _, query := range []string{filter(), filter("page_size=1"), filter("page_size=3"), filter("page_size=1000"),
				filter("spec.network=n-none"), filter("status.phase=READY", "page_size=2"), filter("status.phase=FAILED", "status.phase=PROVISIONING"),
				filter("spec.display_name=" + url.QueryEscape(`a "name" & <more>, é`)), "?environment=env-empty"} {
				walk(t, server+c.path+query, visit)
			}
			g.Expect(pages).To(BeNumerically(">", 30))
			for _, phase := range documents.Phases {
				g.Expect(documents.SetPhase(documents.IDs(environment)[0], phase, false)).To(Succeed())
				visit(ask(t, server+c.path+filter("page_size=100"), withKey))
			}
			for query, want := range map[string]int{filter("page_size=1001"): http.StatusBadRequest, "": http.StatusBadRequest, "?environment=env-none": http.StatusForbidden} {
				refusal := ask(t, server+c.path+query, withKey)
				g.Expect(refusal.status).To(Equal(want), query)
				g.Expect(p.checkAnswer(refusal)).To(Succeed())
			}
		})
	}
}

func TestOursReadsConnectionsOfTheFieldAsTheSDKDoes(t *testing.T) {
	for _, c := range connections {
		t.Run(c.plural, func(t *testing.T) {
			sim := newSim(cloudsim.Options{Mode: cloudsim.ModeWire}, 150, 150)
			w := &witness{next: sim.Handler(), spec: specs(t)}
			server := serve(t, w)
			client, reference := ours(t, server), vendor(server, nil)
			f := cloudapi.ConnectionFilter{Environment: environment}
			for range listingsInTheField {
				g := NewWithT(t)
				want, err := c.vendor(t.Context(), reference, f)
				g.Expect(err).NotTo(HaveOccurred())
				got, err := c.ours(t.Context(), client, f)
				g.Expect(err).NotTo(HaveOccurred())
				g.Expect(got).To(HaveLen(len(want)))
				strange := 0
				for i := range want {
					if kind, _ := c.bare(want[i]); kind == "" {
						strange++
						_, got[i] = c.bare(got[i])
					}
					g.Expect(got[i]).To(Equal(want[i]))
				}
				g.Expect(strange).NotTo(BeZero())
				g.Expect(w.breaches).To(BeEmpty())
			}
		})
	}
}

// referenceOf is a reference as the SDK read it.
func referenceOf(id, environment, resourceName, related string) wire.Reference {
	return wire.Reference{ID: id, Environment: environment, ResourceName: resourceName, Related: related}
}
