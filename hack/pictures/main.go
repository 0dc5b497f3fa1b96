// SPDX-License-Identifier: Apache-2.0

// Command pictures draws one picture of the pages as SVG, from text on its standard input:
//
//	go run . memory <../../docs/benchmarks.md
//	go run . demo <what kubectl showed in the demo
//
// Every figure in a plot is one of the tables in docs/benchmarks.md. So a plot shows what the page
// says, and needs no measurement. The same input gives the same bytes. `make pictures` writes all
// pictures to docs/pictures.
//
// It is a module of its own, as the plotting library would be for the operator alone to carry.
package main

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
)

// pictures are those that can be drawn, by name: from what to what.
var pictures = map[string]func(text string) (string, error){
	"demo":       terminal,
	"memory":     plotOf(memory),
	"first-sync": plotOf(firstSync),
	"sync-cost":  plotOf(syncCost),
}

func main() {
	if err := run(os.Args[1:], os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "pictures:", err)
		os.Exit(1)
	}
}

func run(args []string, in io.Reader, out io.Writer) error {
	names := strings.Join(slices.Sorted(maps.Keys(pictures)), ", ")
	if len(args) != 1 {
		return errors.New("name one picture: " + names)
	}
	draw, is := pictures[args[0]]
	if !is {
		return fmt.Errorf("no picture %q; there are: %s", args[0], names)
	}
	text, err := io.ReadAll(in)
	if err != nil {
		return err
	}
	picture, err := draw(string(text))
	if err != nil {
		return fmt.Errorf("%s: %w", args[0], err)
	}
	_, err = io.WriteString(out, picture)
	return err
}
