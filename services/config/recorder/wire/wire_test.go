package wire_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dera.example/dera"
	"dera.example/dera/awssim/moto"
	"dera.example/dera/cloud"
	"dera.example/dera/cloud/cloudtest"
	"dera.example/dera/resource"
	"dera.example/dera/resource/role"
	"dera.example/dera/services/config/recorder"
	"dera.example/dera/services/config/recorder/wire"
)

type m = map[string]any

func scope(ids ...string) dera.Scope {
	return dera.Scope{Partition: "aws", Account: cloudtest.Hub, Region: cloudtest.East, Type: recorder.Name, IDs: ids}
}

func described(more m) m {
	out := m{"name": "default", "roleARN": "arn:aws:iam::111122223333:role/config", "recordingGroup": m{"allSupported": true, "includeGlobalResourceTypes": true}, "recordingMode": m{"recordingFrequency": "CONTINUOUS"}}
	for k, v := range more {
		out[k] = v
	}
	return out
}

// set scripts a recorder that is there, with what a test says instead.
func set(w *moto.StubWorld, instead map[string]moto.Answer) {
	for call, answer := range map[string]moto.Answer{
		"DescribeConfigurationRecorders":      {Output: m{"ConfigurationRecorders": []m{described(nil)}}},
		"DescribeConfigurationRecorderStatus": {Output: m{"ConfigurationRecordersStatus": []m{{"name": "default", "recording": false, "lastStatus": "SUCCESS"}}}},
		"DescribeDeliveryChannels":            {Output: m{"DeliveryChannels": []m{{"name": "default"}}}},
	} {
		if other, ok := instead[call]; ok {
			answer = other
		}
		w.On("config", call, answer)
	}
}

func whole() *recorder.Recorder {
	return &recorder.Recorder{Region: cloudtest.East, Name: "default", Role: "arn:aws:iam::111122223333:role/config", All: new(true), Global: true, Frequency: "CONTINUOUS", Recording: new(false), Failing: new(""), Channel: new(true)}
}

// TestRead: what could not be read is not known, and neither stopped nor missing. A recorder
// of a service is none of the customer's.
func TestRead(t *testing.T) {
	t.Parallel()
	stub := moto.StartStub(t)
	const list, status, channels = "DescribeConfigurationRecorders", "DescribeConfigurationRecorderStatus", "DescribeDeliveryChannels"
	for name, tc := range map[string]struct {
		call            string
		says            moto.Answer
		want            func(*recorder.Recorder)
		unread, problem string
		calls           int
	}{
		"stopped": {"", moto.Answer{}, func(*recorder.Recorder) {}, "", "", 3},
		"none":    {list, moto.Answer{Output: m{"ConfigurationRecorders": []m{}}}, func(r *recorder.Recorder) { *r = recorder.Recorder{Region: cloudtest.East} }, "", "", 1},
		"of_a_service_alone": {list, moto.Answer{Output: m{"ConfigurationRecorders": []m{described(m{"servicePrincipal": "securityhub.amazonaws.com"})}}},
			func(r *recorder.Recorder) { *r = recorder.Recorder{Region: cloudtest.East} }, "", "", 1},
		"some_types": {list, moto.Answer{Output: m{"ConfigurationRecorders": []m{described(m{"recordingGroup": m{"allSupported": false, "resourceTypes": []string{"AWS::S3::Bucket"}}})}}},
			func(r *recorder.Recorder) { r.All, r.Global, r.Types = new(false), false, []string{"AWS::S3::Bucket"} }, "", "", 3},
		"all_but_some": {list, moto.Answer{Output: m{"ConfigurationRecorders": []m{described(m{"recordingGroup": m{"allSupported": false, "exclusionByResourceTypes": m{"resourceTypes": []string{"AWS::IAM::Role"}}}})}}},
			func(r *recorder.Recorder) {
				r.All, r.Global, r.Excluded = new(false), false, []string{"AWS::IAM::Role"}
			}, "", "", 3},
		"fails": {status, moto.Answer{Output: m{"ConfigurationRecordersStatus": []m{{"name": "default", "recording": true, "lastStatus": "Failure", "lastErrorCode": "AccessDenied"}}}},
			func(r *recorder.Recorder) { r.Recording, r.Failing = new(true), new("AccessDenied") }, "", "", 3},
		"no_channel":        {channels, moto.Answer{Output: m{"DeliveryChannels": []m{}}}, func(r *recorder.Recorder) { r.Channel = new(false) }, "", "", 3},
		"status_denied":     {status, moto.Answer{Error: "AccessDeniedException"}, func(r *recorder.Recorder) { r.Recording, r.Failing = nil, nil }, "", "", 3},
		"status_of_another": {status, moto.Answer{Output: m{"ConfigurationRecordersStatus": []m{{"name": "other", "recording": true}}}}, func(r *recorder.Recorder) { r.Recording, r.Failing = nil, nil }, "not about the recorder", "", 3},
		"channels_failed":   {channels, moto.Answer{Error: "InternalFailure"}, func(r *recorder.Recorder) { r.Channel = nil }, "InternalFailure", "", 3},
		"denied":            {list, moto.Answer{Error: "AccessDeniedException"}, nil, "", "AccessDenied", 1},
		"two":               {list, moto.Answer{Output: m{"ConfigurationRecorders": []m{described(nil), described(nil)}}}, nil, "", "one at most", 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := stub.World(t)
			set(w, map[string]moto.Answer{tc.call: tc.says})
			c := cloudtest.At(t, []cloud.Wire{wire.Wire()}, w.URL(), w.AccessKeyID, nil)
			page, err := c.Read(t.Context(), scope(), false)
			if tc.problem != "" {
				if err == nil || !strings.Contains(err.Error(), tc.problem) {
					t.Errorf("got %+v, %v, want an error of %s", page, err, tc.problem)
				}
				return
			}
			if err != nil || len(page.Resources) != 1 {
				t.Fatalf("got %+v, %v", page, err)
			}
			x, want := page.Resources[0], whole()
			tc.want(want)
			if d := cmp.Diff(want, x.Config); d != "" || x.ID != cloudtest.East {
				t.Errorf("%s (-want +got):\n%s", x.ID, d)
			}
			if (x.Unread == "") != (tc.unread == "") || !strings.Contains(x.Unread, tc.unread) {
				t.Errorf("unread: got %q, want %q", x.Unread, tc.unread)
			}
			asked := map[string]bool{} // one that was sent again counts once
			for _, c := range w.Calls("") {
				asked[c.Operation] = c.Service == "config"
			}
			delete(asked, "GetCallerIdentity")
			if len(asked) != tc.calls {
				t.Errorf("got the calls %v, want %d", asked, tc.calls)
			}
		})
	}
}

// TestWrite: the recorder that is there is started and stopped by its name; where there is
// none any more, nothing is sent. The session may change recorders of the region alone.
func TestWrite(t *testing.T) {
	t.Parallel()
	w := moto.StartStub(t).World(t)
	set(w, nil)
	for call, recording := range map[string]bool{"StartConfigurationRecorder": true, "StopConfigurationRecorder": false} {
		w.On("config", call, moto.Answer{When: m{"ConfigurationRecorderName": "default"}, Sets: map[string]map[string]any{
			"DescribeConfigurationRecorderStatus": {"ConfigurationRecordersStatus": []m{{"name": "default", "recording": recording}}},
		}})
	}
	c := cloudtest.At(t, []cloud.Wire{wire.Wire()}, w.URL(), w.AccessKeyID, nil)
	look := func() *recorder.Recorder {
		t.Helper()
		page, err := c.ReadAgain(t.Context(), scope(cloudtest.East))
		if err != nil || len(page.Resources) != 1 {
			t.Fatalf("got %+v, %v", page, err)
		}
		return page.Resources[0].Config.(*recorder.Recorder)
	}
	change, err := recorder.Type().Set(look(), "recording", true)
	if err != nil {
		t.Fatal(err)
	}
	p := dera.Plan{Partition: "aws", Account: cloudtest.Hub, Region: cloudtest.East, Resource: recorder.ARNOf("aws", cloudtest.Hub, "", cloudtest.East), Type: recorder.Name, Changes: []dera.Change{change}}
	if _, err := c.Do(t.Context(), p, resource.Of(change), cloudtest.Allow); err != nil || !*look().Recording {
		t.Fatalf("change: got %v, %+v", err, look())
	}
	undo, err := resource.OfUndo(*change.Undo, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Do(t.Context(), p, undo, cloudtest.Allow); err != nil || *look().Recording {
		t.Errorf("undo: got %v, %+v", err, look())
	}
	w.On("config", "DescribeConfigurationRecorders", moto.Answer{Output: m{"ConfigurationRecorders": []m{}}})
	if _, err := c.Do(t.Context(), p, resource.Of(change), cloudtest.Allow); err == nil || len(w.Calls("StartConfigurationRecorder")) != 1 {
		t.Errorf("no recorder: got %v, want that nothing is sent", err)
	}
	p.Resource = wire.Wire().On(p)
	if policy, err := role.Session(p); err != nil || policy.Statement[0].Resource[0] != "arn:aws:config:us-east-1:111122223333:configuration-recorder/*/*" {
		t.Errorf("session: got %+v, %v", policy, err)
	}
}
