// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
)

// rule is an element of a chain, and the edit that takes it out.
type rule struct {
	name string
	edit edit
}

// rules returns the elements of each of these fields, which are set to slices written out as
// literals of names. It is an error if a field is not there, or is empty: a renamed chain must
// not pass for one that is held.
func rules(source []byte, fields []string) ([]rule, error) {
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, "", source, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	var found []rule
	for _, field := range fields {
		names := elements(file, field)
		if len(names) == 0 {
			return nil, fmt.Errorf("no slice literal of rules named %s", field)
		}
		for _, name := range names {
			from, to := files.Position(name.Pos()).Offset, files.Position(name.End()).Offset
			// The comma behind goes too.
			for to < len(source) && source[to] != '\n' && source[to] != '}' {
				to++
			}
			found = append(found, rule{name.Name, edit{from: from, to: to}})
		}
	}
	return found, nil
}

// elements returns the names in the slice literal that a field is set to.
func elements(file *ast.File, field string) []*ast.Ident {
	var found []*ast.Ident
	ast.Inspect(file, func(n ast.Node) bool {
		pair, ok := n.(*ast.KeyValueExpr)
		if !ok {
			return true
		}
		key, isName := pair.Key.(*ast.Ident)
		literal, isLiteral := pair.Value.(*ast.CompositeLit)
		if !isName || !isLiteral || key.Name != field {
			return true
		}
		for _, element := range literal.Elts {
			if name, ok := element.(*ast.Ident); ok {
				found = append(found, name)
			}
		}
		return false
	})
	return found
}
