package cloudsim

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
)

// failure is an error answer before it is sent.
type failure struct {
	status              int
	code, title, detail string
	parameter           string // the wrong query parameter; "" if none is wrong
}

// failureBody is the Failure of the contract.
type failureBody struct {
	Errors []failureItem `json:"errors"`
}

type failureItem struct {
	ID     string         `json:"id"`
	Status string         `json:"status"`
	Code   string         `json:"code"`
	Title  string         `json:"title"`
	Detail string         `json:"detail"`
	Source *failureSource `json:"source,omitempty"`
}

type failureSource struct {
	Parameter string `json:"parameter"`
}

// write sends the failure. Its ID is the request ID that w's header already has.
func (f *failure) write(w http.ResponseWriter) {
	item := failureItem{
		ID:     w.Header().Get("X-Request-Id"),
		Status: strconv.Itoa(f.status),
		Code:   f.code,
		Title:  f.title,
		Detail: f.detail,
	}
	if f.parameter != "" {
		item.Source = &failureSource{Parameter: f.parameter}
	}
	if f.status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", `Basic error="invalid_key", error_description="The API Key is invalid"`)
	}
	writeJSON(w, f.status, encode(failureBody{Errors: []failureItem{item}}))
}

func writeJSON(w http.ResponseWriter, status int, body json.RawMessage) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body) // an error means that the client is gone
}

func badParameter(name, format string, args ...any) *failure {
	return &failure{
		status:    http.StatusBadRequest,
		code:      "invalid_parameter",
		title:     "Bad Request",
		detail:    fmt.Sprintf(format, args...),
		parameter: name,
	}
}

func unauthenticated(detail string) *failure {
	return &failure{
		status: http.StatusUnauthorized,
		code:   "invalid_api_key",
		title:  "Unauthorized",
		detail: detail,
	}
}

// refuseGlobal is the answer to a global API key if the operation does not accept one.
func refuseGlobal(status int) *failure {
	const detail = "this operation takes no global API key"
	if status == http.StatusUnauthorized {
		return unauthenticated(detail)
	}
	return forbidden("user_unauthorized", detail)
}

func forbidden(code, detail string) *failure {
	return &failure{status: http.StatusForbidden, code: code, title: "Forbidden Access", detail: detail}
}
