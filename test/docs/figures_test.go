// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"regexp"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
)

// The page for operators has the figures that `make bench` wrote last.
func TestTheFiguresForOperatorsAreThoseMeasured(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	measured := read(t, "docs/benchmarks.md")
	page := strings.Join(strings.Fields(read(t, "docs/operations.md")), " ")
	for _, c := range []struct{ scenario, figure, before, after string }{
		{"memory", "at 1000 observations", "| 1,000 | ", " |"},
		{"memory", "at 10000 observations", "| 10,000 | ", " |"},
		{"memory", "at 20000 observations", "| 20,000 | ", " |"},
		{"memory", "at 100000 observations", "| 100,000 | ", " |"},
		{"cold", "20000 objects: manager's peak memory", "During the first sync of 20,000 observations, the operator needs up to ", "."},
		{"steady", "CPU per sync", "A sync of 20,000 unchanged objects uses ", " of CPU time."},
		{"cold", "20000 objects: manager's CPU", "and uses ", " of CPU time. The chart"},
		{"cold", "20000 objects: all of it", "The first sync of 20,000 objects takes ", ", and uses"},
		{"restart", "start to first finished sync", "With 20,000 observations the first sync ends ", " after the start."},
	} {
		_, section, found := strings.Cut(measured, "\n### "+c.scenario+"\n")
		g.Expect(found).To(BeTrue(), c.scenario)
		section, _, _ = strings.Cut(section, "\n### ")
		row := regexp.MustCompile(`\n\| ` + regexp.QuoteMeta(c.figure) + ` \| ([^|]+) \|`).FindStringSubmatch(section)
		g.Expect(row).NotTo(BeNil(), "%s: %s", c.scenario, c.figure)
		g.Expect(page).To(ContainSubstring(c.before+row[1]+c.after), "docs/operations.md: %s of %s", c.figure, c.scenario)
	}
}
