package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// uses notes files that this command goes by: no answer is written over them.
func (a *cli) uses(files ...string) {
	for _, f := range files {
		if f != "" {
			a.inUse = append(a.inUse, f)
		}
	}
}

// writable refuses a path that would replace what dera goes by: anything in the
// data folder, the database, the configuration, the exemption list, files of AWS
// credentials, and inputs of the command. Links are followed, and a link that leads
// nowhere is refused. An empty path is of no file.
func (a *cli) writable(flag, path string, inputs ...string) error {
	if path == "" {
		return nil
	}
	if info, err := os.Lstat(path); err == nil && info.Mode()&fs.ModeSymlink != 0 {
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
			return usage("%s: %s is a link to a file that does not exist", flag, path)
		}
	}
	real := followed(path)
	if within(real, followed(a.flags.data)) {
		return usage("%s: %s is in the data folder %s, where only dera writes; name a file elsewhere", flag, path, a.flags.data)
	}
	for _, f := range append(a.goesBy(), inputs...) {
		if f != "" && sameFile(real, followed(f)) {
			return usage("%s: %s is %s, which this command reads; name another file", flag, path, f)
		}
	}
	return nil
}

// goesBy are the files that a command goes by, as far as they are known yet.
func (a *cli) goesBy() []string {
	files := append([]string{a.flags.config, a.flags.exemptions, foundConfig()}, a.inUse...)
	if path, local := strings.CutPrefix(a.flags.db, "sqlite:"); local {
		path, _, _ = strings.Cut(path, "?")
		files = append(files, path, path+"-wal", path+"-shm", path+"-journal")
	}
	for _, name := range []string{"AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CA_BUNDLE"} {
		files = append(files, os.Getenv(name))
	}
	if home, err := os.UserHomeDir(); err == nil {
		files = append(files, filepath.Join(home, ".aws", "config"), filepath.Join(home, ".aws", "credentials"))
	}
	return files
}

// followed is a path without links, as far as it exists.
func followed(path string) string {
	abs, err := filepath.Abs(path)
	if err != nil {
		return filepath.Clean(path)
	}
	for head, tail := abs, ""; ; head, tail = filepath.Dir(head), filepath.Join(filepath.Base(head), tail) {
		if real, err := filepath.EvalSymlinks(head); err == nil {
			return filepath.Join(real, tail)
		}
		if head == filepath.Dir(head) {
			return abs
		}
	}
}

// within reports whether a path is a folder or lies in it, by whatever name.
func within(path, folder string) bool {
	for {
		if sameFile(path, folder) {
			return true
		}
		up := filepath.Dir(path)
		if up == path {
			return false
		}
		path = up
	}
}

// sameFile reports whether two paths are one file. One that does not exist is its
// name.
func sameFile(a, b string) bool {
	if a == b {
		return true
	}
	x, err := os.Stat(a)
	y, err2 := os.Stat(b)
	return err == nil && err2 == nil && os.SameFile(x, y)
}
