package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"dera.example/dera"
	"dera.example/dera/awssim"
	"dera.example/dera/services/s3/account"
	"dera.example/dera/services/s3/bucket"
	"github.com/aws/aws-sdk-go-v2/credentials"
)

// short turns a control and key into the words of the labels.
func short(control, key string) string {
	name := map[string]string{
		"ec2-securitygroup-admin-ports-open tcp/22": "ssh", "ec2-securitygroup-admin-ports-open tcp/22/bounded": "ssh bounded",
		"ec2-securitygroup-admin-ports-open tcp/3389": "rdp", "ec2-securitygroup-admin-ports-open tcp/3389/bounded": "rdp bounded",
		"ec2-securitygroup-web-ports-open tcp/80": "http", "ec2-securitygroup-web-ports-open tcp/443": "https",
		"s3-account-access-block public-access-block": "account-block", "s3-bucket-access-block public-access-block": "block",
	}[control+" "+key]
	switch {
	case name != "":
		return name
	case control == "ec2-securitygroup-other-ports-open":
		return "other " + key
	}
	return key
}

// verdict is one finding: what is right and what dera did.
type verdict struct {
	resource, finding, right, got string
	state                         dera.FindingState
}

// work lets dera scan --apply work on the estate, so many times, and returns what
// it did about each label, and about findings that no label has.
func (e *estate) work(t *testing.T, times int) []verdict {
	t.Helper()
	creds := e.cloud.Account(estateAccount).Credentials()
	a := &cli{in: strings.NewReader(""), out: io.Discard, err: io.Discard, now: time.Now}
	var later time.Duration
	a.now = func() time.Time { return time.Now().Add(later) }
	a.flags = flags{data: t.TempDir(), config: filepath.Join(estateDir, "config.yaml"), exemptions: filepath.Join(estateDir, "exemptions.yaml"), mode: "enforce", output: "table"}
	decided := map[string]dera.Disposition{}
	var last []dera.Finding
	for n := range times {
		later = time.Duration(n) * 5 * time.Minute // what failed is tried again after a while
		func() {
			s, err := a.open(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = s.close(context.WithoutCancel(t.Context())) }()
			if err := s.connect(t.Context(), options{
				client: e.cloud.HTTPClient(), endpoint: "https://127.0.0.1", region: estateRegion, controls: simulated(),
				credentials: credentials.NewStaticCredentialsProvider(creds.AccessKeyID, creds.SecretAccessKey, ""),
			}); err != nil {
				t.Fatal(err)
			}
			if err := s.look(t.Context(), &scanning{progress: &progress{}}, true); err != nil {
				t.Fatal(err)
			}
			if e.underWay, err = s.underWay(t.Context()); err != nil {
				t.Fatal(err)
			}
			if last, err = s.store.Findings(t.Context()); err != nil {
				t.Fatal(err)
			}
			for _, f := range last {
				decided[f.ID] = f.Disposition
			}
		}()
	}
	names := map[string]string{}
	for name, id := range e.ids {
		names[id] = name
	}
	have := map[string]verdict{}
	for _, f := range last {
		name := names[f.Resource.Name()]
		switch {
		case f.ResourceType == bucket.Name:
			name = f.Resource.Name()
		case f.ResourceType == account.Name:
			name = "account"
		case name == "":
			continue // the default groups of VPCs
		}
		v := verdict{resource: name, finding: short(f.Control, f.Key), got: decided[f.ID].String(), state: f.State}
		have[v.resource+" "+v.finding] = v
	}
	return e.compare(have)
}

func (e *estate) compare(have map[string]verdict) []verdict {
	var out []verdict
	label := func(resource string, items map[string]estateItem) {
		for finding, item := range items {
			v, ok := have[resource+" "+finding]
			if !ok {
				v = verdict{resource: resource, finding: finding, got: "none"}
			}
			v.right = item.Right
			out = append(out, v)
			delete(have, resource+" "+finding)
		}
	}
	label("account", e.Account)
	for _, g := range e.Groups {
		label(g.Name, g.Findings)
	}
	for _, b := range e.Buckets {
		label(b.Name, b.Findings)
	}
	for _, v := range have {
		v.right = "none"
		out = append(out, v)
	}
	slices.SortFunc(out, func(a, b verdict) int { return strings.Compare(a.resource+" "+a.finding, b.resource+" "+b.finding) })
	return out
}

// differences are the verdicts that are not what the labels say, one line each.
func differences(list []verdict) []string {
	var out []string
	for _, v := range list {
		if v.right != v.got {
			out = append(out, fmt.Sprintf("%s | %s | %s | %s", v.resource, v.finding, v.right, v.got))
		}
	}
	return out
}

// tally counts by label and by what dera did.
func tally(list []verdict) map[string]map[string]int {
	out := map[string]map[string]int{}
	for _, v := range list {
		if out[v.right] == nil {
			out[v.right] = map[string]int{}
		}
		out[v.right][v.got]++
	}
	return out
}

// closed counts what the labels call auto, and how much of it is closed.
func closed(list []verdict) (done, all int) {
	for _, v := range list {
		if v.right != "auto" {
			continue
		}
		all++
		if v.state == dera.FindingResolved && v.got == "auto" {
			done++
		}
	}
	return done, all
}

// rules are the inbound rules of a group in the words of the labels.
func (e *estate) rules(name string) []string {
	g, _ := e.cloud.Snapshot().Group(e.ids[name])
	names := map[string]string{}
	for n, id := range e.ids {
		names[id] = n
	}
	var out []string
	for _, r := range g.Rules {
		if r.Egress {
			continue
		}
		ports := fmt.Sprintf("%d-%d", r.FromPort, r.ToPort)
		switch {
		case r.FromPort == r.ToPort || r.Protocol == "icmp" && r.ToPort == -1:
			ports = strconv.Itoa(r.FromPort)
		case r.Protocol == "icmp":
			ports = fmt.Sprintf("%d/%d", r.FromPort, r.ToPort)
		}
		source := r.CIDR
		if r.PrefixList != "" {
			source = "pl:" + names[r.PrefixList]
		}
		if r.Group != "" {
			source = "sg:" + names[r.Group]
		}
		line := strings.Join([]string{r.Protocol, ports, source}, " ")
		if r.Description != "" {
			line += " # " + r.Description
		}
		out = append(out, line)
	}
	slices.Sort(out)
	return out
}

// randomFaults makes a share of the calls of everybody go wrong, the same ones in
// each run of one goroutine.
func (e *estate) randomFaults(share float64) {
	var mu sync.Mutex
	state := uint64(12345)
	chance := func(p float64) bool {
		mu.Lock()
		defer mu.Unlock()
		state = state*6364136223846793005 + 1442695040888963407
		return float64(state>>11)/(1<<53) < p
	}
	write := func(c awssim.Call) bool {
		return !c.DryRun && !strings.HasPrefix(c.Operation, "Get") && !strings.HasPrefix(c.Operation, "List") && !strings.HasPrefix(c.Operation, "Describe") && c.Service != "sts"
	}
	for _, f := range []awssim.Fault{
		{Kind: awssim.Throttle}, {Kind: awssim.Error5xxBefore}, {Kind: awssim.Error5xxAfter}, {Kind: awssim.ExpiredToken}, {Kind: awssim.LieNoEffect},
		{Kind: awssim.Refuse, Code: "OperationAborted", Status: 409}, {Kind: awssim.Refuse, Code: "ConcurrentModification", Status: 409},
	} {
		f.Match.Where = func(c awssim.Call) bool { return write(c) && chance(share) }
		e.cloud.Inject(f)
	}
	e.cloud.Inject(awssim.Fault{Kind: awssim.StaleRead, Behind: 1, Match: awssim.Match{Where: func(c awssim.Call) bool {
		return !write(c) && c.Service != "sts" && chance(share)
	}}})
}

// cut are the resources of which dera did not leave what the labels leave.
func (e *estate) cut() []string {
	var out []string
	for _, g := range e.Groups {
		if g.After == nil {
			continue
		}
		want := writtenOut(*g.After)
		if got := e.rules(g.Name); !slices.Equal(got, want) {
			out = append(out, fmt.Sprintf("%s | %q | %q", g.Name, want, got))
		}
	}
	buckets := e.cloud.Snapshot().Buckets
	for _, b := range e.Buckets {
		i := slices.IndexFunc(buckets, func(x awssim.Bucket) bool { return x.Name == b.Name })
		if b.After == nil || i < 0 {
			continue
		}
		if got := sids(buckets[i].Policy); !slices.Equal(got, *b.After) {
			out = append(out, fmt.Sprintf("%s | %q | %q", b.Name, *b.After, got))
		}
	}
	return out
}

func sids(text string) []string {
	var doc struct {
		Statement []struct{ Sid string }
	}
	_ = json.Unmarshal([]byte(text), &doc) // no policy, no statements
	out := []string{}
	for _, st := range doc.Statement {
		out = append(out, st.Sid)
	}
	return out
}
