// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"regexp"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
)

const samplePage = "# Page\n\n```console\n$ one <<EOF\n> two\n> EOF\nold 12s\n$ three\n```\n\n<!-- cloud: remove cluster lkc-1 -->\n<!-- a remark -->\n<!-- until: some -->\n```sh\nfour\nfive\n```\n```yaml\n$ none\n```\n\n1. A list:\n\n   ```console\n   $ six\n   old\n   ```\n\n| seven | `kubectl get x \\| cat` and `not this` |\n\n3. Eight: `kubectl logs x`.\n- `kubectl` alone: `not this`\n\n  <!-- with: NAMESPACE=a 18081=7 -->\n"

func TestAPagesStepsAreItsCommandsAndDirectives(t *testing.T) {
	g := NewWithT(t)
	steps := parse(samplePage)
	g.Expect(steps).To(HaveLen(9))
	g.Expect(steps[0].command).To(Equal("one <<EOF\ntwo\nEOF"))
	g.Expect(steps[0].output).To(Equal([]string{"old 12s"}))
	g.Expect(steps[1].command).To(Equal("three"))
	g.Expect(steps[1].output).To(BeEmpty())
	g.Expect(steps[2].directive).To(Equal("cloud: remove cluster lkc-1"))
	g.Expect(steps[3].directive).To(Equal("until: some"))
	g.Expect(steps[4].command).To(Equal("four\nfive"))
	g.Expect(steps[4].silent).To(BeTrue())
	g.Expect(steps[5].command).To(Equal("six"))
	g.Expect(steps[5].output).To(Equal([]string{"old"}))
	g.Expect(steps[6].command).To(Equal("kubectl get x | cat"))
	g.Expect(steps[7].command).To(Equal("kubectl logs x"))
	g.Expect(steps[8].directive).To(Equal("with: NAMESPACE=a 18081=7"))
}

func TestAPagesBlanksAreFilled(t *testing.T) {
	g := NewWithT(t)
	words := words("NAMESPACE=a NAME=b KIND/NAME=c 18081=7 DIGEST,DIGEST=$(kubectl get -o x={d} e) POD=p ID=i")
	g.Expect(words).To(HaveKeyWithValue("DIGEST,DIGEST", "$(kubectl get -o x={d} e)"))
	g.Expect(fill("-n NAMESPACE isrc/NAME KIND/NAME x=DIGEST,DIGEST 127.0.0.1:18081/readyz POD 18081:8081 YOUR-NAME NAMES {.clusterID}/ID", words)).To(
		Equal("-n a isrc/b c x=$(kubectl get -o x={d} e) 127.0.0.1:7/readyz p 7:8081 YOUR-NAME NAMES {.clusterID}/i"))
}

func TestAPageIsRewrittenWhereItsOutputIs(t *testing.T) {
	g := NewWithT(t)
	after := rewrite(samplePage, parse(samplePage), map[int][]string{0: {"new", "lines"}, 1: {"more"}, 5: {"newer"}})
	g.Expect(after).To(Equal(strings.NewReplacer("old 12s", "new\nlines", "$ three", "$ three\nmore", "   old", "   newer").Replace(samplePage)))
}

// cloudID finds the IDs of cloud objects that a reader takes from an output.
var cloudID = regexp.MustCompile(`\b(?:lkc|n|p|tgwa|pla|lsrc)-[a-z0-9]{6}\b`)

// A reader of a guide finds each ID for a command in what an earlier command printed.
func TestEveryIDInAGuideComesFromAnEarlierOutput(t *testing.T) {
	g := NewWithT(t)
	count := 0
	for _, page := range pages {
		if !strings.HasPrefix(page, "docs/guides/") {
			continue
		}
		var printed strings.Builder
		for _, step := range parse(read(t, page)) {
			for _, id := range cloudID.FindAllString(step.command, -1) {
				g.Expect(printed.String()).To(ContainSubstring(id), "%s:%d: no output above has the ID", page, step.line+1)
				count++
			}
			printed.WriteString(strings.Join(step.output, "\n"))
		}
	}
	g.Expect(count).To(BeNumerically(">", 10))
}

func TestOutputsDifferInWhatTheySayOnly(t *testing.T) {
	for _, c := range []struct {
		a, b string
		same bool
	}{
		{"prod   True   12s", "prod True 3m4s", true},
		{"prod   True   12s", "prod   False   12s", false},
		{"at 2026-01-01T00:00:00Z", "at 2027-01-01T00:00:01Z", true},
		{"approvePrune=0123456789ab", "approvePrune=ba9876543210", true},
		{"lkc-0123456789ab", "lkc-ba9876543210", false},
		{"12 observed", "13 observed", false},
	} {
		same := Equal(still([]string{c.b}))
		if !c.same {
			same = Not(same)
		}
		NewWithT(t).Expect(still([]string{c.a})).To(same)
	}
}
