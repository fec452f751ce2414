package main

import (
	"bytes"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"dera.example/dera"
	"dera.example/dera/audit"
	"dera.example/dera/awssim"
	"dera.example/dera/store"
	"dera.example/dera/store/storetest"
)

// TestControllerFeedsTheLedger has someone read and write; nothing of it is a
// hint at a resource of a control.
func TestControllerFeedsTheLedger(t *testing.T) {
	const all = "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"
	for _, tt := range []struct {
		name, config string
		reads        bool
		actions      []string
		gap          bool // for read-only events
	}{
		{name: "rule_with_reads", config: "queue_is_ours: true\nqueue_rule_state: " + all + "\n", reads: true, actions: []string{"ec2:CreateSecurityGroup", "ec2:DescribeSecurityGroups"}},
		{name: "rule_without_reads", config: "queue_is_ours: true\nqueue_rule_state: ENABLED\n", actions: []string{"ec2:CreateSecurityGroup"}, gap: true},
		{name: "rule_that_nobody_describes", config: "queue_is_ours: true\n", actions: []string{"ec2:CreateSecurityGroup"}, gap: true},
		{name: "queue_of_everybody", config: "queue_rule_state: " + all + "\n", reads: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			cloud := awssim.New(awssim.Config{Seed: 7})
			account := cloud.Account("111122223333")
			region := account.Region("us-east-1")
			serving(t, cloud, account.Credentials())
			queue, err := region.CreateQueue(t.Context(), "events")
			if err != nil {
				t.Fatal(err)
			}
			c := startConfigured(t, tt.config, "--queue", queue, "--sweep", "1h")
			c.eventually(t, "it runs", func() bool { return strings.Contains(c.errOut.String(), "dera runs") })
			if err := cloud.ForwardEvents(awssim.Forward{Account: account.ID(), Queue: queue, ReadOnly: tt.reads}); err != nil {
				t.Fatal(err)
			}
			if _, err := region.CreateSecurityGroup(t.Context(), "web", awssim.Rule{Protocol: "tcp", FromPort: 443, ToPort: 443, CIDR: "10.0.0.0/8"}); err != nil {
				t.Fatal(err)
			}
			show := func() (string, int) {
				return told(t, "usage", "show", "arn:aws:iam::111122223333:user/admin", "--data", c.data)
			}
			c.eventually(t, "the ledger knows it", func() bool {
				text, _ := show()
				return !slices.ContainsFunc(tt.actions, func(a string) bool { return !strings.Contains(text, a+" ") })
			})
			c.eventually(t, "the queue is empty", func() bool {
				taken := slices.ContainsFunc(cloud.Calls(), func(k awssim.Call) bool { return strings.HasPrefix(k.Operation, "DeleteMessage") })
				return taken && len(cloud.Snapshot().Queues[0].Bodies) == 0
			})
			c.stop(t)

			text, code := show()
			if want := len(tt.actions) > 0; (code == exitGood) != want || strings.Contains(text, "unverified") {
				t.Errorf("dera usage show: got exit code %d, want the ledger to know the principal, as verified: %t\n%s", code, want, text)
			}
			if len(tt.actions) == 0 {
				return
			}
			text, _ = told(t, "usage", "gaps", "--data", c.data)
			if got := strings.Contains(text, "rule-drops-reads"); got != tt.gap {
				t.Errorf("gap of read-only events: got %t, want %t\n%s", got, tt.gap, text)
			}
		})
	}
}

// told runs a command in this process.
func told(t *testing.T, args ...string) (string, int) {
	t.Helper()
	var out, errOut bytes.Buffer
	code := run(t.Context(), args, strings.NewReader(""), &out, &errOut)
	return out.String() + errOut.String(), code
}

// TestControllerWatchesDenials: what a user is denied after a change, as the queue tells, is
// said once by the controller, and kept with the change.
func TestControllerWatchesDenials(t *testing.T) {
	cloud := awssim.New(awssim.Config{Seed: 7})
	account := cloud.Account("111122223333")
	region := account.Region("us-east-1")
	serving(t, cloud, account.Credentials())
	queue, err := region.CreateQueue(t.Context(), "events")
	if err != nil {
		t.Fatal(err)
	}
	c := startConfigured(t, "queue_is_ours: true\n", "--queue", queue, "--sweep", "1h")
	c.eventually(t, "it runs", func() bool { return strings.Contains(c.errOut.String(), "dera runs") })
	vault, err := audit.LoadVault(filepath.Join(c.data, "keys"), nil)
	if err != nil {
		t.Fatal(err)
	}
	db, err := store.Open(t.Context(), store.Config{URL: "sqlite:" + filepath.Join(c.data, "dera.db"), Sealer: vault})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	blind := account.AddUser("blind", "sts:*")
	r := storetest.Remediation("r-00000000000000000001", "sg", time.Now())
	r.State, r.Covers = dera.Resolved, []dera.Extent{{Permissions: []string{"ec2:CreateSecurityGroup"}}}
	r.Principals = []string{"arn:aws:iam::111122223333:user/blind"}
	watch := dera.Watch{Remediation: r.ID, Principal: "arn:aws:iam::111122223333:user/blind", Since: time.Now().Add(-time.Minute)}
	if err := db.Commit(t.Context(), store.Batch{Remediations: []dera.Remediation{r}, Watches: []dera.Watch{watch}}); err != nil {
		t.Fatal(err)
	}
	if err := cloud.ForwardEvents(awssim.Forward{Account: account.ID(), Queue: queue}); err != nil {
		t.Fatal(err)
	}
	const times = 3
	for range times {
		if _, err := region.As(blind).CreateSecurityGroup(t.Context(), "web"); err == nil {
			t.Fatal("create a group: got no error, want it to be denied")
		}
	}
	c.eventually(t, "the denials are counted", func() bool {
		list, err := db.DenialsOf(t.Context(), r.ID)
		return err == nil && len(list) == 1 && len(list[0].Events) == times && list[0].Cause == dera.CauseRemoved
	})
	c.stop(t)
	if got := strings.Count(c.errOut.String(), "denied after a change"); got != 1 {
		t.Errorf("said %d times, want once\n%s", got, c.errOut.String())
	}
	if !strings.Contains(c.errOut.String(), "dera access request --principal arn:aws:iam::111122223333:user/blind --action ec2:CreateSecurityGroup --for 8h") {
		t.Errorf("the log does not say what gives it back:\n%s", c.errOut.String())
	}
	for what, args := range map[string][]string{"show": {"show", r.ID}, "report": {"report"}} {
		text, _ := told(t, append(args, "--data", c.data)...)
		if want := "dera access request --principal arn:aws:iam::111122223333:user/blind --action ec2:CreateSecurityGroup --for 8h --reason"; !strings.Contains(text, want) {
			t.Errorf("dera %s: want %q in\n%s", what, want, text)
		}
	}
	if text, code := told(t, "show", r.ID, "--data", c.data); code != exitGood || !strings.Contains(text, "user/blind was denied ec2:CreateSecurityGroup 3 times") {
		t.Errorf("dera show: got exit code %d\n%s", code, text)
	}
}
