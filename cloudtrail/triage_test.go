package cloudtrail

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// irrelevant is a data event of about 1.5 KB, the size that recorded CloudTrail
// has on average.
func irrelevant(i int) string {
	return enveloped(`{"eventVersion":"1.11","userIdentity":{"type":"AssumedRole","principalId":"AROAEXAMPLE:task","arn":"arn:aws:sts::111122223333:assumed-role/app/task",`+
		`"accountId":"111122223333","accessKeyId":"ASIAEXAMPLE","sessionContext":{"sessionIssuer":{"type":"Role","principalId":"AROAEXAMPLE",`+
		`"arn":"arn:aws:iam::111122223333:role/app","accountId":"111122223333","userName":"app"},"attributes":{"creationDate":"2024-08-01T12:00:00Z","mfaAuthenticated":"false"}}},`+
		`"eventTime":"2024-08-01T12:23:55Z","eventSource":"s3.amazonaws.com","eventName":"GetObject","awsRegion":"eu-west-1","sourceIPAddress":"198.51.100.7",`+
		`"userAgent":"[aws-sdk-go-v2/1.30.3 os/linux lang/go#1.22 md/GOOS#linux md/GOARCH#amd64 api/s3#1.58.2]","requestParameters":{"bucketName":"example-bucket",`+
		`"Host":"example-bucket.s3.eu-west-1.amazonaws.com","key":"`+strings.Repeat("a/", 80)+strconv.Itoa(i)+`"},"responseElements":null,"additionalEventData":{"SignatureVersion":"SigV4",`+
		`"CipherSuite":"TLS_AES_128_GCM_SHA256","bytesTransferredIn":0,"AuthenticationMethod":"AuthHeader","x-amz-id-2":"`+strings.Repeat("b", 76)+`","bytesTransferredOut":48},`+
		`"requestID":"EXAMPLE","eventID":"e-`+strconv.Itoa(i)+`","readOnly":true,"resources":[{"type":"AWS::S3::Object","ARN":"arn:aws:s3:::example-bucket/a"}],`+
		`"eventType":"AwsApiCall","managementEvent":false,"recipientAccountId":"111122223333","eventCategory":"Data"}`, whole)
}

func TestTriage(t *testing.T) {
	t.Parallel()
	read := strings.Replace(authorize, "AuthorizeSecurityGroupIngress", "DescribeSecurityGroups", 1)
	by := func(identity string) string {
		return `{"userIdentity":` + identity + `,"eventSource":"s3.amazonaws.com","eventName":"GetObject","awsRegion":"eu-west-1"}`
	}
	for name, tc := range map[string]struct {
		event string
		want  bool
	}{
		"watched_call":              {authorize, true},
		"watched_call_enveloped":    {enveloped(authorize, whole), true},
		"watched_call_notified":     {notified(enveloped(authorize, whole)), true},
		"failed_call":               {strings.Replace(authorize, "{", `{"errorCode":"AccessDenied",`, 1), true},
		"other_call":                {read, false},
		"other_call_enveloped":      {enveloped(read, whole), false},
		"other_call_notified":       {notified(enveloped(read, whole)), false},
		"other_service":             {irrelevant(1), false},
		"same_name_other_service":   {strings.Replace(authorize, "ec2.amazonaws.com", "ecs.amazonaws.com", 1), false},
		"escaped_name_of_field":     {strings.Replace(authorize, `"eventName"`, `"event\u004eame"`, 1), true},
		"escaped_value":             {strings.Replace(authorize, "AuthorizeSec", `\u0041uthorizeSec`, 1), true},
		"escaped_value_other":       {strings.Replace(read, "DescribeSec", `\u0044escribeSec`, 1), false},
		"decoy_in_the_parameters":   {strings.Replace(authorize, `"ipPermissions":{}`, `"eventName":"GetObject","eventSource":"s3.amazonaws.com"`, 1), true},
		"decoy_before":              {strings.Replace(read, "{", `{"requestParameters0":{"eventName":"AuthorizeSecurityGroupIngress","eventSource":"ec2.amazonaws.com"},`, 1), false},
		"decoy_in_text":             {strings.Replace(read, "aws-cli/2", `x\",\"eventName\":\"AuthorizeSecurityGroupIngress`, 1), false},
		"name_twice":                {strings.Replace(read, "{", `{"eventName":"AuthorizeSecurityGroupIngress",`, 1), true},
		"name_thrice":               {strings.Replace(read, "{", `{"eventName":"X","eventName":"AuthorizeSecurityGroupIngress",`, 1), true},
		"detail_twice":              {enveloped(read, whole+`"detail":`+authorize+`,`), true},
		"message_in_a_record":       {strings.Replace(authorize, "{", `{"Type":"Other","Message":`+strconv.Quote(read)+`,`, 1), true},
		"broken":                    {read[:len(read)-1], true},
		"not_json":                  {"hello", true},
		"text_behind":               {read + "x", true},
		"empty":                     {"", true},
		"no_name":                   {without(read, "eventName"), true},
		"name_not_a_text":           {`{"eventSource":"ec2.amazonaws.com","eventName":["X"]}`, true},
		"other_envelope":            {`{"detail-type":"EC2 Instance State-change Notification","detail":{"state":"pending"}}`, true},
		"too_large":                 {`{"a":"` + strings.Repeat("x", MaxSize) + `","eventSource":"s","eventName":"n"}`, true},
		"empty_object":              {"{}", true},
		"list_as_detail":            {`{"detail":[{"eventSource":"s3.amazonaws.com","eventName":"GetObject"}]}`, true},
		"by_a_root_user":            {by(`{"type":"Root"}`), true},
		"by_a_root_user_escaped":    {by(`{"a":{"type":"IAMUser"},"type":"\u0052oot"}`), true},
		"by_a_type_that_is_twice":   {by(`{"type":"IAMUser","type":"Root"}`), true},
		"by_a_decoy":                {by(`{"type":"IAMUser","sessionContext":{"type":"Root"}}`), false},
		"by_no_object":              {by(`"Root"`), false},
		"bracket_inside_the_string": {strings.Replace(read, "aws-cli/2", "}]{[", 1), false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := testWatch().Triage([]byte(tc.event)); got != tc.want {
				t.Errorf("got %t, want %t for %s", got, tc.want, tc.event[:min(len(tc.event), 300)])
			}
		})
	}
}

// safe fails if Triage drops what Decode and Hints would have used.
func safe(t interface{ Fatalf(string, ...any) }, raw []byte) {
	if testWatch().Triage(raw) {
		return
	}
	if r, err := Decode(raw); err == nil && len(testWatch().Hints(r)) > 0 {
		t.Fatalf("triage drops an event with hints %v:\n%s", testWatch().Hints(r), raw)
	}
}

// TestTriage_never_drops_a_hint builds events from the pieces that an evasion
// would use: members at wrong levels, escapes, repetitions, wrappers.
func TestTriage_never_drops_a_hint(t *testing.T) {
	t.Parallel()
	names := rapid.SampledFrom([]string{
		`"eventName"`, `"eventSource"`, `"\u0065ventName"`, `"EventName"`, `"detail"`, `"detail-type"`, `"Type"`, `"Message"`, `"awsRegion"`,
		`"recipientAccountId"`, `"requestParameters"`, `"errorCode"`,
	})
	values := rapid.SampledFrom([]string{
		`"AuthorizeSecurityGroupIngress"`, `"\u0041uthorizeSecurityGroupIngress"`, `"CreateVpc"`, `"GetObject"`, `"ec2.amazonaws.com"`, `"s3.amazonaws.com"`,
		`"Notification"`, `"\u004eotification"`, `"AWS API Call via CloudTrail"`, `"eu-west-1"`, `"111122223333"`, `null`, `1`, `"}"`, `"\\\""`,
	})
	blanks := rapid.SampledFrom([]string{"", "", " ", "\n\t"})
	var object func(t *rapid.T, depth int) string
	object = func(t *rapid.T, depth int) string {
		var parts []string
		for range rapid.IntRange(0, 4).Draw(t, "members") {
			value := values.Draw(t, "value")
			if depth > 0 && rapid.IntRange(0, 2).Draw(t, "nest") == 0 {
				value = object(t, depth-1)
				switch rapid.IntRange(0, 3).Draw(t, "wrap") {
				case 0:
					value = strconv.Quote(value)
				case 1:
					value = "[" + value + "]"
				}
			}
			parts = append(parts, names.Draw(t, "name")+blanks.Draw(t, "blank")+":"+blanks.Draw(t, "blank")+value)
		}
		// Without these most events would be refused for want of a field.
		if rapid.Bool().Draw(t, "complete") {
			parts = append(parts, `"eventSource":"ec2.amazonaws.com","eventName":"CreateVpc","awsRegion":"eu-west-1","recipientAccountId":"111122223333"`)
		}
		return "{" + blanks.Draw(t, "blank") + strings.Join(parts, ",") + "}"
	}
	hints := 0
	rapid.Check(t, func(t *rapid.T) {
		raw := []byte(object(t, 3))
		safe(t, raw)
		if r, err := Decode(raw); err == nil && len(testWatch().Hints(r)) > 0 {
			hints++
		}
	})
	if hints == 0 {
		t.Error("got no event with hints, want some: the property was not tested")
	}
}

func FuzzTriage(f *testing.F) {
	for _, seed := range []string{authorize, enveloped(authorize, whole), notified(enveloped(authorize, whole)), irrelevant(0), `{"a":[{}],"b":"\""}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		safe(t, raw)
		r, err := Decode(raw)
		if err == nil && (r.Account == "" || r.Region == "" || r.Name == "") {
			t.Errorf("got a record without account, region or name: %+v", r)
		}
		// The scanner agrees with encoding/json on every object.
		var want map[string]json.RawMessage
		if !json.Valid(raw) || bytes.ContainsRune(raw, '\ufffd') || json.Unmarshal(raw, &want) != nil || want == nil {
			return
		}
		got, _, ok := parseObject(raw)
		if !ok {
			t.Fatalf("scanner refuses a valid object: %q", raw)
		}
		for name, value := range got {
			if w, ok := want[strings.ToValidUTF8(name, "\ufffd")]; ok && !bytes.Equal(w, value) && len(got) == len(want) {
				t.Errorf("member %q: got %s, want %s", name, value, w)
			}
		}
	})
}

func BenchmarkTriage(b *testing.B) {
	events := make([][]byte, 1000)
	size := 0
	for i := range events {
		events[i] = []byte(irrelevant(i))
		size += len(events[i])
	}
	b.SetBytes(int64(size / len(events)))
	b.ReportAllocs()
	i, watch := 0, testWatch()
	for b.Loop() {
		if watch.Triage(events[i%len(events)]) {
			b.Fatal("got an interesting event, want none")
		}
		i++
	}
	b.ReportMetric(float64(i)/b.Elapsed().Seconds(), "events/s")
}

func BenchmarkDecode(b *testing.B) {
	raw := []byte(enveloped(authorize, whole))
	b.SetBytes(int64(len(raw)))
	i, watch := 0, testWatch()
	for b.Loop() {
		if r, err := Decode(raw); err != nil || len(watch.Hints(r)) != 1 {
			b.Fatal(fmt.Errorf("got %+v, want one hint: %w", r, err))
		}
		i++
	}
	b.ReportMetric(float64(i)/b.Elapsed().Seconds(), "events/s")
}
