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

// body reads the body of an HTTP response. A read fails if the body has more bytes than newBody
// allows, or if ctx has ended.
type body struct {
	ctx    context.Context
	source io.Reader
	// bytesLeft is how many more bytes may be read. bytesRead is how many bytes have been read.
	bytesLeft, bytesRead int64
	// pushedBack has the bytes that the next call of Read returns first.
	pushedBack []byte
	tooLarge   bool
	// readErr is the last error of source or ctx, except io.EOF; nil if there was none. A body that
	// is too large sets tooLarge instead.
	readErr error
}

// newBody returns a body that may have at most maxBytes bytes.
func newBody(ctx context.Context, source io.Reader, maxBytes int64) *body {
	return &body{ctx: ctx, source: source, bytesLeft: maxBytes}
}

// Read implements io.Reader.
func (b *body) Read(p []byte) (int, error) {
	if len(b.pushedBack) > 0 {
		n := copy(p, b.pushedBack)
		b.pushedBack = b.pushedBack[n:]
		return n, nil
	}
	if b.tooLarge {
		return 0, io.ErrUnexpectedEOF
	}
	// Check the context first, because the connection may still return buffered bytes after the
	// context has ended.
	if err := b.ctx.Err(); err != nil {
		b.readErr = err
		return 0, err
	}
	if int64(len(p)) > b.bytesLeft+1 {
		p = p[:b.bytesLeft+1]
	}
	n, err := b.source.Read(p)
	if int64(n) > b.bytesLeft {
		b.tooLarge = true
		return int(b.bytesLeft), io.ErrUnexpectedEOF
	}
	b.bytesLeft -= int64(n)
	b.bytesRead += int64(n)
	if err != nil && !errors.Is(err, io.EOF) {
		b.readErr = err
	}
	return n, err
}

// pushBack stores bytes that the next call of Read returns first.
func (b *body) pushBack(p []byte) { b.pushedBack = append(p, b.pushedBack...) }

// readError means that reading the body failed, for example because the connection was cut.
type readError struct{ err error }

// Error implements error.
func (e *readError) Error() string { return "reading the body: " + e.err.Error() }

// classifyError turns an error of decoding the body into one of these errors:
//
//   - err itself, if err is an *Error
//   - an *Error of class Malformed, if the body is too large, damaged or not valid JSON
//   - a *readError, if reading the body failed
func (b *body) classifyError(err error) error {
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	reading := b.readErr != nil && errors.Is(err, b.readErr) // the decoder wraps the error of Read
	if _, ok := errors.AsType[*jsontext.SyntacticError](err); ok && !reading && !errors.Is(err, io.ErrUnexpectedEOF) {
		return malformed("not valid JSON")
	}
	switch {
	case b.tooLarge:
		return malformed("the body is larger than allowed")
	case b.readErr == nil:
		return malformed("the JSON ends early")
	case isCorrupt(b.readErr):
		return malformed("the body cannot be decompressed")
	}
	return &readError{b.readErr}
}

// isCorrupt reports whether a read failed because the compressed body is corrupt.
func isCorrupt(err error) bool {
	_, corrupt := errors.AsType[flate.CorruptInputError](err)
	return corrupt || errors.Is(err, gzip.ErrHeader) || errors.Is(err, gzip.ErrChecksum)
}
