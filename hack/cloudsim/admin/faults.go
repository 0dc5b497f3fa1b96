package admin

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/ccloud-dev/inventory-operator/test/cloudsim"
)

// modeDoc is what the admin interface shows of modes.
type modeDoc struct {
	Mode  cloudsim.Mode   `json:"mode"`
	Modes []cloudsim.Mode `json:"modes"`
}

func (a admin) getMode(w http.ResponseWriter, _ *http.Request) {
	answer(w, http.StatusOK, modeDoc{a.Mode(), cloudsim.Modes()})
}

func (a admin) putMode(w http.ResponseWriter, r *http.Request) {
	p := parametersOf(r, "mode")
	var mode cloudsim.Mode
	p.must("mode", mode.UnmarshalText([]byte(p.values.Get("mode"))))
	if p.failed(w) {
		return
	}
	a.SetMode(mode)
	a.getMode(w, r)
}

// faultsDoc is what the admin interface shows of faults.
type faultsDoc struct {
	Faults       []faultDoc              `json:"faults"`
	Scripted     []cloudsim.Scripted     `json:"scripted"`
	Chaos        *cloudsim.ChaosSettings `json:"chaos"`
	Counts       map[cloudsim.Fault]int  `json:"counts"`
	ForeignCalls int                     `json:"foreign_calls"`
}

type faultDoc struct {
	Name    cloudsim.Fault   `json:"name"`
	About   string           `json:"about"`
	Verdict cloudsim.Verdict `json:"verdict"`
	Slow    bool             `json:"slow"`
}

func (a admin) getFaults(w http.ResponseWriter, _ *http.Request) {
	doc := faultsDoc{Scripted: a.Scripted(), Chaos: a.ChaosSettings(), Counts: a.FaultCounts(), ForeignCalls: len(a.ForeignCalls())}
	for _, f := range cloudsim.Faults() {
		doc.Faults = append(doc.Faults, faultDoc{f, f.About(), f.Verdict(), f.Slow()})
	}
	answer(w, http.StatusOK, doc)
}

func (a admin) postFault(w http.ResponseWriter, r *http.Request) {
	p := parametersOf(r, "fault", "op", "n")
	faults := p.faults("fault")
	if len(faults) != 1 {
		p.fail("fault", "is %q: name one", p.values.Get("fault"))
	}
	op := cloudsim.Op(p.values.Get("op"))
	if ops := cloudsim.Ops(); op != cloudsim.OpAny && !slices.Contains(ops, op) {
		p.fail("op", "is %q: use one of %s, or leave it out for any", op, joined(ops))
	}
	n := 1
	if p.values.Has("n") {
		var err error
		if n, err = strconv.Atoi(p.values.Get("n")); err != nil || n < 1 {
			p.fail("n", "is %q: use a number from 1", p.values.Get("n"))
		}
	}
	if p.failed(w) {
		return
	}
	a.FailNext(op, n, faults[0])
	a.getFaults(w, r)
}

func (a admin) deleteFaults(w http.ResponseWriter, r *http.Request) {
	a.ClearFaults()
	if r.URL.Query().Get("counts") == "true" {
		a.ResetFaultCounts()
	}
	w.WriteHeader(http.StatusNoContent)
}

func (a admin) getChaos(w http.ResponseWriter, _ *http.Request) {
	answer(w, http.StatusOK, a.ChaosSettings())
}

func (a admin) putChaos(w http.ResponseWriter, r *http.Request) {
	p := parametersOf(r, "rate", "seed", "faults")
	rate, err := strconv.ParseFloat(p.values.Get("rate"), 64)
	if err != nil || !(rate >= 0 && rate <= 1) { // so that NaN is none either
		p.fail("rate", "is %q: use a number from 0 to 1", p.values.Get("rate"))
	}
	var seed uint64
	if p.values.Has("seed") {
		if seed, err = strconv.ParseUint(p.values.Get("seed"), 10, 64); err != nil {
			p.fail("seed", "is %q: use a number from 0", p.values.Get("seed"))
		}
	}
	faults := p.faults("faults")
	if p.failed(w) {
		return
	}
	a.Chaos(seed, rate, faults...)
	a.getChaos(w, r)
}

func (a admin) deleteChaos(w http.ResponseWriter, _ *http.Request) {
	a.StopChaos()
	w.WriteHeader(http.StatusNoContent)
}

// parameters are those of an admin request, with the first thing that is wrong.
type parameters struct {
	values url.Values
	err    *cloudsim.FieldError
}

// fail notes what is wrong with a parameter.
func (p *parameters) fail(name, format string, args ...any) {
	if p.err == nil {
		p.err = &cloudsim.FieldError{Field: name, Problem: fmt.Sprintf(format, args...)}
	}
}

// parametersOf reads the query; other parameters than these are wrong.
func parametersOf(r *http.Request, names ...string) *parameters {
	p := &parameters{values: r.URL.Query()}
	for name := range p.values {
		if !slices.Contains(names, name) {
			p.fail(name, "there is no such parameter: use %s", strings.Join(names, ", "))
		}
	}
	return p
}

// must notes a parameter that cannot be read.
func (p *parameters) must(name string, err error) {
	if err != nil {
		p.fail(name, "%v", err)
	}
}

// faults reads a comma list of faults, of none if it is not given.
func (p *parameters) faults(name string) []cloudsim.Fault {
	var faults []cloudsim.Fault
	for word := range strings.SplitSeq(p.values.Get(name), ",") {
		if word = strings.TrimSpace(word); word == "" {
			continue
		}
		var f cloudsim.Fault
		if err := f.UnmarshalText([]byte(word)); err != nil {
			p.fail(name, "%v: see GET /faults", err)
		}
		faults = append(faults, f)
	}
	return faults
}

// failed answers a request that cannot be understood, and reports whether it did.
func (p *parameters) failed(w http.ResponseWriter) bool {
	if p.err == nil {
		return false
	}
	fail(w, http.StatusBadRequest, p.err)
	return true
}

// joined lists the operations for people.
func joined(ops []cloudsim.Op) string {
	words := make([]string, len(ops))
	for i, op := range ops {
		words[i] = string(op)
	}
	return strings.Join(words, ", ")
}
