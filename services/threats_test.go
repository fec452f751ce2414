package services_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dera.example/dera"
	"dera.example/dera/control/controltest"
	"dera.example/dera/resource"
	"dera.example/dera/services"
	"dera.example/dera/services/guardduty"
)

const threatsHead = `# Threats

What GuardDuty reports of a resource is read from GuardDuty itself (` + "`ListDetectors`, `ListFindings`, `GetFindings`" + `): open findings on the account, of the last 30 days. An
event only has the resource looked at: what is in it is never believed, so that a forged one leads to a look that finds nothing.

- Samples and archived findings never count, and neither do those of members that a detector of an administrator has. What is archived in GuardDuty is resolved at the next look.
- Without a detector the controls are not applicable. A region that cannot be read leaves them unknown, as long as no other region reports something: it is never "nothing is reported".
- Of access keys, which an account has once, every region that is covered is asked, and the home of the partition. A sweep asks each account and region once a minute at most; what an event names is asked for alone, at once.

## What dera does

The first row that fits counts.

| finding type | what dera does | by default | controls |
|---|---|---|---|
`

const threatsTail = `
## When a person is not asked

` + "`threats.automatic`" + ` of the configuration names types, severities and places. An entry that names no place is a fault (tags of the resource are none: they narrow one, since who may tag an instance does not say that it may be cut off), and what it does not name a person decides. GuardDuty's severity is low from 1, medium from 4, high from 7 and
critical from 9.

` + "```yaml" + `
threats:
  automatic:
    - {type: "CryptoCurrency:EC2/*", severity: high, match: {ou: sandbox}}
    - {type: "UnauthorizedAccess:IAMUser/*", severity: medium, data_unseen: true, match: {account: "111122223333"}}
` + "```" + `

| answer | besides the entry it takes | what goes on |
|---|---|---|
| access key inactive | that the usage ledger has all management events and no call of the user, by any key, in the 14 days before GuardDuty saw it first (it does not know from which networks calls came, so that any earlier use may be the owner's), and that the entry says ` + "`data_unseen: true`" + `: no record has all data events, so that an owner who only reads or writes objects of S3 and such is not seen, and would stop | sessions that were begun with the key, up to 36 hours; other keys and the password of the user |
| instance in quarantine | a plan: the VPC has a group ` + "`dera-isolation`" + ` without rules, and no Auto Scaling group would terminate it. The groups from before are the undo, the snapshots stay | connections that EC2 tracks, until they end: a network ACL or a stop of the instance cuts them; the credentials of its role elsewhere |

All other guardrails hold as ever; only the one on active sessions does not count use, since that is what is reported.

## Credentials of a role

For a role dera has no plan. Both answers that AWS describes hit others:

- A denial by ` + "`aws:TokenIssueTime`" + ` ends all sessions of the role, those of its instances too. Instances get other credentials only shortly before the old ones end, so that they stand still for hours.
- A denial of calls whose ` + "`aws:SourceVpc` differs from `${aws:EC2InstanceSourceVPC}`" + `, without ` + "`aws:ViaAWSService`" + `, leaves AWS's own calls and breaks every call that leaves by a NAT or internet gateway: only calls by a VPC endpoint have an ` + "`aws:SourceVpc`" + `.

## Incidents

No incident is attached to a finding of GuardDuty: whoever answered it archives it there, where everybody else who reads GuardDuty sees that too.
`

// threats is the page of what dera does about findings of GuardDuty.
func threats() string {
	out := strings.Builder{}
	out.WriteString(threatsHead)
	for _, a := range guardduty.Answers() {
		what := ""
		for _, x := range []struct{ says, value string }{{"about a resource of the kind ", a.Kind}, {"about a user of the kind ", a.User}, {"by a key that begins with ", a.Key}} {
			if x.value != "" {
				what += ", " + x.says + x.value
			}
		}
		var links []string
		for _, c := range a.Controls {
			links = append(links, fmt.Sprintf("[%s](controls/%s.md)", c, c))
		}
		fmt.Fprintf(&out, "| `%s`%s | %s | %s | %s |\n", strings.Join(a.Types, "`, `"), what, strings.ReplaceAll(a.Says, "; ", ", "), a.Default, strings.Join(links, ", "))
	}
	out.WriteString(threatsTail)
	return out.String()
}

// TestThreatsPage: the page is what the table of answers says.
func TestThreatsPage(t *testing.T) {
	t.Parallel()
	const path = "../docs/threats.md"
	if controltest.Update() {
		if err := os.WriteFile(path, []byte(threats()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(threats(), string(got)); d != "" {
		t.Errorf("%s is not what the table makes (-table +file); go test ./services -update:\n%s", path, d)
	}
}

// TestAnswersAreControls: each answer names controls that there are, and a control that answers
// threats is named for those of its types that the table has for it, and for no hint.
func TestAnswersAreControls(t *testing.T) {
	t.Parallel()
	for _, a := range guardduty.Answers() {
		for _, id := range a.Controls {
			c, err := services.FindControl(id)
			if err != nil {
				t.Error(err)
				continue
			}
			if a.Hint != (len(c.Threats) == 0) && id != guardduty.Alone {
				t.Errorf("%v: %s answers %v, and the table says hint: %t", a.Types, id, c.Threats, a.Hint)
			}
		}
	}
	answering := 0
	for _, c := range services.Controls() {
		if len(c.Threats) == 0 {
			continue
		}
		answering++
		if len(c.Writes) == 0 || !slices.ContainsFunc(guardduty.Answers(), func(a guardduty.Answer) bool { return a.Controls[0] == c.ID }) {
			t.Errorf("%s answers threats, and the table does not have it, or it writes nothing", c.ID)
		}
		for _, hint := range []string{"UnauthorizedAccess:EC2/SSHBruteForce", "UnauthorizedAccess:EC2/RDPBruteForce", "Recon:EC2/PortProbeUnprotectedPort", "Recon:EC2/PortProbeEMRUnprotectedPort"} {
			if (resource.Threat{Type: hint}).Is(c.Threats) {
				t.Errorf("%s answers %s, which is the port's fault", c.ID, hint)
			}
		}
	}
	if answering < 2 {
		t.Errorf("got %d controls that answer threats, want those of keys and of instances", answering)
	}
}

// TestAnswersAreFoundBy: what a control answers is named in the table of what others find.
func TestAnswersAreFoundBy(t *testing.T) {
	t.Parallel()
	for _, a := range guardduty.Answers() {
		for _, id := range a.Controls {
			var rules []string
			for _, f := range services.FoundBy(id) {
				if f.By == "GuardDuty" {
					rules = append(rules, f.Rules...)
				}
			}
			for _, glob := range a.Types {
				if glob != "*" && !slices.ContainsFunc(rules, func(rule string) bool { return dera.MatchGlob(glob, rule) || rule == glob }) &&
					!(strings.HasSuffix(glob, "BruteForce") && id != "ec2-securitygroup-admin-ports-open") { // on the ports of administrators
					t.Errorf("%s answers %s, and services/found_by.csv does not say so: it has %v", id, glob, rules)
				}
			}
		}
	}
}
