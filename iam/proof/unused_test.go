package proof

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"dera.example/dera/iam/policy"
	"dera.example/dera/iam/proof/check"
	"dera.example/dera/iam/reason"
	"dera.example/dera/iam/scope"
)

// narrowBy narrows a policy and proves it, with the reasons.
func narrowBy(t *testing.T, in scope.Input, o Origin) (*scope.Result, []byte, error) {
	t.Helper()
	r, err := scope.Narrow(in)
	if err != nil {
		t.Fatal(err)
	}
	c := Change{Old: reason.Policies{in.Policy}, New: r.Documents, Beside: in.Beside, Kept: r.Kept, Removed: r.Removed, Unused: UseOf(in)}
	data, err := Prove(t.Context(), c, reason.Config{}).Certificate(o)
	return r, data, err
}

// window is an origin of some days.
func window(days int) Origin {
	to := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	return Origin{Catalogue: "one", Events: "ff", From: to.AddDate(0, 0, -days).Format(time.RFC3339), To: to.Format(time.RFC3339)}
}

// scoped is a certificate with reasons of all kinds.
func scoped(t *testing.T) []byte {
	t.Helper()
	in := scope.Input{
		Policy: doc(t, "Allow sqs:*Queue,ec2:St*Instances,s3:PutObject,s3:PutObjectAcl,iam:PassRole,ecs:ListTasks,iam:DeleteUser *"),
		Beside: []*policy.Document{doc(t, "Allow rds:StopDBCluster *")},
		Usage:  []scope.Usage{{Actions: []string{"ec2:StopInstances"}, Unclear: []string{"amazonmq"}, Gaps: []string{"kms-excluded"}}},
		Window: 400 * day, DataEvents: func(string) bool { return true },
	}
	_, data, err := narrowBy(t, in, window(400))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestCertificate_says_why_absence_means_unused(t *testing.T) {
	t.Parallel()
	c, err := Check(scoped(t))
	if err != nil {
		t.Fatal(err)
	}
	classes := map[string]string{}
	for _, r := range c.Unused.Reasons {
		for _, a := range r.Actions {
			classes[a] = r.Class
			if r.Class == "O1" && !strings.HasPrefix(r.Source, "https://docs.aws.amazon.com/") {
				t.Errorf("%s: source %q", a, r.Source)
			}
		}
	}
	for action, want := range map[string]string{"ec2:StartInstances": "O1", "s3:PutObject": "O2", "s3:PutObjectAcl": "O2", "iam:PassRole": "O3", "ecs:ListTasks": "O1", "iam:DeleteUser": "O1"} {
		if classes[action] != want {
			t.Errorf("%s: class %q, want %s", action, classes[action], want)
		}
	}
	if got := strings.Join(c.Unused.Unclear, " "); c.Purpose != check.Scope || c.Unused.Days != 400 || got != "kms mq" {
		t.Errorf("got purpose %s, %d days, unclear %s", c.Purpose, c.Unused.Days, got)
	}
	at := slices.IndexFunc(c.Unused.Reasons, func(r check.Reason) bool { return slices.Contains(r.Actions, "s3:PutObjectAcl") })
	if r := c.Unused.Reasons[at]; !slices.Contains(r.Companions, "s3:PutObject") || r.Checked == 0 {
		t.Errorf("got companions %v of %d", r.Companions, r.Checked)
	}
}

// TestCertificate_needs_the_table gives the prover what only a wrong narrowing
// would make: the checker, which looks everything up for itself, refuses.
func TestCertificate_needs_the_table(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, old, fresh string
		use              Use
		days             int
		beside           string
		want             string
	}{
		{name: "good", old: "ec2:StartInstances,ec2:StopInstances", fresh: "ec2:StopInstances", days: 30},
		{name: "no_source", old: "ecs:SubmitTaskStateChange,ec2:StopInstances", fresh: "ec2:StopInstances", want: "no source shows"},
		{name: "no_document", old: "wisdom:CreateAssistant,ec2:StopInstances", fresh: "ec2:StopInstances", want: "no source shows"},
		{name: "data_event", old: "ecs:Poll,ec2:StopInstances", fresh: "ec2:StopInstances", want: "data events were not recorded"},
		{name: "tag_on_create", old: "sqs:TagQueue,sqs:CreateQueue", fresh: "sqs:CreateQueue", want: "sqs:TagQueue was removed, but sqs:"},
		{name: "companion_used", old: "secretsmanager:ListSecrets,ec2:StopInstances", fresh: "ec2:StopInstances", use: Use{Actions: []string{"secretsmanager:BatchGetSecretValue"}}, want: "BatchGetSecretValue, which it is used with"},
		{name: "companion_beside", old: "secretsmanager:ListSecrets,ec2:StopInstances", fresh: "ec2:StopInstances", beside: "secretsmanager:Batch*", want: "BatchGetSecretValue, which it is used with"},
		{name: "pass_role", old: "iam:PassRole,backup:CreateBackupPlan", fresh: "backup:CreateBackupPlan", days: 400, want: "iam:PassRole was removed, but backup:CreateBackupPlan"},
		{name: "pass_role_beside_the_unknown", old: "iam:PassRole,frob:Do", fresh: "frob:Do", days: 400, want: "frob:do stays, which is not known"},
		{name: "pass_role_beside_what_no_source_speaks_of", old: "iam:PassRole,aws-marketplace:StartChangeSet", fresh: "aws-marketplace:StartChangeSet", days: 400, want: "aws-marketplace:startchangeset stays, which is not known"},
		{name: "used", old: "ec2:StartInstances,ec2:StopInstances", fresh: "ec2:StopInstances", use: Use{Actions: []string{"ec2:StartInstances"}}, want: "but it was used"},
		{name: "unclear", old: "ec2:DescribeHosts,ecs:ListTasks", fresh: "ecs:ListTasks", use: Use{Unclear: []string{"ec2"}}, want: "not understood"},
		{name: "rare_and_watched_too_short", old: "iam:DeleteUser,ec2:StopInstances", fresh: "ec2:StopInstances", days: 90, want: "for 90 days only"},
		{name: "a_gap", old: "ec2:StartInstances,ec2:StopInstances", fresh: "ec2:StopInstances", use: Use{Gaps: []string{"hours-missing"}}, want: `the gap "hours-missing"`},
		{name: "before_there_were_events", old: "ec2:StartInstances,ec2:StopInstances", fresh: "ec2:StopInstances", days: 6000, want: "before there was CloudTrail"},
		{name: "a_shorter_period", old: "iam:DeleteUser,ec2:StopInstances", fresh: "ec2:StopInstances", days: 90, use: Use{Period: 30 * day}, want: "for 365 days at least"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			use := test.use
			use.Window = time.Duration(test.days) * day
			c := Change{
				Old: reason.Policies{doc(t, "Allow "+test.old+" *")}, New: reason.Policies{doc(t, "Allow "+test.fresh+" *")},
				Kept: strings.Split(test.fresh, ","), Unused: &use,
			}
			for _, a := range strings.Split(test.old, ",") {
				if !slices.Contains(c.Kept, a) {
					c.Removed = append(c.Removed, a)
				}
			}
			if test.beside != "" {
				c.Beside = reason.Policies{doc(t, "Allow "+test.beside+" *")}
			}
			_, err := Prove(t.Context(), c, reason.Config{}).Certificate(window(test.days))
			switch {
			case test.want == "" && err != nil:
				t.Error(err)
			case test.want != "" && (!errors.Is(err, ErrUnproved) || !strings.Contains(err.Error(), test.want)):
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}

// TestCertificate_agrees_with_what_narrows holds that the classes and sources
// that scope prints are those that the checker finds for itself.
func TestCertificate_agrees_with_what_narrows(t *testing.T) {
	t.Parallel()
	in := scope.Input{
		Policy: doc(t, "Allow ec2:*,glue:*,lambda:*,sqs:*,iot:*,dynamodb:* *"), Usage: []scope.Usage{{Actions: []string{"ec2:RunInstances", "iot:CreateThing"}}},
		Window: 400 * day, Limit: 200_000, DataEvents: func(string) bool { return true },
	}
	r, data, err := narrowBy(t, in, window(400))
	if err != nil {
		t.Fatal(err)
	}
	c, err := Check(data)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]check.Reason{}
	for _, reason := range c.Unused.Reasons {
		for _, a := range reason.Actions {
			found[a] = reason
		}
	}
	if len(found) != len(r.Unused) || len(found) < 100 {
		t.Errorf("the checker has reasons for %d actions, scope for %d", len(found), len(r.Unused))
	}
	for _, u := range r.Unused {
		f := found[u.Action]
		document, _, _ := strings.Cut(f.Source, " ")
		if f.Class != u.Class || f.Checked != u.Checked || !strings.Contains(u.Source, document) || !slices.Equal(f.Companions, append([]string{}, u.Companions...)) {
			t.Errorf("%s: the checker has %+v, scope %+v", u.Action, f, u)
		}
	}
}
