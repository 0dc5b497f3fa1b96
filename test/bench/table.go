// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"
	"strings"
)

// section is what one scenario measured.
type section struct {
	name  string
	setup string
	figures
}

// plots are the plots that hack/pictures draws from the tables of a document, by section.
var plots = map[string]string{
	"cold":   "![Plot: objects that a first sync mirrors a second, by the size of the source, and the floor](pictures/first-sync.svg)\n\n",
	"churn":  "![Plot: processor time and duration of a sync, by what changed since the last one](pictures/sync-cost.svg)\n\n",
	"memory": "![Plot: resident memory by the number of observations, and the goals](pictures/memory.svg)\n\n",
}

// String writes the section for a terminal: a heading, the setup, a table.
func (s *section) String() string { return s.write("") }

// page writes the section for a document: its plot is above the table.
func (s *section) page() string { return s.write(plots[s.name]) }

func (s *section) write(plot string) string {
	var out strings.Builder
	_, _ = fmt.Fprintf(&out, "\n### %s\n\n%s.\n\n%s| figure | measured | goal | |\n| --- | ---: | ---: | --- |\n", s.name, s.setup, plot)
	for _, f := range s.figures {
		goal, verdict := "", ""
		if f.goal != nil {
			goal, verdict = f.goal.words(f.unit), "missed"
			if f.goal.met {
				verdict = "met"
			}
		}
		_, _ = fmt.Fprintf(&out, "| %s | %s | %s | %s |\n", f.name, number(f.value, f.unit), goal, verdict)
	}
	return out.String()
}

// What stands around the part of a document that a run writes.
const (
	beginMark = "<!-- Written by `make bench`, do not edit: begin -->\n"
	endMark   = "<!-- Written by `make bench`: end -->\n"
)

// replaceTables replaces what is between the marks of a document. The error says what
// the document lacks.
func replaceTables(path, report string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("document: %w", err)
	}
	before, rest, begun := strings.Cut(string(text), beginMark)
	_, after, ended := strings.Cut(rest, endMark)
	if !begun || !ended {
		return fmt.Errorf("document: %s lacks the lines %q and %q", path, strings.TrimSpace(beginMark), strings.TrimSpace(endMark))
	}
	if err := os.WriteFile(path, []byte(before+beginMark+report+endMark+after), 0o644); err != nil {
		return fmt.Errorf("document: %w", err)
	}
	return nil
}
