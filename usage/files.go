package usage

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// files is what the paths of an import hold.
type files struct {
	logs    []string
	digests []string
	damaged []Damaged
}

// find lists log and digest files. In folders it takes what is called .json,
// .jsonl or .ndjson, with or without .gz, in lexical order, and leaves out
// CloudTrail's insights; a file that is named is taken whatever its name.
func find(paths []string) (files, error) {
	var out files
	for _, path := range paths {
		info, err := os.Stat(path)
		if err != nil {
			return files{}, fmt.Errorf("find log files: %w", err)
		}
		if !info.IsDir() {
			out.add(path)
			continue
		}
		err = filepath.WalkDir(path, func(name string, entry fs.DirEntry, err error) error {
			switch {
			case err != nil:
				out.damaged = append(out.damaged, Damaged{name, err.Error()})
			case entry.IsDir() && strings.HasPrefix(entry.Name(), "CloudTrail-Insight"):
				return fs.SkipDir
			case entry.Type().IsRegular() && slices.Contains([]string{".json", ".jsonl", ".ndjson"}, filepath.Ext(strings.TrimSuffix(name, ".gz"))):
				out.add(name)
			}
			return nil
		})
		if err != nil {
			return files{}, fmt.Errorf("find log files: %w", err)
		}
	}
	if len(out.logs)+len(out.digests) == 0 && len(out.damaged) == 0 {
		return files{}, errors.New("find log files: the paths hold no .json, .jsonl or .ndjson file, plain or .gz")
	}
	// One path may lie within another.
	slices.Sort(out.logs)
	slices.Sort(out.digests)
	out.logs, out.digests = slices.Compact(out.logs), slices.Compact(out.digests)
	return out, nil
}

func (f *files) add(path string) {
	if strings.Contains(filepath.Base(path), "_CloudTrail-Digest_") {
		f.digests = append(f.digests, path)
		return
	}
	f.logs = append(f.logs, path)
}
