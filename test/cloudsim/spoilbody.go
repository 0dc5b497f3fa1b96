package cloudsim

import (
	"bytes"
	"compress/gzip"
	"context"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

const jsonType = "application/json"

// good returns the usual answer without sending it. The header of x.w already has the header of
// this answer.
func (x *exchange) good() *bufferWriter {
	answer := &bufferWriter{header: x.w.Header(), status: http.StatusOK}
	x.sim.serve(answer, x.r, nil)
	return answer
}

// spoil counts the fault and calls change, which sends something instead of the page. The header is
// already set, including the length of the page. If the answer is not a page, spoil sends it
// unchanged.
func (x *exchange) spoil(change func(body []byte)) {
	answer := x.good()
	if answer.status != http.StatusOK {
		x.w.WriteHeader(answer.status)
		_, _ = x.w.Write(answer.body.Bytes())
		return
	}
	x.count()
	change(answer.body.Bytes())
}

// send sends body at once. It ignores errors: they mean that the client is gone.
func (x *exchange) send(body []byte) {
	_, _ = x.w.Write(body)
	_ = http.NewResponseController(x.w).Flush() // the connection may be cut next
}

// sendWhole sends a body whose length differs from that of the page.
func (x *exchange) sendWhole(status int, body []byte) {
	x.w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	x.w.WriteHeader(status)
	_, _ = x.w.Write(body)
}

// wait waits for d. It returns false if the client is gone before that.
func (x *exchange) wait(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-x.r.Context().Done():
		return false
	}
}

// slowPieces is the number of pieces of a slow body.
const slowPieces = 10

func resetBefore(x *exchange) {
	x.count()
	resetConnection(x.w)
}

func resetInBody(x *exchange) {
	x.spoil(func(body []byte) {
		x.send(body[:len(body)/2])
		resetConnection(x.w)
	})
}

func resetAfterBody(x *exchange) {
	x.spoil(func(body []byte) {
		x.send(body)
		// This is usually enough time for the client to read the page. A reset discards what the
		// kernels still hold.
		x.wait(x.sim.slowTime / slowPieces)
		resetConnection(x.w)
	})
}

func cutBody(x *exchange) {
	x.spoil(func(body []byte) {
		x.send(body[:len(body)/2])
		panic(http.ErrAbortHandler)
	})
}

func noAnswer(x *exchange) {
	x.count()
	x.wait(x.sim.hangTime)
	panic(http.ErrAbortHandler)
}

func hangInBody(x *exchange) {
	x.spoil(func(body []byte) {
		x.send(body[:len(body)/2])
		x.wait(x.sim.hangTime)
		panic(http.ErrAbortHandler)
	})
}

func slowBody(x *exchange) {
	x.spoil(func(body []byte) {
		for i := range slowPieces {
			if !x.wait(x.sim.slowTime / slowPieces) {
				return
			}
			x.send(body[len(body)*i/slowPieces : len(body)*(i+1)/slowPieces])
		}
	})
}

// endlessBody sends spaces in the middle of data without end, some ten megabytes a second.
func endlessBody(x *exchange) {
	x.spoil(func(body []byte) {
		x.w.Header().Del("Content-Length")
		ctx, stop := context.WithTimeout(x.r.Context(), x.sim.hangTime)
		defer stop()
		x.send(bytes.TrimSuffix(bytes.TrimSuffix(body, []byte("}")), []byte("]")))
		blanks := bytes.Repeat([]byte(" "), 64<<10)
		for ctx.Err() == nil {
			if _, err := x.w.Write(blanks); err != nil {
				break
			}
			x.wait(time.Millisecond)
		}
		panic(http.ErrAbortHandler)
	})
}

// replaced sends what change makes of the body of a good page. It sets the right length.
func replaced(change func(body []byte) []byte) func(*exchange) {
	return func(x *exchange) {
		x.spoil(func(body []byte) { x.sendWhole(http.StatusOK, change(body)) })
	}
}

func truncated(body []byte) []byte { return body[:len(body)/2] }

func garbage(body []byte) []byte { return append(body, "\n<!-- served by proxy 7 -->"...) }

// noData removes data, which is the last member.
func noData(body []byte) []byte {
	return append(body[:bytes.LastIndex(body, []byte(`,"data":`))], '}')
}

func partialContent(x *exchange) {
	x.spoil(func(body []byte) { x.sendWhole(http.StatusPartialContent, body) })
}

const (
	bombBlock  = 16 << 20
	bombBlocks = 64
)

// blankBlock is a gzip member with many spaces. It is a thousand times smaller than the spaces.
var blankBlock = sync.OnceValue(func() []byte { return zip(bytes.Repeat([]byte(" "), bombBlock)) })

func zip(plain []byte) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = w.Write(plain) // never fails, because a Buffer never fails
	_ = w.Close()
	return b.Bytes()
}

// gzipBomb sends a good page with a gigabyte of spaces before its last brace. A gzip stream may
// have many members, so the spaces are compressed only once.
func gzipBomb(x *exchange) {
	x.spoil(func(body []byte) {
		x.w.Header().Set("Content-Encoding", "gzip")
		end := len(body) - 1
		bomb := zip(body[:end])
		for range bombBlocks {
			bomb = append(bomb, blankBlock()...)
		}
		x.sendWhole(http.StatusOK, append(bomb, zip(body[end:])...))
	})
}

// answer sends a fixed answer instead of the usual one. It replaces the text REQUEST-ID by the ID
// of the request.
func answer(status int, contentType, body string) func(*exchange) {
	return func(x *exchange) {
		x.count()
		if contentType != "" {
			x.w.Header().Set("Content-Type", contentType)
		}
		x.w.WriteHeader(status)
		_, _ = x.w.Write([]byte(strings.ReplaceAll(body, "REQUEST-ID", x.w.Header().Get("X-Request-Id"))))
	}
}
