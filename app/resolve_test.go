package app_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"dera.example/dera/app"
	"dera.example/dera/store"
)

// ids is a store of IDs alone.
type ids []string

func (l ids) FindingIDs(_ context.Context, prefix string, most int) ([]string, error) {
	var out []string
	for _, id := range l {
		if strings.HasPrefix(id, prefix) && len(out) < most {
			out = append(out, id)
		}
	}
	slices.Sort(out)
	return out, nil
}

func (l ids) RemediationIDs(ctx context.Context, prefix string, most int) ([]string, error) {
	return l.FindingIDs(ctx, prefix, most)
}

func TestResolve(t *testing.T) {
	t.Parallel()
	have := ids{"f-51774000000000000001", "f-51775000000000000001", "r-51774000000000000001", "r-abcd", "r-abcd1", "r-1"}
	for i := range 12 {
		have = append(have, fmt.Sprintf("f-7777%016x", i))
	}
	tests := []struct {
		name, text, want string
		matches          int
		more, notFound   bool
	}{
		{name: "whole_id", text: "f-51774000000000000001", want: "f-51774000000000000001"},
		{name: "unique_prefix", text: "f-51774", want: "f-51774000000000000001"},
		{name: "prefix_of_a_remediation", text: "r-5177", want: "r-51774000000000000001"},
		{name: "whole_id_wins_over_a_longer_one", text: "r-abcd", want: "r-abcd"},
		{name: "whole_id_may_be_short", text: "r-1", want: "r-1"},
		{name: "ambiguous", text: "f-5177", matches: 2},
		{name: "ten_matches_at_most", text: "f-7777", matches: 10, more: true},
		{name: "too_short", text: "f-517"},
		{name: "nothing_begins_so", text: "f-9999", notFound: true},
		{name: "no_id", text: "nothing", notFound: true},
		{name: "no_wildcard", text: "f-%%%%%", notFound: true},
		{name: "no_letter", text: "51774", notFound: true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := app.Resolve(t.Context(), have, tt.text)
			var prefix *app.PrefixError
			switch {
			case tt.want != "":
				if err != nil || got != tt.want {
					t.Errorf("got %q, %v, want %q", got, err, tt.want)
				}
			case tt.notFound:
				if !errors.Is(err, store.ErrNotFound) {
					t.Errorf("got %v, want not found", err)
				}
			case !errors.As(err, &prefix) || len(prefix.Matches) != tt.matches || prefix.More != tt.more:
				t.Errorf("got %v, want %d matches, more %t", err, tt.matches, tt.more)
			}
		})
	}
}
