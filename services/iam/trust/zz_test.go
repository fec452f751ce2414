package trust

import (
	"testing"
	"dera.example/dera/iam/policy"
	"dera.example/dera/iam/reason"
	"dera.example/dera/resource/document"
)

func TestZZ(t *testing.T) {
	z := reason.Zone{Accounts: []string{"111122223333", "222233334444"}, Organizations: []string{"o-abc"}}
	for name, text := range map[string]string{
		"org_and_tag": `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::999988887777:root"},"Action":"sts:AssumeRole","Condition":{"StringEquals":{"aws:PrincipalOrgID":"o-abc"}}},{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::999988887777:role/ci"},"Action":["sts:AssumeRole","sts:TagSession"]}]}`,
		"notaction": `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::999988887777:root"},"NotAction":"sts:TagSession"}]}`,
		"star_orgs": `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole","Condition":{"ForAnyValue:StringLike":{"aws:PrincipalOrgPaths":"o-abc/r-1/*"}}},{"Effect":"Allow","Principal":{"AWS":"999988887777"},"Action":"sts:*"}]}`,
		"arnlike_star": `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole","Condition":{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::999988887777:role/x*"}}}]}`,
		"source_vpc": `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::999988887777:root"},"Action":"sts:AssumeRole","Condition":{"StringEquals":{"aws:SourceVpc":"vpc-1","aws:PrincipalOrgID":"o-abc"}}}]}`,
		"case": `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::999988887777:root"},"Action":"STS:assumerole","Condition":{"stringequals":{"AWS:principalorgid":"o-abc"}}},{"Effect":"Allow","Principal":{"AWS":["arn:aws:iam::999988887777:root","arn:aws:iam::222233334444:root"]},"Action":"sts:AssumeRole","Condition":{"StringEquals":{"sts:ExternalId":"x"}}}]}`,
		"ifexists": `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::999988887777:root"},"Action":"sts:AssumeRole","Condition":{"StringEqualsIfExists":{"aws:PrincipalOrgID":"o-abc"}}}]}`,
		"sourceaccount": `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::999988887777:root"},"Action":"sts:AssumeRole","Condition":{"StringEquals":{"aws:SourceAccount":"111122223333"}}}]}`,
		"federated": `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Federated":"arn:aws:iam::999988887777:saml-provider/x"},"Action":"sts:AssumeRoleWithSAML"}]}`,
		"gov": `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws-us-gov:iam::999988887777:root"},"Action":"sts:AssumeRole"}]}`,
		"canonical": `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":["999988887777","arn:aws:sts::999988887777:assumed-role/a/b","arn:aws:sts::999988887777:federated-user/u"]},"Action":["sts:AssumeRole","sts:SetContext"]}]}`,
		"deny_others": `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole"},{"Effect":"Deny","Principal":"*","Action":"sts:AssumeRole","Condition":{"StringNotEquals":{"aws:PrincipalOrgID":"o-abc"}}}]}`,
		"notprincipal": `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","NotPrincipal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"sts:AssumeRole"}]}`,
	} {
		doc, err := policy.Parse(text)
		if err != nil { t.Error(name, err); continue }
		list, dead := Outsiders(doc, z)
		var keys []string
		for _, o := range list { keys = append(keys, o.Key) }
		after, err := Without(doc, list, document.House{}, z)
		txt := ""
		if after != nil { txt = after.Text() }
		t.Log(name, keys, dead, err, "\n   ", txt)
	}
}
