package dera

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// TestPrincipalsMatchAsOneByOne: the globs that fit are those that fit when each is asked, and the first is returned.
func TestPrincipalsMatchAsOneByOne(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		account := rapid.SampledFrom([]string{"111122223333", "444455556666", "", "*", "1111*", "11112222333?"})
		kind := rapid.SampledFrom([]string{"role/dera", "role/app/dera", "role/app/*", "role/*", "assumed-role/dera/s", "assumed-role/x/s", "user/ann", "*", "a:b"})
		arn := func(t *rapid.T, label string) string {
			return rapid.SampledFrom([]string{"arn:aws:iam::", "arn:aws:sts::", "arn:*:iam::", "arn:aws:*:*:", "arn:*:*:"}).Draw(t, label+"begin") + account.Draw(t, label+"account") + ":" + kind.Draw(t, label+"kind")
		}
		var globs []string
		for range rapid.IntRange(0, 6).Draw(t, "n") {
			globs = append(globs, rapid.SampledFrom([]string{arn(t, "glob"), "*", "arn:aws:s3:::b", "no arn"}).Draw(t, "glob"))
		}
		actor := ARN(rapid.SampledFrom([]string{arn(t, "actor"), "", "arn:aws:s3:::b", "root"}).Draw(t, "actor"))
		want := ""
		i := slices.IndexFunc(globs, func(p string) bool { return MatchPrincipal(p, actor) })
		if i >= 0 {
			want = globs[i]
		}
		if got, ok := NewPrincipals(globs).Match(actor); got != want || ok != (i >= 0) {
			t.Fatalf("%q of %q: got %q, %t, want %q", actor, globs, got, ok, want)
		}
	})
}
