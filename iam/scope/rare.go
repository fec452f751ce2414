package scope

import (
	"slices"
	"strings"
	"sync"

	"dera.example/dera/iam/catalog"
)

// about is why an action is special, and the actions of which that is true: patterns
// of an action with its service, where * as the service stands for every one.
type about struct {
	why     string
	actions []string
}

// Rare says why an action, or an entry of an Action list that allows one, may be needed
// though it is hardly ever used: in an incident, for maintenance and recovery, or to
// reach the data of a database. It is "" for any other.
func Rare(action string) (why string) { return theRare().first(action) }

var theRare = sync.OnceValue(func() *abouts {
	return newAbouts([]about{
		{"it is about recovery", []string{
			"backup:*", "backup-gateway:*", "dr:*", "drs:*", "*:*Restore*", "*:*Failover*", "*:*Rollback*", "*:Copy*Snapshot*", "*:Create*Snapshot*",
		}},
		{"it is about databases", []string{
			"rds:Describe*", "rds-db:connect", "rds-data:*", "redshift-data:*", "redshift:GetClusterCredentials*", "redshift-serverless:GetCredentials",
			"dynamodb:Scan", "dynamodb:Query", "dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:PartiQLSelect", "neptune-db:*", "dsql:DbConnect*",
		}},
		{"a key may be lost without it", []string{"kms:PutKeyPolicy", "kms:CancelKeyDeletion", "kms:EnableKey"}},
		{"it is about incidents", []string{"ssm:StartSession", "ssm:SendCommand"}},
	})
})

// Repairs says why an action, or an entry that allows one, may be what a principal
// changes itself or its deployments with, or "". Without it a principal that was
// narrowed too far cannot be repaired on that path.
func Repairs(action string) (why string) { return theRepairs().first(action) }

var theRepairs = sync.OnceValue(func() *abouts {
	return newAbouts([]about{
		{"it changes who may do what", []string{
			"iam:Create*", "iam:Put*", "iam:Update*", "iam:Attach*", "iam:Detach*", "iam:Delete*", "iam:Set*", "iam:Add*", "iam:Remove*", "iam:Tag*", "iam:Untag*",
			"organizations:Create*", "organizations:Update*", "organizations:Attach*", "organizations:Detach*", "organizations:Delete*", "organizations:Enable*",
			"organizations:Disable*", "organizations:Put*", "organizations:Move*", "sso:Create*", "sso:Put*", "sso:Update*", "sso:Attach*", "sso:Detach*", "sso:Delete*",
			"sso:Provision*", "sso-admin:*", "sso-directory:Create*", "sso-directory:Update*", "sso-directory:Add*", "sso-directory:Remove*",
			"identitystore:Create*", "identitystore:Update*", "identitystore:Delete*",
		}},
		{"it is the way to another role", []string{"sts:AssumeRole*"}},
		{"it deploys", []string{
			"cloudformation:Create*", "cloudformation:Update*", "cloudformation:Execute*", "cloudformation:Delete*", "cloudformation:Continue*",
			"cloudformation:Cancel*", "cloudformation:Rollback*", "cloudformation:SetStackPolicy", "cloudformation:ImportStacksToStackSet",
			"codepipeline:Start*", "codepipeline:Retry*", "codepipeline:Rollback*", "codepipeline:Put*", "codepipeline:Update*", "codebuild:Start*",
			"codebuild:Retry*", "codebuild:Update*", "codedeploy:Create*", "codedeploy:Continue*", "codedeploy:Stop*", "lambda:UpdateFunction*", "lambda:PublishVersion",
			"lambda:UpdateAlias", "ecs:UpdateService", "ecs:RegisterTaskDefinition", "ecs:CreateTaskSet", "ecs:UpdateServicePrimaryTaskSet",
		}},
	})
})

// abouts are several, with their patterns by service: most questions are about one
// exact action.
type abouts struct {
	list       []about
	byService  map[string][]pattern
	everywhere []pattern
}

// pattern is the name of a pattern in lower case, with the place of its reason.
type pattern struct {
	name  string
	place int
}

func newAbouts(list []about) *abouts {
	out := &abouts{list: list, byService: map[string][]pattern{}}
	for i, a := range list {
		for _, p := range a.actions {
			service, name, _ := strings.Cut(strings.ToLower(p), ":")
			if service == "*" {
				out.everywhere = append(out.everywhere, pattern{name, i})
			} else {
				out.byService[service] = append(out.byService[service], pattern{name, i})
			}
		}
	}
	return out
}

// first is the first reason of which a pattern has an action in common with the entry.
func (l *abouts) first(entry string) string {
	service, name, ok := strings.Cut(strings.ToLower(entry), ":")
	if !ok || strings.ContainsAny(entry, "*?") {
		for _, a := range l.list {
			if slices.ContainsFunc(a.actions, func(pattern string) bool { return Meets(entry, pattern) }) {
				return a.why
			}
		}
		return ""
	}
	best := len(l.list)
	for _, list := range [][]pattern{l.byService[service], l.everywhere} {
		for _, p := range list {
			if p.place < best && catalog.Match(p.name, name) {
				best = p.place
			}
		}
	}
	if best == len(l.list) {
		return ""
	}
	return l.list[best].why
}

// Meets reports whether an entry of an Action list and a pattern have an action in
// common, without regard to case. * as the service of the pattern stands for every one.
func Meets(entry, pattern string) bool {
	name, everywhere := strings.CutPrefix(pattern, "*:")
	if !everywhere {
		return overlap(entry, pattern)
	}
	_, own, ok := strings.Cut(entry, ":")
	if !ok {
		return everything(entry)
	}
	if !strings.ContainsAny(own, "*?") {
		return catalog.Match(name, own)
	}
	return meet(strings.ToLower(own), strings.ToLower(name))
}
