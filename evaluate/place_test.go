package evaluate

import (
	"slices"
	"strings"
	"testing"
	"time"
	_ "time/tzdata" // the tests do not depend on the machine's table

	"dera.example/dera"
)

const (
	roleARN    = "arn:aws:iam::111122223333:role/emergency/Break-Glass"
	sessionARN = "arn:aws:sts::111122223333:assumed-role/Break-Glass/ann"
)

func by(actor string) func(*Case) { return func(c *Case) { c.Finding.LastActor = actor } }

func about(arn dera.ARN) func(*Case) {
	return func(c *Case) { c.Finding.Resource, c.Resource.ARN = arn, arn }
}

func inAccount(a dera.Account) func(*Case) {
	return func(c *Case) { a.ID = c.Finding.Account; c.Account = a }
}

func tagsOf(tags map[string]string) func(*Case) {
	return func(c *Case) { c.Resource.Tags = tags }
}

func TestGuardrailsOfPeopleAndPlaces(t *testing.T) {
	t.Parallel()
	glass := BreakGlass{
		Principals: []string{"arn:aws:iam::*:role/emergency/Break-Glass", "arn:aws:iam::*:user/rescue"}, Roles: []string{"OrgRescue*"},
		Resources: []string{"arn:aws:ec2:*:111122223333:security-group/sg-9"},
	}
	own := Own{Resources: dera.NewPrincipals([]string{"arn:aws:iam::*:role/path/dera-*", "arn:*:sqs:*:111122223333:dera-events"})}
	pci := Compliance{Scopes: []ComplianceScope{
		{Name: "pci", Match: Where{AccountTags: map[string]string{"scope": "pci*"}}, Reason: "audit 12"},
		{Name: "hipaa", Match: Where{ResourceTags: map[string]string{"compliance": "*hipaa*"}}},
	}}
	entry := func(d string, w Where) Criterion { return Criterion{Match: w, Disposition: d, Reason: d + " because"} }
	prod := dera.Account{OU: "production", Tags: map[string]string{"Env": "Prod"}}
	criteria := Criteria{[]Criterion{
		entry("review", Where{Environment: "prod*"}), entry("alert", Where{OU: "production", Control: "ctl"}),
		entry("auto", Where{OU: "production", Account: "1111*", AccountTags: map[string]string{"trusted": "yes"}}),
		entry("review", Where{ResourceTags: map[string]string{"manual": "*"}}),
	}}
	tests := []struct {
		name   string
		rail   Guardrail
		change func(c *Case)
		want   dera.Disposition // 0: an error
		why    string
	}{
		{name: "break_glass_role_without_its_path", rail: BreakGlass{Principals: []string{"arn:aws:iam::111122223333:role/break-glass"}},
			change: about("arn:aws:iam::111122223333:role/ops/break-glass"), want: dera.Exempt, why: "break-glass list"},
		{name: "no_break_glass_list", rail: BreakGlass{}, want: dera.Auto},
		{name: "not_on_the_break_glass_list", rail: glass, want: dera.Auto},
		{name: "break_glass_resource", rail: glass, change: about("arn:aws:ec2:us-east-1:111122223333:security-group/sg-9"), want: dera.Exempt, why: "sg-9"},
		{name: "break_glass_role_is_let_alone", rail: glass, change: about(roleARN), want: dera.Exempt},
		{name: "break_glass_role_by_name", rail: glass, change: about("arn:aws:iam::111122223333:role/x/OrgRescue1"), want: dera.Exempt, why: "OrgRescue1"},
		{name: "break_glass_user_is_let_alone", rail: glass, change: about("arn:aws:iam::111122223333:user/rescue"), want: dera.Exempt},
		{name: "role_name_does_not_fit_a_user", rail: glass, change: about("arn:aws:iam::111122223333:user/OrgRescue1"), want: dera.Auto},
		{name: "break_glass_session_changed_it", rail: glass, change: by(sessionARN), want: dera.Review, why: "an emergency may go on"},
		{name: "break_glass_session_by_role_name", rail: glass, change: by("arn:aws:sts::111122223333:assumed-role/OrgRescueTeam/x"), want: dera.Review},
		{name: "session_name_pretends", rail: glass, change: by("arn:aws:sts::111122223333:assumed-role/Dev/OrgRescue"), want: dera.Auto},
		{name: "somebody_else_changed_it", rail: glass, change: by("arn:aws:iam::111122223333:user/eve"), want: dera.Auto},

		{name: "not_root", rail: Root{}, change: by("arn:aws:iam::111122223333:user/root"), want: dera.Auto},
		{name: "about_root", rail: Root{}, change: about("arn:aws:iam::111122223333:root"), want: dera.Alert, why: "never changes"},
		{name: "root_changed_it", rail: Root{}, change: by("arn:aws:iam::111122223333:root"), want: dera.Review, why: "root user changed it"},

		{name: "not_our_own", rail: own, want: dera.Auto},
		{name: "own_role", rail: own, change: about("arn:aws:iam::111122223333:role/path/dera-remediator"), want: dera.Alert, why: "dera's own"},
		{name: "own_queue", rail: own, change: about("arn:aws:sqs:eu-west-1:111122223333:dera-events"), want: dera.Alert},
		{name: "queue_of_the_same_name_elsewhere", rail: own, change: about("arn:aws:sqs:eu-west-1:444455556666:dera-events"), want: dera.Auto},

		{name: "no_compliance_scope", rail: Compliance{}, want: dera.Auto},
		{name: "account_in_scope", rail: pci, change: inAccount(dera.Account{Tags: map[string]string{"Scope": "pci-dss"}}), want: dera.Review, why: "audit 12"},
		{name: "account_out_of_scope", rail: pci, change: inAccount(dera.Account{Tags: map[string]string{"scope": "none"}}), want: dera.Auto},
		{name: "resource_in_scope", rail: pci, change: tagsOf(map[string]string{"Compliance": "x hipaa y"}), want: dera.Review, why: "hipaa"},
		{name: "tags_of_another_account_do_not_count", rail: pci, want: dera.Auto,
			change: func(c *Case) {
				c.Account = dera.Account{ID: "999988887777", Tags: map[string]string{"scope": "pci"}}
			}},

		{name: "no_criteria", rail: Criteria{}, want: dera.Auto},
		{name: "no_criterion_fits", rail: criteria, change: inAccount(dera.Account{OU: "sandbox"}), want: dera.Auto, why: "no criterion"},
		{name: "criterion_by_environment", rail: criteria, change: inAccount(dera.Account{Tags: map[string]string{"stage": "PRODUCTION"}}), want: dera.Review, why: "review because"},
		{name: "the_last_criterion_counts", rail: criteria, change: inAccount(prod), want: dera.Alert},
		{name: "a_later_auto_takes_an_earlier_one_back", rail: criteria, want: dera.Auto,
			change: inAccount(dera.Account{OU: "production", Tags: map[string]string{"env": "prod", "trusted": "yes"}})},
		{name: "resource_tag_lowers", rail: criteria, change: tagsOf(map[string]string{"manual": ""}), want: dera.Review},
		{name: "resource_tag_does_not_raise", rail: criteria, want: dera.Alert,
			change: func(c *Case) { inAccount(prod)(c); c.Resource.Tags = map[string]string{"manual": "1"} }},
		{name: "criterion_that_says_nothing", rail: Criteria{[]Criterion{{}}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r, err := tt.rail.Check(t.Context(), caseOf(tt.change))
			if tt.want == 0 {
				if err == nil {
					t.Errorf("got %+v, want an error", r)
				}
				return
			}
			if err != nil || r.Disposition != tt.want || !strings.Contains(r.Why, tt.why) || r.Why == "" {
				t.Errorf("got %s %q, %v, want %s with %q", r.Disposition, r.Why, err, tt.want, tt.why)
			}
		})
	}
}

func TestWindows(t *testing.T) {
	t.Parallel()
	berlin := func(days string, from, to string) Window {
		return Window{Name: "w", Days: strings.Fields(days), From: from, To: to, Zone: "Europe/Berlin"}
	}
	once := Window{Name: "peak", From: "2026-11-27", Until: "2026-11-30", Zone: "America/New_York"}
	tests := []struct {
		name           string
		freeze, change []Window
		at             string
		account        dera.Account
		want           dera.Disposition
	}{
		{name: "no_windows", at: "2026-11-27T12:00:00Z", want: dera.Auto},
		{name: "freeze_by_day", freeze: []Window{berlin("Fri", "", "")}, at: "2026-11-27T12:00:00Z", want: dera.Review},
		{name: "freeze_on_another_day", freeze: []Window{berlin("sat sun", "", "")}, at: "2026-11-27T12:00:00Z", want: dera.Auto},
		{name: "zone_is_a_day_ahead", freeze: []Window{berlin("sat", "", "")}, at: "2026-11-27T23:30:00Z", want: dera.Review},
		{name: "freeze_before_its_hour", freeze: []Window{berlin("", "18:00", "20:00")}, at: "2026-11-27T16:59:59Z", want: dera.Auto},
		{name: "freeze_at_its_hour", freeze: []Window{berlin("", "18:00", "20:00")}, at: "2026-11-27T17:00:00Z", want: dera.Review},
		{name: "freeze_is_over_at_its_end", freeze: []Window{berlin("", "18:00", "20:00")}, at: "2026-11-27T19:00:00Z", want: dera.Auto},
		{name: "summer_time_moves_with_the_clock", freeze: []Window{berlin("", "18:00", "20:00")}, at: "2026-07-27T16:00:00Z", want: dera.Review},
		{name: "over_midnight_evening", freeze: []Window{berlin("fri", "22:00", "06:00")}, at: "2026-11-27T22:00:00Z", want: dera.Review},
		{name: "over_midnight_morning_after", freeze: []Window{berlin("fri", "22:00", "06:00")}, at: "2026-11-28T04:59:00Z", want: dera.Review},
		{name: "over_midnight_morning_before", freeze: []Window{berlin("fri", "22:00", "06:00")}, at: "2026-11-27T04:00:00Z", want: dera.Auto},
		// On 2026-10-25 the clocks of Berlin go from 3:00 back to 2:00: 2:30 comes twice.
		{name: "hour_that_comes_twice_first", freeze: []Window{berlin("", "02:00", "03:00")}, at: "2026-10-25T00:30:00Z", want: dera.Review},
		{name: "hour_that_comes_twice_second", freeze: []Window{berlin("", "02:00", "03:00")}, at: "2026-10-25T01:30:00Z", want: dera.Review},
		{name: "after_the_hour_that_comes_twice", freeze: []Window{berlin("", "02:00", "03:00")}, at: "2026-10-25T02:00:00Z", want: dera.Auto},
		// On 2026-03-29 they go from 2:00 to 3:00: 2:30 never comes.
		{name: "from_an_hour_that_never_comes", freeze: []Window{berlin("", "02:30", "04:00")}, at: "2026-03-29T01:00:00Z", want: dera.Review},
		{name: "before_an_hour_that_never_comes", freeze: []Window{berlin("", "02:30", "04:00")}, at: "2026-03-29T00:59:59Z", want: dera.Auto},
		{name: "once_before", freeze: []Window{once}, at: "2026-11-27T04:59:59Z", want: dera.Auto},
		{name: "once_begins", freeze: []Window{once}, at: "2026-11-27T05:00:00Z", want: dera.Review},
		{name: "once_to_the_end_of_its_last_day", freeze: []Window{once}, at: "2026-12-01T04:59:59Z", want: dera.Review},
		{name: "once_over", freeze: []Window{once}, at: "2026-12-01T05:00:00Z", want: dera.Auto},
		{name: "freeze_elsewhere", freeze: []Window{{Name: "w", Days: []string{"fri"}, Zone: "UTC", Match: Where{OU: "production"}}}, at: "2026-11-27T12:00:00Z", account: dera.Account{OU: "sandbox"}, want: dera.Auto},
		{name: "freeze_here", freeze: []Window{{Name: "w", Days: []string{"fri"}, Zone: "UTC", Match: Where{OU: "prod*"}}}, at: "2026-11-27T12:00:00Z", account: dera.Account{OU: "production"}, want: dera.Review},
		{name: "inside_a_change_window", change: []Window{berlin("fri", "", "")}, at: "2026-11-27T12:00:00Z", want: dera.Auto},
		{name: "outside_of_the_change_window", change: []Window{berlin("mon", "", "")}, at: "2026-11-27T12:00:00Z", want: dera.Review},
		{name: "inside_one_of_two", change: []Window{berlin("mon", "", ""), berlin("fri", "", "")}, at: "2026-11-27T12:00:00Z", want: dera.Auto},
		{name: "change_window_of_others", change: []Window{{Name: "w", Days: []string{"mon"}, Zone: "UTC", Match: Where{OU: "production"}}}, at: "2026-11-27T12:00:00Z", account: dera.Account{OU: "sandbox"}, want: dera.Auto},
		{name: "freeze_wins_over_a_change_window", freeze: []Window{berlin("fri", "", "")}, change: []Window{berlin("fri", "", "")}, at: "2026-11-27T12:00:00Z", want: dera.Review},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			at, err := time.Parse(time.RFC3339, tt.at)
			if err != nil {
				t.Fatal(err)
			}
			g, err := NewWindows(tt.freeze, tt.change, func() time.Time { return at })
			if err != nil {
				t.Fatal(err)
			}
			r, err := g.Check(t.Context(), caseOf(inAccount(tt.account)))
			if err != nil || r.Disposition != tt.want {
				t.Errorf("got %s %q, %v, want %s", r.Disposition, r.Why, err, tt.want)
			}
		})
	}
}

func TestPlacesAreChecked(t *testing.T) {
	t.Parallel()
	freeze := func(w Window) error {
		_, err := NewWindows([]Window{w}, nil, time.Now)
		return err
	}
	change := func(w Window) error {
		_, err := NewWindows(nil, []Window{w}, time.Now)
		return err
	}
	tests := []struct {
		name string
		err  error
		want string
	}{
		{"window_without_a_name", freeze(Window{Zone: "UTC", From: "01:00"}), "freeze_windows[0].name: is mandatory"},
		{"window_without_a_zone", freeze(Window{Name: "w", From: "01:00"}), `freeze_windows[0].zone: ""`},
		{"zone_of_the_machine", freeze(Window{Name: "w", From: "01:00", Zone: "Local"}), "freeze_windows[0].zone"},
		{"zone_that_does_not_exist", freeze(Window{Name: "w", From: "01:00", Zone: "Europe/Berlon"}), `"Europe/Berlon" is not an IANA`},
		{"day_that_does_not_exist", freeze(Window{Name: "w", Days: []string{"mon", "someday"}, Zone: "UTC"}), "freeze_windows[0].days[1]"},
		{"clock_that_does_not_exist", change(Window{Name: "w", From: "25:00", Zone: "UTC"}), `change_windows[0].from: "25:00"`},
		{"clock_with_one_digit", change(Window{Name: "w", To: "8:00", Zone: "UTC"}), "change_windows[0].to"},
		{"window_for_ever", freeze(Window{Name: "w", Zone: "UTC"}), "freeze_windows[0].days"},
		{"once_and_weekly", freeze(Window{Name: "w", Days: []string{"mon"}, From: "2026-12-20", Until: "2026-12-24", Zone: "UTC"}), "freeze_windows[0].until"},
		{"once_without_a_beginning", freeze(Window{Name: "w", Until: "2026-12-24", Zone: "UTC"}), "freeze_windows[0].from"},
		{"once_backwards", freeze(Window{Name: "w", From: "2026-12-24T12:00", Until: "2026-12-24T11:00", Zone: "UTC"}), "is not after from"},
		{"change_window_by_resource_tag", change(Window{Name: "w", From: "01:00", Zone: "UTC", Match: Where{ResourceTags: map[string]string{"a": "b"}}}), "change_windows[0].match.resource_tags"},
		{"scope_without_a_name", Compliance{[]ComplianceScope{{Match: Where{OU: "x"}}}}.Validate(), "compliance_scopes[0].name"},
		{"scope_of_everything", Compliance{[]ComplianceScope{{Name: "x"}}}.Validate(), "compliance_scopes[0].match"},
		{"criterion_without_a_reason", Criteria{[]Criterion{{Disposition: "review"}}}.Validate(), "criteria[0].reason"},
		{"criterion_that_exempts", Criteria{[]Criterion{{Disposition: "exempt", Reason: "x"}}}.Validate(), "criteria[0].disposition: only the exemption list"},
		{"criterion_with_a_wrong_word", Criteria{[]Criterion{{Disposition: "never", Reason: "x"}}}.Validate(), "criteria[0].disposition"},
		{"criterion_that_a_tag_could_raise", Criteria{[]Criterion{{Disposition: "auto", Reason: "x", Match: Where{ResourceTags: map[string]string{"a": "*"}}}}}.Validate(), "can only be review"},
		{"break_glass_of_everything", BreakGlass{Resources: []string{"arn:aws:*:*:*:*"}}.Validate(), "break_glass.resources[0]"},
		{"break_glass_without_an_arn", BreakGlass{Principals: []string{"admin"}}.Validate(), "break_glass.principals[0]"},
		{"excluded_of_all_roles", BreakGlass{Excluded: []string{"ok", "*"}}.Validate(), "break_glass.scp_excluded[1]"},
		{"break_glass_of_all_roles", BreakGlass{Roles: []string{"ok", "*"}}.Validate(), "break_glass.roles[1]"},
		{"own_of_everything", Own{Resources: dera.NewPrincipals([]string{"*"})}.Validate(), "own_resources[0]"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if tt.err == nil || !strings.Contains(tt.err.Error(), tt.want) {
				t.Errorf("got %v, want an error with %q", tt.err, tt.want)
			}
		})
	}
}

func TestOwners(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name          string
		owners        Owners
		tags          map[string]string
		account       string
		actor         string
		owner, source string
	}{
		{name: "nobody_is_known"},
		{name: "by_tag", tags: map[string]string{"Owner": " ann@example.com "}, account: "platform", actor: "eve", owner: "ann@example.com", source: "tag"},
		{name: "first_key_wins", tags: map[string]string{"team": "t", "owner": "o"}, owner: "o", source: "tag"},
		{name: "blank_tag_says_nothing", tags: map[string]string{"owner": " ", "team": "t"}, owner: "t", source: "tag"},
		{name: "own_keys", owners: Owners{Tags: []string{"contact"}}, tags: map[string]string{"owner": "o", "Contact": "c"}, owner: "c", source: "tag"},
		{name: "by_account", account: "platform", actor: "eve", owner: "platform", source: "account"},
		{name: "by_actor", actor: "arn:aws:iam::1:user/eve", owner: "arn:aws:iam::1:user/eve", source: "actor"},
		{name: "tag_that_steers_a_terminal", tags: map[string]string{"owner": "a\x1b[2Jb\nc\u202e\xff"}, owner: "a[2Jbc", source: "tag"},
		{name: "long_tag", tags: map[string]string{"owner": strings.Repeat("ä", 500)}, owner: strings.Repeat("ä", 128), source: "tag"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			owner, source := tt.owners.Of(dera.Resource{Tags: tt.tags}, dera.Account{Owner: tt.account}, tt.actor)
			if owner != tt.owner || source != tt.source {
				t.Errorf("got %q by %q, want %q by %q", owner, source, tt.owner, tt.source)
			}
		})
	}
}

func TestPrincipal(t *testing.T) {
	t.Parallel()
	for actor, want := range map[string]string{
		sessionARN: "arn:aws:iam::111122223333:role/Break-Glass",
		roleARN:    "arn:aws:iam::111122223333:role/Break-Glass",
		"arn:aws:iam::111122223333:user/team/ann": "arn:aws:iam::111122223333:user/team/ann",
		"cloudformation.amazonaws.com":            "cloudformation.amazonaws.com",
		"":                                        "",
	} {
		if got := Principal(actor); got != want {
			t.Errorf("principal of %q: got %q, want %q", actor, got, want)
		}
	}
	for _, tt := range []struct {
		pattern, actor string
		want           bool
	}{
		{"arn:aws:iam::111122223333:role/emergency/*", roleARN, true},
		{"arn:aws:iam::111122223333:role/app/*", roleARN, false}, // below another path
		{"arn:aws:iam::111122223333:role/app/*", "arn:aws:iam::111122223333:role/Break-Glass", false},
		{"arn:aws:iam::111122223333:role/app/Break-*", roleARN, false},
		{"arn:aws:iam::111122223333:role/*/app/*", roleARN, false},
		{"arn:aws:iam::111122223333:role/Break-*", roleARN, true},         // says nothing of a path
		{"arn:aws:iam::111122223333:role/app/Break-Glass", roleARN, true}, // a name is unique in its account
		{"arn:aws:iam::111122223333:role/emergency/*", sessionARN, true},  // a session does not tell the path
		{"arn:aws:iam::111122223333:role/emergency/other-*", sessionARN, false},
		{"arn:aws:iam::444455556666:role/emergency/*", sessionARN, false},
	} {
		if got := IsPrincipal([]string{tt.pattern}, tt.actor); got != tt.want {
			t.Errorf("%s is %s: got %v, want %v", tt.actor, tt.pattern, got, tt.want)
		}
		if _, got := (Own{Resources: dera.NewPrincipals([]string{tt.pattern})}).Resources.Match(dera.ARN(tt.actor)); got != tt.want {
			t.Errorf("%s is dera's own by %s: got %v, want %v", tt.actor, tt.pattern, got, tt.want)
		}
	}
	if IsPrincipal([]string{"*"}, "") || !IsPrincipal([]string{"arn:aws:iam::*:user/*"}, "arn:aws:iam::111122223333:user/a") {
		t.Errorf("nobody is a principal, or a user is not")
	}
	if !slices.Equal(sortedKeys(map[string]string{"b": "", "a": ""}), []string{"a", "b"}) {
		t.Errorf("keys are not sorted")
	}
}
