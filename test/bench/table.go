// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"
	"strings"
)

// header begins the table that a run prints, a row for each scenario.
const header = "| scenario | figures | goals |\n| --- | --- | --- |\n"

// row writes a scenario as one row of that table.
func (r *record) row() string {
	var cells []string
	met, goals := 0, 0
	for i := range r.Figures {
		f := &r.Figures[i]
		text := f.Name + ": " + f.String()
		if f.Goal != nil {
			goals++
			text += " (" + f.Goal.text(f.Unit) + ", " + f.Goal.verdict() + ")"
		}
		if f.Goal != nil && f.Goal.Met {
			met++
		}
		cells = append(cells, text)
	}
	verdict := "none"
	if goals > 0 {
		verdict = fmt.Sprintf("%d of %d met", met, goals)
	}
	return fmt.Sprintf("| %s | %s | %s |\n", r.Scenario, strings.Join(cells, "; "), verdict)
}

// text writes a goal for people.
func (g *goal) text(unit string) string {
	words := map[string]string{"<=": "at most", ">=": "at least", "=": "exactly"}
	return words[g.Relation] + " " + number(g.Value, unit)
}

func (g *goal) verdict() string {
	if g.Met {
		return "met"
	}
	return "missed"
}

// What stands around the part of a document that a run writes.
const (
	beginMark = "<!-- Written by `make bench`, do not edit: begin -->\n"
	endMark   = "<!-- Written by `make bench`: end -->\n"
)

// replaceTable replaces what is between the marks of a document by a run's results.
// The error says what the document lacks.
func replaceTable(path string, done []record) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("document: %w", err)
	}
	before, rest, begun := strings.Cut(string(text), beginMark)
	_, after, ended := strings.Cut(rest, endMark)
	if !begun || !ended {
		return fmt.Errorf("document: %s lacks the lines %q and %q", path, strings.TrimSpace(beginMark), strings.TrimSpace(endMark))
	}
	content := before + beginMark + report(done) + endMark + after
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		return fmt.Errorf("document: %w", err)
	}
	return nil
}

// report writes a run's results: the machine, then a table for each scenario.
func report(done []record) string {
	var out strings.Builder
	if len(done) == 0 {
		return ""
	}
	first, last := &done[0], &done[len(done)-1]
	m, v := first.Machine, first.Version
	_, _ = fmt.Fprintf(&out, "\nMeasured on %s: %s, %d cores, %s of memory, Linux %s, %s.\n",
		first.Time.Format("2006-01-02"), m.CPU, m.Cores, m.Memory, m.Kernel, m.OS)
	_, _ = fmt.Fprintf(&out, "Operator %s, %s, Kubernetes %s. The run took %s.\n", v.Operator, v.Go, v.Kubernetes,
		number(last.Time.Sub(first.Time).Minutes()+last.Seconds/60, "min"))
	if first.Quick {
		out.WriteString("It was a quick run, of small sizes.\n")
	}
	for i := range done {
		done[i].section(&out)
	}
	out.WriteString("\n")
	return out.String()
}

// section writes one scenario of the report.
func (r *record) section(out *strings.Builder) {
	_, _ = fmt.Fprintf(out, "\n### %s\n\n%s.\n\n| figure | measured | goal | |\n| --- | ---: | ---: | --- |\n", r.Scenario, upperFirst(r.Setup))
	for i := range r.Figures {
		f := &r.Figures[i]
		goal, verdict := "", ""
		if f.Goal != nil {
			goal, verdict = f.Goal.text(f.Unit), f.Goal.verdict()
		}
		_, _ = fmt.Fprintf(out, "| %s | %s | %s | %s |\n", f.Name, f, goal, verdict)
	}
	for _, note := range r.Notes {
		_, _ = fmt.Fprintf(out, "\n%s\n", note)
	}
}

func upperFirst(text string) string {
	if text == "" {
		return ""
	}
	return strings.ToUpper(text[:1]) + text[1:]
}
