package controls_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"dera.example/dera/control"
	"dera.example/dera/control/controltest"
	"dera.example/dera/controls"
)

// TestLaws holds every control of the rulebook against the control laws, over
// the cases that lie beside it.
func TestLaws(t *testing.T) {
	t.Parallel()
	files := controlFiles(t)
	for _, c := range controls.All() {
		t.Run(c.ID, func(t *testing.T) {
			t.Parallel()
			file, ok := files[c.ID]
			if !ok {
				t.Fatalf("no file under controls defines %s", c.ID)
			}
			controltest.Laws(t, c, strings.TrimSuffix(file, ".go")+".txtar")
		})
	}
}

// TestList finds a control that is in no list, and files of cases without a
// control.
func TestList(t *testing.T) {
	t.Parallel()
	files := controlFiles(t)
	cases := map[string]bool{}
	for id, file := range files {
		cases[strings.TrimSuffix(file, ".go")+".txtar"] = true
		if _, err := controls.Find(id); err != nil {
			t.Errorf("%s defines %s, which has no line in controls.All", file, id)
		}
	}
	if got, want := len(controls.All()), len(files); got != want {
		t.Errorf("controls.All: got %d controls, want the %d that files define", got, want)
	}
	seen := map[string]bool{}
	for _, c := range controls.All() {
		if seen[c.ID] {
			t.Errorf("ID %s stands for two controls", c.ID)
		}
		seen[c.ID] = true
	}
	walk(t, ".txtar", func(file string) {
		if !cases[file] {
			t.Errorf("%s holds the cases of no control", file)
		}
	})
}

func TestFind(t *testing.T) {
	t.Parallel()
	for _, c := range controls.All() {
		if got, err := controls.Find(c.ID); err != nil || got.ID != c.ID {
			t.Errorf("find %s: got %s, %v", c.ID, got.ID, err)
		}
	}
	_, err := controls.Find("ec2-sg-nothing")
	if err == nil || !strings.Contains(err.Error(), "ec2-sg-nothing") || !strings.Contains(err.Error(), controls.All()[0].ID) {
		t.Errorf("find what is not there: got %v, want an error that lists the IDs", err)
	}
}

// controlFiles returns, by ID, the files that define a control: a function
// without parameters that returns control.Control, with the ID as a literal.
func controlFiles(t *testing.T) map[string]string {
	t.Helper()
	out := map[string]string{}
	walk(t, ".go", func(file string) {
		if filepath.Dir(file) == "." || strings.HasSuffix(file, "_test.go") {
			return
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range parsed.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok || !returnsControl(f) {
				continue
			}
			id := literalID(f)
			if id == "" || out[id] != "" {
				t.Errorf("%s: %s has the ID %q, which is empty or that of %s", file, f.Name.Name, id, out[id])
			}
			out[id] = file
		}
	})
	return out
}

func returnsControl(f *ast.FuncDecl) bool {
	if f.Recv != nil || !f.Name.IsExported() || len(f.Type.Params.List) > 0 || f.Type.Results == nil || len(f.Type.Results.List) != 1 {
		return false
	}
	s, ok := f.Type.Results.List[0].Type.(*ast.SelectorExpr)
	if !ok {
		return false
	}
	pkg, ok := s.X.(*ast.Ident)
	return ok && pkg.Name == "control" && s.Sel.Name == "Control"
}

// literalID is the first ID in the function: that of its Meta.
func literalID(f *ast.FuncDecl) string {
	var id string
	ast.Inspect(f, func(n ast.Node) bool {
		kv, ok := n.(*ast.KeyValueExpr)
		if !ok || id != "" {
			return id == ""
		}
		if key, ok := kv.Key.(*ast.Ident); ok && key.Name == "ID" {
			if lit, ok := kv.Value.(*ast.BasicLit); ok && lit.Kind == token.STRING {
				if s, err := strconv.Unquote(lit.Value); err == nil {
					id = s
				}
			}
		}
		return true
	})
	return id
}

func walk(t *testing.T, ext string, each func(file string)) {
	t.Helper()
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && filepath.Ext(path) == ext {
			each(path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func find(t testing.TB, id string) control.Control {
	t.Helper()
	c, err := controls.Find(id)
	if err != nil {
		t.Fatal(err)
	}
	return c
}
