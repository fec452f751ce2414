package arch

import (
	"go/ast"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// phrases are nobody's words but dera's own of before: what is said instead
// stands in the glossary. They may stand in no file.
var phrases = regexp.MustCompile(`(?i)\b(strangers?|let(s|ting)? (anybody|everybody|nobody|somebody|someone|them|it|the public|the internet|the world|all traffic) in\b|(is|are|was|were) let in\b|kept out\b|nobody gets in|let alone|by itself|by themselves|fresh look|no by now|takes? (away a|a|the) stop( away)?|was not let|the whole ipv4|looks? after|looked after|anew|untold|vouch\w*)\b`)

// said is what output, headings and titles of findings do not say either; in
// comments some of it is right English.
var said = regexp.MustCompile(`(?i)\b(told|untold|anew|wants|gone|moved|around|rooms?|floors?|strange)\b`)

// names are identifiers that have a better one.
var names = regexp.MustCompile(`(?i)^(strangers?|untold|told|vouched|served|standing|letsin|letin|keepsout|keptout|floors?|rooms?)$`)

// ours are the text files that dera's authors write: not data of others, not
// what changed in the past, and not this list.
func ours(path string) bool {
	switch {
	case path == "CHANGELOG.md", path == "internal/arch/words_test.go", strings.HasPrefix(path, "iam/catalog/"), strings.Contains(path, "/testdata/fuzz/"),
		strings.HasPrefix(path, "iam/") && strings.Contains(path, "/testdata/"), strings.HasPrefix(path, "docs/least-privilege"):
		return false
	}
	for _, end := range []string{".go", ".md", ".txtar", ".golden", ".yaml", ".py", ".sh", ".json", ".svg"} {
		if strings.HasSuffix(path, end) {
			return true
		}
	}
	return strings.HasPrefix(path, "scripts/") || path == "Makefile"
}

// textFiles are the paths of the tree's text files, without folders that hold what
// tools made.
func textFiles(t *testing.T) (out []string) {
	t.Helper()
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (path == "dist" || path != "." && strings.HasPrefix(d.Name(), ".")) {
			return filepath.SkipDir
		}
		if path = filepath.ToSlash(path); !d.IsDir() && ours(path) {
			out = append(out, path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestWords: the trade's words are used, in code, output and documents.
func TestWords(t *testing.T) {
	t.Parallel()
	for _, path := range textFiles(t) {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		code := false
		for n, line := range strings.Split(string(text), "\n") {
			if m := phrases.FindString(line); m != "" {
				t.Errorf("%s:%d: says %q; docs/glossary.md has the trade's word", path, n+1, m)
			}
			if !strings.HasSuffix(path, ".md") {
				continue
			}
			if strings.HasPrefix(line, "```") {
				code = !code
			}
			if m := said.FindString(line); m != "" && !code && strings.HasPrefix(line, "#") {
				t.Errorf("%s:%d: the heading says %q", path, n+1, m)
			}
			if strings.HasPrefix(line, "|") && !code {
				for _, cell := range cells(line) {
					if strings.Count(cell, ";") > 2 {
						t.Errorf("%s:%d: a cell of the table has more than two semicolons: write sentences: %s", path, n+1, cell)
					}
				}
			}
		}
	}
}

var quoted = regexp.MustCompile("`[^`]*`")

// cells are those of a row of a table, without what is code in them.
func cells(row string) []string {
	row = strings.ReplaceAll(quoted.ReplaceAllString(row, ""), `\|`, "")
	return strings.Split(strings.Trim(row, "| "), "|")
}

// TestOutputUsesTheWordsOfTheTrade: the texts of commands, decisions, findings
// and errors, and the names in the code.
func TestOutputUsesTheWordsOfTheTrade(t *testing.T) {
	t.Parallel()
	for _, f := range sourceFiles(t) {
		if f.helper() || f.top == "dera/awssim" || f.top == "dera/internal" || strings.HasPrefix(f.path, "iam/catalog/") {
			continue
		}
		ast.Inspect(f.ast, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.ImportSpec:
				return false
			case *ast.Ident:
				if names.MatchString(n.Name) {
					t.Errorf("%s: the name %s has a better word", f.path, n.Name)
				}
			case *ast.BasicLit:
				s, err := strconv.Unquote(n.Value)
				if n.Kind != token.STRING || err != nil || !strings.Contains(s, " ") {
					return true
				}
				if m := said.FindString(s); m != "" && !strings.HasPrefix(s, "\n") {
					t.Errorf("%s: the text %q says %q", f.path, s, m)
				}
			}
			return true
		})
	}
}
