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
	"dera.example/dera/services/guardduty/detector"
	"dera.example/dera/services/guardduty/detector/wire"
)

type m = map[string]any

const (
	list, get, administrator = "ListDetectors", "GetDetector", "GetAdministratorAccount"
	update                   = "UpdateDetector"
)

func scope(ids ...string) dera.Scope {
	return dera.Scope{Partition: "aws", Account: cloudtest.Hub, Region: cloudtest.East, Type: detector.Name, IDs: ids}
}

func described(status, frequency, s3, rds string) m {
	return m{"ServiceRole": "r", "Status": status, "FindingPublishingFrequency": frequency, "Features": []m{{"Name": "S3_DATA_EVENTS", "Status": s3}, {"Name": "RDS_LOGIN_EVENTS", "Status": rds}}}
}

// client scripts a detector that is suspended, with what a test says instead.
func client(t *testing.T, stub *moto.Stub, instead map[string]moto.Answer) (*moto.StubWorld, *cloud.Client) {
	w := stub.World(t)
	for call, answer := range map[string]moto.Answer{
		list: {Output: m{"DetectorIds": []string{"d1"}}}, get: {Output: described("DISABLED", "SIX_HOURS", "DISABLED", "ENABLED")}, administrator: {Output: m{"Administrator": m{}}},
	} {
		if other, ok := instead[call]; ok {
			answer = other
		}
		w.On("guardduty", call, answer)
	}
	return w, cloudtest.At(t, []cloud.Wire{wire.Wire()}, w.URL(), w.AccessKeyID, nil)
}

func whole() *detector.Detector {
	return &detector.Detector{Region: cloudtest.East, ID: "d1", Enabled: new(false), Frequency: new("SIX_HOURS"), Features: map[string]string{"S3_DATA_EVENTS": "DISABLED", "RDS_LOGIN_EVENTS": "ENABLED"}, Administrator: new("")}
}

// TestRead: what could not be read is not known, and neither off nor missing.
func TestRead(t *testing.T) {
	t.Parallel()
	stub := moto.StartStub(t)
	for name, tc := range map[string]struct {
		call            string
		says            moto.Answer
		want            func(*detector.Detector)
		unread, problem string
	}{
		"suspended":            {"", moto.Answer{}, func(*detector.Detector) {}, "", ""},
		"none":                 {list, moto.Answer{Output: m{"DetectorIds": []string{}}}, func(d *detector.Detector) { *d = detector.Detector{Region: cloudtest.East} }, "", ""},
		"of_an_administrator":  {administrator, moto.Answer{Output: m{"Administrator": m{"AccountId": "444455556666", "RelationshipStatus": "Enabled"}}}, func(d *detector.Detector) { d.Administrator = new("444455556666") }, "", ""},
		"of_a_former_one":      {administrator, moto.Answer{Output: m{"Administrator": m{"AccountId": "444455556666", "RelationshipStatus": "Resigned"}}}, func(*detector.Detector) {}, "", ""},
		"of_an_unnamed_one":    {administrator, moto.Answer{Output: m{"Administrator": m{"RelationshipStatus": "Enabled"}}}, func(d *detector.Detector) { d.Administrator = nil }, "which account", ""},
		"administrator_denied": {administrator, moto.Answer{Error: "AccessDeniedException"}, func(d *detector.Detector) { d.Administrator = nil }, "", ""},
		"detector_denied":      {get, moto.Answer{Error: "AccessDeniedException"}, func(d *detector.Detector) { d.Enabled, d.Frequency, d.Features = nil, nil, nil }, "", ""},
		"detector_failed":      {get, moto.Answer{Error: "InternalServerErrorException", Status: 500}, func(d *detector.Detector) { d.Enabled, d.Frequency, d.Features = nil, nil, nil }, "InternalServerErrorException", ""},
		"denied":               {list, moto.Answer{Error: "AccessDeniedException"}, nil, "", "AccessDenied"},
		"two":                  {list, moto.Answer{Output: m{"DetectorIds": []string{"d1", "d2"}}}, nil, "", "one at most"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, c := client(t, stub, map[string]moto.Answer{tc.call: tc.says})
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
		})
	}
}

// TestWrite: each setting is sent alone, to the detector that is there, and so is its undo.
// Where there is none any more, nothing is sent.
func TestWrite(t *testing.T) {
	t.Parallel()
	stub := moto.StartStub(t)
	for path, tc := range map[string]struct {
		to, was    any
		member     string
		sent, undo any
		after      m
	}{
		"enabled":                 {true, false, "Enable", true, false, described("ENABLED", "SIX_HOURS", "DISABLED", "ENABLED")},
		"publishing_frequency":    {"FIFTEEN_MINUTES", "SIX_HOURS", "FindingPublishingFrequency", "FIFTEEN_MINUTES", "SIX_HOURS", described("DISABLED", "FIFTEEN_MINUTES", "DISABLED", "ENABLED")},
		"features.S3_DATA_EVENTS": {"ENABLED", "DISABLED", "Features", []any{m{"Name": "S3_DATA_EVENTS", "Status": "ENABLED"}}, []any{m{"Name": "S3_DATA_EVENTS", "Status": "DISABLED"}}, described("DISABLED", "SIX_HOURS", "ENABLED", "ENABLED")},
	} {
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			w, c := client(t, stub, nil)
			w.On("guardduty", update,
				moto.Answer{When: m{tc.member: tc.sent}, Sets: map[string]map[string]any{get: tc.after}},
				moto.Answer{When: m{tc.member: tc.undo}, Sets: map[string]map[string]any{get: described("DISABLED", "SIX_HOURS", "DISABLED", "ENABLED")}})
			look := func() any {
				t.Helper()
				page, err := c.ReadAgain(t.Context(), scope(cloudtest.East))
				if err != nil || len(page.Resources) != 1 {
					t.Fatalf("got %+v, %v", page, err)
				}
				return page.Resources[0].Config
			}
			was := look()
			change, err := detector.Type().Set(was, path, tc.to)
			if err != nil {
				t.Fatal(err)
			}
			p := dera.Plan{Partition: "aws", Account: cloudtest.Hub, Region: cloudtest.East, Resource: detector.ARNOf("aws", cloudtest.Hub, "", cloudtest.East), Type: detector.Name, Changes: []dera.Change{change}}
			if _, err := c.Do(t.Context(), p, resource.Of(change), cloudtest.Allow); err != nil {
				t.Fatal(err)
			}
			if done, _, err := detector.Type().Effect(look(), resource.Of(change)); err != nil || !done {
				t.Errorf("the change does not show: %v", err)
			}
			undo, err := resource.OfUndo(*change.Undo, nil)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := c.Do(t.Context(), p, undo, cloudtest.Allow); err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(was, look()); d != "" {
				t.Errorf("after the undo (-want +got):\n%s", d)
			}
			sent := w.Calls(update)
			if len(sent) != 2 || cmp.Diff(m{"DetectorId": "d1", tc.member: tc.sent}, sent[0].Input) != "" || cmp.Diff(m{"DetectorId": "d1", tc.member: tc.undo}, sent[1].Input) != "" {
				t.Errorf("sent %v", sent)
			}
			w.On("guardduty", list, moto.Answer{Output: m{"DetectorIds": []string{}}})
			if _, err := c.Do(t.Context(), p, resource.Of(change), cloudtest.Allow); err == nil || len(w.Calls(update)) != 2 {
				t.Errorf("no detector: got %v, want that nothing is sent", err)
			}
			p.Resource = wire.Wire().On(p)
			if policy, err := role.Session(p); err != nil || policy.Statement[0].Resource[0] != "arn:aws:guardduty:us-east-1:111122223333:detector/*" {
				t.Errorf("session: got %+v, %v", policy, err)
			}
		})
	}
}
