package iam_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"dera.example/dera/control"
	"dera.example/dera/resource"
	"dera.example/dera/services/iam"
)

// judgedOf is what is found of policies of a role that made one call of EC2 and one of IAM.
func judgedOf(t *testing.T, texts ...iam.Text) control.Result {
	t.Helper()
	from := time.Date(2026, 8, 31, 0, 0, 0, 0, time.UTC)
	call := func(source, name string) resource.Call {
		return resource.Call{Source: source + ".amazonaws.com", Name: name, Count: 3, First: from.AddDate(0, 0, 30), Last: from.AddDate(0, 0, 30)}
	}
	use := &resource.Use{From: from, To: from.AddDate(0, 0, 90), Calls: []resource.Call{call("ec2", "DescribeInstances"), call("iam", "ListUsers")}}
	s, err := iam.NewSubject(texts, []iam.Holder{{Kind: iam.RoleKind, ARN: "role/app", Name: "app", Use: use}}, 10240, control.Settings{})
	return iam.Unused(s, err, "the inline policies of role app")
}

// TestWidePolicies: a policy whose permissions no list can name is found, however it is
// written, and the finding says no more of it than is true.
func TestWidePolicies(t *testing.T) {
	t.Parallel()
	const nothing, all, most, pattern = "", "Policy that allows everything", "Policy that allows everything but a list of actions", "Policy that allows actions by a pattern of services"
	for name, tt := range map[string]struct{ statements, title, why string }{
		"star":                 {`{"Effect":"Allow","Action":"*","Resource":"*"}`, all, "2 actions were used"},
		"service_and_action":   {`{"Effect":"Allow","Action":"*:*","Resource":"*"}`, all, "2 actions were used"},
		"star_in_a_list":       {`{"Effect":"Allow","Action":["s3:GetObject","*"],"Resource":"*"}`, all, ""},
		"two_stars":            {`{"Effect":"Allow","Action":"**","Resource":"*"}`, all, "2 actions were used"},
		"two_stars_of_any":     {`{"Effect":"Allow","Action":"*:**","Resource":"*"}`, all, "2 actions were used"},
		"marks":                {`{"Effect":"Allow","Action":"*?:?*","Resource":"*"}`, all, ""},
		"over_entries":         {`{"Effect":"Allow","Action":[` + letters(`"`, `*:*"`) + `],"Resource":"*"}`, all, ""},
		"over_statements":      {`{"Effect":"Allow","Action":[` + letters(`"*:`, `*"`) + `],"Resource":"*"},{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}`, all, ""},
		"all_but_and_the_rest": {`{"Effect":"Allow","NotAction":"iam:*","Resource":"*"},{"Effect":"Allow","Action":"iam:*","Resource":"*"}`, all, ""},
		"all_but":              {`{"Effect":"Allow","NotAction":"iam:*","Resource":"*"}`, most, "1 action was used"},
		"all_but_a_pattern":    {`{"Effect":"Allow","NotAction":"*:Describe*","Resource":"*"}`, most, "2 actions were used"},
		"all_but_on_some":      {`{"Effect":"Allow","NotAction":"iam:*","Resource":"arn:aws:s3:::b"}`, most + ", on some resources", ""},
		"pattern":              {`{"Effect":"Allow","Action":"*:Describe*","Resource":"*"}`, pattern, "1 action was used"},
		"on_some":              {`{"Effect":"Allow","Action":"*","Resource":"arn:aws:s3:::b/*"}`, all + ", on some resources", ""},
		"not_on_some":          {`{"Effect":"Allow","Action":"*","NotResource":"arn:aws:s3:::b/*"}`, all + ", on some resources", ""},
		"under_conditions":     {`{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"Bool":{"aws:MultiFactorAuthPresent":"true"}}}`, all + ", under conditions", ""},
		"both":                 {`{"Effect":"Allow","Action":"*:**","Resource":"arn:aws:s3:::b","Condition":{"Bool":{"aws:MultiFactorAuthPresent":"true"}}}`, all + ", on some resources and under conditions", ""},
		"some_and_all":         {`{"Effect":"Allow","Action":"*","Resource":"arn:aws:s3:::b"},{"Effect":"Allow","Action":"*","Resource":"*"}`, all, ""},
		"denied":               {`{"Effect":"Allow","Action":"*","Resource":"*"},{"Effect":"Deny","Action":"iam:*","Resource":"*"}`, all + ", apart from what it denies", ""},
		"listed":               {`{"Effect":"Allow","Action":["ec2:DescribeInstances","iam:ListUsers"],"Resource":"*"}`, nothing, ""},
		"one_service":          {`{"Effect":"Allow","Action":"madeup:*","Resource":"*"}`, nothing, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text := iam.Text{Name: "arn:aws:iam::111122223333:policy/big", Whole: iam.UnusedAttachedKey + "big", Document: `{"Version":"2012-10-17","Statement":[` + tt.statements + `]}`}
			res := judgedOf(t, text)
			if tt.title == "" {
				if len(res.Failures) > 0 {
					t.Errorf("got %+v, want no finding", res)
				}
				return
			}
			if len(res.Failures) != 1 || res.Failures[0].Title != tt.title || !strings.Contains(res.Failures[0].Why, tt.why) || res.Failures[0].Granted != nil {
				t.Fatalf("got %+v, want %q, of which %q and no count", res, tt.title, tt.why)
			}
			text.Whole = ""
			res = judgedOf(t, text)
			if res.Outcome != control.UnknownResult || slices.ContainsFunc(res.Failures, func(f control.Failure) bool { return strings.Contains(f.Why, "big") }) {
				t.Errorf("as a policy that is narrowed: got %+v, want unknown", res)
			}
		})
	}
}

// letters writes an entry for each letter.
func letters(before, after string) string {
	var out []string
	for c := 'a'; c <= 'z'; c++ {
		out = append(out, before+string(c)+after)
	}
	return strings.Join(out, ",")
}

// TestNumbersBesideAllBut: a policy that allows everything but a list is in no count of
// what is allowed, and the finding says so.
func TestNumbersBesideAllBut(t *testing.T) {
	t.Parallel()
	res := judgedOf(t,
		iam.Text{Name: "big", Document: `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","NotAction":"athena:*","Resource":"*"}]}`},
		iam.Text{Name: "own", Document: `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["ec2:DescribeInstances","athena:ListWorkGroups"],"Resource":"*"}]}`})
	if len(res.Failures) != 1 || res.Failures[0].Granted.Granted != 2 || res.Failures[0].Granted.Used != 1 || res.Failures[0].Granted.Unused != 1 {
		t.Fatalf("got %+v, want 2 granted, 1 used, 1 unused", res)
	}
	why := res.Failures[0].Why
	if want := "Policy big is not counted in these: it allows everything but a list of actions."; !strings.Contains(why, want) {
		t.Errorf("got %q, want one that says %q", why, want)
	}
	if strings.Contains(why, "still granted by big") {
		t.Errorf("got %q, want nothing that the list of big takes out", why)
	}
}
