package usage

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dera.example/dera/cloudtrail"
)

const testRole = "arn:aws:iam::111122223333:role/deploy"

// rec is a record with the members that a test does not care about filled in.
func rec(id, at, source, name, more string) string {
	return fmt.Sprintf(`{"eventID":%q,"eventTime":%q,"eventSource":"%s.amazonaws.com","eventName":%q,"awsRegion":"eu-central-1","recipientAccountId":"111122223333",`+
		`"userIdentity":{"type":"AssumedRole","arn":"arn:aws:sts::111122223333:assumed-role/deploy/ci","sessionContext":{"attributes":{"creationDate":"2026-03-01T00:00:00Z"},`+
		`"sessionIssuer":{"arn":"arn:aws:iam::111122223333:role/x/deploy"}}}%s}`, id, at, source, name, more)
}

func addAll(t *testing.T, a *aggregate, trust Trust, records ...string) []Reason {
	t.Helper()
	var out []Reason
	for _, r := range records {
		var f cloudtrail.Fields
		if err := f.Skim([]byte(r)); err != nil {
			t.Fatalf("%v: %s", err, r)
		}
		out = append(out, a.add(&f, trust))
	}
	return out
}

// of returns what an aggregate knows of a principal.
func of(t *testing.T, a *aggregate, key string) Activity {
	t.Helper()
	for _, act := range activities(a)[Part(key)] {
		if act.Key == key {
			return act
		}
	}
	t.Fatalf("nothing is known of %s", key)
	return Activity{}
}

func second(t *testing.T, text string) Second {
	t.Helper()
	var s Second
	if err := s.UnmarshalText([]byte(text)); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestAggregate(t *testing.T) {
	t.Parallel()
	a := newAggregate()
	addAll(t, a, Verified,
		rec("1", "2026-03-02T10:00:00Z", "s3", "GetObject", `,"resources":[{"type":"AWS::S3::Object","ARN":"arn:aws:s3:::b/k"},{"ARN":"arn:aws:s3:::b"}]`),
		rec("2", "2026-03-01T10:00:00Z", "s3", "GetObject", `,"errorCode":"NoSuchKey","resources":[{"ARN":"arn:aws:s3:::b/l"}]`),
		rec("3", "2026-03-03T10:00:00Z", "s3", "GetObject", `,"errorCode":"AccessDenied","resources":[{"ARN":"arn:aws:s3:::secret"}]`),
		rec("4", "2026-03-03T11:00:00Z", "ec2", "RunInstances", `,"errorCode":"Client.UnauthorizedOperation","requestParameters":{"iamInstanceProfile":{"name":"p"}}`),
		rec("5", "2026-03-03T12:00:00Z", "ec2", "RunInstances", `,"errorCode":null,"requestParameters":{"iamInstanceProfile":{"name":"p"}}`),
	)
	addAll(t, a, Unverified, rec("6", "2026-03-09T10:00:00Z", "s3", "GetObject", ""))
	s := func(text string) Second { return second(t, text) }
	want := Activity{
		Key: testRole, Kind: cloudtrail.Role, ARN: "arn:aws:iam::111122223333:role/x/deploy", SessionEnd: s("2026-03-01T12:00:00Z"),
		Uses: []Use{
			{Action: Action{"ec2.amazonaws.com", "RunInstances"}, Trust: Verified, First: s("2026-03-03T12:00:00Z"), Last: s("2026-03-03T12:00:00Z"), Count: 1, Succeeded: s("2026-03-03T12:00:00Z"), LastDenied: s("2026-03-03T11:00:00Z"), Denied: 1, More: true},
			{Action: PassRole(), Trust: Verified, First: s("2026-03-03T12:00:00Z"), Last: s("2026-03-03T12:00:00Z"), Count: 1, Succeeded: s("2026-03-03T12:00:00Z"), Resources: []string{"arn:aws:iam::111122223333:instance-profile/p"}},
			{Action: Action{"s3.amazonaws.com", "GetObject"}, Trust: Unverified, First: s("2026-03-09T10:00:00Z"), Last: s("2026-03-09T10:00:00Z"), Count: 1, Succeeded: s("2026-03-09T10:00:00Z"), More: true},
			{Action: Action{"s3.amazonaws.com", "GetObject"}, Trust: Verified, First: s("2026-03-01T10:00:00Z"), Last: s("2026-03-03T10:00:00Z"), Count: 3, Succeeded: s("2026-03-02T10:00:00Z"), LastDenied: s("2026-03-03T10:00:00Z"), Denied: 1,
				Resources: []string{"arn:aws:s3:::b", "arn:aws:s3:::b/k", "arn:aws:s3:::b/l", "arn:aws:s3:::secret"}},
		},
	}
	if diff := cmp.Diff(want, of(t, a, testRole)); diff != "" {
		t.Errorf("activity: got (+) and want (-):\n%s", diff)
	}
	if want.Last() != s("2026-03-09T10:00:00Z") {
		t.Errorf("last: got %s", want.Last())
	}
}

func TestPassRoleIsInferred(t *testing.T) {
	t.Parallel()
	const arn = "arn:aws:iam::111122223333:role/service/worker"
	for _, tt := range []struct{ name, source, call, more, want string }{
		{"function", "lambda", "CreateFunction20150331", `,"requestParameters":{"role":"` + arn + `"}`, arn},
		{"deep", "ecs", "RunTask", `,"requestParameters":{"overrides":{"containers":[{}],"taskRoleArn":"` + arn + `"}}`, arn},
		{"escaped", "lambda", "CreateFunction20150331", `,"requestParameters":{"role":"arn:aws:iam::111122223333:role\/service\/worker"}`, arn},
		{"name", "elasticmapreduce", "RunJobFlow", `,"requestParameters":{"jobFlowRole":"EMR"}`, "arn:aws:iam::111122223333:instance-profile/EMR"},
		{"instance_profile", "ec2", "AssociateIamInstanceProfile", `,"requestParameters":{"IamInstanceProfile":{"Arn":"arn:aws:iam::111122223333:instance-profile/p"}}`, "arn:aws:iam::111122223333:instance-profile/p"},
		{"in_a_text", "logs", "PutResourcePolicy", `,"requestParameters":{"policy":"{\"AWS\":\"` + arn + `\"}"}`, ""},
		{"denied", "lambda", "CreateFunction20150331", `,"errorCode":"AccessDeniedException","requestParameters":{"role":"` + arn + `"}`, ""},
		{"read", "lambda", "ListFunctions", `,"readOnly":true,"requestParameters":{"role":"` + arn + `"}`, ""},
		{"assumed_not_passed", "sts", "AssumeRole", `,"requestParameters":{"roleArn":"` + arn + `"}`, ""},
		{"answer_only", "lambda", "UpdateFunctionCode", `,"responseElements":{"role":"` + arn + `"}`, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			a := newAggregate()
			addAll(t, a, Verified, rec("1", "2026-03-02T10:00:00Z", tt.source, tt.call, tt.more))
			got := ""
			for _, u := range of(t, a, testRole).Uses {
				if u.Action == PassRole() {
					got = strings.Join(u.Resources, " ")
				}
			}
			if got != tt.want {
				t.Errorf("passed: got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestRecordsThatDoNotCount(t *testing.T) {
	t.Parallel()
	ok := rec("1", "2026-03-02T10:00:00Z", "s3", "GetObject", "")
	for _, tt := range []struct {
		name, from, to string
		want           Reason
	}{
		{"whole", "", "", Counted},
		{"no_time", `"eventTime"`, `"time"`, NoTime},
		{"time_of_no_clock", "2026-03-02T10:00:00Z", "2026-13-02T10:00:00Z", NoTime},
		{"no_name", `"eventName"`, `"name"`, NoAction},
		{"name_with_a_blank", "GetObject", "Get Object", NoAction},
		{"name_is_a_list", `"GetObject"`, `["GetObject"]`, NoAction},
		{"no_region", `"awsRegion"`, `"region"`, NoPlace},
		{"no_principal", `"userIdentity"`, `"identity"`, NoPrincipal},
		{"principal_with_control_characters", "role/x/deploy", `role/x/de\u0000ploy`, NoPrincipal},
		{"event_of_a_service", `"type":"AssumedRole"`, `"type":"AWSService"},"eventType":"AwsServiceEvent","x":{"type":"AssumedRole"`, NotACall},
		{"event_of_a_service_about_a_principal", `{"eventID"`, `{"eventType":"AwsServiceEvent","eventID"`, Counted},
		{"insight", `{"eventID"`, `{"eventCategory":"Insight","eventID"`, NotACall},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			a := newAggregate()
			if got := addAll(t, a, Verified, strings.Replace(ok, tt.from, tt.to, 1)); got[0] != tt.want {
				t.Errorf("got %q, want %q", got[0], tt.want)
			}
			if tt.want != Counted && tt.want.Lost() == (tt.want == NotACall) {
				t.Errorf("lost: got %t for %q", tt.want.Lost(), tt.want)
			}
		})
	}
	a := newAggregate()
	if got := addAll(t, a, Verified, ok, ok, ok); got[1] != Repeated || of(t, a, testRole).Uses[0].Count != 1 {
		t.Errorf("repeated event: got %q", got)
	}
}

func TestSessions(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, answer, want string }{
		{"as_java_writes_it", `{"credentials":{"sessionToken":"t","expiration":"Mar 2, 2026 6:30:16 PM"},"assumedRoleUser":{"arn":"arn:aws:sts::444455556666:assumed-role/target/s"}}`, "2026-03-02T18:30:16Z"},
		{"iso", `{"assumedRoleUser":{"arn":"arn:aws:sts::444455556666:assumed-role/target/s"},"credentials":{"expiration":"2026-03-02T18:30:16Z"}}`, "2026-03-02T18:30:16Z"},
		{"nested_elsewhere", `{"x":{"credentials":{"expiration":"Mar 2, 2036 6:30:16 PM"}},"credentials":{"expiration":"Mar 2, 2026 6:30:16 PM"},"assumedRoleUser":{"arn":"arn:aws:sts::444455556666:assumed-role/target/s"}}`, "2026-03-02T18:30:16Z"},
		{"none", `null`, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			a := newAggregate()
			addAll(t, a, Verified, rec("1", "2026-03-02T10:00:00Z", "sts", "AssumeRole", `,"requestParameters":{"roleArn":"arn:aws:iam::444455556666:role/p/target"},"responseElements":`+tt.answer))
			got := ""
			if h := a.principals["arn:aws:iam::444455556666:role/target"]; h != nil {
				got = h.end.String()
			}
			if got != tt.want {
				t.Errorf("session end: got %q, want %q", got, tt.want)
			}
		})
	}
}

// TestOrderDoesNotMatter splits records at random into runs and merges these in
// any order: the ledger is the same.
func TestOrderDoesNotMatter(t *testing.T) {
	t.Parallel()
	rnd := rand.New(rand.NewPCG(1, 2))
	var records []string
	for i := range 400 {
		more := ""
		if rnd.IntN(4) == 0 {
			more = `,"errorCode":"AccessDenied"`
		}
		more += fmt.Sprintf(`,"resources":[{"ARN":"arn:aws:s3:::b%d"}]`, rnd.IntN(14))
		r := rec(fmt.Sprint(i), second(t, "2026-03-01T00:00:00Z").Time().Add(time.Duration(rnd.IntN(1e6))*time.Second).Format(time.RFC3339), "s3", fmt.Sprintf("Get%d", rnd.IntN(40)), more)
		records = append(records, strings.ReplaceAll(r, "deploy", fmt.Sprintf("r%d", rnd.IntN(3))))
	}
	whole := newAggregate()
	addAll(t, whole, Verified, records...)
	want := map[int][]Activity{}
	for p, list := range activities(whole) {
		want[p] = list
	}
	for range 20 {
		rnd.Shuffle(len(records), func(i, j int) { records[i], records[j] = records[j], records[i] })
		runs := map[int][][]byte{}
		for chunk := range slices.Chunk(records, 1+rnd.IntN(100)) {
			a := newAggregate()
			addAll(t, a, Verified, chunk...)
			for p, list := range activities(a) {
				runs[p] = append(runs[p], encodeRun(list))
			}
		}
		for p := range runs {
			if n := rnd.IntN(len(runs[p]) + 1); n > 1 {
				merged, err := MergeRuns(runs[p][:n], 0)
				if err != nil {
					t.Fatal(err)
				}
				runs[p] = append([][]byte{merged}, runs[p][n:]...)
			}
			got, err := mergeRuns(runs[p], func(string) bool { return true })
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want[p], got); diff != "" {
				t.Fatalf("part %d: got (+) and want (-):\n%s", p, diff)
			}
		}
	}
}

func TestRetention(t *testing.T) {
	t.Parallel()
	a := newAggregate()
	addAll(t, a, Verified, rec("1", "2026-03-02T10:00:00Z", "s3", "GetObject", ""), rec("2", "2026-05-02T10:00:00Z", "s3", "PutObject", ""))
	run := encodeRun(activities(a)[Part(testRole)])
	for _, tt := range []struct {
		cutoff string
		want   int
	}{{"2026-01-01T00:00:00Z", 2}, {"2026-04-01T00:00:00Z", 1}, {"2026-06-01T00:00:00Z", 0}} {
		merged, err := MergeRuns([][]byte{run}, second(t, tt.cutoff))
		if err != nil {
			t.Fatal(err)
		}
		got := 0
		if merged != nil {
			list, err := decodeRun(merged)
			if err != nil {
				t.Fatal(err)
			}
			got = len(list[0].Uses)
		}
		if got != tt.want {
			t.Errorf("uses since %s: got %d, want %d", tt.cutoff, got, tt.want)
		}
	}
}

// FuzzRun reads runs that are damaged: an error, never a panic or a huge list.
func FuzzRun(f *testing.F) {
	f.Add([]byte{runVersion})
	f.Add(encodeRun([]Activity{{Key: "k", Uses: []Use{{Action: Action{"a", "b"}, Resources: []string{"r", "rs"}}}}}))
	f.Fuzz(func(t *testing.T, run []byte) {
		if list, err := decodeRun(run); err == nil {
			if again, err := decodeRun(encodeRun(list)); err != nil || len(again) != len(list) {
				t.Fatalf("got %v for what was read from %q", err, run)
			}
		}
	})
}

func TestParseTime(t *testing.T) {
	t.Parallel()
	for at := time.Date(2007, 1, 1, 0, 0, 0, 0, time.UTC); at.Year() < 2030; at = at.Add(1234567 * time.Second) {
		if got, ok := parseTime([]byte(at.Format(time.RFC3339))); !ok || int64(got) != at.Unix() {
			t.Fatalf("%s: got %d, %t", at, got, ok)
		}
	}
	for text, want := range map[string]bool{"": false, "...": false, "2026-02-02T10:00:00.123Z": true, "2026-02-02T10:00:00+02:00": true, "1969-02-02T10:00:00Z": false, "2026-02-02 10:00:00Z": false} {
		if _, ok := parseTime([]byte(text)); ok != want {
			t.Errorf("%q: got %t, want %t", text, ok, want)
		}
	}
}

// activities are all that was collected, by part.
func activities(a *aggregate) map[int][]Activity {
	out := map[int][]Activity{}
	a.each(func(part int, list []Activity) { out[part] = list })
	return out
}
