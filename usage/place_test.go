package usage_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"dera.example/dera/usage"
)

// What belongs to no IAM action is no gap: not a sign-in without an ARN, nor what
// lies beside CloudTrail's files in a bucket.
func TestWhatIsNoCallIsNoGap(t *testing.T) {
	t.Parallel()
	call := record("1", "a", "Get", start)
	tests := []struct {
		name, file string
		text       string
		counted    int64
	}{
		{"console_sign_in_without_an_arn", "f.json", logText(signIn("ConsoleLogin"), call), 1},
		{"multi_factor_check", "f.json", logText(signIn("CheckMfa"), call), 1},
		{"insights_among_events", "f.json", logText(`{"eventVersion":"1.08","eventTime":"2026-03-01T00:00:00Z","awsRegion":"us-east-1","eventID":"i","eventType":"AwsCloudTrailInsight","recipientAccountId":"111122223333","sharedEventID":"s","insightDetails":{"state":"Start"},"eventCategory":"Insight"}`, call), 1},
		{"aggregated_event", "f.json", logText(`{"eventVersion":"1.0","accountId":"111122223333","eventId":"i","eventCategory":"Aggregated","eventType":"AwsAggregatedEvent","awsRegion":"us-east-1","eventSource":"s3.amazonaws.com","timeWindow":{"windowStart":"2026-03-01T00:00:00Z"}}`, call), 1},
		{"network_activity_of_an_endpoint", "f.json", logText(strings.Replace(record("2", "a", "Put", start), `{`, `{"eventType":"AwsVpceEvent","eventCategory":"NetworkActivity","errorCode":"VpceAccessDenied",`, 1), call), 1},
		{"config_history", "AWSLogs/111122223333/Config/us-east-1/2026/3/1/ConfigHistory/c.json.gz", `{"fileVersion":"1.0","configurationItems":[]}`, 1},
		{"flow_logs", "AWSLogs/111122223333/vpcflowlogs/us-east-1/2026/03/01/111122223333_vpcflowlogs_us-east-1_fl-1.log.gz", "version account-id", 1},
		{"load_balancer_in_an_organisation", "AWSLogs/o-a1b2c3d4e5/111122223333/elasticloadbalancing/us-east-1/x.json", "{", 1},
		{"insight_files", "AWSLogs/111122223333/CloudTrail-Insight/us-east-1/2026/03/01/i.json.gz", "{", 1},
		{"aggregated_files", "AWSLogs/111122223333/CloudTrail-Aggregated/us-east-1/2026/03/01/i.json.gz", "{", 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s, dir := newStore(t), t.TempDir()
			place(t, filepath.Join(dir, tt.file), tt.text)
			if tt.file != "f.json" {
				place(t, filepath.Join(dir, "AWSLogs/111122223333/CloudTrail/us-east-1/2026/03/01/g.json"), logText(call))
			}
			r := importing(t, s, usage.ImportConfig{}, dir)
			if r.Counts[usage.Counted] != tt.counted || len(r.Damaged) > 0 {
				t.Errorf("got %v and %v, want %d counted and nothing damaged", r.Counts, r.Damaged, tt.counted)
			}
			for _, g := range gapsOf(t, s, start, start.Add(time.Hour)) {
				if g.Kind == usage.GapLost || g.Kind == usage.GapDamaged {
					t.Errorf("got the gap %+v", g)
				}
			}
			if text := all(t, s); strings.Contains(text, "Put") || !strings.Contains(text, "Get") {
				t.Errorf("ledger: got %q, want the one call", text)
			}
		})
	}
}

// A log file is one by its name, whatever the folder that it was copied to.
func TestLogFilesInOtherFolders(t *testing.T) {
	t.Parallel()
	for _, folder := range []string{"AWSLogs/111122223333/us-east-1/2026/03/01", "CloudTrail-Insights-and-logs/AWSLogs/111122223333/CloudTrail/us-east-1"} {
		t.Run(folder, func(t *testing.T) {
			t.Parallel()
			s, dir := newStore(t), t.TempDir()
			place(t, filepath.Join(dir, folder, "111122223333_CloudTrail_us-east-1_20260301T0005Z_abc.json"), logText(record("1", "a", "Get", start)))
			if r := importing(t, s, usage.ImportConfig{}, dir); r.Counts[usage.Counted] != 1 || len(r.LeftOut) > 0 {
				t.Errorf("got %v, left out %v, want the call counted", r.Counts, r.LeftOut)
			}
		})
	}
}

// To switch to a role in the console needs sts:AssumeRole, and a developer tool's
// sign-in needs actions of signin: these sign-in events are uses.
func TestSignInsThatActionsAuthorize(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"SwitchRole", "AuthorizeOAuth2Access", "CreateOAuth2Token"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, dir := newStore(t), t.TempDir()
			ann := strings.Replace(signIn(name), `"type":"IAMUser",`, `"type":"IAMUser","arn":"arn:aws:iam::111122223333:user/ann",`, 1)
			place(t, filepath.Join(dir, "f.json"), logText(ann))
			if r := importing(t, s, usage.ImportConfig{}, dir); r.Counts[usage.Counted] != 1 || !strings.Contains(all(t, s), name) {
				t.Errorf("got %v and %q, want the use counted", r.Counts, all(t, s))
			}
		})
	}
}

// Whoever signs in as the root user uses it, and nothing has to be authorized for that. What
// a service calls in its name is kept apart.
func TestUseOfRoot(t *testing.T) {
	t.Parallel()
	const root = "arn:aws:iam::111122223333:root"
	by := func(text, more string) string {
		return strings.Replace(text, `"type":"IAMUser",`, `"type":"Root","arn":"`+root+`",`+more, 1)
	}
	call := strings.Replace(signIn("ListBuckets"), "AwsConsoleSignIn", "AwsApiCall", 1)
	for name, tc := range map[string]struct{ text, key string }{
		"signs_in":             {by(signIn("ConsoleLogin"), ""), root},
		"calls":                {by(call, ""), root},
		"calls_in_a_console":   {by(call, `"invokedBy":"signin.amazonaws.com",`), root},
		"a_service_calls":      {by(call, `"invokedBy":"cloudformation.amazonaws.com",`), root + "/by-service"},
		"an_iam_user_signs_in": {strings.Replace(signIn("ConsoleLogin"), `"type":"IAMUser",`, `"type":"IAMUser","arn":"arn:aws:iam::111122223333:user/ann",`, 1), ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, dir := newStore(t), t.TempDir()
			place(t, filepath.Join(dir, "f.json"), logText(tc.text))
			importing(t, s, usage.ImportConfig{}, dir)
			known, err := usage.New(s, nil).Activities(t.Context(), "111122223333", []string{root, root + "/by-service", "arn:aws:iam::111122223333:user/ann"})
			want := 1
			if tc.key == "" {
				want = 0
			}
			if err != nil || len(known) != want || want > 0 && known[tc.key].Last() == 0 {
				t.Errorf("got %+v, %v, want use of %q", known, err, tc.key)
			}
		})
	}
}

// A gap is where and when its event or its file was, and matters only there.
func TestGapsHaveAPlace(t *testing.T) {
	t.Parallel()
	const name = "AWSLogs/111122223333/CloudTrail/eu-west-1/2026/03/01/111122223333_CloudTrail_eu-west-1_20260301T0005Z_abc.json"
	nobody := strings.Replace(record("1", "a", "Get", start), `"userIdentity"`, `"x"`, 1)
	tests := []struct {
		name, file, text string
		account, region  string
		since            time.Time
	}{
		{"record_without_a_principal", "f.json", logText(nobody), "111122223333", "us-east-1", start},
		{"cut_file_with_its_name", name, strings.TrimSuffix(logText(record("1", "a", "Get", start)), "]}"), "111122223333", "eu-west-1", start.Add(5*time.Minute - 30*24*time.Hour)},
		{"cut_file_of_another_name", "export.json", strings.TrimSuffix(logText(record("1", "a", "Get", start)), "]}"), "", "", time.Time{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s, dir := newStore(t), t.TempDir()
			place(t, filepath.Join(dir, tt.file), tt.text)
			importing(t, s, usage.ImportConfig{}, dir)
			of := func(account string, from time.Time) []usage.Gap {
				gaps, err := usage.New(s, nil).Gaps(t.Context(), usage.Window{Account: account, From: from, To: from.Add(24 * time.Hour)})
				if err != nil {
					t.Fatal(err)
				}
				return slices.DeleteFunc(gaps, func(g usage.Gap) bool { return g.Kind != usage.GapLost && g.Kind != usage.GapDamaged })
			}
			got := of("111122223333", start)
			if len(got) != 1 || got[0].Account != tt.account || got[0].Region != tt.region || !tt.since.IsZero() && !got[0].From.Time().Equal(tt.since) {
				t.Fatalf("gaps: got %+v, want one of %q, %q since %s", got, tt.account, tt.region, tt.since)
			}
			if elsewhere := of("444455556666", start); len(elsewhere) != 0 && tt.account != "" {
				t.Errorf("another account: got %+v, want none", elsewhere)
			}
			if later := of("111122223333", start.AddDate(0, 2, 0)); len(later) != 0 && tt.account != "" {
				t.Errorf("two months later: got %+v, want none", later)
			}
		})
	}
}

// signIn is an event of the console's sign-in, which names the user without an ARN.
func signIn(name string) string {
	return `{"eventVersion":"1.08","userIdentity":{"type":"IAMUser","accountId":"111122223333","userName":"ann"},"eventTime":"2026-03-01T00:00:00Z",` +
		`"eventSource":"signin.amazonaws.com","eventName":"` + name + `","awsRegion":"us-east-1","eventType":"AwsConsoleSignIn","recipientAccountId":"111122223333","eventID":"s"}`
}

func logText(records ...string) string { return string(logFile(records...)) }

func place(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
