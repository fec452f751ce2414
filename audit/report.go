package audit

import (
	"fmt"
	"time"
)

// Status is what a verification found.
type Status string

// The verdicts. All but OK mean that the log must not be relied on.
const (
	// OK: every record is as it was signed, and none is missing, added or moved.
	OK Status = "ok"
	// BadRecord: Report.Index names the first record that was changed, dropped,
	// duplicated or moved.
	BadRecord Status = "bad record"
	// BadTile: the records are all as they were signed, only a tile of hashes is
	// not.
	BadTile Status = "bad tile"
	// BadRoot: records and hashes agree with each other and not with the signed
	// root: someone without the key has rebuilt the log.
	BadRoot Status = "bad root"
	// BadSignature: the checkpoint is not signed by the key.
	BadSignature Status = "bad signature"
	// Truncated: the log is shorter than a checkpoint that the verifier holds.
	Truncated Status = "truncated"
	// Fork: the log is well signed, and contradicts a checkpoint that the
	// verifier holds: history was rewritten by someone with the key.
	Fork Status = "fork"
	// Unreadable: there is no checkpoint, or it is no checkpoint.
	Unreadable Status = "unreadable"
)

// Report is the answer of a verification.
type Report struct {
	Verdict Status `json:"verdict"`
	// Checkpoint is what was verified; zero when it could not be opened.
	Checkpoint Checkpoint `json:"checkpoint"`
	// Good is how many records from the first on were found as they were signed.
	Good int64 `json:"good"`
	// Index and Last are set for a bad record: the first one, and where the
	// fault can be told only to be among several, the last of these. Otherwise
	// both are -1.
	Index int64 `json:"index"`
	Last  int64 `json:"last"`
	// Age is how old the checkpoint is. Records that came later, and were cut
	// off, are not seen without an own, newer checkpoint.
	Age time.Duration `json:"age_ns"`
	// Compared says that a saved checkpoint was compared with the log.
	Compared bool `json:"compared"`
	// Detail says in words what was found.
	Detail string `json:"detail,omitempty"`
}

// OK reports whether the log can be relied on.
func (r Report) OK() bool { return r.Verdict == OK }

// String is the report in one line.
func (r Report) String() string {
	switch r.Verdict {
	case OK:
		how := " (no saved checkpoint to compare against)"
		if r.Compared {
			how = ", and it contains the saved checkpoint"
		}
		return fmt.Sprintf("OK: %d records of %s, checkpoint %s old%s", r.Good, r.Checkpoint.Origin, r.Age.Round(time.Second), how)
	case BadRecord:
		if r.Last > r.Index {
			return fmt.Sprintf("bad record among %d to %d: %s", r.Index, r.Last, r.Detail)
		}
		return fmt.Sprintf("bad record %d: %s", r.Index, r.Detail)
	default:
		return fmt.Sprintf("%s: %s", r.Verdict, r.Detail)
	}
}
