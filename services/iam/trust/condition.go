package trust

import (
	"slices"
	"strings"

	"dera.example/dera"
	"dera.example/dera/iam/policy"
)

// Issuer is the host and path of an identity provider, or the name of a SAML provider.
func Issuer(provider string) string {
	for _, kind := range []string{":oidc-provider/", ":saml-provider/"} {
		if _, name, ok := strings.Cut(provider, kind); ok {
			return name
		}
	}
	return provider
}

// Shared reports whether anybody can get an identity from the provider.
//
// Source: IAM user guide, "Identity-provider controls for shared OIDC providers".
func Shared(provider string) bool {
	return slices.ContainsFunc([]string{
		"token.actions.githubusercontent.com", "gitlab.com", "app.terraform.io", "cognito-identity.amazonaws.com", "accounts.google.com", "graph.facebook.com", "www.amazon.com",
		"api.bitbucket.org", "agent.buildkite.com", "oidc.circleci.com", "vercel.com", "app.pulumi.com",
	}, func(host string) bool { return strings.HasPrefix(Issuer(provider), host) })
}

// Subject reports whether a statement says which subject of an identity provider is
// meant: by a claim that is not about whom the token is for, with a value that is not
// open at its beginning. An identity pool of Cognito is named by the audience.
func Subject(st *policy.Statement, provider string) bool {
	name := strings.ToLower(Issuer(provider))
	saml := strings.Contains(provider, ":saml-provider/")
	return slices.ContainsFunc(st.Conditions, func(c policy.Condition) bool {
		key := strings.ToLower(c.Key)
		head, claim := key[:max(strings.LastIndexByte(key, ':'), 0)], key[strings.LastIndexByte(key, ':')+1:]
		switch {
		case saml && head != "saml", !saml && head != name:
			return false
		case name == "cognito-identity.amazonaws.com" && claim != "aud", name != "cognito-identity.amazonaws.com" && slices.Contains(noSubject(), claim),
			!saml && name != "cognito-identity.amazonaws.com" && Shared(provider) && !names(claim):
			return false
		}
		return positive(c, func(v string) bool {
			n := strings.IndexAny(v, "*?")
			open, fixed := n >= 0, v[:max(n, 0)]
			if !open {
				fixed = v
			}
			return fixed != "" && (!open || !Shared(provider) || strings.Contains(fixed, "/"))
		})
	})
}

// noSubject are claims about whom a token is for, who issued it, and what form it has.
func noSubject() []string {
	return []string{"aud", "oaud", "azp", "amr", "iss", "doc", "sub_type", "namequalifier"}
}

// names reports whether a claim of a provider at which anybody can have an identity says
// whose it is. A branch, an environment or an event has the same name in every
// repository.
//
// Source: GitHub, "OpenID Connect reference"; GitLab, "OpenID Connect (OIDC)
// authentication using ID tokens".
func names(claim string) bool {
	return slices.Contains([]string{
		"sub", "email", "repository", "repository_id", "repository_owner", "repository_owner_id", "job_workflow_ref", "enterprise", "enterprise_id", "actor", "actor_id",
		"namespace_id", "namespace_path", "project_id", "project_path", "id", "user_id", "organization_id", "organization_slug", "terraform_organization_id", "terraform_organization_name",
	}, claim)
}

// Demands reports whether a statement demands a value of a key that is fixed.
func Demands(st *policy.Statement, key string, fixed func(v string) bool) bool {
	return slices.ContainsFunc(st.Conditions, func(c policy.Condition) bool { return strings.EqualFold(c.Key, key) && positive(c, fixed) })
}

// positive reports whether a condition holds only for texts that it names, all of them
// fixed.
func positive(c policy.Condition, fixed func(v string) bool) bool {
	op, ok := policy.ParseOperator(c.Operator)
	if !ok || op.Negated() || op.IfExists || op.Set == policy.ForAllValues || !strings.HasPrefix(op.Test, "String") {
		return false
	}
	return len(c.Values) > 0 && !slices.ContainsFunc(c.Values, func(v string) bool { return !fixed(v) })
}

// OwnOnly reports whether only resources of the own account can be given the role: the
// service takes no role of another account.
//
// Source: EC2 user guide, "Instance profiles"; Lambda developer guide, "Execution
// role"; EKS user guide, "Pod Identity".
func OwnOnly(service string) bool {
	return slices.Contains([]string{
		"ec2.amazonaws.com", "ec2.amazonaws.com.cn", "lambda.amazonaws.com", "edgelambda.amazonaws.com", "eks.amazonaws.com", "eks-fargate-pods.amazonaws.com",
		"pods.eks.amazonaws.com", "eks-nodegroup.amazonaws.com", "ecs-tasks.amazonaws.com", "spotfleet.amazonaws.com",
	}, service)
}

// Sources are the accounts on whose behalf a service may come, as the conditions of a
// statement say.
func Sources(st *policy.Statement) (accounts []string) {
	for _, c := range st.Conditions {
		key := strings.ToLower(c.Key)
		if key != "aws:sourceaccount" && key != "aws:sourcearn" && key != "aws:sourceowner" {
			continue
		}
		if op, ok := policy.ParseOperator(c.Operator); !ok || op.Negated() {
			continue
		}
		for _, v := range c.Values {
			if key == "aws:sourcearn" {
				v = dera.ARN(v).Account()
			}
			if dera.ValidAccountID(v) == nil && !slices.Contains(accounts, v) {
				accounts = append(accounts, v)
			}
		}
	}
	return accounts
}
