// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"html"
	"regexp"
	"strings"
	"unicode/utf8"
)

// Sizes of the terminal, in pixels: a character's cell, the text in it, and what is around all.
const (
	cellWidth  = 8.4
	cellHeight = 20
	fontSize   = 14
	margin     = 20
	bar        = 34
)

// word finds each word of a line with the spaces behind it, age those that differ from run to run.
var (
	word = regexp.MustCompile(`\S+ *`)
	age  = regexp.MustCompile(`^(?:\d+(?:ms|s|m|h))+$`)
)

// shownAge is what stands in place of an age.
const shownAge = "5s"

// still gives every age the same value, and leaves the columns as they are.
func still(line string) string {
	return word.ReplaceAllStringFunc(line, func(found string) string {
		if !age.MatchString(strings.TrimRight(found, " ")) {
			return found
		}
		return fmt.Sprintf("%-*s", len(found), shownAge)
	})
}

// terminal draws commands, in lines that begin with "$ ", and what they print.
func terminal(text string) (string, error) {
	rows := strings.Split(strings.TrimRight(text, "\n"), "\n")
	if !strings.HasPrefix(rows[0], "$ ") {
		return "", errors.New("the text does not begin with a command, such as \"$ kubectl get ccloud\"")
	}
	widest := 0
	for i, row := range rows {
		rows[i] = strings.TrimRight(still(row), " ")
		widest = max(widest, utf8.RuneCountInString(rows[i]))
	}
	width, height := 2*margin+float64(widest)*cellWidth, bar+margin+float64(len(rows))*cellHeight
	var out strings.Builder
	printf := func(format string, args ...any) { _, _ = fmt.Fprintf(&out, format+"\n", args...) }
	printf(`<svg width="%.0f" height="%.0f" viewBox="0 0 %.0[1]f %.0[2]f" xmlns="http://www.w3.org/2000/svg">`, width, height)
	printf(`<rect x="0.5" y="0.5" width="%.0f" height="%.0f" rx="8" style="fill:%s;stroke:%s"/>`, width-1, height-1, paper, lines)
	for i := range 3 {
		printf(`<circle cx="%d" cy="%d" r="5.5" style="fill:%s"/>`, margin+6+i*18, bar/2, lines)
	}
	printf(`<g font-family="ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono','Liberation Mono',monospace" font-size="%d">`, fontSize)
	for i, row := range rows {
		style := "fill:" + ink
		switch {
		case row == "":
			continue
		case strings.HasPrefix(row, "$ "):
			style = "font-weight:bold;fill:" + blue
		case strings.HasPrefix(row, "NAME "):
			style = "fill:" + faint
		}
		// The length keeps columns in line, whatever the font's cell is.
		printf(`<text x="%d" y="%d" textLength="%.1f" xml:space="preserve" style="white-space:pre;%s">%s</text>`,
			margin, bar+fontSize+i*cellHeight, float64(utf8.RuneCountInString(row))*cellWidth, style, html.EscapeString(row))
	}
	printf("</g>\n</svg>")
	return headed(out.String(), "A terminal: "+strings.Join(commands(rows), "; ")), nil
}

// commands returns the commands among the lines.
func commands(rows []string) (out []string) {
	for _, row := range rows {
		if command, is := strings.CutPrefix(row, "$ "); is {
			out = append(out, command)
		}
	}
	return out
}
