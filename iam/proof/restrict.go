package proof

import (
	"context"
	"strings"

	"dera.example/dera/iam/reason"
)

// lost decides whether nothing of some actions that old allows is lost.
func lost(ctx context.Context, old, fresh reason.Policies, kept []string, cfg reason.Config) reason.Answer {
	if len(kept) == 0 {
		return reason.Answer{Verdict: reason.Proved} // nothing is claimed
	}
	return reason.SubsetOf(ctx, kept, old, fresh, cfg)
}

// gone decides whether the policies allow nothing of what was removed.
func gone(ctx context.Context, set reason.Policies, removed []string, cfg reason.Config) reason.Answer {
	if len(removed) == 0 {
		return reason.Answer{Verdict: reason.Proved} // nothing is claimed
	}
	return reason.AllowsAny(ctx, set, removed, nil, cfg)
}

// tries is how many removed entries are looked at one by one for a request.
const tries = 8

// less looks for a request that old allows and fresh does not. It tries some of
// what was removed first, because a question about one action is a small one;
// and actions before patterns, because people know them.
func less(ctx context.Context, old, fresh reason.Policies, removed []string, cfg reason.Config) reason.Answer {
	for _, r := range first(removed, tries) {
		if a := reason.SubsetOf(ctx, []string{r}, old, fresh, cfg); a.Verdict == reason.Refuted {
			return a
		}
	}
	return reason.Subset(ctx, old, fresh, cfg)
}

// first returns the first n entries without wildcards, or with them when there
// are fewer.
func first(entries []string, n int) []string {
	var out, wild []string
	for _, e := range entries {
		switch {
		case len(out) == n:
			return out
		case !strings.ContainsAny(e, "*?"):
			out = append(out, e)
		case len(wild) < n:
			wild = append(wild, e)
		}
	}
	return append(out, wild[:min(len(wild), n-len(out))]...)
}
