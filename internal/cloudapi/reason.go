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
	// maxFailureBytes is how many bytes of an error's body are read. A longer body is cut. It is
	// then no valid JSON, so it gives no reason.
	maxFailureBytes = 64 << 10
	// maxReasonDepth is how deep lists and objects may nest and still be read for a reason.
	maxReasonDepth = 6
	// maxReasonValues is how many values are read for a reason.
	maxReasonValues = 1_000
)

// These are the members that have the code and the text of a problem, the best member first. Here
// and in a problem, names are in lower case and have no underscores: errorCode and error_code are
// both errorcode. The names are those of the API, of OAuth (RFC 6749), of problem+json (RFC 9457),
// and of the gateways and frameworks that may answer for the API.
var (
	codeMembers = []string{"code", "errorcode"}
	textMembers = []string{"title", "message", "errordescription", "detail", "errormessage", "faultstring", "msg", "description", "reason"}
	// factMembers are members with facts that do not describe a problem. parameter is the parameter
	// of the request that caused the problem.
	factMembers = []string{"id", "requestid", "parameter"}
)

// problem is one description of an error. It maps the names of members to their texts. No text is
// empty.
type problem map[string]string

// lack sets the member name to text, if the problem lacks this member and text is not empty.
func (p problem) lack(name, text string) {
	if p[name] == "" && text != "" {
		p[name] = text
	}
}

// code returns the problem's code; "" if it has none.
func (p problem) code() string { return cmp.Or(p["code"], p["errorcode"]) }

// text returns the problem's text for people; "" if it has none. A title that only repeats the
// status comes last, because it says less than the other members.
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

// blamesPageSize reports whether a problem mentions the page size.
func (p problem) blamesPageSize() bool {
	joined := strings.NewReplacer("_", "", " ", "", "-", "")
	for _, text := range p {
		if strings.Contains(joined.Replace(strings.ToLower(text)), "pagesize") {
			return true
		}
	}
	return false
}

// invalidKey reports whether a 403 means that the cloud does not know the key. Otherwise the key
// lacks a right.
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

// parseFailure reads the problems and the request ID in an error's body. If the body is empty, is
// not JSON, or has no known shape, there are no problems.
func parseFailure(raw []byte) (problems []problem, requestID string) {
	raw = bytes.TrimPrefix(raw, []byte("\ufeff"))
	if len(raw) > maxFailureBytes || !json.Valid(raw) {
		return nil, ""
	}
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber() // so that a code is shown as it came
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

// reasons reads the problems in a JSON value. The value is an object of known members, or a text,
// or a list of such values. A member with a problem's text may also have any of these shapes.
type reasons struct {
	// left is how many values may still be read.
	left int
}

// read returns the problems in value, the best first. If value is a text of one word, this is a
// code. Any other text is a message. If the whole body is one word, it gives no problem, because
// the word may mean anything.
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

// object returns the problem that the object itself describes, and the problems in its members
// errors, error and fault. If the object is the body, the problems in errors come first. If it is a
// part of the body, they come last, because they only add details. If a part of the body has none
// of these problems, object reads it by field.
func (r *reasons) object(object map[string]any, depth int) []problem {
	members := map[string]any{}
	names := slices.Sorted(maps.Keys(object))
	for _, name := range names {
		members[strings.ReplaceAll(strings.ToLower(name), "_", "")] = object[name]
	}
	list := r.read(members["errors"], depth+1)
	own := r.own(members, depth)
	inner := slices.Concat(r.read(members["error"], depth+1), r.read(members["fault"], depth+1))
	// OAuth puts the code into the member error, and the text into another member.
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

// byField returns the problems of an object whose members are the fields of a request. Each field
// has a list of problems.
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

// scalar returns the text of a string or of a number. For a string of spaces and for any other
// value it returns "".
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
