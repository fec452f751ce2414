package main

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"dera.example/dera/awssim/moto"
)

// motoPolicy is a resource whose policy allows public access, how boto3 puts and sees it, and
// what dera decides.
type motoPolicy struct {
	controls string
	// set makes the resource, with the policy as put, and returns its ID.
	set func(w *motoWorld, put string) string
	// look returns the policy as boto3 sees it; empty for none.
	look func(w *motoWorld, id string) any
	// action is what everyone may do, and on what; RESOURCE stands for the ARN.
	action, on  string
	disposition string
	key         string
	whole       bool   // the statement goes, and is not narrowed
	outsider    bool   // it is for another account, and not for everyone
	beside      string // a statement that the service needs to be there
}

func motoPolicies() map[string]motoPolicy {
	quoted := func(text string) string {
		out, _ := json.Marshal(text) // a text always marshals
		return string(out)
	}
	text := func(answer any) string {
		s, _ := answer.(string)
		return s
	}
	return map[string]motoPolicy{
		"sqs": {
			controls: "sqs-queue-*", action: "sqs:ReceiveMessage", on: `"arn:aws:sqs:us-east-1:ACCOUNT:orders"`, disposition: "auto", key: "policy/write",
			set: func(w *motoWorld, put string) string {
				url := text(w.ask("sqs", "create_queue", `{"QueueName":"orders","Attributes":{"DelaySeconds":"7"}}`)["QueueUrl"])
				w.ask("sqs", "set_queue_attributes", `{"QueueUrl":`+quoted(url)+`,"Attributes":{"Policy":`+quoted(put)+`}}`)
				return "orders"
			},
			look: func(w *motoWorld, _ string) any {
				url := text(w.ask("sqs", "get_queue_url", `{"QueueName":"orders"}`)["QueueUrl"])
				all := w.ask("sqs", "get_queue_attributes", `{"QueueUrl":`+quoted(url)+`,"AttributeNames":["All"]}`)["Attributes"].(map[string]any)
				if all["DelaySeconds"] != "7" {
					w.t.Errorf("an attribute beside the policy changed: %v", all)
				}
				return all["Policy"]
			},
		},
		"sns": {
			controls: "sns-topic-*", action: "sns:Subscribe", on: `"arn:aws:sns:us-east-1:ACCOUNT:news"`, disposition: "auto", key: "policy/write",
			set: func(w *motoWorld, put string) string {
				arn := text(w.ask("sns", "create_topic", `{"Name":"news"}`)["TopicArn"])
				w.ask("sns", "set_topic_attributes", `{"TopicArn":`+quoted(arn)+`,"AttributeName":"Policy","AttributeValue":`+quoted(put)+`}`)
				return "news"
			},
			look: func(w *motoWorld, _ string) any {
				arn := w.ask("sns", "list_topics", `{}`)["Topics"].([]any)[0].(map[string]any)["TopicArn"]
				return w.ask("sns", "get_topic_attributes", `{"TopicArn":`+quoted(text(arn))+`}`)["Attributes"].(map[string]any)["Policy"]
			},
		},
		"kms": {
			controls: "kms-key-public-policy, kms-key-external-access", action: "kms:GetKeyPolicy", on: `"*"`, disposition: "auto", key: "policy/write",
			beside: `{"Sid":"root","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::ACCOUNT:root"},"Action":"kms:*","Resource":"*"},`,
			set: func(w *motoWorld, put string) string {
				return text(w.ask("kms", "create_key", `{"KeyUsage":"ENCRYPT_DECRYPT","Policy":`+quoted(put)+`}`)["KeyMetadata"].(map[string]any)["KeyId"])
			},
			look: func(w *motoWorld, id string) any {
				return w.ask("kms", "get_key_policy", `{"KeyId":"`+id+`","PolicyName":"default"}`)["Policy"]
			},
		},
		"secretsmanager": {
			controls: "secretsmanager-*", action: "secretsmanager:GetSecretValue", on: `"*"`, disposition: "auto", key: "policy/write",
			set: func(w *motoWorld, put string) string {
				arn := text(w.ask("secretsmanager", "create_secret", `{"Name":"prod/db","SecretString":"hunter2-hunter2"}`)["ARN"])
				w.ask("secretsmanager", "put_resource_policy", `{"SecretId":"prod/db","ResourcePolicy":`+quoted(put)+`}`)
				return arn[strings.LastIndex(arn, ":")+1:]
			},
			look: func(w *motoWorld, _ string) any {
				return w.ask("secretsmanager", "get_resource_policy", `{"SecretId":"prod/db"}`)["ResourcePolicy"]
			},
		},
		"ecr": {
			controls: "ecr-repository-public-policy, ecr-repository-external-access", action: "ecr:BatchGetImage", disposition: "review", key: "policy/write",
			set: func(w *motoWorld, put string) string {
				w.ask("ecr", "create_repository", `{"repositoryName":"team/app"}`)
				w.ask("ecr", "set_repository_policy", `{"repositoryName":"team/app","policyText":`+quoted(put)+`}`)
				return "team/app"
			},
			look: func(w *motoWorld, id string) any {
				return w.ask("ecr", "get_repository_policy", `{"repositoryName":"`+id+`"}`)["policyText"]
			},
		},
		"events": {
			controls: "events-bus-*", action: "events:PutEvents", on: `"arn:aws:events:us-east-1:ACCOUNT:event-bus/orders"`, disposition: "review", key: "policy/write",
			set: func(w *motoWorld, put string) string {
				w.ask("events", "create_event_bus", `{"Name":"orders"}`)
				w.ask("events", "put_permission", `{"EventBusName":"orders","Policy":`+quoted(put)+`}`)
				return "orders"
			},
			look: func(w *motoWorld, id string) any {
				return w.ask("events", "describe_event_bus", `{"Name":"`+id+`"}`)["Policy"]
			},
		},
		"dynamodb": {
			controls: "dynamodb-table-external-access", action: "dynamodb:GetItem", on: `"arn:aws:dynamodb:us-east-1:ACCOUNT:table/orders"`, disposition: "review", key: "account/999988887777", outsider: true,
			set: func(w *motoWorld, put string) string {
				d := w.ask("dynamodb", "create_table", `{"TableName":"orders","BillingMode":"PAY_PER_REQUEST","AttributeDefinitions":[{"AttributeName":"id","AttributeType":"S"}],"KeySchema":[{"AttributeName":"id","KeyType":"HASH"}]}`)
				w.ask("dynamodb", "put_resource_policy", `{"ResourceArn":`+quoted(text(d["TableDescription"].(map[string]any)["TableArn"]))+`,"Policy":`+quoted(put)+`}`)
				return "orders"
			},
			look: func(w *motoWorld, id string) any {
				d := w.ask("dynamodb", "describe_table", `{"TableName":"`+id+`"}`)["Table"].(map[string]any)
				return w.ask("dynamodb", "get_resource_policy", `{"ResourceArn":`+quoted(text(d["TableArn"]))+`}`)["Policy"]
			},
		},
		"efs": {
			controls: "efs-filesystem-external-access", action: "elasticfilesystem:ClientMount", on: `"*"`, disposition: "review", key: "account/999988887777", outsider: true,
			set: func(w *motoWorld, put string) string {
				id := text(w.ask("efs", "create_file_system", `{"CreationToken":"a"}`)["FileSystemId"])
				w.ask("efs", "put_file_system_policy", `{"FileSystemId":"`+id+`","Policy":`+quoted(put)+`}`)
				return id
			},
			look: func(w *motoWorld, id string) any {
				return w.ask("efs", "describe_file_system_policy", `{"FileSystemId":"`+id+`"}`)["Policy"]
			},
		},
		"lambda": {
			controls: "lambda-function-*", action: "lambda:InvokeFunction", disposition: "review", key: "policy/write", whole: true,
			set: func(w *motoWorld, _ string) string {
				role := text(w.ask("iam", "create_role", `{"RoleName":"f","AssumeRolePolicyDocument":"{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":{\"Service\":\"lambda.amazonaws.com\"},\"Action\":\"sts:AssumeRole\"}]}"}`)["Role"].(map[string]any)["Arn"])
				w.ask("lambda", "create_function", `{"FunctionName":"resize","Runtime":"python3.12","Handler":"a.b","Role":`+quoted(role)+`,"Code":{"ZipFile":"UEsFBgAAAAAAAAAAAAAAAAAAAAAAAA=="}}`)
				w.ask("lambda", "add_permission", `{"FunctionName":"resize","StatementId":"s3","Action":"lambda:InvokeFunction","Principal":"s3.amazonaws.com","SourceArn":"arn:aws:s3:::in","SourceAccount":"`+w.creds.Account+`"}`)
				w.ask("lambda", "add_permission", `{"FunctionName":"resize","StatementId":"open","Action":"lambda:InvokeFunction","Principal":"*"}`)
				return "resize"
			},
			look: func(w *motoWorld, id string) any {
				return w.ask("lambda", "get_policy", `{"FunctionName":"`+id+`"}`)["Policy"]
			},
		},
	}
}

// TestMotoPolicies: of each service that moto has, a policy that allows public access is found,
// narrowed to the account, verified, and put back to the byte.
func TestMotoPolicies(t *testing.T) {
	server := moto.Start(t, moto.Config{})
	for _, name := range slices.Sorted(maps.Keys(motoPolicies())) {
		c := motoPolicies()[name]
		t.Run(name, func(t *testing.T) {
			w := newSettingWorld(t, server, c.controls)
			on := ""
			if c.on != "" {
				on = `,"Resource":` + c.on
			}
			who := `"*"`
			if c.outsider {
				who = `{"AWS":"arn:aws:iam::999988887777:root"}`
			}
			put := strings.ReplaceAll(`{"Version":"2012-10-17","Statement":[`+c.beside+
				`{"Sid":"own","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::ACCOUNT:role/app"},"Action":"`+c.action+`"`+on+`},
				{"Sid":"open","Effect":"Allow","Principal":`+who+`,"Action":"`+c.action+`"`+on+`}]}`, "ACCOUNT", w.creds.Account)
			id := c.set(w, put)
			before := c.look(w, id)
			code := exitGood
			if c.disposition == "review" {
				code = exitNo
			}
			r := w.scan(code, "--apply", "--mode", "enforce", "--no-exemptions")
			state := map[string]string{"auto": "resolved", "review": "open"}[c.disposition]
			want := finding{c.key, strings.TrimSuffix(strings.Split(c.controls, ",")[0], "*"), c.disposition, state}
			found := 0
			for _, f := range r.Findings {
				if f.Resource.Name() == id || strings.HasSuffix(string(f.Resource), id) {
					found++
					if f.Key != want.Key || !strings.HasPrefix(f.Control, want.Control) || f.Disposition.String() != want.Disposition || string(f.State) != want.State {
						t.Errorf("got %s %s %s %s, want %v", f.Key, f.Control, f.Disposition, f.State, want)
					}
					if f.Plan != nil && f.Plan.State == "waiting" {
						if out, errOut, code := w.dera("approve", f.Plan.Remediation, "--digest", f.Plan.Digest); code != exitGood {
							t.Fatalf("approve: got exit code %d\n%s%s", code, out, errOut)
						}
					}
				}
			}
			if found != 1 {
				t.Errorf("got %d findings on %s, want one: %+v", found, id, r)
			}
			after, _ := c.look(w, id).(string)
			goes := c.whole || c.outsider
			if narrowed := strings.Contains(after, "aws:PrincipalAccount"); narrowed == goes || goes && strings.Contains(after, `"open"`) || !strings.Contains(after, map[bool]string{false: `"own"`, true: `"s3"`}[c.whole]) {
				t.Errorf("after the fix boto3 sees %s", after)
			}
			if again := w.scan(exitGood, "--mode", "observe", "--no-exemptions"); openOf(again) != 0 {
				t.Errorf("the next look finds %+v, want nothing open", again.Findings)
			}
			w.rollBackAll()
			if back := c.look(w, id); !samePolicies(back, before) {
				t.Errorf("after the rollback boto3 sees\n%v, want\n%v", back, before)
			}
			if out, _, code := w.dera("audit", "verify"); code != exitGood {
				t.Errorf("audit verify: got exit code %d\n%s", code, out)
			}
		})
	}
}

// samePolicies compares policies as JSON, statements in any order: Lambda appends.
func samePolicies(a, b any) bool {
	read := func(v any) []string {
		var doc struct{ Statement []json.RawMessage }
		text, _ := v.(string)
		if json.Unmarshal([]byte(text), &doc) != nil {
			return nil
		}
		var out []string
		for _, st := range doc.Statement {
			var any map[string]any
			if json.Unmarshal(st, &any) != nil {
				return nil
			}
			line, _ := json.Marshal(any) // what was read marshals
			out = append(out, string(line))
		}
		slices.Sort(out)
		return out
	}
	x, y := read(a), read(b)
	return len(x) > 0 && slices.Equal(x, y)
}
