package evaluate

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"dera.example/dera"
	"dera.example/dera/resource"
)

// TestThreats: what answers a threat is automatic only where an entry of the configuration is
// about its type, its severity and its place.
func TestThreats(t *testing.T) {
	t.Parallel()
	list := []Threat{
		{"CryptoCurrency:EC2/*", "high", false, Where{OU: "sandbox"}},
		{"UnauthorizedAccess:IAMUser/*", "medium", true, Where{Account: "111122223333", ResourceTags: map[string]string{"tier": "test"}}},
		{"Impact:IAMUser/*", "medium", false, Where{Account: "111122223333"}},
	}
	const coins, tor = "CryptoCurrency:EC2/BitcoinTool.B!DNS", "UnauthorizedAccess:IAMUser/TorIPCaller"
	test := map[string]string{"tier": "test"}
	for name, tc := range map[string]struct {
		key      string
		severity dera.Severity
		ou       string
		tags     map[string]string
		threat   bool
		list     []Threat
		want     dera.Disposition
	}{
		"declared":              {coins, dera.High, "sandbox", nil, true, list, dera.Auto},
		"worse_than_declared":   {coins, dera.Critical, "sandbox", nil, true, list, dera.Auto},
		"less_than_declared":    {coins, dera.Medium, "sandbox", nil, true, list, dera.Review},
		"another_ou":            {coins, dera.High, "production", nil, true, list, dera.Review},
		"no_ou":                 {coins, dera.High, "", nil, true, list, dera.Review},
		"another_type":          {"Trojan:EC2/DropPoint", dera.High, "sandbox", nil, true, list, dera.Review},
		"by_tag":                {tor, dera.Medium, "", test, true, list, dera.Auto},
		"without_the_tag":       {tor, dera.Medium, "", nil, true, list, dera.Review},
		"data_is_unseen":        {"Impact:IAMUser/AnomalousBehavior", dera.High, "", test, true, list, dera.Review},
		"nothing_is_declared":   {coins, dera.Critical, "sandbox", nil, true, nil, dera.Review},
		"no_threat":             {"status", dera.High, "", nil, false, nil, dera.Auto},
		"severity_is_nonsense":  {coins, dera.High, "sandbox", nil, true, []Threat{{coins, "7", false, Where{OU: "*"}}}, dera.Disposition(-1)},
		"the_other_entry_is_no": {tor, dera.High, "sandbox", nil, true, list, dera.Review},
	} {
		c := Case{
			Threat: tc.threat, Finding: dera.Finding{Key: tc.key, Severity: tc.severity, Account: "111122223333"},
			Account: dera.Account{ID: "111122223333", OU: tc.ou}, Resource: dera.Resource{Tags: tc.tags},
		}
		got, err := Threats{tc.list}.Check(t.Context(), c)
		if bad := tc.want < dera.Auto; bad && err == nil || !bad && (err != nil || got.Disposition != tc.want) {
			t.Errorf("%s: got %+v, %v, want %v", name, got, err, tc.want)
		}
	}
	if err := (Threats{list}).Validate(); err != nil {
		t.Errorf("a good list: got %v", err)
	}
	err := Threats{[]Threat{{"coins", "7", false, Where{Control: "ec2-*"}}}}.Validate()
	// Whoever can tag an instance does not say by it that it may be cut off.
	if err := (Threats{[]Threat{{coins, "high", false, Where{ResourceTags: test}}}}).Validate(); err == nil || !strings.Contains(err.Error(), "resource_tags may only narrow") {
		t.Errorf("an entry by the tags of the resource alone: got %v, want a fault", err)
	}
	for _, field := range []string{"threats.automatic[0].type", "threats.automatic[0].severity", "threats.automatic[0].match"} {
		if err == nil || !strings.Contains(err.Error(), field) {
			t.Errorf("got %v, want a fault of %s", err, field)
		}
	}
}

// TestKeptChange: a change that is kept on purpose needs no undo beside one that has it, and
// makes no plan alone.
func TestKeptChange(t *testing.T) {
	t.Parallel()
	kept := dera.Change{Operation: "ec2:CreateSnapshots", Kept: true, After: json.RawMessage(`{}`)}
	for name, tc := range map[string]struct {
		change func(*Case)
		want   dera.Disposition
	}{
		"beside_another": {func(c *Case) { c.Plan.Changes = append([]dera.Change{kept}, c.Plan.Changes...) }, dera.Auto},
		"alone":          {func(c *Case) { c.Plan.Changes = []dera.Change{kept} }, dera.Review},
		"beside_one_without": {func(c *Case) {
			c.Plan.Changes = append([]dera.Change{kept}, c.Plan.Changes...)
			c.Plan.Changes[1].Undo = nil
		}, dera.Review},
	} {
		c := caseOf(nil)
		tc.change(&c)
		if got, err := (Reversible{}).Check(t.Context(), c); err != nil || got.Disposition != tc.want {
			t.Errorf("%s: got %+v, %v, want %v", name, got, err, tc.want)
		}
	}
}

// TestAttackerIsAtWork: that a principal is in use is no objection where the finding is about
// that use; of any other finding it is.
func TestAttackerIsAtWork(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 30, 4, 0, 0, 0, time.UTC)
	typ := resource.Type{Principals: func(any) []resource.Principal {
		return []resource.Principal{{ARN: "arn:aws:iam::111122223333:user/ann", Use: &resource.Use{To: now, Seen: now}}}
	}}
	for threat, want := range map[bool]dera.Disposition{true: dera.Auto, false: dera.Review} {
		c := Case{Type: typ, Stops: true, Threat: threat, Resource: dera.Resource{Config: 1}}
		if got, err := (ActiveSession{Now: func() time.Time { return now }}).Check(t.Context(), c); err != nil || got.Disposition != want {
			t.Errorf("threat %t: got %+v, %v, want %v", threat, got, err, want)
		}
	}
}
