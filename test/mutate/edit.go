// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
)

// edit replaces the bytes of a source from an offset up to another by a text.
type edit struct {
	from, to int
	text     string
}

// in returns the source between two offsets with the edit made.
func (e edit) in(source []byte, from, to int) []byte {
	return slices.Concat(source[from:e.from], []byte(e.text), source[e.to:to])
}

// mutant is an edit that a program makes if it is started with this value of the environment
// variable selected.
type mutant struct {
	id   string
	edit edit
}

// selected is the environment variable that says which mutant runs. Without it, none does.
const selected = "MUTANT"

// selection is a file of each package with mutants: what their sources need.
const selection = `package %s

import "os"

var mutantSelected = os.Getenv("` + selected + `")

func mutantValue[T any](id string, mutated, original T) T {
	if mutantSelected == id {
		return mutated
	}
	return original
}
`

// scope is the body of a function, or the value of a variable: what a mutant has a second of.
type scope struct {
	from, to int
	// results are those of the function, as they are written; isValue is true for a variable.
	results string
	returns bool
	isValue bool
}

// withMutants returns a source that has each of the mutants beside the original, and the name of
// its package. A function begins with its mutants, and a variable's value is chosen among them. So
// one program has them all, and is built once. An edit must lie within one function's body or one
// variable's value.
func withMutants(source []byte, mutants []mutant) (text []byte, name string, err error) {
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, "", source, parser.SkipObjectResolution)
	if err != nil {
		return nil, "", err
	}
	scopes := scopesOf(file, source, func(p token.Pos) int { return files.Position(p).Offset })
	within := make(map[scope][]mutant)
	for _, m := range mutants {
		i := slices.IndexFunc(scopes, func(s scope) bool { return s.from <= m.edit.from && m.edit.to <= s.to })
		if i < 0 {
			return nil, "", fmt.Errorf("%q is not within a function's body or a variable's value", source[m.edit.from:m.edit.to])
		}
		within[scopes[i]] = append(within[scopes[i]], m)
	}
	rest := 0
	for _, s := range scopes {
		text = append(text, source[rest:s.from]...)
		text = append(text, s.with(source, within[s])...)
		rest = s.to
	}
	return append(text, source[rest:]...), file.Name.Name, nil
}

// with returns the scope's text with these mutants.
func (s scope) with(source []byte, mutants []mutant) []byte {
	original := source[s.from:s.to]
	var text bytes.Buffer
	if s.isValue {
		for _, m := range mutants {
			fmt.Fprintf(&text, "mutantValue(%q, %s, ", m.id, m.edit.in(source, s.from, s.to))
		}
		text.Write(original)
		for range mutants {
			text.WriteByte(')')
		}
		return text.Bytes()
	}
	for _, m := range mutants {
		fmt.Fprintf(&text, "if mutantSelected == %q {\n", m.id)
		if s.returns {
			text.WriteString("return ")
		}
		fmt.Fprintf(&text, "func() %s {%s}()\n", s.results, m.edit.in(source, s.from, s.to))
		if !s.returns {
			text.WriteString("return\n")
		}
		text.WriteString("}\n")
	}
	text.Write(original)
	return text.Bytes()
}

// scopesOf returns the scopes of a file in their order.
func scopesOf(file *ast.File, source []byte, offset func(token.Pos) int) (scopes []scope) {
	for _, d := range file.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			if d.Body == nil {
				continue
			}
			s := scope{from: offset(d.Body.Lbrace) + 1, to: offset(d.Body.Rbrace)}
			if results := d.Type.Results; results != nil {
				s.returns, s.results = true, string(source[offset(results.Pos()):offset(results.End())])
			}
			scopes = append(scopes, s)
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				if v, ok := spec.(*ast.ValueSpec); ok && d.Tok == token.VAR {
					for _, value := range v.Values {
						scopes = append(scopes, scope{from: offset(value.Pos()), to: offset(value.End()), isValue: true})
					}
				}
			}
		}
	}
	return scopes
}
