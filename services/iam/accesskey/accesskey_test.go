package accesskey_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dera.example/dera"
	"dera.example/dera/cloudtrail"
	"dera.example/dera/evaluate"
	"dera.example/dera/resource"
	"dera.example/dera/services/iam"
	"dera.example/dera/services/iam/accesskey"
)

// TestHints: a call names the key and its user; one that names no user is about the
// caller's own key, which of the root user is none of this type.
func TestHints(t *testing.T) {
	t.Parallel()
	const id, user = "AKIAIOSFODNN7EXAMPLE", "arn:aws:iam::111122223333:user/staff/ann"
	watch := cloudtrail.NewWatch(accesskey.Events())
	for name, tc := range map[string]struct {
		call, request, response string
		caller                  cloudtrail.Caller
		want                    string // "" for a sweep, - for nothing
	}{
		"updated":           {"UpdateAccessKey", `{"userName":"ann","accessKeyId":"` + id + `","status":"Active"}`, "null", cloudtrail.Caller{}, "ann#" + id},
		"deleted_by_root":   {"DeleteAccessKey", `{"userName":"ann","accessKeyId":"` + id + `"}`, "null", cloudtrail.Caller{Type: "Root"}, "ann#" + id},
		"made":              {"CreateAccessKey", `{"userName":"ann"}`, `{"accessKey":{"userName":"ann","accessKeyId":"` + id + `","status":"Active"}}`, cloudtrail.Caller{}, "ann#" + id},
		"made_unreported":   {"CreateAccessKey", `{"userName":"ann"}`, "null", cloudtrail.Caller{}, ""},
		"own":               {"UpdateAccessKey", `{"accessKeyId":"` + id + `"}`, "null", cloudtrail.Caller{Type: "IAMUser", ARN: user}, "ann#" + id},
		"own_of_root":       {"DeleteAccessKey", `{"accessKeyId":"` + id + `"}`, "null", cloudtrail.Caller{Type: "Root"}, "-"},
		"made_of_root":      {"CreateAccessKey", "null", `{"accessKey":{"accessKeyId":"` + id + `","status":"Active"}}`, cloudtrail.Caller{Type: "Root"}, "-"},
		"nobody_is_named":   {"UpdateAccessKey", `{"accessKeyId":"` + id + `"}`, "null", cloudtrail.Caller{Type: "AssumedRole"}, ""},
		"name_elided":       {"UpdateAccessKey", `{"userName":"...","accessKeyId":"` + id + `"}`, "null", cloudtrail.Caller{}, ""},
		"no_key_at_all":     {"UpdateAccessKey", `{"userName":"ann","accessKeyId":"..."}`, "null", cloudtrail.Caller{}, ""},
		"key_with_a_slash":  {"UpdateAccessKey", `{"userName":"ann","accessKeyId":"` + id + `/x"}`, "null", cloudtrail.Caller{}, ""},
		"user_with_a_slash": {"UpdateAccessKey", `{"userName":"ann/x","accessKeyId":"` + id + `"}`, "null", cloudtrail.Caller{}, ""},
	} {
		r := cloudtrail.Record{Source: iam.Source, Name: tc.call, Account: "111122223333", Region: "us-east-1", Partition: "aws", Request: []byte(tc.request), Response: []byte(tc.response), Caller: tc.caller}
		want := []dera.Scope{{Partition: "aws", Account: "111122223333", Region: dera.GlobalRegion, Type: accesskey.Name}}
		switch tc.want {
		case "":
		case "-":
			want = nil
		default:
			want[0].IDs = []string{tc.want}
		}
		if d := cmp.Diff(want, watch.Hints(r)); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
}

// TestGuardrailsKnowTheUser: whoever is on the break-glass list, or is dera's own, is so
// with the access keys.
func TestGuardrailsKnowTheUser(t *testing.T) {
	t.Parallel()
	const user = "arn:aws:iam::111122223333:user/staff/ann"
	saturday := time.Date(2026, 11, 28, 10, 0, 0, 0, time.UTC)
	now := func() time.Time { return saturday }
	quiet, err := evaluate.NewQuiet(evaluate.QuietHours{}, now)
	if err != nil {
		t.Fatal(err)
	}
	every := func(days int) evaluate.Scheduled {
		return evaluate.Scheduled{Now: now, Declared: []evaluate.Schedule{{Principal: user, Days: days, Owner: "ops", Reason: "audit"}}}
	}
	for name, tc := range map[string]struct {
		rail evaluate.Guardrail
		want dera.Disposition
	}{
		"break_glass":            {evaluate.BreakGlass{Principals: []string{user}}, dera.Exempt},
		"break_glass_by_glob":    {evaluate.BreakGlass{Principals: []string{"arn:aws:iam::*:user/staff/*"}}, dera.Exempt},
		"break_glass_of_another": {evaluate.BreakGlass{Principals: []string{user + "a"}}, dera.Auto},
		"own":                    {evaluate.Own{Resources: dera.NewPrincipals([]string{user})}, dera.Alert},
		"own_of_another":         {evaluate.Own{Resources: dera.NewPrincipals([]string{"arn:aws:iam::111122223333:user/dera"})}, dera.Auto},
		"bastion":                {evaluate.Bastion{Names: []string{"ann"}}, dera.Review},
		"on_a_weekend":           {quiet, dera.Review},
		"every_two_years":        {every(732), dera.Review},
		"every_year":             {every(366), dera.Auto},
		"at_work":                {evaluate.ActiveSession{Now: now}, dera.Review},
		"deploys":                {evaluate.SelfRepair{Principals: []string{user}}, dera.Review},
		"nobody_uses_it":         {evaluate.ActiveSession{Now: now, Within: time.Minute}, dera.Auto},
		"not_recorded":           {evaluate.UsageRecord{}, dera.Auto},
		"not_brought_back":       {evaluate.Flapping{Now: time.Now}, dera.Auto},
	} {
		k := &accesskey.Key{User: "ann", ID: "AKIAIOSFODNN7EXAMPLE", Status: accesskey.Active, Age: 700, Idle: 400, Record: &resource.Use{To: saturday, Seen: saturday.Add(-time.Hour)}}
		r := dera.Resource{ARN: accesskey.ARNOf(user, k.ID), Partition: "aws", Account: "111122223333", Region: dera.GlobalRegion, Type: accesskey.Name, ID: "ann#" + k.ID, Name: "ann", Config: k}
		c := evaluate.Case{Stops: true, Finding: dera.Finding{Resource: r.ARN, Key: "status", Control: "iam-accesskey-unused"}, Resource: r, Type: accesskey.Type()}
		if got, err := tc.rail.Check(t.Context(), c); err != nil || got.Disposition != tc.want {
			t.Errorf("%s: got %s, %v, want %s", name, got.Disposition, err, tc.want)
		}
		c.Finding.Returns = []time.Time{time.Now().AddDate(-1, 0, 0)}
		if got, err := (evaluate.Flapping{Now: time.Now}).Check(t.Context(), c); err != nil || got.Disposition != dera.Review {
			t.Errorf("a key that somebody made active again: got %s, %v, want review", got.Disposition, err)
		}
	}
}
