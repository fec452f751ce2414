package instance

import (
	"slices"
	"strings"

	"dera.example/dera"
	"dera.example/dera/control"
	"dera.example/dera/resource"
	"dera.example/dera/resource/evidence"
)

// Answered are GuardDuty's finding types for which an instance is put in quarantine, by its
// globs. That somebody tries ports and passwords from outside is none of them, whatever the part
// of the instance in it: the port that is open is what is wrong.
//
// https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_finding-types-ec2.html
// https://docs.aws.amazon.com/guardduty/latest/ug/findings-runtime-monitoring.html
func Answered() []string {
	return []string{"CryptoCurrency:EC2/*", "Backdoor:EC2/*", "Trojan:EC2/*", "*:Runtime/*", "!*BruteForce*", "!Recon:*"}
}

// Is reports whether a threat is about the instance itself: GuardDuty names it in findings on
// containers and clusters that run on it too.
func (i *Instance) Is(t resource.Threat) bool { return t.Instance == i.ID && t.Kind == "Instance" }

// Reported finds instances that GuardDuty reports to be in the hands of somebody else.
func Reported() control.Control {
	meta := control.Meta{
		ID: "ec2-instance-reported", Title: "GuardDuty reports that the instance is compromised", Type: Name, Severity: dera.Critical,
		Why: "Software that mines coins, speaks to a command server or attacks others runs on the instance: whoever put it there has its files, its network and the permissions of its role.",
		Fix: "Quarantine, as `dera contain` asks for it: snapshots of all volumes at one moment, then the security group `dera-isolation`, which has no rules, in place of all groups of each interface. " +
			"A rollback puts the groups back. Connections that EC2 tracks live on until they end: a network ACL or a stop of the instance cuts these too.",
		Complexity: "high", Threats: Answered(),
		Cases: []control.Case{
			{When: "GuardDuty has an open finding of the last 30 days about the instance, of a type CryptoCurrency:EC2, Backdoor:EC2, Trojan:EC2 or `*:Runtime/*`; samples and archived ones do not count, and neither do SSHBruteForce, RDPBruteForce and Recon", Disposition: dera.Review, Because: "what the instance serves stops: whether that is worth it a person knows"},
			{When: "the same, and an entry of threats.automatic is about its type, severity and place", Disposition: dera.Auto, Because: "the configuration says so; the groups from before are the undo, and the snapshots are kept"},
			{When: "it is in an Auto Scaling group and not in standby, its VPC has no group `dera-isolation` without rules, or that is not known", Disposition: dera.Review, Because: "no plan is made: the group would terminate it with its volumes, or nothing isolates it"},
		},
		Refs: []control.Ref{
			{Standard: "GuardDuty", ID: "EC2 finding types", URL: "https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_finding-types-ec2.html"},
			{Standard: "GuardDuty", ID: "Remediating a potentially compromised Amazon EC2 instance", URL: "https://docs.aws.amazon.com/guardduty/latest/ug/compromised-ec2.html"},
			{Standard: "AWS Security Incident Response", ID: "Source containment", URL: "https://docs.aws.amazon.com/security-ir/latest/userguide/containment.html"},
		},
		Reads: Type().Reads(), Writes: []string{CreateSnapshots, ModifyInterface},
		Owner: "dera maintainers", ReviewBy: "2027-11-01",
	}
	return control.Define(control.Spec[*Instance]{
		Meta: meta,
		Check: func(i *Instance, s control.Settings) control.Result {
			r := control.Reported(meta, i.Threats, s, i.automatic)
			if r.Outcome == control.Fail && (i.Isolated() || i.Running != nil && !*i.Running) {
				return control.Result{Outcome: control.Pass} // until it is started, or gets other groups
			}
			return r
		},
		Plan: func(i *Instance, _ []control.Failure, _ control.Settings) ([]dera.Change, *control.Refusal) {
			return i.contain(i.asksQuarantine())
		},
		Prove: func(i *Instance, _ []control.Failure, changes []dera.Change, _ control.Settings) (dera.Evidence, error) {
			return i.proveQuarantine(i.asksQuarantine().ID, changes)
		},
	})
}

// asksQuarantine is the threats as a request for a quarantine.
func (i *Instance) asksQuarantine() (a resource.Asked) {
	a.Actions = []string{Quarantine}
	if i.Threats != nil {
		a.ID = request(i.Threats.List)
	}
	return a
}

// request names the snapshots that are made for threats: by the one that came first, which more
// of them do not change.
func request(list []resource.Threat) string {
	if len(list) == 0 {
		return ""
	}
	first := slices.MinFunc(list, func(a, b resource.Threat) int {
		if c := a.First.Compare(b.First); c != 0 {
			return c
		}
		return strings.Compare(a.ID, b.ID)
	})
	return "guardduty-" + first.ID
}

// automatic: a quarantine that a plan can be made for is as the configuration says; what stands
// against one stands in the refusal.
func (i *Instance) automatic(resource.Threat) (dera.Disposition, string) {
	if _, refusal := i.contain(i.asksQuarantine()); refusal != nil {
		return dera.Review, "No plan is made: " + refusal.Why + "."
	}
	return dera.Auto, ""
}

// proveQuarantine holds that the changes set the groups and make the snapshots of the request,
// and nothing else.
func (i *Instance) proveQuarantine(request string, changes []dera.Change) (dera.Evidence, error) {
	var gone, come []string
	for _, n := range i.open() {
		gone, come = append(gone, n.Line()), append(come, i.isolated(n).Line())
	}
	if !i.snapped(request) {
		for _, v := range i.Volumes {
			come = append(come, Snapshot{Volume: v, Request: request}.Line())
		}
	}
	return evidence.ProveParts(Type(), i, changes, gone, come)
}
