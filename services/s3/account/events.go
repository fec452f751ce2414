package account

import (
	"dera.example/dera"
	"dera.example/dera/cloudtrail"
	"dera.example/dera/services/s3"
)

// Events are the calls on the block of an account. AWS Config has it as a resource
// of its own and as a property of the account.
func Events() cloudtrail.Events {
	find := func(r cloudtrail.Record) []dera.Scope {
		return r.In(dera.GlobalRegion).Scopes(Name, []string{r.Account})
	}
	changed := func(r cloudtrail.Record, _ string) []dera.Scope { return find(r) }
	return cloudtrail.Events{
		Type: Name,
		Calls: cloudtrail.Calls(s3.Source, func(c cloudtrail.Call) []dera.Scope { return find(c.Record) },
			"PutAccountPublicAccessBlock", "DeleteAccountPublicAccessBlock"),
		Config: []cloudtrail.Configured{{Type: Name, Find: changed}, {Type: "AWS::::Account", Find: changed}},
	}
}
