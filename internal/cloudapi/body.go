// SPDX-License-Identifier: Apache-2.0

package cloudapi

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
)

// body reads an answer's body up to a limit and remembers how it ended, which
// tells a connection that was cut from a page that was written wrong: to the
// JSON decoder both just end early.
type body struct {
	from     io.Reader
	left     int64
	tooLarge bool
	err      error
	// ahead is what was read ahead and is to be read again; ended, how reading
	// ahead ended, nil if there may be more.
	ahead []byte
	ended error
}

// newBody limits from to limit bytes, that many included.
func newBody(from io.Reader, limit int64) *body {
	return &body{from: from, left: limit}
}

// Read implements io.Reader. It fills p if it can: the JSON decoder looks through
// all the blanks it holds again after each read, which would cost the square of
// their number if they came in small pieces.
func (b *body) Read(p []byte) (int, error) {
	switch {
	case len(b.ahead) > 0:
		n := copy(p, b.ahead)
		b.ahead = b.ahead[n:]
		return n, nil
	case b.ended != nil:
		return 0, b.ended
	case b.tooLarge:
		return 0, io.ErrUnexpectedEOF
	}
	if int64(len(p)) > b.left+1 {
		p = p[:b.left+1]
	}
	n, err := 0, error(nil)
	for n < len(p) && err == nil {
		var read int
		read, err = b.from.Read(p[n:])
		n += read
	}
	if int64(n) > b.left {
		b.tooLarge = true
		return int(b.left), io.ErrUnexpectedEOF
	}
	b.left -= int64(n)
	if err != nil && !errors.Is(err, io.EOF) {
		b.err = err
	}
	return n, err
}

// readAhead reads up to limit bytes into buffer and returns them, and whether they
// are the whole body. Read gives them once more, so buffer must not change before.
func (b *body) readAhead(buffer *bytes.Buffer, limit int64) ([]byte, bool) {
	_, err := buffer.ReadFrom(io.LimitReader(b, limit))
	if err == nil && int64(buffer.Len()) < limit {
		err = io.EOF
	}
	b.ahead, b.ended = buffer.Bytes(), err
	return b.ahead, errors.Is(err, io.EOF)
}

// readError is a body that did not come whole.
type readError struct{ err error }

// Error implements error.
func (e *readError) Error() string { return "reading the body: " + e.err.Error() }

// explain turns an error of decoding b into an *Error of class Malformed, or
// into a *readError where decoding failed because reading did. What the bytes
// that did come prove goes before how the body ended: the decoder reads ahead.
func (b *body) explain(err error) error {
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	if e, ok := errors.AsType[*json.SyntaxError](err); ok {
		return malformed("not valid JSON at byte %d", e.Offset)
	}
	switch {
	case b.tooLarge:
		return malformed("the body is larger than allowed")
	case b.err == nil:
		return malformed("the JSON ends early")
	case isCorrupt(b.err):
		return malformed("the body cannot be decompressed")
	}
	return &readError{b.err}
}

// isCorrupt tells compressed data that is wrong from a connection that failed.
func isCorrupt(err error) bool {
	_, corrupt := errors.AsType[flate.CorruptInputError](err)
	return corrupt || errors.Is(err, gzip.ErrHeader) || errors.Is(err, gzip.ErrChecksum)
}
