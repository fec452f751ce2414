package app

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"dera.example/dera"
	"dera.example/dera/cloudtrail"
	"dera.example/dera/iam/policy"
	"dera.example/dera/iam/proof"
	"dera.example/dera/iam/reason"
	"dera.example/dera/resource"
)

// call answers for a denied call.
func (c *change) call(q DeniedCall, sure, doubtful []resource.Taken) verdict {
	all := slices.Concat(sure, doubtful)
	var worst verdict
	grounds := []string{}
	for _, kind := range []resource.Denies{resource.DeniesNothing, resource.DeniesInbound, resource.DeniesWithin, resource.DeniesByIdentity, resource.DeniesByResource, resource.DeniesByTrust} {
		of := func(list []resource.Taken) (out []resource.Taken) {
			for _, t := range list {
				if t.Denies == kind {
					out = append(out, t)
				}
			}
			return out
		}
		if len(of(all)) == 0 {
			continue
		}
		v := c.callBy(kind, q, of(all))
		for _, t := range of(doubtful) { // each state on the way counts
			if one := c.callBy(kind, q, []resource.Taken{t}); v.blame == BlameNo && one.blame != BlameNo {
				v = verdict{BlameUnknown, one.why}
			}
		}
		if v.blame == BlameNo {
			grounds = append(grounds, v.why)
		} else if worst.blame != BlameYes {
			worst = v
		}
	}
	if worst.blame != "" {
		return worst
	}
	return verdict{BlameNo, strings.Join(slices.Compact(grounds), "; ")}
}

// callBy answers for the writes of one kind.
func (c *change) callBy(kind resource.Denies, q DeniedCall, list []resource.Taken) verdict {
	switch kind {
	case resource.DeniesNothing:
		return verdict{BlameNo, "its writes deny nothing"}
	case resource.DeniesInbound:
		return verdict{BlameNo, "rules of security groups deny no call that AWS answers"}
	case resource.DeniesWithin:
		return c.within(q, list)
	case resource.DeniesByIdentity, resource.DeniesByResource, resource.DeniesByTrust:
		return c.byPolicy(kind, q, list)
	case resource.DeniesUndeclared:
	}
	return verdict{BlameUnknown, fmt.Sprintf("what it can deny is not declared (%q)", kind)}
}

// within answers for writes of which only bounds are known.
func (c *change) within(q DeniedCall, list []resource.Taken) verdict {
	for _, t := range list {
		for _, b := range t.Within {
			if c.mayBe(q, b) {
				return verdict{BlameUnknown, "it may have: " + b.Why}
			}
		}
	}
	return verdict{BlameNo, "the call is outside of what its writes can deny"}
}

// mayBe reports whether a call is within bounds, in doubt that it is.
func (c *change) mayBe(q DeniedCall, b resource.Bounds) bool {
	own := dera.ARN(q.Principal).Account() == c.rem.Plan.Account
	switch {
	case len(b.Actions) == 0, b.Error && q.Authorization:
		return false
	case !slices.ContainsFunc(b.Actions, func(p string) bool { return dera.MatchGlob(strings.ToLower(p), strings.ToLower(q.Action)) }):
		return false
	case b.Foreign && own, b.Principal != "" && c.whose(q, b.Principal) == proof.MatchNo:
		return false
	case !mayCall(q.Resource, b.Resources):
		return false
	}
	of := dera.ARN(q.Resource).Account()
	return own || of == "" || of == c.rem.Plan.Account || len(b.Resources) > 0 // which say it, such as access points of other accounts
}

// mayCall reports whether a call may be on what patterns name, in doubt that it is.
func mayCall(resource string, patterns []string) bool {
	return len(patterns) == 0 || resource == "" || strings.ContainsAny(resource, "*?") ||
		slices.ContainsFunc(patterns, func(p string) bool {
			return dera.MatchGlob(p, resource) || sameName(cloudtrail.Key(p), cloudtrail.Key(resource)) // a role with or without its path
		})
}

// whose says whether a principal of the same partition is the caller.
func (c *change) whose(q DeniedCall, arn string) proof.Match {
	key := q.key()
	switch {
	case q.Principal == anonymous:
		return proof.MatchNo
	case strings.ContainsAny(arn, "*?"):
		return proof.MatchMaybe
	case sameName(cloudtrail.Key(arn), key):
		return proof.MatchYes
	case named(key) && named(cloudtrail.Key(arn)):
		return proof.MatchNo
	}
	return proof.MatchMaybe
}

// sameName reports whether two keys are those of the same role or user. Upper and lower case do
// not tell names apart.
//
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html, "RoleName"
func sameName(a, b string) bool { return named(a) && strings.EqualFold(a, b) }

// named reports whether a key is that of a role or a user.
func named(key string) bool {
	a := dera.ARN(key)
	return a.Service() == "iam" && (strings.HasPrefix(a.Resource(), "role/") || strings.HasPrefix(a.Resource(), "user/"))
}

// byPolicy answers for policies that gave way to others.
func (c *change) byPolicy(kind resource.Denies, q DeniedCall, list []resource.Taken) verdict {
	ask := proof.Question{Action: q.Action, Resource: q.Resource}
	holds, doubt := true, "" // that the policies apply to the call
	switch kind {
	case resource.DeniesByIdentity:
		switch holds, doubt = c.holder(q, list); {
		case !holds:
			return verdict{BlameNo, "its policies are those of other principals"}
		}
	default:
		direct := q.Resource != "" && mayCall(q.Resource, list[0].Resources)
		if !direct && !mayCall(q.Resource, append(list[0].Through, "-")) {
			return verdict{BlameNo, "its policies are those of another resource"}
		}
		if !direct {
			ask.Resource, doubt = "", "which resource was called is not known"
		}
		ask.Account, ask.Is = dera.ARN(q.Principal).Account(), c.is(q)
		if kind == resource.DeniesByTrust {
			ask.Resource = "" // a trust policy names none
			if unsigned(q) {
				ask.Account, ask.Is = "", c.isUnsigned(q)
			}
		}
	}
	before, after, err := policies(list)
	if err != nil {
		return verdict{BlameUnknown, "a policy of it cannot be read: " + err.Error()}
	}
	loss, claims, why := proof.Lost(ask, before, after)
	switch loss {
	case proof.LossNothing:
		c.claims = append(c.claims, claims...)
		return verdict{BlameNo, "proved: its policies allow the call after as they did before, and deny it in no other circumstances (checked by the independent checker)"}
	case proof.LossUnknown:
		return verdict{BlameUnknown, "whether its policies took it depends on what is not known: " + why}
	case proof.LossAll, proof.LossDenied:
	}
	took := "it took " + q.Action + " from " + strings.TrimPrefix(q.key(), "arn:")
	if loss == proof.LossDenied {
		took = "it denies " + q.Action + " to " + strings.TrimPrefix(q.key(), "arn:")
	}
	if doubt != "" {
		return verdict{BlameUnknown, took + ", if the policy applied: " + doubt}
	}
	return blamed(kind, q, took, loss == proof.LossDenied, c.rem.Plan.Account)
}

// blamed is the verdict on a change that took the call for certain: whether that is what
// denied it is for AWS to say. owner is the account of what was changed.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic-cross-account.html
func blamed(kind resource.Denies, q DeniedCall, took string, denies bool, owner string) verdict {
	fits := map[resource.Denies][]cloudtrail.Policy{
		resource.DeniesByIdentity: {cloudtrail.IdentityPolicy},
		resource.DeniesByResource: {cloudtrail.ResourcePolicy},
		resource.DeniesByTrust:    {cloudtrail.TrustPolicy, cloudtrail.ResourcePolicy},
	}
	if dera.ARN(q.Principal).Account() == owner && !denies { // of one account, either would do; of another, both are needed
		fits[resource.DeniesByResource] = append(fits[resource.DeniesByResource], cloudtrail.IdentityPolicy)
	}
	switch {
	case q.Policy != "" && q.Explicit != denies, q.Explicit && !denies:
		return verdict{BlameUnknown, took + ", but AWS says that the reason is: " + q.said() + "; a rollback alone may not help"}
	case q.Policy == "":
		return verdict{BlameUnknown, took + "; which policy denied it AWS does not say"}
	case !slices.Contains(fits[kind], cloudtrail.Policy(q.Policy)):
		return verdict{BlameUnknown, took + ", but AWS says that the reason is: " + q.said() + "; a rollback alone may not help"}
	}
	return verdict{BlameYes, took + ", and AWS says: " + q.said()}
}

// holder says whether the policies of a plan are, or may be, those of the caller.
func (c *change) holder(q DeniedCall, list []resource.Taken) (may bool, doubt string) {
	shared := slices.ContainsFunc(list, func(t resource.Taken) bool { return t.Shared })
	if !shared {
		switch c.whose(q, string(c.rem.Plan.Resource)) {
		case proof.MatchNo:
			return false, ""
		case proof.MatchYes:
			return true, ""
		case proof.MatchMaybe:
			return true, "whose permissions the caller has is not known"
		}
	}
	if q.Principal == anonymous || dera.ARN(q.Principal).Account() != c.rem.Plan.Account {
		return false, ""
	}
	for _, p := range c.rem.Principals {
		if c.whose(q, p) == proof.MatchYes {
			return true, ""
		}
	}
	return true, "that the caller had the policy is not in the record"
}

// is says whether a principal of a statement is the caller.
func (c *change) is(q DeniedCall) func(of, value string) proof.Match {
	return func(of, value string) proof.Match {
		switch {
		case of == policy.PrincipalAWS && value == "*":
			return proof.MatchYes
		case of != policy.PrincipalAWS && of != policy.PrincipalCanonical && (named(q.key()) || q.Principal == anonymous):
			return proof.MatchNo // a service or an identity provider is no role or user
		case of != policy.PrincipalAWS:
			return proof.MatchMaybe
		}
		account, root := policy.RootAccount(value)
		if !root {
			account = dera.ARN(value).Account()
		}
		own := dera.ARN(q.Principal).Account()
		switch m := c.whose(q, value); {
		case m == proof.MatchYes && dera.ARN(value).Service() == "sts":
			return proof.MatchMaybe // one session of the role
		case account != "" && own != "" && account != own:
			return proof.MatchNo
		default:
			return m
		}
	}
}

// unsigned reports whether a call that assumes a role has no IAM principal: one with the token of
// an identity provider, or one of which nobody knows who made it, such as a service's.
//
// https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html
func unsigned(q DeniedCall) bool {
	return q.Principal == anonymous || strings.HasPrefix(strings.ToLower(q.Action), "sts:assumerolewith")
}

// isUnsigned is the same of a call that has no IAM principal.
func (c *change) isUnsigned(q DeniedCall) func(of, value string) proof.Match {
	is := c.is(q)
	return func(of, value string) proof.Match {
		if of != policy.PrincipalAWS {
			return proof.MatchMaybe
		}
		return is(of, value)
	}
}

// policies are those before and after, but for those that were there all along.
func policies(list []resource.Taken) (before, after reason.Policies, err error) {
	var texts [2][]string
	for _, t := range list {
		for i, text := range []string{t.Before, t.After} {
			if text != "" {
				texts[i] = append(texts[i], text)
			}
		}
	}
	texts[0], texts[1] = without(texts[0], texts[1])
	var parsed [2]reason.Policies
	for i := range texts {
		for _, text := range texts[i] {
			d, bad := policy.Parse(text)
			if bad != nil {
				err = errors.Join(err, bad)
				continue
			}
			parsed[i] = append(parsed[i], d)
		}
	}
	return parsed[0], parsed[1], err
}
