package escalation

import (
	"slices"
	"strings"

	"dera.example/dera"
	"dera.example/dera/control"
	"dera.example/dera/resource"
	"dera.example/dera/services/iam"
)

// PartPeers is the part that tells to which principals ways lead.
const PartPeers = "principals that it gets to"

// Part is that part. It is no part of the canonical form: others' policies decide it too.
func Part() resource.Part {
	return resource.Part{Name: PartPeers, Action: iam.Walk, Also: []string{"iam:GetPolicy", "iam:GetPolicyVersion"}, Cheap: true, Around: true}
}

// Check finds the ways of a principal. peers are those to which its ways lead; known is false
// where they could not be read.
func Check(p Principal, peers []Peer, known bool, made string) control.Result {
	c, err := newClimb(p)
	if err != nil {
		return control.Result{Outcome: control.UnknownResult, Why: err.Error()}
	}
	power := iam.PowerOf(c.sets...)
	if administers(power) {
		return control.Result{Outcome: control.NotApplicable} // as another control says
	}
	byKey := map[string][]found{}
	for _, f := range c.find(peers) {
		if !power.Identities() || !f.limited { // one under conditions is no more than that other control says
			byKey[f.key] = append(byKey[f.key], f)
		}
	}
	out := control.Result{Outcome: control.Pass}
	for key, ways := range byKey {
		out.Outcome = control.Fail
		out.Failures = append(out.Failures, failure(p.Kind, key, ways, made))
	}
	slices.SortFunc(out.Failures, func(a, b control.Failure) int { return strings.Compare(a.Key, b.Key) })
	switch {
	case !known:
		out.Outcome, out.Why = control.UnknownResult, "to which principals of the account it gets is not known"
	case len(out.Failures) == 0 && power.Identities():
		out.Outcome = control.NotApplicable
	}
	return out
}

func failure(kind iam.Kind, key string, ways []found, made string) control.Failure {
	f := control.Failure{Key: key, Severity: dera.Medium, Start: dera.Review, Title: kind.Title() + titles()[key]}
	if slices.ContainsFunc(ways, func(w found) bool { return !w.limited }) {
		f.Severity = dera.High
	}
	var lines []string
	for _, w := range ways {
		line := w.says
		if w.limited {
			line += " (under conditions)"
		}
		lines = append(lines, line)
	}
	slices.Sort(lines)
	lines = slices.Compact(lines)
	f.Why = "It gets all permissions by " + strings.Join(lines[:min(5, len(lines))], "; ") + "."
	if n := len(lines) - 5; n > 0 {
		f.Why = strings.TrimSuffix(f.Why, ".") + "; and in " + iam.Grouped(uint64(n)) + " more ways."
	}
	switch {
	case made != "":
		f.Start, f.Why = dera.Alert, f.Why+" It is not changed here: "+made+"."
	case key == AssumeKey || key == ComputeKey:
		f.Start, f.Severity = dera.Alert, dera.Medium
	}
	return f
}

func titles() map[string]string {
	return map[string]string{
		SelfKey:    " can give itself more permissions",
		OtherKey:   " can become a principal with more permissions",
		PassKey:    " can pass a role with more permissions to code that it runs",
		ComputeKey: " can change code that runs with more permissions",
		AssumeKey:  " can assume a role with more permissions",
	}
}

// Meta is the literal of the controls on escalation.
func Meta(typ string, kind iam.Kind, reads []string) control.Meta {
	return control.Meta{
		ID:       "iam-" + string(kind) + "-escalation",
		Title:    kind.Title() + " can get all permissions of the account",
		Type:     typ,
		Severity: dera.High,
		Why: "Whoever may change permissions, keys or code of somebody stronger has what that one has. A " + string(kind) + " that nobody thinks of as an administrator is " +
			"one step away from it, and is guarded less.",
		Fix: "A person takes away one step of each way: the action, or all resources but those that are meant; for iam:PassRole a list of roles and iam:PassedToService. " +
			"Or who is got to loses what it does not need.",
		Complexity: "high",
		Cases: []control.Case{
			{When: "it may change its own policies, those of its groups, or remove its permissions boundary", Disposition: dera.Review, Because: "a deployment may need it: a person must say"},
			{When: "it may make keys or a password for a user, change the trust policy of a role, or change the policies of one that it gets to, and so get all permissions", Disposition: dera.Review, Because: "likewise"},
			{When: "it may pass a role that has, or gets, all permissions to a service that runs code for it", Disposition: dera.Review, Because: "likewise"},
			{When: "it may change code that runs, or may run, as such a role, or assume one", Disposition: dera.Alert, Because: "that is often meant, and then the role is what has too much"},
			{When: "another service of AWS made it and would put it back", Disposition: dera.Alert, Because: "there is nothing to change here"},
		},
		Refs: []control.Ref{
			{Standard: "pathfinding.cloud", ID: "65 paths", URL: "https://pathfinding.cloud/paths"},
			{Standard: "MITRE ATT&CK", ID: "T1098.001, T1098.003, T1548.005", URL: "https://attack.mitre.org/techniques/T1098/003/"},
			iam.NIST("AC-6, AC-6(1), AC-6(10)"), iam.PCI("7.2.1, 7.2.2"),
		},
		Reads:    reads,
		ByHand:   true,
		Owner:    "dera maintainers",
		ReviewBy: "2027-11-01",
	}
}

// ByHand is why there is no plan.
func ByHand() *control.Refusal {
	return &control.Refusal{Code: "by-hand", Why: "which step of a way is not needed only its owner knows"}
}
