package cloudtrail

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// authorize is a record as EC2 writes it, reduced.
const authorize = `{"eventVersion":"1.09","userIdentity":{"type":"AssumedRole","principalId":"AROA:alice","arn":"arn:aws:sts::111122223333:assumed-role/dev/alice",` +
	`"accountId":"111122223333","sessionContext":{"sessionIssuer":{"type":"Role","arn":"arn:aws:iam::111122223333:role/dev","accountId":"111122223333"}}},` +
	`"eventTime":"2024-08-01T12:23:55Z","eventSource":"ec2.amazonaws.com","eventName":"AuthorizeSecurityGroupIngress","awsRegion":"eu-west-1",` +
	`"sourceIPAddress":"198.51.100.7","userAgent":"aws-cli/2","requestParameters":{"groupId":"sg-0123456789abcdef0","ipPermissions":{}},` +
	`"responseElements":{"_return":true},"eventID":"e-1","readOnly":false,"eventType":"AwsApiCall","recipientAccountId":"111122223333"}`

// enveloped puts a record into the envelope of EventBridge; fields are further
// members of the envelope.
func enveloped(record, fields string) string {
	return `{"version":"0","id":"b-1","detail-type":"AWS API Call via CloudTrail","source":"aws.ec2","time":"2024-08-01T12:23:56Z",` + fields + `"detail":` + record + `}`
}

const whole = `"account":"111122223333","region":"eu-west-1",`

func notified(message string) string {
	text, err := json.Marshal(map[string]string{"Type": "Notification", "MessageId": "m-1", "Message": message, "Signature": "c2ln"})
	if err != nil {
		panic(err)
	}
	return string(text)
}

func without(record, field string) string {
	var m map[string]json.RawMessage
	if err := json.Unmarshal([]byte(record), &m); err != nil {
		panic(err)
	}
	delete(m, field)
	text, err := json.Marshal(m)
	if err != nil {
		panic(err)
	}
	return string(text)
}

func TestDecode_reads_all_fields(t *testing.T) {
	t.Parallel()
	got, err := Decode([]byte(enveloped(authorize, whole)))
	if err != nil {
		t.Fatal(err)
	}
	want := Record{
		ID: "e-1", Source: "ec2.amazonaws.com", Name: "AuthorizeSecurityGroupIngress", Type: "AwsApiCall",
		Account: "111122223333", Region: "eu-west-1", Partition: "aws", Time: time.Date(2024, 8, 1, 12, 23, 55, 0, time.UTC),
		Caller: Caller{
			Type: "AssumedRole", ARN: "arn:aws:sts::111122223333:assumed-role/dev/alice", Issuer: "arn:aws:iam::111122223333:role/dev",
			Account: "111122223333",
		},
		UserAgent: "aws-cli/2", SourceIP: "198.51.100.7", Trusted: true,
		Request:  json.RawMessage(`{"groupId":"sg-0123456789abcdef0","ipPermissions":{}}`),
		Response: json.RawMessage(`{"_return":true}`),
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("record (-want +got):\n%s", d)
	}
}

func TestDecode_accepts(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		event            string
		account, region  string
		partition, actor string
		trusted          bool
	}{
		"bare_record":              {event: authorize},
		"envelope":                 {event: enveloped(authorize, whole), trusted: true},
		"envelope_without_account": {event: enveloped(authorize, `"region":"eu-west-1",`)},
		"envelope_of_other_account": {
			event: enveloped(authorize, `"account":"999999999999","region":"eu-west-1",`),
		},
		"envelope_of_custom_source": {event: strings.Replace(enveloped(authorize, whole), `"aws.ec2"`, `"com.example"`, 1)},
		"notification_of_envelope":  {event: notified(enveloped(authorize, whole)), trusted: true},
		"notification_of_record":    {event: notified(authorize)},
		"sign_in":                   {event: strings.Replace(enveloped(authorize, whole), "AWS API Call", "AWS Console Sign In", 1), trusted: true},
		"service_event":             {event: strings.Replace(enveloped(authorize, whole), "AWS API Call", "AWS Service Event", 1), trusted: true},
		"recipient_from_envelope":   {event: enveloped(without(authorize, "recipientAccountId"), whole), trusted: true},
		"recipient_from_caller":     {event: without(authorize, "recipientAccountId")},
		"no_caller":                 {event: without(authorize, "userIdentity"), actor: "-"},
		"escaped_names":             {event: strings.Replace(authorize, `"eventName"`, `"\u0065ventName"`, 1)},
		"blanks":                    {event: " \n\t" + strings.NewReplacer(`":"`, "\" :\r\n\t\"", `,"`, " ,\n\"", "}", " }").Replace(authorize) + "\n"},
		"china":                     {event: strings.ReplaceAll(authorize, "eu-west-1", "cn-north-1"), region: "cn-north-1", partition: "aws-cn"},
		"gov_cloud":                 {event: strings.ReplaceAll(authorize, "eu-west-1", "us-gov-west-1"), region: "us-gov-west-1", partition: "aws-us-gov"},
		"service_as_caller": {
			event: strings.Replace(without(authorize, "userIdentity"), "{", `{"userIdentity":{"type":"AWSService","invokedBy":"autoscaling.amazonaws.com"},`, 1),
			actor: "autoscaling.amazonaws.com",
		},
		"other_account_as_caller": {
			event: strings.Replace(without(authorize, "userIdentity"), "{", `{"userIdentity":{"type":"AWSAccount","accountId":"444455556666"},`, 1),
			actor: "444455556666",
		},
		"nested_fields_fake_nothing": {
			event: strings.Replace(authorize, `"ipPermissions":{}`, `"recipientAccountId":"666666666666","awsRegion":"us-east-1","eventName":"GetObject"`, 1),
		},
		"names_are_exact": {event: strings.Replace(authorize, "{", `{"EVENTNAME":"GetObject","AwsRegion":"us-east-1",`, 1)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, err := Decode([]byte(tc.event))
			if err != nil {
				t.Fatal(err)
			}
			or := func(s, fallback string) string { return strings.TrimPrefix(first(s, fallback), "-") }
			got := []any{r.Name, r.Account, r.Region, r.Partition, r.Actor(), r.Trusted}
			want := []any{
				"AuthorizeSecurityGroupIngress", or(tc.account, "111122223333"), or(tc.region, "eu-west-1"), or(tc.partition, "aws"),
				or(tc.actor, "arn:aws:sts::111122223333:assumed-role/dev/alice"), tc.trusted,
			}
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("name, account, region, partition, actor, trusted (-want +got):\n%s", d)
			}
		})
	}
}

func TestDecode_refuses(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		event string
		is    error
		field string
	}{
		"empty":                  {event: "", is: ErrNotJSON},
		"text":                   {event: "hello", is: ErrNotJSON},
		"array":                  {event: "[" + authorize + "]", is: ErrNotJSON},
		"cut_off":                {event: authorize[:len(authorize)-1], is: ErrNotJSON},
		"two_objects":            {event: authorize + authorize, is: ErrNotJSON},
		"too_large":              {event: `{"a":"` + strings.Repeat("x", MaxSize) + `"}`, is: ErrTooLarge},
		"other_object":           {event: `{"hello":"world"}`, is: ErrNotCloudTrail},
		"other_envelope":         {event: `{"detail-type":"EC2 Instance State-change Notification","source":"aws.ec2","detail":{"state":"pending"}}`, is: ErrNotCloudTrail},
		"envelope_without_type":  {event: `{"source":"aws.ec2","detail":` + authorize + `}`, is: ErrNotCloudTrail},
		"detail_is_text":         {event: enveloped(`"text"`, whole), is: ErrNotJSON},
		"notification_of_text":   {event: notified("hello"), is: ErrNotJSON},
		"notification_twice":     {event: notified(notified(authorize)), is: ErrNotCloudTrail},
		"log_file":               {event: `{"Records":[` + authorize + `]}`, is: ErrNotCloudTrail},
		"name_twice":             {event: strings.Replace(authorize, "{", `{"eventName":"GetObject",`, 1), is: ErrDuplicateName},
		"name_twice_escaped":     {event: strings.Replace(authorize, "{", `{"\u0065ventName":"GetObject",`, 1), is: ErrDuplicateName},
		"detail_twice":           {event: enveloped(authorize, whole+`"detail":{},`), is: ErrDuplicateName},
		"name_missing":           {event: without(authorize, "eventName"), field: "eventName"},
		"name_is_list":           {event: strings.Replace(authorize, `"AuthorizeSecurityGroupIngress"`, `["DeleteObject"]`, 1), field: "eventName"},
		"name_with_control":      {event: strings.Replace(authorize, `"AuthorizeSecurity`, `"Authorize\u0000Security`, 1), field: "eventName"},
		"source_missing":         {event: without(authorize, "eventSource"), field: "eventSource"},
		"account_missing":        {event: without(without(authorize, "recipientAccountId"), "userIdentity"), field: "recipientAccountId"},
		"account_short":          {event: strings.Replace(authorize, `"recipientAccountId":"111122223333"`, `"recipientAccountId":"001"`, 1), field: "recipientAccountId"},
		"region_missing":         {event: without(authorize, "awsRegion"), field: "awsRegion"},
		"region_with_slash":      {event: strings.Replace(authorize, "eu-west-1", "../eu", 1), field: "awsRegion"},
		"region_much_too_long":   {event: strings.Replace(authorize, "eu-west-1", strings.Repeat("a", 33), 1), field: "awsRegion"},
		"name_much_too_long":     {event: strings.Replace(authorize, "AuthorizeSec", strings.Repeat("a", 129), 1), field: "eventName"},
		"insight_without_a_name": {event: enveloped(without(authorize, "eventName"), whole), field: "eventName"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, err := Decode([]byte(tc.event))
			if err == nil {
				t.Fatalf("got record %+v, want an error", r)
			}
			var field *FieldError
			switch {
			case tc.is != nil && !errors.Is(err, tc.is):
				t.Errorf("got error %q, want %q", err, tc.is)
			case tc.field != "" && (!errors.As(err, &field) || field.Field != tc.field):
				t.Errorf("got error %q, want one about %s", err, tc.field)
			case len(err.Error()) > 256:
				t.Errorf("got an error of %d bytes, want a short one", len(err.Error()))
			}
		})
	}
}

func TestRecord_denied(t *testing.T) {
	t.Parallel()
	for code, want := range map[string]struct{ failed, denied bool }{
		"":                              {},
		"AccessDenied":                  {true, true},
		"AccessDeniedException":         {true, true},
		"Client.UnauthorizedOperation":  {true, true},
		"UnauthorizedOperation":         {true, true},
		"AuthorizationError":            {true, true},
		"Client.DryRunOperation":        {true, false},
		"Client.InvalidGroup.NotFound":  {true, false},
		"NoSuchEntityException":         {true, false},
		"Client.InvalidGroup.Duplicate": {true, false},
	} {
		r := Record{ErrorCode: code}
		if r.Failed() != want.failed || r.Denied() != want.denied {
			t.Errorf("%q: got failed %t, denied %t, want %t, %t", code, r.Failed(), r.Denied(), want.failed, want.denied)
		}
	}
}

func TestClean_bounds_and_replaces(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		in    string
		limit int
		want  string
	}{
		"plain":             {"abc", 3, "abc"},
		"cut":               {"abcd", 3, "abc"},
		"cut_between_runes": {"aöb", 2, "a"},
		"nul_and_newline":   {"a\x00\nb", 9, "a\ufffd\ufffdb"},
		"not_utf8":          {"a\xff", 9, "a\ufffd"},
		"nothing_left":      {"ö", 1, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := clean(tc.in, tc.limit); got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}
