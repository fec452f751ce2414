package role_test

import (
	"strings"
	"testing"
	"time"

	"dera.example/dera"
	"dera.example/dera/control"
	"dera.example/dera/services/iam"
	"dera.example/dera/services/iam/role"
)

// TestMayHaveSessions: sessions of before last as long as any may, however long the role
// lets them last by now; a role of the same name that was made since has none.
func TestMayHaveSessions(t *testing.T) {
	t.Parallel()
	closed := time.Date(2026, 11, 29, 8, 0, 0, 0, time.UTC)
	for _, tt := range []struct {
		name          string
		longest       int32
		created, late time.Duration
		want          bool
	}{
		{"right after", 3600, -time.Hour, time.Second, true},
		{"the role allows an hour by now", 3600, -time.Hour, 2 * time.Hour, true},
		{"the last of twelve hours", 43200, -time.Hour, 12 * time.Hour, true},
		{"over", 43200, -time.Hour, 12*time.Hour + time.Minute, false},
		{"made again since", 43200, time.Minute, time.Hour, false},
		{"nobody tells when it was made", 0, 0, time.Hour, true},
	} {
		r := &role.Role{Identity: iam.Identity{Name: "app", Path: "/"}, MaxSession: tt.longest}
		if tt.created != 0 {
			r.Created = closed.Add(tt.created)
		}
		if got := r.MayHaveSessions(closed, closed.Add(tt.late)); got != tt.want {
			t.Errorf("%s: got %t, want %t", tt.name, got, tt.want)
		}
	}
}

// TestOpenSessionsSayHowLong: how long a session of before may last stands in words.
func TestOpenSessionsSayHowLong(t *testing.T) {
	t.Parallel()
	for longest, want := range map[int32]string{
		0: "at most 12 hours.", 43200: "at most 12 hours.", 3600: "at most 12 hours, and 1 hour where", 7200: "and 2 hours where", 5400: "and 90 minutes where", 3601: "and 61 minutes where",
	} {
		r := &role.Role{Trust: lambdas, MaxSession: longest, Closed: time.Date(2026, 11, 29, 8, 0, 0, 0, time.UTC), Identity: iam.Identity{Name: "app", Path: "/"}}
		res, err := role.OpenSessions().Check(dera.Resource{Type: role.Name, Config: r}, control.Settings{})
		if err != nil || len(res.Failures) != 1 || !strings.Contains(res.Failures[0].Why, want) {
			t.Errorf("%d s: got %+v, %v, want %q", longest, res, err, want)
		}
	}
}
