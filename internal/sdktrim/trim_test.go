package main

import (
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestTrim: which declarations of a small SDK stay where one of its two
// operations is called, and which imports.
func TestTrim(t *testing.T) {
	t.Parallel()
	s := &source{fset: token.NewFileSet(), packages: map[string]string{"context": "context", "example/v2": "example", "fmt": "fmt", "time": "time"}}
	for name, text := range map[string]string{
		"client.go": `package sdk
import "context"
type Client struct { options Options }
type Options struct { Region string }
func New(o Options) *Client { return &Client{o} }
func (c *Client) Unused() {}
func (o Options) Copy() Options { return o }
func init() { start() }
func start() {}
func helper() { context.Background() }`,
		"get.go": `package sdk
import ("context"; "fmt"; "time"; renamed "time"; "example/v2"; _ "embed")
type GetAPI interface { Get(context.Context) }
var _ GetAPI = (*Client)(nil)
func (c *Client) Get(ctx context.Context) error { return c.addGet() }
func (c *Client) addGet() error { return getError() }
func getError() error { example.Note(); return fmt.Errorf("%d", limit) }
const (limit = 3; other = 4)
func unused() { time.Now(); renamed.Now() }`,
		"put.go": `package sdk
import "fmt"
type PutAPI interface { Put() }
var _ PutAPI = (*Client)(nil)
func (c *Client) Put() { c.addPut() }
func (c *Client) addPut() { fmt.Println() }
type Putter struct { api PutAPI }
func (p Putter) Next() {}`,
	} {
		f, err := parser.ParseFile(s.fset, name, text, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		s.files = append(s.files, file{name, f})
	}
	s.trim(map[string]bool{"New": true, "Get": true})
	dir := t.TempDir()
	if err := s.write(dir); err != nil {
		t.Fatal(err)
	}
	text := map[string]string{}
	for _, name := range []string{"client.go", "get.go", "put.go"} {
		got, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil && name != "put.go" {
			t.Fatal(err)
		}
		text[name] = string(got)
	}
	for _, tt := range []struct{ file, has, lacks string }{
		{"client.go", "type Client|type Options|func New|) Copy|func init|func start", "Unused|helper|import"},
		{"get.go", ") Get(|) addGet|func getError|limit|other|\"context\"|\"fmt\"|\"example/v2\"|_ \"embed\"", "GetAPI|unused|time"},
		{"put.go", "", "package"},
	} {
		for word := range strings.SplitSeq(tt.has, "|") {
			if !strings.Contains(text[tt.file], word) {
				t.Errorf("%s: %q is gone:\n%s", tt.file, word, text[tt.file])
			}
		}
		for word := range strings.SplitSeq(tt.lacks, "|") {
			if strings.Contains(text[tt.file], word) {
				t.Errorf("%s: %q stays:\n%s", tt.file, word, text[tt.file])
			}
		}
	}
}

// TestDemo: the demo compiles with the trimmed SDK and runs to its end. make demo
// would be built without it and only take longer.
func TestDemo(t *testing.T) {
	t.Chdir("../..")
	sdk := t.TempDir()
	if err := run(sdk, "demo", "./cmd/dera"); err != nil {
		t.Fatal(err)
	}
	if found, err := filepath.Glob(filepath.Join(sdk, "ec2", "api_op_*.go")); err != nil || len(found) == 0 || len(found) > 50 {
		t.Errorf("got %d operations of EC2 (%v), want those that are called", len(found), err)
	}
	dera := filepath.Join(sdk, "dera")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-modfile", filepath.Join(sdk, "go.mod"), "-tags", "demo", "-o", dera, "./cmd/dera").CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	if out, err := exec.CommandContext(t.Context(), dera, "demo", "--exit").CombinedOutput(); err != nil || !strings.Contains(string(out), "Audit log OK") {
		t.Errorf("demo: %v\n%s", err, out)
	}
}
