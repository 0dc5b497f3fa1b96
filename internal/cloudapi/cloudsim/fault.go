package cloudsim

import (
	"bytes"
	"maps"
	"net"
	"net/http"
	"slices"
	"strconv"
	"sync"
)

// faults decides which requests are not served as usual.
type faults struct {
	mu        sync.Mutex
	intercept func(n int, r *http.Request) http.Handler
	seen      int // requests since intercept was set
	scripted  []scriptedFault
}

// scriptedFault is what a FailNext has left to do.
type scriptedFault struct {
	op      Op
	left    int
	handler http.Handler
}

// Intercept has f asked about every request, before authentication. n counts the
// requests from 1 since f was set. f returns the handler to serve the request with,
// or nil to serve it as usual; it must be safe for concurrent use. A nil f ends it.
func (s *Sim) Intercept(f func(n int, r *http.Request) http.Handler) {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	s.faults.intercept, s.faults.seen = f, 0
}

// FailNext serves the next n requests of op (OpAny: of any kind) with h. Several
// calls add up, in their order. An interceptor that has its own answer goes first.
func (s *Sim) FailNext(op Op, n int, h http.Handler) {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	if n > 0 {
		s.faults.scripted = append(s.faults.scripted, scriptedFault{op, n, h})
	}
}

// ClearFaults removes the interceptor and all that FailNext has left to do.
func (s *Sim) ClearFaults() {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	s.faults.intercept, s.faults.seen, s.faults.scripted = nil, 0, nil
}

// next returns the handler for a request that is not to be served as usual, or nil.
func (f *faults) next(op Op, r *http.Request) http.Handler {
	f.mu.Lock()
	f.seen++
	n, intercept := f.seen, f.intercept
	f.mu.Unlock()
	if intercept != nil {
		if h := intercept(n, r); h != nil {
			return h
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for i := range f.scripted {
		fault := &f.scripted[i]
		if fault.op != OpAny && fault.op != op {
			continue
		}
		h := fault.handler
		if fault.left--; fault.left == 0 {
			f.scripted = slices.Delete(f.scripted, i, i+1)
		}
		return h
	}
	return nil
}

// Status answers with this status, body and header. The body is called JSON unless
// header has a Content-Type of its own.
func Status(code int, body string, header http.Header) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if body != "" {
			w.Header().Set("Content-Type", "application/json")
		}
		maps.Copy(w.Header(), header)
		w.WriteHeader(code)
		_, _ = w.Write([]byte(body))
	})
}

// Reset resets the connection before the first byte of an answer.
func Reset() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			panic(http.ErrAbortHandler) // HTTP/2 or a test's recorder: the next best
		}
		if tcp, ok := conn.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0) // makes Close send RST instead of FIN
		}
		_ = conn.Close()
	})
}

// Truncate promises the whole of h's answer, sends the first n bytes of its body (all
// of it if it is shorter) and cuts the connection.
func Truncate(h http.Handler, n int) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer := &bufferWriter{header: w.Header(), status: http.StatusOK}
		h.ServeHTTP(answer, r)
		body := answer.body.Bytes()
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		w.WriteHeader(answer.status)
		_, _ = w.Write(body[:min(n, len(body))])
		_ = http.NewResponseController(w).Flush() // what is still buffered would be lost
		panic(http.ErrAbortHandler)
	})
}

// bufferWriter holds an answer back.
type bufferWriter struct {
	header http.Header
	status int
	body   bytes.Buffer
}

// Header implements http.ResponseWriter.
func (b *bufferWriter) Header() http.Header { return b.header }

// WriteHeader implements http.ResponseWriter.
func (b *bufferWriter) WriteHeader(status int) { b.status = status }

// Write implements http.ResponseWriter.
func (b *bufferWriter) Write(p []byte) (int, error) { return b.body.Write(p) }
