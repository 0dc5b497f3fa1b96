// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
)

// mutant is a source file without one of its rules.
type mutant struct {
	rule   string
	source []byte
}

// withoutEach returns one mutant for each element of these fields. Each field must be set to a
// slice literal of names. It is an error if a field is missing or empty. Otherwise a chain with a
// new name would count as tested.
func withoutEach(source []byte, fields []string) ([]mutant, error) {
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, "", source, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	var mutants []mutant
	for _, field := range fields {
		rules := elements(file, field)
		if len(rules) == 0 {
			return nil, fmt.Errorf("no slice literal of rules named %s", field)
		}
		for _, rule := range rules {
			from, to := files.Position(rule.Pos()).Offset, files.Position(rule.End()).Offset
			// Take out the comma after the rule, too.
			for to < len(source) && source[to] != '\n' && source[to] != '}' {
				to++
			}
			mutants = append(mutants, mutant{rule.Name, slices.Concat(source[:from], source[to:])})
		}
	}
	return mutants, nil
}

// elements returns the names in the slice literal of a field.
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
