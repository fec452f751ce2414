package storetest

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"dera.example/dera"
	"dera.example/dera/audit"
	"dera.example/dera/store"
)

const (
	account = "123456789012"
	region  = "eu-central-1"
	group   = "AWS::Test::Gate"
	control = "ec2/admin-ports-open"
)

// Finding is a finding about a resource.
func Finding(name string, severity dera.Severity, at time.Time) dera.Finding {
	f := dera.Finding{
		Control: control, Partition: "aws", Account: account, Region: region, Resource: arn(name), ResourceType: group, Key: "tcp/22",
		Severity: severity, Title: "SSH is open", Start: dera.Auto, Disposition: dera.Auto,
		State: dera.FindingOpen, FirstSeen: at, LastSeen: at,
	}
	f.ID = dera.FindingID(f.ResourceKey(), f.Control, f.Key)
	return f
}

// Remediation is a new remediation of a resource.
func Remediation(id, name string, at time.Time) dera.Remediation {
	return dera.Remediation{
		ID: id, Control: control, State: dera.Ready, CreatedAt: at, Way: []string{"before", "after"},
		Severity: dera.High, Decision: dera.Decision{Disposition: dera.Auto, Mode: dera.Enforce},
		Plan: dera.Plan{
			Partition: "aws", Account: account, Region: region, Resource: arn(name), Type: group, Control: control,
			Changes: []dera.Change{{Operation: "test:CloseGate", Version: 1, Input: json.RawMessage(`{"rule":"sgr-1"}`)}},
		},
	}
}

// Intent is the open intent of the first step of a remediation.
func Intent(remediation string, token int64, at time.Time) dera.Intent {
	return dera.Intent{Remediation: remediation, Operation: "test:CloseGate", Version: 1, State: dera.IntentOpen, Token: token, At: at}
}

// Record is an audit record that says something.
func Record(why string, at time.Time) dera.AuditRecord {
	return dera.AuditRecord{Version: 1, Kind: dera.RecordOutcome, Time: at.UTC(), Actor: dera.Actor{Name: "test", How: "engine"}, Why: why}
}

func arn(name string) dera.ARN {
	return dera.ARN("arn:aws:ec2:" + region + ":" + account + ":security-group/" + name)
}

func look(key string, at time.Time) dera.Job {
	return dera.Job{Kind: "look", Key: key, Priority: 10, RunAt: at, Payload: json.RawMessage(`{}`)}
}

func spend(remediation string, limit int, at time.Time) store.Spend {
	return store.Spend{Remediation: remediation, Account: account, Control: control, At: at, Limit: limit}
}

func kept(i int, at time.Time) store.KeptEvent {
	return store.KeptEvent{ID: fmt.Sprintf("event-%d", i), At: at, Source: "sqs", Why: "it is no JSON", Body: fmt.Sprintf("body %d", i)}
}

// full is a batch with something in every part.
func full(id string, l dera.Lease, at time.Time) store.Batch {
	record := Record("decided "+id, at)
	record.Sealed = []byte("payload of " + id)
	return store.Batch{
		Fence:        &l,
		Findings:     []dera.Finding{Finding("sg-"+id, dera.High, at)},
		Remediations: []dera.Remediation{Remediation(id, "sg-"+id, at)},
		Intents:      []dera.Intent{Intent(id, l.Token, at)},
		Jobs:         []dera.Job{look("look at "+id, at)},
		Incidents:    []dera.Incident{Incident(Finding("sg-"+id, dera.High, at), "INC-"+id, at)},
		Accesses:     []dera.Access{{ID: "a-" + id, Account: account, Took: []string{id}, At: at}},
		Watches:      []dera.Watch{{Remediation: id, Principal: string(arn("role")), Since: at}},
		Stops:        []dera.Stop{{Account: account, Control: id, Reason: "maintenance", By: "alice", At: at}},
		Spends:       []store.Spend{spend(id, 10, at)},
		Evidence:     map[string][]byte{"hash of " + id: []byte("evidence of " + id)},
		Records:      []dera.AuditRecord{record, Record("started "+id, at)},
		Kept:         []store.KeptEvent{{ID: "kept with " + id, At: at, Source: "sqs", Why: "it is no JSON", Body: strings.Repeat("x", 10)}},
		Counts:       map[string]int64{"events": 1},
		Unread:       []store.Place{{Account: account, Region: region, Type: "ec2.SecurityGroup", Resource: id, Unread: at, Tried: at, Why: "denied"}},
		Calls:        []audit.Call{{EventID: "event of " + id, RequestID: "request of " + id, Service: "ec2", Time: at}},
	}
}
