package arch

import (
	"fmt"
	"go/ast"
	"go/token"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"dera.example/dera"
)

// logCalls are the methods that write to the log, with how many arguments stand before the attributes.
func logCalls() map[string]int {
	return map[string]int{"DebugContext": 2, "InfoContext": 2, "WarnContext": 2, "ErrorContext": 2, "Debug": 1, "Info": 1, "Warn": 1, "Error": 1}
}

// logger reports whether an expression is one: log, cfg.Log, a.logger().
func logger(x ast.Expr) bool {
	switch x := x.(type) {
	case *ast.Ident:
		return x.Name == "log" || x.Name == "slog"
	case *ast.SelectorExpr:
		return x.Sel.Name == "Log" || x.Sel.Name == "log"
	case *ast.CallExpr:
		sel, ok := x.Fun.(*ast.SelectorExpr)
		return ok && strings.HasSuffix(strings.ToLower(sel.Sel.Name), "log") || ok && sel.Sel.Name == "logger"
	}
	return false
}

// TestLogAttributes walks every call that writes to the log: its message is a constant, and each attribute has a key of the one list, which no other stands in.
func TestLogAttributes(t *testing.T) {
	t.Parallel()
	known, used := map[string]bool{}, map[string]bool{}
	for _, k := range dera.LogKeys() {
		known[k.Key] = true
	}
	calls := 0
	for _, f := range sourceFiles(t) {
		if f.test || f.helper() || strings.HasPrefix(f.pkg, "dera/awssim") {
			continue
		}
		fault := func(format string, args ...any) { t.Errorf("%s: %s", f.path, fmt.Sprintf(format, args...)) }
		key := func(x ast.Expr) {
			list := []ast.Expr{x}
			if i, ok := x.(*ast.IndexExpr); ok { // one of several
				if c, ok := i.X.(*ast.CompositeLit); ok {
					list = c.Elts
				}
			}
			for _, x := range list {
				lit, ok := x.(*ast.BasicLit)
				if !ok || lit.Kind != token.STRING {
					fault("the key of an attribute of the log is no constant")
					continue
				}
				name, err := strconv.Unquote(lit.Value)
				if used[name] = true; err != nil || !known[name] {
					fault("the log has the attribute %q, which dera.LogKeys does not list", name)
				}
			}
		}
		pairs := func(list []ast.Expr) {
			for i := 0; i < len(list); i += 2 {
				key(list[i])
			}
		}
		for _, d := range f.ast.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok || fn.Body == nil {
				continue
			}
			spread := map[string]bool{} // variables that are attributes
			ast.Inspect(fn.Body, func(n ast.Node) bool {
				c, ok := n.(*ast.CallExpr)
				if !ok {
					return true
				}
				sel, ok := c.Fun.(*ast.SelectorExpr)
				if !ok || !logger(sel.X) {
					return true
				}
				before, ok := logCalls()[sel.Sel.Name]
				if !ok || len(c.Args) < before {
					return true
				}
				calls++
				if lit, ok := c.Args[before-1].(*ast.BasicLit); !ok || lit.Kind != token.STRING {
					fault("a message of the log is no constant: what varies is an attribute")
				}
				attributes := c.Args[before:]
				if c.Ellipsis.IsValid() {
					last := attributes[len(attributes)-1]
					attributes = attributes[:len(attributes)-1]
					if add, ok := last.(*ast.CallExpr); ok { // append(x, …)
						pairs(add.Args[1:])
						last = add.Args[0]
					}
					if x, ok := last.(*ast.Ident); ok {
						spread[x.Name] = true
					} else {
						fault("the attributes of a line of the log are neither written there nor in a variable")
					}
				}
				pairs(attributes)
				return true
			})
			ast.Inspect(fn.Body, func(n ast.Node) bool {
				a, ok := n.(*ast.AssignStmt)
				if !ok {
					return true
				}
				for i, left := range a.Lhs {
					x, ok := left.(*ast.Ident)
					if !ok || !spread[x.Name] || i >= len(a.Rhs) {
						continue
					}
					switch right := a.Rhs[i].(type) {
					case *ast.CompositeLit:
						pairs(right.Elts)
					case *ast.CallExpr: // append(x, …)
						pairs(right.Args[1:])
					default:
						fault("the attributes in %s are made in a way that this test does not follow", x.Name)
					}
				}
				return true
			})
		}
	}
	if calls < 40 {
		t.Errorf("got %d lines of the log, so that this shows nothing", calls)
	}
	for k := range known {
		if !used[k] {
			t.Errorf("dera.LogKeys lists %q, and nothing has it", k)
		}
	}
}

// TestLogAttributesDocumented: docs/operations.md has the same list.
func TestLogAttributesDocumented(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	_, after, ok := strings.Cut(string(text), "| attribute | its value |\n|---|---|\n")
	if !ok {
		t.Fatal("docs/operations.md has no table of attributes")
	}
	table, _, _ := strings.Cut(after, "\n\n")
	var want []string
	for _, k := range dera.LogKeys() {
		want = append(want, "| `"+k.Key+"` | "+k.Says+" |")
	}
	if got := strings.Split(table, "\n"); !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", table, strings.Join(want, "\n"))
	}
	if !slices.IsSortedFunc(dera.LogKeys(), func(a, b dera.LogKey) int { return strings.Compare(a.Key, b.Key) }) {
		t.Error("the keys are not in order")
	}
}
