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
	// maxFailureBytes limits how many bytes of an error answer are read.
	maxFailureBytes = 64 << 10
	// maxReasonDepth is how many levels of nested lists and objects are searched for an error text.
	maxReasonDepth = 6
	// maxReasonValues is how many JSON values are searched for an error text.
	maxReasonValues = 1_000
)

// codeMembers has the names of JSON members with an error code. textMembers has the names of JSON
// members with an error text. An earlier name has priority over a later name. The names are in
// lower case and without underscores.
var (
	codeMembers = []string{"code", "errorcode"}
	textMembers = []string{"title", "message", "errordescription", "detail", "errormessage", "faultstring", "msg", "description", "reason"}
	// factMembers has the names of JSON members with other facts, such as the request ID.
	factMembers = []string{"id", "requestid", "parameter"}
)

// problem describes one error in an answer of the cloud. The key is the name of a JSON member, for
// example "message". The value is the member's text, and is never empty.
type problem map[string]string

// addMissing adds a member and its text. It does nothing if the problem already has the member, or
// if the text is empty.
func (p problem) addMissing(name, text string) {
	if p[name] == "" && text != "" {
		p[name] = text
	}
}

// errorCode returns the error code; "" if there is none.
func (p problem) errorCode() string { return cmp.Or(p["code"], p["errorcode"]) }

// errorText returns the error text that is most useful for a person; "" if there is no text. A
// title that only repeats the HTTP status, such as "Forbidden", is the last choice.
func (p problem) errorText(status int) string {
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

// blamesPageSize reports whether a text of the problem mentions the page size.
func (p problem) blamesPageSize() bool {
	joined := strings.NewReplacer("_", "", " ", "", "-", "")
	for _, text := range p {
		if strings.Contains(joined.Replace(strings.ToLower(text)), "pagesize") {
			return true
		}
	}
	return false
}

// invalidKey reports whether HTTP 403 means that the cloud does not know the API key. If not, HTTP
// 403 means that the API key lacks a right.
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

// parseFailure reads the error descriptions and the request ID in the body of an error answer. If
// the body is not JSON, both results are empty.
func parseFailure(raw []byte) (problems []problem, requestID string) {
	raw = bytes.TrimPrefix(raw, []byte("\ufeff"))
	if len(raw) > maxFailureBytes || !json.Valid(raw) {
		return nil, ""
	}
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber() // A number keeps its digits.
	var body any
	if decoder.Decode(&body) != nil {
		return nil, ""
	}
	problems = (&reasonSearch{valuesLeft: maxReasonValues}).readValue(body, 0)
	for _, p := range problems {
		requestID = cmp.Or(requestID, p["requestid"])
	}
	if requestID == "" && len(problems) > 0 {
		requestID = problems[0]["id"]
	}
	return problems, requestID
}

// reasonSearch searches a JSON value for descriptions of an error.
type reasonSearch struct {
	// valuesLeft is how many JSON values may still be read.
	valuesLeft int
}

// readValue returns the error descriptions in a JSON value. The most useful description is first. A
// string with spaces becomes an error text. A string without spaces becomes an error code, but only
// inside a list or an object.
func (r *reasonSearch) readValue(value any, depth int) (problems []problem) {
	if value == nil || r.valuesLeft == 0 || depth > maxReasonDepth {
		return nil
	}
	r.valuesLeft--
	switch value := value.(type) {
	case map[string]any:
		return r.readObject(value, depth)
	case []any:
		for _, element := range value {
			problems = append(problems, r.readValue(element, depth+1)...)
		}
	case string:
		switch text := scalarText(value); {
		case strings.ContainsAny(text, " \t\r\n"):
			return []problem{{"message": text}}
		case text != "" && depth > 0:
			return []problem{{"code": text}}
		}
	}
	return problems
}

// readObject returns the error descriptions in a JSON object. It reads the object's own members,
// such as "message", and searches the members "error", "fault" and "errors".
func (r *reasonSearch) readObject(object map[string]any, depth int) []problem {
	members := map[string]any{}
	names := slices.Sorted(maps.Keys(object))
	for _, name := range names {
		members[strings.ReplaceAll(strings.ToLower(name), "_", "")] = object[name]
	}
	list := r.readValue(members["errors"], depth+1)
	own := r.readOwn(members, depth)
	inner := slices.Concat(r.readValue(members["error"], depth+1), r.readValue(members["fault"], depth+1))
	// In an OAuth error, the member "error" has the error code, and the member "error_description"
	// has the error text. Make one error description of the two members.
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
	return r.readByField(object, names, depth+1)
}

// readOwn makes one error description from the members of a JSON object, such as "code" and
// "message".
func (r *reasonSearch) readOwn(members map[string]any, depth int) problem {
	own := problem{}
	for _, name := range slices.Concat(codeMembers, textMembers, factMembers) {
		own.addMissing(name, scalarText(members[name]))
	}
	for _, name := range textMembers {
		if own[name] != "" {
			continue
		}
		for _, p := range r.readValue(members[name], depth+1) {
			own.addMissing(name, p.errorText(0))
			if own.errorCode() == "" {
				own.addMissing("code", p.errorCode())
			}
		}
	}
	if source, ok := members["source"].(map[string]any); ok {
		own.addMissing("parameter", scalarText(source["parameter"]))
	}
	return own
}

// readByField reads the errors in an object such as {"page_size": ["too large"]}. Each key is a
// field of the request. Each value is a list of errors.
func (r *reasonSearch) readByField(object map[string]any, names []string, depth int) (problems []problem) {
	for _, name := range names {
		list, _ := object[name].([]any)
		for _, p := range r.readValue(list, depth) {
			if text := cmp.Or(p.errorText(0), p.errorCode()); text != "" {
				problems = append(problems, problem{"message": name + ": " + text})
			}
		}
	}
	return problems
}

// scalarText returns a JSON string or number as text. It returns "" for any other value, and for a
// string that has only spaces.
func scalarText(value any) string {
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
