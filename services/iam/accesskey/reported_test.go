package accesskey_test

import (
	"slices"
	"testing"
	"time"

	"dera.example/dera/resource"
	"dera.example/dera/services/iam/accesskey"
)

// TestQuietBefore: only a whole record without any call of the user in the days before the first
// threat shows that nobody else uses the key.
func TestQuietBefore(t *testing.T) {
	t.Parallel()
	first := time.Date(2026, 11, 20, 8, 0, 0, 0, time.UTC)
	day := func(n int) time.Time { return first.AddDate(0, 0, n) }
	whole := resource.Use{From: day(-60), To: day(1)}
	with := func(calls ...resource.Call) resource.Use {
		u := whole
		u.Calls = calls
		return u
	}
	for name, tc := range map[string]struct {
		use  resource.Use
		age  int
		list []resource.Threat
		want bool
	}{
		"no_calls":                     {whole, 700, nil, true},
		"of_the_attacker":              {with(resource.Call{First: first, Last: day(1), Count: 3}), 700, nil, true},
		"long_ago":                     {with(resource.Call{First: day(-300), Last: day(-15), Count: 3}), 700, nil, true},
		"the_week_before":              {with(resource.Call{First: day(-7), Last: day(-7), Count: 1}), 700, nil, false},
		"before_and_since":             {with(resource.Call{First: day(-300), Last: day(1), Count: 9}), 700, nil, false},
		"denied_the_week_before":       {with(resource.Call{Denied: 1, LastDenied: day(-7)}), 700, nil, false},
		"with_a_gap":                   {resource.Use{From: day(-60), To: day(1), Gaps: []resource.Gap{{Kind: "x"}}}, 700, nil, false},
		"data_events_are_never_whole":  {resource.Use{From: day(-60), To: day(1), Gaps: []resource.Gap{{Kind: resource.GapOfDataEvents}}}, 700, nil, true},
		"record_begins_too_late":       {resource.Use{From: day(-13), To: day(1)}, 700, nil, false},
		"record_ends_too_early":        {resource.Use{From: day(-60), To: day(-1)}, 700, nil, false},
		"no_record":                    {resource.Use{}, 700, nil, false},
		"new_key":                      {whole, 5, nil, false},
		"first_of_a_threat_not_known":  {whole, 700, []resource.Threat{{ID: "1"}}, false},
		"the_earliest_threat_counts":   {with(resource.Call{First: day(-20), Last: day(-20), Count: 1}), 700, []resource.Threat{{ID: "1", First: first}, {ID: "2", First: day(-10)}}, false},
		"no_threat_is_nothing_to_show": {whole, 700, []resource.Threat{}, false},
	} {
		list := tc.list
		if list == nil {
			list = []resource.Threat{{ID: "1", First: first}}
		}
		k := &accesskey.Key{Age: tc.age, Threats: &resource.Threats{Detectors: 1, List: list}}
		if got := k.QuietBefore(tc.use); got != tc.want {
			t.Errorf("%s: got %t, want %t", name, got, tc.want)
		}
		k.Threats.Without = []string{"denied"}
		if k.QuietBefore(tc.use) {
			t.Errorf("%s: got quiet although a region could not be read", name)
		}
	}
	if (&accesskey.Key{Age: 700}).QuietBefore(whole) {
		t.Error("got quiet although no threats are known")
	}
}

// TestIs: a threat is about the key that GuardDuty names with its user, and about no other key
// and no session.
func TestIs(t *testing.T) {
	t.Parallel()
	k := &accesskey.Key{User: "ann", ID: "AKIAIOSFODNN7EXAMPLE"}
	for name, tc := range map[string]struct {
		threat resource.Threat
		want   bool
	}{
		"the_key":           {resource.Threat{User: "ann", UserType: "IAMUser", Key: k.ID}, true},
		"another_key":       {resource.Threat{User: "ann", UserType: "IAMUser", Key: "AKIA2222BBBB3333CCCC"}, false},
		"another_user":      {resource.Threat{User: "bob", UserType: "IAMUser", Key: k.ID}, false},
		"a_session_of_it":   {resource.Threat{User: "ann", UserType: "IAMUser", Key: "ASIA2222BBBB3333CCCC"}, false},
		"a_role_of_a_name":  {resource.Threat{User: "ann", UserType: "AssumedRole", Key: k.ID}, false},
		"nothing_is_a_name": {resource.Threat{}, false},
	} {
		if got := k.Is(tc.threat); got != tc.want {
			t.Errorf("%s: got %t, want %t", name, got, tc.want)
		}
	}
	session := &accesskey.Key{User: "ann", ID: "ASIA2222BBBB3333CCCC"}
	if session.Is(resource.Threat{User: "ann", Key: session.ID}) {
		t.Error("a session is a key")
	}
}

// TestAnswered: which of GuardDuty's types a key is made inactive for.
func TestAnswered(t *testing.T) {
	t.Parallel()
	var got []string
	for _, typ := range []string{
		"UnauthorizedAccess:IAMUser/MaliciousIPCaller", "Exfiltration:IAMUser/AnomalousBehavior", "UnauthorizedAccess:IAMUser/InstanceCredentialExfiltration.OutsideAWS",
		"CredentialAccess:IAMUser/InstanceCredentialExfiltration.InsideAWS", "Policy:IAMUser/RootCredentialUsage", "Recon:EC2/PortProbeUnprotectedPort", "AttackSequence:IAM/CompromisedCredentials",
	} {
		if (resource.Threat{Type: typ}).Is(accesskey.Answered()) {
			got = append(got, typ)
		}
	}
	if want := []string{"UnauthorizedAccess:IAMUser/MaliciousIPCaller", "Exfiltration:IAMUser/AnomalousBehavior"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
