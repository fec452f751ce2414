package engine_test

import (
	"encoding/json"
	"flag"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dera.example/dera"
)

var update = flag.Bool("update", false, "write what is recorded in ../store/testdata")

// TestDecisionIsRecorded keeps what the decision on one open port writes, for the benchmarks of
// package store: batches of the size that they have in a run.
func TestDecisionIsRecorded(t *testing.T) {
	t.Parallel()
	w := newWorldWith(t, func(w *world) { w.mode = dera.Enforce })
	id := w.group("web", tcp(22, 22, "0.0.0.0/0"))
	from, err := w.store.LogSize(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	r := w.ready(id)
	var out struct {
		Finding     dera.Finding       `json:"finding"`
		Remediation dera.Remediation   `json:"remediation"`
		Evidence    map[string][]byte  `json:"evidence"`
		Records     []dera.AuditRecord `json:"records"`
		Sealed      [][]byte           `json:"sealed"` // of each record
	}
	out.Remediation, out.Evidence = r, map[string][]byte{}
	if out.Finding, err = w.store.Finding(t.Context(), r.Findings[0]); err != nil {
		t.Fatal(err)
	}
	leaves, err := w.store.Leaves(t.Context(), from, 100)
	if err != nil {
		t.Fatal(err)
	}
	for _, leaf := range leaves {
		var record dera.AuditRecord
		if err := json.Unmarshal(leaf, &record); err != nil {
			t.Fatal(err)
		}
		var sealed []byte
		if record.Commitment != "" {
			if sealed, err = w.store.Sealed(t.Context(), record.Commitment); err != nil {
				t.Fatal(err)
			}
			record.Commitment = "" // it depends on the key of the vault
		}
		out.Records, out.Sealed = append(out.Records, record), append(out.Sealed, sealed)
		if record.Evidence != "" {
			if out.Evidence[record.Evidence], err = w.store.Evidence(t.Context(), record.Evidence); err != nil {
				t.Fatal(err)
			}
		}
	}
	if len(out.Records) != 2 || len(out.Evidence) != 1 {
		t.Fatalf("recorded: got %d records and %d pieces of evidence, want 2 and 1", len(out.Records), len(out.Evidence))
	}
	got, err := json.MarshalIndent(out, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	const path = "../store/testdata/decision.json"
	if *update {
		if err := os.WriteFile(path, append(got, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)+"\n"); diff != "" {
		t.Errorf("%s: got (+) and want (-), write it with -update:\n%s", path, diff)
	}
}
