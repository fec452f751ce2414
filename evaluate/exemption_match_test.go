package evaluate

import (
	"testing"
	"time"

	"dera.example/dera"
)

func TestExemptions_match(t *testing.T) {
	t.Parallel()
	const group = "arn:aws:ec2:eu-west-1:012345678901:security-group/sg-0123"
	finding := dera.Finding{Control: "ec2-securitygroup-admin-ports-open", Account: "012345678901", Region: "eu-west-1", Resource: group, Key: "tcp/22"}
	account := dera.Account{ID: "012345678901", OU: "ou-prod"}
	bucket := finding
	bucket.Resource = "arn:aws:s3:::web"
	for name, tc := range map[string]struct {
		match   string
		finding *dera.Finding
		account *dera.Account
		tags    map[string]string
		now     time.Time
		want    bool
		byTag   bool
	}{
		"control":                  {match: "{controls: [ec2-securitygroup-admin-ports-open]}", want: true},
		"control_glob":             {match: `{controls: ["ec2-securitygroup-*"]}`, want: true},
		"other_control":            {match: "{controls: [ec2-securitygroup-web-ports-open]}"},
		"one_of_the_controls":      {match: "{controls: [ec2-securitygroup-web-ports-open, ec2-securitygroup-admin-ports-open]}", want: true},
		"account":                  {match: `{accounts: ["012345678901"]}`, want: true},
		"other_account":            {match: `{accounts: ["999999999999"]}`},
		"ou":                       {match: "{ous: [ou-prod]}", want: true},
		"ou_glob":                  {match: `{ous: ["ou-*"]}`, want: true},
		"other_ou":                 {match: "{ous: [ou-dev]}"},
		"ou_of_another_account":    {match: "{ous: [ou-prod]}", account: &dera.Account{ID: "999999999999", OU: "ou-prod"}},
		"account_without_ou":       {match: `{ous: ["*"], keys: [tcp/22]}`, account: &dera.Account{ID: "012345678901"}},
		"resource":                 {match: "{resources: ['" + group + "']}", want: true},
		"resource_glob":            {match: `{resources: ["arn:aws:ec2:*:012345678901:security-group/*"]}`, want: true},
		"resource_other_region":    {match: `{resources: ["arn:aws:ec2:us-*:012345678901:security-group/*"]}`},
		"resource_without_account": {match: `{resources: ["arn:aws:s3:::w*"]}`, finding: &bucket, want: true},
		"star_stays_in_its_part": {
			match:   `{resources: ["arn:aws:ec2:*:111111111111:security-group/*"]}`,
			finding: &dera.Finding{Account: "222222222222", Resource: "arn:aws:ec2:eu-west-1:222222222222:x:111111111111:security-group/y"},
		},
		"key":               {match: "{keys: [tcp/22]}", want: true},
		"other_key":         {match: "{keys: [tcp/3389]}"},
		"all_must_fit":      {match: `{controls: [ec2-securitygroup-admin-ports-open], accounts: ["999999999999"]}`},
		"all_fit":           {match: `{controls: ["*"], accounts: ["012345678901"], ous: ["*"], resources: ["*"], keys: ["tcp/*"]}`, want: true},
		"tag":               {match: "{tags: {exempt: yes-please}}", tags: map[string]string{"exempt": "yes-please"}, want: true, byTag: true},
		"tag_glob":          {match: `{tags: {exempt: "*"}}`, tags: map[string]string{"exempt": ""}, want: true, byTag: true},
		"tag_other_value":   {match: "{tags: {exempt: a}}", tags: map[string]string{"exempt": "b"}},
		"tag_absent":        {match: `{tags: {exempt: "*"}}`},
		"tag_and_control":   {match: "{controls: [ec2-securitygroup-admin-ports-open], tags: {a: b}}", tags: map[string]string{"a": "b"}, want: true, byTag: true},
		"last_moment":       {match: "{keys: [tcp/22]}", now: time.Date(2026, 12, 31, 23, 59, 59, 0, time.UTC), want: true},
		"lapsed":            {match: "{keys: [tcp/22]}", now: time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)},
		"wildcard_question": {match: `{keys: ["tcp/2?"]}`, want: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			list, err := ExemptionConfig{Now: exemptionNow}.Parse("exemptions.yaml", []byte(matching(tc.match)))
			if err != nil {
				t.Fatal(err)
			}
			f, a, now := finding, account, exemptionNow
			if tc.finding != nil {
				f = *tc.finding
			}
			if tc.account != nil {
				a = *tc.account
			}
			if !tc.now.IsZero() {
				now = tc.now
			}
			got, byTag := list.Match(f, a, tc.tags, now)
			if (got != nil) != tc.want || byTag != tc.byTag {
				t.Errorf("got %+v, by tag %t, want match %t, by tag %t", got, byTag, tc.want, tc.byTag)
			}
		})
	}
}

func TestExemptions_match_prefers_what_needs_no_tag(t *testing.T) {
	t.Parallel()
	text := `version: 1
exemptions:
  - {id: lapsed, match: {keys: [tcp/22]}, owner: ann, reason: a test, expires: 2020-01-01}
  - {id: by-tag, match: {tags: {a: b}}, owner: ann, reason: a test, expires: 2026-12-31}
  - {id: by-tag-too, match: {tags: {a: "*"}}, owner: ann, reason: a test, expires: 2026-12-31}
  - {id: by-key, match: {keys: [tcp/22]}, owner: ann, reason: a test, expires: 2026-12-31}
`
	list, err := ExemptionConfig{Now: exemptionNow}.Parse("exemptions.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	tags := map[string]string{"a": "b"}
	if got, byTag := list.Match(dera.Finding{Key: "tcp/22"}, dera.Account{}, tags, exemptionNow); got == nil || got.ID != "by-key" || byTag {
		t.Errorf("got %+v, by tag %t, want by-key", got, byTag)
	}
	got, byTag := list.Match(dera.Finding{Key: "tcp/80"}, dera.Account{}, tags, exemptionNow)
	if got == nil || got.ID != "by-tag" || !byTag {
		t.Fatalf("got %+v, by tag %t, want by-tag", got, byTag)
	}
	got.ID = "changed"
	if again, _ := list.Match(dera.Finding{Key: "tcp/80"}, dera.Account{}, tags, exemptionNow); again.ID != "by-tag" {
		t.Errorf("got %q, want the list untouched by its readers", again.ID)
	}
}

func TestExemptions_match_without_a_field_covers_nothing(t *testing.T) {
	t.Parallel()
	if exemptionCovers(dera.ExemptionMatch{}, dera.Finding{}, dera.Account{}, nil) {
		t.Error("got a match of nothing that covers a finding")
	}
}

// TestExemptionOfRenamedControl: an exemption that names the ID of before, or fits it
// by a glob, goes on to exempt.
func TestExemptionOfRenamedControl(t *testing.T) {
	t.Parallel()
	for before, now := range dera.RenamedControls() {
		for _, pattern := range []string{before, before[:len(before)-3] + "*"} {
			list, err := ExemptionConfig{Now: exemptionNow}.Parse("exemptions.yaml", []byte(matching(`{controls: ["`+pattern+`"]}`)))
			if err != nil {
				t.Fatal(err)
			}
			if got, _ := list.Match(dera.Finding{Control: now}, dera.Account{}, nil, exemptionNow); got == nil {
				t.Errorf("%s does not exempt from %s", pattern, now)
			}
			if got, _ := list.Match(dera.Finding{Control: "another-control-at-all"}, dera.Account{}, nil, exemptionNow); got != nil {
				t.Errorf("%s exempts from everything", pattern)
			}
		}
	}
}
