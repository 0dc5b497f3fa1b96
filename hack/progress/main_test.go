// SPDX-License-Identifier: Apache-2.0

package main

import (
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"
)

const protocol = `{"Action":"start","Package":"github.com/ccloud-dev/inventory-operator/test/e2e"}
{"Action":"start","Package":"github.com/ccloud-dev/inventory-operator/internal/mirror"}
{"Action":"output","Package":"github.com/ccloud-dev/inventory-operator/internal/mirror","Test":"TestA","Output":"nobody needs this\n"}
{"Action":"pass","Package":"github.com/ccloud-dev/inventory-operator/internal/mirror","Test":"TestA"}
{"Action":"pass","Package":"github.com/ccloud-dev/inventory-operator/internal/mirror","Elapsed":1.25}
{"Action":"output","Package":"github.com/ccloud-dev/inventory-operator/test/e2e","Test":"TestB","Output":"said at "}
{"Action":"output","Package":"github.com/ccloud-dev/inventory-operator/test/e2e","Test":"TestC","Output":"said by the other\n"}
{"Action":"output","Package":"github.com/ccloud-dev/inventory-operator/test/e2e","Test":"TestB","Output":"two times\n"}
{"Action":"pass","Package":"github.com/ccloud-dev/inventory-operator/test/e2e","Test":"TestC"}
{"Action":"fail","Package":"github.com/ccloud-dev/inventory-operator/test/e2e","Test":"TestB"}
{"Action":"output","Package":"github.com/ccloud-dev/inventory-operator/test/e2e","Output":"FAIL\n"}
{"Action":"fail","Package":"github.com/ccloud-dev/inventory-operator/test/e2e","Elapsed":60}
{"Action":"build-output","ImportPath":"github.com/ccloud-dev/inventory-operator/test/docs [github.com/ccloud-dev/inventory-operator/test/docs.test]","Output":"page.go:1: no such thing\n"}
{"Action":"fail","Package":"github.com/ccloud-dev/inventory-operator/test/docs","Elapsed":0,"FailedBuild":"github.com/ccloud-dev/inventory-operator/test/docs [github.com/ccloud-dev/inventory-operator/test/docs.test]"}
{"Action":"skip","Package":"github.com/ccloud-dev/inventory-operator/hack/demo","Elapsed":0}
not JSON
`

func read(text string) (said string, status int) {
	var out strings.Builder
	s := newSummary(&out)
	for line := range strings.Lines(text) {
		s.line(strings.TrimSuffix(line, "\n"), s.began)
	}
	status = s.end(s.began.Add(time.Minute))
	return out.String(), status
}

func TestWhatRunsAndWhatFailedIsSaid(t *testing.T) {
	g := NewWithT(t)
	said, status := read(protocol)
	g.Expect(status).To(Equal(1))
	g.Expect(said).To(Equal(`  running  test/e2e
  running  internal/mirror
  ok       internal/mirror  1.2 s
  FAILED   test/e2e  60.0 s
FAIL
said at two times
  FAILED   test/docs  0.0 s
page.go:1: no such thing
not JSON
  2 packages FAILED, 1 passed, in 60 s
    test/e2e  TestB
`))
}

func TestAllThatPassedIsCounted(t *testing.T) {
	g := NewWithT(t)
	said, status := read(strings.Join(strings.SplitAfter(protocol, "\n")[1:5], ""))
	g.Expect(status).To(BeZero())
	g.Expect(said).To(HaveSuffix("  1 packages passed in 60 s\n"))
}

// An interrupt, or a full disk, ends go test in the middle.
func TestWhatDidNotEndFailed(t *testing.T) {
	g := NewWithT(t)
	said, status := read(strings.Join(strings.SplitAfter(protocol, "\n")[:5], ""))
	g.Expect(status).To(Equal(1))
	g.Expect(said).To(ContainSubstring("  FAILED   test/e2e  ended before its tests did\n"))
}

func TestLongSilenceIsBroken(t *testing.T) {
	g := NewWithT(t)
	var out strings.Builder
	s := newSummary(&out)
	s.tick(s.began.Add(silence))
	g.Expect(out.String()).To(Equal("  running  nothing yet: what the first tests need is being compiled\n"))
	out.Reset()
	at := s.began.Add(silence)
	s.line(`{"Action":"start","Package":"a"}`, at)
	s.line(`{"Action":"start","Package":"b"}`, at.Add(5*time.Second))
	out.Reset()
	s.tick(at.Add(silence))
	g.Expect(out.String()).To(BeEmpty())
	s.tick(at.Add(5 * time.Second).Add(silence))
	g.Expect(out.String()).To(Equal("  running  a for 35 s, b for 30 s\n"))
}
