package cloudsim

import (
	"bytes"
	"maps"
	"net"
	"net/http"
	"strconv"
)

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
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { resetConnection(w) })
}

// resetConnection resets the connection behind what was sent and flushed.
func resetConnection(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler) // HTTP/2 or a test's recorder: the next best
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // makes Close send RST instead of FIN
	}
	_ = conn.Close()
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
