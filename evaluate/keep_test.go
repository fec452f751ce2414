package evaluate

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dera.example/dera"
	"dera.example/dera/resource"
)

// keepList is a list with one entry that stays; more is added to the entry.
func keepList(more ...string) string {
	text := `version: 1
exemptions: []
keep:
  - id: restore-test
    principals: ["arn:aws:iam::*:role/dba"]
    actions: ["rds:Restore*", kms:CancelKeyDeletion]
    owner: dba@example.com
    reason: restore test each quarter (OPS-12)
    expires: 2026-12-31
`
	for i := 0; i < len(more); i += 2 {
		text = strings.Replace(text, more[i], more[i+1], 1)
	}
	return text
}

func TestKept(t *testing.T) {
	t.Parallel()
	dba := resource.Principal{ARN: dbaRole}
	for _, tt := range []struct {
		name, list string
		c          Case
		want       dera.Disposition // 0: an error
		why        string
	}{
		{"kept", keepList(), losingCase([]string{"s3:GetObject", "rds:restoredbcluster"}, dba), dera.Review, "keeps rds:restoredbcluster until 2026-12-31: restore test each quarter (OPS-12) (owner dba@example.com)"},
		{"kept_in_part", keepList(), losingCase([]string{"rds:*"}, dba), dera.Review, "rds:*"},
		{"kept_by_the_second", keepList(), losingCase([]string{"kms:CancelKeyDeletion"}, app(nil), dba), dera.Review, dbaRole},
		{"other_actions", keepList(), losingCase([]string{"rds:DeleteDBInstance"}, dba), dera.Auto, "no entry"},
		{"other_principal", keepList(), losingCase([]string{"rds:RestoreDBCluster"}, app(nil)), dera.Auto, "no entry"},
		{"below_another_path", keepList("role/dba", "role/other/*"), losingCase([]string{"rds:RestoreDBCluster"}, app(nil)), dera.Auto, "no entry"},
		{"below_its_path", keepList("role/dba", "role/team/*"), losingCase([]string{"rds:RestoreDBCluster"}, app(nil)), dera.Review, appRole},
		{"resource_itself", keepList("role/dba", "role/team/app"), losingCase([]string{"rds:RestoreDBCluster"}, app(nil)), dera.Review, appRole},
		{"takes_nothing", keepList(), losingCase(nil, dba), dera.Auto, takesNone},
		{"lapsed", keepList("2026-12-31", "2026-11-22"), losingCase([]string{"rds:RestoreDBCluster"}, dba), dera.Auto, "no entry"},
		{"last_day", keepList("2026-12-31", "2026-11-23"), losingCase([]string{"rds:RestoreDBCluster"}, dba), dera.Review, ""},
		{"no_entries", "version: 1\nexemptions: []\n", losingCase([]string{"rds:RestoreDBCluster"}, dba), dera.Auto, "no entry"},
		{"no_list", "", losingCase([]string{"rds:RestoreDBCluster"}, dba), dera.Auto, "no entry"},
		{"a_list_that_breaks", keepList("version: 1", "version: 2"), losingCase([]string{"rds:RestoreDBCluster"}, dba), 0, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			path := ""
			if tt.list != "" {
				path = filepath.Join(t.TempDir(), "list.yaml")
				if err := os.WriteFile(path, []byte("version: 1\nexemptions: []\n"), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			list, err := NewExempted(path, ExemptionConfig{}, atNoon)
			if err != nil {
				t.Fatal(err)
			}
			if tt.list != "" { // it is read again when it has changed
				if err := os.WriteFile(path, []byte(tt.list+"# another version\n"), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			got, err := Kept{List: list}.Check(t.Context(), tt.c)
			switch {
			case tt.want == 0 && (err == nil || strings.Contains(err.Error(), "\n")):
				t.Errorf("got %v, want an error of one line", err)
			case tt.want != 0 && (err != nil || got.Disposition != tt.want || !strings.Contains(got.Why, tt.why)):
				t.Errorf("got %s %q, %v, want %s %q", got.Disposition, got.Why, err, tt.want, tt.why)
			}
		})
	}
}

func TestKeep_is_read(t *testing.T) {
	t.Parallel()
	list, err := ExemptionConfig{Now: noon, Commit: "abc"}.Parse("list.yaml", []byte(keepList()))
	if err != nil {
		t.Fatal(err)
	}
	want := []Keep{{
		ID: "restore-test", Principals: []string{"arn:aws:iam::*:role/dba"}, Actions: []string{"rds:Restore*", "kms:CancelKeyDeletion"}, Owner: "dba@example.com",
		Reason: "restore test each quarter (OPS-12)", Expires: time.Date(2026, 12, 31, 23, 59, 59, 999999999, time.UTC),
		Position: dera.ExemptionFilePos{File: "list.yaml", Line: 4, Commit: "abc"},
	}}
	if d := cmp.Diff(want, list.Keep(noon)); d != "" {
		t.Errorf("keep (-want +got):\n%s", d)
	}
	if got := list.Keep(noon.AddDate(0, 2, 0)); len(got) != 0 || len(list.AllKeep()) != 1 {
		t.Errorf("after it lapsed: got %v in force, %d in the file", got, len(list.AllKeep()))
	}
	soon, err := ExemptionConfig{Now: noon}.Parse("list.yaml", []byte(keepList("2026-12-31", "2026-11-30")))
	if err != nil || len(soon.Warnings) != 1 || !strings.Contains(soon.Warnings[0].Message, "keep[0].expires: lapses on 2026-11-30") {
		t.Errorf("one that lapses soon: got %v, %v", soon, err)
	}
}
