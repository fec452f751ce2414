package audit_test

import (
	"testing"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"dera.example/dera/audit"
	"dera.example/dera/audit/audittest"
)

func TestVerifySource(t *testing.T) {
	t.Parallel()
	key := newKey(t, 1)
	rebuilt := func(t *testing.T, at int) *audittest.Memory {
		forged, err := newLog(t, 700).Forged(func(l [][]byte) [][]byte { l[at] = []byte("other"); return l })
		if err != nil {
			t.Fatal(err)
		}
		return forged
	}
	tests := []struct {
		name  string
		log   func(t *testing.T) *audittest.Memory
		want  audit.Status
		index int64
		good  int64
	}{
		{"intact", func(t *testing.T) *audittest.Memory { return newLog(t, 600) }, audit.OK, -1, 600},
		{"grown", func(t *testing.T) *audittest.Memory { return newLog(t, 700) }, audit.OK, -1, 700},
		{"truncated", func(t *testing.T) *audittest.Memory { return newLog(t, 599) }, audit.Truncated, -1, 0},
		{"record", func(t *testing.T) *audittest.Memory {
			log := newLog(t, 700)
			log.SetLeaf(300, []byte("other"))
			return log
		}, audit.BadRecord, 300, 300},
		{"record_after_checkpoint", func(t *testing.T) *audittest.Memory {
			log := newLog(t, 700)
			log.SetLeaf(650, []byte("other"))
			return log
		}, audit.BadRecord, 650, 650},
		{"upper_hash", func(t *testing.T) *audittest.Memory {
			log := newLog(t, 700)
			log.SetHash(tlog.StoredHashIndex(9, 0), tlog.Hash{})
			return log
		}, audit.BadTile, -1, 700},
		{"rebuilt_before_checkpoint", func(t *testing.T) *audittest.Memory { return rebuilt(t, 599) }, audit.BadRoot, -1, 700},
		{"rebuilt_after_checkpoint", func(t *testing.T) *audittest.Memory { return rebuilt(t, 600) }, audit.OK, -1, 700},
	}
	c, _ := head(t, newLog(t, 600), key)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r, err := audit.VerifySource(t.Context(), tt.log(t), c)
			if err != nil || r.Verdict != tt.want || r.Index != tt.index || r.Good != tt.good {
				t.Errorf("verify: got %+v, %v, want %s at %d after %d good", r, err, tt.want, tt.index, tt.good)
			}
		})
	}
}

func TestReportString(t *testing.T) {
	t.Parallel()
	c := audit.Checkpoint{Origin: origin}
	tests := []struct {
		report audit.Report
		want   string
	}{
		{audit.Report{Verdict: audit.OK, Checkpoint: c, Good: 5, Age: time.Hour}, "OK: 5 records of example.com/dera, checkpoint 1h0m0s old (no saved checkpoint to compare against)"},
		{audit.Report{Verdict: audit.OK, Checkpoint: c, Good: 5, Age: time.Hour, Compared: true}, "OK: 5 records of example.com/dera, checkpoint 1h0m0s old, and it contains the saved checkpoint"},
		{audit.Report{Verdict: audit.BadRecord, Index: 3, Last: 3, Detail: "why"}, "bad record 3: why"},
		{audit.Report{Verdict: audit.BadRecord, Index: 3, Last: 9, Detail: "why"}, "bad record among 3 to 9: why"},
		{audit.Report{Verdict: audit.Truncated, Index: -1, Last: -1, Detail: "why"}, "truncated: why"},
	}
	for _, tt := range tests {
		t.Run(tt.want, func(t *testing.T) {
			t.Parallel()
			if got := tt.report.String(); got != tt.want {
				t.Errorf("text: got %q, want %q", got, tt.want)
			}
		})
	}
}
