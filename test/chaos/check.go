// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// markerResource is the resource of the requests that set a mark in the audit log.
const markerResource = "configmaps"

// check waits until everything is settled, but not longer than the deadline. It returns the
// violations.
func (h *harness) check(ctx context.Context, deadline time.Time) ([]violation, error) {
	var found []violation
	all := h.sources()
	differing := make([][]string, len(all))
	unchanged := make([]*unchangedSync, len(all))
	err := parallel(numbers(all), func(i int) (err error) {
		differing[i], err = all[i].settle(ctx, deadline)
		return err
	})
	if err != nil {
		return nil, err
	}
	h.journal.note("settled")
	err = parallel(numbers(all), func(i int) (err error) {
		if len(differing[i]) == 0 {
			unchanged[i], err = all[i].syncUnchanged(ctx, time.Now().Add(2*interval))
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	requests, err := h.logged(ctx)
	if err != nil {
		return nil, err
	}
	for i, s := range all {
		texts := s.leaked
		if len(differing[i]) > 0 {
			texts = append(texts, "not settled in time: "+some(differing[i]))
		}
		if deletions := s.judgeDeletions(requests); len(deletions) > 0 {
			texts = append(texts, some(deletions)) // If a source is deleted, all its observations are too.
		}
		if unchanged[i] != nil {
			texts = append(texts, unchanged[i].judge(requests)...)
		}
		for _, text := range texts {
			found = append(found, violation{s.namespace + "/" + s.name, text})
		}
		s.uids, s.wasAbsent, s.leaked = s.now, map[string]bool{}, nil
	}
	found = append(found, h.judgeSourceDeletions(requests)...)
	return append(found, h.checkProcesses(ctx)...), nil
}

// eventsEvery is the number of rounds between two searches of the Events. Events stay for an hour
// and become many.
const eventsEvery = 10

// checkProcesses checks what does not belong to one source: budgets, logs, Events and metrics. It
// also checks whether managers ended by themselves.
func (h *harness) checkProcesses(ctx context.Context) []violation {
	var found []violation
	add := func(where string, texts ...string) {
		for _, text := range texts {
			found = append(found, violation{where, text})
		}
	}
	starts, problems := h.managers.takeNews()
	add("managers", problems...)
	add("budget", h.cloudProxy.judge(starts)...)
	for _, call := range h.Cloud.ForeignCalls() {
		add("origin", fmt.Sprintf("a request went to another origin, with key %q", call.KeyID))
	}
	h.Cloud.ResetCalls()
	for _, path := range h.managers.logs() {
		text, err := h.leaks.grown(path)
		if err != nil {
			add("logs", err.Error())
		}
		if leak := h.leaks.find(text); leak != "" {
			add("logs", filepath.Base(path)+" has "+leak)
		}
		if strings.Contains(string(text), "panic") {
			add("logs", filepath.Base(path)+" has a panic")
		}
	}
	for _, s := range h.managers.slots {
		if text, err := h.managers.metrics(ctx, s); err == nil {
			if leak := h.leaks.find([]byte(text)); leak != "" {
				add("metrics", s.name+" exports "+leak)
			}
		}
	}
	if !h.tally.whole(eventsEvery) {
		return found
	}
	events, err := h.clients.EventsV1().RESTClient().Get().Resource("events").DoRaw(ctx)
	if err != nil {
		add("events", "cannot be read: "+err.Error())
	}
	if leak := h.leaks.find(events); leak != "" {
		add("events", "an Event has "+leak)
	}
	return found
}

// judgeDeletions returns which of the source's observations were deleted without a reason. The
// manager may delete an observation whose object was absent from the inventory at some time since
// the source was last settled. The stranger may delete any observation. An observation may have a
// new UID only if one of them deleted the old one.
func (s *source) judgeDeletions(requests []request) []string {
	var found []string
	deleted := map[string]bool{}
	for _, r := range requests {
		if !r.observation() || r.namespace != s.namespace || !strings.HasPrefix(r.verb, "delete") || !r.done() || !s.mine(r.name) {
			continue
		}
		deleted[r.name] = true
		switch {
		case r.by == theStranger:
		case r.by == someoneElse:
			found = append(found, fmt.Sprintf("%s was deleted by %s", r.name, r.agent))
		case r.verb != "delete" || s.existedAllAlong(r.name):
			found = append(found, fmt.Sprintf("%s was deleted by the manager at %s although its object existed all along", r.name, clockTime(r.at.Local())))
		}
	}
	for name, uid := range s.uids {
		if now, ok := s.now[name]; s.existedAllAlong(name) && !deleted[name] && (!ok || now != uid) {
			found = append(found, fmt.Sprintf("%s is no longer the same object, but no deletion of it was seen", name))
		}
	}
	return found
}

// judgeSourceDeletions returns the sources that the manager deleted. No source may be deleted,
// because the environments of these sources exist all the time.
func (h *harness) judgeSourceDeletions(requests []request) []violation {
	var found []violation
	for _, s := range h.sources() {
		for _, r := range requests {
			if r.resource == sourceResource && r.by != theStranger && strings.HasPrefix(r.verb, "delete") && r.done() && r.namespace == s.namespace && r.name == s.name {
				found = append(found, violation{s.namespace + "/" + s.name, fmt.Sprintf("the source was deleted by %s at %s although its environment existed all along", r.by, clockTime(r.at.Local()))})
			}
		}
	}
	return found
}

// mine reports whether an observation with this name belongs or belonged to the source.
func (s *source) mine(name string) bool {
	_, was := s.uids[name]
	_, is := s.now[name]
	return was || is || name == "" || s.exists(name)
}

// logged returns the requests that the API server logged since the last call.
func (h *harness) logged(ctx context.Context) ([]request, error) {
	h.markers++
	mark := fmt.Sprintf("chaos-mark-%d", h.markers)
	var requests []request
	err := persist(ctx, func(ctx context.Context) error {
		_, err := h.clients.CoreV1().ConfigMaps(metav1.NamespaceDefault).Get(ctx, mark, metav1.GetOptions{})
		if err != nil && !apierrors.IsNotFound(err) {
			return err
		}
		more, err := h.audit.read()
		requests = append(requests, more...)
		for _, r := range more {
			if r.resource == markerResource && r.name == mark {
				return nil
			}
		}
		if err == nil {
			err = fmt.Errorf("the audit log does not show %s yet", mark)
		}
		return err
	})
	for _, r := range requests {
		if r.by == theManager && r.observation() && r.done() {
			h.tally.count(observationWrites)
		}
	}
	return requests, err
}

// keepState writes the objects in the cluster to files in the folder of the logs.
func (h *harness) keepState(ctx context.Context, number int) error {
	for _, c := range h.namespaces {
		out, err := h.Kubectl(ctx, "-n", c.namespace, "get", "ccloud", "-o", "yaml")
		if err != nil {
			return err
		}
		path := filepath.Join(h.dir, fmt.Sprintf("round-%d-%s.yaml", number, c.namespace))
		if err := os.WriteFile(path, []byte(out), 0o600); err != nil {
			return err
		}
	}
	return nil
}

// some joins the first few texts and says how many more there are.
func some(texts []string) string {
	const few = 4
	if len(texts) <= few {
		return strings.Join(texts, "; ")
	}
	return fmt.Sprintf("%s; and %d more", strings.Join(texts[:few], "; "), len(texts)-few)
}

// numbers returns the indices of a slice.
func numbers[T any](members []T) []int {
	out := make([]int, len(members))
	for i := range out {
		out[i] = i
	}
	return out
}
