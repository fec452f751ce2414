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
	list := atHome(k.named, calls...)
	put := strings.TrimPrefix(k.PutInline(), "iam:")
	for i := range list {
		if list[i].Name == put {
			list[i].Document = func(c cloudtrail.Call) string { return c.Parameters.Text("policyDocument") }
		}
	}
	// AWS Config names an identity by the ID that AWS gave it.
	all := func(r cloudtrail.Record, _ string) []dera.Scope { return r.In(dera.GlobalRegion).Sweep(k.Type()) }
	found := func(r cloudtrail.Record, name string) []dera.Scope {
		return r.In(dera.GlobalRegion).Scopes(k.Type(), []string{name})
	}
	if k == GroupKind {
		found = nil // Access Analyzer knows roles and users
	}
	return cloudtrail.Events{Type: k.Type(), Calls: list, Config: []cloudtrail.Configured{{Type: k.Type(), Find: all}}, Analyzed: found}
}

// named finds the identity in the request, by its new name too, or in the answer to one
// that leaves the name to IAM.
func (k Kind) named(c cloudtrail.Call) []dera.Scope {
	var names []string
	for _, n := range []string{
		c.Parameters.Text(string(k) + "Name"), c.Parameters.Text("new" + k.Title() + "Name"), c.Answer.Object(string(k)).Text(string(k) + "Name"),
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
	all := func(r cloudtrail.Record, _ string) []dera.Scope { return r.In(dera.GlobalRegion).Sweep(typ) }
	list := atHome(func(c cloudtrail.Call) []dera.Scope {
		if !about(c) {
			return nil
		}
		return all(c.Record, "")
	}, calls...)
	return cloudtrail.Events{Type: typ, Calls: list, Config: []cloudtrail.Configured{{Type: "AWS::::Account", Find: all}}}
}

// CredentialEvents are the calls on credentials of users. id names one of a user that a call
// is about, "" where the call does not say which.
func CredentialEvents(typ string, id func(c cloudtrail.Call, user string) string, calls ...string) cloudtrail.Events {
	return cloudtrail.Events{Type: typ, Calls: atHome(func(c cloudtrail.Call) []dera.Scope {
		user := c.Parameters.Text("userName")
		switch {
		case user == "" && c.Caller.Type == "Root": // it is about the root user's own
			return nil
		case user == "" && c.Caller.Type == "IAMUser":
			user = dera.ARN(c.Caller.ARN).Name()
		}
		var ids []string
		if UserKind.spelled(user) {
			if one := id(c, user); one != "" {
				ids = append(ids, one)
			}
		}
		return c.In(dera.GlobalRegion).Scopes(typ, ids)
	}, calls...)}
}

// atHome are calls that arrive in the home region of the partition.
func atHome(find func(cloudtrail.Call) []dera.Scope, calls ...string) []cloudtrail.Watched {
	list := cloudtrail.Calls(Source, find, calls...)
	for i := range list {
		list[i].Region = dera.GlobalRegion
	}
	return list
}
