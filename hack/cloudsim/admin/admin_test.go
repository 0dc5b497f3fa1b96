package admin_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	. "github.com/onsi/gomega"

	"github.com/ccloud-dev/inventory-operator/hack/cloudsim/admin"
	"github.com/ccloud-dev/inventory-operator/test/cloudsim"
)

const (
	env          = "env-abc123"
	cloudURL     = "http://cloud.invalid"
	clustersPath = "/cmk/v2/clusters"
	peeringsPath = "/networking/v1/peerings"
)

// newSim returns a simulator with an empty environment and a key for everything.
func newSim() *cloudsim.Sim {
	s := cloudsim.New(cloudsim.Options{})
	s.AddKey(cloudsim.Key{ID: "KEY", Secret: "SECRET"})
	s.AddEnvironment(env)
	return s
}

// answer is what came back from the cloud or the admin interface.
type answer struct {
	status int
	header http.Header
	body   string
}

func ask(h http.Handler, r *http.Request) answer {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return answer{w.Code, w.Header(), w.Body.String()}
}

// get asks the cloud with the good key.
func get(s *cloudsim.Sim, path string) answer {
	r := httptest.NewRequest(http.MethodGet, path+"?environment="+env, nil)
	r.SetBasicAuth("KEY", "SECRET")
	return ask(s.Handler(), r)
}

// ofAdmin asks the admin interface.
func ofAdmin(s *cloudsim.Sim, method, target, body string) answer {
	return ask(admin.Handler(s, cloudURL), httptest.NewRequest(method, target, strings.NewReader(body)))
}

const (
	goodCluster = `{"id":"lkc-1","spec":{"display_name":"a","availability":"LOW","cloud":"AWS","region":"us-east-1",
		"config":{"kind":"Basic"},"environment":{"id":"env-abc123"}},"status":{"phase":"PROVISIONED"}}`
	goodPeering = `{"id":"p-1","spec":{"cloud":{"kind":"AwsPeering","account":"012345678901","vpc":"vpc-1","routes":[],
		"customer_region":"us-east-1"},"environment":{"id":"env-abc123"},"network":{"id":"n-1"}},"status":{"phase":"READY"}}`
	goodAttachment = `{"id":"tgwa-1","spec":{"cloud":{"kind":"AwsTransitGatewayAttachment","ram_share_arn":"arn:1","transit_gateway_id":"tgw-1",
		"routes":[]},"environment":{"id":"env-abc123"},"network":{"id":"n-1"}},"status":{"phase":"READY"}}`
	goodAccess = `{"id":"pla-1","spec":{"cloud":{"kind":"AwsPrivateLinkAccess","account":"012345678901"},
		"environment":{"id":"env-abc123"},"network":{"id":"n-1"}},"status":{"phase":"READY"}}`
)

func TestAdminAddsChangesAndRemoves(t *testing.T) {
	for _, c := range []struct{ path, id, doc, phase string }{
		{"/clusters", "lkc-1", goodCluster, "FAILED"},
		{"/peerings", "p-1", goodPeering, "DISCONNECTED"},
		{"/transitGatewayAttachments", "tgwa-1", goodAttachment, "ERROR"},
		{"/privateLinkAccesses", "pla-1", goodAccess, "FAILED"},
	} {
		t.Run(c.path, func(t *testing.T) {
			g := NewWithT(t)
			s := newSim()
			one := c.path + "/" + c.id
			added := ofAdmin(s, "POST", c.path, c.doc)
			g.Expect(added.status).To(Equal(http.StatusCreated), added.body)
			g.Expect(added.header.Get("Content-Type")).To(Equal("application/json"))
			g.Expect(added.body).To(ContainSubstring(`"resource_name": "crn://`))
			g.Expect(ofAdmin(s, "GET", one, "").body).To(Equal(added.body))
			g.Expect(ofAdmin(s, "GET", c.path, "").body).To(ContainSubstring(c.id))

			withoutID := strings.Replace(c.doc, `"id":"`+c.id+`",`, "", 1)
			g.Expect(ofAdmin(s, "PUT", one, withoutID).status).To(Equal(http.StatusOK))
			g.Expect(ofAdmin(s, "PUT", one+"-2", withoutID).status).To(Equal(http.StatusCreated))

			patched := ofAdmin(s, "PATCH", one+"/phase?phase="+c.phase, "")
			g.Expect(patched.status).To(Equal(http.StatusOK), patched.body)
			g.Expect(patched.body).To(ContainSubstring(`"phase": "` + c.phase + `"`))
			g.Expect(ofAdmin(s, "PATCH", one+"/phase", `{"phase":"PROVISIONING"}`).body).To(ContainSubstring(`"phase": "PROVISIONING"`))

			g.Expect(ofAdmin(s, "DELETE", one, "").status).To(Equal(http.StatusNoContent))
			g.Expect(ofAdmin(s, "DELETE", one, "").status).To(Equal(http.StatusNotFound))
			g.Expect(ofAdmin(s, "GET", one, "").status).To(Equal(http.StatusNotFound))
		})
	}
}

func TestAdminLoadsWhatItShows(t *testing.T) {
	g := NewWithT(t)
	s := newSim()
	cloudsim.Seed(s, cloudsim.SeedOptions{Clusters: 12, Peerings: 7})
	s.AddEnvironment("env-empty")
	shown := ofAdmin(s, "GET", "/inventory", "")
	g.Expect(shown.status).To(Equal(http.StatusOK))

	other := cloudsim.New(cloudsim.Options{})
	loaded := ofAdmin(other, "PUT", "/inventory", shown.body)
	g.Expect(loaded.status).To(Equal(http.StatusOK), loaded.body)
	g.Expect(loaded.body).To(MatchJSON(`{"environments":2,"clusters":12,"peerings":7,"networks":3,"schemaregistries":1,"transitGatewayAttachments":3,"privateLinkAccesses":4}`))
	g.Expect(other.Inventory()).To(Equal(s.Inventory()))
	g.Expect(ofAdmin(other, "GET", "/inventory", "").body).To(Equal(shown.body))
}

func TestAdminErrorsNameTheFieldAndChangeNothing(t *testing.T) {
	s := newSim()
	cloudsim.Seed(s, cloudsim.SeedOptions{Clusters: 5, Peerings: 4})
	for path, body := range map[string]string{"/clusters": goodCluster, "/peerings": goodPeering} {
		if a := ofAdmin(s, "POST", path, body); a.status != http.StatusCreated {
			t.Fatal(a)
		}
	}
	before := s.Inventory()
	edit := func(doc, old, new string) string {
		if !strings.Contains(doc, old) {
			t.Fatalf("%s is not in the document", old)
		}
		return strings.Replace(doc, old, new, 1)
	}
	clusters := func(docs ...string) string { return `{"clusters":[` + strings.Join(docs, ",\n") + `]}` }
	for name, c := range map[string]struct {
		method, path, body string
		status             int
		field, text        string
	}{
		"no body":           {"POST", "/clusters", "", 400, "", "the document is empty"},
		"not JSON":          {"POST", "/clusters", "{\n\"id\": lkc", 400, "", "line 2: not JSON"},
		"cut off":           {"POST", "/clusters", goodCluster[:90], 400, "", "ends too early"},
		"more behind":       {"POST", "/clusters", goodCluster + goodCluster, 400, "", "more behind"},
		"null":              {"POST", "/clusters", "null", 400, "id", "is required"},
		"wrong type":        {"POST", "/clusters", edit(goodCluster, `"Basic"`, "\n7"), 400, "spec.config.kind", "line 3: is a number, must be a string"},
		"bad time":          {"POST", "/clusters", edit(goodCluster, `"spec"`, `"metadata":{"created_at":"soon"},"spec"`), 400, "", "soon"},
		"unknown field":     {"POST", "/clusters", edit(goodCluster, `"region"`, `"regoin"`), 400, "regoin", "no such field"},
		"no ID":             {"POST", "/clusters", edit(goodCluster, `"lkc-1"`, `""`), 400, "id", "is required"},
		"ID too long":       {"PUT", "/clusters/" + strings.Repeat("a", 256), edit(goodCluster, `"id":"lkc-1",`, ""), 400, "id", "longer than 255"},
		"two IDs":           {"PUT", "/clusters/lkc-2", goodCluster, 400, "id", "leave it out of the body"},
		"no environment":    {"POST", "/clusters", edit(goodCluster, `"env-abc123"`, `""`), 400, "spec.environment.id", "is required"},
		"unknown type":      {"POST", "/clusters", edit(goodCluster, "Basic", "basic"), 400, "spec.config.kind", "use one of Basic, Standard"},
		"Dedicated no CKU":  {"POST", "/clusters", edit(goodCluster, "Basic", "Dedicated"), 400, "spec.config.cku", "required for Dedicated"},
		"unknown phase":     {"POST", "/clusters", edit(goodCluster, "PROVISIONED", "READY"), 400, "status.phase", "PROVISIONING, PROVISIONED, FAILED"},
		"another kind":      {"POST", "/peerings", edit(goodPeering, `"id"`, `"kind":"Cluster","id"`), 400, "kind", "use Peering"},
		"bad account":       {"POST", "/peerings", edit(goodPeering, "012345678901", "12"), 400, "spec.cloud.account", "12 digits"},
		"no routes":         {"POST", "/peerings", edit(goodPeering, `"routes":[],`, ""), 400, "spec.cloud.routes", "as a list"},
		"bad route":         {"POST", "/peerings", edit(goodPeering, `[]`, `["10.0.0.0"]`), 400, "spec.cloud.routes[0]", "10.108.16.0/21"},
		"no account":        {"POST", "/privateLinkAccesses", edit(goodAccess, "012345678901", "12"), 400, "spec.cloud.account", "12 digits"},
		"no subscription":   {"POST", "/privateLinkAccesses", edit(goodAccess, "AwsP", "AzureP"), 400, "spec.cloud.subscription", "required"},
		"no share":          {"POST", "/transitGatewayAttachments", edit(goodAttachment, "arn:1", ""), 400, "spec.cloud.ram_share_arn", "is required"},
		"no such gateway":   {"POST", "/transitGatewayAttachments", edit(goodAttachment, "AwsTransit", "AzureTransit"), 400, "spec.cloud.kind", "AwsTransitGatewayAttachment"},
		"bad range":         {"POST", "/transitGatewayAttachments", edit(goodAttachment, `[]`, `["10.0.0.0"]`), 400, "spec.cloud.routes[0]", "10.0.0.0/8"},
		"no network":        {"POST", "/peerings", edit(goodPeering, `"n-1"`, `""`), 400, "spec.network.id", "is required"},
		"body too long":     {"POST", "/clusters", `{"id":"` + strings.Repeat("a", 2<<20) + `"}`, 413, "", "longer than 1048576 bytes"},
		"patch bad phase":   {"PATCH", "/clusters/lkc-1/phase?phase=READY", "", 400, "phase", "use one of PROVISIONING"},
		"patch no phase":    {"PATCH", "/clusters/lkc-1/phase", "", 400, "phase", "use one of"},
		"patch bad body":    {"PATCH", "/peerings/p-1/phase", `{"status":"READY"}`, 400, "status", "no such field"},
		"patch nothing":     {"PATCH", "/peerings/p-9/phase?phase=FAILED", "", 404, "", `peering "p-9"`},
		"unchecked no ID":   {"POST", "/clusters?unchecked=true", "{}", 400, "id", "is required"},
		"delete nothing":    {"DELETE", "/clusters/lkc-9", "", 404, "", `cluster "lkc-9"`},
		"no such path":      {"GET", "/cluster", "", 404, "", "see GET /"},
		"no such method":    {"POST", "/inventory", "{}", 405, "", "use GET, PUT"},
		"load one bad":      {"PUT", "/inventory", clusters(goodCluster, edit(edit(goodCluster, "lkc-1", "lkc-2"), "LOW", "low")), 400, "clusters[1].spec.availability", "use one of MULTI_ZONE"},
		"load one twice":    {"PUT", "/inventory", clusters(goodCluster, goodCluster), 400, "clusters[1].id", "clusters[0] too"},
		"load empty ID":     {"PUT", "/inventory", `{"environments":[{"id":""}]}`, 400, "environments[0].id", "is required"},
		"load wrong shape":  {"PUT", "/inventory", `[]`, 400, "", "array"},
		"load bad peering":  {"PUT", "/inventory", `{"peerings":[` + edit(goodPeering, "READY", "OK") + `]}`, 400, "peerings[0].status.phase", "use one of"},
		"load list answer":  {"PUT", "/inventory", `{"data":[]}`, 400, "data", "no such field"},
		"load unchecked ID": {"PUT", "/inventory?unchecked=true", clusters("{}"), 400, "clusters[0].id", "is required"},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			a := ofAdmin(s, c.method, c.path, c.body)
			var failure struct{ Error, Field string }
			g.Expect(json.Unmarshal([]byte(a.body), &failure)).To(Succeed(), a.body)
			g.Expect(a.status).To(Equal(c.status), a.body)
			g.Expect(failure.Field).To(Equal(c.field), a.body)
			g.Expect(failure.Error).To(ContainSubstring(c.text))
			g.Expect(s.Inventory()).To(Equal(before), "nothing has changed")
		})
	}
}

func TestAdminLetsUncheckedWordsPass(t *testing.T) {
	g := NewWithT(t)
	s := newSim()
	g.Expect(ofAdmin(s, "POST", "/clusters?unchecked=true", strings.Replace(goodCluster, "Basic", "Quantum", 1)).status).To(Equal(201))
	g.Expect(ofAdmin(s, "PATCH", "/clusters/lkc-1/phase?phase=PAUSED&unchecked=true", "").status).To(Equal(200))
	c, _ := s.Cluster("lkc-1")
	g.Expect(c.Spec.Config.Kind + " " + c.Status.Phase).To(Equal("Quantum PAUSED"))
	shown := ofAdmin(s, "GET", "/inventory", "").body
	g.Expect(ofAdmin(s, "PUT", "/inventory", shown).status).To(Equal(400))
	g.Expect(ofAdmin(s, "PUT", "/inventory?unchecked=true", shown).status).To(Equal(200))
}

func TestAdminShowsCalls(t *testing.T) {
	g := NewWithT(t)
	s := newSim()
	_ = get(s, clustersPath)
	_ = get(s, peeringsPath)
	shown := ofAdmin(s, "GET", "/calls", "")
	var doc struct {
		Total  int
		Counts map[cloudsim.Op]int
		Calls  []cloudsim.Call
	}
	g.Expect(json.Unmarshal([]byte(shown.body), &doc)).To(Succeed())
	g.Expect(doc.Total).To(Equal(2))
	g.Expect(doc.Counts).To(Equal(map[cloudsim.Op]int{cloudsim.OpListClusters: 1, cloudsim.OpListPeerings: 1}))
	g.Expect(doc.Calls).To(HaveLen(2))
	g.Expect(shown.body).NotTo(ContainSubstring("SECRET"))
	g.Expect(ofAdmin(s, "DELETE", "/calls", "").status).To(Equal(http.StatusNoContent))
	g.Expect(s.Count(cloudsim.OpAny)).To(BeZero())
}

func TestAdminExplainsItself(t *testing.T) {
	g := NewWithT(t)
	s := newSim()
	g.Expect(ofAdmin(s, "POST", "/clusters", goodCluster).status).To(Equal(http.StatusCreated))
	a := ofAdmin(s, "GET", "http://admin.invalid/", "")
	g.Expect(a.header.Get("Content-Type")).To(HavePrefix("text/plain"))
	g.Expect(a.body).To(ContainSubstring(cloudURL + clustersPath + "?environment=" + env))
	g.Expect(a.body).To(ContainSubstring("http://admin.invalid/clusters/lkc-1/phase?phase=FAILED"))
	g.Expect(a.body).To(ContainSubstring("http://admin.invalid/peerings/ID/phase"))
	g.Expect(a.body).To(ContainSubstring("Phases of a peering: PROVISIONING, PENDING_ACCEPT"))
	g.Expect(a.body).NotTo(MatchRegexp(`\{[a-zA-Z]+\}`), "every placeholder is filled in")
	g.Expect(a.body).NotTo(ContainSubstring(": SECRET\n"))
}
