// SPDX-License-Identifier: Apache-2.0

package contract

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	. "github.com/onsi/gomega"

	"github.com/ccloud-dev/inventory-operator/internal/cloudapi"
	"github.com/ccloud-dev/inventory-operator/test/cloudsim"
)

// silence is an answer that the SDK reads as an empty environment, without an error.
// A tool that prunes what a listing lacks would then prune everything.
type silence struct {
	what   string
	status int
	media  string // empty for JSON
	body   string // LIST stands for the kind of the list
	class  cloudapi.Class
}

// silences is the table of README.md: what gateways, proxies and half-broken servers
// give, and its close relatives.
var silences = []silence{
	{"nothing at all", 200, "", "", cloudapi.Malformed},
	{"nothing, as a web page", 200, "text/html", "", cloudapi.Malformed},
	{"no content", 204, "", "", cloudapi.Malformed},
	{"accepted, no more", 202, "", "", cloudapi.Malformed},
	{"null", 200, "", `null`, cloudapi.Malformed},
	{"an empty object", 200, "", `{}`, cloudapi.Malformed},
	{"a list without its items", 200, "", `{"api_version":"v","kind":"LIST","metadata":{}}`, cloudapi.Malformed},
	{"items elsewhere", 200, "", `{"kind":"LIST","metadata":{},"items":[{"id":"x-1"}]}`, cloudapi.Malformed},
	{"a list of nothing in particular", 200, "", `{"metadata":{},"data":[]}`, cloudapi.Malformed},
	{"a list of another kind", 200, "", `{"kind":"GatewayList","metadata":{},"data":[]}`, cloudapi.Malformed},
	{"items twice, in the end none", 200, "", `{"kind":"LIST","data":[{"id":"x-1"}],"data":[]}`, cloudapi.Malformed},
	{"errors called a success", 200, "", `{"errors":[{"status":"403","code":"user_unauthorized"}]}`, cloudapi.Malformed},
	{"an error called a success", 200, "", `{"error_code":429,"message":"Too many requests"}`, cloudapi.Malformed},
	{"a gateway's message", 200, "", `{"message":"no healthy upstream"}`, cloudapi.Malformed},
	{"any XML", 200, "text/xml", `<html><body>Sign in</body></html>`, cloudapi.Malformed},
	{"no items of twelve", 200, "", `{"kind":"LIST","metadata":{"total_size":12},"data":[]}`, cloudapi.Incomplete},
}

// handler gives the answer.
func (s *silence) handler(listKind string) http.Handler {
	media := s.media
	if media == "" {
		media = "application/json"
	}
	return cloudsim.Status(s.status, strings.ReplaceAll(s.body, "LIST", listKind), http.Header{"Content-Type": {media}})
}

// row is the silence's row of the table in README.md.
func (s *silence) row() string {
	head, body := strconv.Itoa(s.status), "nothing"
	if s.media != "" {
		head += ", " + s.media
	}
	if s.body != "" {
		body = "`" + s.body + "`"
	}
	return fmt.Sprintf("| %s | %s | %s | no objects, no error | %s |", s.what, head, body, s.class)
}

// readers lists the objects of one operation with the SDK and with ours: how many
// there are, and whether that is to be believed.
type readers struct {
	listKind string
	vendor   func(context.Context, sdk) (int, error)
	ours     func(context.Context, *cloudapi.Client) (int, error)
}

var operations = map[string]readers{
	"clusters": {"ClusterList",
		func(ctx context.Context, s sdk) (int, error) {
			items, err := s.listClusters(ctx, cloudapi.ClusterFilter{Environment: environment})
			return len(items), err
		},
		func(ctx context.Context, c *cloudapi.Client) (int, error) {
			return trusted(listClusters(ctx, c, cloudapi.ClusterFilter{Environment: environment}))
		}},
	"peerings": {"PeeringList",
		func(ctx context.Context, s sdk) (int, error) {
			items, err := s.listPeerings(ctx, cloudapi.ConnectionFilter{Environment: environment})
			return len(items), err
		},
		func(ctx context.Context, c *cloudapi.Client) (int, error) {
			return trusted(listPeerings(ctx, c, cloudapi.ConnectionFilter{Environment: environment}))
		}},
	"networks": {"NetworkList",
		func(ctx context.Context, s sdk) (int, error) {
			items, err := s.listNetworks(ctx, cloudapi.NetworkFilter{Environment: environment})
			return len(items), err
		},
		func(ctx context.Context, c *cloudapi.Client) (int, error) {
			return trusted(listNetworks(ctx, c, cloudapi.NetworkFilter{Environment: environment}))
		}},
	"registries": {"ClusterList",
		func(ctx context.Context, s sdk) (int, error) {
			items, err := s.listRegistries(ctx)
			return len(items), err
		},
		func(ctx context.Context, c *cloudapi.Client) (int, error) { return trusted(listRegistries(ctx, c)) }},
	"transitGatewayAttachments": connectionsSilent(transitGateways, "TransitGatewayAttachmentList"),
	"privateLinkAccesses":       connectionsSilent(privateLinks, "PrivateLinkAccessList"),
}

// connectionsSilent lists the objects of a kind that connects networks.
func connectionsSilent(c connectionReaders, listKind string) readers {
	f := cloudapi.ConnectionFilter{Environment: environment}
	return readers{listKind,
		func(ctx context.Context, s sdk) (int, error) {
			items, err := c.vendor(ctx, s, f)
			return len(items), err
		},
		func(ctx context.Context, client *cloudapi.Client) (int, error) {
			items, err := c.ours(ctx, client, f)
			return len(items), err
		}}
}

// trusted is how many items a listing has, and the error that keeps a caller from
// taking what it lacks for gone.
func trusted[T any](l *cloudapi.Listing[T], err error) (int, error) {
	if err != nil {
		return 0, err
	}
	return len(l.Items), l.Complete()
}

func TestWhatTheSDKTakesForAnEmptyEnvironmentIsAnErrorToOurs(t *testing.T) {
	for name, read := range operations {
		for _, s := range silences {
			t.Run(name+" "+s.what, func(t *testing.T) {
				g := NewWithT(t)
				server := serve(t, s.handler(read.listKind))
				n, err := read.vendor(t.Context(), vendor(server, nil))
				g.Expect(err).NotTo(HaveOccurred(), "the SDK has learned to tell: take it out of the table")
				g.Expect(n).To(BeZero())
				_, err = read.ours(t.Context(), ours(t, server))
				g.Expect(cloudapi.ClassOf(err).String()).To(Equal(s.class.String()))
			})
		}
	}
}

// Behind a first page the same answers end the SDK's listing early, which is worse to
// notice: some objects are still there.
func TestWhatTheSDKTakesForTheLastPageIsAnErrorToOurs(t *testing.T) {
	sim := newSim(cloudsim.Options{}, 2*clustersPerPage, 2*peeringsPerPage)
	addNetworks(sim, 2*networksPerPage)
	addRegistries(sim, 2*registriesPerPage)
	firstPage := map[string]int{"clusters": clustersPerPage, "peerings": peeringsPerPage, "networks": networksPerPage,
		"registries": registriesPerPage}
	for _, c := range connections {
		c.addMore(sim, 2*connectionsPerPage)
		firstPage[c.plural] = connectionsPerPage
	}
	for name, read := range operations {
		for _, s := range silences {
			if s.class == cloudapi.Incomplete {
				continue // a total lower than what came is no sign: the cloud's may be
			}
			t.Run(name+" "+s.what, func(t *testing.T) {
				g := NewWithT(t)
				silent := s.handler(read.listKind)
				server := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if r.URL.Query().Has("page_token") {
						silent.ServeHTTP(w, r)
						return
					}
					sim.Handler().ServeHTTP(w, r)
				}))
				n, err := read.vendor(t.Context(), vendor(server, nil))
				g.Expect(err).NotTo(HaveOccurred())
				g.Expect(n).To(Equal(firstPage[name]))
				_, err = read.ours(t.Context(), ours(t, server))
				g.Expect(cloudapi.ClassOf(err).String()).To(Equal(s.class.String()))
			})
		}
	}
}

// The SDK goes where an answer sends it, and believes what it is told there.
func TestTheSDKFollowsToAnotherHostAndOursDoesNot(t *testing.T) {
	for name, read := range operations {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			var reached atomic.Int32
			portal := silence{status: http.StatusOK, body: `{}`}
			elsewhere := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				reached.Add(1)
				portal.handler(read.listKind).ServeHTTP(w, r)
			}))
			server := serve(t, http.RedirectHandler(elsewhere, http.StatusFound))
			n, err := read.vendor(t.Context(), vendor(server, nil))
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(n).To(BeZero())
			g.Expect(reached.Swap(0)).To(BeEquivalentTo(1))
			_, err = read.ours(t.Context(), ours(t, server))
			g.Expect(cloudapi.ClassOf(err).String()).To(Equal(cloudapi.Malformed.String()))
			g.Expect(reached.Load()).To(BeZero())
		})
	}
}

// What does mean an empty environment means it to both.
func TestAnEmptyEnvironmentIsNoError(t *testing.T) {
	for name, read := range operations {
		for _, body := range []string{
			`{"api_version":"v","kind":"LIST","metadata":{},"data":[]}`,
			`{"api_version":"v","kind":"LIST","metadata":{"next":null,"total_size":0},"data":[]}`,
			`{"api_version":"v","kind":"LIST","metadata":{},"data":null}`,
		} {
			t.Run(name+" "+body, func(t *testing.T) {
				g := NewWithT(t)
				s := silence{status: http.StatusOK, body: body}
				server := serve(t, s.handler(read.listKind))
				n, err := read.vendor(t.Context(), vendor(server, nil))
				g.Expect(err).NotTo(HaveOccurred())
				g.Expect(n).To(BeZero())
				n, err = read.ours(t.Context(), ours(t, server))
				g.Expect(err).NotTo(HaveOccurred())
				g.Expect(n).To(BeZero())
			})
		}
	}
}

func TestTheTableInTheReadmeIsTheOneTested(t *testing.T) {
	g := NewWithT(t)
	readme, err := os.ReadFile("README.md")
	g.Expect(err).NotTo(HaveOccurred())
	var rows []string
	for line := range strings.Lines(string(readme)) {
		if strings.Contains(line, "| no objects, no error |") {
			rows = append(rows, strings.TrimSpace(line))
		}
	}
	var want []string
	for _, s := range silences {
		want = append(want, s.row())
	}
	g.Expect(rows).To(Equal(want), "README.md must have:\n"+strings.Join(want, "\n"))
}

// Beyond that, the SDK loses a page or a field where ours loses at most an item.
func TestWhereTheSDKCannotFollow(t *testing.T) {
	first := func(edit func(item object)) func(page object) {
		return func(page object) { edit(page["data"].([]any)[0].(object)) }
	}
	tests := map[string]struct {
		edit func(page object)
		// kept is how many of the 12 clusters the SDK still gives, ours how many ours.
		kept, ours int
		class      cloudapi.Class
	}{
		"a date that is none":      {first(func(item object) { member(item, "metadata")["created_at"] = "yesterday" }), 0, 12, cloudapi.None},
		"an empty date":            {first(func(item object) { member(item, "metadata")["deleted_at"] = "" }), 0, 12, cloudapi.None},
		"a cku of another type":    {first(func(item object) { member(item, "spec", "config")["cku"] = "two" }), 0, 11, cloudapi.Incomplete},
		"a phase of another type":  {first(func(item object) { member(item, "status")["phase"] = 1 }), 0, 11, cloudapi.Incomplete},
		"an item that is a string": {func(page object) { page["data"].([]any)[0] = "lkc-1" }, 0, 11, cloudapi.Incomplete},
		// Here it is the SDK that keeps too much: an object without an ID.
		"an item that is null":  {func(page object) { page["data"].([]any)[0] = nil }, 12, 11, cloudapi.Incomplete},
		"an item without an id": {first(func(item object) { delete(item, "id") }), 12, 11, cloudapi.Incomplete},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			server := serve(t, edited(newSim(cloudsim.Options{}, 12, 7).Handler(), tt.edit))
			read := operations["clusters"]
			n, err := read.vendor(t.Context(), vendor(server, nil))
			g.Expect(n).To(Equal(tt.kept))
			if tt.kept == 0 {
				g.Expect(err).To(HaveOccurred(), "the whole page is lost, and at least not without a word")
			} else {
				g.Expect(err).NotTo(HaveOccurred())
			}
			n, err = read.ours(t.Context(), ours(t, server))
			g.Expect(n).To(Equal(tt.ours))
			g.Expect(cloudapi.ClassOf(err).String()).To(Equal(tt.class.String()))
		})
	}
}

// A type that is new to the SDK is gone from what it returns, without an error.
func TestATypeNewToTheSDKIsKeptByOurs(t *testing.T) {
	g := NewWithT(t)
	server := serve(t, edited(newSim(cloudsim.Options{}, 12, 7).Handler(), eachItem(func(item object) {
		if config, ok := member(item, "spec")["config"].(object); ok {
			config["kind"] = "Turbo"
			return
		}
		member(item, "spec", "cloud")["kind"] = "OracleCloudPeering"
	})))
	clusters, err := vendor(server, nil).listClusters(t.Context(), cloudapi.ClusterFilter{Environment: environment})
	g.Expect(err).NotTo(HaveOccurred())
	gotClusters, err := listClusters(t.Context(), ours(t, server), cloudapi.ClusterFilter{Environment: environment})
	g.Expect(err).NotTo(HaveOccurred())
	for i := range clusters {
		g.Expect(clusters[i].Spec.Config.Kind).To(BeEmpty())
		g.Expect(records(gotClusters)[i].Spec.Config.Kind).To(Equal("Turbo"))
	}
	peerings, err := vendor(server, nil).listPeerings(t.Context(), cloudapi.ConnectionFilter{Environment: environment})
	g.Expect(err).NotTo(HaveOccurred())
	gotPeerings, err := listPeerings(t.Context(), ours(t, server), cloudapi.ConnectionFilter{Environment: environment})
	g.Expect(err).NotTo(HaveOccurred())
	for i := range peerings {
		g.Expect(peerings[i].Spec.Cloud.Kind).To(BeEmpty())
		g.Expect(records(gotPeerings)[i].Spec.Cloud.Kind).To(Equal("OracleCloudPeering"))
	}
}
