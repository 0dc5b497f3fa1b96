// SPDX-License-Identifier: Apache-2.0

package cloudapi

import (
	"compress/flate"
	"compress/gzip"
	"errors"
	"io"

	"github.com/go-json-experiment/json/jsontext"
)

// body reads an answer's body up to a limit and remembers how it ended, which
// distinguishes a connection that was cut from a page that was written wrong: to the
// JSON decoder both just end early.
type body struct {
	from     io.Reader
	left     int64
	tooLarge bool
	err      error
}

// newBody limits from to limit bytes, that many included.
func newBody(from io.Reader, limit int64) *body {
	return &body{from: from, left: limit}
}

// Read implements io.Reader.
func (b *body) Read(p []byte) (int, error) {
	if b.tooLarge {
		return 0, io.ErrUnexpectedEOF
	}
	if int64(len(p)) > b.left+1 {
		p = p[:b.left+1]
	}
	n, err := b.from.Read(p)
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
	if e, ok := errors.AsType[*jsontext.SyntacticError](err); ok && !errors.Is(err, io.ErrUnexpectedEOF) {
		return malformed("not valid JSON at byte %d", e.ByteOffset)
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
