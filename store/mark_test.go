package store_test

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"dera.example/dera/store/storetest"
	"dera.example/dera/store/storetest/postgres"
	"dera.example/dera/usage"
)

// TestMarksOfBeforeAreKept brings a database with marks of version 4 up to date.
func TestMarksOfBeforeAreKept(t *testing.T) {
	t.Parallel()
	const whole, broken, strange = "0123456789abcdef00000000000000ff-1", "0123456789abcdef00000000000000ff-0", "f"
	body, err := json.Marshal(usage.Mark{File: broken, Name: "x", Done: true, Damage: "cut off", At: 8})
	if err != nil {
		t.Fatal(err)
	}
	for dialect, db := range map[string]storetest.Database{
		"sqlite": storetest.SQLite(t), "postgres": storetest.Postgres(postgres.Start(t, postgres.Config{}))(t),
	} {
		t.Run(dialect, func(t *testing.T) {
			t.Parallel()
			clock := storetest.NewClock()
			if err := storetest.Open(t, db, clock).Close(); err != nil {
				t.Fatal(err)
			}
			raw := db.SQL(t)
			steps := []string{`DROP TABLE usage_files`, `DROP INDEX jobs_by_account`, `ALTER TABLE jobs DROP COLUMN account`, `ALTER TABLE jobs DROP COLUMN claim`, `UPDATE meta SET value = '4' WHERE name = 'schema'`}
			for _, name := range []string{"0002_usage.sql", "0003_marks.sql"} {
				text, err := os.ReadFile(filepath.Join("migrations", dialect, name))
				if err != nil {
					t.Fatal(err)
				}
				for step := range strings.SplitSeq(string(text), ";\n") {
					if strings.Contains(step, "usage_mark") {
						steps = append(steps, step)
					}
				}
			}
			steps = append(steps, `INSERT INTO usage_marks (file, at, damaged, body) VALUES ('`+whole+`', 7, 0, ''), ('`+strange+`', 9, 0, ''),
				('`+broken+`', 8, 1, '`+string(body)+`')`)
			for _, step := range steps {
				if _, err := raw.ExecContext(t.Context(), step); err != nil {
					t.Fatalf("%s: %v", step, err)
				}
			}
			s := storetest.Open(t, db, clock)
			for file, at := range map[string]usage.Second{whole: 7, broken: 8, strange: 9} {
				if m, err := s.UsageMark(t.Context(), file); err != nil || !m.Done || m.At != at || (m.Damage != "") != (file == broken) {
					t.Errorf("mark %s: got %+v, %v, want it as it was, at %d", file, m, err, at)
				}
			}
			for _, file := range []string{whole[:33] + "2", strings.ToUpper(whole), whole[:32], "g"} {
				if m, err := s.UsageMark(t.Context(), file); !errors.Is(err, usage.ErrNoMark) {
					t.Errorf("mark %s: got %+v, %v, want none", file, m, err)
				}
			}
			if list, err := s.UsageMarks(t.Context()); err != nil || len(list) != 1 || list[0].Name != "x" {
				t.Errorf("files that were not read whole: got %+v, %v, want one", list, err)
			}
		})
	}
}
