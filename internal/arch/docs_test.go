package arch

import (
	"bytes"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode"
)

// document is one Markdown file without its code, its headings' anchors, and
// its code apart.
type document struct {
	path    string
	prose   string
	fenced  []string
	inline  []string
	anchors map[string]bool
}

var (
	linkTarget = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	inlineCode = regexp.MustCompile("`([^`]+)`")
	testName   = regexp.MustCompile(`\bTest[A-Z][A-Za-z0-9_]*\b`)
	testPlace  = regexp.MustCompile("((?:`Test\\w+`(?: \\([^)]*\\))?(?:, | and )?)+) in ((?:`\\.[\\w./]*`(?: and )?)+)")
	tableRow   = regexp.MustCompile(`^\| ([a-z0-9.]+\.[a-z]+/\S+) \| (v\S+) \|`)
	roomRow    = regexp.MustCompile(`^\| \S+ \| \[([^\]]+)\]\([^)]+\) \| .* \| ([^|]+) \|$`)
	longFlag   = regexp.MustCompile(`(?m)^ +(?:-\w, )?--([a-z-]+)`)
	usedFlag   = regexp.MustCompile(`^--([a-z-]+)`)
	subCommand = regexp.MustCompile(`(?m)^  ([a-z]+) +\S`)
)

func documents(t *testing.T) []document {
	t.Helper()
	var out []document
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && path != "." && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata" || d.Name() == "dera-data") {
			return filepath.SkipDir
		}
		if filepath.Ext(path) != ".md" {
			return nil
		}
		text, err := os.ReadFile(path)
		if err == nil {
			out = append(out, readDocument(path, string(text)))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(out) == 0 {
		t.Fatal("no documents")
	}
	return out
}

func readDocument(path, text string) document {
	d := document{path: path, anchors: map[string]bool{}}
	fence := false
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		switch {
		case strings.HasPrefix(line, "```"):
			fence = !fence
		case fence:
			d.fenced = append(d.fenced, line)
		default:
			if title := strings.TrimLeft(line, "#"); title != line && strings.HasPrefix(title, " ") {
				d.anchors[anchor(title)] = true
			}
			for _, m := range inlineCode.FindAllStringSubmatch(line, -1) {
				d.inline = append(d.inline, m[1])
			}
			d.prose += line + "\n"
		}
	}
	return d
}

// anchor is what a heading is linked by.
func anchor(title string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(strings.TrimSpace(title)) {
		switch {
		case r == ' ':
			b.WriteByte('-')
		case r == '-' || r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r):
			b.WriteRune(r)
		}
	}
	return b.String()
}

func TestDocumentsLinkToWhatIsThere(t *testing.T) {
	t.Parallel()
	docs := documents(t)
	byPath := map[string]document{}
	for _, d := range docs {
		byPath[d.path] = d
	}
	for _, d := range docs {
		for _, m := range linkTarget.FindAllStringSubmatch(inlineCode.ReplaceAllString(d.prose, ""), -1) {
			file, fragment, _ := strings.Cut(m[1], "#")
			if strings.Contains(file, "://") || strings.HasPrefix(file, "mailto:") {
				continue
			}
			target := d.path
			if file != "" {
				target = filepath.Join(filepath.Dir(d.path), file)
			}
			if _, err := os.Stat(target); err != nil {
				t.Errorf("%s links to %s, which is not there", d.path, m[1])
				continue
			}
			if to, ok := byPath[target]; fragment != "" && ok && !to.anchors[fragment] {
				t.Errorf("%s links to %s, which has no such heading", d.path, m[1])
			}
		}
	}
}

// TestDocumentsNameTestsThatExist holds the names of tests to the tests, and
// "`TestX` in `./p`" to one in the package p; `./p/...` are those below p.
func TestDocumentsNameTestsThatExist(t *testing.T) {
	t.Parallel()
	var code bytes.Buffer
	inPackage := map[string]string{}
	for _, f := range sourceFiles(t) {
		if f.test {
			code.Write(f.text)
			inPackage["."+strings.TrimPrefix(f.pkg, "dera")] += string(f.text)
		}
	}
	placed := 0
	for _, d := range documents(t) {
		for _, name := range d.inline {
			for _, test := range testName.FindAllString(name, -1) {
				if !bytes.Contains(code.Bytes(), []byte("func "+test)) {
					t.Errorf("%s names %s, and there is no such test", d.path, test)
				}
			}
		}
		for _, m := range testPlace.FindAllStringSubmatch(d.prose, -1) {
			for _, place := range inlineCode.FindAllStringSubmatch(m[2], -1) {
				text := inPackage[place[1]]
				if below, ok := strings.CutSuffix(place[1], "..."); ok {
					for name, tests := range inPackage {
						if strings.HasPrefix(name, below) {
							text += tests
						}
					}
				}
				for _, test := range testName.FindAllString(m[1], -1) {
					placed++
					if !strings.Contains(text, "func "+test+"(") {
						t.Errorf("%s names %s in %s, which has no such test", d.path, test, place[1])
					}
				}
			}
		}
	}
	if placed < 30 {
		t.Errorf("%d tests were named with their package; the search must be broken", placed)
	}
}

// TestArchitectureDrawsTheRooms holds the table of docs/architecture.md against
// the one of arch_test.go.
func TestArchitectureDrawsTheRooms(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join("docs", "architecture.md"))
	if err != nil {
		t.Fatal(err)
	}
	drawn := map[string]string{}
	for line := range strings.Lines(string(text)) {
		if m := roomRow.FindStringSubmatch(strings.TrimSpace(line)); m != nil {
			drawn[m[1]] = m[2]
		}
	}
	special := map[string]string{"dera": "the root", "dera/cmd": "cmd/dera"}
	for top, allowed := range layers {
		name, ok := special[top]
		if !ok {
			name = strings.TrimPrefix(top, "dera/")
		}
		var list []string
		for _, a := range allowed {
			switch a {
			case top:
			case "*":
				list = append(list, "everything")
			case "dera":
				list = append(list, "words")
			default:
				list = append(list, strings.TrimPrefix(a, "dera/"))
			}
		}
		want := strings.Join(list, ", ")
		if want == "" {
			want = "–"
		}
		if drawn[name] != want {
			t.Errorf("package %s in docs/architecture.md: got %q, want %q", name, drawn[name], want)
		}
	}
}

func TestDocumentsStateTheVersionsOfModules(t *testing.T) {
	t.Parallel()
	mod, err := os.ReadFile("go.mod")
	if err != nil {
		t.Fatal(err)
	}
	page := filepath.Join("docs", "decisions", "0007-dependencies.md")
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if m := tableRow.FindStringSubmatch(line); m != nil && !strings.Contains(string(mod), "\t"+m[1]+" "+m[2]) {
			t.Errorf("%s lists %s %s, which is not in go.mod", page, m[1], m[2])
		}
	}
}

// build builds dera and returns how to run it.
func build(t *testing.T) func(args ...string) (string, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "dera")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", path, "./cmd/dera").CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	return func(args ...string) (string, error) {
		out, err := exec.CommandContext(t.Context(), path, args...).CombinedOutput()
		return string(out), err
	}
}

// commandTree is the flags of every command, by its words.
func commandTree(t *testing.T, dera func(...string) (string, error), into map[string]map[string]bool, words ...string) {
	t.Helper()
	help, err := dera(append(words, "--help")...)
	if err != nil {
		t.Fatalf("dera %s --help: %v\n%s", strings.Join(words, " "), err, help)
	}
	flags := map[string]bool{}
	for _, m := range longFlag.FindAllStringSubmatch(help, -1) {
		flags[m[1]] = true
	}
	into[strings.Join(words, " ")] = flags
	// The commands stand in groups, between the examples and the flags.
	list, _, _ := strings.Cut(help, "\nFlags:\n")
	if _, after, ok := strings.Cut(list, "\nExamples:\n"); ok {
		_, list, _ = strings.Cut(after, "\n\n")
	}
	for _, m := range subCommand.FindAllStringSubmatch(list, -1) {
		if m[1] != "help" {
			commandTree(t, dera, into, append(words[:len(words):len(words)], m[1])...)
		}
	}
}

// TestDocumentsShowCommandsThatExist holds every command line in a document to
// the commands and flags that there are.
func TestDocumentsShowCommandsThatExist(t *testing.T) {
	t.Parallel()
	tree := map[string]map[string]bool{}
	commandTree(t, build(t), tree)
	seen := 0
	for _, d := range documents(t) {
		for _, line := range append(d.fenced, d.inline...) {
			line = strings.TrimPrefix(line, "$ ")
			args, ok := strings.CutPrefix(line, "dera ")
			if !ok {
				continue
			}
			if problem := checkCommand(tree, args); problem != "" {
				t.Errorf("%s shows %q: %s", d.path, line, problem)
			}
			seen++
		}
	}
	t.Logf("%d command lines", seen)
	if seen < 50 {
		t.Errorf("%d command lines were found; the search must be broken", seen)
	}
}

// checkCommand says what is wrong with a command line, or "".
func checkCommand(tree map[string]map[string]bool, args string) string {
	args, _, _ = strings.Cut(args, " | ")
	words := strings.FieldsFunc(args, func(r rune) bool { return r == ' ' || r == '[' || r == ']' })
	command := ""
	for len(words) > 0 {
		next := strings.TrimSpace(command + " " + words[0])
		if tree[next] == nil {
			break
		}
		command, words = next, words[1:]
	}
	flags := tree[command]
	if command == "" && (len(words) == 0 || !strings.HasPrefix(words[0], "-")) && args != "COMMAND --help" {
		return "there is no such command"
	}
	quoted := false
	for _, w := range words {
		if m := usedFlag.FindStringSubmatch(w); m != nil && !quoted && !flags[m[1]] {
			return "there is no flag --" + m[1]
		}
		quoted = quoted != (strings.Count(w, `"`)%2 == 1)
	}
	return ""
}

func TestExamplesAreValid(t *testing.T) {
	t.Parallel()
	dera := build(t)
	commands := map[string]string{"config.yaml": "config", "exemptions.yaml": "exemptions"}
	files, err := filepath.Glob(filepath.Join("examples", "*.yaml"))
	if err != nil || len(files) < len(commands) {
		t.Fatalf("examples: got %v (%v), want %d files", files, err, len(commands))
	}
	for _, path := range files {
		command, ok := commands[filepath.Base(path)]
		if !ok {
			t.Errorf("%s has no check here", path)
			continue
		}
		if out, err := dera(command, "check", path); err != nil || !strings.Contains(out, "is valid") {
			t.Errorf("dera %s check %s: %v\n%s", command, path, err, out)
		}
	}
}
