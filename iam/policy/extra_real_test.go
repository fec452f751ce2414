package policy

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// misspelt are documents that AWS refuses too, with what is wrong with them.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/access-analyzer-reference-policy-checks.html#access-analyzer-reference-policy-checks-error-invalid-policy-element
var misspelt = map[string]string{
	"access_analyzer_samples.jsonl.gz": `unknown element "NotResouce"`,
}

// TestExtra_real_documents parses every policy document in the recorded API
// answers, account states and findings: as an object, as JSON in a string, or
// URL-encoded. Whatever AWS has handed out must be accepted.
func TestExtra_real_documents(t *testing.T) {
	dir := os.Getenv("DERA_EXTRA_DATA")
	if dir == "" {
		t.Skip("DERA_EXTRA_DATA is not set: it names the folder with recorded answers")
	}
	found := map[string]string{} // document -> file
	for _, sub := range []string{"recorded_aws_answers", "envs", "iam", "panther", "findings"} {
		err := filepath.WalkDir(filepath.Join(dir, sub), func(path string, e fs.DirEntry, err error) error {
			if err != nil || e.IsDir() {
				return err
			}
			return collect(path, found)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	accepted, listed := 0, 0
	for text, path := range found {
		d, err := Parse(text)
		var e *Error
		if errors.As(err, &e) && e.Detail == misspelt[filepath.Base(path)] {
			listed++
			continue
		}
		if err != nil {
			t.Errorf("%s: %v\n%s", filepath.Base(path), err, text)
			continue
		}
		accepted++
		if again, err := Parse(d.Canon()); err != nil || again.Canon() != d.Canon() {
			t.Errorf("%s: canonical form is not stable: %v\n%s", filepath.Base(path), err, text)
		}
	}
	t.Logf("%-20s %9s %8s %6s", "", "documents", "accepted", "listed")
	t.Logf("%-20s %9d %8d %6d", "real documents", len(found), accepted, listed)
	if listed != len(misspelt) {
		t.Errorf("%d documents are listed as misspelt, %d were found", len(misspelt), listed)
	}
}

// collect gathers the policy documents of one file, of JSON or JSON lines,
// possibly compressed.
func collect(path string, found map[string]string) error {
	raw, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if strings.HasSuffix(path, ".gz") {
		z, err := gzip.NewReader(bytes.NewReader(raw))
		if err != nil {
			return err
		}
		if raw, err = io.ReadAll(z); err != nil {
			return err
		}
	}
	if json.Valid(raw) {
		walk(raw, path, found)
		return nil
	}
	lines := bufio.NewScanner(bytes.NewReader(raw))
	lines.Buffer(nil, 64<<20)
	for lines.Scan() {
		walk(lines.Bytes(), path, found)
	}
	return lines.Err()
}

// walk looks for documents in a JSON value.
func walk(raw json.RawMessage, path string, found map[string]string) {
	var object map[string]json.RawMessage
	var list []json.RawMessage
	var text string
	switch {
	case json.Unmarshal(raw, &object) == nil:
		if isDocument(object) {
			found[string(raw)] = path
			return
		}
		for _, v := range object {
			walk(v, path, found)
		}
	case json.Unmarshal(raw, &list) == nil:
		for _, v := range list {
			walk(v, path, found)
		}
	case json.Unmarshal(raw, &text) == nil && strings.Contains(text, "Statement"):
		plain, err := decode(text)
		if err == nil && json.Unmarshal([]byte(plain), &object) == nil && isDocument(object) {
			found[text] = path
		}
	}
}

// isDocument reports whether an object looks like a policy document.
func isDocument(object map[string]json.RawMessage) bool {
	_, statement := object["Statement"]
	_, version := object["Version"]
	return statement && version
}
