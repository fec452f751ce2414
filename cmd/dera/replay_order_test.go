package main

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"dera.example/dera/app"
)

// answer is what a report says of the events, whatever files they were in.
func answer(t *testing.T, r app.ReplayReport) string {
	t.Helper()
	for i := range r.Unreadable {
		r.Unreadable[i].Position = ""
	}
	for i := range r.Unfollowed {
		r.Unfollowed[i].Position = ""
	}
	slices.SortFunc(r.Unreadable, func(a, b app.UnreadableLine) int { return strings.Compare(a.Why, b.Why) }) // they are listed by position
	text, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// dealt writes records into several files, in any order and in any of three forms.
func dealt(t *testing.T, rnd *rand.Rand, records []string) string {
	t.Helper()
	dir := t.TempDir()
	rnd.Shuffle(len(records), func(i, j int) { records[i], records[j] = records[j], records[i] })
	for n := 0; len(records) > 0; n++ {
		k := 1 + rnd.IntN(len(records))
		text := strings.Join(records[:k], "\n")
		switch rnd.IntN(3) {
		case 0:
			text = `{"Records":[` + strings.Join(records[:k], ",") + `]}`
		case 1:
			text = "[" + strings.Join(records[:k], ",\n") + "]"
		}
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%d-%d.json", rnd.IntN(1000), n)), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		records = records[k:]
	}
	return dir
}

// anyOrder holds that records give one answer in whatever files and order.
func anyOrder(t *testing.T, seed uint64, records []string, times int) app.ReplayReport {
	t.Helper()
	rnd := rand.New(rand.NewPCG(seed, 16))
	first, code := replayed(t, dealt(t, rnd, append([]string{}, records...)))
	want := answer(t, first)
	for range times {
		r, again := replayed(t, dealt(t, rnd, append([]string{}, records...)))
		if got := answer(t, r); got != want || again != code {
			t.Fatalf("seed %d: got exit code %d and\n%s\nwant %d and\n%s", seed, again, got, code, want)
		}
	}
	return first
}

// TestReplayInAnyOrder replays made-up histories with many events in each second.
func TestReplayInAnyOrder(t *testing.T) {
	t.Parallel()
	found := 0
	for seed := range uint64(6) {
		rnd := rand.New(rand.NewPCG(seed, 18))
		var records []string
		write := func(second int, source, name, code, request, response string) {
			records = append(records, fmt.Sprintf(`{"eventID":"e%d","eventSource":"%s.amazonaws.com","eventName":%q,"errorCode":%q,"eventTime":%q,"awsRegion":"eu-west-1","recipientAccountId":"111122223333","userIdentity":{"type":"IAMUser","arn":"arn:aws:iam::111122223333:user/u%d","accountId":"111122223333"},"requestParameters":%s,"responseElements":%s}`,
				len(records), source, name, code, time.Date(2024, 8, 1, 12, 0, second, 0, time.UTC).Format(time.RFC3339), rnd.IntN(3), request, response))
		}
		there := map[string]bool{}
		for g := range 3 {
			write(0, "ec2", "CreateSecurityGroup", "", fmt.Sprintf(`{"groupName":"g%d","vpcId":"vpc-1"}`, g), fmt.Sprintf(`{"groupId":"sg-%d"}`, g))
		}
		write(0, "s3", "CreateBucket", "", `{"bucketName":"files"}`, "null")
		for second := 0; second < 12; second += rnd.IntN(2) {
			group, port := fmt.Sprintf("sg-%d", rnd.IntN(4)), []int{22, 3389}[rnd.IntN(2)]
			key := fmt.Sprint(group, port)
			request := fmt.Sprintf(`{"groupId":%q,"cidrIp":"0.0.0.0/0","ipProtocol":"tcp","fromPort":%d,"toPort":%d}`, group, port, port)
			switch rnd.IntN(5) {
			case 0, 1:
				write(second, "ec2", "AuthorizeSecurityGroupIngress", map[bool]string{true: "Client.InvalidPermission.Duplicate"}[there[key]], request, "null")
				there[key] = true
			case 2:
				write(second, "ec2", "RevokeSecurityGroupIngress", map[bool]string{false: "Client.InvalidPermission.NotFound"}[there[key]], request, "null")
				there[key] = false
			case 3:
				write(second, "s3", "DeleteBucketPublicAccessBlock", "", `{"bucketName":"files"}`, "null")
			default:
				write(second, "s3", "PutBucketPublicAccessBlock", "", `{"bucketName":"files","PublicAccessBlockConfiguration":{"BlockPublicAcls":true,"BlockPublicPolicy":true,"IgnorePublicAcls":true,"RestrictPublicBuckets":true}}`, "null")
			}
		}
		// A second delivery of an event, without its parameters, says nothing new.
		from, _, _ := strings.Cut(records[len(records)-1], `"requestParameters"`)
		records = append(records, records[0], from+`"requestParameters":{"omitted":true,"originalSize":1}}`)
		r := anyOrder(t, seed, records, 3)
		if found += len(r.Findings); r.Summary.Events.Duplicate+r.Summary.Events.Failed == 0 || r.Summary.Unfollowed != 0 {
			t.Errorf("seed %d: got %+v, %d not followed, want the second deliveries as duplicates", seed, r.Summary.Events, r.Summary.Unfollowed)
		}
		open := 0
		for key, is := range there {
			if is && !strings.HasPrefix(key, "sg-3") { // no event created that one
				open++
			}
		}
		got := 0
		for _, f := range r.Findings {
			if f.ResolvedAt == nil && f.Disposition.String() != "exempt" && strings.HasPrefix(f.Key, "tcp/") && f.Resource.Name() != "sg-3" {
				got++
			}
		}
		if got != open {
			t.Errorf("seed %d: got %d open ports of groups that were created, want %d", seed, got, open)
		}
	}
	if found < 10 {
		t.Errorf("got %d findings: the test says little", found)
	}
}

// TestExtraReplayInAnyOrder deals all recorded events again and again, each time into
// other files.
func TestExtraReplayInAnyOrder(t *testing.T) {
	t.Parallel()
	data := os.Getenv("DERA_EXTRA_DATA")
	if data == "" {
		t.Skip("DERA_EXTRA_DATA names no folder of real data")
	}
	files, err := filepath.Glob(filepath.Join(data, "cloudtrail", "*.jsonl.gz"))
	if err != nil || len(files) == 0 {
		t.Fatalf("got files %v, %v", files, err)
	}
	var records []string
	for _, path := range files {
		out := filepath.Join(t.TempDir(), "events")
		unwrapEvents(t, path, out)
		text, err := os.ReadFile(out)
		if err != nil {
			t.Fatal(err)
		}
		records = append(records, strings.Split(strings.TrimSpace(string(text)), "\n")...)
	}
	r := anyOrder(t, 1, records, 20)
	if r.Summary.Events.Read != len(records) || len(r.Findings) == 0 {
		t.Errorf("got %d events and %d findings of %d records", r.Summary.Events.Read, len(r.Findings), len(records))
	}
}
