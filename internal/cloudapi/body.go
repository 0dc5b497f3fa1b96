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

// body reads the body of an HTTP response. Reading fails if the body is larger than a limit, or if
// the context in the field ctx has ended. The field err has the error of a failed read.
type body struct {
	ctx    context.Context
	source io.Reader
	// The field left is how many more bytes may be read. The field read is how many bytes have been
	// read.
	left, read int64
	// The field returned has the bytes that giveBack put back. The next Read returns these bytes
	// first.
	returned []byte
	tooLarge bool
	err      error
}

// newBody returns a body. The parameter limit is the largest allowed size in bytes.
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
	// Check the context first, because the connection may still return buffered bytes after the
	// context has ended.
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

// giveBack puts bytes back. The next Read returns them first.
func (b *body) giveBack(p []byte) { b.returned = append(p, b.returned...) }

// readError means that reading the body failed, for example because the connection was cut.
type readError struct{ err error }

// Error implements error.
func (e *readError) Error() string { return "reading the body: " + e.err.Error() }

// explain turns an error of decoding the body into one of these errors:
//
//   - err itself, if err is an *Error
//   - an *Error of class Malformed, if the body is too large, damaged or not valid JSON
//   - a *readError, if reading the body failed
func (b *body) explain(err error) error {
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	reading := b.err != nil && errors.Is(err, b.err) // the decoder wraps the error of Read
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

// isCorrupt reports whether a read failed because the compressed body is corrupt.
func isCorrupt(err error) bool {
	_, corrupt := errors.AsType[flate.CorruptInputError](err)
	return corrupt || errors.Is(err, gzip.ErrHeader) || errors.Is(err, gzip.ErrChecksum)
}
