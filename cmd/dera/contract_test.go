package main

import (
	"encoding"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"dera.example/dera"
	"dera.example/dera/app"
	"dera.example/dera/cloudtrail"
	"dera.example/dera/evaluate"
	"dera.example/dera/resource/role"
	ledger "dera.example/dera/usage"
)

// shape is one place of docs/cli.md that says what a command prints as JSON: a section with
// a table, or a row of the table of others.
type shape struct {
	at     string // the heading, or the row up to its command
	of     []reflect.Type
	prefix string // of the paths in the table
	values string // words in backticks there that look like fields and are none
	events bool   // the table is of events, and not of fields
}

func of[T any]() reflect.Type { return reflect.TypeFor[T]() }

func only[T any]() []reflect.Type { return []reflect.Type{of[T]()} }

// shapes are those places.
func shapes() []shape {
	return []shape{
		{at: "### `dera scan -o json`", of: only[app.ScanReport](), values: "denied throttled credentials unavailable error allow"},
		{at: "### `dera run -o json`", of: only[app.Happening](), events: true, values: "finding_opened finding_unknown finding_resolved decision flapping stop resume unread sweep_ended job_failed unrecorded_call alarm alarm_ended"},
		{at: "### `dera replay FILE -o json`", of: only[app.ReplayReport]()},
		{at: "### Finding", of: []reflect.Type{of[dera.Finding](), of[dera.Reason]()}, values: "resolved critical tag low inbound unknown failed undo_failed all high medium open"},
		{at: "### Plan view", of: []reflect.Type{of[app.PlanView](), of[app.Left](), of[dera.CodeDiff]()}, values: "terraform cloudformation"},
		{at: "### `dera show ID -o json`", of: []reflect.Type{of[app.Shown](), of[dera.Remediation](), of[app.Way](), of[dera.Evidence]()},
			values: "open applied not_applied approve reject rollback remediate sqs sweep scan engine command removed_permission unknown other_policy"},
		{at: "### `dera waiting -o json`", of: only[app.Waiting](), prefix: "[].", values: "waiting expired"},
		{at: "### `dera console -o json`", of: only[consoleJSON]()},
		{at: "### `dera report -o json`", of: only[app.Overview](), values: "problem all automatic approved others"},
		{at: "### `dera report --candidates -o json`", of: only[app.CandidateReport](), prefix: "candidates.", values: "window stop ask modes fix report leave breaker budget allow"},
		{at: "### `dera demo --exit -o json`", of: only[demoReport]()},
		{at: "### `dera usage import PATH -o json`", of: only[ledger.Report]()},
		{at: "### `dera usage show PRINCIPAL -o json`", of: only[activityView]()},
		{at: "### `dera usage gaps -o json`", of: only[ledger.Gap](), prefix: "[]."},
		{at: "| `dera findings --events -o json`", of: only[eventsJSON]()},
		{at: "| `dera audit show -o json`", of: only[recordLine]()},
		{at: "| `dera audit show INDEX`", of: only[recordJSON]()},
		{at: "| `dera audit verify -o json`", of: only[verifiedJSON]()},
		{at: "| `dera audit export DIR -o json`", of: only[exportedJSON]()},
		{at: "| `dera audit reconcile -o json`", of: only[reconcileReport](), values: "time"},
		{at: "| `dera exemptions check FILE -o json`", of: []reflect.Type{of[goodListJSON](), of[badListJSON]()}},
		{at: "| `dera config check FILE -o json`", of: []reflect.Type{of[goodConfigJSON](), of[badConfigJSON]()}},
		{at: "| `dera role`", of: only[rolesJSON]()},
		{at: "| `dera pattern -o json`", of: only[patternReport](), values: "looks config securityhub ledger"},
		{at: "| `dera control list -o json`", of: only[controlView]()},
		{at: "| `dera policy check FILE... -o json`", of: only[checkJSON]()},
		{at: "| `dera policy eval FILE... -o json`", of: only[evalJSON](), values: "allowed"},
		{at: "| `dera policy diff OLD NEW -o json`", of: only[diffJSON](), values: "proved"},
		{at: "| `dera policy prove OLD NEW -o json`", of: []reflect.Type{of[provedJSON](), of[verdictJSON]()}, values: "proved refuted unknown"},
		{at: "| `dera policy public FILE... -o json`", of: only[exposureJSON](), values: "proved"},
		{at: "| `dera policy scope POLICY -o json`", of: only[scopeJSON](), values: "narrowed detach refused"},
		{at: "| `dera policy check-certificate FILE -o json`", of: only[certificateJSON]()},
		{at: "| `dera usage used PRINCIPAL -o json`", of: only[usedList]()},
		{at: "| `dera catalog -o json`", of: only[catalogJSON]()},
		{at: "| `dera access request -o json`", of: only[app.AccessView]()},
		{at: "| `dera access list -o json`", of: only[accessesJSON](), values: "asked granted denied unanswered ended left"},
		{at: "| `dera incident attach -o json`", of: only[attachedJSON]()},
		{at: "| `dera incident list -o json`", of: only[incidentsJSON](), values: "used"},
		{at: "| `dera why -o json`", of: only[app.Why](), values: "yes no not_decidable"},
		{at: "| `dera rollback --since 2h -o json`", of: only[rolledBackJSON]()},
		{at: "| `dera stop`", of: only[stoppedJSON]()},
		{at: "| `dera resume`", of: only[resumedJSON]()},
		{at: "| `dera doctor -o json`", of: only[app.Diagnosis](), values: "good todo broken unknown not_tested opened seen decided begun revoked closed verified"},
		{at: "| `dera version -o json`", of: only[build](), values: "unknown"},
	}
}

// elsewhere are the types of which another place of the documents says what they hold.
func elsewhere() map[reflect.Type]bool {
	out := map[reflect.Type]bool{}
	for _, t := range []reflect.Type{
		of[dera.Finding](), of[dera.Reason](), of[app.PlanView](), of[dera.Remediation](), of[app.Left](), of[dera.CodeDiff](), of[app.Way](), // finding, plan view and show
		of[app.AccessView](), of[dera.Access](), of[app.Waiting](), of[app.UnderWay](), of[app.Unreadable](), of[dera.Stop](), of[dera.Incident](), // waiting, scan and incident list
		of[verdictJSON](), of[witnessJSON](), of[ledger.Gap](), // policy prove and usage gaps
		of[dera.AuditRecord](), of[dera.Exemption](), of[evaluate.Keep](), of[role.Policy](), of[queuePolicy](), of[cloudtrail.Pattern](), // audit.md, configuration.md and AWS
	} {
		out[t] = true
	}
	return out
}

// ownOf are the types that a place itself is about, though others leave it to that place.
func ownOf(s shape) map[reflect.Type]bool {
	stop := elsewhere()
	own := slices.Clone(s.of)
	if s.at == "### `dera scan -o json`" {
		own = append(own, of[app.UnderWay](), of[app.Unreadable](), of[dera.Stop]())
	}
	if strings.HasPrefix(s.at, "| `dera access list") {
		own = append(own, of[app.AccessView](), of[dera.Access]())
	}
	if strings.HasPrefix(s.at, "| `dera incident list") {
		own = append(own, of[dera.Incident]())
	}
	if strings.HasPrefix(s.at, "| `dera policy prove") {
		own = append(own, of[witnessJSON]())
	}
	for _, t := range own {
		delete(stop, t)
	}
	return stop
}

// fieldsOf adds the paths of the fields that a value of the type can have as JSON.
func fieldsOf(t reflect.Type, at string, stop map[reflect.Type]bool, out map[string]bool) {
	if members := map[string]json.RawMessage{}; t.Implements(of[json.Marshaler]()) {
		if text, err := json.Marshal(reflect.Zero(t).Interface()); err == nil && json.Unmarshal(text, &members) == nil {
			for name := range members {
				out[at+"."+name] = true
			}
		}
		return
	}
	if t.Implements(of[encoding.TextMarshaler]()) {
		return
	}
	switch t.Kind() {
	case reflect.Pointer:
		fieldsOf(t.Elem(), at, stop, out)
	case reflect.Slice, reflect.Array, reflect.Map:
		fieldsOf(t.Elem(), at, stop, out)
	case reflect.Struct:
		if stop[t] {
			return
		}
		for i := range t.NumField() {
			f := t.Field(i)
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			switch {
			case name == "-" || !f.IsExported() && !f.Anonymous:
			case f.Anonymous && name == "":
				fieldsOf(f.Type, at, stop, out)
			default:
				if name == "" {
					name = f.Name
				}
				path := strings.TrimPrefix(at+"."+name, ".")
				out[path] = true
				fieldsOf(f.Type, path, stop, out)
			}
		}
	default: // a value
	}
}

var (
	inBackticks = regexp.MustCompile("`([^`]+)`")
	fieldWord   = regexp.MustCompile(`^[a-z_]+$`)
)

// TestDocumentOfTheJSON: docs/cli.md names each field that a command prints as JSON, and no
// other; where a table gives it a path, that path exists.
func TestDocumentOfTheJSON(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "cli.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range shapes() {
		words, columns := documented(t, string(text), s.at)
		own, all := map[string]bool{}, map[string]bool{}
		for _, typ := range s.of {
			fieldsOf(typ, "", ownOf(s), own)
			fieldsOf(typ, "", nil, all)
		}
		names := map[string]bool{}
		for path := range all {
			names[last(path)] = true
		}
		for path := range own {
			if !words[last(path)] {
				t.Errorf("%s: docs/cli.md does not name the field %s", s.at, path)
			}
		}
		values := strings.Fields(s.values)
		for word := range words {
			if fieldWord.MatchString(word) && !names[word] && !slices.Contains(values, word) {
				t.Errorf("%s: docs/cli.md names %q, which is no field", s.at, word)
			}
		}
		for _, v := range values {
			if !words[v] {
				t.Errorf("%s: %q is listed as a value here, and docs/cli.md does not have it", s.at, v)
			}
		}
		for _, path := range columns {
			plain := strings.ReplaceAll(path, "[]", "")
			if rest, ok := strings.CutPrefix(path, s.prefix); ok && s.prefix == "[]." {
				plain = strings.ReplaceAll(rest, "[]", "")
			} else if s.prefix != "[]." {
				plain = s.prefix + plain
			}
			if !all[plain] && !s.events {
				t.Errorf("%s: docs/cli.md has the path %q, which does not exist", s.at, path)
			}
		}
	}
}

// last is the last part of a path.
func last(path string) string { return path[strings.LastIndexByte(path, '.')+1:] }

// documented are the words in backticks of a place, the last part of each path, and the
// paths of the first column of its tables.
func documented(t *testing.T, text, at string) (words map[string]bool, columns []string) {
	t.Helper()
	_, part, found := strings.Cut(text, "\n"+at)
	if !found {
		t.Errorf("docs/cli.md has no %s", at)
		return nil, nil
	}
	if row := strings.HasPrefix(at, "|"); row {
		part, _, _ = strings.Cut(part, "\n")
		_, part, _ = strings.Cut(part, " | ")
	} else {
		part, _, _ = strings.Cut(part, "\n## ")
		part, _, _ = strings.Cut(part, "\n### ")
		part, _, _ = strings.Cut(part, "\n```")
	}
	words = map[string]bool{}
	for line := range strings.Lines(part) {
		for _, m := range inBackticks.FindAllStringSubmatch(line, -1) {
			words[strings.TrimSuffix(last(m[1]), "[]")] = true
		}
		if !strings.HasPrefix(line, "| ") {
			continue
		}
		cell, _, _ := strings.Cut(strings.TrimPrefix(line, "| "), " |")
		prefix := ""
		for _, m := range inBackticks.FindAllStringSubmatch(cell, -1) {
			path := m[1]
			if strings.HasPrefix(path, ".") {
				path = prefix + path
			}
			if i := strings.LastIndexByte(path, '.'); i > 0 {
				prefix = path[:i]
			}
			columns = append(columns, path)
		}
	}
	return words, columns
}

// TestEveryAnswerHasAShape: nothing is printed as JSON that is made on the spot, and of whose
// fields nothing is known. What a new answer prints belongs into shapes, and then into this list.
func TestEveryAnswerHasAShape(t *testing.T) {
	t.Parallel()
	fset := token.NewFileSet()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	got := []string{}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(fset, name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok || len(call.Args) != 1 {
				return true
			}
			if to, ok := call.Fun.(*ast.SelectorExpr); ok && to.Sel.Name == "printJSON" {
				arg := call.Args[0]
				if lit, ok := arg.(*ast.CompositeLit); ok {
					arg = lit.Type
					if _, named := arg.(*ast.Ident); !named && types.ExprString(arg) != "app.Shown" {
						t.Errorf("%s prints a value of %s: give it a named type, and docs/cli.md its fields", name, types.ExprString(arg))
					}
				}
				got = append(got, fmt.Sprintf("%s: %s", name, types.ExprString(arg)))
			}
			return true
		})
	}
	slices.Sort(got)
	golden(t, "answers.golden", strings.Join(got, "\n")+"\n")
}
