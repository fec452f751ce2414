package role_test

import (
	"strings"
	"testing"
	"time"

	"dera.example/dera"
	"dera.example/dera/control"
	"dera.example/dera/evaluate"
	"dera.example/dera/iam/policy"
	"dera.example/dera/resource"
	"dera.example/dera/services/iam"
	"dera.example/dera/services/iam/iamtest"
	"dera.example/dera/services/iam/role"
	"dera.example/dera/services/iam/trust"
)

const (
	trustsTwo = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root","Service":"ec2.amazonaws.com"},"Action":["sts:AssumeRole","sts:TagSession"]},` +
		`{"Effect":"Allow","Principal":{"Federated":"arn:aws:iam::111122223333:saml-provider/corp"},"Action":"sts:AssumeRoleWithSAML"}]}`
	deniesAll = `,{"Effect":"Deny","Principal":"*","Action":["sts:AssumeRole","sts:AssumeRoleWithSAML"]}]}`
)

func idle() *role.Role {
	days, to := 400, time.Date(2026, 11, 29, 0, 0, 0, 0, time.UTC)
	return &role.Role{
		Identity: iam.Identity{Name: "app", Path: "/team/", Created: to.AddDate(-2, 0, 0)}, Account: "111122223333", Trust: trustsTwo, Age: 730, Idle: &days,
		Use: &resource.Use{From: to.AddDate(0, 0, -90), To: to},
	}
}

// TestUnusedIsProved: all claims are proved of the plan, and a plan of which one does not hold
// is not.
func TestUnusedIsProved(t *testing.T) {
	t.Parallel()
	with := func(statements string) string { return strings.TrimSuffix(trustsTwo, "]}") + statements }
	c := role.Unused()
	for name, tc := range map[string]struct {
		after  string // "" for that of the plan
		change func(r *role.Role)
		claim  string // that is not proved; "" for none
		want   dera.Verdict
	}{
		"plan":                     {"", nil, "", dera.Proved},
		"written_otherwise":        {with(deniesAll), nil, "", dera.Proved},
		"one_action_is_left":       {with(strings.Replace(deniesAll, `,"sts:AssumeRoleWithSAML"`, "", 1)), nil, "finding_gone", dera.Refuted},
		"under_a_condition":        {with(strings.Replace(deniesAll, `"Effect"`, `"Condition":{"Bool":{"aws:SecureTransport":"false"}},"Effect"`, 1)), nil, "finding_gone", dera.Refuted},
		"an_account_alone":         {with(strings.Replace(deniesAll, `"*"`, `{"AWS":"arn:aws:iam::111122223333:root"}`, 1)), nil, "finding_gone", dera.Refuted},
		"all_but_one":              {with(strings.Replace(deniesAll, `"Principal":"*"`, `"NotPrincipal":{"AWS":"arn:aws:iam::111122223333:root"}`, 1)), nil, "finding_gone", dera.Refuted},
		"tags_of_sessions_go_too":  {with(strings.Replace(deniesAll, `["sts:AssumeRole"`, `["sts:TagSession","sts:AssumeRole"`, 1)), nil, "nothing_else_lost", dera.Refuted},
		"somebody_may_tag":         {with(`,{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::999900001111:root"},"Action":"sts:TagSession"}` + deniesAll), nil, "nothing_new", dera.Refuted},
		"nothing_is_recorded":      {"", func(r *role.Role) { r.Use = nil }, "recorded_calls", dera.Unknown},
		"the_record_has_a_gap":     {"", func(r *role.Role) { r.Use.Gaps = []resource.Gap{{Kind: "hours-missing"}} }, "recorded_calls", dera.Unknown},
		"the_record_is_short":      {"", func(r *role.Role) { r.Use.From = r.Use.From.AddDate(0, 0, 1) }, "recorded_calls", dera.Unknown},
		"a_call_is_recorded":       {"", func(r *role.Role) { r.Use.Seen = r.Use.To.AddDate(0, 0, -90) }, "recorded_calls", dera.Refuted},
		"a_call_of_long_before":    {"", func(r *role.Role) { r.Use.Seen = r.Use.To.AddDate(0, 0, -91) }, "", dera.Proved},
		"nobody_says_how_long":     {"", func(r *role.Role) { r.Idle = nil }, "recorded_calls", dera.Unknown},
		"iam_saw_it_lately":        {"", func(r *role.Role) { *r.Idle = 89 }, "recorded_calls", dera.Refuted},
		"nobody_could_before":      {"", func(r *role.Role) { r.Trust = with(deniesAll) }, "finding_gone", dera.Unknown},
		"data_events_are_left_out": {"", func(r *role.Role) { r.Use.Gaps = []resource.Gap{{Kind: resource.GapOfDataEvents}} }, "", dera.Proved},
	} {
		r := idle()
		if tc.change != nil {
			tc.change(r)
		}
		x, failures := laws().Resource(r), []control.Failure{{Key: trust.Unused}}
		plan, refusal, err := c.Plan(x, failures, control.Settings{})
		if tc.after != "" {
			var change dera.Change
			if change, err = r.SetTrust(tc.after); err == nil {
				plan.Changes = []dera.Change{change}
			}
		}
		if err != nil || refusal != nil {
			t.Errorf("%s: plan: %v, %v", name, err, refusal)
			continue
		}
		ev, err := c.Prove(x, failures, plan, control.Settings{})
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for _, claim := range ev.Claims {
			want := dera.Proved
			if claim.Name == tc.claim {
				want = tc.want
			}
			if claim.Verdict != want {
				t.Errorf("%s: %s is %s (%s), want %s", name, claim.Name, claim.Verdict, claim.Witness, want)
			}
		}
		if ev.Proved() != (tc.claim == "") || ev.Denied != "sts:AssumeRole on arn:aws:iam::111122223333:role/app by anybody" {
			t.Errorf("%s: proved %t, denied %q", name, ev.Proved(), ev.Denied)
		}
	}
}

// TestUnusedIsGuarded: to let nobody assume a role takes all that it may do, so that the
// guardrails of permissions hold, by what IAM says of its use; for the other controls on the
// role how long it was not used says nothing.
func TestUnusedIsGuarded(t *testing.T) {
	t.Parallel()
	saturday := time.Date(2026, 11, 28, 10, 0, 0, 0, time.UTC)
	now := func() time.Time { return saturday }
	quiet, err := evaluate.NewQuiet(evaluate.QuietHours{}, now)
	if err != nil {
		t.Fatal(err)
	}
	const arn = "arn:aws:iam::111122223333:role/team/app"
	every := func(days int) evaluate.Scheduled {
		return evaluate.Scheduled{Now: now, Declared: []evaluate.Schedule{{Principal: arn, Days: days, Owner: "ops", Reason: "audit"}}}
	}
	for name, tc := range map[string]struct {
		rail          evaluate.Guardrail
		stops, others dera.Disposition
	}{
		"on_a_weekend":    {quiet, dera.Review, dera.Auto},
		"every_two_years": {every(732), dera.Review, dera.Auto},
		"every_year":      {every(366), dera.Auto, dera.Auto},
		"deploys":         {evaluate.SelfRepair{Principals: []string{arn}}, dera.Review, dera.Auto},
		"at_work":         {evaluate.ActiveSession{Now: now}, dera.Review, dera.Auto},
		"not_recorded":    {evaluate.UsageRecord{Now: now}, dera.Auto, dera.Auto},
		"break_glass":     {evaluate.BreakGlass{Principals: []string{arn}}, dera.Exempt, dera.Exempt},
		"own":             {evaluate.Own{Resources: dera.NewPrincipals([]string{arn})}, dera.Alert, dera.Alert},
	} {
		r := idle()
		r.Use.Seen = saturday.Add(-time.Hour)
		x := dera.Resource{ARN: arn, Partition: "aws", Account: r.Account, Region: dera.GlobalRegion, Type: role.Name, ID: "app", Name: "app", Config: r}
		for stops, want := range map[bool]dera.Disposition{true: tc.stops, false: tc.others} {
			c := evaluate.Case{Stops: stops, Finding: dera.Finding{Resource: x.ARN, Key: trust.Unused}, Resource: x, Type: role.Type()}
			if got, err := tc.rail.Check(t.Context(), c); err != nil || got.Disposition != want {
				t.Errorf("%s, stops %t: got %s %q, %v, want %s", name, stops, got.Disposition, got.Why, err, want)
			}
		}
		// The plan of another control is judged by the window, not by how long the role was not used.
		c := evaluate.Case{Finding: dera.Finding{Resource: x.ARN, Permissions: []string{"s3:GetObject"}}, Resource: x, Type: role.Type()}
		if got, err := every(100).Check(t.Context(), c); err != nil || got.Disposition != dera.Review {
			t.Errorf("unused permissions of a role that runs every 100 days: got %s, %v, want review", got.Disposition, err)
		}
	}
}

// TestPeer_unused: after each plan of the cases nobody whom the trust policy names may assume
// the role, as an evaluator says that dera did not write.
func TestPeer_unused(t *testing.T) {
	t.Parallel()
	p, c := iamtest.NewPeer(t), role.Unused()
	for _, k := range laws().Read(t, c, "unused.txtar") {
		res, err := c.Check(k.Resource, k.Settings)
		if err != nil {
			t.Fatal(err)
		}
		plan, refusal, err := c.Plan(k.Resource, res.Failures, k.Settings)
		if len(res.Failures) == 0 || refusal != nil || err != nil {
			continue
		}
		config, err := role.Type().ApplyPlan(k.Resource.Config, plan)
		if err != nil {
			t.Fatal(err)
		}
		before, after := k.Resource.Config.(*role.Role).Trust, config.(*role.Role).Trust
		if doc, err := policy.Parse(after); err != nil || !trust.Closed(doc) {
			t.Errorf("%s: %v, or somebody may assume the role by %s", k.Name, err, after)
		}
		for _, account := range accountsOf(t, before) {
			p.Trust(k.Name, "arn:aws:iam::"+account+":role/x", before, after, false)
		}
	}
	p.Done([3]int{7, 0, 5})
}
