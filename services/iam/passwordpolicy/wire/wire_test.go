package wire_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dera.example/dera"
	"dera.example/dera/cloud"
	"dera.example/dera/cloud/cloudtest"
	"dera.example/dera/control"
	"dera.example/dera/resource"
	"dera.example/dera/services/iam/iamtest"
	"dera.example/dera/services/iam/passwordpolicy"
	"dera.example/dera/services/iam/passwordpolicy/wire"
)

// fakeIAM is the policy of an account, as its members in XML; "" for none.
type fakeIAM struct{ policy string }

func (f *fakeIAM) answer(a cloudtest.Asked) (int, string) {
	switch a.Operation {
	case "GetAccountPasswordPolicy":
		if f.policy == "" {
			return iamtest.Answer(a.Operation, "!NoSuchEntity")
		}
		if strings.HasPrefix(f.policy, "!") {
			return iamtest.Answer(a.Operation, f.policy)
		}
	case "UpdateAccountPasswordPolicy":
		f.policy = ""
		for name := range a.Form {
			if name != "Action" && name != "Version" {
				f.policy += "<" + name + ">" + a.Form.Get(name) + "</" + name + ">"
			}
		}
	case "DeleteAccountPasswordPolicy":
		f.policy = ""
	}
	return iamtest.Answer(a.Operation, "<PasswordPolicy>"+f.policy+"</PasswordPolicy>")
}

const own = `<MinimumPasswordLength>9</MinimumPasswordLength><RequireNumbers>true</RequireNumbers><AllowUsersToChangePassword>true</AllowUsersToChangePassword><MaxPasswordAge>60</MaxPasswordAge><ExpirePasswords>true</ExpirePasswords><HardExpiry>true</HardExpiry>`

func scope(ids ...string) dera.Scope {
	return dera.Scope{Partition: "aws", Account: cloudtest.Hub, Region: dera.GlobalRegion, Type: passwordpolicy.Name, IDs: ids}
}

func newIAM(t *testing.T, policy string) (*cloudtest.Server, *fakeIAM) {
	f := &fakeIAM{policy}
	return cloudtest.NewServer(t, []cloud.Wire{wire.Wire()}, f.answer), f
}

func look(t *testing.T, s *cloudtest.Server) *passwordpolicy.Policy {
	t.Helper()
	page, err := s.Read(t.Context(), scope(), true)
	if err != nil || len(page.Resources) != 1 {
		t.Fatalf("got %d resources, %v", len(page.Resources), err)
	}
	return page.Resources[0].Config.(*passwordpolicy.Policy)
}

// TestRead: no policy is that of AWS, and what cannot be read is an error and none.
func TestRead(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		policy, err string
		want        passwordpolicy.Rules
	}{
		"none":              {want: passwordpolicy.Rules{Length: 8}},
		"own":               {policy: own, want: passwordpolicy.Rules{Own: true, Length: 9, Numbers: true, MaxAge: 60, HardExpiry: true, ChangeOwn: true}},
		"denied":            {policy: "!AccessDenied", err: "AccessDenied"},
		"failed":            {policy: "!ServiceFailure", err: "ServiceFailure"},
		"of_another_answer": {policy: "<RequireNumbers>true</RequireNumbers>", err: "no minimum length"},
	} {
		s, _ := newIAM(t, tc.policy)
		page, err := s.Read(t.Context(), scope(cloudtest.Hub, "444455556666"), false)
		if tc.err != "" {
			if err == nil || !strings.Contains(err.Error(), tc.err) {
				t.Errorf("%s: got %+v, %v, want an error of %s", name, page, err, tc.err)
			}
			continue
		}
		if err != nil || len(page.Resources) != 1 || len(page.Missing) != 1 {
			t.Fatalf("%s: got %+v, %v, want the account, and that another one is missing", name, page, err)
		}
		if d := cmp.Diff(tc.want, page.Resources[0].Config.(*passwordpolicy.Policy).Rules); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
}

// TestWrite: all of the policy is sent, what was there comes back by the undo, and nothing
// is sent where it has changed since.
func TestWrite(t *testing.T) {
	t.Parallel()
	for name, policy := range map[string]string{"none": "", "own": own} {
		s, f := newIAM(t, policy)
		before := look(t, s)
		changes, refusal := planned(t, before)
		if refusal != nil {
			t.Fatal(refusal)
		}
		p := dera.Plan{Partition: "aws", Account: cloudtest.Hub, Region: dera.GlobalRegion, Resource: passwordpolicy.ARNOf("aws", cloudtest.Hub), Type: passwordpolicy.Name, Changes: changes}
		f.policy = "<MinimumPasswordLength>30</MinimumPasswordLength>"
		if _, err := s.Do(t.Context(), p, resource.Of(changes[0]), cloudtest.Allow); !errors.Is(err, cloud.ErrMoved) || len(s.Sent("UpdateAccountPasswordPolicy")) > 0 {
			t.Errorf("%s: changed since: got %v, want that nothing is sent", name, err)
		}
		f.policy = policy
		if _, err := s.Do(t.Context(), p, resource.Of(changes[0]), cloudtest.Allow); err != nil {
			t.Fatal(err)
		}
		want := passwordpolicy.Rules{Own: true, Length: 14, Uppercase: true, Lowercase: true, Numbers: true, Symbols: true, Reuse: 24, MaxAge: before.MaxAge, HardExpiry: before.HardExpiry, ChangeOwn: before.ChangeOwn}
		if d := cmp.Diff(want, look(t, s).Rules); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
		sent := s.Sent("UpdateAccountPasswordPolicy")[0].Form
		if age, ok := sent["MaxPasswordAge"]; ok != (before.MaxAge > 0) {
			t.Errorf("%s: sent the age %v, before %d", name, age, before.MaxAge)
		}
		undo, err := resource.OfUndo(*changes[0].Undo, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Do(t.Context(), p, undo, cloudtest.Allow); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(before, look(t, s)); d != "" {
			t.Errorf("%s: undone (-before +after):\n%s", name, d)
		}
	}
}

// planned is the plan of the control.
func planned(t *testing.T, p *passwordpolicy.Policy) ([]dera.Change, *control.Refusal) {
	t.Helper()
	r := dera.Resource{Type: passwordpolicy.Name, Config: p}
	plan, refusal, err := passwordpolicy.Weak().Plan(r, nil, control.Settings{})
	if err != nil {
		t.Fatal(err)
	}
	return plan.Changes, refusal
}
