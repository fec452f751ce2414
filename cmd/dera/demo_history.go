package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"dera.example/dera/awssim"
	"dera.example/dera/cloudtrail"
	ledger "dera.example/dera/usage"
)

// recordedDays is how long the simulated organisation has recorded its calls when the
// demo begins.
const recordedDays = 120

// demoRole is a service role of the demo: what it may do and what it did.
type demoRole struct {
	name, trust, policy string
	// calls are what it called, as source and name, and how many days ago last; each was
	// made every few days.
	calls []demoCall
}

type demoCall struct {
	source, name string
	every, last  int // days
	resource     string
}

// recordHistory writes what a trail has recorded of the accounts, with its digest, and
// imports it into the ledger: just what dera usage import does.
func (d *demo) recordHistory(ctx context.Context, roles map[string][]demoRole) error {
	to := d.now().UTC().Truncate(time.Hour)
	from := to.AddDate(0, 0, -recordedDays)
	l := ledger.New(d.session.store, d.now)
	for _, acct := range d.world.accts {
		files := awssim.LogFiles{Account: acct.ID, Region: demoRegion, From: from, To: to}
		for _, r := range roles[acct.ID] {
			for _, c := range r.calls {
				for at := to.AddDate(0, 0, -c.last); at.After(from); at = at.AddDate(0, 0, -c.every) {
					files.Records = append(files.Records, r.record(acct.ID, c, at, len(files.Records)))
				}
			}
		}
		dir := filepath.Join(d.dir, "trail", acct.ID)
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return err
		}
		fingerprint, public, err := files.Write(dir)
		if err != nil {
			return err
		}
		scope := ledger.Coverage{
			Accounts: []string{acct.ID}, Regions: []string{demoRegion}, Since: ledger.SecondOf(from),
			AdvancedSelectors: []ledger.AdvancedSelector{{Name: "management", FieldSelectors: []ledger.FieldSelector{{Field: "eventCategory", Equals: []string{"Management"}}}}},
		}
		if err := l.Declare(ctx, scope); err != nil {
			return err
		}
		if _, err := l.Import(ctx, ledger.ImportConfig{Keys: cloudtrail.PublicKeys{fingerprint: public}}, dir); err != nil {
			return err
		}
	}
	return nil
}

// record is one call of the role as CloudTrail records it.
func (r demoRole) record(account string, c demoCall, at time.Time, n int) json.RawMessage {
	role := "arn:aws:iam::" + account + ":role/" + r.name
	event := map[string]any{
		"eventVersion": "1.09", "eventID": fmt.Sprintf("%08d-0000-4000-8000-%012s", n, account[:12]), "eventTime": at.Format(time.RFC3339),
		"eventSource": c.source, "eventName": c.name, "awsRegion": demoRegion, "recipientAccountId": account, "eventType": "AwsApiCall",
		"eventCategory": "Management", "managementEvent": true, "readOnly": false,
		"userIdentity": map[string]any{
			"type": "AssumedRole", "principalId": "AROADEMO:" + r.name, "accountId": account,
			"arn":            "arn:aws:sts::" + account + ":assumed-role/" + r.name + "/job",
			"sessionContext": map[string]any{"sessionIssuer": map[string]any{"type": "Role", "arn": role, "accountId": account, "userName": r.name}},
		},
	}
	if c.resource != "" {
		event["resources"] = []map[string]any{{"ARN": c.resource, "accountId": account}}
	}
	text, err := json.Marshal(event)
	if err != nil {
		panic(err) // texts and numbers
	}
	return text
}
