package evaluate

import (
	"testing"

	"dera.example/dera"
)

// TestNewGrant_staged: what a plan denies for now is not given back while it denies it; what
// the same plan took out of the policy, after it was denied for long enough, is.
func TestNewGrant_staged(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		found, took, permission string
		want                    dera.Disposition
	}{
		"it_denies_it_still":      {dera.StagedKey, "unused", "s3:GetObject", dera.Auto},
		"it_took_it":              {dera.StagedKey, dera.StagedKey, "s3:GetObject", dera.Review},
		"it_took_another":         {dera.StagedKey, dera.StagedKey, "s3:PutObject", dera.Auto},
		"the_stage_was_taken_off": {"unused", "unused", "s3:GetObject", dera.Review},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := losingCase([]string{tt.permission}, app(nil))
			c.Finding.Key = tt.found
			c.Earlier = []dera.Remediation{{
				ID: "r-1", Control: "ctl", State: dera.Resolved, Covers: []dera.Extent{{Key: tt.took, Permissions: []string{"s3:GetObject"}}},
				Plan: dera.Plan{Keys: []string{tt.took}, Changes: []dera.Change{{After: []byte(`{"Sid":"DeraStaged"}`)}}},
			}}
			if r, err := (NewGrant{Now: atNoon}).Check(t.Context(), c); err != nil || r.Disposition != tt.want {
				t.Errorf("got %+v, %v, want %s", r, err, tt.want)
			}
		})
	}
}
