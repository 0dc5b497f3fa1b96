// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/ccloud-dev/inventory-operator/test/stage"
)

// sourceResource is the name of sources in API paths.
const sourceResource = "inventorysources"

// observationResources returns the names of the observations in API paths.
func observationResources() []string {
	var all []string
	for _, k := range kinds {
		all = append(all, k.resource)
	}
	return all
}

// strangerAgent is the user agent of the harness when it acts as the stranger.
const strangerAgent = "chaos-stranger"

// author is who sent a request to the API server.
type author string

const (
	theManager  author = "the manager"
	theStranger author = "the stranger"
	someoneElse author = "someone else"
)

// request is a request that the API server answered, as its audit log has it.
type request struct {
	at                                     time.Time
	by                                     author
	agent                                  string
	verb                                   string
	resource, subresource, namespace, name string
	code                                   int
}

// writing reports whether the request tries to change something.
func (r request) writing() bool {
	return slices.Contains([]string{"create", "update", "patch", "delete", "deletecollection"}, r.verb)
}

// done reports whether the API server did what the request asked for.
func (r request) done() bool { return r.code >= 200 && r.code < 300 }

// observation reports whether the request is about observations.
func (r request) observation() bool {
	return slices.Contains(observationResources(), r.resource)
}

// auditLine has the fields that are read from a line of the audit log.
type auditLine struct {
	Stage     string                    `json:"stage"`
	Verb      string                    `json:"verb"`
	User      struct{ Username string } `json:"user"`
	UserAgent string                    `json:"userAgent"`
	ObjectRef struct {
		Resource    string `json:"resource"`
		Subresource string `json:"subresource"`
		Namespace   string `json:"namespace"`
		Name        string `json:"name"`
	} `json:"objectRef"`
	ResponseStatus struct {
		Code int `json:"code"`
	} `json:"responseStatus"`
	Received time.Time `json:"requestReceivedTimestamp"`
}

// parseAudit reads a line. It returns false if the line is not of interest, or if it was written
// before the request was answered.
func parseAudit(line []byte) (request, bool, error) {
	has := func(name string, values ...string) bool {
		return slices.ContainsFunc(values, func(value string) bool {
			return bytes.Contains(line, []byte(`"`+name+`":"`+value+`"`))
		})
	}
	// Most lines are about reads. Do not decode these lines.
	written := has("resource", append(observationResources(), sourceResource)...) && !has("verb", "get", "list", "watch")
	if !written && !has("resource", markerResource) {
		return request{}, false, nil
	}
	var a auditLine
	if err := json.Unmarshal(line, &a); err != nil {
		return request{}, false, fmt.Errorf("audit log: %w: %s", err, line)
	}
	r := request{a.Received, someoneElse, a.UserAgent, a.Verb, a.ObjectRef.Resource, a.ObjectRef.Subresource,
		a.ObjectRef.Namespace, a.ObjectRef.Name, a.ResponseStatus.Code}
	switch {
	case strings.HasSuffix(a.User.Username, ":"+stage.ServiceAccount):
		r.by = theManager
	case strings.HasPrefix(a.UserAgent, strangerAgent):
		r.by = theStranger
	}
	return r, a.Stage == "ResponseComplete" && (r.writing() || r.resource == markerResource), nil
}

// auditLog reads the API server's audit log while it grows.
type auditLog struct {
	path   string
	offset int64
}

// read returns the requests that were logged since the last call.
func (l *auditLog) read() ([]request, error) {
	file, err := os.Open(l.path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer file.Close()
	text, err := io.ReadAll(io.NewSectionReader(file, l.offset, 1<<40))
	if err != nil {
		return nil, err
	}
	text = text[:bytes.LastIndexByte(text, '\n')+1] // The API server is still writing the rest.
	l.offset += int64(len(text))
	var requests []request
	for line := range bytes.Lines(text) {
		r, ok, err := parseAudit(line)
		if err != nil {
			return nil, err
		}
		if ok {
			requests = append(requests, r)
		}
	}
	return requests, nil
}
