package check

import (
	"slices"
	"strings"
	"testing"

	"dera.example/dera/iam/policy"
)

// idle is a certificate of a narrowing to what was used.
func idle(t *testing.T) (*Certificate, [2][]*policy.Document) {
	t.Helper()
	parse := func(actions string) []*policy.Document {
		doc, err := policy.Parse(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["` + strings.ReplaceAll(actions, " ", `","`) + `"],"Resource":"*"}]}`)
		if err != nil {
			t.Fatal(err)
		}
		return []*policy.Document{doc}
	}
	old, fresh := parse("ec2:StartInstances ec2:StopInstances iam:DeleteUser sqs:TagQueue"), parse("ec2:StopInstances")
	c := &Certificate{
		Format: Format, Purpose: Scope, Semantics: Semantics(), Catalogue: "one", Events: "ff",
		Claims: []Claim{{Claim: NothingNew}, {Claim: NothingLost}, {Claim: Gone}},
		Kept:   []string{"ec2:StopInstances"}, Removed: []string{"ec2:StartInstances", "iam:DeleteUser", "sqs:TagQueue"}, Beside: []Document{},
		Old: []Document{NewDocument(old[0].Text())}, New: []Document{NewDocument(fresh[0].Text())},
		Window:  Window{"2025-09-01T00:00:00Z", "2026-11-01T00:00:00Z"},
		Witness: &Request{Action: "ec2:StartInstances", Resource: "*", Context: map[string][]string{}},
		Unused:  &Unused{Days: 426, Period: 365, Gaps: []string{}, Unclear: []string{}, Used: []string{"ec2:StopInstances"}},
	}
	if err := c.Fill(old, fresh, nil); err != nil {
		t.Fatal(err)
	}
	return c, [2][]*policy.Document{old, fresh}
}

// TestUnused_rejects forges with knowledge: every digest is made right again.
func TestUnused_rejects(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name  string
		forge func(c *Certificate)
		want  string
	}{
		{"good", func(*Certificate) {}, ""},
		{"class", func(c *Certificate) { c.Unused.Reasons[0].Class = "O3" }, "the reasons are others"},
		{"source", func(c *Certificate) { c.Unused.Reasons[0].Source = "memory 2026-11-28" }, "the reasons are others"},
		{"a_reason_less", func(c *Certificate) { c.Unused.Reasons = c.Unused.Reasons[1:] }, "the reasons are others"},
		{"an_action_more", func(c *Certificate) {
			c.Unused.Reasons[0].Actions = append(c.Unused.Reasons[0].Actions, "ecs:Poll")
		}, "the reasons are others"},
		{"fewer_companions", func(c *Certificate) { c.Unused.Reasons[0].Checked-- }, "the reasons are others"},
		{"another_catalogue", func(c *Certificate) { c.Unused.Table = strings.Repeat("0", 64) }, "the table of observed actions"},
		{"other_inputs", func(c *Certificate) { c.Unused.Inputs += "1" }, "the table of observed actions"},
		{"a_shorter_window", func(c *Certificate) { c.Window.From, c.Unused.Days = "2026-08-01T00:00:00Z", 92 }, "iam:DeleteUser was removed, but use was watched for 92 days only"},
		{"a_window_that_does_not_fit", func(c *Certificate) { c.Window.From = "2026-08-01T00:00:00Z" }, "the window has 92"},
		{"a_window_that_cannot_be_read", func(c *Certificate) { c.Window.From = "once" }, "the window"},
		{"no_window", func(c *Certificate) { c.Window = Window{} }, "the window has 0"},
		{"a_window_that_ends_before_it_begins", func(c *Certificate) {
			c.Window, c.Unused.Days = Window{c.Window.To, c.Window.From}, -426
		}, "watched for -426 days"},
		{"a_shorter_period", func(c *Certificate) { c.Unused.Period = 90 }, "365 days at least"},
		{"a_gap", func(c *Certificate) { c.Unused.Gaps = []string{"region-missing"} }, "the gap"},
		{"a_gap_of_data_events", func(c *Certificate) {
			c.Unused.Gaps, c.Unused.DataEvents = []string{"data-events-not-selected"}, true
		}, "the gap"},
		{"a_gap_of_keys", func(c *Certificate) { c.Unused.Gaps = []string{"kms-excluded"} }, "the gap"},
		{"a_use", func(c *Certificate) { c.Unused.Used = append(c.Unused.Used, "ec2:StartInstances") }, "but it was used"},
		{"a_use_of_a_companion", func(c *Certificate) { c.Unused.Used = append(c.Unused.Used, "sqs:CreateQueue") }, "sqs:TagQueue was removed, but sqs:"},
		{"unclear", func(c *Certificate) { c.Unused.Unclear = []string{"ec2"} }, "not understood"},
		{"no_section", func(c *Certificate) { c.Unused = nil }, "do not belong together"},
		{"another_purpose", func(c *Certificate) { c.Purpose = Narrow }, "do not belong together"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			c, _ := idle(t)
			test.forge(c)
			if c.Unused != nil {
				record, err := c.recordOf()
				if err != nil {
					t.Fatal(err)
				}
				c.Unused.Record = record
			}
			data, err := c.Encode()
			if err != nil {
				t.Fatal(err)
			}
			_, err = Check(data)
			if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}

func TestUnused_holds_the_record(t *testing.T) {
	t.Parallel()
	for name, forge := range map[string]func(c *Certificate){
		"window": func(c *Certificate) { c.Window.To = "2026-11-01T00:00:01Z" }, "catalogue": func(c *Certificate) { c.Catalogue = "two" },
		"events": func(c *Certificate) { c.Events = "fe" }, "used": func(c *Certificate) { c.Unused.Used = nil },
	} {
		c, _ := idle(t)
		forge(c)
		data, err := c.Encode()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Check(data); err == nil || !strings.Contains(err.Error(), "the digest of the record of use") {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestUnused_refuses_everything_but_a_list(t *testing.T) {
	t.Parallel()
	c, docs := idle(t)
	docs[0][0].Statements[0].NotActions, docs[0][0].Statements[0].Actions = []string{"iam:*"}, nil
	if err := c.Fill(docs[0], docs[1], nil); err == nil || !strings.Contains(err.Error(), "everything but a list") {
		t.Errorf("got %v", err)
	}
}

func TestReadTable_refuses(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"inputs\nMrGet\t\n", "inputs\n!s3\n", "inputs\n!s3\ta\tb\tc\td\n=:Get\n"} {
		if _, err := readTable(text, ""); err == nil {
			t.Errorf("%q was read", text)
		}
	}
	o, err := theTable()
	if err != nil || len(o.services) < 400 {
		t.Fatalf("got %v", err)
	}
	for prefix, s := range o.services {
		if !slices.IsSortedFunc(s.actions, func(a, b row) int { return strings.Compare(a.low.name, b.low.name) }) {
			t.Errorf("the actions of %s are not sorted", prefix)
		}
	}
}
