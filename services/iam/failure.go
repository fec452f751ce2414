package iam

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"dera.example/dera"
	"dera.example/dera/control"
	"dera.example/dera/resource"
)

// failure says of a group of permissions what a person needs.
func (j *judged) failure(u unneeded, what string) control.Failure {
	if u.key == ResourcesKey {
		return j.onMore(u, what)
	}
	f := control.Failure{
		Key: u.key, Start: dera.Auto, Severity: dera.Medium, Permissions: slices.Clone(u.actions),
		Title: "Permissions that nobody used", Granted: &dera.GrantedUse{Granted: j.allowed, Used: j.usedActions, Unused: len(u.actions)},
	}
	for _, p := range j.Principals {
		f.Granted.Principals = append(f.Granted.Principals, p.Name)
	}
	if u.place >= 0 {
		f.Granted.Granted, f.Granted.Used = len(u.actions)+len(u.kept), j.usedOf(j.docs[u.place])
	}
	var why []string
	switch {
	case u.wide:
		what := breadth(j.docs[u.place])
		f.Title, f.Severity, f.Start, f.Granted = "Policy that allows "+what, dera.High, dera.Alert, nil
		used := j.usedOf(j.docs[u.place])
		why = append(why, fmt.Sprintf("Policy %s allows %s. Of that, %s %s used%s. No list of what stays takes its place: a person says what it is for.",
			j.Policies[u.place].Name, what, counting(used, "action"), was(used), j.watched()))
	case len(u.kept) > 0:
		f.Title, f.Severity = "Policy of AWS that grants more than was used", dera.Low
		if !j.AutoAWS {
			f.Start = dera.Review
		}
		why = append(why, fmt.Sprintf("Of %s in %s, %d %s used%s; unused: %s. It is a policy of AWS, which cannot be narrowed itself: a copy without these takes its place, and lacks what AWS adds later.",
			counting(f.Granted.Granted, "action"), j.Policies[u.place].Name, f.Granted.Used, was(f.Granted.Used), j.watched(), listed(u.actions, 8)))
	case u.place >= 0:
		t := j.Policies[u.place]
		f.Title = "Policy of which nothing was used"
		why = append(why, fmt.Sprintf("Nothing of policy %s was used%s.", t.Name, j.watched()))
		if t.AWS && !j.AutoAWS {
			f.Start = dera.Review
		}
		if t.AWS {
			why = append(why, "It is a policy of AWS, which AWS widens: whoever attached it may count on that.")
		}
		if u.rare {
			f.Start = dera.Review
			why = append(why, "Some of it is for identities, recovery or incidents, which is rarely used.")
		}
	default:
		why = append(why, fmt.Sprintf("Of %s in %s, %d %s used%s; unused: %s.",
			counting(j.allowed, "action"), what, j.usedActions, was(j.usedActions), j.watched(), listed(u.actions, 8)))
		for _, i := range j.apart {
			why = append(why, fmt.Sprintf("Policy %s is not counted in these: it allows %s.", j.Policies[i].Name, breadth(j.docs[i])))
		}
	}
	switch u.key {
	case UnusedPassRoleKey:
		f.Title, f.Severity = "iam:PassRole that nothing used can use", dera.High
		if len(u.held) > 0 {
			f.Start = dera.Review
			why = append(why, "No event shows its use, and these stay, which can use it: "+listed(u.held, 5)+".")
		}
	case UnusedRareKey:
		f.Title, f.Severity, f.Start = "Permissions for recovery, incidents and deployments that nobody used", dera.Low, dera.Review
		why = append(why, "Such permissions are needed when something fails, or to repair it: only their owner knows.")
	case UnusedStagedKey:
		f.Title = fmt.Sprintf("Permissions that were denied for %d days, and nobody missed", j.DueDays)
		why = append(why, fmt.Sprintf("A statement %s denies them; with this plan they go out of the policy, and the statement too.", dera.StageSid))
		if u.rare {
			f.Start = dera.Review
		}
		if j.Missed != "" {
			f.Start, f.Title = dera.Review, fmt.Sprintf("Permissions that were denied for %d days, and somebody may miss", j.DueDays)
			why = append(why, "Meanwhile "+j.Missed+".")
		}
	case UnusedDoubtedKey:
		f.Title, f.Severity, f.Start = "Permissions that nobody used by the record, and of which AWS says otherwise", dera.Low, dera.Review
	case UnusedIdentityKey:
		f.Title, f.Severity, f.Start = "Permissions on identities that nobody used", dera.High, dera.Review
		why = append(why, "Whoever can change identities can give themselves everything; and they are rarely used.")
	}
	if doubts := j.doubts(u.actions); len(doubts) > 0 && !u.wide {
		f.Start = dera.Review
		why = append(why, "AWS sees it otherwise, or may: "+strings.Join(doubts[:min(5, len(doubts))], "; ")+".")
	}
	if j.NeedReported && (j.Reported == nil || len(j.Reported.Without) > 0) && !u.wide {
		f.Start = dera.Review
		why = append(why, "What AWS says of its use is not known, and permissions.reported_use requires it.")
	}
	if !u.wide {
		why = append(why, j.secondSource(u.actions)...)
	}
	if by := j.grantedBy(u); len(by) > 0 {
		why = append(why, "Some of it is still granted by "+listed(by, 5)+".")
	}
	if len(j.used.gaps) > 0 {
		f.Start = dera.Review
		why = append(why, "The record has gaps: "+strings.Join(j.used.whys, "; ")+".")
	}
	f.Why = strings.Join(why, " ")
	return f
}

// watched says by whom something was used, how many calls are recorded and since when,
// and of which days the record answers: calls from before these count as use too.
func (j *judged) watched() string {
	const whole, part = ", and all %sof the %d days to %s)", "; %snot all of the %d days to %s)"
	form, what := whole, ""
	switch {
	case len(j.used.gaps) > 0, slices.ContainsFunc(j.used.passing, func(kind string) bool { return kind != resource.GapOfDataEvents }):
		form = part
	case !j.used.data:
		what = "management events "
	}
	are := "are"
	if j.used.calls == 1 {
		are = "is"
	}
	return fmt.Sprintf(" by %s (%s %s recorded since %s", j.principals(), counting(int(j.used.calls), "call"), are, day(j.used.since)) +
		fmt.Sprintf(form, what, j.used.days(), day(j.used.to))
}

func (s *Subject) principals() string {
	if len(s.Principals) == 1 {
		return s.Principals[0].Name
	}
	return counting(len(s.Principals), "principal")
}

// counting writes a number of things: 1 action, 2 actions.
func counting(n int, thing string) string {
	if n != 1 {
		thing += "s"
	}
	return Grouped(uint64(n)) + " " + thing
}

func was(n int) string {
	if n == 1 {
		return "was"
	}
	return "were"
}

func day(t time.Time) string { return t.UTC().Format(time.DateOnly) }

// Grouped writes a number with commas, 16777216 as 16,777,216.
func Grouped(n uint64) string {
	s := strconv.FormatUint(n, 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
