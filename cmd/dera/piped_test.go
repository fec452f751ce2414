package main

import (
	"bufio"
	"io"
	"os/exec"
	"testing"
)

// piped starts a program, and returns what it reads and what it writes. Whoever calls it waits for its end.
func piped(t *testing.T, cmd *exec.Cmd) (in io.WriteCloser, out *bufio.Reader) {
	t.Helper()
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	said, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return in, bufio.NewReader(said)
}
