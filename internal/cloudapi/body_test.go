// SPDX-License-Identifier: Apache-2.0

package cloudapi

import (
	"bytes"
	"io"
	"testing"
	"testing/iotest"

	. "github.com/onsi/gomega"
)

func TestABodyGivesWhatCameBeforeItsError(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	b := newBody(t.Context(), iotest.DataErrReader(bytes.NewReader([]byte("all of it"))), 100)
	p := make([]byte, 20)
	n, _ := b.Read(p)
	g.Expect(string(p[:n])).To(Equal("all of it"))

	cut := newBody(t.Context(), iotest.TimeoutReader(iotest.OneByteReader(bytes.NewReader([]byte("abc")))), 100)
	got, err := io.ReadAll(cut)
	g.Expect(string(got)).To(Equal("a"))
	g.Expect(err).To(MatchError(iotest.ErrTimeout))
	g.Expect(cut.readErr).To(MatchError(iotest.ErrTimeout))
}
