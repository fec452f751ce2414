package main

import (
	"bytes"
	"io"
	"os"
	"strings"
	"testing"
)

// TestAnswerThatIsNotWritten: a full disk is a failure of every command, and a
// reader that has enough is none.
func TestAnswerThatIsNotWritten(t *testing.T) {
	t.Parallel()
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip(err)
	}
	defer full.Close()
	for _, line := range []string{"version", "--help", "control list", "control list -o json", "role", "config schema", "exemptions schema", "completion bash", "pattern"} {
		var errOut bytes.Buffer
		code := run(t.Context(), strings.Fields(line), strings.NewReader(""), full, &errOut)
		if code != exitFailed || !strings.Contains(errOut.String(), "no space left") || strings.Count(errOut.String(), "no space left") != 1 {
			t.Errorf("%s: got %d, %q, want one message and exit code 1", line, code, errOut.String())
		}
	}
	r, w := io.Pipe()
	_ = r.Close()
	var errOut bytes.Buffer
	if code := run(t.Context(), []string{"version"}, strings.NewReader(""), w, &errOut); code != exitGood || errOut.Len() > 0 {
		t.Errorf("closed pipe: got %d, %q", code, errOut.String())
	}
}
