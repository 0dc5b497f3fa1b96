// SPDX-License-Identifier: Apache-2.0

package cloudapi

import (
	"bytes"
	"cmp"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
)

const (
	// maxFailureBytes is how much of an error's body is read. A longer body is cut, and no JSON.
	maxFailureBytes = 64 << 10
	// maxReasonDepth is how many lists and objects inside each other are read for a reason.
	maxReasonDepth = 6
	// maxReasonValues is how many values are read for a reason.
	maxReasonValues = 1_000
)

// The members that name and describe a problem, the best first. Here and in a problem, a name is
// without case and underscores: errorCode is error_code. They are the words of the API, of OAuth
// (RFC 6749), of problem+json (RFC 9457), and of the gateways and frameworks that may answer for
// the API.
var (
	codeMembers = []string{"code", "errorcode"}
	textMembers = []string{"title", "message", "errordescription", "detail", "errormessage", "faultstring", "msg", "description", "reason"}
	// factMembers do not describe a problem. The parameter is the one of the request at fault.
	factMembers = []string{"id", "requestid", "parameter"}
)

// problem is one description of an error: the texts of its members, none of them empty.
type problem map[string]string

// lack sets a member that the problem has not.
func (p problem) lack(name, text string) {
	if p[name] == "" && text != "" {
		p[name] = text
	}
}

// code returns the problem's code, "" if there is none.
func (p problem) code() string { return cmp.Or(p["code"], p["errorcode"]) }

// text returns the problem's text for people, "" if there is none. A title that only repeats the
// status says less than the other members.
func (p problem) text(status int) string {
	names := textMembers
	if strings.EqualFold(strings.TrimSpace(p["title"]), http.StatusText(status)) {
		names = slices.Concat(textMembers[1:], []string{"title"})
	}
	for _, name := range names {
		if p[name] != "" {
			return p[name]
		}
	}
	return ""
}

// blamesPageSize reports whether a problem speaks of the page size.
func (p problem) blamesPageSize() bool {
	joined := strings.NewReplacer("_", "", " ", "", "-", "")
	for _, text := range p {
		if strings.Contains(joined.Replace(strings.ToLower(text)), "pagesize") {
			return true
		}
	}
	return false
}

// invalidKey reports whether a 403 means a key that the cloud does not know, and not a key without
// rights.
func invalidKey(problems []problem) bool {
	for _, p := range problems {
		for name, text := range p {
			if name != "title" && strings.Contains(strings.ToLower(text), "invalid api key") {
				return true
			}
		}
	}
	return false
}

// parseFailure reads as much as it can of an error's body. If the body is empty, is not JSON, or
// gives no reason in any known shape, there are no problems.
func parseFailure(raw []byte) (problems []problem, requestID string) {
	raw = bytes.TrimPrefix(raw, []byte("\ufeff"))
	if len(raw) > maxFailureBytes || !json.Valid(raw) {
		return nil, ""
	}
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber() // a code is shown as it came
	var body any
	if decoder.Decode(&body) != nil {
		return nil, ""
	}
	problems = (&reasons{left: maxReasonValues}).read(body, 0)
	for _, p := range problems {
		requestID = cmp.Or(requestID, p["requestid"])
	}
	if requestID == "" && len(problems) > 0 {
		requestID = problems[0]["id"]
	}
	return problems, requestID
}

// reasons reads the problems in a JSON value: an object of known members, a text instead of one, or
// a list of either. Each member that describes may itself have any of these shapes.
type reasons struct {
	// left is how many values may still be read.
	left int
}

// read returns the problems in a value, the best first. A text of one word is a code, any other a
// message. One word as the whole body may be anything, and is no problem.
func (r *reasons) read(value any, depth int) (problems []problem) {
	if value == nil || r.left == 0 || depth > maxReasonDepth {
		return nil
	}
	r.left--
	switch value := value.(type) {
	case map[string]any:
		return r.object(value, depth)
	case []any:
		for _, element := range value {
			problems = append(problems, r.read(element, depth+1)...)
		}
	case string:
		switch text := scalar(value); {
		case strings.ContainsAny(text, " \t\r\n"):
			return []problem{{"message": text}}
		case text != "" && depth > 0:
			return []problem{{"code": text}}
		}
	}
	return problems
}

// object returns the problem that an object is, and those in its members errors, error and fault.
// The body's errors come first. Those of a problem say more than it needs, and come last.
func (r *reasons) object(object map[string]any, depth int) []problem {
	members := map[string]any{}
	names := slices.Sorted(maps.Keys(object))
	for _, name := range names {
		members[strings.ReplaceAll(strings.ToLower(name), "_", "")] = object[name]
	}
	list := r.read(members["errors"], depth+1)
	own := r.own(members, depth)
	inner := slices.Concat(r.read(members["error"], depth+1), r.read(members["fault"], depth+1))
	// OAuth has the code in error, and the text beside it.
	if _, isList := members["error"].([]any); !isList && len(own) > 0 && len(inner) == 1 && len(inner[0]) == 1 && inner[0]["code"] != "" {
		own["code"] = cmp.Or(own["code"], inner[0]["code"])
		inner = nil
	}
	if len(own) > 0 {
		inner = slices.Insert(inner, 0, own)
	}
	switch {
	case depth == 0:
		return append(list, inner...)
	case len(list)+len(inner) > 0:
		return append(inner, list...)
	}
	return r.byField(object, names, depth+1)
}

// own returns the problem that an object's members describe.
func (r *reasons) own(members map[string]any, depth int) problem {
	own := problem{}
	for _, name := range slices.Concat(codeMembers, textMembers, factMembers) {
		own.lack(name, scalar(members[name]))
	}
	for _, name := range textMembers {
		if own[name] != "" {
			continue
		}
		for _, p := range r.read(members[name], depth+1) {
			own.lack(name, p.text(0))
			if own.code() == "" {
				own.lack("code", p.code())
			}
		}
	}
	if source, ok := members["source"].(map[string]any); ok {
		own.lack("parameter", scalar(source["parameter"]))
	}
	return own
}

// byField returns the problems of an object that has a list of them for each field of a request.
func (r *reasons) byField(object map[string]any, names []string, depth int) (problems []problem) {
	for _, name := range names {
		list, _ := object[name].([]any)
		for _, p := range r.read(list, depth) {
			if text := cmp.Or(p.text(0), p.code()); text != "" {
				problems = append(problems, problem{"message": name + ": " + text})
			}
		}
	}
	return problems
}

// scalar returns a string or a number as text. Anything else is "", and so is a string of spaces.
func scalar(value any) string {
	switch value := value.(type) {
	case json.Number:
		return value.String()
	case string:
		if strings.TrimSpace(value) != "" {
			return value
		}
	}
	return ""
}
