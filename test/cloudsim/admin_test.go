package cloudsim_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	. "github.com/onsi/gomega"

	"github.com/ccloud-dev/inventory-operator/test/cloudsim"
)

func admin(s *cloudsim.Sim, method, target, body string) answer {
	return ask(s.AdminHandler(), method, target, "", "", body)
}

const (
	goodCluster = `{"id":"lkc-1","spec":{"display_name":"a","availability":"LOW","cloud":"AWS","region":"us-east-1",
		"config":{"kind":"Basic"},"environment":{"id":"env-abc123"}},"status":{"phase":"PROVISIONED"}}`
	goodPeering = `{"id":"p-1","spec":{"cloud":{"kind":"AwsPeering","account":"012345678901","vpc":"vpc-1","routes":[],
		"customer_region":"us-east-1"},"environment":{"id":"env-abc123"},"network":{"id":"n-1"}},"status":{"phase":"READY"}}`
)

func TestAdminAddsChangesAndRemoves(t *testing.T) {
	for _, c := range []struct{ path, id, doc, phase string }{
		{"/clusters", "lkc-1", goodCluster, "FAILED"},
		{"/peerings", "p-1", goodPeering, "DISCONNECTED"},
	} {
		t.Run(c.path, func(t *testing.T) {
			g := NewWithT(t)
			s := newSim(cloudsim.Options{})
			one := c.path + "/" + c.id
			added := admin(s, "POST", c.path, c.doc)
			g.Expect(added.status).To(Equal(http.StatusCreated), added.body)
			g.Expect(added.header.Get("Content-Type")).To(Equal("application/json"))
			g.Expect(added.body).To(ContainSubstring(`"resource_name": "crn://`))
			g.Expect(admin(s, "GET", one, "").body).To(Equal(added.body))
			g.Expect(admin(s, "GET", c.path, "").body).To(ContainSubstring(c.id))

			withoutID := strings.Replace(c.doc, `"id":"`+c.id+`",`, "", 1)
			g.Expect(admin(s, "PUT", one, withoutID).status).To(Equal(http.StatusOK))
			g.Expect(admin(s, "PUT", one+"-2", withoutID).status).To(Equal(http.StatusCreated))

			patched := admin(s, "PATCH", one+"/phase?phase="+c.phase, "")
			g.Expect(patched.status).To(Equal(http.StatusOK), patched.body)
			g.Expect(patched.body).To(ContainSubstring(`"phase": "` + c.phase + `"`))
			g.Expect(admin(s, "PATCH", one+"/phase", `{"phase":"PROVISIONING"}`).body).To(ContainSubstring(`"phase": "PROVISIONING"`))

			g.Expect(admin(s, "DELETE", one, "").status).To(Equal(http.StatusNoContent))
			g.Expect(admin(s, "DELETE", one, "").status).To(Equal(http.StatusNotFound))
			g.Expect(admin(s, "GET", one, "").status).To(Equal(http.StatusNotFound))
		})
	}
}

func TestAdminLoadsWhatItShows(t *testing.T) {
	g := NewWithT(t)
	s := newSim(cloudsim.Options{})
	cloudsim.Seed(s, cloudsim.SeedOptions{Clusters: 12, Peerings: 7})
	s.AddEnvironment("env-empty")
	shown := admin(s, "GET", "/inventory", "")
	g.Expect(shown.status).To(Equal(http.StatusOK))

	other := cloudsim.New(cloudsim.Options{})
	loaded := admin(other, "PUT", "/inventory", shown.body)
	g.Expect(loaded.status).To(Equal(http.StatusOK), loaded.body)
	g.Expect(loaded.body).To(MatchJSON(`{"environments":2,"clusters":12,"peerings":7}`))
	g.Expect(other.Inventory()).To(Equal(s.Inventory()))
	g.Expect(admin(other, "GET", "/inventory", "").body).To(Equal(shown.body))
}

func TestAdminErrorsNameTheFieldAndChangeNothing(t *testing.T) {
	s := newSim(cloudsim.Options{})
	cloudsim.Seed(s, cloudsim.SeedOptions{Clusters: 5, Peerings: 4})
	s.PutCluster(cluster("lkc-1"))
	s.PutPeering(peering("p-1", "a", "READY", "n-1"))
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
		"load empty ID":     {"PUT", "/inventory", `{"environments":[""]}`, 400, "environments", "empty"},
		"load wrong shape":  {"PUT", "/inventory", `[]`, 400, "", "array"},
		"load bad peering":  {"PUT", "/inventory", `{"peerings":[` + edit(goodPeering, "READY", "OK") + `]}`, 400, "peerings[0].status.phase", "use one of"},
		"load list answer":  {"PUT", "/inventory", `{"data":[]}`, 400, "data", "no such field"},
		"load unchecked ID": {"PUT", "/inventory?unchecked=true", clusters("{}"), 400, "clusters[0].id", "is required"},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			a := admin(s, c.method, c.path, c.body)
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
	s := newSim(cloudsim.Options{})
	g.Expect(admin(s, "POST", "/clusters?unchecked=true", strings.Replace(goodCluster, "Basic", "Quantum", 1)).status).To(Equal(201))
	g.Expect(admin(s, "PATCH", "/clusters/lkc-1/phase?phase=PAUSED&unchecked=true", "").status).To(Equal(200))
	c, _ := s.Cluster("lkc-1")
	g.Expect(c.Spec.Config.Kind + " " + c.Status.Phase).To(Equal("Quantum PAUSED"))
	shown := admin(s, "GET", "/inventory", "").body
	g.Expect(admin(s, "PUT", "/inventory", shown).status).To(Equal(400))
	g.Expect(admin(s, "PUT", "/inventory?unchecked=true", shown).status).To(Equal(200))
}

func TestAdminShowsCalls(t *testing.T) {
	g := NewWithT(t)
	s := newSim(cloudsim.Options{})
	_ = get(s, clustersPath, "")
	_ = get(s, peeringsPath, "")
	shown := admin(s, "GET", "/calls", "")
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
	g.Expect(admin(s, "DELETE", "/calls", "").status).To(Equal(http.StatusNoContent))
	g.Expect(s.Count(cloudsim.OpAny)).To(BeZero())
}

func TestAdminExplainsItself(t *testing.T) {
	g := NewWithT(t)
	s := newSim(cloudsim.Options{})
	g.Expect(admin(s, "GET", "/", "").body).To(ContainSubstring("CLOUD_URL/cmk/v2/clusters?environment=env-abc123"))
	server := start(t, s)
	s.PutCluster(cluster("lkc-1"))
	a, err := do(t, http.MethodGet, server.AdminURL, "", "")
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(a.header.Get("Content-Type")).To(HavePrefix("text/plain"))
	g.Expect(a.body).To(ContainSubstring(server.URL + clustersPath + "?environment=env-abc123"))
	g.Expect(a.body).To(ContainSubstring(server.AdminURL + "/clusters/lkc-1/phase?phase=FAILED"))
	g.Expect(a.body).NotTo(ContainSubstring("{"+"cloud"), "every placeholder is filled in")
	g.Expect(a.body).NotTo(ContainSubstring(": SECRET\n"))
}
