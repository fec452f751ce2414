package main

import (
	"runtime"
	"runtime/debug"
	"strings"
	"testing"
)

func TestVersion(t *testing.T) {
	t.Parallel()
	vcs := func(modified string) []debug.BuildSetting {
		return []debug.BuildSetting{{Key: "vcs", Value: "git"}, {Key: "vcs.revision", Value: "abc123"}, {Key: "vcs.time", Value: "2026-11-29T07:00:00Z"}, {Key: "vcs.modified", Value: modified}}
	}
	tests := []struct {
		name, version, commit, date string
		settings                    []debug.BuildSetting
		want                        string
	}{
		{"without_vcs", "dev", "", "", nil, "dera dev, commit unknown, built at an unknown date, "},
		{"of_a_checkout", "dev", "", "", vcs("false"), "dera dev, commit abc123, 2026-11-29T07:00:00Z, "},
		{"of_a_changed_checkout", "dev", "", "", vcs("true"), "dera dev, commit abc123 (dirty), 2026-11-29T07:00:00Z, "},
		{"release", "v1.2.3", "def456", "2026-11-30T00:00:00Z", vcs("false"), "dera v1.2.3, commit def456, 2026-11-30T00:00:00Z, "},
		{"release_without_vcs", "v1.2.3", "def456", "2026-11-30T00:00:00Z", nil, "dera v1.2.3, commit def456, 2026-11-30T00:00:00Z, "},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := newBuild(tt.version, tt.commit, tt.date, tt.settings).String()
			if want := tt.want + runtime.Version(); got != want {
				t.Errorf("got %q, want %q", got, want)
			}
			if strings.Contains(got, ", ,") {
				t.Errorf("%q has a blank", got)
			}
		})
	}
}
