package control

import (
	"testing"
	"time"
)

func TestKeep(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)
	s := Settings{Keep: []Keep{{Until: now, Reason: "over"}, {Until: now.Add(time.Second), Reason: "in force"}}}
	if got := s.At(now).Keep; len(got) != 1 || got[0].Reason != "in force" {
		t.Errorf("at %s: got %+v, want the one in force", now, got)
	}
	if len(s.Keep) != 2 || s.Keep[0].Reason != "over" {
		t.Errorf("the settings themselves: got %+v, want them as they were", s.Keep)
	}
	tests := []struct {
		name       string
		principals []string
		want       bool
	}{
		{"all", nil, true},
		{"exact", []string{"arn:aws:iam::111122223333:role/app"}, true},
		{"glob", []string{"arn:aws:iam::*:role/a?p"}, true},
		{"one_of_two", []string{"arn:aws:iam::*:user/*", "arn:aws:iam::*:role/*"}, true},
		{"another", []string{"arn:aws:iam::111122223333:role/application"}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := (Keep{Principals: tt.principals}).About("arn:aws:iam::111122223333:role/app"); got != tt.want {
				t.Errorf("about: got %t, want %t", got, tt.want)
			}
		})
	}
}
