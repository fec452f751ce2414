package source

import (
	"bufio"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Raw is one event as it stands in a file: a CloudTrail record or an envelope,
// its JSON unjudged.
type Raw struct {
	Body []byte
	File string
	Line int // where it begins, from 1
}

// Position is file:line.
func (r Raw) Position() string { return fmt.Sprintf("%s:%d", r.File, r.Line) }

// Files reads recorded events from files and folders, in order: CloudTrail log
// files ({"Records":[…]}), arrays, and JSON one after the other (lines or not),
// plain or gzip, whatever the name says. Of a folder it reads, in lexical order
// and at any depth, what is called .json, .jsonl or .ndjson, with or without
// .gz, but not CloudTrail's digest files.
//
// An error comes with the file and the line of its Raw; reading then goes on
// behind it where that is safe, else with the next file. Memory is bounded: one
// record, at most as large as Decode takes, whatever the size of the file.
func Files(paths ...string) iter.Seq2[Raw, error] {
	return func(yield func(Raw, error) bool) {
		for _, path := range paths {
			if !readPath(path, yield) {
				return
			}
		}
	}
}

// readPath reads a file or a folder; it reports whether to go on.
func readPath(path string, yield func(Raw, error) bool) bool {
	info, err := os.Stat(path)
	if err != nil {
		return yield(Raw{File: path}, fmt.Errorf("read events: %w", err))
	}
	if !info.IsDir() {
		return readFile(path, yield)
	}
	found, more := false, true
	err = filepath.WalkDir(path, func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			more = yield(Raw{File: name}, fmt.Errorf("read events: %w", err))
		case entry.IsDir() && entry.Name() == "CloudTrail-Digest":
			return fs.SkipDir
		case !entry.IsDir() && isEventFile(name):
			found = true
			more = readFile(name, yield)
		}
		if !more {
			return fs.SkipAll
		}
		return nil
	})
	switch {
	case err != nil && more:
		return yield(Raw{File: path}, fmt.Errorf("read events: %w", err))
	case more && !found:
		return yield(Raw{File: path}, fmt.Errorf("read events: folder %s holds no .json, .jsonl or .ndjson file, plain or .gz", path))
	}
	return more
}

func isEventFile(name string) bool {
	return slices.Contains([]string{".json", ".jsonl", ".ndjson"}, filepath.Ext(strings.TrimSuffix(name, ".gz")))
}

func readFile(path string, yield func(Raw, error) bool) bool {
	file, err := os.Open(path)
	if err != nil {
		return yield(Raw{File: path}, fmt.Errorf("read events: %w", err))
	}
	defer file.Close()
	return readStream(file, path, yield)
}

// readStream reads plain or zipped events; path is for positions.
func readStream(stream io.Reader, path string, yield func(Raw, error) bool) bool {
	in := bufio.NewReaderSize(stream, 64<<10)
	if magic, _ := in.Peek(2); string(magic) == "\x1f\x8b" {
		unzipped, err := gzip.NewReader(in)
		if err != nil {
			return yield(Raw{File: path}, fmt.Errorf("read events: %s: %w", path, err))
		}
		in = bufio.NewReaderSize(unzipped, 64<<10)
	}
	s := splitter{in: in, file: path, line: 1, yield: yield}
	err := s.all()
	if errors.Is(err, errEnough) {
		return false
	}
	if err != nil && !errors.Is(err, io.EOF) {
		return s.fail(s.line, err) == nil
	}
	return true
}
