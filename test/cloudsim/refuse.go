package cloudsim

import (
	"net/http"
	"time"
)

// What goes out with the statuses: every shape an error is known to have.
const (
	portal   = "<!DOCTYPE html>\n<html><head><title>Sign in</title></head><body>Please sign in to the network.</body></html>\n"
	badKey   = "invalid API key: make sure you're using a Cloud API Key and not a Cluster API Key"
	noRights = "forbidden access: the API key's owner has no rights to this operation"
	error404 = `{"errors":[{"error_code":40401,"message":"the environment was not found"}]}`
	error409 = `{"errors":[{"status":"409","code":"conflict","detail":"another change is under way"}]}`
	error500 = `{"error_code":50001,"message":"something went wrong on our side"}`
	error504 = `{"status":504,"error":{"code":504,"message":"the upstream server did not answer"},"requestId":"REQUEST-ID"}`

	// absurd is more than 64 bits hold.
	absurd = "99999999999999999999"
)

var error501 = failure{status: http.StatusNotImplemented, code: "not_implemented", title: "Not Implemented",
	detail: "this operation is not available here"}

// refuse sends a failure in place of any answer.
func refuse(f failure) func(*exchange) {
	return func(x *exchange) {
		x.count()
		f.write(x.w)
	}
}

// rateLimited answers 429 with those of the headers that are not empty.
func rateLimited(retryAfter, remaining, reset string) func(*exchange) {
	return func(x *exchange) {
		x.count()
		for name, value := range map[string]string{
			"Retry-After": retryAfter, "X-RateLimit-Remaining": remaining, "X-RateLimit-Reset": reset,
		} {
			if value != "" {
				x.w.Header().Set(name, value)
			}
		}
		if remaining != "" {
			x.w.Header().Set("X-RateLimit-Limit", "100")
		}
		x.w.WriteHeader(http.StatusTooManyRequests)
	}
}

func rateLimitedDate(x *exchange) {
	// A date has whole seconds: it is one second ahead, or nearly two.
	at := x.sim.clock().Add(2 * time.Second).UTC().Format(http.TimeFormat)
	rateLimited(at, "", "")(x)
}

func tokenExpired(x *exchange) {
	refuse(*badParameter("page_token", "page_token has expired: begin again with the first page"))(x)
}

// redirect sends the client to where it is. The next answer is another fault or none.
func redirect(x *exchange) {
	x.count()
	x.w.Header().Set("Location", x.r.URL.RequestURI())
	x.w.WriteHeader(http.StatusTemporaryRedirect)
}

func redirectForeign(x *exchange) {
	x.count()
	x.w.Header().Set("Location", x.sim.foreignOrigin()+x.r.URL.RequestURI())
	x.w.WriteHeader(http.StatusTemporaryRedirect)
}

// hangInError answers 500 and stops in the middle of the body for good.
func hangInError(x *exchange) {
	x.count()
	x.w.Header().Set("Content-Type", jsonType)
	x.w.WriteHeader(http.StatusInternalServerError)
	x.send([]byte(error500[:len(error500)/2]))
	x.wait(x.sim.hangTime)
	panic(http.ErrAbortHandler)
}
