package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"dera.example/dera/app"
)

// TestWhyIsPrinted: the answer says who did it, by which record, and the command that undoes
// it; the foreign text of a question steers no terminal.
func TestWhyIsPrinted(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	a := &cli{out: &out, err: &out, now: time.Now}
	at := time.Date(2026, 11, 29, 14, 5, 0, 0, time.UTC)
	a.printWhy(app.Why{
		Question: app.Question{Call: &app.DeniedCall{Principal: "arn:aws:iam::111122223333:role/app", Action: "s3:GetObject", Resource: "arn:aws:s3:::b/\x1b[2J"}, At: &at},
		Answer:   app.BlameYes, AWS: "no identity-based policy allows s3:GetObject", Records: 9, Missing: []string{},
		Did: []app.Culprit{{Remediation: "r-1", Record: 4, Resource: "arn:aws:iam::111122223333:role/app", At: at, Took: []string{"- s3:GetObject"}, Why: "it took s3:GetObject",
			Undo: `dera rollback r-1 --reason "it denied what is in use"`, Grant: "dera access request"}},
		RuledOut: []app.RuledOut{{Remediation: "r-2", Record: 1, Writes: 1, Why: "its writes deny nothing"}},
	})
	got := out.String()
	for _, want := range []string{
		"yes, it was dera  s3:GetObject by arn:aws:iam::111122223333:role/app on arn:aws:s3:::b/\ufffd[2J at 2026-11-29", "AWS says: no identity-based policy allows s3:GetObject",
		"r-1  record 4  ", "- s3:GetObject", "    dera rollback r-1 --reason \"it denied what is in use\"\n", "    dera access request\n",
		"over all 2 remediations that ever wrote anything, by the 9 records of the verified audit log: 1 ruled out", "1: its writes deny nothing",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("got\n%s\nwant %q in it", got, want)
		}
	}
}
