// Package admin is the interface over HTTP through which people and scripts look at a
// simulated cloud and change it while it runs.
package admin

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/ccloud-dev/inventory-operator/test/cloudsim"
)

// Bounds of request bodies: one object, one inventory.
const (
	maxObjectBytes    = 1 << 20
	maxInventoryBytes = 512 << 20
)

// admin serves one simulated cloud.
type admin struct {
	*cloudsim.Sim
	cloudURL string
}

// Handler returns the interface to sim, which shows and changes its inventory and sets
// modes and faults: GET / explains it, with cloudURL as the cloud's address. It asks for
// no credentials, so it belongs on a loopback port. What is put is held against the
// contract, unknown words included, unless the request says ?unchecked=true; a request
// that fails changes nothing.
func Handler(sim *cloudsim.Sim, cloudURL string) http.Handler {
	a := admin{sim, cloudURL}
	mux := http.NewServeMux()
	handle(mux, "/{$}", methods{http.MethodGet: a.help})
	handle(mux, "/inventory", methods{http.MethodGet: a.getInventory, http.MethodPut: a.putInventory})
	handle(mux, "/calls", methods{http.MethodGet: a.getCalls, http.MethodDelete: a.deleteCalls})
	handle(mux, "/mode", methods{http.MethodGet: a.getMode, http.MethodPut: a.putMode})
	handle(mux, "/faults", methods{http.MethodGet: a.getFaults, http.MethodPost: a.postFault,
		http.MethodDelete: a.deleteFaults})
	handle(mux, "/chaos", methods{http.MethodGet: a.getChaos, http.MethodPut: a.putChaos,
		http.MethodDelete: a.deleteChaos})
	for _, kind := range sim.Documents() {
		handleKind(mux, documents{kind})
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		fail(w, http.StatusNotFound, fmt.Errorf("there is nothing at %s: see GET /", r.URL.Path))
	})
	return mux
}

// methods holds the handlers of one path by method.
type methods map[string]http.HandlerFunc

// handle serves a path, and 405 for the methods it does not have, in JSON.
func handle(mux *http.ServeMux, path string, m methods) {
	allowed := strings.Join(slices.Sorted(maps.Keys(m)), ", ")
	mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
		if h, ok := m[r.Method]; ok {
			h(w, r)
			return
		}
		w.Header().Set("Allow", allowed)
		fail(w, http.StatusMethodNotAllowed,
			fmt.Errorf("%s is not allowed on %s: use %s", r.Method, r.URL.Path, allowed))
	})
}

// documents serves the objects of one kind.
type documents struct{ cloudsim.Documents }

// handleKind adds the paths of one kind.
func handleKind(mux *http.ServeMux, d documents) {
	base := "/" + d.Plural
	handle(mux, base, methods{
		http.MethodGet:  func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusOK, d.All()) },
		http.MethodPost: d.put,
	})
	handle(mux, base+"/{id}", methods{http.MethodGet: d.get, http.MethodPut: d.put, http.MethodDelete: d.remove})
	handle(mux, base+"/{id}/phase", methods{http.MethodPatch: d.patchPhase})
}

func (d documents) get(w http.ResponseWriter, r *http.Request) {
	document, err := d.Get(r.PathValue("id"))
	if err != nil {
		fail(w, http.StatusNotFound, err)
		return
	}
	answer(w, http.StatusOK, document)
}

// put adds or replaces one object, whose ID may be in the path, in the body or in both.
func (d documents) put(w http.ResponseWriter, r *http.Request) {
	stored, created, err := d.Put(r.PathValue("id"), http.MaxBytesReader(w, r.Body, maxObjectBytes), unchecked(r))
	switch {
	case err != nil:
		fail(w, http.StatusBadRequest, err)
	case created:
		answer(w, http.StatusCreated, stored)
	default:
		answer(w, http.StatusOK, stored)
	}
}

func (d documents) remove(w http.ResponseWriter, r *http.Request) {
	if err := d.Remove(r.PathValue("id")); err != nil {
		fail(w, http.StatusNotFound, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// patchPhase sets status.phase to ?phase=, or to the body's {"phase": …}.
func (d documents) patchPhase(w http.ResponseWriter, r *http.Request) {
	phase := r.URL.Query().Get("phase")
	if phase == "" {
		var body struct {
			Phase string `json:"phase"`
		}
		err := cloudsim.ReadDocument(http.MaxBytesReader(w, r.Body, maxObjectBytes), &body)
		if err != nil && r.ContentLength != 0 {
			fail(w, http.StatusBadRequest, err)
			return
		}
		phase = body.Phase
	}
	if err := d.SetPhase(r.PathValue("id"), phase, unchecked(r)); err != nil {
		status := http.StatusBadRequest
		if errors.Is(err, cloudsim.ErrNotFound) {
			status = http.StatusNotFound
		}
		fail(w, status, err)
		return
	}
	d.get(w, r)
}

func (a admin) getInventory(w http.ResponseWriter, _ *http.Request) {
	answer(w, http.StatusOK, a.Inventory())
}

func (a admin) putInventory(w http.ResponseWriter, r *http.Request) {
	read := cloudsim.ReadInventory
	if unchecked(r) {
		read = func(r io.Reader) (doc cloudsim.Inventory, err error) { return doc, cloudsim.ReadDocument(r, &doc) }
	}
	doc, err := read(http.MaxBytesReader(w, r.Body, maxInventoryBytes))
	if err == nil {
		err = a.SetInventory(doc)
	}
	if err != nil {
		fail(w, http.StatusBadRequest, err)
		return
	}
	sizes := map[string]int{}
	for _, kind := range a.Documents() {
		sizes[kind.Plural] = len(kind.All())
	}
	answer(w, http.StatusOK, sizes)
}

func (a admin) getCalls(w http.ResponseWriter, _ *http.Request) {
	answer(w, http.StatusOK, struct {
		Total  int                 `json:"total"`
		Counts map[cloudsim.Op]int `json:"counts"`
		Calls  []cloudsim.Call     `json:"calls"`
	}{a.Count(cloudsim.OpAny), a.Counts(), a.Calls()})
}

func (a admin) deleteCalls(w http.ResponseWriter, _ *http.Request) {
	a.ResetCalls()
	w.WriteHeader(http.StatusNoContent)
}

func unchecked(r *http.Request) bool { return r.URL.Query().Get("unchecked") == "true" }

// answer sends v as JSON for people's eyes.
func answer(w http.ResponseWriter, status int, v any) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(v); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes()) // the other side has gone: nothing left to tell it
}

// fail sends err, with the field it is about where there is one.
func fail(w http.ResponseWriter, status int, err error) {
	body := struct {
		Error string `json:"error"`
		Field string `json:"field,omitempty"`
	}{Error: err.Error()}
	var (
		field   *cloudsim.FieldError
		tooLong *http.MaxBytesError
	)
	if errors.As(err, &field) {
		body.Field = field.Field
	}
	if errors.As(err, &tooLong) {
		status = http.StatusRequestEntityTooLarge
		body.Error = fmt.Sprintf("the body is longer than %d bytes", tooLong.Limit)
	}
	answer(w, status, body)
}

// help explains the interface with the addresses and some IDs that are really there.
func (a admin) help(w http.ResponseWriter, r *http.Request) {
	environment := cloudsim.DefaultEnvironment
	if known := a.Environments(); len(known) > 0 {
		environment = known[0]
	}
	places := []string{"{cloud}", a.cloudURL, "{admin}", "http://" + r.Host, "{environment}", environment}
	var phases strings.Builder
	for _, kind := range a.Documents() {
		places = append(places, "{"+kind.Noun+"}", kind.Example())
		if len(kind.Phases) == 0 {
			continue
		}
		fmt.Fprintf(&phases, "Phases of a %s: %s\n", kind.Noun, strings.Join(kind.Phases, ", "))
	}
	places = append(places, "{phases}", phases.String())
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = io.WriteString(w, strings.NewReplacer(places...).Replace(helpText))
}
