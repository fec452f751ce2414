package cloudtrail_test

import (
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"dera.example/dera"
	"dera.example/dera/cloudtrail"
	"dera.example/dera/services"

	"github.com/google/go-cmp/cmp"
)

// extraDir is the folder with recorded events. They are not part of the
// repository: some have licences that do not allow it.
func extraDir(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("DERA_EXTRA_DATA")
	if dir == "" {
		t.Skip("DERA_EXTRA_DATA is not set: it names the folder with recorded events (cloudtrail/*.jsonl.gz, stratus/*.json)")
	}
	return dir
}

// recorded returns the events of a recorded file: lines of {"event":…} in gzip,
// lines of {"finding":…}, or one array.
func recorded(t *testing.T, path string) []json.RawMessage {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var r io.Reader = file
	if strings.HasSuffix(path, ".gz") {
		if r, err = gzip.NewReader(file); err != nil {
			t.Fatal(err)
		}
	}
	var events []json.RawMessage
	d := json.NewDecoder(r)
	if strings.HasSuffix(path, ".json") {
		if err := d.Decode(&events); err != nil {
			t.Fatal(err)
		}
		return events
	}
	for {
		var line struct{ Event, Finding json.RawMessage }
		err := d.Decode(&line)
		if errors.Is(err, io.EOF) {
			return events
		}
		if err != nil {
			t.Fatal(err)
		}
		events = append(events, append(line.Event, line.Finding...))
	}
}

// reason names the typed error of a refused event, or "" for one that is not typed.
func reason(err error) string {
	var field *cloudtrail.FieldError
	switch {
	case errors.As(err, &field) && field.Value == "":
		return "no " + field.Field
	case errors.As(err, &field):
		return "malformed " + field.Field
	}
	for _, e := range []error{cloudtrail.ErrTooLarge, cloudtrail.ErrNotJSON, cloudtrail.ErrDuplicateName, cloudtrail.ErrNotCloudTrail} {
		if errors.Is(err, e) {
			return e.Error()
		}
	}
	return ""
}

func extraFiles(t *testing.T, patterns ...string) []string {
	t.Helper()
	dir := extraDir(t)
	var files []string
	for _, p := range patterns {
		found, err := filepath.Glob(filepath.Join(dir, p))
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, found...)
	}
	if len(files) == 0 {
		t.Fatalf("no files match %v", patterns)
	}
	return files
}

// TestExtra_events decodes every recorded event, bare and in an envelope, or
// refuses it with a typed reason.
func TestExtra_events(t *testing.T) {
	watch := services.Watch()
	t.Logf("%-50s %6s %7s %6s %6s %6s  %s", "file", "events", "decoded", "triage", "hinted", "denied", "refused")
	for _, path := range extraFiles(t, "cloudtrail/*.jsonl.gz", "stratus/*.json", "stratus/normalised/*.json", "findings/eventbridge-other.jsonl") {
		var decoded, triaged, hinted, denied int
		refused := map[string]int{}
		events := recorded(t, path)
		for i, raw := range events {
			kept := watch.Triage(raw)
			if kept {
				triaged++
			}
			r, err := cloudtrail.Decode(raw)
			if err != nil {
				if reason(err) == "" {
					t.Errorf("%s event %d: got error %q, want a typed one", path, i, err)
				}
				refused[reason(err)]++
				continue
			}
			decoded++
			if len(watch.Hints(r)) > 0 {
				hinted++
				if !kept {
					t.Errorf("%s event %d: triage drops an event with hints", path, i)
				}
			}
			if r.Denied() {
				denied++
			}
			inside, err := cloudtrail.Decode([]byte(`{"detail-type":"AWS API Call via CloudTrail","source":"aws.ec2","account":"` + r.Account + `","region":"` + r.Region + `","time":"2024-08-01T12:23:56Z","id":"b-1","detail":` + string(raw) + `}`))
			if err != nil || !inside.Trusted {
				t.Errorf("%s event %d: got %+v, %v in an envelope, want a trusted record", path, i, inside, err)
			}
			if inside.ID, inside.Time, inside.Trusted = r.ID, r.Time, false; !cmp.Equal(inside, r) {
				t.Errorf("%s event %d: the envelope changes the record:\n%s", path, i, cmp.Diff(r, inside))
			}
		}
		var why []string
		for reason, n := range refused {
			why = append(why, fmt.Sprintf("%d %s", n, reason))
		}
		slices.Sort(why)
		short := strings.TrimPrefix(filepath.Dir(path), filepath.Dir(filepath.Dir(path))) + "/" + filepath.Base(path)
		t.Logf("%-50.50s %6d %7d %6d %6d %6d  %s", short, len(events), decoded, triaged, hinted, denied, strings.Join(why, ", "))
	}
}

// TestExtra_security_group_event looks at the attack that opens port 22: the
// one group that it names is the one hint.
func TestExtra_security_group_event(t *testing.T) {
	watch := services.Watch()
	for folder, region := range map[string]string{"stratus": "us-northeast-1r", "stratus/normalised": "us-east-1"} {
		for _, path := range extraFiles(t, folder+"/aws.exfiltration.ec2-security-group-open-port-22-ingress.json") {
			for _, raw := range recorded(t, path) {
				r, err := cloudtrail.Decode(raw)
				if err != nil {
					t.Fatal(err)
				}
				want := []dera.Scope{{
					Partition: "aws", Account: r.Account, Region: region, Type: "AWS::EC2::SecurityGroup", IDs: []string{"sg-003dc7f1f1c686164"},
				}}
				if d := cmp.Diff(want, watch.Hints(r)); d != "" {
					t.Errorf("%s: hints (-want +got):\n%s", path, d)
				}
			}
		}
	}
}

// TestExtra_redact finds no credential of a recorded event in what is kept.
func TestExtra_redact(t *testing.T) {
	secrets := 0
	for _, path := range extraFiles(t, "cloudtrail/*.jsonl.gz", "stratus/*.json") {
		for i, raw := range recorded(t, path) {
			kept := cloudtrail.Redact(raw, 2048)
			if len(kept) > 2048 || kept == "" {
				t.Errorf("%s event %d: got %d bytes", path, i, len(kept))
			}
			var tree any
			if err := json.Unmarshal(raw, &tree); err != nil {
				t.Fatal(err)
			}
			for _, secret := range credentials(tree, nil) {
				if secret[:10] == "0123456789" || strings.Trim(secret, secret[:1]) == "" {
					continue // an anonymiser wrote it, and elsewhere in the event too
				}
				secrets++
				if strings.Contains(kept, secret) {
					t.Errorf("%s event %d: got %q in %s", path, i, secret, kept)
				}
			}
		}
	}
	t.Logf("%d credentials, none kept", secrets)
	if secrets < 100 {
		t.Errorf("got %d credentials in the recorded events, want more: the test looks for nothing", secrets)
	}
}

// credentials collects the texts under the names that CloudTrail uses for
// credentials. Short ones (…, HIDDEN) stand for a removed value.
func credentials(v any, out []string) []string {
	switch v := v.(type) {
	case map[string]any:
		for name, value := range v {
			s, text := value.(string)
			switch name {
			case "accessKeyId", "sessionToken", "secretAccessKey", "masterUserPassword", "policyDocument", "publicKey", "clientToken", "NextToken", "blockToken":
				if text && len(s) > 10 {
					out = append(out, s)
				}
			}
			out = credentials(value, out)
		}
	case []any:
		for _, item := range v {
			out = credentials(item, out)
		}
	}
	return out
}

// TestExtra_compliance: no other recorded finding or envelope is taken for a
// compliance change, and each is refused with a typed reason.
func TestExtra_compliance(t *testing.T) {
	seen := 0
	for _, path := range extraFiles(t, "findings/*.jsonl") {
		for i, raw := range recorded(t, path) {
			seen++
			if _, err := cloudtrail.DecodeCompliance(raw); err == nil || reason(err) == "" || cloudtrail.IsCompliance(raw) {
				t.Errorf("%s line %d: got %v, want a typed refusal", path, i+1, err)
			}
		}
	}
	t.Logf("%d recorded findings and envelopes", seen)
}
