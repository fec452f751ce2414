package wire_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dera.example/dera"
	"dera.example/dera/awssim/moto"
	"dera.example/dera/cloud"
	"dera.example/dera/cloud/cloudtest"
	"dera.example/dera/cloudtrail"
	"dera.example/dera/services/events/rule"
	"dera.example/dera/services/events/rule/wire"
)

type m = map[string]any

const queue = "arn:aws:sqs:us-east-1:111122223333:dera-events"

func scope(ids ...string) dera.Scope {
	return dera.Scope{Partition: "aws", Account: cloudtest.Hub, Region: cloudtest.East, Type: rule.Name, IDs: ids}
}

func listed(name, state string) m {
	return m{"Name": name, "Arn": "arn:aws:events:us-east-1:111122223333:rule/" + name, "State": state, "EventPattern": "{}", "EventBusName": "default"}
}

// TestRead: the rules come page by page, by their prefix; what could not be read is not known,
// and a rule without targets is one that says so.
func TestRead(t *testing.T) {
	t.Parallel()
	stub := moto.StartStub(t)
	all := []moto.Answer{
		{When: m{"NamePrefix": "dera-", "NextToken": "2"}, Output: m{"Rules": []m{listed("dera-root", "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS")}}},
		{When: m{"NamePrefix": "dera-"}, Output: m{"Rules": []m{listed("dera-ec2", "DISABLED")}, "NextToken": "2"}},
	}
	to := func(targets ...m) moto.Answer {
		return moto.Answer{Output: m{"Targets": targets}}
	}
	ec2 := rule.Rule{ID: "dera-ec2", Enabled: new(false), Pattern: "{}", Targets: []string{queue}}
	root := rule.Rule{ID: "dera-root", Enabled: new(true), Calls: true, Pattern: "{}", Targets: []string{queue}}
	bare := ec2
	bare.Targets = nil
	// That a rule has no target the model cannot say: see TestMotoRule.
	for name, tc := range map[string]struct {
		ids             []string
		list            []moto.Answer
		targets         moto.Answer
		want            []rule.Rule
		missing         string
		unread, problem string
	}{
		"all":             {nil, all, to(m{"Id": "1", "Arn": queue}), []rule.Rule{ec2, root}, "", "", ""},
		"by_name":         {[]string{"dera-root", "dera-s3"}, all, to(m{"Id": "1", "Arn": queue}), []rule.Rule{root}, "dera-s3", "", ""},
		"targets_denied":  {[]string{"dera-ec2"}, all, moto.Answer{Error: "AccessDeniedException"}, []rule.Rule{bare}, "", "", ""},
		"targets_failed":  {[]string{"dera-ec2"}, all, moto.Answer{Error: "InternalException", Status: 500}, []rule.Rule{bare}, "", "InternalException", ""},
		"deleted_now":     {[]string{"dera-ec2"}, all, moto.Answer{Error: "ResourceNotFoundException"}, nil, "dera-ec2", "", ""},
		"denied":          {nil, []moto.Answer{{Error: "AccessDeniedException"}}, moto.Answer{}, nil, "", "", "AccessDenied"},
		"of_another_bus":  {nil, []moto.Answer{{Output: m{"Rules": []m{{"Name": "dera-ec2", "Arn": "arn:aws:events:us-east-1:111122223333:rule/mine/dera-ec2", "State": "ENABLED"}}}}}, moto.Answer{}, nil, "", "", "it is about"},
		"without_a_state": {nil, []moto.Answer{{Output: m{"Rules": []m{{"Name": "dera-ec2", "Arn": "arn:aws:events:us-east-1:111122223333:rule/dera-ec2"}}}}}, moto.Answer{}, nil, "", "", "it is about"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := stub.World(t)
			w.On("events", "ListRules", tc.list...)
			w.On("events", "ListTargetsByRule", tc.targets)
			page, err := cloudtest.At(t, []cloud.Wire{wire.Wire()}, w.URL(), w.AccessKeyID, nil).Read(t.Context(), scope(tc.ids...), false)
			if tc.problem != "" {
				if err == nil || !strings.Contains(err.Error(), tc.problem) {
					t.Errorf("got %+v, %v, want an error of %s", page, err, tc.problem)
				}
				return
			}
			if err != nil || strings.Join(page.Missing, " ") != tc.missing {
				t.Fatalf("got %+v, %v", page, err)
			}
			var got []rule.Rule
			for _, x := range page.Resources {
				got = append(got, *x.Config.(*rule.Rule))
				if (x.Unread == "") != (tc.unread == "") || !strings.Contains(x.Unread, tc.unread) {
					t.Errorf("unread: got %q, want %q", x.Unread, tc.unread)
				}
			}
			if d := cmp.Diff(tc.want, got); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}

// TestHints: only dera's own rules of the default bus are looked at.
func TestHints(t *testing.T) {
	t.Parallel()
	watch := cloudtrail.NewWatch(rule.Type().Events)
	for name, tc := range map[string]struct{ call, request, want string }{
		"by_name":       {"DisableRule", `{"name":"dera-ec2"}`, "dera-ec2"},
		"by_rule":       {"RemoveTargets", `{"rule":"dera-iam","ids":["1"]}`, "dera-iam"},
		"default_bus":   {"DeleteRule", `{"name":"dera-s3","eventBusName":"arn:aws:events:us-east-1:111122223333:event-bus/default"}`, "dera-s3"},
		"another_bus":   {"DisableRule", `{"name":"dera-ec2","eventBusName":"mine"}`, "none"},
		"rule_of_other": {"DisableRule", `{"name":"nightly"}`, "none"},
		"names_none":    {"DisableRule", `{}`, ""},
	} {
		got := "none"
		for _, s := range watch.Hints(cloudtrail.Record{Source: "events.amazonaws.com", Name: tc.call, Account: cloudtest.Hub, Region: cloudtest.East, Partition: "aws", Request: []byte(tc.request)}) {
			got = strings.Join(s.IDs, " ")
		}
		if got != tc.want {
			t.Errorf("%s: got %q, want %q", name, got, tc.want)
		}
	}
}
