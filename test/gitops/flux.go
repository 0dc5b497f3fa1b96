// SPDX-License-Identifier: Apache-2.0

package gitops

import (
	"fmt"
	"os"

	"github.com/google/cel-go/cel"
	"sigs.k8s.io/yaml"
)

// Flux judges objects by the healthCheckExprs of a Kustomization.
type Flux struct {
	byKind map[string]checks
}

// checks are the programs of one kind.
type checks struct{ inProgress, failed, current cel.Program }

// NewFlux compiles the healthCheckExprs of the Kustomization in a file. An expression sees the
// members of the object, as in Flux.
func NewFlux(file string) (*Flux, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var kustomization struct {
		Spec struct {
			HealthCheckExprs []struct{ Kind, InProgress, Failed, Current string }
		}
	}
	if err := yaml.Unmarshal(text, &kustomization); err != nil {
		return nil, err
	}
	var variables []cel.EnvOption
	for _, name := range []string{"apiVersion", "kind", "metadata", "spec", "status"} {
		variables = append(variables, cel.Variable(name, cel.DynType))
	}
	env, err := cel.NewEnv(variables...)
	if err != nil {
		return nil, err
	}
	f := &Flux{byKind: map[string]checks{}}
	for _, e := range kustomization.Spec.HealthCheckExprs {
		var c checks
		for expression, program := range map[string]*cel.Program{e.InProgress: &c.inProgress, e.Failed: &c.failed, e.Current: &c.current} {
			ast, issues := env.Compile(expression)
			if issues.Err() != nil {
				return nil, fmt.Errorf("%s: %q: %w", e.Kind, expression, issues.Err())
			}
			if *program, err = env.Program(ast); err != nil {
				return nil, err
			}
		}
		f.byKind[e.Kind] = c
	}
	return f, nil
}

// Status returns InProgress, Failed or Current, as Flux decides: by the first expression that
// is true, in this order, and InProgress if none is.
func (f *Flux) Status(kind string, object map[string]any) (string, error) {
	c, known := f.byKind[kind]
	if !known {
		return "", fmt.Errorf("no healthCheckExprs for %s", kind)
	}
	for _, check := range []struct {
		name    string
		program cel.Program
	}{{"InProgress", c.inProgress}, {"Failed", c.failed}, {"Current", c.current}} {
		value, _, err := check.program.Eval(object)
		if err != nil {
			return "", fmt.Errorf("%s: %s: %w", kind, check.name, err)
		}
		if value.Value() == true {
			return check.name, nil
		}
	}
	return "InProgress", nil
}
