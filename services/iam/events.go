package iam

import (
	"strings"

	"dera.example/dera"
	"dera.example/dera/cloudtrail"
)

// Events are the calls on identities of the kind by name, those on their policies among
// them. They arrive in the home region of the partition. What they do not name is a
// sweep, which is one walk.
func (k Kind) Events(calls ...string) cloudtrail.Events {
	for _, verb := range []string{"Put", "Delete", "Attach", "Detach"} {
		calls = append(calls, strings.TrimPrefix(k.Call(verb, "Policy"), "iam:"))
	}
	list := cloudtrail.Calls(Source, k.named, calls...)
	put := strings.TrimPrefix(k.PutInline(), "iam:")
	for i := range list {
		list[i].Region = dera.GlobalRegion
		if list[i].Name == put {
			list[i].Document = func(c cloudtrail.Call) string { return c.Parameters.Text("policyDocument") }
		}
	}
	// AWS Config names an identity by the ID that AWS gave it.
	all := func(r cloudtrail.Record, _ string) []dera.Scope { return r.In(dera.GlobalRegion).Sweep(k.Type()) }
	return cloudtrail.Events{Type: k.Type(), Calls: list, Config: []cloudtrail.Configured{{Type: k.Type(), Find: all}}}
}

// named finds the identity in the request, by its new name too, or in the answer to one
// that leaves the name to IAM.
func (k Kind) named(c cloudtrail.Call) []dera.Scope {
	var names []string
	for _, n := range []string{
		c.Parameters.Text(string(k) + "Name"), c.Parameters.Text("new" + k.title() + "Name"), c.Answer.Object(string(k)).Text(string(k) + "Name"),
	} {
		if k.spelled(n) {
			names = append(names, n)
		}
	}
	return c.In(dera.GlobalRegion).Scopes(k.Type(), names)
}

// AccountEvents are the calls on what an account has once, of those that are about it. AWS
// Config has it as a property of the account.
func AccountEvents(typ string, about func(cloudtrail.Call) bool, calls ...string) cloudtrail.Events {
	list := cloudtrail.Calls(Source, func(c cloudtrail.Call) []dera.Scope {
		if !about(c) {
			return nil
		}
		return c.In(dera.GlobalRegion).Sweep(typ)
	}, calls...)
	for i := range list {
		list[i].Region = dera.GlobalRegion
	}
	find := func(r cloudtrail.Record, _ string) []dera.Scope {
		return r.In(dera.GlobalRegion).Sweep(typ)
	}
	return cloudtrail.Events{Type: typ, Calls: list, Config: []cloudtrail.Configured{{Type: "AWS::::Account", Find: find}}}
}

// UserOfCall is the user that a call on credentials is about: the one that it names, or the
// caller; "" where that is not known. ofUser is false for a call of the root user on its own.
func UserOfCall(c cloudtrail.Call) (user string, ofUser bool) {
	user = c.Parameters.Text("userName")
	if user == "" && c.Caller.Type == "IAMUser" {
		user = dera.ARN(c.Caller.ARN).Name()
	}
	if user == "" && c.Caller.Type == "Root" {
		return "", false
	}
	if !UserKind.spelled(user) {
		user = ""
	}
	return user, true
}
