package main

import (
	"database/sql"
	"path/filepath"
	"testing"
	"time"

	"dera.example/dera"
	"dera.example/dera/audit"
	"dera.example/dera/store"
	"dera.example/dera/store/storetest"
)

// TestOwnStages_torn: that an old remediation cannot be read keeps nobody from knowing what was
// staged lately.
func TestOwnStages_torn(t *testing.T) {
	t.Parallel()
	vault, err := audit.CreateVault(t.TempDir(), nil)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "dera.db")
	db, err := store.Open(t.Context(), store.Config{URL: "sqlite:" + path, Sealer: vault})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	now := time.Now()
	made := func(id string, days int) dera.Remediation {
		at := now.AddDate(0, 0, -days)
		r := storetest.Remediation(id, id, at)
		r.State, r.Plan.Changes = dera.Resolved, []dera.Change{{Operation: "iam:PutRolePolicy", After: []byte(`{"Sid":"DeraStaged"}`)}}
		r.Steps = []dera.Step{{State: dera.Applying, At: at}, {State: dera.Verifying, At: at}, {State: dera.Resolved, At: at}}
		return r
	}
	old, late := made("r-old", 300), made("r-late", 20)
	if err := db.Commit(t.Context(), store.Batch{Remediations: []dera.Remediation{old, late}}); err != nil {
		t.Fatal(err)
	}
	staged := func() map[dera.ARN]bool {
		t.Helper()
		got, err := ownStages{db, time.Now, 14}.Staged(t.Context(), dera.Scope{Partition: late.Plan.Partition, Account: late.Plan.Account, Region: late.Plan.Region, Type: late.Plan.Type})
		if err != nil {
			t.Fatal(err)
		}
		out := map[dera.ARN]bool{}
		for arn := range got {
			out[arn] = true
		}
		return out
	}
	if got := staged(); !got[old.Plan.Resource] || !got[late.Plan.Resource] {
		t.Errorf("got %v, want both", got)
	}
	raw, err := sql.Open("sqlite", "file:"+path+"?_pragma=busy_timeout(5000)")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = raw.Close() }()
	if _, err := raw.ExecContext(t.Context(), `UPDATE remediations SET body = $1 WHERE id = $2`, []byte("sealed with another key"), old.ID); err != nil {
		t.Fatal(err)
	}
	if got := staged(); got[old.Plan.Resource] || !got[late.Plan.Resource] {
		t.Errorf("with one that is torn: got %v, want the late one", got)
	}
}
