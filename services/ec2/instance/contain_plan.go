package instance

import (
	"fmt"
	"slices"
	"strings"

	"dera.example/dera"
	"dera.example/dera/control"
	"dera.example/dera/resource"
)

// undonePrefix begins the key of what was granted and is not so any more.
const undonePrefix = "undone/"

// asked is the one request of the failures.
func (i *Instance) asked(failures []control.Failure) (a resource.Asked, ok bool) {
	failures = slices.DeleteFunc(slices.Clone(failures), func(f control.Failure) bool { return strings.HasPrefix(f.Key, undonePrefix) })
	k := -1
	if len(failures) == 1 {
		k = slices.IndexFunc(i.Contain, func(a resource.Asked) bool { return a.Key() == failures[0].Key })
	}
	if k < 0 {
		return a, false
	}
	return i.Contain[k], true
}

// contained reports whether the instance is as the request asks.
func (i *Instance) contained(a resource.Asked) bool {
	switch strings.Join(a.Actions, " ") {
	case Quarantine:
		return i.Isolated() && i.snapped(a.ID)
	case StopIt:
		return i.Running != nil && !*i.Running
	}
	return false
}

// still reports whether the instance is contained as it was granted, and whether that is known.
// Snapshots that somebody deleted since are no matter.
func (i *Instance) still(a resource.Asked) (still, known bool) {
	if strings.Join(a.Actions, " ") == Quarantine {
		return i.Isolated(), i.Around != nil
	}
	return i.Running == nil || !*i.Running, i.Running != nil
}

// open are the interfaces that have another group than the isolation group.
func (i *Instance) open() []Interface {
	return slices.DeleteFunc(slices.Clone(i.Interfaces), func(n Interface) bool { return slices.Equal(n.Groups, i.isolated(n).Groups) })
}

func (i *Instance) isolated(n Interface) Interface {
	if i.Around == nil {
		return n
	}
	return Interface{ID: n.ID, Groups: []string{i.Around.Isolation}}
}

// contain plans a request, or says why nothing is done.
func (i *Instance) contain(a resource.Asked) ([]dera.Change, *control.Refusal) {
	refuse := func(code, format string, args ...any) ([]dera.Change, *control.Refusal) {
		return nil, &control.Refusal{Code: code, Why: fmt.Sprintf(format, args...)}
	}
	x, how := i.Around, strings.Join(a.Actions, " ")
	switch {
	case x == nil:
		return refuse("not-known", "whether an Auto Scaling group would replace the instance, and whether there is an isolation group, is not known")
	case x.Scaling != "" && x.Lifecycle != "Standby":
		return refuse("auto-scaling", "the Auto Scaling group %s would find it unhealthy and terminate it, with its volumes: aws autoscaling enter-standby --auto-scaling-group-name %s --instance-ids %s --should-decrement-desired-capacity first", x.Scaling, x.Scaling, i.ID)
	case how == Quarantine:
		return i.quarantine(a.ID, refuse)
	case how != StopIt:
		return refuse("not-known", "there is no way %q to contain an instance: quarantine and stop", how)
	case i.Spot:
		return refuse("spot", "it is a Spot instance, which EC2 may terminate or start again when it is stopped")
	case x.Store == nil || *x.Store:
		return refuse("instance-store", "its type has volumes of the host, or that is not known: a stop erases them for ever")
	}
	c, err := Type().Set(i, power, false)
	if err != nil {
		return refuse("cannot-plan", "%v", err)
	}
	return []dera.Change{c}, nil
}

func (i *Instance) quarantine(request string, refuse func(code, format string, args ...any) ([]dera.Change, *control.Refusal)) (changes []dera.Change, _ *control.Refusal) {
	switch {
	case i.Around.Isolation == "":
		return refuse("no-isolation-group", "the VPC %s has no security group %s: make one, and revoke the outbound rule that EC2 gives it (aws ec2 create-security-group, aws ec2 revoke-security-group-egress)", i.VPC, IsolationGroup)
	case i.Around.Open:
		return refuse("no-isolation-group", "the security group %s (%s) has rules, so that it isolates nothing: revoke them", i.Around.Isolation, IsolationGroup)
	case len(i.Volumes) == 0 || len(i.open()) == 0:
		return refuse("nothing-to-do", "the instance has no volume of which a snapshot could be made, or no interface that is open")
	}
	if !i.snapped(request) {
		input := SnapshotsInput{Resource: i.ID, Request: request}
		c, err := resource.NewChange(CreateSnapshots, input, nil, input, "", nil, nil)
		if err != nil {
			return refuse("cannot-plan", "%v", err)
		}
		c.Undo, c.Kept = nil, true
		for _, v := range i.Volumes {
			c.Diff = append(c.Diff, "+ "+Snapshot{Volume: v, Request: request}.Line())
		}
		changes = append(changes, c)
	}
	for _, n := range i.open() {
		next := i.isolated(n)
		c, err := resource.NewChange(ModifyInterface, InterfaceInput{i.ID, next}, n, next, ModifyInterface, InterfaceInput{i.ID, n}, []string{"- " + n.Line(), "+ " + next.Line()})
		if err != nil || len(n.Groups) == 0 {
			return refuse("cannot-plan", "the groups of %s are not known: %v", n.ID, err)
		}
		changes = append(changes, c)
	}
	return changes, nil
}
