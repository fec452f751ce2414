package main

import (
	"bytes"
	"context"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"dera.example/dera"
	"dera.example/dera/app"
	"dera.example/dera/awssim"
)

// TestPrintReplayOfAWS: the table says of each opening what dera would have done, which later calls that would have
// met, and what no record tells; of each place what was not read or was cut.
func TestPrintReplayOfAWS(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 29, 9, 0, 0, 0, time.UTC)
	closed := at.Add(5 * time.Hour)
	cut := at.Add(-time.Hour)
	r := app.ReplayReport{
		Findings: []app.ReplayedFinding{{
			Control: "ec2-securitygroup-admin-ports-open", Account: "111122223333", Region: "eu-west-1", Resource: "arn:aws:ec2:eu-west-1:111122223333:security-group/sg-1", ResourceName: "web",
			Severity: dera.Critical, Title: "Security group allows SSH from the internet", Disposition: dera.Auto, Diff: []string{"- tcp 22 from 0.0.0.0/0"},
			AppearedAt: at, CausedBy: app.Cause{Event: "AuthorizeSecurityGroupIngress", Actor: "arn:aws:iam::111122223333:user/ann"}, ResolvedAt: &closed, ResolvedBy: &app.Cause{Event: "RevokeSecurityGroupIngress"}, ResolvedSure: true, OpenSeconds: 5 * 3600,
			Later: &app.LaterCalls{From: at.Add(app.FixedWithin), NotKnown: "Who used it after dera's fix is not known from these records.", More: 2,
				Changes: []app.LaterCall{{Event: "RevokeSecurityGroupIngress", Actor: "ann", Count: 2, First: at.Add(time.Hour), Last: closed}},
				Uses:    []app.LaterCall{{Event: "GetObject", Count: 1, First: closed, Last: closed}}},
		}},
		AWS: &app.ReplayedHistory{From: at.AddDate(0, 0, -90), To: at, Calls: []string{"A", "B"}, Requests: 7, Places: []app.HistoryPlace{
			{Account: "111122223333", Region: "eu-west-1", Events: 3}, {Account: "111122223333", Region: "us-east-1", Cut: &cut}, {Account: "444455556666", Region: "eu-west-1", Error: "not allowed"}},
			Torn: []app.UnreadableLine{{Position: "111122223333/eu-west-1, event e", Why: "its record is not whole"}}},
		Summary: app.ReplaySummary{Findings: 1, Dispositions: map[string]int{"auto": 1}, Resolved: 1, AutoOpenSeconds: 18000, AutoOpenMedian: 18000, Events: app.ReplayCounts{Read: 3, Hinted: 3}},
	}
	var out bytes.Buffer
	(&cli{out: &out, err: io.Discard, now: time.Now}).printReplay(r)
	text := strings.Join(strings.Fields(out.String()), " ")
	for _, want := range []string{
		"2026-11-29 09:00:00Z critical auto 111122223333 eu-west-1 Security group allows SSH from the internet",
		"sg-1 (web); caused by AuthorizeSecurityGroupIngress of arn:aws:iam::111122223333:user/ann", "- tcp 22 from 0.0.0.0/0",
		"after dera's fix RevokeSecurityGroupIngress of ann, 2 times from 2026-11-29 10:00:00Z to 2026-11-29 14:00:00Z, changed it",
		"after dera's fix GetObject of an unknown principal at 2026-11-29 14:00:00Z used its data", "and 2 more callers",
		"Who used it after dera's fix is not known from these records.", "resolved after 5h0m0s: RevokeSecurityGroupIngress of an unknown principal",
		"not read 444455556666 eu-west-1: not allowed", "cut 111122223333 us-east-1: cut at 20000 events of one call; only what came after 2026-11-29 08:00:00Z is replayed",
		"not read 111122223333/eu-west-1, event e: its record is not whole", "looked up: 2026-08-31 09:00:00Z to 2026-11-29 09:00:00Z, 3 places, 7 requests for A, B",
		"events: 3 events read, 3 of them hints", "summary: 1 findings: 1 auto", "was open for 5h0m0s (median), 5h0m0s in all",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
	if code := replayExit(r).(*exitError).code; code != exitUndecided {
		t.Errorf("got exit code %d of a history that is not whole", code)
	}
}

// TestPastPlaces: which accounts and regions are looked up; with --all-regions those that are switched on.
func TestPastPlaces(t *testing.T) {
	cloud := awssim.New(awssim.Config{Seed: 5})
	account := cloud.Account("111122223333")
	serving(t, cloud, account.Credentials())
	a := &cli{now: time.Now, out: io.Discard, err: io.Discard}
	ask := func(cfg fileConfig, set flags) ([]string, []string) {
		t.Helper()
		a.flags = set
		accounts, regions, client, err := a.pastPlaces(context.WithoutCancel(t.Context()), cfg)
		if err != nil || client == nil {
			t.Fatal(err)
		}
		var ids []string
		for _, x := range accounts {
			ids = append(ids, x.ID+"/"+x.Partition)
		}
		return ids, regions
	}
	two := fileConfig{Accounts: []accountConfig{{ID: "111122223333"}, {ID: "444455556666"}}, Regions: []string{"eu-west-1", "us-east-1"}}
	for name, tc := range map[string]struct {
		cfg      fileConfig
		set      flags
		accounts []string
		regions  []string // nil: more than two
	}{
		"nothing_said":      {accounts: []string{"111122223333/aws"}, regions: []string{"us-east-1"}},
		"configuration":     {cfg: two, accounts: []string{"111122223333/aws", "444455556666/aws"}, regions: []string{"eu-west-1", "us-east-1"}},
		"a_flag_wins":       {cfg: two, set: flags{regions: []string{"eu-north-1"}}, accounts: []string{"111122223333/aws", "444455556666/aws"}, regions: []string{"eu-north-1"}},
		"all_regions_count": {cfg: two, set: flags{allRegions: true}, accounts: []string{"111122223333/aws", "444455556666/aws"}},
	} {
		accounts, regions := ask(tc.cfg, tc.set)
		if !slices.Equal(accounts, tc.accounts) || tc.regions != nil && !slices.Equal(regions, tc.regions) {
			t.Errorf("%s: got %v, %v, want %v, %v", name, accounts, regions, tc.accounts, tc.regions)
		}
		if tc.regions == nil && (len(regions) <= 2 || !slices.Contains(regions, "eu-west-1")) {
			t.Errorf("%s: got %v, want those that are switched on", name, regions)
		}
	}
}
