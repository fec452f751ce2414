package role_test

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"dera.example/dera"
	"dera.example/dera/control"
	"dera.example/dera/control/controltest"
	"dera.example/dera/resource/document"
	"dera.example/dera/resource/evidence"
	"dera.example/dera/services/iam"
	"dera.example/dera/services/iam/iamtest"
	"dera.example/dera/services/iam/role"
	"dera.example/dera/services/iam/trust"
)

// laws are those of the policies of an identity; a plan for a trust policy changes that
// alone.
func laws() controltest.Laws {
	l := iamtest.Laws(role.Type(), iam.RoleKind, func(r *role.Role) *iam.Identity { return &r.Identity }, func(*role.Role) []iam.Attached { return nil })
	ofPolicies := l
	l.Evidence = append(l.Evidence, trust.Evidence(), trust.SessionsEvidence(), evidence.PartsEvidence())
	trusts := func(p dera.Plan) bool { return p.Changes[0].Operation == role.UpdateTrust }
	ends := func(p dera.Plan) bool { return slices.Equal(p.Keys, []string{role.SessionsKey}) }
	l.Surgical = func(t controltest.TB, before, after any, p dera.Plan) {
		t.Helper()
		if ends(p) || p.Control == "iam-role-reported" {
			holdSessions(t, before.(*role.Role), after.(*role.Role))
			return
		}
		if trusts(p) && slices.Equal(p.Keys, []string{trust.Unused}) {
			holdClosed(t, before.(*role.Role), after.(*role.Role))
			return
		}
		if trusts(p) {
			a, b := *before.(*role.Role), *after.(*role.Role)
			a.Trust, b.Trust = "", ""
			before, after = &a, &b
		}
		ofPolicies.Surgical(t, before, after, p)
	}
	l.Bodies = func(t controltest.TB, ev dera.Evidence) []controltest.Forgery {
		t.Helper()
		switch ev.Kind {
		case trust.Kind, evidence.PartsEvidence().Name:
			return nil
		case trust.SessionsKind:
			return sessionsBodies(t, ev)
		}
		return ofPolicies.Bodies(t, ev)
	}
	l.Same = func(t controltest.TB, a, b any) bool {
		t.Helper()
		return document.SamePolicy(a.(*role.Role).Trust, b.(*role.Role).Trust) && ofPolicies.Same(t, a, b)
	}
	l.Mutants = func(t controltest.TB, c control.Control, r dera.Resource, s control.Settings, failures []control.Failure, p dera.Plan) {
		t.Helper()
		if trusts(p) {
			holdTrustMutants(t, c, r, s, failures, p)
			return
		}
		ofPolicies.Mutants(t, c, r, s, failures, p)
	}
	return l
}

// holdClosed: the plan puts one statement into the trust policy, which denies, and leaves
// every other byte.
func holdClosed(t controltest.TB, before, after *role.Role) {
	t.Helper()
	added := regexp.MustCompile(`,\{"Sid":"DeniedAsUnused","Effect":"Deny","Principal":"\*","Action":("[^"]+"|\[[^\]]+\])\}`)
	a, b := *before, *after
	left := added.ReplaceAllString(b.Trust, "")
	alone := strings.Replace(strings.Replace(left, "[{", "{", 1), "}]", "}", 1) // a statement that was no list is one now
	if len(added.FindAllString(b.Trust, -1)) != 1 || left != a.Trust && alone != a.Trust {
		t.Errorf("got %s, want %s with one statement more that denies everybody", b.Trust, a.Trust)
	}
	a.Trust, b.Trust = "", ""
	if x, y := fmt.Sprintf("%+v", a), fmt.Sprintf("%+v", b); x != y {
		t.Errorf("something beside the trust policy changed: %s, %s", x, y)
	}
}

// holdSessions: the plan makes one policy, which denies and allows nothing.
func holdSessions(t controltest.TB, before, after *role.Role) {
	t.Helper()
	a, b := *before, *after
	for _, p := range after.Inline {
		if !slices.Contains(before.Inline, p) && (!strings.Contains(p.Document, `"Deny"`) || strings.Contains(p.Document, `"Allow"`)) {
			t.Errorf("inline policy %s does not just deny: %s", p.Name, p.Document)
		}
	}
	if len(b.Inline) != len(a.Inline)+1 {
		t.Errorf("got %d inline policies, want one more than %d", len(b.Inline), len(a.Inline))
	}
	a.Inline, b.Inline = nil, nil
	if x, y := fmt.Sprintf("%+v", a), fmt.Sprintf("%+v", b); x != y {
		t.Errorf("something beside the inline policies changed: %s, %s", x, y)
	}
}

// sessionsBodies are forgeries of a proof about sessions.
func sessionsBodies(t controltest.TB, ev dera.Evidence) []controltest.Forgery {
	t.Helper()
	var s trust.Sessions
	if err := controltest.Strict(ev.Body, &s); err != nil {
		t.Fatalf("read body of evidence: %v", err)
	}
	later, wide := s, s
	later.Before = s.Before.AddDate(1, 0, 0)
	wide.Policy = `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"*","Resource":"*"}]}`
	return []controltest.Forgery{{How: "sessions of a year later end", Body: later}, {How: "all sessions end", Body: wide}}
}

// TestLaws holds every control on roles against the control laws.
func TestLaws(t *testing.T) {
	t.Parallel()
	laws().RunAll(t, role.Controls())
}
