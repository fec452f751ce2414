package scope

import (
	"slices"
	"strings"
	"testing"
	"time"

	"dera.example/dera/iam/policy"
)

func document(t *testing.T, statements ...string) *policy.Document {
	t.Helper()
	doc, err := policy.Parse(`{"Version":"2012-10-17","Statement":[` + strings.Join(statements, ",") + `]}`)
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

func grant(actions string) string {
	return `{"Effect":"Allow","Action":[` + actions + `],"Resource":"*"}`
}

// TestChoose: policies are narrowed together, each by its own edits.
func TestChoose(t *testing.T) {
	t.Parallel()
	two := func(t *testing.T) []*policy.Document {
		return []*policy.Document{
			document(t, grant(`"ec2:StopInstances","ec2:CreateTags"`), grant(`"ec2:RunInstances"`)),
			document(t, grant(`"ec2:DeleteTags","ec2:RebootInstances"`)),
		}
	}
	year := 365 * 24 * time.Hour
	tests := []struct {
		name string
		in   Input
		gone string
		left string // actions of each document; "-" for none left
	}{
		{"nothing_used", Input{Window: year}, "ec2:CreateTags ec2:DeleteTags ec2:RebootInstances ec2:RunInstances ec2:StopInstances", "-|-"},
		{"a_use_keeps_tags_in_both", Input{Window: year, Usage: []Usage{{Actions: []string{"ec2:RunInstances"}}}},
			"ec2:RebootInstances ec2:StopInstances", "ec2:CreateTags ec2:RunInstances|ec2:DeleteTags"},
		{"held", Input{Window: year, Hold: func(a string) string { return map[bool]string{true: "held"}[a == "ec2:StopInstances"] }},
			"ec2:RebootInstances ec2:RunInstances", "ec2:StopInstances ec2:CreateTags|ec2:DeleteTags"},
		{"kept", Input{Window: year, Keep: []string{"ec2:*"}}, "", "ec2:StopInstances ec2:CreateTags ec2:RunInstances|ec2:DeleteTags ec2:RebootInstances"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c, err := Choose(tt.in, two(t)...)
			if err != nil || c.Refused != "" {
				t.Fatalf("choose: %v, %s", err, c.Refused)
			}
			if got := strings.Join(c.Gone, " "); got != tt.gone {
				t.Errorf("gone: got %s, want %s", got, tt.gone)
			}
			docs, err := c.Documents()
			if err != nil {
				t.Fatal(err)
			}
			var left []string
			for _, d := range docs {
				text := "-"
				if d != nil {
					var actions []string
					for i := range d.Statements {
						actions = append(actions, d.Statements[i].Actions...)
					}
					text = strings.Join(actions, " ")
				}
				left = append(left, text)
			}
			if got := strings.Join(left, "|"); got != tt.left {
				t.Errorf("left: got %s, want %s", got, tt.left)
			}
		})
	}
}

// TestChoose_size: services whose lists have no room stay as a whole, and what is left
// does not change when it is narrowed again.
func TestChoose_size(t *testing.T) {
	t.Parallel()
	in := Input{Window: 400 * 24 * time.Hour, Limit: 3000, Usage: []Usage{{Actions: []string{"s3:GetObject", "ec2:RunInstances", "sqs:SendMessage"}}}}
	docs := []*policy.Document{document(t, grant(`"s3:*","ec2:*","sqs:*","cloudwatch:*","iot:*"`)), document(t, grant(`"logs:*","sns:*","lambda:*"`))}
	c, err := Choose(in, docs...)
	if err != nil || c.Refused != "" || len(c.Broad) == 0 || len(c.Gone) == 0 {
		t.Fatalf("choose: %v, %s, %d gone, broad %v", err, c.Refused, len(c.Gone), c.Broad)
	}
	left, err := c.Documents()
	if err != nil {
		t.Fatal(err)
	}
	if size := left[0].Size(policy.Identity) + left[1].Size(policy.Identity); size > in.Limit {
		t.Errorf("size: got %d, want at most %d", size, in.Limit)
	}
	again, err := Choose(in, left...)
	if err != nil || len(again.Gone) > 0 || !slices.Equal(again.Broad, c.Broad) {
		t.Errorf("again: got %v, %d gone, broad %v, want nothing and broad %v", err, len(again.Gone), again.Broad, c.Broad)
	}
}

// TestChoose_with: what can use a role that is passed.
func TestChoose_with(t *testing.T) {
	t.Parallel()
	docs := []*policy.Document{document(t, grant(`"iam:PassRole","lambda:CreateFunction","ec2:RunInstances"`))}
	c, err := Choose(Input{Window: 400 * 24 * time.Hour, Keep: []string{"lambda:CreateFunction"}, Usage: []Usage{{Actions: []string{"ec2:RunInstances"}}}}, docs...)
	if err != nil {
		t.Fatal(err)
	}
	used, stay := c.With("iam:PassRole")
	if !slices.Equal(used, []string{"ec2:RunInstances"}) || !slices.Contains(stay, "lambda:CreateFunction") {
		t.Errorf("with: got used %v, stay %v", used, stay)
	}
}
