package cloudsim

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// modeDoc is what the admin interface shows of modes.
type modeDoc struct {
	Mode  Mode   `json:"mode"`
	Modes []Mode `json:"modes"`
}

func (s *Sim) adminGetMode(w http.ResponseWriter, _ *http.Request) {
	adminAnswer(w, http.StatusOK, modeDoc{s.Mode(), Modes()})
}

func (s *Sim) adminPutMode(w http.ResponseWriter, r *http.Request) {
	p := parametersOf(r, "mode")
	var mode Mode
	p.must("mode", mode.UnmarshalText([]byte(p.values.Get("mode"))))
	if p.failed(w) {
		return
	}
	s.SetMode(mode)
	s.adminGetMode(w, r)
}

// faultsDoc is what the admin interface shows of faults.
type faultsDoc struct {
	Faults       []faultDoc    `json:"faults"`
	Scripted     []scriptedDoc `json:"scripted"`
	Chaos        *chaos        `json:"chaos"`
	Counts       map[Fault]int `json:"counts"`
	ForeignCalls int           `json:"foreign_calls"`
}

type faultDoc struct {
	Name    Fault   `json:"name"`
	About   string  `json:"about"`
	Verdict Verdict `json:"verdict"`
	Slow    bool    `json:"slow"`
}

type scriptedDoc struct {
	Op    Op     `json:"op,omitempty"`
	Left  int    `json:"left"`
	Fault string `json:"fault"`
}

func (s *Sim) adminGetFaults(w http.ResponseWriter, _ *http.Request) {
	doc := faultsDoc{Counts: s.FaultCounts(), ForeignCalls: s.strayed.count(OpAny), Scripted: []scriptedDoc{}}
	for _, f := range Faults() {
		doc.Faults = append(doc.Faults, faultDoc{f, f.About(), f.Verdict(), f.Slow()})
	}
	s.faults.mu.Lock()
	doc.Chaos = s.faults.chaos
	for _, next := range s.faults.scripted {
		name := "a handler of its own"
		if f, ok := next.handler.(Fault); ok {
			name = f.String()
		}
		doc.Scripted = append(doc.Scripted, scriptedDoc{next.op, next.left, name})
	}
	s.faults.mu.Unlock()
	adminAnswer(w, http.StatusOK, doc)
}

func (s *Sim) adminPostFault(w http.ResponseWriter, r *http.Request) {
	p := parametersOf(r, "fault", "op", "n")
	faults := p.faults("fault")
	if len(faults) != 1 {
		p.fail("fault", "is %q: name one", p.values.Get("fault"))
	}
	op := Op(p.values.Get("op"))
	if !slices.Contains([]Op{OpAny, OpListClusters, OpListPeerings, OpOther}, op) {
		p.fail("op", "is %q: use %s, %s or %s, or leave it out for any", op, OpListClusters, OpListPeerings, OpOther)
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
	s.FailNext(op, n, faults[0])
	s.adminGetFaults(w, r)
}

func (s *Sim) adminDeleteFaults(w http.ResponseWriter, r *http.Request) {
	s.ClearFaults()
	if r.URL.Query().Get("counts") == "true" {
		s.ResetFaultCounts()
	}
	w.WriteHeader(http.StatusNoContent)
}

func (s *Sim) adminGetChaos(w http.ResponseWriter, _ *http.Request) {
	s.faults.mu.Lock()
	doc := s.faults.chaos
	s.faults.mu.Unlock()
	adminAnswer(w, http.StatusOK, doc)
}

func (s *Sim) adminPutChaos(w http.ResponseWriter, r *http.Request) {
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
	s.Chaos(seed, rate, faults...)
	s.adminGetChaos(w, r)
}

func (s *Sim) adminDeleteChaos(w http.ResponseWriter, _ *http.Request) {
	s.StopChaos()
	w.WriteHeader(http.StatusNoContent)
}

// parameters are those of an admin request, with the first thing that is wrong.
type parameters struct {
	checks
	values url.Values
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
func (p *parameters) faults(name string) []Fault {
	var faults []Fault
	for word := range strings.SplitSeq(p.values.Get(name), ",") {
		if word = strings.TrimSpace(word); word == "" {
			continue
		}
		var f Fault
		if err := f.UnmarshalText([]byte(word)); err != nil {
			p.fail(name, "%v: see GET /faults", err)
		}
		faults = append(faults, f)
	}
	return faults
}

// failed answers a request that cannot be understood, and reports whether it did.
func (p *parameters) failed(w http.ResponseWriter) bool {
	err := p.outcome()
	if err != nil {
		adminFail(w, http.StatusBadRequest, err)
	}
	return err != nil
}
