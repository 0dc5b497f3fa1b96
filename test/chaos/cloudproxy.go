// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"
)

const (
	// perSecond is the value of the managers' --requests-per-second. It is also their burst.
	perSecond = 50
	// mostAtOnce is how many requests of a credential may be under way at once.
	mostAtOnce = 2
	// hangsAfter is how long a request without an answer counts as under way.
	hangsAfter = 5 * time.Second
	// slack allows for the time between sending a request and its arrival on a busy machine.
	slack = 300 * time.Millisecond
	// tolerance is how long a request may seem to be under way after its manager gave it up: the
	// proxy notices that late, while it writes a slow answer. A slow answer takes seconds, so requests
	// that really are under way together are noticed.
	tolerance = 500 * time.Millisecond
)

// cloudProxy is a proxy between the managers and the simulated cloud. It records when each request
// came and when it was answered, and checks these times against the budget.
type cloudProxy struct {
	// URL is the address to which the managers send their requests.
	URL string

	cloud  http.Handler
	server *http.Server
	served sync.WaitGroup

	mu       sync.Mutex
	accounts map[string]*account // by the key's ID
	requests int
}

// account has the requests that came with one key.
type account struct {
	bucket *bucket
	// exchanges has the requests of this round, and those of the last round that were still under
	// way at its end.
	exchanges []*exchange
	// judged is how many of the exchanges the bucket has already counted.
	judged int
}

// exchange is a request and its answer.
type exchange struct {
	span
	path, environment string
	// first reports whether the request asks for the first page of a listing.
	first bool
}

// startCloudProxy starts a proxy on a free loopback port.
func startCloudProxy(cloud http.Handler) (*cloudProxy, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listening before the cloud: %w", err)
	}
	p := &cloudProxy{URL: "http://" + listener.Addr().String(), cloud: cloud, accounts: map[string]*account{}}
	p.server = &http.Server{Handler: p, ReadHeaderTimeout: 10 * time.Second}
	p.served.Go(func() {
		_ = p.server.Serve(listener) // returns an error when close is called
	})
	return p, nil
}

func (p *cloudProxy) close() {
	_ = p.server.Close() // the listener's error does not matter now
	p.served.Wait()
}

// ServeHTTP implements http.Handler.
func (p *cloudProxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x := p.begin(r)
	last := &lastWrite{ResponseWriter: w}
	defer func() { // even if the cloud breaks the connection
		p.mu.Lock()
		defer p.mu.Unlock()
		if x.ended = last.at; x.ended.IsZero() {
			x.ended = time.Now()
		}
	}()
	p.cloud.ServeHTTP(last, r)
}

func (p *cloudProxy) begin(r *http.Request) *exchange {
	key, _, _ := r.BasicAuth()
	query := r.URL.Query()
	x := &exchange{path: r.URL.Path, environment: query.Get("environment"), first: !query.Has("page_token")}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.requests++
	a := p.accounts[key]
	if a == nil {
		a = &account{bucket: newBucket(perSecond, perSecond, slack)}
		p.accounts[key] = a
	}
	x.begun = time.Now()
	a.exchanges = append(a.exchanges, x)
	return x
}

// lastWrite records when the last part of an answer was written. A client that reads the answer may
// send its next request after this time.
type lastWrite struct {
	http.ResponseWriter
	at time.Time
}

// Write implements http.ResponseWriter.
func (w *lastWrite) Write(b []byte) (int, error) {
	w.at = time.Now()
	return w.ResponseWriter.Write(b)
}

// Unwrap lets an http.ResponseController reach the connection.
func (w *lastWrite) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// count returns how many requests have come.
func (p *cloudProxy) count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.requests
}

// listings returns when syncs of an environment began between from and to in this round. Each sync
// lists every kind, so the listings of one kind are returned.
func (p *cloudProxy) listings(environment string, from, to time.Time) []time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	var begun []time.Time
	for _, a := range p.accounts {
		for _, x := range a.exchanges {
			if x.first && x.path == kinds[0].path && x.environment == environment && !x.begun.Before(from) && !x.begun.After(to) {
				begun = append(begun, x.begun)
			}
		}
	}
	return begun
}

// judge checks the round's requests against the budget and then forgets them. starts has, in order,
// the times from which another manager process may have been at work. Each process has its own
// budget. Requests of an earlier process are no longer under way.
func (p *cloudProxy) judge(starts []time.Time) []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var found []string
	for key, a := range p.accounts {
		for _, text := range a.judge(starts) {
			found = append(found, "key "+key+": "+text)
		}
	}
	return found
}

func (a *account) judge(starts []time.Time) []string {
	var found []string
	over, begin := 0, 0
	flush := func(end int) {
		if most, which := atOnce(spans(a.exchanges[begin:end]), tolerance, hangsAfter); most > mostAtOnce {
			at := a.exchanges[begin+which].begun
			found = append(found, fmt.Sprintf("%d requests under way at once at %s, more than %d", most, clockTime(at), mostAtOnce))
		}
		begin = end
	}
	for i := a.judged; i < len(a.exchanges); i++ {
		for len(starts) > 0 && !starts[0].After(a.exchanges[i].begun) {
			starts = starts[1:]
			a.bucket.refill()
			flush(i)
		}
		if !a.bucket.take(a.exchanges[i].begun) {
			over++
		}
	}
	flush(len(a.exchanges))
	if len(starts) > 0 {
		a.bucket.refill()
	}
	if over > 0 {
		found = append(found, fmt.Sprintf("%d requests more than %d a second and %d at once allow", over, perSecond, perSecond))
	}
	var open []*exchange
	for _, x := range a.exchanges {
		if x.ended.IsZero() {
			open = append(open, x)
		}
	}
	a.exchanges, a.judged = open, len(open)
	return found
}

func spans(exchanges []*exchange) []span {
	out := make([]span, len(exchanges))
	for i, x := range exchanges {
		out[i] = x.span
	}
	return out
}

// clockTime returns a time in the form of the journal.
func clockTime(t time.Time) string { return t.Format("15:04:05.000") }
