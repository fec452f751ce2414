package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestAnswerInAFile: the file is whole, or as it was.
func TestAnswerInAFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "out.json")
	if err := os.WriteFile(path, []byte("before"), 0o644); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	a := &cli{out: &out, flags: flags{data: defaultData}}
	f := outputFile(path)
	if err := f.check(a); err != nil {
		t.Fatal(err)
	}
	broken := errors.New("it broke")
	if err := a.answer(f, func() error { a.printf("half"); return broken }); !errors.Is(err, broken) {
		t.Errorf("got %v, want that it broke", err)
	}
	if text, err := os.ReadFile(path); string(text) != "before" || err != nil {
		t.Errorf("after a failure: got %q, %v", text, err)
	}
	if err := a.answer(f, func() error { a.printf("after"); return nil }); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	info, wrong := os.Stat(path)
	if string(text) != "after" || err != nil || wrong != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("got %q with mode %v, %v, %v, want after with 0600", text, info.Mode(), err, wrong)
	}
	if a.printf("shown"); out.String() != "shown" {
		t.Errorf("standard output: got %q, want only what came after", out.String())
	}
	if left, err := os.ReadDir(dir); len(left) != 1 || err != nil {
		t.Errorf("got %v left in the folder, %v", left, err)
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if err := a.answer(f, func() error { return nil }); err == nil || !strings.Contains(err.Error(), "write "+path) {
		t.Errorf("the folder went: got %v, want an error that names the file", err)
	}
}
