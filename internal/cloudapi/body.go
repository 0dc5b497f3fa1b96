// SPDX-License-Identifier: Apache-2.0

package cloudapi

import (
	"compress/flate"
	"compress/gzip"
	"context"
	"errors"
	"io"

	"github.com/go-json-experiment/json/jsontext"
)

// body reads an answer's body up to a limit, until ctx is done. It remembers how the body ended,
// because the JSON decoder cannot: if a connection is cut or a page is malformed, the decoder only
// sees that the text ends early.
type body struct {
	ctx    context.Context
	source io.Reader
	// left is how many bytes may still come. read is how many have come.
	left, read int64
	// returned are bytes that were given back. They are read first.
	returned []byte
	tooLarge bool
	err      error
}

// newBody returns a body that reads at most limit bytes of from.
func newBody(ctx context.Context, source io.Reader, limit int64) *body {
	return &body{ctx: ctx, source: source, left: limit}
}

// Read implements io.Reader.
func (b *body) Read(p []byte) (int, error) {
	if len(b.returned) > 0 {
		n := copy(p, b.returned)
		b.returned = b.returned[n:]
		return n, nil
	}
	if b.tooLarge {
		return 0, io.ErrUnexpectedEOF
	}
	// Decoding what has come may take long, but no more comes once the time is up.
	if err := b.ctx.Err(); err != nil {
		b.err = err
		return 0, err
	}
	if int64(len(p)) > b.left+1 {
		p = p[:b.left+1]
	}
	n, err := b.source.Read(p)
	if int64(n) > b.left {
		b.tooLarge = true
		return int(b.left), io.ErrUnexpectedEOF
	}
	b.left -= int64(n)
	b.read += int64(n)
	if err != nil && !errors.Is(err, io.EOF) {
		b.err = err
	}
	return n, err
}

// giveBack gives p back, to be read again before the rest.
func (b *body) giveBack(p []byte) { b.returned = append(p, b.returned...) }

// readError is the error of a body that did not come whole.
type readError struct{ err error }

// Error implements error.
func (e *readError) Error() string { return "reading the body: " + e.err.Error() }

// explain turns an error of decoding b into an *Error of class Malformed, or into a *readError if
// the body did not come whole. Wrong bytes that came before the body ended count more than its end:
// the decoder reads ahead.
func (b *body) explain(err error) error {
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	reading := b.err != nil && errors.Is(err, b.err) // the decoder wraps what Read returned
	if _, ok := errors.AsType[*jsontext.SyntacticError](err); ok && !reading && !errors.Is(err, io.ErrUnexpectedEOF) {
		return malformed("not valid JSON")
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

// isCorrupt reports whether compressed data is corrupt. Other errors are those of the connection.
func isCorrupt(err error) bool {
	_, corrupt := errors.AsType[flate.CorruptInputError](err)
	return corrupt || errors.Is(err, gzip.ErrHeader) || errors.Is(err, gzip.ErrChecksum)
}
