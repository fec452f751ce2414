package sharing_test

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"dera.example/dera"
	"dera.example/dera/control"
	"dera.example/dera/control/sharing"
	"dera.example/dera/resource"
	"dera.example/dera/resource/evidence"
)

func kind() sharing.Kind {
	return sharing.Kind{
		Name:  "AWS::Test::Thing",
		ARN:   func(_, _, _, id string) dera.ARN { return dera.ARN("arn:aws:test:::" + id) },
		Reads: []string{"test:DescribeThing"}, Modify: "test:ModifyThing", Uses: []string{"test:UseThing"},
	}
}

// undoOf is the operation that takes back that everybody goes.
func undoOf(t *testing.T, s *sharing.Shared) resource.Operation {
	t.Helper()
	changes, err := kind().Remove(s, []string{sharing.All})
	if err != nil || len(changes) != 1 {
		t.Fatalf("got %d changes, %v", len(changes), err)
	}
	op, err := resource.OfUndo(*changes[0].Undo, nil)
	if err != nil {
		t.Fatal(err)
	}
	return op
}

// TestRefuse: what AWS refuses to share is no state that an undo could bring back.
func TestRefuse(t *testing.T) {
	t.Parallel()
	all := []string{sharing.All}
	for name, tc := range map[string]struct {
		now     sharing.Shared
		refused bool
	}{
		"plain":     {sharing.Shared{ID: "x", With: []string{}}, false},
		"encrypted": {sharing.Shared{ID: "x", With: []string{}, Encrypted: true}, true},
		"fixed":     {sharing.Shared{ID: "x", With: []string{}, Fixed: "it is automated"}, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			op := undoOf(t, &sharing.Shared{ID: "x", With: all})
			_, err := kind().Type().Apply(&tc.now, op)
			var refused *resource.NotAllowedError
			if errors.As(err, &refused) != tc.refused || !tc.refused && err != nil {
				t.Errorf("got %v, want it refused: %t", err, tc.refused)
			}
		})
	}
}

// TestOthersStay: that everybody goes, and comes back, touches nobody who came meanwhile.
func TestOthersStay(t *testing.T) {
	t.Parallel()
	was := &sharing.Shared{ID: "x", With: []string{"111111111111", sharing.All}}
	op := undoOf(t, was)
	now := &sharing.Shared{ID: "x", With: []string{"111111111111", "222222222222"}}
	next, err := kind().Type().Apply(now, op)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := next.(*sharing.Shared).With, []string{"111111111111", "222222222222", sharing.All}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if len(now.With) != 2 || len(was.With) != 2 {
		t.Error("the configuration that it was applied to changed")
	}
}

// TestNoSuchInput: an input that names another resource, or nobody, is none.
func TestNoSuchInput(t *testing.T) {
	t.Parallel()
	for _, in := range []string{`{"resource":"y","remove":["all"]}`, `{"resource":"x"}`, `{"resource":"x","remove":["all"],"more":1}`, `[]`} {
		op := resource.Operation{Name: kind().Modify, Version: 1, Input: []byte(in)}
		if next, err := kind().Type().Apply(&sharing.Shared{ID: "x", With: []string{sharing.All}}, op); err == nil {
			t.Errorf("%s: got %+v, want an error", in, next)
		}
	}
}

// TestAlone: of a list with everybody and others no change is made where it is not known
// what that does to the others.
func TestAlone(t *testing.T) {
	t.Parallel()
	k := kind()
	k.Alone = true
	if _, err := k.Remove(&sharing.Shared{ID: "x", With: []string{"111111111111", sharing.All}}, []string{sharing.All}); err == nil {
		t.Error("got a change")
	}
	if _, err := k.Remove(&sharing.Shared{ID: "x", With: []string{sharing.All}}, []string{sharing.All}); err != nil {
		t.Errorf("alone: got %v", err)
	}
}

// TestDeclared: who counts as declared, by the account, the organisation and its units.
func TestDeclared(t *testing.T) {
	t.Parallel()
	const org, unit = "arn:aws:organizations::999999999999:organization/o-one", "arn:aws:organizations::999999999999:ou/o-one/ou-1"
	external := kind().External(sharing.Rule{Start: dera.Review, Meta: control.Meta{ID: "x", Title: "x", Severity: dera.High}})
	for name, tc := range map[string]struct {
		member   string
		settings control.Settings
		key      string // "" for one that is declared
	}{
		"account":               {"111111111111", control.Settings{}, "account/111111111111"},
		"account_of_the_list":   {"111111111111", control.Settings{Accounts: []string{"111111111111"}}, ""},
		"trusted_account":       {"111111111111", control.Settings{Trusted: []string{"111111111111"}}, ""},
		"vendor":                {"464622532012", control.Settings{}, ""},
		"organisation":          {org, control.Settings{}, "organisation/o-one"},
		"own_organisation":      {org, control.Settings{Organization: "o-one"}, ""},
		"unit":                  {unit, control.Settings{Organization: "o-other"}, "unit/o-one/ou-1"},
		"unit_of_own":           {unit, control.Settings{Organization: "o-one"}, ""},
		"unit_of_trusted":       {unit, control.Settings{Trusted: []string{"o-one"}}, ""},
		"no_settings_no_member": {"somebody", control.Settings{}, "member/somebody"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			res, err := external.Check(dera.Resource{Config: &sharing.Shared{ID: "x", With: []string{tc.member}}}, tc.settings)
			if err != nil {
				t.Fatal(err)
			}
			var keys []string
			for _, f := range res.Failures {
				keys = append(keys, f.Key)
			}
			if strings.Join(keys, " ") != tc.key {
				t.Errorf("got %v, want %q", keys, tc.key)
			}
		})
	}
}

// TestClaims: each fault of a plan refutes its claim and no other, and the checker computes
// the same from the body alone.
func TestClaims(t *testing.T) {
	t.Parallel()
	good := sharing.Proof{Resource: "AWS::Test::Thing", Before: []string{"1", "2", sharing.All}, After: []string{"1", "2"}, Named: []string{sharing.All}}
	for name, tc := range map[string]struct {
		bend    func(p *sharing.Proof)
		refuted string
	}{
		"good":             {func(*sharing.Proof) {}, ""},
		"one_comes":        {func(p *sharing.Proof) { p.After = []string{"1", "2", "3"} }, "nothing_new_shared"},
		"one_more_goes":    {func(p *sharing.Proof) { p.After = []string{"1"} }, "only_named_removed"},
		"something_else":   {func(p *sharing.Proof) { p.RestAfter = "x" }, "only_named_removed"},
		"it_stays":         {func(p *sharing.Proof) { p.After = p.Before }, "finding_resolved"},
		"it_was_not_there": {func(p *sharing.Proof) { p.Before = p.After }, "finding_resolved"},
		"nobody_is_named":  {func(p *sharing.Proof) { p.Named, p.After = nil, p.Before }, "finding_resolved"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := good
			tc.bend(&p)
			ev, err := p.Evidence()
			if err != nil {
				t.Fatal(err)
			}
			var refuted []string
			for _, c := range ev.Claims {
				if c.Verdict != dera.Proved {
					refuted = append(refuted, c.Name)
				}
			}
			if strings.Join(refuted, " ") != tc.refuted {
				t.Errorf("got %v refuted, want %q", refuted, tc.refuted)
			}
			blob, err := json.Marshal(ev)
			if err != nil {
				t.Fatal(err)
			}
			if err := evidence.Check(blob, sharing.Evidence()); err != nil {
				t.Errorf("the checker: %v", err)
			}
		})
	}
}
