package arch

import (
	"bufio"
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// layers is the table of layers: what each package may import of dera. A
// package that is not here may not exist; docs/architecture.md draws the same table.
var layers = map[string][]string{
	"dera":             {},
	"dera/netset":      {},
	"dera/iam":         {"dera/iam"},
	"dera/cloudtrail":  {"dera"},
	"dera/resource":    {"dera", "dera/iam", "dera/netset", "dera/cloudtrail"},
	"dera/services":    {"dera", "dera/iam", "dera/netset", "dera/cloudtrail", "dera/resource", "dera/control", "dera/cloud"},
	"dera/source":      {"dera", "dera/cloudtrail"},
	"dera/usage":       {"dera", "dera/iam", "dera/cloudtrail"},
	"dera/audit":       {"dera", "dera/audit"},
	"dera/sink":        {"dera"},
	"dera/control":     {"dera", "dera/iam", "dera/netset", "dera/cloudtrail", "dera/resource", "dera/control"},
	"dera/store":       {"dera", "dera/audit", "dera/usage", "dera/store"},
	"dera/cloud":       {"dera", "dera/iam", "dera/resource"},
	"dera/detect":      {"dera", "dera/resource", "dera/control"},
	"dera/evaluate":    {"dera", "dera/iam", "dera/netset", "dera/resource", "dera/control"},
	"dera/remediate":   {"dera", "dera/resource", "dera/control"},
	"dera/replay":      {"dera", "dera/cloudtrail", "dera/netset", "dera/resource", "dera/control", "dera/detect"},
	"dera/engine":      {"dera", "dera/resource", "dera/control", "dera/detect", "dera/evaluate", "dera/remediate", "dera/audit", "dera/store"},
	"dera/app":         {"dera", "dera/iam", "dera/resource", "dera/control", "dera/cloudtrail", "dera/source", "dera/audit", "dera/store", "dera/cloud", "dera/detect", "dera/evaluate", "dera/remediate", "dera/replay", "dera/engine", "dera/sink", "dera/outbox", "dera/securityhub"},
	"dera/console":     {"dera", "dera/app", "dera/store"},
	"dera/outbox":      {"dera", "dera/store", "dera/sink"},
	"dera/securityhub": {"dera", "dera/store", "dera/sink"},
	"dera/awssim":      {"dera", "dera/iam", "dera/awssim"},
	"dera/internal":    {},
	"dera/cmd":         {"*"},
}

// modules is the second table: the third-party modules that each package may
// import. What is not here is the standard library's alone.
var modules = map[string][]string{
	"dera":            {"github.com/go-json-experiment/json/jsontext"},
	"dera/netset":     {"go4.org/netipx"},
	"dera/usage":      {"github.com/klauspost/compress"},
	"dera/cloudtrail": {"github.com/klauspost/compress"},
	"dera/audit":      {"golang.org/x/mod/sumdb"},
	"dera/store":      {"golang.org/x/mod/sumdb", "github.com/jackc/pgx/v5", "modernc.org/sqlite"},
	"dera/evaluate":   {"github.com/goccy/go-yaml", "github.com/invopop/jsonschema", "github.com/santhosh-tekuri/jsonschema/v6", "golang.org/x/text/unicode/norm"},
	"dera/cloud":      {"github.com/aws/", "github.com/goccy/go-yaml"}, // of custom fixes: documents in YAML
	"dera/services":   {"github.com/aws/"},
	"dera/app":        {"github.com/aymanbagabas/go-udiff"},
	"dera/console":    {"github.com/a-h/templ", "golang.org/x/time/rate", "github.com/coreos/go-oidc/v3/oidc", "golang.org/x/oauth2"}, // the latter two: TestOnlySignInKnowsOIDC
	"dera/cmd": {
		"github.com/spf13/cobra", "github.com/spf13/pflag", "github.com/goccy/go-yaml", "github.com/invopop/jsonschema", "charm.land/lipgloss/v2",
		"github.com/schollz/progressbar/v3", "golang.org/x/term", "github.com/aws/aws-sdk-go-v2/", "github.com/aymanbagabas/go-udiff",
	},
}

// sourceFile is one Go file of the tree.
type sourceFile struct {
	path    string // from the root
	pkg     string // import path
	top     string
	test    bool
	imports []string
	text    []byte
	ast     *ast.File
}

func sourceFiles(t *testing.T) []sourceFile {
	t.Helper()
	var out []sourceFile
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && path != "." && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata" || d.Name() == "tools") {
			return filepath.SkipDir
		}
		if !strings.HasSuffix(path, ".go") {
			return nil
		}
		f := sourceFile{path: path, test: strings.HasSuffix(path, "_test.go")}
		f.pkg = "dera"
		if dir := filepath.ToSlash(filepath.Dir(path)); dir != "." {
			f.pkg += "/" + dir
		}
		f.top = strings.Join(strings.Split(f.pkg, "/")[:min(2, strings.Count(f.pkg, "/")+1)], "/")
		if f.text, err = os.ReadFile(path); err != nil {
			return err
		}
		if f.ast, err = parser.ParseFile(token.NewFileSet(), path, f.text, parser.ParseComments); err != nil {
			return err
		}
		for _, i := range f.ast.Imports {
			f.imports = append(f.imports, shortPath(strings.Trim(i.Path.Value, `"`)))
		}
		out = append(out, f)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// shortPath is an import path of this module without the domain of the module's
// path, which stands in go.mod and in imports and nowhere else.
func shortPath(path string) string {
	if rest, ok := strings.CutPrefix(path, "dera.example/"); ok {
		return rest
	}
	return path
}

// helper reports whether the package is made for tests: it may import what tests
// need.
func (f sourceFile) helper() bool {
	return f.test || slices.Contains([]string{"dera/control/controltest", "dera/audit/audittest", "dera/cloud/cloudtest", "dera/console/oidc/oidctest"}, f.pkg) ||
		strings.HasPrefix(f.pkg, "dera/store/storetest") || f.pkg == "dera/awssim/moto"
}

func TestPackagesImportOnlyWhatTheirLayerAllows(t *testing.T) {
	t.Parallel()
	for _, f := range sourceFiles(t) {
		allowed, known := layers[f.top]
		if !known {
			t.Errorf("%s: the package %s is not in the table of layers", f.path, f.top)
			continue
		}
		if f.helper() {
			continue
		}
		for _, imp := range f.imports {
			switch {
			case imp == "dera" || strings.HasPrefix(imp, "dera/"):
				top := strings.Join(strings.Split(imp, "/")[:min(2, strings.Count(imp, "/")+1)], "/")
				if top == f.top && top != "dera/iam" {
					continue
				}
				if !slices.Contains(allowed, top) && !slices.Contains(allowed, "*") {
					t.Errorf("%s imports %s: package %s may import only %v", f.path, imp, f.top, allowed)
				}
				if top == "dera/awssim" && !(f.pkg == "dera/cmd/dera" && strings.HasPrefix(filepath.Base(f.path), "demo")) {
					t.Errorf("%s imports %s: only the demo may", f.path, imp)
				}
			case strings.Contains(strings.Split(imp, "/")[0], "."):
				if !slices.ContainsFunc(modules[f.top], func(m string) bool { return strings.HasPrefix(imp, m) }) {
					t.Errorf("%s imports %s: not a module of package %s", f.path, imp, f.top)
				}
			}
		}
	}
}

func TestNoPackageSwitchesDeadCodeEliminationOff(t *testing.T) {
	t.Parallel()
	for _, f := range sourceFiles(t) {
		for _, imp := range f.imports {
			if !f.test && (imp == "text/template" || imp == "html/template") {
				t.Errorf("%s imports %s, which adds 8 MB to the binary", f.path, imp)
			}
		}
	}
}

func TestHouseStyle(t *testing.T) {
	t.Parallel()
	documented := map[string]bool{}
	packages := map[string]bool{}
	for _, f := range sourceFiles(t) {
		lines := bytes.Count(f.text, []byte("\n"))
		if lines > 400 && !bytes.HasPrefix(f.text, []byte("// Code generated by templ")) {
			t.Errorf("%s has %d lines, at most 400 are allowed", f.path, lines)
		}
		if f.top == "dera/services" && !f.test && isControl(f) && lines > 150 {
			t.Errorf("%s has %d lines; a control has at most 150", f.path, lines)
		}
		for _, d := range f.ast.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Name.Name == "init" {
				t.Errorf("%s has an init function", f.path)
			}
		}
		for _, word := range []string{"util", "utils", "common", "helpers", "models", "manager", "pkg"} {
			if slices.Contains(strings.Split(f.pkg, "/"), word) {
				t.Errorf("%s: no package is called %s", f.path, word)
			}
		}
		if !f.test {
			packages[f.pkg] = true
			documented[f.pkg] = documented[f.pkg] || f.ast.Doc != nil
		}
		sleeps(t, f)
	}
	for pkg := range packages {
		if !documented[pkg] {
			t.Errorf("package %s does not say what it is for", pkg)
		}
	}
}

// isControl reports whether the file defines a control.
func isControl(f sourceFile) bool { return bytes.Contains(f.text, []byte("control.Define(")) }

// sleeps finds time.Sleep, which hides races and wastes time.
func sleeps(t *testing.T, f sourceFile) {
	t.Helper()
	s := bufio.NewScanner(bytes.NewReader(f.text))
	s.Buffer(nil, 1<<20)
	for n := 1; s.Scan(); n++ {
		if line := s.Text(); strings.Contains(line, "time."+"Sleep(") && !strings.HasPrefix(strings.TrimSpace(line), "//") {
			t.Errorf("%s:%d sleeps", f.path, n)
		}
	}
}

// TestOnlySignInKnowsOIDC: the libraries of OpenID Connect are imported by console/oidc alone, and that by the
// command alone: package console knows an interface.
func TestOnlySignInKnowsOIDC(t *testing.T) {
	t.Parallel()
	found := 0
	for _, f := range sourceFiles(t) {
		for _, imp := range f.imports {
			library := strings.HasPrefix(imp, "github.com/coreos/go-oidc") || strings.HasPrefix(imp, "golang.org/x/oauth2") || strings.HasPrefix(imp, "github.com/go-jose")
			switch {
			case library && f.pkg == "dera/console/oidc":
				found++
			case library, imp == "dera/console/oidc" && f.top != "dera/cmd" && f.pkg != "dera/console/oidc":
				t.Errorf("%s imports %s: only console/oidc knows OpenID Connect, and only cmd/dera knows console/oidc", f.path, imp)
			}
		}
	}
	if found == 0 {
		t.Error("nothing imports the libraries, so that this shows nothing")
	}
}

// TestOnlyWiresKnowServices: the SDK of a service that has resource types is
// imported by the wires of its types alone, and package cloud names no type.
func TestOnlyWiresKnowServices(t *testing.T) {
	t.Parallel()
	const sdk = "github.com/aws/aws-sdk-go-v2/service/"
	own := []string{"sts", "sqs", "iam", "accessanalyzer", "configservice", "scheduler", "eventbridge", "backup", "lambda", "ssm", "sns", "securityhub", "guardduty", "cloudtrail", "s3", "kms"} // of package cloud: sessions, queues, dera's own keys, simulation, findings of others, other fixers, schedules, topics of messages, log files, custom fixes
	found := 0
	for _, f := range sourceFiles(t) {
		if f.helper() {
			continue
		}
		wire := f.top == "dera/services" && strings.HasSuffix(f.pkg, "/wire")
		for _, imp := range f.imports {
			service, ok := strings.CutPrefix(imp, sdk)
			if service, _, _ = strings.Cut(service, "/"); ok && wire {
				found++
			} else if ok && (f.top != "dera/cloud" || !slices.Contains(own, service)) {
				t.Errorf("%s imports the SDK of %s: only a wire of services/ may", f.path, service)
			}
		}
		if f.top != "dera/cloud" {
			continue
		}
		ast.Inspect(f.ast, func(n ast.Node) bool {
			if x, ok := n.(*ast.BasicLit); ok && x.Kind == token.STRING && strings.Contains(x.Value, "AWS::") {
				t.Errorf("%s names the resource type %s: package cloud knows none", f.path, x.Value)
			}
			return true
		})
	}
	if found == 0 {
		t.Error("no wire imports an SDK, so that this shows nothing")
	}
}
