package iam

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"

	"dera.example/dera"
	"dera.example/dera/control"
	"dera.example/dera/iam/policy"
	"dera.example/dera/iam/scope"
	"dera.example/dera/resource/document"
)

// A policy of AWS cannot be narrowed itself: an inline policy of the identity, a copy
// without what nobody used, takes its place.

// CopyName is the name of the inline policy that takes the place of a policy of AWS: its
// path and name, for AWS has policies of one name in several paths, and the version, by
// which is found out what AWS adds later. One that is too long is cut, with a part of its
// digest.
func CopyName(arn, version string) string {
	const most = 128 // IAM API reference, PutRolePolicy
	end := "-narrowed"
	if version != "" {
		end = "-" + version + end
	}
	name := strings.ReplaceAll(strings.TrimPrefix(dera.ARN(arn).Resource(), "policy/"), "/", ".")
	if len(name)+len(end) > most {
		sum := sha256.Sum256([]byte(arn))
		digest := "-" + hex.EncodeToString(sum[:8])
		name = name[:most-len(end)-len(digest)] + digest
	}
	return name + end
}

func (t Text) copyName() string { return CopyName(t.Name, t.Version) }

// copies finds the policies of AWS of which something was used and something was not.
// What is for identities, recovery and incidents stays in the copy, and iam:PassRole.
func (j *judged) copies() error {
	for i, t := range j.Policies {
		gone := func(u unneeded) bool { return u.place == i }
		if !t.AWS || !narrowable(j.docs[i]) || everything(j.docs[i]) || slices.ContainsFunc(j.found, gone) {
			continue
		}
		space := j.space(t.copyName())
		c, err := j.copied(i, max(space, 0))
		if err != nil {
			return err
		}
		full := ""
		if j.Limit > 0 && space <= 0 || c.Refused != "" {
			full = cmp.Or(c.Refused, "the inline policies leave no space for a copy")
			if c, err = j.copied(i, 0); err != nil {
				return err
			}
		}
		if c.Refused == "" && len(c.Gone) > 0 && len(c.Kept) > 0 {
			j.found = append(j.found, unneeded{key: t.Whole, actions: c.Gone, place: i, kept: c.Kept, broad: c.Broad, full: full})
		}
	}
	return nil
}

// space is how many characters the inline policies leave for others; but is the name of a
// copy, which has its own place where it is there already.
func (j *judged) space(but string) int {
	left := j.Limit
	for i, d := range j.docs {
		if j.Policies[i].Whole == "" && j.Policies[i].Name != but {
			left -= d.Size(policy.Identity)
		}
	}
	return left
}

// copied chooses what a copy of a policy has, in so many characters; 0 is no limit.
func (j *judged) copied(i, limit int) (*scope.Choice, error) {
	needed := func(a string) bool { return j.class(a) > 0 }
	choose := func(some func(string) bool) (*scope.Choice, error) {
		in := j.input(func(a string) string {
			if needed(a) || some != nil && !some(a) {
				return "it may be needed"
			}
			return ""
		}, nil)
		in.Limit = limit
		return scope.Choose(in, j.docs[i])
	}
	c, err := choose(nil)
	if err != nil || c.Refused != "" {
		return c, err
	}
	free, err := j.free(c, j.docs[i:i+1], j.others(i))
	if err != nil || len(free) == len(c.Gone) {
		return c, err
	}
	return choose(func(a string) bool { return free[strings.ToLower(a)] })
}

// copyOf is the text of the copy of a policy without what a finding is about.
func (j *judged) copyOf(u unneeded) (string, *control.Refusal) {
	if u.full != "" {
		return "", &control.Refusal{Code: "no-space", Why: u.full}
	}
	in := j.input(notIn(setOf(u.actions), nil), nil)
	c, err := scope.Choose(in, j.docs[u.place])
	if err != nil {
		return "", CannotPlan(err)
	}
	docs, err := c.Documents()
	switch {
	case err != nil:
		return "", CannotPlan(err)
	case len(c.Gone) != len(u.actions) || docs[0] == nil:
		return "", &control.Refusal{Code: "goes-with-others", Why: "not all of what was not used can go from a copy"}
	}
	return docs[0].Text(), nil
}

// fits refuses what is longer than IAM stores of an identity's inline policies.
func (s *Subject) fits(after []string) *control.Refusal {
	if s.Limit == 0 {
		return nil
	}
	size := 0
	there := func(i int) bool { // the copy is there already, and counts once
		return slices.ContainsFunc(s.Policies, func(t Text) bool {
			n := slices.Index(s.Policies, t)
			return t.AWS && s.Policies[i].Whole == "" && t.copyName() == s.Policies[i].Name && after[n] != t.Document && document.SamePolicy(after[n], after[i])
		})
	}
	for i, text := range after {
		if text == "" || s.Policies[i].Whole != "" && text == s.Policies[i].Document || there(i) {
			continue
		}
		doc, err := policy.Parse(text)
		if err != nil {
			return CannotPlan(err)
		}
		size += doc.Size(policy.Identity)
	}
	if size > s.Limit {
		return &control.Refusal{Code: "no-space", Why: counting(size-s.Limit, "character") + " more than IAM stores of the inline policies"}
	}
	return nil
}
