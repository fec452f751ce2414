package wire_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dera.example/dera"
	"dera.example/dera/cloud"
	"dera.example/dera/cloud/cloudtest"
	"dera.example/dera/resource"
	"dera.example/dera/services/ec2/instance"
	"dera.example/dera/services/ec2/instance/wire"
)

const account, region = cloudtest.Hub, cloudtest.East

// world is an EC2 and a CloudWatch with what a test sets.
type world struct {
	*cloudtest.Server
	instances map[string]string // by ID, as XML
	owner     string
	// metric says what CloudWatch counted of an instance in the hours from the beginning of
	// what is asked for; nil refuses.
	metric func(id string, hour int) (n float64, known bool)
	spoil  func(string) string // what is wrong with an answer about metrics
	write  func(a cloudtest.Asked) (int, string)
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{instances: map[string]string{}, owner: account, metric: func(string, int) (float64, bool) { return 0, true }}
	w.Server = cloudtest.NewServer(t, []cloud.Wire{wire.Wire()}, w.answer)
	return w
}

func (w *world) answer(a cloudtest.Asked) (int, string) {
	const ns = `xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"`
	switch {
	case a.Operation == "DescribeInstances":
		ids := slices.Sorted(func(yield func(string) bool) {
			for id := range w.instances {
				if !yield(id) {
					return
				}
			}
		})
		if one := a.Form.Get("InstanceId.1"); one != "" {
			if w.instances[one] == "" {
				return 400, failure("InvalidInstanceID.NotFound", "The instance ID '"+one+"' does not exist")
			}
			ids = []string{one}
		}
		if a.Form.Get("Filter.1.Name") == "instance-id" {
			ids = slices.DeleteFunc(ids, func(id string) bool {
				for k, v := range a.Form {
					if strings.HasPrefix(k, "Filter.1.Value") && v[0] == id {
						return false
					}
				}
				return true
			})
		}
		out := ""
		for _, id := range ids {
			out += `<item><ownerId>` + w.owner + `</ownerId><instancesSet><item><instanceId>` + id + `</instanceId>` + w.instances[id] + `</item></instancesSet></item>`
		}
		return 200, `<DescribeInstancesResponse ` + ns + `><reservationSet>` + out + `</reservationSet></DescribeInstancesResponse>`
	case a.Operation == "GetMetricData":
		return w.metrics(a.Body)
	case w.write != nil:
		return w.write(a)
	}
	return 501, "no"
}

func failure(code, message string) string {
	return `<Response><Errors><Error><Code>` + code + `</Code><Message>` + message + `</Message></Error></Errors></Response>`
}

func (w *world) metrics(body string) (int, string) {
	if w.metric == nil {
		return 403, `{"__type":"AccessDeniedException","message":"no"}`
	}
	var in struct {
		StartTime, EndTime float64
		NextToken          string
		MetricDataQueries  []struct {
			ID         string `json:"Id"`
			MetricStat struct {
				Period int
				Stat   string
				Metric struct {
					Namespace, MetricName string
					Dimensions            []struct{ Name, Value string }
				}
			}
		}
	}
	if err := json.Unmarshal([]byte(body), &in); err != nil {
		return 400, `{"__type":"SerializationException","message":"` + err.Error() + `"}`
	}
	from, hours := int64(in.StartTime), int(in.EndTime-in.StartTime)/3600
	if from%3600 != 0 {
		return 400, `{"__type":"InvalidParameterValue"}`
	}
	first, last, next := 0, 100, "second" // two pages
	if in.NextToken == "second" {
		first, last, next = 100, hours, ""
	}
	var out []string
	for _, q := range in.MetricDataQueries {
		if m := q.MetricStat.Metric; m.Namespace != "AWS/EC2" || m.MetricName != "MetadataNoToken" || q.MetricStat.Period != 3600 || q.MetricStat.Stat != "Sum" || len(m.Dimensions) != 1 || m.Dimensions[0].Name != "InstanceId" {
			return 400, `{"__type":"InvalidParameterValue"}`
		}
		var times, values []string
		for h := first; h < last; h++ {
			if n, known := w.metric(q.MetricStat.Metric.Dimensions[0].Value, h); known {
				times, values = append(times, fmt.Sprint(from+int64(h)*3600)), append(values, fmt.Sprint(n))
			}
		}
		status := "PartialData"
		if next == "" {
			status = "Complete"
		}
		out = append(out, `{"Id":"`+q.ID+`","Label":"x","StatusCode":"`+status+`","Timestamps":[`+strings.Join(times, ",")+`],"Values":[`+strings.Join(values, ",")+`]}`)
	}
	text := `{"MetricDataResults":[` + strings.Join(out, ",") + `]`
	if next != "" {
		text += `,"NextToken":"` + next + `"`
	}
	if text += `}`; w.spoil != nil {
		text = w.spoil(text)
	}
	return 200, text
}

const (
	running = `<instanceState><code>16</code><name>running</name></instanceState>`
	v1      = `<metadataOptions><state>applied</state><httpTokens>optional</httpTokens><httpPutResponseHopLimit>2</httpPutResponseHopLimit><httpEndpoint>enabled</httpEndpoint></metadataOptions>`
	web     = `i-0000000000000000a`
	db      = `i-0000000000000000b`
)

func scope(ids ...string) dera.Scope {
	return dera.Scope{Partition: "aws", Account: account, Region: region, Type: instance.Name, IDs: ids}
}

func read(t *testing.T, w *world, ids ...string) *instance.Instance {
	t.Helper()
	page, err := w.Read(t.Context(), scope(ids...), true)
	if err != nil || len(page.Resources) != 1 {
		t.Fatalf("got %+v, %v, want one instance", page, err)
	}
	return page.Resources[0].Config.(*instance.Instance)
}

// TestRead: what an answer says is taken over; one that was terminated is missing, and so is
// one that EC2 says does not exist; one whose options are on their way is not known.
func TestRead(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.instances[web] = running + v1 + `<imageId>ami-1</imageId><vpcId>vpc-1</vpcId><subnetId>subnet-1</subnetId><iamInstanceProfile><arn>arn:aws:iam::` + account + `:instance-profile/web</arn><id>x</id></iamInstanceProfile><tagSet><item><key>Name</key><value>shop</value></item></tagSet>`
	w.instances[db] = strings.Replace(running, "running", "terminated", 1)
	yes := true
	want := &instance.Instance{ID: web, Tokens: "optional", Endpoint: "enabled", HopLimit: 2, Profile: "arn:aws:iam::" + account + ":instance-profile/web", VPC: "vpc-1", Subnet: "subnet-1",
		Image: "ami-1", State: "running", Running: &yes, Tags: map[string]string{"Name": "shop"}, V1: &instance.Requests{}}
	if diff := cmp.Diff(want, read(t, w, web)); diff != "" {
		t.Errorf("by ID (-want +got):\n%s", diff)
	}
	page, err := w.Read(t.Context(), scope(), false)
	if err != nil || len(page.Resources) != 1 || page.Resources[0].Name != "shop" || page.Resources[0].Config.(*instance.Instance).V1 != nil {
		t.Errorf("a quick sweep: got %+v, %v, want the one that lives, without counts", page, err)
	}
	page, err = w.Read(t.Context(), scope(db, "i-0000000000000000c"), true)
	if err != nil || len(page.Resources) != 0 || !slices.Equal(page.Missing, []string{db, "i-0000000000000000c"}) {
		t.Errorf("terminated and of no such ID: got %+v, %v", page, err)
	}
	w.instances[web] = running + strings.Replace(v1, "applied", "pending", 1)
	if page, err = w.Read(t.Context(), scope(web), true); err != nil || len(page.Resources) != 1 || !strings.Contains(page.Resources[0].Unread, "being changed") {
		t.Errorf("pending: got %+v, %v, want it unread", page, err)
	}
	w.instances[web] = running
	if c := read(t, w, web); c.Tokens != "" || c.HopLimit != 0 {
		t.Errorf("without options: got %+v, want them not known", c)
	}
	for how, text := range map[string]string{"no_state": v1, "unknown_word": running + strings.Replace(v1, "optional", "perhaps", 1)} {
		w.instances[web] = text
		if page, err := w.Read(t.Context(), scope(web), true); !errors.Is(err, cloud.ErrForeignAnswer) {
			t.Errorf("%s: got %+v, %v, want a foreign answer", how, page, err)
		}
	}
	w.instances[web], w.owner = running+v1, cloudtest.Member
	if page, err := w.Read(t.Context(), scope(web), true); !cloud.Is(err, cloud.WrongAccount) {
		t.Errorf("of another account: got %+v, %v", page, err)
	}
}

// TestRequests: requests without a token are counted over all hours, also those of the last
// one; an hour without a value is not known, and neither is anything where CloudWatch refuses
// or answers about something else.
func TestRequests(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		metric func(string, int) (float64, bool)
		spoil  func(string) string
		want   *instance.Requests
		failed bool
	}{
		"none":             {metric: func(string, int) (float64, bool) { return 0, true }, want: &instance.Requests{}},
		"once":             {metric: func(_ string, h int) (float64, bool) { return map[int]float64{7: 3}[h], true }, want: &instance.Requests{Count: 3}},
		"in_the_last_hour": {metric: func(_ string, h int) (float64, bool) { return map[int]float64{instance.Hours: 1}[h], true }, want: &instance.Requests{Count: 1}},
		"of_two_days":      {metric: func(_ string, h int) (float64, bool) { return 0, h >= instance.Hours-48 }, want: &instance.Requests{Unknown: instance.Hours - 48}},
		"stopped_an_hour":  {metric: func(_ string, h int) (float64, bool) { return 0, h != 200 }, want: &instance.Requests{Unknown: 1}},
		"last_hour_late":   {metric: func(_ string, h int) (float64, bool) { return 0, h < instance.Hours }, want: &instance.Requests{}},
		"nothing":          {metric: func(string, int) (float64, bool) { return 0, false }, want: &instance.Requests{Unknown: instance.Hours}},
		"refused":          {},
		"of_another": {metric: func(string, int) (float64, bool) { return 0, true },
			spoil: func(s string) string { return strings.Replace(s, `"Id":"i0"`, `"Id":"i9"`, 1) }, failed: true},
		"of_no_list": {metric: func(string, int) (float64, bool) { return 0, true }, spoil: func(string) string { return `{"Messages":[]}` }, failed: true},
		"failed_inside": {metric: func(string, int) (float64, bool) { return 0, true },
			spoil: func(s string) string { return strings.Replace(s, `PartialData`, `InternalError`, 1) }, want: &instance.Requests{Unknown: 100}},
		"more_times_than_values": {metric: func(string, int) (float64, bool) { return 0, true },
			spoil: func(s string) string { return strings.Replace(s, `"Timestamps":[`, `"Timestamps":[1767225600,`, 1) }, failed: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.instances[web], w.metric, w.spoil = running+v1, tc.metric, tc.spoil
			page, err := w.Read(t.Context(), scope(web), true)
			if tc.failed {
				if !errors.Is(err, cloud.ErrForeignAnswer) {
					t.Errorf("got %+v, %v, want a foreign answer", page, err)
				}
				return
			}
			if err != nil || len(page.Resources) != 1 || page.Resources[0].Unread != "" {
				t.Fatalf("got %+v, %v", page, err)
			}
			if diff := cmp.Diff(tc.want, page.Resources[0].Config.(*instance.Instance).V1); diff != "" {
				t.Errorf("requests (-want +got):\n%s", diff)
			}
		})
	}
}

// TestCalls: hundreds of instances are one call for each page of values, and those of which
// it does not matter are not asked about.
func TestCalls(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for n := range 300 {
		w.instances[fmt.Sprintf("i-%017d", n)] = running + v1
	}
	w.instances[web] = strings.Replace(running, "running", "stopped", 1) + v1
	w.instances[db] = running + strings.Replace(v1, "optional", "required", 1)
	page, err := w.Read(t.Context(), scope(), true)
	if err != nil || len(page.Resources) != 302 {
		t.Fatalf("got %d resources, %v", len(page.Resources), err)
	}
	if n := len(w.Sent("GetMetricData")); n != 4 {
		t.Errorf("got %d calls for metrics, want 2 pages for 250 instances and for 50", n)
	}
	for _, x := range page.Resources {
		if c := x.Config.(*instance.Instance); (c.V1 == nil) != (c.ID == web || c.ID == db) {
			t.Errorf("%s: got %+v", c.ID, c)
		}
	}
}

// TestWrite: the change and its undo send the one member and nothing else, so that the hop
// limit and the endpoint stay; a dry run says so; what is no value is not sent.
func TestWrite(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.instances[web] = running + v1
	w.write = func(a cloudtest.Asked) (int, string) {
		if a.Form.Get("DryRun") == "true" {
			return 412, failure("DryRunOperation", "it would")
		}
		old := "optional"
		if strings.Contains(w.instances[web], "required") {
			old = "required"
		}
		w.instances[web] = strings.Replace(w.instances[web], old, a.Form.Get("HttpTokens"), 1)
		return 200, `<ModifyInstanceMetadataOptionsResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><instanceId>` + web + `</instanceId></ModifyInstanceMetadataOptionsResponse>`
	}
	change, err := instance.Type().Set(read(t, w, web), instance.Tokens, "required")
	if err != nil {
		t.Fatal(err)
	}
	p := dera.Plan{Partition: "aws", Account: account, Region: region, Resource: instance.Type().ARN("aws", account, region, web), Type: instance.Name, Changes: []dera.Change{change}}
	if err := w.DryRun(t.Context(), p, resource.Of(change)); err != nil || read(t, w, web).Tokens != "optional" {
		t.Fatalf("dry run: got %v", err)
	}
	undo, err := resource.OfUndo(*change.Undo, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		op   resource.Operation
		want string
	}{{resource.Of(change), "required"}, {undo, "optional"}} {
		if _, err := w.Do(t.Context(), p, step.op, cloudtest.Allow); err != nil {
			t.Fatalf("%s: %v", step.want, err)
		}
		if c := read(t, w, web); c.Tokens != step.want || c.HopLimit != 2 || c.Endpoint != "enabled" {
			t.Errorf("got %+v, want %s and the rest as it was", c, step.want)
		}
	}
	for _, a := range w.Sent("ModifyInstanceMetadataOptions") {
		if a.Form.Has("HttpPutResponseHopLimit") || a.Form.Has("HttpEndpoint") || a.Form.Has("HttpProtocolIpv6") || a.Form.Has("InstanceMetadataTags") || a.Form.Get("InstanceId") != web {
			t.Errorf("sent %v, want the instance and whether it needs a token alone", a.Form)
		}
	}
	sent := len(w.Sent("ModifyInstanceMetadataOptions"))
	for _, input := range []string{`{"resource":"` + web + `","setting":"http_tokens","value":"perhaps"}`, `{"resource":"` + web + `","setting":"hop_limit","value":"required"}`, `{"resource":1}`} {
		op := resource.Operation{Name: instance.ModifyMetadata, Version: 1, Input: []byte(input)}
		if _, err := w.Do(t.Context(), p, op, cloudtest.Allow); err == nil {
			t.Errorf("%s: got no error", input)
		}
	}
	refuse := func(context.Context) error { return errors.New("stopped") }
	if _, err := w.Do(t.Context(), p, resource.Of(change), refuse); err == nil || len(w.Sent("ModifyInstanceMetadataOptions")) != sent {
		t.Errorf("not allowed: got %v, and %d requests, want %d", err, len(w.Sent("ModifyInstanceMetadataOptions")), sent)
	}
}
