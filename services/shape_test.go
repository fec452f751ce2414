package services_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"dera.example/dera/services"
)

// typeless are the trees that may know resource types: their own, the simulated
// AWS, AWS's tables, and tests.
func typeless(path string) bool {
	for _, dir := range []string{"services/", "awssim/", "iam/catalog/", "tools/", "testdata/"} {
		if strings.HasPrefix(path, dir) {
			return false
		}
	}
	demo := strings.HasPrefix(path, "cmd/dera/demo") // what it shows is of some types
	return strings.HasSuffix(path, ".go") && !strings.HasSuffix(path, "_test.go") && !demo
}

// judges reports whether a switch on the prefix of a service is about something else
// than a resource type: the policy language and the usage ledger judge the actions of
// every service, and a principal of AWS has an ARN of iam or sts.
func judges(path, prefix string) bool {
	also := map[string][]string{ // principals, the queue of dera's own events, what runs on schedules, and where events come from
		"cloud/probe_simulate.go": {"iam"}, "cmd/dera/config_region.go": {"iam", "sqs"}, "evaluate/principal.go": {"iam"},
		"cloud/schedules.go": {"events", "sqs", "sns", "lambda", "ecs", "ssm"}, "cloudtrail/skim.go": {"events"},
	}
	return strings.HasPrefix(path, "iam/") || strings.HasPrefix(path, "usage/") || slices.Contains(also[path], prefix)
}

// TestNothingElseKnowsAType: outside services, no code names a registered type or
// one of its operations, nor switches on the prefix of a service.
func TestNothingElseKnowsAType(t *testing.T) {
	t.Parallel()
	var names, prefixes []string
	for _, typ := range services.Types().Types() {
		names = append(names, typ.Name)
		for _, op := range typ.Operations {
			_, call, _ := strings.Cut(op.Name, ":")
			names = append(names, op.Name, call)
		}
		for _, p := range typ.Parts {
			for _, a := range p.Actions() {
				service, _, _ := strings.Cut(a, ":")
				prefixes = append(prefixes, service)
			}
		}
		for _, op := range typ.Operations {
			service, _, _ := strings.Cut(op.Name, ":")
			prefixes = append(prefixes, service)
		}
	}
	slices.Sort(prefixes)
	prefixes = slices.Compact(prefixes)
	if len(names) < 10 || len(prefixes) < 2 {
		t.Fatalf("the registry gives %d names and %d services: the test would find nothing", len(names), len(prefixes))
	}
	files := 0
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && strings.HasPrefix(d.Name(), ".") && d.Name() != ".." {
			return filepath.SkipDir
		}
		rel := strings.TrimPrefix(filepath.ToSlash(path), "../")
		if d.IsDir() || !typeless(rel) {
			return nil
		}
		set := token.NewFileSet()
		f, err := parser.ParseFile(set, path, nil, parser.ParseComments)
		if err != nil || ast.IsGenerated(f) {
			return err
		}
		files++
		ast.Inspect(f, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.ImportSpec:
				if p, _ := strconv.Unquote(n.Path.Value); strings.Contains(p, "/services/") {
					t.Errorf("%s imports %s", set.Position(n.Pos()), p)
				}
			case *ast.BasicLit:
				text, err := strconv.Unquote(n.Value)
				recorded := rel == "usage/scope.go" && strings.Contains(text, "::")                                                  // of data events
				action := recorded || strings.HasPrefix(rel, "iam/") && strings.Contains(text, ":") && !strings.Contains(text, "::") // of the policy language
				if n.Kind == token.STRING && err == nil && slices.Contains(names, text) && !action {
					t.Errorf("%s names %s, of a registered type", set.Position(n.Pos()), text)
				}
			case *ast.Ident:
				if slices.Contains(names, n.Name) {
					t.Errorf("%s names %s, an operation of a registered type", set.Position(n.Pos()), n.Name)
				}
			case *ast.CaseClause:
				for _, e := range n.List {
					ast.Inspect(e, func(n ast.Node) bool {
						lit, ok := n.(*ast.BasicLit)
						if !ok || lit.Kind != token.STRING {
							return true
						}
						text, err := strconv.Unquote(lit.Value)
						prefix := strings.TrimSuffix(strings.TrimSuffix(text, ":"), ".amazonaws.com")
						if err == nil && slices.Contains(prefixes, prefix) && !judges(rel, prefix) {
							t.Errorf("%s switches on the service %s", set.Position(lit.Pos()), text)
						}
						return true
					})
				}
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if files < 200 {
		t.Errorf("%d files were walked: the test looks at the wrong tree", files)
	}
}

// TestNoTypeImportsAnother: a neighbour is a part or a dependent, by its ID.
func TestNoTypeImportsAnother(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("*/*/*.go")
	if err != nil {
		t.Fatal(err)
	}
	wires, err := filepath.Glob("*/*/wire/*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range append(files, wires...) {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		parts := strings.Split(filepath.ToSlash(path), "/")
		service, own := parts[0], strings.Join(parts[:2], "/")
		if own == "iam/recorded" {
			continue // an account with all of its identities, as recorded calls made them
		}
		for _, i := range f.Imports {
			p, _ := strconv.Unquote(i.Path.Value)
			_, under, ok := strings.Cut(p, "/services/")
			// A wire may use the clients of another service: its shared wire knows no type.
			client := strings.Contains(path, "/wire/") && strings.Count(under, "/") == 1 && strings.HasSuffix(under, "/wire")
			shared := under == service || under == service+"/wire" || client || strings.HasPrefix(under, service+"/") && strings.Count(under, "/") == 1 && !isType(t, under)
			if ok && !shared && under != own {
				t.Errorf("%s imports %s: a type imports no other type", path, under)
			}
			if strings.Contains(p, "aws-sdk-go-v2") && !strings.Contains(path, "/wire/") && parts[1] != "wire" {
				t.Errorf("%s imports %s: only a wire knows the SDK", path, p)
			}
		}
	}
}

// isType reports whether a folder defines a resource type.
func isType(t *testing.T, folder string) bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(filepath.FromSlash(folder), "*.go"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%s has no Go file: %v", folder, err)
	}
	return slices.ContainsFunc(files, func(path string) bool { return filepath.Base(path) == "type.go" })
}
