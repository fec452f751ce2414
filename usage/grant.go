package usage

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"dera.example/dera"
	"dera.example/dera/cloudtrail"
	"dera.example/dera/iam/catalog"
)

// Grant is when a call last changed what a target may do: role/NAME, user/NAME,
// group/NAME or the ARN of a policy, in lower case, for IAM tells no two names apart
// by case. AnyTarget stands for one that is not known.
type Grant struct {
	Account string `json:"account"`
	Target  string `json:"target"`
	At      Second `json:"at"`
}

// AnyTarget is the target of grants of which nobody knows whose permissions they
// changed: any of the account may be meant.
const AnyTarget = "*"

// maxGrants bounds the grants of one flush. What is beyond it is one of AnyTarget.
const maxGrants = 10_000

// grantKey names a grant.
type grantKey struct{ account, target string }

// granted notes when a successful call changed what someone may do.
func (a *aggregate) granted(f *cloudtrail.Fields, account []byte, at uint32) {
	if string(cloudtrail.Text(f.Source)) != "iam.amazonaws.com" {
		return
	}
	kind, ok := catalog.Grants(string(cloudtrail.Text(f.Name)))
	if !ok {
		return
	}
	k := grantKey{string(account), grantedTo(kind, f.Request)}
	if _, known := a.grants[k]; !known && len(a.grants) >= maxGrants {
		k.target = AnyTarget
	}
	if _, known := a.grants[k]; !known {
		a.size += len(k.account) + len(k.target) + 64
	}
	a.grants[k] = max(a.grants[k], Second(at))
}

// grantedTo is the target that the parameters of a call name.
func grantedTo(kind string, request []byte) string {
	var in struct{ RoleName, UserName, GroupName, PolicyArn string }
	if json.Unmarshal(request, &in) != nil {
		return AnyTarget
	}
	name := map[string]string{"role": in.RoleName, "user": in.UserName, "group": in.GroupName, "policy": in.PolicyArn}[kind]
	if name == "" || len(name) > 1024 || !printable([]byte(name)) {
		return AnyTarget
	}
	if kind == "policy" {
		return strings.ToLower(name)
	}
	return kind + "/" + strings.ToLower(name)
}

// GrantTarget is the target by which Granted names a role, user, group or policy with
// this ARN, whatever its path.
func GrantTarget(arn string) string {
	kind, rest, _ := strings.Cut(dera.ARN(arn).Resource(), "/")
	switch kind {
	case "role", "user", "group":
		return strings.ToLower(kind + "/" + rest[strings.LastIndexByte(rest, '/')+1:])
	}
	return strings.ToLower(arn)
}

// fact is the grant as one fact, however often it is noted; the store keeps the newest.
func (g Grant) fact() (Fact, error) {
	return newFact(FactGrant, g.Account+"/"+g.Target, g.At, g)
}

// Granted returns when the permissions of the targets of an account were last changed,
// as far as was recorded, from verified and unverified records alike: it only ever
// holds back. What dera changed is in it too.
func (l *Ledger) Granted(ctx context.Context, account string) (map[string]time.Time, error) {
	grants, err := facts[Grant](ctx, l.store, FactGrant)
	if err != nil {
		return nil, fmt.Errorf("read when permissions of %s were changed: %w", account, err)
	}
	out := map[string]time.Time{}
	for _, g := range grants {
		if at := g.At.Time(); g.Account == account && at.After(out[g.Target]) {
			out[g.Target] = at
		}
	}
	return out, nil
}
