package sink

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strings"
)

// Bounds of a search through code. A repository that has more gets an issue.
const (
	mostCodeFiles = 300
	mostCodeBytes = 512 << 10 // of one file
)

// place is where a change belongs, and the file with it; without a path, why there is
// none.
type place struct {
	path, blob, commit string
	text               string // of the file, changed
	why                string
}

// place looks for the one place of the code that has the lines that a change replaces.
// Whatever is in doubt means that there is none.
func (f *Forge) place(ctx context.Context, repo Repository, c Change) (place, error) {
	old, _ := split(c.Lines)
	if len(old) == 0 {
		return place{why: "the change only adds lines, so that nothing says where they belong"}, nil
	}
	commit, err := f.host.tip(ctx, repo)
	if err != nil {
		return place{}, err
	}
	files, whole, err := f.host.files(ctx, repo, commit, func(p string) bool { return isCode(c.Language, p) && below(repo.Path, p) })
	if err != nil {
		return place{}, err
	}
	if !whole || len(files) > mostCodeFiles || slices.ContainsFunc(files, func(f codeFile) bool { return f.size > mostCodeBytes }) {
		return place{why: "the code is too much to be searched"}, nil
	}
	found := place{why: "the lines that it replaces stand nowhere in the code"}
	for _, file := range files {
		text, ok, err := f.host.blob(ctx, repo, file.id)
		if err != nil {
			return place{}, err
		}
		if len(text) > mostCodeBytes {
			return place{why: "the code is too much to be searched"}, nil
		}
		if !ok {
			return place{why: fmt.Sprintf("the file %s cannot be read", file.path)}, nil
		}
		changed, n := apply(text, c.Lines)
		if n > 0 && !strings.Contains(text, c.Resource.Name()) {
			return place{why: fmt.Sprintf("%s has the lines that it replaces, and does not name the resource", file.path)}, nil
		}
		switch {
		case n == 0:
			continue
		case n > 1 || found.path != "":
			return place{why: "the lines that it replaces stand at several places"}, nil
		}
		found = place{path: file.path, blob: file.id, commit: commit, text: changed}
	}
	return found, nil
}

func isCode(language, file string) bool {
	of := map[string][]string{"terraform": {".tf"}, "cloudformation": {".yaml", ".yml", ".json", ".template"}}
	return slices.Contains(of[language], path.Ext(file))
}

func below(folder, file string) bool {
	folder = strings.Trim(folder, "/")
	return folder == "" || strings.HasPrefix(file, folder+"/")
}

// split is a diff as the lines before and after it, without its head and without what
// names the resource. A diff of several hunks is none that can be applied.
func split(lines []string) (before, after []string) {
	for i, l := range lines {
		switch {
		case i < 3 && (strings.HasPrefix(l, "--- ") || strings.HasPrefix(l, "+++ ") || strings.HasPrefix(l, "@@")):
		case strings.HasPrefix(l, "@@"):
			return nil, nil
		case strings.HasPrefix(l, "-"):
			before = append(before, l[1:])
		case strings.HasPrefix(l, "+"):
			after = append(after, l[1:])
		default:
			l = strings.TrimPrefix(l, " ")
			before, after = append(before, l), append(after, l)
		}
	}
	return before, after
}

// apply replaces the lines of a diff in a text, and counts at how many places they stand.
// Lines are the same where only their indentation differs; what is written has that of the
// first one.
func apply(text string, lines []string) (string, int) {
	before, after := split(lines)
	if len(before) == 0 {
		return text, 0
	}
	have := strings.Split(text, "\n")
	at, n := 0, 0
	for i := 0; i+len(before) <= len(have); i++ {
		same := true
		for j := range before {
			same = same && strings.TrimSpace(have[i+j]) == strings.TrimSpace(before[j])
		}
		if same {
			at = i
			n++
		}
	}
	if n != 1 {
		return text, n
	}
	indent := func(s string) string { return s[:len(s)-len(strings.TrimLeft(s, " \t"))] }
	in, out := indent(have[at]), indent(before[0])
	var put []string
	for _, l := range after {
		if kept := slices.IndexFunc(have[at:at+len(before)], func(h string) bool { return strings.TrimSpace(h) == strings.TrimSpace(l) }); kept >= 0 {
			put = append(put, have[at+kept]) // as its author wrote it
			continue
		}
		put = append(put, in+strings.TrimPrefix(l, out))
	}
	return strings.Join(slices.Concat(have[:at], put, have[at+len(before):]), "\n"), 1
}
