package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"dera.example/dera/awssim"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"dera-replica":   replicaMain,
		"dera-generated": generatedMain,
		"dera-profiled":  profiledMain,
		"dera": func() {
			os.Exit(run(context.Background(), os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
		},
	})
}

// TestScripts runs the command lines of testdata/*.txtar. Each script has its own
// simulated AWS on loopback with one account, the groups in groups.json (made
// before the script starts), and credentials in the environment.
func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		Cmds:                map[string]func(*testscript.TestScript, bool, []string){"trail": trail},
		Setup: func(env *testscript.Env) error {
			return simulate(t, env)
		},
	})
}

// simulatedGroup is one entry of a script's groups.json.
type simulatedGroup struct {
	Name  string
	Tags  map[string]string
	Rules []awssim.Rule
}

func simulate(t *testing.T, env *testscript.Env) error {
	ctx, cancel := context.WithCancel(context.Background())
	env.Defer(cancel)
	cloud := awssim.New(awssim.Config{Seed: 3})
	account := cloud.Account("111122223333")
	region := account.Region("us-east-1")
	// A well-kept account: what a script has to do with S3 it sets up itself.
	if err := region.PutAccountPublicAccessBlock(ctx, &awssim.PublicAccessBlock{BlockPublicACLs: true, IgnorePublicACLs: true, BlockPublicPolicy: true, RestrictPublicBuckets: true}); err != nil {
		return err
	}
	if text, err := os.ReadFile(filepath.Join(env.WorkDir, "groups.json")); err == nil {
		var groups []simulatedGroup
		if err := json.Unmarshal(text, &groups); err != nil {
			return err
		}
		for _, g := range groups {
			id, err := region.CreateSecurityGroup(ctx, g.Name, g.Rules...)
			if err != nil {
				return err
			}
			if len(g.Tags) > 0 {
				if err := region.Tag(ctx, id, g.Tags); err != nil {
					return err
				}
			}
			env.Setenv("SG_"+strings.ToUpper(strings.ReplaceAll(g.Name, "-", "_")), id)
		}
	}
	if err := simulateBuckets(ctx, env, region); err != nil {
		return err
	}
	if text, err := os.ReadFile(filepath.Join(env.WorkDir, "iam.json")); err == nil {
		var calls []struct {
			Operation  string
			Parameters map[string]string
		}
		if err := json.Unmarshal(text, &calls); err != nil {
			return err
		}
		for _, c := range calls {
			if err := region.IAM(ctx, c.Operation, c.Parameters); err != nil {
				return err
			}
		}
	}
	if err := simulateFaults(env, cloud); err != nil {
		return err
	}
	url := make(chan string, 1)
	go func() {
		if err := awssim.Serve(ctx, cloud, "127.0.0.1:0", func(u string) { url <- u }); err != nil {
			t.Errorf("serve the simulated AWS: %v", err)
		}
	}()
	c, blind := account.Credentials(), account.AddUser("blind", "sts:*")
	for k, v := range map[string]string{
		"AWS_ENDPOINT_URL": <-url, "AWS_ACCESS_KEY_ID": c.AccessKeyID, "AWS_SECRET_ACCESS_KEY": c.SecretAccessKey,
		"BLIND_ID": blind.AccessKeyID, "BLIND_SECRET": blind.SecretAccessKey,
		"AWS_REGION": "us-east-1", "AWS_CA_BUNDLE": "", "DERA_CONTROLS": strings.Join(simulated(), ","), "AWS_EC2_METADATA_DISABLED": "true", "HOME": env.WorkDir,
	} {
		env.Setenv(k, v)
	}
	return nil
}

// simulateFaults injects the faults in faults.json; dry runs meet only those that
// say so.
func simulateFaults(env *testscript.Env, cloud *awssim.Cloud) error {
	text, err := os.ReadFile(filepath.Join(env.WorkDir, "faults.json"))
	if err != nil {
		return nil
	}
	var faults []struct {
		Operation, Kind, Code string
		Status, Times, After  int
		DryRun                bool
	}
	if err := json.Unmarshal(text, &faults); err != nil {
		return err
	}
	kinds := map[string]awssim.Kind{
		"throttle": awssim.Throttle, "error": awssim.Error5xxBefore, "denied": awssim.Denied, "expired": awssim.ExpiredToken, "refuse": awssim.Refuse,
		"no_effect": awssim.LieNoEffect, "error_after": awssim.Error5xxAfter,
	}
	for _, f := range faults {
		cloud.Inject(awssim.Fault{Kind: kinds[f.Kind], Code: f.Code, Status: f.Status, Times: f.Times, After: f.After, Match: awssim.Match{
			Operation: f.Operation, Where: func(c awssim.Call) bool { return c.DryRun == f.DryRun },
		}})
	}
	return nil
}

// simulatedBucket is one entry of a script's buckets.json.
type simulatedBucket struct {
	Name    string
	Policy  json.RawMessage
	ACL     string // canned
	Website bool
	// Block keeps the public access block that AWS gives to a new bucket.
	Block bool
}

// simulateBuckets makes the buckets in buckets.json, in an account that has no
// block of its own then.
func simulateBuckets(ctx context.Context, env *testscript.Env, region *awssim.Region) error {
	text, err := os.ReadFile(filepath.Join(env.WorkDir, "buckets.json"))
	if err != nil {
		return nil
	}
	var buckets []simulatedBucket
	if err := json.Unmarshal(text, &buckets); err != nil {
		return err
	}
	errs := []error{region.PutAccountPublicAccessBlock(ctx, nil)}
	for _, b := range buckets {
		create := region.CreateBucket
		if b.ACL != "" {
			create = region.CreateLegacyBucket
		}
		errs = append(errs, create(ctx, b.Name))
		if !b.Block {
			errs = append(errs, region.PutPublicAccessBlock(ctx, b.Name, nil))
		}
		if b.Policy != nil {
			errs = append(errs, region.PutBucketPolicy(ctx, b.Name, string(b.Policy)))
		}
		if b.ACL != "" {
			errs = append(errs, region.PutBucketACL(ctx, b.Name, b.ACL))
		}
		if b.Website {
			errs = append(errs, region.PutBucketWebsite(ctx, b.Name, "index.html"))
		}
	}
	return errors.Join(errs...)
}

// TestDemo runs the whole demo and looks at what it says of itself.
func TestDemo(t *testing.T) {
	t.Parallel()
	var out, errOut bytes.Buffer
	if code := run(t.Context(), []string{"demo", "--exit", "--output", "json"}, strings.NewReader(""), &out, &errOut); code != exitGood {
		t.Fatalf("got exit code %d, want 0\n%s%s", code, out.String(), errOut.String())
	}
	var r demoReport
	if err := json.Unmarshal(out.Bytes(), &r); err != nil {
		t.Fatalf("read the report: %v\n%s", err, out.String())
	}
	for _, d := range []string{"auto", "review", "alert", "exempt"} {
		if r.Dispositions[d] == 0 {
			t.Errorf("dispositions: got none %s, want some: %v", d, r.Dispositions)
		}
	}
	if len(r.RolledBack) != 2 || r.States["rolled_back"] != 2 || r.States["resolved"] < 3 || r.States["failed"]+r.States["undo_failed"]+r.States["collateral"] > 0 {
		t.Errorf("remediations: got %v, rolled back %v, want 3 resolved, 2 rolled back, none failed and no other writer", r.States, r.RolledBack)
	}
	if !r.LogVerified || r.LogRecords == 0 {
		t.Errorf("audit log: got %d records, verified %t", r.LogRecords, r.LogVerified)
	}
}

// TestDemoSpeaks wants the first line to say that nothing is real.
func TestDemoSpeaks(t *testing.T) {
	t.Parallel()
	var out, errOut bytes.Buffer
	if code := run(t.Context(), []string{"demo", "--exit"}, strings.NewReader(""), &out, &errOut); code != exitGood {
		t.Fatalf("got exit code %d, want 0\n%s%s", code, out.String(), errOut.String())
	}
	first, _, _ := strings.Cut(out.String(), "\n")
	if !strings.HasPrefix(first, "simulated AWS") {
		t.Errorf("first line: got %q, want it to say simulated AWS", first)
	}
	for _, want := range []string{"- tcp 22 from 0.0.0.0/0", "+ tcp 23-3388 from 0.0.0.0/0", "bastion", "TICKET-42", "rolled back", "Audit log OK"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the demo does not show %q:\n%s", want, out.String())
		}
	}
}
