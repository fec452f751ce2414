package cloud_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dera.example/dera"
	"dera.example/dera/awssim/moto"
	"dera.example/dera/cloud/cloudtest"
	"dera.example/dera/resource"
	"dera.example/dera/resource/role"
)

type members = map[string]any

const custom = `{"schemaVersion":"0.3","assumeRole":"{{ AutomationAssumeRole }}"}`

// a document as AWS describes it, changed by some members.
func described(change members) moto.Answer {
	d := members{"Name": "Acme-Fix", "Owner": cloudtest.Hub, "DocumentType": "Automation", "Status": "Active", "Hash": "4c1f", "HashType": "Sha256", "DocumentVersion": "3"}
	for k, v := range change {
		d[k] = v
	}
	return moto.Answer{Output: members{"Document": d}}
}

func text(s string) moto.Answer {
	if s == "" {
		return moto.Answer{Output: members{"Name": "Acme-Fix", "DocumentVersion": "3"}}
	}
	return moto.Answer{Output: members{"Name": "Acme-Fix", "DocumentVersion": "3", "Content": s}}
}

func configured(change members) moto.Answer {
	d := members{"FunctionName": "acme-fix", "Version": "7", "CodeSha256": "q2hl", "Timeout": 30}
	for k, v := range change {
		d[k] = v
	}
	return moto.Answer{Output: d}
}

var (
	place    = dera.Resource{Partition: "aws", Account: cloudtest.Hub, Region: cloudtest.East, ARN: "arn:aws:sns:us-east-1:111122223333:a", ID: "a"}
	asRole   = dera.ARN("arn:aws:iam::111122223333:role/fix")
	document = dera.CustomInput{Document: "Acme-Fix", Role: asRole, Seconds: 60, Parameters: map[string][]string{"Topic": {"a"}}}
	function = dera.CustomInput{Function: "acme-fix", Version: "7", Parameters: map[string][]string{"topic": {"a"}}}
)

// TestBindCustom: what is bound, and what is refused: what others can change, what would
// act as dera, what says less than it should.
func TestBindCustom(t *testing.T) {
	t.Parallel()
	stub := moto.StartStub(t)
	without := func(in dera.CustomInput) dera.CustomInput { in.Role = ""; return in }
	for name, tc := range map[string]struct {
		in       dera.CustomInput
		describe moto.Answer
		content  moto.Answer
		config   moto.Answer
		want     string // version, hash and seconds, or empty
		says     string
	}{
		"document":                              {in: document, describe: described(nil), content: text(custom), want: "3 4c1f 60"},
		"of_aws":                                {in: document, describe: described(members{"Owner": "Amazon"}), content: text(custom), want: "3 4c1f 60"},
		"yaml":                                  {in: document, describe: described(nil), content: text("schemaVersion: '0.3'\nassumeRole: '{{ AutomationAssumeRole }}'\n"), want: "3 4c1f 60"},
		"role_of_its_own":                       {in: without(document), describe: described(nil), content: text(`{"assumeRole": "arn:aws:iam::111122223333:role/own"}`), want: "3 4c1f 60"},
		"of_another_account":                    {in: document, describe: described(members{"Owner": cloudtest.Member}), says: "which can change it"},
		"of_commands":                           {in: document, describe: described(members{"DocumentType": "Command"}), says: "not of Automation"},
		"being_made":                            {in: document, describe: described(members{"Status": "Creating"}), says: "is Creating"},
		"without_hash":                          {in: document, describe: described(members{"Hash": ""}), says: "no hash or version"},
		"without_content":                       {in: document, describe: described(nil), content: text(""), says: "no content"},
		"acts_as_dera":                          {in: document, describe: described(nil), content: text(`{"parameters":{"AutomationAssumeRole":{}}}`), says: "credentials of dera"},
		"acts_as_dera_in_yaml":                  {in: document, describe: described(nil), content: text("# assumeRole: x\nassumeRole: ''\n"), says: "credentials of dera"},
		"acts_as_dera_though_a_step_has_a_role": {in: without(document), describe: described(nil), content: text("schemaVersion: '0.3'\nmainSteps:\n- name: a\n  action: aws:executeAwsApi\n  inputs:\n    assumeRole: arn:aws:iam::111122223333:role/own\n"), says: "credentials of dera"},
		"acts_as_dera_though_a_parameter_is_called_so": {in: without(document), describe: described(nil), content: text(`{"schemaVersion":"0.3","parameters":{"assumeRole":{"type":"String"}}}`), says: "credentials of dera"},
		"acts_as_dera_though_its_text_names_a_role":    {in: without(document), describe: described(nil), content: text("description: |\n  assumeRole: arn:aws:iam::111122223333:role/own\nschemaVersion: '0.3'\n"), says: "credentials of dera"},
		"acts_as_dera_by_null":                         {in: without(document), describe: described(nil), content: text("assumeRole: null\n"), says: "credentials of dera"},
		"acts_as_dera_by_other_case":                   {in: without(document), describe: described(nil), content: text(`{"AssumeRole":"arn:aws:iam::111122223333:role/own"}`), says: "credentials of dera"},
		"acts_as_dera_by_other_case_in_yaml":           {in: without(document), describe: described(nil), content: text("AssumeRole: arn:aws:iam::111122223333:role/own\n"), says: "credentials of dera"},
		"role_after_steps":                             {in: document, describe: described(nil), content: text("schemaVersion: '0.3'\nmainSteps:\n- name: a\n  inputs:\n    Script: |-\n      assumeRole: x\n      def f(e, c):\n        return {'a': 1}\nassumeRole: >-\n  {{AutomationAssumeRole}}\n"), want: "3 4c1f 60"},
		"role_is_no_text":                              {in: without(document), describe: described(nil), content: text(`{"assumeRole":["arn:aws:iam::111122223333:role/own"]}`), says: "cannot be read"},
		"cannot_be_read":                               {in: without(document), describe: described(nil), content: text("assumeRole: arn:aws:iam::111122223333:role/own\n\t- {"), says: "cannot be read"},
		"is_given_no_role":                             {in: without(document), describe: described(nil), content: text(custom), says: "name one in the configuration"},
		"is_given_another_way":                         {in: document, describe: described(nil), content: text(`{"assumeRole":"{{ Who }}"}`), says: "write {{ AutomationAssumeRole }}"},
		"denied":                                       {in: document, describe: moto.Answer{Error: "AccessDeniedException"}, says: "denied"},
		"function":                                     {in: function, config: configured(nil), want: "7 q2hl 30"},
		"function_takes_long":                          {in: function, config: configured(members{"Timeout": 900}), says: "may run for 900 s"},
		"function_without_hash":                        {in: function, config: configured(members{"CodeSha256": ""}), says: "no hash of the code"},
		"another_version":                              {in: function, config: configured(members{"Version": "$LATEST"}), says: `is "$LATEST"`},
		"function_is_not_there":                        {in: function, config: moto.Answer{Error: "ResourceNotFoundException", Status: 404}, says: "not found"},
		"undo_is_bound_as_well":                        {in: func() dera.CustomInput { in := document; in.Undo = &function; return in }(), describe: described(nil), content: text(custom), config: configured(nil), want: "3 4c1f 60 7 q2hl 30"},
		"undo_that_is_not_there":                       {in: func() dera.CustomInput { in := document; in.Undo = &function; return in }(), describe: described(nil), content: text(custom), config: moto.Answer{Error: "ResourceNotFoundException", Status: 404}, says: "not found"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := stub.World(t)
			w.On("ssm", "DescribeDocument", tc.describe)
			w.On("ssm", "GetDocument", tc.content)
			w.On("lambda", "GetFunctionConfiguration", tc.config)
			got, err := cloudtest.At(t, nil, w.URL(), w.AccessKeyID, nil).BindCustom(t.Context(), place, tc.in, true)
			if tc.want == "" {
				if err == nil || !strings.Contains(err.Error(), tc.says) {
					t.Errorf("got %+v, %v, want an error with %q", got, err, tc.says)
				}
				return
			}
			var have []string
			for _, in := range []*dera.CustomInput{&got, got.Undo} {
				if in != nil {
					have = append(have, in.Version, in.Hash, itoa(in.Seconds))
				}
			}
			if s := strings.Join(have, " "); err != nil || s != tc.want || (got.Document != "") != (len(got.Content) == 64) {
				t.Errorf("got %s, %+v, %v, want %s", s, got, err, tc.want)
			}
			if tc.in.Undo != nil && tc.in.Undo.Hash != "" {
				t.Error("the input of the caller was changed")
			}
		})
	}
}

// TestBindCustomIsRemembered: a sweep with many findings asks once, also where it is denied;
// right before a start nothing counts that was remembered.
func TestBindCustomIsRemembered(t *testing.T) {
	t.Parallel()
	stub := moto.StartStub(t)
	for name, answer := range map[string]moto.Answer{"there": described(nil), "denied": {Error: "AccessDeniedException"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := stub.World(t)
			w.On("ssm", "DescribeDocument", answer)
			w.On("ssm", "GetDocument", text(custom))
			c := cloudtest.At(t, nil, w.URL(), w.AccessKeyID, nil)
			for i, want := range []int{1, 1, 2, 2} {
				_, err := c.BindCustom(t.Context(), place, document, i == 2)
				if got := len(w.Calls("DescribeDocument")); (err != nil) != (name == "denied") || got != want {
					t.Errorf("time %d: got %v after %d calls, want %d", i, err, got, want)
				}
			}
		})
	}
}

func itoa(n int) string { text, _ := json.Marshal(n); return string(text) }

// TestStartCustom: the start has the token, the version and the role, is sent once, and not
// at all where the content changed or dera holds it back.
func TestStartCustom(t *testing.T) {
	t.Parallel()
	stub := moto.StartStub(t)
	const token = "12345678-1234-4234-8234-123456789012"
	bound := document
	bound.Version, bound.Hash, bound.Content = "3", "4c1f", "d3b71b2bf27fc2d33fd0a3ee5ae6ffc9cc94bb1d3b51ec11e6b3dd3cb1c8c6f4"
	ready := func(t *testing.T) *moto.StubWorld {
		w := stub.World(t)
		w.On("ssm", "DescribeDocument", described(nil))
		w.On("ssm", "GetDocument", text(custom))
		w.On("lambda", "GetFunctionConfiguration", configured(nil))
		return w
	}
	op := func(t *testing.T, in dera.CustomInput) resource.Operation {
		input, err := json.Marshal(in)
		if err != nil {
			t.Fatal(err)
		}
		return resource.Operation{Name: in.Operation(), Version: 1, Input: input}
	}
	plan := dera.Plan{Partition: "aws", Account: cloudtest.Hub, Region: cloudtest.East, Resource: place.ARN}
	now := func(t *testing.T, w *moto.StubWorld) dera.CustomInput {
		in, err := cloudtest.At(t, nil, w.URL(), w.AccessKeyID, nil).BindCustom(t.Context(), place, document, true)
		if err != nil {
			t.Fatal(err)
		}
		return in
	}
	t.Run("document", func(t *testing.T) {
		t.Parallel()
		w := ready(t)
		w.On("ssm", "StartAutomationExecution", moto.Answer{Output: members{"AutomationExecutionId": token}})
		run, _, err := cloudtest.At(t, nil, w.URL(), w.AccessKeyID, nil).StartCustom(t.Context(), plan, op(t, now(t, w)), token, cloudtest.Allow)
		if err != nil || run != (dera.CustomRun{Execution: token}) {
			t.Fatalf("got %+v, %v", run, err)
		}
		want := members{"DocumentName": "Acme-Fix", "DocumentVersion": "3", "ClientToken": token, "Parameters": members{"Topic": []any{"a"}, "AutomationAssumeRole": []any{string(asRole)}}}
		if d := cmp.Diff(want, w.Calls("StartAutomationExecution")[0].Input); d != "" {
			t.Errorf("(-want +got):\n%s", d)
		}
	})
	t.Run("document_changed", func(t *testing.T) {
		t.Parallel()
		w := ready(t)
		_, _, err := cloudtest.At(t, nil, w.URL(), w.AccessKeyID, nil).StartCustom(t.Context(), plan, op(t, bound), token, cloudtest.Allow)
		var moved interface{ Moved() bool }
		if !errors.As(err, &moved) || len(w.Calls("StartAutomationExecution")) != 0 {
			t.Errorf("got %v, %d starts", err, len(w.Calls("StartAutomationExecution")))
		}
	})
	t.Run("held_back", func(t *testing.T) {
		t.Parallel()
		w := ready(t)
		no := errors.New("stopped")
		_, _, err := cloudtest.At(t, nil, w.URL(), w.AccessKeyID, nil).StartCustom(t.Context(), plan, op(t, now(t, w)), token, func(context.Context) error { return no })
		if !errors.Is(err, no) || len(w.Calls("StartAutomationExecution")) != 0 {
			t.Errorf("got %v, %d starts", err, len(w.Calls("StartAutomationExecution")))
		}
	})
	for name, answer := range map[string]moto.Answer{"no_id": {Output: members{}}, "server_error": {Error: "InternalServerError", Status: 500}, "refused": {Error: "AutomationExecutionLimitExceededException"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := ready(t)
			w.On("ssm", "StartAutomationExecution", answer)
			_, _, err := cloudtest.At(t, nil, w.URL(), w.AccessKeyID, nil).StartCustom(t.Context(), plan, op(t, now(t, w)), token, cloudtest.Allow)
			var refused interface{ Refused() bool }
			if is := errors.As(err, &refused) && refused.Refused(); err == nil || is != (name == "refused") || len(w.Calls("StartAutomationExecution")) != 1 {
				t.Errorf("got %v, refused %t, %d starts", err, is, len(w.Calls("StartAutomationExecution")))
			}
		})
	}
	for name, tc := range map[string]struct {
		answer moto.Answer
		want   dera.CustomRun
		failed bool
	}{
		"function":            {answer: moto.Answer{Output: members{"StatusCode": 200, "Payload": "{}"}}, want: dera.CustomRun{Ended: true}},
		"function_with_error": {answer: moto.Answer{Output: members{"StatusCode": 200, "FunctionError": "Unhandled", "Payload": "{}"}}, want: dera.CustomRun{Ended: true, Failed: "an error of the function (Unhandled)"}},
		"function_unanswered": {answer: moto.Answer{Error: "ServiceException", Status: 500}, failed: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := ready(t)
			w.On("lambda", "Invoke", tc.answer)
			in := function
			in.Hash, in.Seconds = "q2hl", 30
			run, _, err := cloudtest.At(t, nil, w.URL(), w.AccessKeyID, nil).StartCustom(t.Context(), plan, op(t, in), token, cloudtest.Allow)
			if (err != nil) != tc.failed || run != tc.want || len(w.Calls("Invoke")) != 1 || w.Calls("Invoke")[0].Input["Qualifier"] != "7" {
				t.Errorf("got %+v, %v, %+v", run, err, w.Calls("Invoke"))
			}
		})
	}
}

// TestCustomRun: only the statuses of an end are one.
func TestCustomRun(t *testing.T) {
	t.Parallel()
	stub := moto.StartStub(t)
	const id = "12345678-1234-4234-8234-123456789012"
	for status, want := range map[string]dera.CustomRun{
		"Success": {Execution: id, Ended: true}, "CompletedWithSuccess": {Execution: id, Ended: true}, "Failed": {Execution: id, Ended: true, Failed: "Failed"},
		"TimedOut": {Execution: id, Ended: true, Failed: "TimedOut"}, "Cancelled": {Execution: id, Ended: true, Failed: "Cancelled"}, "InProgress": {Execution: id},
		"Waiting": {Execution: id}, "Cancelling": {Execution: id}, "PendingApproval": {Execution: id}, "": {}, "of_another": {},
	} {
		t.Run("status_"+status, func(t *testing.T) {
			t.Parallel()
			w := stub.World(t)
			out := members{"AutomationExecutionId": id, "AutomationExecutionStatus": status}
			switch status {
			case "":
				delete(out, "AutomationExecutionStatus")
			case "of_another":
				out["AutomationExecutionId"], out["AutomationExecutionStatus"] = strings.Replace(id, "1", "2", 1), "Success"
			}
			w.On("ssm", "GetAutomationExecution", moto.Answer{Output: members{"AutomationExecution": out}})
			got, err := cloudtest.At(t, nil, w.URL(), w.AccessKeyID, nil).CustomRun(t.Context(), dera.Plan{Account: cloudtest.Hub, Region: cloudtest.East}, id)
			if (err != nil) != (want == dera.CustomRun{}) || got != want {
				t.Errorf("got %+v, %v, want %+v", got, err, want)
			}
		})
	}
}

// TestCustomSession: the session of a custom fix can start it and its undo and pass its
// role, and nothing else.
func TestCustomSession(t *testing.T) {
	t.Parallel()
	in := document
	in.Version, in.Undo = "3", &function
	input, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	got, err := role.Session(dera.Plan{Partition: "aws", Account: cloudtest.Hub, Region: cloudtest.East, Changes: []dera.Change{{Operation: in.Operation(), Version: 1, Input: input}}})
	if err != nil {
		t.Fatal(err)
	}
	const ssm = "arn:aws:ssm:us-east-1:111122223333:"
	want := []role.Statement{
		{Effect: "Allow", Action: []string{dera.StartAutomation}, Resource: []string{ssm + "document/Acme-Fix", ssm + "automation-definition/Acme-Fix:3", ssm + "automation-execution/*"}},
		{Effect: "Allow", Action: []string{"iam:PassRole"}, Resource: []string{string(asRole)}, Condition: map[string]map[string]string{"StringEquals": {"iam:PassedToService": "ssm.amazonaws.com"}}},
		{Effect: "Allow", Action: []string{dera.InvokeFunction}, Resource: []string{"arn:aws:lambda:us-east-1:111122223333:function:acme-fix:7"}},
	}
	if d := cmp.Diff(want, got.Statement); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}
