package iamtest

import (
	"encoding/json"
	"slices"
	"strings"

	"dera.example/dera"
	"dera.example/dera/control/controltest"
	"dera.example/dera/resource"
	"dera.example/dera/resource/evidence"
	"dera.example/dera/services/iam"
)

// Laws are those on a kind of identity. others are the policies that decide besides what
// it may do.
func Laws[T any](typ resource.Type, k iam.Kind, of func(*T) *iam.Identity, others func(*T) []iam.Attached) controltest.Laws {
	whole := func(config any) *iam.Identity {
		c := config.(*T)
		i := *of(c)
		i.Attached = slices.Concat(i.Attached, others(c))
		return &i
	}
	return controltest.Laws{
		Type: typ, Evidence: []evidence.Kind{iam.PermissionsEvidence()},
		Orders: func(config any) []any {
			c := *config.(*T)
			i := of(&c)
			i.Inline, i.Attached = slices.Clone(i.Inline), slices.Clone(i.Attached)
			slices.Reverse(i.Inline)
			slices.Reverse(i.Attached)
			return []any{&c}
		},
		Surgical: func(t controltest.TB, before, after any, p dera.Plan) {
			t.Helper()
			a, b := *before.(*T), *after.(*T)
			Surgical(t, of(&a), of(&b))
			of(&a).Inline, of(&b).Inline, of(&a).Attached, of(&b).Attached = nil, nil, nil, nil
			x, errX := json.Marshal(a)
			y, errY := json.Marshal(b)
			if errX != nil || errY != nil || string(x) != string(y) {
				t.Errorf("something beside the policies changed: %v, %v\n%s\n%s", errX, errY, x, y)
			}
			if !slices.ContainsFunc(p.Diff(), func(l string) bool { return strings.HasPrefix(l, "- ") }) {
				t.Errorf("the diff takes nothing away: %q", p.Diff())
			}
		},
		Same: func(t controltest.TB, a, b any) bool {
			t.Helper()
			return Same(t, whole(a), whole(b))
		},
		Opens: func(p dera.Plan, key string) bool { // what stays in a copy can be narrowed now
			copies := slices.ContainsFunc(p.Keys, func(k string) bool { return strings.HasPrefix(k, iam.UnusedAWSKey) })
			return copies && slices.Contains([]string{iam.UnusedRareKey, iam.UnusedIdentityKey, iam.UnusedPassRoleKey}, key)
		},
		Bodies: Bodies, Mutants: Mutants(k, func(config any) *iam.Identity { return of(config.(*T)) }),
	}
}

// Texts are the documents of an identity's policies.
func Texts(i *iam.Identity) (out []string) {
	for _, p := range i.Inline {
		out = append(out, p.Document)
	}
	for _, p := range i.Attached {
		out = append(out, p.Document)
	}
	return out
}
