package app_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"dera.example/dera"
	"dera.example/dera/app"
	"dera.example/dera/store"
)

// TestDenials: what a change denied lately is for a person while it is in effect, and counts as a
// false positive for ever; what another policy denied is neither.
func TestDenials(t *testing.T) {
	t.Parallel()
	f := found("f-1", "111122223333", dera.High, dera.Auto)
	denial := func(remediation, id string, cause dera.DenialCause, days int) dera.Denial {
		return dera.Denial{Remediation: remediation, Principal: "arn:aws:iam::111122223333:role/app", Call: "s3:GetObject", Actions: []string{"s3:GetObject"}, Cause: cause, First: ago(days), Last: ago(days), Events: []string{id}}
	}
	s := shelf{
		remediations: []dera.Remediation{made("r-1", dera.Resolved, f), made("r-2", dera.RolledBack, f), made("r-3", dera.Collateral, f), made("r-4", dera.Resolved, f), made("r-5", dera.Resolved, f)},
		denials: []dera.Denial{
			denial("r-1", "a", dera.CauseUnknown, 3), denial("r-1", "b", dera.CauseRemoved, 2), denial("r-1", "c", dera.CauseOther, 1),
			denial("r-2", "a", dera.CauseRemoved, 1), denial("r-3", "a", dera.CauseUnknown, 1), denial("r-4", "a", dera.CauseOther, 1),
			denial("r-5", "a", dera.CauseRemoved, 31),
		},
	}
	list, wrong, perhaps, err := app.Denials(t.Context(), s, " --data d", noon())
	if err != nil || wrong != 3 || perhaps != 1 {
		t.Errorf("got %d false positives and perhaps %d, %v; want 3 and 1", wrong, perhaps, err)
	}
	var got []string
	for _, d := range list {
		got = append(got, d.Remediation)
	}
	if !slices.Equal(got, []string{"r-3", "r-1"}) || len(list[1].What) != 2 || !list[1].Certain || list[0].Certain || list[1].Command != `dera rollback r-1 --reason "it denied what is in use" --data d` {
		t.Errorf("got %+v, want r-3 and r-1 with two denials", list)
	}
}

// TestDenials_give_back: each denied action that the change took can be asked for alone, for a
// time and for good; one that was given back for good makes the change a false positive, once.
func TestDenials_give_back(t *testing.T) {
	t.Parallel()
	r := made("r-1", dera.Resolved, found("f-1", "111122223333", dera.High, dera.Auto))
	r.Principals, r.Covers = []string{"arn:aws:iam::111122223333:role/team/app"}, []dera.Extent{{Permissions: []string{"s3:GetObject", "s3:PutObject", "sqs:*"}}}
	grant := made("r-2", dera.Resolved, found("f-2", "111122223333", dera.High, dera.Review))
	denial := func(id string, cause dera.DenialCause, actions ...string) dera.Denial {
		return dera.Denial{Remediation: "r-1", Principal: "arn:aws:iam::111122223333:role/app", Call: "x", Actions: actions, Cause: cause, First: ago(1), Last: ago(1), Events: []string{id}}
	}
	s := shelf{remediations: []dera.Remediation{r, grant}, denials: []dera.Denial{
		denial("a", dera.CauseRemoved, "s3:getobject", "kms:Decrypt"), denial("b", dera.CauseUnknown, "s3:getobject"), denial("c", dera.CauseOther, "s3:PutObject"), denial("d", dera.CauseUnknown, "sqs:SendMessage"),
	}}
	list, wrong, perhaps, err := app.Denials(t.Context(), s, " --data d", noon())
	const ask = `dera access request --principal arn:aws:iam::111122223333:role/app --action s3:getobject --for `
	want := []string{ask + `8h --reason "it was denied after r-1" --data d`, ask + `good --reason "it was denied after r-1" --data d`}
	if err != nil || len(list) != 1 || !slices.Equal(list[0].GiveBack, want) || wrong != 1 || perhaps != 0 {
		t.Errorf("got %+v, %d, %d, %v, want %q", list, wrong, perhaps, err, want)
	}
	s.denials = s.denials[1:2]
	s.accesses = []dera.Access{{ID: "a-1", Took: []string{"r-1", "r-3"}, Grant: "r-2"}, {ID: "a-2", Took: []string{"r-4"}, Grant: "r-2", Until: noon()}}
	if _, wrong, perhaps, err := app.Denials(t.Context(), s, "", noon()); err != nil || wrong != 2 || perhaps != 0 {
		t.Errorf("given back for good: got %d false positives and perhaps %d, %v; want r-1 and r-3, and nothing for what was given for a time", wrong, perhaps, err)
	}
}

// torn is a shelf whose remediations cannot be read.
type torn struct{ shelf }

func (torn) Remediation(context.Context, string) (dera.Remediation, error) {
	return dera.Remediation{}, fmt.Errorf("read remediation r-1: %w", store.ErrTorn)
}

// TestDenials_torn: a remediation that cannot be read keeps nobody from what waits, and its
// denials stay in sight.
func TestDenials_torn(t *testing.T) {
	t.Parallel()
	s := torn{shelf{denials: []dera.Denial{{Remediation: "r-1", Principal: "arn:aws:iam::111122223333:role/app", Cause: dera.CauseRemoved, First: ago(1), Last: ago(1), Events: []string{"e"}}}}}
	list, wrong, _, err := app.Denials(t.Context(), s, "", noon())
	if err != nil || wrong != 1 || len(list) != 1 || list[0].Remediation != "r-1" || len(list[0].What) != 1 {
		t.Errorf("got %+v, %d, %v; want the denial", list, wrong, err)
	}
}

// TestDenials_at_once: of several changes that denied something at the same time the order is
// always the same one.
func TestDenials_at_once(t *testing.T) {
	t.Parallel()
	f, s := found("f-1", "111122223333", dera.High, dera.Auto), shelf{}
	for i := range 9 {
		id := fmt.Sprintf("r-%d", i)
		s.remediations = append(s.remediations, made(id, dera.Resolved, f))
		s.denials = append(s.denials, dera.Denial{Remediation: id, Principal: "arn:aws:iam::111122223333:role/app", Cause: dera.CauseRemoved, First: ago(1), Last: ago(1), Events: []string{id}})
	}
	list, _, _, err := app.Denials(t.Context(), s, "", noon())
	if err != nil || len(list) != 9 || !slices.IsSortedFunc(list, func(a, b app.DeniedAfter) int { return strings.Compare(a.Remediation, b.Remediation) }) {
		t.Errorf("got %+v, %v, want them by ID", list, err)
	}
}
