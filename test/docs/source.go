// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// rows returns the rows of all tables of a page whose first column has that header.
func rows(page, header string) [][]string {
	var found [][]string
	wanted := false
	lines := strings.Split(page, "\n")
	for i, line := range lines {
		switch {
		case !strings.HasPrefix(line, "|"):
			wanted = false
		case i+1 < len(lines) && strings.HasPrefix(lines[i+1], "| ---"):
			wanted = cells(line)[0] == header
		case wanted && !strings.HasPrefix(line, "| ---"):
			found = append(found, cells(line))
		}
	}
	return found
}

func cells(row string) []string {
	parts := strings.Split(strings.Trim(row, "|"), "|")
	for i := range parts {
		parts[i] = strings.TrimSpace(parts[i])
	}
	return parts
}

var quoted = regexp.MustCompile("`([^`]+)`")

// inCode returns the texts between backquotes, joined by spaces.
func inCode(cell string) string {
	var found []string
	for _, match := range quoted.FindAllStringSubmatch(cell, -1) {
		found = append(found, match[1])
	}
	return strings.Join(found, " ")
}

// constant is one declared in a group that has a comment.
type constant struct{ name, value, group string }

// constants returns the constants of a Go file that are set to a text, or to another constant
// and a text.
func constants(file string) ([]constant, error) {
	parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ParseComments)
	if err != nil {
		return nil, err
	}
	var found []constant
	texts := map[string]string{}
	for _, declared := range parsed.Decls {
		group, is := declared.(*ast.GenDecl)
		if !is || group.Tok != token.CONST {
			continue
		}
		for _, spec := range group.Specs {
			value := spec.(*ast.ValueSpec)
			name := value.Names[0].Name
			texts[name] = textOf(value.Values[0], texts)
			found = append(found, constant{name, texts[name], group.Doc.Text()})
		}
	}
	return found, nil
}

// textOf returns the text of an expression of texts and constants that are known.
func textOf(e ast.Expr, known map[string]string) string {
	switch e := e.(type) {
	case *ast.BasicLit:
		text, _ := strconv.Unquote(e.Value) // It was parsed.
		return text
	case *ast.Ident:
		return known[e.Name]
	case *ast.BinaryExpr:
		return textOf(e.X, known) + textOf(e.Y, known)
	}
	return ""
}

// exported returns the names of the exported functions and methods of a Go file.
func exported(file string) ([]string, error) {
	parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
	if err != nil {
		return nil, err
	}
	var found []string
	for _, declared := range parsed.Decls {
		if f, is := declared.(*ast.FuncDecl); is && f.Name.IsExported() {
			found = append(found, f.Name.Name)
		}
	}
	return found, nil
}

// elements returns the names in the lists that a variable of a folder's package is set to, and those
// of them that are functions which call another one.
func elements(folder, variable, called string) (names, calling []string, err error) {
	entries, err := os.ReadDir(folder)
	callers := map[string]bool{}
	for _, entry := range entries {
		if !strings.HasSuffix(entry.Name(), ".go") {
			continue
		}
		parsed, parseErr := parser.ParseFile(token.NewFileSet(), folder+"/"+entry.Name(), nil, 0)
		if parseErr != nil {
			return nil, nil, errors.Join(err, parseErr)
		}
		for _, declared := range parsed.Decls {
			if f, is := declared.(*ast.FuncDecl); is {
				callers[f.Name.Name] = callers[f.Name.Name] || slices.Contains(calls(f, ""), called)
			}
		}
		ast.Inspect(parsed, func(n ast.Node) bool {
			spec, is := n.(*ast.ValueSpec)
			if !is || spec.Names[0].Name != variable {
				return true
			}
			ast.Inspect(spec, func(n ast.Node) bool {
				if list, is := n.(*ast.CompositeLit); is {
					if _, is := list.Type.(*ast.ArrayType); is {
						for _, element := range list.Elts {
							names = append(names, element.(*ast.Ident).Name)
						}
					}
				}
				return true
			})
			return false
		})
	}
	for _, name := range names {
		if callers[name] {
			calling = append(calling, name)
		}
	}
	return names, calling, err
}

// calls returns what a function calls, in order: the methods of a variable, or functions if that is "".
func calls(f *ast.FuncDecl, variable string) (names []string) {
	ast.Inspect(f, func(n ast.Node) bool {
		call, is := n.(*ast.CallExpr)
		if !is {
			return true
		}
		switch called := call.Fun.(type) {
		case *ast.Ident:
			if variable == "" {
				names = append(names, called.Name)
			}
		case *ast.SelectorExpr:
			if of, is := called.X.(*ast.Ident); is && of.Name == variable {
				names = append(names, called.Sel.Name)
			}
		}
		return true
	})
	return names
}

// steps returns the methods of its receiver that a method in a Go file calls, in order.
func steps(file, method string) ([]string, error) {
	parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
	if err != nil {
		return nil, err
	}
	for _, declared := range parsed.Decls {
		if f, is := declared.(*ast.FuncDecl); is && f.Recv != nil && f.Name.Name == method {
			return calls(f, f.Recv.List[0].Names[0].Name), nil
		}
	}
	return nil, errors.New(file + " has no method " + method)
}

// diagram is a picture in mermaid: the nodes and what is written on them, in order, and the nodes of
// each subgraph.
type diagram struct {
	nodes, labels []string
	groups        map[string][]string
}

var (
	drawn    = regexp.MustCompile("(?s)\n```mermaid\n(.*?)\n```\n")
	subgraph = regexp.MustCompile(`^subgraph (\w+) `)
	box      = regexp.MustCompile(`(\w+)\["?([^"\]]+)"?\]`)
)

// diagrams returns the diagrams in a text.
func diagrams(text string) (all []diagram) {
	for _, found := range drawn.FindAllStringSubmatch(text, -1) {
		d := diagram{groups: map[string][]string{}}
		group := ""
		for line := range strings.SplitSeq(found[1], "\n") {
			line = strings.TrimSpace(line)
			if begins := subgraph.FindStringSubmatch(line); begins != nil {
				group = begins[1]
				continue
			}
			for _, node := range box.FindAllStringSubmatch(line, -1) {
				d.nodes, d.labels = append(d.nodes, node[1]), append(d.labels, node[2])
				d.groups[group] = append(d.groups[group], node[1])
			}
		}
		all = append(all, d)
	}
	return all
}
