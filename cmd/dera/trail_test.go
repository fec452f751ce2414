package main

import (
	"crypto/x509"
	"encoding/json"
	"fmt"
	"os"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"dera.example/dera/awssim"
)

// trailed is a call in a script's file for the command trail: of each ten days until four
// days ago, or of now.
type trailed struct {
	Role, Source, Name, ID, Code, Message string
	Now                                   bool
}

// trail FILE writes the folder FILE.d as a trail of the account writes it, with the calls of
// the file, and beside it FILE.keys and FILE.scope for dera usage import.
func trail(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 1 {
		ts.Fatalf("usage: trail FILE")
	}
	var calls []trailed
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[0])), &calls))
	const account = "111122223333"
	now := time.Now().UTC()
	to := now.Truncate(time.Hour)
	files := awssim.LogFiles{Account: account, Region: "us-east-1", From: to.AddDate(0, 0, -120), To: to}
	for n, c := range calls {
		times := []time.Time{now}
		if c.Now {
			files.From, files.To = to, to.Add(time.Hour)
		} else {
			times = nil
			for at := to.AddDate(0, 0, -4); at.After(files.From); at = at.AddDate(0, 0, -10) {
				times = append(times, at)
			}
		}
		for i, at := range times {
			id := c.ID
			if id == "" {
				id = fmt.Sprintf("%s-%d-%d", args[0], n, i)
			}
			arn := "arn:aws:iam::" + account + ":role/" + c.Role
			record := map[string]any{
				"eventVersion": "1.09", "eventID": id, "eventTime": at.Format(time.RFC3339), "eventSource": c.Source, "eventName": c.Name,
				"awsRegion": "us-east-1", "recipientAccountId": account, "eventType": "AwsApiCall", "eventCategory": "Management",
				"userIdentity": map[string]any{"type": "AssumedRole", "accountId": account, "arn": "arn:aws:sts::" + account + ":assumed-role/" + c.Role + "/i-1",
					"sessionContext": map[string]any{"sessionIssuer": map[string]any{"type": "Role", "arn": arn}}},
			}
			if c.Code != "" {
				record["errorCode"], record["errorMessage"] = c.Code, c.Message
			}
			text, err := json.Marshal(record)
			ts.Check(err)
			files.Records = append(files.Records, text)
		}
	}
	at := ts.MkAbs(args[0])
	fingerprint, key, err := files.Write(at + ".d")
	ts.Check(err)
	keys, err := json.Marshal(map[string]any{"PublicKeyList": []map[string]any{{"Fingerprint": fingerprint, "Value": x509.MarshalPKCS1PublicKey(key)}}})
	ts.Check(err)
	scope, err := json.Marshal(map[string]any{
		"accounts": []string{account}, "regions": []string{"us-east-1"}, "since": now.AddDate(0, 0, -120).Format(time.RFC3339),
		"AdvancedEventSelectors": []map[string]any{{"FieldSelectors": []map[string]any{{"Field": "eventCategory", "Equals": []string{"Management"}}}}},
	})
	ts.Check(err)
	ts.Check(os.WriteFile(at+".keys", keys, 0o600))
	ts.Check(os.WriteFile(at+".scope", scope, 0o600))
}
