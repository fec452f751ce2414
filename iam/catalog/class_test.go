package catalog

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

func TestEvidence(t *testing.T) {
	t.Parallel()
	c := Embedded()
	for _, test := range []struct {
		name, action string
		want         Class
		missing      byte
		with         string
	}{
		{"management", "ec2:DescribeAddressesAttribute", Management, 0, ""},
		{"management_by_another_name", "s3:ListAllMyBuckets", Management, 0, "synthetics:CreateCanary"},
		{"data", "s3:GetObject", Data, 0, ""},
		{"data_other_case", "S3:GETOBJECT", Data, 0, ""},
		{"agent_by_its_data_event", "ecs:Poll", Data, 0, ""},
		{"agent_by_its_data_event_too", "ecs:StartTelemetrySession", Data, 0, ""},
		{"agent_by_the_text_of_the_api", "ecs:SubmitTaskStateChange", Unknown, Agent, ""},
		{"agent_of_a_service_that_is_logged", "ssm:UpdateInstanceInformation", Unknown, Silent, ""},
		{"permission_without_operation", "elasticloadbalancing:SetWebAcl", Unknown, NoOperation, ""},
		{"channel", "ssmmessages:OpenDataChannel", Unknown, NoDocument, ""},
		{"messages", "ec2messages:GetMessages", Unknown, NoOperation, ""},
		{"service_without_a_row", "directconnect:DescribeConnections", Unknown, NoDocument, ""},
		{"service_without_a_document", "wisdom:CreateAssistant", Unknown, NoDocument, ""},
		{"not_on_the_list_of_the_document", "lambda:GetLayerVersion", Unknown, NotListed, ""},
		{"not_on_the_list_of_logs", "logs:PutLogEvents", Unknown, Silent, ""},
		{"reads_that_are_not_logged", "iot:ListThings", Unknown, ReadsNotLogged, ""},
		{"a_change_of_the_same_service", "iot:CreateThing", Management, 0, ""},
		{"data_plane", "sagemaker:InvokeEndpoint", Data, 0, ""},
		{"data_plane_of_iot", "iot:Publish", Unknown, DataPlane, ""},
		{"data_plane_by_its_model", "lex:RecognizeText", Unknown, DataPlane, ""},
		{"data_plane_by_its_host", "iotsitewise:ExecuteQuery", Unknown, DataPlane, ""},
		{"without_credentials", "cognito-idp:SignUp", Unknown, Unsigned, ""},
		{"metrics", "cloudwatch:PutMetricData", Data, 0, ""},
		{"traces", "xray:PutTraceSegments", Data, 0, ""},
		{"hidden", "sts:TagSession", Hidden, 0, "sts:AssumeRole*"},
		{"data_with_others", "s3:PutObjectAcl", Data, 0, "s3:PutObject"},
		{"version_of_an_object", "s3:GetObjectVersion", Data, 0, "s3:GetObject"},
		{"replication", "s3:GetObjectVersionForReplication", Unknown, Silent, ""},
		{"needed_by_a_version", "s3:DeleteObjectVersion", Data, 0, "s3:DeleteObject"},
		{"answer_for_what_does_not_exist", "s3:ListBucket", Data, 0, "s3:GetObject"},
		{"looked_up_for_a_function", "ec2:CreateNetworkInterface", Unknown, Silent, ""},
		{"looked_up_for_an_event_source", "sqs:GetQueueAttributes", Management, 0, "sqs:ReceiveMessage"},
		{"delivery_of_logs", "s3:PutBucketPolicy", Management, 0, "logs:CreateLogDelivery"},
		{"private_integration", "ec2:ModifyVpcEndpointServicePermissions", Management, 0, "apigateway:POST"},
		{"role_of_messages", "iam:PassRole", Hidden, 0, "sns:SetSMSAttributes"},
		{"edge_functions", "lambda:GetFunction", Management, 0, "cloudfront:UpdateDistribution"},
		{"authentication_by_a_listener", "cognito-idp:DescribeUserPoolClient", Management, 0, "elasticloadbalancing:ModifyRule"},
		{"pass_role", "iam:PassRole", Hidden, 0, "backup:CreateBackupPlan"},
		{"tag_on_create", "sqs:TagQueue", Management, 0, "sqs:~"},
		{"tag_on_create_of_another_name", "ssm:AddTagsToResource", Management, 0, "ssm:~"},
		{"tag_by_tag_editor", "ec2:CreateTags", Management, 0, "tag:TagResources"},
		{"dependent", "ec2:DescribeVpcs", Management, 0, "dax:CreateCluster"},
		{"demanded_by_the_text_of_the_api", "secretsmanager:ListSecrets", Management, 0, "secretsmanager:BatchGetSecretValue"},
		{"in_batches", "secretsmanager:GetSecretValue", Management, 0, "secretsmanager:BatchGetSecretValue"},
		{"inner_authorisation", "glue:GetDatabase", Management, 0, "glue:Get*"},
		{"inner_authorisation_of_data", "dynamodb:PutItem", Data, 0, "dynamodb:RestoreTableFromBackup"},
		{"verb", "apigateway:GET", Management, 0, ""},
		{"verb_of_which_not_all_is_logged", "apigateway:POST", Unknown, Silent, ""},
		{"identity_is_logged", "sts:GetCallerIdentity", Management, 0, ""},
		{"unknown_action", "s3:Nothing", Unknown, 0, ""},
		{"unknown_service", "s4:GetObject", Unknown, 0, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got := c.Evidence(test.action)
			if got.Class != test.want || got.Missing != test.missing {
				t.Errorf("got %v %c (%s), want %v %c", got.Class, got.Missing, got.Source(), test.want, test.missing)
			}
			if test.with != "" && !slices.Contains(got.With, test.with) {
				t.Errorf("got %v, want %s among them", got.With, test.with)
			}
			if got.Source() == "" || got.Class == Unknown && got.Kept() == "" {
				t.Error("no source is named")
			}
		})
	}
	if got := []string{Unknown.String(), Management.String(), Data.String(), Hidden.String()}; !slices.Equal(got, []string{"O4", "O1", "O2", "O3"}) {
		t.Errorf("got names %v", got)
	}
	if got := Level('x').String(); got != "unknown level" {
		t.Errorf("got %q", got)
	}
	for _, l := range []Level{Read, List, Write, Tagging, Permissions} {
		if l.String() == "unknown level" {
			t.Errorf("level %c has no name", l)
		}
	}
}

// TestEvidence_every_action_has_a_class fails when a new action of the catalogue
// comes without a class: scripts/iam-catalog gives it one.
func TestEvidence_every_action_has_a_class(t *testing.T) {
	t.Parallel()
	c := Embedded()
	o := theObserved()
	all, _ := c.Expand("*")
	observed := 0
	for _, s := range o.services {
		actions, err := s.actions()
		if err != nil {
			t.Fatal(err)
		}
		observed += len(actions)
	}
	for _, a := range all {
		e := c.Evidence(a)
		switch {
		case (e.Class == Unknown) != (e.Missing != 0):
			t.Errorf("%s: class %v, missing %q: run scripts/iam-catalog", a, e.Class, e.Missing)
		case e.Class == Management && (len(e.Operations) == 0 || !strings.HasPrefix(e.Row.Document, "https://docs.aws.amazon.com/") || len(e.Row.Read) != 10):
			t.Errorf("%s: operations %v, document %+v", a, e.Operations, e.Row)
		case e.Class == Hidden && len(e.With) == 0:
			t.Errorf("%s is hidden, and used with nothing", a)
		}
		for _, with := range e.With {
			if _, name, _ := strings.Cut(with, ":"); name != NoPureRead && !strings.Contains(name, "*") {
				if _, ok := c.Action(with); !ok {
					t.Errorf("%s is used with %s, which is no action", a, with)
				}
			}
		}
	}
	if observed != len(all) {
		t.Errorf("got evidence of %d actions, want %d", observed, len(all))
	}
	if !strings.Contains(o.inputs, c.Version()) {
		t.Errorf("the evidence is from %s, the catalogue from %s", o.inputs, c.Version())
	}
}

// TestEvidence_of_the_largest_services holds the goal: rows for the sixty largest
// services, and 60 % of their actions can still be called unused.
func TestEvidence_of_the_largest_services(t *testing.T) {
	t.Parallel()
	total, removable, without := 0, 0, 0
	for _, s := range Summary()[:60] {
		total, removable = total+s.Actions, removable+s.Management
		if s.Row.Document == "" {
			without++
		}
	}
	t.Logf("%d of %d actions of the 60 largest services can be called unused: %.1f %%", removable, total, 100*float64(removable)/float64(total))
	if without > 0 || removable*10 < total*6 {
		t.Errorf("%d services have no row, %d of %d actions can be called unused", without, removable, total)
	}
}

// TestEvidence_of_a_newer_catalogue holds that what "dera catalog update" brings
// has no class before the table is made again.
func TestEvidence_of_a_newer_catalogue(t *testing.T) {
	t.Parallel()
	data, err := Encode("newer", []Service{
		{Prefix: "ec2", Actions: []Action{{Name: "FrobInstances", Level: Write}, {Name: "StopInstances", Level: Write}}},
		{Prefix: "frob", Actions: []Action{{Name: "Do", Level: Write}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	c, err := Decode(data)
	if err != nil {
		t.Fatal(err)
	}
	for action, want := range map[string]Class{"ec2:FrobInstances": Unknown, "frob:Do": Unknown, "ec2:StopInstances": Management} {
		if e := c.Evidence(action); e.Class != want || e.Source() == "" {
			t.Errorf("%s: got %v (%s), want %v", action, e.Class, e.Source(), want)
		}
	}
}

func TestTexts_are_sound(t *testing.T) {
	t.Parallel()
	c := Embedded()
	for _, name := range []string{"classes.txt", "dataevents.txt", "passrole.txt"} {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		types := 0
		for words := range lines(string(text)) {
			if strings.HasPrefix(words[0], "AWS::") {
				types++
			}
			if words[0] == "apart" {
				continue
			}
			for _, w := range words {
				if !strings.Contains(w, ":") || strings.Contains(w, "::") {
					continue
				}
				if got, known := c.Expand(w); !known || len(got) == 0 {
					t.Errorf("%s: %s: no such action", name, w)
				}
			}
		}
		if name == "dataevents.txt" && types < 170 {
			t.Errorf("got %d types of resources with data events, want those of AWS's list", types)
		}
	}
}

func TestObserved_refuses(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"short_line": "inputs\n!s\n", "no_service": "inputs\nMrGet\t\n", "no_action": "inputs\n!s3\tall\t-\t-\t-\n=:Put\n",
		"no_class": "inputs\n!s3\tall\t-\t-\t-\nXrGet\t\n", "fields": "inputs\n@monitoring\n",
	} {
		o, err := decodeObserved(slices.Concat([]byte(observedMagic), deflate(text)))
		if err == nil {
			err = o.check()
		}
		if err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if _, err := decodeObserved([]byte("else")); err == nil {
		t.Error("something else was read")
	}
}

func TestObserved_comes_back(t *testing.T) {
	t.Parallel()
	c := Embedded()
	o := theObserved()
	out := Observed{Inputs: o.inputs, Sources: o.sources, Verbs: o.verbs}
	for _, prefix := range c.Services() {
		s := ObservedService{Prefix: prefix, Row: o.services[prefix].row}
		actions, _ := c.Expand(prefix + ":*")
		for _, a := range actions {
			s.Actions = append(s.Actions, c.Evidence(a))
		}
		out.Services = append(out.Services, s)
	}
	slices.Reverse(out.Services)
	again, err := EncodeObserved(out)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(again, observedBytes) {
		t.Error("encoding what was decoded gives other bytes")
	}
	if len(observedBytes) > 250<<10 {
		t.Errorf("the table has %d bytes, want 250 KB at most", len(observedBytes))
	}
}

func TestKnownAction(t *testing.T) {
	t.Parallel()
	c := Embedded()
	for _, test := range []struct{ name, action, want string }{
		{"known", "s3:getobject", ""},
		{"misspelt", "s3:GetObjct", "s3:GetObjct is no action that the catalogue knows: the nearest are s3:GetObject"},
		{"swapped", "ec2:RunInstnaces", "the nearest are ec2:RunInstances"},
		{"misspelt_service", "dynamdb:PutItem", "the nearest are dynamodb:PutItem"},
		{"event", "s3:ListBuckets", "s3:ListBuckets is the name of an event, not of an action: write s3:ListAllMyBuckets"},
		{"event_of_another_source", "monitoring:PutMetricAlarm", "write cloudwatch:PutMetricAlarm"},
		{"dated_event", "lambda:CreateFunction20150331", "write lambda:CreateFunction"},
		{"verb", "apigateway:CreateRestApi", "write apigateway:POST"},
		{"new_service", "newservice:Frobnicate", "for a use that has no known action write \"? newservice\""},
		{"new_action", "s3:FrobnicateTheWholeBucketAtOnce", "write \"? s3\""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			err := c.KnownAction(test.action)
			if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}

func BenchmarkEvidence(b *testing.B) {
	for b.Loop() {
		if o, err := decodeObserved(observedBytes); err != nil || len(o.services) == 0 {
			b.Fatal(fmt.Errorf("empty, %w", err))
		}
	}
}
