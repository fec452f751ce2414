package instance

import (
	"fmt"
	"slices"
	"strings"

	"dera.example/dera"
	"dera.example/dera/control"
	"dera.example/dera/resource"
	"dera.example/dera/resource/evidence"
)

// ContainRequest finds instances that somebody asked to be contained.
func ContainRequest() control.Control {
	return control.Define(control.Spec[*Instance]{
		Meta: control.Meta{
			ID: "ec2-instance-contain-request", Title: "Instance was asked to be contained", Type: Name, Severity: dera.High,
			Why:        "An instance that an attacker controls goes on doing harm, and what it holds is the evidence, until somebody cuts it off.",
			Fix:        "After another person granted it. Quarantine: snapshots of all volumes at one moment, then the security group `dera-isolation`, which has no rules, in place of all groups of each interface. Stop: the instance is stopped. A rollback puts the groups back, or starts it.",
			Complexity: "high", Gives: true,
			Cases: []control.Case{
				{When: "somebody asked for it with `dera contain`, and nobody has answered", Disposition: dera.Review, Because: "whoever asked cannot grant it: another person does, and it is never automatic"},
				{When: "it is in an Auto Scaling group and not in standby, its type has volumes of the host or is not known (stop), it is a Spot instance (stop), or its VPC has no group `dera-isolation` without rules (quarantine)", Disposition: dera.Review, Because: "no plan is made: the group would terminate it, a stop would erase what cannot be brought back"},
			},
			Refs: []control.Ref{
				{Standard: "AWS Security Incident Response", ID: "Source containment", URL: "https://docs.aws.amazon.com/security-ir/latest/userguide/containment.html"},
			},
			Reads: Type().Reads(), Writes: []string{CreateSnapshots, ModifyInterface, Stop, Start},
			Owner: "dera maintainers", ReviewBy: "2027-11-01",
		},
		Check: func(i *Instance, _ control.Settings) control.Result {
			var out []control.Failure
			for _, a := range i.Contain {
				switch {
				case a.Unknown != "":
					return control.Result{Outcome: control.UnknownResult, Why: fmt.Sprintf("where the request %s stands is not known: %s", a.ID, a.Unknown)}
				case a.State == dera.AccessAsked && !i.contained(a):
					out = append(out, control.Failure{
						Key: a.Key(), Start: dera.Review, Severity: dera.High, Title: "Instance was asked to be contained",
						Why: fmt.Sprintf("%s asked for %s: %s. Whoever asked cannot grant it.", a.By.Name, a.Text(), a.Reason),
					})
				}
			}
			if len(out) > 0 {
				return control.Result{Outcome: control.Fail, Failures: out}
			}
			return control.Result{Outcome: control.Pass}
		},
		Plan: func(i *Instance, failures []control.Failure, _ control.Settings) ([]dera.Change, *control.Refusal) {
			a, ok := i.asked(failures)
			if !ok {
				return nil, &control.Refusal{Code: "one-at-a-time", Why: "each request has its own plan"}
			}
			return i.contain(a)
		},
		Prove: func(i *Instance, failures []control.Failure, changes []dera.Change, _ control.Settings) (dera.Evidence, error) {
			a, ok := i.asked(failures)
			if !ok {
				return dera.Evidence{}, fmt.Errorf("%d requests have no proof together", len(failures))
			}
			if slices.Equal(a.Actions, []string{StopIt}) {
				return evidence.ProveSettings(Type(), i, changes, map[string]any{power: false})
			}
			var gone, come []string
			for _, n := range i.open() {
				gone, come = append(gone, n.Line()), append(come, i.isolated(n).Line())
			}
			if !i.snapped(a.ID) {
				for _, v := range i.Volumes {
					come = append(come, Snapshot{Volume: v, Request: a.ID}.Line())
				}
			}
			return evidence.ProveParts(Type(), i, changes, gone, come)
		},
	})
}

// asked is the one request of the failures.
func (i *Instance) asked(failures []control.Failure) (a resource.Asked, ok bool) {
	k := -1
	if len(failures) == 1 {
		k = slices.IndexFunc(i.Contain, func(a resource.Asked) bool { return a.Key() == failures[0].Key })
	}
	if k < 0 {
		return a, false
	}
	return i.Contain[k], true
}

// contained reports whether the instance is as the request wants it.
func (i *Instance) contained(a resource.Asked) bool {
	switch strings.Join(a.Actions, " ") {
	case Quarantine:
		return i.Isolated() && i.snapped(a.ID)
	case StopIt:
		return i.Running != nil && !*i.Running
	}
	return false
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
		return refuse("not-known", "whether an Auto Scaling group would replace the instance, and what stands around it, is not known")
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
