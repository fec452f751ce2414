package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"dera.example/dera"
	"dera.example/dera/app"
	"dera.example/dera/cloud"
	"dera.example/dera/services"
)

// mostLookedUp is how many events of one call replay --aws reads in one account and region:
// 400 pages, at two a second.
const mostLookedUp = 20_000

// pastFlags say that the past of AWS itself is replayed.
type pastFlags struct {
	aws  bool
	days int
}

// check refuses what does not go together.
func (f pastFlags) check(a *cli, paths, details []string, daysGiven bool) error {
	switch {
	case !f.aws && daysGiven:
		return usage("--days: only of --aws; of files all events are replayed")
	case !f.aws && len(paths) == 0:
		return usage("replay takes files or folders, or --aws for the event history of CloudTrail")
	case f.aws && len(paths) > 0:
		return usage("--aws: replay takes either files or the event history of CloudTrail")
	case f.aws && len(details) > 0:
		return usage("--authorization-details: unused permissions are judged by every call of every principal, which --aws does not look up; replay the files of a trail")
	case f.aws && (f.days < 1 || f.days > app.HistoryDays):
		return usage("--days is %d, must be 1 to %d: the event history of CloudTrail has no more", f.days, app.HistoryDays)
	case !f.aws && a.flags.allRegions:
		return usage("--all-regions: replay looks at the regions of the events, or at those of --region")
	}
	return nil
}

// recordPast looks the calls up in AWS, and reads them like files of a folder that goes before
// it returns. It only reads, and needs no permission but cloudtrail:LookupEvents.
func (a *cli) recordPast(ctx context.Context, cfg fileConfig, days int) (rec app.Recording, past *app.ReplayedHistory, err error) {
	accounts, regions, client, err := a.pastPlaces(ctx, cfg)
	if err != nil {
		return rec, nil, err
	}
	dir, err := os.MkdirTemp("", "dera-history-")
	if err != nil {
		return rec, nil, fmt.Errorf("make a folder for the event history: %w", err)
	}
	defer func() {
		if e := os.RemoveAll(dir); err == nil && e != nil {
			err = e
		}
	}()
	to := a.now().UTC().Truncate(time.Second)
	bar := a.newProgress("looking up")
	h, err := app.Past{
		Client: client, Accounts: accounts, Regions: regions, From: to.AddDate(0, 0, -days), To: to,
		Calls: app.RebuiltCalls(services.Watch(), services.Types().Types()), Most: mostLookedUp, Progress: bar,
	}.Read(ctx, dir)
	bar.end()
	if err != nil {
		return rec, nil, err
	}
	bar = a.newProgress("reading")
	rec, err = app.ReadRecording(ctx, []string{dir}, services.Watch(), accounts, regions, bar)
	bar.end()
	rec.Below(dir)
	return rec, &h, err
}

// pastPlaces are the accounts and regions whose past is looked up.
func (a *cli) pastPlaces(ctx context.Context, cfg fileConfig) (accounts []dera.Account, regions []string, client *cloud.Client, err error) {
	c := cloud.Config{Wires: wires(), Accounts: cfg.cloudAccounts(), Now: a.now, Profile: a.flags.profile, Observe: calls(a.askedLog())}
	if regions = cfg.Regions; len(a.flags.regions) > 0 {
		regions = a.flags.regions
		c.Region = regions[0]
	}
	if client, err = cloud.New(ctx, c); err != nil {
		return nil, nil, nil, orProfile(err)
	}
	me, err := client.Identity(ctx)
	if err != nil {
		return nil, nil, nil, fmt.Errorf("identify the AWS caller: %w", err)
	}
	if accounts = cfg.accounts(); len(accounts) == 0 {
		accounts = []dera.Account{{ID: me.Account}}
	}
	for i := range accounts {
		accounts[i].Partition = dera.PartitionOf(client.Region()).ID
	}
	if a.flags.allRegions {
		if regions, err = client.Regions(ctx, accounts[0].ID); err != nil {
			return nil, nil, nil, fmt.Errorf("list regions: %w", err)
		}
	}
	if len(regions) == 0 {
		regions = []string{client.Region()}
	}
	return accounts, regions, client, nil
}

// printPast says what was looked up, and what was not.
func (a *cli) printPast(p paint, h app.ReplayedHistory) {
	for _, x := range h.Places {
		switch {
		case x.Error != "":
			a.wrapf("%s %s %s: %s\n", p.colour("1", "not read"), x.Account, x.Region, x.Error)
		case x.Cut != nil:
			a.wrapf("%s %s %s: cut at %d events of one call; only what came after %s is replayed\n", p.colour("3", "cut"), x.Account, x.Region, mostLookedUp, app.Stamp(*x.Cut))
		}
	}
	for _, x := range h.Torn {
		a.wrapf("%s %s: %s\n", p.colour("1", "not read"), x.Position, x.Why)
	}
	a.wrapf("%s: %s to %s, %d places, %d requests for %s\n", p.bold("looked up"), app.Stamp(h.From), app.Stamp(h.To), len(h.Places), h.Requests, strings.Join(h.Calls, ", "))
}
