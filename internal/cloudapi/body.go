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

// body reads the body of an answer, up to a limit and until ctx is done. It remembers why the body
// ended, because the JSON decoder cannot know why. If the connection is cut or the page is
// malformed, the decoder only sees that the text ends early.
type body struct {
	ctx    context.Context
	source io.Reader
	// left is how many more bytes may come. read is how many bytes have come.
	left, read int64
	// returned has the bytes that were given back. Read returns them first.
	returned []byte
	tooLarge bool
	err      error
}

// newBody returns a body that reads at most limit bytes from source.
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
	// Decoding the bytes that came may have taken long. Once the time is up, Read returns no more
	// bytes.
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

// giveBack gives p back: Read returns p again before the other bytes.
func (b *body) giveBack(p []byte) { b.returned = append(p, b.returned...) }

// readError is the error of a body that did not come whole.
type readError struct{ err error }

// Error implements error.
func (e *readError) Error() string { return "reading the body: " + e.err.Error() }

// explain turns an error of decoding b into an *Error of class Malformed. If the body did not come
// whole, it returns a *readError instead. But bytes that are wrong are Malformed even if the
// connection failed after them. The decoder reads ahead, so it may see the failure before it comes
// to the wrong bytes.
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

// isCorrupt reports whether err means that compressed data is corrupt. Any other error comes from
// the connection.
func isCorrupt(err error) bool {
	_, corrupt := errors.AsType[flate.CorruptInputError](err)
	return corrupt || errors.Is(err, gzip.ErrHeader) || errors.Is(err, gzip.ErrChecksum)
}
