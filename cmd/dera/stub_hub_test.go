package main

import (
	"strings"
	"testing"
	"time"

	"dera.example/dera"
	"dera.example/dera/awssim/moto"
	"dera.example/dera/cloud/cloudtest"
	"dera.example/dera/securityhub"
	"dera.example/dera/sink"
)

// TestStubSecurityHub: what dera asks of Security Hub and writes there has the shapes of AWS's
// model, over two pages, and its errors are understood.
func TestStubSecurityHub(t *testing.T) {
	t.Parallel()
	w := moto.StartStub(t).World(t)
	client := cloudtest.At(t, nil, w.URL(), w.AccessKeyID, nil)
	hub := securityhub.Remote{V1: true, V2: true, Hub: func(at securityhub.Place) securityhub.Caller { return client.SecurityHub(at.Account, at.Region) }}
	at := securityhub.Place{Account: cloudtest.Hub, Region: cloudtest.East}
	const group = "arn:aws:ec2:us-east-1:111122223333:security-group/sg-1"
	first := map[string]any{
		"SchemaVersion": "2018-10-08", "Id": "a", "ProductArn": "arn:p", "GeneratorId": "aws-foundational-security-best-practices/v/1.0.0/EC2.19", "AwsAccountId": cloudtest.Hub,
		"CreatedAt": "2026-11-02T09:00:00.000Z", "UpdatedAt": "2026-11-02T09:00:00.000Z", "LastObservedAt": "2026-11-02T10:00:00.000Z", "Title": "t", "Description": "d",
		"Resources": []any{map[string]any{"Type": "AwsEc2SecurityGroup", "Id": group}}, "Compliance": map[string]any{"Status": "PASSED"}, "Workflow": map[string]any{"Status": "NEW"},
		"RecordState": "ACTIVE", "Region": cloudtest.East, "Note": map[string]any{"Text": "n", "UpdatedBy": "alice", "UpdatedAt": "2026-11-02T09:00:00.000Z"}, "UserDefinedFields": map[string]any{"team": "x"},
	}
	second := map[string]any{}
	for k, v := range first {
		second[k] = v
	}
	second["Id"], second["Compliance"] = "b", map[string]any{"Status": "FAILED", "SecurityControlId": "EC2.13"}
	w.On("securityhub", "GetFindings",
		moto.Answer{When: map[string]any{"NextToken": "2"}, Output: map[string]any{"Findings": []any{second}}},
		moto.Answer{Output: map[string]any{"Findings": []any{first}, "NextToken": "2"}},
	)
	w.On("securityhub", "GetFindingsV2", moto.Answer{Output: map[string]any{"Findings": []any{map[string]any{
		"status_id": 1, "comment": "c", "cloud": map[string]any{"region": cloudtest.East}, "compliance": map[string]any{"control": "EC2.13", "status_id": 1},
		"finding_info": map[string]any{"uid": "v", "modified_time_dt": "2026-11-02T10:00:00.000Z"}, "metadata": map[string]any{"product": map[string]any{"uid": "p"}},
	}}}})
	got, err := hub.Findings(t.Context(), at, cloudtest.Hub, group)
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 6 { // of the resource, and under the name of the account
		t.Fatalf("%d findings, want 6: %+v", len(got), got)
	}
	if x := got[0]; x.Control != "EC2.19" || !x.Passed || x.NoteBy != "alice" || x.Fields["team"] != "x" || x.Workflow != securityhub.New || !x.Observed.Equal(time.Date(2026, 11, 2, 10, 0, 0, 0, time.UTC)) {
		t.Errorf("the first is %+v", x)
	}
	if x := got[1]; x.Control != "EC2.13" || x.Passed {
		t.Errorf("the second is %+v", x)
	}
	if x := got[2]; !x.V2 || x.ID != "v" || x.Product != "p" || !x.Passed || x.Note != "c" || x.Workflow != securityhub.New {
		t.Errorf("that of V2 is %+v", x)
	}

	w.On("securityhub", "BatchUpdateFindings", moto.Answer{Output: map[string]any{"ProcessedFindings": []any{}, "UnprocessedFindings": []any{}}})
	w.On("securityhub", "BatchUpdateFindingsV2", moto.Answer{Output: map[string]any{"ProcessedFindings": []any{}, "UnprocessedFindings": []any{map[string]any{"ErrorCode": "ConflictException", "ErrorMessage": "again"}}}})
	err = hub.Update(t.Context(), at, []securityhub.Update{
		{Of: got[0], Workflow: securityhub.Notified, Note: "n", Fields: map[string]string{"dera": "x"}},
		{Of: got[2], Workflow: securityhub.Resolved, Note: dera.Comment(time.Now(), "n")},
	})
	if err == nil || sink.Permanent(err) || !strings.Contains(err.Error(), "ConflictException") {
		t.Errorf("a conflict is %v, want an error that may pass", err)
	}
	if calls := w.Calls("BatchUpdateFindingsV2"); len(calls) != 1 || calls[0].Input["StatusId"] != float64(4) {
		t.Errorf("V2 was asked %+v", calls)
	}

	w.On("securityhub", "BatchImportFindings", moto.Answer{Output: map[string]any{"FailedCount": 0, "SuccessCount": 1, "FailedFindings": []any{}}})
	f := securityhub.Finding{Finding: dera.Finding{
		ID: "f-1", Control: "ec2-securitygroup-admin-ports-open", Partition: "aws", Account: cloudtest.Hub, Region: cloudtest.East, Resource: group, ResourceType: "AWS::EC2::SecurityGroup",
		Title: "t", Why: "w", Severity: dera.High, Disposition: dera.Auto, State: dera.FindingOpen, FirstSeen: time.Now(), LastSeen: time.Now(),
	}, Fix: "close it"}
	if err := hub.Import(t.Context(), at, []securityhub.ASFF{securityhub.ToASFF(f)}); err != nil {
		t.Error(err)
	}
	if calls := w.Calls("BatchImportFindings"); len(calls) != 1 || calls[0].Region != cloudtest.East {
		t.Errorf("imported by %+v", calls)
	}

	w.On("securityhub", "GetFindings", moto.Answer{Error: "AccessDeniedException", Status: 403})
	if _, err := hub.Findings(t.Context(), at, cloudtest.Hub, group); err == nil || !strings.Contains(err.Error(), "AccessDenied") {
		t.Errorf("a denied read is %v", err)
	}
}
