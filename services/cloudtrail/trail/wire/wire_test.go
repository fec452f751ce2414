package wire_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dera.example/dera"
	"dera.example/dera/cloud"
	"dera.example/dera/cloud/cloudtest"
	"dera.example/dera/resource"
	"dera.example/dera/services/cloudtrail"
	"dera.example/dera/services/cloudtrail/trail"
	"dera.example/dera/services/cloudtrail/trail/wire"
)

// fake is one trail, its key and its bucket. say is what is answered to a call instead: a
// body, or an error code after !.
type fake struct {
	*cloudtest.Server
	trail     map[string]any
	logging   bool
	selectors string // the members of the answer
	say       map[string]string
}

const arn = "arn:aws:cloudtrail:us-east-1:111122223333:trail/audit"

func start(t *testing.T) *fake {
	t.Helper()
	f := &fake{logging: true, say: map[string]string{}, selectors: `"EventSelectors":[{"ReadWriteType":"All","IncludeManagementEvents":true,"DataResources":[],"ExcludeManagementEventSources":[]}]`}
	f.trail = map[string]any{
		"Name": "audit", "TrailARN": arn, "HomeRegion": cloudtest.East, "S3BucketName": "logs", "S3KeyPrefix": "org", "KmsKeyId": "arn:aws:kms:us-east-1:111122223333:key/k-1",
		"IsMultiRegionTrail": true, "IncludeGlobalServiceEvents": true, "LogFileValidationEnabled": false, "IsOrganizationTrail": false,
		"SnsTopicARN": "arn:aws:sns:us-east-1:111122223333:t", "CloudWatchLogsLogGroupArn": "arn:aws:logs:us-east-1:111122223333:log-group:g:*",
	}
	f.Server = cloudtest.NewServer(t, []cloud.Wire{wire.Wire()}, f.answer)
	return f
}

func (f *fake) answer(a cloudtest.Asked) (int, string) {
	call := a.Operation
	switch {
	case strings.Contains(a.Path, "location"):
		call = "GetBucketLocation"
	case strings.Contains(a.Path, "lifecycle"):
		call = "GetBucketLifecycle"
	}
	if says, ok := f.say[call]; ok {
		code, refused := strings.CutPrefix(says, "!")
		switch {
		case refused && a.Operation == "":
			return 404, "<Error><Code>" + code + "</Code></Error>"
		case refused:
			return 400, `{"__type":"` + code + `","message":"no"}`
		}
		return 200, says
	}
	var in struct {
		EnableLogFileValidation, IncludeGlobalServiceEvents, IsMultiRegionTrail *bool
		EventSelectors, AdvancedEventSelectors                                  json.RawMessage
	}
	_ = json.Unmarshal([]byte(a.Body), &in) // of REST there is none
	switch call {
	case "DescribeTrails":
		text, _ := json.Marshal(map[string]any{"trailList": []any{f.trail}})
		return 200, string(text)
	case "GetTrailStatus":
		text, _ := json.Marshal(map[string]any{"IsLogging": f.logging})
		return 200, string(text)
	case "GetEventSelectors":
		return 200, `{"TrailARN":"` + arn + `",` + f.selectors + `}`
	case "DescribeKey":
		return 200, `{"KeyMetadata":{"KeyId":"k-1","KeyState":"Enabled"}}`
	case "GetBucketLocation":
		return 200, `<LocationConstraint xmlns="http://s3.amazonaws.com/doc/2006-03-01/"/>`
	case "GetBucketLifecycle":
		return 404, "<Error><Code>NoSuchLifecycleConfiguration</Code></Error>"
	case "StartLogging", "StopLogging":
		f.logging = call == "StartLogging"
	case "UpdateTrail":
		for name, v := range map[string]*bool{"LogFileValidationEnabled": in.EnableLogFileValidation, "IncludeGlobalServiceEvents": in.IncludeGlobalServiceEvents, "IsMultiRegionTrail": in.IsMultiRegionTrail} {
			if v != nil {
				f.trail[name] = *v
			}
		}
	case "PutEventSelectors":
		f.selectors = `"EventSelectors":` + string(in.EventSelectors)
		if in.AdvancedEventSelectors != nil {
			f.selectors = `"AdvancedEventSelectors":` + string(in.AdvancedEventSelectors)
		}
	default:
		return 501, call
	}
	return 200, "{}"
}

func scope(ids ...string) dera.Scope {
	return dera.Scope{Partition: "aws", Account: cloudtest.Hub, Region: cloudtest.East, Type: trail.Name, IDs: ids}
}

func yes() *bool { return new(true) }
func whole() *trail.Trail {
	return &trail.Trail{
		ID: "audit", Bucket: "logs", Prefix: "org", Key: "arn:aws:kms:us-east-1:111122223333:key/k-1", Topic: "arn:aws:sns:us-east-1:111122223333:t", LogGroup: "arn:aws:logs:us-east-1:111122223333:log-group:g:*",
		MultiRegion: yes(), GlobalEvents: yes(), Validation: new(false), Logging: yes(), Selectors: cloudtrail.Default(), DeliveryError: new(""), KeyState: new("Enabled"), Expires: new(0),
	}
}

// TestRead: what could not be read is not known, and never off or broken.
func TestRead(t *testing.T) {
	t.Parallel()
	rules := func(text string) string {
		return `<LifecycleConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/">` + text + `</LifecycleConfiguration>`
	}
	rule := func(filter string, days string) string {
		return `<Rule><ID>r</ID><Status>Enabled</Status>` + filter + `<Expiration><Days>` + days + `</Days></Expiration></Rule>`
	}
	expires := func(days int) func(*trail.Trail) { return func(t *trail.Trail) { t.Expires = &days } }
	for name, tc := range map[string]struct {
		call, says string
		want       func(t *trail.Trail)
		unread     string
	}{
		"all":                     {"", "", func(*trail.Trail) {}, ""},
		"stopped":                 {"GetTrailStatus", `{"IsLogging":false,"LatestDeliveryError":"AccessDenied"}`, func(t *trail.Trail) { t.Logging, t.DeliveryError = new(false), new("AccessDenied") }, ""},
		"digests_refused":         {"GetTrailStatus", `{"IsLogging":true,"LatestDigestDeliveryError":"NoSuchBucket"}`, func(t *trail.Trail) { t.DeliveryError = new("NoSuchBucket") }, ""},
		"log_group_refused":       {"GetTrailStatus", `{"IsLogging":true,"LatestCloudWatchLogsDeliveryError":"log group does not exist"}`, func(t *trail.Trail) { t.LogGroupError = "log group does not exist" }, ""},
		"status_denied":           {"GetTrailStatus", "!AccessDeniedException", func(t *trail.Trail) { t.Logging, t.DeliveryError = nil, nil }, ""},
		"status_of_no_answer":     {"GetTrailStatus", `{"x":1}`, func(t *trail.Trail) { t.Logging, t.DeliveryError = nil, nil }, "IsLogging"},
		"selectors_failed":        {"GetEventSelectors", "!InternalFailure", func(t *trail.Trail) { t.Selectors = nil }, "InternalFailure"},
		"selectors_not_told":      {"GetEventSelectors", `{"TrailARN":"x"}`, func(*trail.Trail) {}, ""},
		"selectors_of_both_kinds": {"GetEventSelectors", `{"TrailARN":"x","EventSelectors":[{}],"AdvancedEventSelectors":[{"FieldSelectors":[]}]}`, func(t *trail.Trail) { t.Selectors = nil }, "basic and advanced"},
		"advanced_selectors": {"GetEventSelectors", `{"TrailARN":"x","AdvancedEventSelectors":[{"Name":"m","FieldSelectors":[{"Field":"eventCategory","Equals":["Management"]},{"Field":"eventSource","NotEquals":["kms.amazonaws.com"]}]}]}`, func(t *trail.Trail) {
			t.Selectors = &cloudtrail.Selectors{Advanced: []cloudtrail.Advanced{{Name: "m", Fields: []cloudtrail.Field{{Field: "eventCategory", Equals: []string{"Management"}}, {Field: "eventSource", NotEquals: []string{"kms.amazonaws.com"}}}}}}
		}, ""},
		"key_pending_deletion": {"DescribeKey", `{"KeyMetadata":{"KeyId":"k-1","KeyState":"PendingDeletion"}}`, func(t *trail.Trail) { t.KeyState = new("PendingDeletion") }, ""},
		"key_of_another":       {"DescribeKey", "!AccessDeniedException", func(t *trail.Trail) { t.KeyState = nil }, ""},
		"bucket_missing":       {"GetBucketLocation", "!NoSuchBucket", func(t *trail.Trail) { t.BucketMissing = true }, ""},
		"bucket_failed":        {"GetBucketLocation", "!InternalError", func(t *trail.Trail) { t.Expires = nil }, "InternalError"},
		"logs_for_a_day":       {"GetBucketLifecycle", rules(rule("<Filter><Prefix></Prefix></Filter>", "1") + rule("<Prefix>org/AWSLogs/</Prefix>", "9")), expires(1), ""},
		"logs_of_one_account":  {"GetBucketLifecycle", rules(rule("<Filter><And><Prefix>org/AWSLogs/111122223333/</Prefix><ObjectSizeGreaterThan>1</ObjectSizeGreaterThan></And></Filter>", "9")), expires(9), ""},
		"other_keys":           {"GetBucketLifecycle", rules(rule("<Filter><Prefix>tmp/</Prefix></Filter>", "1") + rule("<Filter><Tag><Key>k</Key><Value>v</Value></Tag></Filter>", "1")), expires(0), ""},
		"rule_is_off":          {"GetBucketLifecycle", rules(strings.Replace(rule("<Filter/>", "1"), "Enabled", "Disabled", 1)), expires(0), ""},
		"lifecycle_of_a_proxy": {"GetBucketLifecycle", "<html/>", func(t *trail.Trail) { t.Expires = nil }, "LifecycleConfiguration"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f, want := start(t), whole()
			f.say[tc.call] = tc.says
			tc.want(want)
			page, err := f.Read(t.Context(), scope("audit"), false)
			if err != nil || len(page.Resources) != 1 {
				t.Fatalf("got %+v, %v", page, err)
			}
			x := page.Resources[0]
			if d := cmp.Diff(want, x.Config); d != "" || string(x.ARN) != arn {
				t.Errorf("%s (-want +got):\n%s", x.ARN, d)
			}
			if (x.Unread == "") != (tc.unread == "") || !strings.Contains(x.Unread, tc.unread) {
				t.Errorf("unread: got %q, want %q", x.Unread, tc.unread)
			}
		})
	}
}

// TestFind: copies of trails of other regions and of an organization's other account are no
// trails of this place; CloudTrail is asked once.
func TestFind(t *testing.T) {
	t.Parallel()
	for name, other := range map[string]string{
		"shadow_of_another_region": "arn:aws:cloudtrail:eu-west-1:111122223333:trail/audit",
		"of_the_organization":      "arn:aws:cloudtrail:us-east-1:444455556666:trail/audit",
	} {
		f := start(t)
		f.trail["TrailARN"], f.trail["HomeRegion"] = other, dera.ARN(other).Region()
		if page, err := f.Read(t.Context(), scope(), true); err != nil || len(page.Resources) > 0 {
			t.Errorf("%s: got %+v, %v, want none", name, page, err)
		}
		if page, err := f.Read(t.Context(), scope("audit"), true); err != nil || len(page.Resources) > 0 || len(page.Missing) != 1 {
			t.Errorf("%s by name: got %+v, %v, want it missing", name, page, err)
		}
		if n := len(f.Sent("DescribeTrails")); n != 2 || len(f.Sent("GetTrailStatus")) > 0 {
			t.Errorf("%s: got %d calls for two reads", name, n)
		}
	}
	for name, says := range map[string]string{"denied": "!AccessDeniedException", "no_list": "{}", "of_nobody": `{"trailList":[{"Name":"audit"}]}`} {
		f := start(t)
		f.say["DescribeTrails"] = says
		if page, err := f.Read(t.Context(), scope(), true); err == nil {
			t.Errorf("%s: got %+v, want an error", name, page)
		}
	}
	f := start(t)
	f.say["GetTrailStatus"] = "!TrailNotFoundException"
	if page, err := f.Read(t.Context(), scope("audit"), true); err != nil || len(page.Missing) != 1 {
		t.Errorf("deleted meanwhile: got %+v, %v, want it missing", page, err)
	}
}

// TestWrite: each change shows afterwards, and so does its undo; what is not sent stays.
func TestWrite(t *testing.T) {
	t.Parallel()
	set := func(path string) func(*trail.Trail) (dera.Change, error) {
		return func(x *trail.Trail) (dera.Change, error) { return trail.Type().Set(x, path, true) }
	}
	record := func(x *trail.Trail) (dera.Change, error) {
		to, _ := x.Selectors.Whole()
		return x.Record(to)
	}
	for name, tc := range map[string]struct {
		before func(*fake)
		change func(*trail.Trail) (dera.Change, error)
		sent   string // the body
	}{
		"logging":    {func(f *fake) { f.logging = false }, set(trail.Logging), `{"Name":"audit"}`},
		"validation": {func(*fake) {}, set(trail.Validation), `{"EnableLogFileValidation":true,"Name":"audit"}`},
		"regions":    {func(f *fake) { f.trail["IsMultiRegionTrail"] = false }, set(trail.MultiRegion), `{"IsMultiRegionTrail":true,"Name":"audit"}`},
		"global":     {func(f *fake) { f.trail["IncludeGlobalServiceEvents"] = false }, set(trail.GlobalEvents), `{"IncludeGlobalServiceEvents":true,"Name":"audit"}`},
		"basic_selectors": {func(f *fake) {
			f.selectors = `"EventSelectors":[{"ReadWriteType":"WriteOnly","IncludeManagementEvents":true,"DataResources":[{"Type":"AWS::S3::Object","Values":["arn:aws:s3:::b/"]}]}]`
		}, record, `{"EventSelectors":[{"DataResources":[{"Type":"AWS::S3::Object","Values":["arn:aws:s3:::b/"]}],"IncludeManagementEvents":false,"ReadWriteType":"WriteOnly"},{"IncludeManagementEvents":true,"ReadWriteType":"All"}],"TrailName":"audit"}`},
		"advanced_selectors": {func(f *fake) {
			f.selectors = `"AdvancedEventSelectors":[{"Name":"n","FieldSelectors":[{"Field":"eventCategory","Equals":["Data"]},{"Field":"resources.type","Equals":["AWS::S3::Object"]},{"Field":"resources.ARN","StartsWith":["arn:aws:s3:::b/"]}]}]`
		}, record, `{"AdvancedEventSelectors":[{"FieldSelectors":[{"Equals":["AWS::S3::Object"],"Field":"resources.type"},{"Equals":["Data"],"Field":"eventCategory"},{"Field":"resources.ARN","StartsWith":["arn:aws:s3:::b/"]}],"Name":"n"},{"FieldSelectors":[{"Equals":["Management"],"Field":"eventCategory"}],"Name":"Management events"}],"TrailName":"audit"}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := start(t)
			tc.before(f)
			look := func() *trail.Trail {
				t.Helper()
				page, err := f.ReadAgain(t.Context(), scope("audit"))
				if err != nil || len(page.Resources) != 1 {
					t.Fatalf("got %+v, %v", page, err)
				}
				return page.Resources[0].Config.(*trail.Trail)
			}
			was := look()
			change, err := tc.change(was)
			if err != nil {
				t.Fatal(err)
			}
			p := dera.Plan{Partition: "aws", Account: cloudtest.Hub, Region: cloudtest.East, Resource: arn, Type: trail.Name, Changes: []dera.Change{change}}
			if _, err := f.Do(t.Context(), p, resource.Of(change), cloudtest.Allow); err != nil {
				t.Fatal(err)
			}
			_, call, _ := strings.Cut(change.Operation, ":")
			var body any
			if sent := f.Sent(call); len(sent) != 1 || json.Unmarshal([]byte(sent[0].Body), &body) != nil {
				t.Fatalf("got %+v", sent)
			}
			if text, _ := json.Marshal(body); string(text) != tc.sent {
				t.Errorf("sent\n%s, want\n%s", text, tc.sent)
			}
			if done, _, err := trail.Type().Effect(look(), resource.Of(change)); err != nil || !done {
				t.Errorf("the change does not show: %v", err)
			}
			undo, err := resource.OfUndo(*change.Undo, nil)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := f.Do(t.Context(), p, undo, cloudtest.Allow); err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(was, look()); d != "" {
				t.Errorf("after the undo (-want +got):\n%s", d)
			}
		})
	}
}

// TestMoved: selectors that somebody else set since are not overwritten.
func TestMoved(t *testing.T) {
	t.Parallel()
	f, x := start(t), whole()
	x.Selectors = &cloudtrail.Selectors{Basic: []cloudtrail.Basic{{ReadWrite: "ReadOnly", Management: true}}}
	change, err := x.Record(*cloudtrail.Default())
	if err != nil {
		t.Fatal(err)
	}
	p := dera.Plan{Partition: "aws", Account: cloudtest.Hub, Region: cloudtest.East, Resource: arn, Type: trail.Name, Changes: []dera.Change{change}}
	if _, err := f.Do(t.Context(), p, resource.Of(change), cloudtest.Allow); err == nil || len(f.Sent("PutEventSelectors")) > 0 {
		t.Errorf("got %v, want that nothing is sent", err)
	}
}
