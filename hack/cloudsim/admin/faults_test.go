package admin_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	. "github.com/onsi/gomega"

	"github.com/ccloud-dev/inventory-operator/test/cloudsim"
)

// faultsDoc is what the admin interface shows of faults.
type faultsDoc struct {
	Faults []struct {
		Name    cloudsim.Fault
		About   string
		Verdict string
		Slow    bool
	}
	Scripted []struct {
		Op    cloudsim.Op
		Left  int
		Fault string
	}
	Chaos *struct {
		Seed   uint64
		Rate   float64
		Faults []cloudsim.Fault
	}
	Counts       map[cloudsim.Fault]int
	ForeignCalls int `json:"foreign_calls"`
}

func shownFaults(g Gomega, s *cloudsim.Sim) (doc faultsDoc) {
	a := ofAdmin(s, "GET", "/faults", "")
	g.ExpectWithOffset(1, a.status).To(Equal(http.StatusOK))
	g.ExpectWithOffset(1, json.Unmarshal([]byte(a.body), &doc)).To(Succeed())
	return doc
}

func TestAdminSetsTheMode(t *testing.T) {
	g := NewWithT(t)
	s := newSim()
	g.Expect(ofAdmin(s, "GET", "/mode", "").body).To(MatchJSON(`{"mode":"strict","modes":["strict","wire"]}`))
	g.Expect(ofAdmin(s, "PUT", "/mode?mode=wire", "").body).To(MatchJSON(`{"mode":"wire","modes":["strict","wire"]}`))
	g.Expect(s.Mode()).To(Equal(cloudsim.ModeWire))
}

func TestAdminSetsFaults(t *testing.T) {
	g := NewWithT(t)
	s := newSim()
	doc := shownFaults(g, s)
	g.Expect(doc.Faults).To(HaveLen(len(cloudsim.Faults())))
	g.Expect(doc.Faults[0].Name).To(Equal(cloudsim.FaultResetBefore))
	g.Expect(doc.Faults[0].Verdict).To(Equal("loud"))
	g.Expect(doc.Chaos).To(BeNil())
	g.Expect(doc.Scripted).To(BeEmpty())

	g.Expect(ofAdmin(s, "POST", "/faults?fault=bad-gateway&n=2&op=listCmkV2Clusters", "").status).To(Equal(200))
	g.Expect(ofAdmin(s, "POST", "/faults?fault=null", "").status).To(Equal(200))
	s.FailNext(cloudsim.OpOther, 1, cloudsim.Status(418, "", nil))
	g.Expect(get(s, clustersPath).status).To(Equal(502))
	doc = shownFaults(g, s)
	g.Expect(doc.Scripted).To(HaveLen(3))
	g.Expect(doc.Scripted[0].Left).To(Equal(1))
	g.Expect(doc.Scripted[0].Op).To(Equal(cloudsim.OpListClusters))
	g.Expect(doc.Scripted[1].Fault).To(Equal("null"))
	g.Expect(doc.Scripted[2].Fault).To(Equal("a handler of its own"))
	g.Expect(get(s, peeringsPath).body).To(Equal("null"))
	g.Expect(shownFaults(g, s).Counts).To(Equal(map[cloudsim.Fault]int{cloudsim.FaultBadGateway: 1, cloudsim.FaultNull: 1}))

	g.Expect(ofAdmin(s, "DELETE", "/faults", "").status).To(Equal(http.StatusNoContent))
	g.Expect(get(s, clustersPath).status).To(Equal(200))
	g.Expect(shownFaults(g, s).Counts).To(HaveLen(2))
	g.Expect(ofAdmin(s, "DELETE", "/faults?counts=true", "").status).To(Equal(http.StatusNoContent))
	g.Expect(shownFaults(g, s).Counts).To(BeEmpty())
}

func TestAdminSetsChaos(t *testing.T) {
	g := NewWithT(t)
	s := newSim()
	g.Expect(ofAdmin(s, "GET", "/chaos", "").body).To(MatchJSON("null"))
	set := ofAdmin(s, "PUT", "/chaos?rate=1&seed=18446744073709551615&faults=null,empty-object", "")
	g.Expect(set.body).To(MatchJSON(`{"seed":18446744073709551615,"rate":1,"faults":["null","empty-object"]}`))
	g.Expect(ofAdmin(s, "GET", "/chaos", "").body).To(Equal(set.body))
	g.Expect(get(s, clustersPath).body).To(Or(Equal("null"), Equal("{}")))
	g.Expect(ofAdmin(s, "DELETE", "/chaos", "").status).To(Equal(http.StatusNoContent))
	g.Expect(get(s, clustersPath).status).To(Equal(200))
	g.Expect(ofAdmin(s, "PUT", "/chaos?rate=0.5", "").status).To(Equal(200))
	g.Expect(shownFaults(g, s).Chaos.Faults).To(Equal(cloudsim.Faults(cloudsim.Loud, cloudsim.Harmless)))
}

func TestAdminRefusesWhatItCannotSet(t *testing.T) {
	s := newSim()
	for target, want := range map[string]struct{ field, text string }{
		"PUT /mode":                         {"mode", "use strict or wire"},
		"PUT /mode?mode=Wire":               {"mode", "use strict or wire"},
		"PUT /mode?mode=wire&fast=1":        {"fast", "no such parameter: use mode"},
		"POST /faults":                      {"fault", "name one"},
		"POST /faults?fault=fire":           {"fault", "see GET /faults"},
		"POST /faults?fault=null,html":      {"fault", "name one"},
		"POST /faults?fault=null&n=0":       {"n", "number from 1"},
		"POST /faults?fault=null&n=many":    {"n", "number from 1"},
		"POST /faults?fault=null&op=list":   {"op", "listCmkV2Clusters"},
		"PUT /chaos":                        {"rate", "from 0 to 1"},
		"PUT /chaos?rate=1.5":               {"rate", "from 0 to 1"},
		"PUT /chaos?rate=NaN":               {"rate", "from 0 to 1"},
		"PUT /chaos?rate=1&seed=-1":         {"seed", "from 0"},
		"PUT /chaos?rate=1&faults=fire":     {"faults", "see GET /faults"},
		"PUT /chaos?rate=1&fault=null":      {"fault", "no such parameter: use rate, seed, faults"},
		"PATCH /chaos":                      {"", "use DELETE, GET, PUT"},
		"PUT /faults?fault=null":            {"", "use DELETE, GET, POST"},
		"POST /faults?fault=null&op=delete": {"op", "leave it out"},
	} {
		t.Run(target, func(t *testing.T) {
			g := NewWithT(t)
			method, path, _ := strings.Cut(target, " ")
			a := ofAdmin(s, method, path, "")
			var failure struct{ Error, Field string }
			g.Expect(json.Unmarshal([]byte(a.body), &failure)).To(Succeed(), a.body)
			g.Expect(a.status).To(BeElementOf(http.StatusBadRequest, http.StatusMethodNotAllowed))
			g.Expect(failure.Field).To(Equal(want.field))
			g.Expect(failure.Error).To(ContainSubstring(want.text))
			g.Expect(s.Mode()).To(Equal(cloudsim.ModeStrict))
			g.Expect(shownFaults(g, s).Scripted).To(BeEmpty())
			g.Expect(shownFaults(g, s).Chaos).To(BeNil())
		})
	}
}
