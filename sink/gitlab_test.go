package sink

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// gitLab answers as GitLab does, of the same repository.
func (f *fakeForge) gitLab(say func(int, any), r *http.Request, path string, in map[string]any) {
	write := r.Method != http.MethodGet
	made := func(list *[]map[string]any, what string) {
		in["web_url"], in["body"] = "https://gitlab.example/"+what+"/1", in["description"]
		in["base"], in["head"] = in["target_branch"], in["source_branch"]
		*list = append(*list, in)
		say(201, in)
	}
	name, _ := url.PathUnescape(strings.TrimPrefix(path, "/repository/files/"))
	switch {
	case path == "/merge_requests" && !write:
		say(200, f.pulls)
	case path == "/issues" && !write:
		say(200, f.issues)
	case path == "/issues":
		made(&f.issues, "issues")
	case path == "/merge_requests" && len(f.pulls) > 0:
		say(409, map[string]any{"message": []string{"Another open merge request already exists for this source branch: !1"}})
	case path == "/merge_requests":
		made(&f.pulls, "merge_requests")
	case path == "/repository/branches/main":
		say(200, map[string]any{"commit": map[string]string{"id": "c0"}})
	case path == "/repository/branches":
		name := in["branch"].(string)
		if f.branches[name] != nil {
			say(400, map[string]string{"message": "Branch already exists"})
			return
		}
		f.branches[name] = map[string]string{}
		say(201, map[string]any{})
	case path == "/repository/tree":
		var tree []map[string]any
		query := r.URL.Query()
		for name, text := range f.files {
			if strings.HasPrefix(name, query.Get("path")+"/") || query.Get("path") == "" {
				tree = append(tree, map[string]any{"path": name, "type": "blob", "id": sha(text)})
			}
		}
		if len(tree) == 0 {
			say(404, map[string]string{"message": "404 invalid revision or path Not Found"})
			return
		}
		slices.SortFunc(tree, func(a, b map[string]any) int { return strings.Compare(a["path"].(string), b["path"].(string)) })
		page, _ := strconv.Atoi(query.Get("page"))
		most, _ := strconv.Atoi(query.Get("per_page"))
		from := min((page-1)*most, len(tree))
		say(200, tree[from:min(from+most, len(tree))])
	case strings.HasPrefix(path, "/repository/blobs/"):
		for _, text := range f.texts() {
			if sha(text) == strings.TrimPrefix(path, "/repository/blobs/") {
				say(200, map[string]string{"content": base64.StdEncoding.EncodeToString([]byte(text)), "encoding": "base64"})
				return
			}
		}
		say(404, nil)
	case strings.HasPrefix(path, "/repository/files/"):
		branch := r.URL.Query().Get("ref")
		if write {
			branch = in["branch"].(string)
		}
		text := f.files[name]
		if changed, ok := f.branches[branch][name]; ok {
			text = changed
		}
		switch {
		case !write:
			say(200, map[string]string{"blob_id": sha(text), "last_commit_id": "of-" + sha(text)})
		case in["last_commit_id"] != "of-"+sha(text):
			say(400, map[string]string{"message": "You are attempting to update a file that has changed since you started editing it."})
		default:
			changed, _ := base64.StdEncoding.DecodeString(in["content"].(string))
			f.branches[branch][name] = string(changed)
			say(200, map[string]any{})
		}
	default:
		say(404, nil)
	}
}

// TestGitLabPages: the place lies behind the first page of a tree, and code that is too much
// is not searched.
func TestGitLabPages(t *testing.T) {
	t.Parallel()
	for n, pull := range map[int]bool{treePage - 1: true, treePage: true, 2*treePage + 1: true, mostCodeFiles + 1: false} {
		f := &fakeForge{files: map[string]string{"live/zz.tf": codeOfGroup}}
		for i := range n - 1 {
			f.files[fmt.Sprintf("live/a%d.tf", i)] = fmt.Sprintf("# %d", i)
		}
		if _, err := newForge(t, f, "gitlab").Open(t.Context(), change()); err != nil || (len(f.pulls) == 1) != pull || len(f.pulls)+len(f.issues) != 1 {
			t.Errorf("%d files: got %v, %d requests, %d issues", n, err, len(f.pulls), len(f.issues))
		}
	}
}

// TestGitLabHugeFile: a file beyond what an answer may have is an issue, not an error for ever.
func TestGitLabHugeFile(t *testing.T) {
	t.Parallel()
	f := &fakeForge{files: map[string]string{"live/a.tf": codeOfGroup + strings.Repeat("#", 2*mostAnswer)}}
	if _, err := newForge(t, f, "gitlab").Open(t.Context(), change()); err != nil || len(f.issues) != 1 {
		t.Errorf("got %v, %d issues", err, len(f.issues))
	}
}

func TestProjectNames(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]bool{"acme/infra": true, "acme/cloud/aws/infra": true, "infra": false, "acme/": false, "../infra": false, "acme/in fra": false, "acme/../x": false} {
		if got := projectName.MatchString(name); got != want {
			t.Errorf("%s: got %t", name, got)
		}
	}
}
