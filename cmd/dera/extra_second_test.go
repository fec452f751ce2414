package main

import (
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"dera.example/dera"
	"dera.example/dera/app"
	"dera.example/dera/control"
)

// secondDiffers says why dera's verdict on an account is not the scanner's.
var secondDiffers = map[string]string{}

// groupName finds the name of a group in the words of a verdict.
var groupName = regexp.MustCompile(`^Security group (\S+) \(sg-`)

// secondOpinion compares with what a scanner says of the same account. It lists
// what fails alone, so that whatever else dera finds is an alarm. Groups have other
// IDs there, so that their names are compared.
func secondOpinion(t *testing.T, s *score, env string, report app.ScanReport) {
	t.Helper()
	text, err := os.ReadFile(extraData(t, "envs", env+".prowler.json"))
	if os.IsNotExist(err) {
		return
	}
	var theirs struct {
		Checks   map[string]int // that failed, and how often
		Findings []struct{ Check, Resource, Why string }
	}
	if err == nil {
		err = json.Unmarshal(text, &theirs)
	}
	if err != nil {
		t.Fatal(err)
	}
	s.cases++
	everything := map[string]bool{} // groups that allow everything
	for _, f := range report.Findings {
		everything[f.Resource.Name()] = everything[f.Resource.Name()] || f.Key == "all"
	}
	for _, check := range sortedKeys(theirs.Checks) {
		if !answered(check) {
			continue
		}
		want, got := map[string]bool{}, map[string]bool{}
		for _, f := range theirs.Findings {
			if m := groupName.FindStringSubmatch(f.Why); f.Check == check && m != nil {
				want[m[1]] = true
			} else if f.Check == check {
				want[subjectName(check, dera.ARN(f.Resource).Name())] = true
			}
		}
		for _, f := range report.Findings {
			if strings.Contains(check, "_tcp_port_") && everything[f.Resource.Name()] {
				continue // the scanner reports such a group for the check on all ports alone
			}
			if f.Key != control.UnknownKey && answersCheck(check, false)(f.Control+" "+f.Key) {
				got[subjectName(check, f.ResourceName)] = true
			}
		}
		for _, name := range sortedKeys(union(want, got)) {
			s.judge(env+" "+check+" "+name, want[name], got[name])
		}
	}
}

// answered are the checks of the scanner on accounts that a control answers.
func answered(check string) bool {
	return slices.Contains([]string{
		"s3_bucket_public_access", "s3_bucket_policy_public_write_access", "s3_bucket_public_write_acl", "s3_bucket_public_list_acl",
		"s3_bucket_level_public_access_block", "s3_account_level_public_access_blocks", "ec2_securitygroup_default_restrict_traffic",
	}, check) || strings.HasPrefix(check, "ec2_securitygroup_allow_ingress_from_internet_to_tcp_port_") || strings.HasSuffix(check, "_internet_to_all_ports")
}

// subjectName is the same in both accounts: default groups count as one.
func subjectName(check, name string) string {
	switch {
	case strings.HasPrefix(check, "s3_account_"):
		return "account"
	case strings.HasSuffix(check, "_default_restrict_traffic"):
		return "default"
	}
	return stableName(name)
}
