package app_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"dera.example/dera"
	"dera.example/dera/app"
	"dera.example/dera/store"
)

// shelf is a store of findings and remediations.
type shelf struct {
	findings     []dera.Finding
	remediations []dera.Remediation
	stops        []dera.Stop
	denials      []dera.Denial
	accesses     []dera.Access
}

func (s shelf) Accesses(context.Context) ([]dera.Access, error) { return s.accesses, nil }

func (s shelf) AccessState(ctx context.Context, a dera.Access, now time.Time) (dera.AccessState, *dera.Remediation, error) {
	r, err := s.Remediation(ctx, a.Grant)
	return a.State(&r, now), &r, err
}

func (s shelf) Findings(context.Context) ([]dera.Finding, error) { return s.findings, nil }
func (s shelf) Stops(context.Context) ([]dera.Stop, error)       { return s.stops, nil }
func (s shelf) RemediationsIn(_ context.Context, state dera.State) ([]dera.Remediation, error) {
	return slices.DeleteFunc(slices.Clone(s.remediations), func(r dera.Remediation) bool { return r.State != state }), nil
}

func (s shelf) Denials(context.Context) ([]dera.Denial, error) { return s.denials, nil }
func (s shelf) Remediation(_ context.Context, id string) (dera.Remediation, error) {
	i := slices.IndexFunc(s.remediations, func(r dera.Remediation) bool { return r.ID == id })
	if i < 0 {
		return dera.Remediation{}, store.ErrNotFound
	}
	return s.remediations[i], nil
}

func (s shelf) Intents(context.Context, string) ([]dera.Intent, error) { return nil, nil }

func noon() time.Time { return time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC) }

func ago(days int) time.Time { return noon().AddDate(0, 0, -days) }

func found(id, account string, s dera.Severity, d dera.Disposition) dera.Finding {
	return dera.Finding{
		ID: id, Control: "c", Partition: "aws", Account: account, Region: "us-east-1", Resource: dera.ARN("arn:aws:ec2:us-east-1:" + account + ":security-group/sg-1"),
		Severity: s, Disposition: d, State: dera.FindingOpen, Title: "title of " + id, FirstSeen: ago(20), LastSeen: ago(0), Reasons: []dera.Reason{{Guardrail: "control", Disposition: d}},
	}
}

func made(id string, state dera.State, of dera.Finding, steps ...dera.Step) dera.Remediation {
	return dera.Remediation{
		ID: id, Control: of.Control, State: state, Severity: of.Severity, Findings: []string{of.ID}, Steps: steps, CreatedAt: ago(3), Expires: noon().Add(time.Hour), Digest: strings.Repeat("ab", 32),
		Plan: dera.Plan{Partition: of.Partition, Account: of.Account, Region: of.Region, Resource: of.Resource},
	}
}

func TestOverview(t *testing.T) {
	t.Parallel()
	open := found("f-open", "111122223333", dera.Critical, dera.Review)
	open.Remediation = "r-wait"
	held := found("f-held", "111122223333", dera.High, dera.Review)
	held.WaitsFor = "r-wait"
	exempt := found("f-exempt", "111122223333", dera.Low, dera.Exempt)
	exempt.Reasons = []dera.Reason{{Guardrail: "exemption", Disposition: dera.Exempt, Ref: "lab@1"}}
	silent := found("f-silent", "111122223333", dera.High, dera.Review)
	silent.Remediation = "r-expired"
	away := found("f-away", "444455556666", dera.High, dera.Auto)
	away.LastSeen = ago(9)
	fixed := found("f-fixed", "111122223333", dera.High, dera.Auto)
	fixed.State, fixed.FirstSeen, fixed.Returns = dera.FindingResolved, ago(40), []time.Time{ago(6)}
	s := shelf{
		findings: []dera.Finding{open, held, exempt, silent, away, fixed},
		remediations: []dera.Remediation{
			made("r-wait", dera.Waiting, open), made("r-expired", dera.Expired, silent), made("r-over", dera.Expired, fixed),
			made("r-1", dera.Resolved, fixed, dera.Step{State: dera.Resolved, At: ago(5)}),
			made("r-2", dera.RolledBack, fixed, dera.Step{State: dera.Resolved, At: ago(20)}, dera.Step{State: dera.RolledBack, At: ago(2)}),
			made("r-3", dera.Failed, fixed, dera.Step{State: dera.Failed, At: ago(29)}),
			made("r-5", dera.Collateral, fixed, dera.Step{State: dera.Resolved, At: ago(12)}, dera.Step{State: dera.Collateral, At: ago(11)}),
			made("r-6", dera.Collateral, fixed, dera.Step{State: dera.Failed, At: ago(12)}, dera.Step{State: dera.Collateral, At: ago(11)}),
			made("r-4", dera.Failed, fixed, dera.Step{State: dera.Failed, At: ago(31)}),
		},
		stops: []dera.Stop{{Reason: "freeze", By: "ann"}},
	}
	v, err := app.Overviews{
		Store: s, Now: noon, Flags: " --config dera.yaml", Covered: func(f dera.Finding) bool { return f.Account != "444455556666" },
		Exemptions: []dera.Exemption{{ID: "lab", Owner: "ann", Expires: noon().AddDate(0, 0, 10)}, {ID: "far", Expires: noon().AddDate(0, 3, 0)}},
	}.Make(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if c := v.Open[0]; c.Severity != dera.Critical || c.Review != 1 || len(v.Open) != 4 {
		t.Errorf("open: got %+v, want one critical review", v.Open)
	}
	if c := v.Open[1]; c.Review != 2 || c.Auto != 1 {
		t.Errorf("high: got %+v, want 2 review, 1 auto and nothing that is resolved", c)
	}
	if len(v.Waiting) != 2 || v.Waiting[0].Remediation != "r-wait" || v.Waiting[1].State != dera.Expired {
		t.Fatalf("waiting: got %+v, want r-wait, then what nobody answered", v.Waiting)
	}
	if w := v.Waiting[0]; w.Command != "dera approve r-wait --digest abababababab --config dera.yaml" || len(w.Left) != 1 || w.Left[0].Finding != "f-held" || !w.Left[0].Undecided {
		t.Errorf("what waits: got %+v, want its command and what is decided after it", w)
	}
	if w := v.Waiting[1]; w.Command != "dera remediate f-silent --config dera.yaml" {
		t.Errorf("what nobody answered: got %q, want the command that has it asked again", w.Command)
	}
	week, month := v.Done[0], v.Done[1]
	if week.Fixed != 1 || week.RolledBack != 1 || week.Failed != 0 || month.Fixed != 3 || month.RolledBack != 1 || month.Failed != 1 {
		t.Errorf("done: got %+v and %+v, want 1, 1, 0 and 3, 1, 1: each counts once", week, month)
	}
	if week.ToFix == nil || *week.ToFix != 24*60*60 {
		t.Errorf("time to fix: got %v, want a day from when it came back", week.ToFix)
	}
	if len(v.Expiring) != 1 || v.Expiring[0].ID != "lab" || v.Expiring[0].Findings != 1 {
		t.Errorf("exemptions: got %+v, want lab with one finding", v.Expiring)
	}
	if len(v.NotRead) != 1 || !v.NotRead[0].Since.Equal(ago(9)) || len(v.Stops) != 1 {
		t.Errorf("not read: got %+v, stops %+v, want one of each", v.NotRead, v.Stops)
	}
	if len(v.Accounts) != 2 || v.Accounts[0].Account != "111122223333" || v.Accounts[0].Critical != 1 {
		t.Errorf("accounts: got %+v, want the one with a critical finding first", v.Accounts)
	}
	if len(v.Next) == 0 || v.Next[0].Command != "dera waiting --config dera.yaml" {
		t.Errorf("next: got %+v, want dera waiting first", v.Next)
	}
	empty, err := app.Overviews{Store: shelf{}, Now: noon}.Make(t.Context())
	if err != nil || empty.Next[0].Command != "dera scan" || empty.Waiting == nil || empty.Stops == nil || empty.Done[0].ToFix != nil {
		t.Errorf("nothing stored: got %+v, %v, want a scan next and empty lists", empty, err)
	}
}

// TestIntent: an exemption is proposed for what is meant to stay, by a named sign;
// that dera would ask is none.
func TestIntent(t *testing.T) {
	t.Parallel()
	since, until := ago(20), ago(6)
	later := noon().AddDate(0, 0, 6)
	review := func(guardrail, why, ref string) func(*dera.Finding) {
		return func(f *dera.Finding) {
			f.Reasons = append(f.Reasons, dera.Reason{Guardrail: guardrail, Disposition: dera.Review, Why: why, Ref: ref})
		}
	}
	no := &dera.Remediation{ID: "r-1", Approval: &dera.Approval{Approver: "ann", Reason: "the vendor"}}
	tests := []struct {
		name     string
		change   func(*dera.Finding)
		rejected *dera.Remediation
		until    *time.Time
		sign     string
	}{
		{name: "nothing_but_review", change: func(*dera.Finding) {}},
		{name: "would_be_fixed", change: func(f *dera.Finding) { f.Disposition = dera.Auto }},
		{name: "rejected", change: func(*dera.Finding) {}, rejected: no, sign: "ann rejected its plan (r-1): the vendor"},
		{name: "rejected_and_resolved", change: func(f *dera.Finding) { f.State = dera.FindingResolved }, rejected: no},
		{name: "exempt_already", change: func(f *dera.Finding) { f.Disposition = dera.Exempt }, rejected: no},
		{name: "rolled_back", change: func(f *dera.Finding) { f.RolledBack = 1 }, sign: "rolled its fix back"},
		{name: "declared", change: review("in-use", "bob declared that it is needed", "sg-1"), sign: "a declared dependency"},
		{name: "only_traffic", change: review("in-use", "traffic of the last days would be cut", "")},
		{name: "tag", change: review("exemption", "exempt by a tag", "lab@1"), sign: "a tag of it says so"},
		{name: "unreadable_list", change: func(f *dera.Finding) {
			f.Reasons = append(f.Reasons, dera.Reason{Guardrail: "exemption", Disposition: dera.Review, Error: true, Ref: "x"})
		}},
		{name: "opened_again", change: func(f *dera.Finding) { f.Returns, f.LastActor = []time.Time{ago(1)}, "eve" }, sign: "opened again after its fix (once, last at 2026-11-28 12:00:00Z, by eve)"},
		{name: "bastion_all_through", change: review("bastion", "its name looks so", ""), sign: "all through the observation"},
		{name: "bastion_still_observed", change: review("bastion", "its name looks so", ""), until: &later},
		{name: "bastion_that_came_later", change: func(f *dera.Finding) { review("bastion", "its name looks so", "")(f); f.FirstSeen = ago(5) }},
		{name: "no_plan", change: review("reversible", "there is no plan", "")},
		{name: "code", change: review("infrastructure-as-code", "Terraform owns it", "")},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := found("f-1", "111122223333", dera.High, dera.Review)
			tt.change(&f)
			end := &until
			if tt.until != nil {
				end = tt.until
			}
			got := app.Intent(f, tt.rejected, &since, end, noon())
			if tt.sign == "" && got != "" || !strings.Contains(got, tt.sign) {
				t.Errorf("got %q, want %q", got, tt.sign)
			}
		})
	}
}
