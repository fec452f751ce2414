package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"dera/awssim/moto"
)

// beside are findings that the labels do not name, each with why it is right.
var beside = map[string]string{
	"sadcloud sadcloud-ec2-opens_port_range sg-world-other": "the rule opens 21 to 25; the label names the worst port alone",
}

// TestExtraEnvironments builds the misconfigured accounts of the extra data in
// moto, call by call, and holds what dera scan finds against their labels.
func TestExtraEnvironments(t *testing.T) {
	data := os.Getenv("DERA_EXTRA_DATA")
	if data == "" {
		t.Skip("DERA_EXTRA_DATA names no folder of real data")
	}
	var expected map[string]struct {
		Findings []struct{ Kind, Resource, Why string }
	}
	text, err := os.ReadFile(filepath.Join(data, "envs", "expected.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &expected); err != nil {
		t.Fatal(err)
	}
	var table []string
	for env, want := range expected {
		labels := map[string]bool{}
		for _, f := range want.Findings {
			if strings.HasPrefix(f.Kind, "sg-world") {
				_, group, _ := strings.Cut(f.Resource, "/")
				labels[group+" "+f.Kind] = true
			}
		}
		if len(labels) == 0 {
			continue
		}
		found := scanEnvironment(t, data, env)
		hits := 0
		for label := range labels {
			if found[label] {
				hits++
			} else {
				t.Errorf("%s: %s is not found", env, label)
			}
		}
		for label := range found {
			if !labels[label] && beside[env+" "+label] == "" {
				t.Errorf("%s: wrong alarm: %s", env, label)
			}
		}
		table = append(table, fmt.Sprintf("%-40s %2d of %2d labels found, %d beside them", env, hits, len(labels), len(found)-hits))
	}
	t.Log("misconfigured accounts in moto, by dera scan:\n" + strings.Join(table, "\n"))
}

// scanEnvironment returns what is found, as "GROUP KIND".
func scanEnvironment(t *testing.T, data, env string) map[string]bool {
	t.Helper()
	server := moto.Start(t, moto.Config{ManagedPolicies: true})
	replay := exec.CommandContext(t.Context(), moto.Python(), filepath.Join(data, "tools", "replay.py"), server.URL(), filepath.Join(data, "envs", env+".calls.jsonl.gz"))
	if out, err := replay.CombinedOutput(); err != nil {
		t.Fatalf("build %s in moto: %v\n%s", env, err, out)
	}
	w := &motoWorld{t: t, server: server, dir: t.TempDir()}
	w.use(moto.Credentials{AccessKeyID: "test", SecretAccessKey: "test"})
	if err := os.WriteFile(filepath.Join(w.dir, "config.yaml"), []byte("version: 1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{}
	for _, f := range w.scan(exitNo).Findings {
		for _, kind := range kindsOf(f) {
			found[f.ResourceName+" "+kind] = true
		}
	}
	return found
}

// kindsOf translates a finding into the labels of the data set.
func kindsOf(f findingView) []string {
	switch {
	case strings.HasSuffix(f.Key, "/bounded"), f.Control == "ec2-sg-default-group-rules":
		return nil // the labels know neither
	case f.Key == "all":
		return []string{"sg-world-all"}
	case f.Key == "icmp":
		return []string{"sg-world-icmp"}
	case strings.Contains(f.Why, "all traffic from"):
		return nil // told by the key all
	case f.Key == "tcp/22":
		return []string{"sg-world-22"}
	case f.Key == "tcp/3389":
		return []string{"sg-world-3389"}
	case f.Control == "ec2-sg-web-ports-open":
		return []string{"sg-world-web"}
	}
	return []string{"sg-world-other"}
}
