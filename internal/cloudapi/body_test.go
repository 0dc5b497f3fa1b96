// SPDX-License-Identifier: Apache-2.0

package cloudapi

import (
	"bytes"
	"encoding/json"
	"testing"
	"testing/iotest"

	. "github.com/onsi/gomega"
)

// pieces gives at most 512 bytes at a time and counts the reads asked of it.
type pieces struct {
	*bytes.Reader
	reads int
}

func (p *pieces) Read(b []byte) (int, error) {
	p.reads++
	return p.Reader.Read(b[:min(len(b), 512)])
}

// counted counts the reads asked of a body.
type counted struct {
	*body
	reads int
}

func (c *counted) Read(b []byte) (int, error) {
	c.reads++
	return c.body.Read(b)
}

func TestBlanksInSmallPiecesAreNotLookedThroughAgainAndAgain(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	const blanks = 1 << 20
	from := &pieces{Reader: bytes.NewReader(bytes.Repeat([]byte(" "), blanks))}
	b := &counted{body: newBody(from, 2*blanks)}
	_, err := json.NewDecoder(b).Token()
	g.Expect(err).To(HaveOccurred())
	g.Expect(from.reads).To(BeNumerically(">=", blanks/512))
	g.Expect(b.reads).To(BeNumerically("<", 20), "the decoder's buffer doubles, and each read fills it")
}

func TestABodyGivesWhatCameBeforeItsError(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	b := newBody(iotest.DataErrReader(bytes.NewReader([]byte("all of it"))), 100)
	p := make([]byte, 20)
	n, _ := b.Read(p)
	g.Expect(string(p[:n])).To(Equal("all of it"))

	cut := newBody(iotest.TimeoutReader(iotest.OneByteReader(bytes.NewReader([]byte("abc")))), 100)
	n, err := cut.Read(p)
	g.Expect(string(p[:n])).To(Equal("a"))
	g.Expect(err).To(MatchError(iotest.ErrTimeout))
	g.Expect(cut.err).To(MatchError(iotest.ErrTimeout))
}
