package cloudsim

import (
	"net/http"
	"time"
)

// These are the bodies of error answers, in every shape that is known.
const (
	portal   = "<!DOCTYPE html>\n<html><head><title>Sign in</title></head><body>Please sign in to the network.</body></html>\n"
	badKey   = "invalid API key: make sure you're using a Cloud API Key and not a Cluster API Key"
	noRights = "forbidden access: the API key's owner has no rights to this operation"
	error404 = `{"errors":[{"error_code":40401,"message":"the environment was not found"}]}`
	error409 = `{"errors":[{"status":"409","code":"conflict","detail":"another change is under way"}]}`
	error500 = `{"error_code":50001,"message":"something went wrong on our side"}`
	error504 = `{"status":504,"error":{"code":504,"message":"the upstream server did not answer"},"requestId":"REQUEST-ID"}`

	// absurd is a number that needs more than 64 bits.
	absurd = "99999999999999999999"
)

var error501 = failure{status: http.StatusNotImplemented, code: "not_implemented", title: "Not Implemented",
	detail: "this operation is not available here"}

// refuse sends a failure instead of the answer.
func refuse(f failure) func(*exchange) {
	return func(x *exchange) {
		x.count()
		f.write(x.w)
	}
}

// rateLimited answers 429 with these headers. It leaves out a header whose value is empty.
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
	// A date has only whole seconds. So the wait is between one and two seconds.
	at := x.sim.clock().Add(2 * time.Second).UTC().Format(http.TimeFormat)
	rateLimited(at, "", "")(x)
}

func tokenExpired(x *exchange) {
	refuse(*badParameter("page_token", "page_token has expired: begin again with the first page"))(x)
}

// redirect redirects the client to the same URL. The next answer may have another fault or none.
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

// hangInError answers 500, and then hangs in the middle of the body.
func hangInError(x *exchange) {
	x.count()
	x.w.Header().Set("Content-Type", jsonType)
	x.w.WriteHeader(http.StatusInternalServerError)
	x.send([]byte(error500[:len(error500)/2]))
	x.wait(x.sim.hangTime)
	panic(http.ErrAbortHandler)
}
