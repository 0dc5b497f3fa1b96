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
	// maxFailureBytes is how many bytes of an error answer are read at most.
	maxFailureBytes = 64 << 10
	// maxReasonDepth is how many levels of lists and objects are searched for an error text.
	maxReasonDepth = 6
	// maxReasonValues is how many JSON values are searched for an error text.
	maxReasonValues = 1_000
)

// codeMembers has the names of JSON members with an error code. textMembers has the names of JSON
// members with an error text. In each list, the best name is first. All names are in lower case and
// without underscores.
var (
	codeMembers = []string{"code", "errorcode"}
	textMembers = []string{"title", "message", "errordescription", "detail", "errormessage", "faultstring", "msg", "description", "reason"}
	// factMembers has the names of JSON members with other facts, such as the request ID.
	factMembers = []string{"id", "requestid", "parameter"}
)

// problem describes one error of an answer. It maps the name of a JSON member to the member's text.
// No text is empty.
type problem map[string]string

// addMissing adds a member and its text, if the problem does not have this member yet. An empty
// text is ignored.
func (p problem) addMissing(name, text string) {
	if p[name] == "" && text != "" {
		p[name] = text
	}
}

// errorCode returns the error code; "" if there is none.
func (p problem) errorCode() string { return cmp.Or(p["code"], p["errorcode"]) }

// errorText returns the error text that is most useful to a person; "" if there is no text. A title
// that only repeats the HTTP status is the last choice.
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

// blamesPageSize reports whether the error description mentions the page size.
func (p problem) blamesPageSize() bool {
	joined := strings.NewReplacer("_", "", " ", "", "-", "")
	for _, text := range p {
		if strings.Contains(joined.Replace(strings.ToLower(text)), "pagesize") {
			return true
		}
	}
	return false
}

// invalidKey reports whether the reason for HTTP 403 is an unknown API key. If not, the reason is a
// missing right.
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

// readValue returns the error descriptions in a JSON value, the best first. A string with spaces
// counts as a message. Inside a list or an object, a string without spaces counts as an error code.
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

// readObject returns the error descriptions in an object. It reads members such as "message", and
// searches the members "error", "fault" and "errors".
func (r *reasonSearch) readObject(object map[string]any, depth int) []problem {
	members := map[string]any{}
	names := slices.Sorted(maps.Keys(object))
	for _, name := range names {
		members[strings.ReplaceAll(strings.ToLower(name), "_", "")] = object[name]
	}
	list := r.readValue(members["errors"], depth+1)
	own := r.readOwn(members, depth)
	inner := slices.Concat(r.readValue(members["error"], depth+1), r.readValue(members["fault"], depth+1))
	// OAuth has the error code in "error" and the error text in "error_description". Join the two
	// to one error description.
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

// readOwn returns the one error description that members such as "code" and "message" form
// together.
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

// readByField reads an object such as {"page_size": ["too large"]}, which maps a field of the
// request to a list of errors.
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

// scalarText returns a string or a number as text. It returns "" for any other value and for a
// blank string.
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
