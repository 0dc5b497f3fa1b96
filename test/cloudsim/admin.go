package cloudsim

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
)

// Bounds of the admin interface's request bodies: one object, one inventory.
const (
	maxObjectBytes    = 1 << 20
	maxInventoryBytes = 512 << 20
)

// AdminHandler returns the interface for people and scripts to look at the inventory
// and change it, and to set modes and faults: GET / explains it. It asks for no credentials, so it belongs on a
// loopback port. What is put is held against the contract, unknown words included,
// unless the request says ?unchecked=true; a request that fails changes nothing.
func (s *Sim) AdminHandler() http.Handler {
	mux := http.NewServeMux()
	handle(mux, "/{$}", methods{http.MethodGet: s.help})
	handle(mux, "/inventory", methods{http.MethodGet: s.adminGetInventory, http.MethodPut: s.adminPutInventory})
	handle(mux, "/calls", methods{http.MethodGet: s.adminGetCalls, http.MethodDelete: s.adminDeleteCalls})
	handle(mux, "/mode", methods{http.MethodGet: s.adminGetMode, http.MethodPut: s.adminPutMode})
	handle(mux, "/faults", methods{http.MethodGet: s.adminGetFaults, http.MethodPost: s.adminPostFault,
		http.MethodDelete: s.adminDeleteFaults})
	handle(mux, "/chaos", methods{http.MethodGet: s.adminGetChaos, http.MethodPut: s.adminPutChaos,
		http.MethodDelete: s.adminDeleteChaos})
	handleKind[Cluster](mux, s, s.clusters)
	handleKind[Peering](mux, s, s.peerings)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		adminFail(w, http.StatusNotFound, fmt.Errorf("there is nothing at %s: see GET /", r.URL.Path))
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
		adminFail(w, http.StatusMethodNotAllowed,
			fmt.Errorf("%s is not allowed on %s: use %s", r.Method, r.URL.Path, allowed))
	})
}

// handleKind adds the paths of one kind.
func handleKind[T any, P pointerTo[T]](mux *http.ServeMux, s *Sim, c *collection) {
	base := "/" + c.kind.plural
	handle(mux, base, methods{
		http.MethodGet: func(w http.ResponseWriter, _ *http.Request) {
			s.mu.RLock()
			items := raws(c.all(""))
			s.mu.RUnlock()
			adminAnswer(w, http.StatusOK, items)
		},
		http.MethodPost: func(w http.ResponseWriter, r *http.Request) { adminPut[T, P](s, c, w, r) },
	})
	handle(mux, base+"/{id}", methods{
		http.MethodGet: func(w http.ResponseWriter, r *http.Request) { adminGet(s, c, w, r) },
		http.MethodPut: func(w http.ResponseWriter, r *http.Request) { adminPut[T, P](s, c, w, r) },
		http.MethodDelete: func(w http.ResponseWriter, r *http.Request) {
			if err := remove(s, c, r.PathValue("id")); err != nil {
				adminFail(w, http.StatusNotFound, err)
				return
			}
			w.WriteHeader(http.StatusNoContent)
		},
	})
	handle(mux, base+"/{id}/phase", methods{
		http.MethodPatch: func(w http.ResponseWriter, r *http.Request) { adminPatchPhase[T, P](s, c, w, r) },
	})
}

func adminGet(s *Sim, c *collection, w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	s.mu.RLock()
	e := c.byID[id]
	s.mu.RUnlock()
	if e == nil {
		adminFail(w, http.StatusNotFound, fmt.Errorf("%s %q: %w", c.kind.noun, id, ErrNotFound))
		return
	}
	adminAnswer(w, http.StatusOK, e.raw)
}

// adminPut adds or replaces one object, whose ID may stand in the path, in the body
// or in both.
func adminPut[T any, P pointerTo[T]](s *Sim, c *collection, w http.ResponseWriter, r *http.Request) {
	var item T
	o := P(&item)
	if err := decodeStrict(http.MaxBytesReader(w, r.Body, maxObjectBytes), &item); err != nil {
		adminFail(w, http.StatusBadRequest, err)
		return
	}
	inBody, _ := o.key()
	if inPath := r.PathValue("id"); inPath != "" {
		if inBody != "" && inBody != inPath {
			adminFail(w, http.StatusBadRequest, &FieldError{"id",
				fmt.Sprintf("is %q in the body and %q in the path: leave it out of the body", inBody, inPath)})
			return
		}
		o.setID(inPath)
	}
	check := o.check
	if unchecked(r) {
		check = func() error { return checkKey(o) }
	}
	if err := check(); err != nil {
		adminFail(w, http.StatusBadRequest, err)
		return
	}
	status := http.StatusOK
	raw, created := put(s, c, o)
	if created {
		status = http.StatusCreated
	}
	adminAnswer(w, status, raw)
}

// adminPatchPhase sets status.phase to ?phase=, or to the body's {"phase": …}.
func adminPatchPhase[T any, P pointerTo[T]](s *Sim, c *collection, w http.ResponseWriter, r *http.Request) {
	phase := r.URL.Query().Get("phase")
	if phase == "" {
		var body struct {
			Phase string `json:"phase"`
		}
		err := decodeStrict(http.MaxBytesReader(w, r.Body, maxObjectBytes), &body)
		if err != nil && r.ContentLength != 0 {
			adminFail(w, http.StatusBadRequest, err)
			return
		}
		phase = body.Phase
	}
	var check checks
	if phase == "" || !unchecked(r) {
		check.oneOf("phase", phase, c.kind.phases...)
	}
	if err := check.outcome(); err != nil {
		adminFail(w, http.StatusBadRequest, err)
		return
	}
	if err := update[T, P](s, c, r.PathValue("id"), func(item *T) { P(item).setPhase(phase) }); err != nil {
		adminFail(w, http.StatusNotFound, err)
		return
	}
	adminGet(s, c, w, r)
}

func (s *Sim) adminGetInventory(w http.ResponseWriter, _ *http.Request) {
	adminAnswer(w, http.StatusOK, s.rawInventory())
}

func (s *Sim) adminPutInventory(w http.ResponseWriter, r *http.Request) {
	var doc Inventory
	err := decodeStrict(http.MaxBytesReader(w, r.Body, maxInventoryBytes), &doc)
	if err == nil && !unchecked(r) {
		err = checkInventory(doc)
	}
	if err == nil {
		err = s.SetInventory(doc)
	}
	if err != nil {
		adminFail(w, http.StatusBadRequest, err)
		return
	}
	adminAnswer(w, http.StatusOK, map[string]int{
		"environments": len(s.Environments()), "clusters": len(doc.Clusters), "peerings": len(doc.Peerings),
	})
}

func (s *Sim) adminGetCalls(w http.ResponseWriter, _ *http.Request) {
	total, counts := s.calls.counters()
	adminAnswer(w, http.StatusOK, struct {
		Total  int        `json:"total"`
		Counts map[Op]int `json:"counts"`
		Calls  []Call     `json:"calls"`
	}{total, counts, s.Calls()})
}

func (s *Sim) adminDeleteCalls(w http.ResponseWriter, _ *http.Request) {
	s.ResetCalls()
	w.WriteHeader(http.StatusNoContent)
}

func unchecked(r *http.Request) bool { return r.URL.Query().Get("unchecked") == "true" }

// adminAnswer sends v as JSON for people's eyes.
func adminAnswer(w http.ResponseWriter, status int, v any) {
	var b bytes.Buffer
	// encode's output is JSON, so that there is nothing for Indent to fail on.
	_ = json.Indent(&b, encode(v), "", "  ")
	b.WriteByte('\n')
	writeJSON(w, status, b.Bytes())
}

// adminFail sends err, with the field it is about where there is one.
func adminFail(w http.ResponseWriter, status int, err error) {
	answer := struct {
		Error string `json:"error"`
		Field string `json:"field,omitempty"`
	}{Error: err.Error()}
	var (
		field   *FieldError
		tooLong *http.MaxBytesError
	)
	if errors.As(err, &field) {
		answer.Field = field.Field
	}
	if errors.As(err, &tooLong) {
		status = http.StatusRequestEntityTooLarge
		answer.Error = fmt.Sprintf("the body is longer than %d bytes", tooLong.Limit)
	}
	adminAnswer(w, status, answer)
}

// help explains the interface with the addresses and some IDs that are really there.
func (s *Sim) help(w http.ResponseWriter, r *http.Request) {
	cloud := "CLOUD_URL"
	if u := s.cloudURL.Load(); u != nil {
		cloud = *u
	}
	s.mu.RLock()
	environments := s.sortedEnvironments()
	cluster, peering := s.clusters.anyID(), s.peerings.anyID()
	s.mu.RUnlock()
	environment := "env-abc123"
	if len(environments) > 0 {
		environment = environments[0]
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = io.WriteString(w, strings.NewReplacer(
		"{cloud}", cloud, "{admin}", "http://"+r.Host, "{environment}", environment,
		"{cluster}", cluster, "{peering}", peering,
		"{clusterPhases}", strings.Join(clusterKind.phases, ", "),
		"{peeringPhases}", strings.Join(peeringKind.phases, ", "),
	).Replace(helpText))
}
