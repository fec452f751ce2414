package sink

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// fakeForge is one repository. It misbehaves once, before or after the effect of a write.
type fakeForge struct {
	mu       sync.Mutex
	files    map[string]string            // of main
	branches map[string]map[string]string // changed files
	pulls    []map[string]any
	issues   []map[string]any
	writes   []string
	fail     string // part of the path of a write that fails once
	after    bool   // after it took effect
	auth     string
}

func sha(text string) string { return fmt.Sprintf("%x", []byte(text))[:min(2*len(text), 40)] }

// texts are those of files on any branch.
func (f *fakeForge) texts() (out []string) {
	for _, files := range f.branches {
		out = slices.AppendSeq(out, maps.Values(files))
	}
	return slices.AppendSeq(out, maps.Values(f.files))
}

func (f *fakeForge) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.auth = strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ") + r.Header.Get("PRIVATE-TOKEN")
	answer, path, ok := f.gitHub, "", false
	if path, ok = strings.CutPrefix(r.URL.Path, "/repos/acme/infra"); !ok {
		path, ok = strings.CutPrefix(r.URL.EscapedPath(), "/projects/acme%2Finfra")
		answer = f.gitLab
	}
	var in map[string]any
	_ = json.NewDecoder(r.Body).Decode(&in)
	say := func(code int, v any) {
		w.WriteHeader(code)
		_ = json.NewEncoder(w).Encode(v)
	}
	write := r.Method != http.MethodGet
	failing := write && f.fail != "" && strings.Contains(path, f.fail)
	if write {
		f.writes = append(f.writes, r.Method+" "+path)
	}
	if failing {
		f.fail = ""
		if !f.after {
			say(502, nil)
			return
		}
		w = httptest.NewRecorder() // it takes effect, and the answer is lost
	}
	if !ok {
		say(404, nil)
	} else {
		answer(say, r, path, in)
	}
	if failing {
		panic(http.ErrAbortHandler)
	}
}

func (f *fakeForge) gitHub(say func(int, any), r *http.Request, path string, in map[string]any) {
	write := r.Method != http.MethodGet
	switch {
	case path == "/pulls" && !write:
		say(200, f.pulls)
	case path == "/issues" && !write:
		say(200, f.issues)
	case path == "/issues":
		in["html_url"] = "https://github.example/issues/1"
		f.issues = append(f.issues, in)
		say(201, in)
	case path == "/git/ref/heads/main":
		say(200, map[string]any{"object": map[string]string{"sha": "c0"}})
	case path == "/git/trees/c0":
		var tree []map[string]any
		for name, text := range f.files {
			tree = append(tree, map[string]any{"path": name, "type": "blob", "sha": sha(text), "size": len(text)})
		}
		say(200, map[string]any{"tree": tree})
	case strings.HasPrefix(path, "/git/blobs/"):
		for _, text := range f.texts() {
			if sha(text) == strings.TrimPrefix(path, "/git/blobs/") {
				say(200, map[string]string{"content": base64.StdEncoding.EncodeToString([]byte(text)), "encoding": "base64"})
				return
			}
		}
		say(404, nil)
	case path == "/git/refs":
		name := strings.TrimPrefix(in["ref"].(string), "refs/heads/")
		if f.branches[name] != nil {
			say(422, map[string]string{"message": "Reference already exists"})
			return
		}
		f.branches[name] = map[string]string{}
		say(201, nil)
	case strings.HasPrefix(path, "/contents/") && !write:
		text := f.files[strings.TrimPrefix(path, "/contents/")]
		if changed, ok := f.branches[r.URL.Query().Get("ref")][strings.TrimPrefix(path, "/contents/")]; ok {
			text = changed
		}
		say(200, map[string]string{"sha": sha(text)})
	case strings.HasPrefix(path, "/contents/"):
		text, _ := base64.StdEncoding.DecodeString(in["content"].(string))
		f.branches[in["branch"].(string)][strings.TrimPrefix(path, "/contents/")] = string(text)
		say(200, map[string]any{})
	case path == "/pulls":
		if len(f.pulls) > 0 {
			say(422, map[string]string{"message": "A pull request already exists"})
			return
		}
		in["html_url"] = "https://github.example/pull/1"
		f.pulls = append(f.pulls, in)
		say(201, in)
	default:
		say(404, nil)
	}
}

const codeOfGroup = `resource "aws_security_group_rule" "ssh" {
  type              = "ingress"
  cidr_blocks       = ["0.0.0.0/0"] # for now
  security_group_id = "sg-1"
}
`

func change() Change {
	return Change{
		Remediation: "r-478ca75c5926adee1971", Title: "SSH is open @everyone", Why: "evil\n```\n@all\n/merge", Resource: "arn:aws:ec2:eu-central-1:111122223333:security-group/sg-1",
		Account: "111122223333", Owner: "team-a", Language: "terraform",
		Lines: []string{"--- sg-1 as it is", "+++ sg-1 without the finding", "@@ arn @@", ` resource "aws_security_group_rule" "ssh" {`, `   type              = "ingress"`,
			`-  cidr_blocks       = ["0.0.0.0/0"] # for now`, `+  cidr_blocks       = ["10.0.0.0/8"]`, `   security_group_id = "sg-1"`, " }"},
	}
}

// forges are the two, with how they call what is made.
func forges() map[string]func(ForgeConfig) (*Forge, error) {
	return map[string]func(ForgeConfig) (*Forge, error){"github": NewGitHub, "gitlab": NewGitLab}
}

func newForge(t *testing.T, f *fakeForge, of string) *Forge {
	t.Helper()
	f.branches = map[string]map[string]string{}
	server := httptest.NewServer(f)
	t.Cleanup(server.Close)
	g, err := forges()[of](ForgeConfig{URL: server.URL, Token: testSecret, Client: Client(nil), Now: time.Now,
		Repositories: []Repository{{Name: "acme/other", Owner: "team-b"}, {Name: "acme/infra", Owner: "team-*", Path: "live/"}}})
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// TestForge: a pull request where the change has one place, an issue in any doubt, nothing
// where no repository is named.
func TestForge(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		files map[string]string
		edit  func(c *Change)
		pull  bool
		why   string
	}{
		"one_place":             {map[string]string{"live/a.tf": "# a\n" + codeOfGroup, "live/b.tf": "# b\n", "README.md": codeOfGroup}, nil, true, ""},
		"indented":              {map[string]string{"live/a.tf": strings.ReplaceAll(codeOfGroup, "\n  ", "\n\t")}, nil, true, ""},
		"two_places":            {map[string]string{"live/a.tf": codeOfGroup + "x\n" + codeOfGroup}, nil, false, "several places"},
		"two_files":             {map[string]string{"live/a.tf": codeOfGroup, "live/b.tf": "\n" + codeOfGroup}, nil, false, "several places"},
		"nowhere":               {map[string]string{"live/a.tf": strings.Replace(codeOfGroup, "0.0.0.0/0", "10.0.0.0/8", 1)}, nil, false, "nowhere"},
		"outside_of_the_folder": {map[string]string{"a.tf": codeOfGroup}, nil, false, "nowhere"},
		"another_language":      {map[string]string{"live/a.yaml": codeOfGroup}, nil, false, "nowhere"},
		"only_adds":             {map[string]string{"live/a.tf": codeOfGroup}, func(c *Change) { c.Lines = []string{"--- a", "+++ b", "@@ c @@", "+x"} }, false, "only adds"},
		"lines_of_anything":     {map[string]string{"live/a.tf": "a {\n}\n"}, func(c *Change) { c.Lines = []string{"--- a", "+++ b", "@@ c @@", " }", "+x"} }, false, "does not name the resource"},
		"two_hunks":             {map[string]string{"live/a.tf": codeOfGroup}, func(c *Change) { c.Lines = append(c.Lines, "@@ d @@", "-x") }, false, "only adds"},
		"file_too_big":          {map[string]string{"live/a.tf": codeOfGroup + strings.Repeat("#", mostCodeBytes)}, nil, false, "too much"},
	} {
		for of := range forges() {
			t.Run(of+"/"+name, func(t *testing.T) {
				t.Parallel()
				f := &fakeForge{files: tt.files}
				g, c := newForge(t, f, of), change()
				if tt.edit != nil {
					tt.edit(&c)
				}
				at, err := g.Open(t.Context(), c)
				if err != nil {
					t.Fatal(err)
				}
				again, err := g.Open(t.Context(), c)
				if err != nil || again != at || len(f.pulls)+len(f.issues) != 1 || (len(f.pulls) == 1) != tt.pull || f.auth != testSecret {
					t.Fatalf("got %q, then %q, %v; %d pulls, %d issues", at, again, err, len(f.pulls), len(f.issues))
				}
				made := append(f.pulls, f.issues...)[0]
				body := made["body"].(string)
				outside := body
				for strings.Contains(outside, "```") { // what is in no block of code
					before, rest, _ := strings.Cut(outside, "```")
					fence := "```" + rest[:len(rest)-len(strings.TrimLeft(rest, "`"))]
					_, rest, _ = strings.Cut(rest, "\n"+fence+"\n")
					outside = before + rest
				}
				if strings.Contains(outside, "@") || strings.Contains(body, "\n/") || !strings.Contains(body, "\n+") || !strings.Contains(body, tt.why) || len(made["title"].(string)) > 210 {
					t.Errorf("body:\n%s\noutside of blocks:\n%s", body, outside)
				}
				if tt.pull {
					got := f.branches["dera/"+c.Remediation]["live/a.tf"]
					if !strings.Contains(got, `= ["10.0.0.0/8"]`) || strings.Contains(got, "0.0.0.0/0") || strings.Count(got, "\n") != strings.Count(tt.files["live/a.tf"], "\n") || made["base"] != "main" || made["head"] != "dera/"+c.Remediation {
						t.Errorf("got %v\n%s", made, got)
					}
				}
			})
		}
	}
	g, c := newForge(t, &fakeForge{}, "github"), change()
	c.Owner = "nobody"
	if _, err := g.Open(t.Context(), c); !errors.Is(err, ErrNoRepository) {
		t.Errorf("no repository: got %v", err)
	}
}

// TestForgeAgain: each write fails, before and after it took effect; the next try ends
// with one branch, one commit and one pull request, and overwrites no other's commit.
func TestForgeAgain(t *testing.T) {
	t.Parallel()
	for _, step := range []string{"github /git/refs", "github /contents/", "github /pulls", "github /issues",
		"gitlab /repository/branches", "gitlab /repository/files/", "gitlab /merge_requests", "gitlab /issues"} {
		of, fail, _ := strings.Cut(step, " ")
		for _, after := range []bool{false, true} {
			t.Run(fmt.Sprint(step, after), func(t *testing.T) {
				t.Parallel()
				f := &fakeForge{files: map[string]string{"live/a.tf": codeOfGroup}, fail: fail, after: after}
				if fail == "/issues" {
					f.files = nil
				}
				g, c := newForge(t, f, of), change()
				if _, err := g.Open(t.Context(), c); err == nil || Permanent(err) || strings.Contains(err.Error(), testSecret) {
					t.Fatalf("got %v, want an error that is tried again", err)
				}
				if fail == "/pulls" || fail == "/merge_requests" {
					f.mu.Lock()
					f.branches["dera/"+c.Remediation]["live/a.tf"] = "a person's"
					f.mu.Unlock()
				}
				at, err := g.Open(t.Context(), c)
				if err != nil || at == "" || len(f.pulls)+len(f.issues) != 1 {
					t.Fatalf("again: got %q, %v; %d pulls, %d issues", at, err, len(f.pulls), len(f.issues))
				}
				if got := f.branches["dera/"+c.Remediation]["live/a.tf"]; (fail == "/pulls" || fail == "/merge_requests") && got != "a person's" {
					t.Errorf("a person's commit is overwritten: %s", got)
				}
				if n := strings.Count(strings.Join(f.writes, "\n"), "PUT"); n > 2 {
					t.Errorf("got %d commits", n)
				}
			})
		}
	}
}

// TestForgeOnOlderBranch: a try that ended between the branch and the commit is gone on with where the base changed
// meanwhile: what is proposed has the change.
func TestForgeOnOlderBranch(t *testing.T) {
	t.Parallel()
	for of, fail := range map[string]string{"github": "/contents/", "gitlab": "/repository/files/"} {
		f := &fakeForge{files: map[string]string{"live/a.tf": codeOfGroup}, fail: fail}
		g, c := newForge(t, f, of), change()
		if _, err := g.Open(t.Context(), c); err == nil {
			t.Fatalf("%s: got no error", of)
		}
		f.mu.Lock()
		f.branches["dera/"+c.Remediation]["live/a.tf"] = codeOfGroup
		f.files["live/a.tf"] = "# moved on\n" + codeOfGroup
		f.mu.Unlock()
		if _, err := g.Open(t.Context(), c); err != nil || len(f.pulls) != 1 {
			t.Fatalf("%s: got %v and %d pulls", of, err, len(f.pulls))
		}
		if got := f.branches["dera/"+c.Remediation]["live/a.tf"]; !strings.Contains(got, "10.0.0.0/8") || strings.Contains(got, "moved on") {
			t.Errorf("%s: what is proposed is\n%s", of, got)
		}
	}
}

// TestForgeNeverMerges: no call of a merge, and none that changes the base, is in what it
// can do.
func TestForgeNeverMerges(t *testing.T) {
	t.Parallel()
	for of, want := range map[string]string{
		"github": "POST /git/refs\nPUT /contents/live/a.tf\nPOST /pulls",
		"gitlab": "POST /repository/branches\nPUT /repository/files/live%2Fa.tf\nPOST /merge_requests",
	} {
		f := &fakeForge{files: map[string]string{"live/a.tf": codeOfGroup}}
		if _, err := newForge(t, f, of).Open(t.Context(), change()); err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(f.writes, "\n"); got != want {
			t.Errorf("%s: got\n%s\nwant\n%s", of, got, want)
		}
		if f.branches["main"] != nil {
			t.Errorf("%s: main was changed", of)
		}
	}
}
