package function

import (
	"errors"
	"strings"

	"dera.example/dera"
	"dera.example/dera/iam/policy"
	"dera.example/dera/resource/document"
)

// Permission is a statement as AddPermission takes it; what is empty is not asked for.
//
// https://docs.aws.amazon.com/lambda/latest/api/API_AddPermission.html
type Permission struct {
	Action, Principal, SourceARN, SourceAccount, OrganizationID, URLAuthType string
}

var errUnsayable = errors.New("the statement has a form that AddPermission cannot make again")

// PermissionOf is the permission that makes just the statement again, or an error.
func PermissionOf(statement string) (Permission, error) {
	var p Permission
	doc, err := policy.Parse(wrap(statement))
	if err != nil || len(doc.Statements) != 1 {
		return p, errUnsayable
	}
	st := &doc.Statements[0]
	who := document.PrincipalsOf(st)
	if st.Effect != policy.Allow || st.NotPrincipals != nil || len(st.NotActions)+len(st.NotResources) > 0 || len(st.Actions) != 1 || len(st.Resources) != 1 || len(who) != 1 {
		return p, errUnsayable
	}
	p.Action, p.Principal = st.Actions[0], who[0].Value
	switch account, root := policy.RootAccount(p.Principal); {
	case who[0].Kind == policy.PrincipalAWS && root:
		p.Principal = account
	case who[0].Kind == policy.PrincipalAWS && !who[0].Everyone() && !iamARN(p.Principal):
		return p, errUnsayable // the unique ID of a role or user that was deleted
	case who[0].Kind != policy.PrincipalAWS && who[0].Kind != policy.PrincipalService:
		return p, errUnsayable
	}
	for _, c := range st.Conditions {
		to := map[string]*string{
			"arnlike aws:sourcearn": &p.SourceARN, "stringequals aws:sourceaccount": &p.SourceAccount, "stringequals aws:principalorgid": &p.OrganizationID,
			"stringequals lambda:functionurlauthtype": &p.URLAuthType,
		}[strings.ToLower(c.Operator+" "+c.Key)]
		if to == nil || *to != "" || len(c.Values) != 1 {
			return p, errUnsayable
		}
		*to = c.Values[0]
	}
	return p, nil
}

func iamARN(principal string) bool {
	service := dera.ARN(principal).Service()
	return service == "iam" || service == "sts"
}

// members are those that are not empty, by their names in Terraform and CloudFormation.
func (p Permission) members() (out [][3]string) {
	for _, m := range [][3]string{
		{"action", "Action", p.Action}, {"principal", "Principal", p.Principal}, {"source_arn", "SourceArn", p.SourceARN}, {"source_account", "SourceAccount", p.SourceAccount},
		{"principal_org_id", "PrincipalOrgID", p.OrganizationID}, {"function_url_auth_type", "FunctionUrlAuthType", p.URLAuthType},
	} {
		if m[2] != "" {
			out = append(out, m)
		}
	}
	return out
}
