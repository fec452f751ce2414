package app

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"dera.example/dera"
	"dera.example/dera/cloud"
	"dera.example/dera/control"
	"dera.example/dera/iam/policy"
)

// queue looks whether the queue can be reached, who may write to it, and how
// much waits in it.
func (x *examination) queue(ctx context.Context) {
	if x.Queue == "" {
		return
	}
	state, err := x.Cloud.Queue(x.Queue).State(ctx)
	switch {
	case cloud.Is(err, cloud.NotFound):
		x.says("queue", "", Broken, plainCause(err), "make it, or correct queue in the configuration; it must be in the region that dera uses itself")
		return
	case cloud.Is(err, cloud.Denied):
		x.says("queue", "", Unchecked, plainCause(err), "allow sqs:GetQueueAttributes on the queue, which dera doctor alone needs")
		return
	case err != nil:
		x.says("queue", "", Unchecked, plainCause(err), "")
		return
	}
	x.says("queue", "", Healthy, fmt.Sprintf("reached: %d messages wait, %d are in hand", state.Waiting, state.InFlight), "")
	const many = 1000
	if state.Waiting > many {
		x.says("queue", "lag", ToDo, fmt.Sprintf("%d messages wait", state.Waiting), "is dera run running? More processes may share a PostgreSQL database")
	}
	h, says := writers(state.Policy)
	fix := ""
	if h != Healthy {
		fix = "dera pattern --queue URL prints the policy"
		if x.Trusted && h == ToDo {
			h, says = Broken, says+"; queue_is_ours in the configuration says otherwise, so dera would trust forged events"
		}
	}
	x.says("queue", "policy", h, says, fix)
}

// writers says who may send to a queue by its policy.
func writers(text string) (Health, string) {
	if text == "" {
		return Broken, "there is none, so EventBridge cannot deliver"
	}
	doc, err := policy.Parse(text)
	if err != nil {
		return Unchecked, "it could not be read: " + plainCause(err)
	}
	rules := false
	for i := range doc.Statements {
		st := &doc.Statements[i]
		if st.Effect != policy.Allow || !sends(st) {
			continue
		}
		if !onlyEventBridge(st) {
			return ToDo, fmt.Sprintf("statement %d lets others than rules of EventBridge send", i+1)
		}
		rules = true
	}
	if !rules {
		return Broken, "no statement lets EventBridge deliver"
	}
	return Healthy, "rules of EventBridge may send, named by aws:SourceArn, and nobody else"
}

func sends(st *policy.Statement) bool {
	if len(st.Actions) == 0 {
		return true // NotAction: in doubt it does
	}
	return slices.ContainsFunc(st.Actions, func(a string) bool {
		a = strings.ToLower(a)
		return a == "*" || strings.HasPrefix("sqs:sendmessage", strings.TrimSuffix(a, "*"))
	})
}

// onlyEventBridge reports whether the statement allows the service alone, for
// rules that it names.
func onlyEventBridge(st *policy.Statement) bool {
	if st.Principals == nil || st.Principals.Any || st.NotPrincipals != nil || len(st.Principals.Groups) != 1 {
		return false
	}
	g := st.Principals.Groups[0]
	if g.Kind != policy.PrincipalService || !slices.Equal(g.Values, []string{"events.amazonaws.com"}) {
		return false
	}
	return slices.ContainsFunc(st.Conditions, func(c policy.Condition) bool { return strings.EqualFold(c.Key, "aws:SourceArn") })
}

// regions looks whether the regions to cover are switched on, and returns
// those that are.
func (x *examination) regions(ctx context.Context, account string) []string {
	want := x.Regions
	if len(want) == 0 {
		want = []string{x.Cloud.Region()}
	}
	on, err := x.Cloud.Regions(ctx, account)
	if err != nil {
		x.says("regions", account, Unchecked, plainCause(err), "allow ec2:DescribeRegions; dera role prints all that is needed")
		return want
	}
	if x.AllRegions {
		want = on
	}
	var here, off []string
	for _, r := range want {
		if slices.Contains(on, r) {
			here = append(here, r)
		} else {
			off = append(off, r)
		}
	}
	if len(off) > 0 {
		x.says("regions", account, Broken, "switched off or unknown: "+strings.Join(off, ", "), "switch them on in the account, or take them out of the configuration")
	} else {
		x.says("regions", account, Healthy, fmt.Sprintf("covered: %s; %d are enabled", strings.Join(here, ", "), len(on)), "")
	}
	return here
}

// permissions tries what the controls need: reads for real in each region,
// writes by dry run and simulation in the first one.
func (x *examination) permissions(ctx context.Context, account string, regions []string) {
	reads, writes := map[string]bool{}, map[string]bool{}
	policy, err := control.ReaderPolicy(x.Controls, dera.PartitionOf(x.Cloud.Region()).ID, account)
	if err != nil {
		x.says("reads", account, Unchecked, plainCause(err), "")
	}
	for _, st := range policy.Statement {
		for _, a := range st.Action {
			reads[a] = true
		}
	}
	for _, c := range x.Controls {
		for _, a := range c.Writes {
			writes[a] = true
		}
	}
	x.customFixes(ctx, account, regions)
	for i, region := range regions {
		where := account + " " + region
		x.tried("reads", where, x.Cloud.TryReads(ctx, account, region, slices.Sorted(maps.Keys(reads))), "dera role --kind reader prints what is needed; attach it to the reading role")
		if i == 0 {
			x.tried("writes", where, x.Cloud.TryWrites(ctx, account, region, x.who.ARN, slices.Sorted(maps.Keys(writes))), "dera role --kind remediator prints what is needed; attach it to the writing role")
		}
	}
}

// tried says what is allowed in one line, and each other permission in its own.
func (x *examination) tried(check, where string, list []cloud.Permission, fix string) {
	allowed := 0
	untested := map[string][]string{}
	for _, p := range list {
		switch p.Tried {
		case cloud.Allowed:
			allowed++
		case cloud.Refused:
			h := Broken
			if check == "writes" && !x.Enforces {
				h = ToDo // nothing is written yet
			}
			x.says(check, where+" "+p.Action, h, p.Why, fix)
		case cloud.Unclear:
			x.says(check, where+" "+p.Action, Unchecked, p.Why, "")
		case cloud.NotTested:
			untested[p.Why] = append(untested[p.Why], p.Action)
		}
	}
	if allowed > 0 {
		x.says(check, where, Healthy, fmt.Sprintf("%d of %d permissions were tried and are there", allowed, len(list)), "")
	}
	for _, why := range slices.Sorted(maps.Keys(untested)) {
		x.says(check, where, NotTested, strings.Join(untested[why], ", ")+": "+why, "")
	}
}
