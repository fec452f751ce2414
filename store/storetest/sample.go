package storetest

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"dera.example/dera"
	"dera.example/dera/audit"
	"dera.example/dera/store"
	"dera.example/dera/usage"
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

// Whole is a batch with n of everything that a batch can hold many of, numbered from first on,
// under a lease.
func Whole(first, n int, l dera.Lease, at time.Time) store.Batch {
	var out store.Batch
	for i := range n {
		b := full(fmt.Sprintf("r-%d", first+i), l, at)
		place := store.PlaceRead{Account: account, Region: region, Type: fmt.Sprint("t", first+i), Since: at, At: at}
		if i == 0 {
			out = b
			out.Use.Runs, out.Remember, out.First = map[int][]byte{}, map[string]string{}, map[string]string{}
			out.Posting = &store.Posting{From: int64(first), Next: int64(first)}
			out.Alarm, out.Taken = &dera.Alarm{Key: fmt.Sprint("alarm ", first), Severity: dera.High, Since: at}, fmt.Sprint("message ", first)
		} else {
			out.Findings, out.Remediations, out.Intents = append(out.Findings, b.Findings...), append(out.Remediations, b.Remediations...), append(out.Intents, b.Intents...)
			out.Jobs, out.Incidents, out.Accesses = append(out.Jobs, b.Jobs...), append(out.Incidents, b.Incidents...), append(out.Accesses, b.Accesses...)
			out.Watches, out.Stops, out.Records = append(out.Watches, b.Watches...), append(out.Stops, b.Stops...), append(out.Records, b.Records...)
			out.Kept, out.Unread, out.Calls = append(out.Kept, b.Kept...), append(out.Unread, b.Unread...), append(out.Calls, b.Calls...)
			for hash, body := range b.Evidence {
				out.Evidence[hash] = body
			}
		}
		for j := range b.Spends {
			b.Spends[j].Limit = 0
		}
		if i > 0 {
			out.Spends = append(out.Spends, b.Spends...)
		}
		name := fmt.Sprint(first + i)
		out.Done = append(out.Done, dera.Job{Kind: "look", Key: "done " + name, Seq: 1, Claim: 7, LeasedUntil: at})
		out.Resumes, out.Judged = append(out.Resumes, dera.Stop{Account: account, Control: "c" + name}), append(out.Judged, "event "+name)
		out.Read = append(out.Read, place, store.PlaceRead{Account: account, Region: region, Type: "one", Resources: []string{name}})
		out.Expected = append(out.Expected, store.Place{Account: account, Region: region, Type: "expected" + name, Unread: at})
		out.Remember[name], out.First[name], out.Counts[name] = name, name, 1
		out.Posting.Notices = append(out.Posting.Notices, store.Notice{ID: name, Sink: "s", Due: at, Body: []byte(name)})
		out.Use.Runs[first+i] = []byte(name)
		out.Use.Hours = append(out.Use.Hours, usage.Hours{Account: name, Region: region})
		out.Use.Marks = append(out.Use.Marks, usage.Mark{File: name, Name: name, Done: true})
		out.Use.Facts = append(out.Use.Facts, usage.Fact{ID: name, Kind: "scope", Body: []byte("{}")})
		out.Use.Denials = append(out.Use.Denials, usage.Denied{Denial: dera.Denial{Remediation: "r-0", Principal: name, First: at}, Record: Record("denied", at)})
	}
	out.Posting.Next += int64(n)
	return out
}
