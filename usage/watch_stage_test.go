package usage_test

import (
	"slices"
	"testing"
	"time"

	"dera.example/dera"
	"dera.example/dera/store"
	"dera.example/dera/usage"
)

// TestWatch_stage: what a stage denies is looked for as long as that may stand, however short
// the watch is otherwise; and what a plan with a stage takes besides is in doubt its doing.
func TestWatch_stage(t *testing.T) {
	t.Parallel()
	const (
		by       = "User: arn:aws:sts::111122223333:assumed-role/app/i is not authorized to perform: s3:ListBucket on resource: x "
		implicit = by + "because no identity-based policy allows the s3:ListBucket action"
		explicit = by + "with an explicit deny in an identity-based policy"
		boundary = by + "with an explicit deny in a permissions boundary"
		day      = 24 * time.Hour
	)
	denies := dera.Change{Operation: "iam:PutRolePolicy", After: []byte(`{"Sid":"DeraStaged"}`)}
	detaches := dera.Change{Operation: "iam:DetachRolePolicy", Before: []byte(`"arn"`)}
	for name, tt := range map[string]struct {
		changes []dera.Change
		keys    []string
		message string
		after   time.Duration
		days    int
		want    string // the cause; "" is no denial
	}{
		"by_the_stage":         {[]dera.Change{denies}, []string{"unused"}, explicit, time.Minute, 14, "removed_permission"},
		"late":                 {[]dera.Change{denies}, []string{"unused"}, explicit, 30 * day, 14, "removed_permission"},
		"too_late":             {[]dera.Change{denies}, []string{"unused"}, explicit, 63 * day, 14, ""},
		"longer_watch":         {[]dera.Change{denies}, []string{"unused"}, explicit, 63 * day, 90, "removed_permission"},
		"late_without_a_stage": {[]dera.Change{detaches}, []string{"unused"}, implicit, 30 * day, 14, ""},
		"by_its_boundary":      {[]dera.Change{denies}, []string{"unused"}, boundary, time.Minute, 14, "unknown"},
		"not_by_the_stage":     {[]dera.Change{denies}, []string{"unused"}, implicit, time.Minute, 14, "other_policy"},
		"detached_besides":     {[]dera.Change{denies, detaches}, []string{"unused"}, implicit, time.Minute, 14, "unknown"},
		"taken_out_besides":    {[]dera.Change{denies}, []string{"unused", "unused/staged"}, implicit, time.Minute, 14, "unknown"},
		"stage_besides":        {[]dera.Change{denies, detaches}, []string{"unused"}, explicit, time.Minute, 14, "removed_permission"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := changed(t, dera.Resolved, "s3:ListBucket")
			r, err := s.Remediation(t.Context(), "r-1")
			if err != nil {
				t.Fatal(err)
			}
			r.Plan.Account, r.Plan.Changes, r.Plan.Keys, r.Interfaces = "111122223333", tt.changes, tt.keys, []string{"role/app" + dera.AsBoundary}
			if err := s.Commit(t.Context(), store.Batch{Remediations: []dera.Remediation{r}}); err != nil {
				t.Fatal(err)
			}
			o := usage.New(s, nil).Watching(usage.WatchConfig{Days: tt.days}).Observer(usage.ObserverConfig{})
			event := refused("1", "app", "s3.amazonaws.com", "ListObjects", "AccessDenied", tt.message, start.Add(tt.after))
			if _, err := o.Observe(t.Context(), []usage.Message{envelope(event, true)}); err != nil {
				t.Fatal(err)
			}
			list, err := s.Denials(t.Context())
			var got []string
			for _, d := range list {
				got = append(got, string(d.Cause))
			}
			var want []string
			if tt.want != "" {
				want = []string{tt.want}
			}
			if err != nil || !slices.Equal(got, want) {
				t.Errorf("got %v, %v, want %v", got, err, want)
			}
		})
	}
}
