package store_test

import (
	"testing"
	"time"

	"dera.example/dera"
	"dera.example/dera/store"
	"dera.example/dera/store/storetest"
	"dera.example/dera/store/storetest/postgres"
)

// TestOrdersUnderOldControlIDs: what people ordered under the IDs that controls had
// before holds after the upgrade.
func TestOrdersUnderOldControlIDs(t *testing.T) {
	t.Parallel()
	for dialect, db := range map[string]storetest.Database{
		"sqlite": storetest.SQLite(t), "postgres": storetest.Postgres(postgres.Start(t, postgres.Config{}))(t),
	} {
		t.Run(dialect, func(t *testing.T) {
			t.Parallel()
			clock := storetest.NewClock()
			for old, now := range dera.RenamedControls() {
				s := storetest.Open(t, db, clock)
				f := storetest.Finding(old, dera.High, clock.Now())
				f.Control, f.RolledBack = old, 2
				r := storetest.Remediation("r-"+old, old, clock.Now())
				r.Control = old
				if err := s.Commit(t.Context(), store.Batch{
					Findings: []dera.Finding{f}, Remediations: []dera.Remediation{r}, Stops: []dera.Stop{{Control: old, Reason: "freeze", At: clock.Now()}},
				}); err != nil {
					t.Fatal(err)
				}
				if err := s.Close(); err != nil {
					t.Fatal(err)
				}
				for _, step := range []string{`DROP INDEX jobs_by_account`, `ALTER TABLE jobs DROP COLUMN account`, `ALTER TABLE jobs DROP COLUMN claim`, `UPDATE meta SET value = '5' WHERE name = 'schema'`} {
					if _, err := db.SQL(t).ExecContext(t.Context(), step); err != nil {
						t.Fatal(err)
					}
				}
				s = storetest.Open(t, db, clock)
				if got, err := s.Finding(t.Context(), f.ID); err != nil || got.Control != now || got.RolledBack != 2 {
					t.Errorf("finding under %s: got %s rolled back %d, %v, want it under %s", old, got.Control, got.RolledBack, err, now)
				}
				if got, err := s.Remediation(t.Context(), r.ID); err != nil || got.Control != now || got.Plan.Control != r.Plan.Control {
					t.Errorf("remediation under %s: got %s, %v, want %s and the plan as it was", old, got.Control, err, now)
				}
				stops, err := s.Stops(t.Context())
				if err != nil || len(stops) != 1 || stops[0].Control != now {
					t.Fatalf("stops under %s: got %+v, %v, want one of %s", old, stops, err, now)
				}
				if err := s.Commit(t.Context(), store.Batch{Resumes: stops}); err != nil {
					t.Fatal(err)
				}
				if stops, err = s.Stops(t.Context()); err != nil || len(stops) > 0 {
					t.Errorf("after the resume of %s: got %+v, %v, want none", now, stops, err)
				}
				if err := s.Close(); err != nil {
					t.Fatal(err)
				}
				clock.Advance(time.Second)
			}
		})
	}
}
