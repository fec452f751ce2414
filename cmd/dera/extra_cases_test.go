package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"dera.example/dera/app"
	"dera.example/dera/awssim/moto"
	"dera.example/dera/control"
	"dera.example/dera/services/s3"
)

// scannerCase is a test case of another scanner: calls that build an account, and
// its verdicts.
type scannerCase struct {
	ID, Check string
	Calls     []scannerCall
	Findings  []struct {
		Status     string
		ResourceID string `json:"resource_id"`
		Why        string
	}
}

type scannerCall struct {
	Service string         `json:"service"`
	Region  string         `json:"region"`
	Op      string         `json:"op"`
	Params  map[string]any `json:"params"`
}

// otherChecks are about something that no control of dera judges.
var otherChecks = map[string]string{
	"s3_bucket_secure_transport_policy":                "whether plain HTTP is denied",
	"ec2_securitygroup_not_used":                       "whether a group is in use",
	"ec2_securitygroup_with_many_ingress_egress_rules": "how many rules a group has",
}

// scannerDiffers says why dera's verdict is not the scanner's.
var scannerDiffers = map[string]string{
	"cloudtrail_logs_s3_bucket_is_not_publicly_accessible::test_trail_bucket_not_public_acl#1":                         "alarm: the ACL grants AuthenticatedUsers, anybody with an AWS account; that check looks for AllUsers alone",
	"ec2_securitygroup_allow_ingress_from_internet_to_any_port_from_ip::test_sg_with_wildcard_cidr_on_specific_port#1": "alarm: the whole internet is allowed, which the scanner leaves to another of its checks",
	"s3_bucket_object_public::test_bucket_with_authenticated_users_object_fails#1":                                     "miss: the ACL of a single object; dera reads no objects, and reports the missing block, naming that objects may be public",
	"s3_bucket_object_public::test_bucket_with_public_object_fails#1":                                                  "miss: the ACL of a single object; dera reads no objects, and reports the missing block, naming that objects may be public",
}

// caller makes the calls of cases with boto3, one account a case.
type caller struct {
	t   *testing.T
	in  io.WriteCloser
	out *bufio.Reader
}

func newCaller(t *testing.T, server *moto.Server) *caller {
	t.Helper()
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), moto.Python(), filepath.Join("testdata", "replay_calls.py"))
	cmd.Env = append(os.Environ(), "AWS_ENDPOINT_URL="+server.URL(), "AWS_DEFAULT_REGION=us-east-1")
	cmd.Stderr = os.Stderr
	in, out := piped(t, cmd)
	t.Cleanup(func() {
		if err := in.Close(); err != nil {
			t.Errorf("end the caller: %v", err)
		}
		if err := cmd.Wait(); err != nil {
			t.Errorf("caller: %v", err)
		}
	})
	return &caller{t: t, in: in, out: out}
}

// calls makes the calls in the account of the credentials and returns the texts of
// tell with what the answers gave.
func (c *caller) calls(creds moto.Credentials, calls []scannerCall, tell []string) []string {
	c.t.Helper()
	line, err := json.Marshal(map[string]any{
		"account": creds.Account, "calls": calls, "tell": tell,
		"credentials": map[string]string{"aws_access_key_id": creds.AccessKeyID, "aws_secret_access_key": creds.SecretAccessKey, "aws_session_token": creds.SessionToken},
	})
	if err != nil {
		c.t.Fatal(err)
	}
	if _, err := c.in.Write(append(line, '\n')); err != nil {
		c.t.Fatal(err)
	}
	text, err := c.out.ReadBytes('\n')
	if err != nil {
		c.t.Fatal(err)
	}
	var answer struct{ Told, Failed []string }
	if err := json.Unmarshal(text, &answer); err != nil {
		c.t.Fatal(err)
	}
	if len(answer.Failed) > 0 {
		c.t.Errorf("calls failed: %q", answer.Failed)
	}
	return answer.Told
}

// TestExtraScannerCases builds the test cases of another scanner in moto, scans
// them, and compares verdict with verdict.
func TestExtraScannerCases(t *testing.T) {
	var list []scannerCase
	other := map[string]int{}
	for _, k := range extraLines[scannerCase](t, "prowler_cases.jsonl.gz") {
		about := k.Check == "cloudtrail_logs_s3_bucket_is_not_publicly_accessible" || strings.HasPrefix(k.Check, "s3_") || strings.HasPrefix(k.Check, "ec2_securitygroup_")
		switch {
		case !about:
		case otherChecks[k.Check] != "":
			other[k.Check]++
		default:
			list = append(list, k)
		}
	}
	server := moto.Start(t, moto.Config{})
	caller := newCaller(t, server)
	s := newScore("Prowler's test cases, built in moto", scannerDiffers)
	for _, k := range list {
		w := newFullMotoWorld(t, server)
		tell := []string{}
		for _, f := range k.Findings {
			tell = append(tell, subject(k, f.ResourceID))
		}
		ids := caller.calls(w.creds, k.Calls, tell)
		s.cases++
		found := w.found(w.creds.Account)
		labels := map[string]bool{}
		var order []string // the resources, as the verdicts name them first
		for i, f := range k.Findings {
			switch id := ids[i]; {
			case f.Status == "MANUAL", strings.HasPrefix(id, "sg-") && f.ResourceID == id:
				s.silent++ // no verdict, or on a group of another account
			default:
				if _, known := labels[id]; !known {
					order = append(order, id)
				}
				labels[id] = labels[id] || f.Status == "FAIL"
			}
		}
		if len(k.Findings) == 0 {
			s.silent++
		}
		_, name, _ := strings.Cut(k.ID, "/")
		for n, id := range order {
			s.judge(fmt.Sprintf("%s#%d", name, n+1), labels[id], slices.ContainsFunc(found[id], answersCheck(k.Check, labels[id])))
		}
	}
	t.Logf("left out, since no control is about it: %v", other)
	s.done(t)
}

// subject is the resource that a verdict is about: of a trail, its bucket.
func subject(k scannerCase, id string) string {
	for _, c := range k.Calls {
		if c.Op == "CreateTrail" {
			if name, ok := c.Params["S3BucketName"].(string); ok {
				return name
			}
		}
	}
	return id
}

// found scans the account, and returns what is found as CONTROL KEY, by the ID of
// the resource; of the block of the account by that of the account.
func (w *motoWorld) found(account string) map[string][]string {
	w.t.Helper()
	out, errOut, code := w.dera("scan", "--output", "json")
	if code != exitGood && code != exitNo {
		w.t.Fatalf("dera scan: got exit code %d\n%s", code, errOut)
	}
	var r app.ScanReport
	if err := json.Unmarshal([]byte(out), &r); err != nil {
		w.t.Fatal(err)
	}
	all := map[string][]string{}
	for _, f := range r.Findings {
		id := f.Resource.Name()
		if f.Control == "s3-account-access-block" {
			id = account
		}
		if f.Key == control.UnknownKey {
			w.t.Errorf("%s of %s is unknown: %s", f.Control, id, f.Why)
		}
		all[id] = append(all[id], f.Control+" "+f.Key)
	}
	return all
}

// answersCheck says which finding of dera is the answer to a check. The scanner
// reports a group that is open on all ports for each of its checks on ports.
func answersCheck(check string, bad bool) func(string) bool {
	_, ports, _ := strings.Cut(check, "_port_")
	return func(finding string) bool {
		id, key, _ := strings.Cut(finding, " ")
		opens := strings.HasPrefix(id, "ec2-securitygroup-") && id != "ec2-securitygroup-default-group-rules" && !strings.HasSuffix(key, "/bounded")
		switch {
		case check == "ec2_securitygroup_default_restrict_traffic":
			return id == "ec2-securitygroup-default-group-rules"
		case strings.HasSuffix(check, "_any_port_from_ip"):
			return strings.HasPrefix(id, "ec2-securitygroup-") && id != "ec2-securitygroup-default-group-rules"
		case strings.HasSuffix(check, "_any_port"):
			return opens
		case strings.HasSuffix(check, "_all_ports"):
			return opens && key == "all"
		case strings.HasPrefix(check, "ec2_"):
			return opens && (bad && key == "all" || slices.ContainsFunc(strings.Split(ports, "_"), func(p string) bool { return holdsPort(key, p) }))
		case check == "s3_account_level_public_access_blocks":
			return id == "s3-account-access-block"
		case check == "s3_bucket_level_public_access_block":
			return id == "s3-bucket-access-block"
		case check == "s3_bucket_policy_public_write_access":
			return id == "s3-bucket-public-policy" && key == s3.PolicyWrite
		case check == "s3_bucket_public_write_acl":
			return id == "s3-bucket-public-acl" && key == s3.ACLWrite
		case check == "s3_bucket_public_list_acl", check == "s3_bucket_object_public":
			return id == "s3-bucket-public-acl" || id == "s3-account-access-block"
		}
		return id == "s3-bucket-public-acl" || id == "s3-bucket-public-policy"
	}
}

// holdsPort reports whether a key such as tcp/20-25 holds the port; names among the
// parts of a check are no ports. Those with a control of their own have a key of
// their own, also where a range around them is open.
func holdsPort(key, port string) bool {
	text, _ := strings.CutPrefix(key, "tcp/")
	if slices.Contains([]string{"22", "80", "443", "3389"}, port) {
		return text == port
	}
	from, to, ranged := strings.Cut(text, "-")
	if !ranged {
		to = from
	}
	n, err := strconv.Atoi(port)
	a, errA := strconv.Atoi(from)
	b, errB := strconv.Atoi(to)
	return err == nil && errA == nil && errB == nil && a <= n && n <= b
}

func sortedKeys[V any](m map[string]V) []string {
	var out []string
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}
