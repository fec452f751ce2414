package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"dera.example/dera"
	"dera.example/dera/app"
	"dera.example/dera/awssim"
)

// typist opens a terminal: what is typed at it, and the file that a command has as
// its input and output.
func typist(t *testing.T) (person, tty *os.File) {
	t.Helper()
	person, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("no terminal here: %v", err)
	}
	t.Cleanup(func() { _ = person.Close() })
	var n, unlocked int32
	for request, arg := range map[uintptr]*int32{syscall.TIOCSPTLCK: &unlocked, syscall.TIOCGPTN: &n} {
		if _, _, e := syscall.Syscall(syscall.SYS_IOCTL, person.Fd(), request, uintptr(unsafe.Pointer(arg))); e != 0 {
			t.Skipf("no terminal here: %v", e)
		}
	}
	if tty, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|syscall.O_NOCTTY, 0); err != nil {
		t.Skipf("no terminal here: %v", err)
	}
	t.Cleanup(func() { _ = tty.Close() })
	return person, tty
}

// typed runs one command line on a terminal where somebody types, early before
// anything is asked and what at the question, and returns the words on the screen.
func typed(t *testing.T, early, what string, args ...string) (out string, code int) {
	t.Helper()
	person, tty := typist(t)
	if _, err := io.WriteString(person, early); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var screen bytes.Buffer
	read := make(chan struct{})
	go func() {
		defer close(read)
		part := make([]byte, 4096)
		for asked := false; ; {
			n, err := person.Read(part) // ends with an error when the last one closes the terminal
			screen.Write(part[:n])
			if err != nil {
				return
			}
			if text := screen.String(); !asked && (strings.Contains(text, "[y/N]") || strings.Contains(text, "rejected?")) {
				asked = true
				_, _ = io.WriteString(person, what)
			}
		}
	}()
	var errOut bytes.Buffer
	code = run(ctx, args, tty, tty, &errOut)
	_, _ = io.WriteString(person, endOfInput) // who still listens hears no more, so that the terminal closes
	_ = tty.Close()
	<-read
	return strings.Join(strings.Fields(screen.String()+errOut.String()), " "), code
}

const endOfInput = "\x04"

// TestApproveAsksOnATerminal: the plan is shown, nothing but a yes is a yes, and the
// yes is bound to what was shown.
func TestApproveAsksOnATerminal(t *testing.T) {
	t.Setenv("NO_COLOR", "1")
	cloud := awssim.New(awssim.Config{Seed: 8})
	region := cloud.Account("111122223333").Region("us-east-1")
	if _, err := region.CreateSecurityGroup(t.Context(), "web", awssim.Rule{Protocol: "tcp", FromPort: 21, ToPort: 25, CIDR: "0.0.0.0/0"}); err != nil {
		t.Fatal(err)
	}
	serving(t, cloud, cloud.Account("111122223333").Credentials())
	dir := t.TempDir()
	data := filepath.Join(dir, "data")
	config := fileIn(t, dir, "fast.yaml", "version: 1\nsettle: 5ms\n")
	if _, errOut, code := said(t, "scan", "--mode", "review", "--data", data, "--config", config); code != exitNo {
		t.Fatalf("scan: got %d\n%s", code, errOut)
	}
	waiting := func() (list []app.Waiting) {
		text, errOut, code := said(t, "waiting", "-o", "json", "--data", data)
		if err := json.Unmarshal([]byte(text), &list); err != nil || code != exitNo {
			t.Fatalf("waiting: got %d, %v\n%s", code, err, errOut)
		}
		return list
	}
	first := waiting()[0].Remediation
	for name, what := range map[string]string{"no": "no\n", "nothing": "\n", "end": endOfInput, "y_and_more": "yep\n", "too_long": strings.Repeat("y", 300) + "\n"} {
		out, code := typed(t, "", what, "approve", first, "--data", data)
		if code != exitNo || !strings.Contains(out, "not approved; nothing was changed") {
			t.Errorf("%s: got exit code %d, want %d\n%s", name, code, exitNo, out)
		}
		for _, want := range []string{
			"- tcp 21-25 from 0.0.0.0/0", "decided after this plan", "review mode: ", "evidence network/2", "proved", "expires 20", "Approve this plan? [y/N]",
		} {
			if !strings.Contains(out, want) {
				t.Errorf("%s: the screen does not show %q\n%s", name, want, out)
			}
		}
		if w := waiting(); w[0].Remediation != first || w[0].State != dera.Waiting {
			t.Fatalf("%s: got %+v, want %s to wait still", name, w[0], first)
		}
	}
	if out, code := typed(t, strings.Repeat("y\n", 1500), "\n", "approve", first, "--data", data); code != exitNo {
		t.Errorf("a yes before the question: got exit code %d, want %d\n%s", code, exitNo, out)
	}
	if out, code := typed(t, "", "y\n", "approve", first, "-o", "json", "--data", data); code != exitUsage || !strings.Contains(out, "--digest is missing") {
		t.Errorf("json: got exit code %d, want %d\n%s", code, exitUsage, out)
	}
	out, code := typed(t, "", "Y\n", "approve", first, "--data", data)
	if code != exitGood || !strings.Contains(out, "resolved") || !strings.Contains(out, "next on the same resource: r-") {
		t.Errorf("yes: got exit code %d, want 0, and what comes next\n%s", code, out)
	}
	second := waiting()[0].Remediation
	if second == first {
		t.Fatalf("%s waits still", first)
	}
	if out, code := typed(t, "", endOfInput, "reject", second, "--data", data); code != exitNo || !strings.Contains(out, "no reason given") {
		t.Errorf("reject without a reason: got exit code %d, want %d\n%s", code, exitNo, out)
	}
	if out, code := typed(t, "", "the vendor\n", "reject", second, "--data", data); code != exitGood || !strings.Contains(out, ": the vendor") {
		t.Errorf("reject: got exit code %d, want 0 and the reason\n%s", code, out)
	}
	if out, code := typed(t, "", "y\n", "approve", second, "--data", data); code != exitNo || strings.Contains(out, "[y/N]") {
		t.Errorf("approve what is rejected: got exit code %d, want %d and no question\n%s", code, exitNo, out)
	}
}
