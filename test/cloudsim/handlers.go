package cloudsim

import (
	"bytes"
	"maps"
	"net"
	"net/http"
	"strconv"
)

// Status answers with this status, body and header. If body is not empty and header has no
// Content-Type, the Content-Type is JSON.
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

// resetConnection resets the connection, after what was already sent.
func resetConnection(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler) // HTTP/2 and a test's recorder cannot be reset
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // makes Close send RST instead of FIN
	}
	_ = conn.Close()
}

// Truncate sends the header of h's answer, with the full length of the body. It then sends the
// first n bytes of the body, or the whole body if it is shorter, and cuts the connection.
func Truncate(h http.Handler, n int) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer := &bufferWriter{header: w.Header(), status: http.StatusOK}
		h.ServeHTTP(answer, r)
		body := answer.body.Bytes()
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		w.WriteHeader(answer.status)
		_, _ = w.Write(body[:min(n, len(body))])
		_ = http.NewResponseController(w).Flush() // what is still in a buffer would be lost
		panic(http.ErrAbortHandler)
	})
}

// bufferWriter keeps an answer in memory instead of sending it.
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
