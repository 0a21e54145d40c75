// Command check reads the files of deploy/ as the tools for them do that need no account:
// CloudFormation's resource schema with SAM's, Terraform's language and its format, and
// Docker's parser; of Dockerfiles, it runs what packs. It says what it found, and fails if
// anything is wrong.
package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/awslabs/goformation/v7/schema"
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclparse"
	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"gopkg.in/yaml.v3"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: check DEPLOY TOOLS")
		os.Exit(2)
	}
	docker := dockerfiles{repository: filepath.Join(os.Args[1], ".."), tools: os.Args[2]}
	var failed bool
	for _, c := range []struct {
		pattern, said string
		check         func(name string, b []byte) error
	}{
		{"sam/*.yaml", "conforms to the resource schema of CloudFormation and SAM", template},
		{"terraform/*.tf", "is Terraform, and as terraform fmt has it", terraform},
		{"terraform/*/*.tf", "is Terraform, and as terraform fmt has it", terraform},
		{"docker/*.Dockerfile", "is understood by Docker's parser, and packs a layer and a function", docker.check},
	} {
		files, err := filepath.Glob(filepath.Join(os.Args[1], c.pattern))
		if err == nil && len(files) == 0 {
			err = fmt.Errorf("there is no %s", c.pattern)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, "check:", err)
			failed = true
		}
		for _, file := range files {
			b, err := os.ReadFile(file)
			if err == nil {
				err = c.check(file, b)
			}
			if err != nil {
				fmt.Fprintf(os.Stderr, "check: %s: %v\n", file, err)
				failed = true
				continue
			}
			fmt.Printf("%s %s\n", file, c.said)
		}
	}
	if failed {
		os.Exit(1)
	}
}

// template holds a template of SAM's against the schema of all resources, which allows no
// property that it does not know. Functions of CloudFormation stand for values of the
// type that they have.
func template(_ string, b []byte) error {
	var document yaml.Node
	if err := yaml.Unmarshal(b, &document); err != nil {
		return err
	}
	var parameters struct {
		Parameters map[string]struct {
			Default any `yaml:"Default"`
		} `yaml:"Parameters"`
		Resources map[string]any `yaml:"Resources"`
	}
	if err := document.Decode(&parameters); err != nil {
		return err
	}
	known := map[string]any{"AWS::Region": "eu-west-1", "AWS::AccountId": "123456789012", "AWS::StackName": "stack", "AWS::Partition": "aws", "ServerlessHttpApi": "api"}
	for name, p := range parameters.Parameters {
		known[name] = p.Default
	}
	for name := range parameters.Resources {
		known[name] = name
	}
	if err := resolve(&document, known); err != nil {
		return err
	}
	var resources struct {
		Resources map[string]map[string]any `yaml:"Resources"`
	}
	if err := document.Decode(&resources); err != nil {
		return err
	}
	described, err := jsonschema.UnmarshalJSON(strings.NewReader(schema.SamSchema))
	if err != nil {
		return err
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("sam.json", described); err != nil {
		return err
	}
	conforms := func(name string, definition, value any) error {
		compiled, err := compiler.Compile(fmt.Sprintf("sam.json#/definitions/%v", definition))
		if err != nil {
			return fmt.Errorf("%s: %v is not known: %w", name, definition, err)
		}
		if err := compiled.Validate(value); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		return nil
	}
	for name, resource := range resources.Resources {
		properties, _ := resource["Properties"].(map[string]any)
		if resource["Type"] == "AWS::Serverless::Function" {
			// The schema is older than this property, which SAM passes on as it is.
			if logging, ok := properties["LoggingConfig"]; ok {
				if err := conforms(name, "AWS::Lambda::Function.LoggingConfig", logging); err != nil {
					return err
				}
				delete(properties, "LoggingConfig")
			}
		}
		if err := conforms(name, resource["Type"], resource); err != nil {
			return err
		}
	}
	return nil
}

// resolve puts values in the place of the functions Ref, Sub and GetAtt, which have to be
// of what the template has.
func resolve(n *yaml.Node, known map[string]any) error {
	name := n.Value
	switch n.Tag {
	case "!GetAtt":
		name, _, _ = strings.Cut(name, ".")
		fallthrough
	case "!Ref":
		value, ok := known[name]
		if !ok {
			return fmt.Errorf("line %d: there is no parameter or resource %s", n.Line, name)
		}
		if n.Tag == "!GetAtt" {
			value = n.Value
		}
		return n.Encode(value)
	case "!Sub":
		for _, part := range strings.Split(n.Value, "${")[1:] {
			name, _, _ := strings.Cut(part, "}")
			name, _, _ = strings.Cut(name, ".")
			if _, ok := known[name]; !ok {
				return fmt.Errorf("line %d: there is no parameter or resource %s", n.Line, name)
			}
		}
		return n.Encode(n.Value)
	}
	if strings.HasPrefix(n.Tag, "!") && !strings.HasPrefix(n.Tag, "!!") {
		return fmt.Errorf("line %d: the function %s is not known here", n.Line, n.Tag)
	}
	var err error
	for _, child := range n.Content {
		err = errors.Join(err, resolve(child, known))
	}
	return err
}

func terraform(name string, b []byte) error {
	if _, problems := hclparse.NewParser().ParseHCL(b, name); problems.HasErrors() {
		return errors.Join(errs(problems)...)
	}
	if !bytes.Equal(hclwrite.Format(b), b) {
		return errors.New("terraform fmt would change it")
	}
	return nil
}

func errs(problems hcl.Diagnostics) (all []error) {
	for _, p := range problems {
		all = append(all, p)
	}
	return all
}
