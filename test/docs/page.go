// SPDX-License-Identifier: Apache-2.0

// Package docs runs the commands of the project's pages against a real control plane, the
// manager and the simulated cloud, and holds their output to what the pages show.
package docs

import (
	"regexp"
	"strings"
)

// step is something of a page to carry out.
type step struct {
	// line is where it begins, from 0.
	line int
	// command is for a shell; of several lines, where the page has them behind "> ".
	command string
	// output is what the page shows of it: the lines from..to.
	output   []string
	from, to int
	// indent is what stands before each line, where the block is part of a list.
	indent string
	// directive is what happens meanwhile, from a comment that readers do not see:
	//	<!-- cloud: remove cluster lkc-7mb0m2 -->
	//	<!-- run: kubectl wait … -->
	//	<!-- until: kubectl get … -->
	//	<!-- manager: stop -->
	//	<!-- metric: ccloud_inventory_… 1 -->
	//	<!-- with: NAMESPACE=platform NAME=prod -->
	// The last says what stands for the words that a reader fills in, from there on.
	directive string
	// silent reports whether the output is not looked at: of a block of sh, and of a directive.
	silent bool
}

var fence = regexp.MustCompile("^( *)```([a-z]*)$")

var comment = regexp.MustCompile(`^ *<!-- ((?:cloud|run|until|manager|metric|with): .*) -->$`)

// blank finds a word that a reader fills in, or a number; given one with what stands for it.
var (
	blank = regexp.MustCompile(`\b[A-Z0-9][-A-Z0-9_,/]*[A-Z0-9]\b`)
	given = regexp.MustCompile(`(?:^| )([A-Z0-9][-A-Z0-9_,/]*[A-Z0-9])=`)
)

// words reads a directive with.
func words(text string) map[string]string {
	all := map[string]string{}
	at := given.FindAllStringSubmatchIndex(text, -1)
	for i, found := range at {
		end := len(text)
		if i+1 < len(at) {
			end = at[i+1][0]
		}
		all[text[found[2]:found[3]]] = text[found[1]:end]
	}
	return all
}

// fill puts what the words stand for in their place.
func fill(text string, words map[string]string) string {
	return blank.ReplaceAllStringFunc(text, func(word string) string {
		if value, is := words[word]; is {
			return value
		}
		return word
	})
}

// inTable finds the commands in a line of a table.
var inTable = regexp.MustCompile("`(kubectl [^`]+)`")

// inList finds the command that a point of a list ends with.
var inList = regexp.MustCompile("^(?:\\d+\\.|-) [^`]*: `(kubectl [^`]+)`[.]?$")

// parse returns the steps of a page: the commands in its blocks of console and sh in its
// tables and at the end of points of lists, and the directives.
func parse(text string) (steps []step) {
	var block, indent string
	lines := strings.Split(text, "\n")
	for i := range lines { // Within a block without what indents it.
		edge := fence.FindStringSubmatch(lines[i])
		switch {
		case edge != nil && block == "":
			block, indent = "a block", edge[1]
		case edge != nil:
			block, lines[i] = "", strings.TrimPrefix(lines[i], indent)
		case block != "":
			lines[i] = strings.TrimPrefix(lines[i], indent)
		}
	}
	for i := 0; i < len(lines); i++ {
		line := lines[i]
		found, edge := comment.FindStringSubmatch(line), fence.FindStringSubmatch(line)
		switch {
		case block == "" && found != nil:
			steps = append(steps, step{line: i, directive: found[1], silent: true})
		case block == "" && strings.HasPrefix(line, "|"):
			for _, command := range inTable.FindAllStringSubmatch(line, -1) {
				steps = append(steps, step{line: i, command: strings.ReplaceAll(command[1], `\|`, "|"), silent: true})
			}
		case block == "" && edge != nil:
			block, indent = edge[2], edge[1]
			if block == "" {
				block = "text"
			}
		case edge != nil:
			block = ""
		case block == "console" && strings.HasPrefix(line, "$ "):
			s := step{line: i, command: strings.TrimPrefix(line, "$ "), indent: indent}
			for ; i+1 < len(lines) && strings.HasPrefix(lines[i+1], "> "); i++ {
				s.command += "\n" + strings.TrimPrefix(lines[i+1], "> ")
			}
			s.from = i + 1
			for ; i+1 < len(lines) && lines[i+1] != "```" && !strings.HasPrefix(lines[i+1], "$ "); i++ {
				s.output = append(s.output, lines[i+1])
			}
			s.to = i + 1
			steps = append(steps, s)
		case block == "sh":
			s := step{line: i, command: line, silent: true}
			for ; i+1 < len(lines) && lines[i+1] != "```"; i++ {
				s.command += "\n" + lines[i+1]
			}
			steps = append(steps, s)
		case block == "" && inList.MatchString(line):
			s := step{line: i, command: inList.FindStringSubmatch(line)[1], silent: true}
			steps = append(steps, s)
		}
	}
	return steps
}

// moving are the parts of an output that differ from run to run, and what stands for them.
var moving = []struct {
	pattern *regexp.Regexp
	stands  string
}{
	{regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ`), "TIME"},
	{regexp.MustCompile(`\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b`), "UID"},
	{regexp.MustCompile(`request id [A-Z0-9]+`), "request id ID"},
	{regexp.MustCompile(`approvePrune=[0-9a-f]{12}`), "approvePrune=DIGEST"},
	{regexp.MustCompile(`"scope":"[0-9a-f]{12}"`), `"scope":"SCOPE"`},
	{regexp.MustCompile(`Digest: +[0-9a-f]{12}`), "Digest: DIGEST"},
	{regexp.MustCompile(`http://127\.0\.0\.1:\d+`), "CLOUD"},
	{regexp.MustCompile(`(?m)(resourceVersion|resource version): "?\d+"?`), "resourceVersion: N"},
	{regexp.MustCompile(`\b\d+(ms|s|m|h)(\d+s)?\b`), "AGE"},
	{regexp.MustCompile(`<(unknown|invalid)>`), "AGE"},
	{regexp.MustCompile(`\bAGE \(x\d+ over AGE\)`), "AGE"},
	{regexp.MustCompile(`-{3,}`), "---"},
	{regexp.MustCompile(`[ \t]+`), " "},
}

// still returns an output without what differs from run to run, columns' widths among it.
func still(lines []string) string {
	text := strings.TrimSpace(strings.Join(lines, "\n"))
	for _, m := range moving {
		text = m.pattern.ReplaceAllString(text, m.stands)
	}
	var out []string
	for line := range strings.SplitSeq(text, "\n") {
		out = append(out, strings.TrimSpace(line))
	}
	return strings.Join(out, "\n")
}

// rewrite returns a page with the outputs that its commands gave, by step.
func rewrite(text string, steps []step, outputs map[int][]string) string {
	lines := strings.Split(text, "\n")
	for i := len(steps) - 1; i >= 0; i-- {
		if output, ran := outputs[i]; ran {
			var shown []string
			for _, line := range output {
				shown = append(shown, strings.TrimRight(steps[i].indent+line, " "))
			}
			lines = append(lines[:steps[i].from:steps[i].from], append(shown, lines[steps[i].to:]...)...)
		}
	}
	return strings.Join(lines, "\n")
}
