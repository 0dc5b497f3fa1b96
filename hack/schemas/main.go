// SPDX-License-Identifier: Apache-2.0

// Command schemas writes the JSON schema of each version of the CustomResourceDefinitions named,
// as editors and kubeconform read them: FOLDER/<kind>_<version>.json.
//
//	go run ./hack/schemas FOLDER config/crd/bases/*.yaml
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"sigs.k8s.io/yaml"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "schemas:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) < 2 {
		return errors.New("give a folder and the files of CustomResourceDefinitions")
	}
	if err := os.MkdirAll(args[0], 0o755); err != nil { //nolint:gosec // for everyone to read
		return err
	}
	for _, path := range args[1:] {
		text, err := os.ReadFile(path) //nolint:gosec // the user names the file
		if err != nil {
			return err
		}
		var crd apiextensionsv1.CustomResourceDefinition
		if err := yaml.UnmarshalStrict(text, &crd); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		for _, version := range crd.Spec.Versions {
			schema, err := json.MarshalIndent(version.Schema.OpenAPIV3Schema, "", "  ")
			if err != nil {
				return fmt.Errorf("%s: %w", path, err)
			}
			name := strings.ToLower(crd.Spec.Names.Kind) + "_" + version.Name + ".json"
			if err := os.WriteFile(filepath.Join(args[0], name), append(schema, '\n'), 0o644); err != nil { //nolint:gosec // for everyone to read
				return err
			}
		}
	}
	return nil
}
