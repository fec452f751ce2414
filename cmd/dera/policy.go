package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"dera.example/dera/evaluate"
	"dera.example/dera/iam/policy"
	"dera.example/dera/iam/reason"
)

// newPolicyCommand is the IAM library by hand. It reads files or, for "-",
// standard input, and needs neither AWS nor a database.
func newPolicyCommand(a *cli) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "policy",
		Short: "Check, evaluate, compare and prove IAM policies, offline",
		Long: "Check, evaluate, compare and prove IAM policies, offline. A file may be - for standard input.\n" +
			"Proofs are about all requests at once; docs/reasoning.md says under which assumptions.",
		Args: args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newPolicyCheckCommand(a), newPolicyEvalCommand(a), newPolicyDiffCommand(a),
		newPolicyProveCommand(a), newPolicyPublicCommand(a), newPolicyScopeCommand(a), newPolicyWhatIfCommand(a), newPolicyCheckCertificateCommand(a))
	return cmd
}

// maxPolicy is the size above which a file is taken for something else than a
// policy: forty times what AWS stores.
const maxPolicy = 1 << 20

// policyFile is a document and the name that messages call it by.
type policyFile struct {
	name string
	text string
	doc  *policy.Document
}

// readPolicies reads the files of a command line.
func readPolicies(a *cli, paths []string) ([]policyFile, error) {
	if first := slices.Index(paths, "-"); first >= 0 && slices.Contains(paths[first+1:], "-") {
		return nil, usage("standard input can be read only once")
	}
	var out []policyFile
	for _, path := range paths {
		f, err := readPolicy(a, path)
		if err != nil {
			return nil, err
		}
		out = append(out, f)
	}
	return out, nil
}

func readPolicy(a *cli, path string) (policyFile, error) {
	f, err := openPolicy(a, path)
	if err != nil {
		return f, err
	}
	if f.doc, err = policy.Parse(f.text); err != nil {
		return f, f.locate(err)
	}
	return f, nil
}

// openPolicy reads the text only.
func openPolicy(a *cli, path string) (policyFile, error) {
	f := policyFile{name: path}
	in := a.in
	if path == "-" {
		f.name = "standard input"
	} else {
		file, err := os.Open(path)
		if err != nil {
			return f, fmt.Errorf("read policy: %w", err)
		}
		defer file.Close() // opened for reading: nothing can be lost
		in = file
	}
	text, err := io.ReadAll(io.LimitReader(in, maxPolicy+1))
	if err != nil {
		return f, fmt.Errorf("read policy %s: %w", f.name, err)
	}
	if len(text) > maxPolicy {
		return f, fmt.Errorf("read policy %s: more than %d bytes", f.name, maxPolicy)
	}
	f.text = string(text)
	return f, nil
}

// locate puts file, line and column before an error of the parser.
func (f policyFile) locate(err error) error {
	var e *policy.Error
	if !errors.As(err, &e) {
		return fmt.Errorf("%s: %w", f.name, err)
	}
	at := fmt.Sprintf("%s:%d:%d: %s", f.name, e.At.Line, e.At.Column, e.Reason)
	if _, wide := evaluate.Unmarked([]byte(f.text)); wide != nil {
		return fmt.Errorf("%s (%w)", at, wide)
	} else if evaluate.Marked([]byte(f.text)) {
		return fmt.Errorf("%s (the file begins with a byte-order mark, which AWS refuses in a policy: save it as UTF-8 without one)", at)
	}
	switch {
	case e.First != nil:
		return fmt.Errorf("%s (%s, first at %d:%d)", at, e.Detail, e.First.Line, e.First.Column)
	case e.Detail != "":
		return fmt.Errorf("%s (%s)", at, e.Detail)
	}
	return errors.New(at)
}

// where names a statement by file, line, column and Sid.
func (f policyFile) where(statement int) string {
	st := &f.doc.Statements[statement]
	before := f.doc.Text()[:st.Span().Start]
	line := 1 + strings.Count(before, "\n")
	column := 1 + utf8.RuneCountInString(before[strings.LastIndexByte(before, '\n')+1:])
	name := fmt.Sprintf("statement %d", statement+1)
	if st.Sid != "" {
		name += fmt.Sprintf(" %q", st.Sid)
	}
	return fmt.Sprintf("%s (%s:%d:%d)", name, f.name, line, column)
}

func documents(files []policyFile) reason.Policies {
	out := make(reason.Policies, len(files))
	for i, f := range files {
		out[i] = f.doc
	}
	return out
}

// verdictExit is the exit code for a verdict.
func verdictExit(v reason.Conclusion) error {
	switch v {
	case reason.Proved:
		return nil
	case reason.Refuted:
		return &exitError{code: exitNo}
	case reason.Unknown:
	}
	return &exitError{code: exitUndecided}
}
