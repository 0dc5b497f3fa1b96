// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// page holds the sections of docs/benchmarks.md that a run of `make bench` wrote, by name.
type page map[string]section

// section is one scenario.
type section struct {
	name string
	// setup is the sentence above the table.
	setup string
	rows  []row
}

// row is one line of a table, as it is written there.
type row struct{ figure, measured, goal string }

// What stands around the tables, see test/bench.
const (
	beginMark = "<!-- Written by `make bench`, do not edit: begin -->\n"
	endMark   = "<!-- Written by `make bench`: end -->\n"
)

// readPage finds the sections in the text of the page.
func readPage(text string) (page, error) {
	_, rest, begun := strings.Cut(text, beginMark)
	tables, _, ended := strings.Cut(rest, endMark)
	if !begun || !ended {
		return nil, fmt.Errorf("the page lacks the lines %q and %q", strings.TrimSpace(beginMark), strings.TrimSpace(endMark))
	}
	p := page{}
	for part := range strings.SplitSeq("\n"+tables, "\n### ") {
		name, body, _ := strings.Cut(part, "\n")
		s := section{name: name}
		for line := range strings.SplitSeq(body, "\n") {
			cells := strings.Split(line, "|")
			switch {
			case len(cells) == 6:
				s.rows = append(s.rows, row{strings.TrimSpace(cells[1]), strings.TrimSpace(cells[2]), strings.TrimSpace(cells[3])})
			case s.setup == "":
				s.setup = line
			}
		}
		p[name] = s
	}
	return p, nil
}

// section returns a section by name.
func (p page) section(name string) (section, error) {
	s, is := p[name]
	if !is {
		return s, fmt.Errorf("the page has no section %q", name)
	}
	return s, nil
}

// figure returns what a section measured, by the name of the figure.
func (s section) figure(name string) (quantity, error) {
	for _, r := range s.rows {
		if r.figure == name {
			return readQuantity(r.measured)
		}
	}
	return quantity{}, fmt.Errorf("section %q has no figure %q", s.name, name)
}

// number returns the number that a pattern finds in the setup.
func (s section) number(pattern *regexp.Regexp) (string, error) {
	found := pattern.FindStringSubmatch(s.setup)
	if found == nil {
		return "", fmt.Errorf("section %q: its first line does not match %s: %q", s.name, pattern, s.setup)
	}
	return found[1], nil
}

// quantity is a figure with its unit.
type quantity struct {
	value float64
	unit  string
	// text is how the page writes it.
	text string
}

// seconds of the units of time.
var seconds = map[string]float64{"ms": 1e-3, "s": 1, "min": 60}

// readQuantity reads a figure, such as "93 ms". Times become seconds.
func readQuantity(text string) (quantity, error) {
	number, unit, _ := strings.Cut(text, " ")
	value, err := strconv.ParseFloat(number, 64)
	if err != nil {
		return quantity{}, fmt.Errorf("%q is no figure: %w", text, err)
	}
	if in, is := seconds[unit]; is {
		return quantity{value * in, "s", text}, nil
	}
	return quantity{value, unit, text}, nil
}

// in returns the value, and an error if the unit is another one.
func (q quantity) in(unit string) (float64, error) {
	if q.unit != unit {
		return 0, fmt.Errorf("%q is not in %s", q.text, unit)
	}
	return q.value, nil
}

// thousands writes a whole number with commas: 20,000.
func thousands(digits string) string {
	for at := len(digits) - 3; at > 0; at -= 3 {
		digits = digits[:at] + "," + digits[at:]
	}
	return digits
}
